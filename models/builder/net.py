"""A convolutional net as a plain list of layers: what every reader makes and Keras is built from.

Layout is TensorFlow's everywhere: activations NHWC, convolution kernels (height, width, in, out), depthwise kernels
(height, width, channels, 1). Weights are float32. Layers name the values they read and the one they write.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Activation = Literal["relu", "relu6", "sigmoid"]
# "same" and "valid" as TensorFlow means them, or ((top, bottom), (left, right)) zeros before a "valid" one.
Padding = Literal["same", "valid"] | tuple[tuple[int, int], tuple[int, int]]


class UnknownGraphError(ValueError):
    """The package holds a graph that the reader does not know: nothing is guessed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Layer:
    """One operation: reads the values named `reads`, writes the value named `writes`."""

    reads: tuple[str, ...]
    writes: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Conv(Layer):
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32] | None
    strides: tuple[int, int] = (1, 1)
    padding: Padding = "same"
    activation: Activation | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class DepthwiseConv(Layer):
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32] | None
    strides: tuple[int, int] = (1, 1)
    padding: Padding = "same"
    activation: Activation | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Prelu(Layer):
    """max(x, 0) + slope * min(x, 0), one slope a channel."""

    slope: NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class Activate(Layer):
    function: Activation


@dataclass(frozen=True, eq=False, kw_only=True)
class Add(Layer):
    activation: Activation | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Multiply(Layer):
    pass


@dataclass(frozen=True, eq=False, kw_only=True)
class GlobalAveragePool(Layer):
    """(1, h, w, c) -> (1, 1, 1, c)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class MaxPool(Layer):
    size: tuple[int, int]
    strides: tuple[int, int]
    padding: Literal["same", "valid"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Pad(Layer):
    """Zeros around; one (before, after) for each of the four axes."""

    amounts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Reshape(Layer):
    """The shape without the batch axis."""

    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Flatten(Layer):
    """One row; `channels_first` when the weights that follow were trained on NCHW."""

    channels_first: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Concatenate(Layer):
    axis: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Dense(Layer):
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class Net:
    """Layers in an order that can be run; `input_shape` is (height, width, channels)."""

    input: str
    input_shape: tuple[int, int, int]
    layers: tuple[Layer, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        known = {self.input}
        for layer in self.layers:
            missing = [name for name in layer.reads if name not in known]
            if missing:
                raise UnknownGraphError(f"{layer.writes} reads {missing[0]}, which no layer before it writes")
            known.add(layer.writes)
        if any(name not in known for name in self.outputs):
            raise UnknownGraphError("an output is written by no layer")


def fold_batch_norm_into_dense(
    dense: Dense,
    scale: NDArray[np.float32],
    offset: NDArray[np.float32],
    mean: NDArray[np.float32],
    variance: NDArray[np.float32],
    epsilon: float,
    writes: str,
) -> Dense:
    """The same function as `dense` followed by a batch normalization of its outputs."""
    gain = scale / np.sqrt(variance + np.float32(epsilon))
    bias = dense.bias if dense.bias is not None else np.zeros_like(mean)
    return Dense(
        reads=dense.reads,
        writes=writes,
        kernel=(dense.kernel * gain).astype(np.float32),
        bias=((bias - mean) * gain + offset).astype(np.float32),
    )


def strides_of(values: Sequence[int]) -> tuple[int, int]:
    """(height, width) from exactly two numbers."""
    height, width = (int(v) for v in values)
    return height, width
