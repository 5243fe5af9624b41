"""The table of events: written once each, read as timelines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, LocalSecondaryIndex

from tidings.activity.model import Event
from tidings.contacts.model import Identity
from tidings.core.clock import from_text, to_text
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
    body = UnicodeAttribute()
    expires_at = NumberAttribute(null=True)
    received = ReceivedIndex()


class DynamoEventStore:
    """Events in DynamoDB. The key makes a repeated message id exact: the first one stays."""

    def __init__(self, database: Database) -> None:
        self._database = database
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

    def add_all(self, events: Sequence[Event]) -> int:
        """Store events, 25 a call, without reading; how many were new.

        PartiQL's INSERT refuses a key that exists, where a plain batch write would overwrite it.
        Raises Throttled or Unavailable if any could not be stored: repeating the whole batch is safe.
        """
        new = 0
        for start in range(0, len(events), STATEMENTS):
            statements = [self._insert(event) for event in events[start : start + STATEMENTS]]
            answer = self._database.dispatch("BatchExecuteStatement", {"Statements": statements})
            new += sum(_inserted(response) for response in answer["Responses"])
        return new

    def key(self, workspace: str, identity: Identity, message_id: str) -> Key:
        """Where an event stands, for a batched read."""
        return Key(self._items, f"{workspace}#{identity}", message_id)

    def latest(self, workspace: str, identity: Identity, before: datetime | None, limit: int) -> list[Event]:
        """An identity's events, latest first, received at or before an instant: one query."""
        index = self._items.received
        condition = None if before is None else self._items.received_at <= to_text(before)
        with faults():
            found = index.query(
                f"{workspace}#{identity}", condition, scan_index_forward=False, limit=limit, consistent_read=True
            )
            return [self.entity(item) for item in found]

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
        workspace, _, identity = item.pk.partition("#")
        return _entity(workspace, identity, item.sk, item.received_at, item.type, item.name or "", item.body)

    def _item(self, event: Event) -> EventItem:
        return self._items(f"{event.workspace}#{event.identity}", event.message_id, **_attributes(event))

    def _insert(self, event: Event) -> dict[str, Any]:
        values = {"pk": f"{event.workspace}#{event.identity}", "sk": event.message_id, **_attributes(event)}
        values = {name: value for name, value in values.items() if value is not None}
        fields = ", ".join(f"'{name}': ?" for name in values)
        return {
            "Statement": f'INSERT INTO "{self._items.Meta.table_name}" VALUE {{{fields}}}',
            "Parameters": [{"S": value} for value in values.values()],
        }


def from_stream(image: Mapping[str, Mapping[str, str]]) -> Event:
    """The event in a stream record's new image. Raises KeyError or ValueError for an image that is none."""
    workspace, _, identity = image["pk"]["S"].partition("#")
    name = image.get("name", {}).get("S", "")
    return _entity(
        workspace, identity, image["sk"]["S"], image["received_at"]["S"], image["type"]["S"], name, image["body"]["S"]
    )


def _attributes(event: Event) -> dict[str, Any]:
    """What is stored beside the key. The rest goes in as one JSON text, leaving out what is empty: bytes cost."""
    body = {
        "at": to_text(event.timestamp),
        "user": event.user_id,
        "anon": event.anonymous_id,
        "original": to_text(event.original_timestamp) if event.original_timestamp else "",
        "sent": to_text(event.sent_at) if event.sent_at else "",
        "properties": dict(event.properties),
        "traits": dict(event.traits),
        "context": dict(event.context),
        "cause": dict(event.cause),
    }
    text = json.dumps({k: v for k, v in body.items() if v}, separators=(",", ":"), ensure_ascii=False)
    return {
        "received_at": to_text(event.received_at),
        "type": event.type,
        "name": event.name or None,
        "body": text,
    }


def _entity(workspace: str, identity: str, sk: str, received_at: str, kind: str, name: str, body: str) -> Event:
    rest = json.loads(body)
    return Event(
        workspace=workspace,
        identity=Identity.parse(identity),
        message_id=sk,
        type=kind,
        name=name,
        received_at=from_text(received_at),
        timestamp=from_text(rest["at"]),
        user_id=rest.get("user", ""),
        anonymous_id=rest.get("anon", ""),
        original_timestamp=from_text(rest["original"]) if "original" in rest else None,
        sent_at=from_text(rest["sent"]) if "sent" in rest else None,
        properties=rest.get("properties", {}),
        traits=rest.get("traits", {}),
        context=rest.get("context", {}),
        cause=rest.get("cause", {}),
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
