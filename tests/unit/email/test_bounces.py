"""The bounce policy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.consent.model import Reason
from tidings.email.bounces import Bounce, bounce_of, counts, suppresses
from tidings.email.model import Feedback
from tidings.messages.bouncing import in_a_row, source_of

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)


def bounce(kind: str, sub: str, diagnosis: str = "") -> Feedback:
    recipients = [{"emailAddress": "ada@people.example", "diagnosticCode": diagnosis}]
    details = {"bounceType": kind, "bounceSubType": sub, "bouncedRecipients": recipients}
    return Feedback("acme", "c1-m1", "Bounce", AT, AT, "ses-1", ("ada@people.example",), details)


def complaint(**details: Any) -> Feedback:
    return Feedback("acme", "c1-m1", "Complaint", AT, AT, "ses-1", ("ada@people.example",), details)


@pytest.mark.parametrize(
    ("kind", "sub", "diagnosis", "counted_as", "suppressed", "one_of_five"),
    [
        ("Permanent", "General", "", Bounce.HARD, True, False),
        ("Permanent", "NoEmail", "smtp; 550 5.1.1", Bounce.HARD, True, False),
        ("Permanent", "Suppressed", "", Bounce.HARD, True, False),
        ("Permanent", "OnAccountSuppressionList", "", Bounce.HARD, True, False),
        ("Permanent", "General", "smtp; 550 5.7.1 taken for spam", Bounce.SPAM, True, False),
        ("Permanent", "General", "smtp; 550 5.7.1 relaying denied", Bounce.HARD, True, False),
        ("Transient", "General", "", Bounce.SOFT, False, True),
        ("Transient", "General", "smtp; 451 4.7.1 Listed by Spamhaus", Bounce.SPAM, False, False),
        ("Transient", "MailboxFull", "", Bounce.SOFT, False, True),
        ("Transient", "MessageTooLarge", "", Bounce.SOFT, False, False),
        ("Transient", "ContentRejected", "", Bounce.SPAM, False, False),
        ("Transient", "AttachmentRejected", "", Bounce.SPAM, False, False),
        ("Undetermined", "Undetermined", "", Bounce.SOFT, False, True),
    ],
)
def test_each_kind_of_bounce(
    kind: str, sub: str, diagnosis: str, counted_as: Bounce, suppressed: bool, one_of_five: bool
) -> None:
    told = bounce(kind, sub, diagnosis)
    assert bounce_of(told) is counted_as
    assert suppresses(told) is (Reason.BOUNCE if suppressed else None)
    assert counts(told) is one_of_five


@pytest.mark.parametrize(
    ("details", "suppressed"),
    [
        ({"complaintFeedbackType": "abuse"}, True),
        ({"complaintFeedbackType": "fraud"}, True),
        ({"complaintFeedbackType": None}, True),
        ({"complaintSubType": "OnAccountSuppressionList"}, True),
        ({}, True),
        ({"complaintFeedbackType": "not-spam"}, False),
    ],
)
def test_a_complaint_suppresses_unless_it_is_none(details: dict[str, Any], suppressed: bool) -> None:
    assert suppresses(complaint(**details)) is (Reason.COMPLAINT if suppressed else None)
    assert not counts(complaint(**details))


@pytest.mark.parametrize("broken", [None, "text", [7], [{}]])
def test_a_list_of_recipients_that_is_none_says_nothing_of_spam(broken: Any) -> None:
    told = bounce("Transient", "General")
    assert (
        bounce_of(Feedback(**{**_fields(told), "details": {**told.details, "bouncedRecipients": broken}}))
        is Bounce.SOFT
    )


def _fields(told: Feedback) -> dict[str, Any]:
    return {name: getattr(told, name) for name in Feedback.__slots__}


def minutes(*numbers: int) -> list[datetime]:
    return [AT + timedelta(minutes=number) for number in numbers]


def test_bounces_before_the_last_delivery_are_no_part_of_the_row() -> None:
    bounces = dict(zip("abcde", minutes(1, 2, 3, 4, 5), strict=True))
    assert list(in_a_row(bounces, [])) == list("abcde")
    assert list(in_a_row(bounces, minutes(3))) == ["d", "e"]
    assert list(in_a_row(bounces, minutes(0))) == list("abcde")
    assert in_a_row(bounces, minutes(2, 9)) == {}


def test_the_source_names_the_messages() -> None:
    assert source_of(["c1-a", "c1-b"]) == "5 soft bounces in a row: c1-a c1-b"


TIMES = st.integers(0, 50).map(lambda number: AT + timedelta(minutes=number))


@given(st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), TIMES, max_size=9), st.lists(TIMES, max_size=4))
def test_the_row_has_no_delivery_between_and_misses_no_bounce(
    bounces: dict[str, datetime], deliveries: list[datetime]
) -> None:
    row = in_a_row(bounces, deliveries)
    first = min(row.values(), default=None)
    assert first is None or not any(delivery >= first for delivery in deliveries)
    left = {message for message in bounces if message not in row}
    assert all(any(delivery >= bounces[message] for delivery in deliveries) for message in left)
    assert list(row.values()) == sorted(row.values())
