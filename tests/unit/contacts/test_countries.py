"""Countries and the continents they are counted to."""

from __future__ import annotations

import pytest
from babel import Locale

from tidings.contacts.countries import CONTINENTS, continent_of, country_code

# Two letters that CLDR has names for and ISO 3166-1 no countries: parts of countries, unions, and private use.
NO_COUNTRIES = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}


def test_every_country_has_a_continent() -> None:
    codes = {code for code in Locale("en").territories if len(code) == 2} - NO_COUNTRIES
    assert len(codes) == 250  # the 249 of ISO 3166-1, and Kosovo
    assert {code for code in codes if continent_of(code) not in CONTINENTS} == set()
    assert all(continent_of(code) == "" for code in NO_COUNTRIES)


@pytest.mark.parametrize(
    ("country", "continent"),
    [("PL", "EU"), ("US", "NA"), ("BR", "SA"), ("KE", "AF"), ("JP", "AS"), ("NZ", "OC"), ("AQ", "AN"), ("TR", "AS")],
)
def test_a_country_lies_on_a_continent(country: str, continent: str) -> None:
    assert continent_of(country) == continent


@pytest.mark.parametrize(
    ("text", "code"),
    [("PL", "PL"), ("pl", "PL"), ("POL", "PL"), ("Poland", "PL"), ("POLAND ", "PL"), ("UK", "GB"), ("USA", "US"),
     ("616", "PL"), ("SU", ""),
     ("Germany", "DE"), ("", ""), ("EU", ""), ("ZZ", ""), ("Atlantis", ""), ("European Union", "")],
)  # fmt: skip
def test_a_country_is_known_by_its_letters_and_its_english_name(text: str, code: str) -> None:
    assert country_code(text) == code
