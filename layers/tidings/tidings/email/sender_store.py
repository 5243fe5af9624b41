"""The table of senders: who sends from which domain or address, each in one workspace only.

Its key is not the workspace but the last two labels of the domain. All that could overlap stands there together, beside
one item that every claim changes: so two claims that overlap cannot both be made, however close in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core.clock import from_text, to_text
from tidings.core.store import ConditionFailed, Database, Item, JsonAttribute, Key, Part, delete, faults, put, update
from tidings.email.sender_model import Sender, SenderState
from tidings.email.sender_rules import covering, root_of

# The item that every claim beneath a root changes; no identity is called so.
CLAIMS = "."


class SenderItem(Item):
    workspace = UnicodeAttribute(null=True)
    added_at = UnicodeAttribute(null=True)
    asked_at = UnicodeAttribute(null=True)
    checked_at = UnicodeAttribute(null=True)
    leaving = UnicodeAttribute(null=True)
    state = JsonAttribute(null=True)
    revision = NumberAttribute(null=True)


class DynamoSenderStore:
    """Senders in DynamoDB; each change of one stands in its workspace in the same stroke, where sends read it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(SenderItem, "senders")
        self._workspaces = DynamoWorkspaceStore(database)

    def around(self, identity: str) -> tuple[list[Sender], int]:
        """All senders that could overlap with an identity, and how many claims were made there: one query."""
        with faults():
            found = list(self._items.query(root_of(identity), consistent_read=True))
        revision = next((int(item.revision or 0) for item in found if item.sk == CLAIMS), 0)
        return [_sender(item) for item in found if item.sk != CLAIMS], revision

    def workspaces_of(self, address: str) -> list[str]:
        """Whose the sender is that covers an address, as it stands in a mail: one query; of nobody, nothing."""
        place = parseaddr(address)[1].lower()
        if "." not in place.rpartition("@")[2]:
            return []
        found, _ = self.around(place)
        covered = covering({sender.identity: {"workspace": sender.workspace} for sender in found}, place)
        return [covered["workspace"]] if covered else []

    def get(self, workspace: str, identity: str) -> Sender | None:
        """A workspace's own sender: one read. One that is leaving is its too."""
        with faults():
            try:
                item = self._items.get(root_of(identity), identity, consistent_read=True)
            except self._items.DoesNotExist:
                return None
        return _sender(item) if item.workspace == workspace else None

    def of(self, workspace: str, identities: Iterable[str]) -> list[Sender]:
        """A workspace's own among these, by name: one batched read for 100."""
        keys = [Key(self._items, root_of(identity), identity) for identity in sorted(identities)]
        found = self._database.batch_get(keys)
        senders = [_sender(found[key]) for key in keys if key in found]
        return [sender for sender in senders if sender.workspace == workspace]

    def all(self) -> Iterator[Sender]:
        """Every sender of every workspace, page by page: a scan, for the schedule only."""
        with faults():
            # Neither counts of claims nor phone numbers, whose claims stand here too.
            for item in self._items.scan(self._items.added_at.exists(), consistent_read=True):
                yield _sender(item)

    def claim(self, sender: Sender, revision: int, workspace: Workspace) -> None:
        """Take an identity for a workspace. Raises ConditionFailed if a claim near it was made since `revision`."""
        root, items = root_of(sender.identity), self._items
        same = items.revision == revision if revision else items.revision.does_not_exist()
        theirs = items.pk.does_not_exist() | (items.workspace == sender.workspace)
        parts = [
            put("sender", self._item(sender), theirs),
            update("claims", items(root, CLAIMS), [items.revision.add(1)], same),
        ]
        self._database.transact([*parts, self._told(sender, workspace)])

    def take_turn(self, sender: Sender, now: datetime, every: timedelta) -> bool:
        """Whether it is this caller's turn to ask SES: once in `every`, whoever comes first."""
        items = self._items
        due = items.asked_at.does_not_exist() | (items.asked_at <= to_text(now - every))
        try:
            with faults():
                self._place(sender).update([items.asked_at.set(to_text(now))], condition=self._own(sender) & due)
        except ConditionFailed:
            return False
        return True

    def record(self, sender: Sender, workspace: Workspace) -> None:
        """Keep what was found at `checked_at`. Raises ConditionFailed if it left, or something newer was found."""
        items, at = self._items, to_text(sender.checked_at or sender.added_at)
        newest = items.checked_at.does_not_exist() | (items.checked_at <= at)
        actions = [items.state.set(sender.state.as_dict()), items.checked_at.set(at)]
        condition = self._own(sender) & items.leaving.does_not_exist() & newest
        part = update("sender", self._place(sender), actions, condition)
        self._database.transact([part, self._told(sender, workspace)])

    def set_aside(self, sender: Sender, workspace: Workspace) -> None:
        """Take a sender from its workspace, and keep the claim until it is out of SES too."""
        part = update("sender", self._place(sender), [self._items.leaving.set("yes")], self._own(sender))
        self._database.transact([part, self._untold(sender, workspace)])

    def drop(self, sender: Sender, workspace: Workspace) -> None:
        """Give a sender up, claim and all."""
        part = delete("sender", self._place(sender), self._own(sender))
        self._database.transact([part, self._untold(sender, workspace)])

    def forget(self, sender: Sender) -> None:
        """Give up the claim of one that was set aside. Raises ConditionFailed if it was added again meanwhile."""
        with faults():
            self._place(sender).delete(condition=self._own(sender) & self._items.leaving.exists())

    def _told(self, sender: Sender, workspace: Workspace) -> Part:
        senders = {**workspace.senders, sender.identity: sender.entry()}
        return self._workspaces.senders_part(workspace, senders)

    def _untold(self, sender: Sender, workspace: Workspace) -> Part:
        senders = {name: entry for name, entry in workspace.senders.items() if name != sender.identity}
        return self._workspaces.senders_part(workspace, senders)

    def _place(self, sender: Sender) -> Any:
        return self._items(root_of(sender.identity), sender.identity)

    def _own(self, sender: Sender) -> Any:
        return self._items.workspace == sender.workspace

    def _item(self, sender: Sender) -> SenderItem:
        item: SenderItem = self._place(sender)
        item.workspace, item.added_at = sender.workspace, to_text(sender.added_at)
        item.state = sender.state.as_dict()
        return item


def _sender(item: SenderItem) -> Sender:
    return Sender(
        workspace=item.workspace,
        identity=item.sk,
        added_at=from_text(item.added_at),
        state=SenderState.of(item.state),
        checked_at=from_text(item.checked_at) if item.checked_at else None,
        leaving=item.leaving is not None,
    )
