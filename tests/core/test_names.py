"""Names: dots, rare characters, any length; and that a mask shows no more than it may."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core import names

RARE = "\U00020bb7"  # 𠮷, beyond the Basic Multilingual Plane
VARIANT = "葛\U000e0100"  # with an ideographic variation selector


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("王小英", "王*英"),
        ("王英", "王*"),
        ("王", "*"),
        ("", ""),
        ("欧阳娜娜", "欧**娜"),
        ("阿卜杜·热合曼", "阿**·**曼"),
        ("阿卜杜•热合曼", "阿**·**曼"),
        (f"{RARE}小英", f"{RARE}*英"),
        (f"王{RARE}", "王*"),
        (f"{VARIANT}小{VARIANT}", f"{VARIANT}*{VARIANT}"),
        ("Müller", "M****r"),
        ("Mu\u0308ller", "M****r"),
        ("Anna Maria", "A*** ****a"),
        ("买买提·阿卜杜热合曼·吐尔逊江·艾合买提·玉素甫", "买***甫"),
    ],
)
def test_a_mask_keeps_the_first_and_the_last_character(name: str, masked: str) -> None:
    assert names.mask(name) == masked


@pytest.mark.parametrize("dot", [*"·•‧∙・･⋅．\u2024\u0387", " · ", "• "])
def test_every_way_of_typing_the_middle_dot_is_the_same_name(dot: str) -> None:
    assert names.same(f"阿卜杜{dot}热合曼", "阿卜杜·热合曼")


def test_a_full_stop_is_a_middle_dot_between_ideographs_only() -> None:
    assert names.same("阿卜杜.热合曼", "阿卜杜·热合曼")
    assert names.normalize("J. Smith") == "J. Smith"


def test_composition_width_and_case_do_not_count() -> None:
    assert names.same("Mu\u0308ller", "MÜLLER")
    assert names.same("Ｌｉ Ｍｉｎｇ", "li ming")
    assert names.same("\ufa1e小英", "羽小英"), "a compatibility ideograph is its unified form in NFC"
    assert not names.same("王小英", "王小瑛")
    assert not names.same("阿卜杜·热合曼", "阿卜杜热合曼")


@given(st.text(max_size=60))
def test_normal_form_is_stable_and_composed(name: str) -> None:
    once = names.normalize(name)
    assert names.normalize(once) == once or unicodedata.normalize("NFC", once) != once
    assert names.same(name, once)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=40))
def test_a_mask_shows_at_most_two_characters(name: str) -> None:
    shown = [c for c in names.mask(name) if c not in "*· "]
    assert len(shown) == min(max(len(name) - 1, 0), 2)
    assert len(names.mask(name)) <= names.LONGEST_MASK


@given(st.text(max_size=60))
def test_no_name_raises_and_graphemes_lose_nothing(name: str) -> None:
    names.mask(name)
    assert "".join(names.graphemes(name)) == name
