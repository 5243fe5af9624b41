"""The events that SES publishes by configuration set, in the shape of "Contents of event data that Amazon SES publishes
to Amazon SNS" of the developer guide. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tidings_cli.carriers.ses.mails import Mail
from tidings_cli.carriers.ses.tracking import Link

MAX_HEADER_BYTES = 10 * 1024
OUTGOING_IP = "127.0.0.1"
_SUPPRESSED = (
    "Amazon SES did not send the message to this address because it is on the suppression list for your account. For"
    " more information about removing addresses from the suppression list, see the Amazon SES Developer Guide at"
    " https://docs.aws.amazon.com/ses/latest/DeveloperGuide/sending-email-suppression-list.html"
)

# bounceType and bounceSubType as the guide lists them: status and diagnostic of a mailbox that answers so.
BOUNCES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("Undetermined", "Undetermined"): ("5.0.0", "smtp; 554 5.0.0 undetermined reason"),
    ("Permanent", "General"): ("5.1.1", "smtp; 550 5.1.1 user unknown"),
    ("Permanent", "NoEmail"): ("5.1.1", "smtp; 550 5.1.1 no such address"),
    ("Permanent", "Suppressed"): ("5.1.1", "smtp; 550 5.1.1 user unknown (address is on the global suppression list)"),
    ("Permanent", "OnAccountSuppressionList"): ("5.1.1", _SUPPRESSED),
    ("Transient", "General"): ("4.0.0", "smtp; 451 4.0.0 try again later"),
    ("Transient", "MailboxFull"): ("4.2.2", "smtp; 452 4.2.2 mailbox full"),
    ("Transient", "MessageTooLarge"): ("5.3.4", "smtp; 552 5.3.4 message too large"),
    ("Transient", "ContentRejected"): ("5.6.0", "smtp; 554 5.6.0 content rejected"),
    ("Transient", "AttachmentRejected"): ("5.7.0", "smtp; 552 5.7.0 attachment rejected"),
}
_OWN_LIST = ("Suppressed", "OnAccountSuppressionList")


def send(mail: Mail) -> dict[str, Any]:
    """SES accepted the message."""
    return {"eventType": "Send", "mail": _mail(mail), "send": {}}


def reject(mail: Mail) -> dict[str, Any]:
    """SES accepted the message, found a virus in it and stopped."""
    return {"eventType": "Reject", "mail": _mail(mail), "reject": {"reason": "Bad content"}}


def delivery(mail: Mail, recipients: Sequence[str], at: str, milliseconds: int) -> dict[str, Any]:
    """A mail server took the message."""
    about = {
        "timestamp": at,
        "processingTimeMillis": milliseconds,
        "recipients": list(recipients),
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": f"a1-1.smtp-out.{mail.region}.amazonses.com",
    }
    tagged = _mail(mail)
    tagged["tags"] = {**tagged["tags"], "ses:outgoing-ip": [OUTGOING_IP]}
    return {"eventType": "Delivery", "mail": tagged, "delivery": about}


def bounce(
    mail: Mail, recipients: Sequence[str], at: str, feedback_id: str, kind: str = "Permanent", subtype: str = "General"
) -> dict[str, Any]:
    """A mail server refused the message, or SES did not even try because of a suppression list."""
    status, diagnostic = BOUNCES[kind, subtype]
    about = {
        "feedbackId": feedback_id,
        "bounceType": kind,
        "bounceSubType": subtype,
        "bouncedRecipients": [
            {"emailAddress": address, "action": "failed", "status": status, "diagnosticCode": diagnostic}
            for address in recipients
        ],
        "timestamp": at,
        "reportingMTA": "dns; amazonses.com" if subtype in _OWN_LIST else "dsn; a1-1.smtp-out.amazonses.com",
    }
    return {"eventType": "Bounce", "bounce": about, "mail": _mail(mail)}


def complaint(
    mail: Mail, recipients: Sequence[str], at: str, feedback_id: str, subtype: str | None = None
) -> dict[str, Any]:
    """A recipient called the message spam; with a subtype, SES did not try because one did so earlier."""
    about: dict[str, Any] = {
        "feedbackId": feedback_id,
        "complaintSubType": subtype,
        "complainedRecipients": [{"emailAddress": address} for address in recipients],
        "timestamp": at,
    }
    if subtype is None:  # a feedback report came
        about |= {"userAgent": "Amazon SES Mailbox Simulator", "complaintFeedbackType": "abuse", "arrivalDate": at}
    return {"eventType": "Complaint", "complaint": about, "mail": _mail(mail)}


def opened(mail: Mail, at: str, ip: str, user_agent: str) -> dict[str, Any]:
    """The picture at the end of the mail was fetched."""
    about = {"timestamp": at, "userAgent": user_agent, "ipAddress": ip}
    return {"eventType": "Open", "mail": _mail(mail, with_arn=False), "open": about}


def clicked(mail: Mail, link: Link, at: str, ip: str, user_agent: str) -> dict[str, Any]:
    """A tracked link was followed."""
    about = {
        "timestamp": at,
        "ipAddress": ip,
        "userAgent": user_agent,
        "link": link.url,
        "linkTags": link.tags or None,
    }
    return {"eventType": "Click", "click": about, "mail": _mail(mail, with_arn=False)}


def source_arn(mail: Mail) -> str:
    """The identity that sends: locally always the sender's domain."""
    return f"arn:aws:ses:{mail.region}:{mail.account}:identity/{_from_domain(mail)}"


def _mail(mail: Mail, with_arn: bool = True) -> dict[str, Any]:
    headers = [{"name": name, "value": value} for name, value in mail.original_headers]
    kept = _within(headers, MAX_HEADER_BYTES)
    about: dict[str, Any] = {
        "timestamp": mail.at,
        "source": mail.source,
        "sourceArn": source_arn(mail),
        "sendingAccountId": mail.account,
        "messageId": mail.id,
        "destination": [*mail.to, *mail.cc, *mail.bcc],
        "headersTruncated": len(kept) < len(headers),
        "headers": kept,
        "commonHeaders": _common_headers(mail),
        "tags": {
            "ses:operation": ["SendEmail"],
            "ses:configuration-set": [mail.configuration_set or ""],
            "ses:source-ip": [mail.caller_ip],
            "ses:from-domain": [_from_domain(mail)],
            "ses:caller-identity": [mail.caller],
            **mail.tags,
        },
    }
    if not with_arn:
        del about["sourceArn"]
    return about


def _common_headers(mail: Mail) -> dict[str, Any]:
    common: dict[str, Any] = {"from": [mail.source], "to": mail.to, "messageId": mail.id, "subject": mail.subject}
    if mail.cc:
        common["cc"] = mail.cc
    if mail.reply_to:
        common["replyTo"] = mail.reply_to
    return common


def _from_domain(mail: Mail) -> str:
    return mail.source.rpartition("@")[2].rstrip("> ").lower()


def _within(headers: Sequence[dict[str, str]], limit: int) -> list[dict[str, str]]:
    kept, size = [], 0
    for header in headers:
        size += len(header["name"]) + len(header["value"].encode())
        if size > limit:
            break
        kept.append(header)
    return kept
