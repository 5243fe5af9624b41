"""Automations that a date of the contact starts: writing dates down, and the minute in which they come round."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.world import World

from benchmarks.operations.costs import Preparation, Step, operation
from benchmarks.operations.preparing import SECOND, TIPS, automated, known, must, tell, told
from benchmarks.samples import PROPERTIES, TRAITS, from_browser, from_python

GROUP = "dates"

BIRTHDAY: dict[str, Any] = {
    "automation": "birthday",
    "trigger": {"date": {"trait": "birthday", "every": "year", "at": "09:00"}},
    "start": "tips",
    "components": {"tips": TIPS},
}
BORN = "1990-12-01"


def celebrated(world: World) -> None:
    """An automation that a birthday starts; everybody's who is known is written down, and one has come round."""
    automated(world)
    world.automation(BIRTHDAY)
    known(world, "anna", birthday="1990-11-24")
    world.work_jobs()
    world.run(timedelta(days=1))
    assert len(world.ses.to("anna@people.example")) == 1
    world.now += SECOND


def dated(*users: str) -> Preparation:
    """The minute in which the birthdays of some people come round."""

    def prepare(world: World) -> Step:
        celebrated(world)
        for user in users:
            identify = from_python("identify", user, traits={**TRAITS, "birthday": BORN})
            must(world.ingest("identify", {**identify, "traits": {**identify["traits"], "email": f"{user}@p.example"}}))
        world.pump()
        execution = list(world.executions.values())[-1]
        world.now = execution.wait() or world.now
        execution.step(world.task, world.now)

        def step() -> None:
            execution.step(world.task, world.now)

        return step

    return prepare


def setting(before: str, *others: str) -> Preparation:
    """An event that sets the birthday of somebody who is known."""

    def prepare(world: World) -> Step:
        celebrated(world)
        for user in others:
            known(world, user, birthday=BORN)
        known(world, "ada", **({"birthday": before} if before else {}))
        world.now += SECOND
        later = {"traits": {**TRAITS, "birthday": BORN}, "timestamp": "2026-11-21T09:00:00.520417+00:00"}
        return told(world, from_python("identify", "ada", 1, **later))

    return prepare


date_set_first = operation(GROUP, "event that sets a date, the first of its minute")(setting(""))
date_set = operation(GROUP, "event that sets a date, where others have the same minute")(setting("", "bob"))


@operation(GROUP, "event of a server, where automations go by dates")
def server_event(world: World) -> Step:
    """It tells of no place, and so of no other zone."""
    celebrated(world)
    known(world, "ada", birthday=BORN)
    world.now += SECOND
    return told(world, from_python("track", "ada", 1, event="Viewed", properties=PROPERTIES))


@operation(GROUP, "event of a browser, where automations go by dates")
def browser_event(world: World) -> Step:
    """It tells of a zone, in which the contact is already."""
    celebrated(world)
    known(world, "ada", birthday=BORN)
    tell(world, from_browser("track", "ada", 1, event="Viewed"))
    world.now += SECOND
    return told(world, from_browser("track", "ada", 2, event="Viewed"))


minute_of_one = operation(GROUP, "a minute in which one person's date comes round")(dated("ada"))
minute_of_many = operation(GROUP, "a minute in which those of 100 people do")(
    dated(*(f"person-{number}" for number in range(100)))
)


@operation(GROUP, "event by which the agenda tells of a date")
def date_reached(world: World) -> Step:
    """It enrols, as any other event does."""
    dated("ada")(world)()
    records = world.new_records()

    def step() -> None:
        answer = world.invoke("react", {"Records": records})
        assert answer == {"batchItemFailures": []}, answer

    return step
