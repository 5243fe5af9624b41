"""Whether a condition holds.

`evaluate` and `explain` decide by the same functions of this module, so that they cannot disagree: `combined` for
groups, `compared` for one trait, property or answer, `counted` for events, `engaged` for what became of a message.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tidings.conditions.facts import EventQuery, Facts, Occurrence
from tidings.conditions.model import Comparison, Condition, Count, Did, Engaged, Group, Known
from tidings.conditions.operators import Judgement, judge
from tidings.conditions.values import lookup


def evaluate(condition: Condition, facts: Facts) -> bool:
    """Whether `condition` holds for `facts`.

    Stops as soon as the result is certain, and in a group asks those rules last that take a read, so that nothing is
    read that does not decide.
    """
    if isinstance(condition, Group):
        return combined(condition, (evaluate(rule, facts) for rule in condition.cheap_first))
    if isinstance(condition, Comparison):
        return compared(condition, facts)[0].holds
    if isinstance(condition, Known):
        return condition.known == facts.is_known
    if isinstance(condition, Engaged):
        return bool(engaged(condition, facts, whole=False))
    return counted(condition, facts, limit=condition.enough).holds


_COMBINED: dict[str, Callable[[Iterable[bool]], bool]] = {
    "all": all,
    "any": any,
    "none": lambda results: not any(results),
}


def combined(group: Group, results: Iterable[bool]) -> bool:
    """The result of a group whose rules have these results, in any order."""
    return _COMBINED[group.kind](results)


def compared(rule: Comparison, facts: Facts) -> tuple[Judgement, Any]:
    """Whether a rule about a trait, property or answer holds, and the value that was found (None: there is none)."""
    values = {"trait": "traits", "property": "properties", "answer": "answers"}[rule.kind]
    found = lookup(getattr(facts, values), rule.name)
    return judge(rule.operator, rule.value, found), found


def engaged(rule: Engaged, facts: Facts, whole: bool) -> dict[str, datetime]:
    """When each kind of engagement was first seen of those that the rule asks for; it holds if there is any.

    Stops once that is certain, unless the `whole` is asked for.
    """
    found: dict[str, datetime] = {}
    for kinds in rule.in_turn:
        if whole or not found:
            seen = facts.engagements(rule.component, kinds)
            found |= {kind: seen[kind] for kind in kinds if kind in seen}
    return found


@dataclass(frozen=True)
class Tally:
    """How often an event came since `since`; `started` is False where the period never began."""

    holds: bool
    count: int
    since: datetime | None
    started: bool = True


def counted(rule: Count, facts: Facts, limit: int | None) -> Tally:
    """Whether a rule about events holds, and the count, which stops at `limit`.

    `limit` must be None or at least `rule.enough`. A period that began at a step nobody passed is empty.
    """
    since, started = _since(rule, facts)
    count = _count(_matching(rule, facts, since), limit) if started else 0
    enough = count >= rule.enough
    return Tally(enough if isinstance(rule, Did) else not enough, count, since, started)


def _since(rule: Count, facts: Facts) -> tuple[datetime | None, bool]:
    starts = []
    if rule.since_name is not None:
        instant = facts.instant(rule.since_name)
        if instant is None:
            return None, False
        starts.append(instant)
    if rule.within_length is not None:
        starts.append(facts.now - rule.within_length)
    return max(starts, default=None), True


def _matching(rule: Count, facts: Facts, since: datetime | None) -> Iterator[Occurrence]:
    for occurrence in facts.occurrences(EventQuery(rule.event, since)):
        if rule.where is None or evaluate(rule.where, _Counted(occurrence.properties, facts.now)):
            yield occurrence


def _count(occurrences: Iterator[Occurrence], limit: int | None) -> int:
    count = 0
    for _ in occurrences:
        count += 1
        if count == limit:
            break
    return count


@dataclass(frozen=True)
class _Counted:
    """The facts inside `where`: the properties of the counted event and nothing else."""

    properties: Mapping[str, Any]
    now: datetime
    traits: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    is_known: bool = False

    def instant(self, name: str) -> datetime | None:
        return None

    def occurrences(self, query: EventQuery) -> Iterable[Occurrence]:
        return ()

    def engagements(self, component: str, kinds: Collection[str]) -> Mapping[str, datetime]:
        return {}

    def has_sent(self, component: str) -> bool:
        return False
