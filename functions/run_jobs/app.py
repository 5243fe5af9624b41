"""Woken by the queue of jobs: ends or resumes who is inside an automation, deletes machines, writes dates down."""

from __future__ import annotations

import json
from typing import Any

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.automations.dates.agenda_store import DynamoAgendaStore
from tidings.automations.dates.agenda_waits import AgendaWaits
from tidings.automations.dates.arming import Arming
from tidings.automations.dates.arming_job import ArmingJob
from tidings.automations.enrolments.inside_store import DynamoInsideStore
from tidings.automations.lifecycle.job_queue import ARM
from tidings.automations.lifecycle.job_runner import JobRunner
from tidings.automations.lifecycle.resuming import Resuming
from tidings.automations.lifecycle.store import DynamoLifecycleStore
from tidings.automations.lifecycle.sweeping import Sweeping
from tidings.automations.listening.listeners import Listeners
from tidings.automations.machines.gateway import QueueGateway, StepFunctionsGateway
from tidings.automations.machines.machines import Machines, functions_of
from tidings.automations.store import DynamoAutomationStore, DynamoEnrolmentStore
from tidings.contacts.index import DynamoContactIndex
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import SystemClock, ticks
from tidings.core.errors import TidingsError
from tidings.core.logs import logger
from tidings.core.settings import Settings
from tidings.core.store import Database

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
automations, enrolments = DynamoAutomationStore(database), DynamoEnrolmentStore(database)
lifecycle, inside = DynamoLifecycleStore(database), DynamoInsideStore(database, enrolments)
workspaces = DynamoWorkspaceStore(database)
executions = StepFunctionsGateway(settings.require("MACHINES_ROLE_ARN"))
machines = Machines(executions, functions_of(settings), settings.require("MACHINE_PREFIX"), lifecycle)
jobs = QueueGateway(settings.require("QUEUE_JOBS_URL"))
pending = QueueGateway(settings.require("QUEUE_STARTS_URL"))
waits = AgendaWaits(executions, settings.require("MACHINE_AGENDA_ARN"), pending, clock)
listeners = Listeners.over(database)
arming = ArmingJob(
    workspaces=workspaces,
    listeners=listeners,
    contacts=DynamoContactIndex(database, DynamoContactStore(database)),
    arming=Arming(DynamoAgendaStore(database), waits, clock),
    queue=jobs,
    clock=clock,
)
runner = JobRunner(
    lifecycle=lifecycle,
    inside=inside,
    enrolments=enrolments,
    workspaces=workspaces,
    resuming=Resuming(automations, enrolments, inside, workspaces, machines, executions, clock),
    sweeping=Sweeping(automations, lifecycle, inside, executions),
    executions=executions,
    queue=jobs,
    clock=clock,
)


# Who began later than that might not be done in time, and Lambda would take all of the batch for failed.
SECONDS = 40


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work off each; those that fail or find no room go back to the queue, and in the end to its dead letters."""
    ends = ticks() + SECONDS
    back = [r for r in event["Records"] if ticks() >= ends or not _worked(r)]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in back]}


def _worked(record: dict[str, Any]) -> bool:
    try:
        message = json.loads(record["body"])
        (arming if message.get("do") == ARM else runner).work(message)
    except (TidingsError, AttributeError, KeyError, TypeError, ValueError) as error:
        told = {"error_type": type(error).__name__, "record": record.get("messageId")}
        logger.error("not worked off", extra=told)
        return False
    return True
