"""How well a contact is looked after: 0 to 5 stars over the messages on the timeline.

| stars | when |
|---|---|
| 0 | no message was sent or received, or the phone number is an invalid one |
| 1 | at least one was sent on any channel, and none received |
| 2 | at least one was received on any channel |
| 3 | at least one interaction with an agent on the same day |
| 4 | 90 % of interactions within 2 hours |
| 5 | 90 % of interactions within 30 minutes |

An interaction is an inbound message and the next agent's reply to it. The greatest number whose row holds is the
rating. What the row leaves open is read so:

- every inbound message that was answered is an interaction: of three in a row that one reply answers, each waited for
  it. One that was never answered is none, neither good nor bad;
- a reply at the very instant of a message answers it; 30 minutes and 2 hours are still within;
- 90 % is counted exactly, however few there are: 1 of 1 is enough, 8 of 9 is not;
- a day is one of the workspace's time zone (setting `time_zone`, UTC unless set): it is the agents' day;
- 4 and 5 stars do not ask for 3: an answer at 0:10 to a message of 23:50 is on another day, and within 30 minutes;
- an invalid phone number is 0 stars, whatever was answered by e-mail: so says the row. It is one that the contact has
  and that leads to nobody. Somebody without a number has no invalid one;
- what a machine answers (an absence notice, a bounce) is no inbound message, and what an automation sends is no agent's
  reply: both have events of other names;
- while 100 messages wait for an answer, further ones are no interactions: whoever floods is not waiting.

`rating_of` is the rule. What `react` keeps with a contact (`Kept`) comes to the same in whatever order and however
often messages are told: the latest ones as they are, the earlier ones as counts.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from functools import cache, reduce
from typing import TYPE_CHECKING, Any

from tidings.contacts.model import UNRATED, Contact, Identity, IdentityKind

if TYPE_CHECKING:
    from datetime import tzinfo

QUICK = timedelta(minutes=30)
PROMPT = timedelta(hours=2)
# Of 10 interactions, 9.
SHARE, OF = 9, 10
# How many messages may wait for an answer, and how many of the latest are kept as they are.
WAITING = 100
MARKS = 16
UTC_NAME = "UTC"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class What(IntEnum):
    """What an entry of the timeline is; at one instant they stand in this order."""

    RECEIVED = 0
    REPLIED = 1  # by an agent
    SENT = 2  # by anybody else


# The events that count, by name.
NAMES = {
    "SMS Received": What.RECEIVED,
    "Email Received": What.RECEIVED,
    "Conversation Replied": What.REPLIED,
    "SMS Sent": What.SENT,
    "Email Sent": What.SENT,
}


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A message of the timeline: when, in microseconds since 1970, what it was, and the id of its event."""

    at: int
    what: What
    id: str

    @classmethod
    def of(cls, at: datetime, what: What, event: str) -> Entry:
        """The entry of an event."""
        return cls((at - _EPOCH) // _MICROSECOND, what, event)


@dataclass(frozen=True, slots=True)
class Tally:
    """What messages come to, taken in their order.

    Of those that wait for an answer, `waiting` are the instants of the latest, `older` is how many waited longer than 2
    hours already when the latest came: no reply to these is within 2 hours any more.
    """

    sent: bool = False
    received: bool = False
    answered: int = 0
    prompt: int = 0
    quick: int = 0
    same_day: bool = False
    older: int = 0
    waiting: tuple[int, ...] = ()


EMPTY = Tally()


@dataclass(frozen=True, slots=True)
class Rating:
    """Stars, why so many, and what the next star wants; that is empty at five."""

    stars: int
    why: str
    next: str


NOT_YET = Rating(**UNRATED)


def rating_of(entries: Iterable[Entry], zone: str = UTC_NAME, invalid_phone: bool = False) -> Rating:
    """The rating of a contact with these messages on the timeline; their order does not matter."""
    return judged(tallied(EMPTY, sorted(set(entries)), zone), invalid_phone)


def tallied(tally: Tally, entries: Iterable[Entry], zone: str) -> Tally:
    """What a tally becomes by entries in their order, all later than those in it."""
    return reduce(lambda before, entry: _take(before, entry, zone), entries, tally)


def _take(tally: Tally, entry: Entry, zone: str) -> Tally:
    if entry.what is What.RECEIVED:
        return _received(replace(tally, received=True), entry.at)
    tally = replace(tally, sent=True)
    if entry.what is What.SENT or not tally.waiting:
        return tally
    waited = [_span(at, entry.at) for at in tally.waiting]
    return replace(
        tally,
        answered=tally.answered + tally.older + len(waited),
        prompt=tally.prompt + sum(span <= PROMPT for span in waited),
        quick=tally.quick + sum(span <= QUICK for span in waited),
        # The latest that waited: if an earlier one was of this day, it was too.
        same_day=tally.same_day or _day(tally.waiting[-1], zone) == _day(entry.at, zone),
        older=0,
        waiting=(),
    )


def _received(tally: Tally, at: int) -> Tally:
    if tally.older + len(tally.waiting) >= WAITING:
        return tally
    fresh = tuple(one for one in tally.waiting if _span(one, at) <= PROMPT)
    return replace(tally, older=tally.older + len(tally.waiting) - len(fresh), waiting=(*fresh, at))


def _span(start: int, end: int) -> timedelta:
    return (end - start) * _MICROSECOND


def _day(at: int, zone: str) -> date:
    return (_EPOCH + at * _MICROSECOND).astimezone(_zone(zone)).date()


@cache
def _zone(name: str) -> tzinfo:
    if name == UTC_NAME:
        return UTC
    from zoneinfo import ZoneInfo  # late: most workspaces have none

    return ZoneInfo(name)


def judged(tally: Tally, invalid_phone: bool = False) -> Rating:
    """The rating that a tally is, and its explanation."""
    if invalid_phone:
        return Rating(0, "the phone number is not valid", "a valid phone number")
    if not tally.received:
        return Rating(1, "messages were sent, and none was received", "a message received") if tally.sent else NOT_YET
    if _enough(tally.quick, tally.answered):
        return Rating(5, _share(tally.quick, tally.answered, "30 minutes"), "")
    quicker = _wanted(tally.quick, tally.answered, "30 minutes")
    if _enough(tally.prompt, tally.answered):
        return Rating(4, _share(tally.prompt, tally.answered, "2 hours"), quicker)
    if tally.same_day:
        found = f"a reply on the same day, and {_share(tally.prompt, tally.answered, '2 hours')}"
        return Rating(3, found, _wanted(tally.prompt, tally.answered, "2 hours"))
    found = "messages were received, and none was answered" + (" on the same day" if tally.answered else "")
    return Rating(2, found, "a reply on the day of the message")


def _enough(good: int, of: int) -> bool:
    return of > 0 and OF * good >= SHARE * of


def _share(good: int, of: int, within: str) -> str:
    return f"{good} of {of} {_replies(of)} within {within}"


def _wanted(good: int, of: int, within: str) -> str:
    """How many further replies, all of them in time, make 90 %."""
    more = -(-(SHARE * of - OF * good) // (OF - SHARE))
    return f"the next {'reply' if more == 1 else f'{more} replies'} within {within}"


def _replies(number: int) -> str:
    return "reply" if number == 1 else "replies"


def has_invalid_phone(contact: Contact) -> bool:
    """Whether the contact has a phone number that is none: it leads to nobody."""
    phone = contact.values.get("phone")
    if phone is None or (isinstance(phone, str) and not phone.strip()):
        return False
    return not isinstance(phone, str) or Identity(IdentityKind.PHONE, phone) not in contact.identities


# ---- kept with the contact ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a contact's messages: the latest as they are, and before them, up to `until`, a tally.

    `zone` is that by which days were told apart.
    """

    zone: str = UTC_NAME
    tally: Tally = EMPTY
    until: Entry | None = None
    marks: tuple[Entry, ...] = ()

    @classmethod
    def over(cls, entries: Iterable[Entry], zone: str) -> Kept:
        """What is kept of all of a contact's messages."""
        ordered = sorted(set(entries))
        marks = [entry for entry in ordered if entry.what is not What.SENT]
        counted, marks = marks[:-MARKS], marks[-MARKS:]
        tally = tallied(EMPTY, counted, zone)
        tally = replace(tally, sent=tally.sent or any(entry.what is What.SENT for entry in ordered))
        return cls(zone, tally, counted[-1] if counted else None, tuple(marks))

    def told(self, entry: Entry) -> Kept | None:
        """What is kept once a message was told, also one told before; None if all are to be counted again.

        That is so where it is older than what is kept as it is: nobody can tell then whether it was counted.
        """
        if entry.what is What.SENT:
            return self if self.tally.sent else replace(self, tally=replace(self.tally, sent=True))
        if entry in self.marks:
            return self
        if self.until is not None and entry <= self.until:
            return None
        marks = list(self.marks)
        insort(marks, entry)
        if len(marks) <= MARKS:
            return replace(self, marks=tuple(marks))
        return replace(self, tally=tallied(self.tally, marks[:1], self.zone), until=marks[0], marks=tuple(marks[1:]))

    def rating(self, invalid_phone: bool) -> Rating:
        """The rating by what is kept."""
        return judged(tallied(self.tally, self.marks, self.zone), invalid_phone)

    def as_dict(self) -> dict[str, Any]:
        """As it stands with the contact."""
        kept = {
            "zone": "" if self.zone == UTC_NAME else self.zone,
            "tally": {name: _plain(value) for name, value in asdict(self.tally).items() if value},
            "until": _mark(self.until) if self.until else None,
            "marks": [_mark(entry) for entry in self.marks],
        }
        return {name: value for name, value in kept.items() if value}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Kept:
        """What stands with a contact."""
        tally = {**told.get("tally", {}), "waiting": tuple(told.get("tally", {}).get("waiting", ()))}
        until = told.get("until")
        return cls(
            zone=str(told.get("zone") or UTC_NAME),
            tally=Tally(**tally),
            until=_entry(until) if until else None,
            marks=tuple(_entry(mark) for mark in told.get("marks", ())),
        )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _mark(entry: Entry) -> list[Any]:
    return [entry.at, int(entry.what), entry.id]


def _entry(mark: list[Any]) -> Entry:
    return Entry(int(mark[0]), What(mark[1]), str(mark[2]))
