"""What a click on a short link tells of its message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tidings.consent.model import Kind
from tidings.core.ids import message_id
from tidings.messages.machines import THRESHOLD, Verdict
from tidings.messages.model import Message, State
from tidings.sms.clicks import Click, news_of, read_click

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
CONTACT = "c" + "a" * 26
MESSAGE = message_id(CONTACT, "welcome")
CLICK = Click("r-1", "acme", MESSAGE, "https://shop.example", AT, "203.0.113.9", "Mozilla/5.0 (iPhone)")


def claimed(at: datetime | None) -> Message:
    return Message("acme", CONTACT, MESSAGE, "sms", State.CLAIMED, Kind.MARKETING, "", 0, "+48600100200", claimed_at=at)


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        (claimed(AT - timedelta(minutes=3)), AT - timedelta(minutes=3)),
        (claimed(AT + timedelta(minutes=3)), AT),  # it was tried again after what somebody followed the link of
        (claimed(None), AT),
        (None, AT),
    ],
    ids=["tried before", "tried again since", "nobody knows when", "no message any more"],
)
def test_what_was_followed_was_sent_when_it_was_last_tried_and_never_after_that(
    message: Message | None, sent: datetime
) -> None:
    news = news_of(CLICK, message, None)
    assert (news.mailed_at, news.at) == (sent, AT)


@pytest.mark.parametrize(("score", "kind"), [(THRESHOLD, "machine_"), (THRESHOLD - 1, "")])
def test_what_machines_follow_stands_apart(score: int, kind: str) -> None:
    news = news_of(CLICK, claimed(AT), Verdict(score))
    assert (news.milestone, news.total, news.state) == (f"{kind}clicked", f"{kind}clicks", None)


def test_a_queue_brings_the_click_that_was_put_there() -> None:
    assert read_click(CLICK.as_dict()) == CLICK
