"""Where it is kept why somebody did not enter: beside their enrolments, for as long as `refusals.KEPT_FOR`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tidings.activity.model import Event
from tidings.automations.entering.refusals import Refusals, Refused
from tidings.core.clock import from_text, to_text
from tidings.core.ids import digest
from tidings.core.store import Database, Item, JsonAttribute, Key, faults

# What their keys begin with, which sort by the time of the event: no automation is called so.
REFUSED = "#refused#"
AT_ONCE = 25


class RefusalItem(Item):
    at = UnicodeAttribute()
    event = JsonAttribute()
    refused = JsonAttribute()
    more = NumberAttribute(null=True)
    expires_at = NumberAttribute()


class DynamoRefusalStore:
    """Refusals in DynamoDB, one item for an event, under the contact that it came to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(RefusalItem, "enrolments")

    def key(self, workspace: str, contact: str, event: Event) -> Key:
        """Where the refusals of an event stand, for a batched read."""
        sk = f"{REFUSED}{to_text(event.received_at)}#{digest('refused', event.message_id)}"
        return Key(self._items, f"{workspace}#{contact}", sk)

    def of_event(self, workspace: str, contacts: Sequence[str], event: Event) -> list[Refusals]:
        """What refused an event of some contacts: one batched read."""
        keys = [self.key(workspace, contact, event) for contact in contacts]
        found = self._database.batch_get(keys)
        return [self.entity(found[key]) for key in keys if key in found]

    def keep(self, workspace: str, event: Event, kept: Refusals) -> None:
        """Keep what refused an event, over what an earlier try kept: one write."""
        key = self.key(workspace, kept.contact, event)
        with faults():
            self._items(
                key.pk,
                key.sk,
                at=to_text(kept.at),
                event=dict(kept.event),
                refused=[one.as_dict() for one in kept.refused],
                more=kept.more or None,
                expires_at=int(kept.expires_at.timestamp()),
            ).save()

    def entity(self, item: RefusalItem) -> Refusals:
        """What a read item kept."""
        refused = [Refused.of(one) for one in item.refused]
        contact = item.pk.partition("#")[2]
        return Refusals(contact, from_text(item.at), item.event, refused, int(item.more or 0))

    def latest(self, workspace: str, contact: str, until: datetime, now: datetime) -> Iterator[Refusals]:
        """What was refused under a contact's id until an instant, latest first; a query for each 25 that are taken."""
        last = f"{REFUSED}{to_text(until)}~"  # sorts behind the digests of that instant
        with faults():
            found = self._items.query(
                f"{workspace}#{contact}",
                self._items.sk.between(REFUSED, last),
                scan_index_forward=False,
                page_size=AT_ONCE,
                consistent_read=True,
            )
            for item in found:
                if item.expires_at > now.timestamp():  # DynamoDB deletes what has expired late
                    yield self.entity(item)

    def all_of(self, workspace: str, contact: str, after: str = "") -> Iterator[tuple[str, Refusals]]:
        """All that was refused under a contact's id, earliest first, behind a key; with the key of each."""
        start = {"pk": {"S": f"{workspace}#{contact}"}, "sk": {"S": after}} if after else None
        with faults():
            found = self._items.query(
                f"{workspace}#{contact}",
                self._items.sk.startswith(REFUSED),
                page_size=AT_ONCE,
                last_evaluated_key=start,
                consistent_read=True,
            )
            for item in found:
                yield item.sk, self.entity(item)
