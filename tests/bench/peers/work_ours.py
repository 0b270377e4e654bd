"""Anxin's eyes, as the terminal has them, behind the protocol of `worker`.  Runs in the project's own environment."""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import worker

from edge import app
from edge.adapters.tflite import runtime_version
from edge.ports import Frame
from edge.vision.detect import Detector
from edge.vision.embed import Embedder
from edge.vision.landmarks import Landmarker
from edge.vision.pipeline import Eyes
from edge.vision.settings import EyesSettings


def main() -> None:
    rgb = worker.photo(sys.argv[1:])
    report, nets, _ = app.open_verified()
    if not report.ok:
        raise SystemExit(report.sentence)
    eyes = Eyes(nets, EyesSettings(take_turns=False))
    detector, landmarker = Detector(nets["face_detection"]), Landmarker(nets["face_landmarks"])
    embedder = Embedder(nets["face_embedding"])
    known = eyes.describe(Frame(0, 0, rgb))
    assert known is not None
    eyes.watch(known.embedding[None])
    number = 0

    def landmarks() -> object:
        return landmarker.at_face(rgb, detector.find(rgb)[0]).points

    def embedding() -> object:
        # As on a frame of the terminal; enrolment (`describe`) takes the mirrored face too.
        return embedder.embed(rgb, landmarker.at_face(rgb, detector.find(rgb)[0]).five)

    def liveness() -> object:
        # Half a second apart: the detector is due on every frame, and the track goes on.  One pixel differs, or the
        # frame would be a repeated one.
        nonlocal number
        number += 1
        frame = rgb.copy()
        frame[7, 5] = (number % 256, number // 256 % 256, 0)
        seen = eyes.observe(Frame(number, number * 500_000_000, frame))
        assert seen.passive is not None or number < 3
        return seen

    def embed(picture: object) -> object:
        seen = eyes.describe(Frame(0, 0, picture))  # type: ignore[arg-type]
        return None if seen is None else seen.embedding

    liveness()
    liveness()
    worker.serve(
        {"anxin": metadata.version("anxin")},
        f"{runtime_version()}, one thread",
        {"landmarks": landmarks, "embedding": embedding, "liveness": liveness},
        embed,
    )


main()
