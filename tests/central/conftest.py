from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.central.terminals import Office, Terminal


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def office(tmp_path: Path, terminal: Terminal) -> Iterator[Office]:
    office = Office(tmp_path, terminal)
    yield office
    office.close()
