"""Each function of the main job is killed at each of its AWS calls, and repeated as AWS repeats it.

Three faults for every call: the process dies before the call leaves (`before`), it dies when the call was carried out
(`after`), or the call is carried out and its answer is lost while the process goes on (`lost`). The calls are listed
below; a test compares the lists with what the recorder sees, so that a new call without a case fails the suite.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.counting import counted, steps_counted, steps_told, told
from tests.support.faults import MODES, Fault, Repeating
from tests.support.world import World

EMAIL = "ada@people.example"

# What each function calls in the scenario, in this order.
CALLS = {
    "react": [
        "dynamodb:BatchGetItem",  # generation, identities, repeats
        "dynamodb:Query",  # the live automations, since the generation grew
        "dynamodb:BatchGetItem",  # whether somebody with these identities was erased
        "dynamodb:TransactWriteItems",  # the new contact with what the first event says, its identities and the count
        "dynamodb:UpdateItem",  # what the second event says
        "dynamodb:BatchGetItem",  # whether they entered before: cheaper than a transaction that fails
        "dynamodb:TransactWriteItems",  # the enrolment
        "stepfunctions:StartExecution",
    ],
    "branch": [
        "dynamodb:BatchGetItem",  # the definition
        "dynamodb:BatchGetItem",  # all that stands around the step
        "dynamodb:Query",  # events, for each of the contact's identities
        "dynamodb:Query",
        "dynamodb:Query",
        "dynamodb:TransactWriteItems",  # the step
    ],
    "send_email": [
        "dynamodb:BatchGetItem",  # the definition
        "dynamodb:BatchGetItem",  # all that stands around the step
        "dynamodb:GetItem",  # consent and suppression of the address
        "dynamodb:TransactWriteItems",  # the claim
        "sesv2:SendEmail",
        "dynamodb:TransactWriteItems",  # the answer and the step
    ],
    "ses_events": [
        "dynamodb:GetItem",  # the message: it is accepted already, and nothing is to be counted
        "dynamodb:PutItem",  # the event
    ],
}
# What feedback calls when it moves the message, which the second event of a mail does.
MOVING = [("ses_events", 2), ("ses_events", 3)]
CLAIM, SEND = 3, 4  # places in the list of send_email

AUTOMATION = {
    "automation": "welcome",
    "trigger": {"event": "Signed Up"},
    "start": "pause",
    "components": {
        "pause": {"type": "wait", "for": "1 hour", "next": "active"},
        "active": {
            "type": "branch",
            "arms": [{"name": "yes", "when": {"did": "Project Created"}, "next": "tips"}],
            "otherwise": "nudge",
        },
        "tips": {"type": "send_email", "template": "tips"},
        "nudge": {"type": "send_email", "template": "nudge", "next": "rest"},
        "rest": {"type": "wait", "for": "1 hour", "next": "over"},
        "over": {"type": "end"},
    },
}


def _prepared(world: World) -> Repeating:
    for template in ("tips", "nudge"):
        world.template(template)
    world.automation(AUTOMATION)
    world.new_records()
    world.recorder.clear()
    return Repeating(world)


def _play(world: World, repeating: Repeating) -> None:
    """A person appears, signs up, and is nudged an hour later."""
    batch = [
        {"type": "identify", "userId": "ada", "anonymousId": "a-1", "traits": {"email": EMAIL}, "messageId": "m-1"},
        {"type": "track", "userId": "ada", "anonymousId": "a-1", "event": "Signed Up", "messageId": "m-2",
         "properties": {"plan": "team"}},
    ]  # fmt: skip
    assert world.ingest("batch", {"batch": batch})[0] == 200
    repeating.react()
    for _ in range(20):
        running = [execution for execution in world.executions.values() if not execution.is_over]
        if not running:
            return
        (execution,) = running
        world.now = max(world.now, execution.wait() or world.now)
        execution.step(repeating.task)
        repeating.feedback()
    pytest.fail("the execution never came to its end")


def _cases(*functions: str) -> Iterator[Any]:
    for function in functions:
        for number, name in enumerate(CALLS[function]):
            for mode in MODES:
                yield pytest.param(function, number, mode, id=f"{function}-{number}-{name.partition(':')[2]}-{mode}")
    yield from ((*place, mode) for place in MOVING for mode in MODES)


def test_every_call_has_its_cases(world: World) -> None:
    repeating = _prepared(world)
    seen: dict[str, list[str]] = {name: [] for name in CALLS}
    world.recorder.before = lambda call: seen.setdefault(world.running, []).append(call.name)
    first: dict[str, int] = {}
    _play_first_invocations(world, repeating, seen, first)
    assert {name: seen[name][: first[name]] for name in CALLS} == CALLS


def _play_first_invocations(
    world: World, repeating: Repeating, seen: dict[str, list[str]], first: dict[str, int]
) -> None:
    """Play the scenario, remembering how many calls each function's first invocation made."""
    original = repeating._tried

    def tried(name: str, event: dict[str, Any]) -> Any:
        answer = original(name, event)
        first.setdefault(name, len(seen[name]))
        return answer

    repeating._tried = tried  # type: ignore[method-assign]
    _play(world, repeating)


