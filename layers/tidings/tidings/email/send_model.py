"""What a send is: an order for many mails, or for a later day, which is worked off in parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from tidings.consent.model import Kind
from tidings.core.ids import digest
from tidings.messages.model import OnUnknown


class SendState(StrEnum):
    """Where a send is."""

    SCHEDULED = "scheduled"  # it waits for its instant
    SENDING = "sending"
    DONE = "done"  # of every recipient it is known what became of the mail
    CANCELLED = "cancelled"


OVER = frozenset({SendState.DONE, SendState.CANCELLED})


@dataclass(frozen=True, slots=True)
class File:
    """An attachment of a send, whose bytes stand in `pieces` items of their own."""

    name: str
    type: str
    pieces: int


@dataclass(frozen=True, slots=True)
class Send:
    """One order to many. `version` is of the template: the one that was live when sending began; 0 until then.

    `kind` is what was asked for, if anything was. `starts` counts the executions that were started to wait for `at`.
    """

    workspace: str
    id: str
    state: SendState
    request: str
    key: str
    template: str
    version: int
    recipients: int
    parts: int
    created_at: datetime
    at: datetime | None = None
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    kind: Kind | None = None
    topic: str = ""
    reply_to: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    on_unknown: OnUnknown = OnUnknown.HOLD
    starts: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The send as the API shows it."""
        return {
            "send": self.id,
            "state": self.state.value,
            "template": self.template,
            "template_version": self.version,
            "kind": self.kind.value if self.kind else "",
            "topic": self.topic,
            "recipients": self.recipients,
            "attachments": [file.name for file in self.files],
            "at": self.at,
            "created_at": self.created_at,
            "begun_at": self.begun_at,
            "ended_at": self.ended_at,
        }


class Outcome(NamedTuple):
    """What became of the mail to one recipient.

    `state` is that of the message when it settled, or `failed` where there is none; `code` then says why.
    """

    state: str
    contact: str = ""
    message: str = ""
    code: str = ""


FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of a part's recipients so far, by their place in the request."""

    number: int
    outcomes: Mapping[int, Outcome] = field(default_factory=dict)
    complete: bool = False


def send_id(workspace: str, key: str) -> str:
    """A send's id comes from its idempotency key, so that a repeat is the same send."""
    return f"s{digest('send', workspace, key)}"


class DeliveryQueue(Protocol):
    """Where parts wait to be worked off."""

    def put(self, body: Mapping[str, Any], delay: int = 0) -> None: ...

    def put_all(self, bodies: list[dict[str, Any]]) -> None: ...


class Later(Protocol):
    """The machine that waits for the instants of sends."""

    def start(self, name: str, told: Mapping[str, str]) -> None: ...
