"""Mails as the outbox shows them: plain dictionaries for JSON and for the templates."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tidings_cli.carriers.feedback import Entry, State
from tidings_cli.carriers.ses.answering import ANSWER
from tidings_cli.carriers.ses.mails import Mail
from tidings_cli.carriers.ses.tracking import Link

STATES = {
    "Send": "sent",
    "Delivery": "delivered",
    "Open": "opened",
    "Click": "clicked",
    "Bounce": "bounced",
    "Complaint": "complained",
    "Reject": "rejected",
}
AUTO_REPLY = "AutoReply"
NOT_SES = frozenset({AUTO_REPLY, ANSWER})
PUBLISHED = {
    State.PENDING: "waiting for SNS",
    State.PUBLISHED: "published to SNS",
    State.FAILED: "SNS did not take it",
    State.DROPPED: "held back by an ordered fault",
    State.HELD: "waiting, as ordered",
    State.UNSENT: "not published: no configuration set",
}
_HUES = 8


def mail_json(mail: Mail, links: Sequence[Link], entries: Sequence[Entry], base: str) -> dict[str, Any]:
    """A mail as the JSON API shows it; `base` is the outbox's address, `…/outbox`."""
    return {
        "id": mail.id,
        "at": mail.at,
        "from": header(mail, "From") or mail.source,
        "to": _bare(mail, len(mail.to), 0),
        "cc": _bare(mail, len(mail.cc), len(mail.to)),
        "recipients": mail.recipients,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "source_html": mail.source_html,
        "headers": dict(mail.headers),
        "attachments": [
            {key: value for key, value in part.items() if key != "part"}
            | {"url": f"{base}/mails/{mail.id}/parts/{part['part']}"}
            for part in mail.attachments
        ],
        "tags": {name: ",".join(values) for name, values in mail.tags.items()},
        "configuration_set": mail.configuration_set,
        "links": [
            {"url": link.url, "tags": link.tags, "tracking_url": f"{base}/t/{mail.id}/{number}"}
            for number, link in enumerate(links)
        ],
        "states": states(entries),
        "events": [event_json(entry) for entry in entries if entry.type not in NOT_SES],
        "answers": [event_json(entry) for entry in entries if entry.type == ANSWER],
        "replies": [entry.body | {"at": entry.at} for entry in entries if entry.type == AUTO_REPLY],
    }


def states(entries: Sequence[Entry]) -> list[str]:
    """What became of a mail, each state once, in the order in which they came."""
    return list(dict.fromkeys(STATES[entry.type] for entry in entries if entry.type in STATES))


def header(mail: Mail, name: str) -> str:
    """The first header of this name, decoded."""
    return next((value for known, value in mail.headers if known.lower() == name.lower()), "")


def row(mail: Mail, entries: Sequence[Entry]) -> dict[str, Any]:
    """A mail as a line of the list."""
    reached = states(entries)
    person = mail.recipients[0] if mail.recipients else ""
    return {
        "id": mail.id,
        "at": mail.at,
        "person": person,
        "more": len(mail.recipients) - 1,
        "from": header(mail, "From") or mail.source,
        "subject": mail.subject or "(no subject)",
        "snippet": " ".join((mail.text or "").split())[:140],
        "states": [state for state in reached if state != "sent"] or reached,
        "attachments": len(mail.attachments),
        **face(person),
    }


def face(address: str) -> dict[str, Any]:
    """The letter and colour that stand for a person."""
    return {"letter": address[:1].upper() if address[:1].isalnum() else "#", "hue": sum(address.encode()) % _HUES}


def event_line(entry: Entry) -> dict[str, Any]:
    """An event as a line of a mail's log."""
    return {
        "key": entry.id,
        "type": "Automatic reply" if entry.type == AUTO_REPLY else entry.type,
        "state": STATES.get(entry.type, "sent"),
        "at": entry.at,
        "detail": _detail(entry),
        "published": "seen here only" if entry.type == AUTO_REPLY else PUBLISHED[entry.state],
        "trouble": entry.state in (State.FAILED, State.DROPPED),
        "error": entry.error,
        "json": json.dumps(entry.body, indent=2, ensure_ascii=False),
    }


def size(count: int) -> str:
    """A number of bytes for people."""
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.1f} KB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MB"


def event_json(entry: Entry) -> dict[str, Any]:
    """An event as the JSON API shows it."""
    return {
        "type": entry.type,
        "at": entry.at,
        "published": entry.state.value,
        "error": entry.error,
        "event": entry.body,
    }


def _bare(mail: Mail, count: int, start: int) -> list[str]:
    """Some of the recipients as bare addresses, in the order of the call."""
    texts = [*mail.to, *mail.cc, *mail.bcc][start : start + count]
    return [text.rpartition("<")[2].rstrip("> ") for text in texts]


def _detail(entry: Entry) -> str:
    body = entry.body
    match entry.type:
        case "Delivery":
            return f"{', '.join(body['delivery']['recipients'])}: {body['delivery']['smtpResponse']}"
        case "Bounce":
            about = body["bounce"]
            who = ", ".join(one["emailAddress"] for one in about["bouncedRecipients"])
            diagnostic = about["bouncedRecipients"][0]["diagnosticCode"] if about["bouncedRecipients"] else ""
            return f"{about['bounceType']} / {about['bounceSubType']} — {who}: {diagnostic}"
        case "Complaint":
            about = body["complaint"]
            return about.get("complaintSubType") or f"Marked as spam ({about.get('complaintFeedbackType')})"
        case "Click":
            return str(body["click"]["link"])
        case "Open":
            return str(body["open"]["userAgent"])[:90]
        case "Reject":
            return str(body["reject"]["reason"])
        case "Answer":
            return f"{body['mail']['commonHeaders']['subject']} — from {body['mail']['source']}"
        case "AutoReply":
            return f"{body['subject']} — {body['text']}"
    return ""
