"""Boxes that overlap, and answers of the detector that mean one face."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.ports import Floats, NetSpec, Pixels
from edge.vision.detect import Detector, _merge, iou

places = st.floats(-1000, 1000)
sizes = st.floats(1, 500)


@st.composite
def boxes(draw: st.DrawFn) -> list[float]:
    x, y, width, height = draw(places), draw(places), draw(sizes), draw(sizes)
    return [x, y, x + width, y + height]


@given(one=boxes(), other=boxes())
def test_overlap_is_mutual_and_a_share(one: list[float], other: list[float]) -> None:
    assert iou(one, other) == pytest.approx(iou(other, one)) and 0 <= iou(one, other) <= 1 + 1e-9
    assert iou(one, one) == pytest.approx(1)


def test_overlap_of_known_boxes() -> None:
    assert iou([0, 0, 2, 2], [1, 1, 3, 3]) == pytest.approx(1 / 7)
    assert iou([0, 0, 2, 2], [2, 0, 4, 2]) == 0
    assert iou([0, 0, 4, 4], [1, 1, 2, 2]) == pytest.approx(1 / 16)


def test_answers_that_overlap_are_one_face_at_their_weighted_mean() -> None:
    answers = np.zeros((3, 16), np.float32)
    answers[:, :4] = [[0, 0, 100, 100], [4, 0, 104, 100], [300, 0, 400, 100]]
    near, far = _merge(answers, [0.9, 0.6, 0.7], 0.3)
    assert near.score == 0.9 and near.box.tolist() == pytest.approx([1.6, 0, 101.6, 100])
    assert far.score == 0.7 and far.box.tolist() == pytest.approx([300, 0, 400, 100])
    assert near.points.shape == (6, 2) and near.points.dtype == np.float32


def test_a_box_without_area_is_still_a_face_of_its_own() -> None:
    answers = np.zeros((2, 16), np.float32)
    assert len(_merge(answers, [0.9, 0.8], 0.3)) == 2


class Nonsense:
    """A detector's net whose logits, or boxes, are no numbers."""

    spec = NetSpec("face_detection", "nonsense-1", 128, "rgb", 127.5, 127.5, ("boxes", "logits"))

    def __init__(self, box: float, logit: float) -> None:
        self._outputs = np.full((1, 896, 16), box, np.float32), np.full((1, 896, 1), logit, np.float32)

    def run(self, crop: Pixels) -> tuple[Floats, ...]:
        return self._outputs


@pytest.mark.parametrize(("box", "logit"), [(0.0, float("nan")), (float("inf"), -9.0), (float("nan"), 9.0)])
def test_nonsense_is_not_taken_for_an_empty_room(box: float, logit: float) -> None:
    with pytest.raises(ModelError, match="number that is none"):
        Detector(Nonsense(box, logit)).find(np.zeros((48, 64, 3), np.uint8))
    assert Detector(Nonsense(0.0, -9.0)).find(np.zeros((48, 64, 3), np.uint8)) == []
