"""Clearing what is left of people who were taken out, some at a time.

Each message of the queue clears as much as one invocation does, and puts the next one; when nothing is left, the last
one comes after whoever was just writing something about the person has come to an end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.contacts.model import Contact
from tidings.contacts.service import ContactDirectory
from tidings.core.errors import NotFound
from tidings.privacy.erasure import Queue
from tidings.privacy.model import Tombstone
from tidings.privacy.remains import DynamoRemains
from tidings.privacy.store import DynamoErasureStore

# Items that one invocation clears: some seconds' worth.
AT_ONCE = 500
# Longer than any function may run, so that whatever had read the person before the erasure has come to its end.
LAST_LOOK_SECONDS = 300


class ClearingService:
    """Clears what is left of people who were taken out."""

    def __init__(
        self,
        erasures: DynamoErasureStore,
        remains: DynamoRemains,
        directory: ContactDirectory,
        workspaces: WorkspaceCache,
        queue: Queue,
    ) -> None:
        self._erasures = erasures
        self._remains = remains
        self._directory = directory
        self._workspaces = workspaces
        self._queue = queue

    def work(self, named: Mapping[str, Any]) -> None:
        """Clear some of what a message names, and see to it that the rest is. A repeat does no harm."""
        workspace, contact = str(named["workspace"]), str(named["contact"])
        tombstone = self._erasures.tombstone(workspace, contact)
        if tombstone is None or tombstone.clearing is None:
            return
        if not self._cleared(tombstone):
            self._queue.put(named)
        elif not named.get("last"):
            self._queue.put({**named, "last": True}, LAST_LOOK_SECONDS)
        else:
            self._erasures.finish(tombstone)

    def _cleared(self, tombstone: Tombstone) -> bool:
        """Clear up to as much as one invocation does; whether that was all there is."""
        workspace = self._workspaces.get(tombstone.workspace)
        remains = self._remains
        clearings: list[Callable[[int], int]] = [
            lambda most: self._erasures.clear_entries(tombstone, most),
            lambda most: remains.enrolments(tombstone, most),
            lambda most: remains.messages(workspace, tombstone, most),
            lambda most: remains.conversations(tombstone, most),
            lambda most: remains.consent_logs(workspace, tombstone, most),
            lambda most: remains.events(tombstone, most),
            lambda most: remains.told_elsewhere(tombstone, most),
            lambda most: remains.steps(tombstone, most),
            lambda most: remains.merges(tombstone, most),
        ]
        left = AT_ONCE
        for clear in clearings:
            left -= clear(left)
            if left <= 0:
                return False
        self._erasures.clear_absorbed(tombstone)
        self._forget_apart(tombstone)
        return True

    def _forget_apart(self, tombstone: Tombstone) -> None:
        """Let contacts that a merge was taken back with forget whom they are kept apart from."""
        clearing = tombstone.clearing
        gone = frozenset(clearing.identities) if clearing else frozenset()

        def forget(other: Contact) -> Contact:
            return replace(other, apart=other.apart - gone)

        for contact in clearing.related if clearing else ():
            try:
                self._directory.change(tombstone.workspace, contact, forget)
            except NotFound:
                continue
