"""Stage one, in TensorFlow's environment: packages' weights -> float TFLite files, gated against their originals.

    python -m models.builder.stage_float JOB.json

The job names the input files, the recipes and the folder to write to; the figures go to `float.json` there.
Lines of progress begin with "| "; exit code 3 and a last such line mean that a gate did not hold.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from models.builder import flatbuffer, gates, keras_net, onnx_graph, sface
from models.builder.interpret import open_file
from models.builder.net import Net


def main(job_file: str) -> int:
    job = json.loads(Path(job_file).read_text())
    inputs, target = Path(job["inputs"]), Path(job["float"])
    try:
        figures = {r["name"]: _build(r, inputs, target) for r in job["recipes"] + job["eyes"]}
    except gates.GateError as error:
        print(f"| {error}", flush=True)
        return 3
    (target / "float.json").write_text(json.dumps(figures, indent=1))
    return 0


def _build(recipe: dict[str, Any], inputs: Path, target: Path) -> dict[str, float]:
    print(f"| {recipe['name']}: rebuilding in float", flush=True)
    path = target / recipe["file"]
    net = _read(recipe, inputs)
    _write(net, recipe, path)
    if recipe["ranks"] is not None:
        # Only the whole net says what its package's file says; stage two, which can run both, compares.
        _write(_read({**recipe, "ranks": None}, inputs), recipe, whole(target, recipe))
        return {}
    if recipe["reference"] is None:
        return {}
    ours, reference = open_file(path, list(recipe["outputs"])), open_file(inputs / recipe["reference"])
    rng = np.random.default_rng(1)
    probes = [rng.uniform(-1, 1, (1, *net.input_shape)).astype(np.float32) for _ in range(4)]
    pairs = [(ours(probe), reference(probe)) for probe in probes]
    return gates.rebuilt(recipe["name"], pairs, same_scale=recipe["reader"] == "tflite")


def whole(target: Path, recipe: dict[str, Any]) -> Path:
    """Where the float file of a net is whose last product is shipped in parts."""
    return target / f"{recipe['name']}.whole.tflite"


def _write(net: Net, recipe: dict[str, Any], path: Path) -> None:
    outputs = {name: net.outputs[index] for name, index in recipe["outputs"].items()}
    path.write_bytes(keras_net.to_tflite(keras_net.build(net, outputs)))


def _read(recipe: dict[str, Any], inputs: Path) -> Net:
    files = [inputs / name for name in recipe["sources"]]
    match recipe["reader"]:
        case "sface":
            return sface.read(files[0], recipe["ranks"])
        case "onnx":
            return onnx_graph.read(files[0])
        case _:
            return flatbuffer.read(files[0])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
