"""Finding values by name and comparing them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tidings.conditions.values import is_number, lookup, parse_instant, same

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "name", "found"),
    [
        ({"plan": "team"}, "plan", "team"),
        ({}, "plan", None),
        ({"address": {"city": "Oslo"}}, "address.city", "Oslo"),
        ({"address": {"city": "Oslo"}, "address.city": "Rome"}, "address.city", "Rome"),
        ({"address": {"city": "Oslo"}, "address.city": None}, "address.city", None),
        ({"a": {"b": {"c": 1}}}, "a.b.c", 1),
        ({"a": {"b.c": 1}}, "a.b.c", 1),
        ({"a.b": {"c": 1}, "a": {"b.c": 2}}, "a.b.c", 1),
        ({"a.b": {"d": 1}, "a": {"b.c": 2}}, "a.b.c", 2),
        ({"address": "Oslo"}, "address.city", None),
        ({"tags": ["a"]}, "tags.0", None),
        ({"": {"x": 1}}, ".x", None),
        ({".x": 1}, ".x", 1),
        ({"zero": {"n": 0}}, "zero.n", 0),
    ],
)
def test_a_name_finds_its_value(values: dict[str, Any], name: str, found: object) -> None:
    assert lookup(values, name) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (Decimal("5"), 5), ("a", "a"), (True, True), ([1, "a"], [1.0, "a"]), ({"a": [1]}, {"a": [1]}), ([], [])],
)
def test_same_values_are_the_same(one: object, other: object) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (0, False),
        (5, "5"),
        ("a", "A"),
        ("true", True),
        ([1], [True]),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ([1], 1),
        ({"a": 1}, {"a": 1, "b": 2}),
        (NAN, NAN),
        ([NAN], [NAN]),
        (Decimal("NaN"), 1),
        (Decimal("sNaN"), Decimal("sNaN")),
        (None, None),
    ],
)
def test_other_values_are_not_the_same(one: object, other: object) -> None:
    assert not same(one, other)
    assert not same(other, one)


@pytest.mark.parametrize("value", [True, False, "5", None, NAN, Decimal("sNaN"), [1]])
def test_what_is_no_number(value: object) -> None:
    assert not is_number(value)


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-12-24", datetime(2026, 12, 24, tzinfo=UTC)),
        ("2026-12-24T09:00:00Z", datetime(2026, 12, 24, 9, tzinfo=UTC)),
        ("2026-12-24T09:00:00+02:00", datetime(2026, 12, 24, 7, tzinfo=UTC)),
        ("2026-12-24 09:00", datetime(2026, 12, 24, 9, tzinfo=UTC)),
        (date(2026, 12, 24), datetime(2026, 12, 24, tzinfo=UTC)),
        (datetime(2026, 12, 24, 9), datetime(2026, 12, 24, 9, tzinfo=UTC)),  # noqa: DTZ001 that is the case
        ("tomorrow", None),
        ("", None),
        ("12:30", None),
        (1_800_000_000, None),
        (True, None),
        (None, None),
        ("2026-02-30", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("2" * 10_000, None),
    ],
)
def test_dates_are_iso_8601_and_utc_without_a_zone(value: object, instant: datetime | None) -> None:
    assert parse_instant(value) == instant
