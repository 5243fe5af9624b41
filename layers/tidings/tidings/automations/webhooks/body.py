"""What a webhook tells: a body whose texts are filled in as templates are, or who it is about and where they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from tidings.automations.components import Webhook
from tidings.automations.definition.model import Definition
from tidings.automations.definition.problems import Problem, in_component
from tidings.core.errors import InvalidInput

if TYPE_CHECKING:
    from liquid.template import BoundTemplate

MAX_BODY_BYTES = 256 * 1024
# What its texts may speak of.
ROOTS = frozenset({"contact", "event", "automation"})


def require_body(body: Any, field: str = "body") -> None:
    """Look for what the Liquid in a body's texts cannot know.

    Raises InvalidInput naming the place in `field`: `invalid_template`, `unknown_variable`, `unknown_filter`.
    """

    def check(text: str, place: str) -> str:
        _parsed(text, place)
        return text

    _mapped(body, field, check)


def wrong_bodies(definition: Definition) -> Iterator[Problem]:
    """The first mistake in the Liquid of each webhook's body."""
    for component_id, component in definition.components.items():
        if isinstance(component, Webhook):
            try:
                require_body(component.body)
            except InvalidInput as error:
                yield in_component(error.code, component_id, error.field or "body", error.message)


def filled(body: Any, data: Mapping[str, Any], now: datetime) -> bytes:
    """The JSON of a body for one person, as UTF-8. Names of keys stay as they are.

    Raises InvalidInput: as `require_body`, `template_failed`, and `webhook_body_too_large`.
    """
    filling = _filling(data, now)
    return encoded(_mapped(body, "body", lambda text, place: filling().fill(_parsed(text, place))))


def encoded(body: Any) -> bytes:
    """The JSON of a body. Raises InvalidInput (`webhook_body_too_large`)."""
    told = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
    if len(told) > MAX_BODY_BYTES:
        raise InvalidInput("webhook_body_too_large", f"The body is over {MAX_BODY_BYTES // 1024} KB.", "body")
    return told


def _mapped(value: Any, place: str, change: Callable[[str, str], str]) -> Any:
    """The value with each text that holds Liquid changed."""
    if isinstance(value, str):
        return change(value, place) if "{{" in value or "{%" in value else value
    if isinstance(value, Mapping):
        return {name: _mapped(inner, f"{place}.{name}", change) for name, inner in value.items()}
    if isinstance(value, list):
        return [_mapped(inner, f"{place}[{number}]", change) for number, inner in enumerate(value)]
    return value


def _filling(data: Mapping[str, Any], now: datetime) -> Callable[[], Any]:
    """One rendering for all texts, which together have its time; made when there is one, since few bodies need it."""

    @cache
    def make() -> Any:
        from tidings.messages.render import Filling

        return Filling(data, now)

    return make


@lru_cache(256)
def _parsed(text: str, place: str) -> BoundTemplate:
    from tidings.messages.render import TEXT, parse  # late: without Liquid in it, a body needs none

    return parse(TEXT, text, place, ROOTS)
