"""Woken by the queue of deliveries, the machine that waits for instants of sends, and a schedule: works sends off."""

from __future__ import annotations

import json
from typing import Any

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.store import DynamoEventStore
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.model import IdentityKind
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import SystemClock
from tidings.core.errors import TidingsError
from tidings.core.logs import count, logger
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.email.deliveries import Deliveries
from tidings.email.gateway import SesGateway
from tidings.email.send_store import DynamoSendStore
from tidings.email.sends_gateway import SqsDeliveryQueue
from tidings.email.service import EmailService
from tidings.messages.recipients import Recipients
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
messages, templates = DynamoMessageStore(database), DynamoTemplateStore(database)
events, reports = DynamoEventStore(database), DynamoReportStore(database)
gateway = SesGateway.of(settings)
emails = EmailService(database, messages, DynamoConsentStore(database), events, reports, gateway, clock)
directory = ContactDirectory(DynamoContactStore(database), clock)
deliveries = Deliveries(
    database,
    DynamoSendStore(database),
    emails,
    Recipients(directory, IdentityKind.EMAIL, emails.require_not_erased, messages, events),
    DynamoWorkspaceStore(database),
    templates,
    messages,
    SqsDeliveryQueue(settings.require("QUEUE_DELIVERIES_URL")),
    clock,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work off a part; begin a send, for the machine to repeat upon a fault; or go on with sends that were lost."""
    if "Records" in event:
        return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if not _take(r)]}
    if "send" in event:
        deliveries.begin(event["workspace"], event["send"])
    else:
        count("RevivedSends", deliveries.revive())
    return {}


def _take(record: dict[str, Any]) -> bool:
    try:
        deliveries.take(json.loads(record["body"]))
    except (TidingsError, KeyError, TypeError, ValueError) as error:
        logger.error("not delivered", extra={"error_type": type(error).__name__})
        return False
    return True
