"""The table of events: written once each, read as timelines."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, LocalSecondaryIndex

from tidings.activity import body
from tidings.activity.model import Event
from tidings.activity.pacing import Pace, Write, in_calls
from tidings.contacts.model import Identity
from tidings.core.clock import SystemClock, Waiting, from_text, to_text
from tidings.core.errors import Throttled, Unavailable
from tidings.core.store import THROTTLES, ConditionFailed, Database, Item, Key, Part, faults, put

STATEMENTS = 25


class ReceivedIndex(LocalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """One identity's events by the time they were received."""

    class Meta:
        index_name = "received"
        projection = AllProjection()

    pk = UnicodeAttribute(hash_key=True)
    received_at = UnicodeAttribute(range_key=True)


class EventItem(Item):
    received_at = UnicodeAttribute()
    type = UnicodeAttribute()
    name = UnicodeAttribute(null=True)
    body = UnicodeAttribute(null=True)
    packed = BinaryAttribute(null=True, legacy_encoding=False)
    expires_at = NumberAttribute(null=True)
    received = ReceivedIndex()


class DynamoEventStore:
    """Events in DynamoDB. The key makes a repeated message id exact: the first one stays."""

    def __init__(self, database: Database, clock: Waiting | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()
        self._items = database.table(EventItem, "events")

    def add(self, event: Event) -> bool:
        """Store an event: one conditional call, two write units under 1 KB. False if it was there already."""
        try:
            with faults():
                self._item(event).save(condition=self._items.pk.does_not_exist())
        except ConditionFailed:
            return False
        return True

    def part(self, event: Event) -> Part:
        """Storing an event as part of a transaction, whether or not it was there: its body is the same."""
        return put("event", self._item(event))

    def new_part(self, event: Event) -> Part:
        """Storing an event as part of a transaction that must not be made twice: refused if it was there."""
        return put("event", self._item(event), self._items.pk.does_not_exist())

    def add_all(self, events: Sequence[Event]) -> int:
        """Store events, 25 a call, without reading, and no identity's faster than a partition takes; how many were new.

        PartiQL's INSERT refuses a key that exists, where a plain batch write would overwrite it.
        Raises Throttled or Unavailable if any could not be stored: repeating the whole batch is safe. Raises
        InvalidInput, and stores nothing, if one identity's would take too long.
        """
        new = 0
        pace = Pace(self._clock)
        for writes in in_calls([self._insert(event) for event in events], STATEMENTS):
            pace.let_pass(writes)
            statements = [write.statement for write in writes]
            answer = self._database.dispatch("BatchExecuteStatement", {"Statements": statements})
            new += sum(_inserted(response) for response in answer["Responses"])
        return new

    def key(self, workspace: str, identity: Identity, message_id: str) -> Key:
        """Where an event stands, for a batched read."""
        return Key(self._items, f"{workspace}#{identity}", message_id)

    def latest(self, workspace: str, identity: Identity, before: datetime | None, limit: int) -> Iterator[Event]:
        """An identity's events, latest first, received at or before an instant: one query for each `limit` taken."""
        index = self._items.received
        condition = None if before is None else self._items.received_at <= to_text(before)
        with faults():
            for item in index.query(
                f"{workspace}#{identity}", condition, scan_index_forward=False, page_size=limit, consistent_read=True
            ):
                yield self.entity(item)

    def named_since(self, workspace: str, identity: Identity, name: str, since: datetime | None) -> Iterator[Event]:
        """An identity's events of a name, received at an instant or later, in order; read consistently."""
        index = self._items.received
        condition = None if since is None else self._items.received_at >= to_text(since)
        with faults():
            for item in index.query(
                f"{workspace}#{identity}", condition, filter_condition=self._items.name == name, consistent_read=True
            ):
                yield self.entity(item)

    def entity(self, item: EventItem) -> Event:
        """The event that a read item is."""
        text = item.body if item.packed is None else body.unpack(item.packed)
        return _entity(item.pk, item.sk, item.received_at, item.type, item.name or "", text or "")

    def _item(self, event: Event) -> EventItem:
        return self._items(**_values(event))

    def _insert(self, event: Event) -> Write:
        values = _values(event)
        fields = ", ".join(f"'{name}': ?" for name in values)
        statement = {
            "Statement": f'INSERT INTO "{self._items.Meta.table_name}" VALUE {{{fields}}}',
            "Parameters": [{"S" if isinstance(value, str) else "B": value} for value in values.values()],
        }
        size = sum(
            len(name) + len(value.encode() if isinstance(value, str) else value) for name, value in values.items()
        )
        return Write(values["pk"], 2 * body.units(size), statement)  # the index costs the same again


def from_stream(image: Mapping[str, Mapping[str, str]]) -> Event:
    """The event in a stream record's new image. Raises KeyError or ValueError for an image that is none."""
    texts = {name: value["S"] for name, value in image.items() if "S" in value}
    if body.PACKED in image:
        texts["body"] = body.unpack(base64.b64decode(image[body.PACKED]["B"]))
    return _entity(texts["pk"], texts["sk"], texts["received_at"], texts["type"], texts.get("name", ""), texts["body"])


def _values(event: Event) -> dict[str, Any]:
    """Every attribute of an event's item. What is no key and not asked for goes into one body: bytes cost."""
    texts = {
        "pk": f"{event.workspace}#{event.identity}",
        "sk": event.message_id,
        "received_at": to_text(event.received_at),
        "type": event.type,
    }
    if event.name:
        texts["name"] = event.name
    text = body.write(event)
    packed = body.pack(text, sum(len(name) + len(value.encode()) for name, value in texts.items()))
    return {**texts, "body": text} if packed is None else {**texts, body.PACKED: packed}


def _entity(pk: str, sk: str, received_at: str, kind: str, name: str, text: str) -> Event:
    workspace, _, identity_text = pk.partition("#")
    identity = Identity.parse(identity_text)
    return Event(
        workspace=workspace,
        identity=identity,
        message_id=sk,
        type=kind,
        name=name,
        received_at=from_text(received_at),
        **body.read(text, identity),
    )


def _inserted(response: Mapping[str, Any]) -> bool:
    code = response.get("Error", {}).get("Code", "")
    if not code:
        return True
    if code == "DuplicateItem":
        return False
    if code in THROTTLES:
        raise Throttled("write_throttled", "The database is busy.")
    raise Unavailable("database_failed", f"The database answered {code}.")
