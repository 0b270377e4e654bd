"""Models and busts once for all of the simulator's tests."""

from collections.abc import Mapping

import pytest

from edge.app import open_nets
from edge.ports import Net
from sim import portraits
from sim.puppet.wardrobe import Wardrobe


@pytest.fixture(scope="session")
def nets() -> Mapping[str, Net]:
    return open_nets()


@pytest.fixture(scope="session")
def wardrobe(nets: Mapping[str, Net]) -> Wardrobe:
    missing = sorted(set(portraits.PORTRAITS) - set(portraits.available()))
    if missing:
        pytest.skip(f"the portraits {', '.join(missing)} are not here: run `anxin sim portraits`")
    return Wardrobe(nets)
