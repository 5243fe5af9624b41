"""Erasing a person for good.

First, in one stroke, the person is no more: a tombstone stands in the contact's place, nothing leads to it, and their
addresses are suppressed under a keyed hash. What they did and got is cleared after that, some at a time, by messages of
a queue. Whoever was just writing something about them has minutes to finish; then all is gone through once more, and
the tombstone forgets what there was to clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tidings.accounts.cache import WorkspaceCache
from tidings.contacts.model import Contact
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import Clock
from tidings.core.errors import NotFound, Unavailable
from tidings.core.store import ConditionFailed
from tidings.privacy.model import Tombstone
from tidings.privacy.rules import clearing_of
from tidings.privacy.store import DynamoErasureStore

TRIES = 5


class Queue(Protocol):
    """What wakes the clearing."""

    def put(self, body: Mapping[str, Any], delay: int = 0) -> None: ...


class PrivacyService:
    """Takes people out."""

    def __init__(
        self,
        contacts: DynamoContactStore,
        erasures: DynamoErasureStore,
        workspaces: WorkspaceCache,
        queue: Queue,
        clock: Clock,
    ) -> None:
        self._contacts = contacts
        self._erasures = erasures
        self._workspaces = workspaces
        self._queue = queue
        self._clock = clock

    def remove(self, workspace: str, contact: str, keep_out: bool) -> Tombstone:
        """Take out a person with all that is known of them; with `keep_out` they are never written to again.

        A repeat changes nothing, and continues what was interrupted. Raises NotFound, and Unavailable if it is to be
        repeated.
        """
        for _ in range(TRIES):
            found = self._current(workspace, contact)
            try:
                tombstone = self._erasures.tombstone(workspace, found.id) or self._bury(found, keep_out)
            except ConditionFailed:
                continue
            if tombstone.clearing is not None:
                self._queue.put({"workspace": workspace, "contact": tombstone.contact})
            return tombstone
        raise Unavailable("contact_contended", "The contact kept changing.")

    def _bury(self, contact: Contact, keep_out: bool) -> Tombstone:
        workspace = self._workspaces.get(contact.workspace)
        now = self._clock.now()
        self._erasures.remember(workspace, contact, now)
        return self._erasures.bury(
            workspace, contact, clearing_of(contact, keep_out, self._erasures.related(contact)), now
        )

    def _current(self, workspace: str, contact: str) -> Contact:
        found = self._contacts.current(workspace, contact)
        if found is None:
            raise NotFound("unknown_contact", "There is no such contact.", "contact")
        return found
