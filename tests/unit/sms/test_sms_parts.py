"""How many parts a text message has, and what costs some; the numbers are those of a carrier's calculator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.messages.parts import ALPHABET, BASIC, EXTENDED, TYPOGRAPHIC, foreign, kept_gsm, measure, replaced

texts = st.text(max_size=700) | st.text(alphabet=sorted(ALPHABET) + list("ąłż😀"), max_size=700)
OVER = [("ą" * 631, True), ("😀" * 315, False), ("😀" * 316, True)]
gsm_texts = st.text(alphabet=sorted(ALPHABET), max_size=700)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", "GSM", 0, 1),
        ("a" * 160, "GSM", 160, 1),
        ("a" * 161, "GSM", 161, 2),
        ("a" * 306, "GSM", 306, 2),
        ("a" * 307, "GSM", 307, 3),
        ("€" * 80, "GSM", 160, 1),
        ("€" * 81, "GSM", 162, 2),
        ("ą" * 70, "Unicode", 70, 1),
        ("ą" * 71, "Unicode", 71, 2),
        ("ą" * 134, "Unicode", 134, 2),
        ("ą" * 135, "Unicode", 135, 3),
        ("👍" * 35, "Unicode", 70, 1),
        ("👍" * 36, "Unicode", 72, 2),
        ("ó", "Unicode", 1, 1),
        ("ò", "GSM", 1, 1),
        ("{}[]~|^\\", "GSM", 16, 1),
        ("\f", "GSM", 2, 1),
    ],
)
def test_parts_are_counted(text: str, encoding: str, units: int, parts: int) -> None:
    length = measure(text)
    assert (length.encoding, length.units, length.parts) == (encoding, units, parts)


def test_the_alphabet_has_128_characters_less_the_escape_and_ten_more() -> None:
    assert (len(BASIC), len(EXTENDED), BASIC & EXTENDED) == (127, 10, set())


def test_an_extension_character_is_not_split_between_parts() -> None:
    assert measure("a" * 152 + "€" + "a" * 152).units == 306
    assert measure("a" * 152 + "€" + "a" * 152).parts == 3


def test_a_surrogate_pair_is_not_split_between_parts() -> None:
    assert measure("ą" * 66 + "😀" + "ą" * 66).units == 134
    assert measure("ą" * 66 + "😀" + "ą" * 66).parts == 3


@pytest.mark.parametrize("shown", ["🇵🇱", "👍🏽", "👨‍👩‍👧‍👦"])
def test_what_is_shown_as_one_character_is_not_split(shown: str) -> None:
    units = measure(shown).units
    assert measure("ą" * 66 + shown + "ą" * (134 - 66 - units)).units == 134
    assert measure("ą" * 66 + shown + "ą" * (134 - 66 - units)).parts == 3


@pytest.mark.parametrize(
    ("text", "too_long"),
    [("a" * 1600, False), ("a" * 1601, True), ("€" * 800, False), ("€" * 801, True), ("ą" * 630, False), *OVER],
)
def test_a_message_has_1600_units_of_gsm_or_630_others(text: str, too_long: bool) -> None:
    assert measure(text).is_too_long is too_long


@given(texts)
def test_every_unit_has_room_and_no_part_is_empty(text: str) -> None:
    length = measure(text)
    alone, together = (160, 153) if length.encoding == "GSM" else (70, 67)
    if length.units <= alone:
        assert length.parts == 1
    else:
        assert length.parts >= 2
        assert length.parts * together >= length.units


@given(gsm_texts, gsm_texts)
def test_more_text_is_never_fewer_parts(text: str, more: str) -> None:
    assert measure(text).parts <= measure(text + more).parts


@given(texts)
def test_a_text_is_unicode_just_where_a_character_is_foreign(text: str) -> None:
    signs = list(foreign(text))
    assert (measure(text).encoding == "Unicode") == bool(signs)
    assert all(text[sign.at] == sign.character for sign in signs)


def test_what_forces_unicode_is_named_with_its_place_and_what_would_stand_there() -> None:
    found = [(sign.character, sign.at, sign.by) for sign in foreign("Zażółć “hi”")]
    assert found == [("ż", 2, None), ("ó", 3, None), ("ł", 4, None), ("ć", 5, None), ("“", 7, '"'), ("”", 10, '"')]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("“Hi” – it’s 5…", '"Hi" - it\'s 5...'),
        ("a\u00a0b\u202fc", "a b c"),
        ("• one\u2028• two", "- one\n- two"),
        ("e\ufb03cient \ufb01ne", "efficient fine"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("cafe\u0301", "café"),
        ("Zażółć gęślą jaźń", "Zażółć gęślą jaźń"),
        ("l·l ñ ß Ω", "l·l ñ ß Ω"),
        ("日本 😀", "日本 😀"),
    ],
)
def test_typographic_characters_are_replaced_and_letters_are_not(text: str, plain: str) -> None:
    assert replaced(text) == plain


def test_whatever_stands_for_a_typographic_character_is_of_gsm() -> None:
    assert all(sign in ALPHABET for by in TYPOGRAPHIC.values() for sign in by)
    assert not set(TYPOGRAPHIC) & ALPHABET
    assert not any(
        sign.isalpha() for sign in set(TYPOGRAPHIC) - set("\u02bc\u02b9\u02ba\ufb00\ufb01\ufb02\ufb03\ufb04")
    )


@given(st.text(alphabet=st.sampled_from(sorted(TYPOGRAPHIC) + list("abcąż ")), max_size=400) | texts)
def test_a_replaced_text_stays_what_it_is(text: str) -> None:
    assert replaced(replaced(text)) == replaced(text)


@given(st.text(alphabet=st.sampled_from(sorted(TYPOGRAPHIC) + list("abcąż ")), max_size=400))
def test_replacing_never_costs_a_part(text: str) -> None:
    assert measure(kept_gsm(text)).parts <= measure(text).parts


def test_nothing_is_replaced_beside_a_letter_that_gsm_lacks() -> None:
    assert kept_gsm("“Zażółć”…") == "“Zażółć”…"
    assert kept_gsm("“Hello”…") == '"Hello"...'
