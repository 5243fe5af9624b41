"""What becomes of a conversation: pure decisions, none of which reads or writes anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tidings.consent.model import Channel
from tidings.conversations.model import Conversation, Entry, Inbound, State
from tidings.core.ids import digest


def conversation_id(contact: str, inbound: Inbound) -> str:
    """The id of the conversation that a message opens; it contains the contact."""
    return f"{contact}-{digest('conversation', inbound.channel.value, inbound.provider_id)}"


def opened(inbound: Inbound, contact: str, entry: Entry, inbox: str) -> Conversation:
    """The conversation that a message opens."""
    return Conversation(
        workspace=inbound.workspace.id,
        contact=contact,
        id=conversation_id(contact, inbound),
        state=State.NEW,
        inbox=inbox,
        opened_at=entry.at,
        last_at=entry.at,
        last_entry=entry.id,
        channel=inbound.channel,
        address=inbound.sender,
        to=inbound.to,
        reply_channel=inbound.channel,
        received_at=entry.at,
        received_entry=entry.id,
        revision=1,
    )


def received(before: Conversation, inbound: Inbound, entry: Entry) -> Conversation:
    """An open conversation with one more message that came in: one on hold goes on.

    The latest message decides by its own time, whatever order they came in.
    """
    after = with_message(before, inbound.channel, entry)
    if is_later(entry, before.received_at, before.received_entry):
        after = replace(
            after,
            reply_channel=inbound.channel,
            address=inbound.sender,
            to=inbound.to,
            received_at=entry.at,
            received_entry=entry.id,
        )
    if after.state is State.ON_HOLD:
        after = replace(after, state=State.ONGOING, wakes_at=None)
    return after


def with_message(before: Conversation, channel: Channel, entry: Entry) -> Conversation:
    """A conversation with one more message either way, at its next revision: tagged with the channel of the latest."""
    after = replace(before, revision=before.revision + 1, opened_at=min(before.opened_at, entry.at))
    if not is_later(entry, before.last_at, before.last_entry):
        return after
    return replace(after, channel=channel, last_at=entry.at, last_entry=entry.id)


def is_later(entry: Entry, at: datetime | None, than: str) -> bool:
    """Whether an entry comes after another: by its time, and at one instant by its id."""
    return at is None or (entry.at, entry.id) > (at, than)
