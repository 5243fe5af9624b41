"""Why a condition holds or not, in English."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from tests.unit.conditions.facts import NOW, MadeUpFacts
from tests.unit.conditions.strategies import FACTS, conditions

from tidings.conditions.evaluate import evaluate
from tidings.conditions.explain import Explanation, describe, explain
from tidings.conditions.model import Occurrence, parse_condition

FACTS_NOW = MadeUpFacts(
    traits={"plan": "team", "seats": "5", "address": {"city": "Kraków"}, "tags": ["a"], "nothing": None},
    events={"Paid": [Occurrence(NOW - timedelta(days=2), {"sum": 5}), Occurrence(NOW, {"sum": 50})]},
    instants={"enrolment": NOW - timedelta(days=1)},
)


@pytest.mark.parametrize(
    ("written", "result", "found", "sentence"),
    [
        ({"trait": "plan", "is": "team"}, True, "team", 'Trait plan is "team".'),
        ({"trait": "plan", "is": "free"}, False, "team", 'Trait plan is "team", which is not "free".'),
        ({"trait": "plan", "is_not": "team"}, False, "team", 'Trait plan is "team", which it must not be.'),
        ({"trait": "plan", "in": ["a", 5]}, False, "team", 'Trait plan is "team", which is none of "a", 5.'),
        ({"trait": "nothing", "is_not": "a"}, True, None, 'Trait nothing has no value, so it is not "a".'),
        ({"trait": "nothing", "contains": "a"}, False, None, 'Trait nothing has no value, so it does not contain "a".'),
        ({"trait": "seats", "at_least": 3}, False, "5",
         'Trait seats is "5", which is not a number, so it is not at least 3.'),
        ({"trait": "seats", "is": 5}, False, "5",
         'Trait seats is "5", which is another kind of value, so it is not 5.'),
        ({"trait": "plan", "before": "2026-01-01"}, False, "team",
         'Trait plan is "team", which is not a date, so it is not before "2026-01-01".'),
        ({"trait": "address.city", "starts_with": "K"}, True, "Kraków",
         'Trait address.city is "Kraków", which starts with "K".'),
        ({"property": "sum", "exists": True}, False, None, "Property sum has no value."),
        ({"trait": "plan", "exists": True}, True, "team", 'Trait plan has a value: "team".'),
        ({"did": "Paid"}, True, 2, "Paid came 2 times; at least once was asked for."),
        ({"did": "Paid", "where": {"property": "sum", "at_least": 10}, "at_least": 2}, False, 1,
         "Paid came once where sum is at least 10; at least 2 times was asked for."),
        ({"did": "Paid", "since": "enrolment"}, True, 1,
         "Paid came once since the enrolment (2026-06-14 12:00:00 UTC or later); at least once was asked for."),
        ({"did_not": "Paid", "within": "1 hour"}, False, 1,
         "Paid came once within 1 hour (2026-06-15 11:00:00 UTC or later); it should not have come."),
        ({"did_not": "Left"}, True, 0, "Left did not come; as asked for."),
        ({"did": "Paid", "since": {"step": "pause"}}, False, 0, "Paid was not counted, since nobody passed pause yet."),
    ],
)  # fmt: skip
def test_a_rule_says_what_was_found_in_one_sentence(written: Any, result: bool, found: Any, sentence: str) -> None:
    explanation = explain(parse_condition(written), FACTS_NOW)
    assert (explanation.result, explanation.found, explanation.sentence) == (result, found, sentence)


def test_a_group_shows_every_rule_in_the_order_written() -> None:
    written = {"all": [{"did": "Paid"}, {"trait": "plan", "is": "free"}, {"any": [{"trait": "seats", "exists": True}]}]}
    explanation = explain(parse_condition(written), FACTS_NOW)
    assert explanation.lines() == [
        "no   2 of 3 rules hold, and all must.",
        "  yes  Paid came 2 times; at least once was asked for.",
        '  no   Trait plan is "team", which is not "free".',
        "  yes  1 of 1 rules holds, and one is enough.",
        '    yes  Trait seats has a value: "5".',
    ]
    assert explanation.expected == 'Paid came at least once and plan is "free" and (seats has a value)'
    assert [part["result"] for part in explanation.as_dict()["parts"]] == [True, False, True]


def test_long_values_are_cut() -> None:
    long = MadeUpFacts(traits={"x": ["z" * 5000]})
    for written in (
        {"trait": "x", "is": "y" * 1000},
        {"trait": "x" * 999, "in": ["y" * 999] * 200},
        {"did": "E" * 999},
    ):
        explanation = explain(parse_condition({"any": [written]}), long)
        assert len(json.dumps(explanation.as_dict())) < 2000


@pytest.mark.parametrize(
    ("value", "found"), [(float("nan"), "NaN"), ([float("inf")], "[Infinity]"), (5, 5), ([1], [1])]
)
def test_what_json_cannot_say_is_text(value: object, found: object) -> None:
    explanation = explain(parse_condition({"trait": "x", "is": 1}), MadeUpFacts(traits={"x": value}))
    assert explanation.as_dict()["found"] == found


def test_an_explanation_can_be_kept_small() -> None:
    rules = [{"any": [{"trait": "x", "is": n} for n in range(3)]} for _ in range(3)]
    data = explain(parse_condition({"all": rules}), MadeUpFacts()).as_dict(most=4)
    assert len(data["parts"]) == 1
    assert data["more"] == 2
    assert data["parts"][0]["more"] == 1
    assert len(data["parts"][0]["parts"]) == 2


@settings(max_examples=200, deadline=None)
@given(conditions(), FACTS)
def test_explain_and_evaluate_never_disagree(written: dict[str, Any], now: MadeUpFacts) -> None:
    condition = parse_condition(written)
    explanation = explain(condition, now)
    assert explanation.result is evaluate(condition, now)
    for part in every(explanation):
        assert part.sentence.endswith(".")
        assert part.expected
    json.dumps(explanation.as_dict(), allow_nan=False)
    assert describe(condition) == explanation.expected


def every(explanation: Explanation) -> list[Explanation]:
    return [explanation, *(inner for part in explanation.parts for inner in every(part))]
