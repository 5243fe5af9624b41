"""What is known of workspaces without a read of its own for each call."""

from __future__ import annotations

from datetime import datetime, timedelta

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core.clock import Clock
from tidings.core.errors import NotFound
from tidings.core.store import Database

CACHE_FOR = timedelta(seconds=60)
CACHE_SIZE = 1000


class WorkspaceCache:
    """Workspaces as they were at most 60 seconds ago: what a call needs to know of its own, without a read of its own.

    Not for the generation of automations, which must be as it is now.
    """

    def __init__(self, workspaces: DynamoWorkspaceStore, clock: Clock) -> None:
        self._workspaces = workspaces
        self._clock = clock
        self._known: dict[str, tuple[Workspace, datetime]] = {}

    @classmethod
    def over(cls, database: Database, clock: Clock) -> WorkspaceCache:
        """A cache on the tables of a database."""
        return cls(DynamoWorkspaceStore(database), clock)

    def get(self, workspace: str) -> Workspace:
        """A workspace. Raises NotFound."""
        now = self._clock.now()
        known = self._known.get(workspace)
        if known is None or now >= known[1]:
            found = self._workspaces.get(workspace)
            if found is None:
                raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
            if len(self._known) >= CACHE_SIZE:
                self._known.clear()
            known = (found, now + CACHE_FOR)
            self._known[workspace] = known
        return known[0]
