"""What stands beside automations in their table: what was changed and by whom, jobs, and machines that were made."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from tidings.automations.lifecycle.jobs import Change, Job, JobKind, JobProgress, JobState
from tidings.automations.lifecycle.standing import AutomationState, moved_to
from tidings.core.clock import from_text, to_text
from tidings.core.errors import Unavailable
from tidings.core.store import ConditionFailed, Database, Item, JsonAttribute, Part, faults, put, update

SHOWN = 20
_LAST = "\U0010ffff"


class ChangeItem(Item):
    what = UnicodeAttribute()
    who = UnicodeAttribute()
    at = UnicodeAttribute()
    details = JsonAttribute(null=True)


class JobItem(Item):
    kind = UnicodeAttribute()
    state = UnicodeAttribute()
    who = UnicodeAttribute()
    at = UnicodeAttribute()
    page = NumberAttribute()
    found = NumberAttribute()
    done = NumberAttribute()


class MachineItem(Item):
    version = NumberAttribute()
    sweep = UnicodeAttribute(null=True)
    deleting = UnicodeAttribute(null=True)


class DynamoLifecycleStore:
    """Changes, jobs and machines of automations, under their workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changes = database.table(ChangeItem, "automations")
        self._jobs = database.table(JobItem, "automations")
        self._machines = database.table(MachineItem, "automations")

    # --- the log ----------------------------------------------------------------------------------------------------

    def log(self, workspace: str, name: str, change: Change) -> Part:
        """A change, in the transaction that makes it."""
        place = f"log#{name}#{to_text(change.at)}#{secrets.token_hex(4)}"
        item = self._changes(
            workspace,
            place,
            what=change.what,
            who=change.who,
            at=to_text(change.at),
            details=dict(change.details) or None,
        )
        return put("log", item)

    def record(self, workspace: str, name: str, change: Change) -> None:
        """Write down a change by itself: one write."""
        self._database.transact([self.log(workspace, name, change)])

    def changes(self, workspace: str, name: str, until: datetime | None = None) -> list[Change]:
        """The latest changes, until an instant if one is given, the latest first: one query."""
        return list(islice(self._latest(workspace, name, until, SHOWN), SHOWN))

    def state_at(self, workspace: str, name: str, at: datetime) -> AutomationState:
        """Where a published automation stood at an instant, by the last change of that until then: one query."""
        moves = (moved_to(one.what, one.details) for one in self._latest(workspace, name, at, None))
        return next((state for state in moves if state is not None), AutomationState.LIVE)

    def _latest(self, workspace: str, name: str, until: datetime | None, most: int | None) -> Iterator[Change]:
        first = f"log#{name}#"
        last = f"{first}{to_text(until)}{_LAST}" if until else f"{first}{_LAST}"
        with faults():
            found = self._changes.query(
                workspace,
                self._changes.sk.between(first, last),
                limit=most,
                scan_index_forward=False,
                consistent_read=True,
            )
            for one in found:
                yield Change(one.what, one.who, from_text(one.at), one.details or {})

    # --- jobs -------------------------------------------------------------------------------------------------------

    def progress(self, job: Job) -> JobProgress:
        """How far a job is, which is written down when its first page is read: one read, and one write then."""
        key = _job(job.automation, job.id)
        with faults():
            try:
                return _progress(self._jobs.get(job.workspace, key, consistent_read=True))
            except self._jobs.DoesNotExist:
                pass
        new = self._jobs(
            job.workspace,
            key,
            kind=job.kind.value,
            state=JobState.RUNNING.value,
            who=job.who,
            at=to_text(job.at),
            page=0,
            found=0,
            done=0,
        )
        try:
            with faults():
                new.save(condition=self._jobs.pk.does_not_exist())
        except ConditionFailed:
            return self.progress(job)
        return _progress(new)

    def turn(self, job: Job, found: int, state: JobState = JobState.RUNNING) -> bool:
        """Write down that a page was worked off, in which so many were found; False if it was before."""
        table = self._jobs
        actions: list[Action] = [
            table.page.set(job.place.page + 1),
            table.found.add(found),
            table.state.set(state.value),
        ]
        try:
            with faults():
                table(job.workspace, _job(job.automation, job.id)).update(
                    actions, condition=table.page == job.place.page
                )
        except ConditionFailed:
            return False
        return True

    def one_done(self, workspace: str, automation: str, job: str) -> list[Part]:
        """That one was worked on, in the transaction that did so; nothing for what is no job's."""
        item = self._jobs(workspace, _job(automation, job))
        return [update("job", item, [self._jobs.done.add(1)], self._jobs.pk.exists())] if job else []

    def count_one(self, workspace: str, automation: str, job: str) -> None:
        """That one was worked on, after that was done: one write."""
        for part in self.one_done(workspace, automation, job):
            self._database.transact([part])

    def jobs(self, workspace: str, name: str) -> list[JobProgress]:
        """The latest jobs, the latest first: one query."""
        with faults():
            prefix = self._jobs.sk.startswith(f"job#{name}#")
            found = self._jobs.query(workspace, prefix, limit=SHOWN, scan_index_forward=False, consistent_read=True)
            return [_progress(one) for one in found]

    # --- machines ---------------------------------------------------------------------------------------------------

    def add_machine(self, workspace: str, automation: str, version: int, machine: str) -> None:
        """Write down that a machine is made or used again, by its name: one write, which takes it off every sweep.

        Raises Unavailable while it is being deleted.
        """
        item = self._machines(workspace, _machine(automation, version, machine), version=version)
        try:
            with faults():
                item.save(condition=self._machines.deleting.does_not_exist())
        except ConditionFailed as error:
            raise Unavailable("machine_failed", "The machine is being deleted, and can be made again then.") from error

    def machines(self, workspace: str, automation: str) -> dict[str, int]:
        """The names of the machines that were made and not deleted, each with its version: one query."""
        with faults():
            prefix = self._machines.sk.startswith(f"machine#{automation}#")
            found = self._machines.query(workspace, prefix, consistent_read=True)
            return {one.sk.rpartition("#")[2]: int(one.version) for one in found}

    def sweep_machine(self, workspace: str, automation: str, version: int, machine: str, sweep: str) -> bool:
        """Put a machine onto a sweep: it is deleted at its end unless it is used again. False if it is gone."""
        return self._mark(workspace, _machine(automation, version, machine), "sweep", sweep, self._machines.pk.exists())

    def claim_machine(self, workspace: str, automation: str, version: int, machine: str, sweep: str) -> bool:
        """Let nobody use a machine any more; False if it was used since the sweep began."""
        same = self._machines.sweep == sweep
        return self._mark(workspace, _machine(automation, version, machine), "deleting", sweep, same)

    def _mark(self, workspace: str, place: str, name: str, value: str, condition: Condition) -> bool:
        try:
            with faults():
                item = self._machines(workspace, place)
                item.update([getattr(self._machines, name).set(value)], condition=condition)
        except ConditionFailed:
            return False
        return True

    def forget_machine(self, workspace: str, automation: str, version: int, machine: str) -> None:
        """Write down that a machine is deleted."""
        with faults():
            self._machines(workspace, _machine(automation, version, machine)).delete()


def job_id(at: datetime) -> str:
    """An id by which jobs stand in the order in which they were begun."""
    return f"{at:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"


def _job(automation: str, job: str) -> str:
    return f"job#{automation}#{job}"


def _machine(automation: str, version: int, machine: str) -> str:
    return f"machine#{automation}#{version:06d}#{machine}"


def _progress(item: Any) -> JobProgress:
    return JobProgress(
        id=item.sk.rpartition("#")[2],
        kind=JobKind(item.kind),
        state=JobState(item.state),
        who=item.who,
        at=from_text(item.at),
        found=int(item.found or 0),
        done=int(item.done or 0),
        page=int(item.page or 0),
    )
