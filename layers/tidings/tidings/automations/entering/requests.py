"""Asking an automation to take somebody in: what a call of the API and the component `start_automation` write.

A request is an event on the contact's timeline, which `react` answers as it answers any other: so it is kept, may be
repeated, and the automation's own rules decide whether the contact enters.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tidings.activity.chain import Node
from tidings.activity.changes import CONTACT_UPDATED
from tidings.activity.model import SYSTEM, Event
from tidings.activity.own_events import OF_SENDING, REQUESTED
from tidings.automations.automation_store import Automation
from tidings.automations.enrolments.model import Enrolment
from tidings.automations.entering.refusals import Reason
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.core.ids import digest

# Which automation is asked, and how many automations deep the chain is that led to it.
AUTOMATION, DEPTH = "automation", "depth"
RESERVED = frozenset({AUTOMATION, DEPTH})
# An automation that starts another, which starts another …: this many, since they may go in a circle.
MOST_DEEP = 10
# What automations bring about that may start further ones.
CHAINED = frozenset({REQUESTED, CONTACT_UPDATED}) | OF_SENDING


def requested_event(
    contact: Contact,
    automation: str,
    properties: Mapping[str, Any],
    *,
    message_id: str,
    at: datetime,
    cause: Node,
    root: Node | None = None,
    depth: int = 0,
    publishable: bool = False,
) -> Event:
    """The event that asks an automation to take a contact in, as of now.

    `properties` become the event's own; `automation` and `depth` among them are ours. `message_id` has to be the same
    at a repeat. `publishable` says that they are what a publishable key reported.
    """
    told = {name: value for name, value in properties.items() if name not in RESERVED}
    return Event(
        workspace=contact.workspace,
        identity=Identity(IdentityKind.CONTACT, contact.id),
        message_id=message_id,
        type=SYSTEM,
        name=REQUESTED,
        received_at=at,
        timestamp=at,
        properties={**told, AUTOMATION: automation, **({DEPTH: depth} if depth else {})},
        cause=cause,
        root=root or cause,
        publishable=publishable,
    )


def request_of_step(
    contact: Contact,
    enrolment: Enrolment,
    n: int,
    automation: str,
    properties: Mapping[str, Any],
    began: Mapping[str, Any],
    at: datetime,
) -> Event:
    """The event that the step number `n` of an enrolment asks another automation by, the same at a repeat.

    `began` are the properties of the event that the enrolment began with. Store it with the step, in one transaction.
    """
    return requested_event(
        contact,
        automation,
        properties,
        message_id=digest("requested", enrolment.contact, enrolment.automation, enrolment.entry, str(n)),
        at=at,
        cause=enrolment.node,
        root=enrolment.began_by,
        depth=depth_below(enrolment, began),
        publishable=enrolment.is_of_browser,
    )


def refusal_of(automation: Automation | None) -> Reason | None:
    """Why no request starts an automation, as it is published; None if one may."""
    if automation is None:
        return Reason.NOT_PUBLISHED
    if REQUESTED not in automation.definition.trigger.events:
        return Reason.NOT_BY_REQUEST
    return Reason(automation.state.refusal) if automation.state.refusal else None


def depth_below(enrolment: Enrolment, began: Mapping[str, Any]) -> int:
    """How deep in a chain of automations that is which an enrolment brings about; `began` is what its event said.

    One deeper than that event, and than the one that it waited for last. Only our own events count, which stand under
    the contact's own id: an app's may say anything under that name.
    """
    counts = enrolment.is_of_own_event and enrolment.event.get("event") in CHAINED
    return 1 + max(_told(began) if counts else 0, enrolment.depth)


def depth_of(event: Event) -> int:
    """How deep in a chain of automations an event was brought about; 0 for what no automation did."""
    return _told(event.properties) if event.type == SYSTEM and event.name in CHAINED else 0


def _told(properties: Mapping[str, Any]) -> int:
    depth = properties.get(DEPTH)
    return int(depth) if isinstance(depth, int | float) and not isinstance(depth, bool) else 0
