"""Deleting contacts: they and all that is known of them go, and whoever comes back is somebody new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.core.errors import InvalidInput, NotFound
from tidings.core.http import PATH_BYTES
from tidings.privacy.erasure import PrivacyService

AT_ONCE = 100


class Removal:
    """Deletes contacts by their ids."""

    def __init__(self, privacy: PrivacyService) -> None:
        self._privacy = privacy

    def of_one(self, workspace: str, contact: str) -> dict[str, Any]:
        """Delete a contact. A repeat changes nothing. Raises NotFound."""
        tombstone = self._privacy.remove(workspace, contact, keep_out=False)
        return {"contact": tombstone.contact, "deleted": True}

    def of_many(self, workspace: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Delete contacts that were selected: what became of each, in their order. Raises InvalidInput.

        Where the database is busy in the midst of it, all of it can be repeated.
        """
        return [self._tried(workspace, contact) for contact in _selected(body)]

    def _tried(self, workspace: str, contact: str) -> dict[str, Any]:
        try:
            if len(contact.encode()) > PATH_BYTES:
                raise NotFound("unknown_contact", "There is no such contact.", "contact")
            return {**self.of_one(workspace, contact), "contact": contact}
        except NotFound as error:
            return {"contact": contact, "deleted": False, "code": error.code, "message": error.message}


def _selected(body: Mapping[str, Any]) -> list[str]:
    given = body.get("contacts")
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise InvalidInput("invalid_type", "contacts is a list of ids.", "contacts")
    selected = list(dict.fromkeys(given))
    if not 1 <= len(selected) <= AT_ONCE:
        raise InvalidInput("invalid_selection", f"From 1 to {AT_ONCE} contacts are deleted at once.", "contacts")
    return selected
