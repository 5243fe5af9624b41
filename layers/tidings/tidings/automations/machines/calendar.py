"""Wall clocks of people: the instant of a time of day in a time zone, of the next weekday, of the next anniversary.

A time that a clock skips in spring is as much later as the clock was put forward; one that it shows twice in autumn is
the first of both. An anniversary of 29 February is on 28 February where there is no other.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tidings.conditions.values import parse_instant

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = timedelta(days=1)


@lru_cache(maxsize=256)
def zone_of(*names: str) -> ZoneInfo:
    """The first of some time zones that there is; UTC if there is none."""
    for name in (*names, "UTC"):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown; empty or leading out of the database; a folder
            continue
    raise AssertionError("there is always UTC")


def on(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant (aware, UTC) at which clocks in the zone show a time of a day. Raises OverflowError."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def day_of(value: object) -> date | None:
    """The day that a text names, if it names one and no time of it."""
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def instant_of(value: object, at: time | None, offset: timedelta, zone: ZoneInfo) -> datetime | None:
    """The instant (aware, UTC) that a date or a date with a time means in a zone, moved by `offset`; None for neither.

    A date begins at midnight. With `at` it is that time of the day on which the date falls in the zone; whole days of
    the offset are then days of the calendar. Raises OverflowError past the calendar's ends.
    """
    day = day_of(value)
    if day is None:
        instant = parse_instant(value)
        if instant is None:
            return None
        if at is None:
            return instant + offset
        day = instant.astimezone(zone).date()
    return moved(day, at or time(), offset, zone)


def moved(day: date, at: time, offset: timedelta, zone: ZoneInfo) -> datetime:
    """The instant `offset` from a time of a day: by whole days of the calendar first. Raises OverflowError."""
    days = timedelta(days=int(offset / _DAY))
    return on(day + days, at, zone) + (offset - days)


def next_weekday(begins: datetime, weekdays: Collection[int], at: time, zone: ZoneInfo) -> datetime:
    """The first instant at `begins` or later at which it is `at` on one of the weekdays (0 is Monday) in the zone."""
    today = begins.astimezone(zone).date()
    for days in range(9):  # a day before today does not come: a zone may skip a whole day, so one more than a week
        day = today + days * _DAY
        if day.weekday() in weekdays and (instant := on(day, at, zone)) >= begins:
            return instant
    raise ValueError("needs a weekday from 0 to 6")


def next_anniversary(
    begins: datetime, day: date, offset: timedelta, at: time, zone: ZoneInfo
) -> tuple[int, datetime] | None:
    """The first instant at `begins` or later that is `at` on an anniversary of a day, moved by `offset`; with its year.

    None where there is none any more, at the calendar's end. The day itself counts as an anniversary too.
    """
    years = abs(offset).days // 365 + 1
    first = max(day.year, begins.astimezone(zone).year - years)
    for year in range(first, first + 2 * years + 3):
        instant = anniversary(year, day, offset, at, zone)
        if instant is not None and instant >= begins:
            return year, instant
    return None


def anniversary(year: int, day: date, offset: timedelta, at: time, zone: ZoneInfo) -> datetime | None:
    """The instant that is `at` on a day's anniversary in a year, moved by `offset`; None past the calendar's ends."""
    if year < day.year:
        return None
    try:
        return moved(in_year(day, year), at, offset, zone)
    except (OverflowError, ValueError):
        return None


def in_year(day: date, year: int) -> date:
    """The day of a day's anniversary in a year."""
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 2, 28)
