"""What every `Net` promises, held against the TFLite adapter on each interpreter that is installed."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.adapters.tflite import RUNTIMES, Runtime, TfliteNet, quantization_table, runtime_version
from edge.errors import ModelError
from edge.ports import Net, NetSpec
from edge.vision.manifest import load_manifest
from models import FOLDER

INSTALLED = [name for name in RUNTIMES if importlib.util.find_spec(name)]
MODELS = load_manifest(FOLDER).net_specs()
NAMED = {spec.name: (spec, path) for spec, path in MODELS}


@pytest.fixture(scope="module", params=INSTALLED)
def runtime(request: pytest.FixtureRequest) -> Runtime:
    chosen: Runtime = request.param
    return chosen


@pytest.fixture(scope="module", params=MODELS, ids=lambda model: model[0].name)
def net(request: pytest.FixtureRequest, runtime: Runtime) -> Iterator[Net]:
    spec, path = request.param
    yield TfliteNet(spec, path, runtime=runtime)


def picture(net: Net, seed: int = 0) -> NDArray[Any]:
    size = net.spec.input_size_px
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


def test_one_array_an_output_in_the_declared_order(net: Net) -> None:
    outputs = net.run(picture(net))
    declared = load_manifest(FOLDER).model(net.spec.name).outputs
    assert [output.shape for output in outputs] == [output.shape for output in declared]
    assert all(output.dtype == np.float32 for output in outputs)


def test_the_answer_belongs_to_the_caller(net: Net) -> None:
    first = net.run(picture(net, 1))
    kept = [output.copy() for output in first]
    net.run(picture(net, 2))
    for output, copy in zip(first, kept, strict=True):
        np.testing.assert_array_equal(output, copy)
        output[...] = 0
    for output, copy in zip(net.run(picture(net, 1)), kept, strict=True):
        np.testing.assert_array_equal(output, copy)


def test_the_crop_is_not_written_to_and_need_not_be_contiguous(net: Net) -> None:
    crop = picture(net)
    view = np.flip(np.ascontiguousarray(np.flip(crop, (1, 2))), (1, 2))
    view.setflags(write=False)
    for one, another in zip(net.run(view), net.run(crop), strict=True):
        np.testing.assert_array_equal(one, another)


def test_anything_but_uint8_pixels_of_the_right_size_is_a_value_error(net: Net) -> None:
    size = net.spec.input_size_px
    for shape, dtype in (
        ((size, size, 3), np.float32),
        ((size, size), np.uint8),
        ((size, size, 4), np.uint8),
        ((size + 1, size, 3), np.uint8),
        ((1, size, size, 3), np.uint8),
    ):
        with pytest.raises(ValueError, match=net.spec.name):
            net.run(np.zeros(shape, dtype))


def test_one_thread_or_two_give_the_same_answer(runtime: Runtime) -> None:
    spec, path = NAMED["face_detection"]
    one, two = (TfliteNet(spec, path, threads, runtime) for threads in (1, 2))
    for a, b in zip(one.run(picture(one)), two.run(picture(two)), strict=True):
        np.testing.assert_allclose(a, b, atol=0.05)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0" * 5000])
def test_a_damaged_file_is_a_model_error_that_says_what_to_do(
    runtime: Runtime, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "face_detection.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="install Anxin's models again"):
        TfliteNet(NAMED["face_detection"][0], path, runtime=runtime)


def test_a_missing_file_is_a_model_error(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        TfliteNet(NAMED["face_detection"][0], tmp_path / "absent.tflite", runtime=runtime)


def test_a_file_of_another_model_is_a_model_error(runtime: Runtime) -> None:
    detection, liveness = NAMED["face_detection"], NAMED["passive_liveness"]
    assert detection[0].input_size_px == liveness[0].input_size_px
    with pytest.raises(ModelError, match="is not minifasnet"):
        TfliteNet(liveness[0], detection[1], runtime=runtime)
    with pytest.raises(ModelError, match="which has one input of"):
        TfliteNet(NAMED["face_embedding"][0], detection[1], runtime=runtime)


def test_the_interpreter_tells_its_name_and_version(runtime: Runtime) -> None:
    name, version = runtime_version(runtime).split(" ")
    assert name in ("LiteRT", "tflite-runtime")
    assert version[0].isdigit()


@given(
    pixel=st.integers(0, 255),
    mean=st.floats(0, 255),
    std=st.floats(0.5, 255),
    scale=st.floats(1e-4, 2),
    zero=st.integers(-128, 127),
)
def test_the_table_gives_every_pixel_the_nearest_quantized_value(
    pixel: int, mean: float, std: float, scale: float, zero: int
) -> None:
    value = int(quantization_table(mean, std, scale, zero)[pixel])
    real = (pixel - mean) / std
    low, high = (-128 - zero) * scale, (127 - zero) * scale
    back = (value - zero) * scale
    assert abs(back - min(max(real, low), high)) <= scale / 2 + 1e-9 * (1 + abs(real))


@given(mean=st.floats(0, 255), std=st.floats(0.5, 255), scale=st.floats(1e-4, 2), zero=st.integers(-128, 127))
def test_a_brighter_pixel_never_gets_a_smaller_value(mean: float, std: float, scale: float, zero: int) -> None:
    table = quantization_table(mean, std, scale, zero)
    assert table.shape == (256,)
    assert (np.diff(table.astype(int)) >= 0).all()


def test_channels_reach_the_model_in_the_order_of_its_spec(runtime: Runtime) -> None:
    spec, path = NAMED["passive_liveness"]
    swapped = NetSpec(spec.name, spec.version, spec.input_size_px, "rgb", spec.mean, spec.std, spec.outputs)
    bgr, rgb = TfliteNet(spec, path, runtime=runtime), TfliteNet(swapped, path, runtime=runtime)
    crop = picture(bgr)
    np.testing.assert_array_equal(bgr.run(crop)[0], rgb.run(np.ascontiguousarray(crop[:, :, ::-1]))[0])
