"""What is counted of an automation: who began, acted, left and reached its goal, at which component.

There is a row for each component of each version. What changes a row changes in the transaction of what it counts:

| count | changes when |
|---|---|
| `began` | an enrolment begins, in the row of the state it begins at |
| `did OUTCOME` or `did OUTCOME REASON` | a step is recorded, in the row of its component |
| `to STATE` | the same step: which state its person came to; empty where the way ended |
| `ended` | the same step, where it completed the enrolment |
| `left STATE NAME` | a run ended otherwise, in the row of where the person was; NAME is that of an exit |
| `past STATE NAME` | the same, when the wait of the row was over and what comes behind it had not begun |
| `parked` | somebody is parked, in the row of no component; taken back as soon as they go on, or end |
| `converted` | an enrolment reached the automation's goal, in the row of no component |
| `converted OUTCOME` | the same, once in the row of each component on the way that decided |

From these the rest is derived (`rules`): nothing is written for somebody who passes a wait.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tidings.automations.enrolments.model import Enrolment, EnrolmentState, StepTaken
from tidings.core.clock import from_text

BEGAN, DID, TO, ENDED, LEFT, PAST, CONVERTED = "began", "did", "to", "ended", "left", "past", "converted"
PARKED = "parked"
SKIPPED = "skipped"
# Outcomes that say that something was not done, with the check that decided it.
_REASONED = frozenset({SKIPPED, "suppressed"})
UNSTATED = "unstated"
# No name of an arm or exit holds it: names are one line of printable characters.
_BETWEEN = "\t"

Changes = dict[str, Counter[str]]
"""How much to add to which counts, by component."""


def name_of(*parts: str) -> str:
    """The name of a count."""
    return _BETWEEN.join(parts)


def parts_of(name: str) -> list[str]:
    """What the name of a count says."""
    return name.split(_BETWEEN)


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is: at a component, or behind a wait that is over (`is_past`), as fast as what comes begins."""

    component: str
    is_past: bool = False


def place_of(component: str, until: Mapping[str, str], at: datetime) -> Place:
    """Where somebody is at an instant who came to a state, with the ends of the waits there in their order."""
    last = ""
    for wait, end in until.items():
        if not is_component(wait):
            continue
        if from_text(end) > at:
            return Place(wait)
        last = wait
    return Place(last, True) if last else Place(component)


def is_component(wait: str) -> bool:
    """Whether what lasts until an instant is a component's wait, and not the machine's own rest."""
    return wait[:1].islower()


def reason_of(step: StepTaken) -> str:
    """The check by which a step came to do nothing; empty for one that did something."""
    return str(step.why.get("check") or UNSTATED) if step.outcome in _REASONED else ""


def of_begin(enrolment: Enrolment) -> Changes:
    """What a new enrolment counts."""
    return {enrolment.component: Counter({BEGAN: 1})}


def of_step(step: StepTaken) -> Changes:
    """What a step counts that is taken on behalf of somebody inside."""
    reason = reason_of(step)
    did = name_of(DID, step.outcome, reason) if reason else name_of(DID, step.outcome)
    changes = Counter({did: 1, name_of(TO, step.next): 1})
    return {step.component: changes if step.next else changes + Counter({ENDED: 1})}


def of_late_step(step: StepTaken, ended: tuple[str, str]) -> tuple[Changes, tuple[str, str]]:
    """What a step counts of somebody who left while it was taken: they left from where it led; and that place."""
    component, name = ended
    place = place_of(step.next, step.until, step.at)
    _, *why = parts_of(name)
    now = (place.component, name_of(PAST if place.is_past else LEFT, *why))
    did = of_step(step)
    did[step.component].pop(ENDED, None)
    return together([did, {component: Counter({name: -1})}, {now[0]: Counter({now[1]: 1})}]), now


def of_parking() -> tuple[str, str]:
    """Where it counts that a run ended by being parked, and as what. Where the person is, they have not left."""
    return "", PARKED


def of_end(enrolment: Enrolment, state: EnrolmentState, at: datetime, exit_name: str = "") -> tuple[str, str]:
    """Where an end counts, and as what: the component and the name of the count."""
    place = place_of(enrolment.component, enrolment.until, at)
    why = (state.value, exit_name) if exit_name else (state.value,)
    return place.component, name_of(PAST if place.is_past else LEFT, *why)


def together(changes: Iterable[Mapping[str, Mapping[str, int]]]) -> Changes:
    """Several changes as one, in which each component stands once; what comes to nothing is left out."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for change in changes:
        for component, counts in change.items():
            found[component].update(counts)
    kept = {component: Counter({name: n for name, n in counts.items() if n}) for component, counts in found.items()}
    return {component: counts for component, counts in kept.items() if counts}
