"""The yardstick is the network it is named after."""

import numpy as np
import pytest

from edge.adapters.tflite import interpreter_class
from edge.errors import ToolError
from tests.bench.mobilenet import CLASSES, MULTIPLY_ADDS, SIZE_PX, mobilenet_v1_int8, size


def test_it_has_the_papers_569_million_multiply_adds_and_4_2_million_weights() -> None:
    multiply_adds, weights = size()
    assert multiply_adds == MULTIPLY_ADDS and weights == pytest.approx(4.2e6, rel=0.01)


def test_it_answers_in_int8_for_a_picture_in_int8() -> None:
    try:
        interpreter = interpreter_class()(model_content=mobilenet_v1_int8(), num_threads=1)
    except ToolError as error:
        pytest.skip(str(error))
    interpreter.allocate_tensors()
    (entry,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (tuple(entry["shape"]), entry["dtype"]) == ((1, SIZE_PX, SIZE_PX, 3), np.int8)
    interpreter.set_tensor(entry["index"], np.zeros(entry["shape"], np.int8))
    interpreter.invoke()
    classes = interpreter.get_tensor(answer["index"])
    assert classes.shape == (1, CLASSES) and classes.dtype == np.int8 and classes.max() > classes.min()


def test_the_same_seed_is_the_same_file() -> None:
    assert mobilenet_v1_int8(3) == mobilenet_v1_int8(3) != mobilenet_v1_int8(4)
