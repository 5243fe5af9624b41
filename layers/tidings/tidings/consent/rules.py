"""Pure decisions about suppression and consent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tidings.consent.model import (
    EVERYTHING,
    AddressRecord,
    Asking,
    By,
    Channel,
    Check,
    Consent,
    Kind,
    Proof,
    Reason,
    Reply,
    Suppression,
    Topic,
)
from tidings.contacts.rules import normalise_email
from tidings.core.clock import from_text
from tidings.core.errors import InvalidInput

# Who says the same again so soon repeats a call or presses a button twice: that is one reply.
REPEATED_WITHIN = timedelta(hours=1)
# For so long the link in a confirmation mail counts, and so soon no second mail goes out.
CONFIRM_WITHIN = timedelta(days=30)
ASK_AGAIN_AFTER = timedelta(hours=24)
# To so many mails a day that ask to confirm comes who has an address: anybody can type it, and for every topic.
ASKED_A_DAY = 5

_E164 = re.compile(r"^\+[1-9]\d{6,14}$")


def read_channel(text: str) -> Channel:
    """A channel by its name. Raises InvalidInput."""
    try:
        return Channel(text)
    except ValueError as error:
        raise InvalidInput("unknown_channel", "channel is email or sms.", "channel") from error


def normalise_address(channel: Channel, address: str) -> str:
    """An address in the one spelling it is kept by. Raises InvalidInput."""
    if channel is Channel.EMAIL:
        text = normalise_email(address)
    else:
        text = address.strip() if _E164.match(address.strip()) else ""
    if not text:
        raise InvalidInput("invalid_address", f"This is no address for {channel}.", "address")
    return text


def suppression_check(entry: Suppression | None, now: datetime) -> Check:
    """Whether the suppression list lets a message go; the answer names the entry that does not."""
    if entry is None:
        return Check("suppression", True, "the address is not on the suppression list")
    if not entry.holds_at(now):
        return Check("suppression", True, f"the {entry.reason} suppression has expired")
    return Check("suppression", False, f"suppressed since {entry.created_at:%Y-%m-%d %H:%M:%S} UTC: {entry.reason}")


def confirmation_check(record: AddressRecord, confirms: str, now: datetime) -> Check | None:
    """Whether a message is the confirmation of the very STOP that holds, by the provider's id of that; None if not.

    It is the one message that passes a STOP. Where anything else keeps messages away as well, it does not.
    """
    answered, entry = record.answered, record.entry
    if not confirms or answered is None or not record.is_stopped or answered.message != confirms:
        return None
    if entry is not None and entry.holds_at(now):
        return suppression_check(entry, now)
    if record.carried_stops:
        return suppression_check(record.suppression, now)
    return Check("suppression", True, f"stopped at {_instant(answered.at)}, which this message confirms")


def read_expiry(body: Mapping[str, Any], now: datetime) -> datetime | None:
    """When a suppression is to end; None for never. Raises InvalidInput."""
    text = body.get("expires_at")
    if text is None:
        return None
    try:
        expires_at = from_text(text)
    except (TypeError, ValueError) as error:
        raise InvalidInput("invalid_timestamp", "expires_at is not an ISO 8601 time.", "expires_at") from error
    if expires_at <= now:
        raise InvalidInput("expiry_in_past", "expires_at is in the past.", "expires_at")
    return expires_at


def consent_check(record: AddressRecord, kind: Kind, name: str, topic: Topic | None) -> Check:
    """Whether the address's consents let a message of this kind and topic go; the answer says who said what, and when.

    `topic` is what the workspace defines under `name`, None for nothing. A double opt-in counts only a confirmed yes.
    """
    if kind is Kind.TRANSACTIONAL:
        return Check("consent", True, "transactional mail needs no consent")
    if topic is None:
        return Check("consent", False, f"there is no topic named {name}")
    said = deciding(record, name)
    if said is None:
        return _never_said(record, topic)
    if said.reply is Reply.UNSUBSCRIBED:
        return Check("consent", False, _told("unsubscribed from", said))
    if topic.consent is Asking.DOUBLE_OPT_IN and not _is_confirmed(record, name):
        return Check("consent", False, f"{_told('subscribed to', said)}, but not confirmed by the person")
    return Check("consent", True, _told("subscribed to", said))


def _never_said(record: AddressRecord, topic: Topic) -> Check:
    own = record.consents.get(topic.name)
    asked = f"asked at {_instant(own.proof.at)} and not confirmed" if own else "never asked"
    passed = topic.consent is Asking.OPT_OUT
    return Check("consent", passed, f"{asked}; the topic {topic.name} is {topic.consent.replace('_', '-')}")


def _is_confirmed(record: AddressRecord, topic: str) -> bool:
    said = (record.consents.get(name) for name in (topic, EVERYTHING))
    return any(one.confirmed and one.reply is Reply.SUBSCRIBED for one in said if one is not None)


def _told(verb: str, said: Consent) -> str:
    what = "all marketing" if said.topic == EVERYTHING else said.topic
    whom = {By.PERSON: "the person", By.OPERATOR: "an operator", By.IMPORT: "an import"}[said.proof.by]
    source = f" ({said.proof.source})" if said.proof.source else ""
    return f"{verb} {what} since {_instant(said.proof.at)} by {whom}{source}"


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def settle(existing: Consent | None, new: Consent) -> bool:
    """Whether a new reply takes the place of the one that stands: product rule 4.2.

    A person's own no is undone by the person's own later yes alone. Otherwise the later reply holds, and of two at once
    the no. A person's yes is better proof than anybody else's, and stays where that changes nothing. Whatever the order
    in which replies come, one whose person's last word was a no ends as a no.
    """
    if existing is None or existing.reply is Reply.PENDING:
        return True
    own, others = new.proof.by is By.PERSON, existing.proof.by is not By.PERSON
    if own and others and new.reply in (Reply.UNSUBSCRIBED, existing.reply):
        return True
    if not own and not others and existing.reply in (Reply.UNSUBSCRIBED, new.reply):
        return False
    if new.reply is not existing.reply and new.proof.at == existing.proof.at:
        return new.reply is Reply.UNSUBSCRIBED
    return new.proof.at > existing.proof.at


def contradicted(record: AddressRecord, said: Consent) -> bool:
    """Whether something else was said or asked since a reply that stands.

    About a topic, or of one by what was said about all marketing; all marketing by what was said about any topic.
    """
    names = record.consents if said.topic == EVERYTHING else (said.topic, EVERYTHING)
    others = (record.consents[name] for name in names if name in record.consents)
    words = [word for one in others for word in ((one.reply, one.proof), (Reply.PENDING, one.asked))]
    return any(reply is not said.reply and proof and proof.at >= said.proof.at for reply, proof in words)


def repeats(record: AddressRecord, new: Consent) -> bool:
    """Whether a reply says once more what stands: a repeated call, or a button pressed twice.

    Where something else was said in between it is a reply of its own, as when somebody leaves, comes back and leaves.
    """
    existing = record.consents.get(new.topic)
    if existing is None or contradicted(record, existing):
        return False
    earlier = replace(existing.proof, at=new.proof.at, ip=new.proof.ip)
    same = (existing.reply, existing.confirmed, earlier) == (new.reply, new.confirmed, new.proof)
    return same and abs(new.proof.at - existing.proof.at) < REPEATED_WITHIN


def deciding(record: AddressRecord, topic: str) -> Consent | None:
    """The reply that holds for a topic: that about the topic, or about all marketing; None where there is neither."""
    said = [record.consents[name] for name in (EVERYTHING, topic) if name in record.consents]
    replies = [consent for consent in said if consent.reply is not Reply.PENDING]
    if not replies:
        return None
    holds = replies[1] if len(replies) == 2 and settle(*replies) else replies[0]
    return next((no for one in replies for no in _noes_beneath(one) if not settle(no, holds)), holds)


def accepts(record: AddressRecord, new: Consent) -> bool:
    """Whether a reply may be written down: nobody but the person goes past their own no, to all marketing either."""
    everything = record.consents.get(EVERYTHING)
    others_yes = new.proof.by is not By.PERSON and new.reply is Reply.SUBSCRIBED
    others_no = new.proof.by is not By.PERSON and new.reply is Reply.UNSUBSCRIBED and new.topic == EVERYTHING
    if others_yes and everything is not None and everything.is_own_no:
        return False
    if others_no and everything is not None and everything.is_own_no:
        return bool(_regained(record, new)) or _beneath(everything, new) is not everything
    stands = record.consents.get(new.topic)
    return _takes_over(stands, new) or (stands is not None and _beneath(stands, new) is not stands)


def _regained(record: AddressRecord, no: Consent) -> list[str]:
    """The topics that a yes holds for, and no more after somebody else's no to everything."""
    yes = [one for name, one in record.consents.items() if deciding(record, name) is one]
    return [one.topic for one in yes if one.reply is Reply.SUBSCRIBED and settle(one, replace(no, topic=one.topic))]


