"""What news changes in a message: the same whatever order it comes in, and however often."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.consent.model import Kind
from tidings.core.clock import to_text
from tidings.messages.model import Message, State
from tidings.messages.progress import News, progress

MAILED = datetime(2026, 11, 21, 9, tzinfo=UTC)
CLAIMED = MAILED - timedelta(seconds=1)
MESSAGE = Message(
    workspace="acme",
    contact="c1",
    id="c1-m1",
    channel="email",
    state=State.CLAIMED,
    kind=Kind.MARKETING,
    template="tips",
    template_version=1,
    address="ada@people.example",
    history={"claimed": to_text(CLAIMED)},
)


def news(milestone: str, state: State | None = None, error: str = "", total: str = "", second: int = 5) -> News:
    at = MAILED + timedelta(seconds=second)
    return News(at, MAILED, milestone, state, error, total)


SEND = News(MAILED, MAILED, "sent", State.ACCEPTED)
DELIVERY = news("delivered", State.DELIVERED)
DELAY = news("delayed", State.DELAYED)
HARD = news("hard_bounced", State.BOUNCED, "Permanent/NoEmail")
SOFT = news("soft_bounced", State.BOUNCED, "Transient/MailboxFull")
SPAM = news("spam_bounced", State.BOUNCED, "Transient/ContentRejected")
COMPLAINT = news("complained", State.COMPLAINED)
NOT_SPAM = news("")
REJECT = news("rejected", State.REJECTED, "Bad content")
OPEN = news("opened", total="opens", second=60)
EARLIER_OPEN = news("opened", total="opens", second=30)
MACHINE_CLICK = news("machine_clicked", total="machine_clicks", second=6)
ALL = [SEND, DELIVERY, DELAY, HARD, SOFT, SPAM, COMPLAINT, NOT_SPAM, REJECT, OPEN, EARLIER_OPEN, MACHINE_CLICK]


def told(message: Message, *all_news: News) -> tuple[Message, Counter[str]]:
    """The message and what was counted, once the news was taken in."""
    counted: Counter[str] = Counter()
    for one in all_news:
        change = progress(message, one)
        counted.update(change.counts)
        message = replace(
            message,
            state=message.state if change.state is None else change.state,
            error=message.error if change.error is None else change.error,
            history={**message.history, **change.history},
        )
    return message, counted


@pytest.mark.parametrize(
    ("told_of", "state", "error"),
    [
        ([SEND], State.ACCEPTED, ""),
        ([DELAY], State.DELAYED, ""),
        ([DELAY, DELIVERY], State.DELIVERED, ""),
        ([DELIVERY, SEND], State.DELIVERED, ""),
        ([SOFT], State.BOUNCED, "Transient/MailboxFull"),
        ([DELIVERY, SOFT], State.DELIVERED, ""),
        ([SOFT, DELIVERY], State.DELIVERED, ""),
        ([SPAM, DELIVERY], State.DELIVERED, ""),
        ([DELIVERY, HARD], State.BOUNCED, "Permanent/NoEmail"),
        ([HARD, DELIVERY], State.BOUNCED, "Permanent/NoEmail"),
        ([SOFT, HARD], State.BOUNCED, "Permanent/NoEmail"),
        ([HARD, SOFT], State.BOUNCED, "Permanent/NoEmail"),
        ([DELIVERY, COMPLAINT], State.COMPLAINED, ""),
        ([COMPLAINT, DELIVERY], State.COMPLAINED, ""),
        ([DELIVERY, NOT_SPAM], State.DELIVERED, ""),
        ([REJECT], State.REJECTED, "Bad content"),
        ([OPEN], State.ACCEPTED, ""),
    ],
)
def test_a_message_stands_where_the_weightiest_news_puts_it(told_of: list[News], state: State, error: str) -> None:
    message, _ = told(MESSAGE, *told_of)
    assert (message.state, message.error) == (state, error)


def test_a_delivery_after_a_bounce_for_good_is_a_milestone_and_no_more() -> None:
    message, counted = told(MESSAGE, HARD, DELIVERY)
    assert message.state is State.BOUNCED
    assert message.history["delivered"] == to_text(DELIVERY.at)
    assert counted == {"sent": 1, "hard_bounced": 1, "delivered": 1}


def test_whatever_is_told_tells_that_the_mail_was_sent() -> None:
    message, counted = told(MESSAGE, OPEN)
    assert message.history["accepted"] == to_text(MAILED)
    assert counted == {"sent": 1, "opened": 1, "opens": 1}


def test_what_the_answer_of_the_provider_noted_first_stays() -> None:
    settled = replace(MESSAGE, state=State.ACCEPTED, history={**MESSAGE.history, "accepted": to_text(MAILED)})
    assert not progress(settled, replace(SEND, mailed_at=MAILED - timedelta(seconds=9))).moves
    assert progress(settled, SEND).counts == {}


def test_of_a_message_that_ended_as_unknown_and_is_heard_of_the_counts_are_mended() -> None:
    lost = replace(MESSAGE, state=State.UNKNOWN, history={**MESSAGE.history, "unknown": to_text(MAILED)})
    message, counted = told(lost, DELIVERY, SEND)
    assert message.state is State.DELIVERED
    assert counted == {"unknown": -1, "sent": 1, "delivered": 1}


def test_each_milestone_counts_once_and_each_open_every_time() -> None:
    message, counted = told(MESSAGE, OPEN, EARLIER_OPEN)
    assert counted == {"sent": 1, "opened": 1, "opens": 2}
    assert message.history["opened"] == to_text(EARLIER_OPEN.at)


def test_nothing_happened_before_it_was_decided_to_send() -> None:
    message, _ = told(MESSAGE, News(MAILED - timedelta(hours=1), MAILED - timedelta(hours=1), "sent", State.ACCEPTED))
    assert message.history["accepted"] == message.decided_at == to_text(CLAIMED)


@pytest.mark.parametrize("state", [State.SKIPPED, State.REFUSED])
def test_what_we_never_sent_stays_so(state: State) -> None:
    change = progress(replace(MESSAGE, state=state), DELIVERY)
    assert (change.moves, change.counts) == (False, {})


def test_of_an_erased_person_s_message_nothing_is_counted_and_no_error_kept() -> None:
    erased = replace(MESSAGE, state=State.ACCEPTED, erased_at=MAILED)
    change = progress(erased, REJECT)
    assert (change.state, change.error, change.counts) == (State.REJECTED, "", {})


@given(st.lists(st.sampled_from(ALL), min_size=1, max_size=8).flatmap(lambda some: st.tuples(
    st.just(some), st.permutations(some))))  # fmt: skip
def test_any_order_ends_in_the_same_message_and_the_same_counts(orders: tuple[list[News], list[News]]) -> None:
    one, other = (told(MESSAGE, *order) for order in orders)
    assert one == other


@given(st.lists(st.sampled_from(ALL), min_size=1, max_size=8))
def test_no_milestone_counts_twice(some: list[News]) -> None:
    _, counted = told(MESSAGE, *some)
    totals = {one.total for one in some}
    assert all(number == 1 for name, number in counted.items() if name not in totals)


TEXT = replace(MESSAGE, channel="sms", address="+48600100200")
ARRIVED = news("delivered", State.DELIVERED)
LATE = news("delayed", State.DELAYED, "TEXT_CARRIER_UNREACHABLE")
LOST = news("undelivered", State.UNDELIVERED, "TEXT_UNREACHABLE")
EXPIRED = news("undelivered", State.UNDELIVERED, "TEXT_TTL_EXPIRED", second=9)
SILENT = news("undelivered", State.UNDELIVERED, "TEXT_UNKNOWN", second=7)


@pytest.mark.parametrize(
    ("told_of", "state", "error"),
    [
        ([LATE], State.DELAYED, "TEXT_CARRIER_UNREACHABLE"),
        ([LATE, ARRIVED], State.DELIVERED, ""),
        ([ARRIVED, LOST], State.UNDELIVERED, "TEXT_UNREACHABLE"),
        ([LOST, ARRIVED], State.UNDELIVERED, "TEXT_UNREACHABLE"),
        ([SILENT, ARRIVED], State.DELIVERED, ""),
        ([SILENT, LOST], State.UNDELIVERED, "TEXT_UNREACHABLE"),
        ([SILENT], State.UNDELIVERED, "TEXT_UNKNOWN"),
    ],
)
def test_a_text_stands_where_the_weightiest_word_of_it_puts_it(told_of: list[News], state: State, error: str) -> None:
    for order in (told_of, told_of[::-1]):
        message, _ = told(TEXT, *order)
        assert (message.state, message.error) == (state, error)


@given(st.lists(st.sampled_from([SEND, ARRIVED, LATE, LOST, EXPIRED, SILENT]), max_size=8), st.randoms())
def test_whatever_order_news_of_a_text_comes_in_the_end_is_the_same(all_news: list[News], random: object) -> None:
    mixed = sorted(all_news, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert told(TEXT, *all_news) == told(TEXT, *mixed)
    assert all(number == 1 for number in told(TEXT, *all_news)[1].values())
