"""The shipped files on research photographs, where they are: ../shared/data, never copied into the repository."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.adapters.tflite import TfliteNet
from edge.vision.manifest import load_manifest
from models import FOLDER
from models.builder import faces, gates

DATA = FOLDER.parent.parent / "shared" / "data"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here"),
]
Run = Callable[[NDArray[Any]], list[NDArray[Any]]]


def open_model(name: str) -> TfliteNet:
    manifest = load_manifest(FOLDER)
    model = manifest.model(name)
    return TfliteNet(model.net_spec(), manifest.path(model))


def detector() -> Run:
    net = open_model("face_detection")

    def run(values: NDArray[Any]) -> list[NDArray[Any]]:
        pixels = np.round(values[0] * net.spec.std + net.spec.mean).astype(np.uint8)
        return list(net.run(pixels))

    return run


def mesher() -> Run:
    net = open_model("face_landmarks")

    def run(values: NDArray[Any]) -> list[NDArray[Any]]:
        return list(net.run(np.round(values[0] * 255).astype(np.uint8)))

    return run


def read(path: Path) -> NDArray[Any]:
    return np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])


def centred(found: list[faces.Face], picture: NDArray[Any]) -> faces.Face:
    middle = np.array(picture.shape[1::-1]) / 2
    return min(found, key=lambda face: float(np.hypot(*((face.box[:2] + face.box[2:]) / 2 - middle))))


def test_a_face_is_found_in_the_middle_of_every_fifteenth_photograph() -> None:
    run = detector()
    for path in sorted((DATA / "lfw_dev" / "images").glob("*/*.jpg"))[::15]:
        picture = read(path)
        found = faces.detect(picture, run)
        assert found, "a face was missed"
        box = centred(found, picture).box
        assert 40 < box[2] - box[0] < 180
        assert (np.abs((box[:2] + box[2:]) / 2 - 125) < 40).all()


def test_two_photographs_of_one_person_are_more_alike_than_those_of_two() -> None:
    detect, mesh, net = detector(), mesher(), open_model("face_embedding")
    lines = (DATA / "lfw_dev" / "genuine_pairs.csv").read_text().splitlines()[1::5]
    embeddings = []
    for line in lines:
        for name in line.split(","):
            picture = read(DATA / "lfw_dev" / name)
            face = centred(faces.detect(picture, detect), picture)
            value = net.run(faces.align(picture, faces.mesh(picture, face, mesh)))[0][0]
            embeddings.append(value / np.linalg.norm(value))
    alike = np.stack(embeddings) @ np.stack(embeddings).T
    people = [line.split(",")[0].split("/")[1] for line in lines for _ in range(2)]
    genuine = alike[np.arange(0, len(people), 2), np.arange(1, len(people), 2)]
    impostor = alike[[[a != b for b in people] for a in people]]
    assert float(np.mean(genuine > 0.446)) >= 0.9
    assert float(np.mean(impostor > 0.446)) <= 0.01


def test_printed_photographs_are_told_from_people_in_front_of_the_camera() -> None:
    detect, net = detector(), open_model("passive_liveness")
    scores: dict[str, list[float]] = {"live": [], "spoof": []}
    for kind, values in scores.items():
        for path in sorted((DATA / "nuaa_dev" / kind).glob("*.jpg"))[::10]:
            picture = read(path)
            found = faces.detect(picture, detect, threshold=0.4)
            face = max(found, key=lambda one: float(one.box[2] - one.box[0]))
            values.append(gates.live_score(net.run(faces.liveness_crop(picture, face))[0]))
    assert min(scores["live"]) > max(scores["spoof"])
