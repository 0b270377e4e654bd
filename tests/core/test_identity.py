"""Identity numbers: what is accepted, and that no slip of the finger gets through."""

import string
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.core import identity
from edge.core.identity import IdentityNumber, Kind, Problem, parse
from edge.core.phrases import Phrase

TODAY = date(2026, 11, 23)
GB_EXAMPLE = "11010519491231002X"  # the example of GB 11643-1999


def number(place: str, born: date, order: int) -> str:
    seventeen = f"{place}{born:%Y%m%d}{order:03d}"
    # ISO 7064 by its definition: the weighted sum with the check character is 1 modulo 11.
    for check in "0123456789X":
        digits = [int(c) for c in seventeen] + [10 if check == "X" else int(check)]
        if sum(digit * 2 ** (17 - i) for i, digit in enumerate(digits)) % 11 == 1:
            return seventeen + check
    raise AssertionError


PLACES = st.sampled_from(["110105", "310101", "440305", "650102", "810000", "820000", "830000", "931840", "710000"])
BIRTHS = st.dates(date(1880, 1, 1), TODAY)
NUMBERS = st.builds(number, PLACES, BIRTHS, st.integers(0, 999))


def accepted(text: str) -> IdentityNumber:
    found = parse(text, TODAY)
    assert isinstance(found, IdentityNumber), found
    return found


@given(PLACES, BIRTHS, st.integers(0, 999))
def test_every_well_formed_number_comes_back_as_itself(place: str, born: date, order: int) -> None:
    text = number(place, born, order)
    assert accepted(text).number == text
    assert accepted(text).born == born
    assert accepted(text.lower()).number == text


@given(NUMBERS, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_single_wrong_character_is_caught(text: str, place: int, other: str) -> None:
    assume(text[place] != other)
    assert isinstance(parse(text[:place] + other + text[place + 1 :], TODAY), Problem)


@given(NUMBERS, st.integers(0, 16))
def test_any_two_neighbours_in_the_wrong_order_are_caught(text: str, place: int) -> None:
    assume(text[place] != text[place + 1])
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert isinstance(parse(swapped, TODAY), Problem)


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    assert isinstance(parse(text, TODAY), IdentityNumber | Problem)


@pytest.mark.parametrize(
    "text",
    [
        GB_EXAMPLE,
        "11010519491231002x",
        " 110105 19491231 002x\n",
        "110105-19491231-002X",
        "110105–19491231–002X",
        "１１０１０５１９４９１２３１００２ｘ",
        "\ufeff11010519491231\u200b002X",
        "110105491231002",  # the same person before 1999: 15 digits
    ],
)
def test_ways_of_writing_the_same_number(text: str) -> None:
    assert accepted(text).number == GB_EXAMPLE


@pytest.mark.parametrize(
    ("text", "kind", "born"),
    [
        (number("810000", date(1950, 5, 1), 12), Kind.PERMIT, date(1950, 5, 1)),
        (number("820000", date(1950, 5, 1), 12), Kind.PERMIT, date(1950, 5, 1)),
        (number("830000", date(1950, 5, 1), 12), Kind.PERMIT, date(1950, 5, 1)),
        (number("911840", date(1950, 5, 1), 12), Kind.FOREIGN, date(1950, 5, 1)),
        ("USA110050050112", Kind.FOREIGN, date(1950, 5, 1)),
        ("usa110020050112", Kind.FOREIGN, None),  # 1920 or 2020: the old form leaves the century open
        (GB_EXAMPLE, Kind.RESIDENT, date(1949, 12, 31)),
    ],
)
def test_forms(text: str, kind: Kind, born: date | None) -> None:
    assert (accepted(text).kind, accepted(text).born) == (kind, born)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.EMPTY),
        (" - ", Problem.EMPTY),
        ("1101051949123100", Problem.TOO_SHORT),
        ("1", Problem.TOO_SHORT),
        ("USA11005005", Problem.TOO_SHORT),
        (GB_EXAMPLE + "1", Problem.TOO_LONG),
        ("1" * 100_000, Problem.TOO_LONG),
        ("1101051949123X0021", Problem.BAD_CHARACTER),
        ("11010519491231002Y", Problem.BAD_CHARACTER),
        ("一一〇一〇五一九四九一二三一〇〇二", Problem.BAD_CHARACTER),
        ("٣" * 18, Problem.BAD_CHARACTER),
        ("110105194912310021", Problem.WRONG_CHECK_DIGIT),
        ("11010519490231002X", Problem.IMPOSSIBLE_DATE),
        (number("110105", TODAY + timedelta(days=1), 2), Problem.IMPOSSIBLE_DATE),
        (number("110105", date(1879, 12, 31), 2), Problem.IMPOSSIBLE_DATE),
        ("110105490231002", Problem.IMPOSSIBLE_DATE),
        ("USA110050023012", Problem.IMPOSSIBLE_DATE),
        (number("810001", date(1950, 5, 1), 12), Problem.UNKNOWN_PLACE),
        (number("200105", date(1950, 5, 1), 12), Problem.UNKNOWN_PLACE),
        ("USA11005005011234", Problem.UNKNOWN_FORM),
        ("ABCDEFGHIJKLMNO", Problem.UNKNOWN_FORM),
    ],
)
def test_what_is_not_a_number_gets_a_reason(text: str, problem: Problem) -> None:
    assert parse(text, TODAY) is problem


def test_the_twenty_ninth_of_february_is_a_birthday_only_in_leap_years() -> None:
    assert accepted(number("110105", date(1948, 2, 29), 1)).born == date(1948, 2, 29)
    assert parse("110105" + "19490229" + "001X", TODAY) is Problem.IMPOSSIBLE_DATE


def test_every_problem_has_a_kind_phrase_of_its_own() -> None:
    assert set(identity.PHRASE_OF) == set(Problem)
    assert len(set(identity.PHRASE_OF.values())) == len(Problem)
    assert all(isinstance(phrase, Phrase) for phrase in identity.PHRASE_OF.values())


def test_a_number_never_shows_itself() -> None:
    found = accepted(GB_EXAMPLE)
    assert not any(digit in repr(found) for digit in string.digits)
    assert identity.mask(found) == "1****************X"
    assert identity.mask("12") == "**"


@dataclass(frozen=True)
class Cost:
    n: int = 16
    r: int = 8
    p: int = 1
    length: int = 32


def test_the_digest_is_scrypt_of_the_normal_form() -> None:
    # RFC 7914, section 12: the second test vector has these parameters' shape; the value here is literal.
    rfc = identity.digest("password", b"NaCl", Cost(1024, 8, 16, 64))
    assert rfc.startswith("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162")
    legacy, modern = accepted("110105491231002"), accepted(GB_EXAMPLE)
    assert identity.digest(legacy, b"salt", Cost()) == identity.digest(modern, b"salt", Cost())
    assert identity.digest(modern, b"salt", Cost()) != identity.digest(modern, b"pepper", Cost())
