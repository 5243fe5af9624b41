"""Enrolling people: one enrolment and one execution for each event, however often it is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tidings.activity.model import Event
from tidings.automations.enrolments import Enrolment, EnrolmentState, entry_of, until_texts
from tidings.automations.gateway import QueueGateway, Start, StepFunctionsGateway
from tidings.automations.graph import Moment, follow
from tidings.automations.store import Automation, DynamoEnrolmentStore
from tidings.contacts.model import Contact
from tidings.core.store import ConditionFailed


class Enrolling:
    """Stores the enrolment first and starts its execution then: whoever is interrupted between repeats both."""

    def __init__(self, enrolments: DynamoEnrolmentStore, machines: StepFunctionsGateway, starts: QueueGateway) -> None:
        self._enrolments = enrolments
        self._machines = machines
        self._starts = starts

    def enrol(
        self,
        automation: Automation,
        contact: Contact,
        event: Event,
        at: datetime | None = None,
        others: Sequence[str] = (),
    ) -> bool:
        """Enrol a contact because of an event; False if the automation's re-entry rule says no.

        At most two calls and one StartExecution. `at` is when the event came to the contact, if not when it was
        received, and `others` are further contacts whose the event was. Raises Unavailable or Throttled.
        """
        enrolment = new_enrolment(automation, contact, event, at)
        before = tuple(dict.fromkeys((*contact.absorbed, *others)))
        earlier = self._earlier(enrolment, before)  # before it was absorbed, this event may have been seen
        if earlier is None:
            try:
                self._enrolments.add(enrolment, event.properties)
            except ConditionFailed:
                earlier = self._earlier(enrolment, [contact.id])
            else:
                self._start(enrolment)
                return True
        return earlier is not None and self._start_earlier(earlier, enrolment)

    def _earlier(self, enrolment: Enrolment, contacts: Sequence[str]) -> Enrolment | None:
        """The same enrolment as it was stored before, under the first of these contacts that has it."""
        return self._enrolments.first_of(enrolment.workspace, contacts, enrolment.automation, enrolment.entry)

    def _start_earlier(self, earlier: Enrolment, enrolment: Enrolment) -> bool:
        """Start the execution of an enrolment that was stored before, unless another event made it or it is over."""
        if dict(earlier.event) != dict(enrolment.event):
            return False
        if earlier.state is EnrolmentState.LIVE and earlier.n == 0 and earlier.runs == 0:
            self._start(earlier)
        return True

    def _start(self, enrolment: Enrolment) -> None:
        if start(self._machines, enrolment) is Start.THROTTLED:
            self._starts.put(reference(enrolment))


def new_enrolment(automation: Automation, contact: Contact, event: Event, at: datetime | None = None) -> Enrolment:
    """The enrolment that an event causes. Its times count from when the event came, so a repeat is the same."""
    began = at or event.received_at
    moment = Moment(began, contact.values, event.properties)
    following = follow(automation.definition, automation.definition.start, moment)
    return Enrolment(
        workspace=contact.workspace,
        contact=contact.id,
        automation=automation.name,
        version=automation.version,
        entry=entry_of(event, automation.definition.reentry),
        state=EnrolmentState.LIVE,
        started_at=began,
        machine=automation.machine,
        component=following.next,
        until=until_texts(following),
        event={"identity": str(event.identity), "message_id": event.message_id, "event": event.name},
        root=event.root,
    )


def start(machines: StepFunctionsGateway, enrolment: Enrolment) -> Start:
    """Start the execution of an enrolment's current run; repeating it starts nothing."""
    return machines.start(enrolment.machine, enrolment.execution_name, enrolment.input)


def reference(enrolment: Enrolment) -> dict[str, Any]:
    """What names an enrolment in a queue."""
    return {
        "workspace": enrolment.workspace,
        "contact": enrolment.contact,
        "automation": enrolment.automation,
        "entry": enrolment.entry,
    }


class PendingStarts:
    """Starts executions that Step Functions had no room for."""

    def __init__(self, enrolments: DynamoEnrolmentStore, machines: StepFunctionsGateway) -> None:
        self._enrolments = enrolments
        self._machines = machines

    def start(self, named: dict[str, str]) -> bool:
        """Start a pending enrolment; False if there is still no room. Raises Unavailable."""
        enrolment = self._enrolments.get(named["workspace"], named["contact"], named["automation"], named["entry"])
        if enrolment is None or enrolment.state is not EnrolmentState.LIVE:
            return True
        return start(self._machines, enrolment) is not Start.THROTTLED
