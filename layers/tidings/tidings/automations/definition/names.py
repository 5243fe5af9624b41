"""How names, arms and lengths of time are written in an automation, and which names are taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, PlainValidator, Tag, WithJsonSchema

from tidings.conditions.durations import OFFSET_PATTERN, parse_offset
from tidings.conditions.places import TAG

NAME_PATTERN = "^[a-z][a-z0-9-]{0,62}$"
COMPONENT_PATTERN = "^[a-z][a-z0-9_]{0,62}$"
TIME_PATTERN = "^([01][0-9]|2[0-3]):[0-5][0-9]$"

# Outcomes that are nobody's arm.
OTHERWISE = "otherwise"
TIMEOUT = "timeout"
HOLDOUT = "holdout"


def spelled(pattern: str, message: str) -> Callable[[str], str]:
    """A validator of texts; raises ValueError with the message."""
    allowed = re.compile(pattern.removesuffix("$"))

    def check(name: str) -> str:
        if not allowed.fullmatch(name):
            raise ValueError(message)
        return name

    return check


_NAME_RULE = "must be 1 to 63 lower-case letters, digits and hyphens, and begin with a letter"
_COMPONENT_RULE = "must be 1 to 63 lower-case letters, digits and underscores, and begin with a letter"
_TIME_RULE = 'must be a time of day from "00:00" to "23:59", in quotes'

Name = Annotated[
    str, AfterValidator(spelled(NAME_PATTERN, _NAME_RULE)), Field(json_schema_extra={"pattern": NAME_PATTERN})
]
ComponentId = Annotated[
    str,
    AfterValidator(spelled(COMPONENT_PATTERN, _COMPONENT_RULE)),
    Field(json_schema_extra={"pattern": COMPONENT_PATTERN}),
]


def _time_of_day(value: object) -> str:
    if not isinstance(value, str):  # YAML reads 09:30 without quotes as a number
        raise ValueError(_TIME_RULE)
    return spelled(TIME_PATTERN, _TIME_RULE)(value)


TimeOfDay = Annotated[
    str,
    PlainValidator(_time_of_day),
    WithJsonSchema({"type": "string", "pattern": TIME_PATTERN, "examples": ["09:00"]}),
]


def time_of(text: str | None) -> time | None:
    """The time of day that a TimeOfDay says."""
    return None if text is None else time.fromisoformat(text)


# Where the file may say one thing or a list of them: which of both it says, so that a mistake is told as that.
ONE, SEVERAL = Tag(TAG + "one"), Tag(TAG + "several")
ONE_OR_SEVERAL = Discriminator(lambda value: TAG + ("several" if isinstance(value, list | tuple) else "one"))


def each_of(written: str | Sequence[str] | None) -> tuple[str, ...]:
    """The things that the file says where it may say one or a list of them; none for nothing."""
    if written is None:
        return ()
    return (written,) if isinstance(written, str) else tuple(written)


def _any_or_several(value: object) -> str | None:
    if isinstance(value, list | tuple):
        return TAG + "several"
    return TAG + "one" if value == "any" else None


ReplyChannel = Literal["email", "sms"]
ReplyChannels = Annotated[
    Annotated[Literal["any"], ONE]
    | Annotated[Annotated[list[ReplyChannel], Field(min_length=1, max_length=2)], SEVERAL],
    Discriminator(
        _any_or_several,
        custom_error_type="unknown_channels",
        custom_error_message="must be any, or a list of email and sms such as [sms]",
    ),
]


def _percent(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100:
        raise ValueError("must be a number above 0 and at most 100")
    return value


Percent = Annotated[
    int | float,
    PlainValidator(_percent),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 100}),
]


def _arm_name(taken: str) -> Callable[[str], str]:
    def check(name: str) -> str:
        if name == taken:
            raise ValueError(f'"{taken}" is the name of the way without an arm; choose another')
        if not name.isprintable():
            raise ValueError("must be one line of printable characters")
        return name

    return check


Label = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_arm_name(""))]
ArmName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_arm_name(OTHERWISE))]
EventArmName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_arm_name(TIMEOUT))]
SplitArmName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_arm_name(HOLDOUT))]


def _offset(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError('must be a length of time, for example "-2 days"')
    parse_offset(value)
    return value


OffsetText = Annotated[
    str,
    PlainValidator(_offset),
    WithJsonSchema({"type": "string", "pattern": OFFSET_PATTERN, "examples": ["-2 days", "1 hour"]}),
]
