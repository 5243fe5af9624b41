"""What may be written as a condition, and what the answer is when it may not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from tests.unit.conditions.strategies import conditions

from tidings.conditions.model import (
    Group,
    components_answering,
    components_engaged,
    components_named,
    dump,
    events_named,
    needs_enrolment,
    needs_events,
    parse_condition,
    since_enrolment,
    steps_named,
    walk,
)
from tidings.core.errors import InvalidInput

LEAF = {"trait": "plan", "is": "team"}


def nested(depth: int) -> dict[str, Any]:
    return LEAF if depth == 1 else {"all": [nested(depth - 1)]}


@settings(max_examples=200, deadline=None)
@given(conditions())
def test_a_condition_is_written_as_it_was_read(written: dict[str, Any]) -> None:
    condition = parse_condition(written)
    assert dump(condition) == written
    assert parse_condition(dump(condition)) == condition


@pytest.mark.parametrize(
    ("written", "field", "message"),
    [
        ("plan is team", None, "is no rule"),
        ({}, None, "is no rule"),
        (
            {"attribute": "plan", "is": "team"},
            None,
            "keys all, any, none, trait, property, known, answer, did, did_not, engaged",
        ),
        ({"trait": "plan"}, None, "needs an operator"),
        ({"trait": "plan", "is": "a", "is_not": "b"}, None, "several operators"),
        ({"trait": "plan", "equals": "team"}, "equals", "unknown key"),
        ({"trait": "plan", "is_": "team"}, "is_", "unknown key"),
        ({"trait": "", "is": "team"}, "trait", "1 to 1000 characters"),
        ({"trait": 5, "is": "team"}, "trait", "in quotes"),
        ({"trait": "plan", "is": None}, "is", "exists: false"),
        ({"trait": "plan", "is": {"a": 1}}, "is", "must be text, a number"),
        ({"trait": "plan", "is": float("nan")}, "is", "must be text, a number"),
        ({"trait": "plan", "is": [["a"]]}, "is", "must be text, a number"),
        ({"trait": "plan", "in": "team"}, "in", "must be a list"),
        ({"trait": "plan", "in": []}, "in", "at least one value"),
        ({"trait": "plan", "in": list(range(201))}, "in", "at most 200"),
        ({"trait": "plan", "exists": "yes"}, "exists", "must be true or false"),
        ({"trait": "plan", "starts_with": ""}, "starts_with", "1 to 1000 characters"),
        ({"trait": "seats", "at_least": "3"}, "at_least", "must be a number"),
        ({"trait": "seats", "at_least": True}, "at_least", "must be a number"),
        ({"trait": "seats", "at_least": float("inf")}, "at_least", "must be a number"),
        ({"trait": "born", "before": "tomorrow"}, "before", "ISO 8601"),
        ({"trait": "born", "before": 2026}, "before", "ISO 8601"),
        ({"all": []}, "all", "must not be empty"),
        ({"all": LEAF}, "all", "must be a list"),
        ({"any": [LEAF, {"none": [{"trait": "x", "is": None}]}]}, "any[1].none[0].is", "exists: false"),
        ({"all": [LEAF], "any": [LEAF]}, "any", "unknown key"),
        ({"did": "X", "at_least": 0}, "at_least", "at least 1"),
        ({"did": "X", "at_least": 1.5}, "at_least", "whole number"),
        ({"did_not": "X", "at_least": 2}, "at_least", "unknown key"),
        ({"did": "X", "since": "yesterday"}, "since", "'enrolment'"),
        ({"did": "X", "since": {"component": "x"}}, "since.step", "is missing"),
        ({"did": "X", "within": 7}, "within", "2 days"),
        ({"did": "X", "within": "7 moons"}, "within", "no unit of time"),
        ({"did": "X", "where": {"property": "p"}}, "where", "needs an operator"),
        ({"did": "X", "where": LEAF}, None, "properties of the counted event only"),
        ({"did": "X", "where": {"any": [{"did": "Y"}]}}, None, "properties of the counted event only"),
        ({"did": "X", "where": {"engaged": "tips"}}, None, "properties of the counted event only"),
        ({"did": "X", "where": {"answer": "ask.status", "is": 200}}, None, "properties of the counted event only"),
        ({"engaged": ""}, "engaged", "1 to 1000 characters"),
        ({"engaged": "tips", "by": "seen"}, "by", "must be one or several of delivered, opened, clicked, replied"),
        ({"engaged": "tips", "by": ["opened", "seen"]}, "by", "must be one or several of delivered, opened, clicked"),
        ({"engaged": "tips", "by": []}, "by", "must be one or several of"),
        ({"engaged": "tips", "by": None}, "by", "must be one or several of"),
        ({"engaged": "tips", "by": [["opened"]]}, "by", "must be one or several of"),
        ({"engaged": "tips", "by": ["opened", "opened"]}, "by", "names one kind twice"),
        ({"engaged": "tips", "is": True}, "is", "unknown key"),
        ({"answer": "ask.status"}, None, "needs an operator"),
        ({"answer": "ask", "is": 200}, "answer", "must be COMPONENT.status, COMPONENT.body or COMPONENT.body.NAME"),
        ({"answer": "ask.headers.date", "is": 200}, "answer", "must be COMPONENT.status, COMPONENT.body or"),
        ({"answer": "ask.status.code", "is": 200}, "answer", "must be COMPONENT.status, COMPONENT.body or"),
        ({"answer": "ask.body.", "is": 200}, "answer", "must be COMPONENT.status, COMPONENT.body or"),
        ({"answer": "Ask.body.plan", "is": 200}, "answer", "must be COMPONENT.status, COMPONENT.body or"),
        ({"answer": 5, "is": 200}, "answer", "in quotes"),
        (nested(11), None, "more than 10 deep"),
        ({"any": [LEAF] * 200}, None, "more than 200 rules"),
    ],
)
def test_a_mistake_is_refused_and_its_place_named(written: object, field: str | None, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_condition(written)
    assert refused.value.code == "invalid_condition"
    assert refused.value.field == field
    assert message in refused.value.message


def test_the_largest_and_deepest_conditions_are_allowed() -> None:
    parse_condition(nested(10))
    parse_condition({"any": [LEAF] * 199})


def test_absurdly_deep_input_is_refused_and_not_recursed_into() -> None:
    deep: dict[str, Any] = LEAF
    for _ in range(100_000):
        deep = {"all": [deep]}
    with pytest.raises(InvalidInput, match="10 deep"):
        parse_condition(deep)


def test_a_condition_tells_what_it_will_ask_for() -> None:
    condition = parse_condition(
        {"all": [LEAF, {"any": [{"did": "A", "since": {"step": "pause"}}, {"did_not": "B", "since": "enrolment"}]}]}
    )
    assert needs_events(condition)
    assert events_named(condition) == {"A", "B"}
    assert steps_named(condition) == {"pause"}
    assert not needs_events(parse_condition(LEAF))


def test_a_condition_tells_which_components_it_names_and_that_it_needs_an_enrolment() -> None:
    condition = parse_condition(
        {
            "all": [
                {"did": "A", "since": {"step": "pause"}},
                {"any": [{"engaged": "tips"}, {"none": [{"answer": "ask.body.plan", "is": "team"}]}]},
            ]
        }
    )
    assert components_engaged(condition) == {"tips"}
    assert components_answering(condition) == {"ask"}
    assert steps_named(condition) == {"pause"}
    assert components_named(condition) == {"pause", "tips", "ask"}


@pytest.mark.parametrize(
    ("written", "needs"),
    [
        (LEAF, False),
        ({"did": "A", "within": "2 days"}, False),
        ({"did": "A", "since": "enrolment"}, True),
        ({"did_not": "A", "since": {"step": "pause"}}, True),
        ({"none": [LEAF, {"engaged": "tips"}]}, True),
        ({"answer": "ask.status", "is": 200}, True),
    ],
)
def test_what_happened_in_an_enrolment_can_only_be_asked_where_there_is_one(written: Any, needs: bool) -> None:
    assert needs_enrolment(parse_condition(written)) is needs


@pytest.mark.parametrize("by", ["replied", ["opened", "delivered"], ["replied", "opened", "clicked"]])
def test_kinds_of_engagement_are_written_as_one_or_as_a_list(by: Any) -> None:
    written = {"engaged": "tips", "by": by}
    assert dump(parse_condition(written)) == written


def test_without_kinds_what_a_person_did_is_meant_and_not_that_the_message_arrived() -> None:
    condition = parse_condition({"engaged": "tips"})
    assert dump(condition) == {"engaged": "tips"}
    assert condition.kinds == ("opened", "clicked", "replied")


def test_inside_an_enrolment_events_may_be_counted_from_its_beginning_where_no_period_is_said() -> None:
    here, there = {"did": "A"}, {"did": "A", "since": "enrolment"}
    said = [{"did_not": "B", "within": "1 day"}, {"did": "C", "since": {"step": "x"}}, {"trait": "a", "is": 1}]
    condition = parse_condition(
        {"any": [{"none": [here, *said]}, {"did_not": "D", "where": {"property": "p", "is": 1}}]}
    )
    counted = {
        "any": [{"none": [there, *said]}, {"did_not": "D", "since": "enrolment", "where": {"property": "p", "is": 1}}]
    }
    assert [len(rule.cheap_first) for rule in walk(condition) if isinstance(rule, Group)] == [2, 4]
    found = since_enrolment(condition)
    assert dump(found) == counted
    assert [dump(rule) for rule in found.cheap_first] == [dump(rule) for rule in parse_condition(counted).cheap_first]
