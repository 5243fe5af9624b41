"""Merges of contacts, and companies."""

from __future__ import annotations

from tidings_cli.openapi.answers import people as shapes
from tidings_cli.openapi.routes.route import PAGE, WRITES, Body, Route

_CONTACT = ("unknown_contact",)
_COMPANY = ("unknown_company",)
_MERGE = (*_CONTACT, "same_contact", "two_known_contacts", "known_contact_absorbed", "too_many_identities")

MERGES = (
    Route(
        "GET", "/v1/contacts/{contact}/merges", "listMerges",
        "List the merges that made a contact, and those that were taken back", shapes.Merges, refusals=_CONTACT,
    ),
    Route(
        "POST", "/v1/merges/preview", "previewMerge", "Say what a merge, or an identify call, would do",
        shapes.PreviewShown,
        about="Either `contact` and `into` are given, or `anonymous_id` and `user_id`. Nothing is written.",
        body=Body(shapes.PreviewOrder, "merges.api"),
        refusals=(*_CONTACT, "missing_field", "invalid_identity", "id_too_long"),
    ),
    Route(
        "POST", "/v1/merges", "mergeContacts", "Let a contact become part of another", shapes.MergeShown,
        about="The same idempotency key again is the same merge, also after it was taken back.",
        body=Body(shapes.MergeOrder),
        refusals=(
            *WRITES, *_MERGE, "missing_field", "invalid_idempotency_key", "idempotency_conflict", "contact_contended",
        ),
    ),
    Route(
        "POST", "/v1/merges/{merge}/undo", "undoMerge", "Take a merge back", shapes.MergeShown,
        about="Each of the two is again what its own events make it. Taking it back again changes nothing.",
        body=Body(shapes.UndoOrder, required=False),
        refusals=(
            *WRITES, "unknown_merge", "unknown_contact", "not_undoable", "missing_field", "invalid_idempotency_key",
            "contact_contended",
        ),
    ),
)  # fmt: skip

COMPANIES = (
    Route("GET", "/v1/companies", "listCompanies", "List all companies", shapes.Companies, query=PAGE),
    Route(
        "GET", "/v1/companies/{company}", "getCompany", "Show a company", shapes.CompanyShown, refusals=_COMPANY,
    ),
    Route(
        "PUT", "/v1/companies/{company}", "editCompany", "Set traits of a company, which may be a new one",
        shapes.CompanyShown, about="Traits that are not named stay; null takes one away.",
        body=Body(shapes.CompanyOrder, "companies.api"),
        refusals=(*WRITES, *_COMPANY, "missing_field", "traits_too_large", "company_contended"),
    ),
    Route(
        "GET", "/v1/companies/{company}/contacts", "listCompanyContacts", "List who belongs to a company",
        shapes.Members, about="The oldest contact comes first.", query=PAGE, refusals=_COMPANY,
    ),
    Route(
        "PUT", "/v1/companies/{company}/contacts/{contact}", "joinCompany", "Let a contact join a company",
        shapes.ContactShown, about="A company that is not there is made.",
        refusals=(*WRITES, *_COMPANY, *_CONTACT, "too_many_companies", "company_contended", "contact_contended"),
    ),
    Route(
        "DELETE", "/v1/companies/{company}/contacts/{contact}", "leaveCompany", "Let a contact leave a company",
        shapes.ContactShown, refusals=(*WRITES, *_COMPANY, *_CONTACT, "contact_contended"),
    ),
)  # fmt: skip
