"""Woken by machines: changes something in Tidings itself for a person who came to a component.

It also continues executions that may last no longer, which every machine asks of it that has a loop or waits for years.
"""

from __future__ import annotations

from typing import Any

from tidings.activity.editing import ContactEditing
from tidings.activity.store import DynamoEventStore
from tidings.automations.components import AssignConversation, StartAutomation, UpdateContact
from tidings.automations.enrolments.model import StepCall
from tidings.automations.lifecycle.renewing import Renewing
from tidings.automations.machines.gateway import QueueGateway, StepFunctionsGateway
from tidings.automations.steps.acting import ActTask
from tidings.automations.steps.asking import AskingAutomation
from tidings.automations.steps.assigning import AssigningConversation
from tidings.automations.steps.runner import StepRunner
from tidings.automations.steps.updating import UpdatingContact
from tidings.automations.steps.values import Valuing
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.conversations.store import DynamoConversationStore
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

clock = SystemClock()
settings = Settings.read()
database = Database(settings)
runner = StepRunner.over(database, clock)
contacts, events = DynamoContactStore(database), DynamoEventStore(database)
editing = ContactEditing(database, contacts, ContactDirectory(contacts, clock), events, clock)
values = Valuing(runner, clock)
task = ActTask(
    runner,
    {
        UpdateContact: UpdatingContact(runner, editing, values),
        AssignConversation: AssigningConversation(database, runner, DynamoConversationStore(database), events, clock),
        StartAutomation: AskingAutomation(database, runner, events, values, clock),
    },
)
renewing = Renewing(runner, StepFunctionsGateway(), QueueGateway(settings.require("QUEUE_STARTS_URL")), clock)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take the step; the answer names what follows. Or continue the execution by a new one."""
    if event.get("ask") == "renew":
        return renewing.renew(event)
    return task.run(StepCall.of(event))
