"""The builder's two Python environments: TensorFlow 2.15 needs numpy below 2, the quantizer what comes after it."""

import hashlib
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from models.builder.errors import BuildError
from models.builder.fetch import run

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
_STAMP = "requirements.sha256"


@dataclass(frozen=True)
class Environment:
    """A virtual environment made from one lock; `pythons` are the versions it was locked for, best first."""

    name: str
    lock: str
    pythons: tuple[str, ...]


TENSORFLOW = Environment("env-tf", "build-tf.txt", ("3.11",))
QUANTIZER = Environment("env-quant", "build-quant.txt", ("3.11",))


def ensure(environment: Environment, cache: Path) -> Path:
    """The environment's Python, made or made again when its lock changed. Raises BuildError when it cannot be."""
    lock = REQUIREMENTS / environment.lock
    if not lock.exists():
        raise BuildError(f"{lock} is missing: `anxin models build` runs in a clone of the repository.")
    stamp = hashlib.sha256(lock.read_bytes()).hexdigest()
    folder = cache / environment.name
    python = folder / "bin" / "python"
    if python.exists() and (folder / _STAMP).exists() and (folder / _STAMP).read_text() == stamp:
        return python
    if folder.exists():
        shutil.rmtree(folder)
    run([find_python(environment.pythons), "-m", "venv", str(folder)], f"{folder} could not be made")
    install = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
    run(install, f"the packages of {lock.name} could not be installed")
    (folder / _STAMP).write_text(stamp)
    return python


def find_python(versions: tuple[str, ...]) -> str:
    """A Python of one of these versions: this one, or one on the PATH that really starts."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" in versions:
        return sys.executable
    for version in versions:
        program = shutil.which(f"python{version}")
        if program and _version(program) == version:
            return program
    raise BuildError(
        f"TensorFlow 2.15 needs Python {' or '.join(versions)}, and none is on the PATH: install python{versions[0]}."
    )


def _version(program: str) -> str | None:
    """Major and minor version, or None when it is only a shim that starts nothing."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"Python (\d+\.\d+)", done.stdout)
    return match[1] if done.returncode == 0 and match else None
