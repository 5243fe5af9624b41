"""`python -m benchmarks`: measure everything, print one table, and write it as JSON if asked to."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.operations import OPERATIONS
from benchmarks.operations.costs import Cost, Operation, cost_of, worlds
from benchmarks.processor import Handler, Rendering, handlers, rendering
from benchmarks.reference import Way, ways
from benchmarks.starts import Start, starts
from benchmarks.tables import handlers_table, operations_table, show, starts_table, ways_table

PARTS = ("calls", "starts", "processor")
WIDTH = 110
Costs = Sequence[tuple[Operation, Cost]]


def costs() -> Costs:
    """The cost of every operation, each in a world of its own."""
    found = []
    with worlds() as fresh:
        for operation in OPERATIONS:
            with fresh() as world:
                found.append((operation, cost_of(world, operation.prepare)))
    return found


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Let what functions print and log go nowhere."""
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)


def as_dict(
    counted: Costs, walked: Sequence[Way], started: Sequence[Start], ran: Sequence[Handler], filled: Rendering | None
) -> Any:
    """All findings for a JSON file."""
    return {
        "python": platform.python_version(),
        "operations": [{"group": op.group, "name": op.name, **cost.as_dict()} for op, cost in counted],
        "ways": [way.as_dict() for way in walked],
        "starts": {start.function: start.as_dict() for start in started},
        "handlers": {one.operation.name: one.as_dict() for one in ran},
        "rendering": filled.as_dict() if filled else {},
    }


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what Tidings costs.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the findings to a file, too")
    parser.add_argument("--only", choices=PARTS, help="measure one part: AWS calls, starts, or processor time")
    chosen = parser.parse_args()
    wanted = (chosen.only,) if chosen.only else PARTS
    console, progress = Console(), Console(stderr=True)
    console.width = max(console.width, WIDTH)
    with progress.status("Counting the AWS calls of every operation") as status:
        with silence():
            counted, walked = (costs(), ways()) if "calls" in wanted else ((), ())
        status.update("Starting every function in clean interpreters")
        started = starts() if "starts" in wanted else ()
        status.update("Calling handlers with a transport that answers at once")
        ran, filled = (handlers(), rendering()) if "processor" in wanted else ((), None)
    tables = [operations_table(counted), ways_table(walked)] if counted else []
    tables += [starts_table(started)] if started else []
    tables += [handlers_table(ran, filled)] if filled else []
    show(console, tables)
    if chosen.json:
        chosen.json.write_text(json.dumps(as_dict(counted, walked, started, ran, filled), indent=2) + "\n")


if __name__ == "__main__":
    main()
