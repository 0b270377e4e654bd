"""Eyes on the shipped models."""

from collections.abc import Mapping

import pytest

from edge.ports import Net
from edge.vision.pipeline import Eyes


@pytest.fixture
def eyes(nets: Mapping[str, Net]) -> Eyes:
    return Eyes(nets)
