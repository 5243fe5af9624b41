"""The findings as one table for a terminal, in as many parts as there are things that are measured."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.table import Table

from benchmarks.operations.costs import Cost, Operation
from benchmarks.processor import Handler, Rendering
from benchmarks.reference import Way
from benchmarks.starts import USUAL, Start

SHORT = {
    "dynamodb:PutItem": "put", "dynamodb:UpdateItem": "update", "dynamodb:DeleteItem": "delete",
    "dynamodb:GetItem": "get", "dynamodb:BatchGetItem": "batch get", "dynamodb:Query": "query",
    "dynamodb:TransactWriteItems": "transaction", "dynamodb:BatchExecuteStatement": "batch insert",
    "stepfunctions:StartExecution": "start", "sesv2:SendEmail": "mail", "sqs:SendMessage": "queue",
}  # fmt: skip


def show(console: Console, parts: Sequence[RenderableType]) -> None:
    """Print the parts one under the other, as one table."""
    whole = Table.grid(padding=(0, 0, 1, 0))
    for part in parts:
        whole.add_row(part)
    console.print(whole)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", expand=False)
    for number, column in enumerate(columns):
        is_text = number == 0 or column.startswith(LEFT)
        table.add_column(column, justify="left" if is_text else "right", no_wrap=not is_text)
    return table


LEFT = ("which", "packages", "function")  # how columns of text begin


def operations_table(costs: Sequence[tuple[Operation, Cost]]) -> Table:
    """AWS calls and units of each operation."""
    table = _table("AWS calls and DynamoDB units of one operation", "operation", "calls", "write", "read", "which")
    group = ""
    for operation, cost in costs:
        if operation.group != group:
            group = operation.group
            table.add_section()
            table.add_row(f"[bold]{group}")
        calls = ", ".join(f"{count} {SHORT.get(name, name)}" for name, count in cost.calls.items())
        units = [f"{value:g}" for value in (cost.write_units, cost.read_units)]
        table.add_row(f"  {operation.name}", str(cost.all_calls), *units, calls)
    return table


def ways_table(found: Sequence[Way]) -> Table:
    """States, invocations, calls and units of one person's whole way."""
    table = _table("The reference automation, one person from the event that enrols to the end", "way", "states",
                   "invocations", "calls", "write", "read", "functions")  # fmt: skip
    for way in found:
        units = [f"{value:g}" for value in (way.cost.write_units, way.cost.read_units)]
        invoked = ", ".join(f"{count} {name}" for name, count in way.invoked.items())
        counts = [str(len(way.states)), str(sum(way.invoked.values())), str(way.cost.all_calls)]
        table.add_row(way.name, *counts, *units, invoked)
    return table


def starts_table(found: Sequence[Start]) -> Table:
    """Imports and memory of each function."""
    table = _table("Start of each function in a clean interpreter", "function", "import ms", "× empty", "modules",
                   "not Python's", "MB", f"packages beside {' and '.join(USUAL)}")  # fmt: skip
    for start in found:
        packages = ", ".join(f"{name} {count}" for name, count in start.packages.items() if name not in USUAL)
        sizes = [f"{start.seconds * 1000:.0f}", f"{start.ratio:.1f}", str(len(start.modules))]
        table.add_row(start.function, *sizes, str(len(start.third_party)), f"{start.memory / 1024:.0f}", packages)
    return table


def handlers_table(found: Sequence[Handler], rendering: Rendering) -> Table:
    """Processor time of warm handlers, and of rendering."""
    table = _table("Processor time of a call, with a transport that answers at once", "operation", "function",
                   "first ms", "warm ms", "× track", "MB")  # fmt: skip
    unit = next(one.warm for one in found if one.operation.name == "track from a server")
    for one in found:
        times = [f"{one.first * 1000:.0f}", f"{one.warm * 1000:.2f}", f"{one.warm / unit:.1f}"]
        table.add_row(one.operation.name, one.function, *times, f"{one.memory / 1024:.0f}")
    table.add_section()
    for name, seconds in (("mail filled, compiled before", rendering.compiled), ("parsed each time", rendering.parsed)):
        table.add_row(name, "", "", f"{seconds * 1000:.2f}", f"{seconds / unit:.1f}", "")
    return table
