"""STOP and START in the table of consents: beside the entry of the suppression list, which they leave as it is.

Beside both stand the STOPs that merges of contacts carried here from other numbers of the person.

The person's last word is a register that only grows: of two the later by the provider's time holds, of two at one
instant the STOP. So it ends the same in whatever order words come in, and however often. A STOP is written by its
condition alone: it waits for no read, and nothing that changes meanwhile is in its way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from tidings.accounts.model import Workspace
from tidings.consent.model import AddressRecord, Answered, Channel, Reason, Word
from tidings.consent.store import AddressItem, address_key, kept_stops
from tidings.core.clock import to_text
from tidings.core.store import ConditionFailed, Database, Part, update


class DynamoStopStore:
    """The last words of people, in DynamoDB."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(AddressItem, "consents")

    def stop(
        self, workspace: Workspace, channel: Channel, address: str, answered: Answered, parts: Sequence[Part]
    ) -> bool:
        """Write down a STOP of somebody whose last word was none, with `parts` in one transaction: one call.

        False where nothing was written: this or a later word stands, or the person was erased.
        """
        items, at = self._items, to_text(answered.at)
        talks = items.word.does_not_exist() | ((items.word == Word.START.value) & (items.word_at <= at))
        actions: list[Action] = [
            items.address.set(address),
            items.listed.set(f"{workspace.id}#{channel.value}"),
            items.created_at.set(items.created_at | at),
            *self._word(answered),
        ]
        return self._write(self._item(workspace, channel, address), actions, self._alive() & talks, parts)

    def stop_again(
        self, workspace: Workspace, channel: Channel, address: str, answered: Answered, parts: Sequence[Part]
    ) -> bool:
        """Write down a later STOP of somebody whose last word was STOP already: a START from between does not count."""
        items, at = self._items, to_text(answered.at)
        again = (items.word == Word.STOP.value) & (items.word_at < at)
        actions: list[Action] = [items.word_at.set(at), items.revision.add(1)]
        return self._write(self._item(workspace, channel, address), actions, self._alive() & again, parts)

    def start(
        self, record: AddressRecord, answered: Answered, left: Mapping[str, datetime], parts: Sequence[Part]
    ) -> bool:
        """Write a START down, with `parts` in one transaction; False if anything changed since the record was read.

        `left` are the STOPs of other numbers of the person that merges brought here since.
        """
        items = self._items
        item = items(f"{record.workspace}#{record.key}", record.channel.value)
        same = items.revision == record.revision if record.revision else items.revision.does_not_exist()
        unlisted = () if left or record.entry is not None else (items.listed, items.created_at)
        gone = [attribute.remove() for attribute in unlisted]
        return self._write(item, [*self._word(answered), kept_stops(items, left), *gone], same, parts)

    def _item(self, workspace: Workspace, channel: Channel, address: str) -> AddressItem:
        return self._items(f"{workspace.id}#{address_key(workspace, address)}", channel.value)

    def _alive(self) -> Condition:
        alive: Condition = self._items.reason.does_not_exist() | (self._items.reason != Reason.ERASED.value)
        return alive

    def _word(self, answered: Answered) -> list[Action]:
        items = self._items
        return [
            items.word.set(answered.word.value),
            items.word_at.set(to_text(answered.at)),
            items.word_message.set(answered.message),
            items.word_number.set(answered.number),
            items.word_ended.set("yes") if answered.ended else items.word_ended.remove(),
            items.revision.add(1),
        ]

    def _write(self, item: AddressItem, actions: Sequence[Action], condition: Condition, parts: Sequence[Part]) -> bool:
        try:
            self._database.transact([update("answered", item, actions, condition), *parts])
        except ConditionFailed:
            return False
        return True
