"""Woken by GET /v1/reports/email… and …/sms…: what became of messages, in numbers or one by one, as JSON or CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.consent.model import Channel
from tidings.contacts.index import DynamoContactIndex
from tidings.contacts.model import Contact
from tidings.contacts.search import ContactSearch, address_question
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages import sheets
from tidings.messages.listing import MessageListing, listed, read_message_question
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.reported_store import DynamoReportedStore
from tidings.messages.reporting import ReportService, read_report_question
from tidings.messages.store import DynamoMessageStore

SHARING = 20  # how many of those who share an address are looked at

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
contacts, messages = DynamoContactStore(database), DynamoMessageStore(database)
search = ContactSearch(DynamoContactIndex(database, contacts), contacts, messages)
rows = DynamoReportStore(database)
reports = ReportService(rows)


def holders(workspace: str, address: str) -> Sequence[Contact]:
    """Who has an address or had it, the oldest first."""
    return search.page(address_question(workspace, address), SHARING).contacts


listing = MessageListing(rows, DynamoReportedStore(database, messages), holders, messages.of_contact)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Answer a secret key's question about the mails, or the text messages, of its workspace."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    as_sheet, size, cursor = sheets.asked_for(request), request.page_size(), request.query.get("cursor", "")
    channel = Channel(request.route.split("/")[3])
    if request.route.endswith("/messages"):
        asked = read_message_question(workspace, request.query, clock.now(), channel)
        found, following = listing.page(asked, size, cursor)
        shown = [listed(one) for one in found]
        if as_sheet:
            text = sheets.sheet(sheets.COLUMNS_OF[channel], shown)
            return sheets.answer("messages", asked.period, text, following)
        return http.ok({"messages": shown, "cursor": following})
    question = read_report_question(workspace, request.query, clock.now(), channel)
    report, following = reports.page(question, size, cursor)
    if as_sheet:
        text = sheets.sheet(sheets.report_columns(question.parts, channel), map(sheets.report_row, report["rows"]))
        return sheets.answer("report", question.period, text, following)
    return http.ok({**report, "cursor": following})
