"""Components that change something in Tidings itself: what they change and refuse, and that a repeat adds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_components import enrolment, path, repeated, why
from tests.functional.test_merges import merge
from tests.support.faults import MODES, Fault, Repeating
from tests.support.recorder import Call
from tests.support.servers import answered, server
from tests.support.world import World, variables

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def plan(world: World, **component: Any) -> None:
    """An automation whose only component is of this kind."""
    components = {"here": component, **({"tips": {"type": "end"}} if "tips" in component.values() else {})}
    definition = {"automation": "plan", "trigger": {"event": "Signed Up"}, "start": "here", "components": components}
    world.automation(definition)


def signed_up(world: World, user: str = "ada", event: dict[str, Any] | None = None, **traits: Any) -> str:
    world.identify(user, email=f"{user}@people.example", **traits)
    world.track(user, "Signed Up", **(event or {}))
    world.now += MINUTE
    world.run()
    return str(world.contact(user_id=user)["contact"])


def traits(world: World, user: str = "ada") -> dict[str, Any]:
    found: dict[str, Any] = world.contact(user_id=user)["traits"]
    return found


def told(world: World, contact: str, name: str = "Contact Updated") -> list[dict[str, Any]]:
    return [event for event in world.of_contact(contact, "events") if event["event"] == name]


# --- update_contact: values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("gold", "gold"),
        (7, 7),
        (True, True),
        (["a", "b"], ["a", "b"]),
        ({"property": "room"}, "blue"),
        ({"property": "guest.name"}, "Eve"),
        ({"trait": "city"}, "Gdynia"),
        ({"add": 1}, 3),
        ({"add": -5}, -3),
        ({"now": True}, "2026-11-21T09:01:00.000000Z"),
    ],
)
def test_a_trait_is_set_to_what_is_written_or_found(world: World, value: Any, expected: Any) -> None:
    plan(world, type="update_contact", set={"visits": value})
    world.identify("ada", city="Gdynia", visits=2)
    world.track("ada", "Signed Up", room="blue", guest={"name": "Eve"})
    world.now += MINUTE
    world.run()
    found = traits(world)["visits"]
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("known", "more", "expected"),
    [(None, 1, 1), ("many", 2, 2), (True, 1, 1), (0.1, 0.2, 0.3), (2, 0.5, 2.5), (10**15, 1, 10**15 + 1)],
)
def test_what_is_added_is_added_as_on_paper_and_what_is_no_number_counts_as_none(
    world: World, known: Any, more: float, expected: float
) -> None:
    plan(world, type="update_contact", set={"points": {"add": more}})
    signed_up(world, **({} if known is None else {"points": known}))
    assert traits(world)["points"] == expected


def test_a_trait_is_set_to_what_a_server_answered(world: World) -> None:
    answer = answered(200, b'{"account": {"tier": "gold", "owners": ["eve"]}}', content_type="application/json")
    with server(answer) as there:
        told = {"tier": {"answer": "ask.body.account.tier"}, "status": {"answer": "ask.status"},
                "owners": {"answer": "ask.body.account.owners"}, "none": {"answer": "ask.body.nothing"}}  # fmt: skip
        ask = {"type": "webhook", "url": there.url, "next": "here"}
        here = {"type": "update_contact", "set": told}
        definition = {"automation": "plan", "trigger": {"event": "Signed Up"}, "start": "ask"}
        world.automation({**definition, "components": {"ask": ask, "here": here}})
        ada = signed_up(world)
    found = traits(world)
    assert {name: found.get(name) for name in told} == {"tier": "gold", "status": 200, "owners": ["eve"], "none": None}
    assert path(world, ada) == [("ask", "answered"), ("here", "updated")]


@pytest.mark.parametrize(
    ("key", "known", "becomes"),
    [
        ("publishable", {"email": "ada@people.example"}, "ada@people.example"),  # anybody could say so
        ("publishable", {}, "eve@people.example"),  # to fill an empty one is no change
        ("write", {"email": "ada@people.example"}, "eve@people.example"),
    ],
)
def test_what_a_browser_says_changes_no_known_address_by_an_automation_either(
    world: World, key: str, known: dict[str, str], becomes: str
) -> None:
    plan(world, type="update_contact", set={"email": {"property": "email"}})
    world.identify("ada", plan="team", **known)
    body = {"userId": "ada", "event": "Signed Up", "properties": {"email": "eve@people.example"}}
    assert world.ingest("track", {**body, "messageId": world.fresh()}, key=key)[0] == 200
    world.pump()
    world.run()
    ada = str(world.contact(user_id="ada")["contact"])
    assert traits(world).get("email") == becomes
    refused = path(world, ada) == [("here", "refused")]
    assert refused is (becomes == "ada@people.example")
    assert not refused or why(world, ada)["code"] == "publishable_key_may_not_change_email"


def test_an_address_that_a_browser_said_is_not_handed_on_to_another_automation(world: World) -> None:
    handed = {"type": "start_automation", "automation": "other", "properties": {"to": {"property": "email"}}}
    plan(world, **handed)
    here = {"type": "update_contact", "set": {"email": {"property": "to"}}}
    world.automation({"automation": "other", "trigger": {"api": True}, "start": "here", "components": {"here": here}})
    world.identify("ada", email="ada@people.example")
    body = {"userId": "ada", "event": "Signed Up", "properties": {"email": "eve@people.example"}}
    assert world.ingest("track", {**body, "messageId": world.fresh()}, key="publishable")[0] == 200
    world.pump()
    world.run()
    assert traits(world)["email"] == "ada@people.example"


def test_what_is_nowhere_to_be_found_leaves_the_trait_as_it_is(world: World) -> None:
    plan(world, type="update_contact", set={"room": {"property": "room"}, "city": {"trait": "town"}, "plan": "team"})
    ada = signed_up(world, room="red", city="Gdynia")
    assert {name: traits(world)[name] for name in ("room", "city", "plan")} == {
        "room": "red",
        "city": "Gdynia",
        "plan": "team",
    }
    assert path(world, ada) == [("here", "updated")]


def test_a_trait_is_taken_away(world: World) -> None:
    plan(world, type="update_contact", unset=["plan", "never"])
    ada = signed_up(world, plan="free")
    assert "plan" not in traits(world)
    assert path(world, ada) == [("here", "updated")]


# --- update_contact: the event and the step --------------------------------------------------------------------------


def test_the_event_says_what_was_set_and_that_the_automation_did_it(world: World) -> None:
    plan(world, type="update_contact", set={"plan": "team"})
    ada = signed_up(world)
    (event,) = told(world, ada)
    inside = enrolment(world, ada)
    assert (event["traits"], event["cause"]) == ({"plan": "team"}, inside["node"])
    assert event["root"] == inside["root"]
    assert why(world, ada) == {"traits": ["plan"], "event": event["message_id"]}


def test_the_contact_the_event_and_the_step_are_one_transaction(world: World) -> None:
    plan(world, type="update_contact", set={"plan": "team"})
    world.identify("ada")
    world.track("ada", "Signed Up")
    world.recorder.calls.clear()
    list(world.executions.values())[-1].step(world.task, world.now)
    (written,) = world.recorder.of("dynamodb:TransactWriteItems")
    tables = {next(iter(part.values()))["TableName"] for part in written.arguments["TransactItems"]}
    named = ("CONTACTS", "EVENTS", "STEPS", "ENROLMENTS")
    assert {variables()[f"TABLE_{name}"] for name in named} <= tables


def test_what_is_so_already_is_not_written_again(world: World) -> None:
    plan(world, type="update_contact", set={"plan": "team", "phone": "+48 600 100 200"}, unset=["never"])
    ada = signed_up(world, plan="team", phone="+48600100200")
    assert path(world, ada) == [("here", "unchanged")]
    assert told(world, ada) == []


@pytest.mark.parametrize(
    ("trait", "value", "code"),
    [
        ("email", "nobody", "invalid_email"),
        ("phone", "12", "invalid_phone"),
        ("bio", "x" * 40_000, "traits_too_large"),
    ],
)
def test_what_a_contact_may_not_have_is_refused_with_the_code(world: World, trait: str, value: str, code: str) -> None:
    plan(world, type="update_contact", set={trait: {"property": "value"}}, next="tips", on_refused="tips")
    world.identify("ada", email="ada@people.example")
    if len(value) > 1000:  # an app may not say as much at once either
        world.identify("ada", a="x" * 20_000)
        world.identify("ada", b="x" * 20_000)
        plan(world, type="update_contact", set={"c": {"trait": "a"}, "d": {"trait": "b"}}, next="tips")
    world.track("ada", "Signed Up", **({} if len(value) > 1000 else {"value": value}))
    world.run()
    ada = world.contact(user_id="ada")["contact"]
    assert path(world, ada) == [("here", "refused")]
    assert why(world, ada)["code"] == code
    assert told(world, ada) == []
    assert traits(world)["email"] == "ada@people.example"


def test_an_address_is_kept_in_its_one_spelling_and_leads_to_the_contact(world: World) -> None:
    plan(world, type="update_contact", set={"email": {"property": "address"}})
    ada = signed_up(world, event={"address": " Ada.New@People.Example "})
    assert traits(world)["email"] == "ada.new@people.example"
    assert world.contact(email="ada.new@people.example")["contact"] == ada


def test_somebody_else_who_adds_at_the_same_moment_is_counted_too(world: World) -> None:
    plan(world, type="update_contact", set={"visits": {"add": 1}})
    world.identify("ada", visits=1)
    world.track("ada", "Signed Up")

    def before(call: Call) -> None:
        if world.running == "act" and call.name == "dynamodb:TransactWriteItems":
            world.recorder.before = None
            world.identify("ada", visits=10)

    world.recorder.before = before
    world.now += MINUTE
    world.run()
    assert traits(world)["visits"] == 11


def test_whoever_was_merged_meanwhile_is_updated_as_who_they_are_now(world: World) -> None:
    pause = {"type": "wait", "for": "1 day", "next": "here"}
    update = {"type": "update_contact", "set": {"visits": {"add": 1}}}
    components = {"pause": pause, "here": update}
    world.automation({"automation": "plan", "trigger": {"event": "Viewed"}, "start": "pause", "components": components})
    world.identify("ada", visits=5)
    ada = world.contact(user_id="ada")["contact"]
    world.ingest("track", {"anonymousId": "tablet", "event": "Viewed", "messageId": world.fresh()})
    world.pump()
    merge(world, world.contact(anonymous_id="tablet")["contact"], ada)
    world.pump()
    world.run(DAY)
    assert traits(world)["visits"] == 6
    assert told(world, ada)[0]["identity"]["value"] == ada


def test_a_wait_behind_it_is_until_the_date_that_it_set_where_the_person_is_by_then(world: World) -> None:
    components = {
        "here": {
            "type": "update_contact",
            "set": {"ends": {"property": "ends"}, "time_zone": {"property": "zone"}},
            "next": "pause",
        },
        "pause": {"type": "wait", "until": {"trait": "ends", "at": "09:00"}, "next": "mark"},
        "mark": {"type": "update_contact", "set": {"visits": {"add": 1}}},
    }
    definition = {"automation": "plan", "trigger": {"event": "Signed Up"}, "start": "here", "components": components}
    world.automation(definition)
    ada = signed_up(world, event={"ends": "2026-12-24", "zone": "Asia/Tokyo"}, ends="2026-11-30")
    assert enrolment(world, ada)["until"] == {"pause": "2026-12-24T00:00:00.000000Z"}
    world.run(10 * DAY)
    assert "visits" not in traits(world)


def test_an_automation_that_hears_its_own_updates_does_not_go_on_for_ever(world: World) -> None:
    definition = {
        "automation": "plan",
        "trigger": {"event": "Contact Updated"},
        "reentry": {"interval": "1 minute"},
        "start": "pause",
        "components": {
            "pause": {"type": "wait", "for": "2 minutes", "next": "here"},
            "here": {"type": "update_contact", "set": {"visits": {"add": 1}}},
        },
    }
    world.automation(definition)
    world.identify("ada")
    ada = world.contact(user_id="ada")["contact"]
    path = {"contact": ada}
    world.call("change_contacts", "PATCH /v1/contacts/{contact}", {"traits": {"plan": "team"}}, path=path)
    world.pump()
    world.run(3 * DAY)
    assert traits(world)["visits"] == 11


# --- start_automation ------------------------------------------------------------------------------------------------

OTHER: dict[str, Any] = {
    "automation": "other",
    "trigger": {"api": True, "where": {"property": "room", "is": "blue"}},
    "start": "mark",
    "components": {"mark": {"type": "update_contact", "set": {"room": {"property": "room"}}}},
}


def test_another_automation_is_asked_and_takes_the_person_in(world: World) -> None:
    world.automation(OTHER)
    plan(world, type="start_automation", automation="other", properties={"room": {"property": "room"}, "by": "plan"})
    ada = signed_up(world, event={"room": "blue"})
    assert traits(world)["room"] == "blue"
    (event,) = told(world, ada, "Automation Requested")
    first, second = sorted(world.of_contact(ada, "enrolments"), key=lambda one: str(one["automation"]), reverse=True)
    assert event["properties"] == {"automation": "other", "room": "blue", "by": "plan", "depth": 1}
    assert (event["cause"], second["caused_by"], event["root"]) == (first["node"], event["node"], first["root"])
    assert first["path"][0]["outcome"] == "requested"
    assert first["path"][0]["why"]["event"] == event["node"]


def test_whether_the_person_enters_is_for_the_other_automation_to_say(world: World) -> None:
    world.automation(OTHER)
    plan(world, type="start_automation", automation="other", properties={"room": "red"})
    ada = signed_up(world)
    (only,) = world.of_contact(ada, "enrolments")
    assert (only["automation"], only["path"][0]["outcome"]) == ("plan", "requested")


def test_automations_that_start_each_other_come_to_an_end(world: World) -> None:
    def asks(automation: str, other: str) -> dict[str, Any]:
        component = {"type": "start_automation", "automation": other}
        return {"automation": automation, "trigger": {"api": True}, "start": "here", "components": {"here": component}}

    world.automation(asks("ping", "pong"))
    world.automation(asks("pong", "ping"))
    plan(world, type="start_automation", automation="ping")
    ada = signed_up(world)
    assert len(told(world, ada, "Automation Requested")) == 11
    assert len(world.of_contact(ada, "enrolments")) == 11


def test_automations_that_start_each_other_by_their_messages_come_to_an_end(world: World) -> None:
    world.template("tips")
    mail: dict[str, Any] = {"type": "send_email", "template": "tips"}
    world.automation(
        {
            "automation": "plan",
            "trigger": {"event": "Signed Up"},
            "start": "wait",
            "components": {"wait": {"type": "wait", "for": "1 minute", "next": "here"}, "here": mail},
        }
    )
    for name in ("ping", "pong"):
        other: dict[str, Any] = {"type": "start_automation", "automation": "pong"}
        components = {"wait": {"type": "wait", "for": "1 minute", "next": "here"}, "here": other}
        trigger: dict[str, Any] = {"event": "Email Skipped"}
        if name == "pong":
            components, trigger = {"wait": components["wait"], "here": mail}, {"api": True}
        world.automation({"automation": name, "trigger": trigger, "start": "wait", "components": components})
    world.track("ada", "Signed Up")  # who has no address
    world.run(2 * MINUTE * 30)
    ada = world.contact(user_id="ada")["contact"]
    assert len(world.of_contact(ada, "enrolments")) == 11
    assert len(told(world, ada, "Email Skipped")) == 6


# --- repeats and faults ----------------------------------------------------------------------------------------------

ACTS: dict[str, dict[str, Any]] = {
    "update": {"type": "update_contact", "set": {"visits": {"add": 1}, "phone": {"property": "phone"}}},
    "unchanged": {"type": "update_contact", "set": {"plan": "team"}},
    "refused": {"type": "update_contact", "set": {"email": "nobody"}},
    "start": {"type": "start_automation", "automation": "other", "properties": {"room": "blue"}},
}
READ, TRANSACTION = "dynamodb:BatchGetItem", "dynamodb:TransactWriteItems"
CALLS = {
    "update": [READ, READ, TRANSACTION],
    "unchanged": [READ, READ, TRANSACTION],
    "refused": [READ, READ, TRANSACTION],
    "start": [READ, READ, TRANSACTION],
}


class Play:
    """Ada comes to a component that acts."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        world.automation(OTHER)
        plan(world, **ACTS[name])
        world.identify("ada", visits=1, plan="team")
        world.track("ada", "Signed Up", phone="+48600100200")
        world.now += MINUTE

    def run(self, task: Any) -> None:
        execution = list(self.world.executions.values())[-1]
        while not execution.is_over:
            execution.step(task, self.world.now)

    def outcome(self) -> tuple[Any, ...]:
        """Everything that a second time would change."""
        self.world.recorder.before = self.world.recorder.after = None
        self.world.pump()
        self.world.run()
        ada = self.world.contact(user_id="ada")["contact"]
        events = sorted(event["event"] for event in self.world.of_contact(ada, "events"))
        paths = sorted(
            (one["automation"], [(step["component"], step["outcome"]) for step in one["path"]])
            for one in self.world.of_contact(ada, "enrolments")
        )
        return traits(self.world), events, paths


