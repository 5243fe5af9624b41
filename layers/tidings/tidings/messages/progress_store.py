"""How news of a message is written down: message, report and timeline in one stroke, so that each counts once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from tidings.core.store import Database, Part, faults, update
from tidings.messages.model import Message
from tidings.messages.progress import Progress
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.rules import RANK
from tidings.messages.store import DynamoMessageStore, MessageItem


class DynamoProgressStore:
    """Moves messages by what is told of them."""

    def __init__(self, database: Database, messages: DynamoMessageStore, reports: DynamoReportStore) -> None:
        self._database = database
        self._messages = messages
        self._reports = reports
        self._items = database.table(MessageItem, "messages")

    def read(self, workspace: str, message: str, consistent: bool) -> Message | None:
        """A message as it stands, or stood a moment ago: one read."""
        return self._messages.get(workspace, message, consistent)

    def apply(
        self, message: Message | None, progress: Progress, provider_id: str, reason: str, more: Sequence[Part]
    ) -> None:
        """Write progress of a message, if there is one, with what it counts and `more`, all or nothing.

        Raises ConditionFailed: with the label `message` if it is not as it was read, else with those of `more`.
        """
        parts = list(more)
        if message is not None and progress.moves:
            parts.append(self._move(message, progress, provider_id))
        if message is not None and progress.counts:
            parts.append(self._reports.part(message, reason, **progress.counts))
        if len(parts) == 1 and parts[0].kind == "put":  # half the write units of a transaction
            with faults(parts):
                parts[0].model.save(condition=parts[0].condition)
        elif parts:
            self._database.transact(parts)

    def mark(self, message: Message, marks: Mapping[str, Any]) -> None:
        """Replace what is noted of a message. Raises ConditionFailed if that changed since it was read."""
        same = self._items.marks == dict(message.marks) if message.marks else self._items.marks.does_not_exist()
        item = self._items(f"{message.workspace}#{message.contact}", message.id)
        alive = self._items.pk.exists() & self._items.erased_at.does_not_exist()
        with faults():
            item.update([self._items.marks.set(dict(marks))], condition=alive & same)

    def _move(self, message: Message, progress: Progress, provider_id: str) -> Part:
        table = self._items
        actions: list[Action] = [table.history[name].set(instant) for name, instant in progress.history.items()]
        condition = self._as_read(message)
        for name in progress.history:
            known = message.history.get(name)
            condition &= table.history[name].does_not_exist() if known is None else table.history[name] == known
        if progress.state is not None:
            actions += [table.state.set(progress.state.value), table.rank.set(RANK[progress.state])]
            actions.append(table.attention.remove())
            actions.append(table.error.set(progress.error) if progress.error else table.error.remove())
            condition &= table.error == message.error if message.error else table.error.does_not_exist()
        if progress.transport is not None:
            actions.append(table.transport.set(dict(progress.transport)))
            same = table.transport == dict(message.transport)
            condition &= same if message.transport else table.transport.does_not_exist()
        if provider_id and provider_id != message.provider_id:
            actions.append(table.provider_id.set(provider_id))
        item = table(f"{message.workspace}#{message.contact}", message.id)
        return update("message", item, actions, condition)

    def _as_read(self, message: Message) -> Condition:
        table = self._items
        same: Condition = table.state == message.state.value
        same &= table.attempt == message.attempt if message.attempt else table.attempt.does_not_exist()
        same &= table.erased_at.does_not_exist() if message.erased_at is None else table.erased_at.exists()
        return same
