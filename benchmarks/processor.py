"""Processor time of handlers called again and again, with a transport that answers at once; and of rendering."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks.interpreter import clean
from benchmarks.operations import OPERATIONS
from benchmarks.operations.costs import Operation
from benchmarks.operations.preparing import example
from benchmarks.recordings import record
from tidings.core.clock import SystemClock
from tidings.messages.model import Template
from tidings.messages.render import Renderer
from tidings.messages.templates import read_template

STARTS, ROUNDS, CALLS = 4, 3, 50
FILLED = "trial-ended"  # the template whose mail is filled

# One operation for each thing that happens often.
MEASURED = (
    "track from a server", "track from a browser", "identify from a server", "batch of 25", "event nobody listens to",
    "25 events of one contact nobody listens to", "event that enrols", "event that wakes whoever waits for it",
    "branch on traits", "branch on events", "send_email, sent", "update_contact", "Delivery", "timeline",
    "statistics, of two versions",
)  # fmt: skip


@dataclass(frozen=True)
class Handler:
    """One operation in a clean interpreter: seconds of processor time of its first call and of each later one."""

    operation: Operation
    function: str
    first: float
    warm: float
    memory: int

    def as_dict(self) -> dict[str, Any]:
        """The times for a JSON file."""
        return {
            "function": self.function,
            "first_milliseconds": round(self.first * 1000, 1),
            "warm_milliseconds": round(self.warm * 1000, 2),
            "memory_mb": round(self.memory / 1024),
        }


def handlers(rounds: int = ROUNDS, calls: int = CALLS) -> list[Handler]:
    """The measured operations; of several rounds the fastest counts: nothing makes a program faster than it is."""
    found = []
    with clean() as interpreter:
        for operation in (operation for operation in OPERATIONS if operation.name in MEASURED):
            function, recording = record(operation)
            given = {**recording, "rounds": rounds, "calls": calls}
            ran = [interpreter.run(function, given)["replay"] for _ in range(STARTS)]
            best = {name: min(times[name] for times in ran) for name in ("first", "warm", "memory")}
            found.append(Handler(operation, function, best["first"], best["warm"], best["memory"]))
    return found


@dataclass(frozen=True)
class Rendering:
    """Seconds that an example mail takes to be filled, once it is parsed and if it is parsed each time."""

    compiled: float
    parsed: float

    def as_dict(self) -> dict[str, Any]:
        """The times for a JSON file."""
        return {
            "compiled_milliseconds": round(self.compiled * 1000, 3),
            "parsed_milliseconds": round(self.parsed * 1000, 3),
            "ratio": round(self.parsed / self.compiled, 1),
        }


def rendering(rounds: int = ROUNDS) -> Rendering:
    """Filling an example of a mail with text and HTML: compiled, it takes at most a tenth."""
    content = read_template(example(f"templates/{FILLED}"))
    template = Template("acme", FILLED, 1, content, datetime(2026, 11, 21, tzinfo=UTC))
    data = {"contact": {"first_name": "Ada"}, "event": {"plan": "team"}}
    kept = Renderer(SystemClock())
    return Rendering(
        compiled=_fastest(lambda: kept.render(template, data), rounds),
        parsed=_fastest(lambda: Renderer(SystemClock()).render(template, data), rounds),
    )


def _fastest(step: Callable[[], Any], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(20):
            step()
        times.append((time.process_time() - start) / 20)
    return min(times)
