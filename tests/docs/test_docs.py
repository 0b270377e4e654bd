"""The documents keep up with the code: every verb, setting and thread is in them, every link leads somewhere."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.settings_page import PAGE, page

ROOT = Path(__file__).parents[2]
DOCS = sorted([*ROOT.glob("docs/**/*.md"), *(ROOT / name for name in ("README.md", "CHANGELOG.md"))])


def test_every_setting_is_on_the_page_of_settings() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.docs.settings_page"


def test_the_readme_names_every_verb_and_the_make_targets() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [verb for verb in project["entry-points"]["anxin.verbs"] if f"`anxin {verb}" not in readme] == []
    for target in ("make demo", "make test", "make bench"):
        assert target in readme


@pytest.mark.parametrize("file", DOCS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", text)

    assert [target for target in targets if not (file.parent / target).exists()] == []


def test_every_thread_is_named_in_the_code_overview() -> None:
    overview = (ROOT / "docs" / "code-overview.md").read_text(encoding="utf-8")
    sources = "\n".join(
        file.read_text(encoding="utf-8")
        for folder in ("edge", "central", "sim", "provisioning")
        for file in (ROOT / folder).rglob("*.py")
    )
    names = set(re.findall(r"Thread\([^)]*?name=f?\"([a-z][a-z0-9 -]*)", sources, re.DOTALL))

    assert sorted(name for name in names if f"`{name.strip()}`" not in overview) == []
