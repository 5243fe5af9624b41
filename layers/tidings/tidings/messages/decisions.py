"""What was decided about a message, in plain words, and as it stood at an earlier instant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tidings.core.clock import from_text, to_text
from tidings.core.errors import InvalidInput
from tidings.messages.model import Message, State
from tidings.messages.progress import DOUBTFUL, PERMANENT

_SUPPRESSED = re.compile(r"suppressed since (?P<since>.+): (?P<reason>\w+)")
_BECAUSE = {
    "bounce": "because messages to it came back for good",
    "complaint": "because of a complaint",
    "unsubscribe": "because the person unsubscribed",
    "manual": "because somebody put it on the list",
    "erased": "because the person was erased",
}
_SENTENCES = {
    State.CLAIMED: "Being sent: nobody knows yet whether the provider has it",
    State.RELEASED: "Not sent yet: the provider asked to try later",
    State.UNKNOWN: "Nobody knows whether it was sent: neither an answer nor an event of the provider ever came",
    State.ACCEPTED: "Sent: the provider accepted it",
    State.DELAYED: "Sent, and not delivered yet: the provider goes on trying",
    State.DELIVERED: "Sent and delivered",
    State.BOUNCED: "Sent, and not delivered: it bounced",
    State.UNDELIVERED: "Sent, and not delivered",
    State.REJECTED: "Not delivered: the provider rejected it after accepting it",
    State.COMPLAINED: "Sent, and marked as spam by the recipient",
    State.REFUSED: "Not sent: the provider refused it for good",
}
_OWN = (State.CLAIMED.value, State.RELEASED.value, State.UNKNOWN.value)
# The state that each entry of a history tells of, and which of them counts: opens and clicks move nothing.
_REACHED = {
    "accepted": (0, State.ACCEPTED),
    "delayed": (1, State.DELAYED),
    "bounced": (2, State.BOUNCED),
    "soft_bounced": (2, State.BOUNCED),
    "spam_bounced": (3, State.BOUNCED),  # for good or not, as the error says
    "delivered": (4, State.DELIVERED),
    "hard_bounced": (5, State.BOUNCED),
    "undelivered": (5, State.UNDELIVERED),
    "rejected": (6, State.REJECTED),
    "complained": (7, State.COMPLAINED),
    "refused": (9, State.REFUSED),
    "skipped": (9, State.SKIPPED),
}


def sentence(message: Message) -> str:
    """What was decided and what became of it, for people."""
    if message.state is State.SKIPPED:
        return f"Not sent: {reason(message)}."
    told = _SENTENCES[message.state]
    return f"{told} ({message.error})." if message.error else f"{told}."


def reason(message: Message) -> str:
    """Why a message did not go or arrive: what the check found that said no, else what the provider told."""
    if message.state is not State.SKIPPED:
        return message.error
    if not message.decision:
        return "why is not known any more, since the person was erased"
    return _found(message.decision)


def _found(decision: Mapping[str, Any]) -> str:
    by = decision["decided_by"]
    found = next((str(check["found"]) for check in decision["checks"] if check["check"] == by), "")
    suppressed = _SUPPRESSED.fullmatch(found) if by == "suppression" else None
    if suppressed is None:
        return found or f"the {by} check said no"
    why = _BECAUSE.get(suppressed["reason"], f"({suppressed['reason']})")
    return f"the address is suppressed since {suppressed['since']} {why}"


def as_of(message: Message, at: datetime) -> Message | None:
    """The message as it stood at an instant: the last decision until then, and nothing of later; None before the first.

    Of an attempt that another one followed, the record keeps the decision, but not the address and subject.
    """
    limit = to_text(at)
    if not message.decided_at or message.decided_at > limit:
        return None
    decisions = [one for one in (*message.earlier, message.decision) if one and _instant(one) <= limit]
    standing = decisions[-1] if decisions else {}
    history = {state: instant for state, instant in message.history.items() if instant <= limit}
    state = _state(message, history, standing)
    seen = replace(
        message,
        state=state,
        decision=standing,
        earlier=tuple(decisions[:-1]),
        history=history,
        error=message.error if state is message.state else "",
        provider_id=message.provider_id if any(name in _REACHED for name in history) else "",
    )
    if not standing or standing == message.decision:
        return seen
    version = int(standing.get("versions", {}).get("template", 0))
    return replace(seen, address="", subject="", template_version=version)


def decision_dict(message: Message) -> dict[str, Any]:
    """What was decided about a message, as lists of decisions show it."""
    source, name = message.source
    return {
        "message": message.id,
        "contact": message.contact,
        "channel": message.channel,
        "kind": message.kind.value,
        "topic": message.topic,
        "template": message.template,
        "template_version": message.template_version,
        "source": source,
        "name": name,
        "component": message.cause.get("component", ""),
        "address": message.address,
        "state": message.state.value,
        "sentence": sentence(message),
        "decided_at": message.decided_at,
        "decision": dict(message.decision),
        "earlier": [dict(one) for one in message.earlier],
        "history": dict(message.history),
    }


def read_at(query: Mapping[str, str]) -> datetime | None:
    """The instant that a query asks for; None for now. Raises InvalidInput."""
    text = query.get("at", "").strip()
    if not text:
        return None
    try:
        # A plus sign that is not escaped in a query is a space.
        return from_text(text.replace(" ", "+"))
    except ValueError as error:
        raise InvalidInput("invalid_timestamp", "at is a time in ISO 8601.", "at") from error


def _instant(decision: Mapping[str, Any]) -> str:
    at = decision["at"]
    return to_text(at) if isinstance(at, datetime) else str(at)


def _state(message: Message, history: Mapping[str, str], decision: Mapping[str, Any]) -> State:
    """The state that some of a message's instants make, as `progress` moves it.

    What a provider told stands whatever came when: its clock is not ours, and its events have no order. Among our own
    attempts the latest word counts; each new claim writes over the instant of the one before.
    """
    told = [_REACHED[name] for name in history if name in _REACHED]
    if told:
        spam = _REACHED["spam_bounced"]
        if spam in told and message.error.startswith(PERMANENT):
            told.append(_REACHED["hard_bounced"])
        missed = _REACHED["undelivered"]
        if missed in told and (message.state is State.DELIVERED or message.error.startswith(DOUBTFUL)):
            told[told.index(missed)] = (3, State.UNDELIVERED)
        return max(told)[1]
    own = max(
        (name for name in _OWN if name in history), key=lambda name: (history[name], _OWN.index(name)), default=""
    )
    if own and (not decision or history[own] >= _instant(decision)):
        return State(own)
    return State.CLAIMED if decision.get("send") else State.SKIPPED
