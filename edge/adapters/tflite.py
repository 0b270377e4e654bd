"""Models on TensorFlow Lite: ai-edge-litert where there is a wheel of it, tflite-runtime where there is not.

Both are the same interpreter by the same authors (docs/adr/0002-the-interpreter.md). Pixels go in as uint8; what
the model wants of them - order of channels, normalization, quantization - happens here and nowhere else.

LiteRT 2.3 says "Created TensorFlow Lite XNNPACK delegate" on stderr once a process. It has no switch for that, and
turning file descriptor 2 away for everybody's threads would be worse than the line.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError, ToolError
from edge.ports import Floats, NetSpec, Pixels

RUNTIMES = ("ai_edge_litert", "tflite_runtime")
Runtime = Literal["ai_edge_litert", "tflite_runtime"]


class TfliteNet:
    """A `Net` on one TFLite file, which the constructor reads. For one thread at a time.

    Raises ModelError when the file is missing, damaged, or is not the model its spec describes. LiteRT checks a file
    before it believes it; tflite-runtime 2.14 does not and can crash on a damaged one, so compare the file's hash
    first, as `edge.vision.verify` does.
    """

    def __init__(self, spec: NetSpec, path: Path, threads: int = 1, runtime: Runtime | None = None) -> None:
        self.spec = spec
        self._path = path
        self._interpreter = self._load(threads, runtime)
        self._input = self._only_input()
        self._outputs = self._outputs_in_order()
        self._entry: Callable[[], NDArray[Any]] = self._interpreter.tensor(self._input["index"])
        self._table = self._input_table()
        self._tables = [self._output_table(output) for output in self._outputs]

    def run(self, crop: Pixels) -> tuple[Floats, ...]:
        """The outputs, in the spec's order, as float32 arrays of the caller's own.

        `crop` is RGB uint8 (S, S, 3) with the spec's S; ValueError for anything else.
        """
        size = self.spec.input_size_px
        if crop.dtype != np.uint8 or crop.shape != (size, size, 3):
            raise ValueError(
                f"{self.spec.name} takes uint8 pixels ({size}, {size}, 3), not {crop.dtype} {crop.shape}"
            )
        if self.spec.channels == "bgr":
            crop = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), np.uint8)
        # Straight into the model's own input; `invoke` refuses to run while somebody holds the view.
        cv2.LUT(crop, self._table, self._entry()[0])
        self._interpreter.invoke()
        return tuple(map(self._read, self._outputs, self._tables))

    def _load(self, threads: int, runtime: Runtime | None) -> Any:
        try:
            # Bytes instead of a path: a file that is replaced under a running terminal cannot crash its memory map.
            content = self._path.read_bytes()
        except OSError as error:
            raise ModelError(
                f"the model {self._path} cannot be read ({error.strerror}); install Anxin's models again."
            ) from error
        make = interpreter_class(runtime)
        try:
            interpreter = make(model_content=content, num_threads=threads)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"the model {self._path} is damaged or of a kind this interpreter does not know; "
                "run `anxin models verify` and install Anxin's models again."
            ) from error
        return interpreter

    def _only_input(self) -> dict[str, Any]:
        size = self.spec.input_size_px
        inputs: list[dict[str, Any]] = self._interpreter.get_input_details()
        if len(inputs) != 1 or tuple(inputs[0]["shape"]) != (1, size, size, 3):
            raise self._mismatch(f"one input of ({size}, {size}, 3)")
        if inputs[0]["dtype"] not in (np.float32, np.int8):
            raise self._mismatch("an input of float32 or int8")
        return inputs[0]

    def _outputs_in_order(self) -> list[dict[str, Any]]:
        """Details of the outputs by their names in the signature: the order in the file is the converter's whim."""
        try:
            named: dict[str, dict[str, Any]] = self._interpreter.get_signature_runner().get_output_details()
        except ValueError as error:
            raise self._mismatch("a signature") from error
        if set(named) != set(self.spec.outputs):
            raise self._mismatch(f"outputs named {', '.join(self.spec.outputs)}")
        return [named[name] for name in self.spec.outputs]

    def _input_table(self) -> NDArray[Any]:
        """What every pixel value becomes in the model's input: (256,) of its dtype."""
        if self._input["dtype"] == np.int8:
            scale, zero = self._input["quantization"]
            return quantization_table(self.spec.mean, self.spec.std, float(scale), int(zero))
        return ((np.arange(256) - self.spec.mean) / self.spec.std).astype(np.float32)

    def _output_table(self, output: dict[str, Any]) -> Floats | None:
        """float32 (256,): what the bytes of a quantized output mean; None for one that is float already."""
        if output["dtype"] == np.float32:
            return None
        if output["dtype"] != np.int8:
            raise self._mismatch("outputs of float32 or int8")
        scale, zero = output["quantization"]
        values = np.arange(256).astype(np.uint8).view(np.int8).astype(np.float32)
        return np.asarray((values - np.float32(zero)) * np.float32(scale), np.float32)

    def _read(self, output: dict[str, Any], table: Floats | None) -> Floats:
        values: NDArray[Any] = self._interpreter.get_tensor(output["index"])
        return values if table is None else table.take(values.view(np.uint8))

    def _mismatch(self, expected: str) -> ModelError:
        return ModelError(
            f"the model {self._path} is not {self.spec.version}, which has {expected}; "
            "run `anxin models verify` and install Anxin's models again."
        )


def quantization_table(mean: float, std: float, scale: float, zero: int) -> NDArray[np.int8]:
    """int8 (256,): the quantized value of every pixel, round((pixel - mean) / std / scale) + zero, saturated."""
    real = (np.arange(256, dtype=np.float64) - mean) / std
    return np.asarray(np.clip(np.round(real / scale) + zero, -128, 127), np.int8)


def interpreter_class(runtime: Runtime | None = None) -> Any:
    """The vendor's Interpreter: of `runtime`, or of the first that is installed. Raises ToolError if none is."""
    for name in (runtime,) if runtime else RUNTIMES:
        try:
            return importlib.import_module(f"{name}.interpreter").Interpreter
        except ImportError:
            continue
    raise ToolError("no TFLite interpreter is installed; `pip install ai-edge-litert` (see docs/adr/0002).")


def runtime_version(runtime: Runtime | None = None) -> str:
    """Name and version of the interpreter in use, for reports: "LiteRT 2.3.0"."""
    from importlib import metadata

    module = str(interpreter_class(runtime).__module__).split(".")[0]
    name = {"ai_edge_litert": "LiteRT", "tflite_runtime": "tflite-runtime"}[module]
    return f"{name} {metadata.version(module.replace('_', '-'))}"
