"""Importing consents: many at a time, none of them over a person's own no, and all of it repeatable.

Every row is read by itself, and one that is wrong does not keep the others out. Rows about one address are one change.
Changes are written several in a transaction; where one of them was overtaken, each of those is decided anew by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tidings.accounts.model import Workspace
from tidings.consent.asking import SOURCE_CHARACTERS, WORDING_CHARACTERS, read_instant
from tidings.consent.model import EVERYTHING, AddressRecord, By, Channel, Consent, Proof, Reason, Reply
from tidings.consent.replies import TOGETHER, Outcome, Result, replied
from tidings.consent.rules import contradicted, normalise_address
from tidings.consent.service import ConsentService
from tidings.consent.store import DynamoConsentStore, address_key
from tidings.consent.topics import topic_of
from tidings.core.clock import Clock
from tidings.core.errors import Conflict, InvalidInput, NotFound, TidingsError, Unavailable
from tidings.core.store import ConditionFailed, Database, Part

ROWS = 1000
# Parts of one transaction: DynamoDB takes 100, and one refused change costs all of them a second try.
PARTS = 60
FIELDS = {"address", "topic", "reply", "source", "wording", "at", "confirmed"}
IMPORTED = "import"


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be imported; `dated` says whether it told when."""

    number: int
    address: str
    told: Consent
    dated: bool


Answer = dict[str, Any]