@pytest.mark.parametrize(("function", "number", "mode"), list(_cases(*CALLS)))
def test_a_fault_at_any_call_sends_the_mail_once(world: World, function: str, number: int, mode: str) -> None:
    repeating = _prepared(world)
    fault = Fault(world, function, number, mode)
    world.recorder.before, world.recorder.after = fault.before, fault.after
    _play(world, repeating)
    assert fault.struck
    contact = world.contact(user_id="ada")
    (message,) = world.of_contact(contact["contact"], "messages")
    (enrolment,) = world.of_contact(contact["contact"], "enrolments")
    assert [step["component"] for step in enrolment["path"]] == ["active", "nudge"]
    assert len(world.executions) == 1
    assert world.messages_in("aside") == []
    assert counted(world) == told(world)
    assert steps_counted(world) == steps_told(world)
    if _died_between_claim_and_send(function, number, mode):
        # Nobody can tell this from a mail whose answer and events were lost: it is not sent again, and it is said.
        assert (len(world.ses.accepted), message["state"]) == (0, "unknown")
        assert enrolment["path"][1]["outcome"] == "unknown"
    else:
        assert (world.ses.messages(), message["state"]) == ([message["message"]], "delivered")
        assert enrolment["path"][1]["outcome"] == "accepted"
        names = [event["event"] for event in world.of_contact(contact["contact"], "events")]
        assert sorted(names) == ["", "Email Delivered", "Email Sent", "Signed Up"]


def _died_between_claim_and_send(function: str, number: int, mode: str) -> bool:
    return function == "send_email" and (number, mode) in {(CLAIM, "after"), (SEND, "before")}


@pytest.mark.parametrize("mode", ["after", "lost"])
def test_a_mail_whose_answer_and_events_are_all_lost_ends_as_unknown_and_is_not_sent_again(
    world: World, mode: str
) -> None:
    repeating = _prepared(world)
    repeating.lost_events = True
    fault = Fault(world, "send_email", SEND, mode)
    world.recorder.before, world.recorder.after = fault.before, fault.after
    _play(world, repeating)
    status, listed = world.call("messages", "GET /v1/messages", query={"state": "unknown"})
    assert status == 200
    assert [message["state"] for message in listed["messages"]] == ["unknown"]
    assert world.ses.messages() == [listed["messages"][0]["message"]]


def test_a_mail_marked_resend_is_sent_again_when_its_outcome_stays_unknown(world: World) -> None:
    repeating = _prepared(world)
    components = {**AUTOMATION["components"], "nudge": {**AUTOMATION["components"]["nudge"], "on_unknown": "resend"}}  # type: ignore[dict-item,index]
    world.automation({**AUTOMATION, "components": components})
    fault = Fault(world, "send_email", CLAIM, "after")
    world.recorder.before, world.recorder.after = fault.before, fault.after
    _play(world, repeating)
    (message,) = world.of_contact(world.contact(user_id="ada")["contact"], "messages")
    assert (len(world.ses.accepted), message["state"]) == (1, "delivered")
