"""The operations of text messages: what is sent, what becomes of it, and what people answer."""

from __future__ import annotations

from typing import Any

from tests.support.world import THEIR_NUMBER, World

from benchmarks.operations.costs import Step, operation
from benchmarks.operations.preparing import automated, known, must

PIN = {"channel": "sms", "text": "Acme: your code is {{ variables.code }}"}


def ordering(world: World) -> Step:
    """A transactional text to somebody whose number is known, by API; all that is remembered was seen before."""
    automated(world)
    world.template("pin", **PIN)
    contact = known(world, "ada", phone=THEIR_NUMBER)

    def step(key: str = "order-1") -> None:
        body = {"to": {"contact": contact}, "template": "pin", "kind": "transactional", "idempotency_key": key}
        must(world.call("send_sms", "POST /v1/sms", {**body, "variables": {"code": "4711"}}))

    step("warm")
    return step


def texted(world: World) -> dict[str, Any]:
    """A text that End User Messaging accepted."""
    ordering(world)()
    world.pump()
    return world.sms.accepted[-1]


def taking(world: World, body: str) -> Step:
    """What somebody answers to a text, after they wrote before."""
    texted(world)
    assert world.receive(world.text("Hello")) == []
    answer = world.text(body, answers="sms-2")

    def step() -> None:
        assert world.receive(answer, pump=False) == []

    return step


@operation("API", "send a text message")
def send_text(world: World) -> Step:
    """No link in it, so no code is kept."""
    return ordering(world)


@operation("feedback", "TEXT_DELIVERED")
def text_delivered(world: World) -> Step:
    """The carrier reports what it cost."""
    told = world.sms.event("TEXT_DELIVERED", texted(world))

    def step() -> None:
        assert world.told_of_text(told, pump=False)

    return step


@operation("inbound", "a text message")
def text_in(world: World) -> Step:
    """Of somebody known, in a conversation that is open."""
    return taking(world, "Where is it?")


@operation("inbound", "a text message, repeated")
def text_in_again(world: World) -> Step:
    """The queue delivers it a second time."""
    step = taking(world, "Where is it?")
    step()
    return step


@operation("inbound", "STOP")
def stop_in(world: World) -> Step:
    """Stored first, confirmed once, and told to AWS's list."""
    return taking(world, "STOP")
