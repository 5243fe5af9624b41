"""Faults that tests order: what SES and End User Messaging may do to a caller on a bad day."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast

from tidings.core.clock import Clock
from tidings_cli.carriers.database import Database


class SendFault(StrEnum):
    """What goes wrong with a SendEmail or SendTextMessage call. The last three are for text messages alone."""

    THROTTLE = "throttle"  # refused as too many a second; nothing is sent
    REJECT = "reject"  # refused for good; nothing is sent
    TIMEOUT_BEFORE_ACCEPT = "timeout_before_accept"  # not sent, and no answer reaches the caller
    TIMEOUT_AFTER_ACCEPT = "timeout_after_accept"  # sent, but the answer never reaches the caller
    DROP_EVENTS = "drop_events"  # sent, but none of the events that follow by themselves reaches SNS
    DOUBLE_EVENTS = "double_events"  # each of these events reaches SNS twice
    BACKWARD_EVENTS = "backward_events"  # they reach SNS in the opposite order
    LATE_EVENTS = "late_events"  # they reach SNS `seconds` later


class Channel(StrEnum):
    """Whose calls a fault meets."""

    EMAIL = "email"
    SMS = "sms"


ONLY_TEXTS = frozenset({SendFault.DOUBLE_EVENTS, SendFault.BACKWARD_EVENTS, SendFault.LATE_EVENTS})
_REFUSALS = (SendFault.THROTTLE, SendFault.REJECT, SendFault.TIMEOUT_BEFORE_ACCEPT)


@dataclass(frozen=True)
class Ordered:
    """A fault that is waiting: for `count` more calls, to one address or to any.

    `seconds` is how long a timeout keeps the caller waiting before the connection ends, or how late events are.
    """

    id: int
    send: SendFault
    count: int
    to: str | None
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """The fault as JSON."""
        return asdict(self)


class Faults:
    """The faults that were ordered for one channel, used up one call at a time."""

    def __init__(self, database: Database, channel: Channel = Channel.EMAIL) -> None:
        self._database = database
        # Mails came first, and their faults are written down without a word about it.
        self._prefix = "" if channel is Channel.EMAIL else f"{channel.value}:"
        self._ours = f"send {'NOT LIKE' if channel is Channel.EMAIL else 'LIKE'} '%:%'"

    def order(self, send: SendFault, count: int, to: str | None = None, seconds: float = 0.0) -> None:
        """Let the next `count` calls (to this address) fail this way."""
        address = to.lower() if to else None
        self._database.change(
            "INSERT INTO faults (send, count, address, seconds) VALUES (?, ?, ?, ?)",
            (f"{self._prefix}{send.value}", count, address, seconds),
        )

    def waiting(self) -> list[Ordered]:
        """The faults that are still to come, in the order in which they were asked for."""
        query = f"SELECT id, send, count, address, seconds FROM faults WHERE {self._ours} ORDER BY id"  # noqa: S608
        found = cast(list[tuple[int, str, int, str | None, float]], self._database.rows(query))
        cut = len(self._prefix)
        return [Ordered(number, SendFault(send[cut:]), count, to, wait) for number, send, count, to, wait in found]

    def clear(self) -> None:
        """Forget all faults."""
        self._database.change(f"DELETE FROM faults WHERE {self._ours}")  # noqa: S608

    def take(self, addresses: Sequence[str]) -> dict[SendFault, Ordered]:
        """The faults that meet a call to these addresses, at most one of each kind, each counted down by one."""
        wanted = {address.lower() for address in addresses}
        with self._database.transaction():
            taken = {fault.send: fault for fault in reversed(self.waiting()) if fault.to is None or fault.to in wanted}
            refusal = next((taken[kind] for kind in _REFUSALS if kind in taken), None)
            if refusal:  # a call that is refused uses up nothing else
                taken = {refusal.send: refusal}
            for fault in taken.values():
                self._database.change("UPDATE faults SET count = count - 1 WHERE id = ?", (fault.id,))
            if taken:
                self._database.change("DELETE FROM faults WHERE count <= 0")
        return taken


class Rate:
    """How many mails a second SES takes: as many as it is asked to, unless a limit was set."""

    # What a new account in production is granted; it is shown where no limit was set.
    SHOWN = 14.0

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._taken: deque[datetime] = deque()

    def limit(self) -> int | None:
        """Mails a second; None for no limit."""
        rows = self._database.rows("SELECT value FROM settings WHERE name = 'send_rate'")
        return int(cast(str, rows[0][0])) if rows else None

    def set_limit(self, per_second: int | None) -> None:
        """Set the limit, or lift it with None."""
        if per_second is None:
            self._database.change("DELETE FROM settings WHERE name = 'send_rate'")
        else:
            self._database.change("INSERT OR REPLACE INTO settings VALUES ('send_rate', ?)", (str(per_second),))

    def take(self) -> bool:
        """Whether one more mail is within the limit; it counts if it is."""
        limit = self.limit()
        if limit is None:
            return True
        with self._lock:
            now = self._clock.now()
            while self._taken and now - self._taken[0] >= timedelta(seconds=1):
                self._taken.popleft()
            if len(self._taken) >= limit:
                return False
            self._taken.append(now)
            return True
