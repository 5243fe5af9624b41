"""Giving those a new run who have none any more: lost, failed, or parked while their automation was paused.

They go on at the component that they had come to. What a message id or a recorded step says was done is not done again.
Whose run was written down not long ago may be about to start, by whoever wrote it or by the queue of starts, and is
neither lost nor given another run.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.automations.automation_store import unknown_version
from tidings.automations.enrolments.inside_store import DynamoInsideStore, Walk
from tidings.automations.enrolments.model import INSIDE, Enrolment, EnrolmentState
from tidings.automations.entering.enrol import start
from tidings.automations.machines.gateway import Start, StepFunctionsGateway
from tidings.automations.machines.machines import Machines
from tidings.automations.store import Automation, DynamoAutomationStore, DynamoEnrolmentStore
from tidings.core import cursors
from tidings.core.clock import Clock
from tidings.core.errors import NotFound, Throttled, Unavailable

# For how long an engine may try a Task again that parked its enrolment: the local one repeats whatever is raised.
RETRIED = timedelta(minutes=10)

# For so long the queue of starts tries, every three minutes and 30 times (infra/messaging.yaml). By then somebody runs,
# or is among the dead letters, of which an alarm tells: longer would hide them from who looks after it.
STARTING = timedelta(minutes=90)

# What became of an execution that runs no more while its enrolment is live.
_GONE = {"FAILED": "failed", "TIMED_OUT": "failed", "SUCCEEDED": "finished", "ABORTED": "stopped", "": "gone"}


class NoMachine(Unavailable):
    """The machine of an enrolment was deleted since it was given it."""


class Resuming:
    """Finds enrolments that no execution runs for, and starts one."""

    def __init__(
        self,
        automations: DynamoAutomationStore,
        enrolments: DynamoEnrolmentStore,
        inside: DynamoInsideStore,
        workspaces: DynamoWorkspaceStore,
        machines: Machines,
        executions: StepFunctionsGateway,
        clock: Clock,
    ) -> None:
        self._automations = automations
        self._enrolments = enrolments
        self._inside = inside
        self._workspaces = workspaces
        self._machines = machines
        self._executions = executions
        self._clock = clock
        self._versions: dict[tuple[str, str, int], Automation] = {}

    # --- finding ----------------------------------------------------------------------------------------------------

    def lost(self, workspace: str, name: str, limit: int, cursor: str) -> tuple[list[dict[str, Any]], str]:
        """Those of up to `limit` who entered that are inside and have no execution, and where the next page begins.

        For each that is live one question to Step Functions. `lost` says what became of the execution. Raises
        InvalidInput for a bad cursor, Throttled, Unavailable.
        """
        found, following = self._page(workspace, name, limit, cursor)
        halted = bool(found) and name in self._halted(workspace)
        told = [(one, self._lost(one, halted)) for one in found]
        return [{**one.as_dict(), "lost": lost} for one, lost in told if lost], following

    def page(self, workspace: str, name: str, limit: int, cursor: str, starting: bool = False) -> tuple[int, str]:
        """Resume those of up to `limit` who entered that have no execution; how many, and where the next page begins.

        `starting` are also those who may be about to start. Raises InvalidInput for a bad cursor, Unavailable, and
        Throttled where Step Functions has no room: a repeat of the call does the rest of the page.
        """
        found, following = self._page(workspace, name, limit, cursor)
        return sum(self.one(enrolment, starting) for enrolment in found), following

    def named(self, workspace: str, name: str, contact: str, entry: str, starting: bool = False) -> bool:
        """Resume one enrolment, `starting` also if it may be about to start; whether it needed to be.

        Raises NotFound, Throttled, Unavailable.
        """
        enrolment = self._enrolments.get(workspace, contact, name, entry)
        if enrolment is None:
            raise NotFound("unknown_enrolment", "There is no such enrolment.", "entry")
        return self.one(enrolment, starting)

    def _page(self, workspace: str, name: str, limit: int, cursor: str) -> tuple[list[Enrolment], str]:
        scope = (workspace, name, "resume")
        shard, place = cursors.read(scope, cursor, int, str) or [0, "null"]
        walk = Walk(self._inside, workspace, name, shard, json.loads(place))
        found = [one for page in walk.pages(limit, limit) for one in page if one.state in INSIDE]
        return found, "" if walk.is_over else cursors.write(scope, [walk.shard, json.dumps(walk.after)])

    def _lost(self, enrolment: Enrolment, halted: bool) -> str:
        if enrolment.state is EnrolmentState.FAILED:
            return "failed"
        if enrolment.state is EnrolmentState.PARKED:
            return "" if halted else "parked"
        status = self._executions.status(enrolment.execution_arn)
        return "" if self._is_starting(enrolment, status) else _GONE.get(status, "")

    def _is_starting(self, enrolment: Enrolment, status: str) -> bool:
        """Whether the run may be about to start: it has no execution, took no step, and was written not long ago."""
        began = bool(status) or enrolment.n > enrolment.run.steps
        return not began and self._clock.now() - enrolment.run_written_at < STARTING

    # --- resuming ---------------------------------------------------------------------------------------------------

    def repeated(self, enrolment: Enrolment, runs: int, starting: bool) -> bool:
        """Resume an enrolment that had so many runs when this was asked for; whether it was not resumed before.

        `starting` also if it may be about to start. Who was interrupted after the run was written down starts it now.
        Raises Throttled or Unavailable.
        """
        if enrolment.runs == runs:
            return self.one(enrolment, starting)
        if enrolment.state is not EnrolmentState.LIVE:
            return False
        try:
            self._start(enrolment)
        except NoMachine:
            return self._again(enrolment)
        return False

    def one(self, enrolment: Enrolment, starting: bool = False) -> bool:
        """Give an enrolment a new run if it needs one; whether it did. Raises Throttled or Unavailable.

        Who may be about to start needs none, unless they are meant too (`starting`).
        """
        if enrolment.state is EnrolmentState.PARKED:
            if enrolment.automation in self._halted(enrolment.workspace):
                return False
            return self._again(enrolment)
        if enrolment.state not in INSIDE:
            return False
        status = self._executions.status(enrolment.execution_arn)
        if status == "RUNNING":
            return False
        if status == "SUCCEEDED" or not enrolment.component:  # nothing follows the last step that was recorded
            self._enrolments.finish(enrolment, EnrolmentState.COMPLETED, self._clock.now())
            return False
        if status == "ABORTED":  # somebody stopped it, of which the event is still on its way
            self._enrolments.finish(enrolment, EnrolmentState.STOPPED, self._clock.now(), status)
            return False
        if not starting and self._is_starting(enrolment, status):
            return self._started(enrolment) if enrolment.runs else False
        return self._again(enrolment)

    def _started(self, enrolment: Enrolment) -> bool:
        """Start the run that a resume may have written down and found no room for, the same one; whether it did."""
        try:
            return self._start(enrolment)
        except NoMachine:
            return self._again(enrolment)

    def _again(self, enrolment: Enrolment) -> bool:
        from tidings.automations.lifecycle.renewing import next_run  # late: it brings along all that a step needs

        now, version = self._clock.now(), self._version(enrolment)
        again = next_run(version.definition, enrolment, now)
        again = replace(again, machine=self._machines.from_component(version, again.component))
        if not self._enrolments.run_again(enrolment, again):
            return False
        if enrolment.state is EnrolmentState.PARKED and now - (enrolment.updated_at or now) < RETRIED:
            self._stop(enrolment)
        self._start(again)
        return True

    def _stop(self, enrolment: Enrolment) -> None:
        """Stop the execution before, which may still try again: it would go on beside the new one, and do no more."""
        with suppress(Throttled):  # it fails by itself, or finds every step taken
            self._executions.stop(enrolment.execution_arn)

    def _start(self, enrolment: Enrolment) -> bool:
        """Start the run of an enrolment; False if it is there already."""
        started = start(self._executions, enrolment)
        if started is Start.THROTTLED:
            raise Throttled("start_throttled", "Step Functions starts no more executions right now.")
        if started is Start.NO_MACHINE:
            self._machines.forget(enrolment.machine)
            raise NoMachine("machine_failed", "The machine was deleted, and is to be made again.")
        return started is Start.STARTED

    def _version(self, enrolment: Enrolment) -> Automation:
        place = (enrolment.workspace, enrolment.automation, enrolment.version)
        if place not in self._versions:
            found = self._automations.version(*place)
            if found is None:
                raise unknown_version()
            self._versions[place] = found
        return self._versions[place]

    def _halted(self, workspace: str) -> frozenset[str]:
        found = self._workspaces.get(workspace, consistent=True)
        return frozenset() if found is None else found.halted
