"""Woken by the stream of the events table: what events mean for contacts and automations."""

from __future__ import annotations

from typing import Any

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.store import DynamoEventStore
from tidings.automations.enrol import Enrolling
from tidings.automations.gateway import QueueGateway, StepFunctionsGateway
from tidings.automations.react import Listeners, Reactor
from tidings.automations.store import DynamoAutomationStore, DynamoEnrolmentStore
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

settings = Settings.read()
database = Database(settings)
contacts = DynamoContactStore(database)
starts = QueueGateway(settings.require("QUEUE_STARTS_URL"))
set_aside = QueueGateway(settings.require("QUEUE_SET_ASIDE_URL"))
reactor = Reactor(
    database=database,
    workspaces=DynamoWorkspaceStore(database),
    contacts=contacts,
    events=DynamoEventStore(database),
    directory=ContactDirectory(contacts, SystemClock()),
    listeners=Listeners(DynamoAutomationStore(database)),
    enrolling=Enrolling(DynamoEnrolmentStore(database), StepFunctionsGateway(), starts),
    set_aside=set_aside.put,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """React to a batch; Lambda repeats it from the first record that is named."""
    failed = reactor.react(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in failed]}
