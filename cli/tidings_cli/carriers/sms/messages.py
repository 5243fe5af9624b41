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
from tidings.messages.parts import measure
from tidings_cli.carriers.database import Database
from tidings_cli.carriers.feedback import Entry, FeedbackLog, State
from tidings_cli.carriers.publisher import Publisher
from tidings_cli.carriers.ses.mails import milliseconds
from tidings_cli.carriers.sms import opt_outs
from tidings_cli.carriers.sms.numbers import INBOUND, Numbers, Phone
from tidings_cli.carriers.sms.opt_outs import OptOuts
from tidings_cli.carriers.sms.places import country_of
from tidings_cli.carriers.sms.prices import price_of
from tidings_cli.carriers.sms.simulator import TURNS, Turn, story_of

KEYWORD = "KEYWORD_LOCAL"
MOST_COPIES = 5
LONGEST_DELAY = 300  # seconds


@dataclass(frozen=True)
class Sms:
    """One text message; `person` is the phone, `ours` the number or sender ID on our side.

    `price` and `fee` are in USD for all parts. `automatic` is what AWS itself answered.
    """

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
    country: str = ""
    international: bool = False
    price: float = 0.0
    fee: float = 0.0
    lifetime: int | None = None
    automatic: bool = False

    @property
    def can_be_answered(self) -> bool:
        """Only a phone number receives; a sender ID does not."""
        return self.ours.startswith("+")


@dataclass(frozen=True)
class Manner:
    """How the events of a message reach SNS, other than each once and in their order."""

    dropped: bool = False
    twice: bool = False
    backwards: bool = False
    late: float | None = None


