"""The traps of the weights' own files, each on a graph small enough to work out by hand. No TensorFlow."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.builder import low_rank, sface
from models.builder.net import (
    Activate,
    Conv,
    Dense,
    DepthwiseConv,
    Net,
    Prelu,
    UnknownGraphError,
    fold_batch_norm_into_dense,
)

Nodes = list[tuple[str, tuple[str, ...], str, dict[str, Any]]]
CHANNELS, OUT = 4, 3


def tiny_graph() -> Nodes:
    """As SFace: a plain and a depthwise convolution, then a matrix product between two normalizations."""
    return [
        ("Sub", ("data", "mean"), "shifted", {}),
        ("Mul", ("shifted", "scale"), "input", {}),
        ("DequantizeLinear", ("packed", "packed_scale", "packed_zero"), "flat", {"axis": 0, "block_size": 4}),
        ("Reshape", ("flat", "shape"), "kernel", {}),
        ("Conv", ("input", "kernel"), "conv", {"group": 1, "strides": [1, 1]}),
        ("BatchNormalization", ("conv", *normal("a")), "conv_bn", {"epsilon": 0.0}),
        ("PRelu", ("conv_bn", "slope"), "conv_act", {}),
        ("Conv", ("conv_act", "deep"), "deep_out", {"group": CHANNELS, "strides": [1, 1], "pads": [1, 1, 1, 1]}),
        ("BatchNormalization", ("deep_out", *normal("b")), "deep_bn", {"epsilon": 0.0}),
        ("PRelu", ("deep_bn", "slope"), "deep_act", {}),
        ("BatchNormalization", ("deep_act", *normal("before")), "bn1", {"epsilon": 0.0}),
        ("Dropout", ("bn1",), "same", {}),
        ("Flatten", ("same",), "row", {}),
        ("Gemm", ("row", "matrix", "bias"), "pre_fc1", {}),
        ("BatchNormalization", ("pre_fc1", *normal("after")), "fc1", {"epsilon": 0.0}),
    ]


def normal(name: str) -> tuple[str, ...]:
    return tuple(f"{name}_{part}" for part in ("scale", "offset", "mean", "variance"))


def weights() -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(7)
    found: dict[str, NDArray[Any]] = {
        "packed": rng.integers(-100, 100, CHANNELS * 3).astype(np.int8),
        "packed_scale": np.array([0.01, 0.02, 0.005], np.float32),
        "packed_zero": np.array([3, 0, -5], np.int8),
        "shape": np.array([CHANNELS, 3, 1, 1]),
        "slope": np.full((CHANNELS, 1, 1), 0.25, np.float32),
        "deep": rng.normal(size=(CHANNELS, 1, 3, 3)).astype(np.float32),
        "matrix": rng.normal(size=(OUT, CHANNELS * 4)).astype(np.float32),
        "bias": rng.normal(size=OUT).astype(np.float32),
    }
    for name, size in (("a", CHANNELS), ("b", CHANNELS), ("before", CHANNELS), ("after", OUT)):
        for part in normal(name):
            found[part] = rng.uniform(0.5, 2, size).astype(np.float32)
    return found


def normalized(x: NDArray[Any], name: str, stored: dict[str, NDArray[Any]], shape: tuple[int, ...]) -> NDArray[Any]:
    scale, offset, mean, variance = (stored[part].reshape(shape) for part in normal(name))
    return np.asarray((x - mean) / np.sqrt(variance) * scale + offset)


def test_each_block_of_packed_weights_has_its_own_scale_and_zero() -> None:
    values, scales, zeros = np.array([4, 6, 8], np.int8), np.array([0.5, 2], np.float32), np.array([0, 3], np.int8)
    found = sface.dequantized(values, scales, zeros, {"axis": 0, "block_size": 2})
    np.testing.assert_array_equal(found, [2, 3, 10])


def test_a_normalization_is_folded_into_the_convolution_before_it() -> None:
    stored = weights()
    net = sface.read_nodes(tiny_graph(), stored)
    plain, _, deep, *_ = net.layers
    assert isinstance(plain, Conv) and isinstance(deep, DepthwiseConv)
    assert plain.bias is not None and deep.bias is not None
    kernel = sface.dequantized(
        stored["packed"], stored["packed_scale"], stored["packed_zero"], {"axis": 0, "block_size": 4}
    ).reshape(CHANNELS, 3)
    pixel = np.array([0.2, -0.4, 0.9], np.float32)
    expected = normalized(kernel @ pixel, "a", stored, (-1,))
    np.testing.assert_allclose(pixel @ plain.kernel[0, 0] + plain.bias, expected, rtol=1e-4)
    patch = np.random.default_rng(1).normal(size=(3, 3, CHANNELS)).astype(np.float32)
    expected = normalized(np.einsum("yxc,cyx->c", patch, stored["deep"][:, 0]), "b", stored, (-1,))
    np.testing.assert_allclose((patch * deep.kernel[..., 0]).sum((0, 1)) + deep.bias, expected, rtol=1e-4)
    assert isinstance(net.layers[1], Prelu) and net.layers[1].slope.tolist() == [0.25] * CHANNELS


def test_the_last_product_and_both_its_normalizations_are_one() -> None:
    stored = weights()
    product = sface.read_nodes(tiny_graph(), stored).layers[-2]
    assert isinstance(product, Conv) and product.bias is not None
    x = np.random.default_rng(2).normal(size=(CHANNELS, 2, 2)).astype(np.float32)  # as ONNX has it
    row = normalized(x, "before", stored, (-1, 1, 1)).reshape(-1)
    expected = normalized(stored["matrix"] @ row + stored["bias"], "after", stored, (-1,))
    found = np.einsum("cyx,yxco->o", x, product.kernel) + product.bias
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def in_parts(layers: list[Any], x: NDArray[Any]) -> NDArray[Any]:
    """What the layers of `low_rank.split` say to (h, w, channels)."""
    squeeze, _, _, places, _, dense = layers
    few = x @ squeeze.kernel[0, 0] + squeeze.bias
    rows = few.transpose(2, 0, 1).reshape(few.shape[2], -1)
    return np.asarray((rows @ places.kernel[0, 0]).reshape(-1) @ dense.kernel + dense.bias)


@pytest.mark.parametrize(("ranks", "exact"), [((6, 4), True), ((4, 3), False)])
def test_a_product_in_parts_is_the_product(ranks: tuple[int, int], exact: bool) -> None:
    rng = np.random.default_rng(5)
    kernel, bias = rng.normal(size=(2, 2, 6, 5)).astype(np.float32), rng.normal(size=5).astype(np.float32)
    mean, deviation = rng.normal(size=6).astype(np.float32), rng.uniform(0.1, 2, 6).astype(np.float32)
    layers = low_rank.split(kernel, bias, (mean, deviation), ranks, "x", "y")
    assert isinstance(layers[-1], Dense) and layers[-1].kernel.shape == (ranks[0] * ranks[1], 5)
    at_mean = np.broadcast_to(mean, (2, 2, 6))
    np.testing.assert_allclose(
        in_parts(layers, at_mean), np.einsum("yxc,yxco->o", at_mean, kernel) + bias, rtol=1e-4, atol=1e-4
    )
    seen = mean + deviation * rng.normal(size=(50, 2, 2, 6))
    lost = [in_parts(layers, x) - np.einsum("yxc,yxco->o", x, kernel) - bias for x in seen]
    assert (float(np.abs(lost).max()) < 1e-4) is exact


def test_an_operation_nobody_knows_is_refused() -> None:
    nodes = [*tiny_graph()[:7], ("Softmax", ("conv_act",), "new", {})]
    with pytest.raises(UnknownGraphError, match="Softmax"):
        sface.read_nodes(nodes, weights())


def test_a_graph_without_its_last_product_is_refused() -> None:
    with pytest.raises(UnknownGraphError, match="matrix product"):
        sface.read_nodes(tiny_graph()[:11], weights())


def test_a_folded_batch_norm_is_the_same_function() -> None:
    rng = np.random.default_rng(3)
    kernel, x = rng.normal(size=(5, 4)).astype(np.float32), rng.normal(size=(2, 5)).astype(np.float32)
    scale, offset, mean = (rng.normal(size=4).astype(np.float32) for _ in range(3))
    variance = rng.uniform(0.5, 2, 4).astype(np.float32)
    dense = Dense(reads=("x",), writes="y", kernel=kernel, bias=None)
    folded = fold_batch_norm_into_dense(dense, scale, offset, mean, variance, 1e-5, "z")
    assert folded.bias is not None
    expected = (x @ kernel - mean) / np.sqrt(variance + 1e-5) * scale + offset
    np.testing.assert_allclose(x @ folded.kernel + folded.bias, expected, rtol=1e-4, atol=1e-5)
    assert folded.writes == "z"


def test_a_net_whose_layers_are_out_of_order_is_refused() -> None:
    relu = Activate(reads=("later",), writes="y", function="relu")
    with pytest.raises(UnknownGraphError, match="reads later"):
        Net("x", (8, 8, 3), (relu,), ("y",))
