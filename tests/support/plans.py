"""Ways through every component, one for each way it can end: what happens, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.support.interpreters import go
from tests.support.recorder import Call
from tests.support.servers import Server
from tests.support.world import THEIR_NUMBER, World

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ADA = "ada@people.example"
Path = list[tuple[str, str]]
Components = dict[str, dict[str, Any]]


@dataclass
class Story:
    """What happens, and what must come of it: Ada's first way, and how many messages go out."""

    happens: Callable[[World], None]
    path: Path
    sent: int
    state: str = "completed"


STORIES: dict[str, Story] = {}
HOOK: list[Server] = []


def story(path: str, sent: int = 0, state: str = "completed") -> Callable[[Callable[[World], None]], Any]:
    """`path` is `component=outcome`, one after the other."""

    def told(happens: Callable[[World], None]) -> Callable[[World], None]:
        steps = [(step.partition("=")[0], step.partition("=")[2].replace("_", " ")) for step in path.split()]
        STORIES[happens.__name__] = Story(happens, steps, sent, state)
        return happens

    return told


def mail(**more: Any) -> dict[str, Any]:
    return {"type": "send_email", "template": "tips", "kind": "transactional", **more}


def text(**more: Any) -> dict[str, Any]:
    return {"type": "send_sms", "template": "text", "kind": "transactional", **more}


def begun(world: World, components: Components, start: str = "here", **more: Any) -> None:
    """Ada enters an automation of these components."""
    told = more.pop("properties", {})
    world.automation(
        {"automation": "plan", "trigger": {"event": "Began"}, "start": start, **more, "components": components}
    )
    world.track("ada", "Began", **told)


def known(world: World) -> None:
    world.template("tips")
    world.template("text", channel="sms", text="Hello")
    world.identify("ada", email=ADA, phone=THEIR_NUMBER, plan="team")


def act(world: World, action: str, body: Any = None) -> None:
    route = "POST /v1/automations/{name}/{action}"
    status, answer = world.call("automations", route, body, path={"name": "plan", "action": action})
    assert status == 200, answer
    world.work_jobs()


def answer(world: World) -> dict[str, Any]:
    return {"userId": "ada", "event": "Answered", "properties": {"meaning": "yes"}, "messageId": world.fresh()}


def fails(error: Exception) -> None:
    raise error


def at_call(world: World, function: str, do: Callable[[], Any], operation: str = "") -> None:
    """Do something once, right before a function makes a call."""

    def before(call: Call) -> None:
        if world.running == function and operation in ("", call.operation):
            world.recorder.before = None
            do()

    world.recorder.before = before


def broken(world: World, function: str, times: int) -> None:
    """The next calls of a function fail."""
    left = [times]

    def before(call: Call) -> None:
        if world.running == function and call.operation == "BatchGetItem" and left[0]:
            left[0] -= 1
            raise RuntimeError("broken")

    world.recorder.before = before


def vanished(world: World) -> None:
    """The last execution is nowhere to be found."""
    arn = list(world.executions)[-1]
    world.executions[arn].end()
    world.lose(arn)


# --- what decides -----------------------------------------------------------------------------------------------------

TEAM = {"trait": "plan", "is": "team"}
FREE = {"trait": "plan", "is": "free"}


@story("here=passed there=accepted", sent=1)
def a_filter_lets_on(world: World) -> None:
    begun(world, {"here": {"type": "filter", "when": TEAM, "next": "there"}, "there": mail()})
    go(world)


@story("here=otherwise")
def a_filter_ends_the_way(world: World) -> None:
    begun(world, {"here": {"type": "filter", "when": FREE, "next": "there"}, "there": mail()})
    go(world)


@story("here=otherwise there=accepted", sent=1)
def a_filter_leads_elsewhere(world: World) -> None:
    begun(
        world,
        {
            "here": {"type": "filter", "when": FREE, "next": "end", "otherwise": "there"},
            "there": mail(),
            "end": {"type": "end"},
        },
    )
    go(world)


BRANCH = {"type": "branch", "arms": [{"name": "free", "when": FREE}, {"name": "team", "when": TEAM, "next": "there"}]}


