"""The terminal's eyes on files: a photo becomes an embedding in memory, a recording a list of observations."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from edge.app import open_nets
from edge.cameras import open_camera
from edge.core.types import Advice, Observation
from edge.errors import CameraError
from edge.ports import Floats, Frame, Pixels
from edge.vision.pipeline import Eyes
from edge.vision.settings import EyesSettings
from models.evaluate.read import Presentation

UNREADABLE, NO_FACE = "unreadable", "no_face"
_PICTURE_NS = 200_000_000  # between the pictures of a folder that is one session: as if five came a second
_FRAME_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """One photo: why there is nothing to compare (or None), what would make it better, float32 (D,), unit length."""

    failure: str | None
    advice: Advice | None = None
    embedding: Floats | None = field(default=None, repr=False)

    @property
    def ready(self) -> bool:
        return self.advice is Advice.READY


@dataclass(frozen=True, slots=True)
class Describe:
    """Opens the eyes for photos; ``models`` is the folder of the nets, None the installed ones."""

    models: Path | None = None

    def __call__(self) -> Callable[[Path], Looked]:
        eyes = Eyes(open_nets(self.models))

        def describe(file: Path) -> Looked:
            rgb = picture(file)
            if rgb is None:
                return Looked(UNREADABLE)
            seen = eyes.describe(Frame(0, 0, rgb))
            return Looked(NO_FACE) if seen is None else Looked(None, seen.advice, seen.embedding)

        return describe


@dataclass(frozen=True, slots=True)
class Watched:
    """What the eyes saw of one session, figures only; ``readable`` is False when nothing of it could be read.

    ``unreadable`` counts its files that could not; ``truncated`` is True for a film that broke off in the middle.
    """

    observations: tuple[Observation, ...]
    readable: bool = True
    unreadable: int = 0
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """Opens the eyes for sessions; of a video no more than ``most_s`` seconds are looked at."""

    models: Path | None = None
    most_s: float = 60.0

    def __call__(self) -> Callable[[Presentation], Watched]:
        nets = open_nets(self.models)
        of_films = Eyes(nets, EyesSettings(judge_withheld=True))
        of_pictures = Eyes(nets, EyesSettings(judge_withheld=True, cues_in_turn=False))

        def watch(session: Presentation) -> Watched:
            if not session.video:
                return _pictures(of_pictures, session.files)
            of_films.watch(None)
            return _video(of_films, session.files[0], self.most_s)

        return watch


def picture(file: Path) -> Pixels | None:
    """RGB uint8 (H, W, 3), turned as its camera was held; None when it cannot be read as a picture."""
    try:
        raw = np.fromfile(file, np.uint8)
        bgr = cv2.imdecode(raw, cv2.IMREAD_COLOR) if raw.size else None
    except (OSError, cv2.error):  # OpenCV decodes nothing above a gigapixel
        return None
    return None if bgr is None else np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _video(eyes: Eyes, file: Path, most_s: float) -> Watched:
    found: list[Observation] = []
    truncated = False
    camera = open_camera(f"file:{file}", paced=False)
    with closing(camera):
        try:
            camera.open()
            while (frame := camera.read(_FRAME_TIMEOUT_S)) is not None:
                found.append(eyes.observe(frame))
                if found[-1].at_ns - found[0].at_ns >= most_s * 1e9:
                    break
        except CameraError:
            truncated = bool(found)
    return Watched(tuple(found), readable=bool(found), unreadable=int(not found), truncated=truncated)


def _pictures(eyes: Eyes, files: tuple[Path, ...]) -> Watched:
    """Each picture is looked at by itself; together they count as one unbroken sighting."""
    found = []
    for number, file in enumerate(files):
        rgb = picture(file)
        if rgb is None:
            continue
        eyes.watch(None)
        seen = eyes.observe(Frame(number, number * _PICTURE_NS, rgb))
        found.append(replace(seen, track=1 if seen.faces else 0))
    return Watched(tuple(found), readable=bool(found), unreadable=len(files) - len(found))
