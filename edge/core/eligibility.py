"""Until when a certification is good, and what a person's standing is on a day.  Dates only: no clock, no person.

Every figure here is data of a scheme: Beijing counts 12 natural months to the end of the month, other places to
the day, Haikou has 6 months (docs of the domain: N, B in product.md).  A certification on any day of March 2026
with 12 months and `Boundary.MONTH_END` is good through 31 March 2027; with `Boundary.ANNIVERSARY` through the same
day of March 2027, and one of 29 February through 28 February.  ``valid_until`` is always the last good day.
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum, unique
from types import MappingProxyType

from edge.core.types import Standing

# China has had one civil time without daylight saving since 1991-09-15, so a fixed offset is exact and the core
# needs no time-zone files.  A test compares it with the tz database.
ZONES: Mapping[str, timezone] = MappingProxyType({"Asia/Shanghai": timezone(timedelta(hours=8), "Asia/Shanghai")})

# A result names its scheme, and the wire takes these characters only.
SCHEME_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

# What the office decides is not for the terminal to recompute from dates.
DECIDED_BY_OFFICE = frozenset(
    {Standing.NOT_IN_SCOPE, Standing.SUSPENDED, Standing.LOST_ELIGIBILITY, Standing.UNDER_REVIEW}
)


@unique
class Boundary(StrEnum):
    """Where a cycle of whole months ends."""

    MONTH_END = "month_end"
    ANNIVERSARY = "anniversary"


@dataclass(frozen=True, slots=True)
class MonthlyWindow:
    """Days of every month, both included, on which no certification starts."""

    first_day: int
    last_day: int

    def __post_init__(self) -> None:
        if not 1 <= self.first_day <= self.last_day <= 28:
            raise ValueError("a monthly maintenance window needs 1 <= first_day <= last_day <= 28")

    def covers(self, day: date) -> bool:
        return self.first_day <= day.day <= self.last_day


@dataclass(frozen=True, slots=True)
class DatedWindow:
    """One stretch of days, both included, on which no certification starts."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not self.first <= self.last <= self.first + timedelta(days=366):
            raise ValueError("a dated maintenance window needs first <= last, at most 366 days apart")

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


Window = MonthlyWindow | DatedWindow


@dataclass(frozen=True, slots=True)
class Scheme:
    """The rules of one benefit scheme in one place."""

    name: str = "beijing"
    cycle_months: int = 12
    boundary: Boundary = Boundary.MONTH_END
    warning_months: int = 3
    cut_off: date | None = None  # in scope: whoever was in receipt of benefits by this day; None: everybody
    timezone: str = "Asia/Shanghai"
    windows: tuple[Window, ...] = (MonthlyWindow(1, 3),)  # the notice closes the channel on the 1st to 3rd

    def __post_init__(self) -> None:
        if not SCHEME_NAME.fullmatch(self.name):
            raise ValueError("a scheme needs a name of 1 to 64 letters, digits, dots, hyphens and underscores")
        if not 1 <= self.cycle_months <= 60:
            raise ValueError("cycle_months must be within 1 and 60")
        if not 1 <= self.warning_months <= self.cycle_months:
            raise ValueError("warning_months must be within 1 and cycle_months: nobody becomes overdue unwarned")
        if self.timezone not in ZONES:
            raise ValueError(f"timezone must be one of: {', '.join(ZONES)}")
        monthly = [window for window in self.windows if isinstance(window, MonthlyWindow)]
        if all(any(w.first_day <= day <= w.last_day for w in monthly) for day in range(1, 29)):
            raise ValueError("the monthly maintenance windows leave no day open")


def add_months(day: date, months: int) -> date:
    """The same day ``months`` later (or earlier), or that month's last day where it has no such day."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    year = min(max(year, date.min.year), date.max.year)  # a roster may use the first or last date for "never"
    return date(year, month0 + 1, min(day.day, monthrange(year, month0 + 1)[1]))


def month_end(day: date) -> date:
    """The last day of the month of ``day``."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def local_date(now: datetime, scheme: Scheme) -> date:
    """The calendar day at the office; 16:00 UTC is already tomorrow in Shanghai.  ``now`` must be aware."""
    if now.utcoffset() is None:
        raise ValueError("local_date needs an aware datetime")
    return now.astimezone(ZONES[scheme.timezone]).date()


def valid_until(certified_on: date, scheme: Scheme) -> date:
    """The last good day of a certification made on ``certified_on``, however early or often it is repeated."""
    anniversary = add_months(certified_on, scheme.cycle_months)
    return month_end(anniversary) if scheme.boundary is Boundary.MONTH_END else anniversary


def due_from(until: date, scheme: Scheme) -> date:
    """The first day on which somebody good through ``until`` is warned and due.

    That is ``warning_months`` before the end, counted in whole months where the scheme counts so.  When the
    channel is closed on some day of the last month, it is no later than the first of the month before: nobody's
    last month may be the first they hear of it and a closed channel at once.
    """
    if scheme.boundary is Boundary.MONTH_END:
        start = add_months(until.replace(day=1), 1 - scheme.warning_months)
    else:
        start = add_months(until, -scheme.warning_months) + timedelta(days=1)
    if closes_in_last_month(until, scheme):
        start = min(start, add_months(until.replace(day=1), -1))
    return start


def closes_in_last_month(until: date, scheme: Scheme) -> bool:
    """Whether the channel is closed on some good day of the month in which ``until`` lies."""
    days = (until.replace(day=number) for number in range(1, until.day + 1))
    return any(in_maintenance(day, scheme) for day in days)


def standing_on(standing: Standing, until: date | None, today: date, scheme: Scheme) -> Standing:
    """The standing today of somebody whom the roster, perhaps weeks ago, gave ``standing`` and ``until``."""
    if standing in DECIDED_BY_OFFICE:
        return standing
    if until is None:
        return Standing.DUE if standing is Standing.VALID else standing
    if today > until:
        return Standing.OVERDUE
    return Standing.DUE if today >= due_from(until, scheme) else Standing.VALID


def in_scope(receiving_since: date, scheme: Scheme) -> bool:
    """Whether somebody in receipt of benefits since that day is within the notice's cut-off."""
    return scheme.cut_off is None or receiving_since <= scheme.cut_off


def in_maintenance(day: date, scheme: Scheme) -> bool:
    """Whether no new certification starts on this day."""
    return any(window.covers(day) for window in scheme.windows)


def resumes_on(day: date, scheme: Scheme) -> date:
    """The first day from ``day`` on which certifications start; ``day`` itself when the channel is open."""
    while in_maintenance(day, scheme):
        day += timedelta(days=1)
    return day
