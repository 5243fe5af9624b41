"""Whether conditions hold, and what it costs to know."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from tests.unit.conditions.facts import NOW, MadeUpFacts
from tests.unit.conditions.strategies import FACTS, conditions
from tests.unit.conditions.truth import truth

from tidings.conditions.evaluate import evaluate
from tidings.conditions.facts import EventQuery, Occurrence
from tidings.conditions.model import dump, parse_condition

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


OPENED = {"tips": {"delivered": NOW - DAY, "opened": NOW - DAY}}


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        ({"engaged": "tips"}, True),
        ({"engaged": "tips", "by": "opened"}, True),
        ({"engaged": "tips", "by": "delivered"}, True),
        ({"engaged": "tips", "by": "clicked"}, False),
        ({"engaged": "tips", "by": "replied"}, False),
        ({"engaged": "tips", "by": ["replied", "clicked"]}, False),
        ({"engaged": "tips", "by": ["clicked", "opened"]}, True),
        ({"engaged": "hello"}, False),
        ({"none": [{"engaged": "hello"}]}, True),
    ],
)
def test_one_of_the_ways_to_engage_is_enough(written: dict[str, Any], holds: bool) -> None:
    assert evaluate(parse_condition(written), facts(engaged=OPENED)) is holds


def test_what_was_only_delivered_engaged_nobody_unless_that_is_asked_for() -> None:
    delivered = facts(engaged={"tips": {"delivered": NOW}})
    assert not evaluate(parse_condition({"engaged": "tips"}), delivered)
    assert evaluate(parse_condition({"engaged": "tips", "by": "delivered"}), delivered)


def test_replies_are_asked_for_last_and_only_where_they_decide() -> None:
    condition, read = parse_condition({"engaged": "tips", "by": ["replied", "opened"]}), facts(engaged=OPENED)
    assert evaluate(condition, read)
    assert read.engagements_asked == [("tips", ("opened",))]
    unread = facts()
    assert not evaluate(condition, unread)
    assert unread.engagements_asked == [("tips", ("opened",)), ("tips", ("replied",))]
    assert not evaluate(parse_condition({"engaged": "tips", "by": "clicked"}), unread)
    assert unread.engagements_asked[2:] == [("tips", ("clicked",))]


@pytest.mark.parametrize(
    "written", [{"all": [{"engaged": "a"}, NO]}, {"any": [{"engaged": "a"}, YES]}, {"none": [{"engaged": "a"}, YES]}]
)
def test_nobody_looks_for_engagement_where_a_trait_decides(written: dict[str, Any]) -> None:
    now = facts(engaged={"a": {"opened": NOW}})
    evaluate(parse_condition(written), now)
    assert now.engagements_asked == []


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        ({"answer": "ask.status", "is": 200}, True),
        ({"answer": "ask.status", "at_least": 300}, False),
        ({"answer": "ask.body.account.tier", "is": "gold"}, True),
        ({"answer": "ask.body.account.gone", "exists": False}, True),
        ({"answer": "ask.body.account.tier.more", "exists": True}, False),
        ({"answer": "ask.body.tags", "contains": "a"}, True),
        ({"answer": "tell.body", "starts_with": "OK"}, True),
        ({"answer": "silent.status", "exists": True}, False),
        ({"answer": "silent.status", "is_not": 200}, True),
    ],
)
def test_what_a_server_answered_is_compared_like_a_trait(written: dict[str, Any], holds: bool) -> None:
    body = {"account": {"tier": "gold"}, "tags": ["a"]}
    answers = {"ask": {"status": 200, "body": body}, "tell": {"status": 200, "body": "OK, thanks"}}
    assert evaluate(parse_condition(written), facts(answers=answers)) is holds


def test_an_answer_is_neither_a_trait_nor_a_property() -> None:
    condition = parse_condition({"answer": "ask.status", "is": 200})
    assert not evaluate(condition, facts(traits={"ask": {"status": 200}}, properties={"ask.status": 200}))


def test_the_steps_taken_are_looked_at_before_messages_and_events_are() -> None:
    rules = [{"did": "A"}, {"engaged": "tips"}, {"answer": "ask.status", "is": 200}, YES]
    group = parse_condition({"all": rules})
    assert [dump(rule) for rule in group.cheap_first] == [rules[3], rules[2], rules[0], rules[1]]


@settings(max_examples=300, deadline=None)
@given(conditions(), FACTS)
def test_the_order_in_which_rules_are_asked_changes_nothing(written: dict[str, Any], now: MadeUpFacts) -> None:
    assert evaluate(parse_condition(written), now) is truth(written, now)
