"""The table of sends: one item for each, its recipients in parts, its files in pieces, and what became of them.

Parts and pieces are written once and have partitions of their own: a send of megabytes written at once would be more
than one partition takes. They are gone when they are worked off, for they hold addresses. What became of each part
stands beside the send.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from tidings.consent.model import Kind
from tidings.core import cursors
from tidings.core.clock import epoch, from_text, to_text
from tidings.core.ids import shard
from tidings.core.store import ConditionFailed, Database, Item, JsonAttribute, Key, delete, faults, put, update
from tidings.email.send_model import OVER, File, Outcome, Progress, Send, SendState
from tidings.messages.call_store import other_body
from tidings.messages.model import OnUnknown

KEPT = timedelta(days=60)  # after the instant of a send: problems can be read, and a repeat answered, for so long
OPEN_SHARDS = 4
# A send that nothing was heard of for so long has lost its message, or its execution.
STALLED = timedelta(minutes=30)
PART_BYTES = 350_000
PART_RECIPIENTS = 25

Json = dict[str, Any]


class OpenIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Sends that are not over, by when something should have happened."""

    class Meta:
        index_name = "open"
        projection = KeysOnlyProjection()

    open = UnicodeAttribute(hash_key=True)
    due_at = UnicodeAttribute(range_key=True)


class ListedIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """The sends of a workspace, latest last."""

    class Meta:
        index_name = "listed"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class SendItem(Item):
    state = UnicodeAttribute()
    request = UnicodeAttribute()
    order = JsonAttribute()
    version = NumberAttribute()
    parts = NumberAttribute()
    finished = NumberAttribute()
    starts = NumberAttribute()
    at = UnicodeAttribute(null=True)
    begun_at = UnicodeAttribute(null=True)
    ended_at = UnicodeAttribute(null=True)
    open = UnicodeAttribute(null=True)
    due_at = UnicodeAttribute(null=True)
    listed = UnicodeAttribute()
    created_at = UnicodeAttribute()
    expires_at = NumberAttribute()
    open_index = OpenIndex()
    listed_index = ListedIndex()


class PartItem(Item):
    recipients = JsonAttribute()
    first = NumberAttribute()
    expires_at = NumberAttribute()


class PieceItem(Item):
    content = BinaryAttribute(legacy_encoding=False)
    expires_at = NumberAttribute()


class ProgressItem(Item):
    outcomes = JsonAttribute()
    complete = BooleanAttribute()
    expires_at = NumberAttribute()


