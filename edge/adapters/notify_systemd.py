"""The service manager: sd_notify through systemd-python, and silence where there is no service manager."""

import os
from collections.abc import Mapping

from edge.errors import ToolError
from edge.ports import Notifier


class SystemdNotifier:
    """`edge.ports.Notifier` that writes to $NOTIFY_SOCKET."""

    def __init__(self) -> None:
        try:
            # Not `import systemd`: our folder of units would pass for the package.
            from systemd import daemon
        except ImportError:
            raise ToolError(
                "A service manager is there (NOTIFY_SOCKET) but systemd-python is not installed; run: "
                "apt install python3-systemd (docs/technician.md, Units), or unset NOTIFY_SOCKET."
            ) from None
        self._daemon = daemon

    def ready(self) -> None:
        self._daemon.notify("READY=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._daemon.notify("STATUS=" + " ".join(text.split()))

    def watchdog(self) -> None:
        self._daemon.notify("WATCHDOG=1")

    def stopping(self) -> None:
        self._daemon.notify("STOPPING=1")


class QuietNotifier:
    """`edge.ports.Notifier` for a program started by hand."""

    def ready(self) -> None:
        return

    def status(self, text: str) -> None:  # noqa: ARG002
        return

    def watchdog(self) -> None:
        return

    def stopping(self) -> None:
        return


def notifier(environment: Mapping[str, str] = os.environ) -> Notifier:
    """The notifier of this process; `ToolError` when there is a service manager and no way to talk to it."""
    return SystemdNotifier() if environment.get("NOTIFY_SOCKET") else QuietNotifier()


def watchdog_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """The service manager's patience (WATCHDOG_USEC) in seconds; None when it does not watch us."""
    text = environment.get("WATCHDOG_USEC", "")
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()) or not text.isdigit() or int(text) == 0:
        return None
    return int(text) / 1e6
