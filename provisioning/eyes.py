"""The terminal's own eyes, for reference photos."""

from edge.errors import ModelError
from provisioning.dev import Eyes


def open_eyes() -> Eyes:
    """Load the models; raises `ModelError`."""
    raise ModelError("The models are not there yet; `anxin models build` makes them.")
