"""A site without people, made once for the module that asks; tests that break it copy it first."""

import shutil
from pathlib import Path

import pytest

from provisioning.dev import Eyes, Step, provision_dev
from provisioning.layout import Layout
from provisioning.settings import Wanted


def no_eyes() -> Eyes:
    raise AssertionError("nobody has a photo here")


def provision(root: Path, wanted: Wanted | None = None) -> list[Step]:
    return list(provision_dev(root, wanted or Wanted(), open_eyes=no_eyes))


@pytest.fixture(scope="session")
def fresh_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fresh") / "site"
    provision(root)
    return root


@pytest.fixture
def layout(fresh_site: Path, tmp_path: Path) -> Layout:
    """A copy of the site, to be broken.  That it works at all shows that a site can be moved."""
    shutil.copytree(fresh_site, tmp_path / "site")
    return Layout(tmp_path / "site")
