"""Why a condition holds or not, in English."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.conditions.facts import NOW, MadeUpFacts
from tests.unit.conditions.strategies import FACTS, ODD, conditions
from tests.unit.conditions.truth import count, seen, truth

from tidings.conditions.evaluate import evaluate
from tidings.conditions.explain import COUNT_UP_TO, describe, explain
from tidings.conditions.facts import Occurrence
from tidings.conditions.model import OPERATORS, parse_condition
from tidings.conditions.operators import judge
from tidings.conditions.values import lookup
from tidings.core.clock import to_text

FACTS_NOW = MadeUpFacts(
    traits={"plan": "team", "seats": "5", "address": {"city": "Kraków"}, "tags": ["a"], "nothing": None},
    events={"Paid": [Occurrence(NOW - timedelta(days=2), {"sum": 5}), Occurrence(NOW, {"sum": 50})]},
    instants={"enrolment": NOW - timedelta(days=1)},
    answers={"ask": {"status": 200, "body": {"tier": "gold"}}},
    engaged={
        "hello": {},
        "tips": {"delivered": NOW - timedelta(hours=2), "opened": NOW - timedelta(hours=1), "replied": NOW},
    },
)
OPENED_AT, REPLIED_AT = "2026-06-15T11:00:00.000000Z", "2026-06-15T12:00:00.000000Z"


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
        ({"answer": "ask.body.tier", "is": "gold"}, True, "gold", 'Answer ask.body.tier is "gold".'),
        ({"answer": "ask.status", "at_least": 300}, False, 200,
         "Answer ask.status is 200, which is not at least 300."),
        ({"answer": "other.status", "is": 200}, False, None, "Answer other.status has no value, so it is not 200."),
        ({"engaged": "tips"}, True, {"opened": OPENED_AT, "replied": REPLIED_AT},
         "What tips sent was opened (2026-06-15 11:00:00 UTC) and replied to (2026-06-15 12:00:00 UTC)."),
        ({"engaged": "tips", "by": "opened"}, True, {"opened": OPENED_AT},
         "What tips sent was opened (2026-06-15 11:00:00 UTC)."),
        ({"engaged": "tips", "by": "clicked"}, False, {}, "What tips sent was not clicked."),
        ({"engaged": "hello"}, False, {}, "What hello sent was not opened, clicked or replied to."),
        ({"engaged": "elsewhere"}, False, {}, "elsewhere sent them nothing."),
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


def test_what_was_asked_for_is_said_in_words() -> None:
    written = {"any": [{"engaged": "tips", "by": ["replied", "delivered"]}, {"answer": "ask.status", "in": [200, 201]}]}
    expected = "(what tips sent was delivered or replied to) or ask.status is one of 200, 201"
    assert describe(parse_condition(written)) == expected


def test_a_table_of_the_longest_rules_stays_within_its_size() -> None:
    """Every character of these takes several bytes, and each rule finds as much as it may."""
    odd = {"\x00": "\x01" * 49, "🦊": "🦊" * 74, '"': '"' * 148, "\ud800": "\ud801" * 50}
    rules = [{"trait": name * 1000, "is_not": name * 1000} for name in odd] * 49
    facts = MadeUpFacts(traits={name * 1000: value for name, value in odd.items()})
    table = explain(parse_condition({"any": [{"none": rules}]}), facts).as_dict()
    assert count_rows(table) == 198
    assert size(table) <= 1000 * 198


def test_a_value_is_kept_as_it_was_seen_as_long_as_it_is_short() -> None:
    kept = {"plan": "team", "tags": ["a", {"b": 0.5}], "seats": 10**40, "city": "Kraków" * 40}
    for name, value in kept.items():
        row = explain(parse_condition({"trait": name, "exists": True}), MadeUpFacts(traits=kept)).as_dict()
        assert row["found"] == value


# Each operator with something to compare with.
WANTED: dict[str, Any] = {
    **{name: ["team", 5] for name in ("is", "is_not")},
    **{name: ["team", 5, False] for name in ("in", "not_in")},
    **dict.fromkeys(("contains", "starts_with", "ends_with"), "team"),
    **dict.fromkeys(("greater_than", "at_least", "less_than", "at_most"), 0.5),
    **dict.fromkeys(("before", "after"), "2026-06-01"),
    "exists": False,
}


@pytest.mark.parametrize("operator", OPERATORS)
def test_no_operator_is_explained_wrongly_whatever_the_value_is(operator: str) -> None:
    for value in ODD:
        written = {"answer": "ask.body.x", operator: WANTED[operator]}
        facts = MadeUpFacts(answers={"ask": {"body": {"x": value}}})
        condition = parse_condition(written)
        row = explain(condition, facts).as_dict()
        assert row["result"] is evaluate(condition, facts)
        assert as_kept(row) == row
        says_what_it_saw(written, row, facts)


# CI asks more, and the same each time.
@settings(max_examples=2000 if "CI" in os.environ else 300, deadline=None)
@given(conditions(), FACTS)
def test_explain_is_never_wrong(written: dict[str, Any], now: MadeUpFacts) -> None:
    condition = parse_condition(written)
    explanation = explain(condition, now)
    assert explanation.result is evaluate(condition, now) is truth(written, now)
    assert explanation.expected == describe(condition)
    table = explanation.as_dict()
    assert as_kept(table) == table
    for rule, row in rows(written, table):
        assert row["expected"]
        assert row["sentence"].endswith((".", "…"))
        says_what_it_saw(rule, row, now)


@settings(max_examples=300, deadline=None)
@given(conditions(), FACTS, st.integers(1, 12))
def test_a_table_is_never_larger_than_was_asked_for(written: dict[str, Any], now: MadeUpFacts, most: int) -> None:
    explanation = explain(parse_condition(written), now)
    table = explanation.as_dict(most)
    whole = count_rows(explanation.as_dict())
    assert count_rows(table) == min(whole, most)
    assert size(table) <= 1000 * most
    assert table["result"] is explanation.result


def says_what_it_saw(written: dict[str, Any], row: dict[str, Any], now: MadeUpFacts) -> None:
    """A row's value leads to its result, by itself: whoever reads the table can work it out again."""
    parts = [part["result"] for part in row.get("parts", ())]
    found, result = row["found"], row["result"]
    assert result is truth(written, now)
    if parts:
        combined = {"all": all(parts), "any": any(parts), "none": not any(parts)}
        assert (found, [result]) == (sum(parts), [combined[kind] for kind in written if kind in combined])
    elif "known" in written:
        assert (found, result) == (now.is_known, written["known"] is now.is_known)
    elif "engaged" in written:
        assert found == {kind: to_text(at) for kind, at in seen(written, now).items()}
        assert result is bool(found)
    elif "did" in written or "did_not" in written:
        assert found == min(count(written, now), COUNT_UP_TO)
        assert result is (found == 0 if "did_not" in written else found >= written.get("at_least", 1))
    else:
        compares_what_it_found(written, found, result, now)


