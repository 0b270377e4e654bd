"""One light challenge on rendered frames: the puppets and the physics of `sim.puppet`, the real mesh and skin."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.core import light
from edge.core.light import Showing
from edge.core.types import Advice, Cues, Observation
from edge.ports import Net, Pixels
from edge.vision import landmarks, skin
from edge.vision.detect import Detector
from edge.vision.landmarks import Landmarker, Mesh
from sim import portraits
from sim.puppet import attackers
from sim.puppet.body import Body, Place
from sim.puppet.lamp import Lamp, Screen
from sim.puppet.room import Light
from sim.puppet.scene import Actor, LivePerson, Scene
from sim.puppet.sensor import SensorSettings
from sim.puppet.wardrobe import Wardrobe

BEGINS_S, TICK_S = 0.3, 0.1
SURE = 0.5  # of a mesh's presence
KINDS = ("live", "print", "phone", "tablet", "film", "tablet film")


@dataclass(frozen=True)
class Visit:
    """``kind`` is one of `KINDS`: a film is of somebody lit by another sequence; ``late_s`` is the page's delay."""

    kind: str
    name: str
    seed: int
    light: Light = field(default_factory=Light)
    fps: float = 12.0
    width: float = 0.3
    balance: float = 0.3
    late_s: float = 0.12
    screen: Screen = field(default_factory=Screen)


def showing(visit: Visit, nets: Mapping[str, Net], wardrobe: Wardrobe) -> Showing:
    """A whole showing, with everything that the eyes saw of it."""
    scene = Scene(visit.seed, light=visit.light, sensor=SensorSettings(balance_share=visit.balance))
    scene.lamp.screen = visit.screen
    scene.actors = [_actor(visit, wardrobe)]
    eyes = _MeshEyes(nets)
    asked = light.begin(f"{visit.seed:032x}", 0, _ns(BEGINS_S))
    scene.lamp.shine(asked.colour, BEGINS_S + visit.late_s)
    number, tick_s = 0, BEGINS_S
    while not asked.over(_ns(number / visit.fps)):
        at_s = number / visit.fps
        while tick_s + TICK_S <= at_s:
            tick_s += TICK_S
            asked = light.go_on(asked, _ns(tick_s))
            scene.lamp.shine(asked.colour, tick_s + visit.late_s)
        seen = eyes.observe(scene.render(number, at_s), number, _ns(at_s))
        if seen is not None:
            asked = light.see(asked, seen)
        number += 1
    return asked


class _MeshEyes:
    """Only what light needs: the mesh, and the colours under it."""

    def __init__(self, nets: Mapping[str, Net]) -> None:
        self._detector, self._landmarker = Detector(nets["face_detection"]), Landmarker(nets["face_landmarks"])
        self._mesh: Mesh | None = None

    def observe(self, rgb: Pixels, number: int, at_ns: int) -> Observation | None:
        if self._mesh is not None and self._mesh.presence >= SURE:
            self._mesh = self._landmarker.again(rgb, self._mesh)
        else:
            faces = self._detector.find(rgb)
            self._mesh = self._landmarker.at_face(rgb, faces[0]) if faces else None
        mesh = self._mesh
        if mesh is None or mesh.presence < SURE:
            return None
        colours, width = skin.measure(rgb, mesh), float(mesh.box[2] - mesh.box[0]) / rgb.shape[1]
        return Observation(
            number,
            at_ns,
            1,
            Advice.READY,
            track=1,
            face_width=width,
            yaw_deg=landmarks.pose(mesh.points).yaw_deg,
            cues=Cues(skin=colours.skin, behind=colours.behind, room=colours.room),
        )


def _actor(visit: Visit, wardrobe: Wardrobe) -> Actor:
    body = Body(Place(0.5, 0.45, visit.width), visit.seed)
    if visit.kind == "live":
        return LivePerson(wardrobe.bust(visit.name), body)
    if visit.kind == "print":
        return attackers.printed(portraits.PORTRAITS[visit.name], portraits.pixels(visit.name), body)
    whole = visit.kind.startswith("tablet")
    hands = Body(Place(0.5, 0.45, visit.width * (0.9 if whole else 0.8)), visit.seed)
    film = Body(Place(), visit.seed + 3)
    lit = visit.kind.endswith("film")
    return attackers.phone(
        wardrobe.bust(visit.name),
        film,
        hands,
        visit.seed,
        0.30 if whole else 0.42,
        film_lamp=_other_page(visit.seed) if lit else None,
        film_light=Light(lux=120) if lit else None,
        whole=whole,
    )


def _other_page(seed: int) -> Lamp:
    """The page that lit the person of a film, with colours of its own."""
    lamp = Lamp()
    for number, step in enumerate(light.sequence(f"{seed + 777:032x}", 0)):
        lamp.shine(step.colour, BEGINS_S + number * light.STEP_S)
    lamp.shine(None, BEGINS_S + light.STEPS * light.STEP_S)
    return lamp


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
