"""Traits, e-mails and blocked values: pure rules over contacts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.contacts.rules import absorb, is_blocked, normalise_email, normalise_traits, seen, with_traits

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
NOBODY = Contact("acme", "c1", NOW)


def later(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


# --- identifiers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["", " ", "0", "00", "-", "---", "0-0-0", "00000000-0000-0000-0000-000000000000", "-1", "null", "anonymous"],
)
def test_values_that_tracking_code_sends_when_it_has_no_id_never_match(value: str) -> None:
    assert is_blocked(value)
    assert is_blocked(f" {value} ")


@pytest.mark.parametrize("value", ["1", "-2", "u-7", "0x", "nullable", "anonymous2", "01"])
def test_every_other_value_is_an_identifier(value: str) -> None:
    assert not is_blocked(value)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("ada@people.example", "ada@people.example"),
        ("  Ada@People.Example ", "ada@people.example"),
        ("ada+news@people.example", "ada+news@people.example"),
        ("łukasz@people.example", "łukasz@people.example"),
        ("a" * 242 + "@people.example"[:12], "a" * 242 + "@people.exam"),
    ],
)
def test_an_address_has_one_spelling(written: str, kept: str) -> None:
    assert normalise_email(written) == kept


@pytest.mark.parametrize(
    "value",
    [
        None, 7, [], {}, "", "ada", "ada@", "@people.example", "a@b@c", "a b@c.d", "Ada <ada@people.example>",
        "ada@people.example\nbcc: x@y.z", "a,b@c.d", "a" * 255 + "@b.c", "ada@people.example;eve@people.example",
    ],
)  # fmt: skip
def test_what_cannot_be_an_address_is_none(value: Any) -> None:
    assert normalise_email(value) == ""


def test_reserved_traits_have_one_name() -> None:
    traits = normalise_traits({"firstName": "Ada", "lastName": "L.", "createdAt": "2026", "plan": "team"})
    assert traits == {"first_name": "Ada", "last_name": "L.", "created_at": "2026", "plan": "team"}


def test_an_email_that_cannot_be_one_is_kept_to_be_seen_and_leads_to_nobody() -> None:
    contact = with_traits(NOBODY, {"email": "ada at people"}, NOW, "m1")
    assert contact.email == "ada at people"
    assert contact.identities == frozenset()


# --- traits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        ((0, "m1", "a"), (1, "m2", "b"), "b"),
        ((1, "m2", "b"), (0, "m1", "a"), "b"),
        ((0, "m1", "a"), (0, "m2", "b"), "b"),
        ((0, "m2", "b"), (0, "m1", "a"), "b"),
        ((0, "m1", "a"), (0, "m1", "a"), "a"),
    ],
)
def test_of_two_settings_the_later_stays_and_at_one_instant_the_greater_message_id(
    first: tuple[int, str, str], second: tuple[int, str, str], left: str
) -> None:
    contact = NOBODY
    for minutes, message, value in (first, second):
        contact = with_traits(contact, {"plan": value}, later(minutes), message)
    assert contact.values == {"plan": left}


def test_null_takes_a_trait_away_and_an_earlier_setting_does_not_bring_it_back() -> None:
    contact = with_traits(NOBODY, {"plan": "team", "seats": 4}, later(0), "m1")
    contact = with_traits(contact, {"plan": None}, later(2), "m3")
    contact = with_traits(contact, {"plan": "solo"}, later(1), "m2")
    assert contact.values == {"seats": 4}


def test_false_zero_and_empty_are_values() -> None:
    values = {"a": False, "b": 0, "c": "", "d": [], "e": {}}
    assert with_traits(NOBODY, values, NOW, "m1").values == values


def test_a_changed_email_moves_the_identity() -> None:
    contact = with_traits(NOBODY, {"email": "Ada@people.example"}, later(0), "m1")
    assert contact.identities == {Identity(IdentityKind.EMAIL, "ada@people.example")}
    contact = with_traits(contact, {"email": "ada@work.example"}, later(1), "m2")
    assert contact.identities == {Identity(IdentityKind.EMAIL, "ada@work.example")}
    assert with_traits(contact, {"email": None}, later(2), "m3").identities == frozenset()


settings = st.tuples(
    st.dictionaries(
        st.sampled_from(["email", "plan", "seats"]), st.sampled_from([None, "a@b.c", "x@y.z", 1]), min_size=1
    ),
    st.integers(0, 3),
    st.uuids().map(str),
)


@given(st.lists(settings, max_size=6).flatmap(lambda made: st.tuples(st.just(made), st.permutations(made))))
def test_the_outcome_does_not_depend_on_the_order(orders: tuple[list[Any], list[Any]]) -> None:
    outcomes = []
    for order in orders:
        contact = NOBODY
        for traits, minutes, message in order:
            contact = with_traits(contact, traits, later(minutes), message)
        outcomes.append((contact.traits, contact.identities))
    assert outcomes[0] == outcomes[1]


@given(st.lists(settings, max_size=6), st.lists(settings, max_size=6))
def test_whoever_absorbs_whom_has_the_traits_that_one_contact_would_have(mine: list[Any], theirs: list[Any]) -> None:
    def told(contact: Contact, said: list[Any]) -> Contact:
        for traits, minutes, message in said:
            contact = with_traits(contact, traits, later(minutes), message)
        return contact

    other = replace(NOBODY, id="c2")
    merged = absorb(told(NOBODY, mine), told(other, theirs))
    alone = told(NOBODY, mine + theirs)
    assert (merged.traits, merged.identities) == (alone.traits, alone.identities)


def test_whoever_absorbs_keeps_who_was_absorbed_and_all_identities_but_the_older_email() -> None:
    user, device = Identity(IdentityKind.USER, "u1"), Identity(IdentityKind.ANONYMOUS, "a1")
    known = with_traits(replace(NOBODY, identities=frozenset({user})), {"email": "new@b.c"}, later(2), "m2")
    other = replace(NOBODY, id="c2", identities=frozenset({device}), absorbed=("c3",), last_seen_at=later(9))
    merged = absorb(known, with_traits(other, {"email": "old@b.c"}, later(1), "m1"))
    assert merged.identities == {user, device, Identity(IdentityKind.EMAIL, "new@b.c")}
    assert merged.absorbed == ("c2", "c3")
    assert merged.every_id == ("c1", "c2", "c3")
    assert merged.last_seen_at == later(9)


@given(st.lists(st.integers(0, 100), min_size=1))
def test_last_seen_is_the_latest_whatever_the_order(minutes: list[int]) -> None:
    contact = NOBODY
    for number in minutes:
        contact = seen(contact, later(number))
    assert contact.last_seen_at == later(max(minutes))


# --- what a contact tells --------------------------------------------------------------------------------------------


def test_a_contact_is_known_once_it_has_a_user_id() -> None:
    device = replace(NOBODY, identities=frozenset({Identity(IdentityKind.ANONYMOUS, "a1")}))
    assert not device.is_known
    assert replace(device, identities=device.identities | {Identity(IdentityKind.USER, "u1")}).is_known


def test_events_stand_under_a_contacts_own_ids_and_those_that_report_for_it() -> None:
    identities = frozenset(Identity.parse(text) for text in ("user#u#1", "anon#a1", "email#a@b.c"))
    contact = replace(NOBODY, identities=identities, absorbed=("c2",))
    assert [str(one) for one in contact.event_identities] == ["contact#c1", "contact#c2", "anon#a1", "user#u#1"]


@given(st.sampled_from(IdentityKind), st.text())
def test_an_identity_comes_back_from_its_text_the_same(kind: IdentityKind, value: str) -> None:
    assert Identity.parse(str(Identity(kind, value))) == Identity(kind, value)
