"""Lets what functions have begun come to an end before the engine is stopped, which ends them wherever they stand.

A function that claimed a message and was ended before it handed it to its carrier would leave nobody to know whether it
went, and the message would be held back as unknown. So once the system stops, nothing more gets to the database, where
every message is claimed; and what was claimed by then still gets to its carrier.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from tidings_cli.local.exchange import Handler, Request, Response, error_response

# From a claim's answer to the call of the carrier a function needs a millisecond or two, on a busy machine a hundred.
QUIET_SECONDS = 1.0
# What takes longer than this is not waited for.
MOST_SECONDS = 10.0


class Gate:
    """Stands before the handlers that functions call. `quiet` and `most` are seconds."""

    def __init__(self, quiet: float = QUIET_SECONDS, most: float = MOST_SECONDS) -> None:
        self._quiet = quiet
        self._most = most
        self._changed = threading.Condition()
        self._is_closed = self._is_over = False
        self._passing = 0
        self._passed_at = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether nothing new gets through."""
        return self._is_closed

    def held(self, handler: Handler) -> Handler:
        """The handler, until the gate is closed: from then on callers wait, and are turned away at the end."""

        def handle(request: Request) -> Response:
            with self._changed:
                if self._is_closed:
                    self._changed.wait_for(lambda: self._is_over)
                    return error_response(HTTPStatus.SERVICE_UNAVAILABLE, "The local system has stopped.")
                self._passing += 1
            with self._counted():
                return handler(request)

        return handle

    def watched(self, handler: Handler) -> Handler:
        """The handler, also once the gate is closed, which waits for what it does."""

        def handle(request: Request) -> Response:
            with self._changed:
                self._passing += 1
            with self._counted():
                return handler(request)

        return handle

    def close(self) -> None:
        """Hold what comes from now on, and return once for a while nothing has passed any more."""
        with self._changed:
            self._is_closed = True
            now = time.monotonic()
            self._passed_at, deadline = max(self._passed_at, now), now + self._most
            while now < deadline:
                left = self._quiet if self._passing else self._passed_at + self._quiet - now
                if left <= 0:
                    return
                self._changed.wait(min(left, deadline - now))
                now = time.monotonic()

    def end(self) -> None:
        """Turn away those who wait."""
        with self._changed:
            self._is_closed = self._is_over = True
            self._changed.notify_all()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._changed:
                self._passing -= 1
                self._passed_at = time.monotonic()
                self._changed.notify_all()
