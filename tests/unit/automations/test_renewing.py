"""Ways that outlast an execution: they go on in the next one, and nobody notices.

What is compared with is the way by the definition alone, which knows nothing of executions.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.automations.strategies import definitions
from tests.unit.automations.test_machines import ARNS
from tests.unit.automations.walking import Walk, Walker

from tidings.automations.components import Awaits, Wait
from tidings.automations.definition.model import Definition
from tidings.automations.definition.names import TIMEOUT
from tidings.automations.enrolments.model import Enrolment, EnrolmentState
from tidings.automations.lifecycle.renewing import next_run, rested
from tidings.automations.machines.compile import DUE, ROUTE
from tidings.automations.machines.compile import compile as compile_machine
from tidings.automations.machines.following import BEGIN, REST, Run
from tidings.automations.machines.graph import Moment, follow, links, remaining
from tidings.automations.machines.lasting import AWAITS_AT_MOST, MOST_STEPS, RUN_AT_MOST, most_steps, renews
from tidings.core.clock import to_text

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
SECOND, DAY, YEAR = timedelta(seconds=1), timedelta(days=1), timedelta(days=365)
HISTORY = 25_000  # events that an execution keeps
MAIL = {"type": "send_email", "template": "t"}


def automation(**components: dict[str, Any]) -> Definition:
    written = {"automation": "a", "trigger": {"event": "E"}, "start": next(iter(components)), "components": components}
    return Definition.model_validate(written)


def walked(definition: Definition, turns: list[str], most: int = 60, **moment: Any) -> Walk:
    """A way through the machine on which components turn out so, the last of them again and again."""
    left = list(turns)
    walker = Walker(
        definition,
        compile_machine(definition, 1, ARNS),
        Moment(NOW, **moment),
        lambda outcomes: left.pop(0) if len(left) > 1 else left[0],
    )
    return walker.go(most)


def by_definition(definition: Definition, moment: Moment, acted: list[tuple[str, str, datetime]]) -> list[Any]:
    """Who acts when with these outcomes, if executions lasted for ever."""
    now, here, done = moment.now, definition.start, []
    for _, outcome, _ in acted:
        following = follow(definition, here, replace(moment, now=now))
        while isinstance(definition.components.get(here), Wait):
            now = following.until[here]
            here = links(definition.components[here])["waited"]
        component = definition.components[here]
        if isinstance(component, Awaits):
            end = following.until[here]
            now = end if outcome == TIMEOUT else now + (end - now) / 2
        done.append((here, outcome, now))
        here = links(component)[outcome]
    return done


def require_short(definition: Definition, walk: Walk) -> None:
    """No execution comes near a quota: neither its time nor its history."""
    waits = {name for name, component in definition.components.items() if isinstance(component, Wait)}
    for run, (began, ended, steps) in enumerate(walk.runs):
        assert ended - began <= AWAITS_AT_MOST < YEAR
        assert steps <= most_steps(definition) + 1 <= MOST_STEPS + 1
        states = [one.state for one in walk.entered if one.run == run]
        # A Wait or a Choice is entered and left; a Task is scheduled, started and over as well, and may be put off.
        plain = sum(state in waits or state.endswith((ROUTE, DUE)) or state in (BEGIN, REST) for state in states)
        assert 2 * plain + 6 * (len(states) - plain) <= HISTORY


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(definitions(), st.data())
def test_nobody_acts_early_or_late_however_many_executions_it_takes(
    definition: Definition, data: st.DataObject
) -> None:
    moment = Moment(NOW, traits={"ZzEnds": "2029-07-01"}, properties={"ZzStarts": "2031-01-01T08:00:00Z"})
    asl = compile_machine(definition, 1, ARNS)
    walk = Walker(definition, asl, moment, lambda outcomes: data.draw(st.sampled_from(outcomes))).go(most=80)
    assert walk.acted == by_definition(definition, moment, walk.acted)
    require_short(definition, walk)
    assert renews(definition) or len(walk.runs) == 1


def test_a_wait_of_years_is_over_to_the_second_and_takes_an_execution_each_300_days() -> None:
    definition = automation(years={"type": "wait", "for": "3650 days", "next": "mail"}, mail=MAIL)
    walk = walked(definition, ["accepted"], most=100)
    assert walk.acted == [("mail", "accepted", NOW + 3650 * DAY)]
    assert walk.ended
    assert [ended - began for began, ended, _ in walk.runs] == [300 * DAY] * 12 + [50 * DAY]
    assert [ask for _, ask in walk.called] == ["renew"] * 12 + [""]
    require_short(definition, walk)


@pytest.mark.parametrize(("outcome", "days"), [("Came back", 500), ("timeout", 1000)])
def test_a_wait_for_an_event_of_years_keeps_its_deadline_and_hears_what_comes(outcome: str, days: int) -> None:
    arms = [{"name": "Came back", "event": "E", "next": "mail"}]
    back = {"type": "wait_for", "arms": arms, "timeout": "1000 days", "on_timeout": "mail"}
    definition = automation(back=back, mail=MAIL)
    walk = walked(definition, [outcome, "accepted"], most=100)
    assert walk.acted == [("back", outcome, NOW + days * DAY), ("mail", "accepted", NOW + days * DAY)]
    assert set(walk.deadlines.values()) == {NOW + 1000 * DAY}
    require_short(definition, walk)


@pytest.mark.parametrize(
    ("every", "rounds"), [("1 second", 4000), ("1 hour", 4000), ("1 week", 600), ("299 days", 20), ("730 days", 8)]
)
def test_a_loop_goes_round_for_thousands_of_rounds_on_time(every: str, rounds: int) -> None:
    definition = automation(
        mail=MAIL | {"next": "pause"},
        pause={"type": "wait", "for": every, "next": "ask"},
        ask={"type": "branch", "arms": [{"name": "done", "when": {"did": "X"}}], "otherwise": "mail"},
    )
    walk = walked(definition, ["accepted", "otherwise"] * rounds + ["accepted", "done"], most=30 * rounds)
    assert walk.ended
    assert len(walk.acted) == 2 * rounds + 2
    assert walk.acted == by_definition(definition, Moment(NOW), walk.acted)
    require_short(definition, walk)


def test_a_loop_through_a_webhook_that_nobody_takes_has_few_steps_in_each_execution() -> None:
    """Each attempt that failed stands in the history too."""
    hook = {"type": "webhook", "url": "https://shop.example/hook", "next": "pause"}
    plain = automation(mail=MAIL | {"next": "pause"}, pause={"type": "wait", "for": "1 hour", "next": "mail"})
    hooked = automation(hook=hook, pause={"type": "wait", "for": "1 hour", "next": "hook"})
    assert most_steps(plain) == MOST_STEPS
    assert most_steps(hooked) * (2 + 3 * 8 + 2 + 4) <= 20_000


def test_many_waits_in_a_row_make_the_steps_of_an_execution_fewer() -> None:
    waits = {f"w{n}": {"type": "wait", "for": "1 minute", "next": f"w{n + 1}"} for n in range(150)}
    definition = automation(
        mail=MAIL | {"next": "w0"}, **waits, w150={"type": "wait", "for": "1 minute", "next": "mail"}
    )
    walk = walked(definition, ["accepted"], most=20_000)
    assert len(walk.runs) > 3
    require_short(definition, walk)


def test_who_rests_goes_on_behind_the_waits_that_are_over() -> None:
    definition = automation(
        first={"type": "wait", "for": "1 day", "next": "second"},
        second={"type": "wait", "for": "400 days", "next": "mail"},
        mail=MAIL,
    )
    until = follow(definition, "first", Moment(NOW, run=Run(NOW))).until
    assert until == {"first": NOW + DAY, "second": NOW + 401 * DAY, REST: NOW + DAY}
    again = remaining(definition, "first", until, NOW + DAY)
    assert again.next == "second"
    assert again.until == {"second": NOW + 401 * DAY, REST: NOW + DAY + RUN_AT_MOST}
    early = remaining(definition, "first", until, NOW + DAY - SECOND)
    assert early.until == {"first": NOW + DAY, "second": NOW + 401 * DAY, REST: NOW + DAY}


def test_a_way_that_ends_does_not_rest_first() -> None:
    definition = automation(mail=MAIL | {"next": "pause"}, pause={"type": "wait", "for": "1 day", "next": "mail"})
    late = Moment(NOW, run=Run(NOW - YEAR, 0), n=5000)
    assert follow(definition, "", late).until == {}
    assert follow(definition, "mail", late).until == {REST: NOW}


def test_who_waits_for_an_event_does_not_rest_while_there_is_time() -> None:
    wait = {"type": "wait_for", "arms": [{"name": "E", "event": "E"}], "timeout": "400 days", "on_timeout": "mail"}
    definition = automation(wait=wait, mail=MAIL)
    for days, rests in [(0, False), (60, False), (61, True)]:
        until = follow(definition, "wait", Moment(NOW, run=Run(NOW - days * DAY))).until
        assert (REST in until) is rests, days
        assert until["wait"] == NOW + 400 * DAY


def enrolment(until: dict[str, datetime], component: str) -> Enrolment:
    written = {name: to_text(end) for name, end in until.items()}
    return Enrolment(
        *("acme", "ada", "a", 1, "e", EnrolmentState.LIVE, NOW, "arn:stateMachine:m", component), until=written, n=7
    )


def test_the_next_run_is_another_execution_from_where_somebody_is() -> None:
    definition = automation(years={"type": "wait", "for": "700 days", "next": "mail"}, mail=MAIL)
    before = enrolment(follow(definition, "years", Moment(NOW, run=Run(NOW))).until, "years")
    again = next_run(definition, before, NOW + RUN_AT_MOST)
    assert (again.runs, again.run, again.n) == (1, Run(NOW + RUN_AT_MOST, 7), 7)
    assert again.execution_name != before.execution_name
    assert '"run":1' in again.input
    assert next_run(definition, before, NOW + RUN_AT_MOST) == again  # a repeat is the same


def test_where_days_are_short_a_rest_is_over_all_the_same() -> None:
    """A local system makes waits shorter and leaves its clock alone; years of rests would never end by that clock."""
    definition = automation(years={"type": "wait", "for": "700 days", "next": "mail"}, mail=MAIL)
    one = enrolment(follow(definition, "years", Moment(NOW, run=Run(NOW))).until, "years")
    for _ in range(2):
        assert REST in one.until
        one = next_run(definition, one, rested(one, NOW + SECOND))
    assert dict(one.until) == {"years": to_text(NOW + 700 * DAY)}
