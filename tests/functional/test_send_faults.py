"""A send that is struck at any AWS call, of whoever takes it in or works it off, writes to each person exactly once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_faults import MODES, Fault
from tests.support.recorder import Killed
from tests.support.world import World

from tidings.core.clock import to_text

TRIES = 6
WHO = ["p0@people.example", "p1@people.example"]


class Repeating:
    """Calls functions as AWS and a client do: again after a fault, in a new process if the old one died."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._told = 0

    def post(self, number: int, at: str | None) -> str:
        """Order a send until it is taken; its id."""
        body = {
            "recipients": [{"email": f"r{number}-{who}"} for who in WHO],
            "template": "tips",
            "kind": "transactional",
            "idempotency_key": f"k-{number}",
            "on_unknown": "resend",
            **({"at": at} if at else {}),
        }
        event = {
            "routeKey": "POST /v1/emails",
            "headers": {"authorization": f"Bearer {self.world.keys['secret']}"},
            "requestContext": {"http": {"method": "POST"}},
            "body": json.dumps(body),
        }
        for _ in range(TRIES):
            answer = self._tried("send_email", event)
            if answer is not None and answer["statusCode"] == 202:
                return str(json.loads(answer["body"])["send"])
            assert answer is None or answer["statusCode"] in (429, 503), answer
        return pytest.fail("the send was never taken")

    def task(self, arn: str, payload: dict[str, Any]) -> Any:
        """Repeat the machine's Task."""
        for _ in range(TRIES):
            answer = self._tried(arn.rpartition(":")[2], payload)
            if answer is not None:
                return answer
        return pytest.fail("the Task never came to an end")

    def deliver(self) -> None:
        """Deliver messages of the queue, each until it is taken, and what SES reports meanwhile."""
        world = self.world
        for _ in range(60):
            bodies = world.messages_in("deliveries")
            for body in bodies:
                event = {"Records": [{"messageId": "q-1", "body": json.dumps(body)}]}
                for _ in range(TRIES):
                    if self._tried("deliver", event) == {"batchItemFailures": []}:
                        break
                    world.now += timedelta(minutes=3)
                    self.feedback()
                else:
                    pytest.fail("a message was never worked off")
                self.feedback()
            if not bodies:
                return
            world.now += timedelta(minutes=1)
        pytest.fail("the queue was never empty")

    def feedback(self) -> None:
        """Deliver the Send events of mails that were accepted since."""
        for mail in self.world.ses.accepted[self._told :]:
            self._told += 1
            self.world.feedback(self.world.ses.event("Send", mail), pump=False)

    def _tried(self, name: str, event: dict[str, Any]) -> Any:
        try:
            return self.world.invoke(name, event)
        except Killed:
            self.world.cold(name)
        except Exception:  # noqa: BLE001 - Lambda, SQS and Step Functions repeat whatever a handler raises
            return None
        return None


@pytest.mark.parametrize("later", [False, True], ids=["now", "later"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("function", "calls"), [("send_email", 6), ("deliver", 20)])
def test_a_fault_at_any_call_writes_to_each_exactly_once(
    world: World, function: str, calls: int, mode: str, later: bool
) -> None:
    world.template("tips")
    repeating = Repeating(world)
    number = 0
    while True:
        fault = Fault(world, function, number, mode)
        world.recorder.before, world.recorder.after = fault.before, fault.after
        send = repeating.post(number, to_text(world.now + timedelta(hours=1)) if later else None)
        for execution in [one for one in world.executions.values() if not one.is_over]:
            world.now += timedelta(hours=1)
            while not execution.is_over:
                execution.step(repeating.task)
        repeating.deliver()
        world.recorder.before = world.recorder.after = None
        status, found = world.call("sends", "GET /v1/sends/{send}", path={"send": send})
        assert (status, found["state"], found["counts"]) == (200, "done", {"accepted": 2}), number
        assert all(len(world.ses.to(f"r{number}-{who}")) == 1 for who in WHO), number
        if not fault.struck:
            break
        number += 1
    assert number >= calls - (4 if later else 0)  # each of its calls was struck once


@pytest.mark.parametrize("mode", MODES)
def test_a_fault_at_any_call_of_a_cancellation_leaves_a_send_that_sends_nothing(world: World, mode: str) -> None:
    world.template("tips")
    repeating = Repeating(world)
    number = 0
    while True:
        send = repeating.post(number, to_text(world.now + timedelta(hours=1)))
        fault = Fault(world, "sends", number, mode)
        world.recorder.before, world.recorder.after = fault.before, fault.after
        event = {
            "routeKey": "DELETE /v1/sends/{send}",
            "headers": {"authorization": f"Bearer {world.keys['secret']}"},
            "pathParameters": {"send": send},
            "requestContext": {"http": {"method": "DELETE"}},
        }
        for _ in range(TRIES):
            answer = repeating._tried("sends", event)
            if answer is not None and answer["statusCode"] == 200:
                break
        else:
            pytest.fail("the send was never cancelled")
        world.recorder.before = world.recorder.after = None
        for execution in [one for one in world.executions.values() if not one.is_over]:
            world.now += timedelta(hours=1)
            while not execution.is_over:
                execution.step(repeating.task)
        repeating.deliver()
        assert world.ses.accepted == []
        if not fault.struck:
            break
        number += 1
    assert number >= 3


def test_sixty_people_get_one_mail_each_whatever_befalls_the_sender(world: World) -> None:
    """SES is slow, its answers are lost, and the sender dies again and again."""
    world.template("tips")
    who = [f"p{number}@people.example" for number in range(60)]
    body = {"recipients": [{"email": one} for one in who], "template": "tips", "kind": "transactional"}
    body |= {"idempotency_key": "k", "on_unknown": "resend"}
    assert world.call("send_email", "POST /v1/emails", body)[0] == 202
    world.ses.failing = [("", "", "TooManyRequestsException", "timeout", "")[n % 5] for n in range(60)]
    repeating, made = Repeating(world), 0

    def die(call: Any) -> None:
        nonlocal made
        made += world.running == "deliver"
        if world.running == "deliver" and made % 97 == 0:
            raise Killed(call.name)

    world.recorder.after = die
    repeating.deliver()
    assert sorted(mail["Destination"]["ToAddresses"][0] for mail in world.ses.accepted) == sorted(who)
