"""What a contact's timeline tells of a conversation: each change is an event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tidings.activity.chain import Node
from tidings.activity.model import SYSTEM, Event
from tidings.consent.model import Channel
from tidings.contacts.model import Identity, IdentityKind
from tidings.conversations.model import Conversation, Entry, Inbound
from tidings.core.ids import digest

OPENED = "Conversation Opened"
REPLIED = "Conversation Replied"
TAKEN = "Conversation Taken"
TRANSFERRED = "Conversation Transferred"
HELD = "Conversation Held"
RESUMED = "Conversation Resumed"
RESOLVED = "Conversation Resolved"
NOTED = "Conversation Noted"


def event_id(channel: Channel, provider_id: str) -> str:
    """The id of the event of a message that came in."""
    return digest("inbound", channel.value, provider_id)


def inbound_event(conversation: Conversation, inbound: Inbound, entry: Entry, now: datetime) -> Event:
    """The event of a message that came in, caused by the message of ours that it answers."""
    told = {
        "text": inbound.text,
        "to": inbound.to,
        "provider_id": inbound.provider_id,
        **inbound.properties,
        "channel": inbound.channel.value,
        "answers": entry.message,
        "conversation": conversation.id,
    }
    return Event(
        workspace=conversation.workspace,
        identity=Identity(IdentityKind.CONTACT, conversation.person),
        message_id=event_id(inbound.channel, inbound.provider_id),
        type=SYSTEM,
        name=inbound.event,
        received_at=now,
        timestamp=min(inbound.at, now),
        properties=told,
        cause=Node.message(entry.message) if entry.message else None,
    )


def changed(
    conversation: Conversation,
    name: str,
    properties: Mapping[str, Any],
    now: datetime,
    cause: Node | None = None,
    of: str = "",
) -> Event:
    """The event of a change, by the revision that it made, or by what it is `of`: the same for a repeat."""
    return Event(
        workspace=conversation.workspace,
        identity=Identity(IdentityKind.CONTACT, conversation.person),
        message_id=digest("conversation", conversation.id, of or str(conversation.revision), name),
        type=SYSTEM,
        name=name,
        received_at=now,
        timestamp=now,
        properties={"conversation": conversation.id, "channel": conversation.channel.value, **properties},
        cause=cause,
    )
