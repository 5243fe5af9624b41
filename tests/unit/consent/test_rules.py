"""Suppression: how addresses are spelled, what a check says, and when an entry ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tidings.consent.model import Channel, Reason, Suppression
from tidings.consent.rules import normalise_address, read_channel, read_expiry, suppression_check
from tidings.core.errors import InvalidInput

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def entry(expires_at: datetime | None = None) -> Suppression:
    return Suppression("acme", Channel.EMAIL, "ada@people.example", Reason.BOUNCE, NOW, expires_at=expires_at)


@pytest.mark.parametrize(
    ("channel", "written", "kept"),
    [
        (Channel.EMAIL, " Ada@People.example ", "ada@people.example"),
        (Channel.SMS, "+48600100200", "+48600100200"),
        (Channel.SMS, " +48600100200 ", "+48600100200"),
    ],
)
def test_an_address_is_kept_in_one_spelling(channel: Channel, written: str, kept: str) -> None:
    assert normalise_address(channel, written) == kept


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        (Channel.EMAIL, ""),
        (Channel.EMAIL, "ada"),
        (Channel.EMAIL, "+48600100200"),
        (Channel.SMS, "ada@people.example"),
        (Channel.SMS, "600100200"),
        (Channel.SMS, "+0600100200"),
        (Channel.SMS, "+48 600 100 200"),
        (Channel.SMS, "+4860010020012345"),
    ],
)
def test_what_is_no_address_of_the_channel_is_refused(channel: Channel, address: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        normalise_address(channel, address)
    assert (caught.value.code, caught.value.field) == ("invalid_address", "address")


def test_a_channel_is_email_or_sms() -> None:
    assert [read_channel("email"), read_channel("sms")] == [Channel.EMAIL, Channel.SMS]
    with pytest.raises(InvalidInput) as caught:
        read_channel("pigeon")
    assert (caught.value.code, caught.value.field) == ("unknown_channel", "channel")


def test_whoever_is_not_on_the_list_passes() -> None:
    assert suppression_check(None, NOW).passed


def test_whoever_is_on_the_list_does_not_pass_and_the_answer_says_why_and_since_when() -> None:
    check = suppression_check(entry(), NOW)
    assert not check.passed
    assert check.found == "suppressed since 2026-11-21 09:00:00 UTC: bounce"


@pytest.mark.parametrize(("seconds", "holds"), [(-1, True), (0, False), (1, False)])
def test_an_entry_holds_until_the_instant_it_expires(seconds: int, holds: bool) -> None:
    expiring = entry(NOW + timedelta(days=1))
    then = NOW + timedelta(days=1, seconds=seconds)
    assert expiring.holds_at(then) is holds
    assert suppression_check(expiring, then).passed is not holds


@pytest.mark.parametrize(
    ("body", "expires_at"),
    [
        ({}, None),
        ({"expires_at": None}, None),
        ({"expires_at": "2026-11-22T09:00:00Z"}, NOW + timedelta(days=1)),
        ({"expires_at": "2026-11-22T10:00:00+01:00"}, NOW + timedelta(days=1)),
    ],
)
def test_an_entry_may_say_when_it_ends(body: dict[str, Any], expires_at: datetime | None) -> None:
    assert read_expiry(body, NOW) == expires_at


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("soon", "invalid_timestamp"),
        (20270101, "invalid_timestamp"),
        (True, "invalid_timestamp"),
        ("", "invalid_timestamp"),
        ("2026-11-21T09:00:00Z", "expiry_in_past"),
        ("2020-01-01", "expiry_in_past"),
    ],
)
def test_an_end_that_is_no_time_or_over_is_refused(value: Any, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_expiry({"expires_at": value}, NOW)
    assert (caught.value.code, caught.value.field) == (code, "expires_at")
