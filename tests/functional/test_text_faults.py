"""A text at whose every AWS call something fails, or somebody says STOP: it leaves once, or nobody knows, and that is
said.

Three faults for every call, as in `test_faults`. And before every call the person's STOP is taken in: what had not
begun to leave by then never leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support.faults import MODES, Fault, Repeating
from tests.support.recorder import Call
from tests.support.world import THEIR_NUMBER, World

# What the component calls, in this order.
TASK = [
    "dynamodb:BatchGetItem",  # the definition
    "dynamodb:BatchGetItem",  # all that stands around the step
    "dynamodb:GetItem",  # consent and suppression of the number
    "dynamodb:TransactWriteItems",  # the claim, with the short links that stand in the text
    "pinpoint-sms-voice-v2:SendTextMessage",
    "dynamodb:TransactWriteItems",  # the answer, the pointer by which answers find it, its event, and the step
]
CLAIM, SEND = 3, 4
# What POST /v1/sms calls to a number that somebody has.
API = [
    "dynamodb:GetItem",  # the key
    "dynamodb:Query",  # who has the number
    "dynamodb:GetItem",  # the contact
    "dynamodb:Query",  # who else has it
    "dynamodb:BatchGetItem",  # the message, the template and the workspace
    "dynamodb:UpdateItem",  # what the idempotency key stands for
    "dynamodb:GetItem",  # consent and suppression of the number
    "dynamodb:TransactWriteItems",  # the claim
    "pinpoint-sms-voice-v2:SendTextMessage",
    "dynamodb:TransactWriteItems",  # the answer
]
API_CLAIM, API_SEND = 7, 8

AUTOMATION = {
    "automation": "confirm",
    "trigger": {"event": "Booked"},
    "start": "ask",
    "components": {"ask": {"type": "send_sms", "template": "pin"}},
}


def prepared(world: World) -> World:
    world.template("pin", channel="sms", subject="", text="Hi {{ contact.first_name }}: https://shop.example/a")
    world.identify("ada", phone=THEIR_NUMBER, firstName="Ada")
    world.automation(AUTOMATION)
    world.pump()
    return world


def play(world: World, repeating: Repeating) -> dict[str, Any]:
    """Somebody books, and is written to; the message as it stands in the end."""
    world.track("ada", "Booked")
    (execution,) = world.executions.values()
    execution.step(repeating.task)
    world.pump()
    messages = world.of_contact(world.contact(user_id="ada")["contact"], "messages")
    (message,) = [message for message in messages if message["template"] == "pin"]  # STOP is answered too
    return message


def ordered(world: World) -> tuple[int, dict[str, Any]]:
    body = {"to": {"phone": THEIR_NUMBER}, "template": "pin", "idempotency_key": "k-1"}
    return world.call("send_sms", "POST /v1/sms", body)


def names_of(world: World, do: Callable[[], Any]) -> list[str]:
    """The calls of send_sms."""
    seen: list[str] = []
    world.recorder.before = lambda call: seen.append(call.name) if world.running == "send_sms" else None
    do()
    world.recorder.before = None
    return seen


def test_every_call_has_its_cases(world: World) -> None:
    prepared(world)
    assert names_of(world, lambda: play(world, Repeating(world))) == TASK
    assert names_of(world, lambda: ordered(world))[1:] == API[1:]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("number", range(len(TASK)), ids=[name.partition(":")[2] for name in TASK])
def test_a_fault_at_any_call_sends_the_text_once(world: World, number: int, mode: str) -> None:
    prepared(world)
    fault = Fault(world, "send_sms", number, mode)
    world.recorder.before, world.recorder.after = fault.before, fault.after
    repeating = Texting(world)
    message = play(world, repeating)
    assert fault.struck
    (enrolment,) = world.of_contact(message["contact"], "enrolments")
    if (number, mode) in {(CLAIM, "after"), (SEND, "before")}:
        # Nobody can tell this from a text whose answer and events were lost: it is not sent again, and it is said.
        assert (len(world.sms.accepted), message["state"]) == (0, "unknown")
        assert [step["outcome"] for step in enrolment["path"]] == ["unknown"]
        return
    assert (world.sms.messages(), message["state"]) == ([message["message"]], "delivered")
    assert [step["outcome"] for step in enrolment["path"]] == ["accepted"]
    names = [event["event"] for event in world.of_contact(message["contact"], "events")]
    assert (names.count("SMS Sent"), names.count("SMS Delivered")) == (1, 1)


class Texting(Repeating):
    """What the provider reports comes in while the machine waits."""

    def feedback(self) -> None:
        """Deliver the events of texts that were accepted since."""
        for text in self.world.sms.accepted[self._reported :]:
            self._reported += 1
            for kind in () if self.lost_events else ("TEXT_QUEUED", "TEXT_DELIVERED"):
                assert self.world.told_of_text(self.world.sms.event(kind, text))
        self.react()

    def task(self, arn: str, payload: dict[str, Any]) -> Any:
        """Repeat a Task with the machine's backoff; after its answer the provider reports."""
        answer = super().task(arn, payload)
        self.feedback()
        return answer


@pytest.mark.parametrize("mode", ["after", "lost"])
def test_a_text_whose_answer_and_events_are_all_lost_ends_as_unknown(world: World, mode: str) -> None:
    prepared(world)
    fault = Fault(world, "send_sms", SEND, mode)
    world.recorder.before, world.recorder.after = fault.before, fault.after
    repeating = Texting(world)
    repeating.lost_events = True
    message = play(world, repeating)
    assert (world.sms.messages(), message["state"]) == ([message["message"]], "unknown")


