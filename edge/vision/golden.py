"""The golden test of the whole path: two known faces through `Eyes` itself, as the terminal uses it.

Each net alone may answer rightly while what lies between them is wrong: red for blue, a crop that sits beside the
face, an OpenCV that warps otherwise, one embedding for everybody.  So two public-domain photos are described and
observed, and what comes out must be what came out when the models were installed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.core.types import Advice, Observation
from edge.errors import ModelError
from edge.ports import Floats, Frame, Net, Pixels
from edge.vision.pipeline import Eyes, FaceDescription

SCENES_NAME = "golden/scenes.json"
REMEDY = "install Anxin again, with its models."

# Measured on the two photos with SFace: the same pixels 1.000; one grey level brighter 0.998; JPEG quality 60 0.982;
# another interpreter (tflite-runtime 2.14, x86) 0.999; a plain frame against the mirrored reference 0.991; the crop
# 4 px of 112 beside 0.967, 8 px 0.936, a tenth larger 0.938; two different people 0.17.  Red for blue leaves 0.92 to
# 0.96, so it is compared with that answer, too.  Not measured on ARM.
LEAST_COSINE = 0.97
MOST_ALIKE = 0.5
PLACE_TOLERANCE = 0.012  # shares of the frame's width; the detector's box differs by 0.5 % of its own width
POSE_TOLERANCE_DEG = 5.0
PASSIVE_TOLERANCE = 0.25
_FRAME_NS = 66_000_000

Vector = Annotated[tuple[float, ...], Field(strict=False, min_length=16, max_length=4096)]


class Scene(BaseModel):
    """One golden photo and what the eyes say to it; places in shares of the frame, angles in degrees.

    ``swapped`` is the embedding of the same photo with red for blue: the answer of eyes that mix them up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    file: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.(png|jpg)$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    face_x: float
    face_y: float
    face_width: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    passive: Annotated[float, Field(ge=0, le=1)]
    embedding: Vector = Field(repr=False)
    swapped: Vector = Field(repr=False)


