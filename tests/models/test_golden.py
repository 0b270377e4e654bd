"""Sabotage: whatever goes wrong between the nets, two golden faces through the eyes bring it to light."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.adapters.tflite import TfliteNet
from edge.app import open_nets
from edge.ports import Floats, Net, NetSpec, Pixels
from edge.vision import embed, geometry, landmarks
from edge.vision.golden import GoldenTest
from edge.vision.manifest import load_manifest, sha256_of
from edge.vision.verify import KnownAnswerTest, verify
from models import FOLDER, cli
from models.builder.errors import BuildError
from models.builder.stamp import stamp_all


@pytest.fixture(scope="module")
def nets() -> dict[str, Net]:
    return open_nets(FOLDER)


def verdict(nets: dict[str, Net]) -> str:
    return GoldenTest(FOLDER).fault(nets) or "no fault"


class Through:
    """A net whose pixels or outputs something alters on the way."""

    def __init__(
        self,
        net: Net,
        pixels: Callable[[Pixels], Pixels] = lambda crop: crop,
        outputs: Callable[[tuple[Floats, ...]], tuple[Floats, ...]] = lambda given: given,
    ) -> None:
        self.spec = net.spec
        self._net, self._pixels, self._outputs = net, pixels, outputs

    def run(self, crop: Pixels) -> tuple[Floats, ...]:
        return self._outputs(self._net.run(np.ascontiguousarray(self._pixels(crop))))


def test_sound_eyes_pass_twice_in_a_row(nets: dict[str, Net]) -> None:
    golden = GoldenTest(FOLDER)
    assert golden.fault(nets) is None
    assert golden.fault(nets) is None


def test_red_for_blue_before_the_embedding_is_found_out(nets: dict[str, Net]) -> None:
    swapped = Through(nets["face_embedding"], pixels=lambda crop: crop[:, :, ::-1])
    said = verdict(nets | {"face_embedding": swapped})
    assert "golden face" in said or "red for blue" in said


def test_red_for_blue_in_every_picture_is_found_out(nets: dict[str, Net], monkeypatch: pytest.MonkeyPatch) -> None:
    def swapped(rgb: Pixels, matrix: geometry.Matrix, size_px: int) -> Pixels:
        return np.ascontiguousarray(warp(rgb, matrix, size_px)[:, :, ::-1])

    warp = geometry.warp
    monkeypatch.setattr(geometry, "warp", swapped)
    assert verdict(nets) != "no fault"


@pytest.mark.parametrize("shift_px", [5, 8, -8, 20])
def test_a_crop_beside_the_face_is_found_out(
    nets: dict[str, Net], monkeypatch: pytest.MonkeyPatch, shift_px: int
) -> None:
    def beside(rgb: Pixels, five: Floats, size_px: int = 112) -> Pixels:
        matrix = geometry.umeyama(five, embed.ARCFACE_FIVE * (size_px / 112))
        return geometry.warp(rgb, matrix + np.array([[0, 0, shift_px], [0, 0, 0]]), size_px)

    monkeypatch.setattr(embed, "align", beside)
    assert "golden face" in verdict(nets)


def test_an_opencv_that_warps_the_other_way_is_found_out(
    nets: dict[str, Net], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The matrix read as crop -> picture instead of picture -> crop."""
    real = cv2.warpAffine

    def inverse(picture: Pixels, matrix: geometry.Matrix, *args: object, **named: object) -> Pixels:
        return np.asarray(real(picture, geometry.invert(matrix), *args, **named), np.uint8)  # type: ignore[call-overload]

    monkeypatch.setattr(cv2, "warpAffine", inverse)
    assert verdict(nets) != "no fault"


def test_a_mesh_with_left_for_right_is_found_out(nets: dict[str, Net], monkeypatch: pytest.MonkeyPatch) -> None:
    five = landmarks.Mesh.five.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(landmarks.Mesh, "five", property(lambda mesh: five(mesh)[[1, 0, 2, 4, 3]]))
    assert "golden face" in verdict(nets)


def test_one_embedding_for_everybody_is_found_out(nets: dict[str, Net]) -> None:
    same = Through(nets["face_embedding"], outputs=lambda given: (given[0] * 0.001 + 0.07,))
    assert "golden face" in verdict(nets | {"face_embedding": same})


