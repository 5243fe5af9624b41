"""Finding contacts: by everything that leads to them, in pages that show each once, within a known cost."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.examples import few
from tests.support.recorder import Call
from tests.support.template import grants, root_stack
from tests.support.world import World

from tidings.contacts import search
from tidings.contacts.model import Contact, Identity, IdentityKind, Trait
from tidings.contacts.rules import with_addresses
from tidings.contacts.store import Change, DynamoContactStore
from tidings.core.ids import digest
from tidings.core.keys import fingerprint

ADA = "ada@people.example"
QUERY, GET, READ = "dynamodb:Query", "dynamodb:GetItem", "dynamodb:BatchGetItem"


def ask(world: World, key: str = "secret", **query: str) -> tuple[int, dict[str, Any]]:
    return world.call("contacts", "GET /v1/contacts", query=query, key=key)


def found(world: World, **query: str) -> list[str]:
    """The user ids, or else anonymous ids, of the contacts that one page shows."""
    status, answer = ask(world, **query)
    assert status == 200, answer
    return [called(one) for one in answer["contacts"]]


def called(contact: dict[str, Any]) -> str:
    ids = {one["kind"]: one["value"] for one in contact["identities"]}
    return str(ids.get("user") or ids.get("anon") or contact["contact"])


def paged(world: World, meanwhile: Callable[[int], Any] = lambda page: None, **query: str) -> list[str]:
    """What all pages show together."""
    seen: list[str] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        status, answer = ask(world, **query, **({"cursor": cursor} if cursor else {}))
        assert status == 200, answer
        assert len(answer["contacts"]) <= int(query.get("limit", "50"))
        seen += [called(one) for one in answer["contacts"]]
        cursor, pages = answer["cursor"], pages + 1
        meanwhile(pages)
    return seen


def visit(world: World, anonymous: str, **traits: Any) -> None:
    message = {"anonymousId": anonymous, "messageId": world.fresh(), "traits": traits}
    assert world.ingest("identify", message)[0] == 200
    world.pump()


def keep(world: World, *users: str, **traits: Any) -> None:
    """Contacts as a long time of use would have made them, all at one instant."""
    store = DynamoContactStore(world.database)
    for user in users:
        identities = frozenset({Identity(IdentityKind.USER, user)})
        said = {name: Trait(value, world.now, "m") for name, value in traits.items()}
        contact = Contact("acme", f"c{digest(user)}", world.now, traits=said, identities=identities)
        with world.recorder.unseen():
            store.commit([Change(None, with_addresses(contact))])


# --- what leads to whom ----------------------------------------------------------------------------------------------


@pytest.fixture
def people(world: World) -> World:
    """Ada with everything that can lead to her, and others."""
    context = {"externalIds": [{"type": "shop", "id": "77"}, {"type": "crm", "id": "77"}]}
    said = {"email": ADA, "phone": "+48 600 100 200", "name": "Ada Zoë Lovelace-Byron"}
    message = {"userId": "ada", "anonymousId": "a-1", "messageId": "m-ada", "traits": said, "context": context}
    assert world.ingest("identify", message)[0] == 200
    world.pump()
    world.identify("bob", phone="+48600100300", first_name="Łukasz", last_name="Ådamsen")
    visit(world, "a-2")
    visit(world, "a-3", email="visitor@people.example")
    return world


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"user_id": "ada"}, ["ada"]),
        ({"anonymous_id": "a-1"}, ["ada"]),
        ({"email": "ADA@people.example"}, ["ada"]),
        ({"phone": "+48 600-100-200"}, ["ada"]),
        ({"phone": " 48600100200"}, ["ada"]),
        ({"external_id": "77", "external_type": "shop"}, ["ada"]),
        ({"external_id": "77", "external_type": "crm"}, ["ada"]),
        ({"external_id": "77", "external_type": "desk"}, []),
        ({"name": "LOVE"}, ["ada"]),
        ({"name": "byron"}, ["ada"]),
        ({"name": "zoe lov"}, ["ada"]),
        ({"name": "lovelace bob"}, []),
        ({"name": "łuk"}, ["bob"]),
        ({"name": "lukasz adams"}, ["bob"]),
        ({"name": "ovelace"}, []),
        ({"user_id": "ada", "channel": "sms"}, ["ada"]),
        ({"user_id": "bob", "channel": "email"}, []),
        ({"user_id": "ada", "kind": "anonymous"}, []),
        ({"email": "visitor@people.example", "kind": "identified"}, ["a-3"]),
        ({"message": "cnobody"}, []),
        ({"message": "c" + "a" * 26 + "-" + "a" * 26}, []),
        ({"message": ""}, []),
    ],
)
def test_a_question_finds_whom_it_leads_to(people: World, query: dict[str, str], expected: list[str]) -> None:
    assert found(people, **query) == expected


def test_a_number_without_a_country_code_is_of_the_workspace_s_country(people: World) -> None:
    assert ask(people, phone="600100200")[1]["code"] == "invalid_phone"
    with people.recorder.unseen():
        people.accounts.configure("acme", {"default_country": "PL"})
    people.now += timedelta(seconds=60)
    assert found(people, phone="600100200") == ["ada"]


def test_filters_alone_pass_everybody_who_fits(people: World) -> None:
    assert Counter(found(people)) == Counter(["ada", "bob", "a-2", "a-3"])
    assert Counter(found(people, channel="email")) == Counter(["ada", "a-3"])
    assert Counter(found(people, channel="sms")) == Counter(["ada", "bob"])
    assert found(people, kind="anonymous") == ["a-2"]
    assert Counter(found(people, kind="identified")) == Counter(["ada", "bob", "a-3"])
    assert found(people, kind="identified", channel="sms", name="ad") == ["ada", "bob"]


def test_an_address_that_was_taken_away_reaches_nobody_but_still_leads_to_them(people: World) -> None:
    people.now += timedelta(seconds=1)
    people.identify("ada", email=None)
    assert found(people, email=ADA) == ["ada"]
    assert found(people, email=ADA, channel="email") == []


def test_those_who_have_an_address_come_oldest_first_and_before_those_who_had_it(world: World) -> None:
    for user in ("moved", "first", "second", "gone", "third"):
        world.identify(user, email=ADA)
        world.now += timedelta(seconds=1)
    for user in ("moved", "gone"):
        world.identify(user, email=f"{user}@people.example")
    expected = ["first", "second", "third", "moved", "gone"]
    assert found(world, email=ADA) == expected
    for limit in "123456":
        assert paged(world, email=ADA, limit=limit) == expected
    assert ask(world, email=ADA, limit="5")[1]["cursor"] == ""


def test_a_name_that_was_changed_is_found_by_the_new_one_only(people: World) -> None:
    people.now += timedelta(seconds=1)
    people.identify("ada", name="Augusta King")
    assert found(people, name="king") == ["ada"]
    assert found(people, name="love") == []


def test_a_contact_whose_words_begin_alike_is_found_once(world: World) -> None:
    for number in range(6):
        world.identify(f"u-{number}", name="Anna Annabel Anne", lastName="Anders")
    for limit in "1247":
        assert Counter(paged(world, name="an", limit=limit)) == Counter(f"u-{number}" for number in range(6))


def test_a_message_leads_to_who_got_it_also_after_a_merge(world: World) -> None:
    world.template("tips")
    visit(world, "a-9", email=ADA)
    order = {"to": {"email": ADA}, "template": "tips", "idempotency_key": "k"}
    _, message = world.call("send_email", "POST /v1/emails", order)
    assert found(world, message=message["message"]) == ["a-9"]
    world.identify("ada")
    world.ingest("track", {"userId": "ada", "anonymousId": "a-9", "event": "Signed In", "messageId": "m-in"})
    world.pump()
    assert found(world, message=message["message"]) == ["ada"]
    assert ask(world, world.other_secret, message=message["message"])[1]["contacts"] == []


def test_somebody_who_became_part_of_another_is_found_as_that_one_and_listed_once(world: World) -> None:
    visit(world, "a-9", email=ADA, name="Ada")
    world.identify("ada")
    world.ingest("track", {"userId": "ada", "anonymousId": "a-9", "event": "Signed In", "messageId": "m-in"})
    world.pump()
    for query in ({}, {"email": ADA}, {"anonymous_id": "a-9"}, {"name": "ada"}, {"kind": "identified"}):
        assert found(world, **query) == ["ada"], query


# --- pages -----------------------------------------------------------------------------------------------------------


@few(8)
@given(count=st.integers(0, 24), limit=st.integers(1, 9), narrowed=st.booleans())
def test_pages_of_any_size_show_everybody_once(world: World, count: int, limit: int, narrowed: bool) -> None:
    before = set(paged(world))
    name = world.fresh()
    users = [f"{name}-{number}" for number in range(count)]
    keep(world, *users)
    query = {"kind": "identified"} if narrowed else {}
    assert Counter(paged(world, limit=str(limit), **query)) == Counter({*before, *users})


def test_who_was_there_is_listed_once_however_many_are_added_meanwhile(world: World) -> None:
    users = [f"u-{number}" for number in range(12)]
    keep(world, *users)
    seen = paged(world, lambda page: page < 9 and keep(world, f"new-{page}", f"newer-{page}"), limit="2")
    assert max(Counter(seen).values()) == 1
    assert set(users) <= set(seen)


def test_who_is_deleted_while_pages_are_turned_takes_nobody_along(world: World) -> None:
    users = [f"u-{number}" for number in range(12)]
    keep(world, *users)
    gone: list[str] = []

    def meanwhile(page: int) -> None:
        if page < 4:
            contact = ask(world, limit="200")[1]["contacts"][2 * page - 1]  # where the cursor stands
            gone.append(called(contact))
            world.call(
                "change_contacts", "DELETE /v1/contacts/{contact}", path={"contact": contact["contact"]}
            )  # fmt: skip

    seen = paged(world, meanwhile, limit="2")
    assert max(Counter(seen).values()) == 1
    assert set(users) - set(seen) <= set(gone)


def test_a_filter_that_lets_few_through_stops_after_a_number_of_contacts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "LOOKED_AT", 20)
    monkeypatch.setattr(search, "AT_ONCE", 10)
    keep(world, *(f"u-{number}" for number in range(50)))
    keep(world, "reachable", email=ADA)
    world.recorder.clear()
    status, answer = ask(world, channel="email", limit="5")
    assert status == 200
    assert len(answer["contacts"]) <= 1
    assert answer["cursor"]
    assert len(world.recorder.of(READ)) == 2
    assert paged(world, channel="email", limit="5") == ["reachable"]


def test_a_cursor_is_taken_by_the_same_question_of_the_same_workspace_only(world: World) -> None:
    keep(world, "u-1", "u-2", "u-3", name="Ann", email=ADA)
    cursors = {}
    questions: list[dict[str, str]] = [{}, {"name": "ann"}, {"email": ADA}, {"kind": "identified"}, {"name": "an"}]
    for number, query in enumerate(questions):
        cursors[number] = ask(world, limit="1", **query)[1]["cursor"]
        assert cursors[number]
    for number, query in enumerate(questions):
        for other, cursor in cursors.items():
            status, answer = ask(world, limit="2", cursor=cursor, **query)
            assert status == (200 if number == other else 400), (query, other)
            assert number == other or (answer["code"], answer["field"]) == ("invalid_cursor", "cursor")
    assert ask(world, world.other_secret, cursor=cursors[0])[1]["code"] == "invalid_cursor"


def remade(cursor: str, *place: Any) -> str:
    """A cursor of the same question that names another place."""
    mark = json.loads(base64.urlsafe_b64decode(cursor))[0]
    return base64.urlsafe_b64encode(json.dumps([mark, *place]).encode()).decode()


@pytest.mark.parametrize(
    "place",
    [
        *[(8, "x"), (-1, "x"), (0, ""), (0, "2026"), (0, "x#c"), (0, "2026#c"), (0, "ann" * 999)],
        *[(True, "x"), ("0", "x"), (0,), (0, "x", "y"), (0, None)],
    ],
)
def test_a_cursor_that_somebody_wrote_is_refused_or_harmless(world: World, place: tuple[Any, ...]) -> None:
    keep(world, "u-1", "u-2", name="Ann", email=ADA)
    for query in ({}, {"name": "ann"}, {"email": ADA}):
        cursor = remade(ask(world, limit="1", **query)[1]["cursor"], *place)
        status, answer = ask(world, cursor=cursor, **query)
        assert status == 200 or answer["code"] == "invalid_cursor", (query, answer)


# --- walls and costs -------------------------------------------------------------------------------------------------


def test_another_workspace_finds_and_counts_nobody(people: World) -> None:
    for query in ({}, {"user_id": "ada"}, {"email": ADA}, {"name": "ada"}, {"phone": "+48600100200"}):
        assert ask(people, people.other_secret, **query) == (200, {"contacts": [], "cursor": ""})
    _, counts = people.call("contacts", "GET /v1/contacts/counts", key=people.other_secret)
    assert counts == {"people": 0, "identified": 0, "anonymous": 0}


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ({"user_id": "ada"}, {GET: 1, READ: 1}),
        ({"email": ADA}, {QUERY: 1, READ: 1}),
        ({"email": ADA, "limit": "1"}, {QUERY: 1, READ: 1}),
        ({"phone": "+48600100200"}, {QUERY: 1, READ: 1}),
        ({"name": "ada love"}, {QUERY: 1, READ: 1}),
        ({"user_id": "nobody"}, {GET: 1}),
        ({}, {QUERY: 8, READ: 1}),  # one for each part of the list, of which each is short here
    ],
)
def test_what_a_question_costs(people: World, query: dict[str, str], calls: dict[str, int]) -> None:
    ask(people, **query)
    people.recorder.clear()
    ask(people, **query)
    assert Counter(people.recorder.names()) == calls


def test_a_page_of_a_long_list_costs_two_calls_wherever_it_is(world: World) -> None:
    keep(world, *(f"u-{number}" for number in range(120)))
    cursor = ask(world, limit="5")[1]["cursor"]
    for _ in range(12):
        world.recorder.clear()
        cursor = ask(world, limit="5", cursor=cursor)[1]["cursor"]
        # Where one part of the list ends the page goes on with the next.
        assert len(world.recorder.of(QUERY)) <= 2
        assert len(world.recorder.of(READ)) == 1


def test_counting_is_one_batched_read(people: World) -> None:
    people.call("contacts", "GET /v1/contacts/counts")
    people.recorder.clear()
    _, counts = people.call("contacts", "GET /v1/contacts/counts")
    assert counts == {"people": 4, "identified": 3, "anonymous": 1}
    assert people.recorder.names() == [READ]


def test_no_function_that_answers_anybody_may_scan() -> None:
    scanning = {function for function, granted in grants().items() for one in granted if one.action.endswith("Scan")}
    # Two that a schedule wakes go through all workspaces, or all senders, of which there are few.
    assert scanning == {"CheckSendersFunction", "MirrorSuppressionsFunction"}
    for function in scanning:
        assert {event["Type"] for event in root_stack().properties(function)["Events"].values()} == {"Schedule"}
    assert not [one for granted in grants().values() for one in granted if "*" in one.action.partition(":")[2]]


# --- counts ----------------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("visit"), st.sampled_from("ab"), st.booleans()),
        st.tuples(st.just("identify"), st.sampled_from("uv"), st.booleans()),
        st.tuples(st.just("link"), st.sampled_from("uv"), st.sampled_from("ab")),
        st.tuples(st.just("delete"), st.sampled_from("uv"), st.just(False)),
        st.tuples(st.just("edit"), st.sampled_from("uv"), st.just(False)),
    ),
    min_size=1,
    max_size=8,
)


class Fault(Exception):
    """A call of AWS that failed, before or after it was done."""


@few(12)
@given(steps=STEPS, faults=st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=3), data=st.data())
def test_counts_are_what_a_dump_of_the_table_says_whatever_is_repeated_and_fails(
    world: World, steps: list[tuple[str, str, Any]], faults: list[tuple[int, bool]], data: st.DataObject
) -> None:
    name = world.fresh()
    for number, step in enumerate(steps):
        failing = dict(faults).get(number)
        for attempt in range(3):
            _inject(world, failing if attempt == 0 else None, data)
            try:
                _take(world, name, number, step)
            except Fault:
                continue
        world.recorder.before = world.recorder.after = None
        world.now += timedelta(seconds=1)
        _, counts = world.call("contacts", "GET /v1/contacts/counts")
        assert counts == _dumped(world)


def _inject(world: World, after: bool | None, data: st.DataObject) -> None:
    world.recorder.before = world.recorder.after = None
    if after is None:
        return
    left = [data.draw(st.integers(0, 4))]

    def fail(call: Call) -> None:
        left[0] -= 1
        if left[0] < 0:
            world.recorder.before = world.recorder.after = None
            raise Fault(call.name)

    if after:
        world.recorder.after = fail
    else:
        world.recorder.before = fail


def _take(world: World, name: str, number: int, step: tuple[str, str, Any]) -> None:
    what, one, other = step
    message: dict[str, Any] = {"messageId": f"{name}-{number}"}
    if what in ("visit", "identify"):
        field = "anonymousId" if what == "visit" else "userId"
        traits = {"email": f"{name}-{one}@people.example"} if other else {}
        _tell(world, {**message, field: f"{name}-{one}", "traits": traits})
    elif what == "link":
        _tell(world, {**message, "userId": f"{name}-{one}", "anonymousId": f"{name}-{other}"})
    else:
        contacts = ask(world, user_id=f"{name}-{one}")[1].get("contacts")
        for contact in contacts or []:
            method = "DELETE" if what == "delete" else "PATCH"
            body = None if what == "delete" else {"traits": {"email": f"{number}@people.example"}}
            route = f"{method} /v1/contacts/{{contact}}"
            world.call("change_contacts", route, body, path={"contact": contact["contact"]})


def _tell(world: World, message: dict[str, Any]) -> None:
    world.ingest("identify", message)
    failed = True
    with world.recorder.unseen():
        items = [item for item in world.items("TABLE_EVENTS") if item["sk"]["S"] == message["messageId"]]
    records = [world.record(item) for item in items]
    while failed and records:
        failed = bool(world.invoke("react", {"Records": records})["batchItemFailures"])
        if failed and not (world.recorder.before or world.recorder.after):
            continue


def _dumped(world: World) -> dict[str, int]:
    kinds = Counter[bool]()
    for item in world.items("TABLE_CONTACTS"):
        if item["pk"]["S"].startswith("acme#") and "merged_into" not in item and "erased_at" not in item:
            identities = json.loads(item["identities"]["S"])
            kinds[any(not text.startswith("anon#") for text in identities)] += 1
    return {"people": kinds.total(), "identified": kinds[True], "anonymous": kinds[False]}


def test_a_key_s_fingerprint_is_all_that_is_looked_up(people: World) -> None:
    """The calls of a cold function beside its question: the key once, and nothing of the workspace without need."""
    people.cold("contacts")
    people.recorder.clear()
    ask(people, user_id="ada")
    first = people.recorder.calls[0]
    assert first.name == GET
    assert fingerprint(people.keys["secret"]) in json.dumps(first.arguments)
    assert people.recorder.names() == [GET, GET, READ]
