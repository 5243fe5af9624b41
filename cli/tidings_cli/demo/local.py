"""The local system that the demo runs on: `tidings local` in a process of its own, on a folder that is thrown away."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tidings_cli.errors import CommandFailed

START_SECONDS = 40.0
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Address:
    """Where the system is, and its keys by their kinds."""

    url: str
    outbox: str
    keys: dict[str, str]
    seconds: float


class LocalSystem:
    """A `tidings local` on `folder`. As a context manager it is stopped at the end, whatever happened."""

    def __init__(self, folder: Path, port: int, wait_scale: float) -> None:
        self._state = folder / "state"
        self._errors = folder / "errors.log"
        self._command = [
            *(sys.executable, "-m", "tidings_cli.main", "local", "--json"),
            *("--port", str(port), "--state", str(self._state), "--wait-scale", f"{wait_scale:.9f}"),
        ]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Address:
        """Start it and wait until it answers. Raises CommandFailed."""
        with self._errors.open("w") as errors:
            # A session of its own: Ctrl-C reaches the demo alone, which then stops the system in order.
            self._process = subprocess.Popen(
                self._command,
                stdout=subprocess.PIPE,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
        line = self._first_line(self._process)
        if not line:
            raise CommandFailed(f"The local system did not start: {self._last_words()}")
        ready: dict[str, Any] = json.loads(line)
        return Address(ready["url"], ready["outbox"], ready["keys"], ready["seconds"])

    def require_alive(self) -> None:
        """Raises CommandFailed if the system ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise CommandFailed(f"The local system ended by itself: {self._last_words()}")

    def faults(self) -> list[str]:
        """The last lines of the engine's log that tell of a fault, for a demo that failed."""
        with suppress(OSError):
            lines = (self._state / "engine.log").read_text(encoding="utf-8", errors="replace").splitlines()
            return [line[:300] for line in lines if "ERROR" in line or "Error:" in line][-8:]
        return []

    def stop(self) -> None:
        """Stop it, and the engine should it have been left behind."""
        if self._process is None:
            return
        # A second Ctrl-C must not leave behind what the first one stops.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._stop_engine()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def _stop_engine(self) -> None:
        from tidings_cli.local.engine import stop_orphan

        with suppress(CommandFailed):
            stop_orphan(self._state)

    def _first_line(self, process: subprocess.Popen[str]) -> str:
        if process.stdout is None:
            return ""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if select.select([process.stdout], [], [], 0.2)[0]:
                return process.stdout.readline()
        return ""

    def _last_words(self) -> str:
        said = self._errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return said[-1].removeprefix("tidings local: ") if said else f"it said nothing within {START_SECONDS:.0f} s"
