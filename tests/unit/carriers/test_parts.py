"""How many parts a text message has; the numbers are those of a carrier's own calculator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.messages.parts import measure


@pytest.mark.parametrize(
    ("text", "encoding", "parts"),
    [
        ("a" * 160, "GSM", 1),
        ("a" * 161, "GSM", 2),
        ("a" * 306, "GSM", 2),
        ("a" * 307, "GSM", 3),
        ("ą" * 70, "Unicode", 1),
        ("ą" * 71, "Unicode", 2),
        ("€" * 80, "GSM", 1),
        ("€" * 81, "GSM", 2),
        ("👍" * 35, "Unicode", 1),
        ("👍" * 36, "Unicode", 2),
        ("ó", "Unicode", 1),
        ("ò", "GSM", 1),
        ("{}[]~|^\\", "GSM", 1),
        ("", "GSM", 1),
    ],
)
def test_parts_are_counted(text: str, encoding: str, parts: int) -> None:
    length = measure(text)
    assert (length.encoding, length.parts) == (encoding, parts)


def test_a_sign_of_two_units_is_not_split() -> None:
    # 306 septets fill two parts of 153 exactly, but a € cannot start on the last septet of the first.
    assert measure("a" * 152 + "€" + "a" * 152).units == 306
    assert measure("a" * 152 + "€" + "a" * 152).parts == 3


@given(st.text(max_size=700))
def test_more_text_never_has_fewer_parts(text: str) -> None:
    assert measure(text + "ą").parts >= 1
    assert measure(text + "x").parts >= measure(text).parts
