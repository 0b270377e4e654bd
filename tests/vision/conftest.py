"""The shipped models, opened once for all tests of the eyes."""

from collections.abc import Mapping

import pytest

from edge.app import open_nets
from edge.ports import Net
from edge.vision.pipeline import Eyes


@pytest.fixture(scope="session")
def nets() -> Mapping[str, Net]:
    return open_nets()


@pytest.fixture
def eyes(nets: Mapping[str, Net]) -> Eyes:
    return Eyes(nets)
