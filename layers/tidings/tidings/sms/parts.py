"""How many parts a text message has: the alphabet of GSM 03.38 (3GPP TS 23.038) and UCS-2. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

GSM = "GSM"
UNICODE = "Unicode"

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
# What fits one part, and each of several: the rest of those says which part of which message it is.
SIZES = {GSM: (160, 153), UNICODE: (70, 67)}


@dataclass(frozen=True, slots=True)
class Length:
    """`encoding` is `GSM` or `Unicode`, as delivery events write it; `units` are septets or UTF-16 units."""

    encoding: str
    units: int
    parts: int


def measure(text: str) -> Length:
    """The length of a message: 160 septets or 70 UTF-16 units in one part, 153 or 67 in each of several.

    A character of two units (`€` in GSM, an emoji in Unicode) is never split between two parts.
    """
    if all(sign in BASIC or sign in EXTENDED for sign in text):
        encoding, sizes = GSM, [2 if sign in EXTENDED else 1 for sign in text]
    else:
        encoding, sizes = UNICODE, [2 if ord(sign) > 0xFFFF else 1 for sign in text]
    return Length(encoding, sum(sizes), _parts(sizes, *SIZES[encoding]))


def _parts(sizes: list[int], alone: int, together: int) -> int:
    if sum(sizes) <= alone:
        return 1
    parts, room = 1, together
    for size in sizes:
        if size > room:
            parts, room = parts + 1, together
        room -= size
    return parts
