"""Eyes that see nothing: what a terminal has whose models did not pass their known-answer test."""

from edge.core.types import Advice, Observation
from edge.ports import Floats, Frame


class Blind:
    """A `Vision` that never finds a face, so that look-ups and help work and nobody can be certified."""

    def watch(self, references: Floats | None) -> None:
        """Nothing to forget."""

    def observe(self, frame: Frame) -> Observation:
        return Observation(frame.number, frame.at_ns, faces=0, advice=Advice.NO_FACE)
