"""What SES events say: which state a message moves to, what stands on the timeline, whom to suppress."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidings.activity.chain import Node
from tidings.activity.model import Event
from tidings.consent.model import Reason
from tidings.contacts.model import Identity, IdentityKind
from tidings.core.clock import Clock, from_text, to_text
from tidings.core.ids import contact_of_message, digest
from tidings.email.model import Feedback
from tidings.messages.model import State

TAG_MESSAGE = "tidings_message"
TAG_WORKSPACE = "tidings_workspace"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind of SES event does: its name on the timeline and the state it moves a message to, if any."""

    event: str
    state: State | None
    detail: str


# Event names are those of Segment's e-mail spec where it has one.
MEANINGS = {
    "Send": Meaning("Email Sent", State.ACCEPTED, "send"),
    "Delivery": Meaning("Email Delivered", State.DELIVERED, "delivery"),
    "Bounce": Meaning("Email Bounced", State.BOUNCED, "bounce"),
    "Complaint": Meaning("Email Marked as Spam", State.COMPLAINED, "complaint"),
    "Reject": Meaning("Email Rejected", State.REJECTED, "reject"),
    "Rendering Failure": Meaning("Email Rendering Failed", State.REJECTED, "failure"),
    "DeliveryDelay": Meaning("Email Delayed", State.DELAYED, "deliveryDelay"),
    "Open": Meaning("Email Opened", None, "open"),
    "Click": Meaning("Email Link Clicked", None, "click"),
}

# What of an event stands on the timeline: nothing that repeats the address, no whole header list.
_SHOWN = (
    "bounceType", "bounceSubType", "feedbackId", "complaintFeedbackType", "complaintSubType", "smtpResponse",
    "processingTimeMillis", "reason", "errorMessage", "delayType", "link", "linkTags", "userAgent", "ipAddress",
)  # fmt: skip


def read_feedback(notification: Mapping[str, Any]) -> Feedback | None:
    """The feedback in an SES event; None if it is about no message of ours.

    Ours are published by our configuration set and have tags. What SES tells about an identity, in the flavour with
    `notificationType`, has none. Raises KeyError, TypeError or ValueError for an object that is no SES event.
    """
    if "notificationType" in notification:
        return None
    kind = str(notification["eventType"])
    mail = notification["mail"]
    tags = mail.get("tags") or {}
    message, workspace = (str((tags.get(name) or [""])[0]) for name in (TAG_MESSAGE, TAG_WORKSPACE))
    if kind not in MEANINGS or not workspace or not contact_of_message(message):
        return None
    details = notification.get(MEANINGS[kind].detail) or {}
    return Feedback(
        workspace=workspace,
        message_id=message,
        kind=kind,
        at=from_text(details.get("timestamp") or mail["timestamp"]),
        provider_id=str(mail["messageId"]),
        recipients=_recipients(kind, details, mail),
        details=details,
    )


def suppression_reason(feedback: Feedback) -> Reason | None:
    """Why the recipients must not be written to again: a permanent bounce or a complaint; None for anything else.

    A complaint that says it is none (`not-spam`) suppresses nobody.
    """
    if feedback.kind == "Complaint":
        return None if feedback.details.get("complaintFeedbackType") == "not-spam" else Reason.COMPLAINT
    if feedback.kind == "Bounce" and feedback.details.get("bounceType") == "Permanent":
        return Reason.BOUNCE
    return None


def error_of(feedback: Feedback) -> str:
    """What went wrong, for the message's record: `Permanent/NoEmail`, a reason, or nothing."""
    details = feedback.details
    if feedback.kind == "Bounce":
        return f"{details.get('bounceType')}/{details.get('bounceSubType')}"
    if feedback.kind in ("Reject", "Rendering Failure"):
        return str(details.get("reason") or details.get("errorMessage") or feedback.kind)
    return ""


def to_event(feedback: Feedback, root: Node | None, clock: Clock) -> Event:
    """The timeline's event, in the chain that `root` began.

    Its id comes from what was reported, so that a doubled notification is one event.
    """
    body = json.dumps(feedback.details, sort_keys=True, default=str)
    details = {name: feedback.details[name] for name in _SHOWN if feedback.details.get(name) is not None}
    return Event(
        workspace=feedback.workspace,
        identity=Identity(IdentityKind.CONTACT, contact_of_message(feedback.message_id)),
        message_id=digest(feedback.message_id, feedback.kind, to_text(feedback.at), body),
        type="system",
        name=MEANINGS[feedback.kind].event,
        received_at=clock.now(),
        timestamp=feedback.at,
        properties={"message": feedback.message_id, **details},
        cause=Node.message(feedback.message_id),
        root=root,
    )


def _recipients(kind: str, details: Mapping[str, Any], mail: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom the event is about. A complaint may list everybody at a domain: only those we wrote to count.

    A mail to one person can be about nobody else, whatever name the list has for them: the server that bounced it may
    know them by another (SES takes the DSN's Final-Recipient), and who complains is often made unreadable.
    """
    listed = details.get({"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients"}.get(kind, "")) or []
    written = {str(address).lower() for address in mail.get("destination") or []}
    if listed and len(written) == 1:
        return tuple(written)
    addresses = (str(recipient["emailAddress"]).lower() for recipient in listed)
    return tuple(address for address in addresses if address in written)
