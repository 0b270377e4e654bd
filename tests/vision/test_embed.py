"""One embedding of two nets: each has half a say, a mirrored face is the same person, a reference is of both."""

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.ports import Floats, NetSpec, Pixels
from edge.vision.embed import ARCFACE_FIVE, Embedder, Probe, unit


class Fixed:
    """A net that knows an upright face and its mirror image apart: it answers by the brighter half."""

    def __init__(self, left: list[float], right: list[float], size_px: int = 112) -> None:
        self.spec = NetSpec("one", "one-1", size_px, "rgb", 0.0, 1.0, ("embedding",))
        self._left, self._right = np.array([left], np.float32), np.array([right], np.float32)

    def run(self, crop: Pixels) -> tuple[Floats, ...]:
        half = crop.shape[1] // 2
        return (self._left if crop[:, :half].mean() > crop[:, half:].mean() else self._right,)


def face() -> Pixels:
    rgb = np.full((112, 112, 3), 40, np.uint8)
    rgb[:, :50] = 200
    return rgb


FIVE: NDArray[np.float32] = ARCFACE_FIVE.astype(np.float32)


def test_the_cosine_of_two_embeddings_is_the_mean_of_the_two_nets_cosines() -> None:
    one = Embedder([Fixed([3, 0], [3, 0]), Fixed([0, 5, 0], [0, 5, 0])])
    other = Embedder([Fixed([1, 1], [1, 1]), Fixed([0, 0, 2], [0, 0, 2])])
    a, b = one.embed(face(), FIVE), other.embed(face(), FIVE)
    assert a.shape == (5,) and a.dtype == np.float32
    assert float(a @ a) == pytest.approx(1.0, abs=1e-6)
    assert float(a @ b) == pytest.approx((0.5**0.5 + 0.0) / 2, abs=1e-6)


def test_a_net_with_long_vectors_has_no_more_say_than_one_with_short_ones() -> None:
    loud, quiet = Fixed([1000, 0], [1000, 0]), Fixed([0, 0.001], [0, 0.001])
    parts = Embedder([loud, quiet]).embed(face(), FIVE)
    assert float(np.linalg.norm(parts[:2])) == pytest.approx(float(np.linalg.norm(parts[2:])), abs=1e-6)


def test_a_reference_lies_between_the_face_and_its_mirror_image() -> None:
    embedder = Embedder([Fixed([1, 0], [0, 1])])
    plain, mirrored = embedder.embed(face(), FIVE), embedder.embed(face(), FIVE, mirrored=True)
    assert plain.tolist() == [1, 0] and mirrored.tolist() == [0, 1]
    np.testing.assert_allclose(embedder.describe(face(), FIVE), unit(plain + mirrored), atol=1e-6)


def test_a_probe_of_the_face_and_its_mirror_image_is_the_reference_itself() -> None:
    embedder = Embedder([Fixed([1, 0], [0, 1])])
    probe = Probe(4)
    for number in range(4):
        probe.add(embedder.embed(face(), FIVE, mirrored=number % 2 == 1))
    assert probe.best(embedder.describe(face(), FIVE)[None]) == pytest.approx(1.0, abs=1e-6)


def test_nets_that_take_crops_of_two_sizes_are_no_embedding() -> None:
    with pytest.raises(ValueError, match="one size"):
        Embedder([Fixed([1], [1]), Fixed([1], [1], size_px=96)])
