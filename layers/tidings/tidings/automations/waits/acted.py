"""When the steps before a wait acted: what they sent may have been answered before it was known that it went."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tidings.automations.enrolments.model import StepCall, StepTaken, message_of
from tidings.core.clock import from_text
from tidings.core.store import Database, Key
from tidings.messages.store import DynamoMessageStore


class Acted:
    """Tells of steps of one enrolment when they acted. `asked` are steps that will be asked about for certain.

    Their messages are read together with the first that is asked about: one batched read, one more for each other step.
    """

    def __init__(
        self, database: Database, messages: DynamoMessageStore, call: StepCall, asked: Iterable[StepTaken]
    ) -> None:
        self._database = database
        self._messages = messages
        self._call = call
        self._asked = list(asked)
        self._claimed: dict[Key, datetime | None] = {}

    def at(self, step: StepTaken) -> datetime:
        """When a step acted: a wait by the event that ended it, what sends by when its message was claimed."""
        received = received_at(step)
        if received is not None:
            return received
        key = self._key(step)
        if key not in self._claimed:
            wanted = {key, *(self._key(one) for one in self._asked if received_at(one) is None)}
            found = self._database.batch_get(wanted - self._claimed.keys())
            claims = {one: self._messages.entity(item).claimed_at for one, item in found.items()}
            self._claimed |= {one: claims.get(one) for one in wanted}
        return min(step.at, self._claimed[key] or step.at)

    def _key(self, step: StepTaken) -> Key:
        message = message_of(self._call, step.component, step.n)
        return self._messages.key(self._call.workspace, self._call.contact, message)


def received_at(step: StepTaken) -> datetime | None:
    """When the event was received that ended the wait of a step; None for any other step."""
    return from_text(str(step.why["received_at"])) if "received_at" in step.why else None
