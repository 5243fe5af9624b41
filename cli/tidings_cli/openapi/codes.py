"""The codes of errors, each with its status and meaning, as the documentation lists them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"

_ROW = re.compile(r"^\| (?P<codes>`[^|]+`) \| (?P<status>[45]\d{2}) \| (?P<meaning>[^|]+) \|$", re.MULTILINE)
_LINT_ROW = re.compile(r"^\| (?P<codes>`[a-z_`, ]+`) \| (?P<meaning>[^|]+) \| [^|]+ \|$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Code:
    """One code: the status that it comes with, and what it means."""

    name: str
    status: int
    meaning: str


@cache
def codes() -> dict[str, Code]:
    """Every code that the API can answer, by name, from docs/developers.md."""
    text = (DOCS / "developers.md").read_text(encoding="utf-8")
    return {
        name: Code(name, int(row["status"]), row["meaning"].strip())
        for row in _ROW.finditer(text)
        for name in _CODE.findall(row["codes"])
    }


@cache
def lint_codes() -> tuple[str, ...]:
    """The codes of mistakes in an automation, from the table under "What lint finds" in docs/writing-automations.md."""
    text = (DOCS / "writing-automations.md").read_text(encoding="utf-8")
    section = text.partition("\n## What lint finds")[2].partition("\n## ")[0]
    rows = _LINT_ROW.finditer(section)
    return tuple(sorted({name for row in rows for name in _CODE.findall(row["codes"])}))


def by_status(names: Iterable[str]) -> dict[int, list[Code]]:
    """The codes of these names, by status. Raises KeyError for a code that is not listed."""
    found: dict[int, list[Code]] = {}
    for name in sorted(set(names)):
        code = codes()[name]
        found.setdefault(code.status, []).append(code)
    return dict(sorted(found.items()))
