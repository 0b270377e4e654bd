"""What the tests of `anxin models evaluate` share: the command itself, and pictures on disk."""

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models import cli


def anxin_models(*words: str | Path) -> int:
    parser = argparse.ArgumentParser(prog="anxin models")
    cli.add_arguments(parser)
    return cli.main(parser.parse_args([str(word) for word in words]))


def save(file: Path, rgb: np.ndarray[Any, Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(file), np.ascontiguousarray(rgb[:, :, ::-1]))
    return file
