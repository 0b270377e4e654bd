"""Verification by each library on the 140 genuine pairs of LFW that we may calibrate on: TAR at FMR 1e-3.

Every photo of the pairs is embedded once, the face that each library's users would take; impostors are all pairs of
two names among them and every fifth photo more.
140 pairs give wide bounds (Wilson, 95 %): a difference of a few points is none.
"""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.bench.peers.process import Worker
from tests.bounds import wilson

FMR = 1e-3
BATCH = 20
EXTRA_EVERY = 5  # every fifth photo more, for the impostors: some 80,000 pairs
Near = Callable[[NDArray[np.float64], NDArray[np.float64]], float]


def measure(worker: Worker, data: Path, scratch: Path) -> dict[str, Any]:
    """Failures to acquire, TAR at FMR 1e-3 with its bounds, and how many pairs it rests on."""
    with (data / "genuine_pairs.csv").open(encoding="utf-8") as source:
        pairs = [(row["path_a"], row["path_b"]) for row in csv.DictReader(source)]
    others = sorted((data / "images").glob("*/*.jpg"))[::EXTRA_EVERY]
    names = sorted({path for pair in pairs for path in pair} | {str(path.relative_to(data)) for path in others})
    vectors: dict[str, NDArray[np.float64]] = {}
    for first in range(0, len(names), BATCH):
        batch = names[first : first + BATCH]
        answer = worker.ask(
            photos=[_raw(data / name, scratch / f"{number}.rgb") for number, name in enumerate(batch)]
        )
        found = zip(batch, answer["embeddings"], strict=True)
        vectors |= {name: np.array(vector) for name, vector in found if vector is not None}
    return _figures(pairs, names, vectors, worker.name)


def _figures(
    pairs: list[tuple[str, str]], names: list[str], vectors: dict[str, NDArray[np.float64]], library: str
) -> dict[str, Any]:
    """By the library's own distance; the other one beside it, so that nobody is judged by an unlucky choice."""
    out: dict[str, Any] = {}
    for measure, near in (("euclid", _euclid), ("cosine", _cosine)):
        out[measure] = _at_fmr(pairs, vectors, near)
    own = "cosine" if library == "anxin" else "euclid"
    shared = {"photos": len(names), "failures_to_acquire": len(names) - len(vectors), "own": own}
    return shared | out


def _at_fmr(pairs: list[tuple[str, str]], vectors: dict[str, NDArray[np.float64]], near: Near) -> dict[str, Any]:
    genuine = [near(vectors[a], vectors[b]) for a, b in pairs if a in vectors and b in vectors]
    known = sorted(vectors)
    impostors = [
        near(vectors[a], vectors[b])
        for place, a in enumerate(known)
        for b in known[place + 1 :]
        if Path(a).parent != Path(b).parent
    ]
    threshold = float(np.quantile(impostors, 1 - FMR))
    missed = len(pairs) - len(genuine)  # a face that is not found is a genuine person turned away
    accepted = sum(score > threshold for score in genuine)
    low, high = wilson(accepted, len(pairs))
    return {
        "genuine": len(pairs),
        "genuine_not_compared": missed,
        "impostors": len(impostors),
        "tar": round(accepted / len(pairs), 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def _euclid(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return -float(np.linalg.norm(a - b))


def _raw(picture: Path, target: Path) -> dict[str, object]:
    bgr = cv2.imread(str(picture))
    target.write_bytes(np.ascontiguousarray(bgr[:, :, ::-1]).tobytes())
    return {"file": str(target), "width": bgr.shape[1], "height": bgr.shape[0]}
