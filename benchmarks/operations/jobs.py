"""Work of `run_jobs` on everybody inside an automation: the page of a job, each by themselves, machines, dates."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.support.lifecycle import go
from tests.support.world import World

from benchmarks.operations.costs import Preparation, Step, operation
from benchmarks.operations.dates import BIRTHDAY, BORN
from benchmarks.operations.lifecycle import MORE, apply, order
from benchmarks.operations.preparing import SECOND, automated, must
from benchmarks.samples import PROPERTIES, TRAITS, from_python

GROUP = "jobs"
CROWD = 12

Bodies = list[dict[str, Any]]


def crowd(world: World, size: int = CROWD) -> None:
    """People inside an automation, who rest there."""
    automated(world)
    for number in range(size):
        user = f"person-{number}"
        identify = {**TRAITS, "email": f"{user}@people.example"}
        must(world.ingest("identify", from_python("identify", user, traits=identify)))
        must(world.ingest("track", from_python("track", user, event="Signed Up", properties=PROPERTIES)))
    world.pump()
    world.run(timedelta(hours=1))


def working(world: World, bodies: Bodies) -> Step:
    """The step of `run_jobs` for messages of its queue."""
    records = [{"messageId": f"q-{number}", "body": json.dumps(body)} for number, body in enumerate(bodies)]

    def step() -> None:
        answer = world.invoke("run_jobs", {"Records": records})
        assert answer == {"batchItemFailures": []}, answer

    return step


def taken(world: World, kind: Callable[[dict[str, Any]], bool], rounds: int = 100) -> Bodies:
    """The queue's messages of a kind; all others that come before them are worked off."""
    for _ in range(rounds):
        bodies = world.messages_in("jobs")
        wanted = [body for body in bodies if kind(body)]
        if wanted:
            return wanted
        world.now += timedelta(seconds=world.delayed)
        world.delayed = 0
        working(world, bodies)()
    raise AssertionError("there is no such message")


@operation(GROUP, "the first page of a job, 12 people inside")
def page(world: World) -> Step:
    """Each is handed on as a message of its own."""
    crowd(world)
    order(world, "end")
    return working(world, taken(world, lambda body: "kind" in body))


@operation(GROUP, "one person ended")
def ended(world: World) -> Step:
    """They rest, and their execution is stopped."""
    crowd(world, 2)
    order(world, "end")
    first, second = taken(world, lambda body: body.get("do") == "end")
    working(world, [first])()
    return working(world, [second])


@operation(GROUP, "one person resumed after a pause")
def resumed(world: World) -> Step:
    """They were parked before their second mail."""
    crowd(world, 2)
    order(world, "pause", {"what": "all"})
    go(world, days=2)
    order(world, "resume")
    first, second = taken(world, lambda body: body.get("do") == "resume")
    working(world, [first])()
    return working(world, [second])


def sweeping(last: bool) -> Preparation:
    """The sweep after a new version, nobody being inside the one before: its first message, or the second."""

    def prepare(world: World) -> Step:
        automated(world)
        world.now += SECOND
        apply(world, MORE)
        order(world, "publish")
        world.now += timedelta(seconds=world.delayed)
        first = world.messages_in("jobs")
        if not last:
            return working(world, first)
        working(world, first)()
        return working(world, world.messages_in("jobs"))

    return prepare


sweep_begins = operation(GROUP, "a machine marked to be deleted")(sweeping(last=False))
sweep_ends = operation(GROUP, "a machine deleted, one person having been through")(sweeping(last=True))


@operation(GROUP, "dates of 50 people written down")
def armed(world: World) -> Step:
    """All of one minute; the whole of the first round."""
    automated(world)
    for number in range(50):
        user = f"person-{number}"
        must(world.ingest("identify", from_python("identify", user, traits={**TRAITS, "birthday": BORN, "email": ""})))
    world.pump()
    world.automation(BIRTHDAY)
    world.now += timedelta(seconds=world.delayed)
    return working(world, world.messages_in("jobs"))
