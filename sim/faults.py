"""Faults that lie outside the room, done to the real processes of a site (depth ``wire``).

Each is named in `sim.scenario.FaultKind` after design/field-failures.md; those of camera, light and page are the
room's own (`sim.world`), and those of disk, clock and models need the virtual depths (`sim.inprocess`).
"""

import threading
import time
from collections.abc import Callable

from provisioning.site import Site
from sim.scenario import Fault, FaultKind

SITE_FAULTS = frozenset(
    {
        FaultKind.TERMINAL_KILLED,
        FaultKind.UPLINK_KILLED,
        FaultKind.OFFICE_KILLED,
        FaultKind.BROKER_KILLED_STORE_DELETED,
    }
)
_PROCESS = {
    FaultKind.TERMINAL_KILLED: "terminal",
    FaultKind.UPLINK_KILLED: "uplink",
    FaultKind.OFFICE_KILLED: "office",
    FaultKind.BROKER_KILLED_STORE_DELETED: "broker",
}
Tell = Callable[[str, dict[str, object]], None]


class SiteFaults:
    """Strikes at the moments that the world tells, and mends in time.  `close` mends whatever is still open."""

    def __init__(self, faults: tuple[Fault, ...], site: Site, tell: Tell) -> None:
        self._waiting = [fault for fault in faults if fault.kind in SITE_FAULTS]
        self._site, self._tell = site, tell
        self._lock = threading.Lock()
        self._open: list[Fault] = []
        self._timers: list[threading.Timer] = []

    def moment(self, visit: str, at: str) -> None:
        """Something happened in the room: the faults that wait for it strike."""
        for fault in [each for each in self._waiting if (each.visit, each.at) == (visit, at)]:
            self._waiting.remove(fault)
            self._strike(fault)

    def _strike(self, fault: Fault) -> None:
        name = _PROCESS[fault.kind]
        self._site.kill(name)
        if fault.kind is FaultKind.BROKER_KILLED_STORE_DELETED:
            self._site.broker.wipe_store()
        self._tell("breaks", {"fault": fault.kind.value, "process": name, "monotonic_s": time.monotonic()})
        with self._lock:
            self._open.append(fault)
        timer = threading.Timer(fault.for_s, self._mend, [fault])
        timer.name = f"sim-mend-{name}"
        timer.start()
        self._timers.append(timer)

    def _mend(self, fault: Fault) -> None:
        with self._lock:
            if fault not in self._open:
                return
            self._open.remove(fault)
        name = _PROCESS[fault.kind]
        # A site that restarts its processes may have been quicker; starting again is harmless.
        self._site.start([name])
        self._tell("mended", {"fault": fault.kind.value, "process": name})

    def close(self) -> None:
        """Mend now what is still open, and wait for it."""
        for timer in self._timers:
            timer.cancel()
        for timer in self._timers:
            timer.join()
        for fault in list(self._open):
            self._mend(fault)
