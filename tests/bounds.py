"""Bounds of a share, for the tools that score by hand."""

import math


def wilson(found: float, of: int) -> tuple[float, float]:
    """The 95 % interval (Wilson) of ``found`` out of ``of``; (0, 1) of none."""
    if of == 0:
        return 0.0, 1.0
    z, p = 1.959964, found / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)