class ConsentImport:
    """Imports consents of a channel."""

    def __init__(self, database: Database, store: DynamoConsentStore, consents: ConsentService, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._consents = consents
        self._clock = clock

    def run(self, workspace: Workspace, body: Mapping[str, Any], actor: str = "") -> list[Answer]:
        """What became of each row, in their order; with `dry_run` what would. Raises InvalidInput for no rows."""
        rows, channel, dry = _read(body)
        read: list[Row] = []
        answers: dict[int, Answer] = {}
        for number, row in enumerate(rows, 1):
            try:
                read.append(self._row(workspace, channel, number, row))
            except (InvalidInput, NotFound) as error:
                answers[number] = _invalid(number, error)
        by_address: dict[str, list[Row]] = {}
        for one in read:
            by_address.setdefault(one.address, []).append(one)
        records = self._store.records(workspace, channel, by_address)
        pending: list[tuple[list[Row], list[Part]]] = []
        for address, its in by_address.items():
            outcomes, after = _decided(records[address], its)
            answers |= _answers(its, outcomes)
            new = [one.consent for one in outcomes if one.result is Result.SET]
            if new and not dry:
                # What is too much for one transaction is settled by itself.
                whole = len(new) <= TOGETHER
                pending.append((its, self._consents.parts(records[address], after, new, actor) if whole else []))
        for group in _grouped(pending):
            answers |= self._write(workspace, channel, group, actor)
        return [answers[number] for number in sorted(answers)]

    def _write(
        self, workspace: Workspace, channel: Channel, group: Sequence[tuple[list[Row], list[Part]]], actor: str
    ) -> dict[int, Answer]:
        try:
            if all(parts for _, parts in group):
                self._database.transact([part for _, parts in group for part in parts])
                return {}
        except (ConditionFailed, Unavailable):
            pass
        answers: dict[int, Answer] = {}
        for its, _ in group:
            told = _undated(self._store.record(workspace, channel, its[0].address), its)
            key = address_key(workspace, its[0].address)
            try:
                outcomes = self._consents.settle(workspace.id, channel, key, told, actor, its[0].address)
                answers |= _answers(its, outcomes)
            except Conflict as error:  # whoever had the address was erased in this moment
                answers |= {row.number: _invalid(row.number, error) for row in its}
        return answers

    def _row(self, workspace: Workspace, channel: Channel, number: int, row: Any) -> Row:
        if not isinstance(row, Mapping) or set(row) - FIELDS:
            raise InvalidInput("invalid_row", f"A row has only {', '.join(sorted(FIELDS))}.", "rows")
        texts = {name: _text(row, name) for name in FIELDS - {"confirmed"}}
        if texts["reply"] not in (Reply.SUBSCRIBED, Reply.UNSUBSCRIBED):
            raise InvalidInput("invalid_reply", "reply is subscribed or unsubscribed.", "reply")
        if texts["topic"] != EVERYTHING and topic_of(workspace, texts["topic"]) is None:
            raise NotFound("unknown_topic", "There is no such topic.", "topic")
        if len(texts["source"]) > SOURCE_CHARACTERS or len(texts["wording"]) > WORDING_CHARACTERS:
            most = f"source has at most {SOURCE_CHARACTERS} characters, wording {WORDING_CHARACTERS}."
            raise InvalidInput("text_too_long", most, "wording")
        now = self._clock.now()
        at = min(read_instant(texts["at"]), now) if texts["at"] else now
        proof = Proof(By.IMPORT, texts["source"] or IMPORTED, at, "", texts["wording"])
        confirmed = row.get("confirmed") or False
        if not isinstance(confirmed, bool):
            raise InvalidInput("invalid_type", "confirmed is true or false.", "confirmed")
        told = Consent(texts["topic"], Reply(texts["reply"]), proof, confirmed and texts["reply"] == Reply.SUBSCRIBED)
        return Row(number, normalise_address(channel, texts["address"]), told, bool(texts["at"]))


def _read(body: Mapping[str, Any]) -> tuple[list[Any], Channel, bool]:
    rows, dry = body.get("rows"), body.get("dry_run", False)
    if not isinstance(rows, list) or not 1 <= len(rows) <= ROWS:
        raise InvalidInput("invalid_rows", f"rows is a list of 1 to {ROWS} rows.", "rows")
    if not isinstance(dry, bool):
        raise InvalidInput("invalid_type", "dry_run is true or false.", "dry_run")
    try:
        return rows, Channel(body.get("channel", Channel.EMAIL)), dry
    except ValueError as error:
        raise InvalidInput("unknown_channel", "channel is email or sms.", "channel") from error


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput("invalid_type", f"{name} is text.", name)
    return (value or "").strip()


def _undated(record: AddressRecord, its: Sequence[Row]) -> list[Consent]:
    """What rows say; one without a time that says what stands is dated as that, so that importing it again is none."""
    told = []
    for row in its:
        before = record.consents.get(row.told.topic)
        same = before is not None and (before.reply, before.confirmed) == (row.told.reply, row.told.confirmed)
        again = row.told.reply is Reply.UNSUBSCRIBED and before is not None and contradicted(record, before)
        if before is not None and same and not row.dated and not again:
            told.append(replace(row.told, proof=replace(row.told.proof, at=before.proof.at)))
        else:
            told.append(row.told)
    return told


def _decided(record: AddressRecord, its: Sequence[Row]) -> tuple[list[Outcome], AddressRecord]:
    told = _undated(record, its)
    if record.suppression is not None and record.suppression.reason is Reason.ERASED:
        return [Outcome(Result.KEPT, one) for one in told], record
    after, outcomes = replied(record, told)
    return outcomes, after


def _grouped(pending: Sequence[tuple[list[Row], list[Part]]]) -> list[list[tuple[list[Row], list[Part]]]]:
    """Changes as they go into transactions: one goes alone if it is large, and none is cut."""
    groups: list[list[tuple[list[Row], list[Part]]]] = []
    room = 0
    for one in pending:
        if not groups or len(one[1]) > room or not one[1]:
            groups.append([])
            room = PARTS if one[1] else 0
        groups[-1].append(one)
        room -= len(one[1])
    return groups


def _answers(its: Sequence[Row], outcomes: Sequence[Outcome]) -> dict[int, Answer]:
    return {row.number: {"row": row.number, "result": one.result.value} for row, one in zip(its, outcomes, strict=True)}


def _invalid(number: int, error: TidingsError) -> Answer:
    return {"row": number, "result": "invalid", **error.as_dict()}
