"""Busts by name, made once from a portrait with the terminal's own landmark model."""

from collections.abc import Mapping

import numpy as np

from edge.errors import ToolError
from edge.ports import Net
from edge.vision.pipeline import find_mesh
from sim import portraits
from sim.puppet import bust as busts
from sim.puppet.bust import Bust


class Wardrobe:
    """Makes busts on demand and keeps them.  ``nets`` as `edge.app.open_nets` gives them."""

    def __init__(self, nets: Mapping[str, Net]) -> None:
        self._nets = nets
        self._kept: dict[str, Bust] = {}

    def bust(self, name: str) -> Bust:
        """The bust of a portrait; raises `ToolError` when the portrait is not here."""
        if name not in self._kept:
            portrait = portraits.PORTRAITS.get(name)
            if portrait is None or not portrait.outline:
                able = ", ".join(each.name for each in portraits.PORTRAITS.values() if each.outline)
                raise ToolError(f"There is no puppet of `{name}`; there are puppets of {able}.")
            picture, _ = busts.canvas(portrait, portraits.pixels(name))
            # Tighter than the canvas, so that the face is large enough for a good mesh.
            left, top, side = busts.CENTRE_PX[0] - 310, max(busts.CENTRE_PX[1] - 330, 0), 640
            mesh = find_mesh(self._nets, np.ascontiguousarray(picture[top : top + side, left : left + side]))
            if mesh is None:
                raise ToolError(f"The landmark model sees no face in the portrait `{name}`.")
            landmarks = (mesh + np.array([left, top, 0], np.float32)).astype(np.float32)
            self._kept[name] = busts.build(portrait, picture, landmarks)
        return self._kept[name]
