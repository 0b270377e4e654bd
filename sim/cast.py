"""The people of the simulated community: invented names and numbers (with valid check characters), public portraits.

``cast.toml`` lists them.  The portraits' real people have nothing to do with the names here.
"""

import calendar
import json
import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.core.types import Action, Method, Standing
from edge.errors import ConfigError
from sim import portraits

FILE = Path(__file__).parent / "cast.toml"
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]


class CastMember(BaseModel):
    """One person of the community.  ``valid_months`` counts from the day the site is made; 0: never certified."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Key
    number: str = Field(repr=False)
    name: str = Field(repr=False)
    portraits: tuple[str, ...] = Field(default=(), description="Reference photos.")
    standing: Standing = Standing.DUE
    valid_months: int = Field(default=0, ge=-120, le=120)
    method: Method | None = None
    exemptions: frozenset[Action] = frozenset()

    def valid_until(self, today: date) -> date | None:
        """The end of the month so many months from ``today``; None when there was no certification."""
        if self.valid_months == 0:
            return None
        months = today.year * 12 + today.month - 1 + self.valid_months
        year, month = divmod(months, 12)
        return date(year, month + 1, calendar.monthrange(year, month + 1)[1])


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    person: tuple[CastMember, ...]


def load(file: Path = FILE) -> dict[str, CastMember]:
    """The cast by key; raises `ConfigError` naming file and key."""
    try:
        members = _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).person
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file} cannot be read as TOML ({error}).") from None
    except ValidationError as error:
        where = "; ".join(
            ".".join(map(str, e["loc"])) + f": {e['msg']}" for e in error.errors(include_input=False)[:5]
        )
        raise ConfigError(f"{file}: {where}.") from None
    return {member.key: member for member in members}


def write_people(file: Path, keys: Iterable[str], today: date) -> None:
    """The list of people that `anxin provision dev --people` reads, with the portraits' own paths.

    Raises `ToolError` when a portrait is not here, `ConfigError` for an unknown key.
    """
    cast = load()
    lines = []
    for key in dict.fromkeys(keys):
        member = cast.get(key)
        if member is None:
            raise ConfigError(f"Nobody in {FILE.name} is called `{key}`.")
        until = member.valid_until(today)
        lines += ["[[person]]", f"number = {_quoted(member.number)}", f"name = {_quoted(member.name)}"]
        lines.append(f"photos = [{', '.join(_quoted(str(portraits.verified(name))) for name in member.portraits)}]")
        lines.append(f"standing = {_quoted(member.standing)}")
        if until is not None:
            lines.append(f"valid_until = {until.isoformat()}")
        if member.method is not None:
            lines.append(f"method = {_quoted(member.method)}")
        if member.exemptions:
            lines.append(f"exemptions = [{', '.join(_quoted(each) for each in sorted(member.exemptions))}]")
        lines.append("")
    file.write_text("\n".join(lines), encoding="utf-8")


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False)
