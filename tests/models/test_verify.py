"""Every start checks the models; a terminal whose models fail refuses to certify, with a sentence."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge.adapters.tflite import TfliteNet
from edge.errors import ModelError
from edge.ports import Floats, Net, NetSpec, Pixels
from edge.vision.verify import VerifyReport, verify
from models import FOLDER


def sentence_about(report: VerifyReport, name: str) -> str:
    check = next(check for check in report.models if check.name == name)
    assert not check.ok
    return check.sentence


def test_the_shipped_models_answer_as_they_should() -> None:
    report = verify(FOLDER, TfliteNet)
    assert report.ok, report.sentence
    assert report.sentence == "4 of 4 models answer as they should."


def test_one_flipped_bit_is_noticed_and_the_other_models_are_still_judged(folder: Path) -> None:
    path = folder / "face_embedding.tflite"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    report = verify(folder, TfliteNet)
    assert "SHA-256" in sentence_about(report, "face_embedding")
    assert [check.name for check in report.models if check.ok] == [
        "face_detection",
        "face_landmarks",
        "passive_liveness",
    ]


def test_a_file_with_a_wrong_hash_is_never_opened(folder: Path) -> None:
    """tflite-runtime crashes on some damaged files: the hash must speak first."""
    path = folder / "face_embedding.tflite"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    opened: list[str] = []

    def opener(spec: NetSpec, file: Path) -> Net:
        opened.append(spec.name)
        return TfliteNet(spec, file)

    verify(folder, opener)
    assert opened == ["face_detection", "face_landmarks", "passive_liveness"]


def test_a_half_written_file_is_noticed(folder: Path) -> None:
    path = folder / "face_landmarks.tflite"
    path.write_bytes(path.read_bytes()[:100_000])
    assert "100000 bytes instead of" in sentence_about(verify(folder, TfliteNet), "face_landmarks")


def test_a_missing_file_is_noticed(folder: Path) -> None:
    (folder / "passive_liveness.tflite").unlink()
    assert "cannot be read" in sentence_about(verify(folder, TfliteNet), "passive_liveness")


def test_another_golden_face_is_refused(folder: Path) -> None:
    (folder / "golden" / "face.png").write_bytes(b"not the face")
    with pytest.raises(ModelError, match="golden face"):
        verify(folder, TfliteNet)


@pytest.mark.parametrize("content", ["", "{", '{"models": {}, "more": 1}', '{"models": {"face_detection": []}}'])
def test_damaged_known_answers_are_refused(folder: Path, content: str) -> None:
    (folder / "golden" / "answers.json").write_text(content)
    with pytest.raises(ModelError, match="known answers"):
        verify(folder, TfliteNet)


def test_a_model_without_a_known_answer_does_not_pass(folder: Path) -> None:
    path = folder / "golden" / "answers.json"
    answers = json.loads(path.read_text())
    del answers["models"]["passive_liveness"]
    path.write_text(json.dumps(answers))
    assert "no known answer" in sentence_about(verify(folder, TfliteNet), "passive_liveness")


def test_known_answers_of_a_position_that_does_not_exist_do_not_pass(folder: Path) -> None:
    path = folder / "golden" / "answers.json"
    answers = json.loads(path.read_text())
    answers["models"]["passive_liveness"][0]["at"][0] = 10_000
    path.write_text(json.dumps(answers))
    assert "known answer" in sentence_about(verify(folder, TfliteNet), "passive_liveness")


class Altered:
    """A sound model whose answers something has changed on the way: a runtime's fault, not the file's."""

    def __init__(self, net: Net, fault: str) -> None:
        self.spec = net.spec
        self.net, self.fault = net, fault
        self._first: tuple[Floats, ...] | None = None

    def run(self, crop: Pixels) -> tuple[Floats, ...]:
        outputs = self.net.run(crop)
        match self.fault:
            case "one answer for everybody":
                self._first = self._first or outputs
                return self._first
            case "scaled and shifted":
                return tuple(1.5 * output + 3 for output in outputs)
            case "not a number":
                return tuple(np.full_like(output, np.nan) for output in outputs)
            case "another shape":
                return tuple(output.reshape(-1) for output in outputs)
            case _:
                return self.net.run(np.ascontiguousarray(crop[:, :, ::-1]))


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("one answer for everybody", "one answer to two different pictures"),
        ("scaled and shifted", "known answer"),
        ("not a number", "numbers that are none"),
        ("another shape", "other shapes"),
    ],
)
def test_a_runtime_that_answers_wrongly_is_found_out_for_every_model(fault: str, told: str) -> None:
    report = verify(FOLDER, lambda spec, path: Altered(TfliteNet(spec, path), fault))
    for check in report.models:
        assert not check.ok
        assert told in check.sentence, check.name


def test_a_liveness_model_that_is_shown_red_for_blue_is_found_out() -> None:
    report = verify(FOLDER, lambda spec, path: Altered(TfliteNet(spec, path), "red for blue"))
    assert "known answer" in sentence_about(report, "passive_liveness")


def test_another_models_file_under_the_right_name_is_found_out_even_with_its_hash_pinned(folder: Path) -> None:
    shutil.copyfile(folder / "face_detection.tflite", folder / "passive_liveness.tflite")
    manifest = folder / "manifest.toml"
    entries = manifest.read_text(encoding="utf-8").split("[[models]]")
    pins = [line for line in entries[1].splitlines() if line.startswith(("sha256", "bytes"))]
    lines = entries[4].splitlines()
    entries[4] = "\n".join(
        next((pin for pin in pins if line.split(" ")[0] == pin.split(" ")[0]), line) for line in lines
    )
    manifest.write_text("[[models]]".join(entries), encoding="utf-8")
    assert "is not minifasnet" in sentence_about(verify(folder, TfliteNet), "passive_liveness")
