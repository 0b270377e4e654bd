"""Who is it: the embedding of an aligned face, the probe of several good frames, and the comparison.

The net was trained on faces brought onto the five ArcFace points.  What was measured is in models/TRIED.md, why in
docs/adr/0008.  Embeddings stay in memory here, are forgotten by `Probe.forget`, and leave
only as cosines; enrolment alone takes one out (`Eyes.describe`).
"""

import math

import numpy as np

from edge.ports import Floats, Net, Pixels
from edge.vision import geometry

# Eyes, nose tip and mouth corners in a 112 px crop, as ArcFace's training aligned them (Deng et al., CVPR 2019).
ARCFACE_FIVE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
ARCFACE_SIZE_PX = 112


class Embedder:
    """The embedding net behind `Net`, with one output of D numbers."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self._size_px = net.spec.input_size_px

    def embed(self, rgb: Pixels, five: Floats, *, mirrored: bool = False) -> Floats:
        """float32 (D,), unit length, of the face whose ``five`` points (5, 2) are given, or of its mirror image."""
        return self._seen(align(rgb, five, self._size_px), mirrored=mirrored)

    def describe(self, rgb: Pixels, five: Floats) -> Floats:
        """The mean over the face and its mirror image: twice the time, for a reference that is made once."""
        crop = align(rgb, five, self._size_px)
        return unit(self._seen(crop, mirrored=False) + self._seen(crop, mirrored=True))

    def _seen(self, crop: Pixels, *, mirrored: bool) -> Floats:
        seen = np.ascontiguousarray(crop[:, ::-1]) if mirrored else crop
        return unit(self._net.run(seen)[0].reshape(-1))


class Probe:
    """The mean of the embeddings of one track's good frames."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sum: Floats | None = None
        self.frames = 0

    @property
    def full(self) -> bool:
        return self.frames >= self._most

    def agreement(self, embedding: Floats) -> float:
        """Cosine of ``embedding`` with the probe so far; 1 while there is none."""
        return 1.0 if self._sum is None else float(unit(self._sum) @ embedding)

    def add(self, embedding: Floats) -> None:
        self._sum = embedding.copy() if self._sum is None else self._sum + embedding
        self.frames += 1

    def best(self, references: Floats) -> float | None:
        """The cosine to the nearest row of ``references`` (N, D); None without a probe or a reference."""
        if self._sum is None or not len(references):
            return None
        return float((references @ unit(self._sum)).max())

    def forget(self) -> None:
        if self._sum is not None:
            self._sum.fill(0)
        self._sum, self.frames = None, 0


def align(rgb: Pixels, five: Floats, size_px: int = ARCFACE_SIZE_PX) -> Pixels:
    """uint8 (size, size, 3): the face brought onto the ArcFace points by a similarity."""
    return geometry.warp(rgb, geometry.umeyama(five, ARCFACE_FIVE * (size_px / ARCFACE_SIZE_PX)), size_px)


def unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(math.sqrt(float(vector @ vector)), 1e-9), np.float32)
