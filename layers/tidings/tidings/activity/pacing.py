"""No faster than one partition takes: how the writes of a batch are spread over calls and over time.

An identity's events stand in one partition, with those of its local index, and a partition takes 1,000 write units a
second (AWS, "Best practices for designing and using partition keys effectively"). What one request brings about one
identity stays below that by itself, so that no call of it is refused for what an earlier one wrote.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tidings.core.clock import Waiting
from tidings.core.errors import InvalidInput

UNITS_A_SECOND = 800  # what is left is for other requests about the same identity
SECOND = timedelta(seconds=1)
GOLDEN = (5**0.5 - 1) / 2  # its multiples, modulo 1, lie evenly however many there are
LONGEST_WAIT = 20  # seconds; the HTTP API gives up after 30


@dataclass(frozen=True, slots=True)
class Write:
    """One write: where it goes, the write units that it takes there, and the statement that does it."""

    partition: str
    units: int
    statement: Any


class Pace:
    """Lets calls pass at a rate at which no partition is given more than `UNITS_A_SECOND` within any second."""

    def __init__(self, clock: Waiting) -> None:
        self._clock = clock
        self._now = clock.now()
        self._passed: deque[tuple[Any, Counter[str]]] = deque()
        self._lately: Counter[str] = Counter()

    def let_pass(self, call: Iterable[Write]) -> None:
        """Wait until a call may be made, and count it as made."""
        units = _units(call)
        self._now = max(self._now, self._clock.now())
        self._forget()
        start = self._now
        while self._passed and any(self._lately[place] + more > UNITS_A_SECOND for place, more in units.items()):
            self._now = self._passed[0][0] + SECOND
            self._forget()
        if self._now > start:
            self._clock.sleep((self._now - start).total_seconds())
        self._passed.append((self._now, units))
        self._lately += units

    def _forget(self) -> None:
        while self._passed and self._passed[0][0] + SECOND <= self._now:
            self._lately -= self._passed.popleft()[1]


def in_calls(writes: Sequence[Write], size: int) -> Iterator[list[Write]]:
    """The writes in calls of at most `size`, each partition's in their order.

    Where one partition is given more than a second's worth, its writes are spread evenly among the others, so that
    waiting for it delays nobody beyond. Raises InvalidInput if storing them would take too long for a request.
    """
    most = max(_units(writes).values(), default=0)
    if most > UNITS_A_SECOND * (LONGEST_WAIT + 1):
        told = f"The events of one person in a batch take at most {LONGEST_WAIT} seconds to store; send fewer at once."
        raise InvalidInput("batch_too_large", told, "batch")
    return _cut(writes if most <= UNITS_A_SECOND else _spread(writes), size)


def _cut(writes: Iterable[Write], size: int) -> Iterator[list[Write]]:
    call: list[Write] = []
    units: Counter[str] = Counter()
    for write in writes:
        if call and (len(call) == size or units[write.partition] + write.units > UNITS_A_SECOND):
            yield call
            call, units = [], Counter()
        call.append(write)
        units[write.partition] += write.units
    if call:
        yield call


def _spread(writes: Sequence[Write]) -> list[Write]:
    """Each partition's writes at even distances over the whole; the first ones do not all stand together."""
    totals = Counter(write.partition for write in writes)
    ahead = {partition: number * GOLDEN % 1 for number, partition in enumerate(totals)}
    places = []
    for write in writes:
        places.append(ahead[write.partition] / totals[write.partition])
        ahead[write.partition] += 1
    return [write for _, write in sorted(zip(places, writes, strict=True), key=lambda placed: placed[0])]


def _units(writes: Iterable[Write]) -> Counter[str]:
    units: Counter[str] = Counter()
    for write in writes:
        units[write.partition] += write.units
    return units
