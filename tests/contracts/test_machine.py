"""The figures of a machine are read, or absent; nothing is raised."""

from pathlib import Path

import pytest

from edge.adapters.machine_psutil import PsutilMachine, throttled


def test_this_machine_tells_some_of_its_figures(tmp_path: Path) -> None:
    figures = PsutilMachine(tmp_path)()
    assert (figures.disk_free_bytes or 0) > 0 and (figures.memory_available_bytes or 0) > 0
    assert PsutilMachine(tmp_path / "gone")().disk_free_bytes is None


@pytest.mark.parametrize(
    ("text", "now"), [("0\n", False), ("50005\n", True), ("50000\n", False), ("", None), ("what?", None)]
)
def test_the_firmware_s_bits_of_this_moment_count_and_those_of_the_past_do_not(
    tmp_path: Path, text: str, now: bool | None
) -> None:
    (tmp_path / "get_throttled").write_text(text)
    assert throttled(tmp_path / "get_throttled") is now


def test_a_machine_without_that_firmware_says_nothing(tmp_path: Path) -> None:
    assert throttled(tmp_path / "nowhere") is None
