"""The terminal's own eyes, for reference photos."""

from central.enrolment import Described
from edge.core.types import Advice
from edge.ports import Frame, Pixels
from provisioning.dev import Eyes


def open_eyes() -> Eyes:
    """Load the models; raises `ModelError`."""
    from edge import app

    eyes = app.open_eyes()

    def describe(photo: Pixels) -> Described:
        seen = eyes.describe(Frame(number=0, at_ns=0, rgb=photo))
        if seen is None:
            raise ValueError("there is no face in it")
        if seen.advice is Advice.TWO_FACES:
            raise ValueError("there is more than one face in it")
        # Old photos are what offices have: anything else makes a worse reference, but a reference.
        return Described(seen.embedding, "" if seen.fit else seen.advice.value.replace("_", " "))

    return Eyes(app.versions()["face_embedding"], describe)
