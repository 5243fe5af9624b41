"""Merges by API: listed, previewed, made and taken back, in any order, with everything as it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.examples import few
from tests.support.world import World

from tidings.core.clock import to_text

ADA, OLD = "ada@people.example", "old@people.example"


def say(world: World, event: str = "", **fields: Any) -> str:
    """A second later somebody makes a call: a track call if it names an event; the node of what was said."""
    world.now += timedelta(seconds=1)
    kind = fields.pop("kind", "track" if event else "identify")
    message = {"messageId": world.fresh(), **({"event": event} if event else {}), **fields}
    status, answer = world.ingest(kind, message)
    assert status == 200, answer
    world.pump()
    identity = f"user/{fields['userId']}" if fields.get("userId") else f"anon/{fields['anonymousId']}"
    return f"event:{identity}/{message['messageId']}"


def who(world: World, **query: str) -> str:
    return str(world.contact(**query)["contact"])


def shown(world: World, contact: str) -> dict[str, Any]:
    status, answer = world.call("contacts", "GET /v1/contacts/{contact}", path={"contact": contact})
    assert status == 200, answer
    return answer


def ask(world: World, what: str, body: Any = None, **path: str) -> tuple[int, dict[str, Any]]:
    return world.call("merges", f"POST /v1/merges{what}", body, path=path)


def merge(world: World, contact: str, into: str, key: str = "k-1") -> dict[str, Any]:
    world.now += timedelta(seconds=1)
    status, answer = ask(world, "", {"contact": contact, "into": into, "idempotency_key": key})
    assert status == 200, answer
    world.pump()
    return answer


def undo(world: World, record: dict[str, Any] | str) -> dict[str, Any]:
    world.now += timedelta(seconds=1)
    name = record if isinstance(record, str) else record["merge"]
    status, answer = ask(world, "/{merge}/undo", {}, merge=name)
    assert status == 200, answer
    world.pump()
    return answer


def preview(world: World, **body: str) -> dict[str, Any]:
    status, answer = ask(world, "/preview", body)
    assert status == 200, answer
    return answer


def merges(world: World, contact: str) -> list[dict[str, Any]]:
    route = "GET /v1/contacts/{contact}/merges"
    status, answer = world.call("merges", route, path={"contact": contact})
    assert status == 200, answer
    found: list[dict[str, Any]] = answer["merges"]
    return found


def names(world: World, contact: str) -> list[str]:
    """What a contact did, by name."""
    return sorted(one["event"] for one in world.of_contact(contact, "events") if one["type"] != "system")


def counts(world: World) -> tuple[int, int]:
    items = world.items("TABLE_COUNTERS")
    people = [item for item in items if "#people#" in item["pk"]["S"]]
    identified, anonymous = (
        sum(int(item.get(name, {"N": "0"})["N"]) for item in people) for name in ("identified", "anonymous")
    )
    return identified, anonymous


def apart(contact: dict[str, Any]) -> dict[str, Any]:
    """A contact without what says when something was last done, and without its rating, which is counted afterwards."""
    return {name: value for name, value in contact.items() if name not in ("last_seen_at", "rating")}


def suppress(world: World, address: str, method: str = "PUT") -> int:
    path = {"channel": "email", "address": address}
    return world.call("suppressions", f"{method} /v1/suppressions/{{channel}}/{{address}}", path=path)[0]


def person_and_device(world: World) -> tuple[str, str]:
    """Ada, known by her user id, and what she did on a device before: both with a company and an address."""
    say(world, userId="ada", traits={"email": ADA, "plan": "team"})
    say(world, kind="group", userId="ada", groupId="acme", traits={})
    say(world, "Viewed", anonymousId="a-1")
    say(world, anonymousId="a-1", traits={"email": OLD, "colour": "red"})
    say(world, kind="group", anonymousId="a-1", groupId="globex", traits={})
    return who(world, user_id="ada"), who(world, anonymous_id="a-1")


# --- what made a contact ---------------------------------------------------------------------------------------------


def test_every_merge_of_a_contact_is_listed_with_why_and_by_which_call(world: World) -> None:
    ada, device = person_and_device(world)
    node = say(world, userId="ada", anonymousId="a-1")
    (record,) = merges(world, ada)
    assert record == {
        "merge": record["merge"],
        "survivor": ada,
        "absorbed": device,
        "rule": "identified",
        "call": node,
        "at": to_text(world.now),
        "identities": [{"kind": "anon", "value": "a-1"}],
        "undone_at": None,
        "undone_by": "",
        "stayed": None,
    }
    assert merges(world, device) == [record], "an absorbed contact leads to who it became"
    say(world, "Viewed", anonymousId="a-2")
    other = who(world, anonymous_id="a-2")
    alias = say(world, kind="alias", userId="ada", previousId="a-2")
    say(world, "Viewed", anonymousId="a-3")
    third = who(world, anonymous_id="a-3")
    by_hand = merge(world, third, ada, "by hand")
    assert [(one["absorbed"], one["rule"], one["call"]) for one in merges(world, ada)] == [
        (device, "identified", node), (other, "aliased", alias), (third, "requested", "call:by%20hand"),
    ]  # fmt: skip
    undone = undo(world, by_hand)
    assert merges(world, ada)[-1] == undone
    assert undone["undone_at"] == to_text(world.now)
    assert undone["undone_by"].startswith("call:")
    assert undone["stayed"] == {"contact": ada, "since": by_hand["at"], "until": undone["undone_at"]}


def test_what_may_not_be_merged_is_refused_and_previewed_as_refused(world: World) -> None:
    ada, device = person_and_device(world)
    say(world, userId="bob")
    bob = who(world, user_id="bob")
    for contact, into, status, code in (
        (ada, ada, 400, "same_contact"),
        (bob, ada, 409, "two_known_contacts"),
        (ada, device, 409, "known_contact_absorbed"),
        ("nobody", ada, 404, "unknown_contact"),
        (device, "x" * 3000, 404, "unknown_contact"),
        (device, "", 404, "unknown_contact"),
    ):
        body = {"contact": contact, "into": into}
        answered, answer = ask(world, "", {**body, "idempotency_key": "k"})
        assert (answered, answer["code"]) == (status, code), code
        answered, answer = ask(world, "/preview", body)
        if status == 404:
            assert (answered, answer["code"]) == (404, code)
        else:
            assert (answer["act"], answer["allowed"], answer["refused"]["code"]) == ("nothing", False, code)
    for body, code in (
        ({"contact": device, "into": ada}, "missing_field"),
        ({"contact": device, "idempotency_key": "k"}, "missing_field"),
        ({"contact": 1, "into": ada, "idempotency_key": "k"}, "invalid_type"),
        ({"contact": device, "into": ada, "idempotency_key": ""}, "invalid_idempotency_key"),
        ({"contact": device, "into": ada, "idempotency_key": "k" * 257}, "invalid_idempotency_key"),
    ):
        status, answer = ask(world, "", body)
        assert (status, answer["code"]) == (400, code), body
    for asked, code in (
        ({"user_id": "ada"}, "missing_field"),
        ({"user_id": "ada", "anonymous_id": "null"}, "invalid_identity"),
        ({"user_id": "u" * 1025, "anonymous_id": "a"}, "id_too_long"),
    ):
        status, answer = ask(world, "/preview", asked)
        assert (status, answer["code"]) == (400, code), asked
    assert ask(world, "/{merge}/undo", {}, merge="nothing")[1]["code"] == "unknown_merge"
    assert merges(world, ada) == []


def test_more_than_is_written_at_once_is_refused_before(world: World) -> None:
    say(world, userId="ada")
    for number in range(50):
        say(world, kind="group", anonymousId="a-1", groupId=f"g-{number}", traits={})
    ada, device = who(world, user_id="ada"), who(world, anonymous_id="a-1")
    assert preview(world, contact=device, into=ada)["refused"]["code"] == "too_many_identities"
    status, answer = ask(world, "", {"contact": device, "into": ada, "idempotency_key": "k"})
    assert (status, answer["code"]) == (409, "too_many_identities")
    say(world, userId="ada", anonymousId="a-1")
    assert who(world, anonymous_id="a-1") == device, "and whoever identifies stays beside it"


def test_the_same_key_is_the_same_merge_and_no_other(world: World) -> None:
    ada, device = person_and_device(world)
    say(world, "Viewed", anonymousId="a-2")
    other = who(world, anonymous_id="a-2")
    record = merge(world, device, ada)
    assert merge(world, device, ada) == record
    for contact, into in ((other, ada), (device, other)):
        status, answer = ask(world, "", {"contact": contact, "into": into, "idempotency_key": "k-1"})
        assert (status, answer["code"]) == (409, "idempotency_conflict")
    undone = undo(world, record)
    assert merge(world, device, ada) == undone, "a late repeat does not merge again"
    assert who(world, anonymous_id="a-1") == device


# --- previews --------------------------------------------------------------------------------------------------------


def test_a_preview_of_identifying_tells_which_of_the_four_it_would_be(world: World) -> None:
    ada, device = person_and_device(world)
    say(world, "Viewed", anonymousId="a-2")
    for anonymous_id, user_id, act, survivor, identities in (
        ("a-9", "new", "new", "", ["anon a-9", "user new"]),
        ("a-9", "ada", "link", ada, ["anon a-9"]),
        ("a-2", "new", "promote", who(world, anonymous_id="a-2"), ["user new"]),
        ("a-1", "ada", "merge", ada, ["anon a-1"]),
    ):
        before = {table: world.items(table) for table in ("TABLE_CONTACTS", "TABLE_IDENTITIES", "TABLE_EVENTS")}
        told = preview(world, anonymous_id=anonymous_id, user_id=user_id)
        assert {table: world.items(table) for table in before} == before, "nothing is written"
        assert (told["act"], told["allowed"], told["survivor"]) == (act, True, survivor)
        assert [f"{one['kind']} {one['value']}" for one in told["identities"]] == identities
        assert told["absorbed"] == (device if act == "merge" else "")
    say(world, userId="ada", anonymousId="a-1")
    assert preview(world, anonymous_id="a-1", user_id="ada")["act"] == "nothing"
    assert preview(world, anonymous_id="a-1", user_id="another")["identities"] == [{"kind": "user", "value": "another"}]


def test_a_preview_tells_which_suppressions_come_along(world: World) -> None:
    ada, device = person_and_device(world)
    suppress(world, OLD)
    told = preview(world, contact=device, into=ada)
    assert told["suppressions"] == [{"channel": "email", "address": ADA, "reason": "manual"}]


histories = st.lists(
    st.fixed_dictionaries(
        {
            "ids": st.sampled_from([("u", ""), ("u", "a"), ("u", "b"), ("", "a"), ("", "b"), ("v", "b"), ("v", "")]),
            "traits": st.dictionaries(
                st.sampled_from(["email", "phone", "plan"]),
                st.sampled_from([None, "x@y.z", "+48600100200", 1]),
                max_size=2,
            ),
            "company": st.sampled_from(["", "g", "h"]),
            "suppressed": st.booleans(),
        }
    ),
    min_size=2,
    max_size=6,
)


@few(30)
@given(data=st.data(), history=histories)
def test_what_a_preview_tells_is_what_then_is_field_by_field(world: World, data: st.DataObject, history: Any) -> None:
    mark = world.fresh()
    for one in history:
        user, device = (f"{mark}{part}" if part else "" for part in one["ids"])
        ids = {name: value for name, value in (("userId", user), ("anonymousId", device)) if value}
        say(world, **ids, traits=one["traits"])
        if one["company"]:
            say(world, kind="group", **ids, groupId=one["company"], traits={})
    if any(one["suppressed"] for one in history):
        suppress(world, "x@y.z")
    user, device = data.draw(st.sampled_from("uv")), data.draw(st.sampled_from("ab"))
    told = preview(world, anonymous_id=f"{mark}{device}", user_id=f"{mark}{user}")
    before = counts(world)
    say(world, userId=f"{mark}{user}", anonymousId=f"{mark}{device}")
    real = world.contact(user_id=f"{mark}{user}")
    if told["act"] == "new":
        assert {**apart(told["contact"]), "contact": "", "created_at": ""} == {
            **apart(real), "contact": "", "created_at": "",
        }  # fmt: skip
        assert sum(counts(world)) == sum(before) + 1
    else:
        assert apart(told["contact"]) == apart(real)
        assert sum(counts(world)) == sum(before) - (told["act"] == "merge")
    for one in told["suppressions"]:
        assert suppress(world, one["address"], "GET") == 200
    world.items("TABLE_CONSENTS")
    suppress(world, "x@y.z", "DELETE")


# --- taken back ------------------------------------------------------------------------------------------------------


def test_an_undone_merge_leaves_everything_as_before(world: World) -> None:
    ada, device = person_and_device(world)
    before = {one: (apart(shown(world, one)), names(world, one)) for one in (ada, device)}
    people = counts(world)
    told = preview(world, contact=device, into=ada)
    record = merge(world, device, ada)
    assert apart(shown(world, ada)) == apart(told["contact"])
    assert names(world, ada) == sorted(before[ada][1] + before[device][1])
    assert counts(world) == (people[0] - 1, people[1])
    undo(world, record)
    assert {one: (apart(shown(world, one)), names(world, one)) for one in (ada, device)} == before
    assert (who(world, anonymous_id="a-1"), who(world, email=OLD)) == (device, device)
    assert counts(world) == people
    for company, member in (("acme", ada), ("globex", device)):
        route = "GET /v1/companies/{company}/contacts"
        _, page = world.call("companies", route, path={"company": company})
        assert [one["contact"] for one in page["contacts"]] == [member]


@few(12)
@given(data=st.data(), history=histories, later=histories)
def test_whatever_was_told_before_and_between_an_undo_leaves_each_what_it_would_be_without_the_merge(
    world: World, data: st.DataObject, history: Any, later: Any
) -> None:
    """Both as before; and what is told in between comes to whose it is, as if they had never been one."""
    mark = world.fresh()
    known, device = f"{mark}u", f"{mark}d"
    say(world, userId=known, traits={})
    say(world, anonymousId=device, traits={})
    told = [*history, *later]
    between = data.draw(st.integers(0, len(told)))
    ada, alone = who(world, user_id=known), who(world, anonymous_id=device)
    expected: dict[str, dict[str, Any]] = {ada: {}, alone: {}}
    record: dict[str, Any] = {}
    for number, one in enumerate(told):
        if number == between:
            record = merge(world, alone, ada, mark)
        whose, ids = (ada, {"userId": known}) if one["ids"][0] else (alone, {"anonymousId": device})
        traits = {name: value for name, value in one["traits"].items() if name != "phone"}
        expected[whose] |= traits
        say(world, **ids, traits=traits)
    undo(world, record or merge(world, alone, ada, mark))
    for contact, traits in expected.items():
        assert shown(world, contact)["traits"] == {name: value for name, value in traits.items() if value is not None}
        assert len(names(world, contact)) == 1 + sum(bool(one["ids"][0]) == (contact == ada) for one in told)
        assert shown(world, contact)["absorbed"] == []


def test_who_was_taken_apart_is_not_merged_by_itself_again(world: World) -> None:
    ada, device = person_and_device(world)
    say(world, userId="ada", anonymousId="a-1", messageId="link")
    (record,) = merges(world, ada)
    undo(world, record)
    say(world, userId="ada", anonymousId="a-1")
    say(world, kind="alias", userId="ada", previousId="a-1")
    say(world, "Clicked", anonymousId="a-1")
    say(world, "Paid", userId="ada")
    assert who(world, anonymous_id="a-1") == device
    assert "Clicked" in names(world, device)
    assert "Paid" in names(world, ada)
    told = preview(world, anonymous_id="a-1", user_id="ada")
    assert (told["act"], told["refused"]["code"]) == ("nothing", "kept_apart")
    merge(world, device, ada, "on purpose")
    assert who(world, anonymous_id="a-1") == ada
    assert names(world, ada).count("Clicked") == 1


def test_suppressions_that_came_along_go_and_those_from_before_stay(world: World) -> None:
    ada, device = person_and_device(world)
    assert suppress(world, OLD) == 200
    record = merge(world, device, ada)
    assert suppress(world, ADA, "GET") == 200
    undo(world, record)
    assert suppress(world, ADA, "GET") == 404
    assert suppress(world, OLD, "GET") == 200


def test_a_no_that_a_person_says_meanwhile_stays(world: World) -> None:
    ada, device = person_and_device(world)
    suppress(world, OLD)
    record = merge(world, device, ada)
    assert suppress(world, ADA) == 200
    undo(world, record)
    assert suppress(world, ADA, "GET") == 200


def test_an_older_merge_is_taken_back_after_a_newer_one(world: World) -> None:
    ada, first = person_and_device(world)
    say(world, "Tapped", anonymousId="a-2")
    second = who(world, anonymous_id="a-2")
    before = {one: apart(shown(world, one)) for one in (ada, first, second)}
    one, other = merge(world, first, ada, "1"), merge(world, second, ada, "2")
    undo(world, one)
    assert apart(shown(world, first)) == before[first]
    assert (who(world, anonymous_id="a-2"), shown(world, ada)["absorbed"]) == (ada, [second])
    undo(world, other)
    assert {one: apart(shown(world, one)) for one in before} == before


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_merge_is_taken_back_when_the_survivor_became_part_of_somebody(world: World, order: tuple[int, int]) -> None:
    say(world, userId="ada", traits={"plan": "team"})
    say(world, "Viewed", anonymousId="a-1")
    say(world, "Tapped", anonymousId="a-2")
    ada, middle, inner = who(world, user_id="ada"), who(world, anonymous_id="a-1"), who(world, anonymous_id="a-2")
    before = {one: (apart(shown(world, one)), names(world, one)) for one in (ada, middle, inner)}
    records = merge(world, inner, middle, "1"), merge(world, middle, ada, "2")
    assert names(world, ada) == ["", "Tapped", "Viewed"]
    assert [one["merge"] for one in merges(world, ada)] == [one["merge"] for one in records]
    for number in order:
        undone = undo(world, records[number])
        assert undone["stayed"]["contact"] == (middle if (number, order[0]) == (0, 1) else ada)
    assert {one: (apart(shown(world, one)), names(world, one)) for one in before} == before


def test_taking_back_twice_changes_nothing(world: World) -> None:
    ada, device = person_and_device(world)
    undone = undo(world, merge(world, device, ada))
    before = world.items("TABLE_CONTACTS"), world.items("TABLE_EVENTS")
    assert undo(world, undone) == undone
    assert (world.items("TABLE_CONTACTS"), world.items("TABLE_EVENTS")) == before


def test_what_happened_under_both_since_goes_to_whose_it_is(world: World) -> None:
    ada, device = person_and_device(world)
    record = merge(world, device, ada)
    say(world, "Clicked", anonymousId="a-1")
    say(world, anonymousId="a-1", traits={"size": "L"})
    say(world, userId="ada", traits={"seats": 4})
    undo(world, record)
    assert shown(world, device)["traits"] == {"email": OLD, "colour": "red", "size": "L"}
    assert shown(world, ada)["traits"] == {"email": ADA, "plan": "team", "seats": 4}
    assert "Clicked" in names(world, device)


TIPS = {"type": "send_email", "template": "tips"}


def automation(name: str, event: str, **more: Any) -> dict[str, Any]:
    trigger = {"event": event, **more}
    return {"automation": name, "trigger": trigger, "start": "tips", "components": {"tips": TIPS}}


def test_messages_and_enrolments_of_the_time_between_stay_with_the_survivor_also_when_merged_again(
    world: World,
) -> None:
    world.template("tips")
    world.automation(automation("tour", "Asked"))
    ada, device = person_and_device(world)
    say(world, "Asked", anonymousId="a-1")
    record = merge(world, device, ada, "1")
    say(world, "Asked", anonymousId="a-1")
    between = world.of_contact(ada, "enrolments")
    assert len(between) == 2
    undo(world, record)
    say(world, "Asked", anonymousId="a-1")
    assert {one["contact"] for one in world.of_contact(ada, "enrolments")} == {ada}
    assert [one["contact"] for one in world.of_contact(device, "enrolments")] == [device, device]
    again = merge(world, device, ada, "2")
    assert len(world.of_contact(ada, "enrolments")) == 3
    undo(world, again)
    assert len(world.of_contact(ada, "enrolments")) == 1
    assert len(world.of_contact(device, "enrolments")) == 2


def moved(world: World) -> tuple[str, str, dict[str, Any]]:
    """A device of Bob's which turns out to have been Ada's before."""
    say(world, userId="bob", traits={"plan": "solo"})
    say(world, userId="ada", traits={"plan": "team"})
    said = world.now
    say(world, anonymousId="a-1", traits={"colour": "red"})
    say(world, userId="bob", anonymousId="a-1")
    assert who(world, anonymous_id="a-1") == who(world, user_id="bob")
    early = {"timestamp": to_text(said), "sentAt": to_text(world.now + timedelta(seconds=1))}
    say(world, "Signed In", userId="ada", anonymousId="a-1", **early)
    ada, bob = who(world, user_id="ada"), who(world, user_id="bob")
    (record,) = [one for one in merges(world, ada) if one["rule"] == "moved"]
    return ada, bob, record


def test_an_anonymous_id_that_moved_comes_out_apart_from_both_users(world: World) -> None:
    ada, bob, record = moved(world)
    assert shown(world, ada)["traits"] == {"plan": "team", "colour": "red"}
    undone = undo(world, record)
    alone = who(world, anonymous_id="a-1")
    assert alone not in (ada, bob)
    assert shown(world, alone)["traits"] == {"colour": "red"}
    assert (shown(world, ada)["traits"], shown(world, bob)["traits"]) == ({"plan": "team"}, {"plan": "solo"})
    assert undone["stayed"]["contact"] == ada
    for user in ("ada", "bob"):
        say(world, userId=user, anonymousId="a-1")
        assert who(world, anonymous_id="a-1") == alone
    assert undo(world, record) == undone
    assert counts(world) == (2, 1)


def test_a_merge_of_which_nothing_is_left_there_cannot_be_taken_back(world: World) -> None:
    ada, bob, _ = moved(world)
    (first,) = [one for one in merges(world, bob) if one["rule"] == "identified"]
    status, answer = ask(world, "/{merge}/undo", {}, merge=first["merge"])
    assert (status, answer["code"]) == (409, "not_undoable")
    assert who(world, anonymous_id="a-1") == ada
