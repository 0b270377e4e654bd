"""The composition root: where adapters, eyes, loops and settings meet.  Only ``*_main`` modules are its likes."""

from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path

import cv2

from edge.adapters.tflite import TfliteNet
from edge.errors import ModelError
from edge.ports import Net, NetSpec
from edge.vision.manifest import Manifest, load_manifest
from edge.vision.pipeline import Eyes
from edge.vision.verify import KnownAnswerTest, VerifyReport, verify


def models_folder(folder: Path | None = None) -> Path:
    """The folder of the models: the given one, or that of the installed package."""
    return folder if folder is not None else Path(str(files("models")))


def open_net(spec: NetSpec, file: Path) -> Net:
    """One model on one thread: on a loaded two-core machine two threads are slower (design/models.md).

    OpenCV, which cuts the models' crops, gains nothing by a second one either, and the page needs a core, too.
    """
    cv2.setNumThreads(1)
    return TfliteNet(spec, file, threads=1)


def open_nets(folder: Path | None = None) -> dict[str, Net]:
    """The models by name, without verifying them; raises `ModelError` when one is missing or damaged."""
    return {spec.name: open_net(spec, file) for spec, file in manifest(folder).net_specs()}


def manifest(folder: Path | None = None) -> Manifest:
    """The manifest of the models' folder; raises `ModelError`."""
    return load_manifest(models_folder(folder))


def open_verified(folder: Path | None = None) -> tuple[VerifyReport, dict[str, Net], Callable[[], VerifyReport]]:
    """The models, each opened once, whether hashes and known answers are right, and how to ask the answers again.

    Raises `ModelError` when the manifest or a file is missing; what is there and wrong is the report's to say.
    """
    for _, file in manifest(folder).net_specs():
        if not file.exists():
            raise ModelError(f"the model {file} is missing; install Anxin's models again.")
    nets: dict[str, Net] = {}

    def keep(spec: NetSpec, file: Path) -> Net:
        nets[spec.name] = open_net(spec, file)
        return nets[spec.name]

    test = KnownAnswerTest(models_folder(folder))
    return test.open(keep), nets, lambda: test.again(nets)


def verify_models(folder: Path | None = None) -> VerifyReport:
    """Hashes and known answers of all models, for those who only ask; raises `ModelError` without a manifest."""
    return verify(models_folder(folder), open_net)


def open_eyes(folder: Path | None = None) -> Eyes:
    """Eyes on the models of ``folder``, which are believed as they are."""
    return Eyes(open_nets(folder))


def versions(folder: Path | None = None) -> Mapping[str, str]:
    """The version id of each model, as results and rosters name them."""
    return manifest(folder).versions()
