"""How the soft bounces of an address are kept, beside all else that is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pynamodb.expressions.update import Action

from tidings.consent.model import AddressRecord
from tidings.consent.store import AddressItem
from tidings.core.clock import to_text
from tidings.core.store import Database, faults


class DynamoBounceStore:
    """Soft bounces in DynamoDB."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(AddressItem, "consents")

    def keep(self, record: AddressRecord, bounces: Mapping[str, datetime]) -> None:
        """Replace the soft bounces of an address. Raises ConditionFailed if its record changed since it was read."""
        table, revision = self._items, record.revision
        kept = {message: to_text(at) for message, at in bounces.items()}
        actions: list[Action] = [table.soft_bounces.set(kept) if kept else table.soft_bounces.remove()]
        actions.append(table.revision.add(1))
        same = table.revision == revision if revision else table.revision.does_not_exist()
        with faults():
            table(f"{record.workspace}#{record.key}", record.channel.value).update(actions, condition=same)
