"""What a contact and an identity are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tidings.contacts.context import view


class IdentityKind(StrEnum):
    """The kinds of identity. User and anonymous ids lead to one contact; each of the others may lead to several."""

    USER = "user"
    ANONYMOUS = "anon"
    EMAIL = "email"
    PHONE = "phone"
    EXTERNAL = "ext"  # of another system: its value is `type#id`
    CONTACT = "contact"


UNIQUE_KINDS = frozenset({IdentityKind.USER, IdentityKind.ANONYMOUS})
ADDRESS_KINDS = (IdentityKind.EMAIL, IdentityKind.PHONE)


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """A kind and a value, written `kind#value`."""

    kind: IdentityKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind.value}#{self.value}"

    @classmethod
    def parse(cls, text: str) -> Identity:
        """The identity that `kind#value` names."""
        kind, _, value = text.partition("#")
        return cls(IdentityKind(kind), value)


@dataclass(frozen=True, slots=True)
class Trait:
    """A trait's value, and the time and message that set it; a value of None means that it was taken away.

    `publishable` if a key that anybody can read in a browser set it.
    """

    value: Any
    at: datetime
    by: str
    publishable: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """When and by which message something was said: of two, the later counts, and at one instant the greater id."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a person belongs to a company, as it was said last."""

    joined: bool
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Lead:
    """Where a user or anonymous id leads; an anonymous id has the user that owns it, and since which message."""

    contact: str
    owner: str = ""
    since: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """What stands under a contact's id from one instant until another: it stayed with who survived a merge."""

    contact: str
    since: datetime
    until: datetime

    def holds(self, contact: str, at: datetime) -> bool:
        """Whether something of a contact at an instant lies in it."""
        return contact == self.contact and self.since <= at < self.until


@dataclass(frozen=True, slots=True)
class Visit:
    """The latest visit that a link in one of our mails led to: the message, and what began its chain (node texts)."""

    message: str
    root: str
    at: datetime


Context = Mapping[str, Mapping[str, Any]]

# The rating of somebody to whom nothing was written and who wrote nothing.
UNRATED: Mapping[str, Any] = {
    "stars": 0,
    "why": "no message was sent or received",
    "next": "a message sent or received",
}
# A rating with this is to be counted again: contacts with messages became one, or came apart.
STALE = "stale"


@dataclass(frozen=True, slots=True)
class Contact:
    """A person. `version` grows with each change of what is stored; `absorbed` are contacts that became this one.

    `stamps` says of addresses and external ids when they were last given; `context` is kept by source and field.
    `erased_at` is when the person was erased: nothing but that is known of them since.
    `apart` are identities that it was separated from and is not merged with by itself again; of an undone merge, `kept`
    is what stays here and `lent` what does not come back. `rating` is how well the person is looked after
    (`conversations.rating`); empty for somebody without messages.
    """

    workspace: str
    id: str
    created_at: datetime
    traits: Mapping[str, Trait] = field(default_factory=dict)
    identities: frozenset[Identity] = frozenset()
    absorbed: tuple[str, ...] = ()
    merged_into: str = ""
    last_seen_at: datetime | None = None
    version: int = 0
    stamps: Mapping[Identity, Stamp] = field(default_factory=dict)
    companies: Mapping[str, Membership] = field(default_factory=dict)
    context: Context = field(default_factory=dict)
    visit: Visit | None = None
    apart: frozenset[Identity] = frozenset()
    kept: tuple[Window, ...] = ()
    lent: tuple[Window, ...] = ()
    erased_at: datetime | None = None
    rating: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Any]:
        """The traits that are set, by name."""
        return {name: trait.value for name, trait in self.traits.items() if trait.value is not None}

    @property
    def email(self) -> str:
        """The address mails go to; empty if there is none."""
        value = self.values.get("email")
        return value if isinstance(value, str) else ""

    @property
    def phone(self) -> str:
        """The number messages go to; empty if there is none."""
        value = self.values.get("phone")
        return value if isinstance(value, str) else ""

    @property
    def is_known(self) -> bool:
        """Whether the person has identified themselves with a user id."""
        return any(identity.kind is IdentityKind.USER for identity in self.identities)

    @property
    def is_identified(self) -> bool:
        """Whether more is known of who this is than what a browser calls them; else the person is anonymous."""
        return any(identity.kind is not IdentityKind.ANONYMOUS for identity in self.identities)

    @property
    def user_id(self) -> str:
        """What the app calls the person; empty if they have not identified themselves."""
        return next((i.value for i in self.identities if i.kind is IdentityKind.USER), "")

    @property
    def joined(self) -> list[str]:
        """The companies the person belongs to."""
        return sorted(company for company, membership in self.companies.items() if membership.joined)

    def of_kind(self, *kinds: IdentityKind) -> frozenset[Identity]:
        """Its identities of some kinds."""
        return frozenset(identity for identity in self.identities if identity.kind in kinds)

    def shows(self, contact: str, at: datetime) -> bool:
        """Whether something that stands under a contact's id since an instant belongs here.

        It does under its own id and those it absorbed, but for what stayed elsewhere when a merge was undone; and what
        stayed here of somebody else's does.
        """
        if any(window.holds(contact, at) for window in self.kept):
            return True  # also of somebody who left and was merged again
        return contact in self.every_id and not any(window.holds(contact, at) for window in self.lent)

    @property
    def event_identities(self) -> list[Identity]:
        """The identities under which this contact's events stand: its own id, its ids, and those it absorbed."""
        own = [Identity(IdentityKind.CONTACT, contact) for contact in self.every_id]
        kept = [Identity(IdentityKind.CONTACT, window.contact) for window in self.kept]
        sent = [i for i in self.identities if i.kind in UNIQUE_KINDS]
        return list(dict.fromkeys(own + kept + sorted(sent)))

    @property
    def every_id(self) -> tuple[str, ...]:
        """Its own id and those of the contacts it absorbed: what is keyed by contact stands under any of them."""
        return (self.id, *self.absorbed)

    @property
    def shown_ids(self) -> tuple[str, ...]:
        """The ids under which messages and enrolments stand that may be this one's; `shows` tells which of them are."""
        return tuple(dict.fromkeys((*self.every_id, *(window.contact for window in self.kept))))

    @property
    def time_zone(self) -> str:
        """The time zone that is believed, such as `Europe/Warsaw`; empty if none is known."""
        return str(view(self.context).get("time_zone", {}).get("value", ""))

    def _shown(self, identity: Identity) -> dict[str, Any]:
        """An identity as the API shows it: an address that is not the one messages go to is a former one."""
        told = {"kind": identity.kind.value, "value": identity.value}
        former = identity.kind in ADDRESS_KINDS and identity.value not in (self.email, self.phone)
        return {**told, "former": True} if former else told

    def as_dict(self) -> dict[str, Any]:
        """The contact as the API shows it."""
        return {
            "contact": self.id,
            "traits": self.values,
            "context": view(self.context),
            "identities": [self._shown(identity) for identity in sorted(self.identities)],
            "known": self.is_known,
            "companies": self.joined,
            "created_at": self.created_at,
            "last_seen_at": self.last_seen_at,
            "absorbed": list(self.absorbed),
            "rating": {name: self.rating.get(name, unrated) for name, unrated in UNRATED.items()},
        }
