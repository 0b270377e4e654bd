"""People on real pixels before the real terminal, while terminal, office, uplink and page are killed under them.

The scenario ``interrupted`` at depth wire: real models, a real broker with TLS, a real ledger.  `make demo` shows the
other kills (broker and store, uplink) with attackers in the room; it takes longer, so it is no test.
"""

import io

import pytest
from rich.console import Console

from sim.demo import demo

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]


def test_everybody_ends_as_they_should_with_one_row_each() -> None:
    said = io.StringIO()

    code = demo(Console(file=said, width=140), folder=None, keep=False, name="interrupted", seed=None, as_json=False)

    last = said.getvalue().rstrip().splitlines()[-1]
    assert last == "demo: 3/3 people as expected, 3 results in the ledger, 0 lost, 0 duplicated, 0 unsigned", (
        said.getvalue()
    )
    assert code == 0
