"""How conversations and what stands in them are written down, and read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.consent.model import Channel
from tidings.conversations.model import Attachment, Conversation, Direction, Entry, State
from tidings.core.clock import from_text, to_text


def kept(conversation: Conversation) -> dict[str, Any]:
    """A conversation in few bytes: what is empty is left out, and what its id says too."""
    told = {
        "state": conversation.state.value,
        "inbox": conversation.inbox,
        "opened_at": to_text(conversation.opened_at),
        "last_at": to_text(conversation.last_at),
        "last_entry": conversation.last_entry,
        "channel": conversation.channel.value,
        "address": conversation.address,
        "to": conversation.to,
        "agent": conversation.agent,
        "wakes_at": to_text(conversation.wakes_at) if conversation.wakes_at else "",
        "resolution": dict(conversation.resolution),
        "revision": conversation.revision,
        "reply_channel": conversation.reply_channel.value if conversation.reply_channel else "",
        "received_at": to_text(conversation.received_at) if conversation.received_at else "",
        "received_entry": conversation.received_entry,
        "holder": conversation.holder,
    }
    return {name: value for name, value in told.items() if value}


def conversation(workspace: str, contact: str, name: str, kept: Mapping[str, Any]) -> Conversation:
    """The conversation that was written down so."""
    return Conversation(
        workspace=workspace,
        contact=contact,
        id=name,
        state=State(kept["state"]),
        inbox=kept["inbox"],
        opened_at=from_text(kept["opened_at"]),
        last_at=from_text(kept["last_at"]),
        channel=Channel(kept["channel"]),
        address=kept.get("address", ""),
        to=kept.get("to", ""),
        agent=kept.get("agent", ""),
        wakes_at=from_text(kept["wakes_at"]) if "wakes_at" in kept else None,
        resolution=kept.get("resolution", {}),
        revision=int(kept.get("revision", 0)),
        last_entry=kept.get("last_entry", ""),
        reply_channel=Channel(kept["reply_channel"]) if "reply_channel" in kept else None,
        received_at=from_text(kept["received_at"]) if "received_at" in kept else None,
        received_entry=kept.get("received_entry", ""),
        holder=kept.get("holder", ""),
    )


def kept_entry(entry: Entry) -> dict[str, Any]:
    """What stands of an entry beside its key."""
    told = {
        "channel": entry.channel,
        "subject": entry.subject,
        "who": entry.who,
        "message": entry.message,
        "reference": entry.reference,
        "attachments": [[a.name, a.type, a.size, a.place] for a in entry.attachments],
    }
    return {name: value for name, value in told.items() if value}


def entry(name: str, at: str, direction: str, text: str, kept: Mapping[str, Any]) -> Entry:
    """The entry that was written down so."""
    return Entry(
        id=name,
        at=from_text(at),
        direction=Direction(direction),
        text=text,
        channel=kept.get("channel", ""),
        subject=kept.get("subject", ""),
        who=kept.get("who", ""),
        message=kept.get("message", ""),
        reference=kept.get("reference", ""),
        attachments=tuple(Attachment(*one) for one in kept.get("attachments", ())),
    )
