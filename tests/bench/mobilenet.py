"""MobileNetV1-224 in int8, made on the spot: the yardstick that everybody's phone has run.

The graph is that of the paper (Howard et al. 2017, width 1.0, 224 px, 1,001 classes) with int8 activations and int8
weights per channel; XNNPACK takes over all of it but one small operator at the end.  The weights are seeded noise:
what an interpreter does with them takes as long as with trained ones.  No registry package was found that ships such
a file; what is used of a package is TFLite's own schema, which comes with ai-edge-litert.
"""

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ToolError

SIZE_PX = 224
CLASSES = 1001
MULTIPLY_ADDS = 568_741_376  # the paper's table 4: 569 million
_SCHEMA = "ai_edge_litert.schema_py_generated"
# After the first convolution (3x3, stride 2, 32 channels): channels and stride of the 13 separable blocks.
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
_RELU6_SCALE = 6 / 255  # all activations are 0..6, quantized to -128..127
_WEIGHT_SCALE = 0.01
# The version of each operator that first took int8 (and, for convolutions, weights per channel).
_VERSIONS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "AVERAGE_POOL_2D": 2, "RESHAPE": 1, "SOFTMAX": 2}


def mobilenet_v1_int8(seed: int = 0) -> bytes:
    """The bytes of the .tflite file.  Raises ToolError without ai-edge-litert, in whose schema it is written."""
    return _Graph(np.random.default_rng(seed)).build()


def size(seed: int = 0) -> tuple[int, int]:
    """Multiply-adds of one picture, and weights."""
    graph = _Graph(np.random.default_rng(seed))
    graph.build()
    return graph.multiply_adds, graph.parameters


