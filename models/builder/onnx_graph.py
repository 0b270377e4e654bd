"""Read a convolutional net from an ONNX file (NCHW) into a `Net` (NHWC).

Knows what `fr_liveness` is made of and refuses everything else. A batch normalization after a
matrix product is folded into it. Needs the `onnx` package.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.builder.net import (
    Activate,
    Add,
    Conv,
    Dense,
    DepthwiseConv,
    Flatten,
    GlobalAveragePool,
    Layer,
    Multiply,
    Net,
    Padding,
    Prelu,
    UnknownGraphError,
    fold_batch_norm_into_dense,
    strides_of,
)

_SHAPE_ARITHMETIC = {"Constant", "Shape", "Gather", "Unsqueeze", "Concat"}


def read(path: Path) -> Net:
    """The net of the file. Raises UnknownGraphError for an operation this reader does not know."""
    import onnx

    graph = onnx.load(str(path)).graph
    weights = {i.name: np.asarray(onnx.numpy_helper.to_array(i)) for i in graph.initializer}
    source = next(value for value in graph.input if value.name not in weights)
    _, channels, height, width = (int(d.dim_value) for d in source.type.tensor_type.shape.dim)
    layers: list[Layer] = []
    for node in graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        layer = _layer(node.op_type, tuple(node.input), node.output[0], attributes, weights, layers)
        if layer is not None:
            layers.append(layer)
    outputs = tuple(value.name for value in graph.output)
    return Net(source.name, (height, width, channels), tuple(layers), outputs)


def _layer(  # noqa: PLR0912
    op: str,
    inputs: tuple[str, ...],
    writes: str,
    attributes: dict[str, Any],
    weights: dict[str, NDArray[Any]],
    before: list[Layer],
) -> Layer | None:
    reads = inputs[:1]
    match op:
        case "Conv":
            return convolution(inputs, writes, attributes, weights)
        case "PRelu":
            return Prelu(reads=reads, writes=writes, slope=_float(weights[inputs[1]]).reshape(-1))
        case "Relu":
            return Activate(reads=reads, writes=writes, function="relu")
        case "Sigmoid":
            return Activate(reads=reads, writes=writes, function="sigmoid")
        case "Add":
            return Add(reads=inputs, writes=writes)
        case "Mul":
            return Multiply(reads=inputs, writes=writes)
        case "GlobalAveragePool":
            return GlobalAveragePool(reads=reads, writes=writes)
        case "Reshape" | "Flatten":
            return Flatten(reads=reads, writes=writes, channels_first=True)
        case "MatMul":
            return Dense(reads=reads, writes=writes, kernel=_float(weights[inputs[1]]), bias=None)
        case "BatchNormalization":
            dense = before.pop() if before else None
            if not isinstance(dense, Dense) or dense.writes != inputs[0]:
                raise UnknownGraphError(f"{writes}: a batch normalization that no matrix product feeds")
            scale, offset, mean, variance = (_float(weights[name]) for name in inputs[1:5])
            epsilon = float(attributes.get("epsilon", 1e-5))
            return fold_batch_norm_into_dense(dense, scale, offset, mean, variance, epsilon, writes)
        case _ if op in _SHAPE_ARITHMETIC:
            return None
        case _:
            raise UnknownGraphError(f"{op} in {writes}")


def convolution(
    inputs: tuple[str, ...], writes: str, attributes: dict[str, Any], weights: dict[str, NDArray[Any]]
) -> Layer:
    """A plain or depthwise convolution; `inputs` names what it reads, its kernel, and its bias if it has one."""
    kernel = _float(weights[inputs[1]])
    bias = _float(weights[inputs[2]]) if len(inputs) > 2 else None
    if tuple(attributes.get("dilations", (1, 1))) != (1, 1):
        raise UnknownGraphError(f"{writes} is dilated")
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    # ONNX pads both sides alike where TensorFlow's "same" with stride 2 pads one: so always explicit zeros.
    padding: Padding = ((top, bottom), (left, right)) if any((top, left, bottom, right)) else "valid"
    strides = strides_of(attributes.get("strides", (1, 1)))
    if attributes.get("group", 1) == 1:
        return Conv(
            reads=inputs[:1],
            writes=writes,
            kernel=np.ascontiguousarray(kernel.transpose(2, 3, 1, 0)),
            bias=bias,
            strides=strides,
            padding=padding,
        )
    if attributes["group"] != kernel.shape[0] or kernel.shape[1] != 1:
        raise UnknownGraphError(f"{writes} is grouped, neither plain nor depthwise")
    return DepthwiseConv(
        reads=inputs[:1],
        writes=writes,
        kernel=np.ascontiguousarray(kernel.transpose(2, 3, 0, 1)),
        bias=bias,
        strides=strides,
        padding=padding,
    )


def _float(values: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)
