"""Files that a technician's tool leaves behind: whole or not at all, with the mode they need."""

import os
import secrets
from pathlib import Path

from edge.errors import StateError

PRIVATE = 0o600
PUBLIC = 0o644


def write(path: Path, content: bytes | str, *, mode: int = PUBLIC) -> bool:
    """Make ``path`` hold ``content`` with ``mode``; False when it did already.  Never leaves half a file.

    Raises `StateError` when the folder cannot be written.
    """
    raw = content.encode() if isinstance(content, str) else content
    try:
        if path.is_file() and path.read_bytes() == raw and path.stat().st_mode & 0o777 == mode:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StateError(
            f"{path} cannot be written ({error.strerror}); check the folder's owner and space."
        ) from None
    return True


def read(path: Path) -> bytes:
    """The content of ``path``; raises `StateError` with what to do when it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise StateError(f"{path} is missing; run `anxin provision dev` on this site again.") from None
    except OSError as error:
        raise StateError(f"{path} cannot be read ({error.strerror}); check its owner and mode.") from None


def folder(path: Path, *, mode: int = 0o755) -> Path:
    """Make a folder with ``mode`` where there is none; an existing one keeps its own."""
    if not path.is_dir():
        try:
            path.mkdir(parents=True, mode=mode)
            path.chmod(mode)
        except OSError as error:
            raise StateError(f"{path} cannot be made ({error.strerror}); choose another folder.") from None
    return path
