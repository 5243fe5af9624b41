"""Values as traits and properties carry them: finding one by name, telling kinds apart, comparing.

Values are what JSON can say, and `Decimal`, which some stores return for numbers. Null counts as no value at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeGuard

_LONGEST_DATE = 64


def lookup(values: Mapping[str, Any], name: str) -> Any:
    """The value called `name`, or None where there is none.

    A dot reaches into nested objects: `address.city`. A key that is spelled exactly like the name wins over a nested
    one, and of several ways to split a name the one with the longest first key wins.
    """
    if name in values:
        return values[name]
    end = name.rfind(".")
    while end > 0:
        inner = values.get(name[:end])
        if isinstance(inner, Mapping):
            found = lookup(inner, name[end + 1 :])
            if found is not None:
                return found
        end = name.rfind(".", 0, end)
    return None


def is_number(value: object) -> TypeGuard[int | float | Decimal]:
    """Whether `value` is a number that can be compared: true and false are none, and neither is NaN."""
    if isinstance(value, bool):
        return False
    if isinstance(value, Decimal):
        return not value.is_nan()
    return isinstance(value, int) or (isinstance(value, float) and value == value)


def same(one: object, other: object) -> bool:
    """Whether two values are the same: same kind and same value; lists item by item, text to the letter.

    1 and 1.0 are the same number; 1 and true are not the same, nor are 5 and "5".
    """
    if is_number(one) and is_number(other):
        return one == other
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return (isinstance(one, str) and isinstance(other, str) and one == other) or (
        isinstance(one, bool) and isinstance(other, bool) and one is other
    )


def parse_instant(value: object) -> datetime | None:
    """The instant that an ISO 8601 date or date and time names, or None if it is none.

    A date is its midnight, a time without a zone is UTC. Numbers are not read as seconds since 1970, since nothing says
    whether they are seconds or milliseconds.
    """
    if isinstance(value, str):
        if len(value) > _LONGEST_DATE:
            return None
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return None


def _in_utc(moment: datetime) -> datetime | None:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the first or last hours of the calendar, in a zone that pushes them out of it
        return None
