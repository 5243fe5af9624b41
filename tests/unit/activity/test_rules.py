"""From a call as an SDK sends it to an event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.accounts.model import Identifiers
from tidings.activity.calls import CALL_TYPES, MESSAGE_BYTES, check_size, read_call
from tidings.activity.chain import Node
from tidings.activity.model import Event
from tidings.activity.rules import Reporter, corrected, to_event
from tidings.core.errors import InvalidInput
from tidings.core.ids import message_id

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SERVER = Reporter("acme")
BROWSER = Reporter("acme", publishable=True, source_ip="203.0.113.9", user_agent="Firefox")
# What each call needs beside a person.
NEEDED: dict[str, dict[str, Any]] = {
    **{kind: {} for kind in CALL_TYPES},
    "track": {"event": "Plan Changed"},
    "group": {"groupId": "g-1"},
    "ungroup": {"groupId": "g-1"},
    "alias": {"previousId": "a-1"},
}


def event(reporter: Reporter = SERVER, type: Any = "track", **fields: Any) -> Event:  # noqa: A002 - as the field is called
    needed = NEEDED.get(type, {}) if isinstance(type, str) else {}
    return to_event(reporter, read_call({"type": type, "userId": "u-7", **needed, **fields}), NOW)


def refusal(**fields: Any) -> tuple[str, str | None]:
    with pytest.raises(InvalidInput) as caught:
        event(**fields)
    assert caught.value.message
    return caught.value.code, caught.value.field


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


@pytest.mark.parametrize("kind", CALL_TYPES)
def test_every_call_needs_somebody_and_may_name_nobody_else(kind: str) -> None:
    assert str(event(type=kind, anonymousId=None).identity) == "user#u-7"
    if kind != "alias":
        assert str(event(type=kind, userId=None, anonymousId="a-9").identity) == "anon#a-9"
    for nobody in ({"userId": None}, {"userId": " "}, {"userId": "null", "anonymousId": "0000"}):
        assert refusal(type=kind, **nobody) == ("no_user_anon_id", "userId")


OWN = Identifiers.of({"identifiers": {"user": {"blocked": ["test-.*", "u-0"]}, "anon": {"blocked": ["shared"]}}})


@pytest.mark.parametrize(
    ("user", "anonymous", "stands_under"),
    [
        ("test-1", "a-9", "anon#a-9"),
        ("u-0", "a-9", "anon#a-9"),
        ("u-00", "a-9", "user#u-00"),  # the whole value has to match
        ("u-7", "shared", "user#u-7"),
        ("shared", "a-9", "user#shared"),  # blocked as an anonymous id only
    ],
)
def test_a_workspace_blocks_values_of_its_own(user: str, anonymous: str, stands_under: str) -> None:
    told = event(Reporter("acme", identifiers=OWN), userId=user, anonymousId=anonymous)
    assert str(told.identity) == stands_under
    assert told.anonymous_id == ("" if anonymous == "shared" else anonymous)


def test_a_message_whose_ids_are_all_blocked_is_about_nobody() -> None:
    own = Reporter("acme", identifiers=OWN)
    assert refusal(reporter=own, userId="test-7", anonymousId="shared") == ("no_user_anon_id", "userId")


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


@pytest.mark.parametrize("kind", sorted(set(CALL_TYPES) - {"identify"}))
def test_only_identify_tells_traits_of_a_person(kind: str) -> None:
    told = event(type=kind, traits={"plan": "team"}, context={"traits": {"email": "a@b.c"}})
    assert told.contact_traits == {}
    assert told.traits == ({"plan": "team"} if kind == "group" else {})
    assert told.context == {}


@pytest.mark.parametrize(
    ("kind", "category", "name", "called"),
    [
        ("page", "Docs", "Pricing", "Viewed Docs Pricing Page"),
        ("page", "", "Pricing", "Viewed Pricing Page"),
        ("page", "Docs", "", "Viewed Docs Page"),
        ("page", None, None, "Viewed Page"),
        ("page", " Docs ", "  ", "Viewed Docs Page"),
        ("screen", "Main", "Home", "Viewed Main Home Screen"),
        ("screen", None, "Home", "Viewed Home Screen"),
        ("screen", None, None, "Viewed Screen"),
    ],
)
def test_a_view_is_called_by_its_category_and_name_which_are_properties_too(
    kind: str, category: str | None, name: str | None, called: str
) -> None:
    told = event(type=kind, category=category, name=name, properties={"url": "/x"})
    given = {"category": (category or "").strip(), "name": (name or "").strip()}
    assert told.name == called
    assert told.properties == {"url": "/x", **{part: value for part, value in given.items() if value}}
    in_properties = event(type=kind, properties={part: value for part, value in given.items() if value})
    assert in_properties.name == called


def test_the_name_at_the_top_of_a_view_wins_over_the_property() -> None:
    told = event(type="page", name="Pricing", properties={"name": "Other", "category": 7})
    assert (told.name, told.properties) == ("Viewed Pricing Page", {"name": "Pricing", "category": 7})


@pytest.mark.parametrize("kind", sorted(set(CALL_TYPES) - {"track", "page", "screen"}))
def test_other_calls_have_no_name_so_that_no_trigger_takes_them_for_what_somebody_did(kind: str) -> None:
    assert event(type=kind, event="Signed Up", name="Signed Up").name == ""


@pytest.mark.parametrize("kind", ["group", "ungroup"])
@pytest.mark.parametrize(("given", "kept"), [("g-1", "g-1"), (" g-1 ", "g-1"), (7, "7"), ("g" * 1024, "g" * 1024)])
def test_a_company_call_names_the_company(kind: str, given: Any, kept: str) -> None:
    assert event(type=kind, groupId=given).group_id == kept


@pytest.mark.parametrize("kind", ["group", "ungroup"])
@pytest.mark.parametrize("given", [None, "", " ", "0", "-1", "null", "anonymous"])
def test_a_company_call_without_a_company_is_refused(kind: str, given: Any) -> None:
    assert refusal(type=kind, groupId=given) == ("missing_group_id", "groupId")


def test_a_company_call_may_come_from_somebody_anonymous() -> None:
    told = event(type="group", userId=None, anonymousId="a-9", traits={"name": "Acme"})
    assert (str(told.identity), told.group_id, told.traits) == ("anon#a-9", "g-1", {"name": "Acme"})


@pytest.mark.parametrize(
    ("user", "previous", "kept"),
    [("u-7", "a-9", "a-9"), ("u-7", " a-9 ", "a-9"), (7, 9, "9"), ("u-7", "u-7", "u-7"), ("u-7", "u-6", "u-6")],
)
def test_an_alias_names_both_ids_and_may_name_the_same_twice(user: Any, previous: Any, kept: str) -> None:
    told = event(type="alias", userId=user, previousId=previous)
    assert (told.user_id, told.previous_id, str(told.identity)) == (str(user), kept, f"user#{user}")


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"previousId": None}, "missing_previous_id", "previousId"),
        ({"previousId": " "}, "missing_previous_id", "previousId"),
        ({"previousId": "null"}, "missing_previous_id", "previousId"),
        ({"previousId": "0-0"}, "missing_previous_id", "previousId"),
        ({"previousId": ["a"]}, "invalid_type", "previousId"),
        ({"previousId": "a" * 1025}, "id_too_long", "previousId"),
        ({"userId": None, "anonymousId": "a-9"}, "missing_user_id", "userId"),
        ({"userId": "null", "anonymousId": "a-9"}, "missing_user_id", "userId"),
        ({"userId": None}, "no_user_anon_id", "userId"),
    ],
)
def test_an_alias_without_both_ids_is_refused(fields: dict[str, Any], code: str, field: str) -> None:
    assert refusal(type="alias", **fields) == (code, field)


@pytest.mark.parametrize("previous", ["shared", "test-1"])
def test_a_previous_id_that_the_workspace_blocks_is_none(previous: str) -> None:
    own = Reporter("acme", identifiers=OWN)
    assert refusal(reporter=own, type="alias", previousId=previous) == ("missing_previous_id", "previousId")


def test_fields_of_other_calls_are_let_be() -> None:
    odd = {"previousId": [], "groupId": {}, "name": 7, "category": 7}
    told = event(**odd)
    assert (told.previous_id, told.group_id, told.name) == ("", "", "Plan Changed")
    assert event(type="page", previousId=[], groupId={}, event=7).name == "Viewed Page"


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
        ({"type": "page", "name": 7}, "invalid_type", "name"),
        ({"type": "screen", "category": ["x"]}, "invalid_type", "category"),
        ({"type": "group", "groupId": {}}, "invalid_type", "groupId"),
        ({"type": "group", "groupId": "g" * 1025}, "id_too_long", "groupId"),
        ({"type": "group", "traits": []}, "invalid_type", "traits"),
        ({"type": "form"}, "unknown_type", "type"),
        ({"type": "system"}, "unknown_type", "type"),
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
    assert refusal(**wrong) == (code, field)


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

    in_future = (original, sent) in [("09:10:00", "09:00:00"), ("10:00:00", None)]
    assert corrected(today(original), today(sent), RECEIVED) == (today(happened), in_future)


@pytest.mark.parametrize(
    ("original", "sent", "in_future"),
    [
        ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", False),
        ("9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00", True),
    ],
)
def test_a_correction_that_leaves_the_calendar_is_none(original: str, sent: str, in_future: bool) -> None:
    assert corrected(at(original), at(sent), RECEIVED) == (RECEIVED, in_future)


@given(st.datetimes(timezones=st.just(UTC)), st.none() | st.datetimes(timezones=st.just(UTC)))
def test_nothing_ever_happened_after_it_was_received(original: datetime, sent: datetime | None) -> None:
    happened, clamped = corrected(original, sent, RECEIVED)
    assert happened <= RECEIVED
    assert happened == RECEIVED or not clamped


@given(st.timedeltas(timedelta(-365), timedelta(365)), st.timedeltas(timedelta(0), timedelta(30)))
def test_whatever_the_skew_the_age_at_sending_is_kept(skew: timedelta, age: timedelta) -> None:
    sent = RECEIVED + skew
    assert corrected(sent - age, sent, RECEIVED) == (RECEIVED - age, False)


def test_what_a_request_waited_for_its_function_is_not_taken_for_the_devices_clock() -> None:
    sent, waited = RECEIVED - timedelta(seconds=2), timedelta(seconds=2)
    assert corrected(sent, sent, RECEIVED, waited) == (sent, False)
    assert corrected(None, sent, RECEIVED, waited) == (RECEIVED, False)
    assert corrected(sent, None, RECEIVED, waited) == (sent, False)


def test_all_four_times_are_kept() -> None:
    told = event(timestamp="2026-11-21T06:50:00Z", sentAt="2026-11-21T07:00:00Z")
    assert told.original_timestamp == at("2026-11-21T06:50:00+00:00")
    assert told.sent_at == at("2026-11-21T07:00:00+00:00")
    assert told.received_at == NOW
    assert told.timestamp == at("2026-11-21T08:50:00+00:00")
    assert told.clamped is False


@pytest.mark.parametrize("kind", CALL_TYPES)
def test_a_time_in_the_future_is_when_it_was_received_and_says_so(kind: str) -> None:
    told = event(type=kind, timestamp="2031-01-01T00:00:00Z")
    assert (told.timestamp, told.clamped) == (NOW, True)
    assert told.original_timestamp == at("2031-01-01T00:00:00+00:00")


# --- by which key ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CALL_TYPES)
def test_a_call_by_a_publishable_key_says_so_and_has_the_persons_address_and_browser(kind: str) -> None:
    told = event(BROWSER, type=kind)
    assert told.publishable is True
    assert told.context == {"ip": "203.0.113.9", "userAgent": "Firefox"}


@pytest.mark.parametrize("kind", CALL_TYPES)
def test_a_servers_address_is_nobodys(kind: str) -> None:
    told = event(Reporter("acme", source_ip="203.0.113.9", user_agent="python-requests"), type=kind)
    assert (told.publishable, told.context) == (False, {})


def test_what_the_page_says_of_its_address_and_browser_is_kept() -> None:
    told = {"ip": "0.0.0.0", "userAgent": "Chromium", "locale": "pl-PL"}  # noqa: S104 - how one asks to keep no address
    assert event(BROWSER, context=told).context == told
    assert event(BROWSER, context={"ip": "", "userAgent": None}).context == {
        "ip": "203.0.113.9",
        "userAgent": "Firefox",
    }
    assert event(Reporter("acme", publishable=True)).context == {}


# --- what led to it --------------------------------------------------------------------------------------------------

MAIL = message_id("cabc", "k-1")


@pytest.mark.parametrize("kind", CALL_TYPES)
@pytest.mark.parametrize(
    "fields",
    [
        {"context": {"page": {"search": f"?tid={MAIL}"}}},
        {"context": {"page": {"search": f"?utm_source=mail&tid={MAIL}&x=1"}}},
        {"context": {"page": {"search": f"tid={MAIL}"}}},
        {"context": {"page": {"search": None, "url": f"https://acme.example/a?b=c&tid={MAIL}#top"}}},
        {"context": {"page": {"search": "?x=1", "url": f"https://acme.example/?tid={MAIL}"}}},
        {"context": {"page": {"url": f"https://acme.example/?tid=&tid={MAIL}"}}},
        {"context": {"page": {"url": f"https://acme.example/#/inbox?tid={MAIL}"}}},
        {"properties": {"url": f"https://acme.example/?tid={MAIL}"}},
        {"properties": {"search": f"?tid={MAIL}"}, "context": {"page": None}},
    ],
)
def test_a_page_that_a_mails_link_led_to_is_caused_by_the_mail(kind: str, fields: dict[str, Any]) -> None:
    assert event(type=kind, **fields).cause == Node.message(MAIL)


@pytest.mark.parametrize(
    "search",
    [
        "", "?", "?tid", "?tid=", "?tid=7", "?tid=c1", "?tid=c-", "?tid=-x", "?tid=Cabc-X", "?tid=cabc-x%00",
        "?tid=cabc-ż", "?tid=cabc/x-y", f"?tid={MAIL}{'x' * 100}", f"?paid={MAIL}", f"?atid={MAIL}", "?tid=%ff-%zz",
    ],
)  # fmt: skip
def test_what_is_no_message_of_ours_is_no_cause(search: str) -> None:
    assert event(context={"page": {"search": search, "url": f"https://acme.example/{search}"}}).cause is None


@pytest.mark.parametrize(
    "page", [None, [], 7, "?tid=cabc-x", {"search": 7}, {"url": ["?tid=cabc-x"]}, {"url": "http://["}]
)
def test_a_page_in_another_form_is_no_cause(page: Any) -> None:
    assert event(context={"page": page}, properties={"page": page}).cause is None


# --- how large -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", ["x", "ż", "😀"])
def test_a_message_is_at_most_32_kb_of_utf_8(letter: str) -> None:
    room = MESSAGE_BYTES - len('{"a":""}')
    full = letter * (room // len(letter.encode()))
    check_size({"a": full})
    with pytest.raises(InvalidInput) as caught:
        check_size({"a": full + letter})
    assert caught.value.code == "message_too_large"
