"""Run a TFLite file in a build environment: float in, float out, outputs by their signature's names."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Run = Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]


def open_file(path: Path, outputs: Sequence[str] | None = None) -> Run:
    """A function from a batch of one to the outputs named, or to all in the file's order.

    Takes LiteRT's interpreter, or TensorFlow's where that is what the environment has.
    """
    interpreter = _interpreter_class()(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    if outputs is None:
        targets = interpreter.get_output_details()
    else:
        by_name = interpreter.get_signature_runner().get_output_details()
        targets = [by_name[name] for name in outputs]

    def run(values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        # One reference has a batch of two; the row is repeated and the first answer taken.
        rows = np.repeat(values, source["shape"][0] // len(values), axis=0)
        interpreter.set_tensor(source["index"], _quantized(rows, source))
        interpreter.invoke()
        return [_dequantized(interpreter.get_tensor(t["index"]), t)[: len(values)] for t in targets]

    return run


def _interpreter_class() -> Any:
    try:
        return importlib.import_module("ai_edge_litert.interpreter").Interpreter
    except ImportError:
        return importlib.import_module("tensorflow").lite.Interpreter


def _quantized(values: NDArray[np.float32], tensor: dict[str, Any]) -> NDArray[Any]:
    if tensor["dtype"] == np.float32:
        return values.astype(np.float32)
    scale, zero = tensor["quantization"]
    limits = np.iinfo(tensor["dtype"])
    return np.asarray(np.clip(np.round(values / scale + zero), limits.min, limits.max), tensor["dtype"])


def _dequantized(values: NDArray[Any], tensor: dict[str, Any]) -> NDArray[np.float32]:
    if tensor["dtype"] == np.float32:
        return np.asarray(values, np.float32)
    scale, zero = tensor["quantization"]
    return np.asarray((values.astype(np.float32) - zero) * scale, np.float32)
