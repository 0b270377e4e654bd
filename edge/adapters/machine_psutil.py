"""Figures of the machine for the health message, through psutil and the Raspberry Pi's firmware."""

from pathlib import Path

import psutil

from edge.wire.messages import Machine

THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
_NOW = 0xF
"""Bits of get_throttled that speak of this moment: under-voltage, capped, throttled, soft temperature limit."""


class PsutilMachine:
    """Reads the figures; what the machine does not tell is None, and nothing is raised."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir

    def __call__(self) -> Machine:
        try:
            disk = psutil.disk_usage(str(self._state_dir)).free
        except OSError:
            disk = None
        return Machine(
            temperature_c=_temperature_c(),
            throttled=throttled(THROTTLED),
            disk_free_bytes=disk,
            memory_available_bytes=psutil.virtual_memory().available,
            uplink_rss_bytes=psutil.Process().memory_info().rss,
        )


def throttled(file: Path) -> bool | None:
    """Whether the firmware slows the machine down now; None where there is no such firmware."""
    try:
        return bool(int(file.read_text(encoding="ascii").strip(), 16) & _NOW)
    except (OSError, ValueError):
        return None


def _temperature_c() -> float | None:
    try:
        readings = psutil.sensors_temperatures()
    except (OSError, AttributeError):
        return None
    return max((float(one.current) for group in readings.values() for one in group), default=None)
