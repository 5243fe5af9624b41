"""What POST /v1/emails takes: one recipient or many, now or at a date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, model_validator

from tidings.consent.model import Kind
from tidings.contacts.rules import normalise_email
from tidings.core.clock import from_text
from tidings.core.errors import InvalidInput
from tidings.email.attachments import FILES, AttachmentInput
from tidings.messages.model import TAGS, TOPIC_PATTERN, Name, OnUnknown, TagText
from tidings.messages.requests import STRICT, Id, only_one, read_as, require_small

BODY_BYTES = 5_500_000  # Lambda takes 6 MB, in which the body is a text with its quotes escaped
RECIPIENTS = 5000
LATEST = timedelta(days=360)  # an execution of Step Functions ends after a year
OWN_TAGS = "tidings_"


def _is_address(text: str) -> str:
    if text and (not text.isascii() or not text.isprintable() or not normalise_email(parseaddr(text)[1])):
        raise ValueError("is an e-mail address, with a name before it or not")
    return text


def _is_not_ours(tags: dict[str, str]) -> dict[str, str]:
    if any(name.startswith(OWN_TAGS) for name in tags):
        raise ValueError(f"names that begin with {OWN_TAGS} are ours")
    return tags


_NAMES = ("contact", "user_id", "anonymous_id", "email")


class Recipient(BaseModel):
    """Exactly one way to name a contact. An e-mail that nobody has makes one."""

    model_config = STRICT

    contact: Id | None = None
    user_id: Id | None = None
    anonymous_id: Id | None = None
    email: Id | None = None

    @model_validator(mode="after")
    def _one(self) -> Recipient:
        only_one(self, _NAMES)
        return self

    @property
    def address(self) -> str:
        """The e-mail address, if that names the contact."""
        return self.email or ""

    def named(self) -> dict[str, str]:
        """The one way, as it was given."""
        return {name: getattr(self, name) for name in _NAMES if getattr(self, name)}


class OneOfMany(Recipient):
    """One recipient of many; `variables` stand before those of all."""

    variables: dict[str, Any] = Field(default_factory=dict)


class SendRequest(BaseModel):
    """The body of POST /v1/emails: `to` one, or `recipients`; now, or at the instant `at` (ISO 8601)."""

    model_config = STRICT

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


def read_at(text: str, now: datetime) -> datetime:
    """The instant of a send. Raises InvalidInput: `invalid_at` for what is no time, past, or over 360 days ahead."""
    try:
        at = from_text(text)
    except ValueError as error:
        raise InvalidInput("invalid_at", "at is a time in ISO 8601.", "at") from error
    if not now < at <= now + LATEST:
        raise InvalidInput("invalid_at", f"at is in the future, at most {LATEST.days} days from now.", "at")
    return at
