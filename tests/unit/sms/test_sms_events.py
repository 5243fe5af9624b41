"""What End User Messaging's events say where they leave something out, or contradict themselves."""

from __future__ import annotations

from typing import Any

import pytest

from tidings.core.ids import message_id
from tidings.sms.events import Delivery, news_of, read_delivery

EVENT: dict[str, Any] = {
    "eventType": "TEXT_DELIVERED",
    "eventTimestamp": 1795251605000,
    "messageRequestTimestamp": 1795251600000,
    "messageId": "sms-1",
    "destinationPhoneNumber": "+48600100200",
    "context": {"tidings_message": message_id("c" + "a" * 26, "welcome"), "tidings_workspace": "acme"},
}


def read(**details: Any) -> Delivery:
    told = read_delivery({name: value for name, value in {**EVENT, **details}.items() if value is not None})
    assert told is not None
    return told


@pytest.mark.parametrize(("kind", "failed"), [("TEXT_CARRIER_UNREACHABLE", False), ("TEXT_UNREACHABLE", True)])
def test_without_a_word_whether_it_is_the_end_only_what_aws_calls_temporary_is_none(kind: str, failed: bool) -> None:
    told = read(eventType=kind)
    assert told.failed is failed
    assert news_of(told).milestone == ("undelivered" if failed else "delayed")


def test_a_text_was_taken_no_later_than_what_is_told_of_it() -> None:
    late = read(messageRequestTimestamp=EVENT["eventTimestamp"] + 1000)
    assert late.taken_at == late.at
    assert read(messageRequestTimestamp=None).taken_at == late.at
    assert read().taken_at < late.at
