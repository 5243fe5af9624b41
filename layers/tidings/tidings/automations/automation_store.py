"""The table of automations: a draft, every published version, and a copy of the live one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from tidings.automations.definition.model import Definition, parse_definition
from tidings.automations.lifecycle.standing import AutomationState
from tidings.automations.statistics.room import ANSWER_BYTES
from tidings.core.clock import from_text, to_text
from tidings.core.errors import NotFound
from tidings.core.store import Database, Item, JsonAttribute, Key, Part, faults, put, update

LATEST = 999_999  # the last version that has a place


@dataclass(frozen=True, slots=True)
class Automation:
    """A draft (`version` 0) or a published version of an automation; a published one has a machine.

    `awaits` are the names of all events that somebody may wait for who is inside it, in this version or an earlier one.
    `lets_out` are in the same way the events by which somebody inside may leave (`Definition.lets_out`). `state` is
    told of the live version only.
    """

    workspace: str
    definition: Definition
    version: int
    machine: str
    created_at: datetime
    awaits: frozenset[str] = frozenset()
    lets_out: frozenset[str] = frozenset()
    state: AutomationState = AutomationState.LIVE

    @property
    def name(self) -> str:
        """The automation's name."""
        return self.definition.automation

    def as_dict(self) -> dict[str, Any]:
        """The automation as the API shows it."""
        return {
            "automation": self.name,
            "version": self.version,
            "machine": self.machine,
            "created_at": self.created_at,
            "definition": self.definition.as_dict(),
        }


class Versioned(Protocol):
    """What names a version, as enrolments do."""

    @property
    def workspace(self) -> str: ...
    @property
    def automation(self) -> str: ...
    @property
    def version(self) -> int: ...


class AutomationItem(Item):
    version = NumberAttribute()
    definition = UnicodeAttribute()
    machine = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute()
    awaits = JsonAttribute(null=True)
    lets_out = JsonAttribute(null=True)
    state = UnicodeAttribute(null=True)


