"""Makes the two in-process worlds: with figures only, or with pixels and the real models."""

from collections.abc import Callable, Mapping

import numpy as np

from edge.core.policy import Policy
from edge.errors import ToolError
from edge.ports import Floats, Frame, Net, Pixels
from edge.vision.pipeline import Eyes
from sim import cast, portraits
from sim.inprocess import References, World
from sim.puppet.wardrobe import Wardrobe
from sim.scenario import Scenario
from sim.scripted import ScriptedStage
from sim.stage import PuppetStage

OnEvent = Callable[[str, dict[str, object]], None]
# Portraits of one person, for the scripted eyes: the real ones look for themselves.
SAME_PERSON = (frozenset({"obama", "obama2", "obama3"}),)


_GRAIN = np.random.default_rng(1).integers(60, 80, (48, 64, 3), np.uint8)
_LAMP = np.zeros((48, 64, 3), np.uint8)
_LAMP[:20, 16:40] = 90


def _silent(_kind: str, _what: dict[str, object]) -> None: ...


def scripted_world(scenario: Scenario, seed: int, policy: Policy | None = None, on_event: OnEvent = _silent) -> World:
    """Depth ``scripted``: no portraits, no models."""
    members = cast.load()
    faces = {visit.face for visit in scenario.visits if visit.face is not None}
    same: dict[tuple[str | None, str], bool] = {
        (key, face): any(_same(face, each) for each in m.portraits) for key, m in members.items() for face in faces
    }
    stage = ScriptedStage(scenario, same, seed)
    references = {key: np.ones((1, 4), np.float32) for key, member in members.items() if member.portraits}
    return World(scenario, stage, stage, _nothing_to_see, references, seed, policy or Policy(), on_event)


def _nothing_to_see(number: int, _at_s: float) -> Pixels:
    """Hardly a picture, but one that a camera could give: light and dark places, and noise like no other's."""
    return np.asarray(np.roll(_GRAIN, number * 8191) + _LAMP, np.uint8)


def puppet_world(
    scenario: Scenario,
    seed: int,
    nets: Mapping[str, Net],
    policy: Policy | None = None,
    on_event: OnEvent = _silent,
    wardrobe: Wardrobe | None = None,
) -> World:
    """Depth ``frames``: rendered pictures before the real eyes.  ``nets`` as `edge.app.open_nets` gives them."""
    stage = PuppetStage(scenario, wardrobe or Wardrobe(nets), seed)
    stage.prepare()
    keys = {visit.who for visit in scenario.visits if visit.who is not None}
    return World(
        scenario,
        stage,
        Eyes(nets),
        stage.picture,
        enrolled(keys, nets),
        seed,
        policy or Policy(),
        on_event,
    )


def enrolled(keys: set[str], nets: Mapping[str, Net]) -> References:
    """The references of these cast members, made by the terminal's own eyes from their photos."""
    eyes, references, members = Eyes(nets), References(), cast.load()
    for key in sorted(keys):
        rows: list[Floats] = []
        for name in members[key].portraits:
            found = eyes.describe(Frame(0, 0, portraits.pixels(name)))
            if found is None:
                raise ToolError(f"The eyes see no face in the portrait `{name}`.")
            rows.append(found.embedding)
        if rows:
            references[key] = np.stack(rows).astype(np.float32)
    return references


def _same(one: str, other: str) -> bool:
    return one == other or any({one, other} <= people for people in SAME_PERSON)