def with_reply(record: AddressRecord, new: Consent) -> dict[str, Consent]:
    """All consents of an address with a reply among them.

    Who says no themselves, or confirms, is not asked to confirm any more. Where somebody else says no to everything
    after the person's own no to it, that stays, and what the person has said yes to since is a no. A no that counts,
    but not now, stands beneath the one that does.
    """
    before = record.consents.get(new.topic)
    if new.topic == EVERYTHING and before is not None and before.is_own_no and new.proof.by is not By.PERSON:
        regained = {name: replace(new, topic=name) for name in _regained(record, new)}
        return {**record.consents, **regained, EVERYTHING: _beneath(before, new)}
    if before is not None and not _takes_over(before, new):
        return {**record.consents, new.topic: _beneath(before, new)}
    done = new.confirmed or (new.proof.by is By.PERSON and new.reply is Reply.UNSUBSCRIBED)
    kept = replace(new, asked=before.pending if before is not None and not done else None)
    kept = replace(kept, before=_later_no(before, kept) if kept.is_own_no else None)
    after = {**record.consents, new.topic: kept}
    if kept.is_own_no and kept.topic == EVERYTHING:
        after = {name: replace(one, asked=None) for name, one in after.items() if one.reply is not Reply.PENDING}
    return after


def _takes_over(existing: Consent | None, new: Consent) -> bool:
    """Whether a reply takes the place of the one that stands; a yes also that of every no beneath it."""
    if existing is None or not settle(existing, new):
        return existing is None
    return new.reply is not Reply.SUBSCRIBED or all(settle(no, new) for no in _noes_beneath(existing))


