"""The table of consents: everything about one address on one channel is one item, under a hash of the address.

The hash is keyed with the workspace's secret, so that what is known of an address outlives the address: an erased
person is not written to again, and nobody can find out from the table who they were.

Every change adds one to the item's `revision`. Whoever decides by the item takes its revision into the transaction that
acts on the decision: so a no that comes in between is honoured, whatever it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from tidings.accounts.model import Workspace
from tidings.consent.model import (
    AddressRecord,
    Answered,
    By,
    Channel,
    Consent,
    LogEntry,
    Proof,
    Reason,
    Reply,
    Suppression,
    Word,
)
from tidings.contacts.merging import SOURCE
from tidings.core.clock import epoch, from_text, to_text
from tidings.core.ids import digest
from tidings.core.keys import keyed_hash
from tidings.core.store import ConditionFailed, Database, Item, JsonAttribute, Key, Part, check, faults, put, update

LOG = "log#"


class ListedIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """The suppression list of a workspace and channel, by when each address came to it: keys only."""

    class Meta:
        index_name = "listed"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class AddressItem(Item):
    address = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    source = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute(null=True)
    until = NumberAttribute(null=True)  # not the table's time to live: the consents beside it have no end
    topics = JsonAttribute(null=True)
    soft_bounces = JsonAttribute(null=True)
    revision = NumberAttribute(null=True)
    listed = UnicodeAttribute(null=True)  # workspace#channel, as long as it is on the suppression list
    # The person's last STOP or START: beside the entry, which outlives both.
    word = UnicodeAttribute(null=True)
    word_at = UnicodeAttribute(null=True)
    word_message = UnicodeAttribute(null=True)
    word_number = UnicodeAttribute(null=True)
    word_ended = UnicodeAttribute(null=True)  # the START took a STOP back
    carried_stops = JsonAttribute(null=True)  # STOPs of other numbers of the person: instants by the merge's source
    listed_index = ListedIndex()


class LogItem(Item):
    what = UnicodeAttribute()
    said = JsonAttribute()


class DynamoConsentStore:
    """What is known of addresses, in DynamoDB."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(AddressItem, "consents")
        self._log = database.table(LogItem, "consents")

    def record(self, workspace: Workspace, channel: Channel, address: str) -> AddressRecord:
        """All that is known of an address on a channel: one consistent read."""
        return self.record_under(workspace.id, channel, address_key(workspace, address), address)

    def record_under(self, workspace: str, channel: Channel, key: str, address: str = "") -> AddressRecord:
        """The same, of an address of which only its keyed hash is at hand."""
        with faults():
            try:
                item = self._items.get(f"{workspace}#{key}", channel.value, consistent_read=True)
            except self._items.DoesNotExist:
                return AddressRecord(workspace, channel, key, address)
        return _record(item, workspace, channel, key, address or item.address or "")

    def records(self, workspace: Workspace, channel: Channel, addresses: Iterable[str]) -> dict[str, AddressRecord]:
        """The records of many addresses: one batched read for each hundred."""
        keys = {address: address_key(workspace, address) for address in addresses}
        places = {address: Key(self._items, f"{workspace.id}#{key}", channel.value) for address, key in keys.items()}
        found = self._database.batch_get(places.values())
        records = {}
        for address, place in places.items():
            item, key = found.get(place), keys[address]
            empty = AddressRecord(workspace.id, channel, key, address)
            records[address] = _record(item, workspace.id, channel, key, address) if item is not None else empty
        return records

    def suppression_of(self, workspace: Workspace, channel: Channel, address: str) -> Suppression | None:
        """The entry of an address on the suppression list, expired or not: one consistent read."""
        return self.record(workspace, channel, address).suppression

    def suppress(self, workspace: Workspace, entry: Suppression, parts: Sequence[Part] = ()) -> bool:
        """Put an address on the list, with `parts` in one transaction.

        False if it is there already for as long or longer: that stays as it is, and nothing is written.
        """
        replaced = self._free(entry.created_at) | self._ends_before(entry.expires_at)
        item = self._items(_pk(workspace, entry.address), entry.channel.value)
        condition = replaced if entry.expires_at else replaced | self._carried()
        try:
            self._database.transact([update("suppression", item, self._entry(entry), condition), *parts])
        except ConditionFailed:
            return False
        return True

    def keep_out(self, workspace: Workspace, channel: Channel, address: str, at: datetime) -> Part:
        """Suppress the address of an erased person for good, and forget all else, as part of a transaction."""
        table = self._items
        actions: list[Action] = [
            table.reason.set(Reason.ERASED.value),
            table.created_at.set(to_text(at)),
            table.source.set("erasure"),
            table.revision.add(1),
            *(gone.remove() for gone in (table.address, table.until, table.topics, table.soft_bounces, table.listed)),
            *(gone.remove() for gone in (*_words(table), table.carried_stops)),
        ]
        return update("suppression", table(_pk(workspace, address), channel.value), actions)

    def release(self, workspace: Workspace, entry: Suppression, parts: Sequence[Part] = ()) -> bool:
        """Take an entry off the list, with `parts` in one transaction; False if another one stands there by now."""
        item = self._items(_pk(workspace, entry.address), entry.channel.value)
        same = (self._items.reason == entry.reason.value) & (self._items.created_at == to_text(entry.created_at))
        # Who answered STOP in this moment stays on the list.
        talks = self._items.word.does_not_exist() | (self._items.word != Word.STOP.value)
        talks &= self._items.carried_stops.does_not_exist()
        try:
            self._database.transact([update("suppression", item, self._no_entry(), same & talks), *parts])
        except ConditionFailed:
            return False
        return True

    def listed(
        self, workspace: str, channel: Channel, most: int, after: tuple[str, str] | None
    ) -> tuple[list[Suppression], tuple[str, str] | None]:
        """The suppression list, latest first, beyond a place; and the place where it goes on, None at the end.

        A place is an instant and the keyed hash of an address. Entries that expired are among them. Those of erased
        people are not: nobody knows whose they are. One query and one batched read.
        """
        place = f"{workspace}#{channel.value}"
        start = None
        if after is not None:
            keys = {"listed": place, "created_at": after[0], "pk": f"{workspace}#{after[1]}", "sk": channel.value}
            start = {name: {"S": text} for name, text in keys.items()}
        with faults():
            index = self._items.listed_index
            found = list(index.query(place, scan_index_forward=False, limit=most, last_evaluated_key=start))
        wanted = [Key(self._items, item.pk, item.sk) for item in found]
        items = self._database.batch_get(wanted)
        kept = [_record(items[key], workspace, channel, "", items[key].address or "") for key in wanted if key in items]
        last = (found[-1].created_at, found[-1].pk.partition("#")[2]) if len(found) == most else None
        return [record.suppression for record in kept if record.suppression is not None], last

    def log_page(
        self, workspace: str, channel: Channel, key: str, most: int, before: str = ""
    ) -> list[tuple[str, LogEntry]]:
        """The log of an address, latest first, beyond a place: one query. Each with its place."""
        begin = f"{LOG}{channel.value}#"
        condition = self._log.sk.between(begin, before) if before else self._log.sk.startswith(begin)
        with faults():
            found = self._log.query(
                f"{workspace}#{key}", condition, scan_index_forward=False, limit=most + 1, consistent_read=True
            )
            rows = [(item.sk, item) for item in found if item.sk != before]
        return [(place, _entry_of(item, workspace, channel, key)) for place, item in rows[:most]]

    def log_since(self, workspace: str, channel: Channel, key: str, after: str = "") -> Iterator[tuple[str, LogEntry]]:
        """The log of an address, earliest first, beyond a place, each with its own: queries as far as it is read."""
        begin = f"{LOG}{channel.value}#"
        start = {"pk": {"S": f"{workspace}#{key}"}, "sk": {"S": after}} if after else None
        with faults():
            for item in self._log.query(
                f"{workspace}#{key}", self._log.sk.startswith(begin), consistent_read=True, last_evaluated_key=start
            ):
                yield item.sk, _entry_of(item, workspace, channel, key)

    def log_keys(self, workspace: str, key: str) -> list[Key]:
        """Where the log of an address stands, on all channels."""
        with faults():
            found = self._log.query(
                f"{workspace}#{key}", self._log.sk.startswith(LOG), consistent_read=True, attributes_to_get=["pk", "sk"]
            )
            return [Key(self._log, item.pk, item.sk) for item in found]

    def change(
        self,
        record: AddressRecord,
        consents: Mapping[str, Consent],
        lift: bool,
        entry: Suppression | None = None,
        stops: Mapping[str, datetime] | None = None,
    ) -> Part:
        """Replacing the consents of an address, lifting its suppression or suppressing it, as part of a transaction.

        `stops` takes the place of the STOPs that merges carried here. Refused if anything about the address changed
        since it was read.
        """
        item = self._items(f"{record.workspace}#{record.key}", record.channel.value)
        after = record if stops is None else replace(record, carried_stops=stops)
        actions: list[Action] = [self._items.topics.set({name: _kept(one) for name, one in consents.items()})]
        if stops is not None:
            actions.append(kept_stops(self._items, stops))
        if entry is not None:
            return update("consent", item, [*actions, *self._entry(entry)], self._at(record.revision))
        if record.address:
            actions.append(self._items.address.set(record.address))
        actions += self._no_entry(after.is_silent) if lift else [self._items.revision.add(1)]
        if stops is not None and not lift:
            actions += self._listing(after)
        return update("consent", item, actions, self._at(record.revision))

    def _listing(self, after: AddressRecord) -> list[Action]:
        """Listed by the STOPs that hold from now on, or not any more; beside an entry it stays as it is."""
        table = self._items
        if after.entry is not None or after.is_stopped:
            return []
        if not after.carried_stops:
            return [table.listed.remove(), table.created_at.remove()]
        at = to_text(min(after.carried_stops.values()))
        return [table.listed.set(f"{after.workspace}#{after.channel.value}"), table.created_at.set(at)]

    def write(self, parts: Sequence[Part]) -> None:
        """Write parts in one transaction. Raises ConditionFailed."""
        self._database.transact(parts)

    def log(self, entry: LogEntry) -> Part:
        """Writing down a change of what is known of an address, in the transaction that makes it."""
        said = {name: value for name, value in entry.said.items() if value not in ("", None)}
        number = digest(entry.key, entry.what, entry.id, *(str(value) for value in said.values()), length=12)
        place = f"{LOG}{entry.channel.value}#{to_text(entry.at)}#{number}"
        return put("log", self._log(f"{entry.workspace}#{entry.key}", place, what=entry.what, said=said))

    def unchanged(self, record: AddressRecord) -> Part:
        """The check that nothing about an address changed since it was read, for the transaction that claims."""
        item = self._items(f"{record.workspace}#{record.key}", record.channel.value)
        return check("consent", item, self._at(record.revision))

    def _at(self, revision: int) -> Condition:
        same: Condition = self._items.revision == revision if revision else self._items.revision.does_not_exist()
        return same

    def _entry(self, entry: Suppression) -> list[Action]:
        table = self._items
        return [
            table.address.set(entry.address),
            table.reason.set(entry.reason.value),
            table.created_at.set(to_text(entry.created_at)),
            table.source.set(entry.source) if entry.source else table.source.remove(),
            table.until.set(epoch(entry.expires_at)) if entry.expires_at else table.until.remove(),
            table.listed.set(f"{entry.workspace}#{entry.channel.value}"),
            table.revision.add(1),
        ]

    def _no_entry(self, stopped: bool = False) -> list[Action]:
        """No entry any more; who answered STOP is listed all the same."""
        table = self._items
        gone = (table.reason, table.source, table.until, *(() if stopped else (table.created_at, table.listed)))
        return [*(attribute.remove() for attribute in gone), table.revision.add(1)]

    def _free(self, now: datetime) -> Condition:
        free: Condition = self._items.reason.does_not_exist() | (self._items.until <= epoch(now))
        return free

    def _carried(self) -> Condition:
        """A no that a merge of contacts carried here, and that would go with it: the person's own takes its place."""
        carried: Condition = self._items.source.startswith(SOURCE)
        return carried

    def _ends_before(self, instant: datetime | None) -> Condition:
        until = self._items.until
        earlier: Condition = until.exists() if instant is None else until < epoch(instant)
        return earlier


