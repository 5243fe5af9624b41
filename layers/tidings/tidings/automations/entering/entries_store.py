"""Where it stands how often somebody entered an automation: beside their enrolments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from tidings.automations.enrolments.items import TRIGGER, EnrolmentItem
from tidings.automations.enrolments.model import UNDER_WAY, Enrolment
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.entering.entries import Entered, Place, Rule, Tally, scope_of, tally_of
from tidings.contacts.model import Contact
from tidings.core.clock import from_text, to_text
from tidings.core.ids import digest
from tidings.core.store import Database, Item, JsonAttribute, Key, Part, faults, put

# What the keys of counts begin with: no automation is called so.
ENTRIES = "#entries#"


class EntriesItem(Item):
    times = NumberAttribute()
    last = UnicodeAttribute(null=True)
    ways = JsonAttribute(null=True)
    number = NumberAttribute()
    counted_for = UnicodeAttribute()


@dataclass(frozen=True)
class Ledger:
    """The tallies of a contact in one automation as they were read, by scope (None: all), and their items' numbers.

    `counted_for` says for which version's rule and whose entries they were counted.
    """

    tallies: Mapping[str | None, Tally]
    numbers: Mapping[str | None, int] = field(default_factory=dict)
    counted_for: str = ""


class DynamoEntriesStore:
    """Counts of entries in DynamoDB. An item holds for one rule and one set of contact ids; else it is made anew."""

    def __init__(self, database: Database, enrolments: DynamoEnrolmentStore) -> None:
        self._database = database
        self._enrolments = enrolments
        self._items = database.table(EntriesItem, "enrolments")
        self._entered = database.table(EnrolmentItem, "enrolments")

    def read(
        self, contact: Contact, automation: str, rule: Rule, since: int, scopes: Sequence[str | None], *more: Key
    ) -> tuple[Ledger, dict[Key, Any]]:
        """The tallies for some scopes, and what else was asked for: one batched read.

        `since` is the first version of those that count alike. Where an item is missing or counted for something else,
        the entries themselves are read, a query for each id that the contact goes by; not if there can be none.
        """
        keys = {scope: self._key(contact, automation, scope) for scope in scopes}
        found = self._database.batch_get([*keys.values(), *more])
        counted_for = _counted_for(contact, since)
        items = {scope: found[key] for scope, key in keys.items() if key in found}
        known = {scope: item for scope, item in items.items() if item.counted_for == counted_for}
        tallies = {scope: _tally(item) for scope, item in known.items()}
        alone = since == 1 and len(contact.shown_ids) == 1  # then every entry there was is counted
        unknown = [scope for scope in scopes if scope not in known and not (alone and scope not in items)]
        entries = self.entries_of(contact, automation, rule) if unknown else []
        tallies |= {scope: tally_of(entries, scope) for scope in scopes if scope not in known}
        numbers = {scope: int(item.number) for scope, item in items.items()}
        return Ledger(tallies, numbers, counted_for), {key: found[key] for key in more if key in found}

    def entries_of(self, contact: Contact, automation: str, rule: Rule) -> list[Entered]:
        """Every entry of a contact and of those it absorbed, as they are now: a query for each of its ids."""
        found: list[Entered] = []
        for source in contact.shown_ids:
            with faults():
                prefix = self._entered.sk.startswith(f"{automation}#")
                items = list(self._entered.query(f"{contact.workspace}#{source}", prefix, consistent_read=True))
            said = {item.sk.removesuffix(TRIGGER): item.properties or {} for item in items if item.state is None}
            for item in items:
                if item.state is None or not item.started_at:
                    continue
                enrolment = self._enrolments.entity(item)
                if contact.shows(source, enrolment.started_at):
                    found.append(_entered(enrolment, scope_of(rule, said.get(item.sk, {}))))
        return found

    def under_way(self, workspace: str, automation: str, ways: Iterable[Place]) -> list[Place]:
        """Those of some ways that are under way: one batched read."""
        keys = {self._enrolments.key(workspace, place[0], automation, place[1]): place for place in ways}
        found = self._database.batch_get(keys)
        entities = {place: self._enrolments.entity(found[key]) for key, place in keys.items() if key in found}
        return [place for place, enrolment in entities.items() if _is_under_way(enrolment)]

    def part(
        self, contact: Contact, automation: str, scope: str | None, ledger: Ledger, at: datetime, way: Place | None
    ) -> Part:
        """One entry more in a scope, as part of a transaction: refused if the count changed since it was read."""
        tally = ledger.tallies[scope].with_entry(at, way)
        number = ledger.numbers.get(scope)
        key = self._key(contact, automation, scope)
        item = self._items(
            key.pk,
            key.sk,
            times=tally.count,
            last=to_text(tally.last) if tally.last else None,
            ways=[list(place) for place in tally.ways] or None,
            number=(number or 0) + 1,
            counted_for=ledger.counted_for,
        )
        same: Condition = self._items.pk.does_not_exist() if number is None else self._items.number == number
        return put("entries", item, same)

    def _key(self, contact: Contact, automation: str, scope: str | None) -> Key:
        sk = f"{ENTRIES}{automation}" + (f"#{scope}" if scope is not None else "")
        return Key(self._items, f"{contact.workspace}#{contact.id}", sk)


def _entered(enrolment: Enrolment, scope: str | None) -> Entered:
    place = (enrolment.contact, enrolment.entry)
    return Entered(place, enrolment.started_at, scope or "", _is_under_way(enrolment), enrolment.event)


def _is_under_way(enrolment: Enrolment) -> bool:
    """Who has taken the last step is done, though the end of the execution may not have been told yet."""
    return enrolment.state in UNDER_WAY and bool(enrolment.component)


def _tally(item: EntriesItem) -> Tally:
    last = from_text(item.last) if item.last else None
    return Tally(int(item.times), last, tuple((way[0], way[1]) for way in item.ways or ()))


def _counted_for(contact: Contact, since: int) -> str:
    """Which rule and whose entries a count is of: it holds as long as both are the same."""
    return f"{since}#{digest(*sorted(contact.shown_ids), length=12)}"
