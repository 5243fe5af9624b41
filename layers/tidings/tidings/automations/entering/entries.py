"""How often somebody has entered an automation, and whether they may again: what `reentry` says, as pure rules.

Two ways of being exact. Where a rule lets in once, for good or for each value of a property, the enrolment's own key
says so: a second one cannot be stored. Where it counts, the count stands beside the enrolments and is changed in the
transaction that stores one, which is refused if the count changed since it was read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tidings.activity.model import Event
from tidings.automations.definition.triggers import Reentry
from tidings.conditions.durations import format_duration
from tidings.conditions.values import lookup
from tidings.core.clock import to_text
from tidings.core.ids import digest

ONCE, EVERY_TIME = "once", "every_time"
Rule = str | Reentry
Place = tuple[str, str]  # where an enrolment stands: a contact's id and the entry


@dataclass(frozen=True, slots=True)
class Entered:
    """One entry: where it stands, when it began, which value of the property it counts for, and what began it.

    `under_way` if the person is still on their way.
    """

    place: Place
    at: datetime
    scope: str
    under_way: bool
    event: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tally:
    """What entries come to: how many there were, when the latest began, and those that may be under way."""

    count: int = 0
    last: datetime | None = None
    ways: tuple[Place, ...] = ()

    def with_entry(self, at: datetime, way: Place | None) -> Tally:
        """The tally with one entry more; `way` is kept where it is asked how many are under way."""
        ways = self.ways if way is None else (*self.ways, way)
        return Tally(self.count + 1, at if self.last is None else max(at, self.last), ways)

    def with_ways(self, ways: Iterable[Place]) -> Tally:
        """The tally with those of its ways that are under way."""
        return replace(self, ways=tuple(ways))


@dataclass(frozen=True, slots=True)
class Denied:
    """That re-entry says no: by which rule, in one sentence, and what it went by."""

    rule: str
    sentence: str
    seen: Mapping[str, Any]


def is_keyed(rule: Rule) -> bool:
    """Whether a rule lets in once, for good or for each value, so that the enrolment's key is all it takes."""
    return rule == ONCE or (isinstance(rule, Reentry) and rule.cap == 1 and (rule.per is None or rule.parallel is None))


def is_counted(rule: Rule) -> bool:
    """Whether a rule goes by a count."""
    return isinstance(rule, Reentry) and not is_keyed(rule)


def basis_of(rule: Rule) -> str:
    """What a rule's entries are known by: where two versions have the same, the entries of the one count in the other.

    Where they differ, earlier entries are counted anew from the enrolments themselves.
    """
    if isinstance(rule, str):
        return rule
    if is_keyed(rule):
        return ONCE if rule.per is None else f"{ONCE}:{rule.per}"
    return f"counted:{'ways' if rule.parallel else ''}:{rule.per or ''}"


def scope_of(rule: Rule, properties: Mapping[str, Any]) -> str | None:
    """The value that an event's entry counts for, as a short text; empty if all count alike.

    None where the property has no value, or an empty text, which tells nothing apart.
    """
    if not isinstance(rule, Reentry) or rule.per is None:
        return ""
    value = lookup(properties, rule.per)
    return None if value is None or value == "" else digest("value", _canonical(value))


def entry_of(event: Event, rule: Rule, scope: str = "") -> str:
    """What makes a contact's enrolment one: the message that caused it, or that there is only ever one.

    Not the identity that it came under: a browser sends a message again under the user id that it knows by then.
    """
    if is_keyed(rule):
        return f"per-{scope}" if scope else ONCE
    return digest("entry", event.message_id)


def tally_of(entries: Iterable[Entered], scope: str | None) -> Tally:
    """What entries come to for a value; all of them for None. Only those under way are kept as ways."""
    tally = Tally()
    for one in sorted(entries, key=lambda entry: (entry.at, entry.place)):
        if scope is None or one.scope == scope:
            tally = tally.with_entry(one.at, one.place if one.under_way else None)
    return tally


def denied(rule: Reentry, of_value: Tally, of_all: Tally, at: datetime) -> Denied | None:
    """Why an entry at an instant may not be, by the first of the rule's keys that says no; None if it may."""
    each = f" with the same {rule.per}" if rule.per else ""
    if rule.cap is not None and of_value.count >= rule.cap:
        return _capped(rule, of_value)
    length = rule.interval_length
    if length is not None and of_value.last is not None and at - of_value.last < length:
        said = f"they entered{each} on {_shown(of_value.last)}, and {format_duration(length)} must pass in between"
        return Denied("interval", said, {"interval": rule.interval, "last": to_text(of_value.last), **_per(rule)})
    if rule.parallel is not None and len(of_all.ways) >= rule.parallel:
        ways = len(of_all.ways)
        said = f"they are in it {_times(ways)} already, and may be {_times(rule.parallel)}"
        return Denied("parallel", said, {"parallel": rule.parallel, "under_way": ways})
    return None


def denied_by_key(rule: Rule, last: datetime) -> Denied:
    """That somebody entered once, which is all they may; `last` is when."""
    if isinstance(rule, Reentry):
        return _capped(rule, Tally(1, last))
    return Denied(ONCE, f"they entered on {_shown(last)}, and may enter only once", {"last": to_text(last)})


def no_key(rule: Rule) -> Denied:
    """That an event has no value by which its entry would count."""
    per = rule.per if isinstance(rule, Reentry) else None
    return Denied("per", f"the event has no {per}, by which entries are told apart", {"per": per})


def _capped(rule: Reentry, tally: Tally) -> Denied:
    each = f" with the same {rule.per}" if rule.per else ""
    said = f"they entered {_times(tally.count)}{each}, and may enter {_times(rule.cap or 1)}"
    last = {"last": to_text(tally.last)} if tally.last else {}
    return Denied("at_most", said, {"at_most": rule.cap, "entered": tally.count, **last, **_per(rule)})


def _per(rule: Reentry) -> dict[str, Any]:
    return {"per": rule.per} if rule.per else {}


def _canonical(value: Any) -> str:
    """A value as text, the same for values that conditions take for the same: 1 and 1.0 are."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _shown(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
