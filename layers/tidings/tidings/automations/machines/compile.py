"""From a definition to a Step Functions machine, in classic JSONPath ASL that carries ids and nothing a user wrote.

One Task for each component that acts; a Choice behind it only where its outcomes lead apart; one Wait for each wait.
An `end` adds no state where the state before it can end itself. Only a Choice cannot: there the way ends in one shared
Succeed state. Names of states are component ids; `tips-route` and `Ended` cannot be ids, so they never clash.

A `wait_for` is one Task too, which goes on when its token is answered. Only where its time runs out a second one,
`answer-timeout`, settles that; both lead to the same Choice, if there is one. A machine that is resumed at a `wait_for`
first asks how long is still left (`answer-left`), and waits that long (`answer-resumed`).

An automation that may outlast one execution (`lasting`) has three states more: `Begin` goes to where somebody is, which
is not always the start; `Rest` waits as long as the execution may last, and `Renew` begins a new one. A wait whose date
may be past by then (`if_past: leave`) has a Choice before it, `until-due`, where another wait leads to it.

A machine's input: `workspace`, `contact`, `automation`, `version`, `entry`, and `at`, which every Task's answer
replaces: `n` (steps taken), `next` (the state that follows, "" where the way ends) and `until` (for each wait before
the next Task, the instant at which it ends; `graph.follow` says it). `run` counts the executions before this one; it is
left out where there are none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tidings.automations.components import Awaits, Component, Wait, Webhook
from tidings.automations.definition.model import Definition
from tidings.automations.machines.following import BEGIN, RENEW, REST
from tidings.automations.machines.graph import may_be_missed, reachable, state_of, targets
from tidings.automations.machines.lasting import RUN_AT_MOST, renews
from tidings.automations.webhooks import retry as webhook_retry
from tidings.core.errors import InvalidInput

Asl = dict[str, Any]

ENDED = "Ended"
_NO_COMPONENTS = frozenset({ENDED, BEGIN, REST, RENEW})
ROUTE = "-route"
TIMED_OUT, LEFT, RESUMED, DUE = "-timeout", "-left", "-resumed", "-due"
UNTIL_ANSWERED = ".waitForTaskToken"
TASK_TIMEOUT_SECONDS = 60
MAX_MACHINE_NAME = 80
MAX_MACHINE_BYTES = 1_048_576
_HASH_CHARACTERS = 40

_INVOKE = "arn:aws:states:::lambda:invoke"
_IDS = ("workspace", "contact", "automation", "version", "entry")
# Names of errors are those of Python's exceptions. Whoever asks us to slow down gets hours, spread out, instead of the
# minutes that a fault gets: a provider's daily quota must not end anybody's way.
_RETRY: list[Asl] = [
    {"ErrorEquals": ["EnrolmentOver", "EnrolmentParked"], "MaxAttempts": 0},
    {
        "ErrorEquals": ["Throttled"],
        "IntervalSeconds": 5,
        "BackoffRate": 2.0,
        "MaxDelaySeconds": 900,
        "MaxAttempts": 100,
        "JitterStrategy": "FULL",
    },
    {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "BackoffRate": 2.0, "MaxAttempts": 8},
]
_OVER = [*_RETRY[0]["ErrorEquals"], "States.Timeout"]
_AT = ("n", "next", "until")
_ANSWERED: Asl = {"ResultSelector": {f"{name}.$": f"$.Payload.{name}" for name in _AT}, "ResultPath": "$.at"}


@dataclass(frozen=True)
class StepFunctions:
    """ARNs of the functions that carry out the components."""

    send_email: str
    branch: str
    check_suppression: str
    wait_for: str
    send_sms: str
    call_webhook: str
    act: str

    def arn(self, function: str) -> str:
        """The ARN of a component's function."""
        return str(getattr(self, function))


def compile(definition: Definition, version: int, arns: StepFunctions) -> Asl:  # noqa: A001 the word of the field
    """The machine of this version of the definition, the same for the same input.

    The definition must have no errors (`rules.lint`); raises InvalidInput where it has no state to begin with, or too
    many for Step Functions.
    """
    if not state_of(definition, definition.start):
        raise InvalidInput("no_acting_component", "the automation ends before it begins", "start")
    states: dict[str, Asl] = {}
    for component_id in sorted(reachable(definition, [definition.start])):
        states |= _states_of(definition, component_id, arns)
    start = definition.start
    if renews(definition):
        states |= _renewing(definition, states, arns)
        start = BEGIN
    if any(ENDED in _next_states(state) for state in states.values()):
        states[ENDED] = {"Type": "Succeed"}
    asl = {"Comment": f"version {version}", "StartAt": start, "States": states}
    if len(json.dumps(asl)) > MAX_MACHINE_BYTES:
        message = "the machine would be larger than Step Functions takes (1 MB); make two automations of it"
        raise InvalidInput("machine_too_large", message, "components")
    return asl


