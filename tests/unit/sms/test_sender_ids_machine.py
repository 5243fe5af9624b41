"""The machine in which requests for sender IDs wait."""

from __future__ import annotations

import json

from statelint.linter import Linter
from tests.support.template import root_stack, statement_grants
from tests.support.world import sender_ids_machine

from tidings.sms.setup import EXPIRE_MOST_DAYS


def test_statelint_accepts_it() -> None:
    assert Linter.validate(sender_ids_machine()) == []


def test_it_carries_ids_only() -> None:
    states = sender_ids_machine()["States"]
    ids = {"workspace.$": "$.workspace", "sender_id.$": "$.sender_id", "request.$": "$.request"}
    payloads = {name: state["Parameters"]["Payload"] for name, state in states.items() if state["Type"] == "Task"}
    assert payloads == {
        "wait": {"do": "wait", **ids, "token.$": "$$.Task.Token"},
        "tick": {"do": "tick", **ids, "step.$": "$.next.step", "number.$": "$.next.number"},
        "work": {"do": "work", **ids},
    }


def test_a_wait_is_longer_than_any_request_waits() -> None:
    assert sender_ids_machine()["States"]["wait"]["TimeoutSeconds"] > EXPIRE_MOST_DAYS * 86_400


def test_every_task_is_repeated_after_a_fault() -> None:
    for state in sender_ids_machine()["States"].values():
        if state["Type"] == "Task":
            (retry,) = state["Retry"]
            assert retry["ErrorEquals"] == ["States.ALL"]


def test_it_may_call_review_sender_ids_and_nothing_else() -> None:
    stack = root_stack()
    (policy,) = stack.properties("SenderIdsMachineRole")["Policies"]
    granted = [grant for statement in policy["PolicyDocument"]["Statement"] for grant in statement_grants(statement)]
    assert [(grant.action, grant.resource) for grant in granted] == [
        ("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:000000000000:function:tidings-ReviewSenderIds")
    ]


def test_only_step_functions_of_this_account_take_its_role() -> None:
    (statement,) = root_stack().properties("SenderIdsMachineRole")["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "states.amazonaws.com"}
    assert "aws:SourceAccount" in json.dumps(statement["Condition"])
