"""When the date in a trait comes round: against a slow way to work it out, and through whole lives of moving about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tidings.automations.dates.rules import (
    INSTANT,
    MARGIN,
    ZONES_APART,
    Entry,
    Occasion,
    due,
    entry_of,
    message_id,
    next_occasion,
    occasion,
    reached,
    touches,
    upcoming,
    written_day,
)
from tidings.automations.definition.triggers import TraitDate
from tidings.automations.machines.calendar import in_year
from tidings.contacts.context import stamped
from tidings.contacts.model import Contact, Trait

ZONES = [
    "Europe/Warsaw", "America/Los_Angeles", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe",
    "Pacific/Auckland", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Sao_Paulo", "Africa/Cairo",
    "UTC",
]  # fmt: skip
WARSAW = ZoneInfo("Europe/Warsaw")
MINUTE = timedelta(minutes=1)

zones = st.sampled_from(ZONES)
days = st.dates(date(1920, 1, 1), date(2030, 12, 31)) | st.sampled_from(
    [date(2000, 2, 29), date(1990, 1, 1), date(1990, 12, 31), date(1985, 3, 29), date(1985, 10, 25), date(2004, 12, 30)]
)
offsets = st.sampled_from(["", "-3 days", "2 days", "-40 days", "400 days", "-5 hours", "30 minutes", "-26 hours"])
times = st.times().map(lambda at: at.strftime("%H:%M")) | st.sampled_from(["00:00", "02:30", "23:59"])
minutes = st.integers(0, 35 * 366 * 24 * 60)
instants = minutes.map(lambda number: datetime(2005, 1, 1, tzinfo=UTC) + number * timedelta(minutes=1))


def rule(every: str = "year", at: str = "09:00", offset: str = "") -> TraitDate:
    """A date trigger's date."""
    return TraitDate.model_validate(
        {"trait": "birthday", "every": every, "at": at, **({"offset": offset} if offset else {})}
    )


