"""The country of a phone number, and what text messages may do there: a table of facts, and the owner's own.

Whether a country takes a name as the sender of a text message, and whether people there can answer, is decided by its
carriers and regulators (product rule 3.3). The table is `countries.json`, with its source and date; it grows old, so
that a workspace's `sms` setup may say otherwise for any country, with a source and date of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any


class Names(StrEnum):
    """What a country makes of names as senders."""

    NOT_SUPPORTED = "not_supported"
    REGISTRATION = "registration"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds in a country; `source` and `date` say who says so. `own` is what the owner has said."""

    country: str
    sender_id: Names
    two_way: bool
    source: str
    date: str
    note: str = ""
    own: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The rule as answers show it."""
        return {**asdict(self), "sender_id": self.sender_id.value}


@lru_cache(maxsize=1024)
def country_of(number: str) -> str:
    """The country of a number in E.164 (ISO 3166, two letters); empty if it is no number, or of no country.

    +1 and a few other prefixes are shared by countries: there the whole number says which.
    """
    # Imported here: it takes a dozen times as long as json.
    import phonenumbers

    try:
        country = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ""
    # "001" is everywhere: satellite telephones and the like.
    return country if country and country.isalpha() else ""


def rule_of(country: str, own: Mapping[str, Mapping[str, Any]] | None = None) -> Rule:
    """What holds in a country: the table's word, and above it the owner's, for what the owner says anything of.

    A country that nobody tells of takes no names and no answers: what is not known to work is not tried.
    """
    told = _table()
    known = told["rules"].get(country) or Rule(country, Names.NOT_SUPPORTED, False, "not in the table", told["date"])
    said = (own or {}).get(country)
    if not said:
        return known
    return Rule(
        country=country,
        sender_id=Names(said.get("sender_id") or known.sender_id),
        two_way=bool(said.get("two_way", known.two_way)),
        source=str(said.get("source") or ""),
        date=str(said.get("date") or ""),
        note=known.note,
        own=True,
    )


def all_rules(own: Mapping[str, Mapping[str, Any]] | None = None) -> list[Rule]:
    """What holds in every country that the table or the owner tells of, by the letters of the countries."""
    return [rule_of(country, own) for country in sorted({*_table()["rules"], *(own or {})})]


@cache
def _table() -> Mapping[str, Any]:
    told: Mapping[str, Any] = json.loads((files(__package__) / "countries.json").read_text())
    two_way, source, date = set(told["two_way"].split()), told["source"], told["date"]
    takes = {country: Names(names) for names, countries in told["sender_id"].items() for country in countries.split()}
    rules = {
        country: Rule(
            country,
            takes.get(country, Names.NOT_SUPPORTED),
            country in two_way,
            source,
            date,
            told["notes"].get(country, ""),
        )
        for country in {*takes, *two_way}
    }
    return {"date": date, "rules": rules}