def address_key(workspace: Workspace, address: str) -> str:
    """The keyed hash that an address stands under; `address` is in its one spelling."""
    return keyed_hash(workspace.secret, address)


def _pk(workspace: Workspace, address: str) -> str:
    return f"{workspace.id}#{address_key(workspace, address)}"


def _record(item: AddressItem, workspace: str, channel: Channel, key: str, address: str) -> AddressRecord:
    bounces = item.soft_bounces or {}
    entry = _suppression(item, workspace, channel, address) if item.reason else None
    answered = _answered(item)
    stops = {source: from_text(at) for source, at in (item.carried_stops or {}).items()}
    return AddressRecord(
        workspace=workspace,
        channel=channel,
        key=key,
        address=address,
        suppression=_standing(entry, answered, stops, workspace, channel, address),
        consents={topic: _consent(topic, kept) for topic, kept in (item.topics or {}).items()},
        soft_bounces={message: from_text(at) for message, at in bounces.items()},
        revision=int(item.revision or 0),
        entry=entry,
        answered=answered,
        carried_stops=stops,
    )


def _answered(item: AddressItem) -> Answered | None:
    if not item.word:
        return None
    at, ended = from_text(item.word_at or ""), item.word_ended is not None
    return Answered(Word(item.word), at, item.word_message or "", item.word_number or "", ended)


