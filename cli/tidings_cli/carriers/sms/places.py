"""The country of a number, also of one that only looks like one: tests write to numbers that belong to nobody."""

from __future__ import annotations

import phonenumbers

from tidings.sms import countries


def country_of(number: str) -> str:
    """ISO 3166, two letters; empty where not even the prefix is a country's."""
    if known := countries.country_of(number):
        return known
    try:
        country = phonenumbers.region_code_for_country_code(phonenumbers.parse(number).country_code or 0)
    except phonenumbers.NumberParseException:
        return ""
    return country if country and country.isalpha() and country != "ZZ" else ""