@pytest.mark.parametrize(
    ("failing", "outcome", "calls"),
    [
        (["ThrottlingException", "ServiceQuotaExceededException"], "accepted", 3),
        (["AccessDeniedException"], "accepted", 2),
        (["ValidationException"], "refused", 1),
        (["InternalServerException"], "unknown", 1),
        (["lost"], "unknown", 1),
    ],
)
def test_what_the_provider_says_is_the_outcome(world: World, failing: list[str], outcome: str, calls: int) -> None:
    prepared(world)
    world.sms.failing = failing
    message = play(world, Texting(world))
    (enrolment,) = world.of_contact(message["contact"], "enrolments")
    assert [step["outcome"] for step in enrolment["path"]] == [outcome]
    assert len(world.sms.of("SendTextMessage")) == calls
    assert len(world.sms.accepted) == (outcome == "accepted")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("number", range(1, len(API)), ids=[name.partition(":")[2] for name in API[1:]])
def test_a_fault_at_any_call_of_the_api_sends_one_text_whatever_is_repeated(
    world: World, number: int, mode: str
) -> None:
    prepared(world)
    ordered_once = {"to": {"phone": THEIR_NUMBER}, "template": "pin", "idempotency_key": "k-0"}
    world.call("send_sms", "POST /v1/sms", {**ordered_once, "dry_run": True})  # the key is in the cache
    fault = Fault(world, "send_sms", number - 1, mode)
    world.recorder.before, world.recorder.after = fault.before, fault.after
    repeating = Repeating(world)
    for _ in range(3):
        repeating.tried(lambda: ordered(world), "send_sms")
    assert fault.struck
    reached = (number, mode) not in {(API_CLAIM, "after"), (API_SEND, "before")}
    assert len(world.sms.accepted) == reached


def test_two_calls_at_once_send_one_text(world: World) -> None:
    prepared(world)
    answers = []

    def first(call: Call) -> None:
        if call.operation == "TransactWriteItems" and world.running == "send_sms":
            world.recorder.before = None
            answers.append(ordered(world))

    world.recorder.before = first
    answers.append(ordered(world))
    assert {answer["message"] for _, answer in answers} == {answers[0][1]["message"]}
    assert len(world.sms.accepted) == 1


def test_a_text_to_somebody_who_is_merged_meanwhile_is_sent_once(world: World) -> None:
    prepared(world)
    first = ordered(world)[1]
    world.ingest("identify", {"userId": "bob", "traits": {"phone": THEIR_NUMBER}})
    world.pump()
    assert ordered(world)[1]["message"] == first["message"]
    assert len(world.sms.accepted) == 1


# --- STOP, in the middle of everything -------------------------------------------------------------------------------


def stop_before(world: World, number: int) -> list[str]:
    """Let the person say STOP, and let it be taken in whole, before a call of send_sms; the calls that were made."""
    seen: list[str] = []

    def before(call: Call) -> None:
        if world.running != "send_sms":
            return
        seen.append(call.name)
        if len(seen) == number + 1:
            assert world.receive(world.text("STOP"), pump=False) == []

    world.recorder.before = before
    return seen


@pytest.mark.parametrize("number", range(len(TASK)), ids=[name.partition(":")[2] for name in TASK])
def test_an_automation_s_text_that_had_not_begun_to_leave_when_stop_was_stored_never_leaves(
    world: World, number: int
) -> None:
    prepared(world)
    stop_before(world, number)
    message = play(world, Repeating(world))
    own = [text["Context"].get("tidings_message") for text in world.sms.accepted]
    if number <= CLAIM:
        assert (message["state"], message["decision"]["decided_by"]) == ("skipped", "suppression")
        assert message["message"] not in own
    else:
        # It was on its way to the provider already: what was claimed leaves once.
        assert own.count(message["message"]) == 1


@pytest.mark.parametrize("number", range(len(API)), ids=[name.partition(":")[2] for name in API])
def test_a_text_of_the_api_that_had_not_begun_to_leave_when_stop_was_stored_never_leaves(
    world: World, number: int
) -> None:
    prepared(world)
    stop_before(world, number)
    world.cold("send_sms")
    message = ordered(world)[1]
    own = [text["Context"].get("tidings_message") for text in world.sms.accepted]
    assert (message["message"] in own) == (number > API_CLAIM)
    assert (message["state"] == "skipped") == (number <= API_CLAIM)


@pytest.mark.parametrize("kind", ["marketing", "transactional"])
def test_a_released_text_is_not_tried_again_after_stop(world: World, kind: str) -> None:
    prepared(world)
    world.sms.failing = ["ThrottlingException"]
    body = {"to": {"phone": THEIR_NUMBER}, "template": "pin", "idempotency_key": "k-1", "kind": kind}
    assert world.call("send_sms", "POST /v1/sms", body)[0] == 429
    assert world.receive(world.text("STOP")) == []
    answer = world.call("send_sms", "POST /v1/sms", body)[1]
    assert (answer["state"], answer["decision"]["decided_by"]) == ("skipped", "suppression")
    assert answer["message"] not in [text["Context"].get("tidings_message") for text in world.sms.accepted]


def test_only_start_lets_texts_go_again(world: World) -> None:
    prepared(world)
    world.receive(world.text("STOP"))
    assert ordered(world)[1]["state"] == "skipped"
    world.now = world.now.replace(hour=10)
    world.receive(world.text("START"))
    body = {"to": {"phone": THEIR_NUMBER}, "template": "pin", "idempotency_key": "k-2"}
    assert world.call("send_sms", "POST /v1/sms", body)[1]["state"] == "accepted"
