"""What one person costs on the whole of their way through an automation: states, invocations, AWS calls and units.

The reference automation is two mails, a wait for an event that leads apart, and a timed wait. Counted in the machine
that runs it: the states entered, and how often machines invoke functions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.support.machine import Execution
from tests.support.world import World

from benchmarks.operations.costs import Cost, counted, worlds

DAY = timedelta(days=1)
REFERENCE: dict[str, Any] = {
    "automation": "reference",
    "trigger": {"event": "Order Placed"},
    "start": "thanks",
    "components": {
        "thanks": {"type": "send_email", "template": "thanks", "next": "answer"},
        "answer": {
            "type": "wait_for",
            "arms": [{"name": "Rated", "event": "Order Rated", "next": "more"}],
            "timeout": "3 days",
            "on_timeout": "sorry",
        },
        "more": {"type": "send_email", "template": "more", "next": "week"},
        "sorry": {"type": "send_email", "template": "sorry", "next": "week"},
        "week": {"type": "wait", "for": "4 days"},
    },
}
_PARTS = REFERENCE["components"]
_RATED = {"name": "rated", "when": {"did": "Order Rated", "since": "enrolment"}, "next": "more"}
# The same with a branch behind the wait, which asks what the wait knows.
ASKING: dict[str, Any] = {
    **REFERENCE,
    "components": {
        **_PARTS,
        "answer": {
            **_PARTS["answer"],
            "arms": [{"name": "Rated", "event": "Order Rated", "next": "stars"}],
            "on_timeout": "stars",
        },
        "stars": {"type": "branch", "arms": [_RATED], "otherwise": "sorry"},
    },
}
# The same with a wait until a date that nobody knows before: an execution may not last as long.
RESTING: dict[str, Any] = {
    **REFERENCE,
    "components": {**_PARTS, "week": {"type": "wait", "until": {"trait": "renews"}}},
}
WAYS = (
    ("the event comes", REFERENCE, True),
    ("the event never comes", REFERENCE, False),
    ("a branch behind the wait, the event comes", ASKING, True),
    ("a branch behind the wait, it never comes", ASKING, False),
    ("an execution that may have to rest, the event comes", RESTING, True),
)


@dataclass(frozen=True)
class Way:
    """One way: the states entered, which functions machines invoked, and all that was called from first to last."""

    name: str
    states: tuple[str, ...]
    invoked: Mapping[str, int]
    cost: Cost

    def as_dict(self) -> dict[str, Any]:
        """The way for a JSON file."""
        return {"way": self.name, "states": self.states, "invocations": self.invoked, **self.cost.as_dict()}


def ready(world: World, definition: dict[str, Any], *users: str) -> None:
    """The automation published, with all that it sends, and people who may be written to."""
    for template in ("thanks", "more", "sorry"):
        world.template(template)
    world.automation(definition)
    for user in users:
        world.identify(user, email=f"{user}@people.example")


def passed(world: World, definition: dict[str, Any], comes: bool, user: str = "ada") -> tuple[Execution, Counter[str]]:
    """Somebody's way through a published automation, and how often machines invoked each function."""
    invoked: Counter[str] = Counter()
    task = world.task

    def noted(arn: str, payload: dict[str, Any]) -> dict[str, Any]:
        invoked[arn.rpartition(":")[2]] += 1
        return task(arn, payload)

    vars(world)["task"] = noted
    world.track(user, definition["trigger"]["event"])
    world.run(DAY)
    if comes:
        world.track(user, "Order Rated")
    world.run(8 * DAY)
    vars(world)["task"] = task
    execution = list(world.executions.values())[-1]
    assert execution.is_over
    return execution, invoked


def ways() -> list[Way]:
    """Every way, each in a world of its own in which somebody has gone it before."""
    found = []
    with worlds() as fresh:
        for name, definition, comes in WAYS:
            with fresh() as world:
                ready(world, definition, "bob", "ada")
                passed(world, definition, comes, "bob")
                went: list[tuple[Execution, Counter[str]]] = []
                cost = counted(world, lambda: went.append(passed(world, definition, comes)))  # noqa: B023 - at once
                ((execution, invoked),) = went
                found.append(Way(name, tuple(execution.states), dict(invoked), cost))
    return found
