"""Components that do something: send, ask about an address, change what Tidings knows, call a server."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from tests.support.servers import answered, server
from tests.support.world import THEIR_NUMBER, World

from benchmarks.operations.api import suppress
from benchmarks.operations.costs import Step, operation
from benchmarks.operations.preparing import (
    SECOND,
    TEMPLATE,
    TIPS,
    at,
    automated,
    enter,
    here,
    known,
    must,
    plan,
    published,
    task_of,
    walk,
)
from tidings.automations.enrolments.model import EnrolmentParked

GROUP = "acting"


@operation(GROUP, "check_suppression")
def check_task(world: World) -> Step:
    """The step that only asks."""
    return at(world, "reachable")


@operation(GROUP, "send_email, sent")
def send_sent(world: World) -> Step:
    """A mail goes out."""
    return at(world, "tips")


@operation(GROUP, "send_email, sent, last step")
def send_last(world: World) -> Step:
    """A mail goes out and the automation is over."""
    return at(world, "late")


@operation(GROUP, "send_email, skipped")
def send_skipped(world: World) -> Step:
    """The address is suppressed."""
    suppress(world, "ada@people.example")
    return at(world, "tips")


@operation(GROUP, "send_email, repeated")
def send_repeated(world: World) -> Step:
    """The machine asks again."""
    step = at(world, "tips")
    step()
    return step


@operation(GROUP, "send_email, cold")
def send_cold(world: World) -> Step:
    """A new process has to read the version of the automation first."""
    step = at(world, "tips")
    world.cold("send_email")
    return step


@operation(GROUP, "any component, parked")
def parked(world: World) -> Step:
    """The automation is wholly paused."""
    step = at(world, "tips")
    path = {"name": "welcome", "action": "pause"}
    must(world.call("automations", "POST /v1/automations/{name}/{action}", {"what": "all"}, path=path))

    def park() -> None:
        with pytest.raises(EnrolmentParked):
            step()

    return park


# --- what changes in Tidings itself -----------------------------------------------------------------------------------

update_contact = operation(GROUP, "update_contact")(
    here({"type": "update_contact", "set": {"tier": "gold", "orders": {"add": 1}}, "next": "tips"})
)
update_nothing = operation(GROUP, "update_contact, nothing changes")(
    here({"type": "update_contact", "set": {"plan": {"trait": "plan"}}, "next": "tips"})
)
start_automation = operation(GROUP, "start_automation")(
    here({"type": "start_automation", "automation": "other", "properties": {"from": "plan"}, "next": "tips"})
)


def written_to(world: World, **component: Any) -> Step:
    """The only component of an automation that whoever writes comes to: somebody known by their number does."""
    automated(world)
    must(world.call("policy", "PUT /v1/inboxes/{inbox}", {"title": "Sales"}, path={"inbox": "sales"}))
    world.automation(plan({**component, "next": "tips"}, trigger={"inbound": "any"}))
    for user, number in (("warm", "+48600100201"), ("ada", THEIR_NUMBER)):
        known(world, user, phone=number)
        world.now += SECOND
        assert world.receive(world.text("Hello", sender=number)) == []
        if user == "warm":
            world.run()
    return task_of(world, list(world.executions.values())[-1])


@operation(GROUP, "assign_conversation")
def assign_conversation(world: World) -> Step:
    """The conversation is open, and goes to another inbox and to somebody there."""
    return written_to(world, type="assign_conversation", inbox="sales", agent="Eve")


@operation(GROUP, "assign_conversation, nobody began it")
def assign_planned(world: World) -> Step:
    """A mail asked, and nobody answered yet: where the answer goes is written down."""
    ask = {**TIPS, "conversation": "new", "next": "here"}
    assign = {"type": "assign_conversation", "inbox": "default", "agent": "Eve", "next": "tips"}
    components = {"ask": ask, "here": assign, "tips": TIPS}
    return at(world, "here", definition={**plan({}), "start": "ask", "components": components})


MONTHLY: dict[str, Any] = {
    **plan({}),
    "start": "mail",
    "components": {
        "mail": {"type": "send_email", "template": TEMPLATE, "next": "rest"},
        "rest": {"type": "wait", "for": "30 days", "next": "stays"},
        "stays": {
            "type": "branch",
            "arms": [{"name": "gone", "when": {"did": "Closed", "since": "enrolment"}}],
            "otherwise": "mail",
        },
    },
}


@operation(GROUP, "an execution continued by a new one")
def renewed(world: World) -> Step:
    """After 300 days in a loop of months; somebody else's was before."""
    published(world, MONTHLY)
    world.run(timedelta(days=310))
    known(world, "ada")
    execution = enter(world, MONTHLY, "ada")
    walk(world, execution, "Renew")
    return task_of(world, execution)


# --- webhooks ---------------------------------------------------------------------------------------------------------

GOLD = answered(200, b'{"account": {"tier": "gold"}}', content_type="application/json")


def calling(world: World, answer: bytes) -> Step:
    """The Task of a webhook whose server answers so; the server goes with the step."""
    stack = ExitStack()
    there = stack.enter_context(server(GOLD))
    step = at(world, "here", definition=plan({"type": "webhook", "url": there.url, "next": "tips"}))
    there.answers = [answer]

    def call() -> None:
        with stack:
            step()

    return call


@operation(GROUP, "webhook, answered")
def webhook_answered(world: World) -> Step:
    """One call of a server beside those of AWS; what it answered is kept."""
    return calling(world, GOLD)


@operation(GROUP, "webhook, refused")
def webhook_refused(world: World) -> Step:
    """The server says that there is no such thing."""
    return calling(world, answered(404))
