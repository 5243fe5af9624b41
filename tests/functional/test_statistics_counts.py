"""What is counted of automations is what the enrolments and steps say, however the ways went and whatever was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.recorder import Call
from tests.support.world import World

from tidings.automations.components import End, Wait
from tidings.automations.definition.model import Definition, parse_definition
from tidings.automations.enrolments.model import (
    INSIDE,
    UNDER_WAY,
    Enrolment,
    EnrolmentState,
    StepCall,
    StepTaken,
    until_texts,
)
from tidings.automations.machines.graph import Moment, follow, links, state_of
from tidings.automations.statistics.onward import sources
from tidings.automations.statistics.passing import DynamoPassing
from tidings.automations.statistics.rules import by_state, heads_to_ask, numbers, totals
from tidings.automations.statistics.service import StatisticsService
from tidings.automations.statistics.tallies import place_of
from tidings.automations.statistics.tally_store import DynamoTallyStore
from tidings.automations.store import DynamoAutomationStore, DynamoEnrolmentStore
from tidings.core.clock import SystemClock
from tidings.core.errors import TidingsError
from tidings.core.store import ConditionFailed

PEOPLE = 4
MAIL = {
    "automation": "a",
    "trigger": {"event": "E"},
    "start": "x",
    "components": {
        "x": {"type": "send_email", "template": "tips", "next": "y"},
        "y": {"type": "wait", "for": "1 day"},
    },
}


@st.composite
def definitions(draw: Any) -> Definition:
    """An automation of waits, waits for events, branches and mails, each of which leads on to later ones or nowhere.

    Nowhere is the end of the way, or a component `end`.
    """
    names = [f"c{number}" for number in range(draw(st.integers(2, 6)))]
    components: dict[str, Any] = {}
    for number, name in enumerate(names):
        later = st.sampled_from([*names[number + 1 :], "end", None])
        kind = draw(st.sampled_from(["wait", "wait", "branch", "wait_for", "send_email"]))
        if kind == "wait":
            one: dict[str, Any] = {"for": f"{draw(st.integers(1, 3))} days", "next": draw(later)}
        elif kind == "branch":
            arm = {"name": "a", "when": {"trait": "plan", "is": "team"}, "next": draw(later)}
            one = {"arms": [arm], "otherwise": draw(later)}
        elif kind == "wait_for":
            arms = [{"name": "came", "event": "Came", "next": draw(later)}]
            one = {"arms": arms, "timeout": "2 days", "on_timeout": draw(later)}
        else:
            one = {"template": "tips", "next": draw(later)}
        components[name] = {"type": kind, **{key: value for key, value in one.items() if value is not None}}
    components["end"] = {"type": "end"}
    start = draw(st.sampled_from(names))
    return parse_definition({"automation": "a", "trigger": {"event": "E"}, "start": start, "components": components})


OPS = st.lists(
    st.tuples(
        st.sampled_from(["step"] * 8 + ["wait"] * 3 + ["begin", "late", "fail", "exit", "expel", "again", "park"]),
        st.integers(0, PEOPLE - 1),
        st.integers(0, 5),
        st.booleans(),
    ),
    min_size=15,
    max_size=40,
)


class Run:
    """People on their ways through one automation, by the stores alone."""

    def __init__(self, world: World, definition: Definition, name: str) -> None:
        self.world, self.definition, self.name = world, definition, name
        self.store = DynamoEnrolmentStore(world.database)
        self.entries: dict[int, int] = {}
        self.taken: list[StepTaken] = []

    def enrolment(self, person: int) -> Enrolment | None:
        entry = f"e{self.entries.get(person, 0)}"
        return self.store.get("acme", f"p{person}", self.name, entry)

    def all(self) -> list[Enrolment]:
        found = [one for n in range(PEOPLE) for one in self.store.of_contact("acme", [f"p{n}"])]
        return [one for one in found if one.automation == self.name]

    def begin(self, person: int, choice: int) -> Callable[[], object]:
        self.entries[person] = self.entries.get(person, 0) + 1
        following = follow(self.definition, self.definition.start, Moment(self.world.now))
        new = Enrolment(
            workspace="acme",
            contact=f"p{person}",
            automation=self.name,
            version=1,
            entry=f"e{self.entries[person]}",
            state=EnrolmentState.LIVE,
            started_at=self.world.now,
            machine="m",
            component=following.next,
            until=until_texts(following),
        )
        return lambda: self.store.add(new, {"a": 1} if choice % 2 else {})

    def step(self, person: int, choice: int, late: bool = False) -> Callable[[], object] | None:
        """The step of whoever is at a component that acts: by an outcome that is drawn, or the end of its time."""
        one = self.enrolment(person)
        at = self.acts_at(one) if one else ""
        if one is None or not at or (one.state is not EnrolmentState.LIVE) is not late or (late and one.ended is None):
            return None
        ways = list(links(self.definition.components[at]).items())
        outcome, target = ways[choice % len(ways)]
        following = follow(self.definition, target, Moment(self.world.now))
        why = {"check": "consent"} if outcome == "skipped" else {}
        step = StepTaken(one.n + 1, at, outcome, following.next, until_texts(following), self.world.now, why)
        call = StepCall("acme", one.contact, self.name, 1, one.entry, one.n, at)
        if late:
            return lambda: self.world.database.transact(self.store.record_late(call, step, one))
        return lambda: self.world.database.transact(self.store.record(call, step))

    def acts_at(self, one: Enrolment) -> str:
        """The component that acts next for somebody, whose waits before it are over."""
        place = place_of(one.component, one.until, self.world.now)
        here = self.here(one)
        component = self.definition.components.get(here)
        early = component is not None and component.acts and not isinstance(component, Wait)
        return here if early and (place.is_past or place.component == here) else ""

    def here(self, one: Enrolment) -> str:
        """Where somebody is now."""
        place = place_of(one.component, one.until, self.world.now)
        component = self.definition.components.get(place.component)
        if place.is_past and isinstance(component, Wait):
            return state_of(self.definition, component.next or "")
        return place.component

    def end(self, person: int, state: EnrolmentState, exit_name: str = "") -> Callable[[], object] | None:
        one = self.enrolment(person)
        left = {"exit": exit_name} if exit_name else None
        return None if one is None else lambda: self.store.finish(one, state, self.world.now, left=left)

    def expel(self, person: int) -> Callable[[], object] | None:
        one = self.enrolment(person)
        return None if one is None else lambda: self.store.expel(one, self.world.now, "erased")

    def again(self, person: int) -> Callable[[], object] | None:
        one = self.enrolment(person)
        if one is None or one.state not in (EnrolmentState.FAILED, EnrolmentState.PARKED):
            return None
        return lambda: self.store.run_again(one, replace(one, state=EnrolmentState.LIVE, runs=one.runs + 1))

    def park(self, person: int) -> Callable[[], object] | None:
        one = self.enrolment(person)
        at = self.acts_at(one) if one else ""
        if one is None or not at:
            return None
        call = StepCall("acme", one.contact, self.name, 1, one.entry, one.n, at)
        return lambda: self.store.park(call, self.world.now)

    def do(self, op: str, person: int, choice: int) -> Callable[[], object] | None:
        self.world.now += timedelta(minutes=1)
        if op == "wait":
            self.world.now += timedelta(hours=30) * (choice + 1)
            return None
        return {
            "begin": lambda: self.begin(person, choice),
            "step": lambda: self.step(person, choice),
            "late": lambda: self.step(person, choice, late=True),
            "fail": lambda: self.end(person, EnrolmentState.FAILED),
            "exit": lambda: self.end(person, EnrolmentState.EXITED, f"exit {choice}"),
            "expel": lambda: self.expel(person),
            "again": lambda: self.again(person),
            "park": lambda: self.park(person),
        }[op]()


def attempted(world: World, do: Callable[[], object], is_lost: bool) -> None:
    """Do something twice, as who repeats it does; with the first answer lost if it is to be."""
    struck: list[str] = []

    def after(call: Call) -> None:
        if call.operation == "TransactWriteItems" and not struck:
            struck.append(call.name)
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

    world.recorder.after = after if is_lost else None
    for _ in range(2):
        with suppress(TidingsError):
            do()
        world.recorder.after = None


def came_by(run: Run, component: str) -> list[str]:
    """Who is listed to have passed a wait, or to have come to an end, two by two."""
    listing, found = DynamoPassing(run.world.database, run.store), list[str]()
    is_end = isinstance(run.definition.components[component], End)
    for source in sources(run.definition, component):
        after, is_first = "", True
        while after or is_first:
            came, after = listing.page(("acme", run.name), source, {1: run.definition}, 2, after)
            is_first = False
            for one in came:
                told = (one.ended if is_end else one.passed)(component, run.definition, run.world.now)
                found += [] if told is None else [one.enrolment.contact]
    return found


def require_right(run: Run) -> None:
    """The counts say what a recount of enrolments and steps says."""
    world = run.world
    rows = DynamoTallyStore(world.database).rows("acme", run.name, None).get(1, {})
    service = StatisticsService(world.database, DynamoAutomationStore(world.database), SystemClock())
    heads = heads_to_ask(run.definition, rows)
    standing = {head: service.stands("acme", run.name, head, [1])[0][1] for head in heads}
    found = numbers(run.definition, rows, standing)
    ways = run.all()
    steps = [step for one in ways for step in run.store.steps_of(one)]
    here = Counter(run.here(one) for one in ways if one.state in UNDER_WAY)
    for name, one in found.items():
        told = one.as_dict()
        assert told["entered"] == told["acted"] + told["skipped"] + told["left"] + told["waiting"], (name, told)
        assert told["waiting"] == here[name], (name, told, here)
        assert one.outcomes == Counter(step.outcome for step in steps if step.component == name)
        assert min(told["entered"], told["acted"], told["left"]) >= 0
        if isinstance(run.definition.components[name], Wait | End):
            assert len(came_by(run, name)) == told["acted"], (name, told, came_by(run, name))
    states = Counter(one.state for one in ways)
    told = totals(rows)
    assert told["started"] == len(ways)
    assert told["inside"] == sum(states[state] for state in UNDER_WAY)
    assert told["finished"] == states[EnrolmentState.COMPLETED]
    assert told["failed"] == states[EnrolmentState.FAILED]
    assert by_state(rows) == {state: states[state] for state in INSIDE}
    exits = Counter(str(one.left["exit"]) for one in ways if one.state is EnrolmentState.EXITED)
    assert Counter(told["exits"]) == exits
    skipped = Counter(step.component for step in steps if step.outcome == "skipped")
    assert all(found[name].reasons["skipped"] == Counter({"consent": n}) for name, n in skipped.items())


runs = iter(range(1_000_000))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(definition=definitions(), ops=OPS)
def test_counts_are_what_enrolments_and_steps_say(world: World, definition: Definition, ops: list[Any]) -> None:
    run = Run(world, definition, f"a{next(runs)}")
    for op, person, choice, is_lost in [*(("begin", person, 0, False) for person in range(PEOPLE)), *ops]:
        do = run.do(op, person, choice)
        if do is not None:
            attempted(world, do, is_lost)
    require_right(run)


def test_nothing_is_counted_of_what_is_refused(world: World) -> None:
    run = Run(world, parse_definition(MAIL), "a")
    attempted(world, run.begin(0, 0), is_lost=False)
    step = run.step(0, 0)
    assert step is not None
    attempted(world, step, is_lost=False)
    with pytest.raises(ConditionFailed):
        step()
    require_right(run)


def test_who_left_while_their_mail_went_leaves_from_where_it_led(world: World) -> None:
    run = Run(world, parse_definition(MAIL), "a")
    for op in ("begin", "exit", "late"):
        do = run.do(op, 0, 0)
        assert do is not None
        attempted(world, do, is_lost=op == "late")
    require_right(run)
    rows = DynamoTallyStore(world.database).rows("acme", "a", 1)[1]
    assert rows["y"] == {"left\texited\texit 0": 1}


def test_who_reads_enrolments_without_counts_changes_none(world: World) -> None:
    run = Run(world, parse_definition(MAIL), "a")
    attempted(world, run.begin(0, 0), is_lost=False)
    [enrolment] = run.all()
    with pytest.raises(TypeError):
        DynamoEnrolmentStore(world.database, counts=False).finish(enrolment, EnrolmentState.EXITED, world.now)
    assert run.all() == [enrolment]
