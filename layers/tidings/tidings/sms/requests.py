"""What POST /v1/sms and POST /v1/sms/preview take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, model_validator

from tidings.consent.model import Channel, Kind
from tidings.core.errors import InvalidInput
from tidings.messages.model import TOPIC_PATTERN, Name, OnUnknown, Template, TemplateInput
from tidings.messages.requests import STRICT, Id, only_one, read_as, require_small

BODY_BYTES = 512 * 1024
TEXT_CHARACTERS = 10_000  # with what Liquid needs; what comes of it is at most 1,600
AD_HOC = "text"  # what the template of a text that a call brings is called where a name is needed
_NAMES = ("contact", "user_id", "anonymous_id", "phone")

Text = Annotated[str, Field(max_length=TEXT_CHARACTERS)]
Sender = Annotated[str, Field(max_length=64)]
Topic = Annotated[str, Field(pattern=TOPIC_PATTERN)]
Kinds = Annotated[Kind | None, Field(strict=False)]
Data = dict[str, Any]


class SmsRecipient(BaseModel):
    """Exactly one way to name a contact. A phone number, in international form, that nobody has makes one."""

    model_config = STRICT

    contact: Id | None = None
    user_id: Id | None = None
    anonymous_id: Id | None = None
    phone: Id | None = None

    @model_validator(mode="after")
    def _one(self) -> SmsRecipient:
        only_one(self, _NAMES)
        return self

    @property
    def address(self) -> str:
        """The phone number, if that names the contact."""
        return self.phone or ""


class SmsRequest(BaseModel):
    """The body of POST /v1/sms: a template, or a `text` in Liquid of its own.

    `max_price` is in USD for a part, `lifetime` in seconds. `gsm7` replaces typographic characters, `two_way` asks for
    a sender that receives answers. A `dry_run` says what would become of it, and sends nothing.
    """

    model_config = STRICT

    to: SmsRecipient
    template: Name | None = None
    text: Text = ""
    idempotency_key: Annotated[str, Field(max_length=256)] = ""
    kind: Kinds = None
    topic: Topic = ""
    sender: Sender = ""
    max_price: Annotated[str, Field(pattern=r"^([0-9]{1,2}\.[0-9]{1,5})?$")] = ""
    lifetime: Annotated[int | None, Field(ge=5, le=259_200)] = None
    gsm7: bool | None = None
    two_way: bool = False
    dry_run: bool = False
    variables: Data = Field(default_factory=dict)
    on_unknown: Annotated[OnUnknown, Field(strict=False)] = OnUnknown.HOLD


class SmsPreviewRequest(BaseModel):
    """The body of POST /v1/sms/preview: a template or a text, and for whom: nobody, a contact, or made-up `data`
    (`contact`, `event` and `variables`)."""

    model_config = STRICT

    template: Name | None = None
    text: Text = ""
    to: SmsRecipient | None = None
    data: Data | None = None
    kind: Kinds = None
    sender: Sender = ""
    gsm7: bool | None = None


def read_request(body: Mapping[str, Any]) -> SmsRequest:
    """The request that a body is. Raises InvalidInput: `invalid_request`, `variables_too_large`."""
    request: SmsRequest = read_as(SmsRequest, body)
    _require_one(request.template, request.text)
    if not request.idempotency_key and not request.dry_run:
        raise InvalidInput("invalid_request", "idempotency_key is needed, unless it is a dry_run.", "idempotency_key")
    require_small(request.variables, "variables")
    return request


def read_preview(body: Mapping[str, Any]) -> SmsPreviewRequest:
    """The preview that a body asks for. Raises InvalidInput."""
    request: SmsPreviewRequest = read_as(SmsPreviewRequest, body)
    _require_one(request.template, request.text)
    return request


def own_template(workspace: str, text: str, now: datetime) -> Template:
    """The template that a text of a call's own is: it has no version, and is kept with its message alone."""
    return Template(workspace, "", 0, TemplateInput(template=AD_HOC, channel=Channel.SMS, text=text), now)


def _require_one(template: str | None, text: str) -> None:
    if bool(template) == bool(text.strip()):
        raise InvalidInput("invalid_request", "Name a `template`, or give a `text`.", "template")
