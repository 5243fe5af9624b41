"""What of an event stands in one text beside its keys; compressed where that saves a write unit.

Ingest costs by the kilobyte, twice because of the index by received time: an event of a browser, with the page and all
that the browser tells of itself, is a little over one kilobyte as text and well below it compressed.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

from tidings.activity.chain import Node
from tidings.activity.model import Event
from tidings.contacts.model import Identity, IdentityKind
from tidings.core.clock import from_text, to_text

WRITE_UNIT_BYTES = 1024
PACKED = "packed"


def write(event: Event) -> str:
    """Compact JSON without what is empty, and without the id that the event's key says already."""
    own = event.identity.kind
    body = {
        "at": to_text(event.timestamp),
        "user": event.user_id if own is not IdentityKind.USER else "",
        "anon": event.anonymous_id if own is not IdentityKind.ANONYMOUS else "",
        "original": to_text(event.original_timestamp) if event.original_timestamp else "",
        "sent": to_text(event.sent_at) if event.sent_at else "",
        "properties": dict(event.properties),
        "traits": dict(event.traits),
        "context": dict(event.context),
        "group": event.group_id,
        "previous": event.previous_id,
        "publishable": event.publishable,
        "clamped": event.clamped,
        "cause": str(event.cause) if event.cause else "",
        "root": str(event.root) if event.root else "",
    }
    return json.dumps({k: v for k, v in body.items() if v}, separators=(",", ":"), ensure_ascii=False)


def read(text: str, identity: Identity) -> dict[str, Any]:
    """The fields of an event that a text says. Raises KeyError or ValueError for a text that is none."""
    rest = json.loads(text)
    ids = {IdentityKind.USER: "user", IdentityKind.ANONYMOUS: "anon"}
    if identity.kind in ids:
        rest.setdefault(ids[identity.kind], identity.value)
    return {
        "timestamp": from_text(rest["at"]),
        "user_id": rest.get("user", ""),
        "anonymous_id": rest.get("anon", ""),
        "original_timestamp": from_text(rest["original"]) if "original" in rest else None,
        "sent_at": from_text(rest["sent"]) if "sent" in rest else None,
        **{name: rest.get(name, {}) for name in ("properties", "traits", "context")},
        "group_id": rest.get("group", ""),
        "previous_id": rest.get("previous", ""),
        **{name: rest.get(name, False) for name in ("publishable", "clamped")},
        **{name: Node.parse(rest[name]) if name in rest else None for name in ("cause", "root")},
    }


def pack(text: str, beside: int) -> bytes | None:
    """The text compressed, if its item then takes fewer write units; `beside` is the size of the rest in bytes."""
    plain = text.encode()
    if units(beside + len("body") + len(plain)) == 1:
        return None
    packed = zlib.compress(plain)
    saves = units(beside + len(PACKED) + len(packed)) < units(beside + len("body") + len(plain))
    return packed if saves else None


def unpack(packed: bytes) -> str:
    """The text that `pack` compressed. Raises ValueError for bytes that are none."""
    try:
        return zlib.decompress(packed).decode()
    except zlib.error as error:
        raise ValueError("this is no packed body") from error


def units(size: int) -> int:
    """The write units of so many bytes."""
    return -(-size // WRITE_UNIT_BYTES)
