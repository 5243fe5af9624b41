"""The table of events: written once each, read as timelines."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from operator import and_
from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection, LocalSecondaryIndex

from tidings.activity import body
from tidings.activity.chain import Node, NodeKind
from tidings.activity.model import SYSTEM, Event
from tidings.activity.pacing import Pace, Write, in_calls
from tidings.activity.timeline import CONVERSATIONS, Asked, Copy, Stretch
from tidings.contacts.model import Identity
from tidings.core.clock import SystemClock, Waiting, from_text, to_text
from tidings.core.errors import Throttled, Unavailable
from tidings.core.store import THROTTLES, ConditionFailed, Database, Item, Key, Part, faults, put

STATEMENTS = 25
# DynamoDB's keys of indexes hold 2,048 bytes, and an event's node may be longer: two ids, every byte of them escaped.
CAUSE_BYTES = 1024


class ReceivedIndex(LocalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """One identity's events by the time they were received."""

    class Meta:
        index_name = "received"
        projection = AllProjection()

    pk = UnicodeAttribute(hash_key=True)
    received_at = UnicodeAttribute(range_key=True)


class CausedIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """The events that a node led to, by the time they were received: their keys."""

    class Meta:
        index_name = "caused"
        projection = KeysOnlyProjection()

    caused_by = UnicodeAttribute(hash_key=True)
    received_at = UnicodeAttribute(range_key=True)


