"""The table of messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import MapAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from tidings.activity.chain import Node
from tidings.consent.model import Channel, Check, Kind
from tidings.core.clock import from_text, to_text
from tidings.core.ids import contact_of_message, shard
from tidings.core.store import Database, Item, JsonAttribute, Key, Part, faults, put, update
from tidings.messages.model import UNSUBSCRIBED, Decision, Message, State
from tidings.messages.rules import CLAIM_SHARDS, RANK, REPORT_SHARDS, USUAL


class AttentionIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Messages that are claimed and not settled, and those that ended as unknown."""

    class Meta:
        index_name = "attention"
        projection = AllProjection()

    attention = UnicodeAttribute(hash_key=True)
    claimed_at = UnicodeAttribute(range_key=True)


class ReportedIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Messages by what ordered them, latest last: keys only, which never change."""

    class Meta:
        index_name = "reported"
        projection = KeysOnlyProjection()

    reported = UnicodeAttribute(hash_key=True)
    claimed_at = UnicodeAttribute(range_key=True)


class MessageItem(Item):
    channel = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    rank = NumberAttribute()
    kind = UnicodeAttribute(null=True)
    template = UnicodeAttribute(null=True)
    template_version = NumberAttribute(null=True)
    address = UnicodeAttribute(null=True)
    subject = UnicodeAttribute(null=True)
    attempt = UnicodeAttribute(null=True)
    claimed_at = UnicodeAttribute(null=True)
    attention = UnicodeAttribute(null=True)
    provider_id = UnicodeAttribute(null=True)
    error = UnicodeAttribute(null=True)
    request = UnicodeAttribute(null=True)
    cause = JsonAttribute(null=True)
    root = UnicodeAttribute(null=True)
    erased_at = UnicodeAttribute(null=True)
    decision = JsonAttribute(null=True)
    history: MapAttribute[str, Any] = MapAttribute(null=True)  # type: ignore[no-untyped-call]
    expires_at = NumberAttribute(null=True)
    topic = UnicodeAttribute(null=True)
    send = UnicodeAttribute(null=True)
    resends = UnicodeAttribute(null=True)
    data = JsonAttribute(null=True)
    asked = JsonAttribute(null=True)
    attachments = JsonAttribute(null=True)
    earlier = JsonAttribute(null=True)
    marks = JsonAttribute(null=True)
    conversation = UnicodeAttribute(null=True)
    transport = JsonAttribute(null=True)
    reported = UnicodeAttribute(null=True)
    attention_index = AttentionIndex()
    reported_index = ReportedIndex()


class DynamoMessageStore:
    """Messages in DynamoDB, under their contact."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(MessageItem, "messages")

    def key(self, workspace: str, contact: str, message: str) -> Key:
        """Where a message stands, for a batched read."""
        return Key(self._items, f"{workspace}#{contact}", message)

    def get(self, workspace: str, message: str, consistent: bool = True) -> Message | None:
        """A message by its id, which contains its contact: one read."""
        with faults():
            try:
                item = self._items.get(
                    f"{workspace}#{contact_of_message(message)}", message, consistent_read=consistent
                )
            except self._items.DoesNotExist:
                return None
        return self.entity(item)

    def of_contact(self, workspace: str, contacts: Sequence[str]) -> list[Message]:
        """All messages of a contact, which goes by these ids: one query for each."""
        found: list[Message] = []
        for contact in contacts:
            with faults():
                items = self._items.query(f"{workspace}#{contact}", consistent_read=True)
                found += [self.entity(item) for item in items]
        return found

    def claims_older_than(self, number: int, before: datetime) -> list[Message]:
        """Messages of one shard that were claimed before an instant and are not settled."""
        return self._attention(_claimed(number), self._items.claimed_at < to_text(before))

    def claim(self, message: Message, over: Message | None) -> Part:
        """Take the right to send a message: only if nobody has it, or the attempt that is named has given it up."""
        return put("message", self._item(message), self._untouched(over))

    def skip(self, message: Message, over: Message | None) -> Part:
        """Record that a message is not sent."""
        return put("message", self._item(message), self._untouched(over))

    def settle(self, message: Message, state: State, at: datetime, provider_id: str = "", error: str = "") -> Part:
        """Record what the provider answered to one's own attempt; an event that came first stands."""
        table = self._items
        actions: list[Action] = [
            table.state.set(state.value),
            table.rank.set(RANK[state]),
            table.history[state.value].set(to_text(at)),
            table.attention.set(_unknown(message.workspace)) if state is State.UNKNOWN else table.attention.remove(),
        ]
        if provider_id:
            actions.append(table.provider_id.set(provider_id))
        if error:
            actions.append(table.error.set(error))
        return update("message", self._at(message), actions, self._own_claim(message))

    def write(self, part: Part) -> None:
        """Do a single update by itself. Raises ConditionFailed with the part's label."""
        with faults([part]):
            part.model.update(list(part.actions or ()), condition=part.condition)

    def give_up(self, message: Message, at: datetime) -> Part:
        """End a claim that never settled as unknown; refused if it settled meanwhile."""
        return self.settle(message, State.UNKNOWN, at)

    def left(self, message: Message, at: datetime) -> Part:
        """Note that the reader unsubscribed by a message; refused if that is noted already."""
        table = self._items
        new = table.pk.exists() & table.history[UNSUBSCRIBED].does_not_exist()
        return update("message", self._at(message), [table.history[UNSUBSCRIBED].set(to_text(at))], new)

    def entity(self, item: MessageItem) -> Message:
        """The message that a read item is."""
        workspace, _, contact = item.pk.partition("#")
        return Message(
            workspace=workspace,
            contact=contact,
            id=item.sk,
            channel=item.channel or "",
            state=State(item.state),
            kind=Kind(item.kind or Kind.MARKETING),
            template=item.template or "",
            template_version=int(item.template_version or 0),
            address=item.address or "",
            subject=item.subject or "",
            attempt=item.attempt or "",
            claimed_at=from_text(item.claimed_at) if item.claimed_at else None,
            provider_id=item.provider_id or "",
            error=item.error or "",
            request=item.request or "",
            cause=item.cause or {},
            root=Node.parse(item.root) if item.root else None,
            erased_at=from_text(item.erased_at) if item.erased_at else None,
            decision=_whole(item.decision, item.channel),
            history=item.history.as_dict() if item.history else {},  # type: ignore[no-untyped-call]
            topic=item.topic or "",
            send=item.send or "",
            resends=item.resends or "",
            data=item.data or {},
            asked=item.asked or {},
            attachments=tuple(item.attachments or ()),
            earlier=tuple(_whole(one, item.channel) for one in item.earlier or ()),
            marks=item.marks or {},
            conversation=item.conversation or "",
            transport=item.transport or {},
        )

    def _attention(self, place: str, condition: Condition | None = None) -> list[Message]:
        with faults():
            return [self.entity(item) for item in self._items.attention_index.query(place, condition)]

    def _own_claim(self, message: Message) -> Condition:
        own: Condition = (self._items.state == State.CLAIMED.value) & (self._items.attempt == message.attempt)
        return own

    def _untouched(self, over: Message | None) -> Condition:
        if over is None:
            new: Condition = self._items.pk.does_not_exist()
            return new
        untouched: Condition = (self._items.state == over.state.value) & (self._items.attempt == over.attempt)
        return untouched

    def _at(self, message: Message) -> MessageItem:
        return self._items(f"{message.workspace}#{message.contact}", message.id)

    def _item(self, message: Message) -> MessageItem:
        return self._items(
            f"{message.workspace}#{message.contact}",
            message.id,
            channel=message.channel,
            state=message.state.value,
            rank=RANK[message.state],
            kind=message.kind.value,
            template=message.template,
            template_version=message.template_version,
            address=message.address or None,
            subject=message.subject or None,
            attempt=message.attempt or None,
            claimed_at=to_text(message.claimed_at) if message.claimed_at else None,
            attention=_claimed(shard(message.id, CLAIM_SHARDS)) if message.state is State.CLAIMED else None,
            error=message.error or None,
            request=message.request or None,
            cause=dict(message.cause),
            root=str(message.root) if message.root else None,
            decision=_brief(message.decision),
            history=dict(message.history),
            topic=message.topic or None,
            send=message.send or None,
            resends=message.resends or None,
            data=dict(message.data) or None,
            asked=dict(message.asked) or None,
            attachments=list(message.attachments) or None,
            earlier=[_brief(one) for one in message.earlier] or None,
            marks=dict(message.marks) or None,
            conversation=message.conversation or None,
            transport=dict(message.transport) or None,
            reported=reported(message.workspace, *message.source, shard(message.id, REPORT_SHARDS)),
        )


