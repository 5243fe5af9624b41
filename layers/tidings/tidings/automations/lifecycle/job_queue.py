"""Where jobs begin."""

from __future__ import annotations

from typing import Any

from tidings.automations.lifecycle.jobs import Job, JobKind
from tidings.automations.lifecycle.store import job_id
from tidings.automations.machines.gateway import QueueGateway
from tidings.automations.store import Automation
from tidings.core.clock import Clock, to_text

# By then nobody enters an earlier version any more: no batch of events takes so long.
BEFORE_SWEEPING = 900
# What a message asks for by its `do` that is no page of a job: that dates be written down (`arming_job`).
ARM = "arm"
# A publication takes no longer, as a rule; who looks too early looks again.
BEFORE_ARMING = 5


class JobQueue:
    """Begins jobs."""

    def __init__(self, queue: QueueGateway, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock

    def begin(self, kind: JobKind, automation: Automation, who: str, delay: int = 0, **more: Any) -> Job:
        """Put the first message of a job into the queue. Raises Unavailable."""
        now = self._clock.now()
        job = Job(automation.workspace, automation.name, job_id(now), kind, who, now, **more)
        self._queue.put(job.as_message(), delay)
        return job

    def arm(self, automation: Automation, anew: bool = False) -> None:
        """Ask for everybody's dates to be written down for a version that goes by them; before it is live.

        `anew` for one that is: with what came lately and was not told, since the wait for it was lost.
        """
        message = {
            "do": ARM,
            "workspace": automation.workspace,
            "automation": automation.name,
            "version": automation.version,
            "at": to_text(self._clock.now()),
            "anew": anew,
            "place": [1, 0, None],
        }
        self._queue.put(message, BEFORE_ARMING)
