"""Who followed the links of a message: when, from where, with what, and whether it was a machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from tidings.activity.chain import Node
from tidings.activity.model import Event
from tidings.core.store import Key
from tidings.messages.model import Message

# Beside clicks a message led to what became of it, to visits, and to what people did there.
MOST = 1000
CLICKS = frozenset(
    {"Email Link Clicked", "Email Link Clicked by Machine", "SMS Link Clicked", "SMS Link Clicked by Machine"}
)


class CausedEvents(Protocol):
    """What something of ours led to."""

    def caused_by(self, workspace: str, cause: Node, most: int) -> list[Key]: ...

    def entity(self, item: Any) -> Event: ...


class Reader(Protocol):
    """Where items are read by their keys."""

    def batch_get(self, keys: Iterable[Key]) -> Mapping[Key, Any]: ...


def clicks_of(database: Reader, events: CausedEvents, message: Message) -> list[dict[str, Any]]:
    """Every click on a link of a message, the earliest first, of the first 1,000 events that it led to.

    One query, and a batched read for each 100 events. What happened seconds ago may not be there yet. Of an erased
    person's message there are none.
    """
    keys = events.caused_by(message.workspace, message.node, MOST)
    found = [events.entity(item) for item in database.batch_get(keys).values()]
    told = [one for one in found if one.name in CLICKS and one.type == "system"]
    return [_shown(one) for one in sorted(told, key=lambda one: (one.timestamp, one.message_id))]


def _shown(event: Event) -> dict[str, Any]:
    told = event.properties
    return {
        "at": event.timestamp,
        "url": str(told.get("link") or ""),
        "ip": str(told.get("ipAddress") or ""),
        "user_agent": str(told.get("userAgent") or ""),
        "machine": bool(told.get("machine")),
        "score": int(told.get("score") or 0),
        "reasons": list(told.get("reasons") or ()),
        "node": str(event.node),
    }