def _claimed(number: int) -> str:
    return f"claimed#{number}"


def _unknown(workspace: str) -> str:
    return f"{workspace}#unknown"


def reported(workspace: str, source: str, name: str, number: int) -> str:
    """One shard of the messages that something ordered, in the index `reported`."""
    return f"{workspace}#{source}#{name}#{number}"


def _brief(decision: Mapping[str, Any]) -> dict[str, Any] | None:
    """A decision in fewer bytes, of which a message has to be few: a check with a usual finding is a word.

    Such words stand together in one text, each a check's name, or name and number where it is not the first of its
    usual findings (`unsubscribe:1`); any other check is a list of name, result and finding.
    """
    if not decision:
        return None
    at = decision["at"]
    checks: list[Any] = []
    for check in decision["checks"]:
        word = _word(check)
        if word and checks and isinstance(checks[-1], str):
            checks[-1] += f" {word}"
        elif check["passed"] is not None:
            checks.append(word or [check["check"], check["passed"], check["found"]])
    brief = {"at": to_text(at) if isinstance(at, datetime) else at, "checks": checks}
    return {**brief, "versions": decision["versions"]} if decision.get("versions") else brief


def _word(check: Mapping[str, Any]) -> str:
    usual = USUAL.get(check["check"], ())
    if not check["passed"] or check["found"] not in usual:
        return ""
    number = usual.index(check["found"])
    return f"{check['check']}:{number}" if number else str(check["check"])


def _checks(brief: Sequence[Any]) -> Iterator[Check]:
    for part in brief:
        if not isinstance(part, str):
            yield Check(*part)
            continue
        for word in part.split():
            name, _, number = word.partition(":")
            yield Check(name, True, USUAL[name][int(number or 0)])


def _whole(brief: Mapping[str, Any] | None, channel: str | None) -> dict[str, Any]:
    if not brief:
        return {}
    checks, versions = tuple(_checks(brief["checks"])), brief.get("versions") or {}
    decision = Decision(checks, from_text(brief["at"]), versions, Channel(channel or Channel.EMAIL))
    return {**decision.as_dict(), "at": brief["at"]}
