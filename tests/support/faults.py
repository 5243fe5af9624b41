"""Processes that die or lose an answer at a call to AWS, and are called again as AWS calls them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.support.recorder import Call, Killed
from tests.support.world import World

MODES = ("before", "after", "lost")


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

    def tried(self, do: Callable[[], Any], function: str = "send_email") -> Any:
        """What a call of a function answers; None if it failed, in a new process then if the old one died."""
        try:
            return do()
        except Killed:
            self.world.cold(function)
        except Exception:  # noqa: BLE001 - Lambda and Step Functions repeat whatever a handler raises
            return None
        return None

    def _tried(self, name: str, event: dict[str, Any]) -> Any:
        return self.tried(lambda: self.world.invoke(name, event), name)


def _feedback_record(notification: dict[str, Any]) -> dict[str, Any]:
    return {"messageId": "q-1", "body": json.dumps({"Type": "Notification", "Message": json.dumps(notification)})}
