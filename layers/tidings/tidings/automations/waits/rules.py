"""What an open wait for an event is, which event ends it, and what comes of that: rules without any database.

A wait is open from the moment on at which what stands before it acted, until its deadline. An event ends it that was
received in that time and that one of its arms is about; of several the one received first. What was received in time
wins against the deadline, however late somebody looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tidings.activity.facts import ContactFacts
from tidings.activity.model import SYSTEM, Event
from tidings.activity.own_events import OF_SENDING, is_pretended
from tidings.automations.components import Awaits, EventArm, UntilProperty, Wait
from tidings.automations.components.waits import RECEIVED
from tidings.automations.definition.model import Definition
from tidings.automations.definition.names import TIMEOUT
from tidings.automations.definition.triggers import is_same
from tidings.automations.enrolments.model import StepCall, StepTaken, until_texts
from tidings.automations.entering.requests import MOST_DEEP, depth_of
from tidings.automations.machines.calendar import zone_of
from tidings.automations.machines.following import Run
from tidings.automations.machines.graph import Moment, follow, links
from tidings.automations.machines.lasting import RUN_AT_MOST
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

    `properties` are what this wait and later ones ask of the event that enrolled them, `messages` by component the ids
    of messages that arms are about, `zone` the workspace's time zone, `run` the execution that they are in and `waited`
    what their enrolment keeps of the waits before this one. `begins` says since when that counts which an arm is about,
    by the component whose messages it is about, or the event, and under no name of the rest; `since` is the first.
    `ended_by` is the message id of the event that ended it, or `timeout`; empty while it is open.
    """

    call: StepCall
    token: str = field(repr=False)
    since: datetime
    deadline: datetime
    passed: tuple[str, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)
    messages: Mapping[str, Sequence[str]] = field(default_factory=dict)
    zone: str = ""
    run: Run | None = None
    waited: Mapping[str, str] = field(default_factory=dict)
    begins: Mapping[str, datetime] = field(default_factory=dict)
    ended_by: str = ""

    def counts(self, event: Event) -> bool:
        """Whether an event came in time, and is not what the waiting began with."""
        return self.since <= event.received_at < self.deadline and event.message_id not in self.passed

    def began(self, arm: EventArm) -> datetime:
        """Since when events count that an arm is about."""
        return self.begins.get(arm.of or arm.event, self.begins.get("", self.since))

    def left(self, now: datetime) -> int:
        """How long it still lasts, in whole seconds; at least one, as Step Functions wants it.

        Not longer than an execution may: it is asked again then.
        """
        longest = int(RUN_AT_MOST.total_seconds())
        return min(longest, max(1, -((now - self.deadline) // timedelta(seconds=1))))


def arm_of(component: Awaits, wait: OpenWait, event: Event, contact: Contact) -> EventArm | None:
    """The first arm that an event ends the waiting by; None if it is about none.

    What a chain of automations brought about that goes on and on ends nothing: they would wake each other without end.
    """
    facts = ContactFacts(contact=contact, now=event.received_at, properties=event.properties)
    if (component.own and event.type != SYSTEM) or depth_of(event) > MOST_DEEP:
        return None
    for arm in component.awaited:
        is_early = event.received_at < wait.began(arm)
        if not is_early and _is_about(arm, wait, event) and (arm.where is None or evaluate(arm.where, facts)):
            return arm
    return None


def _is_about(arm: EventArm, wait: OpenWait, event: Event) -> bool:
    """Whether an event is of an arm's name, and about what it is to be about."""
    if arm.event != event.name or is_pretended(event) or not is_same(arm.matches, event.properties, wait.properties):
        return False
    if arm.of is None:
        return True
    if event.type != SYSTEM:  # what an app says of a message is not known
        return False
    return not _about(event).isdisjoint(wait.messages.get(arm.of, ()))


def _about(event: Event) -> set[str]:
    """The ids of the messages that an event of our own is about: that became something, or that was answered."""
    named = (event.properties.get("message"), event.properties.get("answers"))
    return {one for one in named if isinstance(one, str)}


def first_of(component: Awaits, wait: OpenWait, events: Iterable[Event], contact: Contact) -> Event | None:
    """The event that ends a wait, of those that came; None if none does."""
    ends = [event for event in events if wait.counts(event) and arm_of(component, wait, event, contact)]
    return min(ends, key=lambda event: event.place, default=None)


def step_of(
    definition: Definition, wait: OpenWait, contact: Contact, event: Event | None, now: datetime
) -> StepTaken | None:
    """The step that an event makes, or with no event the deadline; None for an event that does not end the wait.

    What follows is counted from when the event was received, so that nothing is lost that came right after it.
    """
    component = definition.components[wait.call.component]
    if not isinstance(component, Awaits):
        return None
    arm = None if event is None else arm_of(component, wait, event, contact)
    if event is not None and arm is None:
        return None
    outcome = TIMEOUT if arm is None else arm.name
    moment = Moment(
        now=now if event is None else event.received_at,
        traits=contact.values,
        properties=wait.properties,
        zone=zone_of(contact.time_zone, wait.zone),
        run=wait.run,
        n=wait.call.n + 1,
        waited=wait.waited,
    )
    following = follow(definition, links(component)[outcome], moment)
    return StepTaken(
        n=wait.call.n + 1,
        component=wait.call.component,
        outcome=outcome,
        next=following.next,
        until=until_texts(following),
        at=now,
        why=_in_vain(component, wait) if event is None or arm is None else _came(component, wait, event, contact, arm),
        conversation="" if event is None else conversation_of(event),
        waited=wait.waited,
        depth=_depth_after(event),
    )


def _depth_after(event: Event | None) -> int | None:
    """How deep whoever waited stands then; None for as deep as before, by what comes of itself after a message."""
    if event is None:
        return 0
    return None if event.type == SYSTEM and event.name in OF_SENDING else depth_of(event)


def conversation_of(event: Event) -> str:
    """The conversation that a message which came in is a part of; empty for what is no such message of our own."""
    is_message = event.type == SYSTEM and event.name in RECEIVED.values()
    return str(event.properties.get("conversation", "")) if is_message else ""


def properties_for(definition: Definition, properties: Mapping[str, Any]) -> dict[str, Any]:
    """What the definition's waits ask of the event that enrolled somebody, and nothing else of it."""
    untils = (one.until for one in definition.components.values() if isinstance(one, Wait))
    names = {until.property for until in untils if isinstance(until, UntilProperty)}
    awaiting = (one for one in definition.components.values() if isinstance(one, Awaits))
    names |= {name for one in awaiting for arm in one.awaited for name in arm.matches}
    return {name: value for name in sorted(names) if (value := lookup(properties, name)) is not None}


def _came(component: Awaits, wait: OpenWait, event: Event, contact: Contact, arm: EventArm) -> dict[str, Any]:
    facts = ContactFacts(contact=contact, now=event.received_at, properties=event.properties)
    asked = [arm for arm in component.awaited if _is_about(arm, wait, event) and arm.where is not None]
    most = EXPLAINED_RULES // max(1, len(asked))
    return {
        "check": "event",
        "found": f"{event.name} came at {to_text(event.received_at)}",
        "event": str(event.node),
        "received_at": to_text(event.received_at),
        "message_id": event.message_id,
        **({"about": sorted(_about(event) & set(wait.messages.get(arm.of, ()))), "of": arm.of} if arm.of else {}),
        **({"matched": {name: lookup(event.properties, name) for name in arm.matches}} if arm.matches else {}),
        "arms": {arm.name: explain(arm.where, facts).as_dict(most=most) for arm in asked if arm.where is not None},
    }


def _in_vain(component: Awaits, wait: OpenWait) -> dict[str, Any]:
    names = " or ".join(sorted(component.events))
    return {"check": TIMEOUT, "found": f"{names} did not come, as it would have had to, until {to_text(wait.deadline)}"}
