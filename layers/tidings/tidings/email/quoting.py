"""Which part of a mail its writer wrote, and which is what it answers.

The rule looks at how lines stand, and at no language's words. The first of these ends what was written:

1. a line with the address of ours that was written to, which mail programs repeat above what they quote ("On Friday,
   Acme <reply+…> wrote:"), if it or one of the next two ends in a colon;
2. lines marked with `>` that go on to the end, with the line before them if that ends in a colon;
3. a line of dashes around words (`-----Original Message-----`) or of ten underscores;
4. three lines in a row such as `From: …`, `Sent: …`, `To: …`, the first with an address in it.

Where the writer answers between marked lines, 1 and 2 cut nothing: without the questions the answers would mean
nothing. What comes out empty is left whole. The whole text is kept beside (`conversations.mail_store`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# How many lines are looked at: who writes more quotes more.
LINES = 5000
HEADERS = 3
CONTINUED = 20  # characters of a line that only ends what the one before it began, such as "wrote:"

_DIVIDER = re.compile(r"-{3,}[^-].{0,80}-{3,}\s*|_{10,}\s*")
_HEADER = re.compile(r"\*?[^\W\d_][\w -]{1,20}:\*?\s.{1,400}")
_ADDRESS = re.compile(r"\S@\S")


def written(text: str, ours: str = "") -> str:
    """What the writer of a mail wrote; `ours` is the address of ours that it answers, empty for none."""
    lines = text.splitlines()[:LINES]
    ends = [
        end for end in (_quoted(lines), _divided(lines), _headed(lines), _attributed(lines, ours)) if end is not None
    ]
    kept = "\n".join(lines[: min(ends)] if ends else text.splitlines()).strip()
    return kept or text.strip()


def _quoted(lines: Sequence[str]) -> int | None:
    """Where the quoted lines begin that go on to the end."""
    start = len(lines)
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number].strip()
        if line.startswith(">"):
            start = number
        elif line:
            break
    return _attribution(lines, start) if start < len(lines) else None


def _attribution(lines: Sequence[str], start: int) -> int:
    """Where the line begins that says who wrote what is quoted from `start`; programs break it in two or three."""
    number = start - 1
    while number >= 0 and not lines[number].strip():
        number -= 1
    if number < 0 or not lines[number].rstrip().endswith(":"):
        return start
    for _ in range(2):
        line = lines[number].strip()
        goes_on = line.startswith("<") or (len(line) <= CONTINUED and not _ADDRESS.search(line))
        if goes_on and number > 0 and lines[number - 1].strip():
            number -= 1
    return number


def _divided(lines: Sequence[str]) -> int | None:
    return next((number for number, line in enumerate(lines) if _DIVIDER.fullmatch(line.strip()[:200])), None)


def _headed(lines: Sequence[str]) -> int | None:
    """Where a block of headers begins that a mail program puts above what it quotes."""
    for number in range(len(lines) - HEADERS + 1):
        block = [line.strip()[:500] for line in lines[number : number + HEADERS]]
        if _ADDRESS.search(block[0]) and all(_HEADER.fullmatch(line) for line in block):
            return number
    return None


def _attributed(lines: Sequence[str], ours: str) -> int | None:
    """Where the line begins that names our own address and introduces a quotation."""
    for number, line in enumerate(lines if ours else ()):
        ends = [
            place for place in range(number, number + 3) if "".join(lines[place : place + 1]).rstrip().endswith(":")
        ]
        if ours.lower() in line.lower() and ends:
            rest = [one.strip() for one in lines[ends[0] + 1 :] if one.strip()]
            marked = [one.startswith(">") for one in rest]
            return None if any(marked) and not all(marked) else _attribution(lines, ends[0] + 1)
    return None