def _words(table: type[AddressItem]) -> tuple[UnicodeAttribute, ...]:
    return table.word, table.word_at, table.word_message, table.word_number, table.word_ended


def kept_stops(table: type[AddressItem], stops: Mapping[str, datetime]) -> Action:
    """Writing down the STOPs that merges carried to an address: all of them."""
    kept = {source: to_text(at) for source, at in stops.items()}
    return table.carried_stops.set(kept) if kept else table.carried_stops.remove()


def _standing(
    entry: Suppression | None,
    answered: Answered | None,
    stops: Mapping[str, datetime],
    workspace: str,
    channel: Channel,
    address: str,
) -> Suppression | None:
    """What keeps messages away: the person's STOP before anything else, here or elsewhere, but for their erasure."""
    if entry is not None and entry.reason is Reason.ERASED:
        return entry
    if answered is not None and answered.word is Word.STOP:
        return Suppression(workspace, channel, address, Reason.STOP, answered.at, answered.number)
    if stops:
        at, source = min((at, source) for source, at in stops.items())
        return Suppression(workspace, channel, address, Reason.STOP, at, source)
    return entry


def _suppression(item: AddressItem, workspace: str, channel: Channel, address: str) -> Suppression:
    return Suppression(
        workspace=workspace,
        channel=channel,
        address=address,
        reason=Reason(item.reason or Reason.MANUAL),
        created_at=from_text(item.created_at or ""),
        source=item.source or "",
        expires_at=datetime.fromtimestamp(int(item.until), UTC) if item.until else None,
    )


