"""What SES events say: whose mail they are about, where they move its message, and what stands on the timeline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from tidings.activity.chain import Node
from tidings.activity.model import Event
from tidings.consent.model import EVERYTHING
from tidings.contacts.model import Identity, IdentityKind
from tidings.core.clock import Clock, from_text, to_text
from tidings.core.ids import contact_of_message, digest
from tidings.email.bounces import bounce_of, is_complaint
from tidings.email.model import Feedback
from tidings.messages.machines import Verdict
from tidings.messages.model import UNSUBSCRIBED, State
from tidings.messages.progress import News

TAG_MESSAGE = "tidings_message"
TAG_WORKSPACE = "tidings_workspace"
# What SES tells of an identity has no tags, and the headers of the mail if its owner asks for them.
HEADER_MESSAGE = "X-Tidings-Message"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind of SES event does: its name on the timeline, the state it moves a message to, what it counts as.

    `detail` is where the event says more. `machine` is its name where a machine did it.
    """

    event: str
    state: State | None
    detail: str
    milestone: str = ""
    total: str = ""
    machine: str = ""


# Event names are those of Segment's e-mail spec where it has one; what its machines do has names of its own, so that
# conditions on opens and clicks mean people.
MEANINGS = {
    "Send": Meaning("Email Sent", State.ACCEPTED, "send", "sent"),
    "Delivery": Meaning("Email Delivered", State.DELIVERED, "delivery", "delivered"),
    "Bounce": Meaning("Email Bounced", State.BOUNCED, "bounce"),
    "Complaint": Meaning("Email Marked as Spam", State.COMPLAINED, "complaint", "complained"),
    "Reject": Meaning("Email Rejected", State.REJECTED, "reject", "rejected"),
    "Rendering Failure": Meaning("Email Rendering Failed", State.REJECTED, "failure", "rejected"),
    "DeliveryDelay": Meaning("Email Delayed", State.DELAYED, "deliveryDelay", "delayed"),
    "Open": Meaning("Email Opened", None, "open", "opened", "opens", "Email Opened by Machine"),
    "Click": Meaning("Email Link Clicked", None, "click", "clicked", "clicks", "Email Link Clicked by Machine"),
    "Subscription": Meaning("Email Subscription Changed", None, "subscription"),
}
# What SES tells of an identity to whoever asks for that: https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
OF_IDENTITIES = frozenset({"Bounce", "Complaint", "Delivery"})

# What of an event stands on the timeline: nothing that repeats the address, no whole header list.
_SHOWN = (
    "bounceType", "bounceSubType", "feedbackId", "complaintFeedbackType", "complaintSubType", "smtpResponse",
    "processingTimeMillis", "reason", "errorMessage", "delayType", "link", "linkTags", "userAgent", "ipAddress",
    "contactList", "source", "newTopicPreferences", "oldTopicPreferences",
)  # fmt: skip


def read_feedback(notification: Mapping[str, Any]) -> Feedback | None:
    """The feedback in an SES event, of either flavour; None if it is about no message of ours, or of an unknown kind.

    Ours are published by our configuration sets and have tags. What SES tells about an identity, in the flavour with
    `notificationType`, has none: there a header names the message, and failing that only the sender tells whose a
    bounce or complaint is. Raises KeyError, TypeError or ValueError for an object that is no SES event.
    """
    published = "notificationType" not in notification
    kind = str(notification["eventType" if published else "notificationType"])
    if kind not in (MEANINGS if published else OF_IDENTITIES):
        return None
    mail = notification["mail"]
    workspace, message = _named(mail)
    source = "" if published or kind == "Delivery" else parseaddr(str(mail.get("source") or ""))[1].lower()
    if not message and not source:
        return None
    details = notification.get(MEANINGS[kind].detail) or {}
    return Feedback(
        workspace=workspace,
        message_id=message,
        kind=kind,
        at=from_text(details.get("timestamp") or mail["timestamp"]),
        mailed_at=from_text(mail["timestamp"]),
        provider_id=str(mail["messageId"]),
        recipients=_recipients(kind, details, mail),
        details=details,
        source=source,
    )


def error_of(feedback: Feedback) -> str:
    """What went wrong, for the message's record: `Permanent/NoEmail`, a reason, or nothing."""
    details = feedback.details
    if feedback.kind == "Bounce":
        return f"{details.get('bounceType')}/{details.get('bounceSubType')}"
    if feedback.kind in ("Reject", "Rendering Failure"):
        return str(details.get("reason") or details.get("errorMessage") or feedback.kind)
    return ""


