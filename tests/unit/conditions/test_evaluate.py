"""Whether conditions hold, and what it costs to know."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from tests.unit.conditions.facts import NOW, MadeUpFacts
from tests.unit.conditions.strategies import FACTS, conditions

from tidings.conditions.evaluate import evaluate
from tidings.conditions.model import EventQuery, Occurrence, parse_condition

YES = {"trait": "plan", "is": "team"}
NO = {"trait": "plan", "is": "free"}
DAY = timedelta(days=1)


def facts(**given: Any) -> MadeUpFacts:
    return MadeUpFacts(**{"traits": {"plan": "team"}, **given})


def created(*days_ago: int, **properties: Any) -> list[Occurrence]:
    return [Occurrence(NOW - days * DAY, properties) for days in days_ago]


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        ({"all": [YES, YES]}, True),
        ({"all": [YES, NO]}, False),
        ({"any": [NO, YES]}, True),
        ({"any": [NO, NO]}, False),
        ({"none": [NO, NO]}, True),
        ({"none": [NO, YES]}, False),
        ({"all": [{"none": [NO]}, {"any": [NO, YES]}]}, True),
    ],
)
def test_groups_combine_their_rules(written: dict[str, Any], holds: bool) -> None:
    assert evaluate(parse_condition(written), facts()) is holds


def test_traits_and_properties_are_told_apart() -> None:
    condition = parse_condition({"property": "plan", "is": "free"})
    assert evaluate(condition, facts(properties={"plan": "free"}))
    assert not evaluate(condition, facts(traits={"plan": "free"}))


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        ({"did": "Created"}, True),
        ({"did": "Created", "at_least": 3}, True),
        ({"did": "Created", "at_least": 4}, False),
        ({"did": "created"}, False),
        ({"did_not": "Created"}, False),
        ({"did_not": "Paid"}, True),
        ({"did": "Created", "since": "enrolment"}, True),
        ({"did": "Created", "since": "enrolment", "at_least": 3}, False),
        ({"did": "Created", "since": {"step": "pause"}, "at_least": 2}, False),
        ({"did": "Created", "since": {"step": "pause"}}, True),
        ({"did": "Created", "within": "2 days", "at_least": 2}, False),
        ({"did": "Created", "within": "3 days", "at_least": 2}, True),
        ({"did": "Created", "since": "enrolment", "within": "1 day"}, True),
        ({"did": "Created", "since": "enrolment", "within": "23 hours"}, False),
        ({"did": "Created", "since": {"step": "pause"}, "within": "30 days", "at_least": 2}, False),
    ],
)
def test_events_are_counted_in_their_period(written: dict[str, Any], holds: bool) -> None:
    now = facts(
        events={"Created": created(10, 3, 1)},
        instants={"enrolment": NOW - 5 * DAY, "step:pause": NOW - 2 * DAY},
    )
    assert evaluate(parse_condition(written), now) is holds


def test_a_period_begins_at_the_later_of_since_and_within() -> None:
    condition = parse_condition({"did": "Created", "since": "enrolment", "within": "2 days"})
    early, late = facts(instants={"enrolment": NOW - 5 * DAY}), facts(instants={"enrolment": NOW - DAY})
    evaluate(condition, early)
    evaluate(condition, late)
    assert early.asked == [EventQuery("Created", NOW - 2 * DAY)]
    assert late.asked == [EventQuery("Created", NOW - DAY)]


def test_an_event_in_the_very_instant_counts() -> None:
    now = facts(events={"Created": created(2)}, instants={"enrolment": NOW - 2 * DAY})
    assert evaluate(parse_condition({"did": "Created", "since": "enrolment"}), now)


def test_nothing_was_done_since_a_step_that_nobody_passed() -> None:
    now = facts(events={"Created": created(1)})
    assert not evaluate(parse_condition({"did": "Created", "since": {"step": "pause"}}), now)
    assert evaluate(parse_condition({"did_not": "Created", "since": {"step": "pause"}}), now)
    assert now.asked == []


def test_where_looks_at_the_counted_event_and_not_at_the_one_in_question() -> None:
    condition = parse_condition({"did": "Created", "where": {"property": "size", "at_least": 10}})
    assert evaluate(condition, facts(events={"Created": created(1, size=12)}, properties={"size": 1}))
    assert not evaluate(condition, facts(events={"Created": created(1, size=2)}, properties={"size": 99}))


@pytest.mark.parametrize(
    "written", [{"all": [{"did": "A"}, NO]}, {"any": [{"did": "A"}, YES]}, {"none": [{"did": "A"}, YES]}]
)
def test_events_are_not_asked_for_where_a_trait_decides(written: dict[str, Any]) -> None:
    now = facts(events={"A": created(1)})
    evaluate(parse_condition(written), now)
    assert now.asked == []


def test_no_more_events_are_read_than_decide() -> None:
    now = facts(events={"A": created(9, 8, 7, 6, 5)})
    assert evaluate(parse_condition({"did": "A", "at_least": 2}), now)
    assert now.read == 2


@settings(max_examples=300, deadline=None)
@given(conditions(), FACTS)
def test_the_order_in_which_rules_are_asked_changes_nothing(written: dict[str, Any], now: MadeUpFacts) -> None:
    assert evaluate(parse_condition(written), now) is plainly(written, now)


def plainly(written: dict[str, Any], now: MadeUpFacts) -> bool:
    """The same without any order or stopping early."""
    for kind, combine in (("all", all), ("any", any), ("none", lambda results: not any(results))):
        if kind in written:
            return combine([plainly(rule, now) for rule in written[kind]])
    return evaluate(parse_condition(written), now)
