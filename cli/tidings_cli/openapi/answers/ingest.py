"""Calls that report, as SDKs send them, and their answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from tidings.contacts.matching import Outcome
from tidings_cli.openapi.answers.base import Error, Shape


class Reported(Shape):
    """The call is stored. What it sets off follows within moments."""

    success: Literal[True]


class RefusedItem(Error):
    """An item of a batch that was not stored, by its place in the batch."""

    index: Annotated[int, Field(ge=0)]


class BatchReported(Shape):
    """Every item is stored but those that are listed."""

    success: Literal[True]
    refused: list[RefusedItem] = Field(default_factory=list, description="Missing where nothing was refused.")


Id = str | int | None
"""Text; a number, as older SDKs send it; or null for none."""


class Call(BaseModel):
    """What all calls have. One of the two ids is needed. Other fields are let be: SDKs add some of their own."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True, populate_by_name=True)

    user_id: Id = Field(None, alias="userId", description="Your own id of the person, at most 1,024 bytes.")
    anonymous_id: Id = Field(None, alias="anonymousId", description="An id from before you knew them.")
    message_id: Id = Field(
        None,
        alias="messageId",
        description="At most 100 characters. The same id of the same person again is a repeat, and not stored.",
    )
    timestamp: str | None = Field(None, description="When it happened, by your clock: ISO 8601.")
    sent_at: str | None = Field(None, alias="sentAt", description="When it was sent, by your clock: ISO 8601.")
    context: dict[str, Any] | None = Field(None, description="What is known of device, page, campaign and the like.")
    integrations: Any = None
    write_key: Any = Field(None, alias="writeKey", description="The key, if no header carries it.")


class IdentifyCall(Call):
    """Who somebody is."""

    traits: dict[str, Any] | None = None


class TrackCall(Call):
    """What somebody did."""

    event: str = Field(min_length=1)
    properties: dict[str, Any] | None = None


class PageCall(Call):
    """What somebody looked at. The event is called "Viewed", the category, the name, and "Page"."""

    name: str | None = None
    category: str | None = None
    properties: dict[str, Any] | None = None


class ScreenCall(PageCall):
    """What somebody looked at in an app. The event is called "Viewed", the category, the name, and "Screen"."""


class UngroupCall(Call):
    """Which company somebody has left."""

    group_id: str | int = Field(alias="groupId", description="Your own id of the company, at most 1,024 bytes.")


class GroupCall(UngroupCall):
    """Which company somebody belongs to, and what is known of it."""

    traits: dict[str, Any] | None = Field(None, description="Of the company: null takes a trait away, none keeps it.")


class AliasCall(Call):
    """That two ids are of one person."""

    previous_id: str | int = Field(alias="previousId", description="The other id.")


class FormCall(Call):
    """What somebody typed into a form. It is from whom its e-mail and phone lead to, or the user who is logged in."""

    form: str | None = Field(None, description="What the form is called.")
    traits: dict[str, Any] | None = None


class BatchCall(BaseModel):
    """Many calls in one request, each with its `type`. What the batch says itself counts for each of its items."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True, populate_by_name=True)

    batch: list[Any] = Field(max_length=2500, description="Calls as they would be sent alone, each with its `type`.")
    context: dict[str, Any] | None = None
    integrations: Any = None
    sent_at: str | None = Field(None, alias="sentAt")
    write_key: Any = Field(None, alias="writeKey", description="The key, if no header carries it.")


class SdkSettings(Shape):
    """What analytics.js asks for before it starts: where to report to, and with which key."""

    integrations: dict[str, Any]
    plan: dict[str, Any]
    metrics: dict[str, Any]


class FormSubmitted(Shape):
    """The form is stored. What it did, and to whom, only a secret key is told."""

    success: Literal[True]
    outcome: Outcome | SkipJsonSchema[None] = None
    contact: str | SkipJsonSchema[None] = None
    conflict: str | SkipJsonSchema[None] = Field(
        None, description="The form's e-mail leads to one contact and its phone to another: for somebody to look at."
    )
