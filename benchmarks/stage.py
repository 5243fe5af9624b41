"""Functions side by side in one process: each runs up to its next AWS call; the world's clock says whose turn it is.

Lambda, as far as queues need it: so many processes of a function, each with its own copy of the module and one call at
a time; messages that come again when their visibility timeout is over, and sometimes without reason; processes that
die. Time is the world's alone. A call to AWS takes as long as `seconds` says, work between two calls takes none.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from tests.support.recorder import Call, Killed, Recorder
from tests.support.world import START, World

Seconds = Callable[[Call], float]
REDELIVERED = 0.02  # of the messages: SQS promises at least once
CALL_SECONDS = 30  # what functions have


@dataclass
class Entry:
    """A message of a queue."""

    body: Any
    received: int = 0
    done: bool = False


@dataclass
class Queue:
    """Messages, each by when it can be received; one that is received comes again after `visibility`."""

    visibility: timedelta
    _entries: list[tuple[datetime, int, Entry]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def put(self, body: Any, at: datetime) -> None:
        """Add a message that nobody sees before an instant."""
        self._push(Entry(body), at)

    def take(self, now: datetime, most: int, again: float | None) -> list[Entry]:
        """Receive messages; `again` says after how many seconds they come once more, whatever becomes of them."""
        taken = []
        while len(taken) < most and (due := self.due()) is not None and due <= now:
            entry = heapq.heappop(self._entries)[2]
            entry.received += 1
            self._push(entry, now + self.visibility)
            if again is not None:
                self._push(Entry(entry.body), now + timedelta(seconds=again))
            taken.append(entry)
        return taken

    def due(self) -> datetime | None:
        """When the next message can be received; None without any."""
        while self._entries and self._entries[0][2].done:
            heapq.heappop(self._entries)
        return self._entries[0][0] if self._entries else None

    def _push(self, entry: Entry, at: datetime) -> None:
        heapq.heappush(self._entries, (at, next(self._numbers), entry))


@dataclass
class Lane:
    """A function that a queue wakes, in up to `width` processes; `wrapped` says that it is given SQS records."""

    function: str
    queue: Queue
    width: int = 1
    batch: int = 1
    wrapped: bool = True
    name: str = ""
    calls: Counter[str] = field(default_factory=Counter)
    write_units: float = 0
    killed: int = 0
    longest: float = 0  # seconds that a call took
    received: int = 0  # how often the message was that was received most often

    def __post_init__(self) -> None:
        self.name = self.name or self.function

    def count(self, recorder: Recorder) -> None:
        """Count the calls that were recorded, and forget them there."""
        self.calls.update(call.name for call in recorder.calls)
        self.write_units += sum(call.write_units for call in recorder.calls)
        recorder.clear()


class Process(threading.Thread):
    """One process of a function: a thread, of which only one on the stage runs at any moment."""

    def __init__(self, lane: Lane, module: ModuleType) -> None:
        super().__init__(daemon=True, name=lane.function)
        self.lane, self.module = lane, module
        self.entries: list[Entry] = []
        self.event: dict[str, Any] | None = None
        self.answer: Any = None
        self.at = self.began = START
        self.doomed = self.dead = False
        self.mail = ""  # the message that it claimed and of which nothing definite is written down yet
        self.answered = False  # whether SES said something about it
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)

    def run(self) -> None:
        """Call the handler with one event after the other."""
        while True:
            self._go.acquire()
            if self.event is None:
                return
            try:
                self.answer = self.module.handler(self.event, None)
            except Killed:
                self.dead = True
            except Exception as error:  # noqa: BLE001 - Lambda takes note of it, and the messages come again
                self.answer = error
            self.event = None
            self._back.release()

    def go_on(self) -> None:
        """Run until the next pause, or the end of the call."""
        self._go.release()
        self._back.acquire()

    def pause(self, until: datetime) -> None:
        """Let others run until an instant. Raises Killed if this process is killed meanwhile."""
        if not self.doomed:
            self.at = until
            self._back.release()
            self._go.acquire()
        if self.doomed:
            raise Killed(self.lane.function)

    def end(self) -> None:
        """Let the thread end, which must be idle."""
        self._go.release()
        self.join()


class Stage:
    """Runs the lanes of a world."""

    def __init__(self, world: World, lanes: list[Lane], seconds: Seconds, chance: random.Random) -> None:
        self.world, self.lanes = world, lanes
        self.current: Process | None = None
        self._seconds, self._chance = seconds, chance
        self._processes: list[Process] = [self._new(lane) for lane in lanes for _ in range(lane.width)]
        world.recorder.before = self._before

    def sleep(self, seconds: float) -> None:
        """What the clock of whoever runs does when it sleeps."""
        assert self.current is not None
        self.current.mail, self.current.answered = "", False  # a refusal is written down before it is waited
        self.current.pause(self.world.now + timedelta(seconds=seconds))

    def run(self, until: Callable[[], bool]) -> None:
        """Let everybody take turns until it is enough, which is asked after each."""
        while not until():
            self._wake()
            busy = [process for process in self._processes if process.event is not None]
            idle = {process.lane.name: process.lane for process in self._processes if process.event is None}
            due = [at for lane in idle.values() if (at := lane.queue.due()) is not None]
            first = min(busy, key=lambda process: process.at, default=None)
            if first is None or (due and min(due) < first.at):
                self.world.now = max(self.world.now, min(due))
            else:
                self._turn(first)

    def run_for(self, time: timedelta) -> None:
        """Let so much time pass, and who works then come to an end."""
        end = self.world.now + time
        self.run(lambda: self.world.now >= end and not self.busy)

    @property
    def busy(self) -> bool:
        """Whether a function runs."""
        return any(process.event is not None for process in self._processes)

    def kill(self, function: str) -> list[Process]:
        """Kill every process of a function at this instant; those that were at work."""
        struck = [p for p in self._processes if p.lane.function == function and p.event is not None]
        for process in struck:
            process.doomed, process.at = True, self.world.now
        return struck

    def close(self) -> None:
        """End all threads."""
        self.world.recorder.before = None
        for process in self._processes:
            if process.event is not None:
                process.doomed = True
                process.go_on()
            process.end()

    def _wake(self) -> None:
        for process in self._processes:
            if process.event is not None:
                continue
            lane = process.lane
            again = self._chance.uniform(0.5, 20) if lane.wrapped and self._chance.random() < REDELIVERED else None
            process.entries = lane.queue.take(self.world.now, lane.batch, again)
            if process.entries:
                lane.received = max(lane.received, *(entry.received for entry in process.entries))
                process.event = _event(lane, process.entries)
                process.mail, process.answered = "", False
                process.at = process.began = self.world.now

    def _turn(self, process: Process) -> None:
        self.world.now = max(self.world.now, process.at)
        self.current = process
        process.go_on()
        self.current = None
        process.lane.count(self.world.recorder)
        if process.event is not None:
            return
        lane = process.lane
        lane.longest = max(lane.longest, (self.world.now - process.began).total_seconds())
        if process.dead:
            lane.killed += 1
            self._processes[self._processes.index(process)] = self._new(lane)
            process.end()
        elif not isinstance(process.answer, Exception):
            failed = {one["itemIdentifier"] for one in (process.answer or {}).get("batchItemFailures", ())}
            for number, entry in enumerate(process.entries):
                entry.done = entry.done or str(number) not in failed
        elif not lane.wrapped:
            raise process.answer

    def _before(self, call: Call) -> None:
        process = self.current
        if process is None:
            return
        if call.name == "sesv2:SendEmail":
            tags = {tag["Name"]: tag["Value"] for tag in call.arguments["EmailTags"]}
            process.mail, process.answered = tags["tidings_message"], False
        elif process.answered:
            process.mail, process.answered = "", False
        elif process.mail:
            process.answered = True
        process.pause(self.world.now + timedelta(seconds=self._seconds(call)))

    def _new(self, lane: Lane) -> Process:
        self.world.cold(lane.function)
        process = Process(lane, self.world.function(lane.function))
        process.start()
        return process


def _event(lane: Lane, entries: list[Entry]) -> dict[str, Any]:
    if not lane.wrapped:
        event: dict[str, Any] = entries[0].body
        return event
    records = [
        {"messageId": str(number), "body": json.dumps(entry.body), "eventSource": "aws:sqs"}
        for number, entry in enumerate(entries)
    ]
    return {"Records": records}
