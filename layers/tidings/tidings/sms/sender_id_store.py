"""The table of sender IDs: each workspace's names, what changed in each, and who has a name.

A name is an item of its workspace, its changes stand behind it (`NAME#log#instant#id`), and one more item, which no
workspace's key can be, claims the name for the whole account: two spellings that differ in their case are one name.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core import cursors
from tidings.core.clock import to_text
from tidings.core.store import Database, Item, JsonAttribute, Part, delete, faults, put, update
from tidings.sms.sender_id_model import CLOSED, Entry, SenderId
from tidings.sms.sender_id_rules import setup_with

CLAIM = "claim"


class SenderIdItem(Item):
    workspace = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    token = UnicodeAttribute(null=True)
    revision = NumberAttribute(null=True)
    document = JsonAttribute(null=True)


class DynamoSenderIdStore:
    """Sender IDs in DynamoDB. Each change is conditional on the revision it was made of, and logged in one stroke."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(SenderIdItem, "sender_ids")
        self._workspaces = DynamoWorkspaceStore(database)

    def get(self, workspace: str, name: str) -> SenderId | None:
        """A workspace's sender ID as it is now: one read."""
        with faults():
            try:
                item = self._items.get(workspace, name, consistent_read=True)
            except self._items.DoesNotExist:
                return None
        return _sender(item)

    def all(self, workspace: str) -> Iterator[SenderId]:
        """A workspace's sender IDs by name: one query, which reads their logs too."""
        with faults():
            for item in self._items.query(
                workspace, filter_condition=self._items.revision.exists(), consistent_read=True
            ):
                yield _sender(item)

    def log(self, workspace: str, name: str, limit: int, cursor: str) -> tuple[list[dict[str, Any]], str]:
        """A page of what changed, the latest first. Raises InvalidInput for a bad cursor."""
        scope = ("sender_id_log", workspace, name)
        place = cursors.read(scope, cursor, str)
        first = f"{name}#log#"
        # What is newer than a cursor's place was on an earlier page.
        condition = self._items.sk.between(first, place[0] if place else f"{first}~")
        with faults():
            found = list(
                self._items.query(
                    workspace,
                    condition,
                    consistent_read=True,
                    scan_index_forward=False,
                    limit=limit + 1 + bool(place),
                )
            )
        found = [item for item in found if place is None or item.sk < place[0]]
        page = found[:limit]
        following = cursors.write(scope, [page[-1].sk]) if len(found) > limit else ""
        return [dict(item.document or {}) for item in page], following

    def change(self, after: SenderId, now: datetime, entry: Entry | None, told: Workspace | None = None) -> SenderId:
        """Write what became of a sender ID, its log, its claim, and with `told` what its workspace's sends read.

        Raises ConditionFailed: `sender` if it changed since, `workspace` if that did, `claim` if another workspace has
        the name.
        """
        kept = after.revision + 1
        parts = [self._part(after), *self._claim(after)]
        if entry is not None:
            parts.append(put("log", self._log(after, now, entry)))
        if told is not None:
            sms = setup_with(told.sms, after)
            if sms != told.sms:
                parts.append(self._workspaces.sms_part(told, sms))
        self._database.transact(parts)
        return SenderId.of(after.workspace, after.name, after.as_document(), after.token, kept)

    def _part(self, after: SenderId) -> Part:
        items = self._items
        same = items.revision == after.revision if after.revision else items.pk.does_not_exist()
        actions = [
            items.document.set(after.as_document()),
            items.revision.set(after.revision + 1),
            items.token.set(after.token) if after.token else items.token.remove(),
        ]
        return update("sender", items(after.workspace, after.name), actions, same)

    def _claim(self, after: SenderId) -> list[Part]:
        """The claim: taken by a request, given up with the last that AWS has of it."""
        items, place = self._items, self._items(f"#{after.name.upper()}", CLAIM)
        own = (items.workspace == after.workspace) & (items.name == after.name)
        if after.state not in CLOSED:
            place.workspace, place.name = after.workspace, after.name
            return [put("claim", place, items.pk.does_not_exist() | own)]
        return [] if after.unreleased else [delete("claim", place, items.pk.does_not_exist() | own)]

    def _log(self, after: SenderId, now: datetime, entry: Entry) -> SenderIdItem:
        at = to_text(now)
        # One change makes one revision: a repeat writes the same item again, and those of one instant have an order.
        item: SenderIdItem = self._items(after.workspace, f"{after.name}#log#{at}#{after.revision:08}")
        item.document = {
            "at": at,
            "what": entry.what,
            "who": entry.who,
            "state": after.state.value,
            "country": entry.country,
            "reason": entry.reason,
        }
        return item


def _sender(item: SenderIdItem) -> SenderId:
    return SenderId.of(item.pk, item.sk, item.document, item.token or "", int(item.revision))
