"""SendEmail: checks a call as SES does, builds the message, keeps it, and writes down what follows."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from tidings.core.clock import Clock
from tidings_cli.carriers.aws import Caller
from tidings_cli.carriers.feedback import SES_SUBJECT, Entry, FeedbackLog, State
from tidings_cli.carriers.ses import events, mime, rules, simulator, tracking
from tidings_cli.carriers.ses.account import Account
from tidings_cli.carriers.ses.call import Call, read_call
from tidings_cli.carriers.ses.errors import MessageRejected, NotFound
from tidings_cli.carriers.ses.mails import Mail, MailStore, entry_state, milliseconds, target_of

LOCAL_ACCOUNT = "000000000000"


class Sending:
    """Takes SendEmail calls."""

    def __init__(self, mails: MailStore, log: FeedbackLog, account: Account, clock: Clock, public_url: str) -> None:
        self._mails = mails
        self._log = log
        self._account = account
        self._clock = clock
        self._public_url = public_url.rstrip("/")

    def check(self, body: Mapping[str, Any]) -> Call:
        """Read a call. Raises BadRequest, MessageRejected and NotFound as SES does."""
        call = read_call(body)
        rules.check_recipients([*call.to, *call.cc, *call.bcc])
        if call.configuration_set is not None and self._log.topic(target_of(call.configuration_set)) is None:
            raise NotFound(f"Configuration set <{call.configuration_set}> does not exist.")
        if contact_list := (body.get("ListManagementOptions") or {}).get("ContactListName"):
            raise NotFound(f"List with name {contact_list} doesn't exist: the local SES keeps no contact lists.")
        if unverified := self._account.unverified(call.sender.address):
            raise MessageRejected(
                "Email address is not verified. The following identities failed the check in region"
                f" {self._account.region}: {unverified}"
            )
        return call

    def accept(self, call: Call, caller: Caller, drop_events: bool = False) -> str:
        """Keep the message with all that follows from it; answers SES's message id. Raises BadRequest."""
        now = self._clock.now()
        message_id = new_id(now)
        html, links = self._tracked(call, message_id)
        raw = mime.stamp(call.build(html), _full_message_id(message_id, caller.region), now)
        rules.check_size(len(raw))
        message = mime.parse(raw)
        mail = Mail(
            id=message_id,
            at=milliseconds(now),
            size=len(raw),
            html=html,
            tracked=html is not None and call.configuration_set is not None,
            **_said(call),
            **_found(message),
            account=self._account_id(call.configuration_set),
            region=caller.region,
            caller=caller.identity,
            caller_ip=caller.ip,
        )
        self._mails.add(mail, raw, links, self._course(mail, message, entry_state(mail, drop_events)))
        return message_id

    def _tracked(self, call: Call, message_id: str) -> tuple[str | None, list[tracking.Link]]:
        html = call.html
        if html is None or call.configuration_set is None:
            return html, []
        links: list[tracking.Link] = []
        base = f"{self._public_url}/outbox/t/{message_id}"
        if call.track_clicks:
            html, links = tracking.track_links(html, lambda n: f"{base}/{n}")
        if call.track_opens:
            html = tracking.add_pixel(html, f"{base}/open.gif")
        return html, links

    def _course(self, mail: Mail, message: EmailMessage, state: State) -> list[Entry]:
        """The Send event and all that follows by itself."""
        entries = [self._entry(mail, state, events.send(mail))]
        if any(simulator.is_infected(_content(part)) for part in message.walk()):
            return [*entries, self._entry(mail, state, events.reject(mail))]
        suppressed = self._account.suppressed(mail.recipients)
        for step in simulator.course(mail.recipients, suppressed):
            entries.append(self._entry(mail, state, self._event(mail, step)))
            entries += [_auto_reply(mail, address, self._stamp()) for address in step.answered]
        return entries

    def _event(self, mail: Mail, step: simulator.Step) -> dict[str, Any]:
        now = self._clock.now()
        if step.kind == "Delivery":
            spent = int((now - datetime.fromisoformat(mail.at)).total_seconds() * 1000)
            return events.delivery(mail, step.recipients, milliseconds(now), max(spent, 0))
        if step.kind == "Bounce":
            return events.bounce(
                mail, step.recipients, milliseconds(now), new_id(now), "Permanent", step.cause or "General"
            )
        return events.complaint(mail, step.recipients, milliseconds(now), new_id(now), step.cause)

    def _entry(self, mail: Mail, state: State, event: dict[str, Any]) -> Entry:
        target = target_of(mail.configuration_set)
        return Entry(mail.id, event["eventType"], self._stamp(), target, event, state, SES_SUBJECT)

    def _stamp(self) -> str:
        return milliseconds(self._clock.now())

    def _account_id(self, configuration_set: str | None) -> str:
        arn = self._log.topic(target_of(configuration_set)) or ""
        parts = arn.split(":")
        return parts[4] if len(parts) > 5 and parts[4] else LOCAL_ACCOUNT


def new_id(now: datetime) -> str:
    """A message or feedback id as SES makes them: a code of the region and the time, a UUID, a counter."""
    return f"0100{int(now.timestamp() * 1000):012x}-{uuid.uuid4()}-000000"


def _said(call: Call) -> dict[str, Any]:
    """What a mail takes over from the call."""
    return {
        "source": call.sender.text,
        "to": [box.text for box in call.to],
        "cc": [box.text for box in call.cc],
        "bcc": [box.text for box in call.bcc],
        "reply_to": [box.text for box in call.reply_to],
        "recipients": call.recipients,
        "subject": call.subject,
        "text": call.text,
        "source_html": call.html,
        "tags": call.tags,
        "configuration_set": call.configuration_set,
    }


def _found(message: EmailMessage) -> dict[str, Any]:
    """What a mail takes over from the message that travels."""
    headers = [[name, str(value)] for name, value in message.items()]
    return {
        "headers": headers,
        "original_headers": [[name, value] for name, value in headers if name.lower() not in rules.OVERRIDDEN],
        "attachments": [_described(part) for part in mime.parts_of(message)],
    }


def _full_message_id(message_id: str, region: str) -> str:
    # Only us-east-1, the oldest region, leaves its name out.
    return f"{message_id}@{'email' if region == 'us-east-1' else region}.amazonses.com"


def _described(part: mime.Part) -> dict[str, Any]:
    return {
        "part": part.number,
        "name": part.name,
        "content_type": part.content_type,
        "disposition": part.disposition,
        "content_id": part.content_id,
        "size": len(part.content),
    }


def _content(part: Any) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _auto_reply(mail: Mail, address: str, at: str) -> Entry:
    """The answer of an absent person's mailbox (RFC 3834); it goes to the sender, SES publishes nothing about it."""
    reply = {
        "from": address,
        "to": mail.source,
        "subject": f"Automatic reply: {mail.subject}",
        "headers": {"Auto-Submitted": "auto-replied", "In-Reply-To": f"<{mail.id}>"},
        "text": "I am out of the office and will answer when I am back.",
    }
    return Entry(mail.id, "AutoReply", at, "", reply, State.UNSENT)
