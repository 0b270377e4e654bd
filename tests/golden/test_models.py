"""The known answers, literally, on every interpreter that is installed: they change only through a reviewed diff."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.adapters.tflite import RUNTIMES, Runtime, TfliteNet
from edge.ports import NetSpec
from edge.vision.manifest import load_manifest
from edge.vision.verify import golden_crop, golden_face, verify
from models import FOLDER

INSTALLED = [name for name in RUNTIMES if importlib.util.find_spec(name)]


@pytest.fixture(params=INSTALLED)
def runtime(request: pytest.FixtureRequest) -> Runtime:
    chosen: Runtime = request.param
    return chosen


def answers(name: str, runtime: Runtime) -> dict[str, NDArray[Any]]:
    manifest = load_manifest(FOLDER)
    model = manifest.model(name)
    net = TfliteNet(model.net_spec(), manifest.path(model), runtime=runtime)
    crop = golden_crop(golden_face(manifest), model.input.size_px)
    return dict(zip(net.spec.outputs, net.run(crop), strict=True))


def test_the_known_answer_test_passes(runtime: Runtime) -> None:
    def opener(spec: NetSpec, path: Path) -> TfliteNet:
        return TfliteNet(spec, path, runtime=runtime)

    report = verify(FOLDER, opener)
    assert report.ok, report.sentence


def test_the_detector_is_sure_of_the_golden_face_and_puts_it_where_it_is(runtime: Runtime) -> None:
    said = answers("face_detection", runtime)
    best = int(said["scores"].argmax())
    assert said["scores"].reshape(-1)[best] > 1.0
    # Its width and height in pixels of 128: the golden face fills half of its crop.
    np.testing.assert_allclose(said["boxes"][0, best, 2:4], GOLDEN_BOX_PX, atol=3.0)


def test_the_mesh_finds_the_eyes_level_and_above_the_mouth(runtime: Runtime) -> None:
    points = answers("face_landmarks", runtime)["points"].reshape(468, 3)[:, :2]
    left, right, mouth = points[[33, 133]].mean(0), points[[362, 263]].mean(0), points[[61, 291]].mean(0)
    np.testing.assert_allclose([*left, *right, *mouth], GOLDEN_EYES_AND_MOUTH_PX, atol=3.0)


def test_the_golden_face_is_live(runtime: Runtime) -> None:
    logits = answers("passive_liveness", runtime)["logits"][0]
    assert int(logits.argmax()) == 0
    np.testing.assert_allclose(logits, GOLDEN_LIVENESS_LOGITS, atol=0.5)


def test_a_mirrored_face_is_the_same_person_and_one_upside_down_is_not(runtime: Runtime) -> None:
    manifest = load_manifest(FOLDER)
    model = manifest.model("face_embedding")
    net = TfliteNet(model.net_spec(), manifest.path(model), runtime=runtime)
    crop = golden_crop(golden_face(manifest), model.input.size_px)
    upright, mirrored, upside_down = (
        net.run(np.ascontiguousarray(view))[0][0] for view in (crop, crop[:, ::-1], crop[::-1])
    )
    assert cosine(upright, mirrored) > 0.7
    assert cosine(upright, upside_down) < 0.6


def cosine(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


GOLDEN_BOX_PX = (71.8, 71.7)
GOLDEN_EYES_AND_MOUTH_PX = (73.8, 77.3, 120.0, 79.6, 95.6, 119.2)
GOLDEN_LIVENESS_LOGITS = (3.67, -0.70, -2.97)
