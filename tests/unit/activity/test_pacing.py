"""What one request writes about one identity stays below what a partition takes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.activity.pacing import LONGEST_WAIT, UNITS_A_SECOND, Pace, Write, in_calls
from tidings.core.clock import FixedClock
from tidings.core.errors import InvalidInput

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PARTITION = 1000  # write units a second; AWS, "Burst and adaptive capacity"

Timed = tuple[datetime, list[Write]]


@dataclass
class Run:
    """What happens to writes: the calls with the time of each, and how long was waited."""

    calls: list[Timed] = field(default_factory=list)
    waited: float = 0

    def most_in_a_second(self) -> int:
        """The most units that one partition was given within any second."""
        most = 0
        for start, _ in self.calls:
            units: Counter[str] = Counter()
            for at, call in self.calls:
                if start <= at < start + timedelta(seconds=1):
                    for write in call:
                        units[write.partition] += write.units
            most = max(most, *units.values())
        return most


def run(writes: list[Write], call_takes: float = 0.01) -> Run:
    told, clock = Run(), FixedClock(NOW)
    pace = Pace(clock)
    for call in in_calls(writes, 25):
        before = clock.now()
        pace.let_pass(call)
        told.waited += (clock.now() - before).total_seconds()
        told.calls.append((clock.now(), call))
        clock.sleep(call_takes)
    return told


def of(identity: str, count: int, units: int = 2) -> list[Write]:
    return [Write(identity, units, number) for number in range(count)]


def mixed(*groups: list[Write]) -> list[Write]:
    """One after the other, as somebody's backlog arrives."""
    return [write for group in groups for write in group]


def orders(writes: list[Write]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for write in writes:
        found.setdefault(write.partition, []).append(write.statement)
    return found


def test_a_second_s_worth_of_one_identity_goes_out_at_once_and_in_its_order() -> None:
    told = run(of("u", 400))
    assert told.waited == 0
    assert [len(call) for _, call in told.calls] == [25] * 16
    assert [write.statement for _, call in told.calls for write in call] == list(range(400))


def test_2500_events_of_many_people_are_100_calls_without_a_wait() -> None:
    told = run([Write(f"u{number % 9}", 2, number) for number in range(2500)])
    assert [len(call) for _, call in told.calls] == [25] * 100
    assert told.waited == 0


@pytest.mark.parametrize("call_takes", [0, 0.01, 0.02])
def test_2500_events_of_one_person_are_100_calls_in_six_seconds(call_takes: float) -> None:
    told = run(of("u", 2500), call_takes)
    assert [len(call) for _, call in told.calls] == [25] * 100
    assert told.most_in_a_second() <= UNITS_A_SECOND < PARTITION
    assert 4 < told.waited <= 6
    assert (told.calls[-1][0] - NOW).total_seconds() < 8


def test_who_has_much_to_tell_is_spread_among_the_others_who_wait_no_longer() -> None:
    # A backlog of one person and then 500 others: without spreading, those would wait, and then the calls be done.
    told = run(mixed(of("u", 2000), *(of(f"v{number}", 1) for number in range(500))))
    alone = run(of("u", 2000))
    assert len(told.calls) == 100
    assert told.waited <= alone.waited + 0.5
    assert max(Counter(write.partition for write in call)["u"] for _, call in told.calls) <= 21


def test_a_call_is_cut_where_few_large_events_are_a_second_s_worth() -> None:
    told = run(of("u", 25, units=66))
    assert [len(call) for _, call in told.calls] == [12, 12, 1]
    assert told.most_in_a_second() <= UNITS_A_SECOND


def test_what_would_keep_a_request_too_long_is_refused_before_anything_is_stored() -> None:
    most = UNITS_A_SECOND * (LONGEST_WAIT + 1)
    assert run(of("u", most // 100, units=100)).waited <= LONGEST_WAIT
    with pytest.raises(InvalidInput) as caught:
        in_calls(of("u", most // 100 + 1, units=100), 25)
    assert (caught.value.code, caught.value.field) == ("batch_too_large", "batch")


def test_nothing_is_no_call() -> None:
    assert list(in_calls([], 25)) == []


def test_a_clock_that_stands_still_is_waited_for_once() -> None:
    class Stopped(FixedClock):
        slept = 0.0

        def sleep(self, seconds: float) -> None:
            self.slept += seconds

    clock = Stopped(NOW)
    pace = Pace(clock)
    for call in in_calls(of("u", 2500), 25):
        pace.let_pass(call)
    assert clock.slept == 6


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([2, 4, 20, 66, 130])), max_size=120),
    st.floats(0, 0.2),
)
def test_whatever_is_written_keeps_each_identity_s_order_and_the_rate(
    drawn: list[tuple[str, int]], call_takes: float
) -> None:
    writes = [Write(place, units, number) for number, (place, units) in enumerate(drawn)]
    told = run(writes, call_takes)
    assert orders([write for _, call in told.calls for write in call]) == orders(writes)
    assert all(1 <= len(call) <= 25 for _, call in told.calls)
    assert not writes or told.most_in_a_second() <= UNITS_A_SECOND
