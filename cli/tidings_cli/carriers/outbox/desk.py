"""What the outbox works with."""

from __future__ import annotations

from dataclasses import dataclass

from tidings_cli.carriers.database import Database
from tidings_cli.carriers.faults import Faults, Rate
from tidings_cli.carriers.feedback import FeedbackLog
from tidings_cli.carriers.ses.account import Account
from tidings_cli.carriers.ses.answering import Answering
from tidings_cli.carriers.ses.mails import MailStore
from tidings_cli.carriers.ses.recipient import Recipient
from tidings_cli.carriers.sms.desk import SmsDesk


@dataclass(frozen=True)
class Desk:
    """The carriers' stores and acts; `public_url` is where people reach the outbox, without `/outbox`."""

    database: Database
    mails: MailStore
    texts: SmsDesk
    log: FeedbackLog
    account: Account
    faults: Faults
    rate: Rate
    recipient: Recipient
    answering: Answering
    public_url: str
