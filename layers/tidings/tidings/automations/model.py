"""What an automation is: a trigger and a graph of named components, as its writer wrote it.

    automation: welcome
    trigger: {event: Signed Up, where: {property: plan, is: team}}
    reentry: every_time
    start: pause
    components:
      pause: {type: wait, for: 2 days, next: tips}
      tips: {type: send_email, template: welcome-tips}

A model has the same form as what was written. A component without `next` ends the person's way, as does an `end`
component. Whether the graph makes sense is decided in `rules`; here stands only what each component may say.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from tidings.automations.source import read
from tidings.conditions.durations import OFFSET_PATTERN, parse_duration, parse_offset
from tidings.conditions.model import Condition, Model
from tidings.conditions.operands import DateText, DurationText, Text
from tidings.conditions.places import TAG, Mistake, mistakes
from tidings.core.errors import InvalidInput

NAME_PATTERN = "^[a-z][a-z0-9-]{0,62}$"
COMPONENT_PATTERN = "^[a-z][a-z0-9_]{0,62}$"
OTHERWISE = "otherwise"
TIMEOUT = "timeout"


def _named(pattern: str, message: str) -> Callable[[str], str]:
    spelled = re.compile(pattern.removesuffix("$"))

    def check(name: str) -> str:
        if not spelled.fullmatch(name):
            raise ValueError(message)
        return name

    return check


_NAME_RULE = "must be 1 to 63 lower-case letters, digits and hyphens, and begin with a letter"
_COMPONENT_RULE = "must be 1 to 63 lower-case letters, digits and underscores, and begin with a letter"

Name = Annotated[
    str, AfterValidator(_named(NAME_PATTERN, _NAME_RULE)), Field(json_schema_extra={"pattern": NAME_PATTERN})
]
ComponentId = Annotated[
    str,
    AfterValidator(_named(COMPONENT_PATTERN, _COMPONENT_RULE)),
    Field(json_schema_extra={"pattern": COMPONENT_PATTERN}),
]


def _arm_name(taken: str) -> Callable[[str], str]:
    def check(name: str) -> str:
        if name == taken:
            raise ValueError(f'"{taken}" is the name of the way without an arm; choose another')
        if not name.isprintable():
            raise ValueError("must be one line of printable characters")
        return name

    return check


def _offset(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError('must be a length of time, for example "-2 days"')
    parse_offset(value)
    return value


ArmName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_arm_name(OTHERWISE))]
EventArmName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_arm_name(TIMEOUT))]
OffsetText = Annotated[
    str,
    PlainValidator(_offset),
    WithJsonSchema({"type": "string", "pattern": OFFSET_PATTERN, "examples": ["-2 days", "1 hour"]}),
]


class Trigger(Model):
    """The event that enrols a contact, if `where` holds for the event's properties and the contact's traits.

    With `merged`, so do events that come to a contact through a merge.
    """

    event: Text
    where: Condition | None = None
    merged: bool = False


class _UntilValue(Model):
    offset: OffsetText | None = None

    @property
    def offset_length(self) -> timedelta:
        """How much later than the date the wait ends; negative is earlier."""
        return parse_offset(self.offset) if self.offset else timedelta()


class UntilTrait(_UntilValue):
    """The date in a trait of the contact."""

    trait: Text


class UntilProperty(_UntilValue):
    """The date in a property of the event that enrolled the contact."""

    property: Text


def _until_kind(value: object) -> str | None:
    if isinstance(value, str):
        return TAG + "date"
    if isinstance(value, UntilTrait) or (isinstance(value, Mapping) and "trait" in value):
        return TAG + "trait"
    if isinstance(value, UntilProperty) or (isinstance(value, Mapping) and "property" in value):
        return TAG + "property"
    return None


Until = Annotated[
    Annotated[DateText, Tag(TAG + "date")]
    | Annotated[UntilTrait, Tag(TAG + "trait")]
    | Annotated[UntilProperty, Tag(TAG + "property")],
    Discriminator(
        _until_kind,
        custom_error_type="unknown_until",
        custom_error_message="must be a date in quotes, {trait: NAME, offset: ...} or {property: NAME, offset: ...}",
    ),
]


class Component(Model):
    """Base of all components. `acts` tells whether a Task carries it out."""

    acts: ClassVar[bool] = True


class Wait(Component):
    """Waits for a length of time, or until a date; a date that is missing or past does not wait."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["for"]}, {"required": ["until"]}]})
    acts: ClassVar[bool] = False

    type: Literal["wait"]
    for_: DurationText | None = Field(default=None, alias="for")
    until: Until | None = None
    next: ComponentId | None = None

    @cached_property
    def length(self) -> timedelta | None:
        """`for` as a length of time."""
        return parse_duration(self.for_) if self.for_ else None

    @model_validator(mode="after")
    def _has_one_end(self) -> Wait:
        if (self.for_ is None) == (self.until is None):
            raise ValueError("needs either `for` or `until`")
        return self


class Arm(Model):
    """One way out of a branch; `name` is what reports show."""

    name: ArmName
    when: Condition
    next: ComponentId | None = None


class Branch(Component):
    """Sends the person along the first arm whose condition holds, else along `otherwise`."""

    type: Literal["branch"]
    arms: Annotated[list[Arm], Field(min_length=1, max_length=50)]
    otherwise: ComponentId | None = None


class EventArm(Model):
    """One event that ends the waiting, if `where` holds for its properties and the contact's traits."""

    name: EventArmName
    event: Text
    where: Condition | None = None
    next: ComponentId | None = None


