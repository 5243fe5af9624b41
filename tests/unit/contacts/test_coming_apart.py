"""What a merge and its undo do to two contacts, as pure functions: whose what stands under a contact's id is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tidings.contacts.merging import Merge, absorb, are_apart, come_apart, merge_record, without
from tidings.contacts.model import Contact, Identity, IdentityKind

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def contact(name: str, *devices: str) -> Contact:
    return Contact("acme", name, START, identities=frozenset(Identity(IdentityKind.ANONYMOUS, one) for one in devices))


def merged(survivor: Contact, absorbed: Contact, minute: int) -> tuple[Merge, Contact, Contact]:
    """The record, who survived, and what is left of who was absorbed."""
    record = merge_record(survivor, absorbed, "requested", f"call:{minute}", at(minute))
    retired = replace(without(absorbed, absorbed.identities), merged_into=survivor.id)
    return record, absorb(survivor, absorbed), retired


def owners(minute: int, name: str, *contacts: Contact) -> list[str]:
    """Who shows what stands under a contact's id since a minute."""
    return [one.id for one in contacts if one.shows(name, at(minute))]


def test_what_is_from_the_time_between_stays_and_the_rest_goes_back() -> None:
    record, s, a = merged(contact("s", "1"), contact("a", "2"), 10)
    s, a = come_apart(record, s, a, at(20))
    assert [owners(minute, "a", s, a) for minute in (5, 10, 15, 20, 25)] == [["a"], ["s"], ["s"], ["a"], ["a"]]
    assert [owners(minute, "s", s, a) for minute in (5, 15, 25)] == [["s"]] * 3
    assert (s.absorbed, a.merged_into) == ((), "")
    assert are_apart(s, a)


def test_merged_again_everything_is_shown_once_and_apart_again_it_is_as_it_was() -> None:
    record, s, a = merged(contact("s", "1"), contact("a", "2"), 10)
    s, a = come_apart(record, s, a, at(20))
    record, s, a = merged(s, a, 30)
    assert [owners(minute, "a", s) for minute in (5, 15, 25, 35)] == [["s"]] * 4
    s, a = come_apart(record, s, a, at(40))
    assert [owners(minute, "a", s, a) for minute in (5, 15, 25, 35, 45)] == [["a"], ["s"], ["a"], ["s"], ["a"]]


def test_who_leaves_from_within_leaves_what_was_before_with_whom_it_was() -> None:
    """X became part of A, A of S; X leaves first, then A: what X had while it was A's goes with A."""
    inner, a, x = merged(contact("a", "1"), contact("x", "2"), 10)
    outer, s, a = merged(contact("s", "3"), a, 20)
    s, x = come_apart(inner, s, x, at(30))
    assert [owners(minute, "x", s, x) for minute in (5, 15, 25, 35)] == [["x"], ["s"], ["s"], ["x"]]
    s, a = come_apart(outer, s, a, at(40))
    assert [owners(minute, "x", s, a, x) for minute in (5, 15, 25, 35, 45)] == [["x"], ["a"], ["s"], ["x"], ["x"]]
    assert [one.absorbed for one in (s, a, x)] == [(), (), ()]
    assert [sorted(i.value for i in one.identities) for one in (s, a, x)] == [["3"], ["1"], ["2"]]


def test_who_leaves_from_without_takes_along_whom_it_had_absorbed() -> None:
    inner, a, x = merged(contact("a", "1"), contact("x", "2"), 10)
    outer, s, a = merged(contact("s", "3"), a, 20)
    s, a = come_apart(outer, s, a, at(30))
    assert (a.absorbed, sorted(i.value for i in a.identities)) == (("x",), ["1", "2"])
    a, x = come_apart(inner, a, x, at(40))
    assert [owners(minute, "x", s, a, x) for minute in (5, 15, 25, 35, 45)] == [["x"], ["a"], ["s"], ["a"], ["x"]]


def test_what_was_kept_of_others_before_goes_back_too() -> None:
    first, a, x = merged(contact("a", "1"), contact("x", "2"), 10)
    a, x = come_apart(first, a, x, at(20))
    second, s, a = merged(contact("s", "3"), a, 30)
    assert owners(15, "x", s, x) == ["s"]
    s, a = come_apart(second, s, a, at(40))
    assert owners(15, "x", s, a, x) == ["a"]
