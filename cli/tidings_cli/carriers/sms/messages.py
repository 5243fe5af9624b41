"""The text messages, sent and received, and what SNS hears of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, cast

from tidings.core.clock import Clock
from tidings.core.errors import Conflict, InvalidInput, NotFound
from tidings_cli.carriers.database import Database
from tidings_cli.carriers.feedback import Entry, FeedbackLog, State
from tidings_cli.carriers.publisher import Publisher
from tidings_cli.carriers.ses.mails import milliseconds
from tidings_cli.carriers.sms import parts

INBOUND = "sms-inbound"
DEFAULT_NUMBER = "+12065550100"  # 555-01xx is set aside for fiction (NANPA)

# Destinations of AWS's SMS simulator that fail ("Simulator phone numbers in AWS End User Messaging SMS").
FAILING_NUMBERS = frozenset(
    {"+61455944039", "+43676800442032", "+32460213923", "+420790542287", "+4525919215", "+33755512502"}
)


@dataclass(frozen=True)
class Sms:
    """One text message; `person` is the phone, `ours` the number or sender ID on our side."""

    id: str
    at: str
    person: str
    ours: str
    direction: str  # out or in
    body: str
    encoding: str
    parts: int
    message_type: str = "TRANSACTIONAL"
    keyword: str = ""
    configuration_set: str | None = None
    context: dict[str, str] = field(default_factory=dict)
    answers: str | None = None

    @property
    def can_be_answered(self) -> bool:
        """Only a phone number receives; a sender ID does not."""
        return self.ours.startswith("+")


class SmsStore:
    """Keeps the messages and writes their events into the log."""

    def __init__(self, database: Database, log: FeedbackLog, publisher: Publisher, clock: Clock) -> None:
        self._database = database
        self._log = log
        self._publisher = publisher
        self._clock = clock

    def send(self, fields: Mapping[str, Any]) -> Sms:
        """Keep a message of ours and write down its delivery. `fields` are those of `Sms` the caller chose."""
        now = self._clock.now()
        length = parts.measure(fields["body"])
        sms = Sms(
            id=str(uuid.uuid4()),
            at=milliseconds(now),
            direction="out",
            encoding=length.encoding,
            parts=length.parts,
            **fields,
        )
        failed = sms.person in FAILING_NUMBERS
        final = ("TEXT_UNREACHABLE", "UNREACHABLE", "Phone is unreachable") if failed else _DELIVERED
        self._keep(sms, [self._delivery(sms, now, False, *_PENDING), self._delivery(sms, now, True, *final)])
        return sms

    def reply(self, sms_id: str, body: str) -> Sms:
        """Answer a message in the person's place; SNS hears the inbound message.

        Raises NotFound, InvalidInput, and Conflict where the sender cannot receive or nobody listens.
        """
        answered = self.get(sms_id)
        if answered is None:
            raise NotFound("unknown_sms", f"The outbox has no text message {sms_id}")
        if not body.strip():
            raise InvalidInput("empty_reply", "A reply needs a text", "body")
        if not answered.can_be_answered:
            raise Conflict("one_way", f"{answered.ours} is a sender ID; only a phone number receives answers")
        length = parts.measure(body)
        sms = Sms(
            id=str(uuid.uuid4()),
            at=milliseconds(self._clock.now()),
            person=answered.person,
            ours=answered.ours,
            direction="in",
            body=body,
            encoding=length.encoding,
            parts=length.parts,
            keyword=answered.keyword,
            answers=answered.id,
        )
        self._keep(sms, [_inbound(sms, heard=self._log.topic(INBOUND) is not None)])
        return sms

    def get(self, sms_id: str) -> Sms | None:
        """The message of this id."""
        found = self._select("WHERE id = ?", (sms_id,))
        return found[0] if found else None

    def find(self, person: str = "", ours: str = "") -> list[Sms]:
        """Messages in their order; those with one phone, or of one thread."""
        wishes = [(column, value) for column, value in (("person", person), ("ours", ours)) if value]
        where = " AND ".join(["1", *(f"{column} = ?" for column, _ in wishes)])
        return self._select(f"WHERE {where} ORDER BY seq", [value for _, value in wishes])

    def empty(self) -> int:
        """Throw all messages away; events still on their way to SNS arrive. Answers how many there were."""
        with self._database.transaction():
            self._log.forget("SELECT id FROM sms")
            return self._database.change("DELETE FROM sms")

    def _select(self, clause: str, values: Sequence[object]) -> list[Sms]:
        rows = self._database.rows(f"SELECT record FROM sms {clause}", values)  # noqa: S608
        return [Sms(**json.loads(cast(str, row[0]))) for row in rows]

    def _keep(self, sms: Sms, entries: Sequence[Entry]) -> None:
        with self._database.transaction():
            self._database.change(
                "INSERT INTO sms (id, at, person, ours, direction, record) VALUES (?, ?, ?, ?, ?, ?)",
                (sms.id, sms.at, sms.person, sms.ours, sms.direction, json.dumps(asdict(sms))),
            )
            self._log.add(entries)
        self._publisher.wake()

    def _delivery(self, sms: Sms, sent: datetime, final: bool, kind: str, status: str, description: str) -> Entry:
        """A delivery event; field by field that of End User Messaging's event destinations."""
        event: dict[str, Any] = {
            "eventType": kind,
            "eventVersion": "1.0",
            "eventTimestamp": int(self._clock.now().timestamp() * 1000),
            "isFinal": final,
            "originationPhoneNumber": sms.ours,
            "destinationPhoneNumber": sms.person,
            "isInternationalSend": False,
            # 001/01 is the code that ITU-T E.212 sets aside for test networks.
            "mcc": "001",
            "mnc": "01",
            "messageId": sms.id,
            "messageRequestTimestamp": int(sent.timestamp() * 1000),
            "messageEncoding": sms.encoding,
            "messageType": sms.message_type,
            "messageStatus": status,
            "messageStatusDescription": description,
            "context": sms.context,
            "totalMessageParts": sms.parts,
            "totalMessagePrice": 0.0,
            "totalCarrierFee": 0.0,
        }
        state = State.PENDING if sms.configuration_set else State.UNSENT
        at = milliseconds(self._clock.now())
        return Entry(sms.id, kind, at, sms_target(sms.configuration_set), event, state)


_PENDING = ("TEXT_PENDING", "PENDING", "Message is on its way")
_DELIVERED = ("TEXT_DELIVERED", "DELIVERED", "Message has been accepted by phone")


def sms_target(configuration_set: str | None) -> str:
    """The name under which the log knows an SMS configuration set."""
    return f"sms:{configuration_set or ''}"


def _inbound(sms: Sms, heard: bool) -> Entry:
    """A two-way message as the topic of our number hears it, if two-way messaging is on."""
    event = {
        "originationNumber": sms.person,
        "destinationNumber": sms.ours,
        "messageKeyword": sms.keyword,
        "messageBody": sms.body,
        "inboundMessageId": sms.id,
        "previousPublishedMessageId": sms.answers,
    }
    return Entry(sms.id, "INBOUND", sms.at, INBOUND, event, State.PENDING if heard else State.UNSENT)
