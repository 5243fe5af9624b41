"""What a contact and an identity are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class IdentityKind(StrEnum):
    """The kinds of identity. User and anonymous ids lead to one contact; an e-mail may lead to several."""

    USER = "user"
    ANONYMOUS = "anon"
    EMAIL = "email"
    CONTACT = "contact"


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
    """A trait's value, and the time and message that set it; a value of None means that it was taken away."""

    value: Any
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A person. `version` grows with each change of what is stored; `absorbed` are contacts that became this one."""

    workspace: str
    id: str
    created_at: datetime
    traits: Mapping[str, Trait] = field(default_factory=dict)
    identities: frozenset[Identity] = frozenset()
    absorbed: tuple[str, ...] = ()
    merged_into: str = ""
    last_seen_at: datetime | None = None
    version: int = 0

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
    def is_known(self) -> bool:
        """Whether the person has identified themselves with a user id."""
        return any(identity.kind is IdentityKind.USER for identity in self.identities)

    @property
    def event_identities(self) -> list[Identity]:
        """The identities under which this contact's events stand: its own id, its ids, and those it absorbed."""
        own = [Identity(IdentityKind.CONTACT, contact) for contact in self.every_id]
        sent = [i for i in self.identities if i.kind in (IdentityKind.USER, IdentityKind.ANONYMOUS)]
        return own + sorted(sent)

    @property
    def every_id(self) -> tuple[str, ...]:
        """Its own id and those of the contacts it absorbed: what is keyed by contact stands under any of them."""
        return (self.id, *self.absorbed)

    def as_dict(self) -> dict[str, Any]:
        """The contact as the API shows it."""
        return {
            "contact": self.id,
            "traits": self.values,
            "identities": [{"kind": i.kind.value, "value": i.value} for i in sorted(self.identities)],
            "known": self.is_known,
            "created_at": self.created_at,
            "last_seen_at": self.last_seen_at,
            "absorbed": list(self.absorbed),
        }
