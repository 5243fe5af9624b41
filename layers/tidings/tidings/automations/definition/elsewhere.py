"""What an automation names outside itself, and whether it is there: templates, topics, inboxes, automations.

What nothing can make right but a change of the name, or of what is applied before automations are, is an error.
Another automation may be published later, since two may start each other: that it is not there is a warning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from tidings.automations.components import AssignConversation, CheckSuppression, SendEmail, Sends, StartAutomation
from tidings.automations.definition.model import Definition
from tidings.automations.definition.problems import Problem, in_component
from tidings.automations.definition.triggers import ApiTrigger

MARKETING, TRANSACTIONAL = "marketing", "transactional"


@dataclass(frozen=True, slots=True)
class NamedTemplate:
    """What matters of a template that is named: its channel, and the kind and topic that it says itself, if any."""

    channel: str = "email"
    kind: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What there is of what an automation names, None where it is not known.

    `automations` are the definitions that enrol people, by name.
    """

    templates: Mapping[str, NamedTemplate] | None = None
    topics: Collection[str] | None = None
    inboxes: Collection[str] | None = None
    automations: Mapping[str, Definition] | None = None


UNKNOWN = Elsewhere()


def templates_in(definition: Definition) -> list[str]:
    """The names of the templates that an automation sends, each once."""
    return sorted({one.template for one in definition.components.values() if isinstance(one, Sends)})


def automations_in(definition: Definition) -> list[str]:
    """The names of the other automations that an automation starts, each once."""
    started = {one.automation for one in definition.components.values() if isinstance(one, StartAutomation)}
    return sorted(started - {definition.automation})


def named_elsewhere(definition: Definition, there: Elsewhere) -> Iterator[Problem]:
    """What is named and not there, or cannot be used so; nothing is said of what is not known."""
    automations = None if there.automations is None else {**there.automations, definition.automation: definition}
    for component_id, component in definition.components.items():
        if isinstance(component, Sends):
            yield from _sent(component_id, component, there)
        if isinstance(component, CheckSuppression) and component.kind == MARKETING:
            yield from _topic(component_id, component.topic or "", there)
        if isinstance(component, AssignConversation) and _misses(there.inboxes, component.inbox):
            yield in_component("unknown_inbox", component_id, "inbox", f'there is no inbox "{component.inbox}"')
        if isinstance(component, StartAutomation) and automations is not None:
            yield from _started(component_id, component.automation, automations)


def _misses(there: Collection[str] | None, name: str) -> bool:
    return there is not None and name not in there


def _sent(component_id: str, component: Sends, there: Elsewhere) -> Iterator[Problem]:
    template = NamedTemplate()
    if there.templates is not None:
        if component.template not in there.templates:
            message = f'there is no template "{component.template}"'
            yield in_component("unknown_template", component_id, "template", message)
            return
        template = there.templates[component.template]
        channel = "email" if isinstance(component, SendEmail) else "sms"
        if template.channel != channel:
            message = f'"{component.template}" is of the channel {template.channel}, and this sends {channel}'
            yield in_component("wrong_channel", component_id, "template", message)
    if (component.kind or template.kind) != TRANSACTIONAL:
        yield from _topic(component_id, component.topic or "", there, template.topic)


def _topic(component_id: str, topic: str, there: Elsewhere, otherwise: str = "") -> Iterator[Problem]:
    """That marketing is about a topic that is not defined, for which nobody can have given consent."""
    name = topic or otherwise
    if name and _misses(there.topics, name):
        key, whose = ("topic", "") if topic else ("template", "it is about a topic of its own, and ")
        yield in_component("unknown_topic", component_id, key, f'{whose}there is no topic "{name}"')


def _started(component_id: str, name: str, there: Mapping[str, Definition]) -> Iterator[Problem]:
    found = there.get(name)
    if found is None:
        message = f'no automation "{name}" is published: nobody is started by this until it is'
        yield in_component("unknown_automation", component_id, "automation", message, "warning")
    elif not isinstance(found.trigger, ApiTrigger):
        message = f'"{name}" has another trigger than {{api: true}}: nobody is started by this'
        yield in_component("not_started_by_api", component_id, "automation", message, "warning")