class _Graph:
    """Tensors, buffers and operators in the making; every method appends and returns a tensor's index."""

    def __init__(self, rng: np.random.Generator) -> None:
        try:
            self._fb: Any = importlib.import_module(_SCHEMA)
            self._flatbuffers: Any = importlib.import_module("flatbuffers")
        except ImportError as error:
            raise ToolError(
                "MobileNetV1 is written with ai-edge-litert's schema; `pip install ai-edge-litert`."
            ) from error
        self._rng = rng
        self._tensors: list[Any] = []
        self._buffers: list[Any] = [self._fb.BufferT()]  # the first one is empty by the format's rule
        self._operators: list[Any] = []
        self._codes: list[str] = []
        self.multiply_adds = 0
        self.parameters = 0

    def build(self) -> bytes:
        fb = self._fb
        image = self._tensor((1, SIZE_PX, SIZE_PX, 3), 1 / 127.5, -1)
        x = self._convolution(image, SIZE_PX, 3, 32, kernel=3, stride=2)
        size, channels = SIZE_PX // 2, 32
        for wider, stride in _BLOCKS:
            x = self._depthwise(x, size, channels, stride)
            size //= stride
            x = self._convolution(x, size, channels, wider, kernel=1, stride=1)
            channels = wider
        x = self._average(x, size, channels)
        x = self._convolution(x, 1, channels, CLASSES, kernel=1, stride=1, relu6=False)
        graph = fb.SubGraphT()
        graph.name, graph.tensors, graph.operators = "mobilenet_v1", self._tensors, self._operators
        graph.inputs, graph.outputs = [image], [self._softmax(self._reshape(x))]
        model = fb.ModelT()
        model.version, model.description = 3, "MobileNetV1 1.0 224 int8, seeded weights"
        model.operatorCodes, model.subgraphs, model.buffers = self._operator_codes(), [graph], self._buffers
        builder = self._flatbuffers.Builder(1 << 23)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _convolution(
        self, x: int, size: int, channels: int, filters: int, *, kernel: int, stride: int, relu6: bool = True
    ) -> int:
        options = self._fb.Conv2DOptionsT()
        options.strideW = options.strideH = stride
        options.fusedActivationFunction = self._activation(relu6)
        weights = self._weights((filters, kernel, kernel, channels), axis=0)
        shape = (1, size // stride, size // stride, filters)
        self.multiply_adds += shape[1] * shape[2] * filters * kernel * kernel * channels
        bias = self._bias(x, filters)
        return self._operator("CONV_2D", "Conv2DOptions", options, [x, weights, bias], self._tensor(shape))

    def _depthwise(self, x: int, size: int, channels: int, stride: int) -> int:
        options = self._fb.DepthwiseConv2DOptionsT()
        options.strideW = options.strideH = stride
        options.depthMultiplier = 1
        options.fusedActivationFunction = self._activation(True)
        weights = self._weights((1, 3, 3, channels), axis=3)
        shape = (1, size // stride, size // stride, channels)
        self.multiply_adds += shape[1] * shape[2] * channels * 9
        inputs = [x, weights, self._bias(x, channels)]
        return self._operator("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", options, inputs, self._tensor(shape))

    def _average(self, x: int, size: int, channels: int) -> int:
        options = self._fb.Pool2DOptionsT()
        options.padding = self._fb.Padding.VALID
        options.strideW = options.strideH = options.filterWidth = options.filterHeight = size
        return self._operator("AVERAGE_POOL_2D", "Pool2DOptions", options, [x], self._tensor((1, 1, 1, channels)))

    def _reshape(self, x: int) -> int:
        options = self._fb.ReshapeOptionsT()
        options.newShape = [1, CLASSES]
        shape = self._constant(np.array([1, CLASSES], np.int32), self._fb.TensorType.INT32)
        return self._operator("RESHAPE", "ReshapeOptions", options, [x, shape], self._tensor((1, CLASSES)))

    def _softmax(self, x: int) -> int:
        options = self._fb.SoftmaxOptionsT()
        options.beta = 1.0
        return self._operator("SOFTMAX", "SoftmaxOptions", options, [x], self._tensor((1, CLASSES), 1 / 256))

    def _operator(self, name: str, options_name: str, options: Any, inputs: list[int], output: int) -> int:
        fb = self._fb
        if name not in self._codes:
            self._codes.append(name)
        operator = fb.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = self._codes.index(name), inputs, [output]
        operator.builtinOptionsType, operator.builtinOptions = getattr(fb.BuiltinOptions, options_name), options
        self._operators.append(operator)
        return output

    def _operator_codes(self) -> list[Any]:
        made = []
        for name in self._codes:
            code = self._fb.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = getattr(self._fb.BuiltinOperator, name)
            code.version = _VERSIONS[name]
            made.append(code)
        return made

    def _activation(self, relu6: bool) -> int:
        kinds = self._fb.ActivationFunctionType
        return int(kinds.RELU6 if relu6 else kinds.NONE)

    def _tensor(self, shape: tuple[int, ...], scale: float = _RELU6_SCALE, zero: int = -128) -> int:
        return self._add(shape, self._fb.TensorType.INT8, [scale], [zero])

    def _weights(self, shape: tuple[int, ...], axis: int) -> int:
        values = self._rng.integers(-127, 128, shape).astype(np.int8)
        self.parameters += values.size
        channels = shape[axis]
        index = self._constant(values, self._fb.TensorType.INT8, [_WEIGHT_SCALE] * channels, [0] * channels)
        self._tensors[index].quantization.quantizedDimension = axis
        return index

    def _bias(self, x: int, channels: int) -> int:
        scale = float(self._tensors[x].quantization.scale[0]) * _WEIGHT_SCALE
        values = self._rng.integers(-1000, 1000, channels).astype(np.int32)
        return self._constant(values, self._fb.TensorType.INT32, [scale] * channels, [0] * channels)

    def _constant(
        self, values: NDArray[Any], kind: int, scale: list[float] | None = None, zero: list[int] | None = None
    ) -> int:
        buffer = self._fb.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self._buffers.append(buffer)
        index = self._add(values.shape, kind, scale, zero)
        self._tensors[index].buffer = len(self._buffers) - 1
        return index

    def _add(
        self, shape: tuple[int, ...], kind: int, scale: list[float] | None = None, zero: list[int] | None = None
    ) -> int:
        tensor = self._fb.TensorT()
        tensor.shape, tensor.type, tensor.buffer = list(shape), kind, 0
        tensor.name = f"t{len(self._tensors)}"
        if scale is not None:
            tensor.quantization = self._fb.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = scale, zero
        self._tensors.append(tensor)
        return len(self._tensors) - 1
