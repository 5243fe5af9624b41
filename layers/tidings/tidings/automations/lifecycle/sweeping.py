"""Deleting machines that nobody is in any more.

A machine is kept while its version is live, and while anybody is inside who was given it: live, parked, or failed and
so to be resumed. A sweep first marks the machines that it would delete, and waits until whoever was about to give
somebody one of them has done so. Then it goes over everybody who entered, and leaves those machines alone in which it
finds somebody. Who gives a machine to somebody meanwhile takes the mark away, and is refused once the deleting began.

Nobody enters an earlier version by then. If somebody does all the same, their start finds no machine, and it is made
again (`enrol.PendingStarts`).
"""

from __future__ import annotations

from dataclasses import replace

from tidings.automations.enrolments.inside_store import DynamoInsideStore, Walk
from tidings.automations.enrolments.model import INSIDE
from tidings.automations.lifecycle.jobs import LOOKED_AT, PAGE, Job
from tidings.automations.lifecycle.standing import AutomationState
from tidings.automations.lifecycle.store import DynamoLifecycleStore
from tidings.automations.machines.gateway import StepFunctionsGateway
from tidings.automations.store import Automation, DynamoAutomationStore

# How many machines one sweep looks at: their names travel with it.
SWEPT = 500


class Sweeping:
    """Finds out which machines nobody is in, page by page, and deletes them."""

    def __init__(
        self,
        automations: DynamoAutomationStore,
        lifecycle: DynamoLifecycleStore,
        inside: DynamoInsideStore,
        executions: StepFunctionsGateway,
    ) -> None:
        self._automations = automations
        self._lifecycle = lifecycle
        self._inside = inside
        self._executions = executions

    def sweep(self, job: Job) -> Job | None:
        """Look at a page, or at the end delete what is left; the sweep at its next page, None if it is over.

        May be repeated. Raises Throttled or Unavailable.
        """
        if not job.place.page:
            return self._marked(job)
        walk = Walk(self._inside, job.workspace, job.automation, job.place.shard, job.place.after)
        machines = set(job.machines)
        for page in walk.pages(PAGE, LOOKED_AT):
            machines -= {_name(enrolment.machine) for enrolment in page if enrolment.state in INSIDE}
            if not machines:
                break
        if machines and not walk.is_over:
            return replace(job.turned(walk.shard, walk.after, 0), machines=tuple(sorted(machines)))
        self._delete(job, machines)
        return None

    def _marked(self, job: Job) -> Job | None:
        place = (job.workspace, job.automation)
        unused = sorted(self._unused(job, self._automations.live(*place)).items())[:SWEPT]
        marked = [name for name, version in unused if self._lifecycle.sweep_machine(*place, version, name, job.id)]
        return replace(job.another_round(), machines=tuple(marked)) if marked else None

    def _unused(self, job: Job, live: Automation | None) -> dict[str, int]:
        """The machines of versions that nobody enters any more, by name, each with its version: one query."""
        if live is None:
            return {}
        made = self._lifecycle.machines(job.workspace, job.automation)
        return {name: version for name, version in made.items() if not _may_be_entered(live, name, version)}

    def _delete(self, job: Job, machines: set[str]) -> None:
        """Delete machines that are still unused: an automation may have been unarchived since the sweep began."""
        live = self._automations.live(job.workspace, job.automation) if machines else None
        if live is None:
            return
        siblings = live.machine.rpartition(":")[0]
        for name, version in self._unused(job, live).items():
            place = (job.workspace, job.automation, version, name)
            if name in machines and self._lifecycle.claim_machine(*place, job.id):
                self._executions.delete_machine(f"{siblings}:{name}")
                self._lifecycle.forget_machine(*place)


def _may_be_entered(live: Automation, machine: str, version: int) -> bool:
    """Whether people enter a machine: that of the live version unless it is archived, or of one about to be live."""
    if version > live.version:
        return True
    if live.state is AutomationState.ARCHIVED:
        return False
    return version == live.version and machine == _name(live.machine)


def _name(machine: str) -> str:
    return machine.rpartition(":")[2]