def cases() -> Iterator[Any]:
    for name, calls in CALLS.items():
        for number in range(len(calls)):
            for mode in MODES:
                yield pytest.param(name, number, mode, id=f"{name}-{number}-{mode}")


@pytest.fixture
def expected(request: pytest.FixtureRequest) -> dict[str, tuple[Any, ...]]:
    return OUTCOMES


OUTCOMES: dict[str, tuple[Any, ...]] = {
    "update": (
        {"visits": 2, "plan": "team", "phone": "+48600100200"},
        ["", "Contact Updated", "Signed Up"],
        [("plan", [("here", "updated")])],
    ),
    "unchanged": ({"visits": 1, "plan": "team"}, ["", "Signed Up"], [("plan", [("here", "unchanged")])]),
    "refused": ({"visits": 1, "plan": "team"}, ["", "Signed Up"], [("plan", [("here", "refused")])]),
    "start": (
        {"visits": 1, "plan": "team", "room": "blue"},
        ["", "Automation Requested", "Contact Updated", "Signed Up"],
        [("other", [("mark", "updated")]), ("plan", [("here", "requested")])],
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_call_has_its_cases(world: World, name: str) -> None:
    play, seen = Play(world, name), list[str]()

    def watch(call: Call) -> None:
        if world.running == "act":
            seen.append(call.name)

    world.recorder.before = watch
    play.run(world.task)
    assert seen == CALLS[name]
    assert play.outcome() == OUTCOMES[name]


@pytest.mark.parametrize(("name", "number", "mode"), list(cases()))
def test_a_fault_at_any_call_changes_nothing_twice_and_loses_nothing(
    world: World, name: str, number: int, mode: str
) -> None:
    play = Play(world, name)
    fault = Fault(world, "act", number, mode)
    world.recorder.before, world.recorder.after = fault.before, fault.after
    play.run(Repeating(world).task)
    assert fault.struck
    assert play.outcome() == OUTCOMES[name]


@pytest.mark.parametrize("name", ACTS)
def test_a_task_that_is_repeated_answers_the_same_and_changes_nothing(world: World, name: str) -> None:
    play = Play(world, name)
    play.run(world.task)
    before = play.outcome()
    payload = next(one for one in world.started.values() if '"automation":"plan"' in one)
    world.started = {"the one": payload}
    answer = repeated(world, "act", "here")
    assert (answer["n"], answer["next"]) == (1, "")
    assert play.outcome() == before


def test_whoever_left_meanwhile_is_changed_no_more(world: World) -> None:
    play = Play(world, "update")

    def before(call: Call) -> None:
        if world.running == "act" and call.name == TRANSACTION:
            world.recorder.before = None
            world.erase(world.contact(user_id="ada")["contact"])

    world.recorder.before = before
    with pytest.raises(Exception, match="here") as caught:
        play.run(world.task)
    assert type(caught.value).__name__ == "EnrolmentOver"
    assert world.call("contacts", "GET /v1/contacts", query={"user_id": "ada"})[1].get("contacts", []) == []
