"""What `tidings local` says: one line of JSON for scripts, or progress and a panel for people."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.status import Status
from rich.table import Table

from tidings_cli.local.system import Ready


class Voice:
    """Who tells the user what happens; this one keeps quiet."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left to say."""

    def step(self, text: str) -> None:
        """Something begins that takes a while."""

    def warn(self, text: str) -> None:
        """Something did not work, though the system goes on."""

    def ready(self, what: Ready) -> None:
        """The system answers."""

    def stopping(self) -> None:
        """It is being stopped."""

    def stopped(self) -> None:
        """It has stopped, and everything is saved."""


def voice(as_json: bool) -> Voice:
    """For scripts or for people."""
    return JsonVoice() if as_json else TerminalVoice()


class JsonVoice(Voice):
    """One line when ready and nothing else, so that a script can read it; warnings go to stderr."""

    def warn(self, text: str) -> None:
        """To stderr."""
        print(f"tidings local: {text}", file=sys.stderr, flush=True)

    def ready(self, what: Ready) -> None:
        """The line."""
        print(json.dumps(asdict(what)), flush=True)


class TerminalVoice(Voice):
    """Steps with a tick when they are done, then a panel with what one needs next."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._status: Status | None = None
        self._step = ""
        self._began = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_step(done=error is None)

    def step(self, text: str) -> None:
        """A line that spins until the next step."""
        self._end_step()
        self._step, self._began = text, time.monotonic()
        self._status = self._console.status(f"{text} …")
        self._status.start()

    def warn(self, text: str) -> None:
        """A line in yellow."""
        self._console.print(f"[yellow]![/] {escape(text)}")

    def ready(self, what: Ready) -> None:
        """The panel."""
        self._end_step()
        if what.resumed:
            go_on = "enrolment goes" if what.resumed == 1 else "enrolments go"
            self._console.print(f"[green]✓[/] {what.resumed} {go_on} on where they were.")
        self._console.print(_panel(what))
        # Outside the panel, so that it can be copied from a narrow terminal too.
        self._console.print(f"[dim]Try[/]  {escape(_example(what))}", soft_wrap=True)

    def stopping(self) -> None:
        """Saving takes a moment."""
        self.step("Stopping and saving")

    def stopped(self) -> None:
        """How to come back."""
        self._end_step()
        self._console.print("Everything is saved; the next [bold]tidings local[/] goes on from here.")

    def _end_step(self, done: bool = True) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
            mark = "[green]✓[/]" if done else "[red]✗[/]"
            self._console.print(f"{mark} {self._step} [dim]{time.monotonic() - self._began:.1f} s[/]")


def _panel(what: Ready) -> Panel:
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim")
    rows.add_column(overflow="fold")
    rows.add_row("API", f"[bold]{what.url}[/]")
    rows.add_row("Outbox", f"[bold]{what.outbox}[/]")
    if what.number:
        rows.add_row("Phone", f"[bold]{what.phone}[/] [dim]({what.number})[/]")
    rows.add_row("AWS", f"{what.aws} [dim](for aws --endpoint-url)[/]")
    for kind, key in what.keys.items():
        rows.add_row(f"{kind.capitalize()} key", escape(key))
    rows.add_row("Data", escape(what.state))
    rows.add_row("Stop", "Ctrl-C; what is stored stays")
    return Panel(rows, title=f"Tidings is ready [dim]({what.seconds:.1f} s)[/]", title_align="left", expand=False)


def _example(what: Ready) -> str:
    body = '{"userId":"u-1","event":"Signed Up"}'
    return f"curl {what.url}/v1/track -u {what.keys['write']}: -d '{body}'"
