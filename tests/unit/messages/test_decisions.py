"""A message as it stood: of every instant the last decision and state until then, and nothing of later."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.consent.model import Check, Kind
from tidings.core.clock import to_text
from tidings.messages.decisions import as_of, reason, sentence
from tidings.messages.model import Decision, Message, State
from tidings.messages.progress import News, progress

T0 = datetime(2026, 11, 21, 9, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def decided(minutes: float, passed: bool = True, template: int = 1) -> dict[str, Any]:
    checks = (Check("address", True, "there is one"), Check("consent", passed, "they said no" if not passed else "ok"))
    decision = Decision(checks, at(minutes), {"template": template}).as_dict()
    return {**decision, "at": to_text(decision["at"])}


def message(state: State = State.ACCEPTED, **more: Any) -> Message:
    known = {
        "history": {"claimed": to_text(at(0)), "accepted": to_text(at(1))},
        "decision": decided(0),
        "claimed_at": at(0),
        **more,
    }
    return Message("acme", "c1", "c1-m", "email", state, Kind.MARKETING, "tips", 1, "ada@people.example", **known)


MILESTONES = {
    "delivered": (State.DELIVERED, ""),
    "delayed": (State.DELAYED, ""),
    "hard_bounced": (State.BOUNCED, "Permanent/NoEmail"),
    "soft_bounced": (State.BOUNCED, "Transient/MailboxFull"),
    "spam_bounced": (State.BOUNCED, "Permanent/Spam"),
    "rejected": (State.REJECTED, "Bad content"),
    "complained": (State.COMPLAINED, ""),
    "opened": (None, ""),
    "machine_clicked": (None, ""),
}
told = st.lists(st.tuples(st.integers(1, 30), st.sampled_from(sorted(MILESTONES))), max_size=8)


def moved(start: Message, news: list[tuple[int, str]]) -> Message:
    """A message after all that a provider told of it, in this order."""
    now = start
    for minutes, milestone in news:
        state, error = MILESTONES[milestone]
        change = progress(now, News(at(minutes), at(1), milestone, state, error))
        known: dict[str, Any] = {"history": {**now.history, **change.history}}
        if change.state is not None:
            known |= {"state": change.state, "error": change.error}
        now = replace(now, **known)
    return now


@given(told)
def test_at_last_a_message_stands_as_it_stands(news: list[tuple[int, str]]) -> None:
    known = moved(message(), news)
    seen = as_of(known, at(60))
    assert seen is not None
    assert (seen.state, seen.decision, seen.history) == (known.state, known.decision, known.history)


@given(told, st.integers(0, 31), st.integers(0, 31))
def test_what_is_known_only_ever_grows(news: list[tuple[int, str]], one: int, other: int) -> None:
    known = moved(message(), news)
    earlier, later = (as_of(known, at(minutes)) for minutes in sorted((one, other)))
    assert earlier is not None
    assert later is not None
    assert earlier.history.items() <= later.history.items()
    assert all(instant <= to_text(at(max(one, other))) for instant in later.history.values())


@given(st.lists(st.integers(0, 20), min_size=1, max_size=6, unique=True).map(sorted), st.integers(-1, 25))
def test_the_decision_shown_is_the_last_until_then(minutes: list[int], asked: int) -> None:
    decisions = [decided(one) for one in minutes]
    history = {"claimed": to_text(at(minutes[-1]))}
    known = message(State.CLAIMED, decision=decisions[-1], earlier=tuple(decisions[:-1]), history=history)
    seen = as_of(known, at(asked))
    until = [one for one in decisions if one["at"] <= to_text(at(asked))]
    assert (seen is None) == (not until)
    if seen is not None:
        assert [*seen.earlier, seen.decision] == until


def test_an_attempt_that_another_followed_shows_neither_its_address_nor_its_subject() -> None:
    history = {"claimed": to_text(at(5)), "released": to_text(at(1)), "accepted": to_text(at(6))}
    known = message(earlier=(decided(0, template=3),), decision=decided(5), history=history, subject="Tips")
    seen = as_of(known, at(2))
    assert seen is not None
    assert (seen.state, seen.address, seen.subject, seen.template_version) == (State.RELEASED, "", "", 3)
    now = as_of(known, at(7))
    assert now is not None
    assert (now.state, now.address, now.subject) == (State.ACCEPTED, "ada@people.example", "Tips")


@pytest.mark.parametrize(
    ("minutes", "state"),
    [(0, State.CLAIMED), (4, State.UNKNOWN), (5, State.CLAIMED), (6, State.ACCEPTED)],
)
def test_a_message_that_was_given_up_and_sent_again_is_told_in_its_order(minutes: int, state: State) -> None:
    history = {"claimed": to_text(at(5)), "unknown": to_text(at(4)), "accepted": to_text(at(6))}
    seen = as_of(message(earlier=(decided(0),), decision=decided(5), history=history), at(minutes))
    assert seen is not None
    assert seen.state is state


def test_what_a_later_state_tells_is_not_told_before() -> None:
    history = {"claimed": to_text(at(0)), "accepted": to_text(at(1)), "hard_bounced": to_text(at(2))}
    known = message(State.BOUNCED, history=history, error="Permanent/NoEmail", provider_id="ses-1")
    seen = as_of(known, at(1))
    assert seen is not None
    assert (seen.error, seen.provider_id) == ("", "ses-1")
    first = as_of(known, at(0))
    assert first is not None
    assert first.provider_id == ""


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_sentence(state: State) -> None:
    told = sentence(message(state, decision=decided(0, passed=state is not State.SKIPPED)))
    assert told.endswith(".")
    assert told[0].isupper()


def test_a_mail_that_was_not_sent_says_what_the_check_found() -> None:
    known = message(State.SKIPPED, decision=decided(0, passed=False))
    assert (sentence(known), reason(known)) == ("Not sent: they said no.", "they said no")


def test_of_an_erased_person_no_reason_is_left() -> None:
    assert "erased" in reason(message(State.SKIPPED, decision={}, history={"skipped": to_text(at(0))}))


def test_a_message_counts_on_the_day_of_its_first_decision_whatever_was_tried_since() -> None:
    known = message(earlier=(decided(0),), decision=decided(5), history={"claimed": to_text(at(5))})
    assert known.decided_at == to_text(at(0))
