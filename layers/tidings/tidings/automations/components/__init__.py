"""The components of automations: what each may say, and where its outcomes lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Discriminator, Tag

from tidings.automations.components.acts import (
    AssignConversation,
    AtHome,
    End,
    GoalReached,
    StartAutomation,
    UpdateContact,
    Webhook,
)
from tidings.automations.components.base import Asks, Component, Link
from tidings.automations.components.choices import Arm, Branch, Decides, Filter, Split
from tidings.automations.components.sends import CheckSuppression, SendEmail, Sends, SendSms
from tidings.automations.components.waits import (
    Awaits,
    EventArm,
    InboundMessage,
    UntilProperty,
    UntilTime,
    UntilTrait,
    Wait,
    WaitFor,
)
from tidings.conditions.places import TAG

__all__ = [
    "COMPONENT_TYPES",
    "AnyComponent",
    "Arm",
    "Asks",
    "AssignConversation",
    "AtHome",
    "Awaits",
    "Branch",
    "CheckSuppression",
    "Component",
    "Decides",
    "End",
    "EventArm",
    "Filter",
    "GoalReached",
    "InboundMessage",
    "Link",
    "SendEmail",
    "SendSms",
    "Sends",
    "Split",
    "StartAutomation",
    "UntilProperty",
    "UntilTime",
    "UntilTrait",
    "UpdateContact",
    "Wait",
    "WaitFor",
    "Webhook",
]

COMPONENT_TYPES: dict[str, type[Component]] = {
    "wait": Wait,
    "wait_for": WaitFor,
    "inbound_message": InboundMessage,
    "filter": Filter,
    "branch": Branch,
    "split": Split,
    "send_email": SendEmail,
    "send_sms": SendSms,
    "check_suppression": CheckSuppression,
    "assign_conversation": AssignConversation,
    "webhook": Webhook,
    "update_contact": UpdateContact,
    "start_automation": StartAutomation,
    "goal": GoalReached,
    "end": End,
}


def _type_of(value: object) -> str | None:
    kind = value.get("type") if isinstance(value, Mapping) else getattr(value, "type", None)
    return TAG + kind if isinstance(kind, str) and kind in COMPONENT_TYPES else None


AnyComponent = Annotated[
    Annotated[Wait, Tag(TAG + "wait")]
    | Annotated[WaitFor, Tag(TAG + "wait_for")]
    | Annotated[InboundMessage, Tag(TAG + "inbound_message")]
    | Annotated[Filter, Tag(TAG + "filter")]
    | Annotated[Branch, Tag(TAG + "branch")]
    | Annotated[Split, Tag(TAG + "split")]
    | Annotated[SendEmail, Tag(TAG + "send_email")]
    | Annotated[SendSms, Tag(TAG + "send_sms")]
    | Annotated[CheckSuppression, Tag(TAG + "check_suppression")]
    | Annotated[AssignConversation, Tag(TAG + "assign_conversation")]
    | Annotated[Webhook, Tag(TAG + "webhook")]
    | Annotated[UpdateContact, Tag(TAG + "update_contact")]
    | Annotated[StartAutomation, Tag(TAG + "start_automation")]
    | Annotated[GoalReached, Tag(TAG + "goal")]
    | Annotated[End, Tag(TAG + "end")],
    Discriminator(
        _type_of,
        custom_error_type="unknown_component_type",
        custom_error_message=f"needs a type: one of {', '.join(COMPONENT_TYPES)}",
    ),
]
