"""Two events at once, an event told twice, a process that dies, a version published meanwhile: who enters is exact."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from tests.functional.test_merges import who
from tests.functional.test_reentry import entries, publish, refused, why
from tests.support.faults import MODES, Fault, Repeating
from tests.support.recorder import Call
from tests.support.world import World

RULES = [
    "once",
    {"per": "cart"},
    {"at_most": 1},
    {"parallel": 1},
    {"interval": "1 day"},
    {"per": "cart", "parallel": 1},
]
TRANSACTION = "dynamodb:TransactWriteItems"


@pytest.fixture
def acme(world: World) -> World:
    """A workspace in which Ada is known."""
    world.identify("ada", email="ada@people.example")
    return world


def told(world: World, *, cart: str = "a", message: str = "") -> dict[str, Any]:
    """That Ada orders is stored; its stream record."""
    world.now += timedelta(seconds=1)
    message = message or world.fresh()
    body = {"userId": "ada", "event": "Ordered", "properties": {"cart": cart}, "messageId": message}
    assert world.ingest("track", body)[0] == 200
    (record,) = world.new_records()
    return record


def react(world: World, *records: dict[str, Any]) -> list[dict[str, Any]]:
    answer: dict[str, list[dict[str, Any]]] = world.invoke("react", {"Records": list(records)})
    return answer["batchItemFailures"]


def meanwhile(world: World, name: str, do: Any) -> None:
    """Right before a call is made for the first time, something else happens."""

    def before(call: Call) -> None:
        if call.name == name:
            world.recorder.before = None
            do()

    world.recorder.before = before


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("batches", [1, 2])
def test_of_two_events_the_first_enters(acme: World, rule: Any, batches: int) -> None:
    publish(acme, rule)
    first, second = told(acme), told(acme)
    for batch in ([first, second],) if batches == 1 else ([first], [second]):
        assert react(acme, *batch) == []
    assert entries(acme) == 1
    assert why(acme).reason.value == "reentry"
    assert len(acme.started) == 1


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_of_two_functions_that_ask_at_once_one_enters_the_contact(acme: World, rule: Any) -> None:
    """The second function does all of its work right before the first one writes: it wins, and the first is told so."""
    publish(acme, rule)
    first, second = told(acme), told(acme)
    meanwhile(acme, TRANSACTION, lambda: react(acme, second))
    assert react(acme, first) == []
    assert entries(acme) == 1
    (enrolment,) = acme.of_contact(who(acme, user_id="ada"), "enrolments")
    assert enrolment["cause"]["message_id"] == second["dynamodb"]["Keys"]["sk"]["S"]
    assert why(acme).reason.value == "reentry"
    assert len(acme.started) == 1


def test_of_two_functions_that_may_both_enter_somebody_both_do_and_both_count(acme: World) -> None:
    publish(acme, {"at_most": 2})
    first, second = told(acme), told(acme)
    meanwhile(acme, TRANSACTION, lambda: react(acme, second))
    assert react(acme, first) == []
    assert react(acme, told(acme)) == []
    assert entries(acme) == 2
    assert why(acme).why["entered"] == 2


def test_values_that_are_not_the_same_do_not_stand_in_each_others_way(acme: World) -> None:
    publish(acme, {"per": "cart", "at_most": 1, "interval": "1 day"})
    first, second = told(acme, cart="a"), told(acme, cart="b")
    meanwhile(acme, TRANSACTION, lambda: react(acme, second))
    assert react(acme, first) == []
    assert entries(acme) == 2


def test_who_is_kept_from_counting_is_repeated_and_enters_once(acme: World) -> None:
    publish(acme, {"at_most": 100})
    first = told(acme)
    others = [told(acme) for _ in range(6)]

    def before(call: Call) -> None:
        if call.name == TRANSACTION and others:
            other = others.pop()
            acme.recorder.before = None
            react(acme, other)
            acme.recorder.before = before

    acme.recorder.before = before
    assert [one["itemIdentifier"] for one in react(acme, first)] == [first["dynamodb"]["SequenceNumber"]]
    acme.recorder.before = None
    for other in others:
        assert react(acme, other) == []
    assert react(acme, first) == []
    assert entries(acme) == 7


# --- repeats ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["every_time", *RULES, {"at_most": 2}], ids=str)
def test_an_event_that_is_told_again_counts_once_and_refuses_nothing(acme: World, rule: Any) -> None:
    publish(acme, rule)
    record = told(acme)
    for _ in range(3):
        assert react(acme, record) == []
    assert entries(acme) == 1
    assert refused(acme) == []
    assert len(acme.started) == 1


def test_what_was_refused_stays_refused_when_it_is_told_again(acme: World) -> None:
    publish(acme, {"parallel": 1})
    first, second = told(acme), told(acme)
    assert react(acme, first, second) == []
    acme.run(timedelta(days=3))
    assert react(acme, second) == []
    assert entries(acme) == 1
    assert react(acme, told(acme)) == []
    assert entries(acme) == 2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("rule", ["once", {"parallel": 1}, {"per": "cart", "at_most": 1, "parallel": 2}], ids=str)
def test_whatever_call_fails_one_entry_and_one_execution_come_of_it(
    acme: World, rule: Any, number: int, mode: str
) -> None:
    publish(acme, rule)
    acme.now += timedelta(seconds=1)
    fault = Fault(acme, "react", number, mode)
    acme.recorder.before, acme.recorder.after = fault.before, fault.after
    for message in ("m-a", "m-b"):
        body = {"userId": "ada", "event": "Ordered", "properties": {"cart": "a"}, "messageId": message}
        assert acme.ingest("track", body)[0] == 200
    Repeating(acme).react()
    acme.recorder.before = acme.recorder.after = None
    assert entries(acme) == 1
    assert len(acme.executions) == 1
    assert why(acme).reason.value == "reentry"


# --- publishing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", ["every_time", "once", {"at_most": 5}, {"per": "cart"}], ids=str)
@pytest.mark.parametrize("before", ["every_time", "once", {"at_most": 5}, {"per": "cart"}], ids=str)
def test_an_event_enters_the_version_that_its_batch_saw_and_no_other(acme: World, before: Any, after: Any) -> None:
    """Another version is published right before the enrolment is stored; then the batch fails and is repeated."""
    publish(acme, before)
    record = told(acme)

    def interrupted(call: Call) -> None:
        if call.name == "stepfunctions:StartExecution":
            acme.recorder.before = None
            publish(acme, after, description="the next")
            raise ReadTimeoutError(endpoint_url="https://states")

    acme.recorder.before = interrupted
    assert react(acme, record) == [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]
    assert react(acme, record) == []
    (enrolment,) = acme.of_contact(who(acme, user_id="ada"), "enrolments")
    assert enrolment["version"] == 1
    assert len(acme.executions) == 1
    assert refused(acme) == []


def test_a_version_published_while_a_batch_is_read_takes_in_the_next_one(acme: World) -> None:
    publish(acme, "every_time")
    first = told(acme)
    meanwhile(acme, "stepfunctions:StartExecution", lambda: publish(acme, "every_time", description="the next"))
    assert react(acme, first) == []
    assert react(acme, told(acme)) == []
    found = acme.of_contact(who(acme, user_id="ada"), "enrolments")
    assert sorted(one["version"] for one in found) == [1, 2]
