"""SendTextMessage: what is checked before a text message is taken, in the order of what is certain first."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tidings.messages.parts import measure
from tidings.sms.countries import Names, rule_of
from tidings_cli.carriers.aws import AwsError
from tidings_cli.carriers.faults import Faults, SendFault
from tidings_cli.carriers.feedback import FeedbackLog
from tidings_cli.carriers.sms.errors import conflict, invalid, missing, throttled
from tidings_cli.carriers.sms.messages import KEYWORD, Manner, SmsStore, sms_target
from tidings_cli.carriers.sms.numbers import DEFAULT_NUMBER, Numbers, Phone
from tidings_cli.carriers.sms.opt_outs import OptOuts
from tidings_cli.carriers.sms.places import country_of
from tidings_cli.carriers.sms.prices import price_of
from tidings_cli.carriers.sms.sender_ids import SenderIds

DRY_RUN = "00000000-0000-0000-0000-000000000000"
PHONE = re.compile(r"\+?[1-9][0-9]{1,18}")
_PRICE = re.compile(r"[0-9]{0,2}\.[0-9]{1,5}")
# Characters of the GSM alphabet, and UTF-16 units of any other.
_MAX_LENGTH = {"GSM": 1600, "Unicode": 630}


class Lost(Exception):
    """The caller is never answered. `seconds` is how long they wait before the connection ends."""

    def __init__(self, seconds: float) -> None:
        super().__init__("the answer was lost, as ordered")
        self.seconds = seconds

    def wait(self) -> None:
        """Keep the caller waiting."""
        time.sleep(self.seconds)


class TextSending:
    """Takes text messages, or says why not."""

    def __init__(
        self,
        messages: SmsStore,
        numbers: Numbers,
        senders: SenderIds,
        stopped: OptOuts,
        log: FeedbackLog,
        faults: Faults,
    ) -> None:
        self._messages = messages
        self._numbers = numbers
        self._senders = senders
        self._stopped = stopped
        self._log = log
        self._faults = faults

    def send(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer SendTextMessage. Raises AwsError, or Lost when the answer is to be lost."""
        fields = _read(body)
        configuration_set = fields["configuration_set"]
        if configuration_set is not None and self._log.topic(sms_target(configuration_set)) is None:
            raise missing("configuration-set", configuration_set)
        fields["ours"] = self._origin(str(body.get("OriginationIdentity") or DEFAULT_NUMBER), fields["person"])
        _require_price(fields, str(body.get("MaxPrice") or ""))
        if body.get("DryRun"):
            return {"MessageId": DRY_RUN}
        return self._meet_faults(fields)

    def _meet_faults(self, fields: dict[str, Any]) -> dict[str, Any]:
        faults = self._faults.take([fields["person"]])
        if SendFault.THROTTLE in faults:
            raise throttled()
        if SendFault.REJECT in faults:
            raise invalid("The message was refused, as ordered at the outbox.", "OTHER")
        if before := faults.get(SendFault.TIMEOUT_BEFORE_ACCEPT):
            raise Lost(before.seconds)
        late = faults.get(SendFault.LATE_EVENTS)
        manner = Manner(
            dropped=SendFault.DROP_EVENTS in faults,
            twice=SendFault.DOUBLE_EVENTS in faults,
            backwards=SendFault.BACKWARD_EVENTS in faults,
            late=late.seconds if late else None,
        )
        sms = self._messages.send(fields, manner)
        if after := faults.get(SendFault.TIMEOUT_AFTER_ACCEPT):
            raise Lost(after.seconds)
        return {"MessageId": sms.id}

    def _origin(self, identity: str, person: str) -> str:
        """The number or sender ID behind an OriginationIdentity. Raises AwsError."""
        members = self._numbers.members(identity)
        phone = self._numbers.find(identity)
        if members:
            # The same person hears from the same number of a pool.
            phone = members[zlib.crc32(person.encode()) % len(members)]
        if phone is not None:
            return self._of_phone(phone, person)
        sender = identity.rpartition(":sender-id/")[2].split("/")[0]
        if ":pool/" in identity or identity.startswith("pool-"):
            raise missing("pool", identity)
        if PHONE.fullmatch(identity) or ":phone-number/" in identity or identity.startswith("phone-"):
            raise missing("phone-number", identity)
        return self._of_name(sender, country_of(person))

    def _of_phone(self, phone: Phone, person: str) -> str:
        if self._stopped.has(phone.opt_outs, person):
            told = "Destination phone number is opted out"
            raise conflict(told, "DESTINATION_PHONE_NUMBER_OPTED_OUT", "opt-out-list", phone.opt_outs)
        return phone.number

    def _of_name(self, sender: str, country: str) -> str:
        if not self._senders.owned(sender):
            raise missing("sender-id", sender)
        names = rule_of(country).sender_id
        if names is Names.NOT_SUPPORTED:
            raise invalid(f"{country} takes no sender IDs", "SENDER_ID_NOT_SUPPORTED", ["OriginationIdentity"])
        found = self._senders.get(sender, country)
        if found is None:
            raise missing("sender-id", f"{sender}/{country}")
        if names is Names.REGISTRATION and not found["Registered"]:
            raise invalid(f"{sender} is not registered", "SENDER_ID_NOT_REGISTERED", ["OriginationIdentity"])
        return sender


def _read(body: Mapping[str, Any]) -> dict[str, Any]:
    """Check SendTextMessage. Raises a ValidationException."""
    phone, text = str(body.get("DestinationPhoneNumber") or ""), str(body.get("MessageBody") or "")
    kind, context = body.get("MessageType") or "TRANSACTIONAL", body.get("Context") or {}
    lifetime, length, price = body.get("TimeToLive"), measure(text), body.get("MaxPrice")
    wrong = {
        "DestinationPhoneNumber": not PHONE.fullmatch(phone),
        "MessageBody": not text.strip() or length.units > _MAX_LENGTH[length.encoding],
        "MessageType": kind not in ("TRANSACTIONAL", "PROMOTIONAL"),
        "Context": not isinstance(context, dict) or len(context) > 5,
        "TimeToLive": lifetime is not None and (not isinstance(lifetime, int) or not 5 <= lifetime <= 259_200),
        "MaxPrice": price is not None and not (isinstance(price, str) and _PRICE.fullmatch(price)),
    }
    if fields := [name for name, bad in wrong.items() if bad]:
        raise invalid(f"Invalid value of {', '.join(fields)}.", "FIELD_VALIDATION_FAILED", fields)
    configuration_set = body.get("ConfigurationSetName")
    return {
        "person": phone if phone.startswith("+") else f"+{phone}",
        "body": text,
        "message_type": kind,
        "keyword": str(body.get("Keyword") or KEYWORD),
        "configuration_set": str(configuration_set).rpartition(":configuration-set/")[2] if configuration_set else None,
        "context": context,
        "lifetime": lifetime,
    }


def _require_price(fields: Mapping[str, Any], most: str) -> None:
    """MaxPrice is for the whole message, whatever its parts. Raises a ValidationException."""
    if not most:
        return
    price = price_of(country_of(fields["person"]), measure(fields["body"]).parts)
    if Decimal(str(price.message)) > Decimal(most):
        raise _over(price.message, most)


def _over(price: float, most: str) -> AwsError:
    return invalid(f"The message would cost {price} USD, more than {most}", "PRICE_OVER_THRESHOLD", ["MaxPrice"])
