"""Lengths of time as people write them: `2 days`, `1 hour 30 minutes`, `90 seconds`.

One grammar for every place that takes a length of time: pairs of a whole number and a unit, the larger unit first, each
unit at most once. Units are weeks, days, hours, minutes and seconds, singular or plural. Months and years are refused
because they have no fixed length.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache

MAX_DURATION = timedelta(days=3650)
_PART = "[0-9]{1,9} +(week|day|hour|minute|second)s?"
DURATION_PATTERN = rf"^ *{_PART}( +{_PART})* *$"
OFFSET_PATTERN = rf"^ *[+-]? *{_PART}( +{_PART})* *$"

_SECONDS = {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
_NUMBER = re.compile(r"[0-9]{1,9}")


@lru_cache(maxsize=1024)
def parse_duration(text: str) -> timedelta:
    """The length of time that `text` names, in whole seconds and longer than nothing.

    Raises ValueError with a sentence that says what is wrong.
    """
    length = _sum_of_parts(text)
    if not length:
        raise ValueError("a length of time must be longer than nothing")
    return length


@lru_cache(maxsize=1024)
def parse_offset(text: str) -> timedelta:
    """Like `parse_duration`, with an optional sign in front of the whole: `-2 days` is two days earlier.

    Nothing (`0 days`) is allowed. Raises ValueError.
    """
    unsigned = text.strip()
    if unsigned[:1] not in {"+", "-"}:
        return _sum_of_parts(unsigned)
    length = _sum_of_parts(unsigned[1:])
    return -length if unsigned[0] == "-" else length


def format_duration(length: timedelta) -> str:
    """The text that `parse_offset` reads back as `length`; fractions of a second are dropped.

    >>> format_duration(timedelta(hours=1, minutes=30))
    '1 hour 30 minutes'
    """
    left = abs(int(length.total_seconds()))
    parts = []
    for unit in ("day", "hour", "minute", "second"):
        number, left = divmod(left, _SECONDS[unit])
        if number:
            parts.append(f"{number} {unit}{'' if number == 1 else 's'}")
    sign = "-" if length < timedelta() and parts else ""
    return sign + (" ".join(parts) or "0 seconds")


def _sum_of_parts(text: str) -> timedelta:
    words = text.split()
    if not words or len(words) % 2:
        raise ValueError(f'"{text[:40]}" is no length of time; write for example "2 days" or "1 hour 30 minutes"')
    seconds = 0
    smallest = _SECONDS["week"] + 1
    for number, unit in zip(words[::2], words[1::2], strict=True):
        size = _size_of(unit)
        if not _NUMBER.fullmatch(number):
            raise ValueError(f'"{number[:40]}" is no whole number; write for example "1 hour 30 minutes"')
        if size >= smallest:
            raise ValueError(f'"{text[:40]}": write each unit once, the larger one first')
        smallest = size
        seconds += int(number) * size
    if seconds > MAX_DURATION.total_seconds():
        raise ValueError(f"longer than {MAX_DURATION.days} days")
    return timedelta(seconds=seconds)


def _size_of(unit: str) -> int:
    singular = unit.removesuffix("s")
    if singular in {"month", "year"}:
        raise ValueError(f"a {singular} has no fixed length; say it in days")
    if singular not in _SECONDS:
        raise ValueError(f'"{unit[:40]}" is no unit of time; use weeks, days, hours, minutes or seconds')
    return _SECONDS[singular]
