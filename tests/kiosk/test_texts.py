"""The catalogue: whole, kind, and the same in both languages."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.phrases import Phrase
from edge.errors import ConfigError
from edge.kiosk.texts import FOLDER, LANGUAGES, PAGE_WORDS, Texts, params_of, written

# No text says that something failed, was rejected or was an error, and none is a code.
NEVER = ("失败", "拒绝", "错误", "无效", "非法", "违规", "警告", "不合格", "未通过", "倒计时",
         "fail", "reject", "error", "invalid", "denied", "wrong", "illegal", "warning", "unable")  # fmt: skip
# What the comments of `Phrase` promise as parameters.
KNOWN = {"until", "resumes", "name", "ticket", "place", "hours", "count", "times", "version"}
PARAMS = {**dict.fromkeys(sorted(KNOWN), "7"), "place_en": "7", "hours_en": "7"}


def test_every_phrase_has_a_text_in_both_languages_and_nothing_else_is_there(texts: Texts) -> None:
    for language in LANGUAGES:
        assert set(texts.sentences[language]) == {str(phrase) for phrase in Phrase} | PAGE_WORDS


def test_both_languages_ask_for_the_same_parameters_and_only_for_promised_ones(texts: Texts) -> None:
    for key, zh in texts.sentences["zh"].items():
        assert params_of(zh) == params_of(texts.sentences["en"][key]), key
        assert params_of(zh) <= KNOWN, key


def test_every_text_is_kind_and_complete(texts: Texts) -> None:
    for key in [*Phrase, *PAGE_WORDS]:
        text = texts.render(key, PARAMS)
        for sentence in (text.zh, text.en):
            assert sentence == sentence.strip()
            assert not re.search(r"[{}]", sentence), key
            assert [word for word in NEVER if word in sentence.lower()] == [], key
        assert re.search(r"[\u4e00-\u9fff]", text.zh), key
        assert not re.search(r"[\u4e00-\u9fff]", text.en), key
        assert "你" not in text.zh, key  # always 您


def test_no_text_promises_what_the_terminal_or_the_scheme_does_not_have(texts: Texts) -> None:
    """No QR code is read yet, a cycle may have 6 months, and only the office restores payments."""
    for key in Phrase:
        text = texts.render(key, PARAMS)
        assert not re.search("二维码|刷卡|今年|接着发", text.zh), key
        assert not re.search("QR|this year|payments go on", text.en), key


def test_every_text_but_the_consent_is_short(texts: Texts) -> None:
    for key in set(Phrase) - {Phrase.CONSENT_TEXT}:
        text = texts.render(key, PARAMS)
        assert len(text.zh) <= 40, text.zh
        assert len(text.en.split()) <= 24, text.en


def test_the_consent_says_what_happens_and_that_one_is_free_to_say_no(texts: Texts) -> None:
    text = texts.render(Phrase.CONSENT_TEXT, {"version": "2026-1"})
    for must in ("只在这台机器上", "不存照片", "不外传", "由您定", "不同意", "2026-1"):
        assert must in text.zh
    for must in ("on this machine only", "No picture is kept or sent", "You decide", "say no", "2026-1"):
        assert must in text.en


def test_dates_are_written_out() -> None:
    assert written(date(2027, 11, 30), "zh") == "2027年11月30日"
    assert written(date(2028, 2, 29), "en") == "29 February 2028"


@given(st.dates())
def test_any_date_keeps_its_day_month_and_year(day: date) -> None:
    assert [int(part) for part in re.findall(r"\d+", written(day, "zh"))] == [day.year, day.month, day.day]
    assert written(day, "en").startswith(f"{day.day} ")


def test_what_only_looks_like_a_date_is_left_alone(texts: Texts) -> None:
    assert "2027-13-45" in texts.render(Phrase.CONFIRM_UNTIL_DETAIL, {"until": "2027-13-45"}).zh


@given(st.text(max_size=40))
def test_a_name_is_put_in_as_it_is(name: str) -> None:
    texts = Texts.load()
    assert texts.render(Phrase.CONFIRM_SELF, {"name": name}).zh == f"您是 {name} 吗？"


def test_an_unknown_text_or_a_missing_parameter_is_a_sentence(texts: Texts) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.here is not in"):
        texts.render("nothing.here", {})
    with pytest.raises(ConfigError, match="needs the parameter name"):
        texts.render(Phrase.CONFIRM_SELF, {})


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for language in LANGUAGES:
        (tmp_path / f"{language}.toml").write_bytes((FOLDER / f"{language}.toml").read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('"button.yes" = "Yes"', "", "lack button.yes"),
        ('"button.yes" = "Yes"', '"button.yes" = "Yes"\n"button.maybe" = "Maybe"', "Nothing uses button.maybe"),
        ('"confirm.self" = "Are you {name}?"', '"confirm.self" = "Is it you?"', "parameters of confirm.self differ"),
        ('"button.yes" = "Yes"', '"button.yes" = Yes', "not valid TOML"),
        ('"button.yes" = "Yes"', '"button.yes" = 1', "look at texts.button.yes"),
    ],
)
def test_a_damaged_catalogue_stops_the_start(copy: Path, before: str, after: str, sentence: str) -> None:
    file = copy / "en.toml"
    file.write_text(file.read_text("utf-8").replace(before, after), "utf-8")
    with pytest.raises(ConfigError, match=sentence):
        Texts.load(copy)


def test_a_missing_catalogue_stops_the_start(copy: Path) -> None:
    (copy / "zh.toml").unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        Texts.load(copy)


def test_the_page_waits_with_the_same_words_as_the_catalogue(texts: Texts) -> None:
    html = (FOLDER.parent / "static" / "index.html").read_text("utf-8")
    wait = texts.render("page.wait", {})
    assert f">{wait.zh}<" in html
    assert f">{wait.en}<" in html
