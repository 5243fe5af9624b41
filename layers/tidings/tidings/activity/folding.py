"""What events say of a contact: one at a time as they come, and all of them again from the beginning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from tidings.accounts.model import Identifiers
from tidings.activity.model import COMPANY_CALLS, Event
from tidings.contacts.context import NOWHERE, Places, fields_of, merged, stamped
from tidings.contacts.merging import absorb
from tidings.contacts.model import Contact, Context, Identity, IdentityKind, Stamp
from tidings.contacts.rules import Refusal, Saying, external_ids, seen, with_company, with_external_ids, with_traits

# Events of a contact's own partition that the person brought about, and not we.
ACTS = frozenset({"form"})


class Events(Protocol):
    """Where a contact's events are read."""

    def all_of(self, workspace: str, identity: Identity) -> Iterator[Event]: ...


class Folding:
    """Folds events into contacts. `places` says where an IP address is, from data that the owner supplies."""

    def __init__(self, places: Places = NOWHERE) -> None:
        self._places = places

    def tell(
        self, contact: Contact, event: Event, identifiers: Identifiers, introduces: bool = False
    ) -> tuple[Contact, list[Refusal]]:
        """The contact after an event, and what the event said that was refused.

        In whatever order events are told, the contact comes out the same; but what a publishable key may do depends on
        what was known when it came. `introduces` if the event is the one that made the contact known.
        """
        stamp = Stamp(event.timestamp, event.message_id)
        refused: list[Refusal] = []
        if event.contact_traits:
            saying = Saying(stamp, event.publishable, introduces)
            contact, refused = with_traits(contact, event.contact_traits, saying, identifiers)
        if event.type in COMPANY_CALLS:
            contact = with_company(contact, event.group_id, event.type == "group", stamp)
            if event.type == "group" and event.group_id not in contact.companies:
                refused = [*refused, Refusal("too_many_companies", "groupId")]
        external = external_ids(event.context, identifiers)
        if external:
            contact = with_external_ids(contact, external, stamp, identifiers)
        context = self.context_of(event)
        if context:
            contact = replace(contact, context=merged(contact.context, context))
        return (seen(contact, event.received_at) if _is_act(event) else contact), refused

    def context_of(self, event: Event) -> Context:
        """What an event tells of the person's surroundings, each field with the time that it was received.

        An edit by hand declares, and says nothing else: whoever made it was somewhere else than the person.
        """
        if not _is_act(event) and not event.contact_traits:
            return {}
        fields = fields_of(event.context, event.contact_traits, self._places)
        return stamped({source: said for source, said in fields.items() if said}, event.received_at)

    def told(self, contact: Contact, identifiers: Identifiers, events: Events) -> Contact:
        """A contact as its own events make it, in the order in which they came; a query for each identity.

        What a device did before its person was known is told apart and joined then, as it was; and the first event that
        named the person may say what it could say then.
        """
        devices: dict[str, Contact] = {}
        linked: set[str] = set()
        introduced = not contact.is_known
        for event in sorted(_events_of(contact, events), key=lambda one: (one.received_at, one.message_id)):
            device = event.anonymous_id if event.anonymous in contact.identities else ""
            if event.identity.kind is IdentityKind.ANONYMOUS and contact.is_known and device not in linked:
                alone = devices.get(device) or _device(contact, device)
                devices[device], _ = self.tell(alone, event, identifiers)
                continue
            if device:
                linked.add(device)
                if device in devices:
                    contact = _joined(contact, devices.pop(device), identifiers)
            introduces = not introduced and _gives_user(event)
            introduced = introduced or introduces
            contact, _ = self.tell(contact, event, identifiers, introduces and not event.contact)
        for alone in devices.values():
            contact = _joined(contact, alone, identifiers)
        return contact


def _is_act(event: Event) -> bool:
    return not event.contact or event.type in ACTS


def _gives_user(event: Event) -> bool:
    """Whether by this event a contact came to have a user id, if it had none: a call's, a form's or an edit's."""
    return bool(event.user_id or (event.contact and event.properties.get("user_id")))


def _events_of(contact: Contact, events: Events) -> Iterator[Event]:
    for identity in contact.event_identities:
        for event in events.all_of(contact.workspace, identity):
            if not event.contact or contact.shows(event.contact, event.received_at):
                yield event


def _device(contact: Contact, value: str) -> Contact:
    identity = Identity(IdentityKind.ANONYMOUS, value)
    return Contact(contact.workspace, "", contact.created_at, identities=frozenset({identity}))


def _joined(contact: Contact, device: Contact, identifiers: Identifiers) -> Contact:
    return replace(absorb(contact, device, identifiers), absorbed=contact.absorbed)
