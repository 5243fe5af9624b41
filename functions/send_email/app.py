"""Woken by machines and by POST /v1/emails: sends one e-mail, at most once."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.store import DynamoEventStore
from tidings.automations.enrolments import StepCall
from tidings.automations.steps import SendEmailTask, StepRunner
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.email.api import EmailDesk
from tidings.email.gateway import SesGateway
from tidings.email.service import EmailService
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
desk = EmailDesk(database, emails, directory, DynamoWorkspaceStore(database), templates, messages, events)
task = SendEmailTask(StepRunner.over(database, clock), emails, templates, messages)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API call, or a machine's Task with its outcome; faults are raised for the machine to retry."""
    return answer(event, context) if "requestContext" in event else task.run(StepCall.of(event))


@http.answers
def answer(event: dict[str, Any], context: Any) -> http.Answer:
    """Send for a secret key; the same idempotency key again gives the same message."""
    request = http.Request.of(event)
    message = desk.send(doorkeeper.admit_secret(request).workspace, request.document())
    return http.ok(message.as_dict(), 202)
