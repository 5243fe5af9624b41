"""What a visit from a link in a mail led to: what the person does within an hour of it.

An hour from the visit, not from what was done last: so an event needs the visit alone to be told where it belongs, and
nothing is written for events that follow none (docs/decisions/2026-11-21-what-follows-a-visit.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from tidings.contacts.model import Contact, Visit

VISIT = timedelta(minutes=60)


def order_of(visit: Visit) -> tuple[datetime, str]:
    """What visits are ordered by: of two at one instant, the one with the greater message counts as the later."""
    return (visit.at, visit.message)


def follows(visit: Visit, at: datetime) -> bool:
    """Whether what happened at an instant lies within a visit."""
    return visit.at <= at <= visit.at + VISIT


def followed(visits: Iterable[Visit], at: datetime) -> Visit | None:
    """The visit that led to what happened at an instant: the latest before it, if that is no more than an hour ago."""
    latest = max((visit for visit in visits if visit.at <= at), key=order_of, default=None)
    return latest if latest is not None and follows(latest, at) else None


def with_visit(contact: Contact, visit: Visit) -> Contact:
    """The contact after a visit, in whatever order visits are told: the latest is kept."""
    if contact.visit is not None and order_of(contact.visit) >= order_of(visit):
        return contact
    return replace(contact, visit=visit)
