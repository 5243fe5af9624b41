"""`tidings demo` as a command: its verdict, what it leaves behind, and how it is stopped."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3
from tests.e2e.local_system import alive, descendants

LIMIT = 100.0

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class Demo:
    """A demo that runs, with the lines it has printed so far."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.began = time.monotonic()
        self.folder = folder
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tidings_cli.main", "demo", *options],
            env=os.environ | {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

        self._coming: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def read_until(self, words: str) -> str:
        """The line with these words, once it is there."""
        while time.monotonic() - self.began < LIMIT:
            try:
                self.lines.append(self._coming.get(timeout=0.5))
            except queue.Empty:
                if self.process.poll() is not None and self._coming.empty():
                    break
                continue
            if words in self.lines[-1]:
                return self.lines[-1]
        raise AssertionError(f"nothing about {words!r} in:\n{''.join(self.lines)}")

    def stop(self, number: signal.Signals) -> int:
        """Stop it and read the rest; its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(150)  # many functions ran: the engine takes its time to end them all
        self._reader.join(5)
        while not self._coming.empty():
            self.lines.append(self._coming.get())
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._coming.put(line)


Start = Callable[..., Demo]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts demos, which are stopped at the end even if a test failed; nothing may be left in their folder."""
    demos: list[Demo] = []

    def begin(*options: str) -> Demo:
        demos.append(Demo(tmp_path, *options))
        return demos[-1]

    yield begin
    for demo in demos:
        if demo.process.poll() is None:
            demo.stop(signal.SIGTERM)
    assert list(tmp_path.iterdir()) == []


@on_linux
def test_exactly_the_right_messages_are_sent_and_it_can_be_left_up(start: Start) -> None:
    demo = start("--keep")
    demo.read_until("Exactly the right messages were sent")
    assert time.monotonic() - demo.began < LIMIT
    output = "".join(demo.lines)
    for told in (
        "Ada   mail “Your first project",
        "Ben   mail “Ben, shall we",
        "Cleo  no mail: suppressed",
        "Dev   bounced",
        "Fay   SMS “Fay, czy potwierdzasz",
        "Fay   answers TAK",
        "Fay   answered? Confirmed",
        "Fay   SMS “Dziękujemy",
    ):
        assert told in output
    assert "✗" not in output
    assert "3 sent, 2 delivered" in demo.read_until("The report:")
    assert "suppress" in demo.read_until("Why did Cleo get nothing?")
    demo.read_until("Still up")
    url = re.search(r"http://127\.0\.0\.1:\d+", demo.read_until("Outbox"))
    assert url is not None
    assert len(urllib3.request("GET", f"{url[0]}/outbox/api/mails").json()) == 3
    started = descendants(demo.process.pid)
    assert demo.stop(signal.SIGINT) == 0
    assert alive(started) == set()


@on_linux
def test_ctrl_c_in_the_middle_leaves_nothing_behind(start: Start) -> None:
    demo = start()
    demo.read_until("people use an app")
    started = descendants(demo.process.pid)
    assert demo.stop(signal.SIGINT) == 130
    assert "Nothing is left behind" in "".join(demo.lines)
    assert alive(started) == set()
