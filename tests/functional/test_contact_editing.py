"""Editing and deleting contacts: what changes, what tells of it, and what a repeat does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.support.recorder import Call
from tests.support.world import World

ADA = "ada@people.example"
TABLES = ("TABLE_CONTACTS", "TABLE_IDENTITIES", "TABLE_EVENTS", "TABLE_COUNTERS")


@pytest.fixture
def ada(world: World) -> str:
    """The id of a contact with an e-mail address."""
    world.identify("ada", email=ADA, firstName="Ada", plan="solo")
    return str(world.contact(user_id="ada")["contact"])


def patch(world: World, contact: str, body: Any, **more: Any) -> tuple[int, dict[str, Any]]:
    return world.call("change_contacts", "PATCH /v1/contacts/{contact}", body, path={"contact": contact}, **more)


def edit(world: World, contact: str, key: str = "", **traits: Any) -> dict[str, Any]:
    """Set traits; the contact as the answer shows it."""
    body = {"traits": traits, **({"idempotency_key": key} if key else {})}
    status, answer = patch(world, contact, body)
    assert status == 200, answer
    return answer


def delete(world: World, contact: str, **more: Any) -> tuple[int, dict[str, Any]]:
    return world.call("change_contacts", "DELETE /v1/contacts/{contact}", path={"contact": contact}, **more)


def updates(world: World, contact: str) -> list[dict[str, Any]]:
    """The edits on a contact's timeline, earliest first."""
    return [one for one in world.of_contact(contact, "events") if one["event"] == "Contact Updated"][::-1]


def stored(world: World) -> dict[str, list[str]]:
    return {table: sorted(map(str, world.items(table))) for table in TABLES}


# --- what an edit does -----------------------------------------------------------------------------------------------


def test_an_edit_sets_traits_and_null_takes_one_away(world: World, ada: str) -> None:
    answer = edit(world, ada, plan=None, seats=12, lastName="Lovelace", email="Ada@New.example")
    expected = {"email": "ada@new.example", "first_name": "Ada", "seats": 12, "last_name": "Lovelace"}
    assert answer["traits"] == expected
    world.pump()
    assert world.contact(user_id="ada") == world.contact(email="ada@new.example") == answer
    assert {"kind": "email", "value": ADA, "former": True} in answer["identities"]
    assert {"kind": "email", "value": "ada@new.example"} in answer["identities"]


def test_an_edit_is_an_event_of_what_was_set(world: World, ada: str) -> None:
    world.now += timedelta(minutes=1)
    edit(world, ada, key="crm-1", plan="team", firstName="Ada")
    (told,) = updates(world, ada)
    assert told["type"] == "system"
    assert told["identity"] == {"kind": "contact", "value": ada}
    assert told["traits"] == {"plan": "team", "first_name": "Ada"}
    assert told["received_at"] == told["timestamp"] == "2026-11-21T09:01:00.000000Z"
    assert (told["cause"], told["root"]) == ("call:crm-1", "call:crm-1")


def test_a_contact_and_its_event_are_one_write(world: World, ada: str) -> None:
    patch(world, ada, {"traits": {"warm": True}})
    world.recorder.clear()
    edit(world, ada, plan="team")
    assert world.recorder.names() == ["dynamodb:GetItem", "dynamodb:TransactWriteItems"]
    world.recorder.clear()
    edit(world, ada, key="crm-1", plan="solo")
    assert world.recorder.names() == ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:TransactWriteItems"]


def test_an_edit_that_changes_nothing_writes_nothing(world: World, ada: str) -> None:
    before = stored(world)
    world.recorder.clear()
    edit(world, ada, plan="solo", email=" ADA@people.example", unknown=None)
    assert world.recorder.names()[-1] == "dynamodb:GetItem"
    assert stored(world) == before


def test_true_is_another_value_than_1(world: World, ada: str) -> None:
    edit(world, ada, seats=1)
    assert edit(world, ada, seats=True)["traits"]["seats"] is True
    assert len(updates(world, ada)) == 2


