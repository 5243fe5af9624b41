"""What POST /v1/emails takes: one recipient or many, now or at a date."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tidings.consent.model import Kind
from tidings.contacts.rules import ID_BYTES, normalise_email
from tidings.core.clock import from_text
from tidings.core.errors import InvalidInput
from tidings.core.ids import digest
from tidings.email.attachments import FILES, AttachmentInput
from tidings.messages.model import TAGS, TOPIC_PATTERN, Name, OnUnknown, TagText

BODY_BYTES = 5_500_000  # Lambda takes 6 MB, in which the body is a text with its quotes escaped
RECIPIENTS = 5000
LATEST = timedelta(days=360)  # an execution of Step Functions ends after a year
VARIABLES_BYTES = 100_000  # they are kept with each message, whose item has 400 KB
OWN_TAGS = "tidings_"


def _short(text: str) -> str:
    if len(text.encode()) > ID_BYTES:
        raise ValueError(f"is at most {ID_BYTES} bytes")
    return text


def _is_address(text: str) -> str:
    if text and (not text.isascii() or not text.isprintable() or not normalise_email(parseaddr(text)[1])):
        raise ValueError("is an e-mail address, with a name before it or not")
    return text


def _is_not_ours(tags: dict[str, str]) -> dict[str, str]:
    if any(name.startswith(OWN_TAGS) for name in tags):
        raise ValueError(f"names that begin with {OWN_TAGS} are ours")
    return tags


Id = Annotated[str, AfterValidator(_short)]
_NAMES = ("contact", "user_id", "anonymous_id", "email")
_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)


class Recipient(BaseModel):
    """Exactly one way to name a contact. An e-mail that nobody has makes one."""

    model_config = _STRICT

    contact: Id | None = None
    user_id: Id | None = None
    anonymous_id: Id | None = None
    email: Id | None = None

    @model_validator(mode="after")
    def _one(self) -> Recipient:
        if len([name for name in _NAMES if getattr(self, name)]) != 1:
            raise ValueError(f"name one of {', '.join(_NAMES)}")
        return self

    def named(self) -> dict[str, str]:
        """The one way, as it was given."""
        return {name: getattr(self, name) for name in _NAMES if getattr(self, name)}


class OneOfMany(Recipient):
    """One recipient of many; `variables` stand before those of all."""

    variables: dict[str, Any] = Field(default_factory=dict)


class SendRequest(BaseModel):
    """The body of POST /v1/emails: `to` one, or `recipients`; now, or at the instant `at` (ISO 8601)."""

    model_config = _STRICT

    to: Recipient | None = None
    recipients: Annotated[list[OneOfMany] | None, Field(min_length=1, max_length=RECIPIENTS)] = None
    template: Name
    idempotency_key: Annotated[str, Field(min_length=1, max_length=256)]
    at: Annotated[str | None, Field(max_length=64, json_schema_extra={"format": "date-time"})] = None
    kind: Annotated[Kind | None, Field(strict=False)] = None
    topic: Annotated[str, Field(pattern=TOPIC_PATTERN)] = ""
    reply_to: Annotated[str, Field(max_length=320), AfterValidator(_is_address)] = ""
    tags: Annotated[dict[TagText, TagText], Field(max_length=TAGS), AfterValidator(_is_not_ours)] = Field(
        default_factory=dict
    )
    variables: dict[str, Any] = Field(default_factory=dict)
    attachments: Annotated[list[AttachmentInput], Field(max_length=FILES)] = Field(default_factory=list)
    on_unknown: Annotated[OnUnknown, Field(strict=False)] = OnUnknown.HOLD

    @property
    def is_send(self) -> bool:
        """Whether it is worked off later: for many, or at a date."""
        return self.recipients is not None or self.at is not None

    @property
    def everyone(self) -> list[OneOfMany]:
        """The recipients, of whom there may be one."""
        return self.recipients if self.recipients is not None else [OneOfMany(**self.one.named())]

    @property
    def one(self) -> Recipient:
        """The one recipient that `to` names."""
        assert self.to is not None  # noqa: S101 - `read_request` makes sure of it
        return self.to


def read_request(body: Mapping[str, Any]) -> SendRequest:
    """The request that a body is. Raises InvalidInput: `invalid_request`, `variables_too_large`."""
    request: SendRequest = read_as(SendRequest, body)
    if (request.to is None) == (request.recipients is None):
        raise InvalidInput("invalid_request", "Name `to`, or `recipients`.", "to")
    require_small(request.variables, "variables")
    for number, one in enumerate(request.recipients or ()):
        require_small(one.variables, f"recipients.{number}.variables")
    return request


def read_as(model: type[Any], body: Mapping[str, Any]) -> Any:
    """A body as a model. Raises InvalidInput: `invalid_request`, with the field that is to blame."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidInput("invalid_request", f"{field}: {first['msg']}.", field) from error


def require_small(variables: Mapping[str, Any], place: str) -> None:
    """Refuse variables that no message could keep. Raises InvalidInput: `variables_too_large`."""
    if len(json.dumps(variables, ensure_ascii=False, separators=(",", ":")).encode()) > VARIABLES_BYTES:
        raise InvalidInput("variables_too_large", f"Variables have at most {VARIABLES_BYTES} bytes as JSON.", place)


def read_at(text: str, now: datetime) -> datetime:
    """The instant of a send. Raises InvalidInput: `invalid_at` for what is no time, past, or over 360 days ahead."""
    try:
        at = from_text(text)
    except ValueError as error:
        raise InvalidInput("invalid_at", "at is a time in ISO 8601.", "at") from error
    if not now < at <= now + LATEST:
        raise InvalidInput("invalid_at", f"at is in the future, at most {LATEST.days} days from now.", "at")
    return at


def fingerprint_of(request: BaseModel, *more: str) -> str:
    """A hash of everything that was asked: by it a repeat is told from another request."""
    return digest("request", *more, json.dumps(request.model_dump(mode="json", exclude_defaults=True), sort_keys=True))
