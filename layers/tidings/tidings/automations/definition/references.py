"""What an automation names, and whether it is there: components, events, conversations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from tidings.activity.own_events import OWN_EVENTS
from tidings.automations.components import (
    AssignConversation,
    Awaits,
    Component,
    InboundMessage,
    Sends,
    StartAutomation,
    UpdateContact,
    WaitFor,
    Webhook,
)
from tidings.automations.components.acts import FromAnswer, Values
from tidings.automations.components.waits import RECEIVED
from tidings.automations.definition.model import Definition
from tidings.automations.definition.problems import Problem, in_component, no_component, warning
from tidings.automations.definition.triggers import EventExit, InboundTrigger
from tidings.automations.machines.graph import links, reachable
from tidings.conditions.model import (
    Condition,
    Count,
    DidNot,
    Group,
    PropertyRule,
    components_answering,
    components_engaged,
    components_named,
    needs_enrolment,
    needs_events,
    steps_named,
    walk,
)

Upstream = Callable[[str, str], bool]


def references(definition: Definition) -> Iterator[Problem]:
    """Components that are named must be there, be of the right kind, and stand before whoever names them."""
    before = _upstream(definition)
    for component_id, component in definition.components.items():
        for key, named in _steps_of(component):
            yield from _step(definition, component_id, key, named, before)
        for key, named in _messages_of(component):
            wrong = f'"{named}" sends no message'
            yield from _named(definition, component_id, key, named, before, Sends, "not_a_message", wrong)
        for key, named in _answers_of(component):
            wrong = f'"{named}" is no webhook, so nothing answers'
            yield from _named(definition, component_id, key, named, before, Webhook, "not_a_webhook", wrong)


def _upstream(definition: Definition) -> Upstream:
    @cache
    def after(component_id: str) -> set[str]:
        return reachable(definition, links(definition.components[component_id]).values())

    return lambda named, here: here in after(named)


def _named(
    definition: Definition,
    component_id: str,
    key: str,
    named: str,
    before: Upstream,
    kind: type[Component],
    code: str,
    wrong: str,
) -> Iterator[Problem]:
    if named not in definition.components:
        yield in_component("unknown_component", component_id, key, no_component(named, definition.components))
    elif not isinstance(definition.components[named], kind):
        yield in_component(code, component_id, key, wrong)
    elif not before(named, component_id):
        yield in_component("step_not_upstream", component_id, key, f'nobody who comes here has passed "{named}"')


def _step(definition: Definition, component_id: str, key: str, named: str, before: Upstream) -> Iterator[Problem]:
    if named not in definition.components:
        message = f"since: {no_component(named, definition.components)}"
        yield in_component("unknown_component", component_id, key, message)
    elif not before(named, component_id):
        yield in_component("step_not_upstream", component_id, key, f'since: nobody who comes here has passed "{named}"')
    elif not definition.components[named].acts:
        message = f'since: only components that act are recorded as steps, and "{named}" does not'
        yield in_component("step_not_recorded", component_id, key, message)


def _steps_of(component: Component) -> Iterator[tuple[str, str]]:
    for asked in component.conditions():
        for named in sorted(steps_named(asked.condition)):
            yield asked.key, named


def _messages_of(component: Component) -> Iterator[tuple[str, str]]:
    """Components whose messages are asked about."""
    if isinstance(component, WaitFor):
        yield from ((f"arms[{n}].of", arm.of) for n, arm in enumerate(component.arms) if arm.of is not None)
    if isinstance(component, InboundMessage) and component.of is not None:
        yield "of", component.of
    for asked in component.conditions():
        yield from ((asked.key, named) for named in sorted(components_engaged(asked.condition)))


def _answers_of(component: Component) -> Iterator[tuple[str, str]]:
    """Webhooks whose answers are asked for."""
    values: Values = {}
    key = ""
    if isinstance(component, UpdateContact):
        values, key = component.set_, "set"
    if isinstance(component, StartAutomation):
        values, key = component.properties, "properties"
    for name, value in values.items():
        if isinstance(value, FromAnswer):
            yield f"{key}.{name}", value.answer.partition(".")[0]
    for asked in component.conditions():
        yield from ((asked.key, named) for named in sorted(components_answering(asked.condition)))


# --- conditions that look at too much -------------------------------------------------------------------------------


def of_one_event(definition: Definition) -> Iterator[Problem]:
    """What is asked when an event comes looks at that event and the contact: other events are asked of in a branch."""
    if _looks_further(definition.trigger.where):
        yield _too_much("events_in_trigger", "", "trigger.where")
    for component_id, component in definition.components.items():
        for asked in component.conditions():
            if asked.of_event and _looks_further(asked.condition):
                yield _too_much("events_in_arm", component_id, f"components.{component_id}.{asked.key}")
    yield from _of_exits(definition)
    if definition.goal is not None and _looks_further(definition.goal.where):
        yield _too_much("events_in_goal", "", "goal.where")


def _of_exits(definition: Definition) -> Iterator[Problem]:
    for number, one in enumerate(definition.exits):
        place = f"exits[{number}]"
        if isinstance(one, EventExit):
            if _looks_further(one.where):
                yield _too_much("events_in_exit", "", f"{place}.where")
            continue
        place = f"{place}.when"
        if _asks_of_event(one.when):
            message = f"{place}: there is no event whose properties it could look at; ask for traits, or what they did"
            yield Problem("property_in_exit", message, place=place)
        if components_named(one.when):
            message = f"{place}: holds wherever people are, so it cannot ask for a component; ask that in a filter"
            yield Problem("component_in_exit", message, place=place)
        if _holds_at_entry(one.when):
            message = f"{place}: holds for everybody who has just entered, so that nobody could; say `within` what time"
            yield Problem("nobody_enters", message, place=place)


def _looks_further(where: Condition | None) -> bool:
    """Whether a condition asks for more than one event and the contact."""
    return where is not None and (needs_events(where) or needs_enrolment(where))


def _holds_at_entry(condition: Condition) -> bool | None:
    """Whether an exit's condition holds of everybody who enters, since nothing came yet; None if that depends."""
    if isinstance(condition, Group):
        found = {_holds_at_entry(rule) for rule in condition.rules}
        if condition.kind == "all":
            return False if False in found else None if None in found else True
        some = True if True in found else None if None in found else False
        return some if condition.kind == "any" or some is None else not some
    if isinstance(condition, Count) and (condition.within is None or condition.since is not None):
        return isinstance(condition, DidNot)
    return None


