"""The light challenge as a person sees it: the page changes its colour, and nothing else is asked."""

from dataclasses import dataclass, replace

import pytest

from edge.core import light
from edge.core.phrases import Phrase
from edge.core.policy import Policy
from edge.core.types import Advice, Cues, Outcome, Screen, Show, Touch
from tests.core.timeline import Story

LIT = replace(Policy(), light_challenge=True)
ROOM = (0.30, 0.24, 0.20)


@dataclass
class LitStory(Story):
    """A story whose face and wall answer the page's light, 0.1 s late: by so much of full light at a white page."""

    skin: float = 0.2
    behind: float = 0.01

    def sees(self, **differs: object) -> Story:
        showing = self.state.visit.showing
        asked = showing.asked if showing else ()
        page = light.page_light(asked, self.now_ns - 100_000_000)
        face, wall = (_under(page, share) for share in (self.skin, self.behind))
        cues = Cues(skin=face, behind=wall, room=wall)
        return super().sees(**({"cues": cues} | differs))


def _under(page: light.Rgb, share: float) -> light.Rgb:
    red, green, blue = (colour * (1 + share * part) for colour, part in zip(ROOM, page, strict=True))
    return red, green, blue


def lit_story(**differs: object) -> LitStory:
    story = LitStory(policy=LIT, **differs)  # type: ignore[arg-type]
    story.walks_up()
    return story


def showing(story: Story) -> light.Showing | None:
    return story.state.visit.showing


def colour(story: Story) -> str | None:
    return story.view.light


def colours(story: Story) -> list[str | None]:
    """The page's light as it changed."""
    lights = [view.light for view in story.views]
    return [each for number, each in enumerate(lights) if number == 0 or each != lights[number - 1]]


def test_without_the_policy_s_word_no_page_has_a_light() -> None:
    story = LitStory(policy=Policy())
    story.walks_up().looks(3).obeys()
    assert colours(story) == [None]
    assert story.record.liveness is not None and "light" not in story.record.liveness.cues


def test_the_page_lights_the_face_before_the_action_and_is_itself_again_after() -> None:
    story = lit_story()
    story.looks(8)
    shown = colours(story)
    assert shown[0] is None and shown[-1] is None and None not in shown[1:-1]
    assert len(shown) == light.STEPS + 2
    assert story.view.screen is Screen.CHALLENGE
    assert story.said.count(Phrase.FRAMING_LIGHT) == 1
    lit = [at for at, effect in story.effects if isinstance(effect, Show) and effect.view.light is not None]
    asked = next(at for at, effect in story.effects if isinstance(effect, Show) and effect.view.action is not None)
    assert asked - lit[0] < 5.0, "it costs five seconds at most"
    record = story.obeys().record
    assert record.outcome is Outcome.CERTIFIED
    assert record.liveness is not None and record.liveness.cues["light"].statistic > 0.9
    assert story.replays()


def test_a_sheet_that_follows_as_its_background_does_speaks_against_itself() -> None:
    story = lit_story(behind=0.2)
    story.looks(8)
    assert story.state.visit.evidence.light == light.SCORES[light.Answer.ALIKE]


def test_a_bright_room_tells_nothing_and_nobody_pays_for_it() -> None:
    story = lit_story(skin=0.0, behind=0.0)
    story.looks(8).obeys()
    assert story.record.outcome is Outcome.CERTIFIED
    assert story.record.liveness is not None and "light" not in story.record.liveness.cues


@pytest.mark.parametrize("leaves", ["track", "crowd", "help", "camera", "back"])
def test_what_leads_away_from_the_light_puts_it_out_and_it_begins_again_with_other_colours(leaves: str) -> None:
    story = lit_story()
    while colour(story) is None:
        story.looks(0.1)
    first = showing(story)
    story.looks(1)
    match leaves:
        case "track":
            story.looks(0.1, track=2)
        case "crowd":
            story.looks(0.1, faces=2, advice=Advice.TWO_FACES)
        case "help":
            story.touch(Touch.HELP)
        case "camera":
            story.camera(working=False)
        case _:
            story.touch(Touch.BACK)
    assert showing(story) is None and colour(story) is None
    match leaves:
        case "help":
            story.touch(Touch.BACK)
        case "camera":
            story.camera(working=True)
        case "back":
            story.touch(Touch.AGREE)
        case _:
            pass
    while colour(story) is None and story.seconds < 30:
        story.looks(0.1, track=2)
    second = showing(story)
    assert first is not None and second is not None and first.steps != second.steps
    story.looks(8, track=2).obeys(track=2)
    assert story.record.outcome is Outcome.CERTIFIED


def test_who_steps_out_of_the_light_again_and_again_meets_a_colleague() -> None:
    story = lit_story()
    track = 1
    while not story.records and story.seconds < 200:
        story.looks(0.1, track=track)
        if colour(story) is not None:
            track += 1
    assert story.record.outcome is Outcome.REFERRED
    assert story.record.reasons == ("continuity_lost",)


def test_coloured_faces_are_not_shown_to_the_passive_net() -> None:
    story = lit_story()
    while showing(story) is None:
        story.looks(0.1)
    before = story.state.visit.evidence.passive
    for _ in range(45):
        story.looks(0.1, passive=0.01)
    assert story.state.visit.evidence.passive == before
