"""The catalogue of everything the page says, in Chinese and English, checked whole at the start.

One TOML file per language in ``texts/``: a table ``[texts]`` of key = sentence, with ``{name}`` where a
parameter goes.  Parameters that are ISO dates are written out (2027年11月30日, 30 November 2027).  A parameter
``x_en`` is the English form of ``x``.  Keys are those of `edge.core.phrases.Phrase`, and ``page.*`` for the page's
own words (keypad, waiting).
"""

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.core.phrases import Phrase
from edge.errors import ConfigError
from edge.kiosk.protocol import Key, Language, Text

FOLDER: Final = Path(__file__).parent / "texts"
PAGE_WORDS: Final = frozenset({"page.brand", "page.wait", "page.number", "page.delete", "page.done"})
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")

_PARAM: Final = re.compile(r"\{([a-z_]+)\}")
_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    texts: dict[Key, Annotated[str, Field(min_length=1, max_length=2000)]]


def written(day: date, language: Language) -> str:
    """A date as people write it."""
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def params_of(sentence: str) -> frozenset[str]:
    """The names of the parameters that ``sentence`` needs, in their Chinese form (``place`` for ``place_en``)."""
    return frozenset(name.removesuffix("_en") for name in _PARAM.findall(sentence))


@dataclass(frozen=True, slots=True)
class Texts:
    """Every text in every language; made by `load`, which refuses an incomplete catalogue."""

    sentences: Mapping[Language, Mapping[str, str]] = field(repr=False)

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Self:
        """Read both languages; raises `ConfigError` when a phrase or a translation is missing or unknown."""
        sentences = {language: _read(folder / f"{language}.toml") for language in LANGUAGES}
        zh, en = sentences["zh"], sentences["en"]
        needed = {str(phrase) for phrase in Phrase} | PAGE_WORDS
        for language, texts in sentences.items():
            if missing := sorted(needed - texts.keys()):
                raise ConfigError(f"The texts in {language} lack {', '.join(missing)}; add them to {language}.toml.")
            if unknown := sorted(texts.keys() - needed):
                raise ConfigError(f"Nothing uses {', '.join(unknown)}; remove them from {language}.toml.")
        if unlike := sorted(key for key in zh if params_of(zh[key]) != params_of(en[key])):
            raise ConfigError(
                f"The parameters of {', '.join(unlike)} differ between zh.toml and en.toml; align them."
            )
        return cls(MappingProxyType({k: MappingProxyType(v) for k, v in sentences.items()}))

    def render(self, key: str, params: Mapping[str, str]) -> Text:
        """The text of ``key`` in both languages; raises `ConfigError` when it or a parameter is unknown."""
        return Text(key=key, zh=self._one("zh", key, params), en=self._one("en", key, params))

    def _one(self, language: Language, key: str, params: Mapping[str, str]) -> str:
        sentences = self.sentences[language]
        if key not in sentences:
            raise ConfigError(f"The text {key} is not in {language}.toml; add it.")

        def filled(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in params:
                raise ConfigError(f"The text {key} needs the parameter {name}, which this view does not give.")
            return _written(params[name], language)

        return _PARAM.sub(filled, sentences[key])


def _written(value: str, language: Language) -> str:
    if _ISO_DATE.fullmatch(value):
        with suppress(ValueError):
            return written(date.fromisoformat(value), language)
    return value


def _read(file: Path) -> dict[str, str]:
    try:
        return _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).texts
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}); install the package again.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML ({error}); correct that line.") from None
    except ValidationError as error:
        keys = ", ".join(".".join(str(part) for part in e["loc"]) for e in error.errors())
        raise ConfigError(f"{file} is not a catalogue of texts: look at {keys}.") from None
