"""How a machine repeats a webhook, in moto's interpreter of ASL: whichever name a fault has, it ends as an outcome."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from tests.support.patience import SECONDS
from tests.support.recorder import Recorder
from tests.unit.automations.test_machines import ARNS

from tidings.automations.definition.model import parse_definition
from tidings.automations.machines.compile import compile as compile_machine
from tidings.automations.webhooks.retry import RETRIES

INPUT = {"workspace": "acme", "contact": "c", "automation": "tour", "version": 1, "entry": "e"}
Function = Callable[[dict[str, Any]], dict[str, Any]]


def machine() -> dict[str, Any]:
    """The machine of an automation with a webhook."""
    told = {"type": "webhook", "url": "https://hooks.example.com"}
    definition = {
        "automation": "tour",
        "trigger": {"event": "Signed Up"},
        "start": "tell",
        "components": {"tell": told},
    }
    asl: dict[str, Any] = compile_machine(parse_definition(definition), 1, ARNS)
    return asl


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the machine waits before each repeat, which it does not do here."""
    waits: list[float] = []
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=waits.append))
    return waits


def ended(recorder: Recorder, function: Function) -> dict[str, Any]:
    """The end of an execution whose Task calls a function."""
    recorder.doubles["lambda:Invoke"] = lambda asked: function(json.loads(asked["Payload"]))
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}), recorder.listening():
        client = boto3.client("stepfunctions", region_name="us-east-1")
        role = "arn:aws:iam::123456789012:role/machines"
        made = client.create_state_machine(name="m", definition=json.dumps(machine()), roleArn=role)
        at = {"at": {"n": 0, "next": "tell", "until": {}}}
        started = client.start_execution(stateMachineArn=made["stateMachineArn"], input=json.dumps(INPUT | at))
        pause = threading.Event()
        for _ in range(int(SECONDS / 0.02)):
            found = client.describe_execution(executionArn=started["executionArn"])
            if found["status"] != "RUNNING":
                return dict(found)
            pause.wait(0.02)
    raise AssertionError("the execution did not end")


def told(payload: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(payload).encode()), "ResponseMetadata": {}, **more}


@pytest.mark.parametrize(
    ("name", "shortest", "longest"), [("WebhookUnanswered", 0, 17_810), ("Runtime.HandlerError", 254, 254)]
)
def test_a_task_is_told_which_attempt_it_is_and_the_last_one_ends_it(
    recorder: Recorder, waited: list[float], name: str, shortest: float, longest: float
) -> None:
    attempts: list[int] = []

    def function(payload: dict[str, Any]) -> dict[str, Any]:
        attempts.append(payload["retry"])
        if payload["retry"] < RETRIES:
            return told({"errorType": name, "errorMessage": "HTTP 503"}, FunctionError="Unhandled")
        return told({"outcome": "failed", "next": "", "until": {}, "n": 1})

    end = ended(recorder, function)
    assert end["status"] == "SUCCEEDED", end
    assert json.loads(end["output"])["at"] == {"n": 1, "next": "", "until": {}}
    assert attempts == list(range(RETRIES + 1))
    assert len(waited) == RETRIES
    assert shortest <= sum(waited) <= longest


def test_a_task_of_somebody_who_left_is_not_repeated(recorder: Recorder) -> None:
    attempts: list[int] = []

    def function(payload: dict[str, Any]) -> dict[str, Any]:
        attempts.append(payload["retry"])
        return told({"errorType": "EnrolmentOver", "errorMessage": "tell"}, FunctionError="Unhandled")

    assert ended(recorder, function)["status"] == "FAILED"
    assert attempts == [0]
