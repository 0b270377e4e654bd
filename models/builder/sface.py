"""Read SFace from its ONNX file with blockwise int8 weights (NCHW) into a `Net` (NHWC).

The graph is MobileNetV1 on 112 px with PReLU, a batch normalization after every convolution, and one matrix product
from 7 x 7 x 1024 values to 128, normalized before and after: 6.4 of its 9.6 million weights. Normalizations are
folded in; the product can be given fewer weights (`low_rank`). Needs the `onnx` package.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.builder import low_rank
from models.builder.net import Conv, DepthwiseConv, Flatten, Layer, Net, Prelu, UnknownGraphError
from models.builder.onnx_graph import convolution

Weights = dict[str, NDArray[Any]]
Node = tuple[str, tuple[str, ...], str, dict[str, Any]]
Gain = tuple[NDArray[np.float32], NDArray[np.float32]]
# What the input's normalization and the training left behind; the caller normalizes.
_PASSED = {"Constant", "Dropout", "Flatten", "Sub", "Mul"}


def read(path: Path, ranks: tuple[int, int] | None = None) -> Net:
    """The net of the file, for an input already normalized; ``ranks`` are those of `low_rank.split`, None: whole.

    Raises UnknownGraphError for any other graph.
    """
    import onnx

    graph = onnx.load(str(path)).graph
    nodes = [
        (n.op_type, tuple(n.input), n.output[0], {a.name: onnx.helper.get_attribute_value(a) for a in n.attribute})
        for n in graph.node
    ]
    return read_nodes(nodes, {i.name: np.asarray(onnx.numpy_helper.to_array(i)) for i in graph.initializer}, ranks)


def read_nodes(nodes: Sequence[Node], stored: Weights, ranks: tuple[int, int] | None = None) -> Net:  # noqa: PLR0912
    """`read` of a loaded graph: (operation, inputs, output, attributes) of each node, and its initializers."""
    weights = dict(stored)
    layers: list[Layer] = []
    value = "data"
    product: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
    before: Gain | None = None
    channels: tuple[str, str] | None = None
    for op, inputs, writes, attributes in nodes:
        if op == "DequantizeLinear":
            values, scales, zeros = (weights[name] for name in inputs)
            weights[writes] = dequantized(values, scales, zeros, attributes)
        elif op == "Reshape" and inputs[0] in weights:
            weights[writes] = weights[inputs[0]].reshape([int(v) for v in weights[inputs[1]]])
        elif op == "Conv":
            layers.append(convolution((value, *inputs[1:]), writes, attributes, weights))
            value = writes
        elif op == "PRelu":
            layers.append(Prelu(reads=(value,), writes=writes, slope=_float(weights[inputs[1]]).reshape(-1)))
            value = writes
        elif op == "Gemm":
            product = _float(weights[inputs[1]]), _float(weights[inputs[2]])
        elif op == "BatchNormalization":
            gain = _gain(inputs, attributes, weights)
            if layers and layers[-1].writes == inputs[0] and isinstance(layers[-1], Conv | DepthwiseConv):
                layers[-1] = _normalized(layers[-1], gain, writes)
                value = writes
            elif product is None:
                before, channels = gain, (inputs[3], inputs[4])
            elif before is not None and channels is not None:
                kernel, bias = _folded(*product, before, gain)
                if ranks is None:
                    layers += [
                        Conv(reads=(value,), writes="product", kernel=kernel, bias=bias, padding="valid"),
                        Flatten(reads=("product",), writes=writes),
                    ]
                else:
                    mean, deviation = _float(weights[channels[0]]), np.sqrt(_float(weights[channels[1]]))
                    layers += low_rank.split(kernel, bias, (mean, deviation), ranks, value, writes)
                return Net("data", (112, 112, 3), tuple(layers), (writes,))
        elif op not in _PASSED:
            raise UnknownGraphError(f"{op} in {writes}")
    raise UnknownGraphError("the graph does not end in a matrix product between two normalizations")


def dequantized(
    values: NDArray[Any], scales: NDArray[Any], zeros: NDArray[Any], attributes: dict[str, Any]
) -> NDArray[np.float32]:
    """(values - zeros) * scales, where one scale and zero stand for `block_size` values along `axis`."""
    size, axis = int(attributes["block_size"]), int(attributes["axis"])
    every = range(values.shape[axis])
    scale, zero = (np.take(np.repeat(_float(part), size, axis), every, axis) for part in (scales, zeros))
    return np.asarray((_float(values) - zero) * scale, np.float32)


def _gain(inputs: tuple[str, ...], attributes: dict[str, Any], weights: Weights) -> Gain:
    scale, offset, mean, variance = (_float(weights[name]) for name in inputs[1:5])
    gain = _float(scale / np.sqrt(variance + np.float32(attributes.get("epsilon", 1e-5))))
    return gain, _float(offset - mean * gain)


def _normalized(layer: Layer, gain: Gain, writes: str) -> Layer:
    """The convolution and the batch normalization after it as one convolution."""
    if isinstance(layer, Conv | DepthwiseConv) and layer.bias is None:
        # A plain kernel ends in its output channels, a depthwise one in (channels, 1).
        factor = gain[0] if isinstance(layer, Conv) else gain[0][:, None]
        return replace(layer, kernel=np.ascontiguousarray(layer.kernel * factor), bias=gain[1], writes=writes)
    raise UnknownGraphError(f"{writes} normalizes something else than a convolution without a bias")


def _folded(
    matrix: NDArray[np.float32], bias: NDArray[np.float32], before: Gain, after: Gain
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(7, 7, channels, out) and (out,): normalization, product and normalization as one product."""
    out, channels = len(matrix), len(before[0])
    side = round((matrix.shape[1] / channels) ** 0.5)
    cube = matrix.reshape(out, channels, side, side)
    total = (bias + np.einsum("ocyx,c->o", cube, before[1])) * after[0] + after[1]
    cube = cube * before[0][None, :, None, None] * after[0][:, None, None, None]
    return np.ascontiguousarray(cube.transpose(2, 3, 1, 0), np.float32), np.asarray(total, np.float32)


def _float(values: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)
