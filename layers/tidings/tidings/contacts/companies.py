"""Companies: what is known of them, and who belongs to them (which stands in the index of contacts)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tidings.contacts.index import DynamoContactIndex
from tidings.contacts.model import Contact, Stamp, Trait
from tidings.contacts.rules import ID_BYTES, is_blocked
from tidings.core import cursors
from tidings.core.clock import from_text, to_text
from tidings.core.errors import InvalidInput, NotFound, Unavailable
from tidings.core.store import ConditionFailed, Database, Item, JsonAttribute, faults

TRIES = 5
COMPANY_TRAITS_MOST = 500
COMPANY_TRAITS_BYTES = 128 * 1024  # an item of DynamoDB holds 400 KB
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Company:
    """A company as apps report it; for each trait the latest setting stays, and null takes one away."""

    workspace: str
    id: str
    created_at: datetime
    traits: Mapping[str, Trait] = field(default_factory=dict)
    version: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The company as the API shows it."""
        values = {name: trait.value for name, trait in self.traits.items() if trait.value is not None}
        return {"company": self.id, "traits": values, "created_at": self.created_at}


def with_company_traits(company: Company, traits: Mapping[str, Any], stamp: Stamp) -> Company:
    """The company with traits set by a message; an explicit null replaces, a missing key keeps.

    What there is no room for is left out.
    """
    merged = dict(company.traits)
    room = COMPANY_TRAITS_BYTES - sum(_size(name, trait) for name, trait in merged.items())
    for name, value in traits.items():
        known, trait = merged.get(name), Trait(value, stamp.at, stamp.by)
        if known is not None and stamp <= Stamp(known.at, known.by):
            continue
        left = room - _size(name, trait) + (_size(name, known) if known else 0)
        if (known is not None or len(merged) < COMPANY_TRAITS_MOST) and left >= min(room, 0):
            merged[name], room = trait, left
    return replace(company, traits=merged)


def company_in(text: str) -> str:
    """The id of a company as a path names it. Raises NotFound for one that no company can have."""
    company = text.strip()
    if is_blocked(company) or len(company.encode()) > ID_BYTES:
        raise _unknown()
    return company


def _size(name: str, trait: Trait) -> int:
    return len(json.dumps([name, trait.value], ensure_ascii=False).encode()) + len(trait.by) + 50


def _unknown() -> NotFound:
    return NotFound("unknown_company", "There is no such company.", "company")


class CompanyItem(Item):
    created_at = UnicodeAttribute()
    traits = JsonAttribute(default=dict)
    version = NumberAttribute(default=0)


class DynamoCompanyStore:
    """Companies in DynamoDB, under the id that apps give them."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(CompanyItem, "companies")

    def get(self, workspace: str, company: str) -> Company | None:
        """A company by its id: one read."""
        with faults():
            try:
                return _entity(self._items.get(workspace, company, consistent_read=True))
            except self._items.DoesNotExist:
                return None

    def page(self, workspace: str, limit: int, after: str) -> list[Company]:
        """Companies in the order of their ids, from behind one on: one query."""
        condition = self._items.sk > after if after else None
        with faults():
            found = self._items.query(workspace, condition, limit=limit, consistent_read=True)
            return [_entity(item) for item in found]

    def put(self, before: Company | None, after: Company) -> None:
        """Store a new or changed company. Raises ConditionFailed if somebody else did first."""
        table = self._items
        condition = table.pk.does_not_exist() if before is None else table.version == before.version
        traits = {name: [t.value, to_text(t.at), t.by] for name, t in after.traits.items()}
        version = 0 if before is None else before.version + 1
        item = table(after.workspace, after.id, created_at=to_text(after.created_at), traits=traits, version=version)
        with faults():
            item.save(condition=condition)


def _entity(item: CompanyItem) -> Company:
    traits = {name: Trait(value, from_text(at), by) for name, (value, at, by) in item.traits.items()}
    return Company(item.pk, item.sk, from_text(item.created_at), traits, int(item.version))


class CompanyService:
    """Keeps companies."""

    def __init__(self, store: DynamoCompanyStore) -> None:
        self._store = store

    def tell(self, workspace: str, company: str, traits: Mapping[str, Any], stamp: Stamp, at: datetime) -> Company:
        """The company after a message about it; a read, and a write if the message says something new."""
        for _ in range(TRIES):
            before = self._store.get(workspace, company)
            after = with_company_traits(before or Company(workspace, company, at), traits, stamp)
            if after == before:
                return after
            try:
                self._store.put(before, after)
            except ConditionFailed:
                continue
            return after
        raise _contended()

    def edit(self, workspace: str, company: str, traits: Mapping[str, Any], by: str, at: datetime) -> Company:
        """The company after traits were set by hand, which counts as later than what is known; it may be a new one.

        Raises InvalidInput if it has no room for them.
        """
        for _ in range(TRIES):
            before = self._store.get(workspace, company)
            known = before or Company(workspace, company, at)
            latest = max((trait.at for trait in known.traits.values()), default=None)
            later = at if latest is None or latest < at else latest + INSTANT
            after = with_company_traits(known, traits, Stamp(later, by))
            if any(after.traits.get(name) != Trait(value, later, by) for name, value in traits.items()):
                message = f"A company has at most {COMPANY_TRAITS_MOST} traits of {COMPANY_TRAITS_BYTES // 1024} KB."
                raise InvalidInput("traits_too_large", message, "traits")
            try:
                self._store.put(before, after)
            except ConditionFailed:
                continue
            return after
        raise _contended()

    def get(self, workspace: str, company: str) -> Company:
        """A company by its id. Raises NotFound."""
        found = self._store.get(workspace, company)
        if found is None:
            raise _unknown()
        return found

    def page(self, workspace: str, limit: int, cursor: str) -> tuple[list[Company], str]:
        """Up to `limit` companies, and the cursor of the next page, empty at the end. Raises InvalidInput."""
        scope = (workspace, "companies")
        place = cursors.read(scope, cursor, str)
        found = self._store.page(workspace, limit + 1, place[0] if place else "")
        page = found[:limit]
        return page, cursors.write(scope, [page[-1].id]) if len(found) > limit else ""


class CompanyMembers:
    """The contacts of a company, which stand in the index of contacts."""

    def __init__(self, index: DynamoContactIndex) -> None:
        self._index = index

    def page(self, workspace: str, company: str, limit: int, cursor: str) -> tuple[list[Contact], str]:
        """Up to `limit` contacts of a company, the oldest first, and the cursor of the next page, empty at the end.

        One query and one batched read. Raises InvalidInput for a bad cursor.
        """
        scope = (workspace, "members", company)
        place = cursors.read(scope, cursor, str)
        entries = self._index.entries(workspace, f"company#{company}", "", place[0] if place else "", limit + 1)
        page = entries[:limit]
        found = self._index.read(workspace, [entry.contact for entry in page])
        members = [found[entry.contact] for entry in page if entry.contact in found]
        here = [contact for contact in members if company in contact.joined]
        return here, cursors.write(scope, [page[-1].order]) if len(entries) > limit else ""


def _contended() -> Unavailable:
    return Unavailable("company_contended", "The company kept changing.")
