"""A writable copy of the shipped models, to damage."""

import shutil
from pathlib import Path

import pytest

from models import FOLDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped manifest, models and golden face in a folder of the test's own."""
    copy = tmp_path / "models"
    copy.mkdir()
    for pattern in ("manifest.toml", "*.tflite"):
        for path in FOLDER.glob(pattern):
            shutil.copyfile(path, copy / path.name)
    shutil.copytree(FOLDER / "golden", copy / "golden")
    return copy
