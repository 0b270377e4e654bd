"""Build a `Net` in Keras and convert it to a float TFLite file with a signature. Needs TensorFlow 2.15.

Every layer is named after the value it writes, so that the names in the TFLite file, by which the quantizer is told
what to leave in float, do not depend on what was built before.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from models.builder import net as n


def build(net: n.Net, outputs: Mapping[str, str]) -> Any:
    """A Keras model of the net: one input named `input`, a batch of one.

    `outputs` maps the names that the file's signature shall have to the net's values.
    """
    import tensorflow as tf

    tf.keras.backend.clear_session()
    named = {value: name for name, value in outputs.items()}
    values: dict[str, Any] = {net.input: tf.keras.Input(net.input_shape, batch_size=1, name="input")}
    for layer in net.layers:
        # The converter takes the signature's names from the layers, not from the model's own dictionary.
        name = named.get(layer.writes) or re.sub(r"\W", "_", f"v_{layer.writes}")
        values[layer.writes] = _apply(tf, layer, [values[value] for value in layer.reads], name)
    return tf.keras.Model(values[net.input], [values[value] for value in outputs.values()])


def to_tflite(model: Any) -> bytes:
    """The float TFLite file of a Keras model, with its default signature."""
    import tensorflow as tf

    data: bytes = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    return data


def _apply(tf: Any, layer: n.Layer, x: list[Any], name: str) -> Any:  # noqa: PLR0912
    keras = tf.keras.layers
    match layer:
        case n.Conv() | n.DepthwiseConv():
            return _convolution(tf, layer, x[0], name)
        case n.Prelu():
            prelu = keras.PReLU(shared_axes=[1, 2], name=name)
            return _with_weights(prelu, x[0], [layer.slope.reshape(1, 1, -1)])
        case n.Activate():
            return _activate(tf, x[0], layer.function, name)
        case n.Add():
            return _activate(tf, keras.Add(name=name)(x), layer.activation, f"{name}_act")
        case n.Multiply():
            return keras.Multiply(name=name)(x)
        case n.GlobalAveragePool():
            return keras.GlobalAveragePooling2D(keepdims=True, name=name)(x[0])
        case n.MaxPool():
            pool = keras.MaxPooling2D(layer.size, strides=layer.strides, padding=layer.padding, name=name)
            return pool(x[0])
        case n.Pad():
            amounts = layer.amounts
            return keras.Lambda(lambda value: tf.pad(value, amounts), name=name)(x[0])
        case n.Reshape():
            return keras.Reshape(layer.shape, name=name)(x[0])
        case n.Flatten():
            value = x[0]
            if layer.channels_first and value.shape[1] * value.shape[2] != 1:
                value = keras.Permute((3, 1, 2), name=f"{name}_nchw")(value)
            return keras.Flatten(name=name)(value)
        case n.Concatenate():
            return keras.Concatenate(axis=layer.axis, name=name)(x)
        case n.Dense():
            dense = keras.Dense(layer.kernel.shape[1], use_bias=layer.bias is not None, name=name)
            return _with_weights(dense, x[0], [layer.kernel] + ([] if layer.bias is None else [layer.bias]))
        case _:
            raise n.UnknownGraphError(type(layer).__name__)


def _convolution(tf: Any, layer: n.Conv | n.DepthwiseConv, value: Any, name: str) -> Any:
    keras = tf.keras.layers
    padding = layer.padding
    if not isinstance(padding, str):
        value = keras.ZeroPadding2D(padding, name=f"{name}_pad")(value)
        padding = "valid"
    size = layer.kernel.shape[:2]
    settings = {"strides": layer.strides, "padding": padding, "use_bias": layer.bias is not None, "name": name}
    if isinstance(layer, n.Conv):
        convolution = keras.Conv2D(layer.kernel.shape[3], size, **settings)
    else:
        convolution = keras.DepthwiseConv2D(size, **settings)
    weights = [layer.kernel] + ([] if layer.bias is None else [layer.bias])
    return _activate(tf, _with_weights(convolution, value, weights), layer.activation, f"{name}_act")


def _with_weights(layer: Any, value: Any, weights: list[np.ndarray[Any, Any]]) -> Any:
    result = layer(value)
    layer.set_weights(weights)
    return result


def _activate(tf: Any, value: Any, function: n.Activation | None, name: str) -> Any:
    keras = tf.keras.layers
    match function:
        case None:
            return value
        case "relu":
            return keras.ReLU(name=name)(value)
        case "relu6":
            return keras.ReLU(6.0, name=name)(value)
        case "sigmoid":
            return keras.Activation("sigmoid", name=name)(value)
