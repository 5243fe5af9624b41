"""Woken by POST /v1/subscriptions: somebody asks for mail about a topic, and gets one that asks them to confirm it."""

from __future__ import annotations

from typing import Any

from tidings.accounts.model import KeyKind
from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.store import DynamoEventStore
from tidings.consent.service import ConsentService
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.model import IdentityKind
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.email.gateway import SesGateway
from tidings.email.service import EmailService
from tidings.email.subscriptions import PENDING, SubscriptionDesk
from tidings.messages.recipients import Recipients
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
messages, events, contacts = DynamoMessageStore(database), DynamoEventStore(database), DynamoContactStore(database)
store = DynamoConsentStore(database)
emails = EmailService(
    database, messages, store, events, DynamoReportStore(database), SesGateway.of(settings), clock
)  # fmt: skip
desk = SubscriptionDesk(
    database,
    emails,
    Recipients(ContactDirectory(contacts, clock), IdentityKind.EMAIL, emails.require_not_erased, messages, events),
    ConsentService(store, events, clock, contacts),
    DynamoWorkspaceStore(database),
    DynamoTemplateStore(database),
    messages,
    clock,
)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Ask for any key. Only a secret key is told whether the address was subscribed already."""
    request = http.Request.of(event)
    body = request.document()
    key = doorkeeper.admit([body.pop("writeKey", None), *http.api_keys_in(request)])
    state = desk.subscribe(key.workspace, body, request.source_ip, f"{key.kind} key")
    return http.ok({"state": state if key.kind is KeyKind.SECRET else PENDING}, 202)
