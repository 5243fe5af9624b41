"""Ways through what waits, and what acts outside: what happens, and what must come of it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from tests.support.interpreters import go
from tests.support.plans import (
    DAY,
    HOOK,
    HOUR,
    MINUTE,
    Components,
    act,
    answer,
    at_call,
    begun,
    fails,
    mail,
    story,
    text,
    vanished,
)
from tests.support.servers import answered
from tests.support.world import World
from tidings.core.errors import Throttled

# --- what waits -------------------------------------------------------------------------------------------------------


@story("there=accepted", sent=1)
def a_wait_lasts(world: World) -> None:
    begun(world, {"here": {"type": "wait", "for": "2 days", "next": "there"}, "there": mail()})
    go(world, 3 * DAY)


@story("there=accepted", sent=1)
def a_date_is_past(world: World) -> None:
    begun(world, {"here": {"type": "wait", "until": "2026-01-01", "next": "there"}, "there": mail()})
    go(world)


@story("", state="", sent=0)
def a_date_is_past_at_the_very_start(world: World) -> None:
    """There is no way for whom there is nothing to do."""
    wait = {"type": "wait", "until": {"property": "day"}, "if_past": "leave", "next": "there"}
    begun(world, {"here": wait, "there": mail()})
    go(world)


DOORS: Components = {
    "here": mail(next="pause"),
    "pause": {"type": "wait", "for": "1 day", "next": "doors"},
    "doors": {"type": "wait", "until": {"property": "day"}, "if_past": "leave", "next": "there"},
    "there": mail(),
}


@story("here=accepted there=accepted", sent=2)
def a_date_behind_a_wait_is_to_come(world: World) -> None:
    begun(world, DOORS, properties={"day": "2026-11-25"})
    go(world, 5 * DAY)


@story("here=accepted", sent=1)
def a_date_behind_a_wait_is_past(world: World) -> None:
    begun(world, DOORS, properties={"day": "2026-11-22T08:00:00Z"})
    go(world, 5 * DAY)


ANSWER: Components = {
    "here": mail(next="wait"),
    "wait": {
        "type": "wait_for",
        "arms": [
            {"name": "Yes", "event": "Answered", "where": {"property": "meaning", "is": "yes"}, "next": "there"},
            {"name": "No", "event": "Answered", "where": {"property": "meaning", "is": "no"}},
        ],
        "timeout": "2 days",
        "on_timeout": "reminder",
    },
    "there": mail(),
    "reminder": text(),
}


@story("here=accepted wait=Yes there=accepted", sent=2)
def somebody_says_yes(world: World) -> None:
    begun(world, ANSWER)
    go(world, HOUR)
    world.track("ada", "Answered", meaning="perhaps")
    world.track("ada", "Answered", meaning="yes")
    go(world, 3 * DAY)


@story("here=accepted wait=No", sent=1)
def somebody_says_no(world: World) -> None:
    begun(world, ANSWER)
    go(world, HOUR)
    world.track("ada", "Answered", meaning="no")
    world.track("ada", "Answered", meaning="yes")
    go(world, 3 * DAY)


@story("here=accepted wait=timeout reminder=accepted", sent=2)
def nobody_says_anything(world: World) -> None:
    begun(world, ANSWER)
    go(world, 3 * DAY)


@story("here=accepted wait=Yes there=accepted", sent=2)
def an_answer_is_faster_than_the_wait(world: World) -> None:
    begun(world, ANSWER)
    at_call(world, "wait_for", lambda: world.ingest("track", answer(world)))
    go(world)
    assert not world.recorder.before
    go(world, 3 * DAY)


@story("here=accepted wait=Yes there=accepted", sent=2)
def an_answer_comes_in_time_that_nobody_has_reacted_to(world: World) -> None:
    begun(world, ANSWER)
    go(world, DAY)
    assert world.ingest("track", answer(world))[0] == 200
    execution = list(world.executions.values())[-1]
    world.now += DAY
    execution.step(world.task, world.now)
    go(world, DAY)


@story("here=accepted wait=Yes there=accepted", sent=2)
def a_wait_has_to_be_registered_twice(world: World) -> None:
    begun(world, ANSWER)
    at_call(world, "wait_for", partial(fails, Throttled("slow_down", "not now")))
    go(world, HOUR)
    world.track("ada", "Answered", meaning="yes")
    go(world, 3 * DAY)


@story("here=accepted wait=Yes there=accepted", sent=2)
def whoever_was_lost_goes_on_waiting(world: World) -> None:
    begun(world, ANSWER)
    go(world, DAY)
    vanished(world)
    act(world, "resume", {"lost": True})
    go(world, HOUR)
    world.track("ada", "Answered", meaning="yes")
    go(world, 3 * DAY)


@story("here=accepted wait=timeout reminder=accepted", sent=2)
def whoever_was_lost_waits_no_longer_than_was_left(world: World) -> None:
    begun(world, ANSWER)
    go(world, DAY)
    vanished(world)
    act(world, "resume", {"lost": True})
    go(world, DAY)


WRITES: Components = {
    "here": text(two_way=True, conversation="new", next="wait"),
    "wait": {"type": "inbound_message", "of": "here", "timeout": "1 day", "next": "there", "on_timeout": "end"},
    "there": {"type": "assign_conversation", "inbox": "sales", "next": "mail", "on_none": "end"},
    "mail": mail(),
    "end": {"type": "end"},
}


def sales(world: World) -> None:
    status, _ = world.call("policy", "PUT /v1/inboxes/{inbox}", {"title": "Sales"}, path={"inbox": "sales"})
    assert status == 200


@story("here=accepted wait=answered there=assigned mail=accepted", sent=2)
def somebody_writes(world: World) -> None:
    sales(world)
    begun(world, WRITES)
    go(world, HOUR)
    world.receive(world.text("Hello", answers="sms-1"))
    go(world, HOUR)


@story("here=accepted wait=timeout", sent=1)
def nobody_writes(world: World) -> None:
    sales(world)
    begun(world, WRITES)
    go(world, 2 * DAY)


@story("here=none there=accepted", sent=1)
def nothing_is_to_assign(world: World) -> None:
    sales(world)
    begun(world, {"here": {**WRITES["there"], "on_none": "there"}, "there": mail(), "mail": mail()})
    go(world)


# --- what acts outside ------------------------------------------------------------------------------------------------

CALLS = {"type": "webhook", "url": "", "next": "there", "on_failed": "sorry"}


def calling(world: World, *answers: bytes, until: timedelta = DAY) -> None:
    HOOK[0].answers = list(answers)
    world.now += MINUTE
    begun(world, {"here": {**CALLS, "url": HOOK[0].url}, "there": mail(), "sorry": text()})
    go(world, until)


@story("here=answered there=accepted", sent=1)
def a_server_answers(world: World) -> None:
    calling(world, answered(200, b"{}"))


@story("here=failed sorry=accepted", sent=1)
def a_server_refuses(world: World) -> None:
    calling(world, answered(404))


@story("here=answered there=accepted", sent=1)
def a_server_answers_in_the_end(world: World) -> None:
    calling(world, answered(503), answered(503), answered(429), answered(200, b"{}"))


@story("here=failed sorry=accepted", sent=1)
def a_server_never_answers(world: World) -> None:
    calling(world, answered(503))


def updating(world: World, value: Any, trait: str = "plan") -> None:
    begun(world, {"here": {"type": "update_contact", "set": {trait: value}, "next": "there"}, "there": mail()})
    go(world)


@story("here=updated there=accepted", sent=1)
def a_trait_is_changed(world: World) -> None:
    updating(world, "free")


@story("here=unchanged there=accepted", sent=1)
def a_trait_is_so_already(world: World) -> None:
    updating(world, "team")


@story("here=refused there=accepted", sent=1)
def a_trait_may_not_be_so(world: World) -> None:
    updating(world, "nobody", "email")


@story("here=requested there=accepted", sent=2)
def another_automation_is_started(world: World) -> None:
    other = {"automation": "other", "trigger": {"api": True}, "start": "hello", "components": {"hello": text()}}
    world.automation(other)
    begun(world, {"here": {"type": "start_automation", "automation": "other", "next": "there"}, "there": mail()})
    go(world)
