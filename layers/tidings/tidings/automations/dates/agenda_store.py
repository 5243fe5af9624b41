"""The agenda: which dates of contacts come round in which minute, in the table of enrolments.

An entry stands twice: under its minute, where it is looked up when that comes, and under its contact, so that it goes
when they are erased. Both are keyed by what they say: whoever writes one down again writes the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tidings.automations.dates.rules import Entry
from tidings.core.clock import epoch, from_text, to_text
from tidings.core.store import Database, Item, Key, faults

# What the keys under a contact begin with, beside the enrolments: no automation is called so.
AGENDA = "#agenda#"
# How long after its minute an entry is kept that was never worked off: so long it can be found what went wrong.
KEPT = timedelta(days=90)


class AgendaItem(Item):
    at = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class DynamoAgendaStore:
    """The agenda in DynamoDB."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(AgendaItem, "enrolments")

    def add(self, entries: Iterable[Entry]) -> None:
        """Write entries down: one call for each twelve. Raises Throttled or Unavailable; a repeat writes the same."""
        puts = []
        for entry in dict.fromkeys(entries):
            expires_at = epoch(entry.bucket + KEPT)
            for key in self._keys(entry):
                puts.append(self._items(key.pk, key.sk, at=to_text(entry.at), expires_at=expires_at))
        if puts:
            self._database.batch_write(puts=puts)

    def page(self, workspace: str, bucket: datetime, after: str, most: int) -> list[Entry]:
        """Up to `most` entries of a minute beyond one (its `place`): one query, read consistently."""
        pk = _minute(workspace, bucket)
        start = {"pk": {"S": pk}, "sk": {"S": after}} if after else None
        with faults():
            found = self._items.query(pk, limit=most, last_evaluated_key=start, consistent_read=True)
            return [_entry(workspace, bucket, item) for item in found]

    def remove(self, entries: Sequence[Entry]) -> None:
        """Take entries out that were worked off: one call for each twelve."""
        if entries:
            self._database.batch_write(deletes=[key for entry in entries for key in self._keys(entry)])

    def keys_under(self, workspace: str, contact: str, sk: str) -> list[Key]:
        """Both places of the entry that stands under a contact at a sort key."""
        _, _, bucket, at, automation, key = sk.split("#")
        return self._keys(Entry(workspace, from_text(bucket), from_text(at), automation, contact, key))

    def _keys(self, entry: Entry) -> list[Key]:
        own = f"{AGENDA}{to_text(entry.bucket)}#{to_text(entry.at)}#{entry.automation}#{entry.key}"
        return [
            Key(self._items, _minute(entry.workspace, entry.bucket), place(entry)),
            Key(self._items, f"{entry.workspace}#{entry.contact}", own),
        ]


def place(entry: Entry) -> str:
    """Where an entry stands in its minute."""
    return f"{to_text(entry.at)}#{entry.automation}#{entry.contact}#{entry.key}"


def _minute(workspace: str, bucket: datetime) -> str:
    return f"{workspace}{AGENDA}{to_text(bucket)}"


def _entry(workspace: str, bucket: datetime, item: AgendaItem) -> Entry:
    at, automation, contact, key = item.sk.split("#")
    return Entry(workspace, bucket, from_text(at), automation, contact, key)
