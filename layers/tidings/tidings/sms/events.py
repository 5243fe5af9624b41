"""What End User Messaging tells of a text message: whose it is, where that moves it, what it cost.

https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tidings.activity.chain import Node
from tidings.activity.model import Event
from tidings.consent.model import Answered, Word
from tidings.contacts.model import Identity, IdentityKind
from tidings.core.clock import to_text
from tidings.core.http import EPOCH
from tidings.core.ids import contact_of_message, digest
from tidings.messages.costs import Bill, money
from tidings.messages.model import Message, State
from tidings.messages.progress import News

CONTEXT_MESSAGE = "tidings_message"
CONTEXT_WORKSPACE = "tidings_workspace"

_SENT = frozenset({"TEXT_PENDING", "TEXT_QUEUED", "TEXT_SENT", "RCS_QUEUED", "RCS_SENT"})
# Which of them comes depends on the country: that the carrier took it is all that some tell.
_DELIVERED = frozenset({"TEXT_SUCCESSFUL", "TEXT_DELIVERED", "RCS_DELIVERED"})
_READ, _FELL_BACK = "RCS_READ", "RCS_FALLEN_BACK_TO_SMS"
# What AWS calls temporary is not the end unless the event itself says so.
_TEMPORARY = "TEXT_CARRIER_UNREACHABLE"
_FAILED = frozenset(
    {
        *(
            "TEXT_INVALID",
            "TEXT_INVALID_MESSAGE",
            "TEXT_UNREACHABLE",
            _TEMPORARY,
            "TEXT_BLOCKED",
            "TEXT_CARRIER_BLOCKED",
        ),
        *("TEXT_SPAM", "TEXT_UNKNOWN", "TEXT_TTL_EXPIRED", "TEXT_PROTECT_BLOCKED"),
        *("RCS_FAILED", "RCS_TTL_EXPIRED", "RCS_PROTECT_BLOCKED"),
    }
)
KINDS = _SENT | _DELIVERED | _FAILED | {_READ, _FELL_BACK}

# The number does not exist: nobody can ever be reached there.
PERMANENT = frozenset({"TEXT_INVALID"})
# The phone is off or out of reach, or takes no such messages: five in a row say that nobody is to be reached. What the
# carrier, the text, our own limits or nobody knows what stopped says nothing about the number.
COUNTED = frozenset({"TEXT_UNREACHABLE", "TEXT_BLOCKED"})
_OPTED_OUT = re.compile(r"\bopt(?:ed)?[ -]?out\b", re.IGNORECASE)

_SHOWN = {
    "messageStatus": "status",
    "messageStatusDescription": "description",
    "isoCountryCode": "country",
    "mcc": "mcc",
    "mnc": "mnc",
    "carrierName": "carrier",
    "totalMessageParts": "parts",
}


class UnknownKind(ValueError):
    """An event of a kind that is not known here yet. It is kept until somebody looks at it."""


class NotOfMessage(ValueError):
    """An event that names a message of ours and is about another recipient or another sending."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event about a text that the provider took at `taken_at`, sent from `number`, and knows by `provider_id`.

    `final` says that nothing more is to come. `details` are what else the event says, as the timeline shows it.
    """

    workspace: str
    message_id: str
    kind: str
    at: datetime
    taken_at: datetime
    provider_id: str
    recipient: str
    number: str
    final: bool
    description: str
    bill: Bill | None
    details: Mapping[str, Any]

    @property
    def failed(self) -> bool:
        """Whether the message did not arrive, and how that is known to end."""
        return self.kind in _FAILED and self.final


def read_delivery(event: Mapping[str, Any]) -> Delivery | None:
    """The event as we know it; None if it is about no message of ours: one that is has our ids in its context.

    Raises UnknownKind for an event of ours of a kind that is not known yet, and KeyError, TypeError or ValueError for
    an object that is no such event.
    """
    kind, context = str(event["eventType"]), event.get("context") or {}
    message, workspace = (str(context.get(name) or "") for name in (CONTEXT_MESSAGE, CONTEXT_WORKSPACE))
    if not message or not workspace or not contact_of_message(message):
        return None
    if kind not in KINDS:
        raise UnknownKind(kind)
    at = _instant(event["eventTimestamp"])
    taken_at = _instant(event["messageRequestTimestamp"]) if "messageRequestTimestamp" in event else at
    return Delivery(
        workspace=workspace,
        message_id=message,
        kind=kind,
        at=at,
        taken_at=min(taken_at, at),
        provider_id=str(event["messageId"]),
        recipient=str(event.get("destinationPhoneNumber") or ""),
        number=str(event.get("originationPhoneNumber") or ""),
        final=bool(event.get("isFinal", kind != _TEMPORARY)),
        description=str(event.get("messageStatusDescription") or ""),
        bill=_bill(event, at),
        details={ours: event[theirs] for theirs, ours in _SHOWN.items() if event.get(theirs) not in (None, "")},
    )


def require_same(delivery: Delivery, message: Message) -> None:
    """Make sure that an event is about the very message that it names. Raises NotOfMessage.

    One that was given up and sent again has been with the provider under two ids.
    """
    if message.erased_at is None and _digits(message.address) != _digits(delivery.recipient):
        raise NotOfMessage("the event is about another recipient")
    again = State.UNKNOWN.value in message.history
    if message.provider_id and message.provider_id != delivery.provider_id and not again:
        raise NotOfMessage("the event is about another sending")


def news_of(delivery: Delivery) -> News:
    """What an event tells of its message: a failure that is not the end of it only delays."""
    state: State | None = State.ACCEPTED
    milestone, total, error = "sent", "", ""
    if delivery.kind in _DELIVERED:
        milestone, state = "delivered", State.DELIVERED
    elif delivery.kind == _READ:
        milestone, state, total = "opened", None, "opens"
    elif delivery.kind in _FAILED:
        milestone, state = ("undelivered", State.UNDELIVERED) if delivery.final else ("delayed", State.DELAYED)
        error = delivery.kind
    return News(
        at=delivery.at,
        mailed_at=delivery.taken_at,
        milestone=milestone,
        state=state,
        error=error,
        total=total,
        provider_id=delivery.provider_id,
        bill=delivery.bill,
    )


def to_event(delivery: Delivery, message: Message | None, now: datetime) -> Event | None:
    """The timeline's event; None for what tells only that the message is on its way, which `SMS Sent` does.

    Its id comes from what was reported, so that a doubled notification is one event.
    """
    name = _name_of(delivery)
    if not name:
        return None
    priced = {"price": delivery.bill.price, "fee": delivery.bill.fee} if delivery.bill else {}
    reason = {"reason": delivery.kind} if delivery.kind in _FAILED else {}
    return Event(
        workspace=delivery.workspace,
        identity=Identity(IdentityKind.CONTACT, contact_of_message(delivery.message_id)),
        message_id=digest(delivery.message_id, delivery.kind, to_text(delivery.at), delivery.provider_id),
        type="system",
        name=name,
        received_at=now,
        timestamp=delivery.at,
        properties={"message": delivery.message_id, **reason, **delivery.details, **priced},
        cause=Node.message(delivery.message_id),
        root=message.began_by if message else None,
    )


def is_permanent(delivery: Delivery) -> bool:
    """Whether nobody can ever be reached: a number that does not exist is as good as a mailbox that does not."""
    return delivery.failed and delivery.kind in PERMANENT


def opted_out(delivery: Delivery) -> Answered | None:
    """The person's STOP, where AWS heard it and we did not: it held when AWS took the text. None for no such thing.

    Where AWS answers STOP itself, its word for that comes as a text that was blocked.
    """
    if not delivery.failed or delivery.kind != "TEXT_BLOCKED" or not _OPTED_OUT.search(delivery.description):
        return None
    return Answered(Word.STOP, delivery.taken_at, delivery.provider_id, delivery.number)


def counts(delivery: Delivery) -> bool:
    """Whether a failure is one of the five in a row that suppress."""
    return delivery.failed and delivery.kind in COUNTED and opted_out(delivery) is None


def _name_of(delivery: Delivery) -> str:
    if delivery.kind in _DELIVERED:
        return "SMS Delivered"
    if delivery.kind in _FAILED:
        return "SMS Undelivered" if delivery.final else "SMS Delayed"
    return {_READ: "SMS Read", _FELL_BACK: "SMS Fallen Back"}.get(delivery.kind, "")


def _bill(event: Mapping[str, Any], at: datetime) -> Bill | None:
    if event.get("totalMessagePrice") is None:
        return None
    texts = {ours: str(event.get(theirs) or "") for theirs, ours in (("mcc", "mcc"), ("mnc", "mnc"))}
    return Bill(
        at=to_text(at),
        price=money(event["totalMessagePrice"]),
        fee=money(event.get("totalCarrierFee") or 0),
        parts=int(event.get("totalMessageParts") or 0),
        carrier=str(event.get("carrierName") or ""),
        **texts,
    )


def _instant(milliseconds: Any) -> datetime:
    try:
        return EPOCH + timedelta(milliseconds=int(milliseconds))
    except OverflowError as error:
        raise ValueError("no instant") from error


def _digits(number: str) -> str:
    return "".join(letter for letter in number if letter.isdecimal())