def resumed(asl: Asl, component: str) -> Asl:
    """The same machine, beginning at `component`; states that cannot be reached from there are left out.

    Step Functions refuses a machine with states that cannot be reached. One that begins where its input says is
    returned as it is. Raises InvalidInput for an unknown component.
    """
    states = asl["States"]
    if asl["StartAt"] == BEGIN:
        return asl
    if component not in states or component in _NO_COMPONENTS or "-" in component:
        raise InvalidInput("unknown_component", f'no state "{component}" in the machine', "component")
    start = component
    if str(states[component].get("Resource")).endswith(UNTIL_ANSWERED):
        start = component + LEFT
        states = _waiting_on(states, component) | states
    kept: set[str] = set()
    ahead = {start}
    while ahead:
        here = ahead.pop()
        kept.add(here)
        ahead |= _next_states(states[here]) - kept
    return {**asl, "StartAt": start, "States": {name: states[name] for name in states if name in kept}}


def _waiting_on(states: Asl, component: str) -> Asl:
    """The states at which somebody goes on waiting for an event, for as long as was left of the wait that was lost."""
    wait = {name: value for name, value in states[component].items() if name != "TimeoutSeconds"}
    payload = {name: value for name, value in wait["Parameters"]["Payload"].items() if name != "token.$"}
    told = {"ResultSelector": {"seconds.$": "$.Payload.seconds"}, "ResultPath": "$.left"}
    ask = _invoke(wait["Parameters"]["FunctionName"], payload | {"ask": "left"}, told)
    return {
        component + LEFT: ask | {"Next": component + RESUMED},
        component + RESUMED: wait | {"TimeoutSecondsPath": "$.left.seconds"},
    }


def machine_name(prefix: str, workspace: str, automation: str, version: int, definition_hash: str) -> str:
    """`prefix` and a hash of the rest: at most 80 characters, always the same for the same version."""
    if len(prefix) > MAX_MACHINE_NAME - _HASH_CHARACTERS:
        raise InvalidInput("machine_prefix_too_long", f"at most {MAX_MACHINE_NAME - _HASH_CHARACTERS} characters")
    parts = json.dumps([workspace, automation, version, definition_hash])
    return prefix + hashlib.sha256(parts.encode()).hexdigest()[:_HASH_CHARACTERS]


def machine_tags(workspace: str, automation: str, version: int) -> dict[str, str]:
    """Tags that let a person find the machine: workspace, automation and version."""
    return {
        "tidings:workspace": workspace,
        "tidings:automation": automation,
        "tidings:version": str(version),
    }


def _states_of(definition: Definition, component_id: str, arns: StepFunctions) -> dict[str, Asl]:
    component = definition.components[component_id]
    if isinstance(component, Wait):
        return _wait(definition, component_id, component)
    if isinstance(component, Awaits):
        return _wait_for(definition, component_id, component, arns.wait_for)
    if component.acts:
        return _task(definition, component_id, arns.arn(component.function))
    return {}


def _wait(definition: Definition, component_id: str, wait: Wait) -> dict[str, Asl]:
    """Waits; what follows may be a wait that is not to be begun, because nobody said until when."""
    end = f"$.at.until.{component_id}"
    following = targets(definition, component_id)[0]
    after = definition.components.get(following)
    if isinstance(after, Wait) and after.may_leave:
        following += DUE
    states = {component_id: {"Type": "Wait", "TimestampPath": end} | _leads_to(following)}
    if not wait.may_leave or not _comes_from_a_wait(definition, component_id):
        return states
    is_there = {"Variable": end, "IsPresent": True, "Next": component_id}
    return states | {component_id + DUE: {"Type": "Choice", "Choices": [is_there], "Default": ENDED}}


def _comes_from_a_wait(definition: Definition, component_id: str) -> bool:
    return any(isinstance(one, Wait) and one.next == component_id for one in definition.components.values())


