"""What a batch of the stream holds is no rule: however it is split, the same people enter by the same events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from tests.functional.test_merges import automation
from tests.support.examples import few
from tests.support.recorder import Call
from tests.support.world import World

TEAM = {"trait": "plan", "is": "team"}
LISTENING: dict[str, dict[str, Any]] = {
    "plain": {},
    "team": {"where": TEAM},
    "strangers": {"where": {"known": False}},
    "known": {"where": {"known": True}},
    "merged": {"where": TEAM, "merged": True},
}


@pytest.fixture
def acme(world: World) -> World:
    """A workspace with automations that ask different things of whoever asked for a tour."""
    world.template("tips")
    for name, trigger in LISTENING.items():
        world.automation(automation(name, "Tour", **trigger))
    changed = {"all": [{"property": "changed", "contains": "plan"}, TEAM]}
    world.automation(automation("changed", "Contact Updated", where=changed))
    return world


def say(world: World, kind: str, **fields: Any) -> None:
    """Somebody makes a call a second later; react does not see it yet."""
    world.now += timedelta(seconds=1)
    status, answer = world.ingest(kind, {"messageId": world.fresh(), **fields})
    assert status == 200, answer


def entered(world: World, **query: str) -> list[tuple[str, str]]:
    """The automations that somebody entered, and by which messages."""
    found = world.of_contact(world.contact(**query)["contact"], "enrolments")
    return sorted((one["automation"], one["caused_by"].rpartition("/")[2]) for one in found)


def by_tour(world: World) -> list[str]:
    """The automations that ada entered by asking for a tour."""
    return [automation for automation, message in entered(world, user_id="ada") if message == "tour"]


def react_to(world: World, records: list[dict[str, Any]]) -> list[str]:
    return [one["itemIdentifier"] for one in world.invoke("react", {"Records": records})["batchItemFailures"]]


@pytest.mark.parametrize("batches", [1, 2])
def test_what_a_device_did_before_its_person_signed_in_is_asked_of_the_device_s_contact(
    acme: World, batches: int
) -> None:
    say(acme, "identify", userId="ada", traits={"plan": "team"})
    say(acme, "track", anonymousId="a-1", event="Look")
    acme.pump()
    say(acme, "track", anonymousId="a-1", event="Tour", messageId="tour")
    if batches == 2:
        acme.pump()
    say(acme, "identify", userId="ada", anonymousId="a-1")
    acme.pump()
    assert by_tour(acme) == ["merged", "plain", "strangers"]


@pytest.mark.parametrize("batches", [1, 2])
@pytest.mark.parametrize("met", [True, False])
def test_what_somebody_did_before_anybody_knew_them_is_asked_of_a_stranger(
    acme: World, batches: int, met: bool
) -> None:
    if met:
        say(acme, "track", anonymousId="a-1", event="Look")
        acme.pump()
    say(acme, "track", anonymousId="a-1", event="Tour", messageId="tour")
    if batches == 2:
        acme.pump()
    say(acme, "identify", userId="ada", anonymousId="a-1", traits={"plan": "team"})
    acme.pump()
    assert by_tour(acme) == ["plain", "strangers"]


def test_nobody_is_merged_while_what_they_did_before_could_not_be_served(acme: World) -> None:
    say(acme, "identify", userId="ada", traits={"plan": "team"})
    say(acme, "track", anonymousId="a-1", event="Look")
    acme.pump()
    say(acme, "track", anonymousId="a-1", event="Tour", messageId="tour")
    say(acme, "identify", userId="ada", anonymousId="a-1")
    records = acme.new_records()

    def throttled(call: Call) -> None:
        if call.operation == "StartExecution":
            raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "no"}}, call.operation)

    acme.recorder.before = throttled
    failed = react_to(acme, records)
    acme.recorder.before = None
    assert failed[0] == records[0]["dynamodb"]["SequenceNumber"]
    assert acme.contact(anonymous_id="a-1")["contact"] != acme.contact(user_id="ada")["contact"]
    assert react_to(acme, records) == []
    acme.pump()
    assert by_tour(acme) == ["merged", "plain", "strangers"]


def test_a_batch_that_is_repeated_whole_asks_nobody_else(acme: World) -> None:
    say(acme, "identify", userId="ada", traits={"plan": "team"})
    say(acme, "track", anonymousId="a-1", event="Look")
    acme.pump()
    say(acme, "track", anonymousId="a-1", event="Tour", messageId="tour")
    say(acme, "identify", userId="ada", anonymousId="a-1")
    records = acme.new_records()
    for _ in range(2):
        assert react_to(acme, records) == []
    assert by_tour(acme) == ["plain", "strangers"]
    acme.pump()
    assert by_tour(acme) == ["merged", "plain", "strangers"]


USERS, DEVICES = ("u1", "u2"), ("a1", "a2")
PLANS = st.sampled_from([{}, {"plan": "team"}, {"plan": "solo"}])
CALLS = st.one_of(
    st.tuples(st.just("track"), st.sampled_from(["", *USERS]), st.sampled_from(DEVICES), st.just({})),
    st.tuples(st.just("identify"), st.sampled_from(["", *USERS]), st.sampled_from(DEVICES), PLANS),
    st.tuples(st.just("alias"), st.sampled_from(USERS), st.sampled_from(DEVICES), st.just({})),
)


def everybody(world: World, name: str) -> dict[str, list[tuple[str, str]]]:
    """By each user and device of an example, what its contact entered by which messages."""
    found = {}
    for kind, values in (("user_id", USERS), ("anonymous_id", DEVICES)):
        for value in values:
            contact = world.call("contacts", "GET /v1/contacts", query={kind: f"{name}.{value}"})
            if contact[0] == 200 and contact[1]["contacts"]:
                found[value] = [
                    (automation, message.removeprefix(name) if message.startswith(name) else "")
                    for automation, message in entered(world, **{kind: f"{name}.{value}"})
                ]
    return found


@few(30)
@given(data=st.data(), history=st.lists(CALLS, min_size=2, max_size=7))
def test_however_a_stream_is_split_the_same_people_enter(
    acme: World, data: st.DataObject, history: list[tuple[str, str, str, dict[str, str]]]
) -> None:
    seen = []
    for one_by_one in (True, False):
        acme.pump()
        name = acme.fresh()
        for number, (kind, user, device, traits) in enumerate(history):
            key = "previousId" if kind == "alias" else "anonymousId"
            ids = {"userId": f"{name}.{user}"} if user else {}
            event = {"event": "Tour"} if kind == "track" else {}
            more = {"traits": traits} if traits else {}
            say(acme, kind, messageId=f"{name}{number}", **{key: f"{name}.{device}"}, **ids, **event, **more)
        records = acme.new_records()
        while records:
            size = 1 if one_by_one else data.draw(st.integers(1, len(records)))
            assert react_to(acme, records[:size]) == []
            records = records[size:]
        acme.pump()
        seen.append(everybody(acme, name))
    assert seen[0] == seen[1]
