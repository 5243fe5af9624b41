"""The machine that waits for the instants of sends."""

from __future__ import annotations

import json

from statelint.linter import Linter
from tests.support.template import root_stack, statement_grants
from tests.support.world import later_machine


def test_statelint_accepts_it() -> None:
    assert Linter.validate(later_machine()) == []


def test_it_waits_for_the_instant_of_its_input_and_hands_on_ids_only() -> None:
    states = later_machine()["States"]
    assert states["wait"]["TimestampPath"] == "$.at"
    assert states["deliver"]["Parameters"]["Payload"] == {"workspace.$": "$.workspace", "send.$": "$.send"}


def test_it_may_call_what_acts_at_an_instant_and_nothing_else() -> None:
    stack = root_stack()
    (policy,) = stack.properties("DeliverLaterRole")["Policies"]
    granted = [grant for statement in policy["PolicyDocument"]["Statement"] for grant in statement_grants(statement)]
    assert [(grant.action, grant.resource) for grant in granted] == [
        ("lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:000000000000:function:tidings-{name}")
        for name in ("Deliver", "WakeConversations")
    ]


def test_only_step_functions_of_this_account_take_its_role() -> None:
    (statement,) = root_stack().properties("DeliverLaterRole")["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "states.amazonaws.com"}
    assert "aws:SourceAccount" in json.dumps(statement["Condition"])