def compares_what_it_found(written: dict[str, Any], found: Any, result: bool, now: MadeUpFacts) -> None:
    kind = next(kind for kind in ("trait", "property", "answer") if kind in written)
    values = {"trait": now.traits, "property": now.properties, "answer": now.answers}[kind]
    value = lookup(values, written[kind])
    said = as_json(value)
    if said is None:
        assert isinstance(found, str)
        assert found
        return
    assert found == json.loads(said)
    ((operator, wanted),) = [(key, value) for key, value in written.items() if key != kind]
    assert judge(operator, wanted, found).holds is result


def as_json(value: Any) -> str | None:
    """A value as JSON says it in few bytes; None where it cannot."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        return text if len(text.encode()) <= 300 else None
    except (TypeError, ValueError, RecursionError):
        return None


def rows(written: dict[str, Any], table: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each rule as it was written, with its row."""
    yield written, table
    inner = next((written[kind] for kind in ("all", "any", "none") if kind in written), [])
    assert len(table.get("parts", ())) == len(inner)
    for rule, row in zip(inner, table.get("parts", ()), strict=True):
        yield from rows(rule, row)


def as_kept(table: dict[str, Any]) -> Any:
    """A table as a step holds it: compact JSON with its letters as they are, in bytes."""
    return json.loads(json.dumps(table, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode())


def size(table: dict[str, Any]) -> int:
    return len(json.dumps(table, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode())


def count_rows(table: dict[str, Any]) -> int:
    return 1 + sum(count_rows(part) for part in table.get("parts", ()))
