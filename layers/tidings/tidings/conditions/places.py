"""Where in a document a mistake stands, and in plain English what it is.

Pydantic finds the mistakes; this turns its locations into places a writer knows (`components.active.arms[0].when.is`)
and its messages into short sentences. Never shows the value that was found, which may be personal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

# Tags of discriminated unions begin so; pydantic puts them into locations, where no writer has seen them.
TAG = "tag:"

_SENTENCES = {
    "extra_forbidden": "unknown key",
    "missing": "is missing",
    "string_type": "must be text (put it in quotes)",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "invalid_key": "a key must be text",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "too_short": "must not be empty",
    "too_long": "must have at most {max_length} items",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "value_error": "{error}",
}


class Mistake(NamedTuple):
    """One mistake: where it stands, what it is in English, and pydantic's name for its kind."""

    path: tuple[str | int, ...]
    message: str
    kind: str

    @property
    def place(self) -> str:
        """The path as a writer reads it: `components.active.arms[0].when`."""
        return place_of(self.path)


def mistakes(error: ValidationError) -> list[Mistake]:
    """All mistakes in `error`, in the order of the document's models."""
    return [
        Mistake(_path(found["loc"]), _sentence(found), found["type"])
        for found in error.errors(include_url=False, include_input=False)
    ]


def place_of(path: Iterable[str | int]) -> str:
    """`("arms", 0, "when")` as `arms[0].when`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def tag_by_key(value: object, models: Mapping[str, type]) -> str | None:
    """Which of some models is meant, each told by a key of its own: the tag of that key. None if it is none of them."""
    for key, model in models.items():
        if isinstance(value, model) or (isinstance(value, Mapping) and key in value):
            return TAG + key
    return None


def _path(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return tuple(step for step in location if step != "[key]" and not (isinstance(step, str) and step.startswith(TAG)))


def _sentence(found: ErrorDetails) -> str:
    context: dict[str, Any] = found.get("ctx", {})
    if context.get("expected") == "True":  # as it is written in a file
        return "must be true"
    template = _SENTENCES.get(found["type"])
    return template.format(**context) if template else found["msg"]
