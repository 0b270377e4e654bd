"""The simulator's faces: portraits in the public domain, found in packages, checked by hash, never copied here.

`collins` and `hopper` are data files of scikit-image and matplotlib (the extra ``sim``).  The White House photos
lie in the source package of face_recognition 1.3.0, of which only the pictures are unpacked, into
``~/.cache/anxin/portraits`` (``ANXIN_CACHE`` moves ``~/.cache/anxin``).  The outlines below were drawn by us.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.errors import ToolError
from edge.ports import Pixels

SDIST = "face_recognition-1.3.0"
SDIST_SHA256 = "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec"

Outline = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Portrait:
    """One photo: where it is, its hash, where its face is, and the outline of its person.

    ``package`` is an importable package that carries ``path``, or None for the source package.  The face's
    centre and width (as the detector boxes it) are in the photo's pixels; the outline is in face widths from
    that centre, x to the right and y down.
    """

    name: str
    package: str | None
    path: str
    sha256: str
    face_x_px: float
    face_y_px: float
    face_width_px: float
    outline: Outline
    credit: str


_OBAMA = (
    (-1.55, 3.0), (-1.60, 2.5), (-1.40, 1.9), (-1.25, 1.4), (-1.17, 1.1), (-1.08, 0.88), (-0.75, 0.75),
    (-0.45, 0.6), (-0.33, 0.42), (-0.35, 0.15), (-0.47, 0.02), (-0.55, -0.15), (-0.53, -0.28), (-0.48, -0.35),
    (-0.47, -0.5), (-0.36, -0.75), (-0.2, -0.88), (0.0, -0.92), (0.2, -0.88), (0.36, -0.76), (0.5, -0.5),
    (0.52, -0.32), (0.57, -0.25), (0.53, -0.05), (0.45, 0.07), (0.42, 0.15), (0.38, 0.3), (0.36, 0.38),
    (0.5, 0.52), (0.9, 0.66), (1.15, 0.8), (1.28, 0.95), (1.3, 1.3), (1.25, 2.0), (1.15, 2.6), (0.98, 2.9),
    (0.98, 3.0),
)  # fmt: skip
_OBAMA3 = (
    (-1.15, 3.0), (-1.45, 2.8), (-1.62, 2.3), (-1.6, 2.0), (-1.5, 1.4), (-1.38, 0.97), (-1.25, 0.88), (-0.8, 0.8),
    (-0.55, 0.68), (-0.43, 0.5), (-0.38, 0.4), (-0.38, 0.15), (-0.5, 0.1), (-0.57, -0.03), (-0.57, -0.18),
    (-0.48, -0.2), (-0.47, -0.4), (-0.38, -0.6), (-0.2, -0.74), (0.03, -0.79), (0.22, -0.73), (0.38, -0.58),
    (0.45, -0.4), (0.44, -0.1), (0.47, -0.05), (0.45, 0.08), (0.4, 0.22), (0.33, 0.38), (0.24, 0.5), (0.25, 0.6),
    (0.45, 0.75), (0.95, 0.92), (1.13, 1.0), (1.2, 1.4), (1.3, 1.9), (1.4, 2.2), (1.2, 2.7), (1.0, 2.8), (1.0, 3.0),
)  # fmt: skip
_BIDEN = (
    (-1.45, 3.0), (-1.62, 2.4), (-1.7, 1.8), (-1.68, 1.0), (-1.6, 0.7), (-1.2, 0.6), (-0.8, 0.53), (-0.57, 0.38),
    (-0.5, 0.25), (-0.5, 0.03), (-0.6, 0.0), (-0.62, -0.35), (-0.6, -0.5), (-0.55, -0.75), (-0.35, -0.92),
    (-0.1, -0.99), (0.15, -0.95), (0.35, -0.85), (0.47, -0.7), (0.54, -0.45), (0.53, -0.25), (0.45, -0.05),
    (0.43, 0.1), (0.35, 0.2), (0.25, 0.4), (0.17, 0.5), (0.2, 0.6), (0.5, 0.78), (0.9, 0.95), (1.05, 1.2),
    (1.15, 1.6), (1.2, 1.75), (1.2, 2.45), (0.95, 2.55), (0.75, 2.5), (0.7, 3.0),
)  # fmt: skip
_COLLINS = (
    (-2.3, 3.0), (-2.15, 2.4), (-2.0, 1.75), (-1.8, 1.4), (-1.6, 1.15), (-1.2, 0.85), (-1.15, 0.65), (-1.08, 0.45),
    (-0.95, 0.3), (-0.75, 0.22), (-0.45, 0.22), (-0.43, 0.03), (-0.5, 0.0), (-0.6, -0.15), (-0.73, -0.35),
    (-0.77, -0.6), (-0.7, -0.8), (-0.45, -1.0), (-0.25, -1.15), (0.0, -1.2), (0.3, -1.15), (0.55, -1.0),
    (0.72, -0.75), (0.82, -0.5), (0.78, -0.25), (0.68, -0.1), (0.55, 0.05), (0.47, 0.1), (0.4, 0.3), (0.32, 0.48),
    (0.55, 0.6), (0.75, 0.9), (0.83, 1.15), (1.1, 1.3), (1.3, 1.6), (1.4, 2.1), (1.5, 2.4), (1.5, 3.0),
)  # fmt: skip
_HOPPER = (
    (-1.27, 1.8), (-1.25, 1.5), (-1.2, 1.1), (-1.12, 0.75), (-1.02, 0.65), (-0.7, 0.58), (-0.45, 0.45),
    (-0.3, 0.33), (-0.42, 0.23), (-0.52, 0.1), (-0.52, -0.05), (-0.55, -0.15), (-0.51, -0.25), (-0.51, -0.42),
    (-0.55, -0.5), (-0.55, -0.65), (-0.45, -0.85), (-0.3, -1.0), (-0.05, -1.1), (0.2, -1.04), (0.38, -0.9),
    (0.45, -0.78), (0.52, -0.7), (0.5, -0.4), (0.55, -0.3), (0.52, -0.05), (0.5, 0.1), (0.47, 0.2), (0.38, 0.3),
    (0.33, 0.38), (0.55, 0.5), (0.9, 0.65), (1.12, 0.72), (1.2, 1.0), (1.22, 1.8),
)  # fmt: skip

PORTRAITS = {
    portrait.name: portrait
    for portrait in (
        Portrait(
            "collins", "skimage", "data/astronaut.png",
            "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
            225, 128, 94, _COLLINS, "Eileen Collins, NASA",
        ),
        Portrait(
            "hopper", "matplotlib", "mpl-data/sample_data/grace_hopper.jpg",
            "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
            267, 244, 200, _HOPPER, "Grace Hopper, US Navy",
        ),
        Portrait(
            "obama", None, "obama.jpg", "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
            486, 280, 274, _OBAMA, "Barack Obama, White House",
        ),
        Portrait(
            "obama2", None, "obama2.jpg", "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
            339.5, 450.5, 303, (), "Barack Obama, White House",
        ),
        Portrait(
            "obama3", None, "obama3.jpg", "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3",
            769.5, 476, 325.5, _OBAMA3, "Barack Obama, White House",
        ),
        Portrait(
            "biden", None, "biden.jpg", "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
            581, 411.5, 322, _BIDEN, "Joe Biden, White House",
        ),
    )
}  # fmt: skip


def cache_dir() -> Path:
    """``$ANXIN_CACHE/portraits``, else ``~/.cache/anxin/portraits``; not made here."""
    return Path(os.environ.get("ANXIN_CACHE") or Path.home() / ".cache" / "anxin") / "portraits"


def file_of(portrait: Portrait) -> Path:
    """Where the photo's file should be; it need not exist."""
    if portrait.package is None:
        return cache_dir() / portrait.path
    spec = importlib.util.find_spec(portrait.package)
    if spec is None or not spec.submodule_search_locations:
        raise ToolError(f"The portrait `{portrait.name}` is data of {portrait.package}: install the extra `sim`.")
    return Path(spec.submodule_search_locations[0]) / portrait.path


