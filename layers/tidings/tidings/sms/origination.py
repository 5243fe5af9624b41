"""What a text message leaves from: asked for, planned for its country, or the first thing that there is.

The order is that of product rules 3.3 and 3.4:

1. What the order asks for. If it cannot be, the message is refused.
2. What the plan says for the country, for the kind of message before `*`; else what it says for `*`, any country, in
   the same way. If it cannot be, the message is refused: a plan is not guessed around. Only an order that wants answers
   passes over a name in the plan, since no name ever receives one.
3. Without either: a sender ID that is active in the country, then a number of the country, then a pool with such a
   number, then any other number, then any other pool; among equals the first by its name.

A sender ID works where it is active and the country takes names. A number works for the kinds that it takes; a pool
works if all its numbers do. An order that wants answers is only ever served by what receives them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tidings.consent.model import Kind
from tidings.sms.countries import Names, rule_of
from tidings.sms.model import ACTIVE, ANYWHERE, Number, Origin, Setup

POOL = "pool:"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a message leaves from, or why from nothing; `alternatives` are names that would work instead, best first.

    `code` says how it was found (`asked`, `planned`, `planned_anywhere`, `first`) or why nothing was
    (`unknown_country`, `unknown_sender`, `sender_not_active`, `country_without_names`, `sender_cannot_receive`,
    `sender_takes_other_kinds`, `no_sender`), `found` the same for people.
    """

    origin: Origin | None
    found: str
    alternatives: tuple[str, ...] = ()
    code: str = ""


def choose(setup: Setup, country: str, kind: Kind, asked: str = "", two_way: bool = False) -> Choice:
    """What a message of a kind to a country (ISO 3166, two letters) leaves from: `asked`, else what the plan says.

    Whatever is not active for the country is refused, with what would work. Reads nothing.
    """
    if not country:
        return Choice(None, "the number is of no country that is known", code="unknown_country")
    if asked:
        return _take(setup, country, kind, asked, two_way, "asked", "asked for")
    for place, code, found in (
        (country, "planned", f"planned for {country}"),
        (ANYWHERE, "planned_anywhere", "planned for any country"),
    ):
        planned = _planned(setup, place, kind)
        if planned and not (two_way and planned in setup.sender_ids):
            return _take(setup, country, kind, planned, two_way, code, found)
    works = ways(setup, country, kind, two_way)
    if works:
        return Choice(_origin(setup, works[0]), f"the first that works in {country}", works[1:], "first")
    wanted = "that receives answers " if two_way else ""
    return Choice(None, f"there is no sender {wanted}for {kind.value} messages to {country}", code="no_sender")


def ways(setup: Setup, country: str, kind: Kind, two_way: bool = False) -> tuple[str, ...]:
    """Everything that a message of a kind to a country could leave from, in the order in which it would be taken."""
    names = [name for name in sorted(setup.sender_ids) if not _refused(setup, country, kind, name, two_way)]
    others = sorted(
        [
            *((number.country != country, 0, number.number) for number in setup.numbers.values()),
            *((all(one.country != country for one in _members(setup, pool)), 1, pool) for pool in _pools(setup)),
        ]
    )
    return (*names, *(name for *_, name in others if not _refused(setup, country, kind, name, two_way)))


def receives(setup: Setup, sender: str) -> bool:
    """Whether a sender receives answers: a number that is two-way, or a pool all of whose numbers are."""
    members = _members(setup, sender)
    return bool(members) and all(number.two_way for number in members)


def is_known(setup: Setup, sender: str) -> bool:
    """Whether the workspace has such a sender at all: a sender ID, a number, or a pool."""
    return sender in setup.sender_ids or bool(_members(setup, sender))


def _planned(setup: Setup, country: str, kind: Kind) -> str:
    planned = setup.plan.get(country) or {}
    return planned.get(kind.value) or planned.get(ANYWHERE) or ""


def _take(setup: Setup, country: str, kind: Kind, sender: str, two_way: bool, code: str, found: str) -> Choice:
    works = tuple(way for way in ways(setup, country, kind, two_way) if way != sender)
    refused = _refused(setup, country, kind, sender, two_way)
    if refused:
        return Choice(None, f"{sender}, {found}: {refused[1]}", works, refused[0])
    return Choice(_origin(setup, sender), found, works, code)


def _refused(setup: Setup, country: str, kind: Kind, sender: str, two_way: bool) -> tuple[str, str] | None:
    """Why a message cannot leave from a sender, as a code and in words; None if it can."""
    members = _members(setup, sender)
    if members:
        return _numbers_refused(members, kind, two_way)
    if sender not in setup.sender_ids:
        return "unknown_sender", "the workspace has no such sender"
    if two_way:
        return "sender_cannot_receive", "a name receives no answers, only a phone number does"
    if rule_of(country, setup.countries).sender_id is Names.NOT_SUPPORTED:
        return "country_without_names", f"{country} takes no names as senders"
    state = setup.sender_ids[sender].get(country)
    if state != ACTIVE:
        return "sender_not_active", f"it is {state or 'not active'} in {country}"
    return None


def _numbers_refused(members: list[Number], kind: Kind, two_way: bool) -> tuple[str, str] | None:
    if two_way and not all(number.two_way for number in members):
        return "sender_cannot_receive", "it receives no answers"
    if not all(kind in number.kinds for number in members):
        return "sender_takes_other_kinds", f"it does not take {kind.value} messages"
    return None


def _members(setup: Setup, sender: str) -> list[Number]:
    """The numbers that a sender is: one, or those of a pool; none for a name."""
    if sender.startswith(POOL):
        return [number for number in setup.numbers.values() if number.pool and f"{POOL}{number.pool}" == sender]
    number = setup.numbers.get(sender)
    return [number] if number else []


def _pools(setup: Setup) -> Iterator[str]:
    yield from sorted({f"{POOL}{number.pool}" for number in setup.numbers.values() if number.pool})


def _origin(setup: Setup, sender: str) -> Origin:
    return Origin(sender, receives(setup, sender))
