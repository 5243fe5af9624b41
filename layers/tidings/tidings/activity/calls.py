"""A call as an SDK sends it, read and checked: what it may hold, and how much of it.

Limits and fields are those of the Segment HTTP tracking API. Read by hand: pydantic would be a quarter of the time that
ingest takes to import, at every cold start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidings.activity.model import COMPANY_CALLS
from tidings.core.clock import from_text
from tidings.core.documents import require_plain
from tidings.core.errors import InvalidInput

MESSAGE_BYTES = 32 * 1024
BATCH_BYTES = 500 * 1024
BATCH_MESSAGES = 2500
# A batch's body may be over its limit only by what wraps the items; a single call's likewise.
ENVELOPE_BYTES = 1024
MESSAGE_ID_CHARACTERS = 100

# The calls of the tracking API, and `ungroup`, which is our own.
CALL_TYPES = ("identify", "track", "page", "screen", "group", "ungroup", "alias")
VIEWS = frozenset({"page", "screen"})


@dataclass(frozen=True, slots=True)
class Call:
    """A message of the tracking API; what it does not name is let be, since SDKs add fields of their own."""

    type: str
    message_id: str
    user_id: str
    anonymous_id: str
    previous_id: str
    group_id: str
    event: str
    name: str
    category: str
    properties: dict[str, Any]
    traits: dict[str, Any]
    context: dict[str, Any]
    timestamp: datetime | None
    sent_at: datetime | None


def check_size(message: Mapping[str, Any]) -> None:
    """Refuse a message over 32 KB of compact JSON, one nested too deep, or with text that is no Unicode.

    Raises InvalidInput.
    """
    if require_plain(message) > MESSAGE_BYTES:
        raise InvalidInput("message_too_large", f"A message is at most {MESSAGE_BYTES} bytes of JSON.")


def check_context(context: Mapping[str, Any]) -> None:
    """Refuse what a batch adds to each of its messages if a message could not hold it. Raises InvalidInput."""
    try:
        size = require_plain(context)
    except InvalidInput as error:
        raise InvalidInput(error.code, error.message, "context") from error
    if size > MESSAGE_BYTES:
        raise InvalidInput("context_too_large", f"A context is at most {MESSAGE_BYTES} bytes of JSON.", "context")


def read_call(message: Mapping[str, Any]) -> Call:
    """A call, checked. Raises InvalidInput with a code of its own for each thing that can be wrong."""
    kind = message.get("type")
    if kind not in CALL_TYPES:
        raise InvalidInput("unknown_type", f"type is one of {', '.join(CALL_TYPES)}.", "type")
    call = Call(
        type=str(kind),
        message_id=_message_id(message),
        user_id=_id(message, "userId"),
        anonymous_id=_id(message, "anonymousId"),
        previous_id=_id(message, "previousId") if kind == "alias" else "",
        group_id=_id(message, "groupId") if kind in COMPANY_CALLS else "",
        event=_text(message, "event") if kind == "track" else "",
        name=_text(message, "name") if kind in VIEWS else "",
        category=_text(message, "category") if kind in VIEWS else "",
        properties=_object(message, "properties"),
        traits=_object(message, "traits"),
        context=_object(message, "context"),
        timestamp=_instant(message, "timestamp"),
        sent_at=_instant(message, "sentAt"),
    )
    if call.type == "track" and not call.event.strip():
        raise InvalidInput("missing_event", "A track call needs the name of its event.", "event")
    return call


def context_traits(call: Call) -> dict[str, Any]:
    """The traits within the context, where some SDKs put them. Raises InvalidInput."""
    traits = call.context.get("traits")
    if traits is not None and not isinstance(traits, dict):
        raise InvalidInput("invalid_type", "context.traits is an object.", "context.traits")
    return traits or {}


def _text(message: Mapping[str, Any], field: str) -> str:
    value = message.get(field)
    if value is not None and not isinstance(value, str):
        raise InvalidInput("invalid_type", f"{field} is text.", field)
    return value or ""


def _id(message: Mapping[str, Any], field: str) -> str:
    value = message.get(field)
    # Older SDKs send numeric ids; everything downstream is text.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(message, field)


def _message_id(message: Mapping[str, Any]) -> str:
    value = _id(message, "messageId")
    if len(value) > MESSAGE_ID_CHARACTERS:
        told = f"messageId is at most {MESSAGE_ID_CHARACTERS} characters."
        raise InvalidInput("message_id_too_long", told, "messageId")
    return value


def _object(message: Mapping[str, Any], field: str) -> dict[str, Any]:
    value = message.get(field)
    if value is not None and not isinstance(value, dict):
        raise InvalidInput("invalid_type", f"{field} is an object.", field)
    return value or {}


def _instant(message: Mapping[str, Any], field: str) -> datetime | None:
    value = message.get(field)
    if value is None:
        return None
    try:
        return from_text(value)
    except (TypeError, ValueError) as error:
        raise InvalidInput("invalid_timestamp", f"{field} is not an ISO 8601 time.", field) from error
