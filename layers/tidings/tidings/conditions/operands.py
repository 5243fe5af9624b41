"""What a rule may compare with: the operands of the language, each with its check and its JSON Schema."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeGuard

from pydantic import PlainValidator, WithJsonSchema

from tidings.conditions.durations import DURATION_PATTERN, parse_duration
from tidings.conditions.facts import ENGAGEMENTS
from tidings.conditions.values import is_number, parse_instant

MAX_LIST = 200
MAX_TEXT = 1000

ANSWER_PATTERN = r"^[a-z][a-z0-9_]{0,62}\.(status|body(\..+)?)$"

Scalar = str | int | float | bool


def _scalar(value: object) -> Scalar:
    if value is None:
        raise ValueError("null is nothing to compare with; use exists: false")
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise ValueError(f"must have at most {MAX_TEXT} characters")
    if isinstance(value, str | bool):
        return value
    if _is_finite(value):
        return value
    raise ValueError("must be text, a number, true or false")


def _scalars(value: object) -> list[Scalar]:
    if not isinstance(value, list) or not value:
        raise ValueError("must be a list with at least one value")
    if len(value) > MAX_LIST:
        raise ValueError(f"must have at most {MAX_LIST} values")
    return [_scalar(one) for one in value]


def _scalar_or_list(value: object) -> Scalar | list[Scalar]:
    if not isinstance(value, list):
        return _scalar(value)
    return _scalars(value) if value else []


def _number(value: object) -> int | float:
    if _is_finite(value):
        return value
    raise ValueError("must be a number")


def _is_finite(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and is_number(value) and abs(value) != float("inf")


def _text(value: object) -> str:
    if isinstance(value, str) and value and len(value) <= MAX_TEXT:
        return value
    raise ValueError(f"must be text of 1 to {MAX_TEXT} characters (put it in quotes)")


def _date(value: object) -> str:
    if isinstance(value, str) and parse_instant(value) is not None:
        return value
    raise ValueError("must be an ISO 8601 date, for example 2026-12-24 or 2026-12-24T09:00:00Z")


def _duration(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError('must be a length of time, for example "2 days"')
    parse_duration(value)
    return value


_ANSWER = re.compile(ANSWER_PATTERN.removesuffix("$"), re.DOTALL)


def _answer_path(value: object) -> str:
    text = _text(value)
    if not _ANSWER.fullmatch(text):
        raise ValueError("must be COMPONENT.status, COMPONENT.body or COMPONENT.body.NAME")
    return text


def _engagements(value: object) -> str | list[str]:
    if not isinstance(value, list):
        return _engagement(value)
    kinds = [_engagement(kind) for kind in value or [None]]
    if len(set(kinds)) < len(kinds):
        raise ValueError("names one kind twice")
    return kinds


def _engagement(value: object) -> str:
    if isinstance(value, str) and value in ENGAGEMENTS:
        return value
    raise ValueError(f"must be one or several of {', '.join(ENGAGEMENTS)}")


_SCALAR_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_LIST_SCHEMA: dict[str, Any] = {"type": "array", "items": _SCALAR_SCHEMA, "maxItems": MAX_LIST}
_TEXT_SCHEMA: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
DATE_SCHEMA: dict[str, Any] = {
    "type": "string",
    "pattern": r"^[0-9]{4}-?[0-9W]",
    "description": "ISO 8601; no zone means UTC",
}
DURATION_SCHEMA: dict[str, Any] = {
    "type": "string",
    "pattern": DURATION_PATTERN,
    "examples": ["2 days", "1 hour 30 minutes"],
}
_ANSWER_SCHEMA: dict[str, Any] = {**_TEXT_SCHEMA, "pattern": ANSWER_PATTERN, "examples": ["lookup.body.plan"]}
_KIND_SCHEMA: dict[str, Any] = {"enum": list(ENGAGEMENTS)}
_KINDS_SCHEMA: dict[str, Any] = {
    "anyOf": [_KIND_SCHEMA, {"type": "array", "items": _KIND_SCHEMA, "minItems": 1, "uniqueItems": True}]
}

ScalarOperand = Annotated[Scalar, PlainValidator(_scalar), WithJsonSchema(_SCALAR_SCHEMA)]
ListOperand = Annotated[list[Scalar], PlainValidator(_scalars), WithJsonSchema({**_LIST_SCHEMA, "minItems": 1})]
WholeOperand = Annotated[
    Scalar | list[Scalar], PlainValidator(_scalar_or_list), WithJsonSchema({"anyOf": [_SCALAR_SCHEMA, _LIST_SCHEMA]})
]
NumberOperand = Annotated[int | float, PlainValidator(_number), WithJsonSchema({"type": "number"})]
Text = Annotated[str, PlainValidator(_text), WithJsonSchema(_TEXT_SCHEMA)]
DateText = Annotated[str, PlainValidator(_date), WithJsonSchema(DATE_SCHEMA)]
DurationText = Annotated[str, PlainValidator(_duration), WithJsonSchema(DURATION_SCHEMA)]
AnswerPath = Annotated[str, PlainValidator(_answer_path), WithJsonSchema(_ANSWER_SCHEMA)]
EngagementKinds = Annotated[str | list[str], PlainValidator(_engagements), WithJsonSchema(_KINDS_SCHEMA)]
