"""Is this a face in a room, or a picture of one?  One frame's bona fide score.

The net looks at the face with its surroundings, where a print or a screen shows its edge.  One frame is weak
evidence; `edge.core.policy` weighs a session.
"""

import cv2
import numpy as np

from edge.ports import Floats, Net, Pixels

BONA_FIDE = 0  # the net's classes: bona fide, print, replay


class PassiveLiveness:
    """The passive net behind `Net`: output three logits."""

    def __init__(self, net: Net, box_scale: float = 2.7) -> None:
        self._net = net
        self._box_scale = box_scale

    def score(self, rgb: Pixels, box: Floats) -> float:
        """0..1, 1 is bona fide.  ``box`` float32 (4,) is the detector's kind: brows to chin."""
        left, top, right, bottom = surroundings(rgb, box, self._box_scale)
        size = self._net.spec.input_size_px
        crop = cv2.resize(rgb[top:bottom, left:right], (size, size), interpolation=cv2.INTER_LINEAR)
        logits = self._net.run(np.asarray(crop, np.uint8))[0].reshape(-1)
        shares = np.exp(logits - logits.max())
        return float(shares[BONA_FIDE] / shares.sum())


def surroundings(rgb: Pixels, box: Floats, scale: float) -> tuple[int, int, int, int]:
    """left, top, right, bottom of the box enlarged, made smaller and moved until it is inside the frame.

    Moved rather than cut: the net was trained on windows of one shape.
    """
    height, width = rgb.shape[:2]
    size = np.maximum(box[2:] - box[:2], 1.0)
    room = np.array([width - 1, height - 1], np.float32)
    half = size * min(scale, float((room / size).min())) / 2
    centre = np.clip((box[:2] + box[2:]) / 2, half, room - half)
    left, top = np.maximum(centre - half, 0).astype(int)
    right, bottom = (centre + half).astype(int)
    return int(left), int(top), int(right) + 1, int(bottom) + 1