def news_of(feedback: Feedback, verdict: Verdict | None) -> News:
    """What feedback tells of its message. `verdict` says who opened or clicked."""
    meaning = MEANINGS[feedback.kind]
    milestone, state, total = meaning.milestone, meaning.state, meaning.total
    if feedback.kind == "Bounce":
        milestone = bounce_of(feedback).value
    if feedback.kind == "Complaint" and not is_complaint(feedback):
        milestone, state = "", None
    if verdict is not None and verdict.machine:
        milestone, total = f"machine_{milestone}", f"machine_{total}"
    if feedback.kind == "Subscription" and topics_left(feedback):
        milestone = UNSUBSCRIBED
    return News(
        at=feedback.at,
        mailed_at=feedback.mailed_at,
        milestone=milestone,
        state=state,
        error=error_of(feedback),
        total=total,
        provider_id=feedback.provider_id,
    )


def topics_left(feedback: Feedback) -> list[str]:
    """The topics that a Subscription event says no to, by the names SES has for them; `*` for all.

    A yes that comes this way is no consent: it says nothing of where and to which words it was given.
    """
    told = feedback.details.get("newTopicPreferences") or {}
    if told.get("unsubscribeAll"):
        return [EVERYTHING]
    listed = told.get("topicSubscriptionStatus") or []
    return [str(one["topicName"]) for one in listed if one.get("subscriptionStatus") == "OptOut"]


def to_event(feedback: Feedback, root: Node | None, clock: Clock, verdict: Verdict | None = None) -> Event:
    """The timeline's event, in the chain that `root` began.

    Its id comes from what was reported, so that a doubled notification is one event, and so are both flavours of one.
    """
    meaning = MEANINGS[feedback.kind]
    details = {name: feedback.details[name] for name in _SHOWN if feedback.details.get(name) is not None}
    return Event(
        workspace=feedback.workspace,
        identity=Identity(IdentityKind.CONTACT, contact_of_message(feedback.message_id)),
        message_id=event_id(feedback),
        type="system",
        name=meaning.machine if verdict is not None and verdict.machine else meaning.event,
        received_at=clock.now(),
        timestamp=feedback.at,
        properties={"message": feedback.message_id, **details, **(verdict.as_dict() if verdict else {})},
        cause=Node.message(feedback.message_id),
        root=root,
    )


def event_id(feedback: Feedback) -> str:
    """The id of what was reported. Of a bounce, a complaint or a delivery both flavours tell, and in unlike words."""
    told = feedback.details
    if feedback.kind in OF_IDENTITIES:
        told = {name: told.get(name) for name in ("bounceType", "bounceSubType", "complaintFeedbackType")}
    body = json.dumps(told, sort_keys=True, default=str)
    return digest(feedback.message_id, feedback.kind, to_text(feedback.at), body)


def _named(mail: Mapping[str, Any]) -> tuple[str, str]:
    """The workspace and the message that a mail's tags name, or else its header; both empty if nothing does."""
    tags = mail.get("tags") or {}
    message, workspace = (str((tags.get(name) or [""])[0]) for name in (TAG_MESSAGE, TAG_WORKSPACE))
    if not message and not workspace:
        workspace, _, message = _header(mail).partition("/")
    return (workspace, message) if workspace and contact_of_message(message) else ("", "")


def _header(mail: Mapping[str, Any]) -> str:
    headers = mail.get("headers")
    for header in headers if isinstance(headers, list) else []:
        if isinstance(header, Mapping) and str(header.get("name")).lower() == HEADER_MESSAGE.lower():
            return str(header.get("value") or "").strip()
    return ""


def _recipients(kind: str, details: Mapping[str, Any], mail: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom the event is about. A complaint may list everybody at a domain: only those we wrote to count.

    A mail to one person can be about nobody else, whatever name the list has for them: the server that bounced it may
    know them by another (SES takes the DSN's Final-Recipient), and who complains is often made unreadable.
    """
    written = {str(address).lower() for address in mail.get("destination") or []}
    if kind == "Subscription":
        return tuple(sorted(written))
    listed = details.get({"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients"}.get(kind, "")) or []
    if listed and len(written) == 1:
        return tuple(written)
    addresses = (str(recipient["emailAddress"]).lower() for recipient in listed)
    return tuple(address for address in addresses if address in written)