def _asks_of_event(condition: Condition) -> bool:
    return any(isinstance(rule, PropertyRule) for rule in walk(condition))


def _too_much(code: str, component: str, place: str) -> Problem:
    message = f"{place}: looks at the event and the contact only; ask for other events in a branch"
    return Problem(code, message, component, place=place)


# --- events, conversations ------------------------------------------------------------------------------------------


def events_named(definition: Definition) -> Iterator[Problem]:
    """Events that are nobody's: a name that Tidings' own events nearly have is a slip of the pen."""
    named = [("trigger.event", "", event) for event in definition.trigger.events]
    named += [(f"exits[{n}].event", "", one.event) for n, one in enumerate(definition.exits) if hasattr(one, "event")]
    if definition.goal is not None:
        named.append(("goal.event", "", definition.goal.event))
    for component_id, component in definition.components.items():
        arms = component.arms if isinstance(component, WaitFor) else ()
        named += [(f"components.{component_id}.arms[{n}].event", component_id, a.event) for n, a in enumerate(arms)]
    for place, component_id, event in named:
        meant = _meant(event)
        if meant:
            message = f'{place}: nobody sends "{event}" unless an app does; did you mean "{meant}"?'
            yield Problem("event_misspelled", message, component_id, "warning", place)


def _meant(event: str) -> str:
    """The event of Tidings' own that a name is nearly the name of; empty if it is one, or none is near."""
    from difflib import get_close_matches  # late: only where somebody writes an automation

    near = {own.casefold(): own for own in OWN_EVENTS}
    found = [] if event in OWN_EVENTS else get_close_matches(event.casefold(), near, n=1, cutoff=0.88)
    return near[found[0]] if found else ""


def conversations(definition: Definition) -> Iterator[Problem]:
    """Following up, or assigning, needs a conversation before."""
    if isinstance(definition.trigger, InboundTrigger) or set(definition.trigger.events) & set(RECEIVED.values()):
        return
    before = _upstream(definition)
    opening = [name for name, component in definition.components.items() if _opens(component)]
    for component_id, component in definition.components.items():
        follows = isinstance(component, AssignConversation)
        follows = follows or (isinstance(component, Sends) and component.conversation == "follow_up")
        if follows and not any(before(name, component_id) for name in opening):
            message = f'no conversation comes before "{component_id}": nothing on the way there opens one'
            yield warning("no_conversation_before", component_id, message)


def _opens(component: Component) -> bool:
    if isinstance(component, Awaits):
        return bool(component.events & set(RECEIVED.values()))
    return isinstance(component, Sends) and component.conversation is not None
