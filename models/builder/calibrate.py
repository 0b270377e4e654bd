"""The crops that each model is calibrated on, made from portraits in registry packages: no research data.

Static quantization only needs the range of every activation, so a few faces in the light, size and pose that a
terminal sees are enough: for the embedding 100 such crops lost 0.05 points on LFW, no more than 100 crops of LFW
itself. Everything is drawn from one seed: the same packages give the same crops.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from models.builder import faces
from models.builder.faces import Face, Infer, Pixels

SAMPLES = 100
_BRIGHTNESS = (0.7, 1.0, 1.3)
_SMALLEST_FACE_PX = 50


def crops(portraits: Path, detect: Infer, mesh: Infer, seed: int = 20) -> dict[str, Pixels]:
    """Calibration crops for each input size by model name: uint8 (N, S, S, 3) RGB, N <= 100.

    `portraits` is a folder of pictures; `detect` and `mesh` are the float models.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, list[Pixels]] = {name: [] for name in MODELS}
    for picture in _pictures(portraits):
        for face in faces.detect(picture, detect, threshold=0.7):
            if face.box[2] - face.box[0] < _SMALLEST_FACE_PX:
                continue
            found["face_detection"] += _frames(picture, face, rng)
            found["face_landmarks"] += [_turned(picture, face, rng) for _ in range(3)]
            found["face_embedding"].append(faces.align(picture, faces.mesh(picture, face, mesh)))
            found["passive_liveness"] += [faces.liveness_crop(picture, face), *_printed(picture, face, rng)]
    return {name: _varied(pictures, rng) for name, pictures in found.items()}


MODELS = ("face_detection", "face_landmarks", "face_embedding", "passive_liveness")


def _pictures(folder: Path) -> Iterator[Pixels]:
    """Each picture, and overlapping tiles of a wide one: a group photograph has its faces small."""
    for path in sorted(folder.iterdir()):
        bgr = cv2.imread(str(path))
        if bgr is None:
            raise ValueError(f"{path.name} is no picture that OpenCV can read")
        picture = np.asarray(np.ascontiguousarray(bgr[:, :, ::-1]), np.uint8)
        height, width = picture.shape[:2]
        if width <= 1.2 * height:
            yield picture
            continue
        tile_height, tile_width = (height, width // 2) if width < 800 else (height // 2, width // 3)
        for top in range(0, height - tile_height + 1, max(tile_height // 2, 1)):
            for left in range(0, width - tile_width + 1, tile_width // 2):
                yield np.ascontiguousarray(picture[top : top + tile_height, left : left + tile_width])


def _frames(picture: Pixels, face: Face, rng: np.random.Generator) -> list[Pixels]:
    """The face in a camera's frame of 4:3, near and far, anywhere: what the detector's 128 pixels show."""
    frames = []
    for part in (0.15, 0.3, 0.5):
        scale = part * 640 / float(face.box[2] - face.box[0])
        centre = (face.box[:2] + face.box[2:]) / 2 * scale
        shift = np.array([320, 240]) + rng.uniform(-60, 60, 2) - centre
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        frame = cv2.warpAffine(picture, matrix, (640, 480), borderMode=cv2.BORDER_REFLECT_101)
        square = faces.detection_input(np.asarray(frame, np.uint8))[0] * 127.5 + 127.5
        frames.append(np.clip(np.round(square), 0, 255).astype(np.uint8))
    return frames


def _turned(picture: Pixels, face: Face, rng: np.random.Generator) -> Pixels:
    """A landmark crop whose box is a little off, as a detector's is."""
    size = float(face.box[2] - face.box[0])
    box = (face.box + rng.normal(0, 0.04 * size, 4)).astype(np.float32)
    return faces.landmarks_crop(picture, Face(box, face.points, face.score))[0]


def _printed(picture: Pixels, face: Face, rng: np.random.Generator) -> list[Pixels]:
    """The portrait as a presentation attack: flat contrast, white border, tilted, held before something plain."""
    height, width = picture.shape[:2]
    flat = 60 + picture.astype(np.float32) * 0.6
    above, beside = int(0.06 * height), int(0.06 * width)
    white = (235, 235, 235)
    sheet = cv2.copyMakeBorder(flat, above, above, beside, beside, cv2.BORDER_CONSTANT, value=white)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    tilt = corners * 0.7 + 0.15 + rng.uniform(-0.05, 0.05, (4, 2))
    size = np.array([width, height], np.float32)
    matrix = cv2.getPerspectiveTransform(
        (corners * sheet.shape[1::-1]).astype(np.float32), (tilt * size).astype(np.float32)
    )
    room = np.full((height, width, 3), rng.uniform(60, 180, 3), np.float32)
    room += rng.normal(0, 6, room.shape)
    cover = cv2.warpPerspective(np.ones(sheet.shape, np.float32), matrix, (width, height))
    scene = room * (1 - cover) + cv2.warpPerspective(sheet, matrix, (width, height)) * cover
    shot = np.clip(scene, 0, 255).astype(np.uint8)
    margin = 0.06 * np.tile([width, height], 2)
    corners_of_face = (face.box + margin).reshape(2, 1, 2).astype(np.float32)
    low, high = cv2.perspectiveTransform(corners_of_face, matrix)[:, 0]
    if min(high - low) < 1:
        return []
    return [faces.liveness_crop(shot, Face(np.concatenate([low, high]), face.points, face.score))]


def _varied(pictures: list[Pixels], rng: np.random.Generator) -> Pixels:
    """Every crop and its mirror image in three brightnesses, shuffled, the first hundred."""
    if not pictures:
        raise ValueError("no face was found in the portraits: the calibration cannot go on")
    both = [version for crop in pictures for version in (crop, crop[:, ::-1])]
    varied = [np.clip(crop.astype(np.float32) * b, 0, 255).astype(np.uint8) for crop in both for b in _BRIGHTNESS]
    return np.stack([varied[i] for i in rng.permutation(len(varied))[:SAMPLES]])
