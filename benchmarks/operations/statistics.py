"""The numbers of automations, and the lists of people behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.world import World

from benchmarks.operations.costs import Preparation, Step, operation
from benchmarks.operations.lifecycle import apply, order
from benchmarks.operations.preparing import SECOND, TIPS, must, on_the_way, plan

GROUP = "statistics"
TOUR: dict[str, Any] = {
    **plan({}),
    "goal": {"event": "Subscribed"},
    "start": "which",
    "components": {
        "which": {
            "type": "branch",
            "arms": [{"name": "Team", "when": {"trait": "plan", "is": "team"}, "next": "tips"}],
            "otherwise": "tips",
        },
        "tips": {**TIPS, "next": "rest"},
        "rest": {"type": "wait", "for": "1 day", "next": "late"},
        "late": TIPS,
    },
}
# Two waits that follow one another: who is in which follows from the ends of both.
CHAINED: dict[str, Any] = {
    **TOUR,
    "components": {**TOUR["components"], "rest": {**TOUR["components"]["rest"], "next": "more"},
                   "more": {"type": "wait", "for": "2 days", "next": "late"}},
}  # fmt: skip


def asked(
    route: str, definition: dict[str, Any] = TOUR, more: dict[str, str] | None = None, **query: str
) -> Preparation:
    """A question about an automation in which somebody rests and another one was, in the second of two versions."""

    def prepare(world: World) -> Step:
        on_the_way(world, "rest", definition=definition)
        world.now += SECOND
        apply(world, {**definition, "description": "The same again"})
        order(world, "publish", name="plan")
        path = {"name": "plan", **(more or {})}

        def step() -> None:
            must(world.call("statistics", f"GET /v1/automations/{{name}}/{route}", path=path, query=query))

        step()
        return step

    return prepare


numbers = operation(GROUP, "statistics, of two versions")(asked("statistics"))
numbers_of_version = operation(GROUP, "statistics, of one version")(asked("statistics", version="1"))
numbers_of_waits = operation(GROUP, "statistics, where waits follow one another")(asked("statistics", CHAINED))

_PEOPLE = "components/{component}/people"
acted = operation(GROUP, "who acted at a component")(asked(_PEOPLE, more={"component": "tips"}))
waiting = operation(GROUP, "who waits at a component")(asked(_PEOPLE, more={"component": "rest"}, who="waiting"))
enrolled = operation(GROUP, "who entered")(asked("enrolments"))


@operation(GROUP, "one enrolment with its way")
def one(world: World) -> Step:
    """Two steps, of which one sent a mail."""
    execution = on_the_way(world, "rest", definition=TOUR)
    path = {"name": "plan", "contact": execution.data["contact"], "enrolment": execution.data["entry"]}
    route = "GET /v1/automations/{name}/enrolments/{contact}/{enrolment}"
    ask: Callable[[], Any] = lambda: must(world.call("statistics", route, path=path))  # noqa: E731 - it is asked twice
    ask()
    return ask
