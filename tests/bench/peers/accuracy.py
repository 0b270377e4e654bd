"""Verification by each library on the 140 genuine pairs of LFW that we may calibrate on: TAR at FMR 1e-3.

Every photo of the pairs is embedded once, its largest face; impostors are all pairs of two names among them.
140 pairs give wide bounds (Wilson, 95 %): a difference of a few points is none.
"""

import csv
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.bench.peers.process import Worker

FMR = 1e-3
BATCH = 20


def measure(worker: Worker, data: Path, scratch: Path) -> dict[str, Any]:
    """Failures to acquire, TAR at FMR 1e-3 with its bounds, and how many pairs it rests on."""
    with (data / "genuine_pairs.csv").open(encoding="utf-8") as source:
        pairs = [(row["path_a"], row["path_b"]) for row in csv.DictReader(source)]
    names = sorted({path for pair in pairs for path in pair})
    vectors: dict[str, NDArray[np.float64]] = {}
    for first in range(0, len(names), BATCH):
        batch = names[first : first + BATCH]
        answer = worker.ask(
            photos=[_raw(data / name, scratch / f"{number}.rgb") for number, name in enumerate(batch)]
        )
        found = zip(batch, answer["embeddings"], strict=True)
        vectors |= {name: np.array(vector) for name, vector in found if vector is not None}
    near = _similarity(worker.name)
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
        "photos": len(names),
        "failures_to_acquire": len(names) - len(vectors),
        "genuine": len(pairs),
        "genuine_not_compared": missed,
        "impostors": len(impostors),
        "tar": round(accepted / len(pairs), 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }


def wilson(good: int, of: int) -> tuple[float, float]:
    """Bounds of a share, 95 %."""
    z, share = 1.96, good / of
    middle = share + z * z / (2 * of)
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (middle - spread) / (1 + z * z / of), (middle + spread) / (1 + z * z / of)


def _similarity(name: str) -> Any:
    if name == "anxin":
        return lambda a, b: float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
    # face_recognition and human both compare by Euclidean distance.
    return lambda a, b: -float(np.linalg.norm(a - b))


def _raw(picture: Path, target: Path) -> dict[str, object]:
    bgr = cv2.imread(str(picture))
    target.write_bytes(np.ascontiguousarray(bgr[:, :, ::-1]).tobytes())
    return {"file": str(target), "width": bgr.shape[1], "height": bgr.shape[0]}
