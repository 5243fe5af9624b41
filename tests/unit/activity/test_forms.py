"""What a form says: whom it names, what makes a repeat one, what it tells of a contact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tidings.accounts.model import Identifiers
from tidings.activity.forms import Form, read_form
from tidings.activity.rules import Reporter
from tidings.contacts.model import Contact, Identity, IdentityKind, Trait

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
A, B = "ada@people.example", "+48600100200"
SECRET = "ws_1"
REPORTER = Reporter("acme", identifiers=Identifiers(default_country="PL"))


def form(reporter: Reporter = REPORTER, secret: str = SECRET, **body: Any) -> Form:
    return read_form(reporter, secret, body, NOW)


def contact(**traits: Any) -> Contact:
    return Contact("acme", "c1", NOW, {name: Trait(value, NOW, "m") for name, value in traits.items()})


@pytest.mark.parametrize(("body", "names"), [
    ({}, False),
    ({"traits": {"birthday": "1990-01-01", "gender": "female", "country": "PL"}}, False),
    ({"anonymousId": "a-1"}, False),
    ({"userId": "null"}, False),
    ({"userId": "u-1"}, True),
    ({"traits": {"email": A}}, True),
    ({"traits": {"phone": B}}, True),
    ({"context": {"traits": {"phone": B}}}, True),
])  # fmt: skip
def test_an_address_or_a_user_id_names_somebody(body: dict[str, Any], names: bool) -> None:
    assert form(**body).names_somebody is names


def test_addresses_are_brought_into_one_spelling_and_traits_left_as_given() -> None:
    said = form(traits={"email": " Ada@People.example", "phone": "600 100 200", "firstName": "Ada", "city": " "})
    assert (said.email, said.phone) == (A, B)
    assert said.traits == {"email": " Ada@People.example", "phone": "600 100 200", "firstName": "Ada"}


SAID = {"form": "f", "userId": "u-1", "traits": {"email": A, "n": {"a": 1, "b": 2}}}


@pytest.mark.parametrize("same", [
    {"timestamp": "2026-11-21T08:00:00Z"},
    {"anonymousId": "a-1"},
    {"context": {"ip": "203.0.113.9"}},
    {"traits": {"n": {"b": 2, "a": 1}, "email": A, "phone": ""}},
])  # fmt: skip
def test_the_same_content_is_the_same_message(same: dict[str, Any]) -> None:
    assert form(**{**SAID, **same}).message_id == form(**SAID).message_id


@pytest.mark.parametrize("other", [
    {"form": "g"}, {"userId": "u-2"}, {"traits": {"email": A}}, {"messageId": "m-1"},
])  # fmt: skip
def test_other_content_is_another_message(other: dict[str, Any]) -> None:
    assert form(**{**SAID, **other}).message_id != form(**SAID).message_id


def test_a_message_id_counts_before_the_content() -> None:
    assert form(messageId=" m-1 ", traits={"email": A}).message_id == "m-1"


def test_new_ids_come_from_whom_the_form_names_and_nobody_can_make_them_without_the_secret() -> None:
    first, second = form(messageId="m-1", traits={"email": A}).new_ids()
    again, other = form(messageId="m-2", traits={"email": A, "name": "Ada"}).new_ids()
    assert first == again
    assert second not in (first, other)
    assert first not in form(secret="ws_2", messageId="m-1", traits={"email": A}).new_ids()
    assert all(one.startswith("c") and len(one) == 27 for one in (first, second))


@pytest.mark.parametrize(("has", "said", "name"), [
    ({}, {"email": A}, "ada"),
    ({"name": ""}, {"email": A}, "ada"),
    ({"name": None}, {"email": A}, "ada"),
    ({"name": "Ada"}, {"email": A}, None),
    ({"last_name": "L"}, {"email": A}, None),
    ({}, {"email": A, "lastName": "L"}, None),
    ({}, {"phone": B}, None),
])  # fmt: skip
def test_who_has_no_name_is_called_by_their_e_mail(has: dict[str, Any], said: dict[str, Any], name: str | None) -> None:
    assert form(traits=said).told_of(contact(**has), frozenset()).get("name") == name


def test_an_e_mail_that_is_not_given_names_nobody() -> None:
    assert form(traits={"email": A, "x": 1}).told_of(contact(), frozenset({"email"})) == {"x": 1}
    known = replace(contact(email="b@people.example"), identities=frozenset({Identity(IdentityKind.USER, "u-1")}))
    public = replace(REPORTER, publishable=True)
    assert "name" not in form(public, traits={"email": A}).told_of(known, frozenset())
    assert form(traits={"email": A}).told_of(known, frozenset())["name"] == "ada"
    opened = replace(public, identifiers=Identifiers(addresses_open=True))
    assert form(opened, traits={"email": A}).told_of(known, frozenset())["name"] == "ada"


def test_an_event_names_the_visitor_s_device_only_where_it_is_the_contact_s() -> None:
    said = form(form="f", anonymousId="a-1", traits={"email": A, "phone": B}, timestamp="2026-11-21T08:00:00Z")
    event = said.event(contact(name="Ada"), frozenset({"phone"}))
    assert (event.anonymous_id, event.type, event.name) == ("", "form", "Form Submitted")
    assert event.properties == {"form": "f", "withheld": {"phone": B}}
    assert event.traits == {"email": A}
    assert event.timestamp == datetime(2026, 11, 21, 8, tzinfo=UTC)
    own = replace(contact(), identities=frozenset({Identity(IdentityKind.ANONYMOUS, "a-1")}))
    assert said.event(own, frozenset()).anonymous_id == "a-1"
