"""The local engine: ministack, unmodified, as a process of its own.

It is told everything by its environment, and writes its data to the state folder when SIGTERM stops it, and only then.
So the launcher stops it itself, in order, in a session of its own where the terminal's Ctrl-C does not reach it; and an
engine that a killed launcher left behind is stopped, and so saved, before the next one starts.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import urllib3

from tidings_cli.errors import CommandFailed
from tidings_cli.local.folder import read_json, write_private

START_SECONDS = 30.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.03


def installed_version() -> str:
    """The version of the engine that is installed."""
    return version("ministack")


class Engine:
    """One run of the engine on a state folder."""

    def __init__(self, folder: Path, port: int, environment: Mapping[str, str]) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "engine.log"
        self._folder = folder
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to start; `wait` tells when it is there."""
        shutil.rmtree(self._folder / "tmp", ignore_errors=True)
        (self._folder / "tmp").mkdir(mode=0o700)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                env=dict(self._environment),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        write_private(_mark(self._folder), json.dumps({"pid": self._process.pid}))

    def wait(self, check: Callable[[], None]) -> None:
        """Return when it answers. Raises CommandFailed if it ends or takes over 30 seconds, and what `check` raises."""
        deadline = time.monotonic() + START_SECONDS
        while self.ended() or not self._healthy():
            if self.ended():
                raise CommandFailed(f"The local engine ended while starting: {self._last_words()} (see {self.log}).")
            if time.monotonic() > deadline:
                raise CommandFailed(f"The local engine did not start within {START_SECONDS:.0f} s; see {self.log}.")
            check()
            time.sleep(POLL_SECONDS)

    def ended(self) -> bool:
        """Whether the process is gone though nobody stopped it."""
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> bool:
        """Let it save and end. False if it was killed or already gone: then what it took in since its start is lost."""
        if self._process is None:
            return True
        saved = not self.ended()
        if saved:
            self._process.terminate()
            try:
                saved = self._process.wait(STOP_SECONDS) == 0
            except subprocess.TimeoutExpired:
                saved = False
                self._process.kill()
                self._process.wait()
        _end_group(self._process.pid)
        _mark(self._folder).unlink(missing_ok=True)
        shutil.rmtree(self._folder / "tmp", ignore_errors=True)
        self._process = None
        return saved

    def _healthy(self) -> bool:
        try:
            return urllib3.request("GET", f"{self.url}/_ministack/health", timeout=2, retries=False).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it said nothing"


def stop_orphan(folder: Path) -> bool:
    """Stop the engine that a killed launcher left on this folder, and wait for its save; whether there was one."""
    mark = read_json(_mark(folder))
    pid = mark.get("pid") if isinstance(mark, dict) else None
    found = isinstance(pid, int) and _is_engine(pid)
    if isinstance(pid, int) and found:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _is_engine(pid):
            if time.monotonic() > deadline:
                raise CommandFailed(
                    f"An engine left over on {folder} does not stop; end the process {pid} and try again."
                )
            time.sleep(POLL_SECONDS)
        _end_group(pid)
    _mark(folder).unlink(missing_ok=True)
    return found


def _mark(folder: Path) -> Path:
    return folder / "engine.json"


def _is_engine(pid: int) -> bool:
    """Whether the process lives and is an engine: its number may have gone to another since."""
    return "ministack" in _command(pid)


def _command(pid: int) -> str:
    """What a process was started with; empty if there is none, or it has ended and is only not yet collected."""
    if Path("/proc/self").exists():
        with suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    return subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout


def _end_group(group: int) -> None:
    """End what is left of the engine's session: workers, which nobody can ask or hear any more."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
