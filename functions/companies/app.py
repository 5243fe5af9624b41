"""Woken by /v1/companies…: companies, their traits, and who belongs to them."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.activity.membership import MembershipDesk
from tidings.activity.store import DynamoEventStore
from tidings.contacts.companies import CompanyMembers, CompanyService, DynamoCompanyStore, company_in
from tidings.contacts.index import DynamoContactIndex
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.errors import InvalidInput
from tidings.core.ids import new_id
from tidings.core.settings import Settings
from tidings.core.store import Database

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
contacts = DynamoContactStore(database)
companies = CompanyService(DynamoCompanyStore(database))
members = CompanyMembers(DynamoContactIndex(database, contacts))
desk = MembershipDesk(companies, ContactDirectory(contacts, clock), DynamoEventStore(database), clock)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Serve one call of a secret key."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    if "company" not in request.path:
        listed, cursor = companies.page(workspace, request.page_size(), request.query.get("cursor", ""))
        return http.ok({"companies": [one.as_dict() for one in listed], "cursor": cursor})
    company = company_in(request.path["company"])
    if "contact" in request.path:
        change = desk.join if request.method == "PUT" else desk.leave
        return http.ok(change(workspace, company, request.path["contact"]).as_dict())
    if request.method == "PUT":
        return http.ok(companies.edit(workspace, company, _traits(request), new_id(), clock.now()).as_dict())
    found = companies.get(workspace, company)
    if not request.route.endswith("/contacts"):
        return http.ok(found.as_dict())
    page, cursor = members.page(workspace, company, request.page_size(), request.query.get("cursor", ""))
    return http.ok({"contacts": [one.as_dict() for one in page], "cursor": cursor})


def _traits(request: http.Request) -> dict[str, Any]:
    body = request.document()
    if "traits" not in body:
        raise InvalidInput("missing_field", "traits is missing.", "traits")
    if not isinstance(body["traits"], dict):
        raise InvalidInput("invalid_type", "traits is an object.", "traits")
    return body["traits"]
