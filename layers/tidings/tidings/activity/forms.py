"""What a form says, read and checked before anything is looked up: product rule 1.6."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tidings.activity.calls import Call, check_size, context_traits, read_call
from tidings.activity.model import FORM, Event
from tidings.activity.rules import Reporter, event_under, ids_in
from tidings.contacts.matching import EMAIL, PHONE
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.contacts.phones import normalise_phone
from tidings.contacts.rules import SNAKE_CASE, normalise_email
from tidings.core.errors import InvalidInput
from tidings.core.ids import digest
from tidings.core.keys import keyed_hash

FORM_SUBMITTED = "Form Submitted"

_NAMES = {"name", "first_name", "last_name"}


@dataclass(frozen=True, slots=True)
class Form:
    """A form that somebody submitted.

    `email` and `phone` are in the one spelling that leads to contacts, empty where the form gives none or one that is
    blocked; `traits` are what it says of the person, as it says it, without what was left blank. `secret` is the
    workspace's.
    """

    reporter: Reporter
    secret: str = field(repr=False)
    call: Call
    name: str
    received_at: datetime
    user_id: str
    anonymous_id: str
    email: str
    phone: str
    traits: Mapping[str, Any]

    @property
    def names_somebody(self) -> bool:
        """Whether it says whom it is about; birthday, gender and country alone do not."""
        return bool(self.user_id or self.email or self.phone)

    @property
    def message_id(self) -> str:
        """What makes a repeat one: the message id, else everything that the form says."""
        said = json.dumps([self.name, self.user_id, dict(self.traits)], sort_keys=True)
        return self.call.message_id.strip() or digest(FORM, said)

    def new_ids(self) -> tuple[str, ...]:
        """Ids for a new contact, the best first.

        The first comes from whom the form names, so that two forms of one person at once make one contact. Should that
        contact be somebody else's by now, the second comes from the message as well. Keyed, since an id outlives the
        person when they are erased, and must not tell their address to who tries them all.
        """
        whom = json.dumps([self.user_id, self.email, self.phone])
        return tuple(f"c{keyed_hash(self.secret, FORM, whom, message)}" for message in ("", self.message_id))

    def told_of(self, contact: Contact, withheld: frozenset[str]) -> dict[str, Any]:
        """What the form says of a contact, but for addresses that it may not have.

        Who has no name and gives none is called by what stands before the @ of their e-mail.
        """
        told = {name: value for name, value in self.traits.items() if name not in withheld}
        named = {SNAKE_CASE.get(name, name) for name in told} | {n for n, value in contact.values.items() if value}
        if self.email and EMAIL not in withheld and not named & _NAMES and not self._is_refused(contact):
            told["name"] = self.email.partition("@")[0]
        return told

    def _is_refused(self, contact: Contact) -> bool:
        """Whether the e-mail is one that the key may not give a known contact: then it names nobody either."""
        guarded = self.reporter.publishable and contact.is_known and not self.reporter.identifiers.addresses_open
        return guarded and contact.email not in ("", self.email)

    def event(self, contact: Contact, withheld: frozenset[str]) -> Event:
        """The event of a contact that the form makes. What is withheld stands in its properties, to be looked at."""
        made = event_under(Identity(IdentityKind.CONTACT, contact.id), self.reporter, self.call, self.received_at)
        kept = {name: self.traits[name] for name in sorted(withheld & self.traits.keys())}
        properties = {"form": self.name, "withheld": kept}
        device = Identity(IdentityKind.ANONYMOUS, self.anonymous_id)
        return replace(
            made,
            message_id=self.message_id,
            type=FORM,
            name=FORM_SUBMITTED,
            # Whoever types an address need not be who it belongs to: only the contact's own device is named.
            anonymous_id=self.anonymous_id if device in contact.identities else "",
            properties={name: value for name, value in properties.items() if value},
            traits=self.told_of(contact, withheld),
        )


def read_form(reporter: Reporter, secret: str, body: Mapping[str, Any], received_at: datetime) -> Form:
    """A form, checked. Raises InvalidInput with a code of its own for each thing that can be wrong."""
    check_size(body)
    call = read_call({**body, "type": "identify"})
    user, anonymous = ids_in(reporter, call)
    given = {name: value for name, value in {**context_traits(call), **call.traits}.items() if not _is_blank(value)}
    email = _email(reporter, given[EMAIL]) if EMAIL in given else ""
    phone = _phone(reporter, given[PHONE]) if PHONE in given else ""
    # A blocked address leads nowhere, and so it is nobody's to be written to either.
    blocked = {name for name, text in ((EMAIL, email), (PHONE, phone)) if not text}
    return Form(
        reporter=reporter,
        secret=secret,
        call=call,
        name=_name(body.get("form")),
        received_at=received_at,
        user_id=user,
        anonymous_id=anonymous,
        email=email,
        phone=phone,
        traits={name: value for name, value in given.items() if name not in blocked},
    )


def _is_blank(value: Any) -> bool:
    """Whether a field was left empty: of the person that says nothing, not even that there is none."""
    return value is None or (isinstance(value, str) and not value.strip())


def _email(reporter: Reporter, value: Any) -> str:
    text = normalise_email(value)
    if not text:
        raise InvalidInput("invalid_email", "This is not an e-mail address.", "traits.email")
    return "" if reporter.identifiers.blocks(EMAIL, text) else text


def _phone(reporter: Reporter, value: Any) -> str:
    text = normalise_phone(value, reporter.identifiers.default_country)
    if not text:
        told = "This is not a phone number; one without a country code needs the workspace's default country."
        raise InvalidInput("invalid_phone", told, "traits.phone")
    return "" if reporter.identifiers.blocks(PHONE, text) else text


def _name(value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise InvalidInput("invalid_type", "form is text.", "form")
    return (value or "").strip()
