"""Components that change something, here or elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Discriminator, Field, PlainValidator, Tag, WithJsonSchema, model_validator

from tidings.automations.components.base import Component, Link, to
from tidings.automations.definition.names import ComponentId, Label, Name
from tidings.automations.webhooks.urls import MAX_HEADER_VALUE, MAX_HEADERS, MAX_URL, checked_headers, checked_url
from tidings.conditions.model import Model
from tidings.conditions.operands import NumberOperand, Text, WholeOperand
from tidings.conditions.places import TAG, tag_by_key
from tidings.core.documents import require_plain
from tidings.core.errors import InvalidInput

MAX_VALUES = 50
MAX_BODY_BYTES = 32 * 1024


# --- values ---------------------------------------------------------------------------------------------------------


class FromProperty(Model):
    """What a property of the event that enrolled the contact says."""

    property: Text


class FromTrait(Model):
    """What a trait of the contact says."""

    trait: Text


class FromAnswer(Model):
    """What the answer of a webhook says, such as `look_up.body.tier`."""

    answer: Text


class Added(Model):
    """A number more than there is; less, if it is negative. What is no number counts as 0."""

    add: NumberOperand


class Now(Model):
    """The present, as an ISO 8601 text."""

    now: Literal[True]


_SOURCES: Mapping[str, type[Model]] = {
    "property": FromProperty,
    "trait": FromTrait,
    "answer": FromAnswer,
    "add": Added,
    "now": Now,
}


def _value_kind(value: object) -> str | None:
    plain = None if isinstance(value, Mapping | Model) else TAG + "plain"
    return tag_by_key(value, _SOURCES) or plain


Value = Annotated[
    Annotated[WholeOperand, Tag(TAG + "plain")]
    | Annotated[FromProperty, Tag(TAG + "property")]
    | Annotated[FromTrait, Tag(TAG + "trait")]
    | Annotated[FromAnswer, Tag(TAG + "answer")]
    | Annotated[Added, Tag(TAG + "add")]
    | Annotated[Now, Tag(TAG + "now")],
    Discriminator(
        _value_kind,
        custom_error_type="unknown_value",
        custom_error_message=(
            "must be text, a number, true, false, a list of those, or one of {property: NAME}, {trait: NAME}, "
            "{answer: COMPONENT.PATH}, {add: NUMBER}, {now: true}"
        ),
    ),
]
Values = Annotated[dict[Text, Value], Field(max_length=MAX_VALUES)]


# --- components -----------------------------------------------------------------------------------------------------


class AtHome(Component):
    """Base of components that change something in Tidings itself."""

    function: ClassVar[str] = "act"


class UpdateContact(AtHome):
    """Sets traits of the contact, and takes traits away. What is as it is to be already is left as it is.

    `refused` where the contact has no room for it, or it is no e-mail address or phone number (default: `next`).
    """

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["set"], "properties": {"set": {"minProperties": 1}}},
                {"required": ["unset"], "properties": {"unset": {"minItems": 1}}},
            ]
        }
    )

    type: Literal["update_contact"]
    set_: Values = Field(default={}, alias="set")
    unset: Annotated[list[Text], Field(max_length=MAX_VALUES)] = Field(default=[])
    next: ComponentId | None = None
    on_refused: ComponentId | None = None

    def links(self) -> list[Link]:
        refused = to("refused", "next", self.next)
        if self.on_refused is not None:
            refused = to("refused", "on_refused", self.on_refused)
        return [to("updated", "next", self.next), to("unchanged", "next", self.next), refused]

    @model_validator(mode="after")
    def _changes_something(self) -> UpdateContact:
        if not self.set_ and not self.unset:
            raise ValueError("needs `set` or `unset`")
        both = sorted(self.set_.keys() & set(self.unset))
        if both:
            raise ValueError(f'"{both[0]}" is both set and taken away')
        return self


class StartAutomation(AtHome):
    """Asks another automation, whose trigger is `api: true`, to take the contact in; its own rules decide whether."""

    type: Literal["start_automation"]
    automation: Name
    properties: Values = Field(default={})
    next: ComponentId | None = None

    def links(self) -> list[Link]:
        return [to("requested", "next", self.next)]


class AssignConversation(AtHome):
    """Gives the closest conversation before it on this way to an inbox, and to an agent in it if one is named.

    `none` where there is no conversation, or no such inbox any more (default: `next`).
    """

    type: Literal["assign_conversation"]
    inbox: Name
    agent: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    next: ComponentId | None = None
    on_none: ComponentId | None = None

    def links(self) -> list[Link]:
        none = to("none", "next", self.next)
        if self.on_none is not None:
            none = to("none", "on_none", self.on_none)
        return [to("assigned", "next", self.next), none]


class GoalReached(Component):
    """Says that whoever comes here has reached the automation's goal."""

    function: ClassVar[str] = "branch"

    type: Literal["goal"]
    name: Label | None = None
    next: ComponentId | None = None

    def links(self) -> list[Link]:
        return [to("reached", "next", self.next)]


class End(Component):
    """Ends the person's way: nothing more comes, whatever conditions hold."""

    type: Literal["end"]


# --- webhooks -------------------------------------------------------------------------------------------------------


def _url(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be an address such as https://hooks.example.com/tidings")
    return checked_url(value)


def _headers(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for pair in value.items() for text in pair):
        raise ValueError("must be names with a text each")
    return checked_headers(value)


def _body(value: object) -> Any:
    try:
        json.dumps(value, allow_nan=False)
        size = require_plain({"body": value})
    except (TypeError, ValueError, RecursionError, InvalidInput):
        raise ValueError("must be what JSON can say, nested at most 99 levels deep") from None
    if size > MAX_BODY_BYTES:
        raise ValueError(f"must be at most {MAX_BODY_BYTES // 1024} KB of JSON")
    return value


# Without a name or password in it; what else an address must not be is said in code only.
_URL_PATTERN = r"^https?://[^@/?#\s]+([/?#]\S*)?$"
_URL_SCHEMA = {"type": "string", "format": "uri", "maxLength": MAX_URL, "pattern": _URL_PATTERN}
Url = Annotated[str, PlainValidator(_url), WithJsonSchema(_URL_SCHEMA)]
_HEADERS_SCHEMA = {
    "type": "object",
    "additionalProperties": {"type": "string", "maxLength": MAX_HEADER_VALUE},
    "maxProperties": MAX_HEADERS,
}
Headers = Annotated[dict[str, str], PlainValidator(_headers), WithJsonSchema(_HEADERS_SCHEMA)]
Body = Annotated[Any, PlainValidator(_body), WithJsonSchema({"description": "Any JSON; its texts may hold Liquid."})]


class Webhook(Component):
    """Tells a server of yours, signed, and keeps what it answers. `on_failed` leads on when it does not take it.

    `body` is any JSON, in which texts may hold Liquid that speaks of `contact`, `event` and `automation`; without it
    these three are told.
    """

    function: ClassVar[str] = "call_webhook"

    type: Literal["webhook"]
    url: Url
    method: Literal["POST", "PUT"] = "POST"
    headers: Headers = Field(default={})
    body: Body = None
    next: ComponentId | None = None
    on_failed: ComponentId | None = None

    def links(self) -> list[Link]:
        failed = to("failed", "next", self.next)
        if self.on_failed is not None:
            failed = to("failed", "on_failed", self.on_failed)
        return [to("answered", "next", self.next), failed]
