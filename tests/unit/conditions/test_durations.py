"""Lengths of time as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.conditions.durations import DURATION_PATTERN, format_duration, parse_duration, parse_offset


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("2 days", timedelta(days=2)),
        ("1 day", timedelta(days=1)),
        ("1 hour 30 minutes", timedelta(hours=1, minutes=30)),
        ("90 seconds", timedelta(seconds=90)),
        ("3 weeks", timedelta(weeks=3)),
        ("  1 week   1 second ", timedelta(weeks=1, seconds=1)),
    ],
)
def test_a_length_of_time_is_read(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no length of time"),
        ("days", "no length of time"),
        ("two days", "no whole number"),
        ("1.5 hours", "no whole number"),
        ("-2 days", "no whole number"),
        ("² days", "no whole number"),
        ("2 fortnights", "no unit of time"),
        ("1 month", "no fixed length"),
        ("2 years", "no fixed length"),
        ("30 minutes 1 hour", "larger one first"),
        ("1 day 1 day", "each unit once"),
        ("0 days", "longer than nothing"),
        ("999999999 weeks", "longer than 3650 days"),
    ],
)
def test_what_is_no_length_of_time_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("-2 days", timedelta(days=-2)),
        ("+2 days", timedelta(days=2)),
        ("2 days", timedelta(days=2)),
        ("0 days", timedelta()),
        ("-1 hour 30 minutes", -timedelta(hours=1, minutes=30)),
    ],
)
def test_an_offset_may_have_a_sign(text: str, length: timedelta) -> None:
    assert parse_offset(text) == length


@given(st.integers(1, 3650 * 86_400))
def test_every_length_survives_being_written_and_read(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    text = format_duration(length)
    assert parse_duration(text) == length
    assert parse_offset(format_duration(-length)) == -length


@given(st.from_regex(DURATION_PATTERN, fullmatch=True) | st.text(max_size=30))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        length = parse_duration(text)
    except ValueError:
        return
    assert timedelta() < length <= timedelta(days=3650)
