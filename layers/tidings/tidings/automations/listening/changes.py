"""Telling of changes that calls make: so that a trigger, wait or exit can name every change of a contact.

An edit writes the event "Contact Updated" itself. What an `identify`, a `group` or a form changes is told by the same
event where something listens to it, written in the transaction that keeps the change: so it is told exactly once, and
whoever hears of it finds the contact changed. It changes nothing itself, so it is never told of in turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tidings.activity.changes import CHANGED, CONTACT_UPDATED, JOINED, LEFT, changes_between
from tidings.activity.model import FORM, SYSTEM, Event
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.core.ids import contact_id, digest


def told_of(before: Contact, after: Contact, event: Event) -> Event | None:
    """The event that tells what an event changed about a contact; None if nothing, or if it tells of that itself.

    `before` is the contact until then. Who was made by the event had nothing before it. The same at a repeat.
    """
    if event.type == SYSTEM:
        return None
    if event.type == FORM:  # the contact was changed when the form came
        said = event.properties
        changes: Mapping[str, Any] = {name: said[name] for name in (CHANGED, JOINED, LEFT) if said.get(name)}
    else:
        changes = changes_between(_unmade(after, event) if _made(after, event) else before, after)
    if not changes:
        return None
    return Event(
        workspace=event.workspace,
        identity=Identity(IdentityKind.CONTACT, after.id),
        message_id=digest("changed", event.message_id),
        type=SYSTEM,
        name=CONTACT_UPDATED,
        received_at=event.received_at,
        timestamp=event.timestamp,
        properties=changes,
        cause=event.node,
        root=event.root or event.node,
    )


def _made(contact: Contact, event: Event) -> bool:
    """Whether it was by this event that a contact came to be."""
    first = event.user or event.anonymous
    return first is not None and contact.id == contact_id(event.workspace, str(first), event.message_id)


def _unmade(contact: Contact, event: Event) -> Contact:
    """The contact without what the event that made it said: also at a repeat, when more was said since."""
    kept = {name: trait for name, trait in contact.traits.items() if trait.by != event.message_id}
    companies = {name: one for name, one in contact.companies.items() if one.stamp.by != event.message_id}
    return replace(contact, traits=kept, companies=companies)
