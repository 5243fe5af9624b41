"""Why a condition holds or not: the result, what was expected and what was found, for every rule, in English.

Decides by the same functions as `evaluate`. It asks every rule, where `evaluate` stops once the result is certain.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidings.conditions.evaluate import Tally, combined, compared, counted, engaged
from tidings.conditions.facts import REPLIED, Facts
from tidings.conditions.model import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Count,
    Did,
    Engaged,
    Group,
    Known,
    NoneOf,
    SinceStep,
)
from tidings.conditions.operators import Judgement, Reason
from tidings.core.clock import to_text

# Nobody reads the difference between a thousand and more, and each costs a read.
COUNT_UP_TO = 1000
# In bytes, as JSON says them; and what one character takes at most there.
_LONGEST_SHOWN = 80
_LONGEST_TEXT = 300
_LARGEST = 6

# How each operator is said when it holds and when it does not.
_SAID = {
    "is": ("is", "is not"),
    "is_not": ("is not", "is"),
    "in": ("is one of", "is none of"),
    "not_in": ("is none of", "is one of"),
    "contains": ("contains", "does not contain"),
    "starts_with": ("starts with", "does not start with"),
    "ends_with": ("ends with", "does not end with"),
    "greater_than": ("is greater than", "is not greater than"),
    "at_least": ("is at least", "is not at least"),
    "less_than": ("is less than", "is not less than"),
    "at_most": ("is at most", "is not at most"),
    "before": ("is before", "is not before"),
    "after": ("is after", "is not after"),
}
_KNOWN = {True: "is known", False: "is anonymous"}
_GROUPS = {
    "all": ("all must", "all must"),
    "any": ("one is enough", "one must"),
    "none": ("none may", "none may"),
}


_DONE = {REPLIED: "replied to"}
_INSTANT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Explanation:
    """One rule: its result, what it expected, what was found (a value, or a count), one sentence, and its parts.

    Each text and value takes at most 300 bytes as JSON; a found value that is longer, or that JSON cannot say, is the
    text of it, cut. A rule about engagement finds the instant of each kind that it saw.
    """

    result: bool
    expected: str
    found: Any
    sentence: str
    parts: tuple[Explanation, ...] = ()

    def as_dict(self, most: int = 200) -> dict[str, Any]:
        """The explanation as plain data that JSON can say, of at most `most` rules, of at most 1,000 bytes each.

        `parts` stands only where there are some; `more` is how many of them were left out.
        """
        data, _ = self._as_dict(most)
        return data

    def _as_dict(self, most: int) -> tuple[dict[str, Any], int]:
        data = {"result": self.result, "expected": self.expected, "found": self.found, "sentence": self.sentence}
        left, parts = most - 1, []
        for part in self.parts:
            if left < 1:
                break
            inner, left = part._as_dict(left)
            parts.append(inner)
        if parts:
            data["parts"] = parts
        if len(parts) < len(self.parts):
            data["more"] = len(self.parts) - len(parts)
        return data, left

    def lines(self, indent: str = "") -> list[str]:
        """The explanation as lines of text, parts indented."""
        own = f"{indent}{'yes' if self.result else 'no '}  {self.sentence}"
        return [own, *(line for part in self.parts for line in part.lines(indent + "  "))]


def explain(condition: Condition, facts: Facts) -> Explanation:
    """Why `condition` holds for `facts` or not; `.result` is always what `evaluate` answers."""
    if isinstance(condition, AllOf | AnyOf | NoneOf):
        return _group(condition, facts)
    if isinstance(condition, Comparison):
        judgement, found = compared(condition, facts)
        sentence = _comparison_sentence(condition, judgement, found)
        return Explanation(judgement.holds, describe(condition), _kept(found), _cut(sentence))
    if isinstance(condition, Known):
        found = facts.is_known
        holds = found == condition.known
        wish = "as asked for" if holds else "which they must not be"
        return Explanation(holds, describe(condition), found, f"The person {_KNOWN[found]}, {wish}.")
    if isinstance(condition, Engaged):
        return _engaged(condition, facts)
    tally = counted(condition, facts, limit=max(condition.enough, COUNT_UP_TO))
    return Explanation(tally.holds, describe(condition), tally.count, _cut(_count_sentence(condition, tally)))


def describe(condition: Condition) -> str:
    """The condition in words, cut at 300 bytes: `plan is "team" and seats is at least 3`."""
    if isinstance(condition, Group):
        return _cut(_describe_group(condition))
    if isinstance(condition, Comparison):
        return _cut(f"{condition.name} {_said(condition, True)}")
    if isinstance(condition, Known):
        return f"the person {_KNOWN[condition.known]}"
    if isinstance(condition, Engaged):
        return _cut(f"what {condition.component} sent was {_ways(condition)}")
    times = f"came at least {_times(condition.enough)}" if isinstance(condition, Did) else "did not come"
    return _cut(f"{condition.event} {times}{_period(condition, None)}{_with(condition)}")


def _group(group: AllOf | AnyOf | NoneOf, facts: Facts) -> Explanation:
    parts = tuple(explain(rule, facts) for rule in group.rules)
    result = combined(group, [part.result for part in parts])
    held = sum(part.result for part in parts)
    wish = _GROUPS[group.kind][0 if result else 1]
    sentence = f"{held} of {len(parts)} rules {'holds' if held == 1 else 'hold'}, and {wish}."
    return Explanation(result, describe(group), held, sentence, parts)


def _engaged(rule: Engaged, facts: Facts) -> Explanation:
    found = engaged(rule, facts, whole=True)
    seen = [f"{_DONE.get(kind, kind)} ({at:{_INSTANT}} UTC)" for kind, at in found.items()]
    became = _listed(seen, "and") if seen else f"not {_ways(rule)}"
    if not found and not facts.has_sent(rule.component):
        return Explanation(False, describe(rule), {}, _cut(f"{rule.component} sent them nothing."))
    instants = {kind: to_text(at) for kind, at in found.items()}
    return Explanation(bool(found), describe(rule), instants, _cut(f"What {rule.component} sent was {became}."))


def _ways(rule: Engaged) -> str:
    """`opened, clicked or replied to`."""
    return _listed([_DONE.get(kind, kind) for kind in rule.kinds], "or")


def _listed(words: Sequence[str], last: str) -> str:
    return f" {last} ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _describe_group(group: Group) -> str:
    said = [f"({describe(rule)})" if isinstance(rule, Group | Engaged) else describe(rule) for rule in group.rules]
    if group.kind == "none":
        return f"none of: {', '.join(said)}"
    return (" and " if group.kind == "all" else " or ").join(said)


def _comparison_sentence(rule: Comparison, judgement: Judgement, found: Any) -> str:
    subject = f"{rule.kind.capitalize()} {rule.name}"
    if rule.operator == "exists":
        return f"{subject} has no value." if found is None else f"{subject} has a value: {_shown(found)}."
    said = _said(rule, judgement.holds)
    if judgement.reason == Reason.MISSING:
        return f"{subject} has no value, so it {said}."
    if judgement.reason:
        return f"{subject} is {_shown(found)}, which {judgement.reason}, so it {said}."
    if said == f"is {_shown(found)}":
        return f"{subject} {said}." if judgement.holds else f"{subject} {said}, which it must not be."
    return f"{subject} is {_shown(found)}, which {said}."


def _said(rule: Comparison, holds: bool) -> str:
    if rule.operator == "exists":
        return "has a value" if rule.value else "has no value"
    values = rule.value if rule.operator in {"in", "not_in"} else [rule.value]
    value = _cut(", ".join(_shown(one) for one in values), _LONGEST_SHOWN)
    return f"{_SAID[rule.operator][0 if holds else 1]} {value}"


def _count_sentence(rule: Count, tally: Tally) -> str:
    if not tally.started:
        since = rule.since.step if isinstance(rule.since, SinceStep) else rule.since
        return f"{rule.event} was not counted, since nobody passed {since} yet."
    came = f"came {_times(tally.count)}" if tally.count else "did not come"
    more = " or more" if tally.count >= COUNT_UP_TO else ""
    wish = f"at least {_times(rule.enough)} was asked for" if isinstance(rule, Did) else "it should not have come"
    if not isinstance(rule, Did) and tally.holds:
        wish = "as asked for"
    return f"{rule.event} {came}{more}{_period(rule, tally.since)}{_with(rule)}; {wish}."


def _period(rule: Count, since: datetime | None) -> str:
    said = ""
    if isinstance(rule.since, SinceStep):
        said += f" since {rule.since.step}"
    elif rule.since is not None:
        said += " since the enrolment"
    if rule.within is not None:
        said += f"{' and' if said else ''} within {rule.within}"
    return f"{said} ({since:{_INSTANT}} UTC or later)" if said and since else said


def _with(rule: Count) -> str:
    return f" where {describe(rule.where)}" if rule.where is not None else ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):  # a number of thousands of digits, nesting without end
        text = f"a {type(value).__name__} that cannot be shown"
    return _cut(text, _LONGEST_SHOWN)


def _kept(value: Any) -> Any:
    """The value as it reads back once it was stored or sent; what JSON cannot say, or is long, becomes text."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        if len(text.encode()) <= _LONGEST_TEXT:
            return json.loads(text)
    except (TypeError, ValueError, RecursionError):  # a date or a Decimal, NaN however deep, half a character
        pass
    return _shown(value)


def _cut(text: str, most: int = _LONGEST_TEXT) -> str:
    """The text with no half characters, cut so that as JSON it takes at most so many bytes, quotes not counted."""
    text = text[: most + 1].encode(errors="replace").decode()
    if _size(text) <= most:
        return text
    room = most - len("…".encode())
    while (over := _size(text) - room) > 0:
        text = text[: -max(1, over // _LARGEST)]
    return text + "…"


def _size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2
