"""Figures that must hold, or there is no file. numpy only."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Outputs = Sequence[NDArray[np.float32]]

# A rebuilt float model against the file it was rebuilt from, or against an unbroken copy of the same weights.
REBUILT_COSINE_LEAST = 0.999
REBUILT_DIFFERENCE_MOST = 1e-3


class GateError(Exception):
    """A figure of the build is out of its bounds; the message names model, figure, value and bounds."""


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Cosine of the angle between two arrays of the same number of values."""
    x, y = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    return float(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)))


def check(model: str, figures: Mapping[str, float], bounds: Mapping[str, tuple[float, float]]) -> None:
    """Raise GateError for the first figure that is missing, not a number, or out of its bounds."""
    for figure, (least, most) in bounds.items():
        value = figures.get(figure, float("nan"))
        if not least <= value <= most:
            raise GateError(f"{model}: {figure} is {value:.4g}, allowed are {least:g} to {most:g}")


def rebuilt(model: str, pairs: Sequence[tuple[Outputs, Outputs]], *, same_scale: bool) -> dict[str, float]:
    """Figures of (rebuilt, reference) outputs, gated; `same_scale` also holds the largest difference.

    An embedding is a direction: cosine only.
    """
    flat = [(a, b) for ours, theirs in pairs for a, b in zip(ours, theirs, strict=True)]
    figures = {"rebuilt_cosine_least": min(cosine(a, b) for a, b in flat)}
    bounds = {"rebuilt_cosine_least": (REBUILT_COSINE_LEAST, 1.0 + 1e-6)}
    if same_scale:
        figures["rebuilt_difference_most"] = max(float(np.abs(a.ravel() - b.ravel()).max()) for a, b in flat)
        bounds["rebuilt_difference_most"] = (0.0, REBUILT_DIFFERENCE_MOST)
    check(model, figures, bounds)
    return figures


def agreement(model: str, pairs: Sequence[tuple[Outputs, Outputs]]) -> dict[str, float]:
    """How far a quantized model is from its float original, in the units that matter to who uses it.

    `pairs` are (float, quantized) outputs for the same crops.
    """
    match model:
        case "face_detection":
            return _detection_agreement(pairs)
        case "face_landmarks":
            shifts = np.stack([_point_shift(a[0], b[0]) for a, b in pairs])
            return {"point_shift_px": float(shifts.mean()), "worst_point_shift_px": float(shifts.max())}
        case "passive_liveness":
            moved = [abs(live_score(a[0]) - live_score(b[0])) for a, b in pairs]
            return {"live_score_shift": float(np.mean(moved)), "worst_live_score_shift": float(np.max(moved))}
        case _:
            cosines = [cosine(a[0], b[0]) for a, b in pairs]
            return {"cosine_mean": float(np.mean(cosines)), "cosine_least": float(np.min(cosines))}


def live_score(logits: NDArray[np.float32]) -> float:
    """Probability of the class `live`, which is the first of three."""
    values = np.exp(logits.ravel() - logits.max())
    return float(values[0] / values.sum())


def _detection_agreement(pairs: Sequence[tuple[Outputs, Outputs]]) -> dict[str, float]:
    box, logit = [], []
    for (boxes, scores), (other_boxes, other_scores) in pairs:
        best = int(scores.ravel().argmax())
        box.append(np.abs(boxes[0, best, :4] - other_boxes[0, best, :4]).mean())
        logit.append(abs(scores.ravel()[best] - other_scores.ravel()[best]))
    return {"box_shift_px": float(np.mean(box)), "score_logit_shift": float(np.mean(logit))}


def _point_shift(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    difference = (a.reshape(-1, 3) - b.reshape(-1, 3))[:, :2]
    return np.asarray(np.linalg.norm(difference, axis=1), np.float32)
