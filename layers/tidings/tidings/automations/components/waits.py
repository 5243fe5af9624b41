"""Components that wait: for a time, or for an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from tidings.automations.components.base import Asks, Component, Link, to
from tidings.automations.definition.names import (
    ONE,
    ONE_OR_SEVERAL,
    SEVERAL,
    TIMEOUT,
    ComponentId,
    EventArmName,
    OffsetText,
    ReplyChannels,
    TimeOfDay,
    each_of,
    time_of,
)
from tidings.conditions.durations import parse_duration, parse_offset
from tidings.conditions.model import Condition, Model
from tidings.conditions.operands import DateText, DurationText, Text
from tidings.conditions.places import TAG, tag_by_key

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Weekdays = Annotated[
    Annotated[Weekday, ONE] | Annotated[Annotated[list[Weekday], Field(min_length=1, max_length=7)], SEVERAL],
    ONE_OR_SEVERAL,
]

# The event by which each channel tells that the person wrote.
RECEIVED: Mapping[str, str] = {"email": "Email Received", "sms": "SMS Received"}
ANSWERED = "answered"
WAITED = "waited"


def received_on(channels: ReplyChannels) -> tuple[str, ...]:
    """The events by which some channels, or any of them, tell that the person wrote."""
    names = RECEIVED if channels == "any" else channels
    return tuple(RECEIVED[name] for name in dict.fromkeys(names))


class _UntilValue(Model):
    offset: OffsetText | None = None
    at: TimeOfDay | None = None

    @property
    def offset_length(self) -> timedelta:
        """How much later than the date the wait ends; negative is earlier."""
        return parse_offset(self.offset) if self.offset else timedelta()

    @property
    def time(self) -> time | None:
        """The time of day, in the contact's time zone, at which the wait ends on the date's day."""
        return time_of(self.at)


class UntilTrait(_UntilValue):
    """The date in a trait of the contact."""

    trait: Text


class UntilProperty(_UntilValue):
    """The date in a property of the event that enrolled the contact."""

    property: Text


class UntilTime(Model):
    """The next time that clocks in the contact's time zone show `at`, on one of the weekdays if they are named.

    Without `at` a weekday begins at midnight.
    """

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["weekday"]}, {"required": ["at"]}]})

    weekday: Weekdays | None = None
    at: TimeOfDay | None = None

    @property
    def weekdays(self) -> tuple[str, ...]:
        """The weekdays in question; none named means any."""
        return each_of(self.weekday)

    @property
    def time(self) -> time:
        """The time of day."""
        return time_of(self.at) or time()


_UNTIL = {"trait": UntilTrait, "property": UntilProperty, "weekday": UntilTime, "at": UntilTime}


def _until_kind(value: object) -> str | None:
    if isinstance(value, str):
        return TAG + "date"
    return tag_by_key(value, _UNTIL)


Until = Annotated[
    Annotated[DateText, Tag(TAG + "date")]
    | Annotated[UntilTrait, Tag(TAG + "trait")]
    | Annotated[UntilProperty, Tag(TAG + "property")]
    | Annotated[UntilTime, Tag(TAG + "weekday")]
    | Annotated[UntilTime, Tag(TAG + "at")],
    Discriminator(
        _until_kind,
        custom_error_type="unknown_until",
        custom_error_message=(
            "must be a date in quotes, {trait: NAME, offset: ..., at: ...}, {property: NAME, offset: ..., at: ...} "
            "or {weekday: NAME, at: ...}"
        ),
    ),
]


class Wait(Component):
    """Waits for a length of time, or until a date.

    `if_past` says what comes of a date that is past, or missing: `go_on` goes on at once, `leave` ends the way.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["for"], "properties": {"if_past": {"const": "go_on"}}}, {"required": ["until"]}]
        }
    )

    type: Literal["wait"]
    for_: DurationText | None = Field(default=None, alias="for")
    until: Until | None = None
    if_past: Literal["go_on", "leave"] = "go_on"
    next: ComponentId | None = None

    @cached_property
    def length(self) -> timedelta | None:
        """`for` as a length of time."""
        return parse_duration(self.for_) if self.for_ else None

    @property
    def may_leave(self) -> bool:
        """Whether somebody's way may end here because the date is past."""
        return self.if_past == "leave"

    def links(self) -> list[Link]:
        return [to(WAITED, "next", self.next)]

    @model_validator(mode="after")
    def _has_one_end(self) -> Wait:
        if (self.for_ is None) == (self.until is None):
            raise ValueError("needs either `for` or `until`")
        if self.may_leave and self.until is None:
            raise ValueError("`if_past: leave` needs `until`: a length of time is never past")
        return self


