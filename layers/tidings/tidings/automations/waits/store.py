"""Waits for events, beside the enrolments that wait: one item each, kept for a while when they are over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from tidings.activity.model import Event
from tidings.automations.enrolments.model import WAITS, StepCall
from tidings.automations.machines.following import Run
from tidings.automations.waits.rules import OpenWait
from tidings.core.clock import from_text, to_text
from tidings.core.store import ConditionFailed, Database, Item, JsonAttribute, Key, Part, faults, update

# How long after its end a wait is kept: what is repeated late finds the step, which is kept for good.
KEPT = timedelta(days=7)


class WaitItem(Item):
    version = NumberAttribute()
    component = UnicodeAttribute()
    token = UnicodeAttribute()
    since = UnicodeAttribute()
    deadline = UnicodeAttribute()
    awaits = UnicodeSetAttribute()
    passed = UnicodeSetAttribute(null=True)
    properties = JsonAttribute(null=True)
    messages = JsonAttribute(null=True)
    zone = UnicodeAttribute(null=True)
    run = JsonAttribute(null=True)
    waited = JsonAttribute(null=True)
    begins = JsonAttribute(null=True)
    ended_by = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


class DynamoWaitStore:
    """Who waits for what, in the table of enrolments, under their contact."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(WaitItem, "enrolments")

    def key(self, call: StepCall) -> Key:
        """Where a wait stands, for a batched read."""
        return Key(self._items, f"{call.workspace}#{call.contact}", _place(call))

    def register(self, wait: OpenWait, awaits: set[str]) -> bool:
        """Write down that somebody waits, with a new token if they waited before; False if that wait is over."""
        item = self._items(
            f"{wait.call.workspace}#{wait.call.contact}",
            _place(wait.call),
            version=wait.call.version,
            component=wait.call.component,
            token=wait.token,
            since=to_text(wait.since),
            deadline=to_text(wait.deadline),
            awaits=awaits,
            passed=set(wait.passed) or None,
            properties=dict(wait.properties) or None,
            messages={name: list(ids) for name, ids in wait.messages.items()} or None,
            zone=wait.zone or None,
            run=[to_text(wait.run.began), wait.run.steps] if wait.run else None,
            waited=dict(wait.waited) or None,
            begins={name: to_text(began) for name, began in wait.begins.items()} or None,
            expires_at=int((wait.deadline + KEPT).timestamp()),
        )
        try:
            with faults():
                item.save(condition=self._items.ended_by.does_not_exist())
        except ConditionFailed:
            return False
        return True

    def of_contact(self, workspace: str, contact: str, event: Event | None) -> list[OpenWait]:
        """The waits under a contact's id that an event may end, or has ended before: one query, read consistently.

        Without an event all that are open.
        """
        table = self._items
        meant = table.ended_by.does_not_exist()
        if event is not None:
            at = to_text(event.received_at)
            in_time = (table.since <= at) & (table.deadline > at)
            meant = table.awaits.contains(event.name) & in_time & (meant | (table.ended_by == event.message_id))
        with faults():
            found = table.query(
                f"{workspace}#{contact}", table.sk.startswith(WAITS), filter_condition=meant, consistent_read=True
            )
            return [self.entity(item) for item in found]

    def end(self, wait: OpenWait, ended_by: str, at: datetime) -> Part:
        """Write down what ended a wait, as part of a transaction; refused if something else did before."""
        table = self._items
        actions = [table.ended_by.set(ended_by), table.expires_at.set(int((at + KEPT).timestamp()))]
        there = table.pk.exists() & table.ended_by.does_not_exist()
        return update("wait", table(f"{wait.call.workspace}#{wait.call.contact}", _place(wait.call)), actions, there)

    def entity(self, item: Any) -> OpenWait:
        """The wait that a read item is."""
        workspace, _, contact = item.pk.partition("#")
        automation, entry, n = item.sk.removeprefix(WAITS).split("#")
        call = StepCall(workspace, contact, automation, int(item.version), entry, int(n), item.component)
        properties: Mapping[str, Any] = item.properties or {}
        return OpenWait(
            call=call,
            token=item.token,
            since=from_text(item.since),
            deadline=from_text(item.deadline),
            passed=tuple(sorted(item.passed or ())),
            properties=properties,
            messages=item.messages or {},
            zone=item.zone or "",
            run=Run(from_text(item.run[0]), int(item.run[1])) if item.run else None,
            waited=item.waited or {},
            begins={name: from_text(began) for name, began in (item.begins or {}).items()},
            ended_by=item.ended_by or "",
        )


def _place(call: StepCall) -> str:
    return f"{WAITS}{call.automation}#{call.entry}#{call.n:06d}"