def test_an_automation_starts_on_an_edit_and_sees_what_it_set(world: World, ada: str) -> None:
    world.template("upgraded")
    world.automation(
        {
            "automation": "upgraded",
            "trigger": {
                "event": "Contact Updated",
                "where": {"trait": "plan", "is": "team"},
            },
            "start": "mail",
            "components": {"mail": {"type": "send_email", "template": "upgraded"}},
        }
    )
    edit(world, ada, plan="solo", seats=3)
    world.pump()
    assert world.of_contact(ada, "enrolments") == []
    edit(world, ada, plan="team")
    world.pump()
    assert [one["automation"] for one in world.of_contact(ada, "enrolments")] == ["upgraded"]


def test_an_older_call_that_comes_later_does_not_undo_an_edit(world: World, ada: str) -> None:
    world.now += timedelta(hours=1)
    edit(world, ada, plan="team")
    said = {"userId": "ada", "messageId": "z-late", "traits": {"plan": "late"}}
    world.ingest("identify", {**said, "timestamp": "2026-11-21T09:30:00Z"})
    world.pump()
    assert world.contact(user_id="ada")["traits"]["plan"] == "team"
    world.now += timedelta(minutes=1)
    world.ingest("identify", {**said, "messageId": "a-new", "traits": {"plan": "new"}})
    world.pump()
    assert world.contact(user_id="ada")["traits"]["plan"] == "new"


def test_an_edit_counts_as_later_than_what_it_replaces_whatever_the_clocks_say(world: World, ada: str) -> None:
    world.ingest("identify", {"userId": "ada", "messageId": "~last", "traits": {"plan": "team"}})
    world.pump()
    world.now -= timedelta(seconds=5)  # another machine's clock
    assert edit(world, ada, plan="duo")["traits"]["plan"] == "duo"
    world.pump()
    assert world.contact(user_id="ada")["traits"]["plan"] == "duo"


def test_an_edit_declares_where_the_person_is_but_not_that_they_were_seen(world: World, ada: str) -> None:
    seen = world.contact(user_id="ada")["last_seen_at"]
    world.now += timedelta(hours=1)
    answer = edit(world, ada, country="PL")
    assert answer["context"]["country"] == {
        "value": "PL", "source": "declared", "at": "2026-11-21T10:00:00.000000Z"
    }  # fmt: skip
    world.pump()
    assert world.contact(user_id="ada")["context"] == answer["context"]
    assert answer["last_seen_at"] == seen


def test_the_id_of_an_absorbed_contact_edits_who_it_became(world: World, ada: str) -> None:
    world.ingest("track", {"anonymousId": "a-9", "event": "Viewed", "messageId": "m-view"})
    world.pump()
    stranger = world.contact(anonymous_id="a-9")["contact"]
    edit(world, stranger, key="k", seats=2)
    world.ingest("track", {"userId": "ada", "anonymousId": "a-9", "event": "Signed In", "messageId": "m-in"})
    world.pump()
    assert edit(world, stranger, key="k", seats=2)["contact"] == ada  # it came before, when they were two
    assert len(updates(world, ada)) == 1
    assert edit(world, stranger, seats=3)["traits"]["seats"] == 3


# --- user ids --------------------------------------------------------------------------------------------------------


def test_an_anonymous_contact_can_be_given_its_user_id(world: World) -> None:
    world.ingest("track", {"anonymousId": "a-9", "event": "Viewed", "messageId": "m-view"})
    world.pump()
    contact = world.contact(anonymous_id="a-9")["contact"]
    status, answer = patch(world, contact, {"user_id": " bob "})
    assert (status, answer["known"]) == (200, True)
    assert world.contact(user_id="bob") == answer
    world.track("bob", "Paid")
    assert world.contact(user_id="bob")["contact"] == contact
    (told,) = updates(world, contact)
    assert told["properties"] == {"user_id": "bob"}
    world.ingest("track", {"userId": "eve", "anonymousId": "a-9", "event": "Signed In", "messageId": "m-in"})
    world.pump()
    assert world.contact(anonymous_id="a-9")["contact"] == contact


