"""Woken by machines, POST /v1/emails and …/resend: sends an e-mail at most once, and takes orders for many in."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.store import DynamoEventStore
from tidings.automations.enrolments.model import StepCall
from tidings.automations.steps.resending import TriggerProperties
from tidings.automations.steps.runner import StepRunner
from tidings.automations.steps.sending_email import SendEmailTask
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
from tidings.email.api import EmailDesk
from tidings.email.gateway import SesGateway
from tidings.email.requests import BODY_BYTES, read_request
from tidings.email.resending import Resending
from tidings.email.send_store import DynamoSendStore
from tidings.email.sends import SendDesk
from tidings.email.sends_gateway import DeliverLater, SqsDeliveryQueue
from tidings.email.service import EmailService
from tidings.messages.call_store import DynamoCallStore
from tidings.messages.placing import Placing
from tidings.messages.recipients import Recipients
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
messages, templates = DynamoMessageStore(database), DynamoTemplateStore(database)
gateway = SesGateway.of(settings)
events = DynamoEventStore(database)
reports = DynamoReportStore(database)
emails = EmailService(database, messages, DynamoConsentStore(database), events, reports, gateway, clock)
directory = ContactDirectory(DynamoContactStore(database), clock)
calls, workspaces = DynamoCallStore(database), DynamoWorkspaceStore(database)
recipients = Recipients(directory, IdentityKind.EMAIL, emails.require_not_erased, messages, events)
desk = EmailDesk(Placing(database, emails, recipients, calls, workspaces, templates, messages, Channel.EMAIL))
queue = SqsDeliveryQueue(settings.require("QUEUE_DELIVERIES_URL"))
later = DeliverLater(settings.require("MACHINE_DELIVER_LATER_ARN"))
sends = SendDesk(DynamoSendStore(database), calls, templates, queue, later, clock)
runner = StepRunner.over(database, clock)
threads = Threads(DynamoConversationStore(database), clock)
task = SendEmailTask(runner, emails, templates, messages, threads)
triggers = TriggerProperties(runner.enrolments)
resending = Resending(database, emails, directory, calls, workspaces, templates, messages, triggers.of)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API call, or a machine's Task with its outcome; faults are raised for the machine to retry."""
    return answer(event, context) if "requestContext" in event else task.run(StepCall.of(event))


@http.answers
def answer(event: dict[str, Any], context: Any) -> http.Answer:
    """Send for a secret key; the same idempotency key again gives the same message, or the same send."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    body = request.document(BODY_BYTES)
    if "message" in request.path:
        return http.ok(resending.resend(workspace, request.path["message"], body).as_dict(), 202)
    order = read_request(body)
    made = sends.order(workspace, order) if order.is_send else desk.send(workspace, order)
    return http.ok(made.as_dict(), 202)
