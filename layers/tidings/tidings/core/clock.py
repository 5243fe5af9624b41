"""The only place that reads the system clock; everything else is handed a `Clock`."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""


class Waiting(Clock, Protocol):
    """A clock that one can wait by."""

    def sleep(self, seconds: float) -> None:
        """Let that much time pass."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        time.sleep(seconds)


class FixedClock:
    """A clock that stands still until it is moved: for tests and for simulation."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        """The instant it was set to."""
        return self.instant

    def advance(self, by: timedelta) -> None:
        """Move forward by `by`."""
        self.instant += by

    def sleep(self, seconds: float) -> None:
        """Move forward by so many seconds."""
        self.advance(timedelta(seconds=seconds))


def ticks() -> float:
    """Seconds on a clock that only runs forward, for measuring how long something takes: never an instant."""
    return time.monotonic()


def to_text(instant: datetime) -> str:
    """ISO 8601 in UTC with microseconds and a Z: sorts as text in the order of time."""
    # Not strftime, which writes years before 1000 with fewer digits.
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_text(text: str) -> datetime:
    """The instant that ISO 8601 text names, in UTC; text without an offset counts as UTC. Raises ValueError."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text} is outside the calendar") from error


def epoch(instant: datetime) -> int:
    """Whole seconds since 1970, as DynamoDB's time to live wants them."""
    return int(instant.timestamp())
