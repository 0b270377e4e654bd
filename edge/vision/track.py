"""What the eyes keep from frame to frame: one uninterrupted sighting of a face, and the last pictures."""

import math
from collections import deque

import numpy as np

from edge.ports import Pixels
from edge.vision.actions import ActionWatcher
from edge.vision.cues import CueWatch
from edge.vision.embed import Probe
from edge.vision.landmarks import Mesh
from edge.vision.settings import EyesSettings

_NS = 1_000_000_000


class Track:
    """One uninterrupted sighting of one face, and all evidence that rests on it."""

    def __init__(self, number: int, probe: Probe, actions: ActionWatcher, cues: CueWatch) -> None:
        self.number = number
        self.probe = probe
        self.actions = actions
        self.cues = cues
        self.ready_frames = 0
        self.seen_ns = 0
        self.missed = False
        self._mirrored = True
        self._mesh: Mesh | None = None

    def mirror_next(self) -> bool:
        """Whether the passive net sees the next good frame mirrored: every other one."""
        self._mirrored = not self._mirrored
        return self._mirrored

    @property
    def mesh(self) -> Mesh:
        if self._mesh is None:
            raise RuntimeError("a track has a mesh from its first frame on")
        return self._mesh

    def is_over(self, at_ns: int, settings: EyesSettings) -> bool:
        """Whether the face was out of sight for so long that it may be another one."""
        longest_s = settings.lost_after_s if self.missed else settings.blind_after_s
        return at_ns - self.seen_ns > longest_s * _NS

    def could_be(self, mesh: Mesh, at_ns: int, settings: EyesSettings) -> bool:
        """Whether a head can have moved there in the time."""
        passed_s = (at_ns - self.seen_ns) / _NS
        width = max(self.mesh.width_px, 1.0)
        moved = math.dist(mesh.centre, self.mesh.centre) / width
        grown = max(mesh.width_px, 1.0) / width
        reach = min(settings.jump_widths, settings.jump_widths / 3 + settings.speed_widths_s * passed_s)
        return moved <= reach and 1 / settings.growth_ratio <= grown <= settings.growth_ratio

    def move_to(self, mesh: Mesh, at_ns: int) -> float:
        """Take over the new mesh; the head's speed in face widths a second."""
        speed = 0.0
        if self._mesh is not None and at_ns > self.seen_ns:
            moved = math.dist(mesh.centre, self._mesh.centre)
            speed = moved / max(mesh.width_px, 1.0) / ((at_ns - self.seen_ns) / _NS)
        self._mesh, self.seen_ns, self.missed = mesh, at_ns, False
        return speed


class Repeats:
    """Notices a frame that repeats one of the last few byte for byte: a camera that hangs does that, a lens never.

    A sparse sample finds candidates, and only those are compared whole.
    """

    def __init__(self, kept: int = 4) -> None:
        self._kept: deque[tuple[bytes, Pixels]] = deque(maxlen=kept)

    def seen_before(self, rgb: Pixels) -> bool:
        sample = rgb[7::61, 5::59].tobytes()
        for other, pixels in self._kept:
            if other == sample and np.array_equal(pixels, rgb):
                return True
        self._kept.append((sample, rgb))
        return False
