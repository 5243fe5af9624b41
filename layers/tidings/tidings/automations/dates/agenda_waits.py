"""The executions that wait for the minutes of the agenda: one for each minute in which somebody's date comes round.

Nothing is polled. Whoever writes the first entry of a minute starts the execution that waits for it; starting it again
starts nothing. An execution lasts a year at most, and a date may be further ahead: so it stops every 300 days, counted
back from its minute, and begins anew. Where it stops follows from the minute and the time, so that all who start it at
a time start the same.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from tidings.automations.machines.gateway import QueueGateway, Start
from tidings.core.clock import Clock, to_text
from tidings.core.ids import digest
from tidings.core.logs import logger

LONGEST = timedelta(days=300)
# How often an execution that ended before its time is started anew, under another name. The local engine refuses a name
# also while it runs: there a second execution waits beside the first, and finds nothing left to do.
ROUNDS = 100
# How many executions a process remembers to have started.
REMEMBERED = 20_000


class Machines(Protocol):
    """Where executions are started."""

    def start(self, machine: str, name: str, execution_input: str) -> Start: ...


class AgendaWaits:
    """Sees to it that somebody waits for a minute."""

    def __init__(self, machines: Machines, machine: str, pending: QueueGateway | None, clock: Clock) -> None:
        self._machines = machines
        self._machine = machine
        self._pending = pending
        self._clock = clock
        self._started: OrderedDict[tuple[str, datetime, datetime], None] = OrderedDict()

    def begin(self, workspace: str, buckets: Iterable[datetime]) -> None:
        """Let each of these minutes be waited for; one call each, none for those that this process began to wait for.

        What Step Functions has no room for waits in the queue of pending starts. Raises Throttled or Unavailable.
        """
        for bucket in sorted(set(buckets)):
            place = (workspace, bucket, stop_of(bucket, self._clock.now()))
            if place in self._started:
                continue
            if not self.try_to_begin(workspace, bucket):
                self._put_off(workspace, bucket)
                continue
            self._started[place] = None
            if len(self._started) > REMEMBERED:
                self._started.popitem(last=False)

    def try_to_begin(self, workspace: str, bucket: datetime) -> bool:
        """Let a minute be waited for; False if Step Functions has no room. Raises Unavailable."""
        stop = stop_of(bucket, self._clock.now())
        for number in range(ROUNDS):
            name = digest("agenda", workspace, to_text(bucket), to_text(stop), str(number), length=50)
            told = {"workspace": workspace, "bucket": to_text(bucket), "at": {"until": to_text(stop), "after": ""}}
            started = self._machines.start(self._machine, name, json.dumps(told, separators=(",", ":")))
            if started is Start.STARTED:
                return True
            if started is not Start.THERE:
                return False
        # Each of them is over: they went on to the next stop just now, or something ends them.
        logger.error("agenda is not waited for", extra={"rounds": ROUNDS})
        return True

    def _put_off(self, workspace: str, bucket: datetime) -> None:
        if self._pending is not None:
            self._pending.put({"workspace": workspace, "bucket": to_text(bucket)})


def stop_of(bucket: datetime, now: datetime) -> datetime:
    """Until when an execution waits that is started now: its minute, or so many times 300 days before."""
    if bucket <= now:
        return bucket
    stops = -((now - bucket) // LONGEST) - 1
    return bucket - max(stops, 0) * LONGEST
