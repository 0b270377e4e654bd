"""The traps of the weights' own files, each on a graph small enough to work out by hand. No TensorFlow."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.builder import tfjs
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

ALPHA = np.array([0.25, -0.1, 0.5], np.float32)


def text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def convolution(name: str, source: str, op: str, fused: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "op": op,
        "input": [source, f"{name}/kernel", f"{name}/bias"],
        "attr": {
            "fused_ops": {"list": {"s": [text(word) for word in fused]}},
            "padding": {"s": text("SAME")},
            "strides": {"list": {"i": ["1", "2", "2", "1"]}},
        },
    }


def prelu(name: str, source: str, positive: str) -> list[dict[str, Any]]:
    """PReLU as the package spells it: relu(x) + (c / 2) * (2 * (x - |x|)), scaled in two steps to be awkward."""
    return [
        {"name": f"{name}/abs", "op": "Abs", "input": [source]},
        {"name": f"{name}/sub", "op": "Sub", "input": [source, f"{name}/abs"]},
        {"name": f"{name}/mul", "op": "Mul", "input": [f"{name}/sub", "half"]},
        {"name": f"{name}/mul_1", "op": "Mul", "input": [f"{name}/mul", f"{name}/constant"]},
        {"name": f"{name}/add", "op": "Add", "input": [positive, f"{name}/mul_1"]},
    ]


def tiny_graph(depthwise_fused: list[str]) -> list[dict[str, Any]]:
    return [
        {"name": "image", "op": "Placeholder"},
        convolution("conv", "image", "_FusedConv2D", ["BiasAdd"]),
        {"name": "conv/relu", "op": "Relu", "input": ["conv"]},
        *prelu("p1", "conv", "conv/relu"),
        convolution("dw", "p1/add", "FusedDepthwiseConv2dNative", depthwise_fused),
        *prelu("p2", "dw", "dw"),
        {"name": "squeeze", "op": "Squeeze", "input": ["p2/add"]},
    ]


def weights() -> dict[str, NDArray[Any]]:
    """The shipped constant is -0.5 * alpha; with the 0.5 in front, the file holds -alpha."""
    found = {"half": np.float32(0.5).reshape(()), "p1/constant": -ALPHA, "p2/constant": -2 * ALPHA}
    for name, shape in (("conv", (3, 3, 3, 3)), ("dw", (3, 3, 3, 1))):
        found[f"{name}/kernel"] = np.ones(shape, np.float32)
        found[f"{name}/bias"] = np.zeros(3, np.float32)
    return found


def layer(net: Net, writes: str) -> Any:
    return next(layer for layer in net.layers if layer.writes == writes)


def test_the_slope_is_minus_twice_the_constant() -> None:
    net = tfjs.read_nodes(tiny_graph(["BiasAdd", "Relu"]), weights(), 8)
    slopes = [layer.slope for layer in net.layers if isinstance(layer, Prelu)]
    np.testing.assert_allclose(slopes[0], ALPHA)
    np.testing.assert_allclose(slopes[1], 2 * ALPHA)


def test_a_prelu_reads_what_comes_before_its_relu() -> None:
    net = tfjs.read_nodes(tiny_graph(["BiasAdd", "Relu"]), weights(), 8)
    assert layer(net, "p1/add").reads == ("conv",)
    assert layer(net, "p2/add").reads == ("dw",)


def test_the_wrongly_fused_relu_of_a_depthwise_convolution_is_dropped() -> None:
    net = tfjs.read_nodes(tiny_graph(["BiasAdd", "Relu"]), weights(), 8)
    depthwise = layer(net, "dw")
    assert isinstance(depthwise, DepthwiseConv)
    assert depthwise.activation is None
    assert depthwise.strides == (2, 2)
    assert isinstance(layer(net, "conv"), Conv)
    assert net.outputs == ("squeeze",)


def test_a_fused_relu_that_no_prelu_explains_is_refused() -> None:
    nodes = [node for node in tiny_graph(["BiasAdd", "Relu"]) if not node["name"].startswith("p2")]
    nodes[-1]["input"] = ["dw"]
    with pytest.raises(UnknownGraphError, match="no PReLU follows"):
        tfjs.read_nodes(nodes, weights(), 8)


def test_an_operation_nobody_knows_is_refused() -> None:
    nodes = [*tiny_graph(["BiasAdd"]), {"name": "new", "op": "Softmax", "input": ["squeeze"]}]
    with pytest.raises(UnknownGraphError, match="Softmax"):
        tfjs.read_nodes(nodes, weights(), 8)


def test_packed_weights_come_back_as_they_were(tmp_path: Path) -> None:
    entries: list[dict[str, Any]] = [
        {"name": "plain", "shape": [2], "dtype": "float32"},
        {"name": "half", "shape": [], "dtype": "float32", "quantization": {"dtype": "float16"}},
        {
            "name": "bytes",
            "shape": [1, 3],
            "dtype": "float32",
            "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0},
        },
    ]
    raw = np.array([1.5, -2.0], "<f4").tobytes() + np.array(0.25, "<f2").tobytes() + bytes([0, 2, 4])
    found = tfjs.read_weights(entries, raw)
    np.testing.assert_array_equal(found["plain"], [1.5, -2.0])
    assert found["half"] == 0.25
    np.testing.assert_array_equal(found["bytes"], [[-1.0, 0.0, 1.0]])
    with pytest.raises(UnknownGraphError, match="bytes"):
        tfjs.read_weights(entries, raw + b"\0")
    graph = {"weightsManifest": [{"weights": entries}], "modelTopology": {"node": []}}
    (tmp_path / "m.json").write_text(json.dumps(graph))
    (tmp_path / "m.bin").write_bytes(raw)
    with pytest.raises(UnknownGraphError, match="no placeholder"):
        tfjs.read(tmp_path / "m.json", tmp_path / "m.bin", 8)


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
