"""Merges of contacts, and companies."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from tidings.contacts.rules import ID_BYTES
from tidings_cli.openapi.answers.base import Anything, Cursor, Error, Instant, Shape
from tidings_cli.openapi.answers.contacts import ContactShown, IdentityShown

Key = Annotated[str, Field(min_length=1, max_length=256)]
Id = Annotated[str, Field(min_length=1, max_length=ID_BYTES)]

__all__ = ["ContactShown"]


class Stayed(Shape):
    """Where the messages and enrolments are of the time that a merge lasted, since it was taken back."""

    contact: str
    since: Instant
    until: Instant


class MergeShown(Shape):
    """The record of a merge: `absorbed` became part of `survivor`."""

    merge: str
    survivor: str
    absorbed: str
    rule: Literal["identified", "aliased", "moved", "requested"]
    """Why: a call named both ids; an alias; an anonymous id turned out to be this user's before another's; by hand."""
    call: str
    """The node of the call that led to it."""
    at: Instant
    identities: list[IdentityShown]
    """The user and anonymous ids that came to the survivor."""
    undone_at: Instant | None
    undone_by: str
    stayed: Stayed | None


class Merges(Shape):
    """Merges, the earliest first."""

    merges: list[MergeShown]


class Carried(Shape):
    """A suppression that would hold for one more address."""

    channel: str
    address: str
    reason: str


class CarriedNo(Shape):
    """A no that a merge would carry to another address."""

    channel: str
    address: str
    topic: str


class PreviewShown(Shape):
    """What would be done, and the contact as it would be; `contact` has no id if it would be a new one."""

    act: Literal["new", "link", "promote", "merge", "nothing"]
    """A new contact; the anonymous id joins the user's; the user id joins the anonymous contact; two become one."""
    allowed: bool
    refused: Error | None
    """Why nothing would be done, where something could be."""
    survivor: str
    absorbed: str
    contact: ContactShown | None
    identities: list[IdentityShown]
    suppressions: list[Carried]
    consents: list[CarriedNo]
    """The person's noes to topics, or to all marketing (`*`), that would come to hold for more addresses."""


class PreviewOrder(Shape):
    """Two contacts, or two ids that a call would name."""

    contact: str | SkipJsonSchema[None] = None
    into: str | SkipJsonSchema[None] = None
    anonymous_id: Id | SkipJsonSchema[None] = None
    user_id: Id | SkipJsonSchema[None] = None


class MergeOrder(Shape):
    """Two contacts: `contact` becomes part of `into`."""

    contact: str
    into: str
    idempotency_key: Key


class UndoOrder(Shape):
    """How the call is named in the chain of causes."""

    idempotency_key: Key | SkipJsonSchema[None] = None


class CompanyShown(Shape):
    """A company, as apps report it and people edit it."""

    company: str
    traits: Anything
    created_at: Instant


class Companies(Shape):
    """A page of companies, by their ids."""

    companies: list[CompanyShown]
    cursor: Cursor


class CompanyOrder(Shape):
    """Traits to set; null takes one away."""

    traits: Anything


class Members(Shape):
    """A page of a company's contacts."""

    contacts: list[ContactShown]
    cursor: Cursor
