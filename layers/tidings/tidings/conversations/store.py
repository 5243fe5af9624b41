"""The table of conversations: who has which open, the conversations, what stands in them, and what came in already.

A contact's `head` has a copy of each conversation that is open, so that a message that comes in finds all it needs in
one batched read. The copy and the conversation change in the same transaction, and with them the counts by inbox and
state: a count says what is so, whatever was repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from pynamodb.attributes import MapAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from tidings.consent.model import Channel
from tidings.conversations import keeping
from tidings.conversations.model import Conversation, Entry, Stretch, Taken
from tidings.core.clock import epoch, to_text
from tidings.core.ids import contact_of_message, shard
from tidings.core.store import Database, Item, JsonAttribute, Key, Part, SingleItem, check, delete, faults, put, update

# Over how many parts of the index the conversations of an inbox in a state are spread, and over how many items the
# counts of a workspace: a partition takes 1,000 write units a second.
LISTED_SHARDS = 2
COUNT_SHARDS = 8
# Longer than any queue repeats what came in, set aside and sent again included.
SEEN_KEPT = timedelta(days=90)
# Among how many of the latest entries a repeat is looked for.
RECENT = 100

HEAD = "head"
_PLACE = "."
CONVERSATION, ENTRY, MAIL = "conversation#", "entry#", "mail#"
Place = tuple[str, str]  # an inbox and a state


class ListedIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """The conversations of an inbox in a state, by when their latest message was."""

    class Meta:
        index_name = "listed"
        projection = AllProjection()

    listed = UnicodeAttribute(hash_key=True)
    last_at = UnicodeAttribute(range_key=True)


class HeadItem(Item):
    open: MapAttribute[str, Any] = MapAttribute(null=True)  # type: ignore[no-untyped-call]
    version = NumberAttribute()


class ConversationItem(Item):
    listed = UnicodeAttribute()
    last_at = UnicodeAttribute()
    agent = UnicodeAttribute(null=True)
    channel = UnicodeAttribute()
    revision = NumberAttribute()
    body = JsonAttribute(default=dict)
    by_listed = ListedIndex()


class EntryItem(Item):
    direction = UnicodeAttribute()
    text = UnicodeAttribute(null=True)
    body = JsonAttribute(default=dict)


class SeenItem(Item):
    contact = UnicodeAttribute()
    conversation = UnicodeAttribute()
    entry = UnicodeAttribute()
    expires_at = NumberAttribute()


class CountItem(SingleItem):
    """Counts by inbox and state: an attribute for each that ever was, such as `default new`."""


@dataclass(frozen=True, slots=True)
class Head:
    """The open conversations of a contact by their ids; `version` grows as one begins or ends, 0 if there were none."""

    workspace: str
    contact: str
    open: Mapping[str, Conversation] = field(default_factory=dict)
    version: int = 0

    @property
    def latest(self) -> Conversation | None:
        """The one that was last written in."""
        return max(self.open.values(), key=lambda one: (one.last_at, one.id), default=None)


class DynamoConversationStore:
    """Conversations in DynamoDB."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # First, since the connection learns a table's indexes from the first kind of item that stands in it.
        self._conversations = database.table(ConversationItem, "conversations")
        self._heads = database.table(HeadItem, "conversations")
        self._entries = database.table(EntryItem, "conversations")
        self._seen = database.table(SeenItem, "conversations")

    @cached_property
    def _counts(self) -> type[CountItem]:
        return self._database.table(CountItem, "counters")

    # ---- where things stand, for batched reads ----------------------------------------------------------------------

    def head_key(self, workspace: str, contact: str) -> Key:
        """Where it stands which conversations of a contact are open."""
        return Key(self._heads, f"{workspace}#{contact}", HEAD)

    def key(self, workspace: str, conversation: str) -> Key:
        """Where a conversation stands; its id contains the contact."""
        return Key(self._conversations, _pk(workspace, conversation), f"{CONVERSATION}{conversation}")

    def seen_key(self, workspace: str, channel: Channel, provider_id: str) -> Key:
        """Where it stands that a message came in before."""
        return Key(self._seen, _seen(workspace, channel, provider_id), _PLACE)

    def head(self, workspace: str, contact: str, item: HeadItem | None) -> Head:
        """What a read head says; None for a contact that never had a conversation."""
        if item is None:
            return Head(workspace, contact)
        texts: dict[str, str] = item.open.as_dict() if item.open else {}  # type: ignore[no-untyped-call]
        found = {
            one: keeping.conversation(workspace, contact_of_message(one), one, json.loads(text))
            for one, text in texts.items()
        }
        return Head(workspace, contact, found, int(item.version))

    def entity(self, item: ConversationItem) -> Conversation:
        """The conversation that a read item is."""
        workspace, _, contact = item.pk.partition("#")
        return keeping.conversation(workspace, contact, item.sk.removeprefix(CONVERSATION), item.body)

    def taken(self, item: SeenItem) -> Taken:
        """What became of a message when it came in first."""
        return Taken(item.contact, item.conversation, item.entry, repeated=True)

    # ---- reading ----------------------------------------------------------------------------------------------------

    def get(self, workspace: str, conversation: str) -> Conversation | None:
        """A conversation by its id: one consistent read."""
        key = self.key(workspace, conversation)
        item = self._database.batch_get([key]).get(key)
        return None if item is None else self.entity(item)

    def read_head(self, workspace: str, contact: str) -> Head:
        """Which conversations of a contact are open: one consistent read."""
        key = self.head_key(workspace, contact)
        return self.head(workspace, contact, self._database.batch_get([key]).get(key))

    def of_contacts(self, workspace: str, contacts: Sequence[str]) -> list[Conversation]:
        """All conversations that stand under these contacts' ids: one query for each, consistent."""
        found: list[Conversation] = []
        for contact in contacts:
            condition = self._conversations.sk.startswith(CONVERSATION)
            with faults():
                items = self._conversations.query(f"{workspace}#{contact}", condition, consistent_read=True)
                found += [self.entity(item) for item in items]
        return found

    def entries(self, workspace: str, conversation: str, after: str, most: int, latest: bool = False) -> list[Entry]:
        """Up to `most` entries of a conversation by their time, the earliest first or the latest: one query.

        `after` is the `order` of the last one that was seen, empty to begin.
        """
        pk, place = _pk(workspace, conversation), f"{ENTRY}{conversation}#"
        start = {"pk": {"S": pk}, "sk": {"S": f"{place}{after}"}} if after else None
        with faults():
            found = self._entries.query(
                pk,
                self._entries.sk.startswith(place),
                limit=most,
                last_evaluated_key=start,
                scan_index_forward=not latest,
                consistent_read=True,
            )
            return [read_entry(item) for item in found]

    def entry_with(self, workspace: str, conversation: str, entry: str) -> Entry | None:
        """The entry of an id, among the latest that a conversation has: one query."""
        found = self.entries(workspace, conversation, "", RECENT, latest=True)
        return next((one for one in found if one.id == entry), None)

    def listed(
        self, workspace: str, place: Place, number: int, until: str, size: int, **only: str
    ) -> Iterator[Stretch]:
        """The conversations of an inbox and state in one part of the index, latest first: a query for each stretch.

        They stand in it within moments. Each stretch reads up to `size`. `until` is the `last_at` of the first, empty
        for the latest; `only` names an `agent` or a `channel` that all of them have: those of others are read and left
        out.
        """
        table, condition = self._conversations, None
        for name, value in only.items():
            one = getattr(table, name) == value
            condition = one if condition is None else condition & one
        found = table.by_listed.query(
            f"{workspace}#{place[0]}#{place[1]}#{number}",
            table.last_at <= until if until else None,
            filter_condition=condition,
            page_size=size,
            scan_index_forward=False,
        )
        with faults():
            for page in found.page_iter:
                last = page.get("LastEvaluatedKey")
                read = [self.entity(table.from_raw_data(item)) for item in page["Items"]]
                yield Stretch(read, page["ScannedCount"], last["last_at"]["S"] if last else "")

    def counts(self, workspace: str) -> dict[Place, int]:
        """How many conversations each inbox has in each state, without those that have none: one batched read."""
        keys = [{"pk": {"S": _counted(workspace, number)}} for number in range(COUNT_SHARDS)]
        table = self._counts.Meta.table_name
        # Not by the model, which knows no attribute that is named by what occurred.
        request: dict[str, Any] = {table: {"Keys": keys, "ConsistentRead": True}}
        found: dict[Place, int] = {}
        while request:
            answer = self._database.dispatch("BatchGetItem", {"RequestItems": request})
            for item in answer.get("Responses", {}).get(table, ()):
                for name, value in item.items():
                    if "N" in value:
                        inbox, _, state = name.rpartition(" ")
                        found[inbox, state] = found.get((inbox, state), 0) + int(value["N"])
            request = answer.get("UnprocessedKeys") or {}
        return {place: number for place, number in found.items() if number}

    # ---- writing ----------------------------------------------------------------------------------------------------

    def opening(self, conversation: Conversation, head: Head) -> list[Part]:
        """A new conversation: refused if another of its contact began or ended since the head was read."""
        return [
            put("conversation", self._item(conversation), self._conversations.pk.does_not_exist()),
            self._join(conversation, head),
            self._count(conversation, {_place(conversation): 1}),
        ]

    def changing(self, before: Conversation, after: Conversation) -> list[Part]:
        """A changed conversation, with what follows for its head and the counts.

        Refused if it changed since it was read. `after` has the next revision.
        """
        same = self._conversations.revision == before.revision
        parts = [put("conversation", self._item(after), same)]
        if before.is_open:
            parts.append(self._in_head(before, after))
        if _place(before) != _place(after):
            parts.append(self._count(after, {_place(before): -1, _place(after): 1}))
        return parts

    def unchanged(self, head: Head) -> Part:
        """That no conversation of a contact began or ended since its head was read."""
        item = self._heads(f"{head.workspace}#{head.contact}", HEAD)
        return check("head", item, self._as_read(head))

    def replaced(self, head: Head, now_open: Mapping[str, Conversation]) -> Part:
        """A head with other conversations: refused if one began or ended since it was read."""
        item = self._heads(f"{head.workspace}#{head.contact}", HEAD, version=head.version + 1)
        item.open = {name: _text(one) for name, one in now_open.items()}
        return put("head", item, self._as_read(head))

    def moving(self, before: Conversation, after: Conversation) -> Part:
        """A conversation that another contact has now; refused if it changed since it was read."""
        return put("conversation", self._item(after), self._conversations.revision == before.revision)

    def _as_read(self, head: Head) -> Condition:
        same: Condition = self._heads.version == head.version
        none: Condition = self._heads.pk.does_not_exist()
        return same if head.version else none

    def deleting(self, conversation: Conversation) -> list[Part]:
        """A conversation goes, and its count; refused if it changed since it was read."""
        item, same = self._item(conversation), self._conversations.revision == conversation.revision
        return [delete("conversation", item, same), self._count(conversation, {_place(conversation): -1})]

    def entry_keys(self, workspace: str, contact: str, most: int) -> list[Key]:
        """Where up to `most` entries and whole mails of a contact stand: one query behind the conversations."""
        condition = self._entries.sk >= ENTRY
        with faults():
            found = self._entries.query(f"{workspace}#{contact}", condition, limit=most, consistent_read=True)
            return [Key(self._entries, item.pk, item.sk) for item in found if item.sk != HEAD]

    def present(self, conversation: Conversation) -> Part:
        """That a conversation is still there: refused once it was erased."""
        return check("conversation", self._item(conversation), self._conversations.pk.exists())

    def absent(self, workspace: str, conversation: str) -> Part:
        """That a conversation was not begun yet."""
        key, table = self.key(workspace, conversation), self._conversations
        return check("conversation", table(key.pk, key.sk), table.pk.does_not_exist())

    def entry_part(self, workspace: str, conversation: str, entry: Entry) -> Part:
        """What stands in a conversation, by its time; written again it is the same."""
        item = self._entries(
            _pk(workspace, conversation),
            f"{ENTRY}{conversation}#{order_of(entry)}",
            direction=entry.direction.value,
            text=entry.text or None,
            body=keeping.kept_entry(entry),
        )
        return put("entry", item)

    def seen_part(self, workspace: str, channel: Channel, provider_id: str, taken: Taken, now: datetime) -> Part:
        """That a message came in; refused if it did before."""
        item = self._seen(
            _seen(workspace, channel, provider_id),
            _PLACE,
            contact=taken.contact,
            conversation=taken.conversation,
            entry=taken.entry,
            expires_at=epoch(now + SEEN_KEPT),
        )
        return put("seen", item, self._seen.pk.does_not_exist())

    def _item(self, conversation: Conversation) -> ConversationItem:
        number = shard(conversation.id, LISTED_SHARDS)
        return self._conversations(
            f"{conversation.workspace}#{conversation.contact}",
            f"{CONVERSATION}{conversation.id}",
            listed="#".join((conversation.workspace, *_place(conversation), str(number))),
            last_at=to_text(conversation.last_at),
            agent=conversation.agent or None,
            channel=conversation.channel.value,
            revision=conversation.revision,
            body=keeping.kept(conversation),
        )

    def _join(self, conversation: Conversation, head: Head) -> Part:
        """One more in a head."""
        table = self._heads
        item = table(f"{head.workspace}#{head.contact}", HEAD)
        if not head.version:
            return self.replaced(head, {conversation.id: conversation})
        actions: list[Action] = [table.open[conversation.id].set(_text(conversation)), table.version.add(1)]
        return update("head", item, actions, self._as_read(head))

    def _in_head(self, before: Conversation, after: Conversation) -> Part:
        """The copy in the head of who has it: changed with it, or taken out as it ends."""
        table = self._heads
        copy = table.open[before.id]
        actions: list[Action] = [copy.set(_text(after))] if after.is_open else [copy.remove(), table.version.add(1)]
        item = table(f"{before.workspace}#{before.person}", HEAD)
        return update("head", item, actions, copy.exists())

    def _count(self, conversation: Conversation, by: Mapping[Place, int]) -> Part:
        item = self._counts(_counted(conversation.workspace, shard(conversation.id, COUNT_SHARDS)))
        return update("count", item, [_counter(place).add(number) for place, number in by.items()])


def order_of(entry: Entry) -> str:
    """Where an entry stands in its conversation: texts that sort by time, and within one instant by id."""
    return f"{to_text(entry.at)}#{entry.id}"


def _pk(workspace: str, conversation: str) -> str:
    return f"{workspace}#{contact_of_message(conversation)}"


def _seen(workspace: str, channel: Channel, provider_id: str) -> str:
    return f"{workspace}#seen#{channel.value}#{provider_id}"


def _counted(workspace: str, number: int) -> str:
    return f"{workspace}#conversations#{number}"


def _place(conversation: Conversation) -> Place:
    return conversation.inbox, conversation.state.value


def _counter(place: Place) -> NumberAttribute:
    return NumberAttribute(attr_name=" ".join(place))


def _text(conversation: Conversation) -> str:
    return json.dumps(keeping.kept(conversation), separators=(",", ":"), ensure_ascii=False)


def read_entry(item: EntryItem) -> Entry:
    """The entry that a read item is."""
    _, _, at, entry = item.sk.split("#")
    return keeping.entry(entry, at, item.direction, item.text or "", item.body)
