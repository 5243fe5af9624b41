"""Product row 5.4: ways, automations and conversations as they were at an earlier time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.functional.test_cli_people import Command, tidings
from tests.support.lifecycle import TOUR, act, done, show
from tests.support.world import World

from tidings.core.clock import to_text

__all__ = ["tidings"]

LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def acme(world: World) -> World:
    """A workspace with a tour: a mail, two days, another mail."""
    world.template("tips")
    return world


def later(world: World, **length: float) -> datetime:
    """Somewhat later; that instant."""
    world.now += timedelta(**(length or {"hours": 1}))
    return world.now


def contact(world: World, user: str = "ada") -> str:
    return str(world.contact(user_id=user)["contact"])


# --- ways -------------------------------------------------------------------------------------------------------------


def ways(world: World, at: datetime | str, user: str = "ada", **query: str) -> list[dict[str, Any]]:
    """What somebody had entered by an instant."""
    route = "GET /v1/contacts/{contact}/enrolments"
    query = {"at": at if isinstance(at, str) else to_text(at), **query}
    found = done(world.call("contacts", route, path={"contact": contact(world, user)}, query=query))
    return list(found["enrolments"])


def people(world: World, at: datetime, **query: str) -> list[dict[str, Any]]:
    """Who had entered the tour by an instant."""
    route = "GET /v1/automations/{name}/enrolments"
    answer = world.call("statistics", route, path={"name": "tour"}, query={"at": to_text(at), **query})
    return list(done(answer)["enrolments"])


def one(world: World, way: dict[str, Any], at: datetime | str) -> tuple[int, Any]:
    route = "GET /v1/automations/{name}/enrolments/{contact}/{enrolment}"
    path = {"name": "tour", "contact": way["contact"], "enrolment": way["entry"]}
    return world.call("statistics", route, path=path, query={"at": at if isinstance(at, str) else to_text(at)})


def on_tour(world: World) -> tuple[datetime, datetime]:
    """Ada goes on the tour, to its end; an instant before the second mail, and one before she entered."""
    world.automation(TOUR)
    world.identify("ada", email="ada@people.example")
    before = later(world)
    later(world)
    world.track("ada", "Signed Up")
    world.run(timedelta(minutes=1))
    between = later(world)
    world.run(timedelta(days=3))
    later(world)
    return before, between


def test_a_way_is_shown_as_far_as_it_had_come(acme: World) -> None:
    before, between = on_tour(acme)
    assert ways(acme, before) == []
    (then,) = ways(acme, between)
    assert (then["state"], then["component"], then["steps"]) == ("live", "pause", 1)
    assert [step["component"] for step in then["path"]] == ["first"]
    assert list(then["until"]) == ["pause"]
    assert then["updated_at"] == then["path"][0]["at"]
    (now,) = acme.of_contact(contact(acme), "enrolments")
    assert (now["state"], now["steps"]) == ("completed", 2)
    assert ways(acme, acme.now) == [now]
    assert ways(acme, acme.now + timedelta(days=9)) == [now]


def test_before_its_first_step_a_way_stood_where_the_automation_begins(acme: World) -> None:
    parts = {name: part for name, part in TOUR["components"].items() if name != "first"}
    acme.automation({**TOUR, "start": "pause", "components": parts})
    acme.identify("ada", email="ada@people.example")
    acme.track("ada", "Signed Up")
    waiting = later(acme)
    acme.run(timedelta(days=3))
    (now,) = acme.of_contact(contact(acme), "enrolments")
    assert now["state"] == "completed"
    (then,) = ways(acme, waiting)
    assert (then["state"], then["component"], then["steps"], then["path"]) == ("live", "pause", 0, [])
    assert then["updated_at"] is None


def test_whoever_left_later_was_inside(acme: World) -> None:
    acme.automation({**TOUR, "exits": [{"name": "Left", "event": "Leave"}], "goal": {"event": "Leave"}})
    acme.identify("ada", email="ada@people.example")
    acme.track("ada", "Signed Up")
    acme.run(timedelta(minutes=1))
    inside = later(acme)
    later(acme)
    acme.track("ada", "Leave")
    acme.run(timedelta(minutes=1))
    (now,) = acme.of_contact(contact(acme), "enrolments")
    assert (now["state"], now["left"]["exit"]) == ("exited", "Left")
    assert now["converted_at"]
    (then,) = ways(acme, inside)
    assert (then["state"], then["left"], then["converted_at"]) == ("live", None, None)
    assert ways(acme, acme.now) == [now]
    assert [way["state"] for way in people(acme, inside, state="live")] == ["live"]
    assert people(acme, inside, state="exited") == []


def test_people_of_an_automation_are_those_who_had_entered(acme: World) -> None:
    before, between = on_tour(acme)
    later(acme)
    acme.track("ada", "Signed Up")
    acme.run(timedelta(minutes=1))
    assert people(acme, before) == []
    (then,) = people(acme, between)
    assert (then["state"], then["steps"]) == ("live", 1)
    status, way = one(acme, then, between)
    assert (status, way["state"], [step["component"] for step in way["path"]]) == (200, "live", ["first"])
    assert way["path"][0]["message"]["state"] == "accepted"
    status, refused = one(acme, then, before)
    assert (status, refused["code"], refused["field"]) == (404, "not_yet", "at")
    assert len(people(acme, acme.now)) == 2


def test_at_is_an_instant_everywhere(acme: World) -> None:
    _, between = on_tour(acme)
    (way,) = ways(acme, between)
    soon, person = {"at": "soon"}, {"contact": way["contact"]}
    refused = [
        one(acme, way, "soon"),
        acme.call("conversations", "GET /v1/conversations/{conversation}", path={"conversation": "c-1"}, query=soon),
        acme.call("contacts", "GET /v1/contacts/{contact}/enrolments", path=person, query=soon),
        acme.call("statistics", "GET /v1/automations/{name}/enrolments", path={"name": "tour"}, query=soon),
        acme.call("automations", "GET /v1/automations/{name}", path={"name": "tour"}, query=soon),
        acme.call("automations", "GET /v1/automations/{name}/drawing", path={"name": "tour"}, query=soon),
    ]
    assert {(status, answer["code"], answer["field"]) for status, answer in refused} == {
        (400, "invalid_timestamp", "at")
    }


def test_a_cursor_of_one_instant_is_not_taken_for_another(acme: World) -> None:
    on_tour(acme)
    later(acme)
    acme.track("ada", "Signed Up")
    acme.run(timedelta(minutes=1))
    route, path = "GET /v1/contacts/{contact}/enrolments", {"contact": contact(acme)}
    first = done(acme.call("contacts", route, path=path, query={"at": to_text(acme.now), "limit": "1"}))
    assert first["cursor"]
    answer = acme.call("contacts", route, path=path, query={"limit": "1", "cursor": first["cursor"]})
    assert (answer[0], answer[1]["code"]) == (400, "invalid_cursor")


# --- automations ------------------------------------------------------------------------------------------------------


def then(world: World, at: datetime | str, name: str = "tour") -> tuple[int, Any]:
    query = {"at": at if isinstance(at, str) else to_text(at)}
    return world.call("automations", "GET /v1/automations/{name}", path={"name": name}, query=query)


def test_an_automation_is_shown_with_the_version_that_was_live_and_where_it_stood(acme: World) -> None:
    acme.automation(TOUR)
    first = later(acme)
    later(acme)
    done(act(acme, "pause", {"what": "entries"}))
    entries = later(acme)
    later(acme)
    done(act(acme, "pause", {"what": "all"}))
    wholly = later(acme)
    later(acme)
    done(act(acme, "resume"))
    acme.automation({**TOUR, "description": "The second"})
    second = later(acme)
    later(acme)
    done(act(acme, "archive"))
    gone = later(acme)
    later(acme)
    done(act(acme, "unarchive"))
    seen = [done(then(acme, at)) for at in (first, entries, wholly, second, gone, acme.now)]
    assert [(one["live_version"], one["state"]) for one in seen] == [
        (1, "live"), (1, "entries_paused"), (1, "paused"), (2, "live"), (2, "archived"), (2, "live"),
    ]  # fmt: skip
    assert [one["description"] for one in seen] == ["", "", "", "The second", "The second", "The second"]
    assert seen[0]["definition"]["components"] == show(acme)["draft"]["components"]
    assert sorted(change["what"] for change in seen[1]["log"]) == ["applied", "paused", "published"]
    assert seen[0]["at"] == to_text(first)


def test_an_automation_that_was_not_there_or_not_published_says_so(acme: World) -> None:
    applied = later(acme)
    later(acme)
    done(acme.call("automations", "PUT /v1/automations/{name}", TOUR, path={"name": "tour"}))
    draft = later(acme)
    later(acme)
    acme.automation(TOUR)
    assert then(acme, applied)[1]["code"] == then(acme, LONG_AGO)[1]["code"] == "not_yet"
    seen = done(then(acme, draft))
    assert (seen["live_version"], seen["state"], seen["definition"]) == (None, None, None)
    assert then(acme, draft, "other")[1]["code"] == "unknown_automation"


def test_a_drawing_is_of_the_version_that_was_live(acme: World) -> None:
    before = later(acme)
    later(acme)
    acme.automation(TOUR)
    first = later(acme)
    later(acme)
    only = {**TOUR, "start": "second", "components": {"second": TOUR["components"]["second"]}}
    acme.automation(only)

    def drawn(name: str = "tour", **query: str) -> tuple[int, Any]:
        route = "GET /v1/automations/{name}/drawing"
        return acme.call("automations", route, path={"name": name}, query={"format": "mermaid", **query})

    assert drawn(at=to_text(first)) == drawn(version="1")
    assert drawn(at=to_text(acme.now)) == drawn(version="2")
    assert drawn(at=to_text(before))[1]["code"] == "not_yet"
    assert drawn("other", at=to_text(first))[1]["code"] == "unknown_automation"
    assert drawn(at=to_text(first), version="1")[1]["code"] == "invalid_version"


# --- conversations ----------------------------------------------------------------------------------------------------


def talk(world: World, conversation: str, at: datetime | str = "", **query: str) -> tuple[int, Any]:
    """A conversation, as it stood at an instant if one is given."""
    asked = {"at": at if isinstance(at, str) else to_text(at), **query} if at else query
    path = {"conversation": conversation}
    return world.call("conversations", "GET /v1/conversations/{conversation}", path=path, query=asked)


def change(world: World, conversation: str, what: str, **body: Any) -> datetime:
    """Change a conversation; an instant before the next thing happens."""
    path, route = {"conversation": conversation}, f"POST /v1/conversations/{{conversation}}/{what}"
    status, answer = world.call("conversations", route, body, path=path)
    assert status in (200, 202), answer
    at = later(world)
    later(world)
    return at


def writes(world: World, text: str) -> tuple[str, datetime]:
    """Somebody writes a text: their conversation, and an instant before the next thing happens."""
    world.receive(world.text(text))
    (found,) = world.call("conversations", "GET /v1/conversations")[1]["conversations"]
    at = later(world)
    later(world)
    return found["conversation"], at


def test_a_conversation_is_shown_as_it_stood(world: World) -> None:
    world.call("policy", "PUT /v1/inboxes/{inbox}", {}, path={"inbox": "billing"})
    before = later(world)
    later(world)
    conversation, new = writes(world, "Hello")
    taken = change(world, conversation, "take", agent="kim")
    passed = change(world, conversation, "transfer", inbox="billing", note="For you")
    held = change(world, conversation, "hold", until=to_text(world.now + timedelta(days=9)))
    _, again = writes(world, "Are you there?")
    given = change(world, conversation, "transfer", agent="lou")
    over = change(world, conversation, "resolve", type="question", category="general", key_message="Told them")
    instants = (new, taken, passed, held, again, given, over)
    seen = [done(talk(world, conversation, at)) for at in instants]
    assert [(one["state"], one["inbox"], one["agent"]) for one in seen] == [
        ("new", "default", ""), ("ongoing", "default", "kim"), ("ongoing", "billing", ""), ("on_hold", "billing", ""),
        ("ongoing", "billing", ""), ("ongoing", "billing", "lou"), ("resolved", "billing", "lou"),
    ]  # fmt: skip
    texts = [[entry["text"] for entry in one["entries"]] for one in seen]
    assert texts[:3] == [["Hello"], ["Hello"], ["Hello", "For you"]]
    assert texts[4:] == [["Hello", "For you", "Are you there?"]] * 3
    assert [bool(one["wakes_at"]) for one in seen] == [at is held for at in instants]
    assert [bool(one["resolution"]) for one in seen] == [at is over for at in instants]
    assert seen[0]["last_at"] == seen[0]["entries"][0]["at"]
    now = done(talk(world, conversation))
    assert seen[0]["reply"] == now["reply"]
    assert seen[-1] == {**now, "revision": None}
    status, refused = talk(world, conversation, before)
    assert (status, refused["code"], refused["field"]) == (404, "not_yet", "at")


def test_pages_of_a_conversation_end_at_the_instant(world: World) -> None:
    conversation, _ = writes(world, "One")
    _, two = writes(world, "Two")
    writes(world, "Three")
    first = done(talk(world, conversation, two, limit="1"))
    assert [entry["text"] for entry in first["entries"]] == ["One"]
    last = done(talk(world, conversation, two, limit="1", cursor=first["cursor"]))
    assert ([entry["text"] for entry in last["entries"]], last["cursor"]) == (["Two"], "")


def test_a_conversation_is_found_as_it_stood_before_its_person_was_merged(world: World) -> None:
    conversation, new = writes(world, "Hello")
    change(world, conversation, "take", agent="kim")
    theirs = done(talk(world, conversation))["contact"]
    world.identify("ada")
    body = {"contact": theirs, "into": contact(world), "idempotency_key": "k"}
    done(world.call("merges", "POST /v1/merges", body))
    world.pump()
    merged = later(world)
    later(world)
    change(world, conversation, "transfer", agent="lou")
    seen = [done(talk(world, conversation, at)) for at in (new, merged, world.now)]
    assert [(one["state"], one["agent"]) for one in seen] == [("new", ""), ("ongoing", "kim"), ("ongoing", "lou")]


# --- the command line -------------------------------------------------------------------------------------------------


def test_the_command_line_shows_ways_and_automations_as_they_stood(acme: World, tidings: Command) -> None:
    before, between = on_tour(acme)
    acme.automation({**TOUR, "description": "The second"})
    told = ("contact", "enrolments", "--user-id", "ada")
    assert "pause" in tidings(*told, "--at", to_text(between))[1]
    assert "never entered" in tidings(*told, "--at", to_text(before))[1]
    assert "second" in tidings(*told)[1]
    listed = ("automation", "history", "tour", "--enrolments")
    assert contact(acme) in tidings(*listed, "--at", to_text(between))[1]
    assert "Nobody has entered" in tidings(*listed, "--at", to_text(before))[1]
    shown = ("automation", "show", "tour")
    code, text = tidings(*shown, "--at", to_text(between))
    assert (code, "live version 1" in text, "The second" in text) == (0, True, False)
    assert "live version 2" in tidings(*shown)[1]
    code, text = tidings(*shown, "--at", LONG_AGO)
    assert (code, "(not_yet)" in text) == (1, True)


def test_the_command_line_shows_a_conversation_as_it_stood(world: World, tidings: Command) -> None:
    conversation, new = writes(world, "Hello")
    change(world, conversation, "take", agent="kim")
    writes(world, "Are you there?")
    code, text = tidings("conversation", "show", conversation, "--at", to_text(new))
    assert (code, "kim" in text, "Are you there?" in text, "Hello" in text) == (0, False, False, True)
    assert "kim" in tidings("conversation", "show", conversation)[1]
