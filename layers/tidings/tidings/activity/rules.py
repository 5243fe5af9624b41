"""From a call as an SDK sends it to an event: limits, identities, and whose clock is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidings.activity.model import Event
from tidings.contacts.model import Identity, IdentityKind
from tidings.contacts.rules import ID_BYTES, is_blocked
from tidings.core.clock import from_text
from tidings.core.documents import require_plain
from tidings.core.errors import InvalidInput
from tidings.core.ids import new_id

# Limits of the Segment HTTP tracking API.
MESSAGE_BYTES = 32 * 1024
BATCH_BYTES = 500 * 1024
BATCH_MESSAGES = 2500
# A batch's body may be over its limit only by what wraps the items; a single call's likewise.
ENVELOPE_BYTES = 1024
MESSAGE_ID_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Call:
    """A message of the tracking API; what it does not name is let be, since SDKs add fields of their own.

    Read by hand: pydantic would be a quarter of the time that ingest takes to import, at every cold start.
    """

    type: str
    message_id: str
    user_id: str
    anonymous_id: str
    event: str
    properties: dict[str, Any]
    traits: dict[str, Any]
    context: dict[str, Any]
    timestamp: datetime | None
    sent_at: datetime | None


CALL_TYPES = ("identify", "track")


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
        event=_text(message, "event"),
        properties=_object(message, "properties"),
        traits=_object(message, "traits"),
        context=_object(message, "context"),
        timestamp=_instant(message, "timestamp"),
        sent_at=_instant(message, "sentAt"),
    )
    if call.type == "track" and not call.event.strip():
        raise InvalidInput("missing_event", "A track call needs the name of its event.", "event")
    return call


def to_event(workspace: str, call: Call, received_at: datetime, sent_at: datetime | None = None) -> Event:
    """The event that a call makes. Raises InvalidInput if nobody is named."""
    user = _usable(call.user_id, "userId")
    anonymous = _usable(call.anonymous_id, "anonymousId")
    if not user and not anonymous:
        raise InvalidInput("no_user_anon_id", "A message needs a userId or an anonymousId.", "userId")
    kind = IdentityKind.USER if user else IdentityKind.ANONYMOUS
    sent = call.sent_at or sent_at
    traits = {**_context_traits(call), **call.traits} if call.type == "identify" else {}
    return Event(
        workspace=workspace,
        identity=Identity(kind, user or anonymous),
        message_id=call.message_id.strip() or new_id(),
        type=call.type,
        name=call.event.strip(),
        received_at=received_at,
        timestamp=corrected(call.timestamp, sent, received_at),
        user_id=user,
        anonymous_id=anonymous,
        original_timestamp=call.timestamp,
        sent_at=sent,
        properties=call.properties,
        traits=traits,
        context={name: value for name, value in call.context.items() if name != "traits"},
    )


def corrected(original: datetime | None, sent: datetime | None, received: datetime) -> datetime:
    """When it happened by our clock: received - (sent - original), never in the future (Segment, common fields).

    Without `sent` the client's clock cannot be judged and is believed; without `original` it happened when received.
    """
    if original is None:
        return received
    try:
        happened = original if sent is None else received - (sent - original)
    except OverflowError:
        return received
    return min(happened, received)


def _context_traits(call: Call) -> dict[str, Any]:
    traits = call.context.get("traits")
    if traits is not None and not isinstance(traits, dict):
        raise InvalidInput("invalid_type", "context.traits is an object.", "context.traits")
    return traits or {}


def _usable(value: str, field: str) -> str:
    text = value.strip()
    if is_blocked(text):
        return ""
    if len(text.encode()) > ID_BYTES:
        raise InvalidInput("id_too_long", f"{field} is at most {ID_BYTES} bytes.", field)
    return text


def _text(message: Mapping[str, Any], field: str) -> str:
    value = message.get(field)
    if value is not None and not isinstance(value, str):
        raise InvalidInput("invalid_type", f"{field} is text.", field)
    return value or ""


def _id(message: Mapping[str, Any], field: str) -> str:
    value = message.get(field)
    # Older SDKs send numeric user ids; everything downstream is text.
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
