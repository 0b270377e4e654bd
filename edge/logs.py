"""How the device's services log: to stderr, which the journal keeps in memory."""

import logging
import sys


def log_to_stderr(level: int = logging.INFO) -> None:
    """One line per event, without a time: the journal has its own."""
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
