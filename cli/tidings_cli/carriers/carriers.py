"""Puts the carriers and the outbox together over one state folder."""

from __future__ import annotations

from pathlib import Path
from wsgiref.types import WSGIApplication

from tidings.core.clock import Clock, SystemClock
from tidings_cli.carriers.database import Database
from tidings_cli.carriers.faults import Channel, Faults, Rate
from tidings_cli.carriers.feedback import FeedbackLog
from tidings_cli.carriers.outbox.app import Outbox
from tidings_cli.carriers.outbox.desk import Desk
from tidings_cli.carriers.publisher import Publish, Publisher
from tidings_cli.carriers.ses.account import Account
from tidings_cli.carriers.ses.answering import Answering
from tidings_cli.carriers.ses.api import SesApi
from tidings_cli.carriers.ses.mails import RECEIVED, MailStore, target_of
from tidings_cli.carriers.ses.recipient import Recipient
from tidings_cli.carriers.ses.sending import Sending
from tidings_cli.carriers.sms.api import SmsApi
from tidings_cli.carriers.sms.desk import SmsDesk
from tidings_cli.carriers.sms.messages import SmsStore, sms_target
from tidings_cli.carriers.sms.numbers import INBOUND, Numbers
from tidings_cli.carriers.sms.opt_outs import OptOuts
from tidings_cli.carriers.sms.registrations import Registrations
from tidings_cli.carriers.sms.sender_ids import SenderIds

FILE_NAME = "outbox.sqlite"


class Carriers:
    """The local SES and SMS, and the outbox.

    `ses_app` speaks the SESv2 REST API, `sms_app` the End User Messaging SMS v2 API, `outbox_app` serves pages and the
    JSON API under `/outbox`; all three are WSGI applications for any number of threads. `publish(topic_arn, message,
    subject)` hands an event to SNS; it is called from one thread, in the order of events, and may raise botocore's
    errors, OSError or HTTPException, upon which it is called again. `public_url` is the address at which people reach
    the outbox, without `/outbox`. Raises Unavailable when the state folder is broken.
    """

    ses_app: WSGIApplication
    sms_app: WSGIApplication
    outbox_app: WSGIApplication

    def __init__(self, state_dir: Path, publish: Publish, public_url: str, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        self._database = Database(state_dir / FILE_NAME)
        log = FeedbackLog(self._database)
        self._publisher = Publisher(log, publish)
        account, faults, mails = Account(self._database, clock), Faults(self._database), MailStore(self._database, log)
        sending = Sending(mails, log, account, clock, public_url)
        recipient = Recipient(mails, log, account, self._publisher, clock)
        rate = Rate(self._database, clock)
        self.ses_app = SesApi(sending, mails, account, faults, rate, self._publisher, clock)
        texts = self._open_sms(log, clock)
        self._numbers = texts.numbers
        self.sms_app = SmsApi(texts, log)
        answering = Answering(mails, log, self._publisher, clock)
        desk = Desk(self._database, mails, texts, log, account, faults, rate, recipient, answering, public_url)
        self.outbox_app = Outbox(desk)

    def configure(self, configuration_set: str, topic_arn: str) -> None:
        """Let SES know a configuration set; its events go to the topic. What waited for it is published now.

        Known sets survive a restart, so that a mail sent while the system boots is accepted; its events wait until the
        set was configured again.
        """
        self._publisher.listen(target_of(configuration_set), topic_arn)

    def configure_sms(self, configuration_set: str, topic_arn: str, inbound_topic_arn: str | None = None) -> None:
        """The same for text messages; answers of people go to `inbound_topic_arn`."""
        self._publisher.listen(sms_target(configuration_set), topic_arn)
        if inbound_topic_arn is not None:
            self.receive_sms(inbound_topic_arn)

    def receive_sms(self, topic_arn: str) -> None:
        """What people write to our numbers goes to this topic, unless a number was given one of its own."""
        self._publisher.listen(INBOUND, topic_arn)
        self._numbers.listen()

    def receive_mails(self, topic_arn: str) -> None:
        """What people answer to mails goes to this topic, as SES tells of received mail."""
        self._publisher.listen(RECEIVED, topic_arn)

    def _open_sms(self, log: FeedbackLog, clock: Clock) -> SmsDesk:
        database = self._database
        numbers, stopped, senders = (
            Numbers(database, log, self._publisher),
            OptOuts(database, clock),
            SenderIds(database),
        )
        return SmsDesk(
            SmsStore(database, log, self._publisher, numbers, stopped, clock),
            numbers,
            senders,
            Registrations(database, senders, clock),
            stopped,
            Faults(database, Channel.SMS),
        )

    def drain(self, timeout: float = 10.0) -> bool:
        """Wait until every event that can be published was; False after `timeout` seconds."""
        return self._publisher.drain(timeout)

    def save(self) -> None:
        """Bring the state folder into a form in which it can be copied. Nothing is lost without it either."""
        self._database.flush()

    def close(self) -> None:
        """Finish the event in hand and close the state; events left over are published after the next start."""
        self._publisher.stop()
        self._database.close()
