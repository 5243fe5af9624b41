"""Woken by GET /v1/contacts…: finds contacts, counts them, and shows each with what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.service import Doorkeeper
from tidings.activity.asking import read_asked
from tidings.activity.store import DynamoEventStore
from tidings.activity.timeline import TimelineService
from tidings.automations.enrolments.history import EnrolmentHistory
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.contacts.index import DynamoContactIndex
from tidings.contacts.model import Contact
from tidings.contacts.search import ContactSearch, read_question
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.conversations.history import ConversationHistory
from tidings.conversations.store import DynamoConversationStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.decisions import read_at
from tidings.messages.history import MessageHistory
from tidings.messages.store import DynamoMessageStore

if TYPE_CHECKING:
    from tidings.automations.enrolments.rewinding import Then

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
workspaces = WorkspaceCache.over(database, clock)
contacts, messages = DynamoContactStore(database), DynamoMessageStore(database)
directory = ContactDirectory(contacts, clock)
search = ContactSearch(DynamoContactIndex(database, contacts), contacts, messages)
timeline = TimelineService(DynamoEventStore(database))
sent = MessageHistory(messages)
talked = ConversationHistory(DynamoConversationStore(database))
entered = EnrolmentHistory(DynamoEnrolmentStore(database, counts=False))


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Answer a secret key's question about contacts of its workspace, an agent's too."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_agent(request).workspace
    if "contact" in request.path:
        return _show(request, directory.get(workspace, request.path["contact"]))
    if request.route.endswith("/counts"):
        return http.ok(contacts.people(workspace).as_dict())
    question = read_question(workspace, request.query, lambda: workspaces.get(workspace).identifiers)
    page = search.page(question, request.page_size(), request.query.get("cursor", ""))
    return http.ok({"contacts": [one.as_dict() for one in page.contacts], "cursor": page.cursor})


def _show(request: http.Request, contact: Contact) -> http.Answer:
    what, name = request.route.rpartition("/")[2], request.path["contact"]
    if what == "timeline":
        asked, size = read_asked(request.query), request.page_size()
        page = timeline.page(contact, size, request.query.get("cursor", ""), asked, name)
        return http.ok({"events": [one.as_dict() for one in page.events], "cursor": page.cursor})
    if what == "messages":
        found, cursor = sent.page(contact, request.page_size(), request.query.get("cursor", ""), name)
        return http.ok({"messages": [one.as_dict() for one in found], "cursor": cursor})
    if what == "conversations":
        talks, cursor = talked.page(contact, request.page_size(), request.query.get("cursor", ""), name)
        return http.ok({"conversations": [one.as_dict() for one in talks], "cursor": cursor})
    if what == "enrolments":
        size, then = request.page_size(), _then(request)
        ways, cursor = entered.page(contact, size, request.query.get("cursor", ""), name, then)
        return http.ok({"enrolments": ways, "cursor": cursor})
    return http.ok(contact.as_dict())


def _then(request: http.Request) -> Then | None:
    at = read_at(request.query)
    if at is None:
        return None
    # late: who looks at people as they are reads no definition
    from tidings.automations.automation_store import DynamoAutomationStore
    from tidings.automations.enrolments.rewinding import Then

    return Then(at, DynamoAutomationStore(database).begins)
