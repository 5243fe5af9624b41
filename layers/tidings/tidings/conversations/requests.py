"""What agents ask of conversations through the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tidings.consent.model import Channel
from tidings.conversations.model import State, Type
from tidings.core.clock import from_text
from tidings.core.errors import InvalidInput

NOTE_CHARACTERS = 10_000
OPEN = "open"

Agent = Annotated[str, Field(min_length=1, max_length=200)]
Inbox = Annotated[str, Field(min_length=1, max_length=63)]
Note = Annotated[str, Field(min_length=1, max_length=NOTE_CHARACTERS)]


class Change(BaseModel):
    """A change of a conversation. With a `revision` it is refused if the conversation changed since that one."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    revision: Annotated[int, Field(ge=1)] | None = None


class TakeInput(Change):
    """Who takes a conversation; left out, the agent whose key it is."""

    agent: Agent | None = None


class TransferInput(Change):
    """To whom or into which inbox a conversation goes, and a note for whoever finds it there."""

    agent: Agent | None = None
    inbox: Inbox | None = None
    note: Note | None = None


class HoldInput(Change):
    """Until when nobody has to look at a conversation; left out, until somebody resumes it."""

    until: str | None = None


class ResumeInput(Change):
    """A hold is over."""


class ResolveInput(Change):
    """What a conversation was about."""

    type: Annotated[Type, Field(strict=False)]
    category: Annotated[str, Field(min_length=1, max_length=63)]
    key_message: Annotated[str, Field(min_length=1, max_length=2000)]


class NoteInput(BaseModel):
    """A note among agents; the same `idempotency_key` again is the same note."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    text: Note
    idempotency_key: Annotated[str, Field(min_length=1, max_length=256)] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which conversations are listed: empty is every one."""

    inbox: str = ""
    states: tuple[str, ...] = tuple(State)
    agent: str = ""
    channel: str = ""


def read_asked(query: Mapping[str, str]) -> Asked:
    """Which conversations a listing asks for; `state=open` is every state but resolved. Raises InvalidInput."""
    state, channel = query.get("state", ""), query.get("channel", "")
    if state not in ("", OPEN, *State):
        raise InvalidInput("invalid_state", f"state is one of {', '.join([OPEN, *State])}.", "state")
    if channel not in ("", *Channel):
        raise InvalidInput("unknown_channel", "channel is email or sms.", "channel")
    if state == OPEN:
        states = tuple(one.value for one in State if one is not State.RESOLVED)
    else:
        states = (state,) if state else tuple(one.value for one in State)
    return Asked(query.get("inbox", ""), states, query.get("agent", ""), channel)


def read_until(text: str | None) -> datetime | None:
    """The instant that a hold ends. Raises InvalidInput."""
    if text is None:
        return None
    try:
        return from_text(text)
    except ValueError as error:
        raise InvalidInput("invalid_until", "until is an instant such as 2026-12-01T09:00:00Z.", "until") from error
