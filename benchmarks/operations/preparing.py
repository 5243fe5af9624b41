"""What comes before the step that is counted: people who are known, and on their way through an automation."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.support.machine import Execution
from tests.support.world import ROOT, World

from benchmarks.operations.costs import Preparation, Step
from benchmarks.samples import PROPERTIES, TRAITS, from_python
from tidings.automations.definition.source import read as read_source

SECOND = timedelta(seconds=1)
# The number of the call by which somebody enters; those that follow have smaller ones.
ENTERING = 99
TEMPLATE = "welcome-tips"
TIPS = {"type": "send_email", "template": TEMPLATE}
# As long as those of SES: the id stands in the message's item, whose size counts.
SES_ID = "0100019aa5f3c1d2-6f1f9b1c-8d0e-4a52-9d3b-0c5a3e1d7f20-000000"
WELCOME: dict[str, Any] = {
    "automation": "welcome",
    "trigger": {"event": "Signed Up"},
    "start": "active",
    "components": {
        "active": {
            "type": "branch",
            "arms": [{"name": "yes", "when": {"did": "Project Created", "since": "enrolment"}, "next": "by_plan"}],
            "otherwise": "by_plan",
        },
        "by_plan": {
            "type": "branch",
            "arms": [{"name": "team", "when": {"trait": "plan", "is": "team"}, "next": "reachable"}],
            "otherwise": "reachable",
        },
        "reachable": {"type": "check_suppression", "channel": "email", "clear": "tips", "suppressed": "tips"},
        "tips": {"type": "send_email", "template": TEMPLATE, "next": "pause"},
        "pause": {"type": "wait", "for": "1 day", "next": "late"},
        "late": {"type": "send_email", "template": TEMPLATE},
    },
}


def must(answer: tuple[int, Any]) -> Any:
    """The body of an answer that must be a success."""
    status, body = answer
    assert 200 <= status < 300, body
    return body


def tell(world: World, message: dict[str, Any]) -> None:
    """Send a call and let everything happen that it sets off."""
    must(world.ingest(message["type"], message))
    world.pump()


def example(name: str) -> dict[str, Any]:
    """An example as the command line sends it."""
    return read_source((ROOT / "examples" / f"{name}.yaml").read_text())


def known(world: World, user: str, **traits: Any) -> str:
    """Make somebody known; the contact's id."""
    address = {"email": f"{user}@people.example"}
    tell(world, from_python("identify", user, traits={**TRAITS, **address, **traits}))
    return str(world.contact(user_id=user)["contact"])


def told(world: World, *messages: dict[str, Any]) -> Step:
    """React's step for calls that were just stored."""
    for message in messages:
        must(world.ingest(message["type"], message))
    records = world.new_records()

    def step() -> None:
        answer = world.invoke("react", {"Records": records})
        assert answer == {"batchItemFailures": []}, answer

    return step


def automated(world: World) -> None:
    """Publish the automation and its template, and let the functions see them."""
    accept = world.ses.send_email
    world.recorder.doubles["sesv2:SendEmail"] = lambda mail: {**accept(mail), "MessageId": SES_ID}
    world.template(TEMPLATE, **example(f"templates/{TEMPLATE}"))
    world.automation(WELCOME)
    known(world, "warm")
    tell(world, from_python("track", "warm", event="Signed Up", properties=PROPERTIES))
    world.run(timedelta(days=2))


class _Asked(Exception):
    """A machine asked for a Task."""


def plan(here: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An automation that somebody enters by an order: this component, and a mail that may be behind it."""
    components = {"here": here, **({"tips": TIPS} if "tips" in json.dumps(here) else {})}
    return {"automation": "plan", "trigger": {"event": "Ordered"}, "start": "here", "components": components, **more}


def enter(world: World, definition: dict[str, Any], user: str) -> Execution:
    """Somebody does what an automation begins with; the machine at its first state."""
    tell(world, from_python("track", user, ENTERING, event=definition["trigger"]["event"], properties=PROPERTIES))
    return list(world.executions.values())[-1]


def published(world: World, definition: dict[str, Any]) -> None:
    """Publish an automation, and let the functions see it: somebody goes all of its way."""
    automated(world)
    if definition is not WELCOME:
        world.automation(definition)
        world.now += SECOND
        enter(world, definition, "warm")
        world.run(timedelta(days=8))


def on_the_way(
    world: World, component: str, user: str = "ada", definition: dict[str, Any] = WELCOME, **traits: Any
) -> Execution:
    """The machine of somebody who has just come to a component."""
    published(world, definition)
    known(world, user, **traits)
    execution = enter(world, definition, user)
    walk(world, execution, component)
    return execution


def walk(world: World, execution: Execution, component: str) -> None:
    """Let somebody go on to a component."""
    while execution.state != component:
        world.now = max(world.now, execution.wait() or world.now)
        execution.step(world.task, world.now)
        world.pump()


def task_of(world: World, execution: Execution) -> Step:
    """What a machine calls next."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def ask(arn: str, payload: dict[str, Any]) -> dict[str, Any]:
        asked.append((arn, payload))
        raise _Asked

    with pytest.raises(_Asked):
        execution.step(ask, world.now)
    return lambda: world.task(*asked[0])


def at(world: World, component: str, user: str = "ada", definition: dict[str, Any] = WELCOME, **traits: Any) -> Step:
    """The Task of a component for somebody who has just come to it."""
    return task_of(world, on_the_way(world, component, user, definition, **traits))


def here(component: dict[str, Any], **more: Any) -> Preparation:
    """The Task of a component that stands by itself (`more` is of its automation)."""
    return lambda world: at(world, "here", definition=plan(component, **more))


def sent(world: World) -> dict[str, Any]:
    """A mail that SES accepted."""
    at(world, "tips")()
    return world.ses.accepted[-1]
