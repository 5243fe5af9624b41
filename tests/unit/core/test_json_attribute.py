"""JSON is stored in as few bytes as it takes, and read again as it was."""

from __future__ import annotations

from typing import Any

import pytest

from tidings.core.store import JsonAttribute


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"plan": "team", "seats": [1, 2]}, '{"plan":"team","seats":[1,2]}'),
        ({"name": "Łucja"}, '{"name":"Łucja"}'),
        ({}, "{}"),
        (None, None),
    ],
)
def test_json_is_stored_without_spaces_and_with_letters_as_they_are(value: Any, text: str | None) -> None:
    attribute = JsonAttribute()
    assert attribute.serialize(value) == text
    assert text is None or attribute.deserialize(text) == value


def test_what_was_stored_with_spaces_is_still_read() -> None:
    assert JsonAttribute().deserialize('{"name": "\\u0141ucja"}') == {"name": "Łucja"}
