"""Where one sees what happens to whom: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from tidings_cli.demo.people import PEOPLE, Person

TITLE = "A day after signing up, one of two mails; and an SMS that is answered"
GOOD, BAD, PLAIN = "green", "yellow", ""
HOURS = 24


@dataclass
class Row:
    """What happened to one person so far; `waits_since` is set while they wait."""

    said: list[tuple[str, str]] = field(default_factory=list)
    waits_since: float | None = None
    over: bool = False


class Board:
    """Takes in what happens. `began` is when the clock of the demo was started (monotonic seconds)."""

    def __init__(self, console: Console, began: float, day_seconds: float) -> None:
        self._console = console
        self._began = began
        self._day = day_seconds
        self._rows = {person.id: Row() for person in PEOPLE}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left to show."""

    def step(self, text: str) -> None:
        """Something begins that nobody in particular does."""
        self._print(f"[dim]{escape(text)}[/]")

    def add(self, person: Person, text: str, style: str = PLAIN) -> None:
        """Something happens to a person."""
        row = self._rows[person.id]
        row.waits_since = None
        row.said.append((text, style))
        self._print(f"[bold]{person.name:5}[/] {escape(text)}")

    def wait(self, person: Person) -> None:
        """A person's wait begins."""
        self.add(person, "waits 1 day")
        self._rows[person.id].waits_since = time.monotonic()

    def finish(self, person: Person) -> None:
        """Nothing more happens to a person."""
        self._rows[person.id].over = True

    def _print(self, markup: str) -> None:
        self._console.print(f"[dim]{time.monotonic() - self._began:5.1f} s[/]  {markup}", soft_wrap=True)


class LiveBoard(Board):
    """One row a person, drawn anew as things happen; what was drawn last stays."""

    def __init__(self, console: Console, began: float, day_seconds: float) -> None:
        super().__init__(console, began, day_seconds)
        self._step = ""
        self._parts = ExitStack()
        self._spinner = Spinner("dots")

    def __enter__(self) -> Self:
        live: AbstractContextManager[Live] = Live(
            console=self._console, get_renderable=self._draw, refresh_per_second=8, vertical_overflow="ellipsis"
        )
        self._parts.enter_context(live)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._step = ""
        self._parts.close()

    def step(self, text: str) -> None:
        self._step = text

    def _print(self, markup: str) -> None:
        """The table shows it."""

    def _draw(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 1, 0), expand=True)
        table.add_column(width=2)
        table.add_column(width=19)
        table.add_column(ratio=1)
        for person in PEOPLE:
            row = self._rows[person.id]
            about = Text.assemble((person.name, "bold"), "\n", (person.role, "dim"))
            table.add_row(self._mark(row), about, self._journey(row))
        return Group(
            Text.assemble((TITLE, "bold"), ("  examples/automations", "dim"), "\n"),
            table,
            self._foot(),
        )

    def _mark(self, row: Row) -> RenderableType:
        if row.over:
            return Text("✓", style="bold green")
        return self._spinner if row.said else Text("·", style="dim")

    def _journey(self, row: Row) -> Text:
        journey = Text()
        for number, (text, style) in enumerate(row.said):
            journey.append(" → " if number else "", style="dim")
            journey.append(text, style=style)
        if row.waits_since is not None:
            gone = min(HOURS, (time.monotonic() - row.waits_since) / self._day * HOURS)
            journey.append(f" ({gone:.0f} of {HOURS} hours)", style="cyan")
        return journey

    def _foot(self) -> Text:
        clock = f"{time.monotonic() - self._began:5.1f} s"
        return Text.assemble((clock, "dim"), ("  " + self._step if self._step else "", "dim"))


def board(console: Console, began: float, day_seconds: float) -> Board:
    """A live table where the console is a terminal, plain lines where it is not."""
    kind = LiveBoard if console.is_terminal and not console.is_dumb_terminal else Board
    return kind(console, began, day_seconds)
