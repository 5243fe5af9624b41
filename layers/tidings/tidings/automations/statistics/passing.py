"""Whom a wait let pass, and who came to an end: nothing is written there, so it is read off where people came from.

Somebody comes to a wait by a step that leads there, or to waits that lead there, or by beginning there. They passed it
if they took a further step, are behind it by now, or left or came to the end from behind it. They came to an end if a
step leads there, or if they passed a wait that does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from tidings.automations.components import Wait
from tidings.automations.components.waits import WAITED
from tidings.automations.definition.model import Definition
from tidings.automations.enrolments.items import StepItem
from tidings.automations.enrolments.model import Enrolment, EnrolmentState, StepTaken
from tidings.automations.machines.graph import state_of
from tidings.automations.statistics.lists import Asked, DynamoLists, Listed
from tidings.automations.statistics.onward import BEGUN, leading_to, target_of
from tidings.automations.statistics.tallies import ENDED, PAST, parts_of, place_of
from tidings.automations.store import DynamoEnrolmentStore
from tidings.core.clock import to_text
from tidings.core.store import Database, Key


class Came(NamedTuple):
    """That somebody came to a state, after `n` steps and by the last of them, if there was any.

    `until` are the ends of the waits there, where they are known.
    """

    enrolment: Enrolment
    n: int
    head: str
    until: Mapping[str, str]
    step: StepTaken | None = None

    def passed(self, wait: str, definition: Definition, now: datetime) -> dict[str, Any] | None:
        """How the API shows that they passed a wait, and when, if that is known; None if they did not."""
        if not _has_passed(definition, wait, self, now):
            return None
        (onward,) = definition.components[wait].links()
        return self._shown(WAITED, self.until.get(wait), state_of(definition, onward.target))

    def ended(self, end: str, definition: Definition, now: datetime) -> dict[str, Any] | None:
        """How the API shows that they came to an end, and when, if that is known; None if they did not."""
        if self.step is not None and _target(definition, self.step) == end:
            return self._shown(ENDED, to_text(self.step.at), "")
        for wait in leading_to(definition, end):
            if _has_passed(definition, wait, self, now):
                return self._shown(ENDED, self.until.get(wait), "")
        return None

    def _shown(self, outcome: str, at: str | None, following: str) -> dict[str, Any]:
        return {
            "contact": self.enrolment.contact,
            "entry": self.enrolment.entry,
            "version": self.enrolment.version,
            "n": self.n,
            "outcome": outcome,
            "at": at,
            "next": following,
            "why": {},
        }


class DynamoPassing:
    """Lists who came to waits and ends, by where they came from."""

    def __init__(self, database: Database, enrolments: DynamoEnrolmentStore) -> None:
        self._database = database
        self._enrolments = enrolments
        self._steps = database.table(StepItem, "steps")
        self._lists = DynamoLists(database)

    def page(
        self, place: tuple[str, str], source: str, definitions: Mapping[int, Definition], limit: int, after: str
    ) -> tuple[list[Came], str]:
        """Up to `limit` who came from a source, the latest first, and behind whom the next page begins, "" at the end.

        `place` is the workspace and the automation. A page of a list and two batched reads at most.
        """
        name = "#".join(place)
        if source == BEGUN:
            asked = Asked("enrolments", "entered", "automation_shard", "entered", name)
        else:
            asked = Asked("steps", "taken", "acted", "taken", f"{name}#{source}")
        listed, following = self._lists.page(asked, limit, after)
        here = [one for one in listed if one.version in definitions]
        return (self._begun(here, definitions) if source == BEGUN else self._led(here)), following

    def _begun(self, listed: Iterable[Listed], definitions: Mapping[int, Definition]) -> list[Came]:
        found = self._enrolments.listed([(one.pk, one.sk) for one in listed])
        heads = {version: state_of(one, one.start) for version, one in definitions.items()}
        return [Came(one, 0, heads[one.version], {} if one.n else one.until) for one in found]

    def _led(self, listed: Iterable[Listed]) -> list[Came]:
        keys = {Key(self._steps, one.pk, one.sk): (one.pk, one.sk.rpartition("#")[0]) for one in listed}
        items = self._database.batch_get(keys) if keys else {}
        steps = [(keys[key], self._enrolments.step(items[key])) for key in keys if key in items]
        enrolments = {
            (f"{one.workspace}#{one.contact}", f"{one.automation}#{one.entry}"): one
            for one in self._enrolments.listed(dict.fromkeys(whose for whose, _ in steps))
        }
        return [_by(enrolments[whose], step) for whose, step in steps if whose in enrolments]


def _by(enrolment: Enrolment, step: StepTaken) -> Came:
    return Came(enrolment, step.n, step.next, step.until, step)


def _target(definition: Definition, step: StepTaken) -> str:
    component = definition.components.get(step.component)
    return "" if component is None else target_of(component, step.outcome)


def _has_passed(definition: Definition, wait: str, came: Came, now: datetime) -> bool:
    """Whether somebody who came to a state passed a wait that only waits lead to from there."""
    order = _chain(definition, came.head)
    if wait not in order:
        return False
    enrolment = came.enrolment
    if enrolment.n > came.n:
        return True
    here, is_past = _place(enrolment, now)
    return here != "" and here in order and (order.index(here) > order.index(wait) or (here == wait and is_past))


def _chain(definition: Definition, head: str) -> list[str]:
    """A state, and what follows it up to the first that is no wait."""
    found = [head]
    while isinstance(one := definition.components.get(found[-1]), Wait):
        following = state_of(definition, one.next or "")
        if following in found:
            break
        found.append(following)
    return found


def _place(enrolment: Enrolment, now: datetime) -> tuple[str, bool]:
    """Where somebody is, or left from, and whether they are behind it. Who is parked has not left."""
    if enrolment.ended is not None and enrolment.state is not EnrolmentState.PARKED:
        component, name = enrolment.ended
        return component, parts_of(name)[0] == PAST
    place = place_of(enrolment.component, enrolment.until, now)
    return place.component, place.is_past
