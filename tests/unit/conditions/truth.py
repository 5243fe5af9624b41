"""What a condition comes to, worked out once more from what was written: no order, no stopping early, no models."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.unit.conditions.facts import MadeUpFacts

from tidings.conditions.durations import parse_duration
from tidings.conditions.operators import judge
from tidings.conditions.values import lookup

_SOURCES = {"trait": "traits", "property": "properties", "answer": "answers"}


def truth(written: Mapping[str, Any], facts: MadeUpFacts) -> bool:
    """Whether what was written holds."""
    for kind, combine in (("all", all), ("any", any), ("none", lambda results: not any(results))):
        if kind in written:
            return bool(combine([truth(rule, facts) for rule in written[kind]]))
    for kind, source in _SOURCES.items():
        if kind in written:
            return compared(written, kind, getattr(facts, source))
    if "known" in written:
        return bool(written["known"] is facts.is_known)
    if "engaged" in written:
        return bool(seen(written, facts))
    return count(written, facts) == 0 if "did_not" in written else count(written, facts) >= written.get("at_least", 1)


def compared(written: Mapping[str, Any], kind: str, values: Mapping[str, Any]) -> bool:
    """Whether the operator's meaning, which has a table of its own, holds for the value of that name."""
    ((operator, wanted),) = [(key, value) for key, value in written.items() if key != kind]
    return judge(operator, wanted, lookup(values, written[kind])).holds


def seen(written: Mapping[str, Any], facts: MadeUpFacts) -> dict[str, datetime]:
    """What a person did, of what is asked for, with what the component sent."""
    by = written.get("by", ["opened", "clicked", "replied"])
    kinds = [by] if isinstance(by, str) else by
    return {kind: at for kind, at in facts.engaged.get(written["engaged"], {}).items() if kind in kinds}


def count(written: Mapping[str, Any], facts: MadeUpFacts) -> int:
    """How many events there were in the period with such properties."""
    earliest = []
    if "since" in written:
        since = written["since"]
        name = since if isinstance(since, str) else f"step:{since['step']}"
        if name not in facts.instants:
            return 0
        earliest.append(facts.instants[name])
    if "within" in written:
        earliest.append(facts.now - parse_duration(written["within"]))
    return sum(
        all(occurrence.received_at >= one for one in earliest)
        and ("where" not in written or truth(written["where"], MadeUpFacts(properties=occurrence.properties)))
        for occurrence in facts.events.get(written.get("did") or written["did_not"], [])
    )
