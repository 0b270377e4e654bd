"""Read MobileFaceNet from a TensorFlow.js graph model and mend the two faults of its conversion.

1. Depthwise convolutions carry a fused Relu which the trained net does not have (the PReLU that follows needs
   the negative half). It is dropped wherever an `Abs` reads the same value: that is a PReLU's other half.
2. PReLU is spelled Relu(x) + c * (x - |x|), and x - |x| is 2 * min(x, 0), so the slope should be 2c. The shipped
   constant has the wrong sign: c = -0.5 * alpha, so the slope is -2c. Taking 2c gives a cosine of 0.06 against the
   unbroken copy of the same weights (capacitor-face-recognition), -2c gives 1.0000; `gates` holds the build to it.
"""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.builder.net import Add, Conv, DepthwiseConv, Flatten, Layer, Net, Prelu, UnknownGraphError, strides_of

_STORED = {"float16": "<f2", "uint8": "u1", "uint16": "<u2", "float32": "<f4", "int32": "<i4"}
_L2_NORMALIZATION = {"Square", "Sum", "Maximum", "Rsqrt"}


def read(graph_json: Path, weights_bin: Path, input_size_px: int) -> Net:
    """The net up to its embedding; the l2 normalization at its end is left to the caller.

    Raises UnknownGraphError for any operation or arrangement that is not the one this reader was written for.
    """
    document = json.loads(graph_json.read_text())
    weights = read_weights(document["weightsManifest"][0]["weights"], weights_bin.read_bytes())
    return read_nodes(document["modelTopology"]["node"], weights, input_size_px)


def read_weights(entries: list[dict[str, Any]], raw: bytes) -> dict[str, NDArray[np.float32]]:
    """Every constant by its name, back in float32 whatever it was stored in."""
    weights: dict[str, NDArray[np.float32]] = {}
    offset = 0
    for entry in entries:
        packing = entry.get("quantization")
        stored = np.dtype(_STORED[packing["dtype"] if packing else entry["dtype"]])
        count = int(np.prod(entry["shape"], dtype=int))
        values = np.frombuffer(raw, stored, count, offset).astype(np.float32)
        if packing and "scale" in packing:
            values = values * np.float32(packing["scale"]) + np.float32(packing["min"])
        weights[entry["name"]] = values.reshape(entry["shape"]).astype(np.float32)
        offset += count * stored.itemsize
    if offset != len(raw):
        raise UnknownGraphError(f"the weights file has {len(raw)} bytes, its description {offset}")
    return weights


def read_nodes(nodes: list[dict[str, Any]], weights: dict[str, NDArray[np.float32]], input_size_px: int) -> Net:
    """Layers from the graph's nodes, which TensorFlow.js stores in an order that can be run."""
    by_name = {node["name"]: node for node in nodes}
    has_prelu = {_inputs(node)[0] for node in nodes if node["op"] == "Abs"}
    layers: list[Layer] = []
    placeholder = output = ""
    for node in nodes:
        name, op, inputs = node["name"], node["op"], _inputs(node)
        if op == "Placeholder":
            placeholder = name
        elif op in ("_FusedConv2D", "FusedDepthwiseConv2dNative"):
            layers.append(_convolution(node, weights, linear=name in has_prelu))
        elif op == "Add":
            slope = _prelu_slope(by_name, weights, inputs[1])
            if slope is None:
                layers.append(Add(reads=inputs, writes=name))
            else:
                positive = by_name[inputs[0]]
                source = _inputs(positive)[0] if positive["op"] == "Relu" else inputs[0]
                layers.append(Prelu(reads=(source,), writes=name, slope=slope))
        elif op == "Squeeze":
            layers.append(Flatten(reads=inputs, writes=name))
            output = name
        elif op not in {"Const", "Relu", "Abs", "Sub", "Mul"} | _L2_NORMALIZATION:
            raise UnknownGraphError(f"{op} in {name}")
    if not placeholder or not output:
        raise UnknownGraphError("the graph has no placeholder, or nothing is squeezed into an embedding")
    return Net(placeholder, (input_size_px, input_size_px, 3), tuple(layers), (output,))


def _convolution(node: dict[str, Any], weights: dict[str, NDArray[np.float32]], *, linear: bool) -> Layer:
    source, kernel, bias = _inputs(node)
    fused = [_text(value) for value in node["attr"]["fused_ops"]["list"]["s"]]
    if fused not in (["BiasAdd"], ["BiasAdd", "Relu"]) or (fused[-1] == "Relu" and not linear):
        raise UnknownGraphError(f"{node['name']} fuses {fused}, and no PReLU follows")
    padding: Any = _text(node["attr"]["padding"]["s"]).lower()
    kind = Conv if node["op"] == "_FusedConv2D" else DepthwiseConv
    strides = strides_of([int(v) for v in node["attr"]["strides"]["list"]["i"][1:3]])
    return kind(
        reads=(source,),
        writes=node["name"],
        kernel=weights[kernel],
        bias=weights[bias],
        strides=strides,
        padding=padding,
    )


def _prelu_slope(
    by_name: dict[str, dict[str, Any]], weights: dict[str, NDArray[np.float32]], name: str
) -> NDArray[np.float32] | None:
    """Slope of the PReLU whose negative half is `name` = constants * (x - |x|), or None when it is none."""
    node = by_name.get(name)
    if node is None or node["op"] != "Mul":
        return None
    constant = np.ones(1, np.float32)
    while node["op"] == "Mul":
        factors = [source for source in _inputs(node) if source in weights]
        rest = [source for source in _inputs(node) if source not in weights]
        if len(rest) != 1 or not factors:
            raise UnknownGraphError(f"{node['name']} is no product of one value and constants")
        for factor in factors:
            constant = constant * weights[factor].reshape(-1)
        node = by_name[rest[0]]
    if node["op"] != "Sub":
        raise UnknownGraphError(f"{name} scales {node['op']}, not x - |x|")
    return (np.float32(-2.0) * constant).astype(np.float32)


def _inputs(node: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(name).split(":")[0] for name in node.get("input", ()))


def _text(value: str) -> str:
    return base64.b64decode(value).decode()
