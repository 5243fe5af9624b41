"""What changed about a contact: the names of traits, and companies joined and left, as events tell them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tidings.contacts.model import Contact

# What an event that tells of a change says: names of traits, and ids of companies.
CHANGED, JOINED, LEFT = "changed", "joined", "left"
# The event that tells of it.
CONTACT_UPDATED = "Contact Updated"


def changed_traits(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The names of traits whose values differ, sorted; what is None is not there."""
    return [name for name in sorted(before.keys() | after.keys()) if _text(before.get(name)) != _text(after.get(name))]


def changes_between(before: Contact, after: Contact) -> dict[str, list[str]]:
    """What differs between a contact and itself a while later; what there is none of is left out."""
    told = {
        CHANGED: changed_traits(before.values, after.values),
        JOINED: sorted(set(after.joined) - set(before.joined)),
        LEFT: sorted(set(before.joined) - set(after.joined)),
    }
    return {name: found for name, found in told.items() if found}


def _text(value: Any) -> str:
    """A value as text, in which true is not 1, as it is among Python's values."""
    return json.dumps(value, sort_keys=True)
