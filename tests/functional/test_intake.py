"""A message that comes in finds its person and its conversation, once, in at most three calls."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from tests.support.faults import MODES
from tests.support.inbound import (
    OURS,
    PERSON,
    conversation,
    counts,
    entries,
    later,
    mail,
    recounted,
    sms,
    take,
    texts,
)
from tests.support.recorder import Call, Killed
from tests.support.world import World

from tidings.conversations.model import State, Taken
from tidings.core.errors import InvalidInput, TidingsError

CALLS = ["dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:TransactWriteItems"]


def test_a_first_message_makes_its_contact_and_opens_a_conversation_in_three_calls(world: World) -> None:
    inbound = sms(world, "in-1", "TAK")
    world.recorder.clear()
    taken = take(world, inbound)
    assert world.recorder.names() == CALLS
    assert (taken.created, taken.opened, taken.repeated) == (True, True, False)
    world.pump()
    person = world.contact(phone=PERSON)
    assert person["contact"] == taken.contact
    assert person["traits"] == {"phone": PERSON}
    found = conversation(world, taken)
    assert (found.state, found.inbox, found.channel, found.address, found.to) == (
        State.NEW,
        "default",
        "sms",
        PERSON,
        OURS,
    )
    assert texts(world, taken.conversation) == ["TAK"]
    assert counts(world) == {("default", "new"): 1}


def test_a_further_message_continues_the_conversation_in_three_calls(world: World) -> None:
    first = take(world, sms(world, "in-1"))
    second = sms(world, "in-2", "Still there?", later(5))
    world.recorder.clear()
    taken = take(world, second)
    assert world.recorder.names() == CALLS
    assert (taken.contact, taken.conversation) == (first.contact, first.conversation)
    assert not taken.created
    assert not taken.opened
    assert texts(world, taken.conversation) == ["Hello", "Still there?"]
    assert counts(world) == {("default", "new"): 1}


def test_a_repeat_is_known_and_writes_nothing(world: World) -> None:
    first = take(world, sms(world, "in-1"))
    before = world.items("TABLE_CONVERSATIONS")
    world.recorder.clear()
    again = take(world, sms(world, "in-1"))
    assert world.recorder.names() == CALLS[:2]
    assert again == Taken(first.contact, first.conversation, first.entry, repeated=True)
    assert world.items("TABLE_CONVERSATIONS") == before


def test_messages_stand_in_the_order_of_the_providers_time_whatever_order_they_came_in(world: World) -> None:
    said = [("in-1", "first", later(1)), ("in-2", "second", later(2)), ("in-3", "third", later(3))]
    for number, order in enumerate(itertools.permutations(said)):
        person = f"+4860010020{number}"
        for provider_id, text, at in order:
            taken = take(world, sms(world, f"{provider_id}-{number}", text, at, sender=person))
        assert texts(world, taken.conversation) == ["first", "second", "third"]
        found = conversation(world, taken)
        assert (found.last_at, found.received_at, found.opened_at) == (later(3), later(3), later(1))


def test_the_tag_is_the_channel_of_the_latest_message_by_its_time(world: World) -> None:
    world.identify("ada", email="ada@people.example", phone=PERSON)
    take(world, mail(world, "m-1", at=later(10)))
    taken = take(world, sms(world, "in-1", at=later(5)))
    found = conversation(world, taken)
    assert (found.channel, found.reply_channel, found.address) == ("email", "email", "ada@people.example")
    take(world, sms(world, "in-2", at=later(15)))
    found = conversation(world, taken)
    assert (found.channel, found.reply_channel, found.address, found.to) == ("sms", "sms", PERSON, OURS)
    assert [entry.channel for entry in entries(world, taken.conversation)] == ["sms", "email", "sms"]


def test_a_known_person_is_found_by_their_number(world: World) -> None:
    world.identify("ada", email="ada@people.example", phone="+48 600 100 200")
    taken = take(world, sms(world, "in-1"))
    assert taken.contact == world.contact(user_id="ada")["contact"]
    assert not taken.created


def test_whoever_writes_is_granted_no_consent(world: World) -> None:
    take(world, sms(world, "in-1"))
    take(world, mail(world, "m-1"))
    world.pump()
    assert world.items("TABLE_CONSENTS") == []


def test_a_sender_that_is_no_address_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match="unusable_sender"):
        take(world, sms(world, "in-1", sender="INFO"))


def test_two_first_messages_at_once_make_one_contact_and_one_conversation(world: World) -> None:
    """The second is taken at each call of the first."""
    for place in range(3):
        person = f"+4860010021{place}"
        inner: list[Taken] = []
        first, second = (sms(world, f"{n}-{place}", n, later(i), sender=person) for i, n in enumerate(("one", "two")))
        _at_call(world, place, lambda other=second, found=inner: found.append(take(world, other)))
        outer = take(world, first)
        assert (outer.contact, outer.conversation) == (inner[0].contact, inner[0].conversation)
        assert sorted([outer.created, inner[0].created]) == [False, True]
        assert texts(world, outer.conversation) == ["one", "two"]
    assert counts(world) == recounted(world) == {("default", "new"): 3}


def test_the_same_message_at_once_is_taken_once(world: World) -> None:
    for place in range(3):
        message = sms(world, f"in-{place}", sender=f"+4860010022{place}")
        inner: list[Taken] = []
        _at_call(world, place, lambda same=message, found=inner: found.append(take(world, same)))
        outer = take(world, message)
        assert sorted([outer.repeated, inner[0].repeated]) == [False, True]
        assert texts(world, outer.conversation) == ["Hello"]
    assert counts(world) == recounted(world) == {("default", "new"): 3}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("known", [False, True])
def test_whatever_call_dies_a_repeat_takes_the_message_once(world: World, mode: str, known: bool) -> None:
    for place in range(3):
        person = f"+4860010023{place}"
        if known:
            take(world, sms(world, f"before-{place}", "before", later(-5), sender=person))
        message = sms(world, f"in-{place}", sender=person)
        _strike(world, place, mode)
        taken = None
        while taken is None:
            try:
                taken = take(world, message)
            except (TidingsError, Killed):
                continue
        assert texts(world, taken.conversation) == (["before", "Hello"] if known else ["Hello"])
    assert counts(world) == recounted(world) == {("default", "new"): 3}


def _at_call(world: World, place: int, do: Any) -> None:
    """Do something just before the call of that number leaves, once."""
    left = [place]

    def before(_: Call) -> None:
        if left and left[0] == 0:
            left.clear()
            world.recorder.before = None
            do()
        elif left:
            left[0] -= 1

    world.recorder.before = before


def _strike(world: World, place: int, mode: str) -> None:
    left = [place]

    def strike(call: Call) -> None:
        if left and left[0] == 0:
            left.clear()
            if mode == "lost":
                from botocore.exceptions import ReadTimeoutError

                raise ReadTimeoutError(endpoint_url="https://dynamodb")
            raise Killed(call.name)
        if left:
            left[0] -= 1

    world.recorder.before = strike if mode == "before" else None
    world.recorder.after = None if mode == "before" else strike


def test_the_events_say_what_came_in_and_what_it_opened(world: World) -> None:
    taken = take(world, sms(world, "in-1", "TAK", properties={"keyword": "TAK", "meaning": "confirm"}))
    world.pump()
    told = {event["event"]: event for event in world.of_contact(taken.contact, "events")}
    assert set(told) == {"SMS Received", "Conversation Opened", "Contact Created"}
    assert told["SMS Received"]["properties"] == {
        "text": "TAK",
        "to": OURS,
        "keyword": "TAK",
        "meaning": "confirm",
        "answers": "",
        "channel": "sms",
        "conversation": taken.conversation,
        "provider_id": "in-1",
    }
    assert told["Conversation Opened"]["cause"] == told["SMS Received"]["node"]
