"""What is carried from address to address when two contacts become one, and how it is taken back: pure decisions.

Suppressions and consents hold for addresses. When two contacts become one, the person may be written to at an address
that was nobody's no before, so what they did not want at one address holds for all others of the channel: the stricter
stays. A STOP is carried to every number, whatever else stands on the list about it, and stands beside that: so it holds
on when the other is lifted. A bounce is not carried: it says that an address is dead, not that its person minds. Nor is
what an operator or an import said: that is about the address it was said of.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tidings.consent.model import AddressRecord, By, Consent, LogEntry, Proof, Reason, Reply, Suppression, Word
from tidings.consent.rules import deciding

# Whether what a merge brought at some time, by its source, goes with the one that is undone.
Goes = Callable[[str, datetime], bool]
FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Carried:
    """What comes to hold for an address, or goes: its record as it was read, the entry, and the noes by topic.

    Taking back, `entry` is the one that goes, and `noes` are those that do. `stops` are the STOPs of other numbers that
    hold for it afterwards, None where those do not change.
    """

    record: AddressRecord
    entry: Suppression | None = None
    noes: Mapping[str, Consent] = field(default_factory=dict)
    stops: Mapping[str, datetime] | None = None

    @property
    def reasons(self) -> list[str]:
        """Why the address is suppressed by it, or was."""
        stop = [Reason.STOP.value] if self.stops is not None else []
        return [*stop, *([self.entry.reason.value] if self.entry else [])]


def carried(records: Sequence[AddressRecord], theirs: Collection[str], source: str, now: datetime) -> list[Carried]:
    """What a merge brings to each address of a channel. `theirs` are the addresses of who is absorbed."""
    strictest = _strictest(records, now)
    found = []
    for record in records:
        free = record.entry is None or not record.entry.holds_at(now)
        entry = replace(strictest, address=record.address, created_at=now, source=source) if strictest else None
        noes = _noes(record, records, theirs, source, now)
        stops = {**record.carried_stops, source: now} if _is_to_stop(record, records, theirs) else None
        if (entry and free) or noes or stops:
            found.append(Carried(record, entry if free else None, noes, stops))
    return found


def with_carried(carried: Carried) -> dict[str, Consent]:
    """The consents of an address with the noes that are carried to it, each on top of what it takes the place of."""
    known = carried.record.consents
    over = {topic: known.get(topic) for topic in carried.noes}
    return {
        **known,
        **{t: replace(no, before=over[t], asked=_pending(over[t])) for t, no in carried.noes.items()},
    }


def taken_back(record: AddressRecord, goes: Goes) -> Carried | None:
    """What goes from an address when a merge is undone; None for nothing. What somebody said since is not ours."""
    entry = record.entry if record.entry and goes(record.entry.source, record.entry.created_at) else None
    noes = {topic: one for topic, one in record.consents.items() if _without(one, goes) is not one}
    left = {source: at for source, at in record.carried_stops.items() if not goes(source, at)}
    stops = left if len(left) < len(record.carried_stops) else None
    return Carried(record, entry, noes, stops) if entry or noes or stops is not None else None


def without_carried(carried: Carried, goes: Goes) -> dict[str, Consent]:
    """The consents of an address without what a merge carried to it: each as it was before."""
    left = {topic: _without(one, goes) for topic, one in carried.record.consents.items()}
    return {topic: one for topic, one in left.items() if one is not None}


def logged(carried: Carried, change: str, source: str, now: datetime) -> LogEntry:
    """How the log of an address tells of it: one entry of all that changed."""
    record = carried.record
    reason = {"reason": " and ".join(carried.reasons)} if carried.reasons else {}
    said = {"change": change, "source": source, **reason, "topics": sorted(carried.noes)}
    return LogEntry(record.workspace, record.channel, record.key, now, "merge", said)


def _strictest(records: Sequence[AddressRecord], now: datetime) -> Suppression | None:
    """The no on the suppression list that lasts longest, bounces apart."""
    entries = [one.entry for one in records if one.entry and one.entry.holds_at(now)]
    noes = [entry for entry in entries if entry.reason is not Reason.BOUNCE]
    return max(noes, key=lambda entry: (entry.expires_at or FOR_EVER, entry.address), default=None)


def _is_to_stop(record: AddressRecord, records: Sequence[AddressRecord], theirs: Collection[str]) -> bool:
    """Whether a STOP at another number holds for this one from now on; its own one does not keep others away.

    Where an earlier merge carried one here already, one of the other side comes beside it: should either merge be
    undone, the other's stays. Of a number whose person said START only the other side's counts: what stood at their own
    numbers did not hold for it. Who was erased is known by nothing but that.
    """
    if record.entry is not None and record.entry.reason is Reason.ERASED:
        return False
    stopped = [other for other in records if other is not record and other.is_silent]
    started = record.answered is not None and record.answered.word is Word.START
    if not record.carried_stops and not started:
        return bool(stopped)
    return any((other.address in theirs) != (record.address in theirs) for other in stopped)


def _noes(
    record: AddressRecord, records: Sequence[AddressRecord], theirs: Collection[str], source: str, now: datetime
) -> dict[str, Consent]:
    """The person's noes at other addresses that hold for this one from now on.

    Where an earlier merge carried a no here already, one of the other side is put on top of it: should either merge be
    undone, the other's no stays. Who was erased is known by nothing but that.
    """
    if record.suppression is not None and record.suppression.reason is Reason.ERASED:
        return {}
    found = {}
    for other in records:
        for topic in _own_noes(other) if other is not record else ():
            stands = record.consents.get(topic)
            across = (other.address in theirs) != (record.address in theirs)
            if stands is None or not stands.is_own_no or (stands.is_carried and across):
                found[topic] = Consent(topic, Reply.UNSUBSCRIBED, Proof(By.PERSON, source, now))
    return found


def _own_noes(record: AddressRecord) -> Iterator[str]:
    """The topics, `*` among them, about which the person's own no is what holds for an address."""
    for topic, one in record.consents.items():
        if one.is_own_no and deciding(record, topic) is one:
            yield topic


def _without(consent: Consent | None, goes: Goes) -> Consent | None:
    """What is left of a reply once a merge is undone: what it had been put on, at the top or further down."""
    if consent is None:
        return None
    if consent.is_carried and goes(consent.proof.source, consent.proof.at):
        return _without(consent.before, goes)
    before = _without(consent.before, goes)
    return consent if before is consent.before else replace(consent, before=before)


def _pending(consent: Consent | None) -> Proof | None:
    return consent.pending if consent is not None else None
