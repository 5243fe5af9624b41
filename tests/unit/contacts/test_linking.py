"""Which contact a message belongs to: the table of product rule 1.3, and that no order matters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tidings.contacts.linking import Act, Plan, Sighting, plan
from tidings.contacts.model import Identity, IdentityKind, Lead, Stamp
from tidings.core.errors import InvalidInput

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
USER, DEVICE = Identity(IdentityKind.USER, "u1"), Identity(IdentityKind.ANONYMOUS, "a1")


def stamp(minutes: int, by: str = "m") -> Stamp:
    return Stamp(NOW + timedelta(minutes=minutes), by)


def sighting(user: Identity | None, device: Identity | None, minutes: int = 5) -> Sighting:
    said = NOW + timedelta(minutes=minutes)
    return Sighting("acme", "m", NOW + timedelta(hours=1), said, user, device)


def owned(contact: str, owner: str, minutes: int, by: str = "m") -> Lead:
    return Lead(contact, owner, stamp(minutes, by))


@pytest.mark.parametrize(
    ("user", "device", "planned"),
    [
        # one identity alone
        (Lead("c1"), "", Plan(Act.NOTHING, "c1")),
        (None, "", Plan(Act.ADD)),
        ("", Lead("c1"), Plan(Act.NOTHING, "c1")),
        ("", owned("c1", "u9", 0), Plan(Act.NOTHING, "c1")),
        ("", None, Plan(Act.ADD)),
        # both, one of them new
        (None, None, Plan(Act.ADD)),
        (Lead("c1"), None, Plan(Act.LINK, "c1")),
        (None, Lead("c2"), Plan(Act.PROMOTE, "c2")),
        # a device that is nobody's
        (Lead("c1"), Lead("c2"), Plan(Act.MERGE, "c1")),
        (Lead("c1"), Lead("c1"), Plan(Act.LINK, "c1")),
        # a device that is this user's
        (Lead("c1"), owned("c1", "u1", 4), Plan(Act.NOTHING, "c1")),
        (Lead("c1"), owned("c1", "u1", 5), Plan(Act.NOTHING, "c1")),
        (Lead("c1"), owned("c1", "u1", 6), Plan(Act.EARLIER, "c1")),
        (Lead("c1"), owned("c1", "u1", 5, "z"), Plan(Act.EARLIER, "c1")),
        # a device that is another user's: two known people are never merged
        (Lead("c1"), owned("c2", "u2", 4), Plan(Act.NOTHING, "c1")),
        (None, owned("c2", "u2", 4), Plan(Act.ADD)),
        (Lead("c1"), owned("c2", "u2", 6), Plan(Act.MOVE, "c1")),
        (None, owned("c2", "u2", 6), Plan(Act.MOVE, "")),
        (Lead("c1"), owned("c2", "u2", 5, "a"), Plan(Act.NOTHING, "c1")),
        (Lead("c1"), owned("c2", "u2", 5, "z"), Plan(Act.MOVE, "c1")),
    ],
)
def test_what_a_message_does_follows_from_where_its_identities_lead(
    user: Lead | str | None, device: Lead | str | None, planned: Plan
) -> None:
    """An empty text stands for an identity that the message does not have."""
    given = sighting(None if user == "" else USER, None if device == "" else DEVICE)
    leads = [lead if isinstance(lead, Lead) else None for lead in (user, device)]
    assert plan(given, *leads) == planned


def test_a_message_stands_under_its_user_id_else_under_its_anonymous_id() -> None:
    assert sighting(USER, DEVICE).first == USER
    assert sighting(None, DEVICE).first == DEVICE
    with pytest.raises(InvalidInput) as error:
        _ = sighting(None, None).first
    assert error.value.code == "no_user_anon_id"
