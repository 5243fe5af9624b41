"""Both who can end a wait are killed at each of their AWS calls, and repeated as AWS repeats them: none is lost.

Three faults for every call, as in `test_faults`. The calls of each scenario are listed below, and compared with what
the recorder sees. A machine whose function fails asks again with a new token; the old one is worth nothing then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_waits import BOOKING, CONFIRMED, TIMED_OUT, machine, path, reported, subjects, waits
from tests.support.faults import MODES, Fault, Repeating
from tests.support.recorder import Call
from tests.support.world import World

READ, QUERY, PUT = "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"
UPDATE, TRANSACTION = "dynamodb:UpdateItem", "dynamodb:TransactWriteItems"
ANSWERED = "stepfunctions:SendTaskSuccess"

# The definition; all around the step; the steps before and when the question went; the wait; who it
# is by now; both events in one query for each id.
BEGIN = [READ, READ, QUERY, READ, PUT, READ, QUERY, QUERY]
SETTLE = [READ, READ, QUERY, QUERY, TRANSACTION]  # in a new process
# The batch, and what is published; the contact; that it was seen; the waits; what the version says; the step.
WAKE = [READ, QUERY, READ, UPDATE, QUERY, READ, TRANSACTION, ANSWERED]
CALLS = {
    ("answered before", "wait_for"): [*BEGIN, TRANSACTION, ANSWERED],
    ("answered after", "wait_for"): BEGIN,
    ("answered after", "react"): WAKE,
    ("never answered", "wait_for"): SETTLE,
    ("answered in time", "wait_for"): SETTLE,
}
OUTCOMES = {"never answered": (["ask", "reminder"], TIMED_OUT)}


def cases() -> Iterator[Any]:
    for (scenario, function), calls in CALLS.items():
        for number, name in enumerate(calls):
            for mode in MODES:
                label = f"{scenario}-{function}-{number}-{name.partition(':')[2]}-{mode}".replace(" ", "-")
                yield pytest.param(scenario, function, number, mode, id=label)


class Play:
    """Ada is asked, and answers or does not; from `armed` on something watches the calls."""

    def __init__(self, world: World, scenario: str) -> None:
        self.world = world
        self.scenario = scenario
        self.repeating = Repeating(world)
        for template in ("ask", "thanks", "reminder"):
            world.template(template)
        world.automation(BOOKING)
        world.identify("ada", email="ada@people.example")
        world.track("ada", "Booking Requested")
        self.step()  # the question is sent
        if scenario == "answered before":
            self.answer()
            world.new_records()  # react is far behind
        if scenario in ("never answered", "answered in time"):
            world.run()
            world.now += timedelta(days=2) - timedelta(seconds=3)
            if scenario == "answered in time":
                self.answer()
                world.new_records()
            world.now += timedelta(seconds=3)
            world.cold("wait_for")
            self.step()

    def answer(self) -> None:
        self.world.now += timedelta(seconds=1)
        reported(self.world, meaning="confirm")

    def step(self) -> None:
        """Let the machine take a step, again and again until AWS lets it."""
        function = "send_email" if machine(self.world).state == "ask" else "wait_for"
        for _ in range(9):
            before = (machine(self.world).states[:], machine(self.world).token)
            self.repeating.tried(lambda: machine(self.world).step(self.world.task, self.world.now), function)
            if (machine(self.world).states, machine(self.world).token) != before:
                return
            self.world.now += timedelta(seconds=2)
        pytest.fail("the machine never went on")

    def to_the_end(self) -> None:
        self.world.cold("react")
        self.step()
        if self.scenario == "answered after":
            self.answer()
            self.repeating.react()
        assert not machine(self.world).token, "a wake-up was lost"
        self.world.recorder.before = self.world.recorder.after = None
        self.world.pump()
        self.world.run()


@pytest.mark.parametrize("scenario", sorted({scenario for scenario, _ in CALLS}))
def test_every_call_has_its_cases(world: World, scenario: str) -> None:
    play = Play(world, scenario)
    seen: dict[str, list[str]] = {}

    def watch(call: Call) -> None:
        seen.setdefault(world.running, []).append(call.name)

    world.recorder.before = watch
    play.to_the_end()
    wanted = {function: calls for (named, function), calls in CALLS.items() if named == scenario}
    assert {function: seen[function] for function in wanted} == wanted


@pytest.mark.parametrize(("scenario", "function", "number", "mode"), list(cases()))
def test_a_fault_at_any_call_loses_no_answer_and_takes_none_twice(
    world: World, scenario: str, function: str, number: int, mode: str
) -> None:
    play = Play(world, scenario)
    fault = Fault(world, function, number, mode)
    world.recorder.before, world.recorder.after = fault.before, fault.after
    play.to_the_end()
    assert fault.struck
    assert (subjects(world), path(world)) == OUTCOMES.get(scenario, (["ask", "thanks"], CONFIRMED))
    assert all("ended_by" in wait for wait in waits(world))
    assert world.messages_in("aside") == []
