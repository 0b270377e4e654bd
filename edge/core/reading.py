"""JSON's values as Python's, or a ValueError that says where and why.  For documents whose keys we know."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import TypeVar

Kind = TypeVar("Kind", bound=StrEnum)


def only(found: Mapping[str, object], known: set[str], where: str) -> None:
    """Refuse keys that are not ``known``."""
    unknown = sorted(str(key) for key in set(found) - known)
    if unknown:
        raise ValueError(f"{where}: unknown key {unknown[0]!r}")


def mapping(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where}: must be an object")  # noqa: TRY004  (one kind of error for callers)
    return value


def items(value: object, where: str) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{where}: must be a list")  # noqa: TRY004
    return value


def text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{where}: must be text")  # noqa: TRY004
    return value


def whole(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{where}: must be a whole number")  # noqa: TRY004
    return value


def number(value: object, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{where}: must be a number")  # noqa: TRY004
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{where}: must be a number of ordinary size") from None


def flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{where}: must be true or false")  # noqa: TRY004
    return value


def day(value: object, where: str) -> date:
    try:
        return date.fromisoformat(text(value, where))
    except ValueError:
        raise ValueError(f"{where}: must be a date like 2026-12-31") from None


def one_of(kind: type[Kind], value: object, where: str) -> Kind:
    try:
        return kind(text(value, where))
    except ValueError:
        raise ValueError(f"{where}: must be one of {', '.join(kind)}") from None
