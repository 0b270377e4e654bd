"""Write what a build made into the package: files, their hashes in the manifest, the golden answers, the cards."""

import re
from pathlib import Path

from edge.vision.manifest import FILE_NAME, sha256_of


def stamp_manifest(folder: Path) -> None:
    """Set `sha256` and `bytes` of every model, and the golden face's hash, to what lies in the folder.

    Edits the text, so that the comments and the order of a file written by hand survive.
    """
    path = folder / FILE_NAME
    text = path.read_text(encoding="utf-8")
    golden = re.search(r'^golden_face = "(.+)"$', text, re.MULTILINE)
    if golden is None:
        raise ValueError(f"{path} names no golden face")
    text = re.sub(
        r'^golden_face_sha256 = ".*"$', f'golden_face_sha256 = "{sha256_of(folder / golden[1])}"', text,
        flags=re.MULTILINE,
    )

    def fresh(match: re.Match[str]) -> str:
        file = folder / match[1]
        return f'file = "{match[1]}"\nsha256 = "{sha256_of(file)}"\nbytes = {file.stat().st_size}\n'

    text = re.sub(r'^file = "(.+)"\nsha256 = ".*"\nbytes = \d+\n', fresh, text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")
