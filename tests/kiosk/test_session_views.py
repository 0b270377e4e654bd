"""Whatever the session shows or says, the page has words for it: every state, every event, and real visits."""

import pytest

from edge.core.session import step
from edge.core.types import Say, Show
from edge.kiosk.server import Page
from edge.kiosk.texts import Texts
from tests.core.test_machine import A_NOD, STATES, events


@pytest.mark.parametrize("name", STATES)
def test_no_event_in_any_state_leads_to_a_page_without_words(name: str, texts: Texts) -> None:
    page = Page("127.0.0.1", 0, "zh", texts)  # never opened: rendering needs no window
    start = STATES[name]
    for first in events(start.now_ns):
        state, effects = step(start, first, A_NOD)
        for second in events(state.now_ns)[::5]:
            effects = (*effects, *step(state, second, A_NOD)[1])
        for effect in effects:
            match effect:
                case Show(view):
                    page.show(view)
                case Say(key, params):
                    assert texts.render(key, params).zh
