"""Where the next page of a listing begins, as text that only the same listing takes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tidings.core.errors import InvalidInput
from tidings.core.ids import digest

T = TypeVar("T")
Place = list[Any]


def write(scope: Sequence[str], place: Sequence[Any]) -> str:
    """The cursor of a place, bound to a scope: the workspace and everything that was asked."""
    text = json.dumps([_mark(scope), *place], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def read(scope: Sequence[str], cursor: str, *kinds: type) -> Place | None:
    """The place that a cursor names, of values of these types; None for no cursor.

    Raises InvalidInput for one that was made elsewhere, for another question or in another workspace.
    """
    if not cursor:
        return None
    try:
        mark, *place = json.loads(base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise _invalid() from error
    if mark != _mark(scope) or [type(value) for value in place] != list(kinds):
        raise _invalid()
    return list(place)


def latest_first(
    found: Sequence[T], order: Callable[[T], tuple[str, str]], limit: int, scope: Sequence[str], cursor: str
) -> tuple[list[T], str]:
    """A page of what was read whole, and the cursor of the next one, empty at the end.

    `order` is when something was and its id. Raises InvalidInput for a bad cursor.
    """
    place = read(scope, cursor, str, str)
    rest = [one for one in found if place is None or order(one) < (place[0], place[1])]
    page = sorted(rest, key=order, reverse=True)[:limit]
    return page, write(scope, order(page[-1])) if len(rest) > limit else ""


def _mark(scope: Sequence[str]) -> str:
    return digest("cursor", *scope, length=12)


def _invalid() -> InvalidInput:
    return InvalidInput("invalid_cursor", "This cursor was made for no such question.", "cursor")
