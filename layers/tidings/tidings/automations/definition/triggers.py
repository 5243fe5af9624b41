"""What enrols people, how often, what lets them out again, and what counts as success.

Every trigger is an event: an app's, a message that came in, or one of Tidings' own by which a call, another automation
or a date asks for somebody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from tidings.activity.own_events import DATE_REACHED, REQUESTED
from tidings.automations.components.waits import OneEvent, received_on
from tidings.automations.definition.names import Label, OffsetText, ReplyChannels, TimeOfDay, time_of
from tidings.conditions.durations import parse_duration, parse_offset
from tidings.conditions.model import Condition, Model, since_enrolment
from tidings.conditions.operands import DurationText, Text
from tidings.conditions.places import TAG, tag_by_key
from tidings.conditions.values import lookup, same


class Trigger(Model):
    """Base of triggers. `where` is asked of the event's properties and the contact's traits."""

    # Whether only events count that Tidings itself put on the timeline, and only those that name this automation.
    own: ClassVar[bool] = False
    addressed: ClassVar[bool] = False

    where: Condition | None = None

    @property
    def events(self) -> tuple[str, ...]:
        """Names of the events that may enrol somebody."""
        raise NotImplementedError

    @property
    def takes_merged(self) -> bool:
        """Whether events that come to a contact through a merge count too."""
        return False


class EventTrigger(Trigger):
    """An event of an app, or one of Tidings' own. With `merged`, so do events that come through a merge."""

    event: Text
    merged: bool = False

    @property
    def events(self) -> tuple[str, ...]:
        return (self.event,)

    @property
    def takes_merged(self) -> bool:
        return self.merged


class InboundTrigger(Trigger):
    """A message that the person wrote, on any channel or on those that are named."""

    own: ClassVar[bool] = True

    inbound: ReplyChannels

    @property
    def events(self) -> tuple[str, ...]:
        return received_on(self.inbound)


class ApiTrigger(Trigger):
    """A call of the API, or the component `start_automation` of another automation."""

    own: ClassVar[bool] = True
    addressed: ClassVar[bool] = True

    api: Literal[True]

    @property
    def events(self) -> tuple[str, ...]:
        return (REQUESTED,)


class TraitDate(Model):
    """The date in a trait: `every: year` on each anniversary, `once` on the date itself.

    It is `at` that time of day (midnight, if not said) in the contact's time zone, moved by `offset`.
    """

    trait: Text
    every: Literal["year", "once"] = "once"
    at: TimeOfDay = "00:00"
    offset: OffsetText | None = None

    @property
    def time(self) -> time:
        """`at` as a time of day."""
        return time_of(self.at) or time()

    @property
    def offset_length(self) -> timedelta:
        """How much later than the date; negative is earlier."""
        return parse_offset(self.offset) if self.offset else timedelta()


class DateTrigger(Trigger):
    """A date that a trait of the contact holds."""

    own: ClassVar[bool] = True
    addressed: ClassVar[bool] = True

    date: TraitDate

    @property
    def events(self) -> tuple[str, ...]:
        return (DATE_REACHED,)


_TRIGGERS: Mapping[str, type[Trigger]] = {
    "event": EventTrigger,
    "inbound": InboundTrigger,
    "api": ApiTrigger,
    "date": DateTrigger,
}


def _trigger_kind(value: object) -> str | None:
    return tag_by_key(value, _TRIGGERS)


AnyTrigger = Annotated[
    Annotated[EventTrigger, Tag(TAG + "event")]
    | Annotated[InboundTrigger, Tag(TAG + "inbound")]
    | Annotated[ApiTrigger, Tag(TAG + "api")]
    | Annotated[DateTrigger, Tag(TAG + "date")],
    Discriminator(
        _trigger_kind,
        custom_error_type="unknown_trigger",
        custom_error_message=f"needs one of the keys {', '.join(_TRIGGERS)}",
    ),
]


# --- how often ------------------------------------------------------------------------------------------------------


class Reentry(Model):
    """How often one contact may enter.

    `per` names a property of the event: entries count for each of its values by themselves, and each value enters once
    unless `at_most` or `interval` says more. `parallel` is how many of the contact's ways may be under way at once,
    whatever their value; `interval` how long it takes from one entry to the next.
    """

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    per: Text | None = None
    parallel: Annotated[int, Field(ge=1, le=100)] | None = None
    at_most: Annotated[int, Field(ge=1, le=100_000)] | None = None
    interval: DurationText | None = None

    @property
    def cap(self) -> int | None:
        """How many entries there may be in all, for each value of `per` if there is one; None for any number."""
        once_each = self.per is not None and self.interval is None
        return 1 if self.at_most is None and once_each else self.at_most

    @property
    def interval_length(self) -> timedelta | None:
        """`interval` as a length of time."""
        return None if self.interval is None else parse_duration(self.interval)

    @model_validator(mode="after")
    def _says_something(self) -> Reentry:
        if not self.model_fields_set:
            raise ValueError("needs at least one of per, parallel, at_most, interval")
        return self


def _reentry_kind(value: object) -> str:
    return TAG + ("rules" if isinstance(value, Mapping | Reentry) else "word")


AnyReentry = Annotated[
    Annotated[Literal["every_time", "once"], Tag(TAG + "word")] | Annotated[Reentry, Tag(TAG + "rules")],
    Discriminator(_reentry_kind),
]


# --- out again ------------------------------------------------------------------------------------------------------


class EventExit(OneEvent):
    """An event that ends somebody's way, if `where` holds and it is the same as the enrolling event in `match`."""

    name: Label


class StateExit(Model):
    """A condition that ends somebody's way as soon as it holds."""

    name: Label
    when: Condition

    @cached_property
    def asked(self) -> Condition:
        """`when` as it is asked: what came before they entered lets nobody out, unless it says a period itself."""
        return since_enrolment(self.when)


def _exit_kind(value: object) -> str | None:
    return tag_by_key(value, {"event": EventExit, "when": StateExit})


AnyExit = Annotated[
    Annotated[EventExit, Tag(TAG + "event")] | Annotated[StateExit, Tag(TAG + "when")],
    Discriminator(
        _exit_kind,
        custom_error_type="unknown_exit",
        custom_error_message="needs an `event`, or a condition `when`",
    ),
]


class Goal(OneEvent):
    """The event that counts as success, if it comes `within` that time of the enrolment."""

    within: DurationText | None = None

    @property
    def within_length(self) -> timedelta | None:
        """`within` as a length of time."""
        return None if self.within is None else parse_duration(self.within)


def is_same(names: tuple[str, ...], properties: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
    """Whether two events are the same in these properties; what neither has is not the same."""
    for name in names:
        value, other = lookup(properties, name), lookup(others, name)
        if value is None or other is None or not same(value, other):
            return False
    return True
