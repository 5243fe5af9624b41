"""The demo from its start to its verdict."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from tidings_cli.client import Client
from tidings_cli.demo.board import Board, board
from tidings_cli.demo.local import Address, LocalSystem
from tidings_cli.demo.people import ADA, AUTOMATION, CLEO, FAY, PEOPLE
from tidings_cli.demo.phone import PhoneWatcher
from tidings_cli.demo.story import App, find_examples, publish, require_sdk, suppress
from tidings_cli.demo.verdict import Finding, findings
from tidings_cli.demo.watch import Outbox, Watcher
from tidings_cli.printing import FAILED, OK

# How long a day lasts here, and by when the last message must have come, both in seconds.
DAY_SECONDS = 2.5
LIMIT_SECONDS = 60.0
# What comes after the mails may take longer: news of a bounce and of an opening.
PATIENCE_SECONDS = 20.0
LOOK_EVERY = 0.25

A_DAY = 86_400
# What the report's line tells, in its order.
REPORTED = {
    "sent": "sent",
    "delivered": "delivered",
    "opened": "opened by people",
    "machine_opened": "opened by machines",
    "hard_bounced": "bounced",
    "skipped": "not sent",
}
STOPPED = 130


def run_demo(keep: bool, port: int, console: Console) -> int:
    """Run the demo; 0 only if exactly the right messages were sent. Leaves nothing behind. Raises CommandFailed."""
    require_sdk()
    examples = find_examples()
    began = time.monotonic()
    with stoppable(), tempfile.TemporaryDirectory(prefix="tidings-demo-", ignore_cleanup_errors=True) as folder:
        try:
            with LocalSystem(Path(folder), port, DAY_SECONDS / A_DAY) as system:
                with board(console, began, DAY_SECONDS) as shown:
                    address, found = _play(system, examples, shown, began)
                good = _tell(console, found, time.monotonic() - began)
                if good:
                    _explain(console, Client(address.url, address.keys["secret"]))
                if keep:
                    _keep(console, system, address)
                with console.status("Stopping …"):
                    system.stop()
        except KeyboardInterrupt:
            console.print("Stopped. Nothing is left behind.")
            return STOPPED
    if good and not keep:
        console.print("\n[dim]To look around in it, run it again and leave it up:[/] make demo KEEP=1")
    return 0 if good else 1


def _play(system: LocalSystem, examples: Path, shown: Board, began: float) -> tuple[Address, list[Finding]]:
    shown.step("starting the local system")
    address = system.start()
    api = Client(address.url, address.keys["secret"])
    shown.step(f"the local system answers after {address.seconds:.1f} s; publishing the automation")
    publish(api, examples)
    suppress(api, shown)
    shown.step("people use an app that reports through segment-analytics-python")
    app = App(address.url, address.keys["write"])
    try:
        app.first_day(shown)
        app.begin(shown)
    finally:
        app.close()
    shown.step(f"a day lasts {DAY_SECONDS} s here")
    return address, _follow(system, api, Outbox(address.outbox), shown, began)


def _follow(system: LocalSystem, api: Client, outbox: Outbox, shown: Board, began: float) -> list[Finding]:
    """Look until everything has come to its end, or for too long; then judge."""
    watcher, phone = Watcher(api, outbox, shown), PhoneWatcher(api, outbox, shown)
    last_message = 0.0
    while watcher.missing or phone.missing:
        system.require_alive()
        seconds = time.monotonic() - began
        if seconds > LIMIT_SECONDS + PATIENCE_SECONDS:
            told = [*watcher.missing, *phone.missing, *system.faults()]
            return [Finding("everything comes to its end in time", False, "\n".join(told))]
        if any([phone.look(), watcher.look()]):
            last_message = time.monotonic() - began
        time.sleep(LOOK_EVERY)
    for person in PEOPLE:
        shown.finish(person)
    return findings(api, outbox.mails(), outbox.texts(FAY.phone), last_message, LIMIT_SECONDS)


def _tell(console: Console, found: Sequence[Finding], seconds: float) -> bool:
    good = all(finding.good for finding in found)
    console.print()
    for finding in found:
        console.print(f"{OK if finding.good else FAILED} {escape(finding.text)}", soft_wrap=True)
        if not finding.good:
            found_text = finding.found.replace("\n", "\n         ")
            console.print(f"  [red]found: {escape(found_text)}[/]", soft_wrap=True)
    verdict = "[bold green]Exactly the right messages were sent[/]" if good else "[bold red]The demo failed[/]"
    console.print(f"\n{verdict} [dim]({seconds:.1f} s from start to here)[/]")
    return good


def _explain(console: Console, api: Client) -> None:
    """The report of the automation in a line, and why somebody got no mail, as the API tells it."""
    counts = api.get("reports", "email", automation=AUTOMATION)["totals"]["counts"]
    report = ", ".join(f"{counts[name]} {word}" for name, word in REPORTED.items() if counts[name])
    why = api.get("why", user_id=CLEO.id, automation=AUTOMATION)["answer"]
    for asked, told in (("The report:", report), (f"Why did {CLEO.name} get nothing?", why)):
        console.print(f"[dim]{asked}[/] {escape(told)}", soft_wrap=True)


def _keep(console: Console, system: LocalSystem, address: Address) -> None:
    """Leave it up until Ctrl-C, and say how to look around."""
    tidings = "tidings" if shutil.which("tidings") else str(Path(sys.executable).with_name("tidings"))
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim")
    rows.add_column(overflow="fold")
    rows.add_row("Outbox", f"[bold]{address.outbox}[/]")
    rows.add_row("API", f"[bold]{address.url}[/]")
    for kind, key in address.keys.items():
        rows.add_row(f"{kind.capitalize()} key", escape(key))
    console.print(Panel(rows, title="Still up", title_align="left", expand=False))
    for line in (
        "In another terminal:",
        f"  export TIDINGS_URL={address.url}",
        f"  export TIDINGS_SECRET_KEY={address.keys['secret']}",
        f"  {tidings} contact enrolments --user-id {ADA.id}",
        f"  {tidings} contact messages --user-id {CLEO.id}",
        f"  {tidings} contact enrolments --user-id {FAY.id}",
        "Ctrl-C stops it and throws everything away.",
    ):
        console.print(escape(line), soft_wrap=True)
    try:
        while True:
            system.require_alive()
            time.sleep(LOOK_EVERY)
    except KeyboardInterrupt:
        console.print()


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM and a closed terminal stop the demo as Ctrl-C does, and SIGINT where the parent had it ignored."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def choose_port(port: int | None) -> int:
    """The port that was asked for; else the usual one if it is free, or any other. Raises CommandFailed."""
    if port is not None:
        return port
    from tidings_cli.commands.local import DEFAULT_PORT
    from tidings_cli.local.requirements import require_packages

    require_packages()
    # Only now: it imports what may be missing.
    from tidings_cli.local.server import free_port

    return free_port(DEFAULT_PORT)