def shown(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The slow way: look at the clock minute by minute until it shows the time, or has skipped it."""
    wanted = datetime.combine(day, at)
    minute = datetime.combine(day, at, UTC) - timedelta(hours=40)

    def clock(instant: datetime) -> datetime:
        return instant.astimezone(zone).replace(tzinfo=None)

    step = timedelta(hours=6)  # far away it need not look at each
    while clock(minute + step) < wanted:
        minute += step
    while clock(minute) < wanted:
        minute += MINUTE
    skipped = clock(minute - MINUTE) + MINUTE
    return minute if clock(minute) == wanted else minute + (wanted - skipped)


def slow(of: TraitDate, day: date, begins: datetime, zone: ZoneInfo) -> Occasion | None:
    """The slow way: every year there is, the earliest that is not over."""
    offset = of.offset_length
    whole = timedelta(days=int(offset / timedelta(days=1)))
    found = []
    for year in range(max(day.year, begins.year - 3), begins.year + 6 if day.year <= begins.year + 3 else day.year + 2):
        there = in_year(day, year)
        found.append(Occasion(str(year), there, shown(there + whole, of.time, zone) + (offset - whole)))
    return min((one for one in found if one.at >= begins), key=lambda one: one.at, default=None)


@settings(max_examples=60)
@given(days, zones, times, offsets, instants)
def test_an_anniversary_comes_when_the_slow_way_says(
    day: date, zone: str, at: str, offset: str, begins: datetime
) -> None:
    of = rule(at=at, offset=offset)
    found = next_occasion(of, day.isoformat(), begins, ZoneInfo(zone))
    assert found == slow(of, day, begins, ZoneInfo(zone))
    assert found is not None
    assert occasion(of, day.isoformat(), found.key, ZoneInfo(zone)) == found


@settings(max_examples=60)
@given(st.dates(date(2005, 1, 2), date(2039, 1, 1)), zones, times, offsets)
def test_a_date_that_comes_once_comes_when_the_slow_way_says_if_it_is_not_over(
    day: date, zone: str, at: str, offset: str
) -> None:
    of = rule("once", at, offset)
    whole = timedelta(days=int(of.offset_length / timedelta(days=1)))
    expected = shown(day + whole, of.time, ZoneInfo(zone)) + (of.offset_length - whole)
    found = next_occasion(of, day.isoformat(), expected, ZoneInfo(zone))
    assert found == Occasion(day.isoformat(), day, expected)
    assert next_occasion(of, day.isoformat(), expected + INSTANT, ZoneInfo(zone)) is None


@dataclass
class Automation:
    """A published automation that goes by a date."""

    date: TraitDate
    name: str = "birthday"
    published_at: datetime = datetime(2000, 1, 1, tzinfo=UTC)


def contact(zone: str, said: str = "1990-12-01", known: datetime = datetime(2001, 1, 1, tzinfo=UTC)) -> Contact:
    """Somebody in a zone, whose date is known since then."""
    moved = stamped({"sdk": {"time_zone": zone}}, known) if zone else {}  # type: ignore[dict-item]
    return Contact("acme", "c1", known, traits={"birthday": Trait(said, known, "m")}, context=moved)


class Life:
    """What the agenda does to one person, by the rules alone."""

    def __init__(self, of: TraitDate, said: str, zone: str, begins: datetime) -> None:
        self.automation, self.contact, self.zone = Automation(of), contact(zone, said), ZoneInfo(zone)
        self.entries: set[Entry] = set()
        self.told: list[tuple[str, datetime]] = []
        self.write(begins, begins, back=timedelta())

    def write(self, now: datetime, begins: datetime, back: timedelta) -> None:
        found = upcoming(self.automation, self.contact, begins, self.zone, back)
        if found is not None:
            self.entries.add(entry_of(self.automation, self.contact, found, now))

    def move(self, now: datetime, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self.write(now, now, back=ZONES_APART)

    def live(self, until: datetime) -> None:
        """Let every minute come until an instant."""
        while ahead := [entry for entry in self.entries if entry.bucket <= until]:
            entry = min(ahead, key=lambda one: one.bucket)
            self.entries.discard(entry)
            found = due(self.automation.date, entry, self.contact, self.zone)
            if found is not None:
                self.told.append((message_id(self.automation.date, entry), entry.bucket))
            self.write(entry.bucket, max(entry.bucket, entry.at) + INSTANT, back=timedelta())


@settings(max_examples=200)
@given(
    day=days,
    at=times,
    offset=offsets,
    first=zones,
    moves=st.lists(st.tuples(st.integers(0, 3 * 366 * 24 * 60), zones), max_size=8),
    near=st.lists(st.tuples(st.integers(-30 * 60, 30 * 60), zones), max_size=5),
)
def test_however_somebody_moves_about_each_year_is_told_once(
    day: date, at: str, offset: str, first: str, moves: list[tuple[int, str]], near: list[tuple[int, str]]
) -> None:
    """Also where they move within a day of the time, over the date line, and back again."""
    of, begins = rule(at=at, offset=offset), datetime(2026, 1, 1, tzinfo=UTC)
    assume(day.year < 2026)
    around = next_occasion(of, day.isoformat(), begins + timedelta(days=200), ZoneInfo(first))
    assert around is not None
    when = [(begins + minutes * MINUTE, zone) for minutes, zone in moves]
    when += [(around.at + minutes * MINUTE, zone) for minutes, zone in near]
    life = Life(of, day.isoformat(), first, begins)
    for instant, zone in sorted(when):
        if instant > begins:
            life.live(instant)
            life.move(instant, zone)
    life.live(begins + timedelta(days=4 * 366))
    ids = {key for key, _ in life.told}
    for year in ids_between(of, day, begins + timedelta(days=3), begins + timedelta(days=4 * 365)):
        assert year in ids, "nobody is missed"


def ids_between(of: TraitDate, day: date, since: datetime, until: datetime) -> set[str]:
    """The ids of all occasions that come between two instants, whatever the zone."""
    found = set()
    for year in range(since.year - 3, until.year + 4):
        there = [occasion(of, day.isoformat(), str(year), ZoneInfo(zone)) for zone in ZONES]
        if all(one is not None and since < one.at < until for one in there):
            entry = Entry("acme", since, since, "birthday", "c1", str(year))
            found.add(message_id(of, entry))
    return found


@pytest.mark.parametrize(("said", "expected"), [
    ("1990-12-01", date(1990, 12, 1)), ("1990-12-01T00:00:00.000Z", date(1990, 12, 1)),
    ("1990-12-01T23:30:00-08:00", date(1990, 12, 1)), ("1990-12-01T00:30:00+14:00", date(1990, 12, 1)),
    ("19901201", date(1990, 12, 1)), ("december", None), (631152000, None), (None, None), ({}, None), ("9" * 100, None),
])  # fmt: skip
def test_a_birthday_is_on_the_day_that_was_written(said: Any, expected: date | None) -> None:
    assert written_day(said) == expected


def test_a_time_that_comes_once_falls_on_its_day_where_the_person_is() -> None:
    of, begins = rule("once"), datetime(2026, 1, 1, tzinfo=UTC)
    found = next_occasion(of, "2026-12-01T23:30:00Z", begins, WARSAW)
    assert found == Occasion("2026-12-01", date(2026, 12, 2), datetime(2026, 12, 2, 8, tzinfo=UTC))


def test_whoever_gave_their_date_after_the_time_is_not_told_late_when_they_move() -> None:
    of = rule()
    known = datetime(2026, 12, 1, 12, tzinfo=UTC)
    late = contact("Europe/Warsaw", known=known)
    found = upcoming(Automation(of), late, known + timedelta(hours=1), WARSAW, back=ZONES_APART)
    assert found is not None
    assert found.key == "2027"


def test_whoever_is_moved_after_a_publication_is_not_told_of_what_came_before_it() -> None:
    published = datetime(2026, 12, 1, 12, tzinfo=UTC)
    one = Automation(rule(), published_at=published)
    found = upcoming(one, contact("Europe/Warsaw"), published + timedelta(hours=1), WARSAW, back=ZONES_APART)
    assert found is not None
    assert found.key == "2027"


@pytest.mark.parametrize("said", ["1990-12-02", "1990-11-01", "later", None])
def test_an_entry_that_holds_no_more_is_nobody_s(said: Any) -> None:
    entry = Entry("acme", datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2026, 12, 1, 8, tzinfo=UTC), "b", "c1", "2026")
    one = contact("Europe/Warsaw")
    assert due(rule(), entry, one, WARSAW) is not None
    changed = replace(one, traits={"birthday": Trait(said, entry.at, "m2")})
    assert due(rule(), entry, changed, WARSAW) is None


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-3600, 3), (0, 2), (119, 2), (120, 2), (121, 3), (300, 5), (330, 6)]
)
def test_an_entry_stands_in_its_minute_or_the_next_that_is_safe(seconds: int, expected: int) -> None:
    now = datetime(2026, 12, 1, 8, 0, 1 if seconds < 0 else 0, tzinfo=UTC)
    found = Occasion("2026", date(2026, 12, 1), now + timedelta(seconds=seconds))
    entry = entry_of(Automation(rule()), contact(""), found, now)
    assert entry.bucket == datetime(2026, 12, 1, 8, expected, tzinfo=UTC)
    assert entry.bucket >= now + MARGIN
    assert entry.at == found.at


def test_the_event_is_the_same_however_often_and_from_whichever_zone_it_is_told() -> None:
    of, entry = rule(), Entry("acme", NOW, NOW, "birthday", "c1", "2026")
    other = replace(entry, at=NOW + timedelta(hours=9), contact="c2")
    found = Occasion("2026", date(2026, 12, 1), NOW)
    assert message_id(of, entry) == message_id(of, other)
    told = reached(of, entry, contact(""), found, NOW)
    assert (told.message_id, told.contact, told.type) == (message_id(of, entry), "c1", "system")
    assert message_id(of, entry) != message_id(of, replace(entry, key="2027"))
    assert message_id(of, entry) != message_id(of, replace(entry, automation="other"))


NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(("traits", "expected"), [
    (["birthday"], True), (["plan"], False), (["birth"], False), ([], False),
])  # fmt: skip
def test_which_traits_may_change_a_date(traits: list[str], expected: bool) -> None:
    assert touches(traits, "birthday") is expected
    assert touches(["plan"], "plan.renews_on")
