"""Wall clocks of people."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.automations.machines.calendar import next_anniversary, next_weekday, on, zone_of

WARSAW = zone_of("Europe/Warsaw")
NINE = time(9)
zones = st.sampled_from(sorted(available_timezones())).map(zone_of)
FIRST, LAST = datetime(1995, 1, 1), datetime(2080, 1, 1)  # noqa: DTZ001 hypothesis wants them without a zone
instants = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
times = st.times().map(lambda t: t.replace(second=0, microsecond=0, fold=0))


@pytest.mark.parametrize(
    ("day", "at", "expected"),
    [
        (date(2026, 11, 23), NINE, datetime(2026, 11, 23, 8, tzinfo=UTC)),
        (date(2026, 7, 1), NINE, datetime(2026, 7, 1, 7, tzinfo=UTC)),
        (date(2026, 3, 29), time(2, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # skipped: 03:30 summer time
        (date(2026, 10, 25), time(2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # twice: the first
    ],
)
def test_a_time_of_day_is_an_instant(day: date, at: time, expected: datetime) -> None:
    assert on(day, at, WARSAW) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Asia/Tokyo", "UTC"), "Asia/Tokyo"),
        (("Mars/Olympus", "Asia/Tokyo"), "Asia/Tokyo"),
        (("", "../../etc/passwd", "Europe", "Asia/Tokyo"), "Asia/Tokyo"),
        ((), "UTC"),
        (("Nowhere/At All",), "UTC"),
    ],
)
def test_the_first_zone_that_there_is_counts(names: tuple[str, ...], expected: str) -> None:
    assert str(zone_of(*names)) == expected


@pytest.mark.parametrize(("begins", "expected"), [
    (datetime(2026, 11, 23, 7, 59, tzinfo=UTC), datetime(2026, 11, 23, 8, tzinfo=UTC)),
    (datetime(2026, 11, 23, 8, tzinfo=UTC), datetime(2026, 11, 23, 8, tzinfo=UTC)),
    (datetime(2026, 11, 23, 8, 0, 1, tzinfo=UTC), datetime(2026, 11, 26, 8, tzinfo=UTC)),
    (datetime(2026, 11, 27, tzinfo=UTC), datetime(2026, 11, 30, 8, tzinfo=UTC)),
])  # fmt: skip
def test_the_next_monday_or_thursday_at_nine(begins: datetime, expected: datetime) -> None:
    assert next_weekday(begins, {0, 3}, NINE, WARSAW) == expected


@given(instants, st.sets(st.integers(0, 6), min_size=1), times, zones)
def test_a_weekday_comes_within_eight_days_and_not_too_early(begins, weekdays, at, zone) -> None:  # type: ignore[no-untyped-def]
    found = next_weekday(begins, weekdays, at, zone)
    assert begins <= found <= begins + timedelta(days=9)
    shown = found.astimezone(zone)
    assert (
        (shown.time() == at and shown.weekday() in weekdays)
        or on(shown.date(), at, zone) == found
        or shown > datetime.combine(shown.date(), at, zone)
    )


@pytest.mark.parametrize(("begins", "day", "offset", "expected"), [
    (datetime(2026, 11, 22, tzinfo=UTC), date(1990, 12, 1), 0, datetime(2026, 12, 1, 8, tzinfo=UTC)),
    (datetime(2026, 12, 1, 8, tzinfo=UTC), date(1990, 12, 1), 0, datetime(2026, 12, 1, 8, tzinfo=UTC)),
    (datetime(2026, 12, 1, 8, 1, tzinfo=UTC), date(1990, 12, 1), 0, datetime(2027, 12, 1, 8, tzinfo=UTC)),
    (datetime(2026, 11, 22, tzinfo=UTC), date(1990, 12, 1), -7, datetime(2026, 11, 24, 8, tzinfo=UTC)),
    (datetime(2026, 11, 25, tzinfo=UTC), date(1990, 12, 1), -7, datetime(2027, 11, 24, 8, tzinfo=UTC)),
    (datetime(2026, 12, 30, tzinfo=UTC), date(1990, 1, 3), -7, datetime(2027, 12, 27, 8, tzinfo=UTC)),
    (datetime(2026, 1, 1, tzinfo=UTC), date(1990, 12, 30), 5, datetime(2026, 1, 4, 8, tzinfo=UTC)),
    (datetime(2026, 11, 22, tzinfo=UTC), date(2024, 2, 29), 0, datetime(2027, 2, 28, 8, tzinfo=UTC)),
    (datetime(2027, 11, 22, tzinfo=UTC), date(2024, 2, 29), 0, datetime(2028, 2, 29, 8, tzinfo=UTC)),
    (datetime(2026, 11, 22, tzinfo=UTC), date(2030, 5, 1), 0, datetime(2030, 5, 1, 7, tzinfo=UTC)),
])  # fmt: skip
def test_the_next_anniversary(begins: datetime, day: date, offset: int, expected: datetime) -> None:
    found = next_anniversary(begins, day, timedelta(days=offset), NINE, WARSAW)
    assert found is not None
    assert found[1] == expected
