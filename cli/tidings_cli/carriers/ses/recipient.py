"""What a recipient does with a mail later: open it, click, complain; or their mailbox bounces it after all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidings.core.clock import Clock
from tidings.core.errors import Conflict, InvalidInput, NotFound
from tidings_cli.carriers.feedback import SES_SUBJECT, Entry, FeedbackLog
from tidings_cli.carriers.publisher import Publisher
from tidings_cli.carriers.ses import events, simulator
from tidings_cli.carriers.ses.account import Account
from tidings_cli.carriers.ses.mails import Mail, MailStore, entry_state, milliseconds, target_of
from tidings_cli.carriers.ses.sending import new_id
from tidings_cli.carriers.ses.tracking import Link


@dataclass(frozen=True)
class Device:
    """What the recipient reads with."""

    ip: str
    user_agent: str


class Recipient:
    """Acts in the recipient's place; every act becomes an event, as SES would publish it."""

    def __init__(
        self, mails: MailStore, log: FeedbackLog, account: Account, publisher: Publisher, clock: Clock
    ) -> None:
        self._mails = mails
        self._log = log
        self._account = account
        self._publisher = publisher
        self._clock = clock

    def open(self, mail_id: str, device: Device) -> None:
        """Fetch the picture that counts opens. Raises NotFound, Conflict (`not_tracked`, `not_delivered`)."""
        mail = self._mail(mail_id)
        if not mail.tracked:
            raise Conflict("not_tracked", "This mail counts no opens: it has no HTML or no configuration set")
        if not self.has(mail_id):
            raise Conflict("not_delivered", "This mail never reached its recipient, who cannot open it")
        self._add(mail, events.opened(mail, self._stamp(), device.ip, device.user_agent))

    def click(self, mail_id: str, number: int, device: Device) -> Link:
        """Follow the tracked link of this number; answers where it leads. Raises NotFound.

        A link of a mail that was not delivered leads there too, but nobody counts it.
        """
        mail = self._mail(mail_id)
        links = self._mails.links(mail_id)
        if number >= len(links):
            raise NotFound("unknown_link", f"Mail {mail_id} has {len(links)} tracked links")
        if self.has(mail_id):
            self._add(mail, events.clicked(mail, links[number], self._stamp(), device.ip, device.user_agent))
        return links[number]

    def click_url(self, mail_id: str, url: str | None, device: Device) -> Link:
        """Follow the first tracked link that leads to `url`, or the first of all.

        Raises NotFound, Conflict (`not_delivered`).
        """
        self._mail(mail_id)
        urls = [link.url for link in self._mails.links(mail_id)]
        if not urls or (url is not None and url not in urls):
            raise NotFound(
                "unknown_link", f"Mail {mail_id} has no such tracked link; it has: {', '.join(urls) or 'none'}"
            )
        if not self.has(mail_id):
            raise Conflict("not_delivered", "This mail never reached its recipient, who cannot click in it")
        return self.click(mail_id, urls.index(url) if url is not None else 0, device)

    def has(self, mail_id: str) -> bool:
        """Whether the mail reached a recipient."""
        return any(entry.type == "Delivery" for entry in self._log.of([mail_id])[mail_id])

    def complain(self, mail_id: str) -> None:
        """Mark the mail as spam. Raises NotFound."""
        mail = self._mail(mail_id)
        now = self._clock.now()
        feedback = new_id(now)
        self._suppress(mail, "COMPLAINT", feedback)
        self._add(mail, events.complaint(mail, mail.recipients, milliseconds(now), feedback))

    def bounce(self, mail_id: str, kind: str = "Permanent", subtype: str = "General") -> None:
        """Let the mailbox bounce the mail now. Raises NotFound, InvalidInput (`unknown_bounce`)."""
        mail = self._mail(mail_id)
        if (kind, subtype) not in events.BOUNCES:
            known = ", ".join("/".join(pair) for pair in events.BOUNCES)
            raise InvalidInput("unknown_bounce", f"SES has no bounce {kind}/{subtype}; it has: {known}")
        now = self._clock.now()
        feedback = new_id(now)
        if kind == "Permanent":
            self._suppress(mail, "BOUNCE", feedback)
        self._add(mail, events.bounce(mail, mail.recipients, milliseconds(now), feedback, kind, subtype))

    def _mail(self, mail_id: str) -> Mail:
        mail = self._mails.get(mail_id)
        if mail is None:
            raise NotFound("unknown_mail", f"The outbox has no mail {mail_id}")
        return mail

    def _suppress(self, mail: Mail, reason: str, feedback: str) -> None:
        if reason in self._account.suppressed_reasons():
            for address in mail.recipients:
                if not simulator.is_simulator(address):
                    self._account.suppress(address, reason, mail.id, feedback)

    def _add(self, mail: Mail, event: dict[str, Any]) -> None:
        kind, target = event["eventType"], target_of(mail.configuration_set)
        self._log.add([Entry(mail.id, kind, self._stamp(), target, event, entry_state(mail, False), SES_SUBJECT)])
        self._publisher.wake()

    def _stamp(self) -> str:
        return milliseconds(self._clock.now())
