"""Write what a build made into the package: files, their hashes in the manifest, the golden answers, the cards."""

import re
from pathlib import Path

import numpy as np

from edge.adapters.tflite import TfliteNet
from edge.ports import Floats
from edge.vision.manifest import FILE_NAME, load_manifest, sha256_of
from edge.vision.verify import ANSWERS_NAME, KnownAnswer, KnownAnswers, golden_crop, golden_face
from models.builder.errors import BuildError
from models.builder.scenes import stamp_scenes
from models.cards import card

# How far another interpreter may be off on the golden face, in the output's own unit (pixels of the crop, logits).
# Measured between LiteRT 2.3 and tflite-runtime 2.14, x86 and emulated Cortex-A72 and A76: 0.0001 for the models that
# compute in float, a cosine of 0.989 for the embedding. Another file of the same shape is off by many times as much.
_TOLERANCES = {"boxes": 2.0, "scores": 1.0, "points": 2.0, "presence": 3.0, "logits": 0.5, "embedding": 0.05}
_POSITIONS = 24


def stamp_all(folder: Path) -> None:
    """Hashes into the manifest, then what depends on them: the known answers, the golden scenes and the cards.

    Raises BuildError when the eyes on these models fail their own golden test.
    """
    stamp_manifest(folder)
    stamp_answers(folder)
    if (fault := stamp_scenes(folder)) is not None:
        raise BuildError(f"what was installed cannot be used: {fault}")
    stamp_cards(folder)


def stamp_manifest(folder: Path) -> None:
    """Set `sha256` and `bytes` of every model, and the golden face's hash, to what lies in the folder.

    Edits the text, so that the comments and the order of a file written by hand survive.
    """
    path = folder / FILE_NAME
    text = path.read_text(encoding="utf-8")
    golden = re.search(r'^golden_face = "(.+)"$', text, re.MULTILINE)
    if golden is None:
        raise ValueError(f"{path} names no golden face")
    text = re.sub(
        r'^golden_face_sha256 = ".*"$',
        f'golden_face_sha256 = "{sha256_of(folder / golden[1])}"',
        text,
        flags=re.MULTILINE,
    )

    def fresh(match: re.Match[str]) -> str:
        file = folder / match[1]
        return f'file = "{match[1]}"\nsha256 = "{sha256_of(file)}"\nbytes = {file.stat().st_size}\n'

    text = re.sub(r'^file = "(.+)"\nsha256 = ".*"\nbytes = \d+\n', fresh, text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")


def stamp_answers(folder: Path) -> None:
    """Let every model say its answer to the golden face, and write them down."""
    manifest = load_manifest(folder)
    face = golden_face(manifest)
    answers = {}
    for model in manifest.models:
        net = TfliteNet(model.net_spec(), manifest.path(model))
        outputs = dict(zip(net.spec.outputs, net.run(golden_crop(face, model.input.size_px)), strict=True))
        answers[model.name] = tuple(_answer(name, values, outputs) for name, values in outputs.items())
    text = KnownAnswers(models=answers).model_dump_json(indent=1)
    (folder / ANSWERS_NAME).write_text(text + "\n", encoding="utf-8")


def stamp_cards(folder: Path) -> None:
    """Write a card for each model of the manifest."""
    for model in load_manifest(folder).models:
        path = folder / "cards" / f"{model.name}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(card(model), encoding="utf-8")


def _answer(name: str, values: Floats, outputs: dict[str, Floats]) -> KnownAnswer:
    flat = values.reshape(-1)
    at = _positions(name, flat.size, outputs)
    return KnownAnswer(
        output=name,
        measure="cosine" if name == "embedding" else "absolute",
        at=tuple(at),
        values=tuple(round(float(flat[i]), 4) for i in at),
        tolerance=_TOLERANCES[name],
    )


def _positions(name: str, size: int, outputs: dict[str, Floats]) -> list[int]:
    """All of a short output, an even choice of a long one; of the detector, what its best candidate says."""
    if "scores" in outputs:
        best = int(outputs["scores"].argmax())
        return [best] if name == "scores" else list(range(16 * best, 16 * best + 16))
    if size <= _POSITIONS:
        return list(range(size))
    if name == "points":
        # x and y of evenly chosen points; depth is the model's weakest guess.
        points = np.linspace(0, size // 3 - 1, _POSITIONS // 2).round().astype(int)
        return sorted(int(3 * point + axis) for point in points for axis in (0, 1))
    return [int(i) for i in np.linspace(0, size - 1, 2 * _POSITIONS).round()]
