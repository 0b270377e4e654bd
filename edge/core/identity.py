"""Identity numbers as people type, scan and read them: one normal form, or a kind reason to look once more.

Forms: the resident number of 18 characters (GB 11643: six digits of place, eight of birth, three of order, and a
check character by ISO 7064 MOD 11-2); its legacy form of 15 digits; the residence permits of people from Hong Kong,
Macau and Taiwan (places 810000, 820000, 830000, otherwise the same); the permanent residence numbers of foreigners,
old (3 letters, 12 digits) and of 2023 (18 characters beginning with 9, the same check).  The check digit of the
old foreign form is not verified: we found no published rule that we could test against.
"""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Protocol

from edge.core.phrases import Phrase

EARLIEST_BIRTH = date(1880, 1, 1)  # nobody older has ever been documented
MAX_INPUT = 200  # a QR code can hold kilobytes; no number with its separators is longer

# The first two digits of GB/T 2260: provinces, autonomous regions, municipalities.
PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71))
    for code in range(first, last + 1)
)
PERMIT_PLACES = frozenset({"810000", "820000", "830000"})
CHECK_CHARACTERS = "10X98765432"


@unique
class Kind(StrEnum):
    """Which document a number belongs to."""

    RESIDENT = "resident"
    PERMIT = "permit"
    FOREIGN = "foreign"


@unique
class Problem(StrEnum):
    """Why a text is not an identity number."""

    EMPTY = "empty"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    BAD_CHARACTER = "bad_character"
    WRONG_CHECK_DIGIT = "wrong_check_digit"
    IMPOSSIBLE_DATE = "impossible_date"
    UNKNOWN_PLACE = "unknown_place"
    UNKNOWN_FORM = "unknown_form"


PHRASE_OF: Mapping[Problem, Phrase] = MappingProxyType(
    {
        Problem.EMPTY: Phrase.NUMBER_EMPTY,
        Problem.TOO_SHORT: Phrase.NUMBER_TOO_SHORT,
        Problem.TOO_LONG: Phrase.NUMBER_TOO_LONG,
        Problem.BAD_CHARACTER: Phrase.NUMBER_BAD_CHARACTER,
        Problem.WRONG_CHECK_DIGIT: Phrase.NUMBER_CHECK_DIGIT,
        Problem.IMPOSSIBLE_DATE: Phrase.NUMBER_IMPOSSIBLE_DATE,
        Problem.UNKNOWN_PLACE: Phrase.NUMBER_UNKNOWN_PLACE,
        Problem.UNKNOWN_FORM: Phrase.NUMBER_UNKNOWN_FORM,
    }
)


@dataclass(frozen=True, slots=True)
class IdentityNumber:
    """A number in its normal form (capital letters, no separators, 15 digits made 18).  Its repr shows nothing."""

    number: str = field(repr=False)
    kind: Kind
    born: date | None = field(default=None, repr=False)  # None: the old foreign form leaves the century open


class ScryptCost(Protocol):
    """The scrypt parameters of a roster document."""

    @property
    def n(self) -> int: ...
    @property
    def r(self) -> int: ...
    @property
    def p(self) -> int: ...
    @property
    def length(self) -> int: ...


def parse(text: str, today: date) -> IdentityNumber | Problem:
    """The number in ``text``, or why it is none.  Never raises, and never says more than the `Problem`."""
    plain = normalize(text)
    if not plain:
        return Problem.EMPTY
    if len(plain) > 18:
        return Problem.TOO_LONG
    if not (plain.isascii() and plain.isalnum()):
        return Problem.BAD_CHARACTER
    if plain[:3].isalpha():
        return _old_foreign(plain, today)
    if not _body_is_digits(plain):
        return Problem.BAD_CHARACTER
    if len(plain) == 15:
        seventeen = f"{plain[:6]}19{plain[6:]}"
        return _eighteen(seventeen + check_character(seventeen), today)
    return _eighteen(plain, today) if len(plain) == 18 else Problem.TOO_SHORT


def normalize(text: str) -> str:
    """Full-width forms narrowed, spaces, hyphens and invisible characters dropped, letters capital."""
    if len(text) > MAX_INPUT:
        return text[:MAX_INPUT]
    narrow = unicodedata.normalize("NFKC", text)
    return "".join(c for c in narrow if not c.isspace() and unicodedata.category(c) not in {"Pd", "Cf", "Cc"}).upper()


def count(text: str) -> int:
    """How many characters of a number were given, for "16 so far of 18"."""
    return len(normalize(text))


def check_character(seventeen: str) -> str:
    """The ISO 7064 MOD 11-2 check character of 17 digits."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(seventeen))
    return CHECK_CHARACTERS[total % 11]


def digest(number: IdentityNumber | str, salt: bytes, cost: ScryptCost) -> str:
    """The salted scrypt digest (lowercase hex) of a normal form, by which a roster knows a person.

    Identity numbers have little entropy, so the cost matters more than the hash; it comes with the roster.
    """
    text = number.number if isinstance(number, IdentityNumber) else number
    memory = 128 * cost.r * (cost.n + cost.p + 4) + (1 << 20)
    return hashlib.scrypt(
        text.encode(), salt=salt, n=cost.n, r=cost.r, p=cost.p, dklen=cost.length, maxmem=memory
    ).hex()


def mask(number: IdentityNumber | str) -> str:
    """The number with all but its first and last character starred."""
    text = number.number if isinstance(number, IdentityNumber) else number
    return text[:1] + "*" * (len(text) - 2) + text[-1:] if len(text) > 2 else "*" * len(text)


def _body_is_digits(plain: str) -> bool:
    return plain.isdigit() or (len(plain) == 18 and plain[:17].isdigit() and plain[17] == "X")


def _eighteen(plain: str, today: date) -> IdentityNumber | Problem:
    place = plain[:6]
    if place in PERMIT_PLACES:
        kind = Kind.PERMIT
    elif plain[0] == "9":
        kind = Kind.FOREIGN
    elif place[:2] in PROVINCES:
        kind = Kind.RESIDENT
    else:
        return Problem.UNKNOWN_PLACE
    born = _day(plain[6:14])
    if born is None or not EARLIEST_BIRTH <= born <= today:
        return Problem.IMPOSSIBLE_DATE
    if check_character(plain[:17]) != plain[17]:
        return Problem.WRONG_CHECK_DIGIT
    return IdentityNumber(plain, kind, born)


def _old_foreign(plain: str, today: date) -> IdentityNumber | Problem:
    if len(plain) < 15:
        return Problem.TOO_SHORT
    if len(plain) > 15 or not plain[3:].isdigit():
        return Problem.UNKNOWN_FORM
    births = [born for century in ("19", "20") if (born := _day(century + plain[7:13])) and born <= today]
    if not births:
        return Problem.IMPOSSIBLE_DATE
    return IdentityNumber(plain, Kind.FOREIGN, births[0] if len(births) == 1 else None)


def _day(eight: str) -> date | None:
    try:
        return date(int(eight[:4]), int(eight[4:6]), int(eight[6:]))
    except ValueError:
        return None