def test_even_if_that_one_embedding_were_written_down_as_known(nets: dict[str, Net], folder: Path) -> None:
    """Stored answers made by broken eyes: two different people must still be far apart."""
    path = folder / "golden" / "scenes.json"
    scenes = json.loads(path.read_text())
    scenes["scenes"][1]["embedding"] = scenes["scenes"][0]["embedding"]
    path.write_text(json.dumps(scenes))
    golden = np.array(scenes["scenes"][0]["embedding"], np.float32)
    same = Through(nets["face_embedding"], outputs=lambda _: (golden[None],))
    fault = GoldenTest(folder).fault(nets | {"face_embedding": same})
    assert fault is not None
    assert "one embedding for two different people" in fault


@pytest.mark.parametrize("name", ["face_detection", "face_landmarks", "face_embedding", "passive_liveness"])
def test_a_changed_quantization_scale_at_the_input_is_found_out(nets: dict[str, Net], name: str) -> None:
    """As if the pixels were quantized with half their scale and another zero point."""
    dim = Through(nets[name], pixels=lambda crop: (crop // 4 + 150).astype(np.uint8))
    altered = nets | {name: dim}
    assert not KnownAnswerTest(FOLDER).again(altered).ok


def test_a_changed_scale_of_an_output_is_found_out_for_every_net(nets: dict[str, Net]) -> None:
    for name, net in nets.items():
        # A scale leaves the direction of an embedding as it was: there a zero point is lost instead.
        louder = Through(net, outputs=lambda given: tuple(1.3 * each + max(0.5, float(each.std())) for each in given))
        assert not KnownAnswerTest(FOLDER).again(nets | {name: louder}).ok, name


def test_numbers_that_are_none_are_found_out(nets: dict[str, Net]) -> None:
    for name, net in nets.items():
        broken = Through(net, outputs=lambda given: tuple(np.full_like(each, np.nan) for each in given))
        assert verdict(nets | {name: broken}) != "no fault", name


def test_a_net_that_breaks_is_told_and_not_raised(nets: dict[str, Net]) -> None:
    def odd(_: Pixels) -> Pixels:
        raise ValueError("takes another shape")

    broken = Through(nets["passive_liveness"], pixels=odd)
    assert "break on a golden photo" in verdict(nets | {"passive_liveness": broken})


@pytest.mark.parametrize("content", ["", "{", '{"scenes": []}', '{"scenes": [], "more": 1}'])
def test_damaged_or_missing_scenes_leave_the_terminal_blind_with_a_sentence(folder: Path, content: str) -> None:
    path = folder / "golden" / "scenes.json"
    path.write_text(content)
    report = verify(folder, TfliteNet)
    assert not report.ok and "golden scenes" in report.sentence
    path.unlink()
    assert "cannot be read" in verify(folder, TfliteNet).sentence


def test_another_golden_photo_is_refused(folder: Path) -> None:
    (folder / "golden" / "scene.jpg").write_bytes((folder / "golden" / "other.jpg").read_bytes())
    assert "not the one that belongs" in verify(folder, TfliteNet).sentence


def test_what_passed_at_the_start_is_asked_again_without_opening_anything(folder: Path) -> None:
    opened: list[str] = []
    kept: dict[str, Net] = {}

    def opener(spec: NetSpec, path: Path) -> Net:
        opened.append(spec.name)
        kept[spec.name] = TfliteNet(spec, path)
        return kept[spec.name]

    test = KnownAnswerTest(folder)
    assert test.open(opener).ok
    for file in (folder / "golden").iterdir():
        file.unlink()  # an upgrade replaces the package under a running terminal
    assert test.again(kept).ok
    assert sorted(opened) == sorted(name for name in load_manifest(folder).versions())


def test_the_command_says_it_and_ends_with_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "golden" / "scenes.json"
    scenes = json.loads(path.read_text())
    scenes["scenes"].reverse()
    scenes["scenes"][0]["file"], scenes["scenes"][1]["file"] = "scene.jpg", "other.jpg"
    for scene in scenes["scenes"]:
        scene["sha256"] = sha256_of(folder / "golden" / scene["file"])
    path.write_text(json.dumps(scenes))
    code = cli.main(argparse.Namespace(models_verb="verify", folder=folder, json=True))
    said = json.loads(capsys.readouterr().out)
    assert code == 1
    assert (said["ok"], said["eyes"]["tested"]) == (False, True)
    assert "golden face in another place" in said["eyes"]["sentence"]


def test_a_build_that_cannot_tell_two_people_apart_says_so(folder: Path) -> None:
    (folder / "golden" / "other.jpg").write_bytes((folder / "golden" / "scene.jpg").read_bytes())
    with pytest.raises(BuildError, match="one embedding for two different people"):
        stamp_all(folder)
