"""Enrolling people: one enrolment and one execution for each event, however often it is repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tidings.activity.model import Event
from tidings.automations.components import UntilProperty, UntilTrait, Wait
from tidings.automations.definition.model import Definition
from tidings.automations.definition.triggers import Reentry
from tidings.automations.enrolments.model import PUBLISHABLE, Enrolment, EnrolmentState, until_texts
from tidings.automations.entering.entries import (
    Denied,
    Entered,
    Tally,
    denied,
    denied_by_key,
    entry_of,
    is_counted,
    is_keyed,
    no_key,
    scope_of,
)
from tidings.automations.entering.entries_store import DynamoEntriesStore, Ledger
from tidings.automations.entering.refusals import Reason, Refused
from tidings.automations.entering.refusals_store import DynamoRefusalStore
from tidings.automations.machines.calendar import zone_of
from tidings.automations.machines.following import Run
from tidings.automations.machines.gateway import QueueGateway, Start, StepFunctionsGateway
from tidings.automations.machines.graph import Moment, follow
from tidings.automations.store import Automation, DynamoEnrolmentStore
from tidings.conditions.values import lookup
from tidings.contacts.model import Contact
from tidings.core.clock import Clock
from tidings.core.errors import Unavailable
from tidings.core.store import ConditionFailed, Database

if TYPE_CHECKING:
    from tidings.automations.exits.leaving import Doors

TRIES = 5
# Of how many rules of an exit it is kept why they keep somebody out: 20 automations are told of with an event.
RULES_OF_EXIT = 10
# By how much clocks may differ: what came before a version was published may have entered the one before.
SLACK = timedelta(minutes=1)


@dataclass(frozen=True)
class Asking:
    """That an event asks an automation to take a contact in.

    `at` is when the event came to the contact, if not when it was received; `others` are further contacts whose the
    event was; `zone` is the workspace's time zone. `since` is the first version whose entries count as this one's do.
    `why` is the truth table of the trigger's condition, kept with the enrolment.
    """

    automation: Automation
    contact: Contact
    event: Event
    at: datetime | None = None
    others: Sequence[str] = ()
    zone: str = ""
    since: int = 1
    why: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rule(self) -> str | Reentry:
        """How often the contact may enter."""
        return self.automation.definition.reentry

    @property
    def may_have_entered_before(self) -> bool:
        """Whether the event may have been reacted to by a version whose entries count otherwise."""
        return self.since > 1 and self.event.received_at <= self.automation.created_at + SLACK

    def refused(self, reason: Reason, why: Mapping[str, Any]) -> Refused:
        """That the automation refuses."""
        return Refused(self.automation.name, self.automation.version, reason, why)

    def denied(self, by: Denied) -> Refused:
        """That re-entry says no."""
        return self.refused(Reason.REENTRY, {"rule": by.rule, "sentence": by.sentence, **by.seen})


class Enrolling:
    """Stores the enrolment first and starts its execution then: whoever is interrupted between repeats both."""

    def __init__(
        self,
        enrolments: DynamoEnrolmentStore,
        entries: DynamoEntriesStore,
        refusals: DynamoRefusalStore,
        doors: Doors,
        machines: StepFunctionsGateway,
        starts: QueueGateway,
        clock: Clock,
    ) -> None:
        self._enrolments = enrolments
        self._entries = entries
        self._refusals = refusals
        self._doors = doors
        self._machines = machines
        self._starts = starts
        self._clock = clock

    @classmethod
    def over(cls, database: Database, machines: StepFunctionsGateway, starts: QueueGateway, clock: Clock) -> Enrolling:
        """Enrolling people on the tables of a database."""
        enrolments = DynamoEnrolmentStore(database)
        entries = DynamoEntriesStore(database, enrolments)
        # Late: whoever only starts executions asks no exits.
        from tidings.activity.store import DynamoEventStore
        from tidings.activity.timeline import TimelineService
        from tidings.automations.exits.leaving import Doors

        doors = Doors(TimelineService(DynamoEventStore(database)))
        return cls(enrolments, entries, DynamoRefusalStore(database), doors, machines, starts, clock)

    def enrol(self, asking: Asking) -> Refused | None:
        """Enrol a contact because of an event; why not, and None if it is, or was by the same event.

        One write and one StartExecution; one read more where somebody does not enter every time, and where entries have
        to be counted anew a query for each id that the contact goes by; and what its exits ask for. Raises Unavailable
        or Throttled.
        """
        scope = scope_of(asking.rule, asking.event.properties)
        if scope is None:
            by = no_key(asking.rule)
            return asking.refused(Reason.NO_KEY, {"sentence": by.sentence, **by.seen})
        enrolment = new_enrolment(asking, scope)
        if isinstance(enrolment, Refused):
            return enrolment
        enrolment = replace(enrolment, stored_at=self._clock.now())
        # Before it was absorbed, this event may have been seen. Who is asked often enters once, and is refused often:
        # a read is cheaper than a transaction that fails.
        own = (asking.contact.id,) if is_keyed(asking.rule) else ()
        before = tuple(dict.fromkeys((*own, *asking.contact.absorbed, *asking.others)))
        earlier = self._earlier(enrolment, before)
        if earlier is not None:
            return self._there(asking, earlier, enrolment)
        if asking.may_have_entered_before or (asking.since > 1 and is_keyed(asking.rule)):
            settled, refused = self._by_what_was(asking, enrolment, scope)
            if settled:
                return refused
        closed = self._closed(asking, enrolment)
        if closed is not None:
            there = self._earlier(enrolment, [enrolment.contact])
            return closed if there is None else self._there(asking, there, enrolment)
        if is_counted(asking.rule):
            return self._enrol_counted(asking, enrolment, scope)
        try:
            self._enrolments.add(enrolment, asking.event.properties, asking.why)
        except ConditionFailed:
            return self._there_already(asking, enrolment)
        self._start(enrolment)
        return None

    def _closed(self, asking: Asking, enrolment: Enrolment) -> Refused | None:
        """That an exit would let them out at once, if one would."""
        left = self._doors.closed(enrolment, asking.automation.definition, asking.contact, RULES_OF_EXIT)
        if left is None:
            return None
        return asking.refused(Reason.EXIT_HOLDS, {"exit": left.name, "when": left.why["when"]})

    def _enrol_counted(self, asking: Asking, enrolment: Enrolment, scope: str) -> Refused | None:
        """Enrol by a rule that counts: again where somebody else entered since the count was read."""
        rule = asking.rule
        assert isinstance(rule, Reentry)  # noqa: S101 - `is_counted`
        for _ in range(TRIES):
            read = self._read(asking, enrolment, rule, scope)
            if isinstance(read, Refused):
                return read
            if isinstance(read, Enrolment):
                return self._there(asking, read, enrolment)
            by = self._denied(asking, rule, scope, read, enrolment.started_at)
            if isinstance(by, Denied):
                return asking.denied(by)
            way = (enrolment.contact, enrolment.entry) if rule.parallel else None
            parts = [
                self._entries.part(asking.contact, asking.automation.name, one, by, enrolment.started_at, way)
                for one in by.tallies
            ]
            try:
                self._enrolments.add(enrolment, asking.event.properties, asking.why, parts)
            except ConditionFailed as error:
                if "enrolment" in error.labels:
                    return self._there_already(asking, enrolment)
                continue
            self._start(enrolment)
            return None
        raise Unavailable("entries_contended", "The entries of a contact kept changing.")

    def _read(self, asking: Asking, enrolment: Enrolment, rule: Reentry, scope: str) -> Ledger | Refused | Enrolment:
        """The counts; or what an earlier try made of this very event: an enrolment, or a refusal, which stays one."""
        contact, name = asking.contact, asking.automation.name
        scopes: list[str | None] = [scope] if scope else []
        scopes += [None] if rule.parallel or not scope else []
        own = self._enrolments.key(contact.workspace, contact.id, name, enrolment.entry)
        kept = self._refusals.key(contact.workspace, contact.id, asking.event)
        ledger, found = self._entries.read(contact, name, rule, asking.since, scopes, own, kept)
        if own in found:
            return self._enrolments.entity(found[own])
        refused = self._refusals.entity(found[kept]).of(name) if kept in found else None
        return refused if refused is not None and refused.reason is Reason.REENTRY else ledger

    def _denied(self, asking: Asking, rule: Reentry, scope: str, ledger: Ledger, at: datetime) -> Denied | Ledger:
        """Why the rule says no, or the counts by which it does not: ways that seem under way are looked at first."""
        of_value, of_all = ledger.tallies[scope or None], ledger.tallies.get(None, Tally())
        by = denied(rule, of_value, of_all, at)
        if by is None or by.rule != "parallel":
            return by or ledger
        ways = self._entries.under_way(asking.contact.workspace, asking.automation.name, of_all.ways)
        seen = of_all.with_ways(ways)
        return denied(rule, of_value, seen, at) or Ledger(
            {**ledger.tallies, None: seen}, ledger.numbers, ledger.counted_for
        )

    def _by_what_was(self, asking: Asking, enrolment: Enrolment, scope: str) -> tuple[bool, Refused | None]:
        """What entries decide that count otherwise: one by the same event, or the only one there may be."""
        entries = self._entries.entries_of(asking.contact, asking.automation.name, asking.rule)
        same = next((one for one in entries if _is_by(one, enrolment)), None)
        if same is not None:
            contact, entry = same.place
            earlier = self._enrolments.get(enrolment.workspace, contact, enrolment.automation, entry)
            return True, None if earlier is None else self._there(asking, earlier, enrolment)
        if not is_keyed(asking.rule):
            return False, None
        counted = [one.at for one in entries if one.scope == scope]
        return bool(counted), asking.denied(denied_by_key(asking.rule, max(counted))) if counted else None

    def _earlier(self, enrolment: Enrolment, contacts: Sequence[str]) -> Enrolment | None:
        """The same enrolment as it was stored before, under the first of these contacts that has it."""
        return self._enrolments.first_of(enrolment.workspace, contacts, enrolment.automation, enrolment.entry)

    def _there_already(self, asking: Asking, enrolment: Enrolment) -> Refused | None:
        earlier = self._earlier(enrolment, [enrolment.contact])
        return None if earlier is None else self._there(asking, earlier, enrolment)

    def _there(self, asking: Asking, earlier: Enrolment, enrolment: Enrolment) -> Refused | None:
        """Start the execution of an enrolment that is there, unless it was or is over; why not, if another made it."""
        if dict(earlier.event) != dict(enrolment.event):
            keyed = is_keyed(asking.rule)
            return asking.denied(denied_by_key(asking.rule, earlier.started_at)) if keyed else None
        if earlier.state is EnrolmentState.LIVE and earlier.n == 0 and earlier.runs == 0:
            self._start(earlier)
        return None

    def _start(self, enrolment: Enrolment) -> None:
        if start(self._machines, enrolment).is_put_off:
            self._starts.put(reference(enrolment))


def new_enrolment(asking: Asking, scope: str) -> Enrolment | Refused:
    """The enrolment that an event causes. Its times count from when the event came, so a repeat is the same.

    None where the automation begins with a wait until a date that is past, and that is left then.
    """
    automation, contact, event = asking.automation, asking.contact, asking.event
    began = asking.at or event.received_at
    moment = Moment(began, contact.values, event.properties, zone_of(contact.time_zone, asking.zone), Run(began))
    following = follow(automation.definition, automation.definition.start, moment)
    if following.missed and not following.next:
        return asking.refused(Reason.DATE_PAST, _past(automation.definition, following.missed, moment))
    return Enrolment(
        workspace=contact.workspace,
        contact=contact.id,
        automation=automation.name,
        version=automation.version,
        entry=entry_of(event, automation.definition.reentry, scope),
        state=EnrolmentState.LIVE,
        started_at=began,
        machine=automation.machine,
        component=following.next,
        until=until_texts(following),
        event=_named(event),
        root=event.root,
    )


def _named(event: Event) -> dict[str, str]:
    """What an enrolment keeps of the event that it began with."""
    named = {"identity": str(event.identity), "message_id": event.message_id, "event": event.name}
    return {**named, PUBLISHABLE: "yes"} if event.publishable else named


def _past(definition: Definition, component: str, moment: Moment) -> dict[str, Any]:
    """The date of a wait that is past, as it was seen; None where there was none."""
    wait = definition.components[component]
    until = wait.until if isinstance(wait, Wait) else None
    found: object = until if isinstance(until, str) else None
    if isinstance(until, UntilTrait):
        found = lookup(moment.traits, until.trait)
    elif isinstance(until, UntilProperty):
        found = lookup(moment.properties, until.property)
    return {"component": component, "found": None if found is None else str(found)[:100]}


def _is_by(entered: Entered, enrolment: Enrolment) -> bool:
    return dict(entered.event) == dict(enrolment.event)


def start(machines: StepFunctionsGateway, enrolment: Enrolment) -> Start:
    """Start the execution of an enrolment's current run; repeating it starts nothing."""
    return machines.start(enrolment.machine, enrolment.execution_name, enrolment.input)


def reference(enrolment: Enrolment) -> dict[str, Any]:
    """What names an enrolment in a queue."""
    return {
        "workspace": enrolment.workspace,
        "contact": enrolment.contact,
        "automation": enrolment.automation,
        "entry": enrolment.entry,
    }


class PendingStarts:
    """Starts executions that Step Functions had no room for, or no machine any more."""

    def __init__(self, enrolments: DynamoEnrolmentStore, machines: StepFunctionsGateway, jobs: QueueGateway) -> None:
        self._enrolments = enrolments
        self._machines = machines
        self._jobs = jobs

    def start(self, named: dict[str, str]) -> bool:
        """Start a pending enrolment; False if there is still no room. Raises Unavailable.

        A machine that was deleted is made again by who can: the enrolment is resumed there.
        """
        enrolment = self._enrolments.get(named["workspace"], named["contact"], named["automation"], named["entry"])
        if enrolment is None or enrolment.state is not EnrolmentState.LIVE:
            return True
        started = start(self._machines, enrolment)
        if started is Start.NO_MACHINE:
            self._jobs.put({"do": "resume", **reference(enrolment), "runs": enrolment.runs})
        return started is not Start.THROTTLED