def _renewing(definition: Definition, states: dict[str, Asl], arns: StepFunctions) -> dict[str, Asl]:
    """Where an execution begins that may continue another one, and where it is continued."""
    added: dict[str, Asl] = {}
    choices: list[Asl] = []
    for component_id in sorted(reachable(definition, [definition.start])):
        component = definition.components[component_id]
        if not state_of(definition, component_id):
            continue
        is_next = {"Variable": "$.at.next", "StringEquals": component_id}
        if isinstance(component, Awaits):
            again = [is_next, {"Variable": "$.run", "IsPresent": True}]
            choices.append({"And": again, "Next": component_id + LEFT})
            added |= _waiting_on(states, component_id)
        choices.append(is_next | {"Next": component_id})
    choices.append({"Variable": "$.at.next", "StringEquals": REST, "Next": REST})
    if may_be_missed(definition, definition.start):
        choices.append({"Variable": "$.at.next", "StringEquals": "", "Next": ENDED})
    payload = _ids() | {"n.$": "$.at.n", "ask": "renew", "execution.$": "$$.Execution.Name"}
    renew = _invoke(arns.act, payload, {"ResultPath": None})
    return added | {
        BEGIN: {"Type": "Choice", "Choices": choices},
        REST: {"Type": "Wait", "TimestampPath": f"$.at.until.{REST}", "Next": RENEW},
        RENEW: renew | {"End": True},
    }


def _task(definition: Definition, component_id: str, arn: str) -> dict[str, Asl]:
    onward, route = _onward(definition, component_id)
    task = _invoke(arn, _payload(component_id), _ANSWERED)
    if isinstance(definition.components[component_id], Webhook):
        # The last attempt is told that it is: what is refused then is an outcome, and no fault any more.
        task["Parameters"]["Payload"]["retry.$"] = "$$.State.RetryCount"
        task["Retry"].insert(1, dict(webhook_retry.RULE))
    return {component_id: task | onward, **route}


def _wait_for(definition: Definition, component_id: str, wait: Awaits, arn: str) -> dict[str, Asl]:
    """Waits for its token to be answered; its time runs out only here, and what became of that is asked once.

    A wait that is over is not begun anew: its timeout is no fault to be tried again. One that lasts longer than an
    execution may asks in between, and is told to rest and go on in a new one.
    """
    onward, route = _onward(definition, component_id)
    payload, timed_out = _payload(component_id), component_id + TIMED_OUT
    answered = {"ResultSelector": {f"{name}.$": f"$.{name}" for name in _AT}, "ResultPath": "$.at"}
    waiting = _invoke(arn, payload | {"token.$": "$$.Task.Token"}, answered) | {
        "Resource": _INVOKE + UNTIL_ANSWERED,
        "TimeoutSeconds": int(min(wait.length, RUN_AT_MOST).total_seconds()),
        "Retry": [{"ErrorEquals": _OVER, "MaxAttempts": 0}, *_again()[1:]],
        "Catch": [{"ErrorEquals": ["States.Timeout"], "ResultPath": None, "Next": timed_out}],
    }
    settling = _invoke(arn, payload | {"ask": "timeout"}, _ANSWERED)
    return {component_id: waiting | onward, timed_out: settling | onward, **route}


def _ids() -> Asl:
    return {f"{name}.$": f"$.{name}" for name in _IDS}


def _payload(component_id: str) -> Asl:
    return _ids() | {"n.$": "$.at.n", "component": component_id}


def _invoke(arn: str, payload: Asl, answered: Asl) -> Asl:
    return {
        "Type": "Task",
        "Resource": _INVOKE,
        "Parameters": {"FunctionName": arn, "Payload": payload},
        **answered,
        "TimeoutSeconds": TASK_TIMEOUT_SECONDS,
        "Retry": _again(),
    }


def _again() -> list[Asl]:
    return [dict(rule) for rule in _RETRY]


def _onward(definition: Definition, component_id: str) -> tuple[Asl, dict[str, Asl]]:
    """What stands in a Task about what follows, and the Choice behind it where its outcomes lead apart."""
    following = sorted(targets(definition, component_id))
    if renews(definition) and (following != [""] or _outlasts(definition.components[component_id])):
        following.append(REST)
    if len(following) == 1:
        return _leads_to(following[0]), {}
    route = component_id + ROUTE
    return {"Next": route}, {route: _choice(following)}


def _outlasts(component: Component) -> bool:
    """Whether somebody may wait there for longer than an execution lasts."""
    return isinstance(component, Awaits) and component.length > RUN_AT_MOST


def _choice(following: Iterable[str]) -> Asl:
    """Without a default: an answer that leads nowhere is a fault and must be seen as one."""
    choices = [{"Variable": "$.at.next", "StringEquals": target, "Next": target or ENDED} for target in following]
    return {"Type": "Choice", "Choices": choices}


def _leads_to(state: str) -> Asl:
    return {"Next": state} if state else {"End": True}


def _next_states(state: Asl) -> set[str]:
    ways = [state, *state.get("Choices", ()), *state.get("Catch", ())]
    default = {state["Default"]} if "Default" in state else set()
    return default | {way["Next"] for way in ways if "Next" in way}
