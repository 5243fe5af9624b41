"""Somebody's way with regard to a mail, told from the steps that were kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.automations.definition.model import parse_definition
from tidings.automations.enrolments.model import Enrolment, EnrolmentState, StepTaken
from tidings.automations.telling.explaining import Standing, Way, explain_way, senders
from tidings.core.clock import to_text

T0 = datetime(2026, 11, 21, 9, tzinfo=UTC)
TOUR = parse_definition(
    {
        "automation": "tour",
        "trigger": {"event": "Signed Up"},
        "start": "pause",
        "components": {
            "pause": {"type": "wait", "for": "1 hour", "next": "rest"},
            "rest": {"type": "wait", "for": "1 hour", "next": "who"},
            "who": {
                "type": "branch",
                "arms": [{"name": "Team", "when": {"trait": "plan", "is": "team"}, "next": "later"}],
                "otherwise": "bye",
            },
            "later": {"type": "wait", "for": "1 hour", "next": "tips"},
            "tips": {"type": "send_email", "template": "tips", "next": "bye"},
            "bye": {"type": "send_email", "template": "bye"},
        },
    }
)
WAITS = {"pause": to_text(T0 + timedelta(hours=1)), "rest": to_text(T0 + timedelta(hours=2))}


def hours(number: float) -> datetime:
    return T0 + timedelta(hours=number)


def enrolment(**more: Any) -> Enrolment:
    known = {"state": EnrolmentState.LIVE, "component": "pause", "until": WAITS, "updated_at": None, **more}
    return Enrolment("acme", "c1", "tour", 1, "once", started_at=T0, machine="m", **known)


def step(n: int, component: str, outcome: str, following: str, at: float) -> StepTaken:
    until = {"later": to_text(hours(at + 1))} if following == "later" else {}
    return StepTaken(n, component, outcome, following, until, hours(at))


def way(one: Enrolment, steps: list[StepTaken], at: float, template: str = "tips") -> Way:
    return explain_way(one, steps, TOUR, template, hours(at))


def test_waits_that_are_over_are_passed() -> None:
    assert (way(enrolment(), [], 0.5).component, way(enrolment(), [], 1.5).component) == ("pause", "rest")
    found = way(enrolment(), [], 2.5)
    assert (found.standing, found.component, found.until) == (Standing.WAITING, "who", "")


def test_a_branch_that_led_elsewhere_is_where_they_turned() -> None:
    found = way(enrolment(), [step(1, "who", "otherwise", "bye", 2), step(2, "bye", "accepted", "", 2)], 3)
    assert (found.standing, found.component) == (Standing.TURNED, "who")
    assert found.sentence.endswith('"otherwise"; to the template tips leads "Team".')
    assert way(enrolment(), [step(1, "who", "otherwise", "bye", 2)], 3, "bye").standing is Standing.WAITING


def test_what_was_done_later_is_not_known_before() -> None:
    one = enrolment(state=EnrolmentState.COMPLETED, component="", updated_at=hours(3))
    steps = [step(1, "who", "Team", "later", 2), step(2, "tips", "accepted", "bye", 3), step(3, "bye", "x", "", 3)]
    assert (way(one, steps, 2.5).component, way(one, steps, 2.5).until) == ("later", to_text(hours(3)))
    assert way(one, steps, 1).component == "pause"
    assert way(one, steps, 3).standing is Standing.PASSED


def test_a_way_that_ended_before_is_told_with_its_error() -> None:
    found = way(enrolment(state=EnrolmentState.FAILED, error="Lost", updated_at=hours(1)), [], 2)
    assert (found.standing, "failed" in found.sentence, "(Lost)" in found.sentence) == (Standing.ENDED, True, True)
    assert way(enrolment(state=EnrolmentState.FAILED, updated_at=hours(3)), [], 1).standing is Standing.WAITING


def test_who_rests_while_the_automation_is_paused_is_told_so() -> None:
    one = enrolment(state=EnrolmentState.PARKED, component="tips", until={}, updated_at=hours(3))
    found = way(one, [step(1, "who", "Team", "later", 2)], 4)
    assert (found.standing, found.component) == (Standing.WAITING, "tips")
    assert found.sentence.endswith('at the component "tips", where they go on once tour is not paused any more: '
                                   "the template tips may follow.")  # fmt: skip
    assert "paused" not in way(one, [], 1).sentence


@pytest.mark.parametrize("state", EnrolmentState)
def test_a_way_in_whatever_state_is_told(state: EnrolmentState) -> None:
    going = state in (EnrolmentState.LIVE, EnrolmentState.PARKED)
    steps = [step(1, "who", "otherwise", "", 2)] if state is EnrolmentState.COMPLETED else []
    found = way(enrolment(state=state, updated_at=hours(1)), steps, 2)
    over = Standing.TURNED if state is EnrolmentState.COMPLETED else Standing.ENDED
    assert found.standing is (Standing.WAITING if going else over)


def test_a_template_that_the_version_does_not_send_is_told() -> None:
    assert way(enrolment(), [], 1, "other").standing is Standing.NOT_IN_VERSION
    assert senders(TOUR, "") == {"tips", "bye"}


@given(st.floats(0, 10), st.floats(0, 10))
def test_the_steps_shown_only_ever_grow(one: float, other: float) -> None:
    steps = [step(1, "who", "Team", "later", 2), step(2, "tips", "accepted", "bye", 3), step(3, "bye", "x", "", 4)]
    known = enrolment(updated_at=hours(4))
    before, after = (way(known, steps, at).steps for at in sorted((one, other)))
    assert list(after[: len(before)]) == list(before)


ASKED = parse_definition(
    {
        "automation": "tour",
        "trigger": {"event": "Signed Up"},
        "start": "answer",
        "components": {
            "answer": {
                "type": "wait_for",
                "arms": [
                    {"name": "Yes", "event": "SMS Received", "next": "tips"},
                    {"name": "No", "event": "Cancelled"},
                ],
                "timeout": "1 hour",
            },
            "tips": {"type": "send_email", "template": "tips"},
        },
    }
)


def test_who_waits_for_an_event_is_told_with_what_they_wait_for_and_until_when() -> None:
    one = enrolment(component="answer", until={"answer": to_text(hours(1))})
    found = explain_way(one, [], ASKED, "tips", hours(0.5))
    assert (found.standing, found.component, found.until) == (Standing.WAITING, "answer", to_text(hours(1)))
    assert "where they wait for Cancelled or SMS Received until 2026-11-21 10:00:00 UTC" in found.sentence


def test_who_waited_in_vain_went_another_way_there() -> None:
    found = explain_way(enrolment(), [step(1, "answer", "timeout", "", 1)], ASKED, "tips", hours(2))
    assert (found.standing, found.component) == (Standing.TURNED, "answer")
    assert found.sentence.endswith('"timeout"; to the template tips leads "Yes".')
