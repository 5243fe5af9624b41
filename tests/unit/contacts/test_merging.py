"""What a merge does, and what it never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.contacts.merging import (
    IDENTITIES_AT_ONCE,
    Entry,
    absorb,
    check_merge,
    entries,
    merge_record,
    name_words,
    words_of,
)
from tidings.contacts.model import Contact, Identity, IdentityKind, Membership, Stamp, Trait, Visit, Window
from tidings.contacts.rules import Saying, with_traits
from tidings.core.errors import TidingsError

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def contact(name: str, *identities: str, **fields: Any) -> Contact:
    return Contact("acme", name, NOW, identities=frozenset(map(Identity.parse, identities)), **fields)


KNOWN, VISITOR = contact("c1", "user#u1"), contact("c2", "anon#a1")


# --- what may be merged -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("survivor", "absorbed", "code"),
    [
        (KNOWN, KNOWN, "same_contact"),
        (KNOWN, contact("c3", "user#u2"), "two_known_contacts"),
        (VISITOR, KNOWN, "known_contact_absorbed"),
        (KNOWN, contact("c3", *(f"anon#{n}" for n in range(IDENTITIES_AT_ONCE + 1))), "too_many_identities"),
    ],
)
def test_what_may_not_be_merged_is_refused(survivor: Contact, absorbed: Contact, code: str) -> None:
    with pytest.raises(TidingsError) as error:
        check_merge(survivor, absorbed)
    assert error.value.code == code


@pytest.mark.parametrize(("survivor", "absorbed"), [(KNOWN, VISITOR), (VISITOR, contact("c3", "anon#a2"))])
def test_a_visitor_may_become_part_of_somebody(survivor: Contact, absorbed: Contact) -> None:
    check_merge(survivor, absorbed)


def test_a_record_says_who_was_merged_by_what_and_what_came_along() -> None:
    absorbed = replace(contact("c2", "anon#a1", "anon#a2", "email#a@b.c"), absorbed=("c9",))
    record = merge_record(KNOWN, absorbed, "identified", "event:user/u1/m", NOW)
    assert (record.survivor, record.absorbed, record.absorbed_ids) == ("c1", "c2", ("c9",))
    assert [str(identity) for identity in record.identities] == ["anon#a1", "anon#a2"]
    assert record.id.startswith("c1-")
    assert record == merge_record(KNOWN, absorbed, "identified", "event:user/u1/m", NOW)
    assert record.id != merge_record(KNOWN, absorbed, "identified", "event:user/u1/n", NOW).id


# --- absorbing --------------------------------------------------------------------------------------------------------


def said(one: Contact, traits: dict[str, Any], minutes: int, publishable: bool = False) -> Contact:
    return with_traits(one, traits, Saying(Stamp(at(minutes), f"m{minutes}"), publishable))[0]


def test_an_address_from_a_browser_does_not_take_the_place_of_a_known_contacts() -> None:
    known = said(KNOWN, {"email": "own@b.c"}, 0)
    visitor = said(VISITOR, {"email": "evil@b.c", "plan": "solo"}, 9, publishable=True)
    merged = absorb(known, visitor)
    assert merged.values == {"email": "own@b.c", "plan": "solo"}


def test_an_address_from_a_browser_fills_an_empty_one_and_one_from_a_server_counts_by_its_time() -> None:
    assert absorb(KNOWN, said(VISITOR, {"email": "new@b.c"}, 9, publishable=True)).email == "new@b.c"
    known = said(KNOWN, {"email": "own@b.c"}, 0)
    assert absorb(known, said(VISITOR, {"email": "new@b.c"}, 9)).email == "new@b.c"
    assert absorb(known, said(VISITOR, {"email": "new@b.c"}, -9)).email == "own@b.c"


def test_companies_context_and_visits_are_joined_by_their_times() -> None:
    joined, left = Membership(True, Stamp(at(1), "m")), Membership(False, Stamp(at(2), "m"))
    early, late = Visit("m1", "r1", at(1)), Visit("m2", "r2", at(2))
    one = replace(KNOWN, companies={"x": joined, "y": left}, visit=early, context={"s": {"la": ["pl", 1]}})
    other = replace(VISITOR, companies={"x": left, "y": joined}, visit=late, context={"s": {"la": ["en", 2]}})
    for merged in (absorb(one, other), absorb(other, one)):
        assert merged.companies == {"x": left, "y": left}
        assert merged.visit == late
        assert merged.context == {"s": {"la": ["en", 2]}}


settings = st.lists(
    st.tuples(
        st.dictionaries(
            st.sampled_from(["email", "plan"]), st.sampled_from([None, "a@b.c", "x@y.z"]), min_size=1, max_size=2
        ),
        st.integers(0, 3),
    ),
    max_size=4,
)


@given(settings, settings, settings)
def test_merging_is_the_same_in_any_grouping_and_order(one: list[Any], two: list[Any], three: list[Any]) -> None:
    people = []
    for number, told in enumerate((one, two, three)):
        person = contact(f"c{number}", f"anon#a{number}")
        for traits, minutes in told:
            person = said(person, traits, minutes)
        people.append(person)
    a, b, c = people
    ways = [absorb(absorb(a, b), c), absorb(a, absorb(b, c)), absorb(absorb(c, b), a)]
    outcomes = [(way.traits, way.identities, way.stamps, set(way.every_id)) for way in ways]
    assert outcomes[0] == outcomes[1] == outcomes[2]


# --- the index --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ada Lovelace", ["ada", "lovelace"]),
        ("Zoë Łukasz-Ng", ["zoe", "lukasz", "ng"]),
        ("Straße", ["strasse"]),
        ("O'Brien, J.R.", ["o", "brien", "j", "r"]),
        ("  ", []),
        ("王 小明", ["王", "小明"]),
        ("x" * 99, ["x" * 40]),
    ],
)
def test_words_are_found_without_accents_and_capitals(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(st.text())
def test_words_of_words_are_the_same_words(text: str) -> None:
    for word in words_of(text):
        assert words_of(word) == [word]


def test_a_contact_is_found_by_what_it_is_called_its_addresses_and_companies() -> None:
    ada = said(contact("c1", "user#u1", "anon#a1"), {"name": "Ada L", "email": "a@b.c"}, 0)
    ada = said(ada, {"email": "new@b.c"}, 1)
    ada = replace(ada, companies={"x": Membership(True, Stamp(NOW, "m")), "y": Membership(False, Stamp(NOW, "m"))})
    assert entries(ada, "T") == {
        Entry("name#ad", "ada#c1"),
        Entry("email#a@b.c", "T#c1", former=True),
        Entry("email#new@b.c", "T#c1"),
        Entry("company#x", "T#c1"),
    }
    assert entries(replace(ada, merged_into="c9"), "T") == frozenset()


def test_at_most_six_words_of_a_name_are_kept() -> None:
    many = Contact("acme", "c1", NOW, {"name": Trait(" ".join(f"word{n}" for n in range(9)), NOW, "m")})
    assert len(name_words(many)) == 6


# --- what stays where when a merge is undone --------------------------------------------------------------------------


def test_what_stands_under_a_contacts_id_belongs_where_it_was_then() -> None:
    window = Window("c2", at(10), at(20))
    survivor, restored = replace(KNOWN, kept=(window,)), replace(VISITOR, lent=(window,))
    for minutes, whose in ((9, restored), (10, survivor), (19, survivor), (20, restored)):
        shown = [one for one in (survivor, restored) if one.shows("c2", at(minutes))]
        assert shown == [whose], minutes
    assert survivor.shows("c1", NOW)
    assert not restored.shows("c1", NOW)


def test_only_more_than_a_browsers_name_makes_somebody_identified() -> None:
    assert not VISITOR.is_identified
    for text in ("user#u", "email#a@b.c", "phone#+48600100200", "ext#crm#1"):
        assert replace(VISITOR, identities=VISITOR.identities | {Identity.parse(text)}).is_identified
    assert [Identity.parse("anon#a1")] == sorted(VISITOR.of_kind(IdentityKind.ANONYMOUS))
