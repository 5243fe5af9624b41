"""Phone numbers in the one spelling that all channels and all matching use: E.164 (ITU-T E.164, product rule 1.6)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

# Numbers have at most 15 digits (E.164, 6.2.1). The rest is room for how people write them: spaces, brackets, "ext.".
LONGEST_CHARACTERS = 64


def normalise_phone(value: Any, default_country: str = "") -> str:
    """A phone number in E.164, such as `+48601234567`; empty if it cannot be one.

    `default_country` (ISO 3166, two letters) is where a number without a country's prefix is from; without one only
    numbers that begin with `+` or `00` can be read. Whole numbers count as their digits. An extension is dropped, since
    neither a text message nor a match can use it.
    """
    if not isinstance(value, str | int):
        return ""
    # Python refuses to write out whole numbers of thousands of digits.
    if isinstance(value, int) and not 0 <= value < 10**LONGEST_CHARACTERS:
        return ""
    text = str(value).strip()
    if not text or len(text) > LONGEST_CHARACTERS:
        return ""
    return _e164(text, default_country.strip().upper())


@lru_cache(maxsize=1024)
def _e164(text: str, country: str) -> str:
    # Imported here: it takes a dozen times as long as json, and few events carry a number.
    import phonenumbers

    for written in _readings(text):
        try:
            number = phonenumbers.parse(written, country or None)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return ""


def _readings(text: str) -> Iterator[str]:
    """What may be meant, the likeliest first."""
    if text.startswith("00"):  # how "+" is dialled nearly everywhere, and so how people write it anywhere
        yield f"+{text[2:]}"
    yield text
    # A zero in front is written from habit also where no number begins with one (product rule 2.3, for Poland).
    if text.startswith("0") and not text.startswith("00"):
        yield text[1:]
