"""Whose word holds: the rules, as a table and as invariants."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.consent.model import (
    MARKETING,
    AddressRecord,
    Asking,
    By,
    Channel,
    Consent,
    Kind,
    Proof,
    Reply,
    Topic,
)
from tidings.consent.replies import replied
from tidings.consent.rules import accepts, asked, consent_check, deciding, settle, with_reply

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
YES, NO, PENDING = Reply.SUBSCRIBED, Reply.UNSUBSCRIBED, Reply.PENDING
PERSON, OPERATOR, IMPORT = By.PERSON, By.OPERATOR, By.IMPORT


def said(reply: Reply, by: By = PERSON, hour: int = 0, topic: str = "tips", confirmed: bool = False) -> Consent:
    return Consent(topic, reply, Proof(by, "somewhere", NOW + timedelta(hours=hour)), confirmed)


def record(*consents: Consent) -> AddressRecord:
    return AddressRecord("acme", Channel.EMAIL, "key", "a@b.c", consents={one.topic: one for one in consents})


@pytest.mark.parametrize(
    ("stands", "new", "takes_its_place"),
    [
        (None, said(YES, IMPORT), True),
        (said(PENDING), said(NO, IMPORT), True),
        # A person's own no is undone by their own later yes alone.
        (said(NO), said(YES, hour=1), True),
        (said(NO, hour=1), said(YES), False),
        (said(NO), said(YES, OPERATOR, 1), False),
        (said(NO), said(YES, IMPORT, 1), False),
        (said(NO), said(NO, OPERATOR, 1), False),
        (said(YES, OPERATOR, 1), said(NO), True),
        (said(NO, OPERATOR, 1), said(NO), True),
        # The later holds, and of two at once the no.
        (said(YES), said(NO, hour=1), True),
        (said(YES, hour=1), said(NO), False),
        (said(YES), said(NO), True),
        (said(NO), said(YES), False),
        (said(YES, OPERATOR), said(NO, IMPORT, 1), True),
        (said(NO, IMPORT), said(YES, OPERATOR, 1), True),
        (said(NO, IMPORT, 1), said(YES, OPERATOR), False),
        # A person's yes is the better proof, and does not outlast a later no of an operator.
        (said(YES), said(YES, OPERATOR, 1), False),
        (said(YES, OPERATOR, 1), said(YES), True),
        (said(YES), said(NO, OPERATOR, 1), True),
        (said(NO, OPERATOR, 1), said(YES), False),
    ],
)
def test_what_takes_the_place_of_what(stands: Consent | None, new: Consent, takes_its_place: bool) -> None:
    assert settle(stands, new) is takes_its_place


replies = st.builds(said, st.sampled_from([YES, NO]), st.sampled_from([PERSON, OPERATOR, IMPORT]), st.integers(0, 5))
own_replies = st.builds(said, st.sampled_from([YES, NO]), st.just(PERSON), st.integers(0, 5))


def told(*consents: Consent) -> AddressRecord:
    """The record after replies came in this order."""
    known = record()
    for one in consents:
        if accepts(known, one):
            known = record(*with_reply(known, one).values())
    return known


@given(st.lists(own_replies, min_size=1, max_size=4))
def test_the_order_in_which_a_persons_own_replies_come_does_not_matter(own: list[Consent]) -> None:
    assert len({told(*some).consents["tips"].reply for some in permutations(own)}) == 1


@given(st.lists(replies, min_size=1, max_size=5), st.permutations(range(5)))
def test_whose_last_word_was_a_no_is_never_written_to(all_said: list[Consent], order: list[int]) -> None:
    own = [one for one in all_said if one.proof.by is PERSON]
    last = max((one.proof.at for one in own), default=None)
    if any(one.reply is NO and one.proof.at == last for one in own):
        shuffled = [all_said[place] for place in order if place < len(all_said)]
        assert told(*shuffled).consents["tips"].reply is NO


@pytest.mark.parametrize(
    ("replies_in_order", "may_go"),
    [
        # An operator's no at 3 outlasts the person's yes at 2, whenever the person's no at 1 is told, and of what.
        ((said(NO, OPERATOR, 3), said(NO, PERSON, 1), said(YES, PERSON, 2)), False),
        ((said(NO, PERSON, 1), said(NO, OPERATOR, 3), said(YES, PERSON, 2)), False),
        ((said(NO, PERSON, 1), said(YES, PERSON, 2), said(NO, OPERATOR, 3)), False),
        ((said(NO, OPERATOR, 3, "*"), said(NO, PERSON, 1, "*"), said(YES, PERSON, 2)), False),
        ((said(NO, PERSON, 1, "*"), said(NO, OPERATOR, 3, "*"), said(YES, PERSON, 2)), False),
        ((said(NO, OPERATOR, 3), said(NO, PERSON, 1), said(YES, PERSON, 2, "*")), False),
        # And the person's own yes after both outlasts them.
        ((said(NO, OPERATOR, 3), said(NO, PERSON, 1), said(YES, PERSON, 4)), True),
        ((said(NO, PERSON, 1, "*"), said(NO, OPERATOR, 3, "*"), said(YES, PERSON, 4)), True),
    ],
)
def test_an_operators_later_no_is_remembered_beneath_the_persons_own(
    replies_in_order: tuple[Consent, ...], may_go: bool
) -> None:
    assert consent_check(told(*replies_in_order), Kind.MARKETING, "tips", OPT_IN).passed is may_go


@given(st.lists(replies, min_size=1, max_size=5), st.permutations(range(5)))
def test_where_the_last_word_of_all_was_a_no_nothing_goes_whatever_the_order(
    all_said: list[Consent], order: list[int]
) -> None:
    last = max(one.proof.at for one in all_said)
    if any(one.reply is NO and one.proof.at == last for one in all_said):
        shuffled = [all_said[place] for place in order if place < len(all_said)]
        assert not consent_check(told(*shuffled), Kind.MARKETING, "tips", OPT_IN).passed


@given(st.lists(replies, max_size=4), st.integers(0, 9), st.sampled_from(["tips", "*"]))
def test_nobody_else_goes_past_a_persons_no_to_everything(earlier: list[Consent], hour: int, topic: str) -> None:
    known = told(*earlier, said(NO, PERSON, 6, "*"))
    for by in (OPERATOR, IMPORT):
        assert not accepts(known, said(YES, by, hour, topic))


@given(st.lists(replies, max_size=4))
def test_saying_the_same_again_changes_nothing(some: list[Consent]) -> None:
    known = told(*some)
    assert all(not accepts(known, one) for one in known.consents.values())


TIPS = {asking: Topic("tips", "Tips", consent=asking) for asking in Asking}
OPT_IN, DOUBLE, OPT_OUT = TIPS[Asking.OPT_IN], TIPS[Asking.DOUBLE_OPT_IN], TIPS[Asking.OPT_OUT]
EVERYTHING_NO = said(NO, hour=1, topic="*")


@pytest.mark.parametrize(
    ("known", "topic", "passed", "found"),
    [
        ((), None, False, "there is no topic named tips"),
        ((), OPT_OUT, True, "never asked; the topic tips is opt-out"),
        ((), OPT_IN, False, "never asked; the topic tips is opt-in"),
        ((), DOUBLE, False, "never asked; the topic tips is double-opt-in"),
        (
            (said(PENDING),),
            OPT_OUT,
            True,
            "asked at 2026-11-21 09:00:00 UTC and not confirmed; the topic tips is opt-out",
        ),
        ((said(PENDING),), DOUBLE, False, "asked at"),
        ((said(YES),), OPT_IN, True, "subscribed to tips since 2026-11-21 09:00:00 UTC by the person (somewhere)"),
        ((said(YES, IMPORT),), OPT_IN, True, "by an import (somewhere)"),
        ((said(YES),), DOUBLE, False, "but not confirmed by the person"),
        ((said(YES, confirmed=True),), DOUBLE, True, "subscribed to tips"),
        ((said(NO),), OPT_OUT, False, "unsubscribed from tips since"),
        ((said(YES), EVERYTHING_NO), OPT_IN, False, "unsubscribed from all marketing since"),
        ((said(YES, hour=2), EVERYTHING_NO), OPT_IN, True, "subscribed to tips"),
        ((said(YES, IMPORT, 2), EVERYTHING_NO), OPT_IN, False, "unsubscribed from all marketing"),
        ((said(PENDING, hour=2), EVERYTHING_NO), OPT_OUT, False, "unsubscribed from all marketing"),
        ((said(YES, topic="*"),), OPT_IN, True, "subscribed to all marketing"),
        ((said(NO), said(YES, hour=1, topic="*")), OPT_IN, True, "subscribed to all marketing"),
        ((said(NO), said(YES, OPERATOR, 1, "*")), OPT_IN, False, "unsubscribed from tips"),
    ],
)
def test_what_a_marketing_mail_is_answered(
    known: tuple[Consent, ...], topic: Topic | None, passed: bool, found: str
) -> None:
    check = consent_check(record(*known), Kind.MARKETING, "tips", topic)
    assert (check.passed, found in check.found) == (passed, True), check.found
    assert consent_check(record(*known), Kind.TRANSACTIONAL, "tips", topic).passed


def test_marketing_that_names_no_topic_is_opt_out() -> None:
    assert consent_check(record(), Kind.MARKETING, MARKETING.name, MARKETING).passed


def test_asking_leaves_what_was_said_in_force() -> None:
    proof = Proof(PERSON, "form", NOW + timedelta(days=2))
    assert asked(record(), "tips", proof) == Consent("tips", PENDING, proof)
    kept = asked(record(said(NO)), "tips", proof)
    assert kept is not None
    assert (kept.reply, kept.pending) == (NO, proof)
    assert asked(record(said(YES, confirmed=True)), "tips", proof) is None
    assert asked(record(Consent("tips", PENDING, Proof(PERSON, "form", proof.at))), "tips", proof) is None


def test_a_yes_to_the_topic_decides_after_a_no_to_everything() -> None:
    own = said(YES, hour=2)
    assert deciding(record(EVERYTHING_NO, own), "tips") == own


@given(st.lists(replies, max_size=4), st.sampled_from([PERSON, OPERATOR, IMPORT]))
def test_a_no_to_everything_that_comes_last_leaves_nothing_whoever_says_it(earlier: list[Consent], by: By) -> None:
    known = told(said(NO, PERSON, -1, "*"), *earlier)
    for _ in range(2):
        last = said(NO, by, 6, "*")
        if accepts(known, last):
            known = record(*with_reply(known, last).values())
    assert not consent_check(known, Kind.MARKETING, "tips", OPT_OUT).passed


@given(st.lists(st.tuples(st.sampled_from(["tips", "*"]), st.sampled_from([YES, NO])), min_size=1, max_size=6))
def test_a_persons_last_word_counts_however_soon_it_comes_after_others(words: list[tuple[str, Reply]]) -> None:
    known = record()
    for minute, (topic, reply) in enumerate(words):
        one = said(reply, hour=0, topic=topic)
        one = replace(one, proof=replace(one.proof, at=NOW + timedelta(minutes=minute)))
        known, _ = replied(known, [one])
    assert consent_check(known, Kind.MARKETING, "tips", OPT_IN).passed is (words[-1][1] is YES)
