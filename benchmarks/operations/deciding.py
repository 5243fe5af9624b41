"""Components that decide where somebody goes on: by traits, events, messages, answers or chance."""

from __future__ import annotations

from typing import Any

from tests.support.world import World

from benchmarks.operations.costs import Step, operation
from benchmarks.operations.preparing import TIPS, at, here, plan

GROUP = "deciding"


def _arms(*conditions: dict[str, Any]) -> dict[str, Any]:
    arms = [{"name": f"arm {number}", "when": when, "next": "tips"} for number, when in enumerate(conditions, 1)]
    return {"type": "branch", "arms": arms, "otherwise": "tips"}


def _did(event: str) -> dict[str, Any]:
    return {"did": event, "since": "enrolment"}


@operation(GROUP, "branch on traits")
def branch_on_traits(world: World) -> Step:
    """Nothing to be read but what stands around the step."""
    return at(world, "by_plan")


branch_on_three_traits = operation(GROUP, "branch on traits, three arms")(
    here(_arms(*({"trait": "plan", "is": name} for name in ("gold", "silver", "bronze"))))
)


@operation(GROUP, "branch on events")
def branch_on_events(world: World) -> Step:
    """One query for each identity under which events stand."""
    return at(world, "active")


branch_on_one_event = operation(GROUP, "branch on one event, three arms")(
    here(_arms(*({**_did("Project Created"), "at_least": number} for number in (5, 3, 1))))
)
branch_on_three_events = operation(GROUP, "branch on three events, three arms")(
    here(_arms(*map(_did, ("Project Created", "Report Shared", "Seat Added"))))
)


@operation(GROUP, "branch on what became of two mails")
def branch_on_mails(world: World) -> Step:
    """The steps taken in one query, both messages in one read, and what answered them in a query for each identity."""
    components = {
        "first": {**TIPS, "next": "second"},
        "second": {**TIPS, "next": "here"},
        "here": _arms({"engaged": "first", "by": ["opened", "replied"]}, {"engaged": "second", "by": ["clicked"]}),
        "tips": TIPS,
    }
    return at(world, "here", definition={**plan({}), "start": "first", "components": components})


@operation(GROUP, "branch, repeated")
def branch_repeated(world: World) -> Step:
    """The machine asks again."""
    step = at(world, "by_plan")
    step()
    return step


filter_on_traits = operation(GROUP, "filter on traits")(
    here({"type": "filter", "when": {"trait": "plan", "is": "team"}, "next": "tips"})
)
split = operation(GROUP, "split")(here({"type": "split", "arms": [{"name": "tips", "percent": 100, "next": "tips"}]}))


@operation(GROUP, "goal")
def goal_reached(world: World) -> Step:
    """One arm was taken before, whose conversions are counted."""
    components = {
        "which": {**_arms({"trait": "plan", "is": "team"}), "otherwise": "here"},
        "here": {"type": "goal", "name": "Done", "next": "tips"},
        "tips": TIPS,
    }
    components["which"]["arms"][0]["next"] = "here"
    return at(world, "here", definition={**plan({}), "start": "which", "components": components})
