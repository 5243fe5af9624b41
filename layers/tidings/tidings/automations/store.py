"""The tables of automations, enrolments and steps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from tidings.activity.chain import Node
from tidings.automations.enrolments import Enrolment, EnrolmentState, StepCall, StepTaken
from tidings.automations.model import Definition, parse_definition
from tidings.core.clock import from_text, to_text
from tidings.core.ids import shard
from tidings.core.store import ConditionFailed, Database, Item, JsonAttribute, Key, Part, check, faults, put, update

ENROLMENT_SHARDS = 4


@dataclass(frozen=True, slots=True)
class Automation:
    """A draft (`version` 0) or a published version of an automation; a published one has a machine.

    `awaits` are the names of all events that somebody may wait for who is inside it, in this version or an earlier one.
    """

    workspace: str
    definition: Definition
    version: int
    machine: str
    created_at: datetime
    awaits: frozenset[str] = frozenset()

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


class AutomationItem(Item):
    version = NumberAttribute()
    definition = UnicodeAttribute()
    machine = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute()
    awaits = JsonAttribute(null=True)


class DynamoAutomationStore:
    """Automations in DynamoDB: a draft, every published version, and a copy of the live one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(AutomationItem, "automations")

    def draft(self, workspace: str, name: str) -> Automation | None:
        """What was applied last."""
        return self._get(Key(self._items, workspace, f"draft#{name}"))

    def live(self, workspace: str, name: str) -> Automation | None:
        """The published version that enrols people."""
        return self._get(Key(self._items, workspace, f"live#{name}"))

    def version(self, workspace: str, name: str, version: int) -> Automation | None:
        """A published version: one read."""
        return self._get(self.version_key(workspace, name, version))

    def version_key(self, workspace: str, name: str, version: int) -> Key:
        """Where a published version stands, for a batched read."""
        return Key(self._items, workspace, f"version#{name}#{version:06d}")

    def all_live(self, workspace: str) -> list[Automation]:
        """Every automation that enrols people: one query."""
        return self._query(workspace, "live#")

    def all_drafts(self, workspace: str) -> list[Automation]:
        """Every automation that was ever applied."""
        return self._query(workspace, "draft#")

    def versions(self, workspace: str, name: str) -> list[Automation]:
        """The published versions, latest first."""
        return self._query(workspace, f"version#{name}#")[::-1]

    def first_published(self, automation: Automation) -> datetime:
        """When an automation was published first, as far as its versions are there: one query."""
        with faults():
            prefix = self._items.sk.startswith(f"version#{automation.name}#")
            found = list(self._items.query(automation.workspace, prefix, limit=1, consistent_read=True))
        return from_text(found[0].created_at) if found else automation.created_at

    def save_draft(self, automation: Automation) -> None:
        """Store what was applied, over what was applied before."""
        with faults():
            self._item(automation, f"draft#{automation.name}").save()

    def publish(self, automation: Automation, workspace: Part) -> None:
        """Store a version and make it live, and tell the workspace, in one stroke.

        Raises ConditionFailed if another version was published meanwhile.
        """
        before = automation.version - 1
        expected = self._items.version == before if before else self._items.pk.does_not_exist()
        version = self._item(automation, f"version#{automation.name}#{automation.version:06d}")
        live = self._item(automation, f"live#{automation.name}")
        self._database.transact(
            [put("version", version, self._items.pk.does_not_exist()), put("live", live, expected), workspace]
        )

    def entity(self, item: AutomationItem) -> Automation:
        """The automation that a read item is."""
        definition = parse_definition(json.loads(item.definition))
        awaits = frozenset(item.awaits or ())
        created_at = from_text(item.created_at)
        return Automation(item.pk, definition, int(item.version), item.machine or "", created_at, awaits)

    def _get(self, key: Key) -> Automation | None:
        item = self._database.batch_get([key]).get(key)
        return None if item is None else self.entity(item)

    def _query(self, workspace: str, prefix: str) -> list[Automation]:
        with faults():
            found = self._items.query(workspace, self._items.sk.startswith(prefix), consistent_read=True)
            return [self.entity(item) for item in found]

    def _item(self, automation: Automation, place: str) -> AutomationItem:
        return self._items(
            automation.workspace,
            place,
            version=automation.version,
            definition=json.dumps(automation.definition.as_dict(), separators=(",", ":"), ensure_ascii=False),
            machine=automation.machine or None,
            created_at=to_text(automation.created_at),
            awaits=sorted(automation.awaits) or None,
        )


class ByAutomationIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """An automation's enrolments, by when they began."""

    class Meta:
        index_name = "by_automation"
        projection = AllProjection()

    automation_shard = UnicodeAttribute(hash_key=True)
    started_at = UnicodeAttribute(range_key=True)


