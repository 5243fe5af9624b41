"""Leaving and succeeding: what lets people out, what is asked before a step, and what counts as reaching the goal."""

from __future__ import annotations

from typing import Any

from tests.support.world import World

from benchmarks.operations.costs import Step, operation
from benchmarks.operations.preparing import SECOND, TIPS, known, on_the_way, plan, task_of, told
from benchmarks.samples import TRAITS, from_python

GROUP = "leaving"

REST: dict[str, Any] = {"type": "wait", "for": "1 day", "next": "only"}
ONLY: dict[str, Any] = {"type": "filter", "when": {"trait": "plan", "is": "team"}, "next": "tips"}
DOORS: dict[str, Any] = {
    **plan({}),
    "exits": [
        {"name": "Has bought", "event": "Paid", "where": {"property": "total", "at_least": 10}},
        {"name": "Is a partner", "when": {"trait": "plan", "is": "partner"}},
        {"name": "Complained", "when": {"did": "Complaint Filed", "at_least": 2, "since": "enrolment"}},
    ],
    "goal": {"event": "Subscribed", "within": "10 days"},
    "start": "rest",
    "components": {"rest": REST, "only": ONLY, "tips": TIPS},
}


def inside(world: World) -> None:
    """Somebody rests inside an automation with three exits and a goal."""
    on_the_way(world, "rest", definition=DOORS)
    world.now += SECOND


@operation(GROUP, "step before which three exits are asked")
def step_with_exits(world: World) -> Step:
    """Two of them ask for events, one of them for the trait that is read anyway."""
    return task_of(world, on_the_way(world, "only", definition=DOORS))


@operation(GROUP, "event that lets somebody out")
def let_out(world: World) -> Step:
    """They rest, and their execution is stopped."""
    inside(world)
    return told(world, from_python("track", "ada", 2, event="Paid", properties={"total": 12}))


@operation(GROUP, "event that would, but not like this")
def not_let_out(world: World) -> Step:
    """The exit's condition does not hold for it."""
    inside(world)
    return told(world, from_python("track", "ada", 2, event="Paid", properties={"total": 2}))


@operation(GROUP, "event of nobody who is inside, which lets people out")
def let_out_nobody(world: World) -> Step:
    """Where they would be is looked at."""
    inside(world)
    known(world, "bob")
    world.now += SECOND
    return told(world, from_python("track", "bob", 2, event="Paid", properties={"total": 12}))


@operation(GROUP, "change of a contact, where exits ask for traits")
def changed(world: World) -> Step:
    """What every exit asks is asked, and lets nobody out."""
    inside(world)
    later = "2026-11-21T09:00:00.520417+00:00"
    return told(world, from_python("identify", "ada", 2, traits={**TRAITS, "plan": "business"}, timestamp=later))


@operation(GROUP, "event that is the goal")
def converted(world: World) -> Step:
    """Counted for the one component on their way that decided: none yet."""
    inside(world)
    return told(world, from_python("track", "ada", 2, event="Subscribed"))


@operation(GROUP, "event that is the goal, again")
def converted_again(world: World) -> Step:
    """Who converted is looked for no further."""
    inside(world)
    told(world, from_python("track", "ada", 2, event="Subscribed"))()
    world.now += SECOND
    return told(world, from_python("track", "ada", 3, event="Subscribed"))
