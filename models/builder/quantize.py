"""Quantize a float TFLite file with ai-edge-quantizer. Needs its environment.

TensorFlow's own full-int8 conversion of the embedding came out at a cosine of 0.947 to float, this one at 0.97 to
0.98; on a file without a signature its recipes silently do nothing, which is why the float files are rebuilt.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.builder.faces import Pixels
from models.builder.recipes import Quantization


def quantize(
    source: Path,
    target: Path,
    quantization: Quantization,
    float_layers: Sequence[str],
    inputs: Sequence[np.ndarray[Any, Any]],
) -> None:
    """Write the quantized `source` to `target`.

    `float_layers` are patterns of names that stay in float; `inputs` are float batches of one, in the units the
    model takes, and only `int8` looks at them.
    """
    from ai_edge_quantizer import quantizer, recipe

    base = recipe.static_wi8_ai8() if quantization == "int8" else recipe.weight_only_wi8_afp32()
    steps = base + [{**base[0], "regex": name, "algorithm_key": "no_quantize"} for name in float_layers]
    worker = quantizer.Quantizer(str(source), steps)
    if quantization == "int8":
        samples = {"serving_default": [{"input": batch} for batch in inputs]}
        result = worker.quantize(worker.calibrate(samples))
    else:
        result = worker.quantize()
    result.export_model(str(target), overwrite=True)


def real_inputs(crops: Pixels, channels: str, mean: float, std: float) -> list[np.ndarray[Any, Any]]:
    """Float batches of one in the model's own units, from uint8 RGB crops (N, S, S, 3)."""
    ordered = crops if channels == "rgb" else crops[..., ::-1]
    return [((crop.astype(np.float32) - mean) / std)[None].astype(np.float32) for crop in ordered]
