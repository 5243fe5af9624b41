"""The tables of workspaces and API keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action

from tidings.accounts.model import ApiKey, KeyKind, Role, Workspace
from tidings.core.clock import from_text, to_text
from tidings.core.store import Database, Item, JsonAttribute, Key, Part, SingleItem, delete, faults, put, update

INBOUND = "inbound"
# How many automations may be paused wholly at once: their names are read with the workspace at every step.
MOST_HALTED = 100


class WorkspaceItem(SingleItem):
    name = UnicodeAttribute()
    created_at = UnicodeAttribute()
    generation = NumberAttribute(default=0)
    settings = JsonAttribute(default=dict)
    secret = UnicodeAttribute(null=True)
    policy = JsonAttribute(null=True)
    policy_version = NumberAttribute(null=True)
    senders = JsonAttribute(null=True)
    standing = JsonAttribute(null=True)
    sms = JsonAttribute(null=True)
    halted = UnicodeSetAttribute(null=True)


class ApiKeyItem(SingleItem):
    workspace = UnicodeAttribute()
    kind = UnicodeAttribute()
    name = UnicodeAttribute()
    created_at = UnicodeAttribute()
    revoked_at = UnicodeAttribute(null=True)
    role = UnicodeAttribute(null=True)
    actor = UnicodeAttribute(null=True)


class DynamoWorkspaceStore:
    """Workspaces in DynamoDB."""

    def __init__(self, database: Database) -> None:
        self._database = database
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

    def change_inbound(self, before: Workspace, settings: dict[str, Any]) -> None:
        """Replace the settings, and claim the inbound address that they name. Raises ConditionFailed if it is taken."""
        addresses = DynamoInboundStore(self._database)
        change = [self._items.settings.set(settings)]
        parts = [update("workspace", self._items(before.id), change, self._items.pk.exists())]
        parts += addresses.claim(before.id, str(settings.get("inbound_address") or ""), before.inbound_address)
        self._database.transact(parts)

    def change_policy(self, before: Workspace, policy: dict[str, Any]) -> Workspace:
        """Replace the policy. Raises ConditionFailed if it changed since `before` was read."""
        version = before.policy_version
        same = self._items.policy_version == version if version else self._items.policy_version.does_not_exist()
        return self._change(before, [self._items.policy.set(policy), self._items.policy_version.set(version + 1)], same)

    def change_senders(self, before: Workspace, senders: dict[str, Any]) -> Workspace:
        """Replace the senders. Raises ConditionFailed if they changed since `before` was read."""
        return self._change(before, [self._items.senders.set(senders)], _as_it_was(self._items.senders, before.senders))

    def senders_part(self, before: Workspace, senders: dict[str, Any]) -> Part:
        """Replace the senders in a transaction, which refuses `workspace` if they changed since `before` was read."""
        same = self._items.pk.exists() & _as_it_was(self._items.senders, before.senders)
        return update("workspace", self._items(before.id), [self._items.senders.set(senders)], same)

    def change_standing(self, before: Workspace, standing: dict[str, Any]) -> Workspace:
        """Replace the standing. Raises ConditionFailed if it changed since `before` was read."""
        same = _as_it_was(self._items.standing, before.standing)
        return self._change(before, [self._items.standing.set(standing)], same)

    def sms_part(self, before: Workspace, sms: dict[str, Any]) -> Part:
        """Replace what text messages leave from, in a transaction, which refuses `workspace` if that changed since."""
        same = self._items.pk.exists() & _as_it_was(self._items.sms, before.sms)
        return update("workspace", self._items(before.id), [self._items.sms.set(sms)], same)

    def change_sms(self, before: Workspace, sms: dict[str, Any]) -> Workspace:
        """Replace what text messages leave from. Raises ConditionFailed if that changed since `before` was read."""
        return self._change(before, [self._items.sms.set(sms)], _as_it_was(self._items.sms, before.sms))

    def _change(self, before: Workspace, actions: list[Action], condition: Condition) -> Workspace:
        item = self._items(before.id)
        with faults():
            item.update(actions, condition=self._items.pk.exists() & condition)
        return self.entity(item)

    def get(self, workspace: str, consistent: bool = False) -> Workspace | None:
        """A workspace by its id: one read."""
        with faults():
            try:
                return self.entity(self._items.get(workspace, consistent_read=consistent))
            except self._items.DoesNotExist:
                return None

    def all(self) -> Iterator[Workspace]:
        """Every workspace: a scan, which only what runs by itself now and then may ask for."""
        with faults():
            for item in self._items.scan():
                yield self.entity(item)

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
            policy=item.policy or {},
            policy_version=int(item.policy_version or 0),
            senders=item.senders or {},
            standing=item.standing or {},
            sms=item.sms or {},
            halted=frozenset(item.halted or ()),
        )

    def grow_generation(self, workspace: str) -> Part:
        """Tell every cache that the workspace's automations changed, in the transaction that changes them."""
        return update("workspace", self._items(workspace), [self._items.generation.add(1)], self._items.pk.exists())

    def halt(self, workspace: str, automation: str) -> Part:
        """Let nothing happen in an automation any more, and tell every cache; refused where too many are halted."""
        table = self._items
        room = table.halted.does_not_exist() | (size(table.halted) < MOST_HALTED)  # type: ignore[no-untyped-call]
        actions = [table.generation.add(1), table.halted.add({automation})]
        return update("workspace", table(workspace), actions, table.pk.exists() & room)

    def release(self, workspace: str, automation: str) -> Part:
        """Let an automation go on that was halted, and tell every cache."""
        table = self._items
        actions = [table.generation.add(1), table.halted.delete({automation})]
        return update("workspace", table(workspace), actions, table.pk.exists())


class InboundItem(Item):
    workspace = UnicodeAttribute()


class DynamoInboundStore:
    """At which address mail comes in for which workspace: in the table of senders, whose keys carry no workspace."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(InboundItem, "senders")

    def workspace_of(self, address: str) -> str:
        """Whose an address is: one read. Empty for nobody's."""
        with faults():
            try:
                return str(self._items.get(address.lower(), INBOUND).workspace)
            except self._items.DoesNotExist:
                return ""

    def claim(self, workspace: str, address: str, before: str) -> list[Part]:
        """Take an address, if one is named, and give up the one before."""
        own = self._items.pk.does_not_exist() | (self._items.workspace == workspace)
        parts = [put("inbound", self._items(address, INBOUND, workspace=workspace), own)] if address else []
        return parts + ([delete("inbound", self._items(before, INBOUND), own)] if before else [])


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
            role=key.role.value if key.role is not Role.SERVER else None,
            actor=key.actor or None,
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


def _as_it_was(attribute: JsonAttribute, value: Mapping[str, Any]) -> Condition:
    same: Condition = attribute == dict(value) if value else attribute.does_not_exist()
    return same


def _key(item: ApiKeyItem) -> ApiKey:
    revoked_at = from_text(item.revoked_at) if item.revoked_at else None
    return ApiKey(
        item.pk,
        item.workspace,
        KeyKind(item.kind),
        item.name,
        from_text(item.created_at),
        revoked_at,
        Role(item.role or Role.SERVER),
        item.actor or "",
    )
