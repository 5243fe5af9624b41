"""What `reentry` says, decided without any table: who may enter again, and what is the same value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.activity.model import Event
from tidings.automations.definition.triggers import Reentry
from tidings.automations.entering.entries import (
    Entered,
    Tally,
    basis_of,
    denied,
    entry_of,
    is_counted,
    is_keyed,
    scope_of,
    tally_of,
)
from tidings.conditions.values import same
from tidings.contacts.model import Identity, IdentityKind

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
VALUES = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.sampled_from([1.0, 0.5, -0.0, "1", "true", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


def rule(**fields: Any) -> Reentry:
    return Reentry.model_validate(fields)


def entered(at: datetime, scope: str = "", under_way: bool = False) -> Entered:
    return Entered(("c1", at.isoformat()), at, scope, under_way, {})


@pytest.mark.parametrize(
    ("asked", "keyed", "counted", "basis"),
    [
        ("every_time", False, False, "every_time"),
        ("once", True, False, "once"),
        (rule(at_most=1), True, False, "once"),
        (rule(at_most=1, interval="1 day", parallel=2), True, False, "once"),
        (rule(per="a.b"), True, False, "once:a.b"),
        (rule(per="a", at_most=1, interval="1 day"), True, False, "once:a"),
        (rule(per="a", parallel=1), False, True, "counted:ways:a"),
        (rule(per="a", interval="1 day"), False, True, "counted::a"),
        (rule(per="a", interval="1 day", parallel=1), False, True, "counted:ways:a"),
        (rule(per="a", at_most=2), False, True, "counted::a"),
        (rule(at_most=2), False, True, "counted::"),
        (rule(interval="1 day"), False, True, "counted::"),
        (rule(parallel=1), False, True, "counted:ways:"),
    ],
)
def test_a_rule_goes_by_the_key_or_by_a_count_and_says_with_what_it_is_alike(
    asked: Any, keyed: bool, counted: bool, basis: str
) -> None:
    assert (is_keyed(asked), is_counted(asked), basis_of(asked)) == (keyed, counted, basis)


@given(VALUES, VALUES)
def test_two_values_count_as_one_if_conditions_take_them_for_the_same(one: Any, other: Any) -> None:
    asked = rule(per="key")
    assert (scope_of(asked, {"key": one}) == scope_of(asked, {"key": other})) == same(one, other)


@pytest.mark.parametrize("properties", [{}, {"key": None}, {"key": ""}, {"other": 1}])
def test_without_a_value_nothing_can_be_told_apart(properties: Any) -> None:
    assert scope_of(rule(per="key"), properties) is None
    assert scope_of(rule(at_most=2), properties) == scope_of("once", properties) == ""


def test_an_entry_is_named_by_its_message_or_by_what_there_is_one_of() -> None:
    event = Event("acme", Identity(IdentityKind.USER, "u"), "m-1", "track", "Ordered", NOW, NOW)
    other = Event("acme", Identity(IdentityKind.USER, "u"), "m-2", "track", "Ordered", NOW, NOW)
    assert entry_of(event, "once") == entry_of(other, "once") == "once"
    assert entry_of(event, rule(per="a"), "x") == entry_of(other, rule(per="a"), "x") == "per-x"
    for asked in ("every_time", rule(at_most=2)):
        assert entry_of(event, asked) == entry_of(event, asked) != entry_of(other, asked)


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("ab"), st.booleans()), max_size=8))
def test_a_tally_is_what_its_entries_come_to_in_any_order(found: list[tuple[int, str, bool]]) -> None:
    entries = [entered(NOW + number * DAY, scope, way) for number, scope, way in found]
    tally = tally_of(entries, "a")
    own = [one for one in entries if one.scope == "a"]
    assert tally.count == len(own)
    assert tally.last == max((one.at for one in own), default=None)
    assert len(tally.ways) == sum(one.under_way for one in own)
    assert tally_of(reversed(entries), "a") == tally
    assert tally_of(entries, None).count == len(entries)


@given(st.integers(0, 3), st.integers(-30, 30), st.integers(0, 3))
def test_a_rule_lets_in_whom_each_of_its_keys_lets_in(count: int, hours: int, ways: int) -> None:
    asked = rule(at_most=3, interval="1 day", parallel=2)
    of_value = Tally(count, NOW if count else None)
    of_all = Tally(count, None, (("c1", "e"),) * ways)
    said = denied(asked, of_value, of_all, NOW + timedelta(hours=hours))
    too_early = count > 0 and hours < 24
    assert (said is None) == (count < 3 and not too_early and ways < 2)
    if said is not None:
        assert said.rule == ("at_most" if count >= 3 else "interval" if too_early else "parallel")


@given(st.integers(0, 3), st.integers(-30, 30), st.booleans(), st.none() | st.integers(1, 2))
def test_each_value_enters_once_unless_an_interval_or_a_number_says_more(
    count: int, hours: int, spaced: bool, most: int | None
) -> None:
    asked = rule(per="a", **({"interval": "1 day"} if spaced else {}), **({"at_most": most} if most else {}))
    said = denied(asked, Tally(count, NOW if count else None), Tally(count), NOW + timedelta(hours=hours))
    too_often = count >= (most or (100 if spaced else 1))
    assert (said is None) == (not too_often and not (spaced and count > 0 and hours < 24))


def test_what_was_entered_later_than_an_event_came_holds_against_it_too() -> None:
    """An event may be reacted to late; two entries are never closer than the interval."""
    said = denied(rule(interval="1 day"), Tally(1, NOW), Tally(), NOW - 3 * DAY)
    assert said is not None
    assert said.seen["last"] == "2026-11-21T09:00:00.000000Z"
