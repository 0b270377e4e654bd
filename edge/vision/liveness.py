"""Is this a face in a room, or a picture of one?  One frame's bona fide score.

The net looks at the face with its surroundings, where a print or a screen shows its edge.  One frame is weak
evidence; `edge.core.policy` weighs a session.  What was tried is in models/TRIED-liveness.md.
"""

import math

import cv2
import numpy as np

from edge.ports import Floats, Net, Pixels
from edge.vision import geometry

BONA_FIDE = 0  # the net's classes: bona fide, print, replay


class PassiveLiveness:
    """The passive net behind `Net`: output three logits."""

    def __init__(self, net: Net, box_scale: float = 2.7) -> None:
        self._net = net
        self._box_scale = box_scale

    def score(self, rgb: Pixels, box: Floats, *, mirrored: bool = False) -> float:
        """0..1, 1 is bona fide; its logit is the net's margin and keeps saying more up to about 36.

        ``box`` float32 (4,) is the detector's kind: brows to chin.  A face ``mirrored`` is another look at the same
        frame: taken in turn over a session, the two even out what the net has learnt of one side.
        """
        left, top, right, bottom = surroundings(rgb, box, self._box_scale)
        size = self._net.spec.input_size_px
        # Averaged, not sampled: skipped pixels look like grain, and grain looks like skin to the net.
        crop = geometry.resize(rgb[top:bottom, left:right], size, size)
        if mirrored:
            crop = np.asarray(cv2.flip(crop, 1), np.uint8)
        logits = self._net.run(crop)[0].reshape(-1).tolist()
        shares = [math.exp(logit - max(logits)) for logit in logits]
        return shares[BONA_FIDE] / sum(shares)


def surroundings(rgb: Pixels, box: Floats, scale: float) -> tuple[int, int, int, int]:
    """left, top, right, bottom of the box enlarged, made smaller and moved until it is inside the frame.

    Moved rather than cut: the net was trained on windows of one shape.
    """
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = box.tolist()
    across, down = max(x1 - x0, 1.0), max(y1 - y0, 1.0)
    half = min(scale, (width - 1) / across, (height - 1) / down) / 2
    left, right = _window((x0 + x1) / 2, half * across, width - 1)
    top, bottom = _window((y0 + y1) / 2, half * down, height - 1)
    return left, top, right, bottom


def _window(centre: float, half: float, room: int) -> tuple[int, int]:
    centre = min(max(centre, half), room - half)
    return int(max(centre - half, 0.0)), int(centre + half) + 1