Match = Annotated[
    Annotated[Text, ONE] | Annotated[Annotated[list[Text], Field(min_length=1, max_length=10)], SEVERAL],
    ONE_OR_SEVERAL,
]


class OneEvent(Model):
    """An event, if `where` holds for its properties and the contact's traits.

    `match` names properties in which it must be the same as the event that enrolled the contact.
    """

    event: Text
    match: Match | None = None
    where: Condition | None = None

    @property
    def matches(self) -> tuple[str, ...]:
        """The properties in which it must be the same as the enrolling event."""
        return each_of(self.match)


class EventArm(OneEvent):
    """One event that ends the waiting. `of` names a component: only what is about a message that it sent counts."""

    name: EventArmName
    of: ComponentId | None = None
    next: ComponentId | None = None


class Awaits(Component):
    """Base of components that wait for events, at most for `timeout`.

    What comes from the moment on at which the component before it acted counts, the message that it sent included.
    """

    function: ClassVar[str] = "wait_for"
    # Whether only events count that Tidings itself put on the timeline.
    own: ClassVar[bool] = False

    timeout: DurationText
    on_timeout: ComponentId | None = None

    @property  # nothing is kept in the model: a dump would then be made of what it looks like, and `true` become 1
    def length(self) -> timedelta:
        """`timeout` as a length of time."""
        return parse_duration(self.timeout)

    @property
    def awaited(self) -> Sequence[EventArm]:
        """What ends the waiting, in the order in which it is asked."""
        raise NotImplementedError

    @property
    def events(self) -> set[str]:
        """Names of the events that it waits for."""
        return {arm.event for arm in self.awaited}


class WaitFor(Awaits):
    """Waits until one of some events comes, at most for `timeout`, and then goes along its arm, or `on_timeout`."""

    type: Literal["wait_for"]
    arms: Annotated[list[EventArm], Field(min_length=1, max_length=50)]

    @property
    def awaited(self) -> Sequence[EventArm]:
        return self.arms

    def links(self) -> list[Link]:
        arms = [to(arm.name, f"arms[{number}].next", arm.next) for number, arm in enumerate(self.arms)]
        return [*arms, to(TIMEOUT, "on_timeout", self.on_timeout)]

    def conditions(self) -> list[Asks]:
        arms = enumerate(self.arms)
        return [Asks(f"arms[{number}].where", arm.where, True) for number, arm in arms if arm.where is not None]


class InboundMessage(Awaits):
    """Waits until the person writes, at most for `timeout`.

    `channels` are those on which it counts, any unless they are named; `of` a component whose message it must answer.
    """

    own: ClassVar[bool] = True

    type: Literal["inbound_message"]
    channels: ReplyChannels = "any"
    of: ComponentId | None = None
    where: Condition | None = None
    next: ComponentId | None = None

    @property
    def awaited(self) -> Sequence[EventArm]:
        told: dict[str, Any] = {"name": ANSWERED, "of": self.of, "where": self.where, "next": self.next}
        return [EventArm(event=event, **told) for event in received_on(self.channels)]

    def links(self) -> list[Link]:
        return [to(ANSWERED, "next", self.next), to(TIMEOUT, "on_timeout", self.on_timeout)]

    def conditions(self) -> list[Asks]:
        return [] if self.where is None else [Asks("where", self.where, True)]
