"""One embedding: a unit vector, a mirrored face is the same person, a reference is of both."""

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.ports import Floats, NetSpec, Pixels
from edge.vision.embed import ARCFACE_FIVE, Embedder, Probe, unit


class Fixed:
    """A net that knows an upright face and its mirror image apart: it answers by the brighter half."""

    def __init__(self, left: list[float], right: list[float]) -> None:
        self.spec = NetSpec("one", "one-1", 112, "rgb", 0.0, 1.0, ("embedding",))
        self._left, self._right = np.array([left], np.float32), np.array([right], np.float32)

    def run(self, crop: Pixels) -> tuple[Floats, ...]:
        half = crop.shape[1] // 2
        return (self._left if crop[:, :half].mean() > crop[:, half:].mean() else self._right,)


def face() -> Pixels:
    rgb = np.full((112, 112, 3), 40, np.uint8)
    rgb[:, :50] = 200
    return rgb


FIVE: NDArray[np.float32] = ARCFACE_FIVE.astype(np.float32)


def test_an_embedding_is_a_unit_vector_however_long_the_nets_answer_is() -> None:
    loud, quiet = (Embedder(Fixed([3 * size, 4 * size], [0, 1])).embed(face(), FIVE) for size in (1000, 0.001))
    assert loud.dtype == np.float32
    np.testing.assert_allclose(loud, [0.6, 0.8], atol=1e-6)
    np.testing.assert_allclose(quiet, loud, atol=1e-6)


def test_a_reference_lies_between_the_face_and_its_mirror_image() -> None:
    embedder = Embedder(Fixed([1, 0], [0, 1]))
    plain, mirrored = embedder.embed(face(), FIVE), embedder.embed(face(), FIVE, mirrored=True)
    assert plain.tolist() == [1, 0] and mirrored.tolist() == [0, 1]
    np.testing.assert_allclose(embedder.describe(face(), FIVE), unit(plain + mirrored), atol=1e-6)


def test_a_probe_of_the_face_and_its_mirror_image_is_the_reference_itself() -> None:
    embedder = Embedder(Fixed([1, 0], [0, 1]))
    probe = Probe(4)
    for number in range(4):
        probe.add(embedder.embed(face(), FIVE, mirrored=number % 2 == 1))
    assert probe.best(embedder.describe(face(), FIVE)[None]) == pytest.approx(1.0, abs=1e-6)
