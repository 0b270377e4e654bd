"""The manifest of the models: what each file is, where it comes from, what it takes and gives, how well it does.

`models/manifest.toml` is read at every start; an unknown key, a missing one or a wrong type is refused, because a
terminal that guesses about its models certifies the wrong person.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge.errors import ModelError
from edge.ports import NetSpec

FILE_NAME = "manifest.toml"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Version = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=64)]
Sentence = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Source(_Strict):
    """One file inside one registry package."""

    package: Sentence
    path: Sentence
    sha256: Sha256


class Input(_Strict):
    """What a model takes: real value = (pixel - mean) / std, then quantized where dtype is int8."""

    size_px: Annotated[int, Field(ge=16, le=1024)]
    channels: Literal["rgb", "bgr"]
    mean: float
    std: Annotated[float, Field(gt=0)]
    dtype: Literal["float32", "int8"]


class Output(_Strict):
    """One output: its name in the file's signature and its shape, batch included."""

    name: Identifier
    shape: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False, min_length=2)]


class Model(_Strict):
    """One model. `version` goes into rosters and results: embeddings of two versions are never compared."""

    name: Identifier
    version: Version
    task: Sentence
    file: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.tflite$")]
    sha256: Sha256
    bytes: Annotated[int, Field(gt=0)]
    licence: Sentence
    sources: Annotated[tuple[Source, ...], Field(strict=False, min_length=1)]
    input: Input
    outputs: Annotated[tuple[Output, ...], Field(strict=False, min_length=1)]
    quantization: Literal["int8", "weights_int8"]
    calibration: Sentence
    measured: Annotated[tuple[Sentence, ...], Field(strict=False, min_length=1)]
    weaknesses: Annotated[tuple[Sentence, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _output_names_are_unique(self) -> "Model":
        if len({output.name for output in self.outputs}) != len(self.outputs):
            raise ValueError("two outputs have the same name")
        return self

    def net_spec(self) -> NetSpec:
        """What an interpreter needs to know of this model."""
        return NetSpec(
            name=self.name,
            version=self.version,
            input_size_px=self.input.size_px,
            channels=self.input.channels,
            mean=self.input.mean,
            std=self.input.std,
            outputs=tuple(output.name for output in self.outputs),
        )


class Manifest(_Strict):
    """All models of a folder; `folder` is where they lie and is not part of the file."""

    schema_version: Literal[1]
    golden_face: Sentence
    golden_face_sha256: Sha256
    models: Annotated[tuple[Model, ...], Field(strict=False, min_length=1)]
    folder: Path

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Manifest":
        for what in ("name", "file", "version"):
            if len({getattr(model, what) for model in self.models}) != len(self.models):
                raise ValueError(f"two models have the same {what}")
        return self

    @property
    def total_bytes(self) -> int:
        return sum(model.bytes for model in self.models)

    def model(self, name: str) -> Model:
        """The model of that name; ModelError if there is none."""
        for model in self.models:
            if model.name == name:
                return model
        raise ModelError(f"the manifest in {self.folder} has no model named {name}; install Anxin's models again.")

    def path(self, model: Model) -> Path:
        return self.folder / model.file

    def net_specs(self) -> list[tuple[NetSpec, Path]]:
        """What to open: one (spec, file) for each model, in the manifest's order."""
        return [(model.net_spec(), self.path(model)) for model in self.models]

    def versions(self) -> dict[str, str]:
        """Version by name, as results, rosters and the status carry them."""
        return {model.name: model.version for model in self.models}


def load_manifest(folder: Path) -> Manifest:
    """The manifest of a folder of models. Raises ModelError with one sentence when it is missing or wrong."""
    path = folder / FILE_NAME
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise ModelError(
            f"the models' manifest {path} cannot be read ({error.strerror}); install Anxin's models again."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(
            f"the models' manifest {path} is damaged ({error}); install Anxin's models again."
        ) from error
    if "folder" in content:
        raise ModelError(f"the models' manifest {path} has an unknown key: folder.")
    try:
        return Manifest.model_validate({**content, "folder": folder})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise ModelError(
            f"the models' manifest {path} is not one this version can use: {where}: {first['msg']}"
        ) from error


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
