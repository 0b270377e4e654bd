"""Stage two, in the quantizer's environment: float files + portraits -> quantized files, gated against float.

    python -m models.builder.stage_quantize JOB.json

Agreement is measured on crops drawn with another seed than those of the calibration; the figures go to
`quantized.json` beside the files. Progress and exit codes are those of `stage_float`.
"""

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models.builder import calibrate, gates, stage_float
from models.builder.faces import Pixels
from models.builder.interpret import open_file
from models.builder.quantize import quantize, real_inputs

CALIBRATION_SEED, AGREEMENT_SEED = 20, 21


def main(job_file: str) -> int:
    job = json.loads(Path(job_file).read_text())
    floats, target = Path(job["float"]), Path(job["quantized"])
    detect = open_file(floats / "face_detection.tflite", ["boxes", "scores"])
    mesh = open_file(floats / "face_landmarks.tflite", ["points", "presence"])
    print("| portraits: cutting the crops", flush=True)
    crops, others = (
        calibrate.crops(Path(job["portraits"]), detect, mesh, seed) for seed in (CALIBRATION_SEED, AGREEMENT_SEED)
    )
    figures: dict[str, dict[str, float]] = {}
    try:
        for recipe in job["recipes"]:
            name = recipe["name"]
            figures[name] = _build(recipe, floats, target, crops[name], others[name])
            if recipe["ranks"] is not None:
                figures[name] |= _whole(recipe, Path(job["inputs"]), floats, target, others[name])
    except gates.GateError as error:
        print(f"| {error}", flush=True)
        return 3
    (target / "quantized.json").write_text(json.dumps(figures, indent=1))
    return 0


def _build(recipe: dict[str, Any], floats: Path, target: Path, crops: Pixels, others: Pixels) -> dict[str, float]:
    name = recipe["name"]
    print(f"| {name}: quantizing ({recipe['quantization']})", flush=True)
    source, path = floats / recipe["file"], target / recipe["file"]
    units = recipe["channels"], recipe["mean"], recipe["std"]
    # The quantizer draws its progress on both streams.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        quantize(source, path, recipe["quantization"], recipe["float_layers"], real_inputs(crops, *units))
    outputs = list(recipe["outputs"])
    original, quantized = open_file(source, outputs), open_file(path, outputs)
    figures = gates.agreement(name, [(original(x), quantized(x)) for x in real_inputs(others, *units)])
    figures["size_ratio"] = path.stat().st_size / source.stat().st_size
    # On a file it does not understand the quantizer does nothing, silently.
    bounds = {k: v for k, v in recipe["gates"].items() if not k.startswith("whole_")}
    gates.check(name, figures, {**bounds, "size_ratio": (0.0, 0.5)})
    return figures


def _whole(recipe: dict[str, Any], inputs: Path, floats: Path, target: Path, others: Pixels) -> dict[str, float]:
    """The whole float net against OpenCV's run of the package's own file, and the quantized one against the whole."""
    name, outputs = recipe["name"], list(recipe["outputs"])
    package = cv2.dnn.readNetFromONNX(str(inputs / recipe["reference"]))
    rebuilt, quantized = (
        open_file(stage_float.whole(floats, recipe), outputs),
        open_file(target / recipe["file"], outputs),
    )
    ours, theirs, shipped = [], [], []
    for crop, batch in zip(
        others, real_inputs(others, recipe["channels"], recipe["mean"], recipe["std"]), strict=True
    ):
        # The file normalizes its input itself.
        package.setInput(np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32), "data")
        theirs.append([np.asarray(package.forward(), np.float32)])
        ours.append(rebuilt(batch))
        shipped.append(quantized(batch))
    figures = gates.rebuilt(name, list(zip(ours, theirs, strict=True)), same_scale=False)
    figures |= {f"whole_{k}": v for k, v in gates.agreement(name, list(zip(ours, shipped, strict=True))).items()}
    gates.check(name, figures, {k: v for k, v in recipe["gates"].items() if k in figures})
    return figures


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
