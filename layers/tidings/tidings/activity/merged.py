"""The events that tell of a merge of contacts, and of one that was undone."""

from __future__ import annotations

from tidings.activity.model import SYSTEM, Event

MERGED, UNMERGED = "Contacts Merged", "Merge Undone"


def tells_of_merge(event: Event) -> bool:
    """Whether an event on the survivor's timeline tells that another contact was merged into them."""
    return event.type == SYSTEM and event.name == MERGED and bool(event.contact)
