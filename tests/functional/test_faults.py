"""Each function of the main job is killed at each of its AWS calls, and repeated as AWS repeats it.

Three faults for every call: the process dies before the call leaves (`before`), it dies when the call was carried out
(`after`), or the call is carried out and its answer is lost while the process goes on (`lost`). The calls are listed
below; a test compares the lists with what the recorder sees, so that a new call without a case fails the suite.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from tests.support.recorder import Call, Killed
from tests.support.world import World

MODES = ("before", "after", "lost")
EMAIL = "ada@people.example"

# What each function calls in the scenario, in this order.
CALLS = {
    "react": [
        "dynamodb:BatchGetItem",  # generation, identities, repeats
        "dynamodb:Query",  # the live automations, since the generation grew
        "dynamodb:BatchGetItem",  # whether somebody with these identities was erased
        "dynamodb:TransactWriteItems",  # the new contact with what the first event says, its identities and the count
        "dynamodb:UpdateItem",  # what the second event says
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
        "dynamodb:UpdateItem",  # the message's state
        "dynamodb:PutItem",  # the event
    ],
}
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


@dataclass
class Fault:
    """Strikes once, at the `number`th call of a function."""

    world: World
    function: str
    number: int
    mode: str
    made: int = 0
    struck: bool = False

    def before(self, call: Call) -> None:
        """Called before each call is made."""
        if self.world.running == self.function and not self.struck and self.mode == "before":
            self._strike(call)

    def after(self, call: Call) -> None:
        """Called after each call was made."""
        if self.world.running == self.function and not self.struck and self.mode != "before":
            self._strike(call)

    def _strike(self, call: Call) -> None:
        if self.made < self.number:
            self.made += 1
            return
        self.struck = True
        if self.mode == "lost":
            raise ReadTimeoutError(endpoint_url=f"https://{call.service}")
        raise Killed(call.name)


class Repeating:
    """Calls handlers as AWS does: again after a fault, in a new process if the old one died."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lost_events = False

    def react(self) -> None:
        """Give new records to react until it takes the whole batch."""
        while records := self.world.new_records():
            for _ in range(10):
                if self._tried("react", {"Records": records}) == {"batchItemFailures": []}:
                    break
            else:
                pytest.fail("react never took the batch")

    def task(self, arn: str, payload: dict[str, Any]) -> Any:
        """Repeat a Task with the machine's backoff."""
        for attempt in range(9):
            answer = self._tried(arn.rpartition(":")[2], payload)
            if answer is not None:
                return answer
            self.feedback()  # what SES reports comes in while the machine waits
            self.world.now += timedelta(seconds=2 * 2**attempt)
        return pytest.fail("the Task never came to an end")

    def feedback(self) -> None:
        """Deliver the Send and Delivery events of mails that were accepted since, until they are taken."""
        ses = self.world.ses
        for mail in ses.accepted[self._reported :]:
            self._reported += 1
            for kind in () if self.lost_events else ("Send", "Delivery"):
                for _ in range(5):
                    record = _feedback_record(ses.event(kind, mail))
                    if self._tried("ses_events", {"Records": [record]}) == {"batchItemFailures": []}:
                        break
                else:
                    pytest.fail("feedback was never taken")
        self.react()

    _reported = 0

    def _tried(self, name: str, event: dict[str, Any]) -> Any:
        try:
            return self.world.invoke(name, event)
        except Killed:
            self.world.cold(name)
        except Exception:  # noqa: BLE001 - Lambda and Step Functions repeat whatever a handler raises
            return None
        return None


def _feedback_record(notification: dict[str, Any]) -> dict[str, Any]:
    return {"messageId": "q-1", "body": json.dumps({"Type": "Notification", "Message": json.dumps(notification)})}


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
