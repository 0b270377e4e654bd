"""What every worker of the comparison does, whatever library is behind it.  Standard library and numpy only.

A worker is started with the photo as raw RGB bytes and its size.  When its models are loaded and it has looked at the
photo once, it says {"ready": true, "versions", "backend", "works"}.  Then it answers one line of JSON with one line:
{"work", "rounds"} with {"wall", "cpu"} (milliseconds of each round) and {"peak_mb"}; {"photos"} with {"embeddings"}.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

# Libraries print at will: the protocol keeps the real stdout for itself.
_OUT = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


def photo(arguments: list[str]) -> Any:
    """uint8 (H, W, 3) RGB of ``FILE WIDTH HEIGHT``."""
    file, width, height = arguments
    return raw(file, int(width), int(height))


def raw(file: str, width: int, height: int) -> Any:
    return np.frombuffer(Path(file).read_bytes(), np.uint8).reshape(height, width, 3).copy()


def serve(
    versions: Mapping[str, str],
    backend: str,
    works: Mapping[str, Callable[[], object]],
    embed: Callable[[Any], Any] | None = None,
) -> None:
    """Answer until stdin ends; each of ``works`` looks at the photo once and raises when it finds no face."""
    for look in works.values():
        look()
    _say({"ready": True, "versions": dict(versions), "backend": backend, "works": list(works)})
    for line in sys.stdin:
        asked = json.loads(line)
        if "photos" in asked and embed is not None:
            found = [embed(raw(one["file"], one["width"], one["height"])) for one in asked["photos"]]
            _say({"embeddings": [None if each is None else [float(v) for v in each] for each in found]})
            continue
        look = works[asked["work"]]
        wall, cpu = [], []
        for _ in range(asked["rounds"]):
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            look()
            wall.append((time.perf_counter() - wall_s) * 1e3)
            cpu.append((time.process_time() - cpu_s) * 1e3)
        _say({"wall": wall, "cpu": cpu, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})


def _say(what: dict[str, object]) -> None:
    _OUT.write(json.dumps(what) + "\n")
    _OUT.flush()
