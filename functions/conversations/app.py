"""Woken by /v1/conversations…: what agents look at, take, pass on, put off, answer and bring to an end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from tidings.accounts.model import ApiKey
from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.store import DynamoEventStore
from tidings.consent.asking import read_body
from tidings.consent.store import DynamoConsentStore
from tidings.conversations import requests
from tidings.conversations.changes import Changes
from tidings.conversations.listing import ConversationListing
from tidings.conversations.service import ConversationService
from tidings.conversations.store import DynamoConversationStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.email.sends_gateway import DeliverLater
from tidings.messages.decisions import read_at

if TYPE_CHECKING:
    from tidings.conversations.replies import Replies

BODY_BYTES = 5_500_000  # Lambda takes 6 MB, in which the body is a text with its quotes escaped

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
store = DynamoConversationStore(database)
listing = ConversationListing(store)
later = DeliverLater(settings.require("MACHINE_DELIVER_LATER_ARN"))
changes = Changes(database, store, DynamoEventStore(database), clock)
service = ConversationService(changes, DynamoWorkspaceStore(database), later, clock)

# What the last word of a path asks for: the body, and who does it.
CHANGES: Mapping[str, tuple[type[BaseModel], Any]] = {
    "take": (requests.TakeInput, service.take),
    "transfer": (requests.TransferInput, service.transfer),
    "hold": (requests.HoldInput, service.hold),
    "resume": (requests.ResumeInput, service.resume),
    "resolve": (requests.ResolveInput, service.resolve),
    "notes": (requests.NoteInput, service.note),
}


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Serve one call of a secret key, an agent's too; who changes something is named by its key."""
    request = http.Request.of(event)
    key = doorkeeper.admit_agent(request)
    if request.route.endswith("/replies"):
        return _reply(request, key)
    if request.method == "POST":
        return _change(request, key)
    cursor = request.query.get("cursor", "")
    if "entry" in request.path:
        from tidings.conversations.mail_store import shown_mail  # late: who looks at conversations reads no MIME

        return http.ok(shown_mail(database, key.workspace, request.path["conversation"], request.path["entry"]))
    if "conversation" in request.path:
        return _show(request, key.workspace, cursor)
    if request.route.endswith("/counts"):
        return http.ok(listing.counts(key.workspace))
    found, following = listing.page(key.workspace, requests.read_asked(request.query), request.page_size(), cursor)
    return http.ok({"conversations": [one.as_dict() for one in found], "cursor": following})


def _show(request: http.Request, workspace: str, cursor: str) -> http.Answer:
    conversation, size, at = request.path["conversation"], request.page_size(), read_at(request.query)
    if at is None:
        return http.ok(listing.show(workspace, conversation, size, cursor))
    # late: who looks at conversations as they are reads no contacts
    from tidings.contacts.store import DynamoContactStore
    from tidings.conversations.rewinding import ConversationsThen

    then = ConversationsThen(store, DynamoEventStore(database), DynamoContactStore(database))
    return http.ok(then.show(workspace, conversation, size, cursor, at))


def _change(request: http.Request, key: ApiKey) -> http.Answer:
    model, change = CHANGES[request.route.rpartition("/")[2]]
    asked = read_body(model, request.document() if request.event.get("body") else {})
    return http.ok(change(key.workspace, request.path["conversation"], key.who, asked).as_dict())


def _reply(request: http.Request, key: ApiKey) -> http.Answer:
    from tidings.conversations.replying import ConversationReply  # late, as `replies`

    asked = read_body(ConversationReply, request.document(BODY_BYTES))
    made = replies().reply(key.workspace, request.path["conversation"], key.who, asked)
    return http.ok(made.as_dict(), 202)


@cache
def replies() -> Replies:
    """What sends replies, made for the first of them: whoever only looks at conversations waits for no renderer."""
    from tidings.contacts.service import ContactDirectory
    from tidings.contacts.store import DynamoContactStore
    from tidings.conversations.replies import Replies
    from tidings.email.gateway import SesGateway
    from tidings.email.service import EmailService
    from tidings.messages.report_store import DynamoReportStore
    from tidings.messages.store import DynamoMessageStore
    from tidings.sms.gateway import SmsVoiceGateway
    from tidings.sms.service import SmsService

    messages, events = DynamoMessageStore(database), DynamoEventStore(database)
    rooms = (database, messages, DynamoConsentStore(database), events, DynamoReportStore(database))
    emails = EmailService(*rooms, SesGateway.of(settings), clock)
    texts = SmsService(*rooms, SmsVoiceGateway.of(settings), clock)
    directory = ContactDirectory(DynamoContactStore(database), clock)
    return Replies(database, store, events, directory, messages, emails, texts, clock)
