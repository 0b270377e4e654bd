"""What besides the passive net is measured on one track: relief on every frame, pattern and border on some.

Relief has two halves, the face itself and what is beside it; either shows a sheet.
"""

from edge.core.types import Cues
from edge.ports import Pixels
from edge.vision import screen
from edge.vision.backdrop import BackdropWatch
from edge.vision.landmarks import Mesh, Pose
from edge.vision.relief import ReliefWatch
from edge.vision.skin import Colours

# Every third READY frame measures pattern or border, in turn: they hardly change and cost more than the rest.
_EVERY = 3
# A reference further round would make a turn look smaller.
_AHEAD_YAW_DEG, _AHEAD_PITCH_DEG = 8.0, 12.0


class CueWatch:
    """The cues of one track; ``in_turn``: pattern and border take turns on some frames instead of each on all."""

    def __init__(self, *, in_turn: bool = True) -> None:
        self._in_turn = in_turn
        self._relief = ReliefWatch()
        self._backdrop = BackdropWatch()
        self._ready_frames = 0

    def step(self, rgb: Pixels, mesh: Mesh, pose: Pose, colours: Colours, *, ready: bool) -> Cues:
        """The cues of one frame; ``ready``: there was nothing to improve in it."""
        ahead = abs(pose.yaw_deg) < _AHEAD_YAW_DEG and abs(pose.pitch_deg) < _AHEAD_PITCH_DEG
        self._backdrop.step(rgb, mesh)
        told = [
            each for each in (self._relief.step(mesh, calm=ready and ahead), self._backdrop.stays) if each is not None
        ]
        # Either shows a sheet by itself; what one finds flat the other cannot excuse.
        relief = min(told, default=None)
        moire = border = None
        if ready:
            turn, rest = divmod(self._ready_frames, _EVERY)
            if not self._in_turn or (rest == 0 and turn % 2 == 0):
                moire = screen.moire(rgb, mesh.detector_box)
            if not self._in_turn or (rest == 0 and turn % 2 == 1):
                border = screen.border(rgb, mesh.detector_box)
            self._ready_frames += 1
        return Cues(
            relief=relief, moire=moire, border=border, skin=colours.skin, behind=colours.behind, room=colours.room
        )
