"""Whose a phone number is: one workspace's. In the table of senders, whose keys carry no workspace, for that reason.

An item of a number has the number as its partition, which no domain can be. It changes in one stroke with the numbers
of the workspace, which sends and answers go by.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core.clock import Clock
from tidings.core.store import Database, Item, delete, faults, put

NUMBER = "number"
CACHE_FOR = timedelta(seconds=60)
CACHE_SIZE = 1000


class NumberItem(Item):
    workspace = UnicodeAttribute()


class DynamoNumberStore:
    """Claims of numbers in DynamoDB."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(NumberItem, "senders")
        self._workspaces = DynamoWorkspaceStore(database)

    def workspace_of(self, number: str) -> str:
        """Whose a number is: one read. Empty for nobody's."""
        with faults():
            try:
                return str(self._items.get(number, NUMBER).workspace)
            except self._items.DoesNotExist:
                return ""

    def claim(self, workspace: Workspace, number: str, entry: Mapping[str, Any]) -> None:
        """Take a number for a workspace, or change it there. Raises ConditionFailed: `number`, or `workspace`."""
        theirs = self._items.pk.does_not_exist() | (self._items.workspace == workspace.id)
        numbers = {**(workspace.sms.get("numbers") or {}), number: dict(entry)}
        claim = put("number", self._items(number, NUMBER, workspace=workspace.id), theirs)
        sms = {**workspace.sms, "numbers": numbers}
        self._database.transact([claim, self._workspaces.sms_part(workspace, sms)])

    def drop(self, workspace: Workspace, number: str) -> None:
        """Give a number up. Raises ConditionFailed as `claim`."""
        numbers = {name: entry for name, entry in workspace.sms["numbers"].items() if name != number}
        own = self._items.pk.does_not_exist() | (self._items.workspace == workspace.id)
        claim = delete("number", self._items(number, NUMBER), own)
        sms = {**workspace.sms, "numbers": numbers}
        self._database.transact([claim, self._workspaces.sms_part(workspace, sms)])


class NumberCache:
    """Whose numbers are, as it was at most 60 seconds ago; that a number is nobody's is asked again each time."""

    def __init__(self, store: DynamoNumberStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, tuple[str, datetime]] = {}

    def workspace_of(self, number: str) -> str:
        """Whose a number is; empty for nobody's."""
        now = self._clock.now()
        known = self._known.get(number)
        if known is not None and now < known[1]:
            return known[0]
        found = self._store.workspace_of(number)
        if found:
            if len(self._known) >= CACHE_SIZE:
                self._known.clear()
            self._known[number] = (found, now + CACHE_FOR)
        return found
