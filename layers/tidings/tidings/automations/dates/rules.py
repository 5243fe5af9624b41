"""When the date in a trait comes round, and what is told then: the rules of date triggers, without any store.

An occasion is one time that a date comes round. Its key names it whatever the time zone: the year of an anniversary, or
the day of a date that comes once. Who is told of an occasion is told of it once, also if their zone changes between.

The day of an anniversary is the one that was written, also where a time and a zone stand behind it: somebody born on 1
January is so everywhere. A date that comes once, and says a time, falls on that instant's day where the person is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from tidings.activity.model import SYSTEM, Event
from tidings.activity.own_events import DATE_REACHED
from tidings.automations.definition.triggers import TraitDate
from tidings.automations.machines.calendar import anniversary, day_of, in_year, instant_of, next_anniversary
from tidings.conditions.values import lookup, parse_instant
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.core.ids import digest

# By how much the same time of day lies apart in any two time zones.
ZONES_APART = timedelta(hours=26)
# Whoever writes down an occasion that is nearer than this is not sure to do so before it is looked up.
MARGIN = timedelta(minutes=2)
MINUTE = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)


class Dated(Protocol):
    """An automation that a date starts."""

    @property
    def name(self) -> str: ...
    @property
    def published_at(self) -> datetime: ...
    @property
    def date(self) -> TraitDate | None: ...


@dataclass(frozen=True, slots=True)
class Occasion:
    """One time that a date comes round: the day that it is about, and the instant at which it is told."""

    key: str
    day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """An occasion of a contact as it stands in the agenda, in the minute `bucket` in which it is looked up."""

    workspace: str
    bucket: datetime
    at: datetime
    automation: str
    contact: str
    key: str


def next_occasion(rule: TraitDate, value: Any, begins: datetime, zone: ZoneInfo) -> Occasion | None:
    """The first occasion of a date at `begins` or later; None if there is none, or the value is no date."""
    if rule.every == "once":
        found = _once(rule, value, zone)
        return found if found is not None and found.at >= begins else None
    day = written_day(value)
    following = None if day is None else next_anniversary(begins, day, rule.offset_length, rule.time, zone)
    if day is None or following is None:
        return None
    year, instant = following
    return Occasion(str(year), in_year(day, year), instant)


def occasion(rule: TraitDate, value: Any, key: str, zone: ZoneInfo) -> Occasion | None:
    """The occasion of a key; None if the date has none of it any more."""
    if rule.every == "once":
        found = _once(rule, value, zone)
        return found if found is not None and found.key == key else None
    day = written_day(value)
    if day is None or not key.isdecimal() or len(key) > 4:
        return None
    instant = anniversary(int(key), day, rule.offset_length, rule.time, zone)
    return None if instant is None else Occasion(key, in_year(day, int(key)), instant)


def written_day(value: Any) -> date | None:
    """The day that a date, or a date with a time, is written with."""
    if parse_instant(value) is None:
        return day_of(value)
    return datetime.fromisoformat(value).date()


def due(rule: TraitDate, entry: Entry, contact: Contact, zone: ZoneInfo) -> Occasion | None:
    """The occasion that an entry stands for, if it has come, by what is known of the contact now; else None.

    It has if it is at that very instant still. It has also if the person's zone changed since, so that it came earlier
    and nobody was there to tell: it is late then by less than zones lie apart, and the date was known before it came.
    """
    found = occasion(rule, lookup(contact.values, rule.trait), entry.key, zone)
    if found is None or found.at > entry.at:
        return None
    if found.at == entry.at:
        return found
    known = set_at(contact, rule.trait)
    return found if entry.at - found.at <= ZONES_APART and known is not None and known < found.at else None


def upcoming(one: Dated, contact: Contact, begins: datetime, zone: ZoneInfo, back: timedelta) -> Occasion | None:
    """The next occasion of a contact from `begins` on, or one that came up to `back` before, to be told late.

    That it may have been missed has two reasons: the contact's zone changed at `begins`, so that what was ahead lies
    behind now; or the wait for it was lost. Whoever was told of it is not told again.
    """
    rule = one.date
    if rule is None:
        return None
    value = lookup(contact.values, rule.trait)
    known = set_at(contact, rule.trait)
    if back and known is not None:
        missed = next_occasion(rule, value, begins - back, zone)
        if missed is not None and max(known, one.published_at) < missed.at < begins:
            return missed
    return next_occasion(rule, value, begins, zone)


def entry_of(one: Dated, contact: Contact, found: Occasion, now: datetime) -> Entry:
    """Where an occasion stands in the agenda: in the minute in which it comes, or the next that is safe."""
    bucket = _full_minute(found.at if found.at >= now + MARGIN else now + MARGIN)
    return Entry(contact.workspace, bucket, found.at, one.name, contact.id, found.key)


def reached(rule: TraitDate, entry: Entry, contact: Contact, found: Occasion, now: datetime) -> Event:
    """The event that tells of an occasion. A repeat is the same, as is the same occasion of whom the contact absorbed.

    Its id names the automation, the date and the occasion, and not the instant, which moves with the contact's zone.
    """
    return Event(
        workspace=contact.workspace,
        identity=Identity(IdentityKind.CONTACT, contact.id),
        message_id=message_id(rule, entry),
        type=SYSTEM,
        name=DATE_REACHED,
        received_at=now,
        timestamp=found.at,
        properties={"automation": entry.automation, "trait": rule.trait, "date": found.day.isoformat()},
    )


def message_id(rule: TraitDate, entry: Entry) -> str:
    """The id of the event that tells of an entry's occasion."""
    return digest("date reached", entry.automation, rule.trait, rule.every, entry.key)


def set_at(contact: Contact, trait: str) -> datetime | None:
    """When a trait was set, or the object that it is in; None if it is not there."""
    name = trait
    while name not in contact.traits:
        name, dot, _ = name.rpartition(".")
        if not dot:
            return None
    return contact.traits[name].at


def touches(traits: Mapping[str, Any] | Iterable[str], trait: str) -> bool:
    """Whether setting some traits may change one, which may lie in an object among them."""
    return any(trait == name or trait.startswith(f"{name}.") for name in traits)


def _once(rule: TraitDate, value: Any, zone: ZoneInfo) -> Occasion | None:
    said = parse_instant(value)
    try:
        instant = instant_of(value, rule.time, rule.offset_length, zone)
        if said is None or instant is None:
            return None
        day = day_of(value) or said.astimezone(zone).date()
    except OverflowError:
        return None
    return Occasion(said.astimezone(UTC).date().isoformat(), day, instant)


def _full_minute(instant: datetime) -> datetime:
    floor = instant.replace(second=0, microsecond=0)
    return floor if floor == instant else floor + MINUTE
