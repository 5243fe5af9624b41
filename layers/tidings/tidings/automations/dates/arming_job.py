"""Writing everybody's dates down once an automation was published that goes by one: a job, a few pages at a time.

It goes round twice. Whoever becomes known, or changes, while the first round passes may be seen by a process that does
not know of the publication yet; the second one begins when no such process can be at work any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.automations.dates.arming import Arming
from tidings.automations.listening.index import Listener
from tidings.automations.listening.listeners import Listeners
from tidings.automations.machines.gateway import QueueGateway
from tidings.contacts.index import DynamoContactIndex, parts
from tidings.core.clock import Clock, from_text, ticks

PAGE, PAGES = 100, 10
# For how long one message turns pages: each may start an execution for everybody on it, which takes some seconds.
SECONDS = 10
ROUNDS = 2
# No batch of events takes longer than a minute.
BETWEEN_ROUNDS = 150
# How long ago what was lost may have come to be told late.
LOST = timedelta(days=7)
# A message is written before what it tells of: for so long it is looked for, and how often.
PUBLISHED_WITHIN, LOOK_AGAIN = timedelta(minutes=15), 20


class ArmingJob:
    """Turns the pages of such jobs."""

    def __init__(
        self,
        workspaces: DynamoWorkspaceStore,
        listeners: Listeners,
        contacts: DynamoContactIndex,
        arming: Arming,
        queue: QueueGateway,
        clock: Clock,
    ) -> None:
        self._workspaces = workspaces
        self._listeners = listeners
        self._contacts = contacts
        self._arming = arming
        self._queue = queue
        self._clock = clock

    def work(self, message: Mapping[str, Any]) -> None:
        """Write down some pages of contacts, and ask for the next ones; nothing if the version is not the live one.

        May be repeated. Raises Throttled or Unavailable, and KeyError, TypeError or ValueError for another message.
        """
        workspace = self._workspaces.get(str(message["workspace"]), consistent=True)
        if workspace is None:
            return
        self._listeners.refresh(workspace)
        one = self._listeners.named(workspace.id, str(message["automation"]))
        version = int(message["version"])
        if one is None or one.version < version:
            if self._clock.now() < from_text(message["at"]) + PUBLISHED_WITHIN:
                self._queue.put(message, LOOK_AGAIN)
            return
        if one.version > version or one.date is None:
            return
        begins, back = (from_text(message["at"]), LOST) if message["anew"] else (one.published_at, timedelta())
        following = self._turn(workspace, one, begins, back, message["place"])
        if following is not None:
            begins_anew = following[0] > message["place"][0]
            self._queue.put({**message, "place": following}, BETWEEN_ROUNDS if begins_anew else 0)

    def _turn(
        self, workspace: Workspace, one: Listener, begins: datetime, back: timedelta, place: Any
    ) -> list[Any] | None:
        turn, shard, after = int(place[0]), int(place[1]), place[2]
        ends = ticks() + SECONDS
        for number in range(PAGES):
            if number and ticks() >= ends:
                break
            found = self._contacts.listed(workspace.id, shard, tuple(after) if after else None, PAGE)
            contacts = self._contacts.read(workspace.id, [each.contact for each in found])
            there = [each for each in contacts.values() if not each.merged_into and each.erased_at is None]
            self._arming.arm(there, [one], begins, workspace.time_zone, back)
            after = [found[-1].order, found[-1].contact] if len(found) == PAGE else None
            shard += after is None
            if shard == len(parts()):
                return [turn + 1, 0, None] if turn < ROUNDS else None
        return [turn, shard, after]
