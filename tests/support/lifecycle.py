"""What tests of pausing, ending and resuming automations ask, and a tour that people go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.world import World
from tidings.automations.enrolments.model import EnrolmentParked

TOUR: dict[str, Any] = {
    "automation": "tour",
    "trigger": {"event": "Signed Up"},
    "reentry": "every_time",
    "start": "first",
    "components": {
        "first": {"type": "send_email", "template": "tips", "next": "pause"},
        "pause": {"type": "wait", "for": "2 days", "next": "second"},
        "second": {"type": "send_email", "template": "tips"},
    },
}


def act(world: World, action: str, body: Any = None, name: str = "tour", key: str = "secret") -> tuple[int, Any]:
    """Ask something of an automation; status and answer."""
    return world.call(
        "automations",
        "POST /v1/automations/{name}/{action}",
        body,
        path={"name": name, "action": action},
        key=key,
    )


def done(answer: tuple[int, Any]) -> Any:
    """An answer that must be good."""
    assert answer[0] == 200, answer
    return answer[1]


def show(world: World, name: str = "tour") -> dict[str, Any]:
    """An automation as the API shows it."""
    return done(world.call("automations", "GET /v1/automations/{name}", path={"name": name}))


def enrolments(world: World, user: str = "ada") -> list[dict[str, Any]]:
    """What somebody entered."""
    return world.of_contact(world.contact(user_id=user)["contact"], "enrolments")


def state(world: World, user: str = "ada") -> str:
    """Where somebody's one enrolment stands."""
    (found,) = enrolments(world, user)
    return str(found["state"])


def mails(world: World, user: str = "ada") -> int:
    """How many mails somebody got, each with an id of its own."""
    assert len(set(world.ses.messages())) == len(world.ses.accepted)
    return len(world.ses.to(f"{user}@people.example"))


def go(world: World, **until: float) -> None:
    """Let time pass; whoever is parked leaves their execution failed, as Step Functions would."""
    task = world.task

    def parking(arn: str, payload: dict[str, Any]) -> dict[str, Any]:
        try:
            return task(arn, payload)
        except EnrolmentParked:
            end_of(world, payload)
            raise

    world.task = parking  # type: ignore[method-assign]
    end = world.now + timedelta(**until)
    try:
        while True:
            try:
                world.run(end - world.now)
            except EnrolmentParked:
                continue
            return
    finally:
        world.task = task  # type: ignore[method-assign]


def end_of(world: World, payload: dict[str, Any]) -> None:
    """The execution that called fails, and EventBridge tells of it."""
    same = ("workspace", "contact", "automation", "entry")
    for arn, execution in world.executions.items():
        if not execution.is_over and all(execution.data[name] == payload[name] for name in same):
            execution.state = execution.token = ""
            told = {"executionArn": arn, "status": "FAILED", "input": world.started[arn], "error": "EnrolmentParked"}
            world.invoke("settle_executions", {"source": "aws.states", "detail": told})
