"""The event that tells of a contact that was made here: a contact is what its events say."""

from __future__ import annotations

from tidings.activity.chain import Node
from tidings.activity.model import SYSTEM, Event
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.core.ids import digest

CREATED = "Contact Created"


def created(contact: Contact, cause: Node | None = None) -> Event:
    """The event of a contact that a message made, whichever way it went; `cause` asked for it, if that is known."""
    return Event(
        workspace=contact.workspace,
        identity=Identity(IdentityKind.CONTACT, contact.id),
        message_id=digest("created", contact.id),
        type=SYSTEM,
        name=CREATED,
        received_at=contact.created_at,
        timestamp=contact.created_at,
        traits=contact.values,
        cause=cause,
        root=cause,
    )