def _noes_beneath(consent: Consent | None) -> Iterator[Consent]:
    """The noes that stand beneath a reply: were it gone, they would hold."""
    beneath = consent.before if consent is not None else None
    while beneath is not None:
        if beneath.reply is Reply.UNSUBSCRIBED:
            yield beneath
        beneath = beneath.before


def _beneath(stands: Consent, new: Consent) -> Consent:
    """A person's own no with another no put beneath it, where that is to be remembered; else as it stands.

    That is an operator's later one, which a yes of the person's from between the two does not undo; and any that is
    said of an address to which a merge carried a no, since that goes when the merge is undone.
    """
    if not stands.is_own_no or new.reply is not Reply.UNSUBSCRIBED:
        return stands
    if not stands.is_carried and (new.proof.by is By.PERSON or new.proof.at <= stands.proof.at):
        return stands
    under = stands.before
    again = under is not None and (under.reply, under.proof.by, under.proof.source) == (
        new.reply,
        new.proof.by,
        new.proof.source,
    )
    if under is not None and again and abs(new.proof.at - under.proof.at) < REPEATED_WITHIN:
        return stands
    if stands.before is None or settle(stands.before, new):
        return replace(stands, before=replace(new, before=_later_no(stands.before, new)))
    lower = _beneath(stands.before, new)
    return stands if lower is stands.before else replace(stands, before=lower)


def _later_no(stands: Consent | None, new: Consent) -> Consent | None:
    """Of what a person's own no takes the place of, somebody else's no that is later: it goes beneath."""
    noes = [one for one in (stands, *_noes_beneath(stands)) if one is not None and one.reply is Reply.UNSUBSCRIBED]
    later = [no for no in noes if not no.is_own_no and no.proof.at > new.proof.at]
    found = max(later, key=lambda no: no.proof.at, default=None)
    return replace(found, asked=None, before=None) if found is not None and new.is_own_no else None


def lifts(new: Consent, entry: Suppression | None) -> bool:
    """Whether a reply takes the address off the suppression list: a person's later yes after their unsubscribing."""
    own_yes = new.reply is Reply.SUBSCRIBED and new.proof.by is By.PERSON
    return own_yes and entry is not None and entry.reason is Reason.UNSUBSCRIBE and new.proof.at > entry.created_at


def asked_enough(record: AddressRecord, topic: str, at: datetime) -> bool:
    """Whether an address was asked about so many other topics within a day that one more mail would be a nuisance."""
    others = [one.pending for name, one in record.consents.items() if name != topic]
    return sum(at - one.at < ASK_AGAIN_AFTER for one in others if one is not None) >= ASKED_A_DAY


def asked(record: AddressRecord, topic: str, proof: Proof) -> Consent | None:
    """What stands once a confirmation is asked for; None where nothing is to be written.

    A yes that was confirmed is not asked about again, nor is anybody within a day. Any other reply stays in force until
    the person confirms.
    """
    before = record.consents.get(topic)
    decided = deciding(record, topic)
    if decided is not None and decided.reply is Reply.SUBSCRIBED and decided.confirmed:
        return None
    if before is None:
        return Consent(topic, Reply.PENDING, proof)
    if before.pending is not None and proof.at - before.pending.at < ASK_AGAIN_AFTER:
        return None
    return replace(before, proof=proof) if before.reply is Reply.PENDING else replace(before, asked=proof)
