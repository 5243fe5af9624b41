"""What a conversation is, what stands in it, and what comes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tidings.accounts.model import Workspace
from tidings.consent.model import Channel
from tidings.core.errors import Conflict
from tidings.core.ids import digest

INBOX = "default"


class State(StrEnum):
    """Where a conversation is."""

    NEW = "new"  # nobody of ours answered or took it yet
    ONGOING = "ongoing"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"


class Type(StrEnum):
    """What a resolved conversation was about."""

    QUESTION = "question"
    INCIDENT = "incident"
    PROBLEM = "problem"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message: its name, its media type, its size in bytes, and where it is kept."""

    name: str
    type: str
    size: int
    place: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message that came in, as its channel hands it over.

    `sender` is the person's address on the channel and `to` ours. `provider_id` is the provider's id of it, by which
    a repeat is known; `at` is the provider's time, by which messages stand in their order. `answers` is the provider's
    id of the message of ours that it answers, if it names one, `message` our own id of it where that is known already.
    `event` is what it is called on the timeline, such as `SMS Received`; `properties` go into that event. `reference`
    is what a reply refers to (`Entry.reference`). `contact` is whose it is where that is known by a signature of ours.
    """

    workspace: Workspace
    channel: Channel
    sender: str
    to: str
    provider_id: str
    at: datetime
    text: str
    event: str
    answers: str = ""
    message: str = ""
    subject: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    reference: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a message that came in. `repeated` says that it was taken before, and nothing was written.

    `created` says that it made its contact, `opened` its conversation. `contact` is empty where nothing was kept: the
    person was erased after they wrote it.
    """

    contact: str
    conversation: str
    entry: str
    repeated: bool = False
    created: bool = False
    opened: bool = False


class Direction(StrEnum):
    """Whose words an entry of a conversation is."""

    IN = "in"
    OUT = "out"
    NOTE = "note"  # among agents: the person never sees it


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in a conversation: a message that came in, one that went out, or a note.

    `at` is the provider's time of what came in, by which entries stand in order. `who` is the person's address, or the
    agent. `message` is our id of the message: of one that went out itself, of one that came in the one it answers.
    `reference` is what a reply refers to: of a mail the Message-IDs of its thread, its own last.
    """

    id: str
    at: datetime
    direction: Direction
    text: str
    channel: str = ""
    subject: str = ""
    who: str = ""
    message: str = ""
    attachments: tuple[Attachment, ...] = ()
    reference: str = ""

    @classmethod
    def came_in(cls, inbound: Inbound, message: str) -> Entry:
        """The entry of a message that came in: its id comes from the provider's, so that a repeat makes the same."""
        return cls(
            id=digest("entry", inbound.channel.value, inbound.provider_id),
            at=inbound.at,
            direction=Direction.IN,
            text=inbound.text,
            channel=inbound.channel.value,
            subject=inbound.subject,
            who=inbound.sender,
            message=message,
            attachments=inbound.attachments,
            reference=inbound.reference,
        )

    def as_dict(self) -> dict[str, Any]:
        """The entry as the API shows it."""
        return {
            "entry": self.id,
            "at": self.at,
            "direction": self.direction.value,
            "channel": self.channel or None,
            "text": self.text,
            "subject": self.subject,
            "who": self.who,
            "message": self.message,
            "attachments": [{"name": a.name, "type": a.type, "size": a.size} for a in self.attachments],
        }


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation with one contact. `revision` grows with every change.

    `contact` is under whom it stands for good, `holder` who has it since a merge; empty for that contact. `channel` and
    `last_at` are those of the latest message either way, by its time; `reply_channel`, `address` (the person's) and
    `to` (ours) those of the latest that came in, which a reply goes back by. `last_entry` and `received_entry` are
    their entries, which decide between two of one instant. `agent` is who has it, empty for nobody; `wakes_at` ends a
    hold. `resolution` is its type, category and key message, and who resolved it when.
    """

    workspace: str
    contact: str
    id: str
    state: State
    inbox: str
    opened_at: datetime
    last_at: datetime
    channel: Channel
    address: str
    to: str = ""
    agent: str = ""
    wakes_at: datetime | None = None
    resolution: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 0
    last_entry: str = ""
    reply_channel: Channel | None = None
    received_at: datetime | None = None
    received_entry: str = ""
    holder: str = ""

    @property
    def person(self) -> str:
        """The id of the contact that has it now."""
        return self.holder or self.contact

    @property
    def is_open(self) -> bool:
        """Whether what comes in may still continue it."""
        return self.state is not State.RESOLVED

    def as_dict(self) -> dict[str, Any]:
        """The conversation as the API shows it."""
        return {
            "conversation": self.id,
            "contact": self.person,
            "state": self.state.value,
            "inbox": self.inbox,
            "agent": self.agent,
            "channel": self.channel.value,
            "reply": {
                "channel": (self.reply_channel or self.channel).value,
                "address": self.address,
                "from": self.to,
            },
            "opened_at": self.opened_at,
            "last_at": self.last_at,
            "wakes_at": self.wakes_at,
            "resolution": dict(self.resolution) or None,
            "revision": self.revision,
        }


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one query found of conversations, of how many that it read, and the `last_at` of the last one of these.

    There may be more of that instant, and what is earlier; where nothing is left it is empty.
    """

    found: Sequence[Conversation]
    read: int
    until: str = ""


class ConversationChanged(Conflict):
    """Somebody changed the conversation first; the answer shows it as it is now."""

    def __init__(self, code: str, message: str, conversation: Conversation) -> None:
        super().__init__(code, message)
        self.conversation = conversation

    def as_dict(self) -> dict[str, Any]:
        """The error with the conversation."""
        return {**super().as_dict(), "conversation": self.conversation.as_dict()}
