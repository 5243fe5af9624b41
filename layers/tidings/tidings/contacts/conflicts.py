"""Forms whose e-mail belongs to one contact and whose phone to another: kept until somebody has looked at them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from tidings.core import cursors
from tidings.core.errors import NotFound
from tidings.core.keys import keyed_hash


@dataclass(frozen=True, slots=True)
class MatchConflict:
    """A form that two contacts matched (product rule 1.6, last row).

    `contact` was updated; `other` has the form's other address, of the kind `address`, and was left alone. The
    addresses themselves stand in `event`, the node of the form's first submission, and nowhere here.
    """

    workspace: str
    id: str
    contact: str
    other: str
    address: str
    form: str
    event: str
    at: datetime

    def as_dict(self) -> dict[str, Any]:
        """The conflict as the API shows it."""
        return {
            "conflict": self.id,
            "contact": self.contact,
            "other": self.other,
            "address": self.address,
            "form": self.form,
            "event": self.event,
            "at": self.at,
        }


def conflict_id(secret: str, contact: str, other: str, email: str, phone: str) -> str:
    """The id of a conflict: the same for the same two contacts and addresses, whichever form it was.

    Keyed with the workspace's secret, so that what is left of a conflict never tells an address that was erased.
    """
    return keyed_hash(secret, "conflict", contact, other, email, phone)


class ConflictStore(Protocol):
    """Where conflicts are kept."""

    def page(self, workspace: str, after: str, most: int) -> list[MatchConflict]: ...
    def remove(self, workspace: str, conflict: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class ConflictPage:
    """Some conflicts, and the cursor of the next page; empty at the end."""

    conflicts: list[MatchConflict]
    cursor: str


class ConflictDesk:
    """Conflicts as somebody works through them."""

    def __init__(self, store: ConflictStore) -> None:
        self._store = store

    def page(self, workspace: str, most: int, cursor: str = "") -> ConflictPage:
        """Up to `most` conflicts, in an order that stays: one query. Raises InvalidInput for a bad cursor."""
        scope = ("conflicts", workspace)
        place = cursors.read(scope, cursor, str)
        found = self._store.page(workspace, place[0] if place else "", most + 1)
        page = found[:most]
        return ConflictPage(page, cursors.write(scope, [page[-1].id]) if len(found) > most else "")

    def resolve(self, workspace: str, conflict: str) -> None:
        """Take a conflict off the list; it comes back if such a form comes again. Raises NotFound."""
        if not self._store.remove(workspace, conflict):
            raise NotFound("unknown_conflict", "There is no such conflict.", "conflict")
