"""What the SMS carrier works with."""

from __future__ import annotations

from dataclasses import dataclass

from tidings_cli.carriers.faults import Faults
from tidings_cli.carriers.sms.messages import SmsStore
from tidings_cli.carriers.sms.numbers import Numbers
from tidings_cli.carriers.sms.opt_outs import OptOuts
from tidings_cli.carriers.sms.registrations import Registrations
from tidings_cli.carriers.sms.sender_ids import SenderIds


@dataclass(frozen=True)
class SmsDesk:
    """The stores of text messages, and of what the account has to send them from."""

    messages: SmsStore
    numbers: Numbers
    senders: SenderIds
    registrations: Registrations
    opt_outs: OptOuts
    faults: Faults
