"""Waking those who wait for an event, once it is stored: `react`'s part of the waiting (the other is `waiting`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from tidings.activity.merged import tells_of_merge
from tidings.activity.model import Event
from tidings.activity.timeline import TimelineService
from tidings.automations.automation_store import unknown_version
from tidings.automations.components import Awaits
from tidings.automations.definition.model import Definition
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.machines.gateway import StepFunctionsGateway
from tidings.automations.waits.rules import OpenWait, first_of, step_of
from tidings.automations.waits.store import DynamoWaitStore
from tidings.contacts.model import Contact
from tidings.core.clock import Clock
from tidings.core.store import ConditionFailed, Database


class Awaited(Protocol):
    """Which events somebody may wait for, and what versions say; kept in memory."""

    def awaits(self, workspace: str, name: str) -> bool: ...
    def awaits_any(self, workspace: str) -> bool: ...
    def definition(self, workspace: str, name: str, version: int) -> Definition | None: ...


class Waking:
    """Ends waits by events."""

    def __init__(
        self,
        database: Database,
        awaited: Awaited,
        waits: DynamoWaitStore,
        enrolments: DynamoEnrolmentStore,
        timeline: TimelineService,
        machines: StepFunctionsGateway,
        clock: Clock,
    ) -> None:
        self._database = database
        self._awaited = awaited
        self._waits = waits
        self._enrolments = enrolments
        self._timeline = timeline
        self._machines = machines
        self._clock = clock

    def concerns(self, event: Event) -> bool:
        """Whether somebody may wait for an event, or for what comes with the merge that it tells of: no read."""
        if self._awaited.awaits(event.workspace, event.name):
            return True
        return tells_of_merge(event) and self._awaited.awaits_any(event.workspace)

    def wake(self, contact: Contact, event: Event) -> None:
        """End the waits of a contact that an event ends: one query for each id that the contact goes by.

        For each wait one transaction, and one answer to its machine. May be repeated: what is ended by this event is
        answered again. After a merge it is looked for what came before it, under the ids that have come together.
        Raises Throttled or Unavailable.
        """
        for wait in self._waits_of(contact, event):
            if not tells_of_merge(event):
                self._end(wait, contact, event)
                continue
            came = self._came(wait, contact)
            if came is not None:
                self._end(wait, contact, came)

    def _waits_of(self, contact: Contact, event: Event) -> Iterator[OpenWait]:
        merged = tells_of_merge(event)
        for source in contact.shown_ids:
            for wait in self._waits.of_contact(contact.workspace, source, None if merged else event):
                if contact.shows(source, wait.since) and (merged or wait.counts(event)):
                    yield wait

    def _came(self, wait: OpenWait, contact: Contact) -> Event | None:
        component = self._definition(wait).components.get(wait.call.component)
        if not isinstance(component, Awaits):
            return None
        events = self._timeline.named_since(contact, wait.since, *sorted(component.events))
        return first_of(component, wait, events, contact)

    def _end(self, wait: OpenWait, contact: Contact, event: Event) -> None:
        if not wait.ended_by:
            now = self._clock.now()
            step = step_of(self._definition(wait), wait, contact, event, now)
            if step is None:
                return
            ended = self._waits.end(wait, event.message_id, now)
            try:
                self._database.transact([*self._enrolments.record(wait.call, step), ended])
            except ConditionFailed:
                pass  # it is over in another way; or by this very event, and nobody was told whether it was written
            else:
                self._machines.succeed(wait.token, step.onward)
                return
        key = self._enrolments.step_key(wait.call)
        item = self._database.batch_get([key]).get(key)
        taken = None if item is None else self._enrolments.step(item)
        if taken is not None and taken.why.get("message_id") == event.message_id:
            self._machines.succeed(wait.token, taken.onward)

    def _definition(self, wait: OpenWait) -> Definition:
        """The version that somebody is inside of."""
        found = self._awaited.definition(wait.call.workspace, wait.call.automation, wait.call.version)
        if found is None:
            raise unknown_version()
        return found