def test_a_user_id_is_nobody_else_s_and_never_changes(world: World, ada: str) -> None:
    world.identify("bob")
    world.ingest("track", {"anonymousId": "a-9", "event": "Viewed", "messageId": "m-view"})
    world.pump()
    stranger = world.contact(anonymous_id="a-9")["contact"]
    before = stored(world)
    for contact, body, expected in (
        (ada, {"user_id": "bob"}, (409, "user_id_fixed")),
        (ada, {"user_id": "carol"}, (409, "user_id_fixed")),
        (stranger, {"user_id": "bob"}, (409, "user_id_taken")),
        (stranger, {"user_id": "null"}, (400, "blocked_user_id")),
        (stranger, {"user_id": ""}, (400, "blocked_user_id")),
        (stranger, {"user_id": "u" * 1025}, (400, "id_too_long")),
        (stranger, {"user_id": 7}, (400, "invalid_type")),
        (ada, {"user_id": "ada"}, (200, None)),
    ):
        status, answer = patch(world, contact, body)
        assert (status, answer.get("code")) == expected, body
    assert stored(world) == before


# --- repeats and faults ----------------------------------------------------------------------------------------------


def test_a_repeat_under_the_same_key_changes_nothing_also_if_the_contact_was_changed_since(
    world: World, ada: str
) -> None:
    edit(world, ada, key="k", plan="team")
    world.now += timedelta(minutes=1)
    world.identify("ada", plan="enterprise")
    before = stored(world)
    assert edit(world, ada, key="k", plan="team")["traits"]["plan"] == "enterprise"
    assert stored(world) == before
    status, answer = patch(world, ada, {"traits": {"plan": "other"}, "idempotency_key": "k"})
    assert (status, answer["code"], answer["field"]) == (409, "idempotency_conflict", "idempotency_key")
    assert stored(world) == before


def test_a_keyed_edit_that_changed_nothing_is_a_repeat_later_too(world: World, ada: str) -> None:
    edit(world, ada, key="k", plan="solo")
    world.now += timedelta(minutes=1)
    world.identify("ada", plan="team")
    assert edit(world, ada, key="k", plan="solo")["traits"]["plan"] == "team"


