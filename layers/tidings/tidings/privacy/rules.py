"""Pure decisions about exports and erasures."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tidings.consent.model import Channel
from tidings.contacts.model import Contact, IdentityKind
from tidings.core.clock import to_text
from tidings.core.errors import InvalidInput
from tidings.privacy.model import Clearing, Place, Section

# A function's answer is at most 6 MB (Lambda's quotas), in which the page stands as text inside of JSON. The last
# document may be an item of DynamoDB's 400 KB, which in the worst spelling is 3 MB of such an answer.
PAGE_BYTES = 2_500_000
# Somebody with thousands of devices has thousands of places to look at: a page is also answered in time.
PAGE_QUERIES = 100

# For so long an event that was told before the erasure is known as such: streams forget after a day, queues after 14.
REMEMBERED = timedelta(days=30)

CHANNELS = {IdentityKind.EMAIL: Channel.EMAIL, IdentityKind.PHONE: Channel.SMS}

# What of a message stays: that it was, of what, what became of it and when, so that it is not sent again and still
# counts. What it was filled with (`data`), its files, its decisions and who clicked in it (`marks`) go.
KEPT_OF_MESSAGE = frozenset(
    {
        *("pk", "sk", "channel", "state", "rank", "kind", "template", "template_version"),
        *("topic", "send", "resends", "reported"),
        *("attempt", "claimed_at", "attention", "provider_id", "history", "erased_at", "expires_at"),
    }
)
# What of its cause stays: names of an automation and of a component in it, which are nobody's data.
CAUSE_KEPT = ("automation", "component")
# What of an enrolment stays: that somebody was in it, from when on and how far.
KEPT_OF_ENROLMENT = frozenset(
    {
        *("pk", "sk", "state", "version", "started_at", "automation_shard", "entered", "n", "runs"),
        *("left", "converted_at", "erased_at", "expires_at"),
    }
)


def weight(document: Mapping[str, Any]) -> int:
    """The bytes that a document takes in a function's answer at most, whoever encodes it."""
    return len(json.dumps(json.dumps(document, default=_plain)))


def write_cursor(place: Place) -> str:
    """A place as the opaque text that a page gives."""
    text = json.dumps([place.section.value, place.source, *place.key], ensure_ascii=True)
    return base64.urlsafe_b64encode(text.encode()).decode()


def read_cursor(cursor: str) -> Place:
    """The place that a cursor names; the beginning for none. Raises InvalidInput."""
    if not cursor:
        return Place(Section.CONTACT)
    try:
        section, source, *key = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if not all(isinstance(part, str) for part in (source, *key)):
            raise TypeError("a cursor is made of texts")
        return Place(Section(section), source, tuple(key))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput("invalid_cursor", "This cursor was not made here.", "cursor") from error


def require_confirmation(body: Mapping[str, Any], contact: str) -> None:
    """Erasing cannot be undone: whoever asks names the contact twice. Raises InvalidInput."""
    if body.get("confirm") != contact:
        raise InvalidInput("confirm_mismatch", "confirm is the id of the contact that is to be erased.", "confirm")


def clearing_of(contact: Contact, keep_out: bool, related: tuple[str, ...] = ()) -> Clearing:
    """What there is to clear of a contact."""
    return Clearing(
        identities=tuple(sorted(contact.identities)),
        contacts=contact.every_id,
        keep_out=keep_out,
        kept=contact.kept,
        lent=contact.lent,
        related=related,
    )


def addresses_of(contact: Contact) -> list[tuple[Channel, str]]:
    """Where the contact is or was written to."""
    return [(CHANNELS[identity.kind], identity.value) for identity in sorted(contact.of_kind(*CHANNELS))]


def _plain(value: object) -> str:
    return to_text(value) if isinstance(value, datetime) else str(value)
