"""Phone numbers in one spelling, whoever wrote them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.contacts.phones import LONGEST_CHARACTERS, normalise_phone

POLISH = "+48601234567"


@pytest.mark.parametrize(
    ("written", "country", "kept"),
    [
        ("+48601234567", "", POLISH),
        ("+48 601-234-567", "", POLISH),
        (" (+48) 601 234 567 ", "", POLISH),
        ("0048601234567", "", POLISH),
        ("00 48 601 234 567", "PL", POLISH),
        ("tel:+48601234567", "", POLISH),
        # The three forms of an imported file (product rule 2.3).
        ("+48601234567", "PL", POLISH),
        ("0601234567", "PL", POLISH),
        ("601234567", "PL", POLISH),
        (601234567, "PL", POLISH),
        (48601234567, "PL", POLISH),
        ("601 234 567", "pl", POLISH),
        ("+48601234567", "US", POLISH),  # its own prefix wins over the default
        ("020 7946 0958", "GB", "+442079460958"),
        ("011 44 20 7946 0958", "US", "+442079460958"),  # the prefix that the United States dial
        ("0044 20 7946 0958", "US", "+442079460958"),  # and the one that everybody writes
        ("(201) 555-0123", "US", "+12015550123"),
        ("+1 201 555 0123 ext. 45", "", "+12015550123"),
    ],
)  # fmt: skip
def test_a_number_has_one_spelling(written: Any, country: str, kept: str) -> None:
    assert normalise_phone(written, country) == kept


@pytest.mark.parametrize(
    ("written", "country"),
    [
        (None, "PL"), ("", "PL"), (" ", "PL"), ("phone", "PL"), ("+48", "PL"), ("+4860123456", ""), ("12", "PL"),
        ("601234567", ""),  # nobody says from where
        ("601234567", "XX"), ("601234567", "Poland"), (601234567, ""), (48601234567, ""),
        (True, "PL"), (1.5, "PL"), (-601234567, "PL"), (10**100, "PL"), ([], "PL"), ({}, "PL"),
        ("+48601234567, +48601234568", ""), ("+48" + " " * LONGEST_CHARACTERS + "601234567", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_a_number_is_none(written: Any, country: str) -> None:
    assert normalise_phone(written, country) == ""


def test_a_whole_number_too_large_to_be_written_out_is_none() -> None:
    assert normalise_phone(10**5000, "PL") == ""


# What looks like a number: mostly digits, and what people put between and around them.
numbers = st.one_of(
    st.text(),
    st.text(alphabet="0123456789+-() .ext/;=#*٠١٢", max_size=LONGEST_CHARACTERS + 2),
    st.integers(min_value=-10, max_value=10**16),
    st.builds(lambda code, rest: f"+{code}{rest}", st.sampled_from([1, 7, 44, 48, 49, 81]), st.integers(10**7, 10**11)),
)
countries = st.sampled_from(["", "PL", "US", "GB", "IT", "JP", "AR", "ZZ", "poland"])


@given(numbers, countries, countries)
def test_a_number_once_read_stays_as_it_is_whatever_the_default(written: Any, country: str, other: str) -> None:
    kept = normalise_phone(written, country)
    assert normalise_phone(kept, other) == kept


@given(numbers, countries)
def test_what_is_kept_is_a_plus_and_at_most_fifteen_digits(written: Any, country: str) -> None:
    kept = normalise_phone(written, country)
    assert kept == "" or (kept[0] == "+" and kept[1:].isascii() and kept[1:].isdecimal() and len(kept) <= 16)
