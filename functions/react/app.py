"""Woken by the stream of the events table: what events mean for contacts and automations."""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.folding import Folding
from tidings.activity.store import DynamoEventStore
from tidings.activity.timeline import TimelineService
from tidings.automations.dates.agenda_store import DynamoAgendaStore
from tidings.automations.dates.agenda_waits import AgendaWaits
from tidings.automations.dates.arming import Arming
from tidings.automations.dates.redating import Redating
from tidings.automations.entering.admitting import Admitting
from tidings.automations.entering.depths import Depths
from tidings.automations.entering.enrol import Enrolling
from tidings.automations.entering.refusals_store import DynamoRefusalStore
from tidings.automations.exits.leaving import Leaving
from tidings.automations.goals.overtaking import Overtaking
from tidings.automations.goals.reaching import Reaching
from tidings.automations.goals.store import DynamoGoalStore
from tidings.automations.listening.listeners import Listeners
from tidings.automations.machines.gateway import QueueGateway, StepFunctionsGateway
from tidings.automations.react import Reactor
from tidings.automations.store import DynamoEnrolmentStore
from tidings.automations.telling.visits import Visits
from tidings.automations.waits.store import DynamoWaitStore
from tidings.automations.waits.waking import Waking
from tidings.consent.merging import MergeSurroundings
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.companies import CompanyService, DynamoCompanyStore
from tidings.contacts.merge_store import DynamoMergeStore
from tidings.contacts.merges import MergeService
from tidings.contacts.places import places
from tidings.contacts.service import ContactDirectory
from tidings.contacts.settling import Settlement
from tidings.contacts.store import DynamoContactStore
from tidings.conversations.merging import ConversationsMerged
from tidings.conversations.rated import Ratings
from tidings.conversations.store import DynamoConversationStore
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.store import DynamoMessageStore

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
workspaces = DynamoWorkspaceStore(database)
contacts, events = DynamoContactStore(database), DynamoEventStore(database)
timeline = TimelineService(events)
directory = ContactDirectory(contacts, clock)
folding = Folding(places(settings))
surroundings = MergeSurroundings(
    events,
    DynamoConsentStore(database),
    WorkspaceCache(workspaces, clock),
    clock,
    folding,
    [ConversationsMerged(database, DynamoConversationStore(database))],
)
merges = MergeService(contacts, DynamoMergeStore(database), surroundings, clock)
starts = QueueGateway(settings.require("QUEUE_STARTS_URL"))
set_aside = QueueGateway(settings.require("QUEUE_SET_ASIDE_URL"))
enrolments = DynamoEnrolmentStore(database)
goals = DynamoGoalStore(database, enrolments)
machines = StepFunctionsGateway()
listeners = Listeners.over(database)
agenda = AgendaWaits(machines, settings.require("MACHINE_AGENDA_ARN"), starts, clock)
reactor = Reactor(
    database=database,
    workspaces=workspaces,
    contacts=contacts,
    events=events,
    settlement=Settlement(contacts, directory, merges, surroundings),
    directory=directory,
    companies=CompanyService(DynamoCompanyStore(database)),
    folding=folding,
    listeners=listeners,
    admitting=Admitting(
        listeners, Enrolling.over(database, machines, starts, clock), DynamoRefusalStore(database), Depths(database)
    ),
    leaving=Leaving(listeners, enrolments, timeline, Overtaking(enrolments, goals), machines, clock),
    reaching=Reaching(listeners, enrolments, goals, timeline),
    redating=Redating(listeners, Arming(DynamoAgendaStore(database), agenda, clock)),
    waking=Waking(database, listeners, DynamoWaitStore(database), enrolments, timeline, machines, clock),
    visits=Visits(events, DynamoMessageStore(database)),
    ratings=Ratings(events),
    set_aside=set_aside.put,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """React to a batch; Lambda repeats it from the first record that is named."""
    failed = reactor.react(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in failed]}
