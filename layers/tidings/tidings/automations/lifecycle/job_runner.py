"""Working off the queue of jobs (`jobs` says what stands there)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.automations.enrolments.inside_store import DynamoInsideStore, Walk
from tidings.automations.enrolments.model import INSIDE, Enrolment, EnrolmentState
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.lifecycle.jobs import LOOKED_AT, MOST_ROUNDS, PAGE, Job, JobKind, JobState, Place
from tidings.automations.lifecycle.resuming import Resuming
from tidings.automations.lifecycle.store import DynamoLifecycleStore, job_id
from tidings.automations.lifecycle.sweeping import Sweeping
from tidings.automations.machines.gateway import QueueGateway, StepFunctionsGateway
from tidings.core.clock import Clock, to_text
from tidings.core.errors import Unavailable

# Why somebody is not in an automation any more whom somebody ended.
ENDED = "ended"


class JobRunner:
    """Turns the pages of jobs, and does to each what they hand on."""

    def __init__(
        self,
        lifecycle: DynamoLifecycleStore,
        inside: DynamoInsideStore,
        enrolments: DynamoEnrolmentStore,
        workspaces: DynamoWorkspaceStore,
        resuming: Resuming,
        sweeping: Sweeping,
        executions: StepFunctionsGateway,
        queue: QueueGateway,
        clock: Clock,
    ) -> None:
        self._lifecycle = lifecycle
        self._inside = inside
        self._enrolments = enrolments
        self._workspaces = workspaces
        self._resuming = resuming
        self._sweeping = sweeping
        self._executions = executions
        self._queue = queue
        self._clock = clock

    def work(self, message: Mapping[str, Any]) -> None:
        """Work off one message, which may be repeated. Raises Throttled or Unavailable, and what `Job.of` raises."""
        if "do" in message:
            self._one(message)
            return
        job = Job.of(message)
        if job.kind is not JobKind.SWEEP:
            self._turn(job)
            return
        following = self._sweeping.sweep(job)
        if following is not None:
            self._queue.put(following.as_message(), following.delay)

    # --- pages ------------------------------------------------------------------------------------------------------

    def _turn(self, job: Job) -> None:
        """Hand on whom a page concerns, write down that it was turned, and ask for the next one, in this order."""
        progress = self._lifecycle.progress(job)
        if progress.state is not JobState.RUNNING or progress.page > job.place.page + 1:
            return
        found, walk = self._look(job)
        following, state = _following(job, walk, len(found))
        if self._is_idle(job):
            found, state = [], JobState.DONE
        if progress.page == job.place.page:
            self._queue.put_all([job.one(enrolment) for enrolment in found])
            if state is JobState.DONE:
                self._sweep_after(job)
            turned = self._lifecycle.turn(job, len(found) if job.place.round == 1 else 0, state)
            if not turned or state is not JobState.RUNNING:
                return
        # Where the page was turned before and its message repeated, others may be found by now: the job goes on anyway.
        self._queue.put(following.as_message(), following.delay)

    def _look(self, job: Job) -> tuple[list[Enrolment], Walk]:
        """Whom the next page concerns, and how far it came for that."""
        found: list[Enrolment] = []
        walk = Walk(self._inside, job.workspace, job.automation, job.place.shard, job.place.after)
        for page in walk.pages(PAGE, LOOKED_AT):
            found += [enrolment for enrolment in page if job.concerns(enrolment)]
            if len(found) >= PAGE:
                break
        return found, walk

    def _is_idle(self, job: Job) -> bool:
        """Whether there is nobody to go on: it is paused again, or was never resumed."""
        if not job.parked_only:
            return False
        workspace = self._workspaces.get(job.workspace, consistent=True)
        return workspace is None or job.automation in workspace.halted

    def _sweep_after(self, job: Job) -> None:
        sweep = replace(job, id=job_id(self._clock.now()), kind=JobKind.SWEEP, place=Place())
        self._queue.put(sweep.as_message())

    # --- each by itself ---------------------------------------------------------------------------------------------

    def _one(self, message: Mapping[str, Any]) -> None:
        place = (str(message[name]) for name in ("workspace", "contact", "automation", "entry"))
        enrolment = self._enrolments.get(*place)
        kind, runs, job = JobKind(message["do"]), int(message["runs"]), str(message.get("job", ""))
        if enrolment is None:
            return
        if kind is JobKind.END:
            self._end(enrolment, job)
        # Who asks for one without any job could not start them: their machine is gone.
        elif self._resuming.repeated(enrolment, runs, starting=not job):
            self._lifecycle.count_one(enrolment.workspace, enrolment.automation, job)

    def _end(self, enrolment: Enrolment, job: str) -> None:
        """End an enrolment, and only then its execution: that may have to wait, and can do nothing more meanwhile."""
        if enrolment.state in INSIDE:
            now = self._clock.now()
            left = {"exit": ENDED, "at": to_text(now)}
            counted = self._lifecycle.one_done(enrolment.workspace, enrolment.automation, job)
            if not self._enrolments.finish(enrolment, EnrolmentState.EXITED, now, ENDED, left, INSIDE, counted):
                raise Unavailable("enrolment_changed", "The enrolment changed at the same time.")
        elif enrolment.state is not EnrolmentState.EXITED or enrolment.erased:  # then their execution was stopped
            return
        self._executions.stop(enrolment.execution_arn)


def _following(job: Job, walk: Walk, found: int) -> tuple[Job, JobState]:
    """The next page, and where this one leaves the job: a round that finds nobody is the last, but for the first."""
    if not walk.is_over:
        return job.turned(walk.shard, walk.after, found), JobState.RUNNING
    state = JobState.RUNNING
    if job.place.round > 1 and not job.place.found + found:
        state = JobState.DONE
    elif job.place.round >= MOST_ROUNDS:
        state = JobState.UNFINISHED
    return job.another_round(), state
