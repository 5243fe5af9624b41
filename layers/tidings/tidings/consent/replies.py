"""What becomes of replies to a record, and how a change of one is told: in its log, and on the timeline of contacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from tidings.activity.chain import Node
from tidings.activity.model import SYSTEM, Event
from tidings.consent.model import EVERYTHING, AddressRecord, By, Consent, LogEntry, Reply, Suppression
from tidings.consent.rules import accepts, lifts, repeats, with_reply
from tidings.contacts.model import Identity, IdentityKind
from tidings.core.clock import to_text
from tidings.core.ids import digest

GIVEN, WITHDRAWN, ASKED = "Consent Given", "Consent Withdrawn", "Consent Asked"
SUPPRESSED, RELEASED = "Address Suppressed", "Address Released"


# How many replies go into one transaction at most: each is written with its log and an event.
TOGETHER = 45


@dataclass(frozen=True, slots=True)
class Origin:
    """What led to a change: whose mail, that mail as a node of the chain of causes, and what began the chain."""

    contact: str = ""
    cause: Node | None = None
    root: Node | None = None


class Result(StrEnum):
    """What became of a reply."""

    SET = "set"
    UNCHANGED = "unchanged"
    KEPT = "kept"  # the person's own no, which nobody else undoes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a reply, and what holds for the topic since."""

    result: Result
    consent: Consent


def replied(record: AddressRecord, told: Sequence[Consent]) -> tuple[AddressRecord, list[Outcome]]:
    """The record once replies are written down, and what became of each."""
    outcomes = []
    for one in told:
        if repeats(record, one) or not accepts(record, one):
            outcomes.append(_left(record, one))
            continue
        suppression = None if lifts(one, record.suppression) else record.suppression
        record = replace(record, consents=with_reply(record, one), suppression=suppression)
        outcomes.append(Outcome(Result.SET, one))
    return record, outcomes


def _left(record: AddressRecord, told: Consent) -> Outcome:
    """What stands in the way of a reply, or says the same."""
    stands = [record.consents[name] for name in (told.topic, EVERYTHING) if name in record.consents]
    other = told.reply is Reply.SUBSCRIBED and told.proof.by is not By.PERSON
    own_no = next((one for one in stands if one.is_own_no), None)
    if other and own_no is not None:
        return Outcome(Result.KEPT, own_no)
    return Outcome(Result.UNCHANGED, record.consents.get(told.topic) or told)


def logged_reply(record: AddressRecord, told: Consent, now: datetime, actor: str, lifted: str) -> LogEntry:
    before = record.consents.get(told.topic)
    proof = told.proof
    said = {
        "topic": told.topic,
        "reply": told.reply.value,
        "before": before.reply.value if before else Reply.NEVER_ASKED.value,
        "by": proof.by.value,
        "source": proof.source,
        "wording": proof.wording,
        "ip": proof.ip,
        "message": proof.message,
        "given_at": to_text(proof.at),
        "lifted": lifted,
        "actor": actor,
    }
    return LogEntry(record.workspace, record.channel, record.key, now, "consent", said)


def reply_event(record: AddressRecord, told: Consent, now: datetime, contact: str, origin: Origin) -> Event:
    names = {Reply.SUBSCRIBED: GIVEN, Reply.UNSUBSCRIBED: WITHDRAWN}
    name = names.get(told.reply, ASKED)
    return Event(
        workspace=record.workspace,
        identity=Identity(IdentityKind.CONTACT, contact),
        # Its own instant too: an import may tell of one topic more than once.
        message_id=digest(name, record.channel, record.key, told.topic, to_text(now), to_text(told.proof.at)),
        type="system",
        name=name,
        received_at=now,
        timestamp=told.proof.at,
        properties={
            "channel": record.channel.value,
            "topic": told.topic,
            "by": told.proof.by.value,
            "source": told.proof.source,
        },
        cause=origin.cause,
        root=origin.root,
    )


def logged_suppression(
    key: str, entry: Suppression, change: str, now: datetime, actor: str, note: str = ""
) -> LogEntry:
    """How the log tells that an address came to the suppression list, or was taken off it (`change`)."""
    expires_at = to_text(entry.expires_at) if entry.expires_at else ""
    said = {
        "change": change,
        "reason": entry.reason.value,
        "source": entry.source,
        "expires_at": expires_at,
        "actor": actor,
        "note": note,
    }
    return LogEntry(entry.workspace, entry.channel, key, now, "suppression", said)


def suppression_event(name: str, entry: Suppression, at: datetime, contact: str) -> Event:
    """The event of a contact that tells that an address of theirs came to the suppression list or was taken off it."""
    return Event(
        workspace=entry.workspace,
        identity=Identity(IdentityKind.CONTACT, contact),
        message_id=digest(name, entry.channel, entry.address, to_text(at)),
        type=SYSTEM,
        name=name,
        received_at=at,
        timestamp=at,
        properties={"channel": entry.channel.value, "reason": entry.reason.value},
    )
