"""The states of a message: which may follow which, and what they mean to an automation."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from tidings.consent.model import Check, Kind
from tidings.messages.model import CHECKS, Decision, Message, State
from tidings.messages.progress import News, progress
from tidings.messages.rules import MOVES, RANK, outcome_of

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def test_every_state_has_a_rank() -> None:
    assert set(RANK) == set(State)


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (State.CLAIMED, ""),
        (State.RELEASED, ""),
        (State.UNKNOWN, "unknown"),
        (State.ACCEPTED, "accepted"),
        (State.DELAYED, "accepted"),
        (State.DELIVERED, "accepted"),
        (State.BOUNCED, "accepted"),
        (State.REJECTED, "accepted"),
        (State.COMPLAINED, "accepted"),
        (State.REFUSED, "refused"),
        (State.SKIPPED, "skipped"),
    ],
)
def test_each_state_has_an_outcome(state: State, outcome: str) -> None:
    assert outcome_of(state) == outcome


def test_what_a_mail_goes_through_only_ever_moves_up() -> None:
    way = [State.CLAIMED, State.UNKNOWN, State.ACCEPTED, State.DELAYED, State.DELIVERED, State.BOUNCED]
    assert all(RANK[before] < RANK[after] for before, after in itertools.pairwise(way))
    assert all(RANK[State.COMPLAINED] > RANK[state] for state in way)


def test_no_event_moves_what_was_never_sent() -> None:
    reported = {State.ACCEPTED, State.DELAYED, State.DELIVERED, State.BOUNCED, State.REJECTED, State.COMPLAINED}
    for state in (State.REFUSED, State.SKIPPED):
        assert all(RANK[state] > RANK[one] for one in reported)


def test_a_decision_names_the_check_that_said_no() -> None:
    passed, refused = Check("address", True, "there"), Check("suppression", False, "bounce")
    yes, no = Decision((passed,), NOW), Decision((passed, refused), NOW)
    assert (yes.sent, yes.decided_by) == (True, "")
    assert (no.sent, no.decided_by) == (False, "suppression")
    assert no.as_dict()["checks"][:2] == [
        {"check": "address", "passed": True, "found": "there"},
        {"check": "suppression", "passed": False, "found": "bounce"},
    ]
    assert [check["check"] for check in no.as_dict()["checks"]] == list(CHECKS)
    assert {check["passed"] for check in no.as_dict()["checks"][2:]} == {None}


SENDERS = {State.CLAIMED, State.SKIPPED, State.RELEASED, State.REFUSED, State.UNKNOWN}
ERRORS = {
    State.BOUNCED: ("Permanent/General", "Transient/General"),
    State.UNDELIVERED: ("TEXT_UNREACHABLE", "TEXT_UNKNOWN", "RCS_FAILED"),
}


def message(state: State, error: str = "") -> Message:
    return Message("acme", "c1", "c1-m1", "email", state, Kind.MARKETING, "tips", 1, "a@b.example", error=error)


def test_what_is_reported_moves_a_message_as_the_table_of_moves_says_and_no_other_way() -> None:
    moved: dict[State, set[State]] = {state: set() for state in State}
    for before, after in itertools.product(State, set(State) - SENDERS):
        for error, new in itertools.product(ERRORS.get(before, ("",)), ERRORS.get(after, ("",))):
            told = News(NOW, NOW, milestone="sent", state=after, error=new)
            found = progress(message(before, error), told).state
            if found is not None and found is not before:
                moved[found].add(before)
    # A mail bounces and a text is not delivered: none does both.
    for state, other in ((State.BOUNCED, State.UNDELIVERED), (State.UNDELIVERED, State.BOUNCED)):
        moved[state].discard(other)
    for state in (State.REJECTED, State.COMPLAINED):
        moved[state].discard(State.UNDELIVERED)
    assert {state: found for state, found in moved.items() if found} == {
        state: MOVES[state] for state in set(State) - SENDERS
    }


def test_a_state_that_is_final_for_whoever_ordered_the_mail_leads_to_no_claim_but_that_of_an_unknown_one() -> None:
    assert {before for before in MOVES[State.CLAIMED] if before and outcome_of(before)} == {State.UNKNOWN}
    assert all(before is None or not outcome_of(before) for before in MOVES[State.SKIPPED])
