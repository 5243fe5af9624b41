"""STOP and START: which holds is a matter of the provider's time alone, whatever comes in when and how often."""

from __future__ import annotations

from datetime import timedelta
from itertools import count, permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.functional.test_inbound_texts import log, sent
from tests.support.world import OUR_NUMBER, START, THEIR_NUMBER, World

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.store import DynamoEventStore
from tidings.consent.model import Answered, By, Channel, Proof, Reason, Reply, Word
from tidings.consent.service import ConsentService, SuppressionService
from tidings.consent.stopping import Standing, StopService
from tidings.consent.store import DynamoConsentStore
from tidings.core.clock import SystemClock

numbers = count(600_000_000)
said = st.tuples(st.sampled_from(Word), st.integers(0, 4))


class Person:
    """A number of its own, and what is said from it."""

    def __init__(self, world: World) -> None:
        clock = SystemClock()
        self.number = f"+48{next(numbers)}"
        found = DynamoWorkspaceStore(world.database).get("acme")
        assert found
        self.workspace = found
        self.store, self.events = DynamoConsentStore(world.database), DynamoEventStore(world.database)
        self.stops = StopService(world.database, self.store, self.events)
        self.suppressions = SuppressionService(self.store, clock)
        self.consents = ConsentService(self.store, self.events, clock)

    def say(self, word: Word, minute: int, message: str = "") -> Standing:
        at = START + timedelta(minutes=minute)
        answered = Answered(word, at, message or f"{word}-{minute}", OUR_NUMBER)
        return self.stops.say(self.workspace, Channel.SMS, self.number, answered, word.upper())

    @property
    def reason(self) -> str:
        record = self.store.record(self.workspace, Channel.SMS, self.number)
        return record.suppression.reason.value if record.suppression else ""

    @property
    def known(self) -> Any:
        record = self.store.record(self.workspace, Channel.SMS, self.number)
        answered = record.answered
        return record.suppression and record.suppression.reason, answered and answered.rank


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(words=st.lists(said, min_size=1, max_size=5, unique=True), data=st.data())
def test_the_last_word_by_time_holds_in_any_order_and_however_often(
    world: World, words: list[tuple[Word, int]], data: st.DataObject
) -> None:
    one, other = Person(world), Person(world)
    for word, minute in words:
        one.say(word, minute)
    repeated = data.draw(st.permutations([*words, *data.draw(st.lists(st.sampled_from(words), max_size=4))]))
    for word, minute in repeated:
        other.say(word, minute)
    last = max(words, key=lambda said: (said[1], said[0].value))[0]
    assert one.reason == other.reason == ("stop" if last is Word.STOP else "")
    assert one.known == other.known


def test_of_a_stop_and_a_start_at_one_instant_the_stop_holds(world: World) -> None:
    for words in permutations([Word.STOP, Word.START]):
        person = Person(world)
        for word in words:
            person.say(word, 1)
        assert person.reason == "stop"


@pytest.mark.parametrize("order", list(permutations(["STOP", "manual", "START"])))
def test_what_else_keeps_messages_away_outlives_a_start_whatever_came_first(
    world: World, order: tuple[str, ...]
) -> None:
    person = Person(world)
    at = {"STOP": 1, "START": 2}
    for what in order:
        if what == "manual":
            person.suppressions.suppress(person.workspace, Channel.SMS, person.number, Reason.MANUAL, "api")
        else:
            person.say(Word(what.lower()), at[what])
    assert person.reason == "manual"


@pytest.mark.parametrize("reason", [Reason.COMPLAINT, Reason.BOUNCE, Reason.MANUAL, Reason.UNSUBSCRIBE])
def test_a_start_lifts_no_other_reason(world: World, reason: Reason) -> None:
    person = Person(world)
    person.suppressions.suppress(person.workspace, Channel.SMS, person.number, reason, "test")
    person.say(Word.STOP, 1)
    person.say(Word.START, 2)
    assert person.reason == reason.value


@pytest.mark.parametrize("by", list(By))
def test_no_yes_lifts_a_stop(world: World, by: By) -> None:
    person = Person(world)
    person.say(Word.STOP, 0)
    world.now = START + timedelta(hours=1)
    proof = Proof(by, "form", world.now)
    workspace, number = person.workspace, person.number
    person.consents.change(workspace, Channel.SMS, number, "*", Reply.SUBSCRIBED, proof, confirmed=True)
    assert person.reason == "stop"


def test_only_the_stop_that_began_it_is_told_as_such(world: World) -> None:
    person = Person(world)
    assert person.say(Word.STOP, 1, "a") is Standing.BEGAN
    assert person.say(Word.STOP, 1, "a") is Standing.BEGAN  # a repeat finds its own
    assert person.say(Word.STOP, 3, "b") is Standing.STANDS
    assert person.say(Word.START, 2, "c") is Standing.OVERTAKEN  # it was said before the second STOP
    assert person.say(Word.START, 4, "d") is Standing.BEGAN
    assert person.say(Word.STOP, 5, "e") is Standing.BEGAN


def test_who_stopped_is_listed_until_they_start(world: World) -> None:
    world.receive(world.text("STOP"))
    listed = {"channel": "sms"}
    _, answer = world.call("suppressions", "GET /v1/suppressions", query=listed)
    assert [(one["address"], one["reason"]) for one in answer["suppressions"]] == [(THEIR_NUMBER, "stop")]
    world.now += timedelta(seconds=1)
    world.receive(world.text("START"))
    _, answer = world.call("suppressions", "GET /v1/suppressions", query=listed)
    assert answer["suppressions"] == []


def test_every_word_is_in_the_log_in_the_order_of_time(world: World) -> None:
    early = world.text("STOP", inbound="in-1")
    world.now += timedelta(minutes=1)
    world.receive(world.text("START", inbound="in-2"))
    world.receive(early, early)
    assert [(entry["change"], entry["message"]) for entry in log(world)] == [("started", "in-2"), ("stopped", "in-1")]
    assert len(sent(world)) == 1
