"""What components and triggers say, in a few words each, for drawings and tables."""

from __future__ import annotations

from tidings.automations.components import (
    AssignConversation,
    Awaits,
    CheckSuppression,
    Component,
    InboundMessage,
    SendEmail,
    Sends,
    StartAutomation,
    UntilTime,
    UntilTrait,
    UpdateContact,
    Wait,
    Webhook,
)
from tidings.automations.components.acts import GoalReached
from tidings.automations.components.choices import Branch, Filter, Split
from tidings.automations.definition.triggers import AnyTrigger, ApiTrigger, EventTrigger, InboundTrigger


def triggered_by(trigger: AnyTrigger) -> str:
    """What enrols people."""
    if isinstance(trigger, EventTrigger):
        return trigger.event
    if isinstance(trigger, InboundTrigger):
        channels = "any channel" if trigger.inbound == "any" else " or ".join(trigger.inbound)
        return f"a message by {channels}"
    if isinstance(trigger, ApiTrigger):
        return "a call of the API"
    return f"{trigger.date.trait}, {'each year' if trigger.date.every == 'year' else 'once'} at {trigger.date.at}"


def said(component: Component) -> str:
    """What a component does; empty for an end."""
    if isinstance(component, Wait):
        return _wait(component)
    if isinstance(component, InboundMessage):
        channels = "any channel" if component.channels == "any" else " or ".join(component.channels)
        return f"waits for a message by {channels}, {component.timeout} at most"
    if isinstance(component, Awaits):
        return f"waits for {' or '.join(sorted(component.events))}, {component.timeout} at most"
    if isinstance(component, Sends):
        return f"{'e-mail' if isinstance(component, SendEmail) else 'SMS'} {component.template}"
    if isinstance(component, Branch | Filter | Split):
        return {Branch: "branch", Filter: "filter", Split: "split by chance"}[type(component)]
    if isinstance(component, CheckSuppression):
        return f"may {'an e-mail' if component.channel == 'email' else 'an SMS'} be sent?"
    return _act(component)


def _act(component: Component) -> str:
    if isinstance(component, UpdateContact):
        return f"sets {', '.join([*component.set_, *component.unset])}"
    if isinstance(component, StartAutomation):
        return f"starts {component.automation}"
    if isinstance(component, AssignConversation):
        return f"conversation to {component.inbox}"
    if isinstance(component, Webhook):
        return f"{component.method} {component.url.split('/')[2]}"  # the rest of an address may hold secrets
    if isinstance(component, GoalReached):
        return f"goal: {component.name}" if component.name else "goal"
    return ""


def _wait(wait: Wait) -> str:
    until = wait.until
    if until is None:
        return f"waits {wait.for_}"
    if isinstance(until, str):
        return f"waits until {until}"
    at = f" at {until.at}" if until.at else ""
    if isinstance(until, UntilTime):
        return f"waits until {' or '.join(until.weekdays) or 'it is'}{at}"
    named = until.trait if isinstance(until, UntilTrait) else until.property
    return f"waits until {f'{until.offset} from ' if until.offset else ''}{named}{at}"