class DynamoAutomationStore:
    """Automations in DynamoDB: a draft, every published version, and a copy of the live one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(AutomationItem, "automations")

    def draft(self, workspace: str, name: str) -> Automation | None:
        """What was applied last."""
        return self._get(Key(self._items, workspace, f"draft#{name}"))

    def require(self, workspace: str, name: str) -> Automation:
        """The draft. Raises NotFound for an automation that was never applied."""
        draft = self.draft(workspace, name)
        if draft is None:
            raise _unknown(name)
        return draft

    def require_with_live(self, workspace: str, name: str) -> tuple[Automation, Automation | None]:
        """The draft, and the version that enrols people if there is one: one batched read. Raises NotFound."""
        keys = (Key(self._items, workspace, f"draft#{name}"), self.live_key(workspace, name))
        draft, live = map(self._database.batch_get(keys).get, keys)
        if draft is None:
            raise _unknown(name)
        return self.entity(draft), None if live is None else self.entity(live)

    def live(self, workspace: str, name: str) -> Automation | None:
        """The published version that enrols people."""
        return self._get(self.live_key(workspace, name))

    def live_key(self, workspace: str, name: str) -> Key:
        """Where the published version stands that enrols people, for a batched read."""
        return Key(self._items, workspace, f"live#{name}")

    def version(self, workspace: str, name: str, version: int) -> Automation | None:
        """A published version: one read."""
        return self._get(self.version_key(workspace, name, version))

    def begins(self, of: Versioned) -> str:
        """At which component a version begins that somebody entered, empty if it is not there: one read."""
        found = self.version(of.workspace, of.automation, of.version)
        return "" if found is None else found.definition.start

    def version_key(self, workspace: str, name: str, version: int) -> Key:
        """Where a published version stands, for a batched read."""
        return Key(self._items, workspace, _place(name, version))

    def all_live(self, workspace: str) -> list[Automation]:
        """Every automation that enrols people: one query."""
        return self._query(workspace, "live#")

    def drafts_after(self, workspace: str, name: str, most: int) -> tuple[list[Automation], bool]:
        """What was applied last, by name, of those after a name; and whether there are more."""
        places = self._items.sk.between(f"draft#{name}\x00", "draft#~")
        with faults():
            return self._page(self._items.query(workspace, places, consistent_read=True, limit=most + 1), most)

    def live_of(self, workspace: str, names: Iterable[str]) -> dict[str, Automation]:
        """The live versions of some automations by name, as far as they were published: a batched read."""
        keys = [Key(self._items, workspace, f"live#{name}") for name in names]
        found = map(self.entity, self._database.batch_get(keys).values())
        return {automation.name: automation for automation in found}

    def versions(self, workspace: str, name: str) -> list[Automation]:
        """The published versions, latest first."""
        return self._query(workspace, f"version#{name}#")[::-1]

    def versions_before(self, workspace: str, name: str, version: int, most: int) -> tuple[list[Automation], bool]:
        """The published versions, latest first, of those before one; and whether there are more."""
        places = self._items.sk.between(_place(name, 0), _place(name, version - 1))
        with faults():
            found = self._items.query(workspace, places, scan_index_forward=False, consistent_read=True, limit=most + 1)
            return self._page(found, most)

    def live_at(self, workspace: str, name: str, at: datetime) -> Automation | None:
        """The version that was published last by an instant: one query."""
        return next((one for one in self.versions(workspace, name) if one.created_at <= at), None)

    def first_published(self, automation: Automation) -> datetime:
        """When an automation was published first, as far as its versions are there: one query."""
        with faults():
            prefix = self._items.sk.startswith(f"version#{automation.name}#")
            found = list(self._items.query(automation.workspace, prefix, limit=1, consistent_read=True))
        return from_text(found[0].created_at) if found else automation.created_at

    def save_draft(self, automation: Automation, *others: Part) -> None:
        """Store what was applied, over what was applied before, with other writes of the same stroke."""
        self._database.transact([put("draft", self._item(automation, f"draft#{automation.name}")), *others])

    def publish(self, automation: Automation, *others: Part) -> None:
        """Store a version and make it live, with other writes of the same stroke: the workspace is told of it.

        Raises ConditionFailed if another version was published meanwhile, or the state changed.
        """
        before = automation.version - 1
        expected = self._as(before, automation.state) if before else self._items.pk.does_not_exist()
        version = self._item(automation, _place(automation.name, automation.version))
        live = self._item(automation, f"live#{automation.name}")
        live.state = None if automation.state is AutomationState.LIVE else automation.state.value
        self._database.transact(
            [put("version", version, self._items.pk.does_not_exist()), put("live", live, expected), *others]
        )

    def change_state(self, live: Automation, state: AutomationState, *others: Part) -> None:
        """Change where an automation stands, with other writes of the same stroke: the workspace is told of it.

        Raises ConditionFailed if it changed since `live` was read, or another part refuses.
        """
        table = self._items
        action = table.state.remove() if state is AutomationState.LIVE else table.state.set(state.value)
        item = table(live.workspace, f"live#{live.name}")
        self._database.transact([update("live", item, [action], self._as(live.version, live.state)), *others])

    def entity(self, item: AutomationItem) -> Automation:
        """The automation that a read item is."""
        definition = parse_definition(json.loads(item.definition))
        awaits, lets_out = frozenset(item.awaits or ()), frozenset(item.lets_out or ())
        created_at = from_text(item.created_at)
        state = AutomationState(item.state or AutomationState.LIVE)
        return Automation(
            item.pk, definition, int(item.version), item.machine or "", created_at, awaits, lets_out, state
        )

    def _as(self, version: int, state: AutomationState) -> Condition:
        """That a version is live and the automation stands so."""
        table = self._items
        stands = table.state.does_not_exist() if state is AutomationState.LIVE else table.state == state.value
        same: Condition = stands & (table.version == version)
        return same

    def _get(self, key: Key) -> Automation | None:
        item = self._database.batch_get([key]).get(key)
        return None if item is None else self.entity(item)

    def _query(self, workspace: str, prefix: str) -> list[Automation]:
        with faults():
            found = self._items.query(workspace, self._items.sk.startswith(prefix), consistent_read=True)
            return [self.entity(item) for item in found]

    def _page(self, items: Iterable[AutomationItem], most: int) -> tuple[list[Automation], bool]:
        """As many as were asked for and one answer has room for, but at least one; and whether there are more."""
        page: list[Automation] = []
        left = ANSWER_BYTES
        for item in items:
            left -= len(json.dumps(item.definition))  # as text in the JSON that a function gives back
            if len(page) == most or (page and left < 0):
                return page, True
            page.append(self.entity(item))
        return page, False

    def _item(self, automation: Automation, place: str) -> AutomationItem:
        return self._items(
            automation.workspace,
            place,
            version=automation.version,
            definition=json.dumps(automation.definition.as_dict(), separators=(",", ":"), ensure_ascii=False),
            machine=automation.machine or None,
            created_at=to_text(automation.created_at),
            awaits=sorted(automation.awaits) or None,
            lets_out=sorted(automation.lets_out) or None,
        )


def _unknown(name: str) -> NotFound:
    return NotFound("unknown_automation", f"There is no automation named {name}.", "automation")


def unknown_version() -> NotFound:
    """That an automation has no such version."""
    return NotFound("unknown_version", "There is no such version of the automation.", "version")


def _place(name: str, version: int) -> str:
    return f"version#{name}#{version:06d}"
