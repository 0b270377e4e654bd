"""Build every model from its packages, compare with what is shipped, and install the result if asked to.

Runs in the product's environment; TensorFlow and the quantizer run in subprocesses with environments of their own.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from edge.vision.manifest import load_manifest
from models import FOLDER
from models.builder import report, sources, stamp
from models.builder.environments import QUANTIZER, TENSORFLOW, ensure
from models.builder.errors import BuildError
from models.builder.fetch import downloader, fetch
from models.builder.recipes import RECIPES, Recipe


@dataclass(frozen=True)
class Folders:
    """Where a build keeps what: everything under one cache that can be deleted."""

    cache: Path

    @property
    def archives(self) -> Path:
        return self.cache / "archives"

    @property
    def inputs(self) -> Path:
        return self.cache / "inputs"

    @property
    def portraits(self) -> Path:
        return self.cache / "portraits"

    @property
    def float(self) -> Path:
        return self.cache / "float"

    @property
    def quantized(self) -> Path:
        return self.cache / "quantized"


def default_cache() -> Path:
    """~/.cache/anxin/models-build, or below XDG_CACHE_HOME."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "anxin" / "models-build"


def build(cache: Path, console: Console, *, install: bool, names: Sequence[str] = ()) -> report.BuildReport:
    """Make the models (all, or those named) and say how they compare with the shipped ones.

    With `install` the files, hashes, known answers and cards in the package are replaced; the written parts of the
    manifest are not. Raises BuildError when a package, a tool or a gate is not as it must be.
    """
    recipes = _chosen(names)
    folders = Folders(cache)
    with console.status("environments: TensorFlow 2.15 and the quantizer") as status:
        tensorflow = ensure(TENSORFLOW, cache)
        quantizer = ensure(QUANTIZER, cache)
        status.update("packages: fetching and checking their hashes")
        download = downloader(quantizer)
        fetch(sources.INPUTS, folders.archives, folders.inputs, download)
        fetch(sources.PORTRAITS, folders.archives, folders.portraits, download)
    job = _write_job(folders, recipes)
    # The detector and the mesh cut everybody's calibration crops, so their float files are always made.
    _stage(tensorflow, "stage_float", job, cache, console)
    _stage(quantizer, "stage_quantize", job, cache, console)
    made = report.collect(folders.float, folders.quantized, recipes, load_manifest(FOLDER))
    if install:
        _install(folders.quantized, recipes)
        stamp.stamp_all(FOLDER)
        report.write(made, FOLDER / "report.json")
    return made


def _chosen(names: Sequence[str]) -> tuple[Recipe, ...]:
    unknown = set(names) - {recipe.name for recipe in RECIPES}
    if unknown:
        raise BuildError(
            f"there is no recipe for {', '.join(sorted(unknown))}; there are {', '.join(r.name for r in RECIPES)}."
        )
    return tuple(recipe for recipe in RECIPES if not names or recipe.name in names)


def _write_job(folders: Folders, recipes: Sequence[Recipe]) -> Path:
    for folder in (folders.float, folders.quantized):
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
    wanted = {recipe.name for recipe in recipes}
    job = {
        "inputs": str(folders.inputs),
        "portraits": str(folders.portraits),
        "float": str(folders.float),
        "quantized": str(folders.quantized),
        "recipes": [recipe.as_json() for recipe in recipes],
        "eyes": [
            recipe.as_json()
            for recipe in RECIPES
            if recipe.name in ("face_detection", "face_landmarks") and recipe.name not in wanted
        ],
    }
    path = folders.cache / "job.json"
    path.write_text(json.dumps(job, indent=1))
    return path


def _stage(python: Path, stage: str, job: Path, cache: Path, console: Console) -> None:
    """Run one stage and pass its progress on; a gate's sentence becomes our error, anything else points to a log."""
    log = cache / f"{stage}.log"
    environment = {
        **os.environ,
        "PYTHONPATH": str(FOLDER.parent),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    command = [str(python), "-m", f"models.builder.{stage}", str(job)]
    with log.open("w") as errors, console.status(f"{stage}: starting") as status:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd=cache
        ) as process:
            last = ""
            for line in process.stdout or ():
                if line.startswith("| "):
                    last = line[2:].strip()
                    status.update(last)
                    console.log(last, highlight=False)
        if process.returncode == 3:
            raise BuildError(f"gate: {last}")
        if process.returncode != 0:
            raise BuildError(f"{stage} ended with exit code {process.returncode}; {log} says why.")


def _install(quantized: Path, recipes: Sequence[Recipe]) -> None:
    for recipe in recipes:
        if recipe.shipped:
            target = FOLDER / recipe.file
            shutil.copyfile(quantized / recipe.file, target)
            target.chmod(0o644)
