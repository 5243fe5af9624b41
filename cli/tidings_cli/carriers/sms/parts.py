"""How many parts an SMS has: the GSM 03.38 alphabet and UCS-2. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True)
class Length:
    """`encoding` is GSM or Unicode, as delivery events write it; `units` are septets or UTF-16 units."""

    encoding: str
    units: int
    parts: int


def measure(text: str) -> Length:
    """The length of a message: 160 septets or 70 UTF-16 units in one part, 153 or 67 in each of several.

    A character of two units (`€` in GSM, an emoji in Unicode) is never split between two parts.
    """
    if all(sign in _BASIC or sign in _EXTENDED for sign in text):
        sizes = [2 if sign in _EXTENDED else 1 for sign in text]
        return Length("GSM", sum(sizes), _parts(sizes, 160, 153))
    sizes = [len(sign.encode("utf-16-le")) // 2 for sign in text]
    return Length("Unicode", sum(sizes), _parts(sizes, 70, 67))


def _parts(sizes: list[int], alone: int, together: int) -> int:
    if sum(sizes) <= alone:
        return 1
    parts, room = 1, together
    for size in sizes:
        if size > room:
            parts, room = parts + 1, together
        room -= size
    return parts
