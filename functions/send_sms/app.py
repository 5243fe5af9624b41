"""Woken by machines, POST /v1/sms and POST /v1/sms/preview: sends a text message at most once, and shows one before."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.store import DynamoEventStore
from tidings.automations.enrolments.model import StepCall
from tidings.automations.steps.runner import StepRunner
from tidings.automations.steps.sending_sms import SendSmsTask
from tidings.automations.steps.threads import Threads
from tidings.consent.model import Channel
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.model import IdentityKind
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.conversations.store import DynamoConversationStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.call_store import DynamoCallStore
from tidings.messages.placing import Placing
from tidings.messages.recipients import Recipients
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore
from tidings.sms.api import SmsDesk, Trials
from tidings.sms.gateway import SmsVoiceGateway
from tidings.sms.requests import BODY_BYTES, read_preview, read_request
from tidings.sms.service import SmsService

if TYPE_CHECKING:
    from tidings.sms.previews import SmsPreviews

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
messages, templates = DynamoMessageStore(database), DynamoTemplateStore(database)
gateway = SmsVoiceGateway.of(settings)
events, reports = DynamoEventStore(database), DynamoReportStore(database)
texts = SmsService(database, messages, DynamoConsentStore(database), events, reports, gateway, clock)
directory = ContactDirectory(DynamoContactStore(database), clock)
calls, workspaces = DynamoCallStore(database), DynamoWorkspaceStore(database)
recipients = Recipients(directory, IdentityKind.PHONE, texts.require_not_erased, messages, events)
placing = Placing(database, texts, recipients, calls, workspaces, templates, messages, Channel.SMS)
trials = Trials(database, texts, recipients, workspaces, templates, clock)
desk = SmsDesk(placing, trials, clock)
threads = Threads(DynamoConversationStore(database), clock)
task = SendSmsTask(StepRunner.over(database, clock), texts, templates, messages, threads)


@cache
def previews() -> SmsPreviews:
    """What shows texts, made when it is first asked for: sending needs no HTML."""
    from tidings.sms.previews import SmsPreviews

    return SmsPreviews(trials, recipients, clock)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API call, or a machine's Task with its outcome; faults are raised for the machine to retry."""
    return answer(event, context) if "requestContext" in event else task.run(StepCall.of(event))


@http.answers
def answer(event: dict[str, Any], context: Any) -> http.Answer:
    """Send, or show, for a secret key; the same idempotency key again gives the same message."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    body = request.document(BODY_BYTES)
    if request.route.endswith("/preview"):
        return http.ok(previews().show(workspace, read_preview(body)))
    return http.ok(desk.send(workspace, read_request(body)), 202)
