"""What every test shares.  Hypothesis draws the same examples on every machine, so a red build can be made again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from edge.ports import Net

if TYPE_CHECKING:
    from sim.puppet.wardrobe import Wardrobe

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=False)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def nets() -> Mapping[str, Net]:
    """The shipped models, opened once for all tests."""
    from edge.app import open_nets

    return open_nets()


@pytest.fixture(scope="session")
def wardrobe(nets: Mapping[str, Net]) -> "Wardrobe":
    """The simulator's puppets, each made once for all tests."""
    from sim import portraits
    from sim.puppet.wardrobe import Wardrobe

    missing = sorted(set(portraits.PORTRAITS) - set(portraits.available()))
    if missing:
        pytest.skip(f"the portraits {', '.join(missing)} are not here: run `anxin sim portraits`")
    return Wardrobe(nets)
