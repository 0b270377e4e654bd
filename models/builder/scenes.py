"""Write down what the eyes say to the golden photos: `golden/scenes.json`, checked at every start.

Run after anything that changes what the eyes measure (models, alignment, fusion), and look at the difference:
    python -m models.builder.scenes
"""

from pathlib import Path

import cv2
import numpy as np

from edge.adapters.tflite import TfliteNet
from edge.ports import Floats, Frame, Pixels
from edge.vision.golden import SCENES_NAME, GoldenTest, Scene, Scenes, observe
from edge.vision.manifest import load_manifest, sha256_of
from edge.vision.pipeline import Eyes, FaceDescription
from models import FOLDER

PHOTOS = ("scene.jpg", "other.jpg")


def stamp_scenes(folder: Path) -> str | None:
    """Let the eyes on the models of ``folder`` describe the golden photos and write it down.

    Returns what the new file's own test says: None when it passes.
    """
    manifest = load_manifest(folder)
    nets = {spec.name: TfliteNet(spec, file) for spec, file in manifest.net_specs()}
    first, second = (_scene(folder, name, Eyes(nets)) for name in PHOTOS)
    text = Scenes(scenes=(first, second)).model_dump_json()
    (folder / SCENES_NAME).write_text(text.replace('],"', '],\n"').replace("{", "{\n") + "\n", encoding="utf-8")
    return GoldenTest(folder).fault(nets)


def _scene(folder: Path, name: str, eyes: Eyes) -> Scene:
    path = (folder / SCENES_NAME).parent / name
    rgb: Pixels = np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])
    seen = _described(eyes, rgb, name)
    swapped = _described(eyes, np.ascontiguousarray(rgb[:, :, ::-1]), name)
    passives = [one.passive for one in observe(eyes, rgb, seen.embedding) if one.passive is not None]
    if not passives or min(passives) < 0.5:
        raise ValueError(f"the passive net takes the golden photo {name} for an attack; it cannot be tested with it")
    return Scene(
        file=name,
        sha256=sha256_of(path),
        face_x=round(seen.figures.face_x, 4),
        face_y=round(seen.figures.face_y, 4),
        face_width=round(seen.figures.face_width, 4),
        yaw_deg=round(seen.yaw_deg, 2),
        pitch_deg=round(seen.pitch_deg, 2),
        roll_deg=round(seen.roll_deg, 2),
        passive=round(sum(passives) / len(passives), 3),
        embedding=_rounded(seen.embedding),
        swapped=_rounded(swapped.embedding),
    )


def _described(eyes: Eyes, rgb: Pixels, name: str) -> FaceDescription:
    seen = eyes.describe(Frame(0, 0, rgb))
    if seen is None:
        raise ValueError(f"the eyes find no face in the golden photo {name}")
    return seen


def _rounded(embedding: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in embedding)


if __name__ == "__main__":
    fault = stamp_scenes(FOLDER)
    print(fault or f"{FOLDER / SCENES_NAME} is written, and the eyes pass it.")
    raise SystemExit(fault is not None)
