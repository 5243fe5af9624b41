"""Which state of a message may follow which, and what a state means to whoever asked for the message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from tidings.messages.model import State

# A provider's events come in any order and more than once: a message only ever moves up.
RANK = {
    State.CLAIMED: 0,
    State.RELEASED: 0,
    State.UNKNOWN: 1,
    State.ACCEPTED: 2,
    State.DELAYED: 3,
    State.DELIVERED: 4,
    State.BOUNCED: 5,
    State.UNDELIVERED: 5,
    State.REJECTED: 5,
    State.COMPLAINED: 6,
    State.REFUSED: 9,
    State.SKIPPED: 9,
}

_OPEN = frozenset({State.CLAIMED, State.RELEASED, State.UNKNOWN})

# After which states each may come; None is before the first. What is reported of a message tells that it was sent, so
# it may follow on all that leave that open. docs/guarantees.md has the same table, with who leads there.
MOVES: Mapping[State, frozenset[State | None]] = {
    State.CLAIMED: frozenset({None, State.RELEASED, State.UNKNOWN}),
    State.SKIPPED: frozenset({None, State.RELEASED}),
    State.RELEASED: frozenset({State.CLAIMED}),
    State.REFUSED: frozenset({State.CLAIMED}),
    State.UNKNOWN: frozenset({State.CLAIMED}),
    State.ACCEPTED: _OPEN,
    State.DELAYED: _OPEN | {State.ACCEPTED},
    State.DELIVERED: _OPEN | {State.ACCEPTED, State.DELAYED, State.BOUNCED, State.UNDELIVERED},
    State.BOUNCED: _OPEN | {State.ACCEPTED, State.DELAYED, State.DELIVERED},
    State.UNDELIVERED: _OPEN | {State.ACCEPTED, State.DELAYED, State.DELIVERED},
    State.REJECTED: _OPEN | {State.ACCEPTED, State.DELAYED, State.DELIVERED, State.BOUNCED},
    State.COMPLAINED: _OPEN | {State.ACCEPTED, State.DELAYED, State.DELIVERED, State.BOUNCED, State.REJECTED},
}

# A Send event comes within seconds of SES's acceptance; a claim older than this without one is given up as unknown.
SETTLE_AFTER = timedelta(minutes=4)
CLAIM_SHARDS = 4
REPORT_SHARDS = 4

# What checks that pass mostly find: it is not written down with each message. A finding keeps its place in its list:
# messages know it by that.
USUAL: Mapping[str, tuple[str, ...]] = {
    "address": ("the contact has an e-mail address",),
    "suppression": ("the address is not on the suppression list",),
    "suppression_rules": ("no suppression rule holds",),
    "consent": ("transactional mail needs no consent",),
    "sending": ("the workspace may send",),
    "sender": ("the sender is verified",),
    "unsubscribe": (
        "transactional mail needs no way out",
        "the mail has a way out",
        "transactional messages need no way out",
        "the message has a way out",
    ),
    "template": ("the template renders",),
}


def outcome_of(state: State) -> str:
    """What a message's state means to an automation: accepted, skipped, refused or unknown; empty while it is open."""
    if state in (State.CLAIMED, State.RELEASED):
        return ""
    if state in (State.SKIPPED, State.REFUSED, State.UNKNOWN):
        return state.value
    return State.ACCEPTED.value
