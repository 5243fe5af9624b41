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
from tidings.automations.components.waits import OneEvent
from tidings.automations.definition.model import Definition
from tidings.automations.definition.triggers import AnyTrigger, ApiTrigger, EventExit, EventTrigger, InboundTrigger
from tidings.conditions.model import Condition


def triggered_by(trigger: AnyTrigger) -> str:
    """What enrols people."""
    if isinstance(trigger, EventTrigger):
        return trigger.event
    if isinstance(trigger, InboundTrigger):
        channels = "any channel" if trigger.inbound == "any" else " or ".join(trigger.inbound)
        return f"a message by {channels}"
    if isinstance(trigger, ApiTrigger):
        return "a call of the API"
    date = trigger.date
    often = "each year" if date.every == "year" else "once"
    return f"{_moved(date.trait, date.offset)}, {often} at {date.at}"


def holding_throughout(definition: Definition) -> list[str]:
    """What holds of all components: whom the trigger takes in, how people leave, and what is success; a text for each.

    `Only where plan is "team"`, `Exit Left: Account Closed`, `Goal: Project Created, within 14 days`.
    """
    where, goal = definition.trigger.where, definition.goal
    found = [] if where is None else [f"Only where {_condition(where)}"]
    for one in definition.exits:
        found.append(f"Exit {one.name}: {_event(one) if isinstance(one, EventExit) else _condition(one.when)}")
    if goal is not None:
        found.append(f"Goal: {_event(goal)}{f', within {goal.within}' if goal.within else ''}")
    return found


def _event(one: OneEvent) -> str:
    match = f" with the same {' and '.join(one.matches)}" if one.matches else ""
    return f"{one.event}{match}{'' if one.where is None else f' where {_condition(one.where)}'}"


def _condition(condition: Condition) -> str:
    from tidings.conditions.explain import describe  # late: only where something is drawn

    return describe(condition)


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
        changes = (("sets", component.set_), ("clears", component.unset))
        return ", ".join(f"{verb} {', '.join(traits)}" for verb, traits in changes if traits)
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
        return f"waits until {' or '.join(until.weekdays)}{at}" if until.weekdays else f"waits until {until.at}"
    named = until.trait if isinstance(until, UntilTrait) else until.property
    return f"waits until {_moved(named, until.offset)}{at}"


def _moved(date: str, offset: str | None) -> str:
    """A date moved by an offset, in words: `30 days before contract_ends`."""
    if not offset:
        return date
    length, side = offset.lstrip("+-").strip(), "before" if offset.startswith("-") else "after"
    return f"{length} {side} {date}"
