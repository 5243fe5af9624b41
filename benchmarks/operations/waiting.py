"""Waiting for an event: how it begins, ends by the event, and ends without it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.machine import Execution
from tests.support.world import World

from benchmarks.operations.costs import Step, operation
from benchmarks.operations.preparing import (
    SECOND,
    TEMPLATE,
    TIPS,
    automated,
    known,
    on_the_way,
    plan,
    task_of,
    tell,
    told,
)
from benchmarks.samples import from_python

GROUP = "waiting"

AWAITING: dict[str, Any] = {
    "automation": "awaiting",
    "trigger": {"event": "Booking Requested"},
    "start": "ask",
    "components": {
        "ask": {"type": "send_email", "template": TEMPLATE, "next": "answer"},
        "answer": {
            "type": "wait_for",
            "arms": [{"name": "yes", "event": "Answered", "where": {"property": "meaning", "is": "confirm"}}],
            "timeout": "2 days",
        },
    },
}
# The wait by itself, and one for what answers the mail before it, on any channel.
FIRST_OF_ALL = {**plan({}), "start": "answer", "components": {"answer": AWAITING["components"]["answer"]}}
ANSWERED: dict[str, Any] = {
    **FIRST_OF_ALL,
    "start": "ask",
    "components": {
        "ask": {**TIPS, "next": "answer"},
        "answer": {"type": "inbound_message", "of": "ask", "timeout": "2 days"},
    },
}


def asked(world: World) -> Execution:
    """Somebody who was asked something, right before they begin to wait for their answer."""
    automated(world)
    world.automation(AWAITING)
    tell(world, from_python("track", "warm", 1, event="Booking Requested"))
    world.run()
    tell(world, from_python("track", "warm", 2, event="Answered", properties={"meaning": "confirm"}))
    known(world, "ada")
    tell(world, from_python("track", "ada", 1, event="Booking Requested"))
    execution = list(world.executions.values())[-1]
    execution.step(world.task, world.now)
    world.pump()
    world.now += SECOND
    return execution


def waits(world: World) -> None:
    """Somebody waits who goes by one id, inside of the version that is live."""
    asked(world).step(world.task, world.now)
    tell(world, from_python("track", "ada", 2, event="Viewed"))
    world.now += SECOND


def answering(meaning: str) -> dict[str, Any]:
    """What Ada answers."""
    return from_python("track", "ada", 3, event="Answered", properties={"meaning": meaning})


@operation(GROUP, "begins, behind a mail")
def wait_begins(world: World) -> Step:
    """What was asked is remembered, and its message is looked at for when it went."""
    execution = asked(world)
    return lambda: execution.step(world.task, world.now)


@operation(GROUP, "begins, before anything else")
def wait_begins_first(world: World) -> Step:
    """Nothing acted before it, so it counts from the event that they entered by."""
    return task_of(world, on_the_way(world, "answer", definition=FIRST_OF_ALL))


@operation(GROUP, "begins, for what answers the mail before it, on any channel")
def wait_begins_for_answer(world: World) -> Step:
    """Which message has to be answered is found among the steps taken."""
    return task_of(world, on_the_way(world, "answer", definition=ANSWERED))


@operation(GROUP, "begins, and the event has come before")
def wait_begins_late(world: World) -> Step:
    """The machine is told at once."""
    execution = asked(world)
    tell(world, answering("confirm"))
    return lambda: execution.step(world.task, world.now)


@operation(GROUP, "event that wakes whoever waits for it")
def waking(world: World) -> Step:
    """A step, and an answer to the machine."""
    waits(world)
    return told(world, answering("confirm"))


@operation(GROUP, "event that is waited for, but not like this")
def not_waking(world: World) -> Step:
    """The condition does not hold for it."""
    waits(world)
    return told(world, answering("decline"))


@operation(GROUP, "in vain")
def wait_ends(world: World) -> Step:
    """The time is over, and nothing came."""
    execution = asked(world)
    execution.step(world.task, world.now)
    world.now += timedelta(days=2)
    execution.step(world.task, world.now)
    return lambda: execution.step(world.task, world.now)
