"""What an owner changed in the setup of text messages, kept in the table of sender IDs.

The setup itself stands in the workspace. Its log has a partition of its own, `WORKSPACE#setup`: no workspace's key has
a `#`, and a claim of a name begins with one, so that no sender ID, log of one or claim can ever stand there.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core import cursors
from tidings.core.clock import to_text
from tidings.core.store import Database, Item, JsonAttribute, faults, put

# How often the setup was changed, in the workspace's `sms`: it gives changes of one instant their order.
COUNTED = "setup_changes"
# A page that says more is shorter than was asked: an answer has to stay below the 6 MB of Lambda.
PAGE_BYTES = 1_000_000


class SetupChangeItem(Item):
    document = JsonAttribute()


class DynamoSetupStore:
    """Setups in DynamoDB, each changed together with its log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(SetupChangeItem, "sender_ids")
        self._workspaces = DynamoWorkspaceStore(database)

    def get(self, workspace: str) -> Workspace | None:
        """A workspace as it is now: one read."""
        return self._workspaces.get(workspace, consistent=True)

    def change(
        self, before: Workspace, sms: dict[str, Any], changes: list[dict[str, Any]], who: str, now: datetime
    ) -> None:
        """Write a setup and what was changed by whom, both or none. Raises ConditionFailed if it changed since."""
        count, at = int(before.sms.get(COUNTED) or 0) + 1, to_text(now)
        entry: SetupChangeItem = self._items(_place(before.id), f"{at}#{count:08}")
        entry.document = {"at": at, "who": who, "changes": changes}
        self._database.transact([put("log", entry), self._workspaces.sms_part(before, {**sms, COUNTED: count})])

    def log(self, workspace: str, limit: int, cursor: str) -> tuple[list[dict[str, Any]], str]:
        """A page of what was changed, the latest first. Raises InvalidInput for a bad cursor."""
        scope = ("sms_setup_log", workspace)
        place = cursors.read(scope, cursor, str)
        condition = self._items.sk < place[0] if place else None
        page: list[SetupChangeItem] = []
        size = 0
        with faults():
            for item in self._items.query(
                _place(workspace), condition, consistent_read=True, scan_index_forward=False, limit=limit + 1
            ):
                size += len(json.dumps(item.document))
                if len(page) == limit or (page and size > PAGE_BYTES):
                    return [one.document for one in page], cursors.write(scope, [page[-1].sk])
                page.append(item)
        return [one.document for one in page], ""


def _place(workspace: str) -> str:
    return f"{workspace}#setup"
