"""Traits, e-mails and blocked values: pure rules over contacts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.accounts.model import Identifiers
from tidings.contacts import rules
from tidings.contacts.merging import absorb
from tidings.contacts.model import Contact, Identity, IdentityKind, Stamp
from tidings.contacts.rules import (
    TRAITS_MOST,
    Refusal,
    Saying,
    current_addresses,
    external_ids,
    is_blocked,
    normalise_email,
    normalise_traits,
    seen,
    with_company,
    with_external_ids,
)

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
NOBODY = Contact("acme", "c1", NOW)


def later(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def with_traits(
    contact: Contact, traits: dict[str, Any], at: datetime, by: str, identifiers: Identifiers = rules.EVERYWHERE
) -> Contact:
    """The contact after a server said something of it; nothing is refused."""
    contact, refused = rules.with_traits(contact, traits, Saying(Stamp(at, by)), identifiers)
    assert refused == []
    return contact


def in_browser(
    contact: Contact, traits: dict[str, Any], minutes: int, identifiers: Identifiers = rules.EVERYWHERE
) -> tuple[Contact, list[Refusal]]:
    """The contact after a browser said something of it, and what was refused."""
    saying = Saying(Stamp(later(minutes), f"m{minutes}"), publishable=True)
    return rules.with_traits(contact, traits, saying, identifiers)


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
    both = {email("ada@people.example"), email("ada@work.example")}
    assert (contact.identities, current_addresses(contact)) == (both, {email("ada@work.example")})
    without = with_traits(contact, {"email": None}, later(2), "m3")
    assert (without.email, without.identities, current_addresses(without)) == ("", both, frozenset())


def email(address: str) -> Identity:
    return Identity(IdentityKind.EMAIL, address)


@given(st.permutations(range(8)), st.integers(1, 6))
def test_of_the_addresses_it_had_the_latest_stay_whatever_the_order(order: list[int], limit: int) -> None:
    identifiers = Identifiers(limits={**Identifiers().limits, "email": limit})
    contact = NOBODY
    for number in order:
        contact = with_traits(contact, {"email": f"{number}@b.c"}, later(number), f"m{number}", identifiers)
    assert contact.identities == {email(f"{number}@b.c") for number in range(8 - limit, 8)}
    assert contact.email == "7@b.c"


@pytest.mark.parametrize(
    ("phone", "country", "kept", "leads"),
    [
        ("600 100 200", "PL", "+48600100200", True),
        ("+48 600-100-200", "", "+48600100200", True),
        ("600 100 200", "", "600 100 200", False),
        ("call me", "PL", "call me", False),
    ],
)
def test_a_phone_number_has_one_spelling_with_the_countrys_own(
    phone: str, country: str, kept: str, leads: bool
) -> None:
    identifiers = Identifiers(default_country=country)
    contact = with_traits(NOBODY, {"phone": phone}, NOW, "m1", identifiers)
    assert contact.phone == kept
    assert (Identity(IdentityKind.PHONE, kept) in contact.identities) is leads


def test_an_address_that_the_workspace_blocks_leads_to_nobody() -> None:
    identifiers = Identifiers.of({"identifiers": {"email": {"blocked": [r".*@test\.example"]}}})
    contact = with_traits(NOBODY, {"email": "ada@test.example"}, NOW, "m1", identifiers)
    assert (contact.email, contact.identities) == ("ada@test.example", frozenset())


# --- what a browser's key may not ------------------------------------------------------------------------------------

KNOWN = replace(NOBODY, identities=frozenset({Identity(IdentityKind.USER, "u1")}))


@pytest.mark.parametrize(
    ("before", "said", "email_after", "refused"),
    [
        ({"email": "old@b.c"}, {"email": "new@b.c"}, "old@b.c", ["email"]),
        ({"email": "old@b.c"}, {"email": None}, "old@b.c", ["email"]),
        ({"email": "old@b.c"}, {"email": " OLD@b.c"}, "old@b.c", []),
        ({"plan": "team"}, {"email": "new@b.c"}, "new@b.c", []),
        ({"email": None}, {"email": "new@b.c"}, "new@b.c", []),
        ({"email": "old@b.c"}, {"plan": "team"}, "old@b.c", []),
    ],
)
def test_a_publishable_key_fills_an_empty_address_of_a_known_contact_and_changes_none(
    before: dict[str, Any], said: dict[str, Any], email_after: str, refused: list[str]
) -> None:
    contact, told = in_browser(with_traits(KNOWN, before, NOW, "m0"), said, 1)
    assert contact.email == email_after
    assert told == [Refusal(f"publishable_key_may_not_change_{name}", f"traits.{name}") for name in refused]


def test_with_a_refused_address_the_other_traits_are_set() -> None:
    contact, _ = in_browser(with_traits(KNOWN, {"email": "old@b.c", "phone": "+48600100200"}, NOW, "m0"), {
        "email": "new@b.c", "phone": "+48600100201", "plan": "team"}, 1)  # fmt: skip
    assert contact.values == {"email": "old@b.c", "phone": "+48600100200", "plan": "team"}


def test_whoever_has_not_said_who_they_are_may_change_their_address() -> None:
    contact, refused = in_browser(with_traits(NOBODY, {"email": "old@b.c"}, NOW, "m0"), {"email": "new@b.c"}, 1)
    assert (contact.email, refused) == ("new@b.c", [])


def test_a_workspace_may_allow_it() -> None:
    open_to_all = Identifiers(addresses_open=True)
    contact, refused = in_browser(with_traits(KNOWN, {"email": "o@b.c"}, NOW, "m0"), {"email": "n@b.c"}, 1, open_to_all)
    assert (contact.email, refused) == ("n@b.c", [])


def test_what_is_older_anyway_is_not_refused_but_ignored() -> None:
    contact, refused = in_browser(with_traits(KNOWN, {"email": "old@b.c"}, later(5), "m5"), {"email": "new@b.c"}, 1)
    assert (contact.email, refused) == ("old@b.c", [])


@given(st.lists(st.tuples(st.sampled_from([None, "", "a@b.c", "x@y.z", "no"]), st.integers(0, 5)), max_size=8))
def test_no_sequence_of_browser_calls_changes_a_known_contacts_address(said: list[tuple[Any, int]]) -> None:
    contact = with_traits(KNOWN, {"email": "own@b.c"}, later(2), "m")
    for value, minutes in said:
        contact, _ = in_browser(contact, {"email": value}, minutes)
    assert contact.email == "own@b.c"


# --- how much is kept ------------------------------------------------------------------------------------------------


def test_a_contact_has_at_most_a_thousand_traits() -> None:
    contact = with_traits(NOBODY, {f"t{number}": 1 for number in range(TRAITS_MOST)}, NOW, "m0")
    after, refused = rules.with_traits(contact, {"t0": 2, "more": 1}, Saying(Stamp(later(1), "m1")))
    assert refused == [Refusal("too_many_traits", "traits.more")]
    assert after.values["t0"] == 2


def test_a_trait_for_which_there_is_no_room_is_refused_and_a_smaller_value_of_another_is_not() -> None:
    contact = with_traits(NOBODY, {"large": "x" * 100_000, "small": "y" * 20_000}, NOW, "m0")
    after, refused = rules.with_traits(contact, {"small": "y" * 40_000, "large": "z"}, Saying(Stamp(later(1), "m1")))
    assert refused == [Refusal("traits_too_large", "traits.small")]
    assert (len(after.values["small"]), after.values["large"]) == (20_000, "z")


# --- ids of other systems and companies ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "kept"),
    [
        ([{"id": "42", "type": "crm"}], ["crm#42"]),
        ([{"id": " 42 ", "type": "crm", "collection": "users"}], ["crm#42"]),
        ([{"id": "42", "type": "crm"}, {"id": "43", "type": "crm"}], ["crm#42", "crm#43"]),
        ([{"id": "null", "type": "crm"}, {"id": "0", "type": "crm"}, {"id": "", "type": "crm"}], []),
        ([{"id": 42, "type": "crm"}, {"id": "42"}, {"type": "crm"}, "crm", None], []),
        ([{"id": "42", "type": "a#b"}, {"id": "x" * 1025, "type": "crm"}, {"id": "x", "type": " "}], []),
        ({"id": "42", "type": "crm"}, []),
        (None, []),
    ],
)
def test_ids_of_other_systems_are_those_with_a_type(listed: Any, kept: list[str]) -> None:
    found = external_ids({"externalIds": listed})
    assert found == {Identity(IdentityKind.EXTERNAL, text) for text in kept}


@given(st.permutations(range(8)))
def test_of_each_system_five_ids_stay_the_latest_whatever_the_order(order: list[int]) -> None:
    contact = NOBODY
    for number in order:
        ids = {Identity(IdentityKind.EXTERNAL, f"{system}#{number}") for system in ("crm", "shop")}
        contact = with_external_ids(contact, ids, Stamp(later(number), "m"))
    kept = {f"{system}#{number}" for system in ("crm", "shop") for number in range(3, 8)}
    assert {identity.value for identity in contact.identities} == kept


@given(st.permutations([("c1", True, 0), ("c1", False, 1), ("c2", True, 1), ("c2", True, 2), ("c3", False, 0)]))
def test_of_joining_and_leaving_a_company_the_later_counts(order: list[tuple[str, bool, int]]) -> None:
    contact = NOBODY
    for company, joined, minutes in order:
        contact = with_company(contact, company, joined, Stamp(later(minutes), "m"))
    assert contact.joined == ["c2"]


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


def test_whoever_absorbs_keeps_who_was_absorbed_and_all_identities() -> None:
    user, device = Identity(IdentityKind.USER, "u1"), Identity(IdentityKind.ANONYMOUS, "a1")
    known = with_traits(replace(NOBODY, identities=frozenset({user})), {"email": "new@b.c"}, later(2), "m2")
    other = replace(NOBODY, id="c2", identities=frozenset({device}), absorbed=("c3",), last_seen_at=later(9))
    merged = absorb(known, with_traits(other, {"email": "old@b.c"}, later(1), "m1"))
    assert merged.identities == {user, device, email("new@b.c"), email("old@b.c")}
    assert merged.email == "new@b.c"
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
