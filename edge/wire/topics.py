"""Names of the contract's topics: ``anxin/v1/{site}/{device}/{way}/{kind}``, built and parsed strictly."""

import re
from dataclasses import dataclass
from enum import StrEnum, unique

from edge.errors import UntrustedError

ROOT = "anxin/v1"
MAX_CHARS = 256

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


@unique
class Kind(StrEnum):
    """The last two levels of a topic: its direction, seen from the terminal, and what it carries."""

    STATUS = "up/status"
    RESULT = "up/result"
    HEALTH = "up/health"
    ALARM = "up/alarm"
    LOOKUP = "up/lookup"
    REPLY = "up/reply"
    LOOKUP_ANSWER = "down/lookup"
    RECEIPT = "down/receipt"
    COMMAND = "down/command"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of one terminal."""

    site: str
    device: str
    kind: Kind

    def __str__(self) -> str:
        return build(self.site, self.device, self.kind)


def build(site: str, device: str, kind: Kind) -> str:
    """The topic's name; raises `ValueError` for a site or device that is not a name of the contract."""
    for name in (site, device):
        if not _NAME.fullmatch(name):
            raise ValueError("A site's or device's name has lower-case letters, digits and dashes, 63 at most.")
    return f"{ROOT}/{site}/{device}/{kind}"


def parse(text: str) -> Topic:
    """The topic that ``text`` names; anything else, wildcards included, raises `UntrustedError`."""
    levels = text.split("/") if len(text) <= MAX_CHARS else []
    if len(levels) != 6 or "/".join(levels[:2]) != ROOT:
        raise UntrustedError("A message came on a topic that is not of this contract; it was refused.")
    site, device = levels[2:4]
    try:
        kind = Kind("/".join(levels[4:]))
    except ValueError:
        raise UntrustedError("A message came on an unknown kind of topic; it was refused.") from None
    if not (_NAME.fullmatch(site) and _NAME.fullmatch(device)):
        raise UntrustedError("A message came on a topic with an impossible site or device; it was refused.")
    return Topic(site, device, kind)


def every_device(kind: Kind) -> str:
    """The filter with which the office hears one kind of topic from every terminal."""
    return f"{ROOT}/+/+/{kind}"
