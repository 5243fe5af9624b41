"""Where Liquid stands in a text: found in one pass, before its parser sees it.

The parser's own lexer takes time that grows with the square of what is left open, and more; a text that it could hang
on is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# Elements of HTML that have no end.
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})

CONSTRUCT_CHARACTERS = 4000
SPACES = 200  # in a row, within a construct

_OPENS = re.compile(r"\{\{|\{%")
_NAME = re.compile(r"\{%-?\s{0,200}(\w*)")
# What stands between these is no Liquid.
_LITERAL = {
    "raw": re.compile(r"\{%-?\s*endraw\s*-?%\}"),
    "doc": re.compile(r"\{%-?\s*enddoc\s*-?%\}"),
}
_SPACES = re.compile(rf"\s{{{SPACES}}}")


class Unclosed(ValueError):
    """A construct of Liquid has no end, or one too far away."""


@dataclass(frozen=True, slots=True)
class Construct:
    """One output, tag or literal block: `source[start:end]`. `name` is a tag's, and empty for an output."""

    start: int
    end: int
    name: str

    @property
    def is_output(self) -> bool:
        """Whether it is `{{ … }}`."""
        return not self.name


def constructs(source: str) -> Iterator[Construct]:
    """Every construct of Liquid in its order; a `raw` block is one. Raises Unclosed."""
    place = 0
    while found := _OPENS.search(source, place):
        start = found.start()
        closing = "}}" if found[0] == "{{" else "%}"
        end = source.find(closing, start + 2, start + CONSTRUCT_CHARACTERS)
        if end < 0:
            raise Unclosed(f"{found[0]} is not closed by {closing} within {CONSTRUCT_CHARACTERS} characters")
        if _SPACES.search(source, start, end):
            raise Unclosed(f"over {SPACES} spaces in a row stand between {found[0]} and {closing}")
        place = end + 2
        name = "" if closing == "}}" else _name(source, start)
        if name in _LITERAL:
            close = _LITERAL[name].search(source, place)
            if close is None:
                raise Unclosed(f"the tag {name} is not closed by end{name}")
            place = close.end()
        yield Construct(start, place, name)


def _name(source: str, start: int) -> str:
    found = _NAME.match(source, start)
    return (found[1] if found else "") or "#"


class Masked:
    """A text in which tokens stand for its Liquid, so that who reads HTML or CSS cannot trip over it.

    A token is letters and digits alone, and occurs nowhere else in the text.
    """

    def __init__(self, source: str) -> None:
        self.parts = [source[one.start : one.end] for one in constructs(source)]
        self.names = [one.name for one in constructs(source)]
        self.mark = _unused(source)
        self._token = re.compile(rf"{self.mark}(\d+)z")
        pieces, done = [], 0
        for number, one in enumerate(constructs(source)):
            pieces += [source[done : one.start], self.token(number)]
            done = one.end
        self.text = "".join([*pieces, source[done:]])

    def token(self, number: int) -> str:
        """What stands for a construct."""
        return f"{self.mark}{number}z"

    def restored(self, text: str) -> str:
        """The text with its Liquid again."""
        return self.replaced(text, lambda number: self.parts[number])

    def replaced(self, text: str, by: Callable[[int], str]) -> str:
        """The text with something else for each token."""
        return self._token.sub(lambda found: by(int(found[1])), text)

    def within(self, text: str) -> list[int]:
        """Which constructs stand in a piece of the masked text."""
        return [int(found[1]) for found in self._token.finditer(text)]


def _unused(source: str) -> str:
    lowered = source.lower()  # some readers lower the names of tags and attributes
    number = 0
    while f"liq{number}x" in lowered:
        number += 1
    return f"liq{number}x"


def opens_liquid(text: str) -> bool:
    """Whether a text would be taken for Liquid."""
    return _OPENS.search(text) is not None
