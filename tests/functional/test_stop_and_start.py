"""STOP and START: which holds is a matter of the provider's time alone, whatever comes in when and how often."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count, permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.functional.test_inbound_texts import log, sent, suppression
from tests.support.world import OUR_NUMBER, START, THEIR_NUMBER, World

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.store import DynamoEventStore
from tidings.consent.model import Answered, By, Channel, Proof, Reason, Reply, Word
from tidings.consent.service import ConsentService, SuppressionService
from tidings.consent.stopping import Standing, StopService
from tidings.consent.store import DynamoConsentStore, address_key
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


def merged(world: World, key: str = "1", *, into: str, contact: str) -> dict[str, Any]:
    """A merge that must succeed."""
    body = {"contact": contact, "into": into, "idempotency_key": key}
    status, answer = world.call("merges", "POST /v1/merges", body)
    assert status == 200, answer
    return answer


def test_a_merge_carries_a_stop_which_only_a_start_of_that_number_takes_back(world: World) -> None:
    other = "+48600100201"
    world.receive(world.text("STOP"), world.text("hello", sender=other))
    one, two = (world.contact(phone=number)["contact"] for number in (THEIR_NUMBER, other))
    merged(world, into=one, contact=two)
    assert (suppression(world, other) or {})["reason"] == "stop"
    path = {"channel": "sms", "address": other}
    status, _ = world.call("suppressions", "DELETE /v1/suppressions/{channel}/{address}", path=path)
    assert status == 409
    world.now += timedelta(minutes=1)
    world.receive(world.text("START", sender=other))
    assert suppression(world, other) is None
    assert (suppression(world) or {})["reason"] == "stop"


def test_a_stop_that_a_merge_carried_is_not_taken_back_by_suppressing_and_releasing(world: World) -> None:
    other = "+48600100201"
    world.receive(world.text("STOP"), world.text("hello", sender=other))
    one, two = (world.contact(phone=number)["contact"] for number in (THEIR_NUMBER, other))
    merged(world, into=one, contact=two)
    path = {"channel": "sms", "address": other}
    world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)
    status, answer = world.call("suppressions", "DELETE /v1/suppressions/{channel}/{address}", path=path)
    assert (status, answer["code"]) == (409, "stopped_by_person")
    assert (suppression(world, other) or {})["reason"] == "stop"


def test_of_several_noes_a_merge_carries_the_stop(world: World) -> None:
    listed, other = "+48600100209", "+48600100201"
    world.receive(world.text("STOP"), world.text("hello", sender=other), world.text("hello", sender=listed))
    path = {"channel": "sms", "address": listed}
    world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)
    one, two, three = (world.contact(phone=number)["contact"] for number in (THEIR_NUMBER, listed, other))
    merged(world, into=one, contact=two)
    merged(world, "2", into=one, contact=three)
    assert (suppression(world, other) or {})["reason"] == "stop"


def test_a_merge_of_people_lifts_no_stop(world: World) -> None:
    other = "+48600100201"
    world.receive(world.text("STOP"), world.text("hello", sender=other))
    one, two = (world.contact(phone=number)["contact"] for number in (THEIR_NUMBER, other))
    merge = merged(world, into=two, contact=one)["merge"]
    status, _ = world.call("merges", "POST /v1/merges/{merge}/undo", {"idempotency_key": "2"}, path={"merge": merge})
    assert status == 200
    assert (suppression(world) or {})["reason"] == "stop"
    assert suppression(world, other) is None


OTHER, THIRD = "+48600100201", "+48600100202"
RELEASE = "DELETE /v1/suppressions/{channel}/{address}"
WEAKER = [Reason.BOUNCE, Reason.COMPLAINT, Reason.MANUAL, Reason.UNSUBSCRIBE]


def reason(world: World, number: str) -> str:
    return str((suppression(world, number) or {"reason": ""})["reason"])


def put_on_the_list(world: World, number: str, why: Reason, until: datetime | None = None) -> None:
    service = SuppressionService(DynamoConsentStore(world.database), SystemClock())
    found = DynamoWorkspaceStore(world.database).get("acme")
    assert found
    service.suppress(found, Channel.SMS, number, why, "test", until)


def release(world: World, number: str) -> int:
    return world.call("suppressions", RELEASE, path={"channel": "sms", "address": number})[0]


def undo(world: World, merge: str, key: str = "undo") -> None:
    status, _ = world.call("merges", "POST /v1/merges/{merge}/undo", {"idempotency_key": key}, path={"merge": merge})
    assert status == 200


def people(world: World, *numbers: str) -> list[str]:
    """The first says STOP, the others something else; the contact of each."""
    said = ("STOP", *("hello" for _ in numbers[1:]))
    world.receive(*(world.text(word, sender=number) for word, number in zip(said, numbers, strict=True)))
    return [world.contact(phone=number)["contact"] for number in numbers]


@pytest.mark.parametrize("why", WEAKER)
def test_a_merge_carries_a_stop_also_to_a_number_that_is_on_the_list_for_something_else(
    world: World, why: Reason
) -> None:
    one, two = people(world, THEIR_NUMBER, OTHER)
    put_on_the_list(world, OTHER, why)
    _, shown = world.call("merges", "POST /v1/merges/preview", {"contact": two, "into": one})
    stop = {"channel": "sms", "address": OTHER, "reason": "stop"}
    assert stop in shown["suppressions"]
    assert reason(world, OTHER) == why, "a preview writes nothing"
    merged(world, into=one, contact=two)
    assert (reason(world, OTHER), release(world, OTHER)) == ("stop", 409)
    world.now += timedelta(minutes=1)
    world.receive(world.text("START", sender=OTHER))
    assert reason(world, OTHER) == why, "a START takes back a STOP and nothing else"
    assert release(world, OTHER) == 200
    assert (reason(world, OTHER), reason(world, THEIR_NUMBER)) == ("", "stop")


@pytest.mark.parametrize("why", WEAKER)
@pytest.mark.parametrize("into", [0, 1])
def test_an_undone_merge_takes_back_the_stop_that_it_carried_and_nothing_else(
    world: World, why: Reason, into: int
) -> None:
    contacts = people(world, THEIR_NUMBER, OTHER)
    put_on_the_list(world, OTHER, why)
    before = suppression(world, OTHER)
    record = merged(world, into=contacts[into], contact=contacts[1 - into])
    assert reason(world, OTHER) == "stop"
    undo(world, record["merge"])
    assert suppression(world, OTHER) == before
    assert release(world, OTHER) == 200
    assert (reason(world, OTHER), reason(world, THEIR_NUMBER)) == ("", "stop")


def test_a_carried_stop_outlasts_an_entry_that_ends_by_itself(world: World) -> None:
    one, two = people(world, THEIR_NUMBER, OTHER)
    put_on_the_list(world, OTHER, Reason.MANUAL, world.now + timedelta(days=1))
    merged(world, into=one, contact=two)
    world.now += timedelta(days=2)
    assert reason(world, OTHER) == "stop"


@pytest.mark.parametrize("first", [0, 1])
def test_a_number_is_silent_as_long_as_one_of_the_merges_that_carried_a_stop_there(world: World, first: int) -> None:
    one, two, three = people(world, THEIR_NUMBER, OTHER, THIRD)
    world.receive(world.text("STOP", sender=THIRD))
    records = [merged(world, "1", into=two, contact=one), merged(world, "2", into=two, contact=three)]
    undo(world, records[first]["merge"], "3")
    assert (reason(world, OTHER), release(world, OTHER)) == ("stop", 409)
    undo(world, records[1 - first]["merge"], "4")
    assert [reason(world, number) for number in (THEIR_NUMBER, OTHER, THIRD)] == ["stop", "", "stop"]


def test_a_start_from_before_a_merge_takes_back_nothing_that_it_carried(world: World) -> None:
    one, two = people(world, THEIR_NUMBER, OTHER)
    late = world.text("START", sender=OTHER)
    world.now += timedelta(minutes=1)
    merged(world, into=one, contact=two)
    world.receive(late)
    assert reason(world, OTHER) == "stop"


def test_a_stop_of_ones_own_outlives_the_one_that_a_merge_carried(world: World) -> None:
    one, two = people(world, THEIR_NUMBER, OTHER)
    record = merged(world, into=one, contact=two)
    world.now += timedelta(minutes=1)
    world.receive(world.text("STOP", sender=OTHER))
    assert sent(world, OTHER) == [], "a confirmation passes the STOP that it confirms, and no other"
    undo(world, record["merge"])
    assert (reason(world, OTHER), release(world, OTHER)) == ("stop", 409)
    world.now += timedelta(minutes=1)
    world.receive(world.text("START", sender=OTHER))
    assert reason(world, OTHER) == ""


def test_who_gets_a_stop_by_a_merge_is_listed_until_it_is_undone(world: World) -> None:
    one, two = people(world, THEIR_NUMBER, OTHER)
    record = merged(world, into=one, contact=two)

    def listed() -> set[str]:
        _, answer = world.call("suppressions", "GET /v1/suppressions", query={"channel": "sms"})
        return {entry["address"] for entry in answer["suppressions"]}

    assert listed() == {THEIR_NUMBER, OTHER}
    undo(world, record["merge"])
    assert listed() == {THEIR_NUMBER}


def test_the_log_of_a_number_tells_which_merge_carried_a_stop_there_and_that_it_was_taken_back(world: World) -> None:
    one, two = people(world, THEIR_NUMBER, OTHER)
    put_on_the_list(world, THEIR_NUMBER, Reason.COMPLAINT)
    record = merged(world, into=one, contact=two)
    world.now += timedelta(minutes=1)
    undo(world, record["merge"])
    found = DynamoWorkspaceStore(world.database).get("acme")
    assert found
    store = DynamoConsentStore(world.database)
    told = [entry.said for _, entry in store.log_page("acme", Channel.SMS, address_key(found, OTHER), 10)]
    source = f"merge {record['merge']}"
    assert [(said["change"], said["source"], said["reason"]) for said in told if "topics" in said] == [
        ("taken_back", source, "stop and complaint"),
        ("carried", source, "stop and complaint"),
    ]


def test_an_erasure_forgets_the_stops_that_merges_carried(world: World) -> None:
    one, two = people(world, THEIR_NUMBER, OTHER)
    merged(world, into=one, contact=two)
    assert any("carried_stops" in item for item in world.items("TABLE_CONSENTS"))
    world.erase(one)
    assert not any("carried_stops" in item for item in world.items("TABLE_CONSENTS"))


def test_every_word_is_in_the_log_in_the_order_of_time(world: World) -> None:
    early = world.text("STOP", inbound="in-1")
    world.now += timedelta(minutes=1)
    world.receive(world.text("START", inbound="in-2"))
    world.receive(early, early)
    assert [(entry["change"], entry["message"]) for entry in log(world)] == [("started", "in-2"), ("stopped", "in-1")]
    assert len(sent(world)) == 1
