"""Read a TFLite file whose weights are stored as fp16 (MediaPipe's) into a `Net` with float32 weights.

The quantizer needs float weights and a signature, and those files have neither: they dequantize fp16 constants at
run time. Needs TensorFlow's generated flatbuffer schema.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.builder.net import (
    Activate,
    Activation,
    Add,
    Concatenate,
    Conv,
    DepthwiseConv,
    Layer,
    MaxPool,
    Net,
    Pad,
    Prelu,
    Reshape,
    UnknownGraphError,
)

_ELEMENT = {0: "<f4", 1: "<f2", 2: "<i4"}
_PADDING: dict[int, Any] = {0: "same", 1: "valid"}
_ACTIVATION: dict[int, Activation | None] = {0: None, 1: "relu", 3: "relu6"}


def read(path: Path) -> Net:
    """The net of the file. Raises UnknownGraphError for an operation this reader does not know."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytearray(path.read_bytes()), 0))
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    graph = model.subgraphs[0]
    constants = _constants(model, graph)
    layers: list[Layer] = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        op = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        if op == "DEQUANTIZE":
            constants[operator.outputs[0]] = constants[operator.inputs[0]].astype(np.float32)
            continue
        layers.append(_layer(op, operator, graph, constants))
    _, height, width, channels = (int(v) for v in graph.tensors[graph.inputs[0]].shape)
    return Net(_value(graph.inputs[0]), (height, width, channels), tuple(layers), tuple(map(_value, graph.outputs)))


def _constants(model: Any, graph: Any) -> dict[int, NDArray[Any]]:
    found: dict[int, NDArray[Any]] = {}
    for index, tensor in enumerate(graph.tensors):
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data):
            found[index] = np.frombuffer(bytes(data), _ELEMENT[tensor.type]).reshape(tensor.shape)
    return found


def _layer(op: str, operator: Any, graph: Any, constants: dict[int, NDArray[Any]]) -> Layer:
    options, inputs = operator.builtinOptions, operator.inputs
    writes = _value(operator.outputs[0])
    reads = tuple(_value(i) for i in inputs if i not in constants)
    weights = [constants[i].astype(np.float32) for i in inputs if i in constants]
    match op:
        case "CONV_2D" | "DEPTHWISE_CONV_2D":
            kind = Conv if op == "CONV_2D" else DepthwiseConv
            # TFLite stores (out, height, width, in), and depthwise (1, height, width, channels): one permutation.
            return kind(
                reads=reads,
                writes=writes,
                kernel=np.ascontiguousarray(weights[0].transpose(1, 2, 3, 0)),
                bias=weights[1],
                strides=(options.strideH, options.strideW),
                padding=_PADDING[options.padding],
                activation=_ACTIVATION[options.fusedActivationFunction],
            )
        case "PRELU":
            return Prelu(reads=reads, writes=writes, slope=weights[0].reshape(-1))
        case "RELU":
            return Activate(reads=reads, writes=writes, function="relu")
        case "ADD":
            return Add(reads=reads, writes=writes, activation=_ACTIVATION[options.fusedActivationFunction])
        case "MAX_POOL_2D":
            return MaxPool(
                reads=reads,
                writes=writes,
                size=(options.filterHeight, options.filterWidth),
                strides=(options.strideH, options.strideW),
                padding=_PADDING[options.padding],
            )
        case "PAD":
            amounts = tuple((int(a), int(b)) for a, b in constants[inputs[1]])
            return Pad(reads=reads, writes=writes, amounts=amounts)
        case "RESHAPE":
            shape = tuple(int(v) for v in graph.tensors[operator.outputs[0]].shape[1:])
            return Reshape(reads=reads, writes=writes, shape=shape)
        case "CONCATENATION":
            return Concatenate(reads=reads, writes=writes, axis=options.axis)
        case _:
            raise UnknownGraphError(f"{op} writes {writes}")


def _value(index: int) -> str:
    return f"tensor_{index}"
