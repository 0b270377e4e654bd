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

from models.builder import calibrate, gates
from models.builder.faces import Pixels
from models.builder.interpret import open_file
from models.builder.quantize import quantize, real_inputs

CALIBRATION_SEED, AGREEMENT_SEED = 20, 21
_CROPS_LIKE = {"face_embedding_second": "face_embedding"}


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
            like = _CROPS_LIKE.get(recipe["name"], recipe["name"])
            figures[recipe["name"]] = _build(recipe, floats, target, crops[like], others[like])
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
    gates.check(name, figures, {**recipe["gates"], "size_ratio": (0.0, 0.5)})
    return figures


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
