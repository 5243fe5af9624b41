"""Pausing, resuming, archiving and ending: where an automation stands, and the jobs that follow from it.

Where it stands is written in one stroke with the workspace's generation, by which `react` knows it, and with the log.
An automation that is wholly paused stands beside that on its workspace, which every Task reads anyway: a Task that
begins after that parks its enrolment instead (`steps.runner`). What was begun before may still be done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tidings.accounts.store import MOST_HALTED, DynamoWorkspaceStore
from tidings.automations.definition.triggers import DateTrigger
from tidings.automations.lifecycle.job_queue import BEFORE_SWEEPING, JobQueue
from tidings.automations.lifecycle.jobs import Change, Job, JobKind
from tidings.automations.lifecycle.publishing import archived
from tidings.automations.lifecycle.standing import AutomationState
from tidings.automations.lifecycle.store import DynamoLifecycleStore
from tidings.automations.listening.index_store import DynamoIndexStore
from tidings.automations.store import Automation, DynamoAutomationStore
from tidings.core.clock import Clock
from tidings.core.errors import Conflict
from tidings.core.store import ConditionFailed, Part

# A job is put into its queue before what it follows from is written: who is interrupted in between has changed nothing.
AHEAD = 15


@dataclass(frozen=True, slots=True)
class Moved:
    """Where an automation stands, whether that is new, and the job that follows from it."""

    automation: Automation
    changed: bool
    job: Job | None = None

    def as_dict(self) -> dict[str, Any]:
        """What the API answers."""
        return {
            "automation": self.automation.name,
            "state": self.automation.state.value,
            "changed": self.changed,
            "job": None if self.job is None else self.job.id,
        }


class Lifecycle:
    """Changes where automations stand. Who repeats a call changes nothing more.

    All raise NotFound for an automation that is not there, Conflict for one that was never published or is being
    changed at the same time, and Unavailable.
    """

    def __init__(
        self,
        automations: DynamoAutomationStore,
        index: DynamoIndexStore,
        lifecycle: DynamoLifecycleStore,
        workspaces: DynamoWorkspaceStore,
        jobs: JobQueue,
        clock: Clock,
    ) -> None:
        self._automations = automations
        self._index = index
        self._lifecycle = lifecycle
        self._workspaces = workspaces
        self._jobs = jobs
        self._clock = clock

    def pause(self, workspace: str, name: str, who: str, wholly: bool) -> Moved:
        """Let nobody enter; `wholly`: let nothing happen at all. Raises Conflict for an archived one."""
        live = self._published(workspace, name)
        if live.state is AutomationState.ARCHIVED:
            raise archived(name)
        state = AutomationState.PAUSED if wholly else AutomationState.ENTRIES_PAUSED
        change = Change("paused", who, self._clock.now(), {"what": "all" if wholly else "entries"})
        return self._move(live, state, change)

    def resume(self, workspace: str, name: str, who: str) -> Moved:
        """Let people enter, and those go on that were parked. What is not paused stays as it is."""
        live = self._published(workspace, name)
        if live.state not in (AutomationState.PAUSED, AutomationState.ENTRIES_PAUSED):
            return Moved(live, False)
        return self._move(live, AutomationState.LIVE, Change("resumed", who, self._clock.now()))

    def archive(self, workspace: str, name: str, who: str, ends: bool) -> Moved:
        """Let nobody enter any more; those inside finish, or are ended."""
        live = self._published(workspace, name)
        if live.state is not AutomationState.ARCHIVED:
            self._jobs.begin(JobKind.SWEEP, live, who, BEFORE_SWEEPING)
        moved = self._move(live, AutomationState.ARCHIVED, Change("archived", who, self._clock.now(), {"ends": ends}))
        return replace(moved, job=self._jobs.begin(JobKind.END, live, who)) if ends else moved

    def unarchive(self, workspace: str, name: str, who: str) -> Moved:
        """Let people enter again. What is not archived stays as it is."""
        live = self._published(workspace, name)
        if live.state is not AutomationState.ARCHIVED:
            return Moved(live, False)
        return self._move(live, AutomationState.LIVE, Change("unarchived", who, self._clock.now()))

    def end(self, workspace: str, name: str, who: str, version: int = 0) -> Moved:
        """End everybody who is inside by now, or all who are in a version."""
        live = self._published(workspace, name)
        details = {"version": version} if version else {}
        self._lifecycle.record(workspace, name, Change("ended", who, self._clock.now(), details))
        return Moved(live, True, self._jobs.begin(JobKind.END, live, who, version=version))

    def published(self, live: Automation, who: str, ends_inside: bool) -> Job | None:
        """What follows once a version is live: those inside the earlier ones are ended, if that is asked for."""
        if not ends_inside or live.version == 1:
            return None
        return self._jobs.begin(JobKind.END, live, who, before=live.version)

    def background(self, workspace: str, name: str, who: str) -> Moved:
        """Give everybody a new run who was lost or failed, by and by."""
        live = self._published(workspace, name)
        self._lifecycle.record(workspace, name, Change("resumed_lost", who, self._clock.now()))
        return Moved(live, False, self._jobs.begin(JobKind.RESUME, live, who))

    def look_back(self, live: Automation) -> None:
        """Write the dates that start an automation down anew, with those of whom nobody was told lately."""
        if isinstance(live.definition.trigger, DateTrigger):
            self._jobs.arm(live, anew=True)

    def standing(self, workspace: str, name: str) -> Moved:
        """Where an automation stands."""
        return Moved(self._published(workspace, name), False)

    def resumed(self, workspace: str, name: str, who: str, count: int) -> None:
        """Write down that so many were given a new run, if any."""
        if count:
            change = Change("resumed_lost", who, self._clock.now(), {"resumed": count})
            self._lifecycle.record(workspace, name, change)

    def _published(self, workspace: str, name: str) -> Automation:
        live = self._automations.live(workspace, name)
        if live is not None:
            return live
        self._automations.require(workspace, name)
        raise Conflict("automation_not_published", f"{name} was never published.", "automation")

    def _move(self, live: Automation, state: AutomationState, change: Change) -> Moved:
        if live.state is state:
            return Moved(live, False)
        job = None
        if live.state is AutomationState.PAUSED:
            job = self._jobs.begin(JobKind.RESUME, live, change.who, AHEAD, parked_only=True)
        others = [self._told(live, state), self._lifecycle.log(live.workspace, live.name, change)]
        after = replace(live, state=state)
        try:
            self._index.write(
                live.workspace,
                live,
                after,
                lambda parts: self._automations.change_state(live, state, *others, *parts),
            )
        except ConditionFailed as error:
            raise _refused(error.labels) from error
        return Moved(after, True, job)

    def _told(self, live: Automation, state: AutomationState) -> Part:
        if state is AutomationState.PAUSED:
            return self._workspaces.halt(live.workspace, live.name)
        if live.state is AutomationState.PAUSED:
            return self._workspaces.release(live.workspace, live.name)
        return self._workspaces.grow_generation(live.workspace)


def _refused(labels: frozenset[str]) -> Conflict:
    if "workspace" in labels:
        told = f"At most {MOST_HALTED} automations can be paused wholly. Pause the entries of some, or archive them."
        return Conflict("too_many_paused", told)
    return Conflict("automation_changed", "Somebody changed this automation at the same time.")
