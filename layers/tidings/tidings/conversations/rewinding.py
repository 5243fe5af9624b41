"""Conversations as they stood at an earlier instant: told from their events, since a conversation keeps the present."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import Any

from tidings.activity.model import Event
from tidings.activity.store import DynamoEventStore
from tidings.consent.model import Channel
from tidings.contacts.model import Identity, IdentityKind
from tidings.contacts.store import DynamoContactStore
from tidings.conversations import mails, texts
from tidings.conversations.listing import ConversationListing
from tidings.conversations.model import INBOX, Conversation, Direction, Entry, State
from tidings.conversations.store import DynamoConversationStore, order_of
from tidings.conversations.telling import HELD, OPENED, REPLIED, RESOLVED, RESUMED, TAKEN, TRANSFERRED
from tidings.core.clock import from_text, to_text
from tidings.core.errors import NotFound

CHANGES = (OPENED, REPLIED, TAKEN, TRANSFERRED, HELD, RESUMED, RESOLVED)
RECEIVED = (mails.RECEIVED, texts.RECEIVED)
# How many entries are read at once to find the latest message by an instant: notes stand between.
AT_ONCE = 50
_BEHIND = "~"  # sorts behind every id


@dataclass(slots=True)
class _Stood:
    """Where a conversation is, in which inbox and with whom, as its events say one after the other."""

    state: State = State.NEW
    inbox: str = INBOX
    agent: str = ""
    wakes_at: str | None = None

    def take(self, event: Event) -> None:
        said = event.properties
        goes_on = State.ONGOING if event.name == RESUMED else self.state  # what came in ended a hold
        self.state = State(said.get("state", goes_on))
        self.inbox = str(said.get("inbox", self.inbox))
        # Who answers has it only if nobody had.
        self.agent = self.agent or str(said["agent"]) if event.name == REPLIED else str(said.get("agent", self.agent))
        self.wakes_at = said.get("until") if event.name == HELD else self.wakes_at
        self.wakes_at = self.wakes_at if self.state is State.ON_HOLD else None


class ConversationsThen:
    """Shows conversations as they stood."""

    def __init__(self, store: DynamoConversationStore, events: DynamoEventStore, contacts: DynamoContactStore) -> None:
        self._store = store
        self._events = events
        self._contacts = contacts
        self._listing = ConversationListing(store)

    def show(self, workspace: str, conversation: str, limit: int, cursor: str, at: datetime) -> dict[str, Any]:
        """A conversation at an instant, with a page of what stood in it: nobody changes that, so no revision is told.

        What stands in it is by the time of each. Two reads, and queries: of its entries twice, and one for each id that
        its contact goes by. Raises NotFound, also where it had not begun yet, and InvalidInput.
        """
        found = self._listing.get(workspace, conversation)
        told = self._told(found, at)
        if found.opened_at > at or not any(event.name == OPENED for event in told):
            raise NotFound("not_yet", "The conversation had not begun at that time.", "at")
        page, following = self._listing.entries(found, limit, cursor, at)
        shown = as_of(found, told, *self._latest(found, at)).as_dict()
        return {**shown, "revision": None, "entries": [one.as_dict() for one in page], "cursor": following}

    def _told(self, conversation: Conversation, at: datetime) -> list[Event]:
        """What its contact's timeline, by whatever id, told of it by an instant, in order."""
        person = self._contacts.current(conversation.workspace, conversation.person)
        ids = {conversation.contact, conversation.person, *(person.every_id if person else ())}
        found: list[Event] = []
        for one in sorted(ids):
            identity = Identity(IdentityKind.CONTACT, one)
            events = self._events.of_system(conversation.workspace, identity, (*CHANGES, *RECEIVED))
            by_then = takewhile(lambda event: event.received_at <= at, events)
            found += [event for event in by_then if event.properties.get("conversation") == conversation.id]
        return sorted(found, key=lambda event: event.received_at)

    def _latest(self, conversation: Conversation, at: datetime) -> tuple[Entry | None, Entry | None]:
        """The latest message by an instant, either way, and the latest that came in."""
        latest: Entry | None = None
        place = f"{to_text(at)}#{_BEHIND}"
        while entries := self._store.entries(conversation.workspace, conversation.id, place, AT_ONCE, latest=True):
            for entry in entries:
                latest = latest or (None if entry.direction is Direction.NOTE else entry)
                if entry.direction is Direction.IN:
                    return latest, entry
            place = order_of(entries[-1])
        return latest, None


def as_of(
    conversation: Conversation, told: Sequence[Event], latest: Entry | None, received: Entry | None
) -> Conversation:
    """A conversation as its events and messages had made it; its contact is who has it now."""
    stood = _Stood()
    for event in told:
        if event.name in CHANGES:
            stood.take(event)
    seen = replace(
        conversation,
        state=stood.state,
        inbox=stood.inbox,
        agent=stood.agent,
        wakes_at=from_text(stood.wakes_at) if stood.wakes_at else None,
        resolution=conversation.resolution if stood.state is State.RESOLVED else {},
    )
    if latest is not None:
        seen = replace(seen, channel=Channel(latest.channel), last_at=latest.at, last_entry=latest.id)
    if received is not None and received.id != conversation.received_entry:
        to = _to(event for event in told if event.name in RECEIVED and event.timestamp <= received.at)
        seen = replace(seen, reply_channel=Channel(received.channel), address=received.who, to=to)
    return seen


def _to(received: Iterable[Event]) -> str:
    """Our address that they had written to last; empty where nothing tells."""
    last = max(received, key=lambda event: event.timestamp, default=None)
    return "" if last is None else str(last.properties.get("to", ""))