def _entry_of(item: LogItem, workspace: str, channel: Channel, key: str) -> LogEntry:
    at = item.sk.removeprefix(f"{LOG}{channel.value}#").partition("#")[0]
    return LogEntry(workspace, channel, key, from_text(at), item.what, item.said)


def _consent(topic: str, kept: Mapping[str, Any]) -> Consent:
    asked, before = kept.get("asked"), kept.get("before")
    reply, confirmed = Reply(kept["reply"]), bool(kept.get("confirmed"))
    earlier = _consent(topic, before) if before else None
    return Consent(topic, reply, _proof(kept), confirmed, _proof(asked) if asked else None, earlier)


def _proof(kept: Mapping[str, Any]) -> Proof:
    told = (kept.get(name, "") for name in ("ip", "wording", "message"))
    return Proof(By(kept["by"]), kept.get("source", ""), from_text(kept["at"]), *told)


def _kept(consent: Consent) -> dict[str, Any]:
    confirmed = {"confirmed": True} if consent.confirmed else {}
    asked = {"asked": _kept_proof(consent.asked)} if consent.asked else {}
    before = {"before": _kept(consent.before)} if consent.before else {}
    return {"reply": consent.reply.value, **_kept_proof(consent.proof), **confirmed, **asked, **before}


def _kept_proof(proof: Proof) -> dict[str, str]:
    more = {"source": proof.source, "ip": proof.ip, "wording": proof.wording, "message": proof.message}
    return {"by": proof.by.value, "at": to_text(proof.at), **{name: text for name, text in more.items() if text}}
