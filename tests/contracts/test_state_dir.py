"""A state folder knows its terminal, and refuses another's."""

from pathlib import Path

import pytest

from edge.adapters.state_dir import StateDir
from edge.errors import StateError


def test_an_empty_folder_is_taken_and_known_again(tmp_path: Path) -> None:
    for _ in range(2):
        folder = StateDir(tmp_path, "hall/terminal-1")
        folder.open()
        folder.close()
        folder.close()


@pytest.mark.parametrize("owner", ["hall/terminal-2", "market/terminal-1"])
def test_the_folder_of_another_terminal_or_another_site_is_refused(tmp_path: Path, owner: str) -> None:
    first = StateDir(tmp_path, "hall/terminal-1")
    first.open()
    first.close()
    with pytest.raises(StateError, match="belongs to another"):
        StateDir(tmp_path, owner).open()


def test_a_folder_of_something_else_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StateError, match="does not say whose"):
        StateDir(tmp_path, "terminal-1").open()
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="anxin provision"):
        StateDir(tmp_path / "nowhere", "terminal-1").open()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be read"):
        StateDir(tmp_path / "file", "terminal-1").open()


def test_two_processes_do_not_share_it(tmp_path: Path) -> None:
    first, second = StateDir(tmp_path, "terminal-1"), StateDir(tmp_path, "terminal-1")
    first.open()
    with pytest.raises(StateError, match="another process"):
        second.open()
    first.close()
    second.open()
    second.close()
