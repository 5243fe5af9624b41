"""Every route of the API, by subject in the order of the documentation."""

from __future__ import annotations

from collections.abc import Mapping

from tidings_cli.openapi.routes import (
    automations,
    chain,
    consents,
    contacts,
    conversations,
    ingest,
    meta,
    numbers,
    pages,
    people,
    reports,
    sender_ids,
    senders,
    sending,
    sends,
    texts,
)
from tidings_cli.openapi.routes.route import Route

SUBJECTS: Mapping[str, tuple[str, tuple[Route, ...]]] = {
    "Report": ("What apps report, in the format of Segment's tracking API.", ingest.ROUTES),
    "Contacts": ("People, what they did and what they were sent.", contacts.ROUTES),
    "Conversations": ("What people write, and who answers it.", conversations.CONVERSATIONS),
    "Inboxes": ("Where conversations go, and what they were about.", conversations.DEFINITIONS),
    "Texts": ("Text messages that apps send, and see before.", texts.TEXTS),
    "Sends": ("Mails that apps send: one, many, later and again.", sends.SENDS),
    "Reports": ("What became of mails, in numbers and one by one.", reports.REPORTS),
    "Why": ("Why somebody got something, or did not.", reports.WHY),
    "Chain": ("What led to what.", chain.ROUTES),
    "Merges": ("Contacts that became one, and apart again.", people.MERGES),
    "Companies": ("Companies and who belongs to them.", people.COMPANIES),
    "Templates": ("What mails say.", automations.TEMPLATES),
    "Automations": ("Who is sent what, and when.", automations.AUTOMATIONS),
    "Senders": ("Domains and addresses that mails leave from.", senders.SENDERS),
    "Sender IDs": ("Names that texts leave from, and who decides about them.", sender_ids.SENDER_IDS),
    "Numbers": ("Phone numbers that texts leave from and are answered on.", numbers.NUMBERS),
    "Keywords": ("Words that people answer, and what is sent back.", numbers.KEYWORDS),
    "Text messages": ("What an owner says of text messages.", sender_ids.SETUP),
    "Suppressions": ("Addresses that are sent nothing.", automations.SUPPRESSIONS),
    "Consents": ("What people said about being written to.", consents.CONSENTS),
    "Topics": ("What marketing is about.", consents.TOPICS),
    "Suppression rules": ("Who is sent nothing, by what is known of them.", consents.RULES),
    "Brand": ("How a workspace looks to those it writes to.", pages.BRAND),
    "Pages": ("Where links in mails lead, for people and for mailbox providers.", pages.PAGES),
    "Sending": ("Whether marketing may be sent.", sending.SENDING),
    "Webhooks": ("What other systems call.", sending.WEBHOOKS),
    "Description": ("This document.", meta.ROUTES),
}
"""Each subject: what it is about, and its routes."""
