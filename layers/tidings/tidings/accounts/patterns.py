"""Patterns that operators write and every event is held against: how much work one can make.

Python's engine tries one way after another to fit a text, and a careless pattern such as `(a+)+b` has more ways than
anybody can wait for. So a pattern is refused by the number of its ways: of a repeat the lengths it can have, of an
alternative its arms, and of what stands side by side the product. `.*test.*` has as many as are let pass, which take
some milliseconds at worst, on the longest value there is. A repeat of what itself has several ways soon has too many.
"""

from __future__ import annotations

import re
from typing import Any

CHARACTERS = 200
# What a repeat of any length counts. On the longest values it has four times as many, each of them quickly tried.
LENGTHS = 256
WAYS = LENGTHS * LENGTHS

_FAR_TOO_MANY = WAYS + 1


def ways(pattern: str) -> int:
    """In how many ways a pattern can be tried on a text; `WAYS` + 1 stands for any number beyond. Raises re.error."""
    from re import _parser  # type: ignore[attr-defined]  # the library's own reading; no public module offers one

    re.compile(pattern)
    return _side_by_side(_parser.parse(pattern))


def _side_by_side(parts: Any) -> int:
    product = 1
    for operation, argument in parts:
        product = min(product * _ways_of(str(operation), argument), _FAR_TOO_MANY)
    return product


def _ways_of(operation: str, argument: Any) -> int:
    if operation in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return _repeated(*argument)
    if operation == "BRANCH":
        return min(sum(_side_by_side(arm) for arm in argument[1]), _FAR_TOO_MANY)
    if operation in ("SUBPATTERN", "ASSERT", "ASSERT_NOT"):
        return _side_by_side(argument[-1])
    if operation == "ATOMIC_GROUP":
        return _side_by_side(argument)
    if operation == "GROUPREF_EXISTS":
        return sum(_side_by_side(arm) for arm in argument[1:] if arm)
    return 1


def _repeated(least: int, most: int, part: Any) -> int:
    times = min(int(most), least + LENGTHS - 1)
    lengths = times - int(least) + 1
    inner = _side_by_side(part)
    if inner == 1:
        return lengths
    return _FAR_TOO_MANY if times > WAYS.bit_length() else min(lengths * inner**times, _FAR_TOO_MANY)
