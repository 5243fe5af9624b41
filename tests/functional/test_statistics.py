"""What is counted of automations: how many came, acted, were skipped, left and wait at each component, and who."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.support.world import World

from tidings.automations.enrolments.model import EnrolmentParked

TOUR = {
    "automation": "tour",
    "trigger": {"event": "Signed Up"},
    "exits": [{"name": "Account closed", "event": "Account Closed"}],
    "start": "pause",
    "components": {
        "pause": {"type": "wait", "for": "1 day", "next": "rest"},
        "rest": {"type": "wait", "for": "2 days", "next": "tips"},
        "tips": {"type": "send_email", "template": "tips", "next": "answer"},
        "answer": {
            "type": "wait_for",
            "arms": [{"name": "Began", "event": "Project Created", "next": "done"}],
            "timeout": "3 days",
            "on_timeout": "again",
        },
        "again": {"type": "send_email", "template": "tips"},
        "done": {"type": "end"},
    },
}
DAY = timedelta(days=1)


@pytest.fixture
def acme(world: World) -> World:
    """A workspace with a tour of two mails and two waits in a row."""
    world.template("tips", kind="marketing")
    world.automation(TOUR)
    return world


def enter(world: World, *users: str) -> None:
    """Let people sign up; whose name ends with `0` has no address."""
    for user in users:
        traits = {} if user.endswith("0") else {"email": f"{user}@people.example"}
        world.identify(user, plan="team", **traits)
        world.track(user, "Signed Up")
        world.now += timedelta(seconds=1)


def ask(world: World, route: str, path: dict[str, str] | None = None, **query: str) -> tuple[int, dict[str, Any]]:
    given = {"name": "tour", **(path or {})}
    return world.call("statistics", f"GET /v1/automations/{{name}}/{route}", path=given, query=query)


def told(world: World, **query: str) -> dict[str, Any]:
    """The numbers of the tour."""
    status, answer = ask(world, "statistics", **query)
    assert status == 200, answer
    return answer


def of(world: World, component: str, **query: str) -> dict[str, Any]:
    """What is told of a component; it always adds up."""
    (found,) = [one for one in told(world, **query)["components"] if one["component"] == component]
    assert found["entered"] == found["acted"] + found["skipped"] + found["left"] + found["waiting"], found
    return {name: found[name] for name in ("entered", "acted", "skipped", "left", "waiting")}


def people(world: World, component: str, **query: str) -> list[dict[str, Any]]:
    """Everybody whom a list of a component tells, over all of its pages."""
    found, cursor = [], ""
    for _ in range(50):
        status, answer = ask(
            world,
            "components/{component}/people",
            {"component": component},
            **query,
            **({"cursor": cursor} if cursor else {}),
        )
        assert status == 200, answer
        found += answer["people"]
        cursor = answer["cursor"]
        if not cursor:
            return found
    return pytest.fail("the list never ended")


def numbers(entered: int, acted: int = 0, skipped: int = 0, left: int = 0, waiting: int = 0) -> dict[str, int]:
    return {"entered": entered, "acted": acted, "skipped": skipped, "left": left, "waiting": waiting}


def test_nobody_is_counted_before_anybody_entered(acme: World) -> None:
    answer = told(acme)
    assert (answer["started"], answer["inside"], answer["conversion_rate"]) == (0, 0, None)
    assert of(acme, "pause") == numbers(0)


def test_people_are_counted_where_they_are_in_a_chain_of_waits(acme: World) -> None:
    enter(acme, "u1", "u2")
    acme.run(DAY / 2)
    enter(acme, "u3")
    assert of(acme, "pause") == numbers(3, waiting=3)
    acme.run(DAY / 2 + timedelta(hours=1))
    assert of(acme, "pause") == numbers(3, acted=2, waiting=1)
    assert of(acme, "rest") == numbers(2, waiting=2)
    acme.run(DAY * 2)
    assert of(acme, "rest") == numbers(3, acted=2, waiting=1)
    assert of(acme, "tips") == numbers(2, acted=2)
    assert of(acme, "answer") == numbers(2, waiting=2)


def test_so_many_are_looked_at_in_all_and_beyond_that_the_answer_says_that_it_is_not_exact(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(acme, "u1", "u2")
    acme.run(DAY + timedelta(hours=1))
    assert [of(acme, name) for name in ("pause", "rest")] == [numbers(2, acted=2), numbers(2, waiting=2)]
    monkeypatch.setattr("tidings.automations.statistics.service.LOOKED_AT_IN_ALL", 0)
    before = len(acme.recorder.calls)
    answer = told(acme)["components"]
    asked = [call.arguments.get("IndexName") for call in acme.recorder.calls[before:]]
    assert "standing" not in asked
    found = {one["component"]: one for one in answer}
    assert found["pause"]["waiting"] + found["rest"]["waiting"] == 2
    assert {name: one["waiting_is_exact"] for name, one in found.items() if name in ("pause", "rest", "tips")} == {
        "pause": False,
        "rest": False,
        "tips": False,
    }
    assert found["answer"]["waiting_is_exact"] is True


def test_who_is_skipped_is_counted_by_the_reason_and_listed_with_it(acme: World) -> None:
    enter(acme, "u1", "u0")
    acme.run(DAY * 4)
    (tips,) = [one for one in told(acme)["components"] if one["component"] == "tips"]
    assert (tips["acted"], tips["skipped"], tips["reasons"]) == (1, 1, {"skipped": {"address": 1}})
    (skipped,) = people(acme, "tips", outcome="skipped")
    assert skipped["contact"] == acme.contact(user_id="u0")["contact"]
    assert skipped["why"]["check"] == "address"


def test_who_finishes_leaves_or_fails_is_counted_once_and_by_name(acme: World) -> None:
    enter(acme, "u1", "u2", "u3")
    acme.run(DAY / 2)
    acme.track("u3", "Account Closed")
    acme.run(DAY * 3)
    acme.track("u1", "Project Created")
    acme.run(DAY * 10)
    answer = told(acme)
    assert (answer["started"], answer["finished"], answer["inside"]) == (3, 2, 0)
    assert (answer["exited"], answer["exits"], answer["failed"]) == (1, {"Account closed": 1}, 0)
    assert of(acme, "pause") == numbers(3, acted=2, left=1)
    assert of(acme, "answer") == numbers(2, acted=2)
    assert of(acme, "done") == numbers(1, acted=1)
    assert of(acme, "again") == numbers(1, acted=1)


def test_a_failed_run_is_taken_back_when_it_is_resumed(acme: World) -> None:
    enter(acme, "u1")
    arn = next(iter(acme.executions))
    detail = {"executionArn": arn, "status": "FAILED", "input": acme.started[arn], "error": "States.TaskFailed"}
    for _ in range(2):
        acme.invoke("settle_executions", {"detail": detail})
    answer = told(acme)
    assert (answer["failed"], answer["inside"]) == (1, 0)
    assert of(acme, "pause") == numbers(1, left=1)


def test_versions_are_told_apart_and_together(acme: World) -> None:
    enter(acme, "u1")
    acme.automation({**TOUR, "description": "another"})
    enter(acme, "u2")
    assert [(one["version"], one["started"]) for one in told(acme)["versions"]] == [(2, 1), (1, 1)]
    assert of(acme, "pause", version="2") == numbers(1, waiting=1)
    assert of(acme, "pause") == numbers(2, waiting=2)
    assert ask(acme, "statistics", version="3")[0] == 404
    assert ask(acme, "statistics", version="one")[0] == 400


def test_who_waits_is_listed_with_until_when(acme: World) -> None:
    enter(acme, "u1", "u2")
    acme.run(timedelta(days=1, hours=1))
    assert people(acme, "pause", who="waiting") == []
    waiting = people(acme, "rest", who="waiting", limit="1")
    assert {one["contact"] for one in waiting} == {acme.contact(user_id=u)["contact"] for u in ("u1", "u2")}
    assert {one["until"][:10] for one in waiting} == {"2026-11-24"}
    acme.run(DAY * 3)
    assert [one["contact"] for one in people(acme, "answer", who="waiting")] == [
        one["contact"] for one in sorted(waiting, key=lambda one: one["until"])
    ]


def test_who_passed_a_wait_is_listed_and_as_many_as_are_counted(acme: World) -> None:
    def passed(wait: str) -> list[str]:
        found = people(acme, wait, limit="1")
        assert len(found) == of(acme, wait)["acted"]
        assert [one["outcome"] for one in found] == ["waited"] * len(found)
        return sorted(one["contact"] for one in found)

    enter(acme, "u1", "u2", "u3")
    ada, bob, cleo = (acme.contact(user_id=user)["contact"] for user in ("u1", "u2", "u3"))
    assert passed("pause") == passed("rest") == []
    acme.run(DAY / 2)
    acme.track("u3", "Account Closed")
    acme.run(DAY)
    assert passed("pause") == sorted([ada, bob]), "who left while they waited did not pass"
    assert passed("rest") == []
    acme.track("u2", "Account Closed")
    acme.run(DAY * 3)
    assert passed("pause") == sorted([ada, bob]), "who left later did"
    assert passed("rest") == [ada]
    (one,) = people(acme, "rest")
    assert one["path_at"].split("/")[-2] == ada
    assert (one["at"], one["next"], one["n"]) == (None, "tips", 0), "they began there, and acted since"
    assert people(acme, "rest", version="1") == people(acme, "rest", outcome="waited") == [one]
    assert people(acme, "rest", outcome="skipped") == []
    assert cleo not in passed("pause")


def test_who_is_parked_has_passed_the_waits_before(acme: World) -> None:
    enter(acme, "u1")
    acme.run(DAY)
    act = {"name": "tour", "action": "pause"}
    assert acme.call("automations", "POST /v1/automations/{name}/{action}", {"what": "all"}, path=act)[0] == 200
    with pytest.raises(EnrolmentParked):
        acme.run(DAY * 3)
    (way,) = acme.of_contact(acme.contact(user_id="u1")["contact"], "enrolments")
    assert way["state"] == "parked"
    assert of(acme, "rest")["acted"] == len(people(acme, "rest")) == len(people(acme, "pause")) == 1


def test_who_came_to_an_end_is_listed_with_the_way_that_led_there(acme: World) -> None:
    """By an outcome that leads there, past waits, and by both; whoever came to another end, or to none, is not."""
    done = {"type": "end"}
    pauses = {"later": {"type": "wait", "for": "1 day", "next": "last"}, "last": TOUR["components"]["pause"]}
    components: dict[str, Any] = {
        **TOUR["components"],
        **pauses,
        "answer": {**TOUR["components"]["answer"], "on_timeout": "later"},
        "last": {**pauses["last"], "next": "done"},
        "again": {"type": "send_email", "template": "tips", "next": "other"},
        "other": done,
    }
    arms = [*components["answer"]["arms"], {"name": "Asked", "event": "Asked", "next": "again"}]
    acme.automation({**TOUR, "components": {**components, "answer": {**components["answer"], "arms": arms}}})
    enter(acme, "u1", "u2", "u3", "u4")
    contacts = {user: acme.contact(user_id=user)["contact"] for user in ("u1", "u2", "u3", "u4")}
    acme.run(DAY * 3 + DAY / 2)
    acme.track("u1", "Project Created")
    acme.track("u2", "Asked")
    acme.run(DAY / 2)

    def ended(end: str) -> list[str]:
        found = people(acme, end, limit="1")
        assert len(found) == of(acme, end)["acted"]
        return sorted(one["contact"] for one in found)

    assert (ended("done"), ended("other")) == ([contacts["u1"]], [contacts["u2"]])
    (one,) = people(acme, "done")
    assert (one["outcome"], one["at"], one["next"], one["n"], one["version"]) == (
        "ended", "2026-11-24T21:00:04.000000Z", "", 2, 2)  # fmt: skip
    assert one["path_at"].split("/")[-2] == contacts["u1"]
    acme.run(DAY * 3)  # to the second pause of whoever did nothing
    acme.track("u4", "Account Closed")
    acme.run(DAY)
    assert ended("done") == sorted([contacts["u1"], contacts["u3"]])
    late = next(one for one in people(acme, "done") if one["contact"] == contacts["u3"])
    assert late["at"] == "2026-11-29T09:00:02.000000Z"
    assert people(acme, "done", version="2", outcome="ended") == people(acme, "done")
    assert people(acme, "done", outcome="waited") == people(acme, "done", version="1", who="waiting") == []


def test_everybody_who_entered_is_listed_page_by_page_and_by_state(acme: World) -> None:
    enter(acme, "u1", "u2", "u3")
    acme.track("u2", "Account Closed")
    found, cursor = [], ""
    while not found or cursor:
        status, answer = ask(acme, "enrolments", limit="1", **({"cursor": cursor} if cursor else {}))
        assert status == 200, answer
        found, cursor = [*found, *answer["enrolments"]], answer["cursor"]
    assert [one["contact"] for one in found] == [acme.contact(user_id=u)["contact"] for u in ("u3", "u2", "u1")]
    _, answer = ask(acme, "enrolments", state="exited")
    assert [one["contact"] for one in answer["enrolments"]] == [acme.contact(user_id="u2")["contact"]]
    assert ask(acme, "enrolments", state="gone")[0] == 400
    assert ask(acme, "enrolments", version="2")[1]["enrolments"] == []


def test_an_enrolment_tells_its_path_and_what_was_decided_about_each_message(acme: World) -> None:
    enter(acme, "u0")
    acme.run(DAY * 10)
    _, answer = ask(acme, "enrolments")
    path = answer["enrolments"][0]["path_at"].split("/")
    status, found = ask(acme, "enrolments/{contact}/{enrolment}", {"contact": path[-2], "enrolment": path[-1]})
    assert status == 200, found
    assert [step["component"] for step in found["path"]] == ["tips", "answer", "again"]
    assert found["path"][0]["message"]["decision"]["decided_by"] == "address"
    assert found["path"][1]["message"] is None
    assert ask(acme, "enrolments/{contact}/{enrolment}", {"contact": path[-2], "enrolment": "other"})[0] == 404


def test_what_is_not_there_is_said_to_be_missing(acme: World) -> None:
    status, answer = acme.call("statistics", "GET /v1/automations/{name}/statistics", path={"name": "other"})
    assert (status, answer["code"]) == (404, "unknown_automation")
    status, answer = ask(acme, "components/{component}/people", {"component": "missing"})
    assert (status, answer["code"]) == (404, "no_such_component")
    status, answer = ask(acme, "components/{component}/people", {"component": "tips"}, who="gone")
    assert (status, answer["code"]) == (400, "invalid_who")


def test_where_an_answer_has_no_room_for_why_the_latest_steps_tell_it_and_nobody_is_left_out(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(acme, "u0", "u1")
    acme.run(DAY * 10)
    contact = acme.contact(user_id="u0")["contact"]
    listed, (whole,) = people(acme, "tips"), acme.of_contact(contact, "enrolments")
    left_out = {"left_out": "the answer has no room for it"}
    latest = len(json.dumps(json.dumps(whole["path"][-1]["why"]))) + len(json.dumps(json.dumps(whole["why"])))
    monkeypatch.setattr("tidings.automations.statistics.room.ANSWER_BYTES", latest)
    (found,) = acme.of_contact(contact, "enrolments")
    assert found["path"] == [*({**step, "why": left_out} for step in whole["path"][:-1]), whole["path"][-1]]
    monkeypatch.setattr("tidings.automations.statistics.room.ANSWER_BYTES", 0)
    assert len(listed) == 2
    assert people(acme, "tips") == [{**one, "why": left_out} for one in listed]


def test_when_a_wait_was_over_is_told_where_a_step_led_to_it(acme: World) -> None:
    components = {
        "first": {"type": "send_email", "template": "tips", "next": "pause"},
        **{name: TOUR["components"][name] for name in ("pause", "rest")},
        "tips": {"type": "send_email", "template": "tips"},
    }
    acme.automation({**TOUR, "start": "first", "components": components})
    enter(acme, "u1")
    acme.run(DAY * 2)
    (one,) = people(acme, "pause")
    assert (one["at"], one["next"], one["n"], one["version"]) == ("2026-11-22T09:00:01.000000Z", "rest", 1, 2)
    acme.run(DAY * 3)
    assert people(acme, "pause") == [one]
    assert [each["at"] for each in people(acme, "rest")] == ["2026-11-24T09:00:01.000000Z"]
