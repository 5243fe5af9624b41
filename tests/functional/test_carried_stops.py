"""What a merge of contacts means for a STOP: it comes to every number of the person, and leaves with the merge."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.functional.test_inbound_texts import sent, suppression
from tests.support.examples import few
from tests.support.world import THEIR_NUMBER, World

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent.model import Channel, Reason
from tidings.consent.service import SuppressionService
from tidings.consent.store import DynamoConsentStore, address_key
from tidings.core.clock import SystemClock

OTHER, THIRD = "+48600100201", "+48600100202"
RELEASE = "DELETE /v1/suppressions/{channel}/{address}"
WEAKER = [Reason.BOUNCE, Reason.COMPLAINT, Reason.MANUAL, Reason.UNSUBSCRIBE]

_numbers = count(600_300_000)
_words = st.sampled_from(["STOP", "START"])


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
    """The first says STOP, the others something else, a minute ago; the contact of each."""
    said = ("STOP", *("hello" for _ in numbers[1:]))
    world.receive(*(world.text(word, sender=number) for word, number in zip(said, numbers, strict=True)))
    world.now += timedelta(minutes=1)
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


def limit_numbers(world: World, most: int) -> None:
    """Let a contact of the workspace have so many numbers, the latest."""
    with world.recorder.unseen():
        world.accounts.configure("acme", {"identifiers": {"phone": {"limit": most}}})


def say(world: World, word: str, number: str) -> None:
    """A minute later a number says a word."""
    world.now += timedelta(minutes=1)
    world.receive(world.text(word, sender=number))


@pytest.mark.parametrize("into", [0, 1])
@pytest.mark.parametrize("most", [1, 2])
def test_a_stop_is_carried_also_where_there_is_no_more_room_for_its_number(world: World, most: int, into: int) -> None:
    limit_numbers(world, most)
    say(world, "STOP", THEIR_NUMBER)
    say(world, "hello", OTHER)
    contacts = [world.contact(phone=number)["contact"] for number in (THEIR_NUMBER, OTHER)]
    pair = {"contact": contacts[1 - into], "into": contacts[into]}
    _, shown = world.call("merges", "POST /v1/merges/preview", pair)
    assert shown["suppressions"] == [{"channel": "sms", "address": OTHER, "reason": "stop"}]
    record = merged(world, **pair)
    assert (reason(world, OTHER), reason(world, THEIR_NUMBER)) == ("stop", "stop")
    undo(world, record["merge"])
    assert (reason(world, OTHER), reason(world, THEIR_NUMBER)) == ("", "stop")


def test_nothing_is_carried_to_a_number_that_the_merged_contact_has_no_room_for(world: World) -> None:
    limit_numbers(world, 1)
    say(world, "hello", OTHER)
    say(world, "STOP", THEIR_NUMBER)
    one, two = (world.contact(phone=number)["contact"] for number in (OTHER, THEIR_NUMBER))
    merged(world, into=one, contact=two)
    assert reason(world, OTHER) == "", "it is nobody's from now on: no undo would take it back from there"


@pytest.mark.parametrize("started", [THEIR_NUMBER, OTHER])
def test_a_start_outlasts_a_merge_with_somebody_who_never_said_stop(world: World, started: str) -> None:
    one, two, three = people(world, THEIR_NUMBER, OTHER, THIRD)
    merged(world, "1", into=one, contact=two)
    say(world, "START", started)
    assert reason(world, started) == ""
    merged(world, "2", into=one, contact=three)
    assert reason(world, started) == ""


def test_a_start_does_not_keep_away_the_stop_of_somebody_who_turns_out_to_be_the_same(world: World) -> None:
    one, two = people(world, THEIR_NUMBER, OTHER)
    say(world, "STOP", OTHER)
    say(world, "START", THEIR_NUMBER)
    record = merged(world, into=one, contact=two)
    assert reason(world, THEIR_NUMBER) == "stop"
    undo(world, record["merge"])
    assert reason(world, THEIR_NUMBER) == ""


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_who_leaves_a_contact_leaves_behind_what_was_carried_to_them_while_they_were_part_of_it(
    world: World, order: tuple[int, int]
) -> None:
    three, one, two = people(world, THIRD, THEIR_NUMBER, OTHER)
    records = [merged(world, "1", into=one, contact=two)]
    world.now += timedelta(minutes=1)
    records.append(merged(world, "2", into=one, contact=three))
    assert [reason(world, number) for number in (THEIR_NUMBER, OTHER, THIRD)] == ["stop"] * 3
    undo(world, records[order[0]]["merge"], "3")
    assert reason(world, (OTHER, THEIR_NUMBER)[order[0]]) == ""
    undo(world, records[order[1]]["merge"], "4")
    assert [reason(world, number) for number in (THEIR_NUMBER, OTHER, THIRD)] == ["", "", "stop"]


def test_who_leaves_a_contact_keeps_what_their_own_merges_had_carried_to_them(world: World) -> None:
    two, three, one = people(world, OTHER, THIRD, THEIR_NUMBER)
    merged(world, "1", into=three, contact=two)
    world.now += timedelta(minutes=1)
    record = merged(world, "2", into=one, contact=three)
    undo(world, record["merge"], "3")
    assert [reason(world, number) for number in (THEIR_NUMBER, OTHER, THIRD)] == ["", "stop", "stop"]


def test_who_leaves_a_contact_keeps_what_stood_at_their_number_before_they_came(world: World) -> None:
    limit_numbers(world, 1)
    say(world, "STOP", THIRD)
    world.now += timedelta(minutes=1)
    world.identify("u-1", phone=OTHER)
    world.now += timedelta(minutes=1)
    known, stopped = world.contact(user_id="u-1")["contact"], world.contact(phone=THIRD)["contact"]
    merged(world, "1", into=known, contact=stopped)
    assert reason(world, OTHER) == "stop"
    world.now += timedelta(minutes=1)
    world.identify("u-1", phone=THEIR_NUMBER)
    world.now += timedelta(minutes=1)
    assert world.ingest("identify", {"messageId": "m", "anonymousId": "a-1", "traits": {"phone": OTHER}})[0] == 200
    world.pump()
    world.now += timedelta(minutes=1)
    record = merged(world, "2", into=known, contact=world.contact(anonymous_id="a-1")["contact"])
    undo(world, record["merge"], "3")
    assert world.contact(user_id="u-1")["traits"] == {"phone": THEIR_NUMBER}
    assert reason(world, OTHER) == "stop"


@few(12)
@given(data=st.data())
def test_a_merge_silences_the_other_side_and_when_all_are_undone_in_any_order_each_has_their_own_last_word(
    world: World, data: st.DataObject
) -> None:
    words = {f"+48{next(_numbers)}": "" for _ in range(data.draw(st.integers(2, 4)))}
    for number in words:
        say(world, "hello", number)
    sides = {world.contact(phone=number)["contact"]: {number} for number in words}
    records = []
    while len(sides) > 1:
        for number, word in data.draw(st.lists(st.tuples(st.sampled_from(sorted(words)), _words), max_size=3)):
            say(world, word, number)
            words[number] = word
            assert (reason(world, number) == "stop") is (word == "STOP")
        world.now += timedelta(minutes=1)
        into, absorbed = data.draw(st.permutations(sorted(sides)))[:2]
        stopped = [any(words[number] == "STOP" for number in sides[one]) for one in (into, absorbed)]
        records.append(merged(world, world.fresh(), into=into, contact=absorbed)["merge"])
        silenced = [sides[one] for one, other in ((into, stopped[1]), (absorbed, stopped[0])) if other]
        assert {reason(world, number) for side in silenced for number in side} <= {"stop"}
        sides[into] |= sides.pop(absorbed)
    world.now += timedelta(minutes=1)
    for record in data.draw(st.permutations(records)):
        undo(world, record, world.fresh())
    assert {number: reason(world, number) == "stop" for number in words} == {
        number: word == "STOP" for number, word in words.items()
    }
