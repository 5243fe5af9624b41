"""Companies: what is known of them, and who belongs to them (which stands in the index of contacts)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tidings.contacts.model import Stamp, Trait
from tidings.core.clock import from_text, to_text
from tidings.core.errors import InvalidInput, NotFound, Unavailable
from tidings.core.store import ConditionFailed, Database, Item, JsonAttribute, faults

TRIES = 5
COMPANY_TRAITS_MOST = 500


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
    """The company with traits set by a message; an explicit null replaces, a missing key keeps."""
    merged = dict(company.traits)
    for name, value in traits.items():
        known = merged.get(name)
        later = known is None or stamp > Stamp(known.at, known.by)
        if later and (known is not None or len(merged) < COMPANY_TRAITS_MOST):
            merged[name] = Trait(value, stamp.at, stamp.by)
    return replace(company, traits=merged)


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
        raise Unavailable("company_contended", "The company kept changing.")

    def get(self, workspace: str, company: str) -> Company:
        """A company by its id. Raises NotFound."""
        found = self._store.get(workspace, company)
        if found is None:
            raise NotFound("unknown_company", "There is no such company.", "company")
        return found

    def page(self, workspace: str, limit: int, cursor: str) -> tuple[list[Company], str]:
        """Up to `limit` companies, and the cursor of the next page, empty at the end. Raises InvalidInput."""
        found = self._store.page(workspace, limit + 1, _after(cursor))
        page = found[:limit]
        return page, _cursor(page[-1].id) if len(found) > limit else ""


def _cursor(company: str) -> str:
    return base64.urlsafe_b64encode(company.encode()).decode()


def _after(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor.encode()).decode()
    except ValueError as error:
        raise InvalidInput("invalid_cursor", "This cursor was not made here.", "cursor") from error
