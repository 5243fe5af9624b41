"""Consents through the API: what an address said, with its proof, and what that means for a message now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tidings.accounts.model import Workspace
from tidings.consent.gate import Gate
from tidings.consent.model import EVERYTHING, MARKETING, AddressRecord, By, Channel, Check, Consent, Kind, Proof, Reply
from tidings.consent.replies import Result
from tidings.consent.rules import consent_check, deciding, normalise_address, suppression_check
from tidings.consent.service import ConsentService
from tidings.consent.store import DynamoConsentStore
from tidings.consent.topics import topic_of, topics_of
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.contacts.service import ContactDirectory
from tidings.core.clock import Clock, from_text
from tidings.core.errors import Conflict, InvalidInput, NotFound

SOURCE_CHARACTERS = 200
WORDING_CHARACTERS = 2000

M = TypeVar("M", bound=BaseModel)
Said = Literal["subscribed", "unsubscribed"]
Source = Annotated[str, Field(max_length=SOURCE_CHARACTERS)]
Wording = Annotated[str, Field(max_length=WORDING_CHARACTERS)]


class ReplyInput(BaseModel):
    """What somebody said about a topic. `confirmed`: whoever reads the address's mail confirmed it."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    reply: Said
    by: Literal["person", "operator"] = "operator"
    source: Source = ""
    wording: Wording = ""
    ip: Annotated[str, Field(max_length=45)] = ""
    at: str | None = None
    confirmed: bool = False


class Question(BaseModel):
    """What a check asks: may a message of this kind and topic go to an address, or to a contact?"""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    address: str = ""
    contact: str = ""
    user_id: str = ""
    kind: Annotated[Kind | None, Field(strict=False)] = None
    topic: str = ""


class CheckDesk:
    """Answers whether a message may go, as a send would be answered: by the same gate."""

    def __init__(self, gate: Gate, directory: ContactDirectory) -> None:
        self._gate = gate
        self._directory = directory

    def check(self, workspace: Workspace, channel: Channel, body: Mapping[str, Any]) -> dict[str, Any]:
        """What decides, and every check that was asked: one read, and more only where a suppression rule needs it.

        Asked of an address, rules look at the contact that a mail to it would go to. Raises InvalidInput, NotFound.
        """
        asked = read_body(Question, {name: value for name, value in body.items() if name != "channel"})
        known = self._named(workspace.id, asked)
        address = asked.address or (_at(known, channel) if known else "")
        if known is None and not address:
            raise InvalidInput("missing_field", "address is missing.", "address")

        def found() -> Contact | None:
            return known or self._who_has(workspace.id, channel, address)

        topic = asked.topic or MARKETING.name
        verdict = self._gate.ask(workspace, known or found, channel, address, asked.kind, topic)
        checks = [check.as_dict() for check in verdict.checks]
        return {"suppressed": not verdict.passed, **verdict.deciding.as_dict(), "checks": checks}

    def _named(self, workspace: str, asked: Question) -> Contact | None:
        if asked.contact:
            return self._directory.get(workspace, asked.contact)
        if asked.user_id:
            return self._directory.find(workspace, Identity(IdentityKind.USER, asked.user_id))
        return None

    def _who_has(self, workspace: str, channel: Channel, address: str) -> Contact | None:
        if channel is Channel.EMAIL:
            return self._directory.find_by_address(workspace, IdentityKind.EMAIL, address)
        return None  # messages to phones name their contact


def _at(contact: Contact, channel: Channel) -> str:
    return contact.email if channel is Channel.EMAIL else contact.phone


