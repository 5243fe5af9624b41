"""Where the parts of a text message end."""

from __future__ import annotations

from tidings.messages.parts import EXTENDED, GSM, SIZES, measure


def split(text: str) -> list[str]:
    """The parts of a message, as `measure` counts them; a character of two units stays whole."""
    length = measure(text)
    if length.parts == 1:
        return [text]
    room = SIZES[length.encoding][1]
    parts, used = [""], 0
    for sign in text:
        size = 2 if (sign in EXTENDED if length.encoding == GSM else ord(sign) > 0xFFFF) else 1
        if used + size > room:
            parts, used = [*parts, ""], 0
        parts[-1] += sign
        used += size
    return parts
