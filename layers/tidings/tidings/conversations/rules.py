"""What becomes of a conversation: pure decisions, none of which reads or writes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tidings.consent.model import Channel
from tidings.conversations.model import Conversation, ConversationChanged, Entry, Inbound, State
from tidings.core.errors import InvalidInput
from tidings.core.ids import contact_of_message, digest

HOLD_MOST = timedelta(days=364)  # an execution lasts a year


def conversation_id(contact: str, inbound: Inbound) -> str:
    """The id of the conversation that a message opens; it contains the contact."""
    return f"{contact}-{digest('conversation', inbound.channel.value, inbound.provider_id)}"


def opened(
    inbound: Inbound, contact: str, entry: Entry, inbox: str, planned: str = "", agent: str = ""
) -> Conversation:
    """The conversation that a message opens. One that is `planned` has its id already, and maybe its agent.

    It stands under the contact that its id contains, which may have become part of `contact`.
    """
    name = planned or conversation_id(contact, inbound)
    under = contact_of_message(name)
    return Conversation(
        workspace=inbound.workspace.id,
        contact=under,
        id=name,
        holder="" if under == contact else contact,
        agent=agent,
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


def taken(before: Conversation, agent: str) -> Conversation:
    """A conversation that an agent has: one that was new goes on, one on hold stays there. Raises Conflict."""
    _require_open(before)
    state = State.ONGOING if before.state is State.NEW else before.state
    return _next(before, agent=agent, state=state)


def transferred(before: Conversation, agent: str | None, inbox: str | None) -> Conversation:
    """A conversation that another agent has, or that is in another inbox; there nobody has it until they take it.

    Its state stays. Raises Conflict for one that is resolved.
    """
    _require_open(before)
    if inbox is not None and inbox != before.inbox:
        return _next(before, inbox=inbox, agent=agent or "")
    return _next(before, agent=before.agent if agent is None else agent)


def held(before: Conversation, until: datetime | None, now: datetime) -> Conversation:
    """A conversation on hold, for ever or until an instant. Raises Conflict for one that is resolved, InvalidInput."""
    _require_open(before)
    if until is not None and not now < until <= now + HOLD_MOST:
        raise InvalidInput("invalid_until", "A hold ends within a year from now.", "until")
    return _next(before, state=State.ON_HOLD, wakes_at=until)


def resumed(before: Conversation) -> Conversation:
    """A conversation that goes on after a hold; one that is not on hold is as it was. Raises Conflict if resolved."""
    _require_open(before)
    return _next(before, state=State.ONGOING, wakes_at=None) if before.state is State.ON_HOLD else before


def woken(before: Conversation, at: datetime) -> Conversation:
    """A conversation whose hold until an instant is over; unchanged if it is not on hold until then any more."""
    return resumed(before) if before.state is State.ON_HOLD and before.wakes_at == at else before


def resolved(before: Conversation, resolution: Mapping[str, Any]) -> Conversation:
    """A conversation that is over, and what it was about. Resolving it the same again changes nothing.

    Raises Conflict for one that was resolved as something else.
    """
    about = ("type", "category", "key_message")
    if not before.is_open and all(before.resolution.get(name) == resolution[name] for name in about):
        return before
    _require_open(before)
    return _next(before, state=State.RESOLVED, wakes_at=None, resolution=dict(resolution))


def replied(before: Conversation, channel: Channel, entry: Entry, agent: str) -> Conversation:
    """A conversation that an agent answered: it goes on, with the agent if nobody had it, and has one message more.

    Raises Conflict for one that is resolved.
    """
    _require_open(before)
    after = with_message(before, channel, entry)
    return replace(after, state=State.ONGOING, wakes_at=None, agent=before.agent or agent)


def _require_open(conversation: Conversation) -> None:
    if not conversation.is_open:
        raise ConversationChanged("conversation_resolved", "The conversation is resolved.", conversation)


def _next(before: Conversation, **changes: Any) -> Conversation:
    """The next revision; the same one if nothing changes."""
    after = replace(before, **changes)
    return before if after == before else replace(after, revision=before.revision + 1)
