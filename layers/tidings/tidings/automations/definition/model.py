"""What an automation is: a trigger and a graph of named components, as its writer wrote it.

    automation: welcome
    trigger: {event: Signed Up, where: {property: plan, is: team}}
    reentry: every_time
    exits:
      - {name: Left, event: Account Closed}
    goal: {event: Project Created, within: 14 days}
    start: pause
    components:
      pause: {type: wait, for: 2 days, next: tips}
      tips: {type: send_email, template: welcome-tips}

A model has the same form as what was written. A component without `next` ends the person's way, as does an `end`
component. What components may say stands in `components`, what begins and ends a way in `triggers`; whether the graph
makes sense is decided in `rules`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from tidings.automations.components import AnyComponent, Awaits
from tidings.automations.definition.names import ComponentId, Name
from tidings.automations.definition.source import read
from tidings.automations.definition.triggers import AnyExit, AnyReentry, AnyTrigger, EventExit, Goal, StateExit
from tidings.conditions.model import Model
from tidings.conditions.model import events_named as counted_in
from tidings.conditions.places import Mistake, mistakes
from tidings.core.errors import InvalidInput

MAX_EXITS = 20
# Stands among the names of events for "whatever changes the contact".
ANY_CHANGE = "*"
_CODES = frozenset({"unknown_component_type", "unknown_trigger", "unknown_exit"})


class Definition(Model):
    """A whole automation."""

    automation: Name
    description: Annotated[str, Field(max_length=2000)] = ""
    trigger: AnyTrigger
    reentry: AnyReentry = "every_time"
    exits: Annotated[list[AnyExit], Field(max_length=MAX_EXITS)] = Field(default=[])
    goal: Goal | None = None
    start: ComponentId
    components: Annotated[dict[ComponentId, AnyComponent], Field(min_length=1)]

    @property
    def awaits(self) -> frozenset[str]:
        """Names of the events that somebody inside may wait for."""
        waits = (one for one in self.components.values() if isinstance(one, Awaits))
        return frozenset(name for wait in waits for name in wait.events)

    @property
    def lets_out(self) -> frozenset[str]:
        """Names of the events by which somebody may leave; `*` where any change of the contact may let them out.

        What somebody did not do ceases to be so by that event; time alone lets nobody out before their next step.
        """
        names = {one.event for one in self.event_exits}
        for one in self.state_exits:
            names |= {ANY_CHANGE, *counted_in(one.when)}
        return frozenset(names)

    @property
    def event_exits(self) -> list[EventExit]:
        """The exits that are events."""
        return [one for one in self.exits if isinstance(one, EventExit)]

    @property
    def state_exits(self) -> list[StateExit]:
        """The exits that are conditions."""
        return [one for one in self.exits if isinstance(one, StateExit)]

    def as_dict(self) -> dict[str, Any]:
        """The definition as plain data, as it was written; keys without a value are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


def parse_definition(written: str | Mapping[str, Any]) -> Definition:
    """The definition that a text (YAML or JSON) or plain data says.

    Raises InvalidInput for the first mistake: `invalid_definition`, `unknown_component_type` or a code of
    `source.read`, with the place in `field`. `rules.check` finds all mistakes at once.
    """
    data = read(written) if isinstance(written, str) else dict(written)
    try:
        return Definition.model_validate(data)
    except ValidationError as error:
        first = mistakes(error)[0]
        raise InvalidInput(code_of(first), f"{first.place}: {first.message}", first.place) from None


def code_of(mistake: Mistake) -> str:
    """The code of a mistake in the form of a definition."""
    return mistake.kind if mistake.kind in _CODES else "invalid_definition"


def definition_hash(definition: Definition) -> str:
    """SHA-256 in hex of what the definition says, whatever the order of its keys and the form of its file."""
    text = json.dumps(definition.as_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
