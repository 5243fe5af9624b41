"""A contact's history: the union over its identities, page by page, complete and without repeats."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.examples import few
from tests.support.world import START, World

from tidings.activity.model import Event
from tidings.activity.store import DynamoEventStore
from tidings.activity.timeline import TimelineService
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.core.errors import InvalidInput


def page(world: World, contact: str, **query: str) -> dict[str, Any]:
    status, answer = world.call(
        "contacts", "GET /v1/contacts/{contact}/timeline", path={"contact": contact}, query=query
    )
    assert status == 200, answer
    return answer


def test_the_timeline_shows_all_of_an_event_latest_first(world: World) -> None:
    world.track("u-7", "Signed Up", plan="team")
    world.now += timedelta(minutes=1)
    world.identify("u-7", firstName="Ada")
    latest, first = page(world, world.contact(user_id="u-7")["contact"])["events"]
    assert first == {
        "message_id": "m-1",
        "type": "track",
        "event": "Signed Up",
        "identity": {"kind": "user", "value": "u-7"},
        "timestamp": "2026-11-21T09:00:00.000000Z",
        "original_timestamp": None,
        "sent_at": None,
        "received_at": "2026-11-21T09:00:00.000000Z",
        "properties": {"plan": "team"},
        "traits": {},
        "context": {},
        "clamped": False,
        "group_id": "",
        "previous_id": "",
        "node": "event:user/u-7/m-1",
        "cause": None,
        "root": "event:user/u-7/m-1",
    }
    assert (latest["type"], latest["traits"]) == ("identify", {"firstName": "Ada"})


@pytest.mark.parametrize("limit", ["1", "2", "3", "7"])
def test_pages_follow_one_another_by_their_cursor(world: World, limit: str) -> None:
    for number in range(7):
        world.track("u-7", f"Event {number}")
        world.now += timedelta(seconds=number % 2)  # some at the same instant
    contact = world.contact(user_id="u-7")["contact"]
    seen, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        answer = page(world, contact, limit=limit, **({"cursor": cursor} if cursor else {}))
        seen += [one["event"] for one in answer["events"]]
        cursor, pages = answer["cursor"], pages + 1
    assert sorted(seen) == [f"Event {number}" for number in range(7)]
    assert pages == -(-7 // int(limit))


def packed(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode()


CURSORS = ["x", "é", "AAAA", packed(b"[]"), packed(b'["x", "y", "z"]'), packed(b"[" * 3000)]
CURSORS += [packed(json.dumps(value).encode()) for value in (["2026", 1], 7, None, {"a": 1})]


def test_a_cursor_that_was_not_made_here_is_refused(world: World) -> None:
    world.track("u-7", "Signed Up")
    path = {"contact": world.contact(user_id="u-7")["contact"]}
    for cursor in CURSORS:
        query = {"cursor": cursor}
        status, answer = world.call("contacts", "GET /v1/contacts/{contact}/timeline", path=path, query=query)
        assert (status, answer["code"], answer["field"]) == (400, "invalid_cursor", "cursor"), cursor


@pytest.mark.parametrize("limit", ["0", "201", "x"])
def test_a_page_of_another_size_is_refused(world: World, limit: str) -> None:
    world.track("u-7", "Signed Up")
    path = {"contact": world.contact(user_id="u-7")["contact"]}
    status, answer = world.call("contacts", "GET /v1/contacts/{contact}/timeline", path=path, query={"limit": limit})
    assert (status, answer["code"]) == (400, "invalid_limit")


# --- any history, any page size --------------------------------------------------------------------------------------


def _contact(name: str) -> Contact:
    identities = {Identity(IdentityKind.USER, name), Identity(IdentityKind.ANONYMOUS, name)}
    return Contact("acme", f"c{name}", START, identities=frozenset(identities), absorbed=(f"cold{name}",))


def _events(contact: Contact, happened: list[tuple[int, int]]) -> list[Event]:
    places = contact.event_identities
    return [
        Event(
            workspace="acme",
            identity=places[place],
            message_id=f"m-{number}",
            type="track",
            name="Happened",
            received_at=START + timedelta(seconds=second),
            timestamp=START,
        )
        for number, (place, second) in enumerate(happened)
    ]


happenings = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), max_size=14)


@few(25)
@given(happened=happenings, limit=st.integers(1, 6))
def test_pages_of_any_size_are_complete_ordered_and_without_repeats(
    world: World, happened: list[tuple[int, int]], limit: int
) -> None:
    store = DynamoEventStore(world.database)
    contact = _contact(world.fresh())
    events = _events(contact, happened)
    for event in events:
        store.add(event)
    seen: list[Event] = []
    cursor, turns = "", 0
    while turns == 0 or cursor:
        answer = TimelineService(store).page(contact, limit, cursor)
        assert len(answer.events) == limit or not answer.cursor
        seen += answer.events
        cursor, turns = answer.cursor, turns + 1
    assert sorted(one.message_id for one in seen) == sorted(one.message_id for one in events)
    assert [one.received_at for one in seen] == sorted((one.received_at for one in events), reverse=True)


def test_a_page_costs_one_query_for_each_identity_however_long_the_history_is(world: World) -> None:
    store = DynamoEventStore(world.database)
    contact = _contact("u")
    for event in _events(contact, [(place, second) for place in range(4) for second in range(30)]):
        store.add(event)
    timeline = TimelineService(store)
    cursor = ""
    for _ in range(3):
        world.recorder.clear()
        cursor = timeline.page(contact, 10, cursor).cursor
        queries = world.recorder.of("dynamodb:Query")
        assert len(queries) == 4
        assert all(call.arguments["Limit"] <= 20 for call in queries)
        assert len(world.recorder.of("dynamodb:BatchGetItem")) <= 1  # for copies under the other id
        assert len(world.recorder.calls) <= 5


# --- events of a name ------------------------------------------------------------------------------------------------


@few(15)
@given(happened=happenings, since=st.none() | st.integers(0, 4))
def test_events_of_a_name_since_an_instant_are_all_there_in_order(
    world: World, happened: list[tuple[int, int]], since: int | None
) -> None:
    store = DynamoEventStore(world.database)
    contact = _contact(world.fresh())
    events = _events(contact, happened)
    for event in events:
        store.add(event)
    instant = None if since is None else START + timedelta(seconds=since)
    found = TimelineService(store).named_since(contact, instant, "Happened")
    expected = [event for event in events if instant is None or event.received_at >= instant]
    assert sorted(one.message_id for one in found) == sorted(one.message_id for one in expected)
    assert [one.received_at for one in found] == sorted(one.received_at for one in expected)
    assert TimelineService(store).named_since(contact, instant, "Other") == []


def test_events_of_several_names_are_one_query_for_each_identity(world: World) -> None:
    store, contact = DynamoEventStore(world.database), _contact("u")
    for number, name in enumerate(("Paid", "Viewed", "Refunded", "Paid")):
        received_at = START + timedelta(seconds=number)
        store.add(Event("acme", Identity(IdentityKind.USER, "u"), f"m-{number}", "track", name, received_at, START))
    world.recorder.clear()
    found = TimelineService(store).named_since(contact, None, "Refunded", "Paid")
    assert [event.message_id for event in found] == ["m-0", "m-2", "m-3"]
    assert world.recorder.names().count("dynamodb:Query") == len(contact.event_identities)
    world.recorder.clear()
    assert TimelineService(store).named_since(contact, None) == []
    assert world.recorder.names() == []


def test_a_message_that_stands_under_two_ids_of_a_contact_happened_once(world: World) -> None:
    # A browser sends it before the person has a user id, and again with it after.
    store = DynamoEventStore(world.database)
    contact = _contact("u")
    user, anonymous = (Identity(kind, "u") for kind in (IdentityKind.USER, IdentityKind.ANONYMOUS))
    for second, identity in enumerate((anonymous, user)):
        received_at = START + timedelta(seconds=second)
        store.add(Event("acme", identity, "m-1", "track", "Happened", received_at, START))
    (found,) = TimelineService(store).named_since(contact, None, "Happened")
    assert found.identity == anonymous


def test_a_cursor_is_refused_by_the_service_too(world: World) -> None:
    with pytest.raises(InvalidInput):
        TimelineService(DynamoEventStore(world.database)).page(_contact("u"), 10, "no cursor")
