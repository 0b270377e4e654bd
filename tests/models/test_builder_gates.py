"""A figure out of its bounds stops the build; a figure that is missing or not a number does too."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.builder import gates
from models.builder.gates import GateError


def vector(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def test_a_wrong_sign_of_the_slopes_cannot_pass_the_cosine_gate() -> None:
    right, wrong = vector(1, 2, 3, 4), vector(1, -2, 3, -4)
    gates.rebuilt("face_embedding", [([vector(2, 4, 6, 8)], [right])], same_scale=False)
    with pytest.raises(GateError, match=r"face_embedding: rebuilt_cosine_least is -0\.\d+, allowed are 0\.999 to 1"):
        gates.rebuilt("face_embedding", [([right], [right]), ([wrong], [right])], same_scale=False)


def test_a_rebuilt_file_must_also_have_the_scale_of_its_original() -> None:
    with pytest.raises(GateError, match="rebuilt_difference_most"):
        gates.rebuilt("face_landmarks", [([vector(2, 4)], [vector(1, 2)])], same_scale=True)


@pytest.mark.parametrize("figures", [{}, {"shift": float("nan")}, {"shift": 0.6}, {"shift": -0.1}])
def test_a_figure_that_is_missing_not_a_number_or_out_of_bounds_fails(figures: dict[str, float]) -> None:
    with pytest.raises(GateError, match="model: shift"):
        gates.check("model", figures, {"shift": (0.0, 0.5)})


def test_agreement_of_boxes_is_judged_at_the_best_candidate() -> None:
    boxes, scores = np.zeros((1, 4, 16), np.float32), vector(-5, 2, -3, -9).reshape(1, 4, 1)
    moved = boxes.copy()
    moved[0, 1, :4] = 2.0
    moved[0, 3] = 100.0
    figures = gates.agreement("face_detection", [((boxes, scores), (moved, scores - 0.25))])
    assert figures == {"box_shift_px": 2.0, "score_logit_shift": 0.25}


def test_agreement_of_points_does_not_look_at_depth() -> None:
    points = np.zeros((1, 1, 1, 6), np.float32)
    moved = points + np.array([3, 4, 99, 0, 0, 99], np.float32)
    figures = gates.agreement("face_landmarks", [((points,), (moved,))])
    assert figures == {"point_shift_px": 2.5, "worst_point_shift_px": 5.0}


def test_agreement_of_liveness_is_in_the_score_that_is_judged() -> None:
    sure, unsure = vector(5, -5, -5), vector(0, 0, 0)
    figures = gates.agreement("passive_liveness", [((sure,), (unsure,)), ((sure,), (sure,))])
    assert figures["worst_live_score_shift"] == pytest.approx(2 / 3, abs=1e-3)
    assert figures["live_score_shift"] == pytest.approx(1 / 3, abs=1e-3)