class DynamoSendStore:
    """Sends in DynamoDB."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sends = database.table(SendItem, "sends")
        self._parts = database.table(PartItem, "sends")
        self._pieces = database.table(PieceItem, "sends")
        self._progress = database.table(ProgressItem, "sends")

    # --- keeping ----------------------------------------------------------------------------------------------------

    def write_recipients(self, send: Send, parts: Sequence[tuple[int, Sequence[Json]]]) -> None:
        """Write all parts, each with the place of its first recipient; a repeat writes the same."""
        expires = epoch(_kept_until(send))
        self._database.batch_write(
            self._parts(*_part(send, number), recipients=list(recipients), first=first, expires_at=expires)
            for number, (first, recipients) in enumerate(parts)
        )

    def write_file(self, send: Send, number: int, pieces: Sequence[bytes]) -> None:
        """Write the bytes of a file; a repeat writes the same."""
        expires = epoch(_kept_until(send))
        self._database.batch_write(
            self._pieces(*_piece(send, number, place), content=piece, expires_at=expires)
            for place, piece in enumerate(pieces)
        )

    def add(self, send: Send) -> Send:
        """Keep a send whose parts are written; the one that is there if it was kept before. Raises Conflict."""
        try:
            with faults():
                self._item(send).save(condition=self._sends.pk.does_not_exist())
        except ConditionFailed:
            stored = self.get(send.workspace, send.id)
            if stored is None or stored.request != send.request:
                raise other_body() from None
            return stored
        return send

    # --- reading ----------------------------------------------------------------------------------------------------

    def key(self, workspace: str, send: str) -> Key:
        """Where a send stands, for a batched read."""
        return Key(self._sends, *_send(workspace, send))

    def get(self, workspace: str, send: str) -> Send | None:
        """A send: one consistent read."""
        key = self.key(workspace, send)
        item = self._database.batch_get([key]).get(key)
        return None if item is None else self.entity(item)

    def part_key(self, send: Send, number: int) -> Key:
        """Where the recipients of a part stand, for a batched read."""
        return Key(self._parts, *_part(send, number))

    def progress_key(self, send: Send, number: int) -> Key:
        """Where it stands what became of a part, for a batched read."""
        return Key(self._progress, *_done(send, number))

    def recipients(self, item: PartItem) -> tuple[int, list[Json]]:
        """The recipients that a read part holds, and the place of the first."""
        return int(item.first), list(item.recipients)

    def progress(self, item: ProgressItem) -> Progress:
        """The progress that a read item is."""
        outcomes = {int(place): Outcome(*told) for place, told in item.outcomes.items()}
        return Progress(int(item.sk.rpartition("#")[2]), outcomes, bool(item.complete))

    def all_progress(self, send: Send) -> list[Progress]:
        """What became of every part that was begun, in order: at most 200 small items, one query a megabyte."""
        with faults():
            found = self._progress.query(
                _send(send.workspace, send.id)[0], self._progress.sk.startswith("done#"), consistent_read=True
            )
            return [self.progress(item) for item in found]

    def file(self, send: Send, number: int) -> bytes:
        """The bytes of a file. Raises KeyError where a piece is gone."""
        keys = [Key(self._pieces, *_piece(send, number, place)) for place in range(send.files[number].pieces)]
        found = self._database.batch_get(keys)
        return b"".join(found[key].content for key in keys)

    def page(self, workspace: str, limit: int, cursor: str) -> tuple[list[Send], str]:
        """Sends of a workspace, latest first, and the cursor of the next page: one query and one batched read."""
        scope = (workspace, "sends")
        place = cursors.read(scope, cursor, str, str)
        after = None
        if place is not None:
            pk, sk = _send(workspace, place[1])
            after = {"pk": {"S": pk}, "sk": {"S": sk}, "listed": {"S": workspace}, "created_at": {"S": place[0]}}
        with faults():
            found = self._sends.listed_index.query(
                workspace, limit=limit, scan_index_forward=False, last_evaluated_key=after
            )
            listed = list(found)
            more = found.last_evaluated_key is not None
        keys = [Key(self._sends, item.pk, item.sk) for item in listed]
        items = self._database.batch_get(keys)
        sends = [self.entity(items[key]) for key in keys if key in items]
        last = sends[-1] if sends else None
        return sends, cursors.write(scope, (to_text(last.created_at), last.id)) if more and last else ""

    def stalled(self, number: int, before: datetime) -> list[tuple[str, str]]:
        """Workspace and id of the sends of one shard of which something was due before an instant, at most 100."""
        with faults():
            found = self._sends.open_index.query(
                f"open#{number}", self._sends.due_at < to_text(before), limit=100, page_size=100
            )
            return [(item.pk.partition("#")[0], item.pk.partition("#")[2]) for item in found]

    # --- moving -----------------------------------------------------------------------------------------------------

    def begin(self, send: Send, version: int, at: datetime) -> bool:
        """Let a scheduled send begin, with this version of its template; False if it is no longer scheduled."""
        table = self._sends
        actions = [
            table.state.set(SendState.SENDING.value),
            table.version.set(version),
            table.begun_at.set(to_text(at)),
            table.due_at.set(to_text(at + STALLED)),
        ]
        return self._moved(send, actions, table.state == SendState.SCHEDULED.value)

    def cancel(self, send: Send, at: datetime) -> bool:
        """End a send that is not over; False if it is."""
        table = self._sends
        actions = [table.state.set(SendState.CANCELLED.value), table.ended_at.set(to_text(at)), *self._closed()]
        open_states = table.state.is_in(*(state.value for state in SendState if state not in OVER))
        return self._moved(send, actions, open_states)

    def touch(self, send: Send, now: datetime) -> None:
        """Note that something happened to a send that is under way."""
        later = [self._sends.due_at.set(to_text(now + STALLED))]
        self._moved(send, later, self._sends.state == SendState.SENDING.value)

    def started(self, send: Send) -> int:
        """Count one more execution that waits for the send; which one it is."""
        item = self._at(send)
        with faults():
            item.update([self._sends.starts.add(1)], condition=self._sends.pk.exists())
        return int(item.starts)

    def save_progress(self, send: Send, progress: Progress, now: datetime) -> None:
        """Keep what became of a part; the last of it goes with the removal of its recipients, and is counted once.

        Raises ConditionFailed if somebody kept it whole before.
        """
        item = self._progress(
            *_done(send, progress.number),
            outcomes={str(place): list(outcome) for place, outcome in progress.outcomes.items()},
            complete=progress.complete,
            expires_at=epoch(_kept_until(send)),
        )
        unfinished: Condition = self._progress.pk.does_not_exist() | (self._progress.complete == False)  # noqa: E712
        if not progress.complete:
            with faults():
                item.save(condition=unfinished)
            return
        table = self._sends
        counted: list[Action] = [table.finished.add(1), table.due_at.set(to_text(now + STALLED))]
        parts = [
            put("progress", item, unfinished),
            delete("part", self._parts(*_part(send, progress.number))),
            update("send", self._at(send), counted, table.state == SendState.SENDING.value),
        ]
        try:
            self._database.transact(parts)
        except ConditionFailed as error:
            if error.labels != {"send"}:
                raise
            self._database.transact(parts[:2])  # it was cancelled meanwhile: what went by then is told nevertheless

    def close(self, send: Send, at: datetime) -> bool:
        """End a send all of whose parts are worked off; False where some are not, or it is over."""
        table = self._sends
        actions = [table.state.set(SendState.DONE.value), table.ended_at.set(to_text(at)), *self._closed()]
        whole = (table.state == SendState.SENDING.value) & (table.finished >= send.parts)
        return self._moved(send, actions, whole)

    def forget_recipients(self, send: Send, parts: Iterable[int] | None = None) -> None:
        """Remove the recipients of parts that are worked off, or all of a send that is over; a repeat does the same."""
        gone = range(send.parts) if parts is None else parts
        self._database.batch_write(deletes=[self.part_key(send, number) for number in gone])

    def forget_files(self, send: Send) -> None:
        """Remove the files of a send that is over; a repeat does the same."""
        self._database.batch_write(
            deletes=[
                Key(self._pieces, *_piece(send, number, place))
                for number, file in enumerate(send.files)
                for place in range(file.pieces)
            ]
        )

    def entity(self, item: SendItem) -> Send:
        """The send that a read item is."""
        told: Mapping[str, Any] = item.order
        workspace, _, send = item.pk.partition("#")
        return Send(
            workspace=workspace,
            id=send,
            state=SendState(item.state),
            request=item.request,
            key=told["key"],
            template=told["template"],
            version=int(item.version),
            recipients=told["recipients"],
            parts=int(item.parts),
            created_at=from_text(item.created_at),
            at=_instant(item.at),
            begun_at=_instant(item.begun_at),
            ended_at=_instant(item.ended_at),
            kind=Kind(told["kind"]) if told["kind"] else None,
            topic=told["topic"],
            reply_to=told["reply_to"],
            tags=told["tags"],
            variables=told["variables"],
            files=tuple(File(*file) for file in told["files"]),
            on_unknown=OnUnknown(told["on_unknown"]),
            starts=int(item.starts),
        )

    def _item(self, send: Send) -> SendItem:
        order = {
            "key": send.key,
            "template": send.template,
            "recipients": send.recipients,
            "kind": send.kind.value if send.kind else "",
            "topic": send.topic,
            "reply_to": send.reply_to,
            "tags": dict(send.tags),
            "variables": dict(send.variables),
            "files": [[file.name, file.type, file.pieces] for file in send.files],
            "on_unknown": send.on_unknown.value,
        }
        return self._sends(
            *_send(send.workspace, send.id),
            state=send.state.value,
            request=send.request,
            order=order,
            version=send.version,
            parts=send.parts,
            finished=0,
            starts=0,
            at=to_text(send.at) if send.at else None,
            begun_at=to_text(send.begun_at) if send.begun_at else None,
            open=f"open#{shard(send.id, OPEN_SHARDS)}",
            due_at=to_text(send.at or send.created_at + STALLED),
            listed=send.workspace,
            created_at=to_text(send.created_at),
            expires_at=epoch(_kept_until(send)),
        )

    def _moved(self, send: Send, actions: Sequence[Action], condition: Condition) -> bool:
        try:
            with faults():
                self._at(send).update(list(actions), condition=condition)
        except ConditionFailed:
            return False
        return True

    def _closed(self) -> list[Action]:
        return [self._sends.open.remove(), self._sends.due_at.remove()]

    def _at(self, send: Send) -> SendItem:
        return self._sends(*_send(send.workspace, send.id))


def parts_of(recipients: Iterable[Json]) -> list[tuple[int, list[Json]]]:
    """Recipients in parts of at most 25 and 350,000 bytes of JSON, each part with the place of its first."""
    parts: list[tuple[int, list[Json]]] = []
    size = 0
    for place, one in enumerate(recipients):
        own = len(json.dumps(one, ensure_ascii=False).encode())
        if not parts or len(parts[-1][1]) == PART_RECIPIENTS or size + own > PART_BYTES:
            parts.append((place, []))
            size = 0
        parts[-1][1].append(one)
        size += own
    return parts


def pieces_of(content: bytes) -> list[bytes]:
    """A file in pieces that an item can hold."""
    return [content[start : start + PART_BYTES] for start in range(0, len(content), PART_BYTES)]


def cancelled(send: Send, at: datetime) -> Send:
    """The send as it stands when it was cancelled."""
    return replace(send, state=SendState.CANCELLED, ended_at=at)


def _send(workspace: str, send: str) -> tuple[str, str]:
    return f"{workspace}#{send}", "send"


def _done(send: Send, number: int) -> tuple[str, str]:
    return f"{send.workspace}#{send.id}", f"done#{number:05d}"


def _part(send: Send, number: int) -> tuple[str, str]:
    return f"{send.workspace}#{send.id}#part#{number}", "part"


def _piece(send: Send, number: int, place: int) -> tuple[str, str]:
    return f"{send.workspace}#{send.id}#file#{number}#{place}", "file"


def _kept_until(send: Send) -> datetime:
    return (send.at or send.created_at) + KEPT


def _instant(text: str | None) -> datetime | None:
    return from_text(text) if text else None
