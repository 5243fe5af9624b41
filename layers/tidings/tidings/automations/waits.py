"""What an open wait for an event is, which event ends it, and what comes of that: rules without any database.

A wait is open from the moment on at which what stands before it acted, until its deadline. An event ends it that was
received in that time and that one of its arms is about; of several the one received first. What was received in time
wins against the deadline, however late somebody looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tidings.activity.facts import ContactFacts
from tidings.activity.model import Event
from tidings.automations.enrolments import StepCall, StepTaken, until_texts
from tidings.automations.graph import Moment, follow, links
from tidings.automations.model import TIMEOUT, Definition, EventArm, UntilProperty, Wait, WaitFor
from tidings.conditions.evaluate import evaluate
from tidings.conditions.explain import explain
from tidings.conditions.values import lookup
from tidings.contacts.model import Contact
from tidings.core.clock import to_text

# Of how many rules a step keeps the explanation: an item holds 400 KB at most.
EXPLAINED_RULES = 200


@dataclass(frozen=True, slots=True)
class OpenWait:
    """Somebody who waits. `token` is what their machine waits with; `passed` are message ids that do not count.

    `properties` are what later waits ask of the event that enrolled them. `ended_by` is the message id of the event
    that ended it, or `timeout`; empty while it is open.
    """

    call: StepCall
    token: str = field(repr=False)
    since: datetime
    deadline: datetime
    passed: tuple[str, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)
    ended_by: str = ""

    def counts(self, event: Event) -> bool:
        """Whether an event came in time, and is not what the waiting began with."""
        return self.since <= event.received_at < self.deadline and event.message_id not in self.passed

    def left(self, now: datetime) -> int:
        """How long it still lasts, in whole seconds; at least one, as Step Functions wants it."""
        return max(1, -((now - self.deadline) // timedelta(seconds=1)))


def arm_of(component: WaitFor, event: Event, contact: Contact) -> EventArm | None:
    """The first arm that an event ends the waiting by; None if it is about none."""
    facts = ContactFacts(contact=contact, now=event.received_at, properties=event.properties)
    for arm in component.arms:
        if arm.event == event.name and (arm.where is None or evaluate(arm.where, facts)):
            return arm
    return None


def first_of(component: WaitFor, wait: OpenWait, events: Iterable[Event], contact: Contact) -> Event | None:
    """The event that ends a wait, of those that came; None if none does."""
    ends = [event for event in events if wait.counts(event) and arm_of(component, event, contact)]
    return min(ends, key=_place, default=None)


def step_of(
    definition: Definition, wait: OpenWait, contact: Contact, event: Event | None, now: datetime
) -> StepTaken | None:
    """The step that an event makes, or with no event the deadline; None for an event that does not end the wait.

    What follows is counted from when the event was received, so that nothing is lost that came right after it.
    """
    component = definition.components[wait.call.component]
    if not isinstance(component, WaitFor):
        return None
    arm = None if event is None else arm_of(component, event, contact)
    if event is not None and arm is None:
        return None
    outcome = TIMEOUT if arm is None else arm.name
    moment = Moment(now if event is None else event.received_at, contact.values, wait.properties)
    following = follow(definition, links(component)[outcome], moment)
    return StepTaken(
        n=wait.call.n + 1,
        component=wait.call.component,
        outcome=outcome,
        next=following.next,
        until=until_texts(following),
        at=now,
        why=_in_vain(component, wait) if event is None else _came(component, event, contact),
    )


def properties_for(definition: Definition, properties: Mapping[str, Any]) -> dict[str, Any]:
    """What the definition's waits ask of the event that enrolled somebody: dates, and nothing else of it."""
    untils = (one.until for one in definition.components.values() if isinstance(one, Wait))
    names = {until.property for until in untils if isinstance(until, UntilProperty)}
    return {name: value for name in sorted(names) if (value := lookup(properties, name)) is not None}


def _came(component: WaitFor, event: Event, contact: Contact) -> dict[str, Any]:
    facts = ContactFacts(contact=contact, now=event.received_at, properties=event.properties)
    asked = [arm for arm in component.arms if arm.event == event.name and arm.where is not None]
    most = EXPLAINED_RULES // max(1, len(asked))
    return {
        "check": "event",
        "found": f"{event.name} came at {to_text(event.received_at)}",
        "event": str(event.node),
        "received_at": to_text(event.received_at),
        "message_id": event.message_id,
        "arms": {arm.name: explain(arm.where, facts).as_dict(most=most) for arm in asked if arm.where is not None},
    }


def _in_vain(component: WaitFor, wait: OpenWait) -> dict[str, Any]:
    names = " or ".join(sorted(component.events))
    return {"check": TIMEOUT, "found": f"{names} did not come, as it would have had to, until {to_text(wait.deadline)}"}


def _place(event: Event) -> tuple[datetime, str, str]:
    return (event.received_at, str(event.identity), event.message_id)