class ConsentDesk:
    """Shows and changes what is known of an address."""

    def __init__(self, store: DynamoConsentStore, consents: ConsentService, clock: Clock) -> None:
        self._store = store
        self._consents = consents
        self._clock = clock

    def show(self, workspace: Workspace, channel: Channel, address: str) -> dict[str, Any]:
        """All that an address said, and what a message would be answered now: one read. Raises InvalidInput."""
        text = normalise_address(channel, address)
        record = self._store.record(workspace, channel, text)
        known = topics_of(workspace)
        names = [*known, *sorted(set(record.consents) - set(known) - {EVERYTHING})]
        everything = record.consents.get(EVERYTHING)
        entry = record.suppression
        now = self._clock.now()
        return {
            "channel": channel.value,
            "address": text,
            "suppression": entry.as_dict() if entry is not None and entry.holds_at(now) else None,
            "transactional": self._answer(workspace, record, Kind.TRANSACTIONAL, "").as_dict(),
            "everything": shown(everything),
            "topics": [self._topic(workspace, record, name) for name in names],
        }

    def set(
        self, workspace: Workspace, channel: Channel, address: str, topic: str, body: Mapping[str, Any], actor: str
    ) -> dict[str, Any]:
        """Write down what was said about a topic, or about all marketing (`*`); a repeat changes nothing.

        Raises InvalidInput, NotFound for no topic, Conflict where the person's own no stands against it.
        """
        told = read_reply(body)
        if topic != EVERYTHING and topic_of(workspace, topic) is None:
            raise NotFound("unknown_topic", f"There is no topic named {topic}.", "topic")
        at = read_instant(told.at) if told.at is not None else self._clock.now()
        proof = Proof(By(told.by), told.source, at, told.ip, told.wording)
        outcome = self._consents.change(
            workspace, channel, address, topic, Reply(told.reply), proof, told.confirmed, actor
        )
        if outcome.result is Result.KEPT:
            raise Conflict("own_no", "The person said no themselves, and nobody else takes that back.", "reply")
        return {"result": outcome.result.value, "topic": topic, **(shown(outcome.consent) or {})}

    def _topic(self, workspace: Workspace, record: AddressRecord, name: str) -> dict[str, Any]:
        topic = topic_of(workspace, name)
        return {
            "topic": name,
            "title": topic.title if topic else "",
            "consent": topic.consent.value if topic else None,
            "said": shown(record.consents.get(name)),
            "decided_by": _about(deciding(record, name)),
            "marketing": self._answer(workspace, record, Kind.MARKETING, name).as_dict(),
        }

    def _answer(self, workspace: Workspace, record: AddressRecord, kind: Kind, topic: str) -> Check:
        listed = suppression_check(record.suppression, self._clock.now())
        return consent_check(record, kind, topic, topic_of(workspace, topic)) if listed.passed else listed


def read_reply(body: Mapping[str, Any]) -> ReplyInput:
    """What a body says. Raises InvalidInput: a person's reply needs its source, their yes also its wording."""
    told = read_body(ReplyInput, body)
    if told.by == By.PERSON.value and not told.source:
        raise InvalidInput("missing_proof", "Say where the person said so, in source.", "source")
    if told.by == By.PERSON.value and told.reply == Reply.SUBSCRIBED.value and not told.wording:
        raise InvalidInput("missing_proof", "Say to which words the person said yes, in wording.", "wording")
    return told


def read_body(model: type[M], body: Mapping[str, Any]) -> M:
    """A body as a model has it. Raises InvalidInput that names the first mistake."""
    try:
        return model.model_validate(dict(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        code = "invalid_type" if first["type"].endswith("_type") else "invalid_request"
        raise InvalidInput(code, f"{field}: {first['msg']}.", field) from error


def read_instant(text: str) -> datetime:
    """When something was said. Raises InvalidInput."""
    try:
        return from_text(text)
    except ValueError as error:
        raise InvalidInput("invalid_timestamp", "at is not an ISO 8601 time.", "at") from error


def shown(consent: Consent | None) -> dict[str, Any] | None:
    """What was said about a topic, as the API shows it; None for nothing."""
    if consent is None:
        return None
    return {
        "reply": consent.reply.value,
        "confirmed": consent.confirmed,
        "asked_at": consent.pending.at if consent.pending else None,
        "proof": consent.proof.as_dict(),
    }


def _about(consent: Consent | None) -> str | None:
    return consent.topic if consent is not None else None
