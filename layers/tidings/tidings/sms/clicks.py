"""Clicks on short links: what is kept of one until it is judged, and what it tells of its message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidings.activity.chain import Node
from tidings.activity.model import Event
from tidings.contacts.model import Identity, IdentityKind
from tidings.core.clock import from_text, to_text
from tidings.core.ids import contact_of_message, digest
from tidings.messages.machines import Look, Verdict
from tidings.messages.model import Message
from tidings.messages.progress import News

# What stands in a message of the queue in place of a notification.
CLICK = "Click"
CLICKED, BY_MACHINE = "SMS Link Clicked", "SMS Link Clicked by Machine"


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody, or something, followed a link: one `id` for each time. `ip` and `agent` are the caller's."""

    id: str
    workspace: str
    message: str
    address: str
    at: datetime
    ip: str
    agent: str

    def as_dict(self) -> dict[str, str]:
        """The click as a queue carries it."""
        texts = {name: str(getattr(self, name)) for name in ("id", "workspace", "message", "address", "ip", "agent")}
        return {**texts, "at": to_text(self.at)}

    @property
    def look(self) -> Look:
        """The click as it is judged."""
        return Look(self.at, self.ip, self.agent, digest(self.address, length=8))


def read_click(told: Mapping[str, Any]) -> Click:
    """The click that a queue carried. Raises KeyError, TypeError or ValueError for what is none."""
    texts = {name: str(told[name]) for name in ("id", "workspace", "message", "address", "ip", "agent")}
    return Click(at=from_text(told["at"]), **texts)


def news_of(click: Click, message: Message | None, verdict: Verdict | None) -> News:
    """What a click tells of its message: above all that it was sent, at the latest when somebody last tried to."""
    kind = "machine_" if verdict is not None and verdict.machine else ""
    tried = message.claimed_at if message is not None else None
    return News(click.at, min(tried or click.at, click.at), f"{kind}clicked", None, "", f"{kind}clicks")


def to_event(click: Click, message: Message | None, verdict: Verdict | None, now: datetime) -> Event:
    """The timeline's event, with the names that clicks in mails have there."""
    by_machine = verdict is not None and verdict.machine
    return Event(
        workspace=click.workspace,
        identity=Identity(IdentityKind.CONTACT, contact_of_message(click.message)),
        message_id=digest(click.message, "click", click.id),
        type="system",
        name=BY_MACHINE if by_machine else CLICKED,
        received_at=now,
        timestamp=click.at,
        properties={
            "message": click.message,
            "link": click.address,
            "ipAddress": click.ip,
            "userAgent": click.agent,
            **(verdict.as_dict() if verdict else {}),
        },
        cause=Node.message(click.message),
        root=message.began_by if message else None,
    )
