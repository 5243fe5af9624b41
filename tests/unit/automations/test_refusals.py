"""How it is told why somebody did not enter: from a truth table, in words, and bounded."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from tests.unit.conditions.strategies import conditions

from tidings.activity.facts import ContactFacts
from tidings.activity.model import Event
from tidings.automations.entering.refusals import MOST_KEPT, Reason, Refused, because, refusals
from tidings.conditions.evaluate import evaluate
from tidings.conditions.explain import explain
from tidings.conditions.model import parse_condition
from tidings.contacts.model import Contact, Identity, IdentityKind, Trait

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
CONTACT = Contact("acme", "c1", NOW, traits={"plan": Trait("free", NOW, "m"), "seats": Trait(2, NOW, "m")})
TEAM, MANY = {"trait": "plan", "is": "team"}, {"trait": "seats", "at_least": 5}
FREE = {"trait": "plan", "is": "free"}


def told(condition: Any) -> str:
    facts = ContactFacts(contact=CONTACT, now=NOW, properties={"total": 3})
    return because(explain(parse_condition(condition), facts).as_dict())


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (TEAM, 'their plan is "free", which is not "team"'),
        ({"property": "total", "exists": False}, "the event's total has a value: 3"),
        ({"all": [TEAM, FREE]}, 'their plan is "free", which is not "team"'),
        ({"any": [TEAM, MANY]}, 'their plan is "free", which is not "team"; their seats is 2, which is not at least 5'),
        ({"none": [TEAM, FREE]}, 'their plan is "free", which must not be so'),
        ({"all": [{"none": [FREE]}, FREE]}, 'their plan is "free", which must not be so'),
    ],
)
def test_only_the_rules_are_told_that_decided_it(condition: Any, sentence: str) -> None:
    assert told(condition) == sentence


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (FREE, 'their plan is "free"'),
        ({"any": [TEAM, FREE]}, 'their plan is "free"'),
        ({"none": [TEAM]}, 'their plan is "free", which is not "team"'),
        ({"known": False}, "the person is anonymous, as asked for"),
    ],
)
def test_of_what_holds_the_rules_are_told_that_do(condition: Any, sentence: str) -> None:
    assert told(condition) == sentence


def test_of_many_rules_three_are_told_and_the_others_counted() -> None:
    assert told({"all": [TEAM] * 5}).endswith("; and 2 more")


@given(conditions())
def test_there_are_always_words_for_a_condition_that_does_not_hold(written: Any) -> None:
    condition = parse_condition(written)
    facts = ContactFacts(contact=CONTACT, now=NOW)
    if not evaluate(condition, facts):
        table = json.loads(json.dumps(explain(condition, facts).as_dict(most=5)))
        assert because(table)


def test_however_many_refuse_a_bounded_number_is_kept_and_reads_back() -> None:
    event = Event("acme", Identity(IdentityKind.USER, "u"), "m-1", "track", "Ordered", NOW, NOW)
    many = [Refused(f"a-{number}", 1, Reason.PAUSED) for number in range(MOST_KEPT + 5)]
    kept = refusals("c1", event, many, more=10_000)
    assert (len(kept.refused), kept.more) == (MOST_KEPT, 10_005)
    assert [Refused.of(one.as_dict()) for one in kept.refused] == list(kept.refused)
    assert kept.of("a-3") == many[3]
    assert kept.of("a-24") is None