def verified(name: str) -> Path:
    """The photo's file, its hash checked.  Raises `ToolError`, in one sentence, when it is absent or altered."""
    portrait = PORTRAITS.get(name)
    if portrait is None:
        raise ToolError(f"There is no portrait `{name}`; there are {', '.join(PORTRAITS)}.")
    file = file_of(portrait)
    if not file.is_file():
        raise ToolError(
            f"The portrait `{name}` is not here: run `anxin sim portraits` (needs the package index once)."
        )
    if hashlib.sha256(file.read_bytes()).hexdigest() != portrait.sha256:
        raise ToolError(f"{file} is not the portrait that was measured: remove it and run `anxin sim portraits`.")
    return file


def pixels(name: str) -> Pixels:
    """The photo as RGB uint8 (H, W, 3).  Raises `ToolError` as `verified` does."""
    raw = _without_profile(verified(name).read_bytes())
    picture = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR)
    return np.ascontiguousarray(picture[:, :, ::-1])


def available() -> list[str]:
    """The portraits that are here and unaltered."""
    found = []
    for name in PORTRAITS:
        try:
            verified(name)
        except ToolError:
            continue
        found.append(name)
    return found


def fetch(archive: Path | None = None) -> list[str]:
    """Make all portraits available and return their names; downloads the source package at most once.

    ``archive`` is the source package if it is already on this machine.  Raises `ToolError` in one sentence.
    """
    wanted = [p for p in PORTRAITS.values() if p.package is None]
    if any(p.name not in available() for p in wanted):
        with tempfile.TemporaryDirectory(prefix="anxin-portraits-") as folder:
            _unpack(archive or _download(Path(folder)), wanted)
    for name in PORTRAITS:
        verified(name)
    return list(PORTRAITS)


def _without_profile(raw: bytes) -> bytes:
    """A PNG without its colour profile, so that libpng has nothing to warn about; anything else as it is."""
    if not raw.startswith(b"\x89PNG\r\n\x1a\n"):
        return raw
    kept, at = [raw[:8]], 8
    while at < len(raw):
        end = at + 12 + int.from_bytes(raw[at : at + 4], "big")
        if raw[at + 4 : at + 8] != b"iCCP":
            kept.append(raw[at:end])
        at = end
    return b"".join(kept)


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", SDIST.replace("-", "=="), "--no-deps", "--no-binary",
               "face-recognition", "--disable-pip-version-check", "-q", "-d", str(folder)]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"pip could not be run to fetch {SDIST} ({error}).") from None
    archive = folder / f"{SDIST}.tar.gz"
    if done.returncode != 0 or not archive.is_file():
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ToolError(
            f"The portraits' package {SDIST} could not be fetched ({reason}); check the network, run again."
        )
    return archive


def _unpack(archive: Path, wanted: list[Portrait]) -> None:
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SDIST_SHA256:
        raise ToolError(
            f"{archive.name} is not the file that was measured (its SHA-256 differs); nothing was unpacked."
        )
    folder = cache_dir()
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        for portrait in wanted:
            member = tar.extractfile(f"{SDIST}/tests/test_images/{portrait.path}")
            if member is None:
                raise ToolError(f"{archive.name} holds no {portrait.path}.")
            part = folder / f".{portrait.path}.part"
            part.write_bytes(member.read())
            part.rename(folder / portrait.path)
