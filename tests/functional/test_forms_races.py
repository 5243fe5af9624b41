"""Forms at once, forms that die on the way, and any sequence of forms: product rule 1.6 holds throughout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st
from tests.support.examples import few
from tests.support.recorder import Call, Killed
from tests.support.world import World

from tidings.accounts.model import KeyKind
from tidings.activity.forms import FORM_SUBMITTED
from tidings.activity.store import DynamoEventStore
from tidings.contacts.conflict_store import DynamoConflictStore
from tidings.contacts.model import Identity, IdentityKind
from tidings.contacts.store import DynamoContactStore

A, B = "ada@people.example", "+48600100200"
OTHER = "+48600999999"
WRITE = "dynamodb:TransactWriteItems"


def submit(world: World, key: str = "secret", **body: Any) -> dict[str, Any]:
    """Submit a form that must be taken; the answer."""
    status, answer = world.call("forms", "POST /v1/forms", body, key)
    assert status == 200, answer
    return answer


def people(world: World) -> list[dict[str, Any]]:
    """The traits of every contact that is not part of another."""
    ids = [item["id"]["S"] for item in world.items("TABLE_CONTACTS") if "merged_into" not in item]
    return [traits(world, contact) for contact in ids]


def traits(world: World, contact: str, key: str = "secret") -> dict[str, Any]:
    status, answer = world.call("contacts", "GET /v1/contacts/{contact}", None, key, path={"contact": contact})
    assert status == 200, answer
    found: dict[str, Any] = answer["traits"]
    return found


def forms_told(world: World) -> int:
    return sum(item["type"]["S"] == "form" for item in world.items("TABLE_EVENTS"))


# --- at once ----------------------------------------------------------------------------------------------------------


def just_before(world: World, name: str, act: Callable[[], Any]) -> None:
    """Let somebody else act right before the next call of a name."""

    def before(call: Call) -> None:
        if call.name == name:
            world.recorder.before = None
            act()

    world.recorder.before = before


def test_one_form_twice_at_once_is_one(world: World) -> None:
    said = {"form": "f", "traits": {"email": A, "phone": B}}
    just_before(world, WRITE, lambda: submit(world, **said))
    answer = submit(world, **said)
    assert answer["outcome"] == "nothing"
    assert people(world) == [{"email": A, "phone": B, "name": "ada"}]
    assert forms_told(world) == 1


@pytest.mark.parametrize("addresses", [{"email": A}, {"phone": B}, {"email": A, "phone": B}])
def test_two_forms_of_somebody_new_at_once_make_one_contact(world: World, addresses: dict[str, str]) -> None:
    just_before(world, WRITE, lambda: submit(world, traits={**addresses, "name": "One"}, messageId="f-1"))
    answer = submit(world, traits={**addresses, "city": "Gdynia"}, messageId="f-2")
    assert answer["outcome"] == "updated"
    assert people(world) == [{**addresses, "name": "One", "city": "Gdynia"}]
    assert forms_told(world) == 2


def test_two_phones_for_one_e_mail_at_once_are_two_people(world: World) -> None:
    submit(world, traits={"email": A})
    just_before(world, WRITE, lambda: submit(world, traits={"email": A, "phone": B}))
    assert submit(world, traits={"email": A, "phone": OTHER})["outcome"] == "created"
    assert sorted(one["phone"] for one in people(world)) == [B, OTHER]


def test_two_forms_of_a_new_user_at_once_make_one_contact(world: World) -> None:
    just_before(world, WRITE, lambda: submit(world, userId="u-1", traits={"city": "Gdynia"}))
    assert submit(world, userId="u-1", traits={"email": A, "name": "Ada"})["outcome"] == "updated"
    assert people(world) == [{"city": "Gdynia", "email": A, "name": "Ada"}]


def test_a_visitor_who_became_somebody_in_between_is_not_taken(world: World) -> None:
    world.ingest("track", {"anonymousId": "a-1", "event": "Looked", "messageId": "m-1"})
    world.pump()
    just_before(world, WRITE, lambda: submit(world, anonymousId="a-1", traits={"phone": B}))
    assert submit(world, anonymousId="a-1", traits={"email": A})["outcome"] == "created"
    assert sorted(people(world), key=len) == [{"phone": B}, {"email": A, "name": "ada"}]


def test_whoever_was_merged_in_between_is_updated_where_they_are_now(world: World) -> None:
    submit(world, anonymousId="a-1", traits={"email": A})
    world.identify("u-1", name="Una")

    def merge() -> None:
        world.ingest("identify", {"userId": "u-1", "anonymousId": "a-1", "messageId": "m-2"})
        world.pump()

    just_before(world, WRITE, merge)
    answer = submit(world, traits={"email": A, "city": "Gdynia"})
    assert answer["contact"] == world.contact(user_id="u-1")["contact"]
    assert traits(world, answer["contact"])["city"] == "Gdynia"


def test_whoever_was_merged_between_the_two_reads_is_looked_for_again(world: World) -> None:
    submit(world, anonymousId="a-1", traits={"email": A})
    world.identify("u-1", name="Una")

    def merge() -> None:
        world.ingest("identify", {"userId": "u-1", "anonymousId": "a-1", "messageId": "m-2"})
        world.pump()

    just_before(world, "dynamodb:BatchGetItem", merge)
    answer = submit(world, traits={"email": A, "city": "Gdynia"})
    assert answer["contact"] == world.contact(user_id="u-1")["contact"]


def test_where_everybody_changes_everything_the_caller_is_asked_to_repeat(world: World) -> None:
    submit(world, traits={"email": A})
    number = iter(range(100))

    def before(call: Call) -> None:
        if call.name == WRITE:
            world.recorder.before = None
            submit(world, traits={"email": A, "n": next(number)})
            world.recorder.before = before

    world.recorder.before = before
    status, answer = world.call("forms", "POST /v1/forms", {"traits": {"email": A, "x": 1}})
    world.recorder.before = None
    assert (status, answer["code"]) == (503, "contact_contended")


def test_an_id_that_somebody_else_has_by_now_is_not_used_again(world: World) -> None:
    first = submit(world, anonymousId="a-1", traits={"email": A}, messageId="f-1")["contact"]
    world.now += timedelta(seconds=1)
    submit(world, userId="u-1", traits={"name": "Una"})
    world.ingest("identify", {"userId": "u-1", "anonymousId": "a-1", "messageId": "m-1", "traits": {"email": "x@y.z"}})
    world.pump()
    world.accounts.configure("acme", {"identifiers": {"email": {"limit": 1}}})
    world.now += timedelta(minutes=2)
    world.identify("u-1", email="new@people.example")
    # Nobody has the address any more, and the contact that it first made is part of another.
    second = submit(world, traits={"email": A}, messageId="f-2")
    assert second["outcome"] == "created"
    assert second["contact"] not in (first, world.contact(user_id="u-1")["contact"])
    assert submit(world, traits={"email": A}, messageId="f-2")["outcome"] == "nothing"


def test_whoever_comes_again_after_being_erased_is_somebody_new_each_time(world: World) -> None:
    contacts = []
    for _ in range(4):
        answer = submit(world, traits={"email": A})
        assert answer["outcome"] == "created"
        contacts.append(answer["contact"])
        world.pump()
        world.now += timedelta(seconds=1)
        world.erase(answer["contact"])
    assert len(set(contacts)) == 4


def test_a_form_of_a_user_who_is_being_erased_is_to_be_repeated(world: World) -> None:
    world.identify("u-1", name="Una")
    contact = world.contact(user_id="u-1")["contact"]
    table = world.function("forms").contacts._contacts
    with world.recorder.unseen():  # the contact goes first, the identities that lead to it after
        table(f"acme#{contact}").update([table.erased_at.set("2026-11-21T09:00:00.000000Z")])
    status, answer = world.call("forms", "POST /v1/forms", {"userId": "u-1", "traits": {"email": A}})
    assert (status, answer["code"]) == (503, "contact_contended")


# --- faults -----------------------------------------------------------------------------------------------------------

SCENES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "somebody new": ([], {"traits": {"email": A, "phone": B}}),
    "somebody known": ([{"traits": {"email": A}}], {"traits": {"email": A, "phone": B, "city": "Gdynia"}}),
    "two people": ([{"traits": {"email": A}}, {"traits": {"phone": B}}], {"traits": {"email": A, "phone": B, "x": 1}}),
    "a new user": ([], {"userId": "u-1", "traits": {"email": A}}),
    "a visitor": ([], {"anonymousId": "a-1", "traits": {"email": A}}),
}


@dataclass
class Fault:
    """Strikes once, at the `number`th call."""

    number: int
    mode: str
    made: int = field(default=0)

    def strike(self, call: Call) -> None:
        self.made += 1
        if self.made == self.number + 1:
            raise ReadTimeoutError(endpoint_url=f"https://{call.service}") if self.mode == "lost" else Killed(call.name)


def prepared(world: World, workspace: str, before: list[dict[str, Any]]) -> str:
    """A workspace of its own in which some forms came already; its secret key."""
    world.accounts.create_workspace(workspace, workspace)
    key = world.accounts.create_key(workspace, KeyKind.SECRET, "secret")
    for said in before:
        submit(world, key, **said)
    return key


def ids_of(world: World, workspace: str) -> set[str]:
    """The contacts of a workspace."""
    return {item["id"]["S"] for item in world.items("TABLE_CONTACTS") if item["pk"]["S"].startswith(f"{workspace}#")}


def outcome(world: World, workspace: str, contacts: set[str]) -> list[Any]:
    """What forms have written, but for ids, which every workspace has of its own."""
    store, events = DynamoContactStore(world.database), DynamoEventStore(world.database)
    with world.recorder.unseen():
        told = [
            one
            for contact in contacts
            for one in events.named_since(workspace, Identity(IdentityKind.CONTACT, contact), None, FORM_SUBMITTED)
        ]
        conflicts = DynamoConflictStore(world.database).page(workspace, "", 100)
        return [contacts_of(world, workspace, contacts), len(told), len(conflicts), store.people(workspace)]


def contacts_of(world: World, workspace: str, contacts: set[str]) -> list[tuple[list[str], dict[str, Any]]]:
    """The identities and traits of contacts."""
    with world.recorder.unseen():
        found = [DynamoContactStore(world.database).get(workspace, contact) for contact in contacts]
    known = [(sorted(map(str, one.identities)), dict(sorted(one.values.items()))) for one in found if one]
    return sorted(known, key=str)


def faults(calls: int) -> Iterator[tuple[int, str]]:
    for number in range(calls):
        yield from ((number, mode) for mode in ("before", "after", "lost"))


@pytest.mark.parametrize(("before", "said"), SCENES.values(), ids=SCENES)
def test_a_form_that_died_on_the_way_and_came_again_did_it_once(
    world: World, before: list[dict[str, Any]], said: dict[str, Any]
) -> None:
    key = prepared(world, "whole", before)
    submit(world, key)  # what every call reads once a minute is read
    world.recorder.clear()
    submit(world, key, **said)
    calls, expected = len(world.recorder.calls), outcome(world, "whole", ids_of(world, "whole"))
    for number, mode in faults(calls):
        workspace = f"w{number}-{mode}"
        key = prepared(world, workspace, before)
        submit(world, key)
        fault = Fault(number, mode)
        hook = "before" if mode == "before" else "after"
        setattr(world.recorder, hook, fault.strike)
        with suppress(Killed):
            world.call("forms", "POST /v1/forms", said, key)
        setattr(world.recorder, hook, None)
        assert fault.made > number
        submit(world, key, **said)
        assert outcome(world, workspace, ids_of(world, workspace)) == expected, (number, mode)


# --- any sequence -----------------------------------------------------------------------------------------------------

addresses = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(["a@x.example", "b@x.example", "c@x.example"]),
        "phone": st.sampled_from(["+48600100201", "+48600100202", "+48600100203"]),
        "city": st.sampled_from(["Gdynia", "Sopot"]),
    },
)
strangers = st.fixed_dictionaries({"traits": addresses})
anybody = st.fixed_dictionaries(
    {"traits": addresses}, optional={"userId": st.sampled_from(["u-1", "u-2"]), "anonymousId": st.just("a-1")}
)
Forms = list[dict[str, Any]]


def told(world: World, forms: Forms) -> list[Any]:
    """What a workspace of its own has become that was told forms, a second apart."""
    workspace = f"s{world.fresh()}"
    key, contacts = prepared(world, workspace, []), set()
    for form in forms:
        contacts.add(submit(world, key, **form).get("contact", ""))
        world.now += timedelta(seconds=1)
    return outcome(world, workspace, contacts - {""})


@given(st.lists(anybody, max_size=6))
@few(15)
def test_every_form_twice_in_a_row_makes_the_same_contacts_as_once(world: World, forms: Forms) -> None:
    assert told(world, [form for form in forms for _ in range(2)]) == told(world, forms)


@given(st.lists(strangers, max_size=6))
@few(15)
def test_a_whole_sequence_told_again_changes_nothing(world: World, forms: Forms) -> None:
    assert told(world, forms * 2) == told(world, forms)


@given(st.lists(strangers, max_size=6))
@few(15)
def test_no_two_contacts_have_both_addresses_and_none_is_touched_without_one(world: World, forms: Forms) -> None:
    workspace = f"s{world.fresh()}"
    key, contacts = prepared(world, workspace, []), set()
    for form in forms:
        before = contacts_of(world, workspace, contacts)
        contacts |= {submit(world, key, **form).get("contact", "")} - {""}
        world.now += timedelta(seconds=1)
        after = contacts_of(world, workspace, contacts)
        said = {f"{kind}#{value}" for kind, value in form["traits"].items() if kind != "city"}
        assert [one for one in before if not said & set(one[0])] == [one for one in after if not said & set(one[0])]
        whole = [tuple(identities) for identities, _ in after if len(identities) == 2]
        assert len(whole) == len(set(whole))