class SmsStore:
    """Keeps the messages and writes their events into the log."""

    def __init__(
        self,
        database: Database,
        log: FeedbackLog,
        publisher: Publisher,
        numbers: Numbers,
        stopped: OptOuts,
        clock: Clock,
    ) -> None:
        self._database = database
        self._log = log
        self._publisher = publisher
        self._numbers = numbers
        self._stopped = stopped
        self._clock = clock

    def send(self, fields: Mapping[str, Any], manner: Manner | None = None) -> Sms:
        """Keep a message of ours and write down what becomes of it. `fields` are those of `Sms` the caller chose."""
        now = self._clock.now()
        sms = self._composed(fields, milliseconds(now), "out")
        manner = manner or Manner()
        entries = [self._delivery(sms, now, turn, manner) for turn in story_of(sms.person)]
        entries = [entry for entry in entries for _ in range(2 if manner.twice else 1)]
        self._keep(sms, entries[::-1] if manner.backwards else entries, manner.late)
        return sms

    def tell(self, sms_id: str, kind: str, twice: bool = False) -> Sms:
        """Let another event of a message of ours reach SNS. Raises NotFound, InvalidInput, or Conflict."""
        sms = self.need(sms_id)
        if sms.direction != "out":
            raise Conflict("not_ours", "Only a message of ours has delivery events")
        if kind not in TURNS:
            raise InvalidInput("unknown_event", f"type must be one of {', '.join(TURNS)}", "type")
        entry = self._delivery(sms, datetime.fromisoformat(sms.at), TURNS[kind], Manner())
        self._log.add([entry] * (2 if twice else 1))
        self._publisher.wake()
        return sms

    def reply(self, sms_id: str, body: str, copies: int = 1, delay: float = 0.0) -> Sms:
        """Answer a message in the person's place; SNS hears the inbound message.

        Raises NotFound, InvalidInput, and Conflict where the sender cannot receive.
        """
        answered = self.need(sms_id)
        if body.strip() and not answered.can_be_answered:
            raise Conflict("one_way", f"{answered.ours} is a sender ID; only a phone number receives answers")
        keyword = answered.keyword or KEYWORD
        ours = [sms for sms in self.find(answered.person, answered.ours) if sms.direction == "out"]
        # Whatever is answered: AWS names the last message of ours.
        last = answered.id if answered.direction == "out" else ours[-1].id if ours else None
        return self._receive(answered.person, answered.ours, body, copies, delay, keyword, last)

    def receive(self, person: str, ours: str, body: str, copies: int = 1, delay: float = 0.0) -> Sms:
        """Let a person write first. Raises InvalidInput, and NotFound for a number that is none of ours."""
        if self._numbers.find(ours) is None:
            raise NotFound("unknown_number", f"{ours} is no number of this account")
        return self._receive(person, self._numbers.need(ours).number, body, copies, delay, KEYWORD, None)

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

    def _receive(
        self, person: str, ours: str, body: str, copies: int, delay: float, keyword: str, answers: str | None
    ) -> Sms:
        if not body.strip():
            raise InvalidInput("empty_reply", "A message needs a text", "body")
        if not 1 <= copies <= MOST_COPIES:
            raise InvalidInput("invalid_copies", f"copies must be between 1 and {MOST_COPIES}", "copies")
        if not 0 <= delay <= LONGEST_DELAY:
            raise InvalidInput("invalid_delay", f"delay must be between 0 and {LONGEST_DELAY} seconds", "delay")
        fields = {"person": person, "ours": ours, "body": body, "keyword": keyword, "answers": answers}
        sms = self._composed(fields, milliseconds(self._clock.now()), "in")
        phone = self._numbers.find(ours)
        self._keep(sms, [self._inbound(sms, phone)] * copies, delay or None)
        if phone is not None and not phone.self_managed:
            self._obey(sms, phone)
        return sms

    def _obey(self, sms: Sms, phone: Phone) -> None:
        """What AWS does by itself where opt-outs are not self-managed: it lists whoever stops, and answers."""
        meaning, answer = opt_outs.answer_to(sms.body)
        if meaning == "stop":
            self._stopped.put(phone.opt_outs, sms.person, by_person=True)
        elif meaning == "start":
            self._stopped.take_off(phone.opt_outs, sms.person)
        if answer:
            fields = {"person": sms.person, "ours": phone.number, "body": answer, "automatic": True}
            self.send(fields | {"answers": sms.id})

    def _composed(self, fields: Mapping[str, Any], at: str, direction: str) -> Sms:
        length = measure(fields["body"])
        country = country_of(fields["person"])
        price = price_of(country, length.parts) if direction == "out" else None
        told = dict(fields)
        if price is not None:
            told |= {"price": price.message, "fee": price.fee}
        return Sms(
            id=str(uuid.uuid4()),
            at=at,
            direction=direction,
            encoding=length.encoding,
            parts=length.parts,
            country=country,
            international=told["ours"].startswith("+") and country_of(told["ours"]) != country,
            **told,
        )

    def need(self, sms_id: str) -> Sms:
        """The same. Raises NotFound."""
        found = self.get(sms_id)
        if found is None:
            raise NotFound("unknown_sms", f"The outbox has no text message {sms_id}")
        return found

    def _select(self, clause: str, values: Sequence[object]) -> list[Sms]:
        rows = self._database.rows(f"SELECT record FROM sms {clause}", values)  # noqa: S608
        return [Sms(**json.loads(cast(str, row[0]))) for row in rows]

    def _keep(self, sms: Sms, entries: Sequence[Entry], late: float | None) -> None:
        with self._database.transaction():
            self._database.change(
                "INSERT INTO sms (id, at, person, ours, direction, record) VALUES (?, ?, ?, ?, ?, ?)",
                (sms.id, sms.at, sms.person, sms.ours, sms.direction, json.dumps(asdict(sms))),
            )
            self._log.add(entries, held=late is not None)
        if late is None:
            self._publisher.wake()
        else:
            self._publisher.release_after(late, sms.id)

    def _delivery(self, sms: Sms, sent: datetime, turn: Turn, manner: Manner) -> Entry:
        """A delivery event; field by field that of End User Messaging's event destinations."""
        event: dict[str, Any] = {
            "eventType": turn.type,
            "eventVersion": "1.0",
            "eventTimestamp": int(self._clock.now().timestamp() * 1000),
            "isFinal": turn.final,
            "originationPhoneNumber": sms.ours,
            "destinationPhoneNumber": sms.person,
            "isoCountryCode": sms.country,
            "isInternationalSend": sms.international,
            # 001/01 is the code that ITU-T E.212 sets aside for test networks.
            "mcc": "001",
            "mnc": "01",
            "carrierName": "Local carrier",
            "messageId": sms.id,
            "messageRequestTimestamp": int(sent.timestamp() * 1000),
            "messageEncoding": sms.encoding,
            "messageType": sms.message_type,
            "messageStatus": turn.status,
            "messageStatusDescription": turn.description,
            "context": sms.context,
            "totalMessageParts": sms.parts,
            "totalMessagePrice": sms.price,
            "totalCarrierFee": sms.fee,
        }
        state = State.PENDING if sms.configuration_set else State.UNSENT
        if manner.dropped and sms.configuration_set:
            state = State.DROPPED
        at = milliseconds(self._clock.now())
        return Entry(sms.id, turn.type, at, sms_target(sms.configuration_set), event, state)

    def _inbound(self, sms: Sms, phone: Phone | None) -> Entry:
        """A two-way message as the topic of our number hears it, if two-way messaging is on."""
        event = {
            "originationNumber": sms.person,
            "destinationNumber": sms.ours,
            "messageKeyword": sms.keyword,
            "messageBody": sms.body,
            "inboundMessageId": sms.id,
        }
        # What a person writes first answers nothing, and then the member is not there.
        event |= {"previousPublishedMessageId": sms.answers} if sms.answers else {}
        heard = phone is not None and self._numbers.channel(phone) is not None
        target = phone.target if phone is not None else INBOUND
        return Entry(sms.id, "INBOUND", sms.at, target, event, State.PENDING if heard else State.UNSENT)


def sms_target(configuration_set: str | None) -> str:
    """The name under which the log knows an SMS configuration set."""
    return f"sms:{configuration_set or ''}"
