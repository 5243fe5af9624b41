"""Contacts, what happened to them, and what they were sent."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from tidings.automations.enrolments.model import EnrolmentState
from tidings.consent.model import Kind
from tidings.contacts.context import FIELD_CODES, Source
from tidings.contacts.model import IdentityKind
from tidings.messages.model import State
from tidings_cli.openapi.answers.base import Anything, Cursor, Instant, Shape

ContextField = Annotated[str, Field(json_schema_extra={"enum": list(FIELD_CODES)})]


class IdentityShown(Shape):
    """One id of a person."""

    kind: IdentityKind
    value: str
    former: Literal[True] | SkipJsonSchema[None] = None
    """There, and true, for an address that the person had earlier."""


class ContextShown(Shape):
    """One thing that is known of a person's surroundings, and who said it."""

    value: Any
    source: Source
    at: Instant


class RatingShown(Shape):
    """How well a person is looked after: 0 to 5 stars, why so many, and what the next star wants."""

    stars: Annotated[int, Field(ge=0, le=5)]
    why: str
    next: str
    """Empty at five stars."""


class ContactShown(Shape):
    """A person, known or not."""

    contact: str
    traits: Anything
    context: dict[ContextField, ContextShown]
    """What is believed of device, place and campaign, from the most trusted source that tells it."""
    identities: list[IdentityShown]
    companies: list[str]
    """Ids of companies that the person belongs to."""
    known: bool
    """Whether the person has a user id."""
    created_at: Instant
    last_seen_at: Instant | None
    absorbed: list[str]
    """Ids of contacts that became part of this one; they still lead here."""
    rating: RatingShown


class FoundContacts(Shape):
    """A page of contacts; it may be short and still have a next one."""

    contacts: list[ContactShown]
    cursor: Cursor


class PeopleCounted(Shape):
    """How many people there are: with a user id, without, and together."""

    people: Annotated[int, Field(ge=0)]
    identified: Annotated[int, Field(ge=0)]
    anonymous: Annotated[int, Field(ge=0)]


class EditOrder(Shape):
    """What to set of a contact: `traits`, of which null takes one away, or `user_id`, or both."""

    traits: Anything = Field(default_factory=dict)
    user_id: Annotated[str, Field(min_length=1)] | SkipJsonSchema[None] = None
    """For a contact that has none."""
    idempotency_key: Annotated[str, Field(min_length=1, max_length=256)] | SkipJsonSchema[None] = None
    """Makes a repeat one, also if the contact was changed since."""


class Deleted(Shape):
    """The contact is no more."""

    contact: str
    deleted: Literal[True]


class DeleteOrder(Shape):
    """Which contacts to delete."""

    contacts: Annotated[list[str], Field(min_length=1, max_length=100)]


class DeletedOfSelection(Shape):
    """What became of one of them; `code` and `message` say why it was not deleted."""

    contact: str
    deleted: bool
    code: str | SkipJsonSchema[None] = None
    message: str | SkipJsonSchema[None] = None


class DeletedSelection(Shape):
    """What became of each, in the order of the call."""

    contacts: list[DeletedOfSelection]


class EventShown(Shape):
    """One thing that happened. `cause` and `root` are nodes of its chain of causes: what led to it, and what began."""

    node: str
    message_id: str
    type: str
    event: str
    identity: IdentityShown
    timestamp: Instant
    """When it happened, by our clock."""
    original_timestamp: Instant | None
    sent_at: Instant | None
    received_at: Instant
    clamped: bool
    """Whether it would have lain in the future."""
    group_id: str
    previous_id: str
    properties: Anything
    traits: Anything
    context: Anything
    cause: str | None
    root: str


class Timeline(Shape):
    """A page of what happened, latest first."""

    events: list[EventShown]
    cursor: Cursor


class CheckShown(Shape):
    """One question before a message goes; `passed` is null where it was not asked, since one before said no."""

    check: str
    passed: bool | None
    found: str


class DecisionShown(Shape):
    """Every check in its order, the one that said no, and the versions of what it was decided by."""

    send: bool
    decided_by: str
    checks: list[CheckShown]
    versions: dict[str, int]
    at: Instant


class NothingKept(Shape):
    """What was decided is not kept of an erased person."""


class MessageShown(Shape):
    """One message to one contact, sent or not."""

    message: str
    contact: str
    channel: str
    state: State
    kind: Kind
    topic: str
    send: str
    """The order to many that it belongs to."""
    resends: str
    """The message that it repeats."""
    attachments: list[str]
    conversation: str
    """The conversation that it is a part of."""
    transport: dict[str, Any]
    """Of a text message: what it left from, where to, its parts, and what it cost."""
    template: str
    template_version: Annotated[int, Field(ge=0)]
    address: str
    subject: str
    provider_id: str
    error: str
    cause: dict[str, str]
    node: str
    caused_by: str | None
    """The node of what led to it."""
    root: str
    """The node of what began the chain."""
    decision: DecisionShown | NothingKept
    earlier: list[DecisionShown]
    """What attempts before came to, earliest first."""
    history: dict[str, Instant]
    """When the message came to each state."""


class ClickShown(Shape):
    """Somebody followed a link, or something did: then `machine` is true, and `reasons` are the signs of it."""

    at: Instant
    url: str
    ip: str
    user_agent: str
    machine: bool
    score: int
    reasons: list[str]
    node: str


class Clicks(Shape):
    """The clicks on the links of a message, the earliest first."""

    clicks: list[ClickShown]


class MessagePage(Shape):
    """A page of messages, latest first."""

    messages: list[MessageShown]
    cursor: Cursor


class StepShown(Shape):
    """One component passed, what followed, and why."""

    n: int
    component: str
    outcome: str
    next: str
    at: Instant
    why: dict[str, Any]


class EnrolmentShown(Shape):
    """One person's way through one version of an automation."""

    automation: str
    version: Annotated[int, Field(ge=1)]
    entry: str
    contact: str
    state: EnrolmentState
    started_at: Instant
    updated_at: Instant | None
    component: str
    until: dict[str, Instant]
    steps: Annotated[int, Field(ge=0)]
    cause: dict[str, str]
    node: str
    caused_by: str | None
    root: str
    error: str
    left: dict[str, Any] | None
    """By which `exit` the person left, when, and why; null for who did not."""
    converted_at: Instant | None
    """When the event came that reached the automation's goal."""


class EnrolmentWithPath(EnrolmentShown):
    """A way with every step that was taken. `why` is the truth table of the trigger's condition, if it has one."""

    why: dict[str, Any]
    path: list[StepShown]


class ContactEnrolments(Shape):
    """A page of what a person entered, latest first."""

    enrolments: list[EnrolmentWithPath]
    cursor: Cursor


class LostEnrolment(EnrolmentShown):
    """A way without an execution, and what became of that."""

    lost: Literal["gone", "failed", "stopped", "finished", "parked"]


class LostEnrolments(Shape):
    """Those inside who have no execution, of a page of those who entered."""

    enrolments: list[LostEnrolment]
    cursor: Cursor


class ConflictShown(Shape):
    """A form whose addresses lead to two contacts: `contact` was updated, `other` has the form's other address."""

    conflict: str
    contact: str
    other: str
    address: Annotated[str, Field(pattern="^(email|phone)$")]
    """Which of the form's addresses `other` has."""
    form: str
    event: str
    """The node of the form's first submission."""
    at: Instant


class Conflicts(Shape):
    """A page of forms to look at."""

    conflicts: list[ConflictShown]
    cursor: Cursor


class Resolved(Shape):
    """It is off the list; it comes back if such a form comes again."""

    resolved: Literal[True]
