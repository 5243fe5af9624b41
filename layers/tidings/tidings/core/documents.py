"""JSON that comes from outside: read strictly, so that everything behind can store it, compare it and show it again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from tidings.core.errors import InvalidInput

DEPTH = 100


def parse_value(data: bytes) -> Any:
    """What JSON says. Raises InvalidInput: `invalid_json`, also for numbers that no JSON can hold."""
    try:
        return json.loads(data, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("invalid_json", "The body is not valid JSON.") from error


def parse_object(data: bytes) -> dict[str, Any]:
    """A JSON object. Raises InvalidInput: `invalid_json`, or `invalid_type` for another JSON value."""
    value = parse_value(data)
    if not isinstance(value, dict):
        raise InvalidInput("invalid_type", "The body must be a JSON object.")
    return value


def require_plain(value: Mapping[str, Any]) -> int:
    """The size of a JSON object in bytes of compact JSON.

    Raises InvalidInput: `nested_too_deep` beyond 100 levels, where encoders and templates give up at depths of their
    own; `invalid_text` for half of a surrogate pair, which no table and no mail can hold.
    """
    ahead: list[Any] = [value]
    for _ in range(DEPTH):
        ahead = [inner for outer in ahead for inner in _inside(outer) if isinstance(inner, dict | list)]
        if not ahead:
            break
    else:
        raise InvalidInput("nested_too_deep", f"JSON is nested at most {DEPTH} levels deep.")
    try:
        return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    except UnicodeEncodeError as error:
        raise InvalidInput("invalid_text", "The text holds half of a surrogate pair, which is no text.") from error


def storable(text: str) -> str:
    """A text of others as tables can hold it: half of a surrogate pair becomes the sign for what cannot be read."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _inside(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    # Python reads 1e999 as infinity, which JSON has no way to say again.
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number
