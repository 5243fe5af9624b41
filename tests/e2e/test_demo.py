"""`tidings demo` as a command: its verdict, what it leaves behind, and how it is stopped."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
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

    def read_until(self, words: str) -> str:
        """The line with these words, once it is there."""
        assert self.process.stdout is not None
        while time.monotonic() - self.began < LIMIT:
            if select.select([self.process.stdout], [], [], 0.5)[0]:
                self.lines.append(self.process.stdout.readline())
                if words in self.lines[-1]:
                    return self.lines[-1]
                if not self.lines[-1]:
                    break
        raise AssertionError(f"nothing about {words!r} in:\n{''.join(self.lines)}")

    def stop(self, number: signal.Signals) -> int:
        """Stop it and read the rest; its exit code."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=60)
        self.lines.append(rest)
        return self.process.returncode


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where temporary files go; nothing may be left in it."""
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


@on_linux
def test_exactly_the_right_mails_are_sent_and_it_can_be_left_up(folder: Path) -> None:
    demo = Demo(folder, "--keep")
    demo.read_until("Exactly the right mails were sent")
    assert time.monotonic() - demo.began < LIMIT
    output = "".join(demo.lines)
    for told in (
        "Ada   mail “Your first project",
        "Ben   mail “Ben, shall we",
        "Cleo  no mail: suppressed",
        "Dev   bounced",
    ):
        assert told in output
    assert "✗" not in output
    demo.read_until("Still up")
    url = re.search(r"http://127\.0\.0\.1:\d+", demo.read_until("Outbox"))
    assert url is not None
    assert len(urllib3.request("GET", f"{url[0]}/outbox/api/mails").json()) == 3
    started = descendants(demo.process.pid)
    assert demo.stop(signal.SIGINT) == 0
    assert alive(started) == set()


@on_linux
def test_ctrl_c_in_the_middle_leaves_nothing_behind(folder: Path) -> None:
    demo = Demo(folder)
    demo.read_until("people use an app")
    started = descendants(demo.process.pid)
    assert demo.stop(signal.SIGINT) == 130
    assert "Nothing is left behind" in demo.lines[-1]
    assert alive(started) == set()
