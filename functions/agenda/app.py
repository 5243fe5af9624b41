"""Woken by the machine that waits for the agenda's minutes: tells whose dates have come round."""

from __future__ import annotations

from typing import Any

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.store import DynamoEventStore
from tidings.automations.dates.agenda import Agenda
from tidings.automations.dates.agenda_store import DynamoAgendaStore
from tidings.automations.dates.agenda_waits import AgendaWaits
from tidings.automations.listening.listeners import Listeners
from tidings.automations.machines.gateway import QueueGateway, StepFunctionsGateway
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
pending = QueueGateway(settings.require("QUEUE_STARTS_URL"))
agenda = Agenda(
    database=database,
    workspaces=DynamoWorkspaceStore(database),
    contacts=DynamoContactStore(database),
    events=DynamoEventStore(database),
    listeners=Listeners.over(database),
    agenda=DynamoAgendaStore(database),
    waits=AgendaWaits(StepFunctionsGateway(), settings.require("MACHINE_AGENDA_ARN"), pending, clock),
    clock=clock,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work off a minute, for the machine to repeat upon a fault; nothing where it only lets time pass."""
    return agenda.work(event) if "bucket" in event else {}
