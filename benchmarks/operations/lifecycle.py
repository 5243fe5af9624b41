"""Calls that change where automations stand, and those that show them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.world import World

from benchmarks.operations.costs import Preparation, Step, operation
from benchmarks.operations.dates import BIRTHDAY
from benchmarks.operations.preparing import SECOND, WELCOME, automated, known, must

GROUP = "automations"
MORE = {**WELCOME, "description": "The same again"}


def ready(world: World) -> None:
    """An automation that was published, and a function that has seen the API key."""
    automated(world)
    must(world.call("automations", "GET /v1/automations"))


def order(world: World, action: str, body: Any = None, name: str = "welcome") -> None:
    """Order something of an automation, which has to succeed."""
    path = {"name": name, "action": action}
    must(world.call("automations", "POST /v1/automations/{name}/{action}", body, path=path))


def apply(world: World, definition: dict[str, Any]) -> None:
    """Keep a definition as the draft."""
    path = {"name": definition["automation"]}
    must(world.call("automations", "PUT /v1/automations/{name}", definition, path=path))


@operation(GROUP, "apply a draft")
def apply_draft(world: World) -> Step:
    """It is another one than before."""
    ready(world)
    return lambda: apply(world, MORE)


def publishing(definition: dict[str, Any]) -> Preparation:
    """Publish a draft, where an automation was published before."""

    def prepare(world: World) -> Step:
        ready(world)
        apply(world, definition)
        return lambda: order(world, "publish", name=definition["automation"])

    return prepare


publish_first = operation(GROUP, "publish the first version")(publishing({**WELCOME, "automation": "other"}))
publish_next = operation(GROUP, "publish the next version")(publishing(MORE))
publish_dated = operation(GROUP, "publish one that goes by dates")(publishing(BIRTHDAY))


@operation(GROUP, "publish the same again")
def publish_same(world: World) -> Step:
    """Nothing changes."""
    ready(world)
    return lambda: order(world, "publish")


@operation(GROUP, "what publishing would do")
def preview(world: World) -> Step:
    """Nobody is inside."""
    ready(world)
    apply(world, MORE)
    return lambda: order(world, "publish", {"dry_run": True})


def ordering(action: str, body: Any = None, *before: tuple[str, Any]) -> Preparation:
    """An order about an automation after others."""

    def prepare(world: World) -> Step:
        ready(world)
        for one in before:
            order(world, *one)
            world.now += SECOND
        return lambda: order(world, action, body)

    return prepare


pause = operation(GROUP, "pause entries")(ordering("pause"))
pause_all = operation(GROUP, "pause all")(ordering("pause", {"what": "all"}))
resume = operation(GROUP, "resume entries")(ordering("resume", None, ("pause", None)))
resume_all = operation(GROUP, "resume all")(ordering("resume", None, ("pause", {"what": "all"})))
archive = operation(GROUP, "archive, and end those inside")(ordering("archive", {"end": True}))
end = operation(GROUP, "end those inside")(ordering("end"))


def showing(route: str) -> Preparation:
    """A question about an automation that was published and paused before."""

    def prepare(world: World) -> Step:
        ordering("pause")(world)()
        return lambda: must(world.call("automations", route, path={"name": "welcome"} if "{name}" in route else {}))

    return prepare


show = operation(GROUP, "one, with its changes and jobs")(showing("GET /v1/automations/{name}"))
show_all = operation(GROUP, "all")(showing("GET /v1/automations"))
show_lost = operation(GROUP, "who was lost, nobody inside")(showing("GET /v1/automations/{name}/lost"))


@operation(GROUP, "start by a call")
def start(world: World) -> Step:
    """A contact by its id, with an idempotency key; the event is what `react` sees."""
    automated(world)
    world.automation({**WELCOME, "automation": "asked", "trigger": {"api": True}})
    contact = known(world, "ada")

    def step(key: str = "order-1") -> None:
        body = {"contact": contact, "properties": {"plan": "team"}, "idempotency_key": key}
        path = {"name": "asked"}
        must(world.call("automations", "POST /v1/automations/{name}/start", body, path=path))

    step("warm")
    world.now += timedelta(seconds=1)
    return step
