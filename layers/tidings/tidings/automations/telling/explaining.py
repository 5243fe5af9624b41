"""Why somebody's way through an automation led to a mail, or did not: told from the steps that were kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tidings.automations.components import Awaits, Sends, Wait
from tidings.automations.definition.model import Definition
from tidings.automations.enrolments.model import Enrolment, EnrolmentState, StepTaken
from tidings.automations.machines.graph import links, reachable
from tidings.core.clock import from_text


class Standing(StrEnum):
    """How a way stands with regard to a mail."""

    NOT_IN_VERSION = "not_in_version"  # no component of the version sends it, or none that can be reached
    WAITING = "waiting"  # on the way there
    TURNED = "went_another_way"  # a step led where the mail cannot come any more
    PASSED = "passed"  # the component was passed, which the decision explains
    ENDED = "ended"  # before it came there: failed, stopped or exited


@dataclass(frozen=True, slots=True)
class Way:
    """Somebody's way as it stood at an instant, with regard to a mail."""

    enrolment: Enrolment
    standing: Standing
    sentence: str
    component: str = ""
    until: str = ""
    turned: StepTaken | None = None
    steps: Sequence[StepTaken] = field(default_factory=tuple)

    def as_dict(self) -> dict[str, Any]:
        """The way as the API shows it."""
        return {
            "automation": self.enrolment.automation,
            "version": self.enrolment.version,
            "entry": self.enrolment.entry,
            "started_at": self.enrolment.started_at,
            "why": dict(self.enrolment.why),
            "standing": self.standing.value,
            "sentence": self.sentence,
            "component": self.component,
            "until": self.until or None,
            "turned_at": None if self.turned is None else self.turned.as_dict(),
            "path": [step.as_dict() for step in self.steps],
        }


def senders(definition: Definition, template: str) -> set[str]:
    """The components that send a template, or any message if none is named."""
    return {
        name
        for name, component in definition.components.items()
        if isinstance(component, Sends) and template in ("", component.template)
    }


def explain_way(
    enrolment: Enrolment, steps: Iterable[StepTaken], definition: Definition, template: str, at: datetime
) -> Way:
    """How a way stood at an instant with regard to a template (or to any mail), from the steps taken until then."""
    taken = [step for step in steps if step.at <= at]
    sending = senders(definition, template)
    what = f"the template {template}" if template else "a mail"
    if not sending & reachable(definition, [definition.start]):
        told = f"Version {enrolment.version} of {enrolment.automation}, which they entered, does not send {what}."
        return Way(enrolment, Standing.NOT_IN_VERSION, told, steps=taken)
    passed = [step for step in taken if step.component in sending]
    if passed:
        last = passed[-1]
        told = f'They came to the component "{last.component}" of {enrolment.automation}: {last.outcome}.'
        return Way(enrolment, Standing.PASSED, told, last.component, steps=taken)
    turned = _turned(definition, taken, sending)
    if turned is not None:
        return Way(enrolment, Standing.TURNED, _turning(enrolment, definition, turned, sending, what), turned.component,
                   turned=turned, steps=taken)  # fmt: skip
    return _unfinished(enrolment, taken, definition, what, at)


def _unfinished(
    enrolment: Enrolment, taken: Sequence[StepTaken], definition: Definition, what: str, at: datetime
) -> Way:
    """A way that could still come to the mail when it ended, or can."""
    changed_later = enrolment.updated_at is not None and enrolment.updated_at > at
    if enrolment.state in _ENDS and not changed_later:
        why = f" ({enrolment.error})" if enrolment.error else ""
        told = f'Their way through {enrolment.automation} {_ENDS[enrolment.state]} at "{enrolment.component}"{why}, '
        return Way(enrolment, Standing.ENDED, f"{told}before it came to {what}.", enrolment.component, steps=taken)
    component, waits = _place(enrolment, taken, definition, changed_later)
    component, until = _after_waits(definition, component, waits, at)
    told = f'They are in {enrolment.automation} since {_text(enrolment.started_at)}, at the component "{component}"'
    here = definition.components.get(component)
    told += f", where they wait for {' or '.join(sorted(here.events))}" if isinstance(here, Awaits) else ""
    told += f" until {_text(from_text(until))}" if until else ""
    rests = enrolment.state is EnrolmentState.PARKED and not changed_later
    told += f", where they go on once {enrolment.automation} is not paused any more" if rests else ""
    return Way(enrolment, Standing.WAITING, f"{told}: {what} may follow.", component, until, steps=taken)


def _place(
    enrolment: Enrolment, taken: Sequence[StepTaken], definition: Definition, changed_later: bool
) -> tuple[str, Mapping[str, str]]:
    if not changed_later:
        return enrolment.component, enrolment.until
    # An enrolment keeps the present only; before the first step it stood where the automation begins.
    return (taken[-1].next, taken[-1].until) if taken else (definition.start, {})


def _after_waits(definition: Definition, component: str, waits: Mapping[str, str], at: datetime) -> tuple[str, str]:
    """Where a way is once the waits are over that have ended by an instant, and until when it waits there."""
    seen: set[str] = set()
    while isinstance(wait := definition.components.get(component), Wait) and component not in seen:
        seen.add(component)
        until = waits.get(component, "")
        if not until or from_text(until) > at:
            return component, until
        component = wait.next or ""
    return component, waits.get(component, "") if isinstance(definition.components.get(component), Awaits) else ""


def _turned(definition: Definition, taken: Sequence[StepTaken], sending: set[str]) -> StepTaken | None:
    """The step after which no way led to any of the components; None if one still does."""
    for step in taken:
        if not sending & reachable(definition, [step.next] if step.next else []):
            return step
    return None


def _turning(enrolment: Enrolment, definition: Definition, step: StepTaken, sending: set[str], what: str) -> str:
    told = f'They went another way at the component "{step.component}" of {enrolment.automation}'
    told += f' on {_text(step.at)}: "{step.outcome}"'
    ways = links(definition.components[step.component]) if step.component in definition.components else {}
    others = [
        f'"{name}"' for name, to in ways.items() if name != step.outcome and sending & reachable(definition, [to])
    ]
    return f"{told}; to {what} leads {' or '.join(others)}." if others else f"{told}."


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


_ENDS = {
    EnrolmentState.FAILED: "failed",
    EnrolmentState.STOPPED: "was stopped",
    EnrolmentState.EXITED: "was ended",
}