class EnrolmentItem(Item):
    state = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    started_at = UnicodeAttribute(null=True)
    automation_shard = UnicodeAttribute(null=True)
    machine = UnicodeAttribute(null=True)
    component = UnicodeAttribute(null=True)
    until = JsonAttribute(null=True)
    n = NumberAttribute(null=True)
    runs = NumberAttribute(null=True)
    event = JsonAttribute(null=True)
    root = UnicodeAttribute(null=True)
    updated_at = UnicodeAttribute(null=True)
    error = UnicodeAttribute(null=True)
    properties = JsonAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    by_automation = ByAutomationIndex()


class StepItem(Item):
    component = UnicodeAttribute()
    outcome = UnicodeAttribute()
    next = UnicodeAttribute(null=True)
    until = JsonAttribute()
    at = UnicodeAttribute()
    why = JsonAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class DynamoEnrolmentStore:
    """Enrolments and their steps in DynamoDB, under their contact.

    What the trigger event said stands in an item of its own: an enrolment changes with every step, and a change costs
    by the size of the whole item.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(EnrolmentItem, "enrolments")
        self._steps = database.table(StepItem, "steps")

    def key(self, workspace: str, contact: str, automation: str, entry: str) -> Key:
        """Where an enrolment stands, for a batched read."""
        return Key(self._items, f"{workspace}#{contact}", f"{automation}#{entry}")

    def trigger_key(self, workspace: str, contact: str, automation: str, entry: str) -> Key:
        """Where the properties of the trigger event stand, for a batched read."""
        return Key(self._items, f"{workspace}#{contact}", f"{automation}#{entry}#trigger")

    def step_key(self, call: StepCall) -> Key:
        """Where the step stands that the call takes, for a batched read."""
        sk = f"{call.automation}#{call.entry}#{call.n + 1:06d}"
        return Key(self._steps, f"{call.workspace}#{call.contact}", sk)

    def add(self, enrolment: Enrolment, properties: Mapping[str, Any]) -> None:
        """Store a new enrolment: one call. Raises ConditionFailed if it is there already."""
        item = self._item(enrolment)
        new = self._items.pk.does_not_exist()
        if not properties:
            with faults():
                item.save(condition=new)
            return
        trigger = self._items(item.pk, f"{item.sk}#trigger", properties=dict(properties))
        self._database.transact([put("enrolment", item, new), put("trigger", trigger)])

    def get(self, workspace: str, contact: str, automation: str, entry: str) -> Enrolment | None:
        """An enrolment: one consistent read."""
        return self.first_of(workspace, [contact], automation, entry)

    def first_of(self, workspace: str, contacts: Sequence[str], automation: str, entry: str) -> Enrolment | None:
        """The enrolment of the first of some contacts that has it: one batched read, none for no contacts."""
        keys = [self.key(workspace, contact, automation, entry) for contact in contacts]
        found = self._database.batch_get(keys)
        return next((self.entity(found[key]) for key in keys if key in found), None)

    def of_contact(self, workspace: str, contacts: Sequence[str]) -> list[Enrolment]:
        """The enrolments of a contact, which goes by these ids: one query for each."""
        found: list[Enrolment] = []
        for contact in contacts:
            with faults():
                items = self._items.query(f"{workspace}#{contact}", consistent_read=True)
                found += [self.entity(item) for item in items if item.state]
        return found

    def with_steps(self, enrolment: Enrolment) -> dict[str, Any]:
        """An enrolment as the API shows it, with the steps it took."""
        return {**enrolment.as_dict(), "path": [step.as_dict() for step in self.steps_of(enrolment)]}

    def steps_of(self, enrolment: Enrolment) -> list[StepTaken]:
        """The steps of an enrolment in their order."""
        prefix = f"{enrolment.automation}#{enrolment.entry}#"
        with faults():
            found = self._steps.query(
                f"{enrolment.workspace}#{enrolment.contact}", self._steps.sk.startswith(prefix), consistent_read=True
            )
            return [self.step(item) for item in found]

    def of_automation(self, workspace: str, automation: str) -> list[Enrolment]:
        """Everybody who ever entered an automation, earliest first."""
        found: list[Enrolment] = []
        for number in range(ENROLMENT_SHARDS):
            with faults():
                items = self._items.by_automation.query(_place(workspace, automation, number))
                found += [self.entity(item) for item in items]
        return sorted(found, key=lambda enrolment: enrolment.started_at)

    def live(self, call: StepCall) -> Part:
        """The check that an enrolment is live, as part of a transaction."""
        return check("enrolment", self._at(call), self._items.state == EnrolmentState.LIVE.value)

    def record(self, call: StepCall, step: StepTaken, live: bool) -> list[Part]:
        """A step and what follows it. With `live`, only if the enrolment is live and the step was not taken before."""
        table = self._items
        actions: list[Action] = [
            table.n.set(step.n),
            table.component.set(step.next),
            table.until.set(dict(step.until)),
            table.updated_at.set(to_text(step.at)),
        ]
        if not step.next:
            actions.append(table.state.set(EnrolmentState.COMPLETED.value))
        # A message that went is recorded even for somebody who was stopped meanwhile; a state is not brought back.
        condition = table.state == EnrolmentState.LIVE.value if live else None
        if not live and not step.next:
            actions.pop()
        return [
            put("step", self._step_item(call, step), self._steps.pk.does_not_exist() if live else None),
            update("enrolment", self._at(call), actions, condition),
        ]

    def finish(self, enrolment: Enrolment, state: EnrolmentState, at: datetime, error: str = "") -> bool:
        """End a live enrolment's run; False if it has ended, or runs elsewhere."""
        table = self._items
        actions: list[Action] = [table.state.set(state.value), table.updated_at.set(to_text(at))]
        if error:
            actions.append(table.error.set(error))
        live = (table.state == EnrolmentState.LIVE.value) & (table.runs == enrolment.runs)
        return self._try(enrolment, actions, live)

    def run_again(self, before: Enrolment, after: Enrolment) -> bool:
        """Give an enrolment a new run; False if somebody else did."""
        table = self._items
        actions: list[Action] = [
            table.state.set(after.state.value),
            table.runs.set(after.runs),
            table.machine.set(after.machine),
            table.error.remove(),
        ]
        same = (table.state == before.state.value) & (table.runs == before.runs)
        return self._try(before, actions, same)

    def entity(self, item: EnrolmentItem) -> Enrolment:
        """The enrolment that a read item is."""
        workspace, _, contact = item.pk.partition("#")
        automation, _, entry = item.sk.partition("#")
        return Enrolment(
            workspace=workspace,
            contact=contact,
            automation=automation,
            version=int(item.version or 0),
            entry=entry,
            state=EnrolmentState(item.state),
            started_at=from_text(item.started_at or ""),
            machine=item.machine or "",
            component=item.component or "",
            until=item.until or {},
            n=int(item.n or 0),
            runs=int(item.runs or 0),
            event=item.event or {},
            root=Node.parse(item.root) if item.root else None,
            updated_at=from_text(item.updated_at) if item.updated_at else None,
            error=item.error or "",
        )

    def step(self, item: StepItem) -> StepTaken:
        """The step that a read item is."""
        return StepTaken(
            n=int(item.sk.rpartition("#")[2]),
            component=item.component,
            outcome=item.outcome,
            next=item.next or "",
            until=item.until,
            at=from_text(item.at),
            why=item.why or {},
        )

    def _try(self, enrolment: Enrolment, actions: list[Action], condition: Any) -> bool:
        item = self._items(f"{enrolment.workspace}#{enrolment.contact}", f"{enrolment.automation}#{enrolment.entry}")
        try:
            with faults():
                item.update(actions, condition=condition)
        except ConditionFailed:
            return False
        return True

    def _at(self, call: StepCall) -> EnrolmentItem:
        return self._items(f"{call.workspace}#{call.contact}", f"{call.automation}#{call.entry}")

    def _step_item(self, call: StepCall, step: StepTaken) -> StepItem:
        return self._steps(
            f"{call.workspace}#{call.contact}",
            f"{call.automation}#{call.entry}#{step.n:06d}",
            component=step.component,
            outcome=step.outcome,
            next=step.next or None,
            until=dict(step.until),
            at=to_text(step.at),
            why=dict(step.why) or None,
        )

    def _item(self, enrolment: Enrolment) -> EnrolmentItem:
        number = shard(enrolment.contact, ENROLMENT_SHARDS)
        return self._items(
            f"{enrolment.workspace}#{enrolment.contact}",
            f"{enrolment.automation}#{enrolment.entry}",
            state=enrolment.state.value,
            version=enrolment.version,
            started_at=to_text(enrolment.started_at),
            automation_shard=_place(enrolment.workspace, enrolment.automation, number),
            machine=enrolment.machine,
            component=enrolment.component,
            until=dict(enrolment.until),
            n=enrolment.n,
            runs=enrolment.runs,
            event=dict(enrolment.event),
            root=str(enrolment.root) if enrolment.root else None,
        )


def _place(workspace: str, automation: str, number: int) -> str:
    return f"{workspace}#{automation}#{number}"
