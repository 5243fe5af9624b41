"""What a question for contacts means."""

from __future__ import annotations

import pytest

from tidings.accounts.model import Identifiers
from tidings.contacts.merging import name_words, words_of
from tidings.contacts.model import Contact, Trait
from tidings.contacts.search import Question, read_question
from tidings.core.clock import from_text
from tidings.core.errors import InvalidInput

POLAND = Identifiers(default_country="PL")
NOW = from_text("2026-11-21T09:00:00Z")


def read(**query: str) -> Question:
    return read_question("acme", query, lambda: POLAND)


def called(**traits: str) -> Contact:
    return Contact("acme", "c", NOW, traits={name: Trait(value, NOW, "m") for name, value in traits.items()})


@pytest.mark.parametrize(
    ("query", "identity"),
    [
        ({"user_id": "u-7"}, "user#u-7"),
        ({"user_id": " u-7 "}, "user#u-7"),
        ({"anonymous_id": "a-9"}, "anon#a-9"),
        ({"email": " Ada@People.example"}, "email#ada@people.example"),
        ({"phone": "600 100 200"}, "phone#+48600100200"),
        ({"phone": " 48600100200"}, "phone#+48600100200"),
        ({"phone": "+1 202 555 0123"}, "phone#+12025550123"),
        ({"external_id": "7", "external_type": "shop"}, "ext#shop#7"),
        ({"user_id": "u-7", "limit": "5", "kind": "identified", "channel": "email"}, "user#u-7"),
        ({"user_id": ""}, "user#"),
    ],
)
def test_a_question_names_one_identity(query: dict[str, str], identity: str) -> None:
    assert str(read(**query).identity) == identity


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"user_id": "u", "anonymous_id": "a"}, "invalid_identity", "anonymous_id"),
        ({"name": "ada", "message": "m"}, "invalid_identity", "name"),
        ({"external_id": "7"}, "invalid_identity", "external_type"),
        ({"external_type": "shop"}, "invalid_identity", "external_type"),
        ({"email": "ada"}, "invalid_email", "email"),
        ({"email": ""}, "invalid_email", "email"),
        ({"phone": "1"}, "invalid_phone", "phone"),
        ({"user_id": "u" * 1025}, "id_too_long", "user_id"),
        ({"anonymous_id": "ą" * 513}, "id_too_long", "anonymous_id"),
        ({"external_id": "x" * 1024, "external_type": "shop"}, "id_too_long", "external_id"),
        ({"name": "a"}, "query_too_short", "name"),
        ({"name": "a b c"}, "query_too_short", "name"),
        ({"name": " -!"}, "query_too_short", "name"),
        ({"channel": "fax"}, "unknown_channel", "channel"),
        ({"channel": ""}, "unknown_channel", "channel"),
        ({"kind": "known"}, "unknown_kind", "kind"),
        ({"emial": "ada@people.example"}, "unknown_parameter", "emial"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(query: dict[str, str], code: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(**query)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_a_question_that_names_nobody_is_about_everybody() -> None:
    assert read() == read(limit="5", cursor="x") == Question("acme")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Zoë Łukasz-Ng", ["zoe", "lukasz", "ng"]),
        ("  ADA   lovelace ", ["ada", "lovelace"]),
        ("Świętosława O'Brien", ["swietoslawa", "o", "brien"]),
        ("Ștefan Þór Æsir", ["stefan", "thor", "aesir"]),
        ("ß Strauß", ["ss", "strauss"]),
        ("김 李小龍", ["김", "李小龍"]),
        ("— …", []),
        ("x" * 50, ["x" * 40]),
    ],
)
def test_a_name_comes_apart_into_words_without_accents_and_capitals(text: str, words: list[str]) -> None:
    found = words_of(text)
    assert found[1:] == words[1:] if text.startswith("김") else found == words


def test_a_name_is_found_by_six_words_of_two_letters_or_more() -> None:
    assert name_words(called(name="A Bo Cy", first_name="Bo", last_name="Do Ed Fu Gi Ha")) == {
        *("bo", "cy", "do", "ed", "fu", "gi")
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("ada", True),
        ("LOVE", True),
        ("love ad", True),
        ("ada l", True),
        ("lovelace ada", True),
        ("ada byron", False),
        ("dá", False),
        ("zoe", True),
    ],
)
def test_every_word_asked_for_begins_a_word_of_the_name(asked: str, found: bool) -> None:
    assert read(name=asked).takes(called(name="Ada Zoë", last_name="Lovelace")) is found


def test_cursors_of_different_questions_are_bound_to_different_scopes() -> None:
    questions = [read(), read(kind="anonymous"), read(channel="email"), read(user_id="ada"), read(name="ada")]
    questions += [read(message="ada"), read(name="ada lo"), read_question("other", {}, lambda: POLAND)]
    assert len({question.scope for question in questions}) == len(questions)
