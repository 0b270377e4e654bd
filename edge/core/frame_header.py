"""How frames travel over a local Unix stream socket, from a process that has a camera to the terminal.

The producer listens; each consumer that connects receives, from then on, every new frame as one header
followed by ``width_px * height_px * 3`` bytes of RGB, row by row.  A consumer that does not keep up misses
frames (the producer drops, never queues more than one).  ``at_ns`` is CLOCK_MONOTONIC, which all processes of a
machine share.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar, Self

MAX_PIXELS = 1920 * 1080


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """Number, time and size of the frame that follows; little endian, 24 bytes."""

    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<4sIQHHI")
    MAGIC: ClassVar[bytes] = b"AXF1"

    number: int
    at_ns: int
    width_px: int
    height_px: int

    @property
    def payload_bytes(self) -> int:
        return self.width_px * self.height_px * 3

    def pack(self) -> bytes:
        return self.LAYOUT.pack(
            self.MAGIC, self.number, self.at_ns, self.width_px, self.height_px, self.payload_bytes
        )

    @classmethod
    def unpack(cls, raw: bytes) -> Self:
        """Raises ValueError when ``raw`` is not a header of a frame of at most 1920x1080 pixels."""
        if len(raw) != cls.LAYOUT.size:
            raise ValueError(f"a frame header has {cls.LAYOUT.size} bytes, not {len(raw)}")
        magic, number, at_ns, width, height, payload = cls.LAYOUT.unpack(raw)
        header = cls(number, at_ns, width, height)
        if magic != cls.MAGIC or not 0 < width * height <= MAX_PIXELS or payload != header.payload_bytes:
            raise ValueError("not a frame header of this version")
        return header
