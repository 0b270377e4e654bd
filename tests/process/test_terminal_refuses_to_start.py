"""A terminal that cannot do its work says so in one sentence, with an exit code of its own, and damages nothing."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.app import models_folder
from provisioning.dev import Eyes, provision_dev
from provisioning.layout import Layout
from provisioning.settings import Wanted

pytestmark = pytest.mark.process


def no_eyes() -> Eyes:
    raise AssertionError("nobody has a photo here")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("refusals") / "site"
    list(provision_dev(root, Wanted(camera="folder:nowhere"), open_eyes=no_eyes))
    return root


def edit(layout: Layout, old: str, new: str) -> None:
    text = layout.terminal_config.read_text(encoding="utf-8")
    assert old in text
    layout.terminal_config.write_text(text.replace(old, new), encoding="utf-8")


def nothing(layout: Layout) -> None:
    """The site's camera is a folder that does not exist."""


def unknown_key(layout: Layout) -> None:
    edit(layout, "[camera]", "[camera]\nzoom = 2")


def missing_model(layout: Layout) -> None:
    models = layout.root / "models"
    shutil.copytree(models_folder(), models, ignore=shutil.ignore_patterns("builder", "*.py", "__pycache__"))
    (models / "face_landmarks.tflite").unlink()
    edit(layout, "state_dir", 'models_dir = "models"\nstate_dir')


def state_of_another_device(layout: Layout) -> None:
    (layout.state / "terminal").mkdir(parents=True, exist_ok=True)
    (layout.state / "terminal" / "device").write_text("somebody-else\n", encoding="utf-8")


def state_folder_gone(layout: Layout) -> None:
    shutil.rmtree(layout.state / "terminal")


def outbox_emptied(layout: Layout) -> None:
    (layout.spool / "outbox.sqlite").write_bytes(b"")


def outbox_deleted(layout: Layout) -> None:
    (layout.spool / "outbox.sqlite").unlink()


def key_readable_by_all(layout: Layout) -> None:
    for key in layout.device.glob("*.jwk"):
        key.chmod(0o644)


def roster_tampered(layout: Layout) -> None:
    file = layout.inbox / "roster.jwe"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("breaks", "code", "says"),
    [
        (nothing, 12, "nowhere"),
        (unknown_key, 10, "`camera.zoom` is unknown"),
        (missing_model, 11, "face_landmarks.tflite is missing"),
        (state_of_another_device, 13, "belongs to another terminal"),
        (state_folder_gone, 13, "does not exist"),
        (outbox_emptied, 13, "outbox.sqlite"),
        (outbox_deleted, 13, "outbox.sqlite"),
        (key_readable_by_all, 10, ".jwk"),
        (roster_tampered, 14, "Ask the office"),
    ],
)
def test_it_refuses_in_one_sentence(
    fresh: Path, tmp_path: Path, breaks: Callable[[Layout], None], code: int, says: str
) -> None:
    shutil.copytree(fresh, tmp_path / "site")
    layout = Layout(tmp_path / "site")
    breaks(layout)
    before = {file: file.read_bytes() for file in layout.root.rglob("*") if file.is_file()}

    run = subprocess.run(
        [sys.executable, "-m", "edge", "terminal", "--config", str(layout.terminal_config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    said = [line for line in run.stderr.splitlines() if line.startswith("anxin terminal:")]
    assert (run.returncode, len(said)) == (code, 1), run.stderr
    assert says in said[0]
    assert "Traceback" not in run.stderr
    changed = [file.name for file, data in before.items() if not file.exists() or file.read_bytes() != data]
    assert set(changed) <= {"lock"}
