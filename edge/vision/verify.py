"""Check the models before anybody is certified with them: hashes, then an inference whose answer is known.

A changed runtime, a bad conversion or a half-written SD card can leave models that load, run, and give one embedding
for everybody. Every start runs this on a public-domain face; a terminal that fails it refuses to certify. When every
net answers as it should, the whole path does as well (`edge.vision.golden`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.errors import ModelError
from edge.ports import Floats, Net, NetSpec, Pixels
from edge.vision.golden import GoldenTest
from edge.vision.manifest import Manifest, Model, load_manifest, sha256_of

ANSWERS_NAME = "golden/answers.json"

# Upside down, the golden face is another input to every model. The cosine of the two embeddings is 0.2 to 0.3 with a
# sound file and runtime; one embedding for everybody (tensorflow #60653) gives 1.
MOST_ALIKE = 0.9
REMEDY = "install Anxin's models again."


class KnownAnswer(BaseModel):
    """What one output says to the golden face at some flat positions, and how far off it may be.

    `cosine`: the values at these positions as one vector, tolerance = 1 - least cosine. `absolute`: each value by
    itself, tolerance in the output's unit. Tolerances cover one kernel against another (x86, ARM, LiteRT,
    tflite-runtime), not another file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    output: str
    measure: Literal["cosine", "absolute"]
    at: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False, min_length=1)]
    values: Annotated[tuple[float, ...], Field(strict=False, min_length=1)]
    tolerance: Annotated[float, Field(gt=0)]


class KnownAnswers(BaseModel):
    """The answers of every model by its name, for the files whose hashes the manifest pins."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    models: dict[str, Annotated[tuple[KnownAnswer, ...], Field(strict=False, min_length=1)]]


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """One model's verdict; `sentence` says what is wrong and what to do, or that it answers as it should."""

    name: str
    version: str
    bytes: int
    ok: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The verdict on a folder of models, and on the eyes that they make together."""

    models: tuple[ModelCheck, ...]
    eyes_fault: str | None = None
    """Why the whole path cannot be believed; None also when it was not asked, because a model failed."""

    @property
    def ok(self) -> bool:
        return self.eyes_fault is None and all(model.ok for model in self.models)

    @property
    def sentence(self) -> str:
        """The first thing that is wrong, or that all is well."""
        wrong = [model for model in self.models if not model.ok]
        if wrong:
            return wrong[0].sentence
        return self.eyes_fault or f"{len(self.models)} of {len(self.models)} models answer as they should."


class KnownAnswerTest:
    """The test of a folder of models; reads what it compares with once, so that it can be repeated while they run."""

    def __init__(self, folder: Path) -> None:
        """Raises ModelError when there is no usable manifest, golden face or list of answers to check against."""
        self._folder = folder
        self._manifest = load_manifest(folder)
        self._face = golden_face(self._manifest)
        self._answers = _known_answers(folder)
        self._golden: GoldenTest | None = None

    def open(self, open_net: Callable[[NetSpec, Path], Net]) -> VerifyReport:
        """Hash, shapes and answers of every file, each opened with ``open_net``; then the eyes as a whole."""
        nets: dict[str, Net] = {}

        def keep(spec: NetSpec, file: Path) -> Net:
            nets[spec.name] = open_net(spec, file)
            return nets[spec.name]

        checks = (_check(self._manifest, model, self._face, self._answers, keep) for model in self._manifest.models)
        return self._with_eyes(tuple(checks), nets)

    def again(self, nets: Mapping[str, Net]) -> VerifyReport:
        """The same for nets that are open, without the files' hashes.  For the thread that uses the nets."""
        checks = []
        for model in self._manifest.models:
            fault = _answer_fault(model, self._face, self._answers.get(model.name, ()), nets[model.name])
            checks.append(_verdict(model, fault))
        return self._with_eyes(tuple(checks), nets)

    def _with_eyes(self, checks: tuple[ModelCheck, ...], nets: Mapping[str, Net]) -> VerifyReport:
        if not all(check.ok for check in checks):
            return VerifyReport(checks)
        try:
            self._golden = self._golden or GoldenTest(self._folder)
        except ModelError as error:
            return VerifyReport(checks, str(error))
        return VerifyReport(checks, self._golden.fault(nets))


def verify(folder: Path, open_net: Callable[[NetSpec, Path], Net]) -> VerifyReport:
    """Check every model of a folder (hash, shapes, known answer, that it tells two inputs apart) and the whole path.

    `open_net` opens a model; an opener that keeps what it opened saves a start from opening everything twice.
    Raises ModelError when there is no usable manifest, golden face or list of answers to check against.
    """
    return KnownAnswerTest(folder).open(open_net)


