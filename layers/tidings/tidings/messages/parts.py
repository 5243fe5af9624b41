"""How many parts a text message has: the alphabet of GSM 03.38 (3GPP TS 23.038) and UCS-2. Pure functions.

The counts are those of the npm package sms-segments-calculator.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

GSM = "GSM"
UNICODE = "Unicode"

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
ALPHABET = BASIC | EXTENDED
# What fits one part, and each of several: the rest of those says which part of which message it is.
SIZES = {GSM: (160, 153), UNICODE: (70, 67)}
# What End User Messaging takes of a message at most, in units.
CEILINGS = {GSM: 1600, UNICODE: 630}

# What people's programs write where they typed a character of GSM, and that character. Letters stay.
TYPOGRAPHIC = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2035\u02bc\u02b9\u00b4\u0060", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\u02ba", '"'),
    "\u2039": "<",
    "\u203a": ">",
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043", "-"),
    **dict.fromkeys("\u2022\u2023\u25aa\u25cf\u25e6", "-"),
    "\u2027": ".",
    "\u2026": "...",
    "\u203c": "!!",
    **dict.fromkeys(
        "\u00a0\u2007\u202f\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u205f\u3000\t", " "
    ),
    **dict.fromkeys("\u2028\u2029\u0085\u000b", "\n"),
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\u2044": "/",
    "\u2215": "/",
    "\u00d7": "x",
    "\u2192": "->",
    "\u2190": "<-",
    "\u2122": "(TM)",
    "\u00a9": "(C)",
    "\u00ae": "(R)",
}


@dataclass(frozen=True, slots=True)
class Length:
    """`encoding` is `GSM` or `Unicode`, as delivery events write it; `units` are septets or UTF-16 units."""

    encoding: str
    units: int
    parts: int

    @property
    def is_too_long(self) -> bool:
        """Whether End User Messaging takes no message of that length."""
        return self.units > CEILINGS[self.encoding]

    def as_dict(self) -> dict[str, Any]:
        """The length as the API shows it."""
        return {"encoding": self.encoding, "units": self.units, "parts": self.parts}


@dataclass(frozen=True, slots=True)
class Sign:
    """A character that GSM lacks: which, its place in the text (from 0), and what `gsm7` puts there, if it does."""

    character: str
    at: int
    by: str | None

    def as_dict(self) -> dict[str, Any]:
        """The character as the API shows it."""
        return {"character": self.character, "at": self.at, "by": self.by}


def measure(text: str) -> Length:
    """The length of a message: 160 septets or 70 UTF-16 units in one part, 153 or 67 in each of several.

    A character of two units (`€` in GSM, an emoji in Unicode) is never split between two parts, nor is what is shown as
    one character and written as several, such as a flag. (A carrier that is less careful may do with fewer parts.)
    """
    if all(sign in ALPHABET for sign in text):
        sizes = [2 if sign in EXTENDED else 1 for sign in text]
        return Length(GSM, sum(sizes), _parts(sizes, *SIZES[GSM]))
    units = _utf16(text)
    alone, together = SIZES[UNICODE]
    sizes = [units] if units <= alone else [_utf16(shown) for shown in _shown(text)]
    return Length(UNICODE, units, _parts(sizes, alone, together))


def foreign(text: str) -> Iterator[Sign]:
    """The characters that make a text Unicode, in their order."""
    for at, sign in enumerate(text):
        if sign not in ALPHABET:
            yield Sign(sign, at, TYPOGRAPHIC.get(sign))


def replaced(text: str) -> str:
    """The text with characters of GSM where typographic ones stand; letters stay what they are.

    What is written as a letter and its accent becomes the one character that it is (NFC).
    """
    return "".join(TYPOGRAPHIC.get(sign, sign) for sign in unicodedata.normalize("NFC", text))


def kept_gsm(text: str) -> str:
    """The text without typographic characters, where that makes it GSM and no longer; else as it was.

    Beside one letter that GSM lacks they cost nothing, and to replace them would only make the text longer.
    """
    plain = replaced(text)
    made = measure(plain)
    return plain if made.encoding == GSM and made.parts <= measure(text).parts else text


def _utf16(text: str) -> int:
    return sum(2 if ord(sign) > 0xFFFF else 1 for sign in text)


def _shown(text: str) -> Iterator[str]:
    """What a person sees as one character each (Unicode Standard Annex 29); of what fits no part, what it consists of.

    The two characters of a line's end are two.
    """
    import regex  # late: only what is Unicode and longer than one part asks

    # A colour of skin behind what has none stands for itself, as a character of its own.
    alone = regex.compile(r"(?V1)(?<!\p{Emoji_Modifier_Base}\uFE0F?)(?=[\U0001F3FB-\U0001F3FF])")
    for cluster in regex.findall(r"\r|\n|\X", text):
        for shown in alone.split(cluster) if len(cluster) > 1 else [cluster]:
            yield from shown if _utf16(shown) > SIZES[UNICODE][1] else [shown]


def _parts(sizes: list[int], alone: int, together: int) -> int:
    if sum(sizes) <= alone:
        return 1
    parts, room = 1, together
    for size in sizes:
        if size > room:
            parts, room = parts + 1, together
        room -= size
    return parts