class EventItem(Item):
    received_at = UnicodeAttribute()
    type = UnicodeAttribute()
    name = UnicodeAttribute(null=True)
    body = UnicodeAttribute(null=True)
    packed = BinaryAttribute(null=True, legacy_encoding=False)
    expires_at = NumberAttribute(null=True)
    caused_by = UnicodeAttribute(null=True)
    root = UnicodeAttribute(null=True)
    visit = UnicodeAttribute(null=True)
    received = ReceivedIndex()
    caused = CausedIndex()


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

    def latest(
        self, workspace: str, identity: Identity, before: datetime | None, asked: Asked, size: int
    ) -> Iterator[Stretch]:
        """An identity's events, latest first, received at or before an instant: a query of `size` for each taken."""
        before = min((at for at in (before, asked.until) if at), default=None)
        if before and asked.since and asked.since > before:
            return
        table = self._items
        condition: Condition | None = None
        if asked.since and before:
            condition = table.received_at.between(to_text(asked.since), to_text(before))
        elif asked.since:
            condition = table.received_at >= to_text(asked.since)
        elif before:
            condition = table.received_at <= to_text(before)
        found = table.received.query(
            f"{workspace}#{identity}",
            condition,
            filter_condition=self._filter(asked),
            scan_index_forward=False,
            page_size=size,
            consistent_read=True,
        )
        with faults():
            for page in found.page_iter:
                last = page.get("LastEvaluatedKey")
                events = [self.entity(table.from_raw_data(item)) for item in page["Items"]]
                yield Stretch(events, from_text(last["received_at"]["S"]) if last else None)

    def _filter(self, asked: Asked) -> Condition | None:
        table = self._items
        conditions: list[Condition] = []
        if asked.types:
            conditions.append(table.type.is_in(*asked.types))
        if asked.name:
            conditions.append(table.name == asked.name)
        if asked.about:
            of_messages = table.name.startswith(asked.about) | table.name.startswith(CONVERSATIONS)
            conditions += [table.type == SYSTEM, of_messages]
        return reduce(and_, conditions) if conditions else None

    def received(self, workspace: str, copies: Collection[Copy]) -> dict[Copy, datetime]:
        """When messages were received under identities, as far as they were: one batched read for each 100."""
        keys = {self.key(workspace, identity, message): (identity, message) for identity, message in copies}
        return {keys[key]: from_text(item.received_at) for key, item in self._database.batch_get(keys).items()}

    def named_since(self, workspace: str, identity: Identity, since: datetime | None, *names: str) -> Iterator[Event]:
        """An identity's events of some names, received at an instant or later, in order; read consistently.

        One query for each megabyte of what came since, however many names; none for no names.
        """
        if not names:
            return
        index = self._items.received
        condition = None if since is None else self._items.received_at >= to_text(since)
        with faults():
            for item in index.query(
                f"{workspace}#{identity}",
                condition,
                filter_condition=self._items.name.is_in(*names),
                consistent_read=True,
            ):
                yield self.entity(item)

    def of_system(self, workspace: str, identity: Identity, names: Collection[str]) -> Iterator[Event]:
        """What the system told under an identity by some names, in order; read consistently."""
        wanted = (self._items.type == SYSTEM) & self._items.name.is_in(*names)
        with faults():
            for item in self._items.received.query(
                f"{workspace}#{identity}", filter_condition=wanted, consistent_read=True
            ):
                yield self.entity(item)

    def visits_since(self, workspace: str, identity: Identity, since: datetime) -> list[Event]:
        """An identity's visits from links in mails of ours, received at an instant or later; read consistently."""
        own = self._items.visit.does_not_exist() & self._items.root.exists()
        message = self._items.caused_by.startswith(f"{workspace}#{NodeKind.MESSAGE.value}:")
        return self._told_since(workspace, identity, since, own & message)

    def told_since(self, workspace: str, identity: Identity, since: datetime) -> list[Event]:
        """What an identity told, received at an instant or later, of which it does not say itself what led to it."""
        told = self._items.caused_by.does_not_exist() | self._items.visit.exists()
        return self._told_since(workspace, identity, since, told)

    def caused_by(self, workspace: str, cause: Node, most: int) -> list[Key]:
        """Where the events stand that a node led to, earliest first; seconds after they were stored. One query."""
        place = _caused_by(workspace, cause)
        if not place:
            return []
        with faults():
            found = self._items.caused.query(place, limit=most)
            return [Key(self._items, item.pk, item.sk) for item in found]

    def find_root(self, event: Event, root: Node) -> None:
        """Write down what began the chain of a stored event: one write. A repeat changes nothing."""
        table = self._items
        known = table.pk.exists() & table.root.does_not_exist()
        self._try(event, [table.root.set(str(root))], known)

    def follow(self, event: Event, cause: Node, root: Node, visit: str) -> None:
        """Write down that an event that has no cause of its own followed a visit: one write.

        `visit` tells the visits of a contact apart and sorts by their time: of two, the later stands, whichever came
        first. A repeat changes nothing.
        """
        table = self._items
        free = table.caused_by.does_not_exist() | (table.visit < visit)
        key = _caused_by(event.workspace, cause)
        actions = [table.caused_by.set(key), table.root.set(str(root)), table.visit.set(visit)]
        self._try(event, actions, table.pk.exists() & free)

    def forget_cause(self, event: Event) -> None:
        """Take away a cause that turned out to be none: one write. A repeat changes nothing."""
        table = self._items
        own = table.caused_by.exists() & table.visit.does_not_exist() & table.root.does_not_exist()
        self._try(event, [table.caused_by.remove()], own)

    def _try(self, event: Event, actions: Sequence[Action], condition: Condition) -> None:
        try:
            with faults():
                self._items(f"{event.workspace}#{event.identity}", event.message_id).update(list(actions), condition)
        except ConditionFailed:
            return

    def _told_since(self, workspace: str, identity: Identity, since: datetime, condition: Condition) -> list[Event]:
        # An event is never told before it happened: whatever happened since was received since.
        index, outside = self._items.received, self._items.type != SYSTEM
        with faults():
            found = index.query(
                f"{workspace}#{identity}",
                self._items.received_at >= to_text(since),
                filter_condition=condition & outside,
                consistent_read=True,
            )
            return [self.entity(item) for item in found]

    def all_of(self, workspace: str, identity: Identity) -> Iterator[Event]:
        """An identity's events in the order they were received; read consistently."""
        with faults():
            for item in self._items.received.query(f"{workspace}#{identity}", consistent_read=True):
                yield self.entity(item)

    def entity(self, item: EventItem) -> Event:
        """The event that a read item is."""
        texts = {name: getattr(item, name) for name in ("pk", "sk", "received_at", "type", "name", "caused_by", "root")}
        texts["body"] = item.body if item.packed is None else body.unpack(item.packed)
        return _entity({name: text for name, text in texts.items() if text is not None})

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
    return _entity(texts)


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
    key = "" if event.cause is None else _caused_by(event.workspace, event.cause)
    if key:
        texts["caused_by"] = key
    text = body.write(replace(event, cause=None) if key else event)
    packed = body.pack(text, sum(len(name) + len(value.encode()) for name, value in texts.items()))
    return {**texts, "body": text} if packed is None else {**texts, body.PACKED: packed}


def _entity(texts: Mapping[str, str]) -> Event:
    workspace, _, identity_text = texts["pk"].partition("#")
    identity = Identity.parse(identity_text)
    event = Event(
        workspace=workspace,
        identity=identity,
        message_id=texts["sk"],
        type=texts["type"],
        name=texts.get("name", ""),
        received_at=from_text(texts["received_at"]),
        **body.read(texts["body"], identity),
    )
    _, _, cause = texts.get("caused_by", "").partition("#")
    if cause:
        event = replace(event, cause=Node.parse(cause))
    return replace(event, root=Node.parse(texts["root"])) if "root" in texts else event


def _caused_by(workspace: str, cause: Node) -> str:
    """The key under which the index finds what a node led to; empty for a node that no key can hold."""
    text = f"{workspace}#{cause}"
    return text if len(text.encode()) <= CAUSE_BYTES else ""


def _inserted(response: Mapping[str, Any]) -> bool:
    code = response.get("Error", {}).get("Code", "")
    if not code:
        return True
    if code == "DuplicateItem":
        return False
    if code in THROTTLES:
        raise Throttled("write_throttled", "The database is busy.")
    raise Unavailable("database_failed", f"The database answered {code}.")
