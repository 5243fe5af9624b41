"""What conditions ask: traits, properties, events, and what came of an enrolment so far."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

# What may become of a message by whoever it went to. Replies stand elsewhere than the message: they cost a read more.
DELIVERED, OPENED, CLICKED, REPLIED = "delivered", "opened", "clicked", "replied"
ENGAGEMENTS = (DELIVERED, OPENED, CLICKED, REPLIED)


@dataclass(frozen=True)
class Occurrence:
    """One event that came, as far as rules look at it. `received_at` is aware, in UTC."""

    received_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EventQuery:
    """Asks for the events called `event` received at `since` or later; `since` None means all that are kept."""

    event: str
    since: datetime | None = None


class Facts(Protocol):
    """What a condition may ask. What takes a read is asked for only where a rule about it is reached."""

    @property
    def traits(self) -> Mapping[str, Any]:
        """Traits of the contact."""

    @property
    def is_known(self) -> bool:
        """Whether the contact has said who they are, by a user id."""

    @property
    def properties(self) -> Mapping[str, Any]:
        """Properties of the event in question; empty where there is none."""

    @property
    def answers(self) -> Mapping[str, Any]:
        """What servers answered last in this enrolment: by component, each `{"status": 200, "body": ...}`."""

    @property
    def now(self) -> datetime:
        """The present, aware, in UTC."""

    def instant(self, name: str) -> datetime | None:
        """When `enrolment` began or `step:COMPONENT` was last passed; None if that never was."""

    def occurrences(self, query: EventQuery) -> Iterable[Occurrence]:
        """The contact's events that the query asks for, in any order; read lazily, it may be left half read.

        The event that started the enrolment is not among those since the enrolment, even if the clock says so.
        """

    def engagements(self, component: str, kinds: Collection[str]) -> Mapping[str, datetime]:
        """When a person first did each of these kinds with what the component sent in this enrolment, if ever.

        `kinds` are some of `ENGAGEMENTS`. Empty where the component sent nothing; machines do not count.
        """

    def has_sent(self, component: str) -> bool:
        """Whether the component sent anything in this enrolment. Asked only to explain, once engagements were."""
