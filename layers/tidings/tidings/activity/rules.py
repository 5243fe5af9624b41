"""From a call as an SDK sends it to an event: limits, identities, and whose clock is right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

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


def _id(value: Any) -> Any:
    # Older SDKs send numeric user ids; everything downstream is text.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _instant(value: Any) -> Any:
    if value is None or isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("an ISO 8601 time is text")
    return from_text(value)


def _object(value: Any) -> Any:
    return {} if value is None else value


Id = Annotated[str | None, BeforeValidator(_id)]
Instant = Annotated[datetime | None, BeforeValidator(_instant)]
Object = Annotated[dict[str, Any], BeforeValidator(_object)]


class Call(BaseModel):
    """A message of the tracking API; what it does not name is let be, since SDKs add fields of their own."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    type: str
    message_id: Id = Field(None, alias="messageId", max_length=MESSAGE_ID_CHARACTERS)
    user_id: Id = Field(None, alias="userId")
    anonymous_id: Id = Field(None, alias="anonymousId")
    event: str | None = None
    properties: Object = Field(default_factory=dict)
    traits: Object = Field(default_factory=dict)
    context: Object = Field(default_factory=dict)
    timestamp: Instant = None
    sent_at: Instant = Field(None, alias="sentAt")


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
    try:
        call = Call.model_validate(message)
    except ValidationError as error:
        raise _invalid(error) from error
    if call.type == "track" and not (call.event or "").strip():
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
        message_id=(call.message_id or "").strip() or new_id(),
        type=call.type,
        name=(call.event or "").strip(),
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


def _usable(value: str | None, field: str) -> str:
    text = (value or "").strip()
    if is_blocked(text):
        return ""
    if len(text.encode()) > ID_BYTES:
        raise InvalidInput("id_too_long", f"{field} is at most {ID_BYTES} bytes.", field)
    return text


def _invalid(error: ValidationError) -> InvalidInput:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    if field in ("timestamp", "sentAt"):
        return InvalidInput("invalid_timestamp", f"{field} is not an ISO 8601 time.", field)
    if first["type"] == "string_too_long":
        return InvalidInput("message_id_too_long", f"{field} is at most {MESSAGE_ID_CHARACTERS} characters.", field)
    return InvalidInput("invalid_type", f"{field}: {first['msg']}.", field)
