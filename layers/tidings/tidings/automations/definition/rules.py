"""Whether an automation makes sense: every mistake that can be found without running it, each with a code of its own.

| code | what is wrong |
|---|---|
| invalid_definition | wrong form: unknown key, wrong type, missing value |
| unknown_component_type | a component of a type that does not exist |
| invalid_syntax, duplicate_key, alias_refused, definition_too_large | the text itself (`source`) |
| too_many_components | more than 200 |
| unknown_start | `start` names no component |
| unknown_component | a link, or a `since: {step: ...}`, to nowhere |
| unreachable_component | no way leads to it |
| no_acting_component | nothing but waits and ends |
| loop_without_wait | a loop in which no wait takes time for certain; `until` a date takes none once it is past |
| loop_by_own_acts | a loop that waits for what it does itself, and has no wait that takes time for certain |
| loop_without_action | a loop of waits and nothing else |
| loop_without_end | a loop that nobody can ever leave |
| loop_through_trigger | what it does at once starts it again: a message, a change of the contact, itself |
| machine_too_large | more than 1 MB of states, which Step Functions does not take |
| duplicate_arm, duplicate_exit | two arms of a component, or two exits, with the same name |
| wrong_percentages | a split whose percentages are not a hundred, or have more than two decimals |
| unknown_trigger, unknown_exit | a trigger, or an exit, of no kind that there is |
| step_not_upstream | `since: {step: x}` where nobody can have passed x |
| step_not_recorded | `since: {step: x}` where x is a wait: only components that act leave a record |
| events_in_trigger | `did` or `did_not` in the trigger's `where`; a branch can ask that |
| not_a_message | `of: x`, or a condition on who engaged with x, where x sends nothing |
| not_a_webhook | the answer of x is asked for, and x is no webhook |
| invalid_template, unknown_variable, unknown_filter | the Liquid in a text of a webhook's body |
| events_in_arm | `did` or `did_not` in the `where` of an arm that waits for an event; a branch can ask that |
| events_in_exit, events_in_goal | the same in the `where` of an exit or of the goal |
| property_in_exit | an exit's `when` looks at properties, and there is no event |
| component_in_exit | an exit's `when` asks for a component: who engaged with it, what it answered, `since` it |
| nobody_enters | an exit's `when` holds of everybody who enters: what they `did_not`, and no `within` |
| unknown_template, unknown_topic, unknown_inbox | no such template, topic or inbox |
| wrong_channel | a template of the other channel |
| unknown_automation | warning: starts an automation that is not published |
| not_started_by_api | warning: starts an automation that has another trigger |
| nothing_follows_wait | warning: the way ends after a wait |
| branch_without_effect | warning: every arm leads to the same place |
| no_conversation_before | warning: follows up, or assigns, a conversation that nothing before it opens |
| event_misspelled | warning: an event that is called nearly like one of Tidings' own |

The links themselves are walked in `graph`, circles in `loops`, what is named in `references`, and what of that the
workspace has to have in `elsewhere`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from tidings.activity.own_events import OF_SENDING
from tidings.automations.components import Awaits, Branch, Split, Wait
from tidings.automations.definition.elsewhere import UNKNOWN, Elsewhere, named_elsewhere
from tidings.automations.definition.loops import endless, loops, loops_by_own_acts, through_trigger
from tidings.automations.definition.model import Definition, code_of
from tidings.automations.definition.problems import Problem, in_component, no_component, warning
from tidings.automations.definition.references import (
    conversations,
    events_named,
    of_one_event,
    references,
)
from tidings.automations.definition.source import read
from tidings.automations.machines.compile import StepFunctions
from tidings.automations.machines.compile import compile as compile_machine
from tidings.automations.machines.following import Following
from tidings.automations.machines.graph import Moment, follow, links, reachable, state_of, ways
from tidings.automations.webhooks.body import wrong_bodies
from tidings.conditions.places import mistakes
from tidings.core.errors import InvalidInput

__all__ = ["OF_SENDING", "Following", "Moment", "Problem", "check", "follow", "links", "lint"]

MAX_COMPONENTS = 200
# ARNs as long as they come, to see how large a machine would be.
_LONGEST = StepFunctions(*["x" * 140] * 7)


def check(
    written: str | Mapping[str, Any], look_up: Callable[[Definition], Elsewhere] | None = None
) -> tuple[Definition | None, list[Problem]]:
    """The definition that a text or plain data says, and all that is wrong with it.

    The definition is None if the form is wrong; what the graph says is then not looked at. `look_up` tells what there
    is of what a definition names; without it nothing is said of that.
    """
    try:
        definition = Definition.model_validate(read(written) if isinstance(written, str) else dict(written))
    except InvalidInput as error:
        return None, [Problem(error.code, error.message)]
    except ValidationError as error:
        return None, _problems_of_form(error)
    return definition, lint(definition, look_up(definition) if look_up else UNKNOWN)


def lint(definition: Definition, there: Elsewhere = UNKNOWN) -> list[Problem]:
    """What is wrong with the graph, and with what it names elsewhere as far as it is known what is there."""
    if len(definition.components) > MAX_COMPONENTS:
        message = (
            f"has {len(definition.components)} components, and at most {MAX_COMPONENTS} are allowed; make two "
            "automations of it, of which one starts the other (start_automation)"
        )
        return [Problem("too_many_components", message, place="components")]
    problems = [
        *_start(definition),
        *through_trigger(definition),
        *of_one_event(definition),
        *_exits(definition),
        *_links(definition),
        *_reach(definition),
        *(list(loops(definition)) or list(loops_by_own_acts(definition)) or endless(definition)),
        *_waits(definition),
        *_arms(definition),
        *references(definition),
        *events_named(definition),
        *conversations(definition),
        *named_elsewhere(definition, there),
        *wrong_bodies(definition),
    ]
    return problems if any(one.level == "error" for one in problems) else [*problems, *_size(definition)]


def _problems_of_form(error: ValidationError) -> list[Problem]:
    problems = []
    for mistake in mistakes(error):
        component = str(mistake.path[1]) if mistake.path[:1] == ("components",) and len(mistake.path) > 1 else ""
        message = f"{mistake.place}: {mistake.message}" if mistake.place else mistake.message
        problems.append(Problem(code_of(mistake), message, component, place=mistake.place))
    return problems


def _start(definition: Definition) -> Iterator[Problem]:
    if definition.start not in definition.components:
        yield Problem("unknown_start", f"start: {no_component(definition.start, definition.components)}", place="start")
    if not any(component.acts for component in definition.components.values()):
        yield Problem("no_acting_component", "nothing but waits and ends: the automation would do nothing")


def _exits(definition: Definition) -> Iterator[Problem]:
    names = [one.name for one in definition.exits]
    for number, name in enumerate(names):
        if name in names[:number]:
            place = f"exits[{number}].name"
            yield Problem(
                "duplicate_exit",
                f'{place}: another exit is called "{name}" too; give one of them another name',
                place=place,
            )


def _links(definition: Definition) -> Iterator[Problem]:
    for component_id, component in definition.components.items():
        for key, target in dict.fromkeys((link.key, link.target) for link in component.links() if link.target):
            if target not in definition.components:
                yield in_component("unknown_component", component_id, key, no_component(target, definition.components))


def _reach(definition: Definition) -> Iterator[Problem]:
    reached = reachable(definition, [definition.start])
    for component_id in definition.components if reached else ():
        if component_id not in reached:
            message = f'no way leads from the start to "{component_id}"; lead there from another one, or take it out'
            yield Problem("unreachable_component", message, component_id, place=f"components.{component_id}")


def _waits(definition: Definition) -> Iterator[Problem]:
    """What nothing follows need not be waited for."""
    for component_id, component in definition.components.items():
        if not isinstance(component, Wait | Awaits):
            continue
        if all(_leads_nowhere(definition, target) for _, target in ways(component)):
            whatever = ", whatever comes" if isinstance(component, Awaits) else ""
            yield warning("nothing_follows_wait", component_id, f'nothing follows the wait "{component_id}"{whatever}')


def _leads_nowhere(definition: Definition, target: str) -> bool:
    return not target or (target in definition.components and not state_of(definition, target))


def _arms(definition: Definition) -> Iterator[Problem]:
    for component_id, component in definition.components.items():
        names = [arm.name for arm in getattr(component, "arms", ())]
        for number, name in enumerate(names):
            if name in names[:number]:
                message = f'another arm is called "{name}" too; give one of them another name'
                yield in_component("duplicate_arm", component_id, f"arms[{number}].name", message)
        if isinstance(component, Split):
            yield from _percentages(component_id, component)
        only_one = len({state_of(definition, target) for _, target in ways(component)}) == 1
        if isinstance(component, Branch | Split) and only_one and len(ways(component)) > 1:
            yield warning(
                "branch_without_effect", component_id, f'every arm of "{component_id}" leads to the same place'
            )


def _percentages(component_id: str, split: Split) -> Iterator[Problem]:
    total = sum((share for _, share in split.shares), Decimal())
    if any(share != round(share, 2) for _, share in split.shares):
        yield in_component("wrong_percentages", component_id, "arms", "a percentage has at most two decimals")
    elif total != 100:
        message = f"the percentages make {total.normalize():f} and not 100, holdout included"
        yield in_component("wrong_percentages", component_id, "arms", message)


def _size(definition: Definition) -> Iterator[Problem]:
    try:
        compile_machine(definition, 999_999, _LONGEST)
    except InvalidInput as error:
        yield Problem(error.code, error.message, place=error.field or "")
