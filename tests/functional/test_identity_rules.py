"""Who a person is, where it is not only a matter of order: keys, aliases, doubled messages, what is kept at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.examples import few
from tests.support.world import World

ADA, EVE = "ada@people.example", "eve@people.example"


def say(world: World, kind: str, key: str = "write", pump: bool = True, **fields: Any) -> None:
    """A second later somebody makes a call."""
    world.now += timedelta(seconds=1)
    message = {"messageId": world.fresh(), **({"event": "Done"} if kind == "track" else {}), **fields}
    status, answer = world.ingest(kind, message, key)
    assert status == 200, answer
    if pump:
        world.pump()


def refused(world: World, **who: str) -> list[tuple[str, str]]:
    """What was refused of somebody, in order: each code with its field."""
    events = world.of_contact(world.contact(**who)["contact"], "events")[::-1]
    return [(e["properties"]["code"], e["properties"]["field"]) for e in events if e["event"] == "Change Refused"]


def identities(world: World, **who: str) -> set[tuple[str, str]]:
    """The user and anonymous ids of somebody."""
    found = world.contact(**who)["identities"]
    return {(one["kind"], one["value"]) for one in found if one["kind"] in ("user", "anon")}


# --- publishable keys -------------------------------------------------------------------------------------------------


def test_a_browsers_key_does_not_change_a_known_contacts_address_and_the_timeline_says_so(world: World) -> None:
    say(world, "identify", userId="ada", traits={"email": ADA, "phone": "+48600100200"})
    traits = {"email": EVE, "phone": "+48600100201", "plan": "team"}
    say(world, "identify", "publishable", userId="ada", traits=traits)
    kept = world.contact(user_id="ada")["traits"]
    assert kept == {"email": ADA, "phone": "+48600100200", "plan": "team"}
    assert sorted(refused(world, user_id="ada")) == [
        ("publishable_key_may_not_change_email", "traits.email"),
        ("publishable_key_may_not_change_phone", "traits.phone"),
    ]
    say(world, "identify", userId="ada", traits={"email": EVE})
    assert world.contact(user_id="ada")["traits"]["email"] == EVE


def test_a_refusal_names_the_call_that_was_refused(world: World) -> None:
    say(world, "identify", userId="ada", traits={"email": ADA})
    say(world, "identify", "publishable", userId="ada", traits={"email": EVE}, messageId="m-evil")
    events = world.of_contact(world.contact(user_id="ada")["contact"], "events")
    (told,) = [event for event in events if event["event"] == "Change Refused"]
    assert told["cause"] == told["root"] == "event:user/ada/m-evil"


def test_a_browsers_key_does_not_change_it_by_way_of_a_strangers_device_either(world: World) -> None:
    say(world, "identify", userId="ada", traits={"email": ADA})
    say(world, "identify", "publishable", anonymousId="evil", traits={"email": EVE})
    say(world, "identify", "publishable", anonymousId="evil", userId="ada")
    ada = world.contact(user_id="ada")
    assert ada["traits"]["email"] == ADA
    assert [one["value"] for one in ada["identities"] if one["kind"] == "email"] == [ADA]
    say(world, "identify", "publishable", anonymousId="evil", traits={"email": EVE})
    assert world.contact(user_id="ada")["traits"]["email"] == ADA


def test_who_becomes_known_by_a_call_may_correct_the_address_with_it(world: World) -> None:
    say(world, "identify", "publishable", anonymousId="a-1", traits={"email": "typo@people.example"})
    records = len(world.items("TABLE_EVENTS"))
    say(world, "identify", "publishable", anonymousId="a-1", userId="ada", traits={"email": ADA})
    assert world.contact(user_id="ada")["traits"]["email"] == ADA
    assert len(world.items("TABLE_EVENTS")) == records + 1  # nothing was refused


def test_that_holds_also_when_the_call_is_taken_in_twice(world: World) -> None:
    say(world, "identify", "publishable", anonymousId="a-1", traits={"email": "typo@people.example"})
    say(world, "identify", "publishable", False, anonymousId="a-1", userId="ada", traits={"email": ADA})
    records = world.new_records()
    world.recorder.before = _fail_after_linking(world)
    world.invoke("react", {"Records": records})
    world.recorder.before = None
    assert world.invoke("react", {"Records": records}) == {"batchItemFailures": []}
    world.pump()
    assert world.contact(user_id="ada")["traits"]["email"] == ADA
    assert refused(world, user_id="ada") == []


def _fail_after_linking(world: World) -> Any:
    from botocore.exceptions import ClientError

    done: list[str] = []

    def before(call: Any) -> None:
        done.append(call.operation)
        if call.operation == "UpdateItem" and "TransactWriteItems" in done:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, call.operation)

    return before


def test_a_workspace_may_let_browsers_change_addresses(world: World) -> None:
    with world.recorder.unseen():
        world.accounts.configure("acme", {"publishable_keys_may_change_addresses": True})
    say(world, "identify", userId="ada", traits={"email": ADA})
    say(world, "identify", "publishable", userId="ada", traits={"email": EVE})
    assert world.contact(user_id="ada")["traits"]["email"] == EVE
    assert refused(world, user_id="ada") == []


# --- aliases ----------------------------------------------------------------------------------------------------------


def test_an_alias_brings_a_device_to_its_user_with_all_it_did(world: World) -> None:
    say(world, "track", anonymousId="a-1")
    say(world, "alias", previousId="a-1", userId="ada")
    assert identities(world, user_id="ada") == {("user", "ada"), ("anon", "a-1")}
    say(world, "identify", userId="bob")
    say(world, "track", anonymousId="a-2")
    say(world, "alias", previousId="a-2", userId="bob")
    bob = world.contact(user_id="bob")
    assert identities(world, anonymous_id="a-2") == {("user", "bob"), ("anon", "a-2")}
    names = sorted(event["event"] or event["type"] for event in world.of_contact(bob["contact"], "events"))
    assert names == ["Contacts Merged", "Done", "alias", "identify"]


def test_an_alias_to_oneself_does_nothing(world: World) -> None:
    say(world, "identify", userId="ada", anonymousId="a-1")
    before = world.contact(user_id="ada")
    say(world, "alias", "publishable", previousId="ada", userId="ada", anonymousId="a-1")
    after = world.contact(user_id="ada")
    assert (before["identities"], before["traits"]) == (after["identities"], after["traits"])
    assert refused(world, user_id="ada") == []


def test_an_alias_of_one_known_user_to_another_is_refused(world: World) -> None:
    for user in ("ada", "bob"):
        say(world, "identify", userId=user)
    say(world, "alias", previousId="ada", userId="bob")
    assert world.contact(user_id="ada")["contact"] != world.contact(user_id="bob")["contact"]
    assert identities(world, user_id="bob") == {("user", "bob")}
    assert refused(world, user_id="bob") == [("alias_of_known_user", "previousId")]


def test_a_browsers_key_aliases_no_known_user(world: World) -> None:
    say(world, "identify", userId="ada")
    say(world, "track", "publishable", anonymousId="evil")
    say(world, "alias", "publishable", previousId="evil", userId="ada")
    assert identities(world, user_id="ada") == {("user", "ada")}
    assert refused(world, user_id="ada") == [("publishable_key_may_not_alias", "userId")]


def test_a_browsers_key_may_alias_whom_it_makes_known(world: World) -> None:
    say(world, "track", "publishable", anonymousId="a-1")
    say(world, "alias", "publishable", previousId="a-1", userId="new")
    assert identities(world, user_id="new") == {("user", "new"), ("anon", "a-1")}
    assert refused(world, user_id="new") == []


# --- whose a device was, said later in the same batch -----------------------------------------------------------------


def test_what_a_device_did_goes_to_whom_a_later_call_of_the_batch_names(world: World) -> None:
    say(world, "identify", userId="bob", anonymousId="a-1", timestamp="2026-11-21T08:05:00Z")
    say(world, "identify", pump=False, anonymousId="a-1", traits={"colour": "red"})
    say(world, "track", pump=False, userId="ada", anonymousId="a-1", timestamp="2026-11-21T08:01:00Z")
    assert world.invoke("react", {"Records": world.new_records()}) == {"batchItemFailures": []}
    world.pump()
    assert world.contact(anonymous_id="a-1") == world.contact(user_id="ada")
    assert world.contact(user_id="ada")["traits"] == {"colour": "red"}
    assert world.contact(user_id="bob")["traits"] == {}


# --- one message under two identities ---------------------------------------------------------------------------------


@pytest.fixture
def counting(world: World) -> World:
    """A workspace that enrols whoever has done it."""
    world.template("tips")
    world.automation(
        {
            "automation": "tips",
            "trigger": {"event": "Done"},
            "reentry": "every_time",
            "start": "pause",
            "components": {"pause": {"type": "wait", "for": "1 day", "next": "mail"},
                           "mail": {"type": "send_email", "template": "tips"}},
        }
    )  # fmt: skip
    return world


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("without_first", [True, False])
def test_a_message_that_comes_with_and_without_its_user_id_happens_once(
    counting: World, order: tuple[int, int], together: bool, without_first: bool
) -> None:
    say(counting, "identify", userId="ada", anonymousId="a-1")
    with_user: dict[str, Any] = {"messageId": "m-same", "anonymousId": "a-1", "userId": "ada"}
    without = {"messageId": "m-same", "anonymousId": "a-1"}
    for fields in (without, with_user) if without_first else (with_user, without):
        say(counting, "track", pump=False, **fields)
    records = counting.new_records()
    told = [records[number] for number in order]
    for batch in [told] if together else [[record] for record in told]:
        assert counting.invoke("react", {"Records": batch}) == {"batchItemFailures": []}
    contact = counting.contact(user_id="ada")["contact"]
    assert len(counting.of_contact(contact, "enrolments")) == 1
    assert [one["event"] for one in counting.of_contact(contact, "events")].count("Done") == 1


# --- counting people --------------------------------------------------------------------------------------------------


def test_people_are_counted_apart_and_together(world: World) -> None:
    for step, counts in (
        ({"anonymousId": "a-1"}, (0, 1)),
        ({"anonymousId": "a-2"}, (0, 2)),
        ({"anonymousId": "a-1"}, (0, 2)),
        ({"anonymousId": "a-1", "userId": "ada"}, (1, 1)),
        ({"userId": "bob"}, (2, 1)),
        ({"anonymousId": "a-2", "userId": "bob"}, (2, 0)),
    ):
        say(world, "track", **step)
        status, answer = world.call("contacts", "GET /v1/contacts/counts")
        assert (status, answer) == (
            200, {"people": sum(counts), "identified": counts[0], "anonymous": counts[1]}
        )  # fmt: skip


@few(15)
@given(
    said=st.lists(
        st.tuples(st.sampled_from(["u1", "u2", ""]), st.sampled_from(["a1", "a2", ""]), st.sampled_from(["", ADA])),
        min_size=1,
        max_size=6,
    ),
    again=st.integers(1, 2),
)
def test_the_counts_are_what_there_is_however_often_it_is_said(world: World, said: Any, again: int) -> None:
    name = world.fresh()
    for number, (user, device, email) in enumerate(said):
        ids = {field: f"{name}.{value}" for field, value in (("userId", user), ("anonymousId", device)) if value}
        if not ids:
            continue
        traits = {"email": email} if email else {}
        for _ in range(again):
            assert world.ingest("identify", {"messageId": f"{name}-{number}", "traits": traits, **ids})[0] == 200
        records = world.new_records()
        for _ in range(again):
            assert world.invoke("react", {"Records": records}) == {"batchItemFailures": []}
    world.pump()
    live = [item for item in world.items("TABLE_CONTACTS") if "merged_into" not in item]
    identified = [item for item in live if any(not t.startswith("anon#") for t in _texts(item))]
    assert world.call("contacts", "GET /v1/contacts/counts")[1] == {
        "people": len(live), "identified": len(identified), "anonymous": len(live) - len(identified)
    }  # fmt: skip


def _texts(item: dict[str, Any]) -> list[str]:
    import json

    found: list[str] = json.loads(item["identities"]["S"])
    return found
