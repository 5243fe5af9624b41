"""The table of consents: everything about one address stands together, under a hash of it.

The hash is keyed with the workspace's secret, so that what is known of an address outlives the address: an erased
person is not written to again, and nobody can find out from the table who they were.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from tidings.accounts.model import Workspace
from tidings.consent.model import Channel, Reason, Suppression
from tidings.contacts.merging import SOURCE
from tidings.core.clock import epoch, from_text, to_text
from tidings.core.keys import keyed_hash
from tidings.core.store import ConditionFailed, Database, Item, Part, check, delete, faults, put


class ConsentItem(Item):
    address = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    source = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class DynamoConsentStore:
    """Suppressions in DynamoDB, under the keyed hash of the address they hold for."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(ConsentItem, "consents")

    def suppression_of(self, workspace: Workspace, channel: Channel, address: str) -> Suppression | None:
        """The entry of an address, expired or not: one consistent query over all that is known of it on a channel."""
        with faults():
            found = {
                item.sk: item
                for item in self._items.query(
                    _pk(workspace, address), self._items.sk.startswith(f"{channel}#"), consistent_read=True
                )
            }
        item = found.get(_sk(channel))
        return None if item is None else _entity(item, workspace, channel, address)

    def suppress(self, workspace: Workspace, entry: Suppression) -> bool:
        """Put an address on the list; False if it is there already for as long or longer, which stays as it is."""
        item = self._items(
            _pk(workspace, entry.address),
            _sk(entry.channel),
            address=entry.address,
            reason=entry.reason.value,
            source=entry.source or None,
            created_at=to_text(entry.created_at),
            expires_at=epoch(entry.expires_at) if entry.expires_at else None,
        )
        try:
            with faults():
                replaced = self._free(entry.created_at) | self._ends_before(entry.expires_at)
                item.save(condition=replaced if entry.expires_at else replaced | self._carried())
        except ConditionFailed:
            return False
        return True

    def keep_out(self, workspace: Workspace, channel: Channel, address: str, at: datetime) -> Part:
        """Suppress the address of an erased person for good, whatever stood there, as part of a transaction."""
        item = self._items(
            _pk(workspace, address), _sk(channel), reason=Reason.ERASED.value, source="erasure", created_at=to_text(at)
        )
        return put("suppression", item)

    def carry(self, workspace: Workspace, entry: Suppression) -> Part:
        """Put an address on the list as part of a merge of contacts; refused if it has come to be there meanwhile."""
        item = self._items(
            _pk(workspace, entry.address),
            _sk(entry.channel),
            address=entry.address,
            reason=entry.reason.value,
            source=entry.source,
            created_at=to_text(entry.created_at),
            expires_at=epoch(entry.expires_at) if entry.expires_at else None,
        )
        return put("suppression", item, self._free(entry.created_at))

    def uncarry(self, workspace: Workspace, channel: Channel, address: str, source: str) -> Part:
        """Take off the list what a merge had put there, as part of taking the merge back."""
        item = self._items(_pk(workspace, address), _sk(channel))
        return delete("suppression", item, self._items.source == source)

    def release(self, workspace: Workspace, channel: Channel, address: str) -> bool:
        """Take an address off the list; False if it was not there, or its person was erased."""
        item = self._items(_pk(workspace, address), _sk(channel))
        try:
            with faults():
                item.delete(condition=self._items.pk.exists() & (self._items.reason != Reason.ERASED.value))
        except ConditionFailed:
            return False
        return True

    def not_suppressed(self, workspace: Workspace, channel: Channel, address: str, now: datetime) -> Part:
        """The check that an address is not suppressed, as part of the transaction that claims a message."""
        return check("suppression", self._items(_pk(workspace, address), _sk(channel)), self._free(now))

    def _free(self, now: datetime) -> Condition:
        free: Condition = self._items.pk.does_not_exist() | (self._items.expires_at <= epoch(now))
        return free

    def _carried(self) -> Condition:
        """A no that a merge of contacts carried here, and that would go with it: the person's own takes its place."""
        carried: Condition = self._items.source.startswith(SOURCE)
        return carried

    def _ends_before(self, instant: datetime | None) -> Condition:
        ends = self._items.expires_at
        earlier: Condition = ends.exists() if instant is None else ends < epoch(instant)
        return earlier


def _pk(workspace: Workspace, address: str) -> str:
    return f"{workspace.id}#{keyed_hash(workspace.secret, address)}"


def _sk(channel: Channel) -> str:
    return f"{channel}#suppression"


def _entity(item: ConsentItem, workspace: Workspace, channel: Channel, address: str) -> Suppression:
    return Suppression(
        workspace=workspace.id,
        channel=channel,
        address=address,
        reason=Reason(item.reason or Reason.MANUAL),
        created_at=from_text(item.created_at or ""),
        source=item.source or "",
        expires_at=datetime.fromtimestamp(int(item.expires_at), UTC) if item.expires_at else None,
    )
