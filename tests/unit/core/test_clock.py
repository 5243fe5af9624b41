"""Time as text: it sorts, it comes back the same, and every instant of the calendar has one spelling."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.core.clock import FixedClock, SystemClock, epoch, from_text, to_text

instants = st.datetimes(timezones=st.just(UTC))


@given(instants)
def test_an_instant_comes_back_from_its_text_the_same(instant: datetime) -> None:
    assert from_text(to_text(instant)) == instant


@given(instants, instants)
def test_text_sorts_in_the_order_of_time(one: datetime, other: datetime) -> None:
    assert (to_text(one) < to_text(other)) == (one < other)


def test_the_first_year_of_the_calendar_is_written_with_four_digits() -> None:
    # Go's zero time, which its clients send for a time that was never set.
    assert to_text(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-21T09:00:00Z", datetime(2026, 11, 21, 9, tzinfo=UTC)),
        ("2026-11-21T09:00:00.123Z", datetime(2026, 11, 21, 9, 0, 0, 123000, tzinfo=UTC)),
        ("2026-11-21T09:00:00.123456+00:00", datetime(2026, 11, 21, 9, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-21T09:00:00.123456789Z", datetime(2026, 11, 21, 9, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-21T10:00:00+01:00", datetime(2026, 11, 21, 9, tzinfo=UTC)),
        ("2026-11-21T09:00:00", datetime(2026, 11, 21, 9, tzinfo=UTC)),
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
    ],
)
def test_iso_8601_is_read_in_every_spelling_that_clients_send(text: str, instant: datetime) -> None:
    assert from_text(text) == instant


@pytest.mark.parametrize(
    "text",
    ["", "soon", "21.11.2026", "2026-13-01", "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"],
)
def test_what_is_no_instant_of_the_calendar_in_utc_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_text(text)


def test_text_is_always_utc() -> None:
    warsaw = timezone(timedelta(hours=1))
    assert to_text(datetime(2026, 11, 21, 10, tzinfo=warsaw)) == "2026-11-21T09:00:00.000000Z"


def test_the_epoch_counts_whole_seconds() -> None:
    assert epoch(datetime(1970, 1, 1, 0, 0, 2, 999_999, tzinfo=UTC)) == 2


def test_the_system_clock_tells_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta()


def test_a_fixed_clock_stands_still_until_it_is_moved() -> None:
    clock = FixedClock(datetime(2026, 11, 21, tzinfo=UTC))
    assert clock.now() == clock.now()
    clock.advance(timedelta(minutes=1))
    assert clock.now() == datetime(2026, 11, 21, 0, 1, tzinfo=UTC)
