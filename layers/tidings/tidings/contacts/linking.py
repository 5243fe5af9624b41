"""Which contact a message belongs to, and what has to change so that its identities lead there.

Who a person is must not depend on the order in which messages arrive. So it is a function of all messages together:
each that carries a user id and an anonymous id is a link between them, and an anonymous id belongs to the user of its
earliest link, by the time it was said and then by message id. Users are never merged. What is decided here for one
message at a time comes to the same end in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tidings.contacts.model import Identity, Lead, Stamp
from tidings.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Sighting:
    """The identities of one message. `at` is when it was received, `said` when it was said by our clock.

    `secret` is the workspace's; `new_id` the id of the contact that the message makes, if it makes one.
    """

    workspace: str
    message_id: str
    at: datetime
    said: datetime
    user: Identity | None = None
    anonymous: Identity | None = None
    by_alias: bool = False
    call: str = ""
    secret: str = field(default="", repr=False)
    new_id: str = ""

    @property
    def identities(self) -> frozenset[Identity]:
        """Those that are given."""
        return frozenset(i for i in (self.user, self.anonymous) if i is not None)

    @property
    def first(self) -> Identity:
        """The one the message stands under: the user id, else the anonymous id."""
        identity = self.user or self.anonymous
        if identity is None:
            raise InvalidInput("no_user_anon_id", "A message needs a userId or an anonymousId.")
        return identity

    @property
    def stamp(self) -> Stamp:
        """When the link between its identities was made."""
        return Stamp(self.said, self.message_id)


class Act(StrEnum):
    """What has to be done before a message belongs to a contact."""

    NOTHING = "nothing"
    ADD = "add"  # a new contact with the identities that lead nowhere
    LINK = "link"  # the anonymous id joins the user's contact
    PROMOTE = "promote"  # the user id joins the anonymous contact
    MERGE = "merge"  # the anonymous contact becomes part of the user's
    MOVE = "move"  # the anonymous id was this user's before it was another's
    EARLIER = "earlier"  # the same link was made earlier than was known


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, and the contact that the message belongs to; empty if it is a new one."""

    act: Act
    contact: str = ""


def plan(sighting: Sighting, user: Lead | None, anonymous: Lead | None) -> Plan:
    """What a message does, given where its user id and its anonymous id lead now."""
    if sighting.user is None or sighting.anonymous is None:
        lead = user or anonymous
        return Plan(Act.ADD) if lead is None else Plan(Act.NOTHING, lead.contact)
    if anonymous is None:
        return Plan(Act.ADD) if user is None else Plan(Act.LINK, user.contact)
    if not anonymous.owner:
        return _unowned(user, anonymous)
    earlier = anonymous.since is None or sighting.stamp < anonymous.since
    if anonymous.owner == sighting.user.value:
        return Plan(Act.EARLIER if earlier else Act.NOTHING, anonymous.contact)
    if earlier:
        return Plan(Act.MOVE, user.contact if user else "")
    return Plan(Act.ADD) if user is None else Plan(Act.NOTHING, user.contact)


def _unowned(user: Lead | None, anonymous: Lead) -> Plan:
    if user is None:
        return Plan(Act.PROMOTE, anonymous.contact)
    return Plan(Act.LINK if user.contact == anonymous.contact else Act.MERGE, user.contact)
