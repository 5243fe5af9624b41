"""From a call as an SDK sends it to an event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.activity.model import Event
from tidings.activity.rules import MESSAGE_BYTES, check_size, corrected, read_call, to_event
from tidings.core.errors import InvalidInput

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
TRACK = {"type": "track", "userId": "u-7", "event": "Plan Changed"}
IDENTIFY = {"type": "identify", "userId": "u-7"}


def event(**fields: Any) -> Event:
    kind = IDENTIFY if fields.get("type") == "identify" else TRACK
    return to_event("acme", read_call({**kind, **fields}), NOW)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


# --- who -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "anonymous", "stands_under"),
    [
        ("u-7", "a-9", "user#u-7"),
        ("u-7", None, "user#u-7"),
        (None, "a-9", "anon#a-9"),
        ("", "a-9", "anon#a-9"),
        ("null", "a-9", "anon#a-9"),
        ("anonymous", "a-9", "anon#a-9"),
        ("-1", "a-9", "anon#a-9"),
        ("  u-7 ", "a-9", "user#u-7"),
        (7, None, "user#7"),
        (-7, None, "user#-7"),
        (None, 9, "anon#9"),
        ("u#7", None, "user#u#7"),
        ("u" * 1024, None, "user#" + "u" * 1024),
    ],
)
def test_a_message_stands_under_its_user_id_else_its_anonymous_id(user: Any, anonymous: Any, stands_under: str) -> None:
    assert str(event(userId=user, anonymousId=anonymous).identity) == stands_under


def test_both_ids_are_kept() -> None:
    both = event(anonymousId="a-9")
    assert [str(both.user), str(both.anonymous)] == ["user#u-7", "anon#a-9"]


# --- what ------------------------------------------------------------------------------------------------------------


def test_what_is_missing_is_empty_and_what_is_unknown_is_let_be() -> None:
    plain = event(properties=None, context=None, integrations={"All": True}, _metadata={"nodeVersion": "22"})
    assert (plain.properties, plain.traits, plain.context) == ({}, {}, {})


def test_traits_stand_at_the_top_or_in_the_context_and_the_top_wins() -> None:
    # rudder-sdk-python sends them in the context only.
    context = {"traits": {"email": "old@b.c", "plan": "team"}, "ip": "203.0.113.4"}
    told = event(type="identify", traits={"email": "new@b.c"}, context=context)
    assert told.traits == {"email": "new@b.c", "plan": "team"}
    assert told.context == {"ip": "203.0.113.4"}
    assert event(type="identify", traits=None, context={"traits": None}).traits == {}


def test_a_track_call_sets_no_traits() -> None:
    assert event(traits={"plan": "team"}, context={"traits": {"plan": "team"}}).traits == {}


def test_a_message_without_an_id_gets_one() -> None:
    assert event().message_id != event().message_id
    assert event(messageId=" ").message_id.strip()
    assert event(messageId=12).message_id == "12"
    assert event(messageId="m" * 100).message_id == "m" * 100


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"type": "purchase"}, "unknown_type", "type"),
        ({"type": None}, "unknown_type", "type"),
        ({"type": ["track"]}, "unknown_type", "type"),
        ({"event": None}, "missing_event", "event"),
        ({"event": " "}, "missing_event", "event"),
        ({"event": 7}, "invalid_type", "event"),
        ({"userId": None}, "no_user_anon_id", "userId"),
        ({"userId": "null", "anonymousId": "0000"}, "no_user_anon_id", "userId"),
        ({"userId": 7.5}, "invalid_type", "userId"),
        ({"userId": True}, "invalid_type", "userId"),
        ({"userId": {"id": 7}}, "invalid_type", "userId"),
        ({"anonymousId": ["a"]}, "invalid_type", "anonymousId"),
        ({"userId": "u" * 1025}, "id_too_long", "userId"),
        ({"anonymousId": "ą" * 513}, "id_too_long", "anonymousId"),
        ({"messageId": "m" * 101}, "message_id_too_long", "messageId"),
        ({"messageId": ["m"]}, "invalid_type", "messageId"),
        ({"properties": "plan"}, "invalid_type", "properties"),
        ({"properties": ["plan"]}, "invalid_type", "properties"),
        ({"traits": []}, "invalid_type", "traits"),
        ({"context": 7}, "invalid_type", "context"),
        ({"type": "identify", "context": {"traits": "email"}}, "invalid_type", "context.traits"),
        ({"type": "identify", "context": {"traits": [["email", "a@b.c"]]}}, "invalid_type", "context.traits"),
        ({"timestamp": "soon"}, "invalid_timestamp", "timestamp"),
        ({"timestamp": 1795276695000}, "invalid_timestamp", "timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+01:00"}, "invalid_timestamp", "timestamp"),
        ({"sentAt": "now"}, "invalid_timestamp", "sentAt"),
    ],
)
def test_each_mistake_has_a_code_and_names_its_field(wrong: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        event(**wrong)
    assert (caught.value.code, caught.value.field) == (code, field)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-21T08:00:00.000Z", "2026-11-21T08:00:00+00:00"),
        ("2026-11-21T08:00:00.123456+00:00", "2026-11-21T08:00:00.123456+00:00"),
        ("2026-11-21T09:00:00+01:00", "2026-11-21T08:00:00+00:00"),
        ("2026-11-21T08:00:00", "2026-11-21T08:00:00+00:00"),
        ("2026-11-21", "2026-11-21T00:00:00+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_times_are_read_as_clients_write_them(written: str, read: str) -> None:
    assert event(timestamp=written).original_timestamp == at(read)


# --- whose clock is right --------------------------------------------------------------------------------------------

RECEIVED = at("2026-11-21T09:00:00+00:00")


@pytest.mark.parametrize(
    ("original", "sent", "happened"),
    [
        (None, None, "09:00:00"),  # nothing said: when it was received
        (None, "08:00:00", "09:00:00"),
        ("08:50:00", "09:00:00", "08:50:00"),  # a right clock
        ("08:50:00", "08:59:58", "08:50:02"),  # two seconds on the way
        ("06:50:00", "07:00:00", "08:50:00"),  # a clock two hours slow
        ("11:50:00", "12:00:00", "08:50:00"),  # a clock three hours fast
        ("09:10:00", "09:00:00", "09:00:00"),  # after it was sent: not in the future
        ("08:00:00", None, "08:00:00"),  # no sentAt: the client is believed
        ("10:00:00", None, "09:00:00"),  # but not about the future
    ],
)
def test_the_time_is_corrected_by_the_clocks_skew(original: str | None, sent: str | None, happened: str) -> None:
    def today(text: str | None) -> datetime | None:
        return at(f"2026-11-21T{text}+00:00") if text else None

    assert corrected(today(original), today(sent), RECEIVED) == today(happened)


@pytest.mark.parametrize(
    ("original", "sent"),
    [
        ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"),
        ("9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_correction_that_leaves_the_calendar_is_none(original: str, sent: str) -> None:
    assert corrected(at(original), at(sent), RECEIVED) == RECEIVED


@given(st.datetimes(timezones=st.just(UTC)), st.none() | st.datetimes(timezones=st.just(UTC)))
def test_nothing_ever_happened_after_it_was_received(original: datetime, sent: datetime | None) -> None:
    assert corrected(original, sent, RECEIVED) <= RECEIVED


@given(st.timedeltas(timedelta(-365), timedelta(365)), st.timedeltas(timedelta(0), timedelta(30)))
def test_whatever_the_skew_the_age_at_sending_is_kept(skew: timedelta, age: timedelta) -> None:
    sent = RECEIVED + skew
    assert corrected(sent - age, sent, RECEIVED) == RECEIVED - age


def test_all_four_times_are_kept() -> None:
    told = event(timestamp="2026-11-21T06:50:00Z", sentAt="2026-11-21T07:00:00Z")
    assert told.original_timestamp == at("2026-11-21T06:50:00+00:00")
    assert told.sent_at == at("2026-11-21T07:00:00+00:00")
    assert told.received_at == NOW
    assert told.timestamp == at("2026-11-21T08:50:00+00:00")


# --- how large -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", ["x", "ż", "😀"])
def test_a_message_is_at_most_32_kb_of_utf_8(letter: str) -> None:
    room = MESSAGE_BYTES - len('{"a":""}')
    full = letter * (room // len(letter.encode()))
    check_size({"a": full})
    with pytest.raises(InvalidInput) as caught:
        check_size({"a": full + letter})
    assert caught.value.code == "message_too_large"
