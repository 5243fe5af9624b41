"""STOP and START: a person ends all messages on a channel with one word, and nobody but they takes it back.

Neither a release by hand, an import, a form, a consent that anybody gives, the page of preferences nor a merge undoes a
STOP. A START undoes a STOP and nothing else: who complained, was suppressed by hand or was erased stays so. Which word
holds is a matter of the provider's time alone, not of the order in which words come in.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum

from tidings.accounts.model import Workspace
from tidings.consent.model import AddressRecord, Answered, Channel, LogEntry, Reason, Suppression, Word
from tidings.consent.replies import RELEASED, SUPPRESSED, suppression_event
from tidings.consent.rules import normalise_address
from tidings.consent.service import TOLD, TRIES, EventSink
from tidings.consent.stop_store import DynamoStopStore
from tidings.consent.store import DynamoConsentStore, address_key
from tidings.core.clock import to_text
from tidings.core.errors import Unavailable
from tidings.core.store import Database, Part

# How the log of an address calls it.
CHANGES = {Word.STOP: "stopped", Word.START: "started"}


class Standing(StrEnum):
    """What became of a word."""

    BEGAN = "began"  # it holds, and this message is what it began with
    STANDS = "stands"  # it holds since an earlier message
    OVERTAKEN = "overtaken"  # a later word holds
    ERASED = "erased"  # the person was erased, and stays on the list for good


class StopService:
    """Keeps the last words of people."""

    def __init__(self, database: Database, records: DynamoConsentStore, events: EventSink) -> None:
        self._database = database
        self._records = records
        self._stops = DynamoStopStore(database)
        self._events = events

    def say(self, workspace: Workspace, channel: Channel, address: str, answered: Answered, words: str) -> Standing:
        """Obey a word that a person said, with its proof in the log: one call for a first STOP, two for a START.

        `words` are the person's own. A repeat changes nothing. Raises InvalidInput for no address, Unavailable.
        """
        text = normalise_address(channel, address)
        log = self._log(workspace, channel, text, answered, words)
        if answered.word is Word.START:
            if self._start(workspace, channel, text, answered, log):
                return Standing.BEGAN
        elif self._stops.stop(workspace, channel, text, answered, [log]):
            return Standing.BEGAN
        elif self._stops.stop_again(workspace, channel, text, answered, [log]):
            return Standing.STANDS
        standing = _standing(self._records.record(workspace, channel, text), answered)
        if standing is not Standing.ERASED:
            self._records.write([log])  # what came too late to count was said all the same
        return standing

    def is_stopped(self, workspace: Workspace, channel: Channel, address: str) -> bool:
        """Whether the person's last word is STOP: one consistent read."""
        return self._records.record(workspace, channel, normalise_address(channel, address)).is_stopped

    def tell(
        self, workspace: Workspace, channel: Channel, address: str, answered: Answered, contacts: Collection[str]
    ) -> None:
        """Put on the timelines of contacts that a STOP or its end holds; a repeat puts nothing there twice.

        Where the person's last word is another one by now, or there was no STOP to end, nothing is told: one read.
        """
        record = self._records.record(workspace, channel, normalise_address(channel, address))
        holds = record.answered
        if holds is None or holds.message != answered.message or not (record.is_stopped or holds.ended):
            return
        name = SUPPRESSED if answered.word is Word.STOP else RELEASED
        entry = Suppression(workspace.id, channel, normalise_address(channel, address), Reason.STOP, answered.at)
        told = [suppression_event(name, entry, answered.at, contact) for contact in sorted(contacts)[:TOLD]]
        self._database.transact([self._events.part(event) for event in told])

    def _start(self, workspace: Workspace, channel: Channel, address: str, answered: Answered, log: Part) -> bool:
        for _ in range(TRIES):
            record = self._records.record(workspace, channel, address)
            if not _counts(record, answered):
                return False
            left = {source: at for source, at in record.carried_stops.items() if at > answered.at}
            ended = replace(answered, ended=record.is_stopped or len(left) < len(record.carried_stops))
            if self._stops.start(record, ended, left, [log]):
                return True
        raise Unavailable("consent_contended", "What is known of this address kept changing.")

    def _log(self, workspace: Workspace, channel: Channel, address: str, answered: Answered, words: str) -> Part:
        said = {
            "change": CHANGES[answered.word],
            "reason": Reason.STOP.value,
            "by": "person",
            "source": answered.number,
            "wording": words,
            "message": answered.message,
            "given_at": to_text(answered.at),
        }
        key = address_key(workspace, address)
        entry = LogEntry(workspace.id, channel, key, answered.at, "suppression", said, id=answered.message)
        return self._records.log(entry)


def _standing(record: AddressRecord, answered: Answered) -> Standing:
    """What became of a word that was not written down now."""
    if record.entry is not None and record.entry.reason is Reason.ERASED:
        return Standing.ERASED
    holds = record.answered
    if holds is None or holds.word is not answered.word or holds.rank < answered.rank:
        return Standing.OVERTAKEN
    return Standing.BEGAN if holds.message == answered.message else Standing.STANDS


def _counts(record: AddressRecord, answered: Answered) -> bool:
    """Whether a START is later than the last word, of somebody who was not erased."""
    if record.entry is not None and record.entry.reason is Reason.ERASED:
        return False
    return record.answered is None or record.answered.rank < answered.rank
