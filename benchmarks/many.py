"""Mails to many through a SES at half its rate, with the sender killed on the way: each exactly once.

    python -m benchmarks.many --recipients 5000
    python -m benchmarks.many --modelled --recipients 5000

The first starts the local system in a folder of its own, measures how many mails a second come through, limits SES to
half of that, orders the mails, kills every process of the sending function when a third and two thirds are out, and
counts at SES. A killed process leaves the message of the queue to its visibility timeout of three minutes, and its
claims open for four: that is what the end of a run waits for.

The second does the same over the modelled store, where time is no machine's (`benchmarks/modelled.py`), first with
`on_unknown: resend`, then with `hold`.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import urllib3
from rich.console import Console
from tests.e2e import local_system
from tests.e2e.local_system import LocalSystem

from benchmarks import modelled
from benchmarks.operations.costs import worlds

WARM_UP = 100
KILLS = 2
POLL_SECONDS = 1.0


def main() -> None:
    """Run it, and fail if anybody got none or two."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many", description="Send to many while things break.")
    parser.add_argument("--recipients", type=int, default=5000, metavar="N")
    parser.add_argument("--minutes", type=float, default=60, metavar="N", help="give up after so long")
    parser.add_argument("--modelled", action="store_true", help="over the modelled store, with time in its hands")
    chosen = parser.parse_args()
    console = Console()
    if chosen.modelled:
        raise SystemExit(0 if _run_modelled(chosen.recipients, console) else 1)
    with tempfile.TemporaryDirectory(prefix="tidings-many-") as folder:
        local_system.START_SECONDS = 180  # a busy machine is no reason to give up
        system = local_system.start(Path(folder))
        try:
            passed = _run(system, chosen.recipients, chosen.minutes * 60, console)
        finally:
            system.stop()
    raise SystemExit(0 if passed else 1)


def _run_modelled(recipients: int, console: Console) -> bool:
    """Both ways: with `resend` each must have got it once, with `hold` each but those who died before SES."""
    whole = True
    for on_unknown in ("resend", "hold"):
        # The functions log what they count to the standard output; nobody reads it here.
        with (
            redirect_stdout(io.StringIO()),
            worlds() as fresh,
            fresh() as world,
            modelled.model(world, recipients, on_unknown) as made,
        ):
            result = made.run()
        for line in modelled.told(result):
            console.print(line, soft_wrap=True)
        whole = whole and result.is_right
    return whole


def _run(system: LocalSystem, recipients: int, seconds: float, console: Console) -> bool:
    body = {"subject": "Hello {{ variables.n }}", "text": "Hello."}
    assert system.call("PUT", "/v1/templates/many", body).status == 200
    began = time.monotonic()
    warm = _order(system, "warm", WARM_UP)
    _until_done(system, warm, seconds, lambda accepted: None)
    rate = WARM_UP / (time.monotonic() - began)
    limit = max(1, round(rate / 2))
    _outbox(system, "PUT", "rate", {"per_second": limit})
    console.print(f"{rate:.1f} mails a second came through; SES takes {limit} a second from here on.")

    began, killed = time.monotonic(), [0]

    def kill(accepted: int) -> None:
        if killed[0] < KILLS and accepted >= recipients * (killed[0] + 1) // (KILLS + 1):
            killed[0] += 1
            console.print(f"{accepted} are out; killed {_kill_senders(system.state)} processes of deliver.")

    taken = time.monotonic()
    send = _order(system, "many", recipients)
    console.print(f"{recipients} recipients were taken in within {time.monotonic() - taken:.2f} s.")
    told = _until_done(system, send, seconds, kill)
    got = Counter(mail["to"][0] for mail in _mails(system) if mail["to"][0].startswith("many-"))
    once = sum(count == 1 for count in got.values())
    twice = sum(count > 1 for count in got.values())
    console.print(f"{told['state']} after {time.monotonic() - began:.0f} s: {told['counts']}")
    console.print(f"{once} got it once, {twice} more than once, {recipients - len(got)} not.")
    return once == recipients and killed[0] == KILLS


def _order(system: LocalSystem, name: str, count: int) -> str:
    body = {
        "recipients": [{"email": f"{name}-{n}@people.example", "variables": {"n": n}} for n in range(count)],
        "template": "many",
        "kind": "transactional",
        "idempotency_key": name,
        "on_unknown": "resend",
    }
    answer = system.call("POST", "/v1/emails", body)
    assert answer.status == 202, answer.data
    return str(answer.json["send"])


def _until_done(system: LocalSystem, send: str, seconds: float, look: Callable[[int], None]) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while True:
        told: dict[str, Any] = system.call("GET", f"/v1/sends/{send}").json
        look(int(told["counts"].get("accepted", 0)))
        if told["state"] == "done" or time.monotonic() > end:
            return told
        time.sleep(POLL_SECONDS)


def _mails(system: LocalSystem) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _outbox(system, "GET", "mails")
    return found


def _outbox(system: LocalSystem, method: str, path: str, body: Any = None) -> Any:
    answer = urllib3.request(method, f"{system.outbox}/api/{path}", json=body, timeout=60, retries=False)
    assert answer.status == 200, answer.data
    return answer.json()


def _kill_senders(state: Path) -> int:
    """Kill the processes that run deliver for this system, and no others: they run from its folder."""
    killed = 0
    mark = str(state / "tmp" / "ministack-lambda-tidings-Deliver-").encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
                killed += 1
        except (OSError, ValueError):
            continue  # it ended meanwhile
    return killed


if __name__ == "__main__":
    main()
