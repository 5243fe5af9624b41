"""Forms through the API: product rule 1.6 on stored contacts, repeats, and who is told what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.support.world import World

A, B = "ada@people.example", "+48600100200"
BOB, OTHER = "bob@people.example", "+48600999999"
TABLES = ("TABLE_CONTACTS", "TABLE_IDENTITIES", "TABLE_EVENTS", "TABLE_MERGES", "TABLE_COUNTERS")


def send(world: World, key: str = "secret", react: bool = True, **body: Any) -> tuple[int, dict[str, Any]]:
    """Submit a form, and let its event be reacted to."""
    answer = world.call("forms", "POST /v1/forms", body, key)
    if react:
        world.pump()
    world.now += timedelta(seconds=1)
    return answer


def submit(world: World, key: str = "secret", **body: Any) -> dict[str, Any]:
    """Submit a form that must be taken; the answer."""
    status, answer = send(world, key, **body)
    assert (status, answer["success"]) == (200, True), answer
    return answer


def get(world: World, contact: str) -> dict[str, Any]:
    status, answer = world.call("contacts", "GET /v1/contacts/{contact}", path={"contact": contact})
    assert status == 200, answer
    return answer


def traits(world: World, contact: str) -> dict[str, Any]:
    found: dict[str, Any] = get(world, contact)["traits"]
    return found


def stored(world: World) -> dict[str, list[Any]]:
    """Everything that a form could write."""
    return {table: sorted(world.items(table), key=str) for table in TABLES}


def listed(world: World, **query: str) -> dict[str, Any]:
    status, answer = world.call("forms", "GET /v1/conflicts", query=query)
    assert status == 200, answer
    return answer


def contact_count(world: World) -> int:
    return len(world.items("TABLE_CONTACTS"))


# --- the rule ---------------------------------------------------------------------------------------------------------


def test_what_identifies_nobody_is_not_stored(world: World) -> None:
    before = stored(world)
    said = {"birthday": "1990-01-01", "gender": "female", "country": "PL", "email": " ", "phone": None}
    assert submit(world, traits=said, anonymousId="a-1") == {"success": True, "outcome": "nothing"}
    assert submit(world, form="newsletter") == {"success": True, "outcome": "nothing"}
    assert stored(world) == before


def test_a_new_address_makes_a_contact(world: World) -> None:
    answer = submit(world, form="newsletter", traits={"email": "Ada@People.example", "firstName": "Ada", "phone": B})
    assert answer["outcome"] == "created"
    assert traits(world, answer["contact"]) == {"email": A, "first_name": "Ada", "phone": B}
    assert world.contact(email=A)["contact"] == answer["contact"]


def test_a_known_address_updates_its_contact(world: World) -> None:
    first = submit(world, traits={"email": A, "name": "Ada", "city": "Gdynia"})
    again = submit(world, traits={"email": A, "phone": B, "name": "Ada L."})
    assert again == {"success": True, "outcome": "updated", "contact": first["contact"]}
    assert traits(world, first["contact"]) == {"email": A, "phone": B, "name": "Ada L.", "city": "Gdynia"}
    by_phone = submit(world, traits={"phone": B, "city": "Sopot"})
    assert (by_phone["outcome"], by_phone["contact"]) == ("updated", first["contact"])
    assert contact_count(world) == 1


def test_another_phone_beside_a_known_e_mail_makes_somebody_new(world: World) -> None:
    first = submit(world, traits={"email": A, "phone": B})
    second = submit(world, traits={"email": A, "phone": OTHER})
    assert second["outcome"] == "created"
    assert second["contact"] != first["contact"]
    assert traits(world, first["contact"])["phone"] == B
    # Asked for by the address that both have, the oldest answers; by both, the one who has both.
    assert submit(world, traits={"email": A, "x": 1})["contact"] == first["contact"]
    assert submit(world, traits={"email": A, "phone": OTHER, "x": 2})["contact"] == second["contact"]


def test_what_two_contacts_match_updates_one_and_is_kept_for_review(world: World) -> None:
    x = submit(world, traits={"email": A, "name": "Ada"})["contact"]
    y = submit(world, traits={"phone": B, "name": "Bob"})["contact"]
    answer = submit(world, form="order", traits={"email": A, "phone": B, "name": "Who"}, messageId="f-1")
    assert (answer["outcome"], answer["contact"]) == ("updated", x)
    assert traits(world, x) == {"email": A, "name": "Who"}
    assert traits(world, y) == {"phone": B, "name": "Bob"}
    (conflict,) = listed(world)["conflicts"]
    assert conflict == {
        "conflict": answer["conflict"],
        "contact": x,
        "other": y,
        "address": "phone",
        "form": "order",
        "event": f"event:contact/{x}/f-1",
        "at": "2026-11-21T09:00:02.000000Z",
    }
    (event,) = [one for one in world.of_contact(x, "events") if one["message_id"] == "f-1"]
    assert event["properties"] == {"form": "order", "withheld": {"phone": B}, "changed": ["name"]}


def test_the_workspace_decides_which_address_leads(world: World) -> None:
    world.accounts.configure("acme", {"identifiers": {"phone": {"priority": 1}}})
    submit(world, traits={"email": A})
    y = submit(world, traits={"phone": B})["contact"]
    assert submit(world, traits={"email": A, "phone": B})["contact"] == y
    assert "email" not in traits(world, y)


def test_a_phone_without_a_country_is_read_by_the_workspace_s(world: World) -> None:
    world.accounts.configure("acme", {"default_country": "PL"})
    first = submit(world, traits={"phone": "600 100 200"})
    assert traits(world, first["contact"])["phone"] == B
    assert submit(world, traits={"phone": "+48 600-100-200", "x": 1})["contact"] == first["contact"]


def test_who_had_an_address_earlier_is_not_meant_by_it(world: World) -> None:
    world.identify("u-1", email=A, name="Ada")
    world.identify("u-1", email=BOB)
    answer = submit(world, traits={"email": A, "city": "Gdynia"})
    assert answer["outcome"] == "created"
    assert traits(world, answer["contact"]) == {"email": A, "name": A.partition("@")[0], "city": "Gdynia"}
    assert traits(world, world.contact(user_id="u-1")["contact"]) == {"email": BOB, "name": "Ada"}
    assert submit(world, traits={"email": A, "city": "Gdynia"})["outcome"] == "nothing"


@pytest.mark.parametrize("message_id", ["f-1", ""])
def test_a_form_that_comes_again_after_its_person_has_moved_changes_nothing(world: World, message_id: str) -> None:
    said = {"traits": {"email": A, "city": "Gdynia"}, **({"messageId": message_id} if message_id else {})}
    first = submit(world, **said)
    world.now += timedelta(seconds=1)
    path, edit = {"contact": first["contact"]}, {"traits": {"email": BOB}}
    assert world.call("change_contacts", "PATCH /v1/contacts/{contact}", edit, path=path)[0] == 200
    people = world.call("contacts", "GET /v1/contacts/counts")[1]
    assert submit(world, **said)["outcome"] == "nothing"
    assert world.call("contacts", "GET /v1/contacts/counts")[1] == people
    assert traits(world, first["contact"])["email"] == BOB


def test_a_blocked_address_is_none(world: World) -> None:
    world.accounts.configure("acme", {"identifiers": {"email": {"blocked": ["test@.*"]}}})
    assert submit(world, traits={"email": "test@acme.example"})["outcome"] == "nothing"
    answer = submit(world, traits={"email": "test@acme.example", "phone": B})
    assert traits(world, answer["contact"]) == {"phone": B}


# --- who is logged in -------------------------------------------------------------------------------------------------


def test_who_is_logged_in_is_updated_whatever_they_give(world: World) -> None:
    stranger = submit(world, traits={"email": A, "phone": B})["contact"]
    world.identify("u-1", name="Una")
    me = world.contact(user_id="u-1")["contact"]
    assert submit(world, userId="u-1", traits={"gender": "female"}) == {
        "success": True,
        "outcome": "updated",
        "contact": me,
    }
    assert submit(world, userId="u-1", traits={"email": A})["contact"] == me
    assert traits(world, me) == {"name": "Una", "gender": "female", "email": A}
    assert traits(world, stranger) == {"email": A, "phone": B, "name": "ada"}
    assert listed(world)["conflicts"] == []


def test_a_user_id_that_is_new_makes_a_contact(world: World) -> None:
    answer = submit(world, userId="u-1", traits={"country": "PL"})
    assert answer["outcome"] == "created"
    assert world.contact(user_id="u-1")["contact"] == answer["contact"]
    world.track("u-1", "Signed Up")
    assert [one["event"] for one in world.of_contact(answer["contact"], "events")] == ["Signed Up", "Form Submitted"]


@pytest.mark.parametrize("user", ["null", "anonymous", "0", "", None])
def test_a_user_id_that_is_none_logs_nobody_in(world: World, user: str | None) -> None:
    assert submit(world, userId=user, traits={"country": "PL"})["outcome"] == "nothing"


# --- visitors ---------------------------------------------------------------------------------------------------------


def visit(world: World, anonymous: str) -> str:
    """A visitor looks at a page; their contact."""
    status, _ = world.ingest("track", {"anonymousId": anonymous, "event": "Looked", "messageId": world.fresh()})
    assert status == 200
    world.pump()
    return str(world.contact(anonymous_id=anonymous)["contact"])


def test_a_visitor_s_contact_becomes_the_new_one(world: World) -> None:
    visitor = visit(world, "a-1")
    answer = submit(world, anonymousId="a-1", traits={"email": A})
    assert answer == {"success": True, "outcome": "created", "contact": visitor}
    assert traits(world, visitor) == {"email": A, "name": "ada"}
    assert contact_count(world) == 1


def test_a_visitor_who_was_not_seen_before_is_the_new_contact(world: World) -> None:
    answer = submit(world, anonymousId="a-1", traits={"email": A})
    assert visit(world, "a-1") == answer["contact"]
    assert contact_count(world) == 1


def test_a_visitor_is_never_merged_with_whose_address_they_typed(world: World) -> None:
    known = submit(world, traits={"email": A})["contact"]
    visitor = visit(world, "a-1")
    assert submit(world, anonymousId="a-1", traits={"email": A, "x": 1})["contact"] == known
    assert get(world, visitor)["contact"] == visitor
    assert traits(world, visitor) == {}
    assert {"kind": "anon", "value": "a-1"} not in get(world, known)["identities"]


@pytest.mark.parametrize("address", [{"email": BOB}, {"phone": OTHER}])
def test_a_visitor_who_has_an_address_is_not_given_another_s(world: World, address: dict[str, str]) -> None:
    first = submit(world, anonymousId="a-1", traits=address)["contact"]
    second = submit(world, anonymousId="a-1", traits={"email": A})
    assert second["outcome"] == "created"
    assert second["contact"] != first
    assert traits(world, first) == {**address, **({"name": "bob"} if "email" in address else {})}


def test_a_known_person_s_device_does_not_make_them_somebody_else(world: World) -> None:
    world.identify("u-1", name="Una")
    world.ingest("track", {"userId": "u-1", "anonymousId": "a-1", "event": "E", "messageId": "m"})
    world.pump()
    me = world.contact(user_id="u-1")["contact"]
    assert submit(world, anonymousId="a-1", traits={"email": A})["contact"] != me
    assert traits(world, me) == {"name": "Una"}


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "name"), [
    ({}, "ada"),
    ({"name": ""}, "ada"),
    ({"name": "  "}, "ada"),
    ({"name": "Ada"}, "Ada"),
    ({"first_name": "Ada"}, None),
    ({"lastName": "L"}, None),
])  # fmt: skip
def test_an_empty_name_becomes_the_part_before_the_at(world: World, said: dict[str, str], name: str | None) -> None:
    answer = submit(world, traits={"email": A, **said})
    assert traits(world, answer["contact"]).get("name") == name


def test_who_has_a_name_keeps_it(world: World) -> None:
    world.identify("u-1", email=A, first_name="Ada")
    answer = submit(world, traits={"email": A, "name": ""})
    assert traits(world, answer["contact"]) == {"email": A, "first_name": "Ada"}


def test_what_is_left_blank_takes_nothing_away(world: World) -> None:
    contact = submit(world, traits={"email": A, "city": "Gdynia", "phone": B})["contact"]
    submit(world, traits={"email": A, "city": "", "phone": None, "x": 1})
    assert traits(world, contact) == {"email": A, "city": "Gdynia", "phone": B, "name": "ada", "x": 1}


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "code", "field"), [
    ({"traits": {"email": "nobody"}}, "invalid_email", "traits.email"),
    ({"traits": {"email": 7}}, "invalid_email", "traits.email"),
    ({"traits": {"email": A, "phone": "12"}}, "invalid_phone", "traits.phone"),
    ({"traits": {"phone": "600 100 200"}}, "invalid_phone", "traits.phone"),
    ({"userId": "u-1", "traits": {"email": "@"}}, "invalid_email", "traits.email"),
    ({"traits": []}, "invalid_type", "traits"),
    ({"form": 7, "traits": {"email": A}}, "invalid_type", "form"),
    ({"traits": {"email": A}, "timestamp": "yesterday"}, "invalid_timestamp", "timestamp"),
    ({"traits": {"email": A}, "messageId": "m" * 101}, "message_id_too_long", "messageId"),
    ({"userId": "u" * 1025}, "id_too_long", "userId"),
    ({"traits": {"email": A, "x": "y" * 33000}}, "message_too_large", None),
])  # fmt: skip
@pytest.mark.parametrize("key", ["secret", "publishable"])
def test_a_mistake_is_refused_and_nothing_is_stored(
    world: World, key: str, body: dict[str, Any], code: str, field: str | None
) -> None:
    before = stored(world)
    status, answer = send(world, key, **body)
    assert (status, answer["code"], answer.get("field")) == (400, code, field)
    assert stored(world) == before


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["publishable", "write"])
def test_only_a_secret_key_is_told_whether_anybody_is_known(world: World, key: str) -> None:
    assert submit(world, key, traits={"email": A}) == {"success": True}
    assert submit(world, key, traits={"email": A, "x": 1}) == {"success": True}
    assert submit(world, key, traits={"country": "PL"}) == {"success": True}
    for route, path in (("GET /v1/conflicts", {}), ("DELETE /v1/conflicts/{conflict}", {"conflict": "x"})):
        status, answer = world.call("forms", route, None, key, path=path)
        assert (status, answer["code"]) == (403, "secret_key_required")


def test_a_key_may_stand_in_the_body_and_an_unknown_one_is_refused(world: World) -> None:
    status, _ = world.call("forms", "POST /v1/forms", {"writeKey": world.keys["write"], "traits": {"email": A}}, None)
    assert status == 200
    status, answer = world.call("forms", "POST /v1/forms", {"traits": {"email": A}}, "wk_unknown")
    assert (status, answer["code"]) == (401, "invalid_api_key")


def test_a_publishable_key_fills_an_empty_address_of_a_known_contact_and_changes_none(world: World) -> None:
    world.identify("u-1", email=A)
    world.now += timedelta(seconds=1)
    me = world.contact(user_id="u-1")["contact"]
    submit(world, "publishable", userId="u-1", traits={"email": BOB, "phone": B, "city": "Gdynia"}, messageId="f-1")
    assert traits(world, me) == {"email": A, "phone": B, "city": "Gdynia"}
    refused = [one for one in world.of_contact(me, "events") if one["event"] == "Change Refused"]
    assert [(one["properties"]["code"], one["properties"]["field"]) for one in refused] == [
        ("publishable_key_may_not_change_email", "traits.email")
    ]
    assert refused[0]["cause"] == f"event:contact/{me}/f-1"


def test_a_server_s_key_changes_the_address_of_who_is_logged_in(world: World) -> None:
    world.identify("u-1", email=A, name="Una")
    world.now += timedelta(seconds=1)
    submit(world, "write", userId="u-1", traits={"email": BOB})
    assert traits(world, world.contact(user_id="u-1")["contact"]) == {"email": BOB, "name": "Una"}


def test_a_workspace_sees_its_own_people_only(world: World) -> None:
    first = submit(world, traits={"email": A})["contact"]
    theirs = submit(world, world.other_secret, traits={"email": A})
    assert theirs["outcome"] == "created"
    assert theirs["contact"] != first


# --- repeats and races ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", [{}, {"messageId": "f-1"}])
@pytest.mark.parametrize("said", [
    {"traits": {"email": A, "phone": B}},
    {"traits": {"email": A}, "anonymousId": "a-1"},
    {"userId": "u-1", "traits": {"gender": "female"}},
])  # fmt: skip
def test_the_same_form_twice_changes_nothing(world: World, said: dict[str, Any], message: dict[str, str]) -> None:
    first = submit(world, form="f", **said, **message)
    before = stored(world)
    again = submit(world, form="f", **said, **message)
    assert again == {"success": True, "outcome": "nothing", "contact": first["contact"]}
    assert stored(world) == before


def test_a_conflict_is_recorded_once(world: World) -> None:
    submit(world, traits={"email": A})
    submit(world, traits={"phone": B})
    said = {"email": A, "phone": B}
    first = submit(world, form="one", traits=said)
    again = submit(world, form="one", traits=said)
    other = submit(world, form="two", traits={**said, "x": 1})
    assert (again["outcome"], again["conflict"]) == ("nothing", first["conflict"])
    assert other["conflict"] == first["conflict"]
    (kept,) = listed(world)["conflicts"]
    assert kept["form"] == "one"


def test_two_message_ids_are_two_submissions(world: World) -> None:
    contact = submit(world, traits={"email": A}, messageId="f-1")["contact"]
    submit(world, traits={"email": A}, messageId="f-2")
    assert [one["message_id"] for one in world.of_contact(contact, "events")] == ["f-2", "f-1"]


def test_a_form_that_comes_again_after_a_merge_changes_nothing(world: World) -> None:
    said = {"anonymousId": "a-1", "traits": {"email": A, "city": "Gdynia"}}
    visitor = submit(world, **said)["contact"]
    world.identify("u-1", name="Una")
    me = world.contact(user_id="u-1")["contact"]
    world.ingest("identify", {"userId": "u-1", "anonymousId": "a-1", "messageId": "m", "traits": {"city": "Sopot"}})
    world.pump()
    assert visitor in get(world, me)["absorbed"]
    assert submit(world, **said) == {"success": True, "outcome": "nothing", "contact": me}
    assert traits(world, me)["city"] == "Sopot"


def test_reacting_to_a_form_s_event_changes_nothing_more(world: World) -> None:
    world.identify("u-1", email=A)
    for said in ({"email": A, "phone": B}, {"email": BOB}, {"email": A, "city": "Gdynia"}):
        send(world, react=False, traits=said)
        before = world.items("TABLE_CONTACTS"), world.items("TABLE_IDENTITIES")
        world.pump()
        after = world.items("TABLE_CONTACTS"), world.items("TABLE_IDENTITIES")
        assert [_without_version(items) for items in after] == [_without_version(items) for items in before]


def _without_version(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = [{name: value for name, value in item.items() if name not in ("version", "last_seen_at")} for item in items]
    return sorted(kept, key=str)


def test_a_form_starts_automations(world: World) -> None:
    world.template("hello", subject="Hi", text="Hi")
    world.automation({
        "automation": "greet",
        "trigger": {"event": "Form Submitted", "where": {"property": "form", "is": "newsletter"}},
        "start": "mail",
        "components": {"mail": {"type": "send_email", "template": "hello"}},
    })  # fmt: skip
    submit(world, form="newsletter", traits={"email": A})
    assert len(world.executions) == 1


# --- review -----------------------------------------------------------------------------------------------------------


def disagree(world: World, number: int) -> str:
    """A form whose addresses lead to two contacts; the conflict."""
    email, phone = f"p{number}@people.example", f"+4860010020{number}"
    submit(world, traits={"email": email})
    submit(world, traits={"phone": phone})
    return str(submit(world, traits={"email": email, "phone": phone})["conflict"])


def test_conflicts_are_paged_to_the_last(world: World) -> None:
    made = {disagree(world, number) for number in range(3)}
    found, cursor, pages = set(), "", 0
    while pages == 0 or cursor:
        answer = listed(world, limit="1", **({"cursor": cursor} if cursor else {}))
        found |= {one["conflict"] for one in answer["conflicts"]}
        cursor, pages = answer["cursor"], pages + 1
    assert (found, pages) == (made, 3)


@pytest.mark.parametrize(("query", "code"), [
    ({"cursor": "ä"}, "invalid_cursor"),
    ({"cursor": "!"}, "invalid_cursor"),
    ({"cursor": "_w=="}, "invalid_cursor"),
    ({"limit": "0"}, "invalid_limit"),
])  # fmt: skip
def test_a_page_that_no_answer_named_is_refused(world: World, query: dict[str, str], code: str) -> None:
    status, answer = world.call("forms", "GET /v1/conflicts", query=query)
    assert (status, answer["code"]) == (400, code)


def test_a_conflict_is_resolved_once_and_comes_back_with_the_next_form(world: World) -> None:
    conflict = disagree(world, 1)
    path = {"conflict": conflict}
    assert world.call("forms", "DELETE /v1/conflicts/{conflict}", path=path) == (200, {"resolved": True})
    status, answer = world.call("forms", "DELETE /v1/conflicts/{conflict}", path=path)
    assert (status, answer["code"]) == (404, "unknown_conflict")
    submit(world, traits={"email": "p1@people.example", "phone": "+48600100201", "x": 1})
    assert [one["conflict"] for one in listed(world)["conflicts"]] == [conflict]


def test_another_workspace_neither_sees_nor_resolves_a_conflict(world: World) -> None:
    conflict = disagree(world, 1)
    assert world.call("forms", "GET /v1/conflicts", None, world.other_secret)[1]["conflicts"] == []
    status, _ = world.call(
        "forms", "DELETE /v1/conflicts/{conflict}", None, world.other_secret, path={"conflict": conflict}
    )
    assert status == 404
    assert len(listed(world)["conflicts"]) == 1
