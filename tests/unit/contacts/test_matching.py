"""Whom a form is from: the table of product rule 1.6 row by row, and several holders of one address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.contacts.matching import Decision, Outcome, match
from tidings.contacts.model import Contact, Trait

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
A, B = "a@people.example", "+48600100200"
OTHER_MAIL, OTHER_PHONE = "other@people.example", "+48600999999"


def person(name: str, email: str = "", phone: str = "", age: int = 0) -> Contact:
    """A contact with these addresses, so many minutes old."""
    given = {"email": email, "phone": phone}
    traits = {kind: Trait(value, NOW, "m") for kind, value in given.items() if value}
    return Contact("acme", name, NOW - timedelta(minutes=age), traits)


def decide(
    people: Sequence[Contact],
    email: str = "",
    phone: str = "",
    logged_in: Contact | None = None,
    first: str = "email",
) -> Decision:
    """What a form does among these people."""
    eldest = sorted(people, key=lambda one: one.created_at)
    by_email = [one for one in eldest if email and one.email == email]
    by_phone = [one for one in eldest if phone and one.phone == phone]
    return match(email, phone, logged_in, by_email, by_phone, first)


def update(contact: str, conflict: str = "", *withheld: str) -> Decision:
    disputed = withheld[-1] if conflict else ""
    return Decision(Outcome.UPDATE, contact, conflict, disputed, frozenset(withheld))


NOTHING, CREATE = Decision(Outcome.NOTHING), Decision(Outcome.CREATE)
ME = person("me")

# The rows of product rule 1.6 in their order: given, found, then.
TABLE = {
    "neither, and not logged in": ([person("x", A, B)], "", "", None, NOTHING),
    "neither, but logged in": ([person("x", A, B)], "", "", ME, update("me")),
    "an e-mail that somebody has": ([person("x", A, OTHER_PHONE)], A, "", None, update("x")),
    "an e-mail that nobody has": ([person("x", OTHER_MAIL, B)], A, "", None, CREATE),
    "a phone that somebody has": ([person("x", OTHER_MAIL, B)], "", B, None, update("x")),
    "a phone that nobody has": ([person("x", A, OTHER_PHONE)], "", B, None, CREATE),
    "both, and somebody has both": ([person("x", A, B)], A, B, None, update("x")),
    "both, and nobody has either": ([person("x", OTHER_MAIL, OTHER_PHONE)], A, B, None, CREATE),
    "both, the e-mail is somebody's without a phone": ([person("x", A)], A, B, None, update("x")),
    "both, the phone is somebody's without an e-mail": ([person("x", "", B)], A, B, None, update("x")),
    "both, the e-mail is somebody's with another phone": ([person("x", A, OTHER_PHONE)], A, B, None, CREATE),
    "both, the phone is somebody's with another e-mail": ([person("x", OTHER_MAIL, B)], A, B, None, CREATE),
    "both, of two people": ([person("x", A), person("y", "", B)], A, B, None, update("x", "y", "phone")),
}


@pytest.mark.parametrize(("people", "email", "phone", "logged_in", "then"), TABLE.values(), ids=TABLE)
def test_a_form_does_what_the_table_says(
    people: Sequence[Contact], email: str, phone: str, logged_in: Contact | None, then: Decision
) -> None:
    assert decide(people, email, phone, logged_in) == then


SEVERAL = {
    "the oldest with the e-mail": ([person("young", A), person("old", A, age=9)], A, "", update("old")),
    "the oldest with the phone": ([person("young", "", B), person("old", "", B, age=9)], "", B, update("old")),
    "one with both before an older one": ([person("old", A, age=9), person("both", A, B)], A, B, update("both")),
    "one with both before older ones with either": (
        [person("mail", A, age=9), person("phone", "", B, age=8), person("both", A, B)], A, B, update("both"),
    ),
    "the oldest of those with both": ([person("young", A, B), person("old", A, B, age=9)], A, B, update("old")),
    "the oldest only, not a younger one that would do": (
        [person("young", A), person("old", A, OTHER_PHONE, age=9)], A, B, CREATE,
    ),
    "the oldest of each kind in a conflict": (
        [person("x", A), person("old", A, age=9), person("y", "", B), person("elder", "", B, age=8)],
        A, B, update("old", "elder", "phone"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("people", "email", "phone", "then"), SEVERAL.values(), ids=SEVERAL)
def test_of_several_with_an_address_it_is(people: Sequence[Contact], email: str, phone: str, then: Decision) -> None:
    assert decide(people, email, phone) == then


@pytest.mark.parametrize(("first", "then"), [
    ("email", update("x", "y", "phone")),
    ("phone", update("y", "x", "email")),
])  # fmt: skip
def test_of_two_people_the_address_that_ranks_first_decides(first: str, then: Decision) -> None:
    assert decide([person("x", A), person("y", "", B)], A, B, first=first) == then


def test_whoever_is_meant_keeps_it_in_a_conflict_too() -> None:
    moved, other = person("x", OTHER_MAIL), person("y", "", B)
    assert match(A, B, None, [moved], [other]) == update("x", "y", "email", "phone")


@pytest.mark.parametrize("phone", [OTHER_PHONE, ""])
def test_in_a_conflict_nobody_is_given_the_other_s_address(phone: str) -> None:
    decision = decide([person("x", A, phone), person("y", OTHER_MAIL, B)], A, B)
    assert decision == update("x", "y", "phone")


def test_who_is_logged_in_is_meant_whatever_they_typed() -> None:
    me = person("me", OTHER_MAIL, OTHER_PHONE)
    assert decide([person("x", A), person("y", "", B), me], A, B, logged_in=me) == update("me")


def test_whoever_is_meant_keeps_the_address_they_have() -> None:
    moved = person("x", OTHER_MAIL)
    assert match(A, "", None, [moved], []) == update("x", "", "email")
    assert match(A, B, None, [moved], [moved]) == update("x", "", "email")


# --- invariants -------------------------------------------------------------------------------------------------------

emails, phones = st.sampled_from(["", "a", "b", "c"]), st.sampled_from(["", "1", "2", "3"])
forms = st.tuples(emails, phones, st.sampled_from(["email", "phone"]))
Form = tuple[str, str, str]


def submit(people: dict[str, Contact], form: Form) -> Decision:
    """Do to people what a form does."""
    email, phone, first = form
    decision = decide(list(people.values()), email, phone, first=first)
    given = {"email": email, "phone": phone}
    if decision.outcome is Outcome.CREATE:
        people[f"c{len(people)}"] = person(f"c{len(people)}", email, phone, age=-len(people))
    elif decision.outcome is Outcome.UPDATE:
        had = people[decision.contact]
        has = {"email": had.email, "phone": had.phone}
        has |= {kind: value for kind, value in given.items() if value and kind not in decision.withheld}
        age = int((NOW - had.created_at).total_seconds() // 60)
        people[had.id] = person(had.id, has["email"], has["phone"], age)
    return decision


def addresses(people: dict[str, Contact]) -> dict[str, tuple[str, str]]:
    return {name: (one.email, one.phone) for name, one in people.items()}


@given(st.lists(forms, max_size=12))
def test_a_form_submitted_again_at_once_changes_nothing(submitted: list[Form]) -> None:
    people: dict[str, Contact] = {}
    for form in submitted:
        once = submit(people, form)
        before = addresses(people)
        twice = submit(people, form)
        assert addresses(people) == before
        assert twice.outcome is not Outcome.CREATE
        assert once.conflict == twice.conflict


@given(st.lists(forms, max_size=12))
def test_no_two_people_have_both_addresses_in_common(submitted: list[Form]) -> None:
    people: dict[str, Contact] = {}
    for form in submitted:
        submit(people, form)
    whole = [pair for pair in addresses(people).values() if all(pair)]
    assert len(whole) == len(set(whole))


@given(st.lists(forms, max_size=12))
def test_a_form_touches_nobody_who_has_neither_address_and_changes_no_address_to_another(submitted: list[Form]) -> None:
    people: dict[str, Contact] = {}
    for form in submitted:
        before = addresses(people)
        submit(people, form)
        for name, (email, phone) in before.items():
            now = addresses(people)[name]
            assert email in ("", now[0])
            assert phone in ("", now[1])
            if now != (email, phone):
                assert (email and email == form[0]) or (phone and phone == form[1])
