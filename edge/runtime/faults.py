"""A fault is logged once at WARNING, then at DEBUG until it clears."""

import logging

MOST = 200
"""Different sentences remembered at once; who can make up more of them than this is not worth more log."""


class FaultLog:
    """Which faults stand.  ``key`` is the fault, ``text`` what is said of it."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._standing: set[str] = set()

    def stands(self, key: str, text: str) -> None:
        """The fault is there (still)."""
        if key in self._standing or len(self._standing) >= MOST:
            self._log.debug("%s", text)
            return
        self._standing.add(key)
        self._log.warning("%s", text)

    def clears(self, key: str, text: str = "") -> None:
        """The fault is gone; ``text`` is said once, at INFO."""
        if key in self._standing:
            self._standing.discard(key)
            if text:
                self._log.info("%s", text)