class WaitFor(Component):
    """Waits until one of some events comes, at most for `timeout`, and then goes along its arm, or `on_timeout`.

    What comes from the moment on at which the component before it acted counts, the message that it sent included.
    """

    type: Literal["wait_for"]
    arms: Annotated[list[EventArm], Field(min_length=1, max_length=50)]
    timeout: DurationText
    on_timeout: ComponentId | None = None

    @property  # nothing is kept in the model: a dump would then be made of what it looks like, and `true` become 1
    def length(self) -> timedelta:
        """`timeout` as a length of time."""
        return parse_duration(self.timeout)

    @property
    def events(self) -> set[str]:
        """Names of the events that it waits for."""
        return {arm.event for arm in self.arms}


class Sends(Component):
    """What all components that send have: what is sent, as what, and what comes after it."""

    type: str
    template: Name
    kind: Literal["marketing", "transactional"] | None = None
    topic: Name | None = None
    next: ComponentId | None = None
    on_skipped: ComponentId | None = None
    on_unknown: Literal["hold", "resend"] = "hold"


class SendEmail(Sends):
    """Sends an e-mail. `on_skipped` leads on when it may not be sent (default: `next`).

    `kind` is what the template says unless it is named here, and marketing where neither does; so is `topic`.

    `on_unknown` says what happens when neither the provider's answer nor its events ever come: `hold` leaves the
    message as unknown, `resend` takes the risk of a second copy.
    """

    type: Literal["send_email"]


class SendSms(Sends):
    """Sends a text message, as `send_email` does a mail.

    `sender` is a sender ID or a number, if not what is planned for the country; `two_way` asks for one that receives
    answers. `gsm7` replaces typographic characters, as else the template says. `max_price` is what a part may cost at
    most, in USD such as "0.05"; `lifetime` how long the carrier may try, in seconds, at most 3 days.
    """

    type: Literal["send_sms"]
    sender: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    two_way: bool = False
    gsm7: bool | None = None
    max_price: Annotated[str, Field(pattern=r"^[0-9]{1,2}\.[0-9]{1,5}$")] | None = None
    lifetime: Annotated[int, Field(ge=5, le=259_200)] | None = None


class CheckSuppression(Component):
    """Asks whether a message may go to the contact on a channel, without sending anything.

    Without `kind` it asks for the suppression list and the rules that hold for every message; with it for consents too.
    """

    type: Literal["check_suppression"]
    channel: Literal["email", "sms"]
    kind: Literal["marketing", "transactional"] | None = None
    topic: Name | None = None
    clear: ComponentId | None = None
    suppressed: ComponentId | None = None


class End(Component):
    """Ends the person's way."""

    acts: ClassVar[bool] = False
    type: Literal["end"]


COMPONENT_TYPES: dict[str, type[Component]] = {
    "wait": Wait,
    "wait_for": WaitFor,
    "branch": Branch,
    "send_email": SendEmail,
    "send_sms": SendSms,
    "check_suppression": CheckSuppression,
    "end": End,
}


def _type_of(value: object) -> str | None:
    kind = value.get("type") if isinstance(value, Mapping) else getattr(value, "type", None)
    return TAG + kind if isinstance(kind, str) and kind in COMPONENT_TYPES else None


AnyComponent = Annotated[
    Annotated[Wait, Tag(TAG + "wait")]
    | Annotated[WaitFor, Tag(TAG + "wait_for")]
    | Annotated[Branch, Tag(TAG + "branch")]
    | Annotated[SendEmail, Tag(TAG + "send_email")]
    | Annotated[SendSms, Tag(TAG + "send_sms")]
    | Annotated[CheckSuppression, Tag(TAG + "check_suppression")]
    | Annotated[End, Tag(TAG + "end")],
    Discriminator(
        _type_of,
        custom_error_type="unknown_component_type",
        custom_error_message=f"needs a type: one of {', '.join(COMPONENT_TYPES)}",
    ),
]


class Definition(Model):
    """A whole automation."""

    automation: Name
    description: Annotated[str, Field(max_length=2000)] = ""
    trigger: Trigger
    reentry: Literal["every_time", "once"] = "every_time"
    start: ComponentId
    components: Annotated[dict[ComponentId, AnyComponent], Field(min_length=1)]

    @property
    def awaits(self) -> frozenset[str]:
        """Names of the events that somebody inside may wait for."""
        waits = (one for one in self.components.values() if isinstance(one, WaitFor))
        return frozenset(name for wait in waits for name in wait.events)

    def as_dict(self) -> dict[str, Any]:
        """The definition as plain data, as it was written; keys without a value are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


def parse_definition(written: str | Mapping[str, Any]) -> Definition:
    """The definition that a text (YAML or JSON) or plain data says.

    Raises InvalidInput for the first mistake: `invalid_definition`, `unknown_component_type` or a code of
    `source.read`, with the place in `field`. `rules.check` finds all mistakes at once.
    """
    data = read(written) if isinstance(written, str) else dict(written)
    try:
        return Definition.model_validate(data)
    except ValidationError as error:
        first = mistakes(error)[0]
        raise InvalidInput(code_of(first), f"{first.place}: {first.message}", first.place) from None


def code_of(mistake: Mistake) -> str:
    """The code of a mistake in the form of a definition."""
    return mistake.kind if mistake.kind == "unknown_component_type" else "invalid_definition"


def definition_hash(definition: Definition) -> str:
    """SHA-256 in hex of what the definition says, whatever the order of its keys and the form of its file."""
    text = json.dumps(definition.as_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
