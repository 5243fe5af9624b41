"""What `react` does about an event that starts an automation, or is refused by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.world import World

from benchmarks.operations.costs import Step, operation
from benchmarks.operations.preparing import WELCOME, automated, known, tell, told
from benchmarks.samples import PROPERTIES, from_python


@operation("entering", "event that enrols")
def enrolment(world: World) -> Step:
    """The trigger of an automation; the event says something that conditions may ask for."""
    automated(world)
    known(world, "ada")
    world.now += timedelta(seconds=1)
    return told(world, from_python("track", "ada", event="Signed Up", properties=PROPERTIES))


@operation("entering", "event that enrols, without properties")
def enrolment_without_properties(world: World) -> Step:
    """The trigger of an automation; the event says nothing more."""
    automated(world)
    known(world, "ada")
    world.now += timedelta(seconds=1)
    return told(world, from_python("track", "ada", event="Signed Up"))


@operation("entering", "event that enrols, repeated")
def enrolment_repeated(world: World) -> Step:
    """The stream delivers the trigger a second time."""
    step = enrolment(world)
    step()
    return step


def ruled(world: World, **rules: Any) -> Step:
    """Somebody who did it once does it again, where an automation has rules of its own for that."""
    automated(world)
    world.automation({**WELCOME, "automation": "ruled", "trigger": {"event": "Ordered"}, **rules})
    known(world, "ada")
    for user, number in (("warm", 1), ("warm", 2), ("ada", 1)):
        world.now += timedelta(seconds=1)
        tell(world, from_python("track", user, number, event="Ordered", properties=PROPERTIES))
    world.now += timedelta(seconds=1)
    return told(world, from_python("track", "ada", 2, event="Ordered", properties=PROPERTIES))


@operation("entering", "event that enrols, where entries are counted")
def enrolment_counted(world: World) -> Step:
    """The automation takes somebody in so many times."""
    return ruled(world, reentry={"at_most": 5})


@operation("entering", "event that enrols for each value of a property, where entries and ways are counted")
def enrolment_counted_per_value(world: World) -> Step:
    """So many times for each value, and so many at once."""
    return ruled(world, reentry={"per": "plan", "at_most": 5, "parallel": 5})


@operation("entering", "event that a trigger's condition refuses")
def refused_by_condition(world: World) -> Step:
    """Why is kept."""
    return ruled(world, trigger={"event": "Ordered", "where": {"trait": "plan", "is": "none"}})


@operation("entering", "event that is refused, since they entered once")
def refused_by_once(world: World) -> Step:
    """Why is kept."""
    return ruled(world, reentry="once")


@operation("entering", "event that is refused, since they entered lately")
def refused_by_count(world: World) -> Step:
    """Why is kept."""
    return ruled(world, reentry={"interval": "1 day"})


@operation("entering", "event that is refused, since they are in it already")
def refused_by_ways(world: World) -> Step:
    """It is looked at first whether they still are; why is kept."""
    return ruled(world, reentry={"parallel": 1})
