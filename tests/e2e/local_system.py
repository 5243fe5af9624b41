"""A `tidings local` of the tests' own: started as people start it, asked over HTTP, stopped by a signal."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import urllib3
from tests.support.patience import SECONDS

START_SECONDS = 90  # three where nothing else runs
# The launcher lets its engine save for up to a minute, and then deletes the code that was unpacked for each worker.
STOP_SECONDS = 150


@dataclass(frozen=True)
class Answer:
    """What a call was answered: status, headers, and the body as JSON if it is."""

    status: int
    headers: urllib3.HTTPHeaderDict
    data: bytes

    @property
    def json(self) -> Any:
        """The body. Raises ValueError if it is not JSON."""
        return json.loads(self.data)


@dataclass
class LocalSystem:
    """A running local system. `line` is what it printed when ready."""

    process: subprocess.Popen[str]
    line: dict[str, Any]
    record: Path
    url: str = field(init=False)
    outbox: str = field(init=False)
    aws: str = field(init=False)
    workspace: str = field(init=False)
    keys: dict[str, str] = field(init=False)
    outputs: dict[str, str] = field(init=False)
    state: Path = field(init=False)

    def __post_init__(self) -> None:
        for name in ("url", "outbox", "aws", "workspace", "keys", "outputs"):
            setattr(self, name, self.line[name])
        self.state = Path(self.line["state"])

    def call(self, method: str, path: str, body: Any = None, key: str = "secret", **headers: str) -> Answer:
        """Call the JSON API with a key of one kind (`secret`, `write`, `publishable`, or empty for none).

        `body` is sent as JSON, or as it is if it is bytes; an underscore in a header's name stands for a hyphen.
        """
        sent = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            sent["authorization"] = f"Bearer {self.keys[key]}"
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        answer = urllib3.request(method, self.url + path, body=data, headers=sent, timeout=30, retries=False)
        return Answer(answer.status, answer.headers, answer.data)

    def client(self, service: str) -> Any:
        """A boto3 client of the engine."""
        return boto3.client(
            service,
            endpoint_url=self.aws,
            region_name="us-east-1",
            aws_access_key_id="000000000000",
            aws_secret_access_key="test",
        )

    def recorded(self) -> list[dict[str, str]]:
        """Every call of every function so far: function, action, resource."""
        return [json.loads(line) for line in self.record.read_text(encoding="utf-8").splitlines()]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it by a signal, and wait; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


def command(*options: str | Path) -> list[str]:
    """The command line of `tidings local`."""
    return [sys.executable, "-m", "tidings_cli.main", "local", *map(str, options)]


def start(
    folder: Path, *options: str | Path, port: int = 0, records: bool = True, within: float = START_SECONDS
) -> LocalSystem:
    """Start on the state `folder`/state; returns when ready.

    Calls are recorded in `folder`/calls.jsonl, which makes each of them slower, unless it is not to.
    """
    record = folder / "calls.jsonl"
    recorded: tuple[str | Path, ...] = ("--record", record) if records else ()
    process = subprocess.Popen(
        command("--json", "--port", str(port), "--state", folder / "state", *recorded, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], within)
    line = process.stdout.readline() if readable else ""
    if not line:
        process.terminate()  # so that it takes its engine along
        raise AssertionError(f"tidings local did not start: {process.communicate()[1]}")
    return LocalSystem(process, json.loads(line), record)


def run_to_its_end(*options: str | Path) -> tuple[int, str]:
    """Run a `tidings local` that is expected to refuse; its exit code and what it said on stderr."""
    done = subprocess.run(
        command("--json", *options), capture_output=True, text=True, timeout=START_SECONDS + STOP_SECONDS, check=False
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def descendants(pid: int) -> set[int]:
    """The processes that a process started, and those that they started. Linux only."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found.update(children)
        waiting += children
    return found


def alive(pids: Iterable[int]) -> set[int]:
    """Those that still run: neither gone nor merely waiting to be collected by whoever started them."""
    running = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state not in "ZX":
            running.add(pid)
    return running


def eventually(question: Callable[[], Any], within: float = SECONDS) -> Any:
    """The first answer that is true. Asks again and again: what happens behind a stream or queue takes its time."""
    deadline = time.monotonic() + within
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:.0f} s; the last answer was {answer!r}")
        time.sleep(0.05)


def is_root() -> bool:
    """Whether the tests run as a user for whom no folder is closed."""
    return os.geteuid() == 0
