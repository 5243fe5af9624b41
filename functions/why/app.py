"""Woken by GET /v1/why and /v1/contacts/{contact}/decisions: why somebody got something or not, now or back then."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.activity.store import DynamoEventStore
from tidings.activity.timeline import TimelineService
from tidings.automations.automation_store import DynamoAutomationStore
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.entering.refusals_store import DynamoRefusalStore
from tidings.automations.telling.why import WhyService
from tidings.contacts.index import DynamoContactIndex
from tidings.contacts.search import ContactSearch
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.decisions import decision_dict
from tidings.messages.history import MessageHistory, read_wanted
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
contacts, messages = DynamoContactStore(database), DynamoMessageStore(database)
directory, history = ContactDirectory(contacts, clock), MessageHistory(messages)
why = WhyService(
    ContactSearch(DynamoContactIndex(database, contacts), contacts, messages),
    directory,
    history,
    DynamoTemplateStore(database),
    DynamoAutomationStore(database),
    DynamoEnrolmentStore(database, counts=False),
    DynamoRefusalStore(database),
    TimelineService(DynamoEventStore(database)),
    clock,
)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Answer a secret key's question about somebody of its workspace."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    wanted = read_wanted(request.query)
    if "contact" not in request.path:
        return http.ok(why.explain(workspace, request.query, wanted).as_dict(wanted.at))
    name, cursor = request.path["contact"], request.query.get("cursor", "")
    found, following = history.page(directory.get(workspace, name), request.page_size(), cursor, name, wanted)
    return http.ok({"decisions": [decision_dict(one) for one in found], "cursor": following})
