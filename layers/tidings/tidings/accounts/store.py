"""The tables of workspaces and API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tidings.accounts.model import ApiKey, KeyKind, Workspace
from tidings.core.clock import from_text, to_text
from tidings.core.store import Database, JsonAttribute, Key, Part, SingleItem, faults, update


class WorkspaceItem(SingleItem):
    name = UnicodeAttribute()
    created_at = UnicodeAttribute()
    generation = NumberAttribute(default=0)
    settings = JsonAttribute(default=dict)
    secret = UnicodeAttribute(null=True)


class ApiKeyItem(SingleItem):
    workspace = UnicodeAttribute()
    kind = UnicodeAttribute()
    name = UnicodeAttribute()
    created_at = UnicodeAttribute()
    revoked_at = UnicodeAttribute(null=True)


class DynamoWorkspaceStore:
    """Workspaces in DynamoDB."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(WorkspaceItem, "workspaces")

    def add(self, workspace: Workspace) -> None:
        """Store a new workspace. Raises ConditionFailed if the id is taken."""
        item = self._items(
            workspace.id,
            name=workspace.name,
            created_at=to_text(workspace.created_at),
            generation=workspace.generation,
            settings=dict(workspace.settings),
            secret=workspace.secret or None,
        )
        with faults():
            item.save(condition=self._items.pk.does_not_exist())

    def change_settings(self, workspace: str, settings: dict[str, Any]) -> None:
        """Replace the settings."""
        with faults():
            self._items(workspace).update([self._items.settings.set(settings)], condition=self._items.pk.exists())

    def get(self, workspace: str, consistent: bool = False) -> Workspace | None:
        """A workspace by its id: one read."""
        with faults():
            try:
                return self.entity(self._items.get(workspace, consistent_read=consistent))
            except self._items.DoesNotExist:
                return None

    def key(self, workspace: str) -> Key:
        """Where the workspace stands, for a batched read."""
        return Key(self._items, workspace)

    def entity(self, item: WorkspaceItem) -> Workspace:
        """The workspace that a read item is."""
        return Workspace(
            id=item.pk,
            name=item.name,
            created_at=from_text(item.created_at),
            generation=int(item.generation),
            settings=item.settings,
            secret=item.secret or "",
        )

    def grow_generation(self, workspace: str) -> Part:
        """Tell every cache that the workspace's automations changed, in the transaction that changes them."""
        return update("workspace", self._items(workspace), [self._items.generation.add(1)], self._items.pk.exists())


class DynamoKeyStore:
    """API keys in DynamoDB, by fingerprint."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(ApiKeyItem, "api_keys")

    def add(self, key: ApiKey) -> None:
        """Store a new key."""
        item = self._items(
            key.fingerprint,
            workspace=key.workspace,
            kind=key.kind.value,
            name=key.name,
            created_at=to_text(key.created_at),
        )
        with faults():
            item.save(condition=self._items.pk.does_not_exist())

    def find(self, fingerprint: str) -> ApiKey | None:
        """The key with this fingerprint, revoked or not: one read."""
        with faults():
            try:
                item = self._items.get(fingerprint)
            except self._items.DoesNotExist:
                return None
        return _key(item)

    def of_workspace(self, workspace: str) -> list[ApiKey]:
        """The keys of a workspace: a scan of all keys, which only an operator's command may ask for."""
        with faults():
            found = list(self._items.scan(self._items.workspace == workspace, consistent_read=True))
        return [_key(item) for item in found]

    def revoke(self, fingerprint: str, at: datetime) -> None:
        """Close a key; functions notice within a minute. Raises ConditionFailed if there is none."""
        with faults():
            self._items(fingerprint).update(
                [self._items.revoked_at.set(to_text(at))], condition=self._items.pk.exists()
            )


def _key(item: ApiKeyItem) -> ApiKey:
    revoked_at = from_text(item.revoked_at) if item.revoked_at else None
    return ApiKey(item.pk, item.workspace, KeyKind(item.kind), item.name, from_text(item.created_at), revoked_at)
