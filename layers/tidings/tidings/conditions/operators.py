"""What each operator of the language means. The table of these meanings is the table of its test.

Missing value (absent or null): `exists: false`, `is_not` and `not_in` hold, nothing else does.
Text compares to the letter, numbers only with numbers, and neither true nor "5" is a number.
`before` and `after` read ISO 8601; what is not a date is neither before nor after anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from tidings.conditions.values import is_number, parse_instant, same


class Reason(StrEnum):
    """Why a comparison came out as it did, beyond the comparison itself."""

    COMPARED = ""
    MISSING = "has no value"
    NOT_A_NUMBER = "is not a number"
    NOT_TEXT = "is not text"
    NOT_TEXT_OR_LIST = "is neither text nor a list"
    TEXT_HOLDS_TEXT = "is text, which can only contain text"
    NOT_A_DATE = "is not a date"
    OTHER_KIND = "is another kind of value"


class Judgement(NamedTuple):
    """Whether a comparison holds, and the reason where the kind of the value decided it."""

    holds: bool
    reason: Reason = Reason.COMPARED


def judge(operator: str, wanted: Any, found: Any) -> Judgement:
    """Whether `found operator wanted` holds; `found` is None where there is no value."""
    if operator == "exists":
        return Judgement((found is not None) == wanted)
    if found is None:
        return Judgement(operator in {"is_not", "not_in"}, Reason.MISSING)
    return _MEANINGS[operator](wanted, found)


def _is(wanted: Any, found: Any) -> Judgement:
    if same(wanted, found):
        return Judgement(True)
    return Judgement(False, Reason.COMPARED if _kind(wanted) == _kind(found) else Reason.OTHER_KIND)


def _in(wanted: Any, found: Any) -> Judgement:
    return Judgement(any(same(one, found) for one in wanted))


def _not(meaning: Callable[[Any, Any], Judgement]) -> Callable[[Any, Any], Judgement]:
    def opposite(wanted: Any, found: Any) -> Judgement:
        judgement = meaning(wanted, found)
        return Judgement(not judgement.holds, judgement.reason)

    return opposite


def _contains(wanted: Any, found: Any) -> Judgement:
    if isinstance(found, list | tuple):
        return Judgement(any(same(wanted, one) for one in found))
    if not isinstance(found, str):
        return Judgement(False, Reason.NOT_TEXT_OR_LIST)
    if not isinstance(wanted, str):
        return Judgement(False, Reason.TEXT_HOLDS_TEXT)
    return Judgement(wanted in found)


def _text(compare: Callable[[str, str], bool]) -> Callable[[Any, Any], Judgement]:
    def meaning(wanted: Any, found: Any) -> Judgement:
        return Judgement(compare(found, wanted)) if isinstance(found, str) else Judgement(False, Reason.NOT_TEXT)

    return meaning


def _number(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Judgement]:
    def meaning(wanted: Any, found: Any) -> Judgement:
        return Judgement(compare(found, wanted)) if is_number(found) else Judgement(False, Reason.NOT_A_NUMBER)

    return meaning


def _date(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Judgement]:
    def meaning(wanted: Any, found: Any) -> Judgement:
        instant = parse_instant(found)
        if instant is None:
            return Judgement(False, Reason.NOT_A_DATE)
        return Judgement(compare(instant, parse_instant(wanted)))

    return meaning


def _kind(value: Any) -> str:
    if is_number(value):
        return "number"
    kinds = {"bool": bool, "str": str, "list": list | tuple, "object": Mapping}
    return next((name for name, types in kinds.items() if isinstance(value, types)), "")


_MEANINGS: dict[str, Callable[[Any, Any], Judgement]] = {
    "is": _is,
    "is_not": _not(_is),
    "in": _in,
    "not_in": _not(_in),
    "contains": _contains,
    "starts_with": _text(str.startswith),
    "ends_with": _text(str.endswith),
    "greater_than": _number(lambda found, wanted: found > wanted),
    "at_least": _number(lambda found, wanted: found >= wanted),
    "less_than": _number(lambda found, wanted: found < wanted),
    "at_most": _number(lambda found, wanted: found <= wanted),
    "before": _date(lambda found, wanted: found < wanted),
    "after": _date(lambda found, wanted: found > wanted),
}
