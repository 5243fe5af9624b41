"""How deep in a chain of automations a message was sent, which the events of that message do not say themselves.

One automation may be started by what another one's mails bring about, and the other way round: each of them is in
order, and together they would write to somebody without end.
"""

from __future__ import annotations

from dataclasses import replace

from tidings.activity.chain import NodeKind
from tidings.activity.model import SYSTEM, Event
from tidings.activity.own_events import OF_SENDING
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.entering.requests import DEPTH, depth_below
from tidings.core.ids import contact_of_message
from tidings.core.store import Database
from tidings.messages.store import DynamoMessageStore


class Depths:
    """Finds out in which enrolment a message was sent, and how deep that stood."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._enrolments = DynamoEnrolmentStore(database)
        self._messages = DynamoMessageStore(database)

    def told(self, event: Event) -> Event:
        """The event, and among its properties how deep it is, if an automation sent its message.

        Two batched reads, none for an event that does not come of itself after a message.
        """
        if event.type != SYSTEM or event.name not in OF_SENDING:
            return event
        if event.cause is None or event.cause.kind is not NodeKind.MESSAGE:
            return event
        message = event.cause.parts[0]
        owner = contact_of_message(message)
        key = self._messages.key(event.workspace, owner, message)
        item = self._database.batch_get([key]).get(key)
        cause = {} if item is None else self._messages.entity(item).cause
        if not cause.get("automation") or not cause.get("entry"):
            return event
        place = (event.workspace, owner, cause["automation"], cause["entry"])
        enrolment, trigger = self._enrolments.key(*place), self._enrolments.trigger_key(*place)
        found = self._database.batch_get([enrolment, trigger])
        if enrolment not in found:
            return event
        began = found[trigger].properties or {} if trigger in found else {}
        depth = depth_below(self._enrolments.entity(found[enrolment]), began)
        return replace(event, properties={**event.properties, DEPTH: depth})