@pytest.mark.parametrize("key", ["", "k"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_edit_whose_write_fails_can_be_repeated(world: World, ada: str, key: str, moment: str) -> None:
    def fail(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            world.recorder.before = world.recorder.after = None
            raise ConnectionError

    setattr(world.recorder, moment, fail)
    body = {"traits": {"plan": "team"}, **({"idempotency_key": key} if key else {})}
    with pytest.raises(ConnectionError):
        patch(world, ada, body)
    assert edit(world, ada, key=key, plan="team")["traits"]["plan"] == "team"
    assert len(updates(world, ada)) == 1
    world.pump()
    assert world.contact(user_id="ada")["traits"]["plan"] == "team"


def test_two_edits_at_once_are_both_kept(world: World, ada: str) -> None:
    done: list[str] = []

    def meanwhile(call: Call) -> None:
        if call.operation == "TransactWriteItems" and not done:
            done.append("other")
            edit(world, ada, plan="team")

    world.recorder.before = meanwhile
    edit(world, ada, seats=3)
    traits = world.contact(user_id="ada")["traits"]
    assert (traits["plan"], traits["seats"]) == ("team", 3)
    assert len(updates(world, ada)) == 2


# --- what is refused -------------------------------------------------------------------------------------------------


def test_what_cannot_be_an_edit_is_refused_and_nothing_is_stored(world: World, ada: str) -> None:
    before = stored(world)
    for body, code, field in (
        ({"traits": {"email": "ada at people", "plan": "x"}}, "invalid_email", "traits.email"),
        ({"traits": {"email": ""}}, "invalid_email", "traits.email"),
        ({"traits": {"phone": "12"}}, "invalid_phone", "traits.phone"),
        ({"traits": {"phone": "600100200"}}, "invalid_phone", "traits.phone"),  # without a default country
        ({"traits": ["plan"]}, "invalid_type", "traits"),
        ({"traits": None}, "invalid_type", "traits"),
        ({"traits": {"long": "x" * 33_000}}, "traits_too_large", "traits"),
        ({"traits": {f"t{number}": 1 for number in range(1000)}}, "too_many_traits", "traits.t997"),
        ({}, "missing_field", "traits"),
        ({"traits": {}, "trait": {}}, "invalid_request", "trait"),
        ({"traits": {}, "idempotency_key": ""}, "invalid_idempotency_key", "idempotency_key"),
        ({"traits": {}, "idempotency_key": "k" * 257}, "invalid_idempotency_key", "idempotency_key"),
        ({"traits": {}, "idempotency_key": 7}, "invalid_idempotency_key", "idempotency_key"),
    ):
        status, answer = patch(world, ada, body)
        assert (status, answer["code"], answer.get("field")) == (400, code, field), body
    assert stored(world) == before


def test_a_contact_that_is_full_takes_no_more(world: World, ada: str) -> None:
    for number in range(4):
        edit(world, ada, **{f"large-{number}": "x" * 32_000})
    before = stored(world)
    status, answer = patch(world, ada, {"traits": {"small": 1, "large": "x" * 32_000}})
    assert (status, answer["code"], answer["field"]) == (400, "traits_too_large", "traits.large")
    assert stored(world) == before


def test_who_is_not_there_cannot_be_edited_or_deleted(world: World) -> None:
    for status, answer in (patch(world, "cnobody", {"traits": {"plan": "x"}}), delete(world, "cnobody")):
        assert (status, answer["code"]) == (404, "unknown_contact")


def test_only_the_workspace_s_own_secret_key_edits_and_deletes(world: World, ada: str) -> None:
    before = stored(world)
    for key, expected in (("write", 403), ("publishable", 403), (world.other_secret, 404)):
        assert patch(world, ada, {"traits": {"plan": "x"}}, key=key)[0] == expected
        assert delete(world, ada, key=key)[0] == expected
    status, answer = world.call(
        "change_contacts", "POST /v1/contacts/delete", {"contacts": [ada]}, key=world.other_secret
    )
    assert (status, answer["contacts"][0]["code"]) == (202, "unknown_contact")
    assert stored(world) == before


# --- deleting --------------------------------------------------------------------------------------------------------


def test_a_deleted_contact_is_found_nowhere_and_a_repeat_changes_nothing(world: World, ada: str) -> None:
    for _ in range(2):
        assert delete(world, ada) == (202, {"contact": ada, "deleted": True})
    for query in ({"user_id": "ada"}, {"email": ADA}, {"name": "ada"}, {}):
        _, answer = world.call("contacts", "GET /v1/contacts", query=query)
        assert answer == {"contacts": [], "cursor": ""}, query
    status, answer = world.call("contacts", "GET /v1/contacts/{contact}", path={"contact": ada})
    assert (status, answer["code"]) == (404, "unknown_contact")
    assert patch(world, ada, {"traits": {"plan": "x"}})[0] == 404
    _, counts = world.call("contacts", "GET /v1/contacts/counts")
    assert counts == {"people": 0, "identified": 0, "anonymous": 0}


def test_whoever_comes_back_after_being_deleted_is_somebody_new_and_can_be_written_to(world: World, ada: str) -> None:
    delete(world, ada)
    world.now += timedelta(hours=1)
    world.identify("ada", email=ADA)
    again = world.contact(user_id="ada")
    assert again["contact"] != ada
    assert again["traits"] == {"email": ADA}
    _, check = world.call("check_suppression", "POST /v1/suppressions/check", {"address": ADA})
    assert check["suppressed"] is False


def test_those_that_are_selected_are_deleted_and_each_is_answered_for(world: World, ada: str) -> None:
    world.identify("bob")
    bob = world.contact(user_id="bob")["contact"]
    body = {"contacts": [ada, "cnobody", bob, ada, "c" * 3000]}
    status, answer = world.call("change_contacts", "POST /v1/contacts/delete", body)
    assert status == 202
    assert [(one["contact"], one["deleted"], one.get("code")) for one in answer["contacts"]] == [
        (ada, True, None),
        ("cnobody", False, "unknown_contact"),
        (bob, True, None),
        ("c" * 3000, False, "unknown_contact"),
    ]
    _, counts = world.call("contacts", "GET /v1/contacts/counts")
    assert counts["people"] == 0


@pytest.mark.parametrize(
    ("contacts", "code"),
    [
        ([], "invalid_selection"),
        ([f"c{number}" for number in range(101)], "invalid_selection"),
        ("c1", "invalid_type"),
        ([7], "invalid_type"),
        (None, "invalid_type"),
    ],
)
def test_a_selection_that_is_none_or_too_large_is_refused(world: World, contacts: Any, code: str) -> None:
    status, answer = world.call("change_contacts", "POST /v1/contacts/delete", {"contacts": contacts})
    assert (status, answer["code"], answer["field"]) == (400, code, "contacts")
