"""What a conversation is, what stands in it, and what comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tidings.accounts.model import Workspace
from tidings.consent.model import Channel

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
    `event` is what it is called on the timeline, such as `SMS Received`; `properties` go into that event.
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


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a message that came in. `repeated` says that it was taken before, and nothing was written."""

    contact: str
    conversation: str
    entry: str
    repeated: bool = False
    created: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation with one contact. `channel` is that of the last message, `to` our address that it came to.

    `agent` is who has it, empty for nobody; `wakes_at` ends a hold. `resolution` is its type, category and key message.
    `revision` grows with every change.
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
