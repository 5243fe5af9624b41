"""Machines outlive the release that made them: a later one, which compiles otherwise, makes machines of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.recorder import Call, Killed
from tests.support.world import World

from tidings.automations.lifecycle.resuming import STARTING
from tidings.automations.machines import compile as compiling

NAME = {"name": "tour"}
TOUR = {
    "automation": "tour",
    "trigger": {"event": "Signed Up"},
    "start": "first",
    "components": {
        "first": {"type": "send_email", "template": "tips", "next": "second"},
        "second": {"type": "send_email", "template": "tips"},
    },
}


@pytest.fixture
def strict(world: World) -> World:
    """Step Functions refuses to make another machine of a name that is taken, as in AWS."""
    make = world.recorder.doubles["stepfunctions:CreateStateMachine"]
    made: dict[str, Any] = {}

    def create(arguments: dict[str, Any]) -> dict[str, Any]:
        if made.setdefault(arguments["name"], arguments["definition"]) != arguments["definition"]:
            error: Any = {"Error": {"Code": "StateMachineAlreadyExists", "Message": "exists"}}
            raise ClientError(error, "CreateStateMachine")
        return make(arguments)

    world.recorder.doubles["stepfunctions:CreateStateMachine"] = create
    world.template("tips")
    return world


def a_later_release(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on Tasks compile otherwise."""
    monkeypatch.setattr(compiling, "TASK_TIMEOUT_SECONDS", 61)
    world.cold("automations")


def lose_at_the_second_mail(world: World) -> None:
    arn, execution = list(world.executions.items())[-1]
    if execution.state == "first":
        execution.step(world.task)
    world.lose(arn)
    world.now += STARTING  # else it might only be about to start


def resume(world: World) -> tuple[int, dict[str, Any]]:
    return world.call("automations", "POST /v1/automations/{name}/resume", path=NAME)


def test_somebody_is_resumed_where_an_earlier_release_resumed_others(
    strict: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict.automation(TOUR)
    strict.identify("ada", email="ada@people.example")
    strict.track("ada", "Signed Up")
    lose_at_the_second_mail(strict)
    assert resume(strict)[1]["resumed"] == 1
    lose_at_the_second_mail(strict)
    a_later_release(strict, monkeypatch)
    assert resume(strict)[1]["resumed"] == 1
    strict.run()
    assert len(strict.ses.messages()) == len(set(strict.ses.messages())) == 2


def test_what_an_earlier_release_began_to_publish_can_be_published(
    strict: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert strict.call("automations", "PUT /v1/automations/{name}", TOUR, path=NAME)[0] == 200

    def die_before_the_version_is_stored(call: Call) -> None:
        if call.name == "dynamodb:TransactWriteItems":
            raise Killed(call.name)

    strict.recorder.before = die_before_the_version_is_stored
    with pytest.raises(Killed):
        strict.call("automations", "POST /v1/automations/{name}/publish", path=NAME)
    strict.recorder.before = None
    a_later_release(strict, monkeypatch)
    status, published = strict.call("automations", "POST /v1/automations/{name}/publish", path=NAME)
    assert (status, published["changed"]) == (200, True)
    assert "61" in json.dumps(strict.machines[published["machine"]])
