"""Which identity a question names."""

from __future__ import annotations

import pytest

from tidings.contacts.service import identity_in
from tidings.core.errors import InvalidInput


@pytest.mark.parametrize(
    ("query", "identity"),
    [
        ({"user_id": "u-7"}, "user#u-7"),
        ({"user_id": " u-7 "}, "user#u-7"),
        ({"anonymous_id": "a-9"}, "anon#a-9"),
        ({"email": " Ada@People.example"}, "email#ada@people.example"),
        ({"user_id": "u-7", "email": "", "limit": "5"}, "user#u-7"),
    ],
)
def test_a_question_names_one_identity(query: dict[str, str], identity: str) -> None:
    assert str(identity_in(query)) == identity


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({}, "invalid_identity", "user_id"),
        ({"user_id": ""}, "invalid_identity", "user_id"),
        ({"user_id": "u", "anonymous_id": "a"}, "invalid_identity", "user_id"),
        ({"phone": "+48600100200"}, "invalid_identity", "user_id"),
        ({"email": "ada"}, "invalid_email", "email"),
        ({"user_id": "u" * 1025}, "id_too_long", "user_id"),
        ({"anonymous_id": "ą" * 513}, "id_too_long", "anonymous_id"),
    ],
)
def test_a_question_that_names_none_or_several_is_refused(query: dict[str, str], code: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        identity_in(query)
    assert (caught.value.code, caught.value.field) == (code, field)
