"""What of a contact's history is shown: filters, copies of one message, what stayed elsewhere; long lists in pages."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.examples import few
from tests.support.world import START, World

from tidings.activity import timeline as timelines
from tidings.activity.asking import read_asked
from tidings.activity.model import Event
from tidings.activity.store import DynamoEventStore
from tidings.activity.timeline import EVERYTHING, Asked, TimelineService
from tidings.contacts.model import Contact, Identity, IdentityKind, Window
from tidings.core.errors import InvalidInput

ROUTE = "GET /v1/contacts/{contact}/"


def page(world: World, contact: str, what: str = "timeline", **query: str) -> tuple[int, dict[str, Any]]:
    return world.call("contacts", ROUTE + what, path={"contact": contact}, query=query)


def shown(world: World, contact: str, what: str = "timeline", **query: str) -> list[dict[str, Any]]:
    """What all pages show together."""
    seen: list[dict[str, Any]] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        status, answer = page(world, contact, what, **query, **({"cursor": cursor} if cursor else {}))
        assert status == 200, answer
        (found,) = (value for name, value in answer.items() if name != "cursor")
        assert len(found) <= int(query.get("limit", "50"))
        seen += found
        cursor, pages = answer["cursor"], pages + 1
    return seen


def tell(world: World, kind: str = "track", **fields: Any) -> None:
    """A second later somebody makes a call."""
    world.now += timedelta(seconds=1)
    named = {"event": fields.pop("name")} if "name" in fields else {}
    status, answer = world.ingest(kind, {"messageId": world.fresh(), **named, **fields})
    assert status == 200, answer
    world.pump()


# --- filters ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def ada(world: World) -> str:
    """The id of a contact to whom all kinds of things happened."""
    world.template("tips")
    tell(world, "identify", userId="ada", traits={"email": "ada@people.example"})
    tell(world, name="Signed Up", userId="ada")
    tell(world, "page", userId="ada", messageId="m-page")
    tell(world, name="Email Opened", userId="ada")  # an app's own event of this name
    world.now += timedelta(seconds=1)
    contact = str(world.contact(user_id="ada")["contact"])
    order = {"to": {"contact": contact}, "template": "tips", "idempotency_key": "k"}
    world.call("send_email", "POST /v1/emails", order)
    world.now += timedelta(seconds=1)
    world.feedback(world.ses.event("Delivery", world.ses.accepted[0], recipients=["ada@people.example"]))
    world.now += timedelta(seconds=1)
    route = "PATCH /v1/contacts/{contact}"
    world.call("change_contacts", route, {"traits": {"plan": "team"}}, path={"contact": contact})
    return contact


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"type": "track"}, ["Email Opened", "Signed Up"]),
        ({"type": "page, identify"}, ["Viewed Page", ""]),
        ({"type": "system"}, ["Contact Updated", "Email Delivered"]),
        ({"type": "screen"}, []),
        ({"event": "Signed Up"}, ["Signed Up"]),
        ({"event": "Email Opened", "type": "system"}, []),
        ({"channel": "email"}, ["Email Delivered"]),
        ({"channel": "sms"}, []),
        ({"since": "2026-11-21T09:00:06Z"}, ["Contact Updated", "Email Delivered"]),
        ({"until": "2026-11-21T09:00:02Z"}, [""]),
        ({"since": "2026-11-21T09:00:02Z", "until": "2026-11-21T09:00:04Z"}, ["Viewed Page", "Signed Up"]),
        ({"since": "2026-11-21T10:00:02 01:00", "until": "2026-11-21T09:00:03Z"}, ["Signed Up"]),
        ({"since": "2026-11-22", "until": "2026-11-21"}, []),
        ({"since": "2027-01-01T00:00:00Z"}, []),
        ({"since": "2026-11-21T09:00:02Z", "type": "track", "event": "Signed Up"}, ["Signed Up"]),
    ],
)
def test_a_filter_shows_what_it_says(world: World, ada: str, query: dict[str, str], expected: list[str]) -> None:
    for limit in ("50", "1"):
        assert [one["event"] for one in shown(world, ada, limit=limit, **query)] == expected


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"type": "tracks"}, "unknown_type", "type"),
        ({"type": ""}, "unknown_type", "type"),
        ({"type": "track,,page"}, "unknown_type", "type"),
        ({"channel": "fax"}, "unknown_channel", "channel"),
        ({"since": "yesterday"}, "invalid_timestamp", "since"),
        ({"until": ""}, "invalid_timestamp", "until"),
    ],
)
def test_a_filter_that_is_none_is_refused(query: dict[str, str], code: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_asked(query)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_a_cursor_is_taken_with_the_same_filters_only(world: World, ada: str) -> None:
    cursor = page(world, ada, limit="1")[1]["cursor"]
    assert cursor
    for more in ({"type": "track"}, {"event": "x"}, {"channel": "email"}, {"since": "2026-01-01"}):
        status, answer = page(world, ada, cursor=cursor, **more)
        assert (status, answer["code"]) == (400, "invalid_cursor"), more
    tell(world, "identify", userId="bob")
    other = world.contact(user_id="bob")["contact"]
    for what in ("timeline", "messages", "enrolments"):
        assert page(world, other, what, cursor=cursor)[1]["code"] == "invalid_cursor"


def test_a_filter_reads_a_bounded_number_of_pages_and_goes_on_by_its_cursor(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timelines, "FILTERED", 5)
    store, contact = DynamoEventStore(world.database), _contact("u")
    identity = Identity(IdentityKind.USER, "u")
    for number in range(60):
        name = "Rare" if number in (0, 31) else "Common"
        at = START + timedelta(seconds=number)
        store.add(Event("acme", identity, f"m-{number}", "track", name, at, START))
    seen, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        world.recorder.clear()
        answer = TimelineService(store).page(contact, 10, cursor, Asked(name="Rare"))
        per_identity = Counter(str(call.arguments["ExpressionAttributeValues"][":0"])
                               for call in world.recorder.of("dynamodb:Query"))  # fmt: skip
        assert max(per_identity.values()) <= 2 * timelines.ROUNDS
        seen += [one.message_id for one in answer.events]
        cursor, pages = answer.cursor, pages + 1
    assert seen == ["m-31", "m-0"]
    assert 2 <= pages <= 4


# --- one message under two ids ---------------------------------------------------------------------------------------


def test_a_message_that_came_under_both_ids_is_shown_once_as_it_first_came(world: World) -> None:
    tell(world, name="Viewed", anonymousId="a-1", messageId="m-1")
    tell(world, "identify", userId="ada", anonymousId="a-1")
    tell(world, name="Viewed", userId="ada", anonymousId="a-1", messageId="m-1")  # sent again with what is known now
    tell(world, name="Paid", userId="ada", anonymousId="a-1", messageId="m-2")
    tell(world, name="Paid", anonymousId="a-1", messageId="m-2")  # and one that was under way for long
    contact = world.contact(user_id="ada")["contact"]
    for limit in ("1", "2", "50"):
        events = shown(world, contact, limit=limit)
        assert [(one["event"], one["identity"]["kind"]) for one in events] == [
            ("Paid", "user"),
            ("", "user"),
            ("Viewed", "anon"),
        ]


def test_a_message_that_another_person_sent_under_the_same_id_stays_theirs(world: World) -> None:
    tell(world, name="Viewed", userId="ada", messageId="m-1")
    tell(world, name="Viewed", userId="bob", messageId="m-1")
    for user in ("ada", "bob"):
        assert len(shown(world, world.contact(user_id=user)["contact"])) == 1


def test_a_copy_from_before_the_instant_asked_for_is_no_event_since(world: World) -> None:
    # As `react` does not count it: the message happened when it first came.
    store = DynamoEventStore(world.database)
    contact = _contact("u")
    user, device = (Identity(kind, "u") for kind in (IdentityKind.USER, IdentityKind.ANONYMOUS))
    store.add(Event("acme", device, "m-1", "track", "Paid", START, START, anonymous_id="u"))
    late = START + timedelta(hours=1)
    store.add(Event("acme", user, "m-1", "track", "Paid", late, START, user_id="u", anonymous_id="u"))
    service = TimelineService(store)
    assert [one.identity for one in service.named_since(contact, None, "Paid")] == [device]
    assert service.named_since(contact, START + timedelta(minutes=1), "Paid") == []


# --- what stayed elsewhere -------------------------------------------------------------------------------------------


def _contact(name: str, **more: Any) -> Contact:
    identities = frozenset({Identity(IdentityKind.USER, name), Identity(IdentityKind.ANONYMOUS, name)})
    return Contact("acme", f"c{name}", START, identities=identities, **more)


def test_what_stayed_with_another_contact_is_shown_there(world: World) -> None:
    store = DynamoEventStore(world.database)
    service = TimelineService(store)
    own = Identity(IdentityKind.CONTACT, "cu")
    for minute in range(4):
        at = START + timedelta(minutes=minute)
        store.add(Event("acme", own, f"m-{minute}", "system", "Email Sent", at, at))
    window = Window("cu", START + timedelta(minutes=1), START + timedelta(minutes=3))
    lender, keeper = _contact("u", lent=(window,)), _contact("v", kept=(window,))
    for contact, ids in ((lender, ["m-3", "m-0"]), (keeper, ["m-2", "m-1"])):
        assert [one.message_id for one in service.page(contact, 9).events] == ids
        assert sorted(one.message_id for one in service.named_since(contact, None, "Email Sent")) == sorted(ids)


def test_messages_and_enrolments_of_an_undone_merge_stay_where_they_were_made(world: World) -> None:
    world.template("tips")
    tell(world, name="Viewed", anonymousId="a-1")
    tell(world, "identify", userId="ada", traits={"email": "ada@people.example"})
    ada, visitor = (world.contact(**q)["contact"] for q in ({"user_id": "ada"}, {"anonymous_id": "a-1"}))
    body = {"contact": visitor, "into": ada, "idempotency_key": "k"}
    _, merge = world.call("merges", "POST /v1/merges", body)
    world.now += timedelta(seconds=1)
    order = {"to": {"contact": visitor}, "template": "tips", "idempotency_key": "k"}
    _, message = world.call("send_email", "POST /v1/emails", order)
    world.now += timedelta(seconds=1)
    path = {"merge": merge["merge"]}
    assert world.call("merges", "POST /v1/merges/{merge}/undo", {}, path=path)[0] == 200
    assert [one["message"] for one in shown(world, ada, "messages")] == [message["message"]]
    assert shown(world, visitor, "messages") == []


# --- any history -----------------------------------------------------------------------------------------------------

HAPPENINGS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans(), st.booleans(), st.booleans()), max_size=16
)


@few(20)
@given(happened=HAPPENINGS, limit=st.integers(1, 5), filtered=st.booleans(), small=st.booleans())
def test_all_pages_show_each_message_that_is_meant_once(
    world: World,
    happened: list[tuple[int, int, bool, bool, bool]],
    limit: int,
    filtered: bool,
    small: bool,
) -> None:
    store = DynamoEventStore(world.database)
    contact = _contact(world.fresh())
    first: dict[str, Event] = {}
    for number, (place, second, named, twice, early) in enumerate(happened):
        event = _happened(contact, place, second, f"m-{number}", named)
        store.add(event)
        first[event.message_id] = event
        if twice and place in (1, 2):
            copy = _happened(contact, 3 - place, second + (-1 if early else 1), event.message_id, named)
            store.add(copy)
            first[event.message_id] = min(event, copy, key=lambda one: (one.received_at, one.identity))
    expected = {(str(e.identity), e.message_id) for e in first.values() if not filtered or e.name == "Meant"}
    seen: list[tuple[str, str]] = []
    cursor, turns = "", 0
    with pytest.MonkeyPatch.context() as patch:
        if small:
            patch.setattr(timelines, "FILTERED", 2)
            patch.setattr(timelines, "AT_LEAST", 2)
        while turns == 0 or cursor:
            asked = Asked(name="Meant") if filtered else EVERYTHING
            answer = TimelineService(store).page(contact, limit, cursor, asked)
            assert len(answer.events) <= limit
            seen += [(str(one.identity), one.message_id) for one in answer.events]
            cursor, turns = answer.cursor, turns + 1
            assert turns < 60
    assert Counter(seen) == Counter(expected)


def _happened(contact: Contact, place: int, second: int, message: str, named: bool) -> Event:
    name = contact.id[1:]
    identity = [
        Identity(IdentityKind.CONTACT, contact.id),
        Identity(IdentityKind.USER, name),
        Identity(IdentityKind.ANONYMOUS, name),
        Identity(IdentityKind.CONTACT, contact.id),
    ][place]
    at = START + timedelta(seconds=second)
    of_user = identity.kind is IdentityKind.USER
    ids = {} if identity.kind is IdentityKind.CONTACT else {"anonymous_id": name, "user_id": name if of_user else ""}
    return Event("acme", identity, message, "track", "Meant" if named else "Other", at, at, **ids)


# --- messages and enrolments -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["1", "2", "3", "50"])
def test_messages_and_enrolments_come_latest_first_each_once(world: World, limit: str) -> None:
    world.template("tips")
    mail = {"mail": {"type": "send_email", "template": "tips"}}
    world.automation({"automation": "tour", "trigger": {"event": "Began"}, "start": "mail", "components": mail})
    tell(world, "identify", userId="ada", traits={"email": "ada@people.example"})
    tell(world, name="Began", anonymousId="a-1")
    world.run()
    for number in range(3):
        tell(world, name="Began", userId="ada")
        world.run()
        if number == 1:
            tell(world, name="Signed In", userId="ada", anonymousId="a-1")
    contact = world.contact(anonymous_id="a-1")["contact"]
    messages = shown(world, contact, "messages", limit=limit)
    assert len({one["message"] for one in messages}) == len(messages) == 4
    times = [min(one["history"].values()) for one in messages]
    assert times == sorted(times, reverse=True)
    enrolments = shown(world, contact, "enrolments", limit=limit)
    assert len({(one["contact"], one["entry"]) for one in enrolments}) == len(enrolments) == 4
    assert [one["started_at"] for one in enrolments] == sorted((one["started_at"] for one in enrolments), reverse=True)
    assert all(one["path"] for one in enrolments)


@pytest.mark.parametrize("what", ["messages", "enrolments"])
def test_a_cursor_of_another_listing_is_refused(world: World, what: str) -> None:
    tell(world, name="Viewed", userId="ada")
    contact = world.contact(user_id="ada")["contact"]
    for cursor in ("x", "AAAA", "W10="):
        status, answer = page(world, contact, what, cursor=cursor)
        assert (status, answer["code"]) == (400, "invalid_cursor")


# --- channels --------------------------------------------------------------------------------------------------------


def test_a_channel_s_timeline_has_what_came_in_and_what_happened_to_conversations_on_it(world: World) -> None:
    world.identify("eve", email="eve@people.example")
    eve = str(world.contact(user_id="eve")["contact"])
    store = DynamoEventStore(world.database)
    told = [
        ("Email Received", {}), ("Conversation Opened", {"channel": "email"}), ("SMS Received", {}),
        ("Conversation Replied", {"channel": "sms"}), ("Conversation Resolved", {"channel": "email"}),
    ]  # fmt: skip
    for number, (name, properties) in enumerate(told):
        at = START + timedelta(minutes=number)
        identity = Identity(IdentityKind.CONTACT, eve)
        store.add(Event("acme", identity, f"m-{number}", "system", name, at, at, properties=properties))
    tell(world, name="Conversation Opened", userId="eve", properties={"channel": "email"})  # an app's own
    names = {
        channel: [one["event"] for one in shown(world, eve, channel=channel, limit="2")] for channel in ("email", "sms")
    }
    assert names == {
        "email": ["Conversation Resolved", "Conversation Opened", "Email Received"],
        "sms": ["Conversation Replied", "SMS Received"],
    }
