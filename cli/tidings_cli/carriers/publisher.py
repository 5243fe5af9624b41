"""The thread that tells SNS what the log holds, one entry after the other, in order."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from http.client import HTTPException

from botocore.exceptions import BotoCoreError, ClientError

from tidings_cli.carriers.feedback import Entry, FeedbackLog, State

Publish = Callable[[str, str, str | None], None]

# What a publish function may raise when the topic's side is at fault; each of these is tried again.
PUBLISH_FAULTS = (BotoCoreError, ClientError, OSError, HTTPException)
RETRY_PAUSES = (0.1, 0.5, 2.0)  # seconds before the second, third and fourth try

_log = logging.getLogger(__name__)


class Publisher:
    """Publishes pending entries of the log. Entries wait until their target was named in this process.

    A target known from an earlier run does not count: its topic may not be there yet while the local system boots.
    """

    def __init__(self, log: FeedbackLog, publish: Publish, pauses: Sequence[float] = RETRY_PAUSES) -> None:
        self._log = log
        self._publish = publish
        self._pauses = pauses
        self._targets: list[str] = []
        self._changed = threading.Condition()
        self._busy = False
        self._news = False
        self._stopping = threading.Event()
        # What was held back when an earlier run ended is told now: late enough.
        log.release()
        self._later: list[tuple[float, str]] = []
        self._thread = threading.Thread(target=self._run, name="carriers-publisher", daemon=True)
        self._thread.start()

    def listen(self, target: str, topic_arn: str) -> None:
        """Name the topic of a target and begin to publish what waits for it."""
        self._log.set_topic(target, topic_arn)
        with self._changed:
            if target not in self._targets:
                self._targets = [*self._targets, target]
        self.wake()

    def wake(self) -> None:
        """Say that the log grew."""
        with self._changed:
            self._news = True
            self._changed.notify_all()

    def release_after(self, seconds: float, message: str) -> None:
        """Publish what is held back of a message, so many seconds from now."""
        with self._changed:
            self._later.append((time.monotonic() + seconds, message))
            self._changed.notify_all()

    def drain(self, timeout: float = 10.0) -> bool:
        """Wait until all that can be published was; False when that took longer than `timeout` seconds."""
        until = time.monotonic() + timeout
        with self._changed:
            while self._busy or self._news:
                left = until - time.monotonic()
                if left <= 0 or not self._thread.is_alive():
                    return False
                self._changed.wait(left)
        return True

    def stop(self) -> None:
        """Let the entry in hand be finished, then end the thread. What is left is published after the next start."""
        self._stopping.set()
        self.wake()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._changed:
                while not (self._news or self._stopping.is_set() or self._release_due()):
                    self._changed.wait(self._until_next())
                self._news, self._busy, targets = False, True, self._targets
            self._empty(targets)
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _release_due(self) -> bool:
        """Whether the time of anything that is held back has come; it is released then."""
        due = [(at, message) for at, message in self._later if at <= time.monotonic()]
        self._later = [one for one in self._later if one not in due]
        for _, message in due:
            self._log.release(message)
        return bool(due)

    def _until_next(self) -> float | None:
        """Seconds until something that is held back is due; None while nothing is."""
        return max(0.0, min(at for at, _ in self._later) - time.monotonic()) if self._later else None

    def _empty(self, targets: Sequence[str]) -> None:
        while targets and not self._stopping.is_set():
            entry = self._log.next_pending(targets)
            if entry is None:
                return
            self._tell(entry)

    def _tell(self, entry: Entry) -> None:
        topic = self._log.topic(entry.target) or ""
        fault = ""
        for pause in (0.0, *self._pauses):
            if self._stopping.wait(pause):
                return
            try:
                self._publish(topic, json.dumps(entry.body), entry.subject)
            except PUBLISH_FAULTS as error:
                fault = f"{type(error).__name__}: {error}"
            else:
                self._log.settle(entry, State.PUBLISHED)
                return
        _log.error("Gave up publishing the %s event of message %s: %s", entry.type, entry.message, fault)
        self._log.settle(entry, State.FAILED, fault)
