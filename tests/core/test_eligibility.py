"""Dates: until when a certification is good, held against a simple oracle day by day."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.eligibility import (
    ZONES,
    Boundary,
    DatedWindow,
    MonthlyWindow,
    Scheme,
    due_from,
    in_maintenance,
    in_scope,
    local_date,
    resumes_on,
    standing_on,
    valid_until,
)
from edge.core.types import Standing

BEIJING = Scheme()
TO_THE_DAY = Scheme(boundary=Boundary.ANNIVERSARY)
HAIKOU = Scheme(name="haikou", cycle_months=6)
DAYS = st.dates(date(2000, 1, 1), date(2090, 12, 31))
SCHEMES = st.builds(
    Scheme,
    cycle_months=st.integers(4, 24),
    boundary=st.sampled_from(Boundary),
    warning_months=st.integers(1, 3),
    windows=st.sampled_from([(), (MonthlyWindow(1, 3),), (MonthlyWindow(20, 28),)]),
)


def oracle(certified: date, scheme: Scheme) -> date:
    """Walk month by month, then take the day."""
    year, month = certified.year, certified.month
    for _ in range(scheme.cycle_months):
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    last = monthrange(year, month)[1]
    return date(year, month, last if scheme.boundary is Boundary.MONTH_END else min(certified.day, last))


@given(DAYS, SCHEMES)
def test_a_cycle_ends_where_a_calendar_says(certified: date, scheme: Scheme) -> None:
    assert valid_until(certified, scheme) == oracle(certified, scheme)


@pytest.mark.parametrize(
    ("scheme", "certified", "until"),
    [
        (BEIJING, date(2026, 3, 1), date(2027, 3, 31)),
        (BEIJING, date(2026, 3, 31), date(2027, 3, 31)),
        (BEIJING, date(2024, 2, 29), date(2025, 2, 28)),
        (BEIJING, date(2027, 2, 28), date(2028, 2, 29)),
        (TO_THE_DAY, date(2024, 2, 29), date(2025, 2, 28)),
        (TO_THE_DAY, date(2026, 11, 23), date(2027, 11, 23)),
        (HAIKOU, date(2026, 8, 31), date(2027, 2, 28)),
        (Scheme(cycle_months=6, boundary=Boundary.ANNIVERSARY), date(2026, 8, 31), date(2027, 2, 28)),
    ],
)
def test_dates_that_trip_people_up(scheme: Scheme, certified: date, until: date) -> None:
    assert valid_until(certified, scheme) == until


@given(DAYS, st.integers(0, 400), SCHEMES)
def test_certifying_again_never_shortens_anything(certified: date, later: int, scheme: Scheme) -> None:
    assert valid_until(certified + timedelta(days=later), scheme) >= valid_until(certified, scheme)


@given(DAYS, SCHEMES, st.integers(-500, 500))
def test_standing_goes_valid_due_overdue_and_never_back(until: date, scheme: Scheme, offset: int) -> None:
    order = [Standing.VALID, Standing.DUE, Standing.OVERDUE]
    today = until + timedelta(days=offset)
    now = standing_on(Standing.VALID, until, today, scheme)
    tomorrow = standing_on(Standing.VALID, until, today + timedelta(days=1), scheme)
    assert order.index(now) <= order.index(tomorrow)
    assert (now is Standing.OVERDUE) == (today > until)
    assert (now is Standing.VALID) == (today < due_from(until, scheme))


def test_the_warning_is_three_whole_months() -> None:
    assert due_from(date(2026, 12, 31), BEIJING) == date(2026, 10, 1)
    assert due_from(date(2027, 2, 28), BEIJING) == date(2026, 12, 1)
    assert due_from(date(2027, 3, 15), Scheme(boundary=Boundary.ANNIVERSARY, windows=())) == date(2026, 12, 16)


def test_whoever_is_due_in_a_month_that_begins_closed_is_warned_in_the_month_before() -> None:
    until = date(2027, 3, 31)
    assert due_from(until, Scheme(warning_months=1)) == date(2027, 2, 1)
    assert due_from(until, Scheme(warning_months=1, windows=())) == date(2027, 3, 1)


@given(DAYS, SCHEMES)
def test_nobody_is_due_on_closed_days_alone(until: date, scheme: Scheme) -> None:
    first = due_from(until, scheme)
    open_days = [d for n in range((until - first).days + 1) if not in_maintenance(d := first + timedelta(n), scheme)]
    assert open_days


@pytest.mark.parametrize("standing", [Standing.NOT_IN_SCOPE, Standing.SUSPENDED, Standing.LOST_ELIGIBILITY])
def test_what_the_office_decided_no_date_undoes(standing: Standing) -> None:
    for until in (None, date(2020, 1, 1), date(2099, 1, 1)):
        assert standing_on(standing, until, date(2026, 11, 23), BEIJING) is standing


def test_somebody_restored_is_due_when_no_date_is_known() -> None:
    assert standing_on(Standing.RESTORED, None, date(2026, 11, 23), BEIJING) is Standing.RESTORED
    assert standing_on(Standing.VALID, None, date(2026, 11, 23), BEIJING) is Standing.DUE


def test_midnight_is_shanghai_s() -> None:
    assert local_date(datetime(2026, 2, 28, 15, 59, 59, tzinfo=UTC), BEIJING) == date(2026, 2, 28)
    assert local_date(datetime(2026, 2, 28, 16, 0, tzinfo=UTC), BEIJING) == date(2026, 3, 1)
    assert local_date(datetime(2027, 12, 31, 16, 0, tzinfo=UTC), BEIJING) == date(2028, 1, 1)
    assert local_date(datetime(2028, 2, 28, 16, 0, tzinfo=UTC), BEIJING) == date(2028, 2, 29)
    with pytest.raises(ValueError, match="aware"):
        local_date(datetime(2026, 1, 1), BEIJING)  # noqa: DTZ001


@given(st.integers(0, 36_000), st.integers(0, 86_399))
def test_the_fixed_offset_is_what_the_time_zone_database_says(days: int, seconds: int) -> None:
    aware = datetime(1992, 1, 1, tzinfo=UTC) + timedelta(days=days, seconds=seconds)
    for name, zone in ZONES.items():
        assert aware.astimezone(zone).replace(tzinfo=None) == aware.astimezone(ZoneInfo(name)).replace(tzinfo=None)


@given(DAYS, st.integers(-12, 14))
def test_the_day_does_not_depend_on_the_zone_it_is_told_in(day: date, hours: int) -> None:
    noon = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    assert local_date(noon.astimezone(timezone(timedelta(hours=hours))), BEIJING) == day


def test_the_channel_rests_on_the_first_three_days() -> None:
    for day in range(1, 31):
        assert in_maintenance(date(2026, 11, day), BEIJING) == (day <= 3)
    assert resumes_on(date(2026, 12, 1), BEIJING) == date(2026, 12, 4)
    assert resumes_on(date(2026, 12, 5), BEIJING) == date(2026, 12, 5)


def test_windows_are_a_list_and_may_be_empty_or_touch() -> None:
    assert not in_maintenance(date(2026, 12, 1), Scheme(windows=()))
    holiday = Scheme(windows=(MonthlyWindow(1, 3), DatedWindow(date(2027, 1, 30), date(2027, 2, 6))))
    assert resumes_on(date(2027, 1, 31), holiday) == date(2027, 2, 7)


def test_the_cut_off_day_itself_is_in_scope() -> None:
    scheme = Scheme(cut_off=date(2022, 12, 31))
    assert in_scope(date(2022, 12, 31), scheme)
    assert not in_scope(date(2023, 1, 1), scheme)
    assert in_scope(date(2023, 1, 1), BEIJING)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Scheme(name=""),
        lambda: Scheme(cycle_months=0),
        lambda: Scheme(warning_months=13),
        lambda: Scheme(warning_months=0),
        lambda: Scheme(timezone="Mars/Olympus"),
        lambda: Scheme(windows=(MonthlyWindow(1, 28),)),
        lambda: MonthlyWindow(3, 1),
        lambda: MonthlyWindow(1, 31),
        lambda: DatedWindow(date(2027, 1, 2), date(2027, 1, 1)),
    ],
)
def test_a_scheme_that_makes_no_sense_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        wrong()  # type: ignore[operator]
