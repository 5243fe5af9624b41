"""Woken by reads of /v1/automations/{name}: its statistics, who acted or is where, and who entered, with their way."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.automations.statistics.people import AutomationPeople
from tidings.automations.statistics.service import StatisticsService, version_in
from tidings.automations.store import DynamoAutomationStore, DynamoEnrolmentStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.store import DynamoMessageStore

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
automations, enrolments = DynamoAutomationStore(database), DynamoEnrolmentStore(database)
statistics = StatisticsService(database, automations, clock)
people = AutomationPeople(database, automations, enrolments, DynamoMessageStore(database), clock)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Answer a secret key's question about an automation of its workspace."""
    request = http.Request.of(event)
    workspace, name = doorkeeper.admit_secret(request).workspace, request.path["name"]
    if request.route.endswith("/statistics"):
        return http.ok(statistics.of(workspace, name, version_in(request.query)))
    if "component" in request.path:
        component, limit = request.path["component"], request.page_size()
        return http.ok(people.at_component(workspace, name, component, request.query, limit))
    if "enrolment" in request.path:
        return http.ok(people.one(workspace, name, request.path["contact"], request.path["enrolment"], request.query))
    return http.ok(people.enrolled(workspace, name, request.query, request.page_size()))
