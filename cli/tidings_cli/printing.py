"""How commands print: tables for people, JSON for scripts. Nothing that was stored is read as markup."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape as escape_markup
from rich.table import Table

# Where no terminal tells its width: wide enough that an id or address is never cut or broken.
PIPE_WIDTH = 240

OK, FAILED, WARNING = "[green]✓[/]", "[red]✗[/]", "[yellow]![/]"

# What steers a terminal, or turns the order of what it shows: all controls but tab and line feed, and bidi overrides.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def console(stderr: bool = False) -> Console:
    """Where commands print."""
    plain = Console(stderr=stderr, highlight=False, soft_wrap=True)
    return plain if plain.is_terminal else Console(stderr=stderr, highlight=False, soft_wrap=True, width=PIPE_WIDTH)


def escape(text: str) -> str:
    """A stored text to be shown as it is: whoever may report an event must not steer the terminal of who reads it."""
    return escape_markup(_STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def say(*lines: str) -> None:
    """Lines with rich's markup; escape what was stored."""
    out = console()
    for line in lines:
        out.print(line)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> None:
    """A table of stored texts, or the sentence that says that there is nothing."""
    filled = [[escape(cell) for cell in row] for row in rows]
    if not filled:
        say(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in filled:
        table.add_row(*row)
    console().print(table, soft_wrap=False)


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Names and values, one a line; those without a value are left out."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields:
        if value:
            table.add_row(name, escape(value))
    console().print(table, soft_wrap=False)


def when(text: str | None) -> str:
    """An instant of the API for people: to the second, in UTC; nothing for none."""
    if not text:
        return ""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def compact(value: Any) -> str:
    """A value as short JSON; nothing for an empty one."""
    return json.dumps(value, ensure_ascii=False) if value not in (None, "", {}, []) else ""
