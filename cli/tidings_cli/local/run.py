"""Runs the local system until it is told to stop."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from tidings_cli.errors import CommandFailed
from tidings_cli.local.output import Voice, voice
from tidings_cli.local.system import Options, System

__all__ = ["Options", "run_until_stopped"]

WATCH_SECONDS = 0.25


class Stopped(Exception):
    """Somebody asked to stop while the start was still going on."""


class Watcher:
    """Passes steps on to the voice, and gives the start up once a stop is asked for.

    A signal only sets a flag: raising out of a handler could leave a process that was just started behind.
    """

    def __init__(self, told: Voice, stop: threading.Event) -> None:
        self._told = told
        self._stop = stop

    def step(self, text: str) -> None:
        """Say what is done next."""
        self.check()
        self._told.step(text)

    def warn(self, text: str) -> None:
        """Say what did not work."""
        self._told.warn(text)

    def check(self) -> None:
        """Raises Stopped if a stop was asked for."""
        if self._stop.is_set():
            raise Stopped


def run_until_stopped(options: Options) -> int:
    """Start, say so, and serve until SIGINT or SIGTERM; 0 after a stop that saved everything. Raises CommandFailed."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask_to_stop)
    told = voice(options.as_json)
    system = System(options, Watcher(told, stop))
    with told, system:
        try:
            told.ready(system.start())
            while not stop.wait(WATCH_SECONDS):
                system.require_alive()
        except Stopped:
            pass
        told.stopping()
    if not system.saved:
        raise CommandFailed(
            f"The engine did not save; what changed since the start is lost (see {options.state}/engine.log)."
        )
    told.stopped()
    return 0
