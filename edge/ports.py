"""The hardware boundary: everything that a terminal touches outside itself, as small protocols.

The device's adapters and the simulator stand behind the same ports, and the same contract tests
(tests/contracts) run on both.  Arrays live only on this side; see `edge.core.types` for what goes further in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.core.types import ClockState, Event, Observation, Person, Say, View

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture: ``rgb`` uint8 (H, W, 3), unmirrored; ``small`` is the same scene, smaller, for detection.

    ``number`` counts the camera's frames since `Camera.open`; a gap means dropped frames.  ``at_ns`` is
    CLOCK_MONOTONIC at (or as near as the vendor tells) the exposure.  The arrays are this frame's own: no
    camera writes into them again.
    """

    number: int
    at_ns: int
    rgb: Pixels
    small: Pixels | None = None


class Camera(Protocol):
    """Frames, newest first.  `open` and `read` raise `CameraError`; `close` never does and can be repeated."""

    name: str

    def open(self) -> None: ...

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame newer than the last one read; None when a recorded source has ended.

        Raises `CameraError` when no frame comes within ``timeout_s``.
        """
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class NetSpec:
    """What a model takes and gives.  Real input value = (pixel - mean) / std; ``channels`` is rgb or bgr."""

    name: str
    version: str
    input_size_px: int
    channels: str
    mean: float
    std: float
    outputs: tuple[str, ...]


class Net(Protocol):
    """A loaded model: uint8 pixels in, float32 out."""

    spec: NetSpec

    def run(self, crop: Pixels) -> tuple[Floats, ...]:
        """The outputs, in the spec's order, for an RGB crop uint8 (S, S, 3); each array is the caller's own."""
        ...


class Vision(Protocol):
    """The eyes: one frame in, one observation out.  Used by one thread."""

    def watch(self, references: Floats | None) -> None:
        """Forget every probe, neutral face and track; compare from now on with ``references``.

        float32 (N, D), unit rows; None stops comparing.
        """
        ...

    def observe(self, frame: Frame) -> Observation: ...


class Guide(Protocol):
    """The page and the voice.  What the person does comes back through ``tell``, from any thread."""

    def open(self, tell: Callable[[Event], None]) -> None: ...

    def show(self, view: View) -> None: ...

    def say(self, say: Say) -> None: ...

    def preview(self, frame: Frame) -> None:
        """Offer a frame for the live picture; cheap, drops what nobody looks at, keeps nothing."""
        ...

    def close(self) -> None: ...


class Identity(Protocol):
    """A reader that says who somebody claims to be: an ID-card reader, a scanner."""

    def poll(self) -> str | None:
        """The number read since the last call, not yet validated; None if nothing was presented."""
        ...


class Roster(Protocol):
    """The people this terminal knows.  `find` and `references` never touch the network."""

    @property
    def version(self) -> str:
        """What results say they were made with."""
        ...

    def find(self, number: str) -> Person | None: ...

    def references(self, person_ref: str, model: str) -> Floats:
        """float32 (N, D), unit rows, of this model's version id; (0, D) when there are none."""
        ...


@dataclass(frozen=True, slots=True)
class Slot:
    """The place in the device's chain that the next record takes."""

    seq: int
    prev: str  # SHA-256 (hex) of the device's previous signed result; 64 zeros for the first


@dataclass(frozen=True, slots=True)
class Queued:
    """A signed result that waits for the office's receipt."""

    result_id: str
    seq: int
    jws: str
    committed_at: datetime
    sends: int


class Outbox(Protocol):
    """The durable queue between the two services."""

    def commit(self, make: Callable[[Slot], tuple[str, str]]) -> str:
        """Give ``make`` the next slot, store the (result_id, jws) it returns, and return the result_id.

        Returns only when the row is on the disk; raises `NotDurableError` otherwise, and then nothing was stored.
        """
        ...

    def pending(self, limit: int) -> Sequence[Queued]:
        """The oldest rows without a receipt, by seq."""
        ...

    def settle(self, result_id: str) -> bool:
        """Remove a row for which a verified receipt came; False if it was not there."""
        ...

    def depth(self) -> tuple[int, datetime | None]:
        """How many rows wait, and since when the oldest does."""
        ...


class Signer(Protocol):
    """The device's signing key."""

    key_id: str

    def sign(self, payload: bytes) -> str:
        """A compact JWS (EdDSA) over ``payload``."""
        ...


class Clock(Protocol):
    """Both clocks of the machine, and how far the calendar one can be believed."""

    boot_id: str

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def monotonic_ns(self) -> int: ...

    def state(self) -> ClockState: ...


class Notifier(Protocol):
    """The service manager."""

    def ready(self) -> None: ...

    def status(self, text: str) -> None: ...

    def watchdog(self) -> None: ...

    def stopping(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message from the broker.  ``retained`` ones are answers to nobody and only status may be."""

    topic: str
    payload: bytes
    retained: bool
    properties: Mapping[str, str]
    token: int  # for `Link.acknowledge`


class Link(Protocol):
    """An MQTT 5 session.  `LinkError` from `publish` means: not taken, ask again later."""

    connected: bool

    def open(self) -> None: ...

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, properties: Mapping[str, str] = ...
    ) -> int:
        """Hand one message to the broker; returns a token that `acknowledged` later reports."""
        ...

    def acknowledged(self) -> Sequence[tuple[int, int]]:
        """(token, MQTT reason code) of the publishes that the broker answered since the last call."""
        ...

    def received(self, timeout_s: float) -> Sequence[Incoming]: ...

    def acknowledge(self, token: int) -> None:
        """Tell the broker that an incoming QoS 1 message is safe here."""
        ...

    def close(self) -> None: ...
