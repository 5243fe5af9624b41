"""The rating of a contact as react keeps it: what it costs, repeats and any order, merges, time zones."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.examples import few
from tests.support.recorder import as_json
from tests.support.world import START, World

from tidings.activity.model import Event
from tidings.activity.store import DynamoEventStore
from tidings.contacts.model import Identity, IdentityKind
from tidings.contacts.store import DynamoContactStore
from tidings.conversations.rated import Ratings
from tidings.conversations.rating import rating_of

READ, GET, QUERY, UPDATE = "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"
IN, OUT, SENT = "SMS Received", "Conversation Replied", "Email Sent"


def store(world: World, contact: str, name: str, minutes: float, kind: str = "system", told: str = "") -> None:
    """Put an event about a contact on its timeline; react sees it when it is let to."""
    at = START + timedelta(minutes=minutes)
    event = Event(
        workspace="acme",
        identity=Identity(IdentityKind.CONTACT, contact),
        message_id=told or world.fresh(),
        type=kind,
        name=name,
        received_at=max(world.now, at),
        timestamp=at,
        properties={"message": "m"},
    )
    with world.recorder.unseen():
        DynamoEventStore(world.database).add(event)


def tell(world: World, contact: str, name: str, minutes: float, **more: Any) -> None:
    """A message on the timeline, seen by react."""
    store(world, contact, name, minutes, **more)
    world.pump()


def rating(world: World, contact: str) -> dict[str, Any]:
    status, answer = world.call("contacts", "GET /v1/contacts/{contact}", path={"contact": contact})
    assert status == 200, answer
    told: dict[str, Any] = answer["rating"]
    return told


def stars(world: World, contact: str) -> int:
    return int(rating(world, contact)["stars"])


def by_the_rule(world: World, contact: str) -> int:
    """The stars that the rule gives to everything on the timeline."""
    with world.recorder.unseen():
        found = DynamoContactStore(world.database).get("acme", contact)
        assert found is not None
        workspace = world.accounts.workspace("acme")
        return rating_of(Ratings(DynamoEventStore(world.database)).entries(found), workspace.time_zone).stars


def person(world: World, user: str, **traits: Any) -> str:
    """The id of a new contact."""
    world.identify(user, **traits)
    return str(world.contact(user_id=user)["contact"])


@pytest.fixture
def ada(world: World) -> str:
    return person(world, "ada", email="ada@people.example")


def test_a_contact_without_messages_says_so(world: World, ada: str) -> None:
    expected = {"stars": 0, "why": "no message was sent or received", "next": "a message sent or received"}
    assert rating(world, ada) == expected


def test_stars_come_as_messages_do(world: World, ada: str) -> None:
    came = []
    for name, minutes in [(SENT, 0), (IN, 1), (OUT, 6 * 60), (IN, 2000), (OUT, 2001)]:
        tell(world, ada, name, minutes)
        came.append(stars(world, ada))
    assert came == [1, 2, 3, 3, 3]
    assert rating(world, ada) == {
        "stars": 3,
        "why": "a reply on the same day, and 1 of 2 replies within 2 hours",
        "next": "the next 8 replies within 2 hours",
    }


def test_an_app_s_own_events_are_no_messages_whatever_their_names(world: World, ada: str) -> None:
    world.track("ada", IN)
    tell(world, ada, IN, 0, kind="track")
    assert stars(world, ada) == 0


def test_what_a_machine_answers_is_no_message(world: World, ada: str) -> None:
    tell(world, ada, "Email Received Automatically", 0)
    assert stars(world, ada) == 0


def test_a_number_that_is_none_takes_all_stars_and_a_right_one_gives_them_back(world: World, ada: str) -> None:
    tell(world, ada, IN, 0)
    tell(world, ada, OUT, 5)
    assert stars(world, ada) == 5
    world.identify("ada", phone="12")
    assert rating(world, ada)["why"] == "the phone number is not valid"
    world.now += timedelta(seconds=1)
    world.identify("ada", phone="+48600100200")
    assert stars(world, ada) == 5
    assert stars(world, person(world, "eve", phone="12")) == 0


def test_a_message_costs_one_read_and_one_write_and_a_later_mail_no_write(world: World, ada: str) -> None:
    def cost(name: str, minutes: float) -> dict[str, int]:
        store(world, ada, name, minutes)
        world.recorder.clear()
        world.pump()
        return dict(Counter(world.recorder.names()))

    assert cost(SENT, 0) == {READ: 2, UPDATE: 1}
    assert cost(SENT, 1) == {READ: 2}
    assert cost(IN, 2) == {READ: 2, UPDATE: 1}
    for minute in range(3, 60):
        assert cost(OUT if minute % 2 else IN, minute) == {READ: 2, UPDATE: 1}
    assert cost(IN, 2.5) == {READ: 2, QUERY: 1, UPDATE: 1}  # older than the sixteen that are kept
    assert cost("Email Delivered", 61) == {READ: 1}


@few(15)
@given(
    told=st.lists(st.tuples(st.sampled_from([IN, IN, OUT, SENT]), st.integers(0, 600)), max_size=40),
    order=st.randoms(use_true_random=False),
)
def test_whatever_the_order_and_the_repeats_it_is_what_the_rule_says(
    world: World, told: list[tuple[str, int]], order: random.Random
) -> None:
    contact = person(world, world.fresh())
    world.new_records()
    for name, minutes in told:
        store(world, contact, name, minutes)
    records = world.new_records()
    records += order.sample(records, len(records) // 2)
    order.shuffle(records)
    for start in range(0, len(records), 7):
        assert world.invoke("react", {"Records": records[start : start + 7]}) == {"batchItemFailures": []}
    assert stars(world, contact) == by_the_rule(world, contact)


def test_a_merge_rates_the_messages_of_both_and_its_undo_those_of_each(world: World, ada: str) -> None:
    tell(world, ada, IN, 0)
    tell(world, ada, OUT, 5)
    status, _ = world.ingest("track", {"anonymousId": "phone", "event": "Came", "messageId": world.fresh()})
    assert status == 200
    world.pump()
    other = str(world.contact(anonymous_id="phone")["contact"])
    tell(world, other, IN, 10)
    tell(world, other, OUT, 300)
    assert (stars(world, ada), stars(world, other)) == (5, 3)
    world.now += timedelta(days=1)
    body = {"contact": other, "into": ada, "idempotency_key": "k"}
    status, merge = world.call("merges", "POST /v1/merges", body)
    assert status == 200, merge
    world.pump()
    assert rating(world, ada)["why"] == "a reply on the same day, and 1 of 2 replies within 2 hours"
    world.now += timedelta(days=1)
    status, answer = world.call("merges", "POST /v1/merges/{merge}/undo", {}, path={"merge": merge["merge"]})
    assert status == 200, answer
    world.pump()
    # What was told of both before is each one's own again.
    assert (stars(world, ada), stars(world, other)) == (5, 3)


def test_becoming_known_costs_no_reading_of_what_was_told(world: World, ada: str) -> None:
    tell(world, ada, IN, 0)
    world.ingest("track", {"anonymousId": "tab", "event": "Came", "messageId": world.fresh()})
    world.pump()
    message = {"anonymousId": "tab", "userId": "ada", "traits": {}, "messageId": world.fresh()}
    assert world.ingest("identify", message)[0] == 200
    world.recorder.clear()
    world.pump()
    assert not [call for call in world.recorder.of(QUERY) if IN in as_json(call)]
    assert stars(world, ada) == 2


def test_days_are_those_of_the_workspace_s_zone_and_counted_again_when_it_changes(world: World, ada: str) -> None:
    tell(world, ada, IN, 0)
    tell(world, ada, OUT, 3 * 60)
    assert stars(world, ada) == 3
    world.accounts.configure("acme", {"time_zone": "Pacific/Auckland"})
    tell(world, ada, SENT, 4 * 60)
    assert stars(world, ada) == 2 == by_the_rule(world, ada)


def test_the_time_of_a_message_is_the_provider_s(world: World, ada: str) -> None:
    world.now = datetime.fromisoformat("2026-11-22T18:00:00+00:00")
    tell(world, ada, OUT, 5)
    tell(world, ada, IN, 0)
    assert stars(world, ada) == 5