@story("here=team there=accepted", sent=1)
def a_branch_has_an_arm(world: World) -> None:
    begun(world, {"here": BRANCH, "there": mail()})
    go(world)


@story("here=free")
def a_branch_has_another_arm(world: World) -> None:
    world.identify("ada", plan="free")
    begun(world, {"here": BRANCH, "there": mail()})
    go(world)


@story("here=otherwise")
def a_branch_has_none(world: World) -> None:
    world.identify("ada", plan="none")
    begun(world, {"here": BRANCH, "there": mail()})
    go(world)


def split(share: float) -> dict[str, Any]:
    arms = [{"name": "a", "percent": share, "next": "there"}]
    return {"type": "split", "arms": arms, "holdout": round(100 - share, 2)}


@story("here=a there=accepted", sent=1)
def a_split_has_an_arm(world: World) -> None:
    begun(world, {"here": split(99.99), "there": mail()})
    go(world)


@story("here=holdout")
def a_split_holds_out(world: World) -> None:
    begun(world, {"here": split(0.01), "there": mail()})
    go(world)


@story("here=reached there=accepted", sent=1)
def a_goal_is_reached(world: World) -> None:
    begun(world, {"here": {"type": "goal", "next": "there"}, "there": mail()}, goal={"event": "Won"})
    go(world)


CHECK = {"type": "check_suppression", "channel": "email", "clear": "there", "suppressed": "text"}


def suppressed(world: World) -> None:
    path = {"channel": "email", "address": ADA}
    assert world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)[0] == 200
    world.pump()


@story("here=clear there=accepted", sent=1)
def nobody_is_suppressed(world: World) -> None:
    begun(world, {"here": CHECK, "there": mail(), "text": text()})
    go(world)


@story("here=suppressed text=accepted", sent=1)
def somebody_is_suppressed(world: World) -> None:
    suppressed(world)
    begun(world, {"here": CHECK, "there": mail(), "text": text()})
    go(world)


# --- what sends -------------------------------------------------------------------------------------------------------


@story("here=accepted there=accepted", sent=2)
def messages_are_accepted(world: World) -> None:
    begun(world, {"here": mail(next="there"), "there": text(next="end"), "end": {"type": "end"}})
    go(world)


@story("here=skipped there=accepted", sent=1)
def a_mail_is_skipped(world: World) -> None:
    suppressed(world)
    begun(world, {"here": mail(on_skipped="there"), "there": text()})
    go(world)


@story("here=skipped there=accepted", sent=1)
def a_text_is_skipped(world: World) -> None:
    path = {"channel": "sms", "address": THEIR_NUMBER}
    assert world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)[0] == 200
    begun(world, {"here": text(on_skipped="there"), "there": mail()})
    go(world)


@story("here=refused there=accepted", sent=1)
def a_mail_is_refused(world: World) -> None:
    world.ses.failing = ["MessageRejected"]
    begun(world, {"here": mail(next="there"), "there": text()})
    go(world)


@story("here=refused there=accepted", sent=1)
def a_text_is_refused(world: World) -> None:
    world.sms.failing = ["ConflictException"]
    begun(world, {"here": text(next="there"), "there": mail()})
    go(world)


@story("here=unknown there=accepted", sent=2)
def nobody_knows_of_a_mail(world: World) -> None:
    world.ses.failing = ["timeout"]
    begun(world, {"here": mail(next="there"), "there": text()})
    go(world, HOUR)


@story("here=unknown there=accepted", sent=2)
def nobody_knows_of_a_text(world: World) -> None:
    world.sms.failing = ["timeout"]
    begun(world, {"here": text(next="there"), "there": mail()})
    go(world, HOUR)


@story("here=accepted there=accepted", sent=3)
def a_mail_of_which_nobody_knows_is_sent_again(world: World) -> None:
    world.ses.failing = ["timeout"]
    begun(world, {"here": mail(on_unknown="resend", next="there"), "there": text()})
    go(world, HOUR)


@story("here=accepted there=accepted", sent=2)
def a_provider_asks_to_slow_down(world: World) -> None:
    world.ses.failing = ["TooManyRequestsException"] * 3
    world.sms.failing = ["ThrottlingException"] * 2
    begun(world, {"here": mail(next="there"), "there": text()})
    go(world, DAY)
