"""How well one frame's passive score and border tell simulated recaptures from people before the camera.

  python -m tests.vision.score_recapture --data ../shared/data             the figures of models/TRIED-liveness.md
  python -m tests.vision.score_recapture --data ../shared/data --seed 8    with other media, cameras and hands

Bona fide are live frames of NUAA and of the talking face, as they are and photographed once more without a medium
(control); attacks are phones, tablets, monitors, prints and photos (`recapture`) of these and of LFW portraits.  A
simulation: what is better here may be better on real screens, no more.  Run by hand, some minutes.
"""

import argparse
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from edge.app import open_nets
from edge.ports import Net, Pixels
from edge.vision import screen
from edge.vision.detect import Detector
from edge.vision.landmarks import Landmarker, Mesh
from edge.vision.liveness import PassiveLiveness
from models.evaluate import metrics
from models.evaluate.look import picture
from models.evaluate.metrics import Scores
from tests.vision import recapture

BONA_FIDE = ("live", "control")
_LIVE_EVERY, _FILM_EVERY, _PORTRAIT_EVERY = 4, 100, 18
_MEDIA = (("tablet", "phone", "photo"), ("phone", "monitor", "print"))


@dataclass(frozen=True)
class Seen:
    """One frame: its kind, the passive logit (plain and mirrored averaged) and the border."""

    kind: str
    logit: float
    border: float


def sources(data: Path) -> list[tuple[str, Pixels]]:
    """Pictures by where they come from: nuaa, film, portrait."""
    found: list[tuple[str, Pixels]] = []
    for name, files, every in (
        ("nuaa", sorted((data / "nuaa_dev/live").glob("*.jpg")), _LIVE_EVERY),
        ("portrait", sorted((data / "lfw_dev/images").glob("*/*.jpg")), _PORTRAIT_EVERY),
    ):
        found += [(name, rgb) for file in files[::every] if (rgb := picture(file)) is not None]
        if name == "nuaa":
            found += [("film", rgb) for rgb in _film(data / "talking_face/franck.mp4")]
    return found


def _film(clip: Path) -> Iterator[Pixels]:
    video, number = cv2.VideoCapture(str(clip)), 0
    while video.grab():
        if number % _FILM_EVERY == 0:
            yield np.ascontiguousarray(video.retrieve()[1][:, :, ::-1])
        number += 1
    video.release()


def pictures(found: list[tuple[str, Pixels]], find: "Finder", seed: int) -> Iterator[tuple[str, Pixels]]:
    """Kind and picture of everything that is judged."""
    rng = np.random.default_rng(seed)
    rooms = [rgb[:, ::-1] for name, rgb in found if name == "nuaa"]
    for number, (name, rgb) in enumerate(found):
        mesh = find(rgb)
        if mesh is None:
            continue
        if name != "portrait":
            yield "live", rgb
        if name == "film" and number % 2:
            continue
        if name != "portrait":
            yield "control", recapture.photograph(rgb, recapture.some_camera(rng), rng)
        for kind in _MEDIA[number % 2]:
            room = rooms[rng.integers(len(rooms))]
            medium, hold, camera = (
                recapture.some_medium(kind, rng),
                recapture.some_hold(rng),
                recapture.some_camera(rng),
            )
            yield kind, recapture.recapture(rgb, mesh.detector_box, medium, hold, camera, room, rng)


class Finder:
    """The face of a picture, as the eyes find it."""

    def __init__(self, nets: Mapping[str, Net]) -> None:
        self._detector, self._landmarker = Detector(nets["face_detection"]), Landmarker(nets["face_landmarks"])

    def __call__(self, rgb: Pixels) -> Mesh | None:
        faces = self._detector.find(rgb)
        if not faces:
            return None
        mesh = self._landmarker.again(rgb, self._landmarker.at_face(rgb, faces[0]))
        return mesh if mesh.presence > 0.5 else None


def judged(data: Path, seed: int) -> list[Seen]:
    nets = open_nets()
    find, passive = Finder(nets), PassiveLiveness(nets["passive_liveness"])
    found = sources(data)
    seen = []
    for kind, rgb in track(pictures(found, find, seed), "recaptured", total=None, transient=True):
        if (mesh := find(rgb)) is None:
            continue
        scores = [passive.score(rgb, mesh.detector_box, mirrored=mirrored) for mirrored in (False, True)]
        logits = [math.log(score / (1 - score)) for score in np.clip(scores, 1e-12, 1 - 1e-12).tolist()]
        seen.append(Seen(kind, sum(logits) / 2, screen.border(rgb, mesh.detector_box)))
    return seen


def rows(seen: list[Seen]) -> list[str]:
    """A line for each medium and one for all."""
    people = [one for one in seen if one.kind in BONA_FIDE]
    lines = []
    for kind in (*sorted({one.kind for one in seen} - set(BONA_FIDE)), "all"):
        attacks = [one for one in seen if one.kind not in BONA_FIDE and kind in (one.kind, "all")]
        logits = Scores([one.logit for one in people]), Scores([one.logit for one in attacks])
        borders = Scores([-one.border for one in people]), Scores([-one.border for one in attacks])
        lines.append(
            f"{kind:<8} {len(attacks):>4} frames against {len(people)}: passive AUC {metrics.auc(*logits):.3f}, "
            f"EER {metrics.equal_error(*logits).rate:.1%}; border AUC {metrics.auc(*borders):.3f}"
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="the research data (docs/evaluate.md says its shape)"
    )
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    if not (args.data / "nuaa_dev/live").is_dir():
        parser.error(f"{args.data} has no nuaa_dev/live")
    print("\n".join(rows(judged(args.data, args.seed))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
