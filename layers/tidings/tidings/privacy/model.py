"""What an export and an erasure are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tidings.contacts.model import Contact, Identity, IdentityKind, Window


class Section(StrEnum):
    """The parts of an export, in the order in which they come."""

    CONTACT = "contact"
    IDENTITIES = "identities"
    COMPANIES = "companies"
    MERGES = "merges"
    SUPPRESSIONS = "suppressions"
    CONSENTS = "consents"
    EVENTS = "events"
    MESSAGES = "messages"
    CONVERSATIONS = "conversations"
    ENROLMENTS = "enrolments"
    REFUSALS = "refusals"
    STEPS = "steps"


@dataclass(frozen=True, slots=True)
class Place:
    """How far an export has come: a section, the source in it, and the key of the last document that was handed out.

    Without a key nothing of the source has been handed out yet.
    """

    section: Section
    source: str = ""
    key: tuple[str, ...] = ()


class ErasureState(StrEnum):
    """How far an erasure has come."""

    ERASING = "erasing"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Clearing:
    """What an erasure still has to clear; it stands in the tombstone as long as that lasts, and no longer.

    `identities` led to the person, `contacts` are the ids that they went by here, and `kept` and `lent` what merges
    that were taken back left with them and took from them. `related` are contacts that a merge was taken back with,
    `entries` keys of index entries still to be deleted. With `keep_out` their addresses are suppressed for good.
    """

    identities: tuple[Identity, ...]
    contacts: tuple[str, ...]
    keep_out: bool
    kept: tuple[Window, ...] = ()
    lent: tuple[Window, ...] = ()
    related: tuple[str, ...] = ()
    entries: tuple[tuple[str, str], ...] = ()

    @property
    def places(self) -> tuple[str, ...]:
        """The contact ids under which messages, enrolments and steps of the person may stand."""
        return tuple(dict.fromkeys((*self.contacts, *(window.contact for window in self.kept))))


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of an erased contact: that it was there, and when it went."""

    workspace: str
    contact: str
    created_at: datetime
    erased_at: datetime
    clearing: Clearing | None = None

    @property
    def state(self) -> ErasureState:
        """Whether everything is gone."""
        return ErasureState.ERASED if self.clearing is None else ErasureState.ERASING

    @property
    def person(self) -> Contact:
        """The person as far as what belongs to them is concerned, while the clearing lasts."""
        clearing = self.clearing or Clearing((), (), False)
        return Contact(
            workspace=self.workspace,
            id=self.contact,
            created_at=self.created_at,
            identities=frozenset(clearing.identities),
            absorbed=tuple(contact for contact in clearing.contacts if contact != self.contact),
            kept=clearing.kept,
            lent=clearing.lent,
        )

    def as_dict(self) -> dict[str, Any]:
        """The answer of the API."""
        return {"contact": self.contact, "state": self.state.value}


def own_id(contact: str) -> Identity:
    """A contact's own id as an identity: what happened here stands under it."""
    return Identity(IdentityKind.CONTACT, contact)
