"""The table of merges: a record for each, under the contact that survived."""

from __future__ import annotations

from collections.abc import Sequence

from pynamodb.attributes import UnicodeAttribute

from tidings.contacts.merging import Merge
from tidings.contacts.model import Identity
from tidings.core.clock import from_text, to_text
from tidings.core.ids import contact_of_message
from tidings.core.store import Database, Item, JsonAttribute, Part, faults, put


class MergeItem(Item):
    absorbed = UnicodeAttribute()
    at = UnicodeAttribute()
    body = JsonAttribute(default=dict)
    undone_at = UnicodeAttribute(null=True)


class DynamoMergeStore:
    """Merge records in DynamoDB."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(MergeItem, "merges")

    def get(self, workspace: str, merge: str) -> Merge | None:
        """A record by its id, which contains the contact that survived: one read."""
        with faults():
            try:
                survivor = contact_of_message(merge)
                return _entity(self._items.get(f"{workspace}#{survivor}", merge, consistent_read=True))
            except self._items.DoesNotExist:
                return None

    def of_contacts(self, workspace: str, contacts: Sequence[str]) -> list[Merge]:
        """The records of contacts that survived: one query each."""
        with faults():
            return [
                _entity(item)
                for contact in contacts
                for item in self._items.query(f"{workspace}#{contact}", consistent_read=True)
            ]

    def part(self, merge: Merge) -> Part:
        """Storing a new record as part of the merge."""
        return put("merge", self._item(merge), self._items.pk.does_not_exist() | self._items.undone_at.exists())

    def undone_part(self, merge: Merge) -> Part:
        """Storing that a merge was taken back; refused if it was already."""
        return put("merge", self._item(merge), self._items.pk.exists() & self._items.undone_at.does_not_exist())

    def _item(self, merge: Merge) -> MergeItem:
        body = {
            "rule": merge.rule,
            "call": merge.call,
            "identities": [str(identity) for identity in merge.identities],
            "absorbed_ids": list(merge.absorbed_ids),
            "undone_by": merge.undone_by,
            "stayed": merge.stayed,
        }
        return self._items(
            f"{merge.workspace}#{merge.survivor}",
            merge.id,
            absorbed=merge.absorbed,
            at=to_text(merge.at),
            body={name: value for name, value in body.items() if value},
            undone_at=to_text(merge.undone_at) if merge.undone_at else None,
        )


def _entity(item: MergeItem) -> Merge:
    workspace, _, survivor = item.pk.partition("#")
    return Merge(
        id=item.sk,
        workspace=workspace,
        survivor=survivor,
        absorbed=item.absorbed,
        rule=item.body.get("rule", ""),
        call=item.body.get("call", ""),
        at=from_text(item.at),
        identities=tuple(Identity.parse(text) for text in item.body.get("identities", ())),
        absorbed_ids=tuple(item.body.get("absorbed_ids", ())),
        undone_at=from_text(item.undone_at) if item.undone_at else None,
        undone_by=item.body.get("undone_by", ""),
        stayed=item.body.get("stayed", ""),
    )