class Scenes(BaseModel):
    """The golden photos: two different people."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    scenes: Annotated[tuple[Scene, Scene], Field(strict=False)]


def load_scenes(folder: Path) -> Scenes:
    """The scenes of a folder of models; raises ModelError when the file is missing or damaged."""
    path = folder / SCENES_NAME
    try:
        return Scenes.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(f"the golden scenes {path} cannot be read ({error.strerror}); {REMEDY}") from error
    except ValidationError as error:
        raise ModelError(f"the golden scenes {path} are damaged; {REMEDY}") from error


def photo(folder: Path, scene: Scene) -> Pixels:
    """The photo of a scene, RGB uint8 (H, W, 3); raises ModelError when it is missing or not the pinned one."""
    path = (folder / SCENES_NAME).parent / scene.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the golden photo {path} cannot be read ({error.strerror}); {REMEDY}") from error
    if hashlib.sha256(content).hexdigest() != scene.sha256:
        raise ModelError(f"the golden photo {path} is not the one that belongs to the scenes; {REMEDY}")
    bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ModelError(f"the golden photo {path} cannot be decoded; OpenCV may be damaged; {REMEDY}")
    return np.ascontiguousarray(bgr[:, :, ::-1])


class GoldenTest:
    """Two known faces through the eyes; reads its files once, then `fault` can be asked again and again."""

    def __init__(self, folder: Path) -> None:
        """Raises ModelError when there is nothing usable to test with."""
        self._scenes = load_scenes(folder).scenes
        self._photos = tuple(photo(folder, scene) for scene in self._scenes)

    def fault(self, nets: Mapping[str, Net]) -> str | None:
        """Why the eyes on ``nets`` cannot be believed, or None.  About 0.2 s; uses ``nets`` in this thread."""
        try:
            eyes = Eyes(nets)
            seen = [_describe(eyes, rgb) for rgb in self._photos]
            for scene, description in zip(self._scenes, seen, strict=True):
                if (fault := description_fault(scene, description)) is not None:
                    return f"the eyes {fault}; {REMEDY}"
            first, second = seen
            # Only a check for the type checker: `description_fault` refused a missing face.
            if first is None or second is None or float(first.embedding @ second.embedding) > MOST_ALIKE:
                return f"the eyes give nearly one embedding for two different people; {REMEDY}"
            for scene, rgb, one in zip(self._scenes, self._photos, (first, second), strict=True):
                if (fault := observation_fault(scene, observe(eyes, rgb, one.embedding))) is not None:
                    return f"the eyes {fault}; {REMEDY}"
        except (cv2.error, ValueError, KeyError, ModelError) as error:
            return f"the eyes break on a golden photo ({type(error).__name__}); {REMEDY}"
        return None


def description_fault(scene: Scene, seen: FaceDescription | None) -> str | None:
    """What is wrong with the description of a golden photo, or None."""
    if seen is None:
        return "find no face in a golden photo"
    figures = seen.figures
    found = (figures.face_x, figures.face_y, figures.face_width)
    if not _near(found, (scene.face_x, scene.face_y, scene.face_width), PLACE_TOLERANCE):
        return "find the golden face in another place"
    pose = (seen.yaw_deg, seen.pitch_deg, seen.roll_deg)
    if not _near(pose, (scene.yaw_deg, scene.pitch_deg, scene.roll_deg), POSE_TOLERANCE_DEG):
        return "see the golden face turned another way"
    known, swapped = np.array(scene.embedding, np.float32), np.array(scene.swapped, np.float32)
    if seen.embedding.shape != known.shape or not bool(np.isfinite(seen.embedding).all()):
        return "give an embedding of another kind"
    cosine = _cosine(seen.embedding, known)
    if cosine < LEAST_COSINE:
        return f"do not know the golden face (cosine {cosine:.2f} instead of {LEAST_COSINE} or more)"
    if cosine < _cosine(seen.embedding, swapped):
        return "take red for blue"
    return None


def observation_fault(scene: Scene, seen: tuple[Observation, ...]) -> str | None:
    """What is wrong with the observations of `observe`, or None."""
    last = seen[-1]
    if not last.frozen or any(one.frozen for one in seen[:-1]):
        return "do not tell a repeated frame from a new one"
    if any(one.faces != 1 or one.advice is not Advice.READY for one in seen):
        return "do not find the golden photo good enough to look at"
    matches = [one.match for one in seen if one.match is not None]
    passives = [one.passive for one in seen if one.passive is not None]
    if not matches or not min(matches) >= LEAST_COSINE:
        return "do not match the golden face with itself"
    if not passives or not _near(passives, [scene.passive] * len(passives), PASSIVE_TOLERANCE):
        return "judge the golden face's liveness otherwise than they should"
    return None


def observe(eyes: Eyes, rgb: Pixels, reference: Floats) -> tuple[Observation, ...]:
    """Three frames of a photo: itself, one grey level brighter (a new frame), and itself again (a repeated one)."""
    eyes.watch(reference[None])
    brighter = np.asarray(np.minimum(rgb, 254) + 1, np.uint8)
    frames = enumerate((rgb, brighter, rgb))
    seen = tuple(eyes.observe(Frame(number, (number + 1) * _FRAME_NS, picture)) for number, picture in frames)
    eyes.watch(None)
    return seen


def _describe(eyes: Eyes, rgb: Pixels) -> FaceDescription | None:
    return eyes.describe(Frame(0, 0, rgb))


def _near(found: Sequence[float], known: Sequence[float], most: float) -> bool:
    # Written so that a NaN is not near anything.
    return all(abs(a - b) <= most for a, b in zip(found, known, strict=True))


def _cosine(a: Floats, b: Floats) -> float:
    return float(a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9)