def golden_face(manifest: Manifest) -> Pixels:
    """The golden face, RGB uint8 (H, W, 3). Raises ModelError when it is missing or not the pinned one."""
    path = manifest.folder / manifest.golden_face
    try:
        if sha256_of(path) != manifest.golden_face_sha256:
            raise ModelError(f"the golden face {path} is not the one the manifest names; {REMEDY}")
    except OSError as error:
        raise ModelError(f"the golden face {path} cannot be read ({error.strerror}); {REMEDY}") from error
    bgr = cv2.imread(str(path))
    if bgr is None:
        raise ModelError(f"the golden face {path} cannot be decoded; {REMEDY}")
    return np.ascontiguousarray(bgr[:, :, ::-1])


def golden_crop(face: Pixels, size_px: int) -> Pixels:
    """What every model is shown: the golden face at its input size, RGB uint8 (S, S, 3)."""
    return np.asarray(cv2.resize(face, (size_px, size_px), interpolation=cv2.INTER_LINEAR), np.uint8)


def _known_answers(folder: Path) -> dict[str, tuple[KnownAnswer, ...]]:
    path = folder / ANSWERS_NAME
    try:
        return KnownAnswers.model_validate_json(path.read_bytes()).models
    except OSError as error:
        raise ModelError(f"the known answers {path} cannot be read ({error.strerror}); {REMEDY}") from error
    except ValidationError as error:
        raise ModelError(f"the known answers {path} are damaged; {REMEDY}") from error


def _check(
    manifest: Manifest,
    model: Model,
    face: Pixels,
    answers: dict[str, tuple[KnownAnswer, ...]],
    open_net: Callable[[NetSpec, Path], Net],
) -> ModelCheck:
    fault = file_fault(manifest, model)
    if fault is None:
        try:
            fault = _answer_fault(
                model, face, answers.get(model.name, ()), open_net(model.net_spec(), manifest.path(model))
            )
        except ModelError as error:
            fault = str(error)
    return _verdict(model, fault)


def _verdict(model: Model, fault: str | None) -> ModelCheck:
    sentence = fault or f"{model.name} ({model.version}) answers as it should."
    return ModelCheck(model.name, model.version, model.bytes, fault is None, sentence)


def file_fault(manifest: Manifest, model: Model) -> str | None:
    """Why the model's file is not the one that the manifest names, or None."""
    path = manifest.path(model)
    try:
        size = path.stat().st_size
        if size != model.bytes:
            return f"{path} has {size} bytes instead of {model.bytes}; {REMEDY}"
        if sha256_of(path) != model.sha256:
            return f"{path} is not the file the manifest names (its SHA-256 differs); {REMEDY}"
    except OSError as error:
        return f"{path} cannot be read ({error.strerror}); {REMEDY}"
    return None


def _answer_fault(model: Model, face: Pixels, known: tuple[KnownAnswer, ...], net: Net) -> str | None:
    """Why the model's answers to the golden face cannot be trusted, or None."""
    if not known:
        return f"{model.name} has no known answer to be checked against; {REMEDY}"
    crop = golden_crop(face, model.input.size_px)
    outputs = net.run(crop)
    shapes = tuple(output.shape for output in outputs)
    if shapes != tuple(output.shape for output in model.outputs):
        return f"{model.name} answers in other shapes than the manifest names; {REMEDY}"
    if not all(bool(np.isfinite(output).all()) for output in outputs):
        return f"{model.name} answers with numbers that are none; {REMEDY}"
    names = [output.name for output in model.outputs]
    for answer in known:
        if answer.output not in names or not _as_known(outputs[names.index(answer.output)], answer):
            return f"{model.name} does not give its known answer ({answer.output}); {REMEDY}"
    other = net.run(np.ascontiguousarray(crop[::-1]))
    if all(np.allclose(a, b, atol=1e-3) for a, b in zip(outputs, other, strict=True)):
        return f"{model.name} gives one answer to two different pictures; {REMEDY}"
    if (
        "embedding" in names
        and _cosine(outputs[names.index("embedding")], other[names.index("embedding")]) > MOST_ALIKE
    ):
        return f"{model.name} gives nearly one embedding for two different faces; {REMEDY}"
    return None


def _as_known(output: Floats, answer: KnownAnswer) -> bool:
    flat = output.reshape(-1)
    if max(answer.at) >= flat.size or len(answer.at) != len(answer.values):
        return False
    found, expected = flat[list(answer.at)], np.array(answer.values, np.float32)
    if answer.measure == "cosine":
        return _cosine(found, expected) >= 1 - answer.tolerance
    return bool(np.abs(found - expected).max() <= answer.tolerance)


def _cosine(a: Floats, b: Floats) -> float:
    x, y = a.reshape(-1).astype(np.float64), b.reshape(-1).astype(np.float64)
    norm = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / norm if norm > 0 else 0.0
