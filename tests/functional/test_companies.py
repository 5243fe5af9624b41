"""Companies by API: what is known of them, who belongs to them, and joining and leaving by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.support.recorder import Call
from tests.support.world import World

from tidings.core.clock import from_text

LONG = "é" * 512  # as long as an id may be: 1,024 bytes


def ask(world: World, method: str, company: str = "", body: Any = None, **more: Any) -> tuple[int, dict[str, Any]]:
    """A call about companies, about one, or about its `contacts`."""
    what, contact = more.pop("what", ""), more.pop("contact", "")
    route = "/v1/companies" + ("/{company}" if company else "") + what + ("/{contact}" if contact else "")
    path = {"company": company} | ({"contact": contact} if contact else {})
    return world.call("companies", f"{method} {route}", body, path=path if company else None, **more)


def done(answer: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    assert answer[0] == 200, answer
    return answer[1]


def join(world: World, company: str, contact: str) -> dict[str, Any]:
    return done(ask(world, "PUT", company, what="/contacts", contact=contact))


def leave(world: World, company: str, contact: str) -> dict[str, Any]:
    return done(ask(world, "DELETE", company, what="/contacts", contact=contact))


def members(world: World, company: str, limit: int = 200) -> list[str]:
    """The contacts of a company, page after page."""
    found, cursor = [], ""
    while True:
        page = done(ask(world, "GET", company, what="/contacts", query={"limit": str(limit), "cursor": cursor}))
        assert len(page["contacts"]) <= limit
        found += [one["contact"] for one in page["contacts"]]
        cursor = page["cursor"]
        if not cursor:
            return found


def group(world: World, user: str, company: str, kind: str = "group", **fields: Any) -> None:
    world.now += timedelta(seconds=1)
    message = {"userId": user, "groupId": company, "messageId": world.fresh(), **fields}
    assert world.ingest(kind, message)[0] == 200
    world.pump()


def person(world: World, user: str) -> str:
    world.now += timedelta(seconds=1)
    world.identify(user)
    return str(world.contact(user_id=user)["contact"])


def of_company(world: World, contact: str) -> list[tuple[str, str]]:
    return [(one["event"], one["group_id"]) for one in world.of_contact(contact, "events") if one["group_id"]]


# --- what is known of them -------------------------------------------------------------------------------------------


def test_a_company_that_an_app_reported_is_shown(world: World) -> None:
    group(world, "ada", "g-1", traits={"name": "Acme", "plan": "team"})
    made = world.now
    group(world, "bob", "g-1", traits={"plan": None, "seats": 4})
    shown = done(ask(world, "GET", "g-1"))
    assert shown["traits"] == {"name": "Acme", "seats": 4}
    assert (shown["company"], from_text(shown["created_at"])) == ("g-1", made)


def test_traits_set_by_hand_count_from_then_on_and_null_takes_one_away(world: World) -> None:
    group(world, "ada", "g-1", traits={"name": "Acme", "plan": "team"})
    edited = done(ask(world, "PUT", "g-1", {"traits": {"plan": "solo", "name": None, "tier": [1]}}))
    assert edited["traits"] == {"plan": "solo", "tier": [1]}
    assert done(ask(world, "PUT", "g-1", {"traits": {"plan": "free"}}))["traits"] == {"plan": "free", "tier": [1]}
    early = (world.now - timedelta(hours=1)).isoformat()
    group(world, "ada", "g-1", traits={"plan": "late"}, timestamp=early, sentAt=world.now.isoformat())
    assert done(ask(world, "GET", "g-1"))["traits"] == {"plan": "free", "tier": [1]}
    group(world, "ada", "g-1", traits={"plan": "team"})
    assert done(ask(world, "GET", "g-1"))["traits"] == {"plan": "team", "tier": [1]}


def test_a_company_may_be_made_by_hand_and_by_any_id_that_apps_may_use(world: World) -> None:
    for company in ("g 1", "a#b/c%d", LONG):
        assert done(ask(world, "PUT", company, {"traits": {}})) == {
            "company": company, "traits": {}, "created_at": done(ask(world, "GET", company))["created_at"],
        }  # fmt: skip
        contact = person(world, "ada")
        assert join(world, company, contact)["companies"] == [company]
        assert members(world, company) == [contact]
        assert leave(world, company, contact)["companies"] == []


def test_companies_are_listed_page_by_page_each_once(world: World) -> None:
    names = [f"g-{number}" for number in range(7)]
    for name in reversed(names):
        done(ask(world, "PUT", name, {"traits": {}}))
    for limit in (1, 3, 7, 200):
        found, cursor = [], ""
        while not found or cursor:
            page = done(ask(world, "GET", query={"limit": str(limit), "cursor": cursor}))
            found += [one["company"] for one in page["companies"]]
            cursor = page["cursor"]
        assert found == names, limit


def test_what_cannot_be_is_refused(world: World) -> None:
    contact = person(world, "ada")
    group(world, "ada", "g-1")
    too_much = {"traits": {"notes": "x" * 131072}}
    for method, company, body, more, status, code in (
        ("GET", "nobody", None, {}, 404, "unknown_company"),
        ("GET", "nobody", None, {"what": "/contacts"}, 404, "unknown_company"),
        ("DELETE", "nobody", None, {"what": "/contacts", "contact": contact}, 404, "unknown_company"),
        ("PUT", "null", {"traits": {}}, {}, 404, "unknown_company"),
        ("PUT", f"{LONG}x", {"traits": {}}, {}, 404, "not_found"),
        ("PUT", "g-1", None, {"what": "/contacts", "contact": "nobody"}, 404, "unknown_contact"),
        ("DELETE", "g-1", None, {"what": "/contacts", "contact": "nobody"}, 404, "unknown_contact"),
        ("PUT", "g-1", {}, {}, 400, "missing_field"),
        ("PUT", "g-1", {"traits": []}, {}, 400, "invalid_type"),
        ("PUT", "g-1", too_much, {}, 400, "traits_too_large"),
        ("PUT", "g-1", {"traits": dict.fromkeys(map(str, range(501)), 1)}, {}, 400, "traits_too_large"),
        ("GET", "g-1", None, {"what": "/contacts", "query": {"cursor": "x"}}, 400, "invalid_cursor"),
        ("GET", "", None, {"query": {"limit": "0"}}, 400, "invalid_limit"),
        ("GET", "", None, {"key": "write"}, 403, "secret_key_required"),
        ("PUT", "g-1", {"traits": {}}, {"key": "publishable"}, 403, "secret_key_required"),
    ):
        answered, answer = ask(world, method, company, body, **more)
        assert (answered, answer["code"]) == (status, code), (method, company, more)
    assert done(ask(world, "GET", "g-1"))["traits"] == {}
    page = done(ask(world, "GET", query={"limit": "1"}))
    assert page["cursor"] == "", "nothing above made a company"


def test_a_cursor_of_one_company_is_none_of_another(world: World) -> None:
    for number in range(2):
        contact = person(world, f"u-{number}")
        join(world, "one", contact)
        join(world, "two", contact)
    cursor = done(ask(world, "GET", "one", what="/contacts", query={"limit": "1"}))["cursor"]
    assert ask(world, "GET", "two", what="/contacts", query={"cursor": cursor})[0] == 400


# --- who belongs to them ---------------------------------------------------------------------------------------------


def test_joining_by_hand_makes_a_member_and_tells_it_once(world: World) -> None:
    contact = person(world, "ada")
    for _ in range(2):
        assert join(world, "g-1", contact)["companies"] == ["g-1"]
        world.pump()
    assert members(world, "g-1") == [contact]
    assert of_company(world, contact) == [("Company Joined", "g-1")]
    (event,) = [one for one in world.of_contact(contact, "events") if one["group_id"]]
    assert (event["type"], event["cause"].partition(":")[0]) == ("group", "call")
    for _ in range(2):
        assert leave(world, "g-1", contact)["companies"] == []
        world.pump()
    assert members(world, "g-1") == []
    assert sorted(of_company(world, contact)) == [("Company Joined", "g-1"), ("Company Left", "g-1")]


def test_by_hand_counts_as_later_than_what_was_reported_before_and_earlier_than_what_is_reported_then(
    world: World,
) -> None:
    group(world, "ada", "g-1")
    contact = world.contact(user_id="ada")["contact"]
    assert leave(world, "g-1", contact)["companies"] == []
    assert join(world, "g-1", contact)["companies"] == ["g-1"]
    assert leave(world, "g-1", contact)["companies"] == []
    world.pump()
    assert world.contact(user_id="ada")["companies"] == []
    group(world, "ada", "g-1")
    assert world.contact(user_id="ada")["companies"] == ["g-1"]


def test_an_automation_hears_of_it(world: World) -> None:
    world.template("tips")
    components = {"mail": {"type": "send_email", "template": "tips"}}
    trigger = {"event": "Company Joined", "where": {"property": "company", "is": "g-1"}}
    world.automation({"automation": "colleagues", "trigger": trigger, "start": "mail", "components": components})
    contact = person(world, "ada")
    join(world, "g-2", contact)
    join(world, "g-1", contact)
    world.pump()
    assert [one["automation"] for one in world.of_contact(contact, "enrolments")] == ["colleagues"]


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_members_are_listed_the_oldest_first_each_once(world: World, limit: int) -> None:
    people = [person(world, f"u-{number}") for number in range(5)]
    for contact in reversed(people):
        join(world, "g-1", contact)
    leave(world, "g-1", people[1])
    world.identify("u-2", name="Renamed")
    assert members(world, "g-1", limit) == [people[0], *people[2:]]


def test_a_member_that_becomes_part_of_another_is_listed_once(world: World) -> None:
    group(world, "ada", "g-1")
    ada = world.contact(user_id="ada")["contact"]
    assert world.ingest("track", {"anonymousId": "a-1", "event": "E", "messageId": world.fresh()})[0] == 200
    world.pump()
    device = world.contact(anonymous_id="a-1")["contact"]
    join(world, "g-1", device)
    join(world, "g-2", device)
    world.pump()
    assert set(members(world, "g-1")) == {ada, device}
    body = {"userId": "ada", "anonymousId": "a-1", "messageId": world.fresh()}
    assert world.ingest("identify", body)[0] == 200
    world.pump()
    assert (members(world, "g-1"), members(world, "g-2")) == ([ada], [ada])
    assert join(world, "g-3", device)["contact"] == ada


def test_the_event_and_the_membership_are_written_in_one_stroke(world: World) -> None:
    contact = person(world, "ada")
    done(ask(world, "PUT", "g-1", {"traits": {}}))
    writes: list[Call] = []
    world.recorder.before = lambda call: writes.append(call) if call.operation.startswith(("Tr", "Pu", "Up")) else None
    join(world, "g-1", contact)
    assert [call.operation for call in writes] == ["TransactWriteItems"]
