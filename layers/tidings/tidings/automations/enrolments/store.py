"""The tables of enrolments and their steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from tidings.automations.enrolments.items import (
    TRIGGER,
    EnrolmentItem,
    StepItem,
    enrolment_in,
    entered_in,
    ordered,
    shard_at,
    shard_of,
    step_in,
    until_of,
)
from tidings.automations.enrolments.model import INSIDE, OVER, Enrolment, EnrolmentState, StepCall, StepTaken
from tidings.automations.statistics.room import Room
from tidings.automations.statistics.tallies import (
    Changes,
    of_begin,
    of_end,
    of_late_step,
    of_parking,
    of_step,
    together,
)
from tidings.automations.statistics.tally_store import DynamoTallyStore
from tidings.core.clock import to_text
from tidings.core.errors import Unavailable
from tidings.core.store import ConditionFailed, Database, Key, Part, check, faults, put, update

TRIES = 5
# What stands beside enrolments under keys with a # in front (waits, counts, refusals) sorts before their names.
NAMED = "$"


class DynamoEnrolmentStore:
    """Enrolments and their steps in DynamoDB, under their contact.

    What the trigger event said stands in an item of its own: an enrolment changes with every step, and a change costs
    by the size of the whole item. Whatever begins, goes on or ends is counted in the same transaction (`tallies`).
    Whoever only reads has no table of counts, and says so.
    """

    def __init__(self, database: Database, counts: bool = True) -> None:
        self._database = database
        self._items = database.table(EnrolmentItem, "enrolments")
        self._steps = database.table(StepItem, "steps")
        self._tallies = DynamoTallyStore(database) if counts else None

    def key(self, workspace: str, contact: str, automation: str, entry: str) -> Key:
        """Where an enrolment stands, for a batched read."""
        return Key(self._items, f"{workspace}#{contact}", f"{automation}#{entry}")

    def trigger_key(self, workspace: str, contact: str, automation: str, entry: str) -> Key:
        """Where the properties of the trigger event stand, for a batched read."""
        return Key(self._items, f"{workspace}#{contact}", f"{automation}#{entry}{TRIGGER}")

    def step_key(self, call: StepCall) -> Key:
        """Where the step stands that the call takes, for a batched read."""
        sk = f"{call.automation}#{call.entry}#{call.n + 1:06d}"
        return Key(self._steps, f"{call.workspace}#{call.contact}", sk)

    def add(
        self,
        enrolment: Enrolment,
        properties: Mapping[str, Any],
        why: Mapping[str, Any] | None = None,
        others: Sequence[Part] = (),
    ) -> None:
        """Store a new enrolment, what its event said and why it enrolled, with other writes of the same stroke.

        One call. Raises ConditionFailed, with the label `enrolment` if it is there already.
        """
        item = self._item(enrolment)
        new = put("enrolment", item, self._items.pk.does_not_exist())
        parts = [new, *self._counts(enrolment, of_begin(enrolment)), *others]
        if properties or why:
            trigger = self._items(item.pk, f"{item.sk}{TRIGGER}", properties=dict(properties) or None)
            trigger.why = dict(why) if why else None
            parts.append(put("trigger", trigger))
        self._database.transact(parts)

    def get(self, workspace: str, contact: str, automation: str, entry: str) -> Enrolment | None:
        """An enrolment: one consistent read."""
        return self.first_of(workspace, [contact], automation, entry)

    def entered_with(self, workspace: str, contact: str, automation: str, entry: str) -> Mapping[str, Any]:
        """The properties of the event that an enrolment began with: one read."""
        key = self.trigger_key(workspace, contact, automation, entry)
        item = self._database.batch_get([key]).get(key)
        return {} if item is None else item.properties or {}

    def first_of(self, workspace: str, contacts: Sequence[str], automation: str, entry: str) -> Enrolment | None:
        """The enrolment of the first of some contacts that has it: one batched read, none for no contacts."""
        keys = [self.key(workspace, contact, automation, entry) for contact in contacts]
        found = self._database.batch_get(keys)
        return next((self.entity(found[key]) for key in keys if key in found), None)

    def of_contact(self, workspace: str, contacts: Sequence[str]) -> list[Enrolment]:
        """The enrolments of a contact, which goes by these ids, with why they began: one query for each id."""
        found: list[Enrolment] = []
        for contact in contacts:
            with faults():
                place = f"{workspace}#{contact}"
                items = list(self._items.query(place, self._items.sk >= NAMED, consistent_read=True))
            why = {item.sk.removesuffix(TRIGGER): item.why or {} for item in items if item.state is None}
            found += [replace(self.entity(item), why=why.get(item.sk, {})) for item in items if item.state]
        return found

    def with_steps(self, enrolment: Enrolment, room: Room) -> dict[str, Any]:
        """An enrolment as the API shows it, with the steps it took as far as there is room."""
        told = room.shown({**enrolment.as_dict(), "why": dict(enrolment.why)})
        return {**told, "path": room.path([step.as_dict() for step in self.steps_of(enrolment)])}

    def steps_of(self, enrolment: Enrolment) -> list[StepTaken]:
        """The steps of an enrolment in their order."""
        prefix = f"{enrolment.automation}#{enrolment.entry}#"
        with faults():
            found = self._steps.query(
                f"{enrolment.workspace}#{enrolment.contact}", self._steps.sk.startswith(prefix), consistent_read=True
            )
            return [self.step(item) for item in found]

    def listed(self, keys: Iterable[tuple[str, str]]) -> list[Enrolment]:
        """The enrolments that an index lists, as they stand: a batched read."""
        wanted = [Key(self._items, *key) for key in keys]
        found = self._database.batch_get(wanted) if wanted else {}
        return [self.entity(found[key]) for key in wanted if key in found]

    def live(self, call: StepCall) -> Part:
        """The check that an enrolment is live, as part of a transaction."""
        return check("enrolment", self._place(call), self._items.state == EnrolmentState.LIVE.value)

    def record(self, call: StepCall, step: StepTaken) -> list[Part]:
        """A step and what follows it, if the enrolment is live and the step was not taken before.

        Refused with the label `enrolment` where it is not, and with `step` where the step was taken.
        """
        live = self._items.state == EnrolmentState.LIVE.value
        return [*self._taken(call, step, self._passed(call, step), live), *self._counts(call, of_step(step))]

    def record_late(self, call: StepCall, step: StepTaken, met: Enrolment) -> list[Part]:
        """The same for somebody who was `met` parked or gone, whose `ended` says it: what went is not taken back.

        Whoever is parked stays so, unless that was their last step. Whoever left keeps their state, and left from where
        the step led to. Refused with the label `enrolment` where they are not so any more, or were erased.
        """
        table = self._items
        if met.ended is None:
            raise ValueError("Who has not ended and is not parked takes a step as others do.")
        if met.state is not EnrolmentState.PARKED:
            changes, now = of_late_step(step, met.ended)
            actions = [*self._onward(step), table.ended.set(list(now))]
        else:
            changes, actions = of_step(step), self._passed(call, step)
            if not step.next:
                changes = together([changes, _back(met)])
                actions.append(table.ended.remove())
        same = (table.state == met.state.value) & (table.ended == list(met.ended)) & table.erased_at.does_not_exist()
        return [*self._taken(call, step, actions, same), *self._counts(call, changes)]

    def inside(self, workspace: str, contacts: Sequence[str], automations: Sequence[str]) -> Iterator[Enrolment]:
        """The enrolments of a contact, which goes by these ids, that can still act: a query for each id and automation.

        All automations in one query for each id if none is named. Read consistently.
        """
        inside = self._items.state.is_in(*(state.value for state in INSIDE))
        for contact in contacts:
            for automation in automations or [""]:
                yield from self.meant(workspace, contact, automation, inside)

    def meant(self, workspace: str, contact: str, automation: str, condition: Condition) -> list[Enrolment]:
        """The enrolments under an id of a contact for which a condition holds; in all automations if none is named."""
        table = self._items
        keys = table.sk.startswith(f"{automation}#") if automation else table.sk >= NAMED
        with faults():
            found = table.query(f"{workspace}#{contact}", keys, filter_condition=condition, consistent_read=True)
            return [self.entity(item) for item in found]

    def finish(
        self,
        enrolment: Enrolment,
        state: EnrolmentState,
        at: datetime,
        error: str = "",
        left: Mapping[str, Any] | None = None,
        of: Collection[EnrolmentState] | None = None,
        others: Sequence[Part] = (),
    ) -> bool:
        """End the run of an enrolment that is under way; False if it has ended, or runs elsewhere.

        `left` is by which exit, which ends those too that are parked or failed; `of` are the states that it may be in,
        if others. Somebody who goes on meanwhile is ended where they then are; `others` are writes of the same stroke.
        Raises Unavailable.
        """
        states = of or ((EnrolmentState.LIVE,) if left is None else INSIDE)
        for _ in range(TRIES):
            if enrolment.state not in states:
                return False
            try:
                self._database.transact([*self._ending(enrolment, state, at, error, left or {}), *others])
            except ConditionFailed:
                found = self.get(*enrolment.place)
                if found is None or found.runs != enrolment.runs:
                    return False
                enrolment = found
            else:
                return True
        raise Unavailable("enrolment_contended", "The enrolment kept changing.")

    def expel(self, enrolment: Enrolment, at: datetime, exit_name: str) -> None:
        """Let somebody out for good who has not come to an end; repeated, nothing changes. Raises Unavailable."""
        found: Enrolment | None = enrolment
        for _ in range(TRIES):
            if found is None or found.state in OVER:
                return
            if self.finish(
                found, EnrolmentState.EXITED, at, left={"exit": exit_name, "at": to_text(at)}, of=(found.state,)
            ):
                return
            found = self.get(*enrolment.place)
        raise Unavailable("enrolment_contended", "The enrolment kept changing.")

    def park(self, call: StepCall, at: datetime) -> bool:
        """Let an enrolment rest where a Task found it; False if it is not there any more, or not live."""
        table, (component, name) = self._items, of_parking()
        actions: list[Action] = [
            table.state.set(EnrolmentState.PARKED.value),
            table.updated_at.set(to_text(at)),
            table.ended.set([component, name]),
        ]
        here = (table.state == EnrolmentState.LIVE.value) & (table.n == call.n)
        counts = self._counts(call, {component: Counter({name: 1})})
        try:
            self._database.transact([update("enrolment", self._place(call), actions, here), *counts])
        except ConditionFailed:
            return False
        return True

    def run_again(self, before: Enrolment, after: Enrolment) -> bool:
        """Give an enrolment a new run; False if somebody else did. It is forgotten that the one before had ended."""
        table = self._items
        actions: list[Action] = [
            table.state.set(after.state.value),
            table.runs.set(after.runs),
            table.machine.set(after.machine),
            table.component.set(after.component),
            table.until.set(dict(after.until)),
            table.run_at.set(to_text(after.run.began)),
            table.run_n.set(after.run.steps),
            table.error.remove(),
            table.left.remove(),
            table.ended.remove(),
            *self._standing(before, after.component, after.until, before.updated_at or before.started_at),
        ]
        same = (table.state == before.state.value) & (table.runs == before.runs) & (table.n == before.n)
        parts = [update("enrolment", self._place(before), actions, same)]
        try:
            self._database.transact([*parts, *self._counts(before, _back(before))])
        except ConditionFailed:
            return False
        return True

    def entity(self, item: EnrolmentItem) -> Enrolment:
        """The enrolment that a read item is."""
        return enrolment_in(item)

    def step(self, item: StepItem) -> StepTaken:
        """The step that a read item is."""
        return step_in(item)

    def _ending(
        self, enrolment: Enrolment, state: EnrolmentState, at: datetime, error: str, left: Mapping[str, Any]
    ) -> list[Part]:
        table = self._items
        ended = of_end(enrolment, state, at, str(left.get("exit", "")))
        actions: list[Action] = [
            table.state.set(state.value),
            table.updated_at.set(to_text(at)),
            table.ended.set(list(ended)),
            table.standing.remove(),
            table.stands_until.remove(),
        ]
        actions += [table.error.set(error)] if error else []
        actions += [table.left.set(dict(left))] if left else []
        same = (table.state == enrolment.state.value) & (table.runs == enrolment.runs) & (table.n == enrolment.n)
        counts = self._counts(enrolment, together([_back(enrolment), {ended[0]: {ended[1]: 1}}]))
        return [update("enrolment", self._place(enrolment), actions, same), *counts]

    def _passed(self, call: StepCall, step: StepTaken) -> list[Action]:
        """What a step changes of the enrolment of somebody who is on their way."""
        actions = [*self._onward(step), *self._standing(call, step.next, step.until, step.at)]
        return actions if step.next else [*actions, self._items.state.set(EnrolmentState.COMPLETED.value)]

    def _onward(self, step: StepTaken) -> list[Action]:
        table = self._items
        actions: list[Action] = [
            table.n.set(step.n),
            table.component.set(step.next),
            table.until.set(dict(step.until)),
            table.updated_at.set(to_text(step.at)),
        ]
        actions += [table.conversation.set(step.conversation)] if step.conversation else []
        actions += (
            [table.depth.set(step.depth) if step.depth else table.depth.remove()] if step.depth is not None else []
        )
        return [*actions, table.waited.set(dict(step.waited))] if step.waited else actions

    def _standing(
        self, whose: Enrolment | StepCall, component: str, until: Mapping[str, str], since: datetime
    ) -> list[Action]:
        table = self._items
        if not component:
            return [table.standing.remove(), table.stands_until.remove()]
        return [
            table.standing.set(shard_at(whose, component)),
            table.stands_until.set(until_of(whose, until, since)),
        ]

    def _taken(self, call: StepCall, step: StepTaken, actions: list[Action], condition: Condition) -> list[Part]:
        return [
            put("step", self._step_item(call, step), self._steps.pk.does_not_exist()),
            update("enrolment", self._place(call), actions, condition),
        ]

    def _counts(self, whose: Enrolment | StepCall, changes: Mapping[str, Mapping[str, int]]) -> list[Part]:
        if self._tallies is None:
            raise TypeError("Who writes enrolments counts them.")
        return self._tallies.parts(whose.workspace, whose.automation, whose.version, whose.contact, changes)

    def _place(self, whose: Enrolment | StepCall) -> EnrolmentItem:
        return self._items(f"{whose.workspace}#{whose.contact}", f"{whose.automation}#{whose.entry}")

    def _step_item(self, call: StepCall, step: StepTaken) -> StepItem:
        at = to_text(step.at)
        return self._steps(
            f"{call.workspace}#{call.contact}",
            f"{call.automation}#{call.entry}#{step.n:06d}",
            component=step.component,
            outcome=step.outcome,
            next=step.next or None,
            until=dict(step.until),
            at=at,
            why=dict(step.why) or None,
            version=call.version,
            acted=shard_at(call, step.component),
            # Whose it is stands in it too, so that no two are the same: by this a page begins where the last one ended.
            taken=ordered(step.outcome, at, call.contact, call.entry, f"{step.n:06d}"),
        )

    def _item(self, enrolment: Enrolment) -> EnrolmentItem:
        began, component = to_text(enrolment.started_at), enrolment.component
        return self._items(
            f"{enrolment.workspace}#{enrolment.contact}",
            f"{enrolment.automation}#{enrolment.entry}",
            state=enrolment.state.value,
            version=enrolment.version,
            started_at=began,
            automation_shard=entered_in(enrolment.workspace, enrolment.automation, shard_of(enrolment)),
            entered=ordered(began, enrolment.contact, enrolment.entry),
            standing=shard_at(enrolment, component) if component else None,
            stands_until=until_of(enrolment, enrolment.until, enrolment.started_at) if component else None,
            machine=enrolment.machine,
            component=component,
            until=dict(enrolment.until),
            n=enrolment.n,
            runs=enrolment.runs,
            event=dict(enrolment.event),
            root=str(enrolment.root) if enrolment.root else None,
            stored_at=to_text(enrolment.stored_at) if enrolment.stored_at else None,
        )


def _back(enrolment: Enrolment) -> Changes:
    """What is taken back of an enrolment's end."""
    return {} if enrolment.ended is None else {enrolment.ended[0]: Counter({enrolment.ended[1]: -1})}
