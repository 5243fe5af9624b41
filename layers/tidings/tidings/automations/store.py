"""The tables of automations, enrolments and steps, by one name: the stores themselves stand beside this."""

from tidings.automations.automation_store import Automation, AutomationItem, DynamoAutomationStore
from tidings.automations.enrolments.items import ENROLMENT_SHARDS, EnrolmentItem, StepItem
from tidings.automations.enrolments.store import DynamoEnrolmentStore

__all__ = [
    "ENROLMENT_SHARDS",
    "Automation",
    "AutomationItem",
    "DynamoAutomationStore",
    "DynamoEnrolmentStore",
    "EnrolmentItem",
    "StepItem",
]
