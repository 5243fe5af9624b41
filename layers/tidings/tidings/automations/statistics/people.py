"""Who entered an automation, who acted at a component and who is there: page by page, each with their way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tidings.automations.components import Component, End, Sends, Wait
from tidings.automations.components.waits import WAITED
from tidings.automations.definition.model import Definition
from tidings.automations.enrolments.items import StepItem
from tidings.automations.enrolments.model import Enrolment, EnrolmentState, StepTaken, message_of
from tidings.automations.enrolments.rewinding import Then, as_of
from tidings.automations.machines.graph import state_of
from tidings.automations.statistics.lists import Asked, DynamoLists, Listed, standing_at
from tidings.automations.statistics.onward import heads_of, sources
from tidings.automations.statistics.passing import Came, DynamoPassing
from tidings.automations.statistics.room import Room
from tidings.automations.statistics.service import no_such_version, version_in
from tidings.automations.statistics.tallies import ENDED, place_of
from tidings.automations.store import Automation, DynamoAutomationStore, DynamoEnrolmentStore
from tidings.core import cursors
from tidings.core.clock import Clock, to_text
from tidings.core.errors import InvalidInput, NotFound
from tidings.core.store import Database, Key
from tidings.messages import decisions
from tidings.messages.store import DynamoMessageStore

ACTED, WAITING = "acted", "waiting"
# How many pages of those who came to a state are looked through for whom one page shows.
LOOKS = 5
_LAST = "\U0010ffff"
# Some people of one place, and behind whom the next page begins: "" at the end.
Page = tuple[list[dict[str, Any]], str]
# The components at which nobody takes a step, and by which outcome those are told who came there and went on.
_WITHOUT_STEPS: dict[type[Component], str] = {Wait: WAITED, End: ENDED}


class AutomationPeople:
    """Lists of people, which cost a bounded number of reads: a page may be short and still have a next one."""

    def __init__(
        self,
        database: Database,
        automations: DynamoAutomationStore,
        enrolments: DynamoEnrolmentStore,
        messages: DynamoMessageStore,
        clock: Clock,
    ) -> None:
        self._database = database
        self._automations = automations
        self._enrolments = enrolments
        self._messages = messages
        self._steps = database.table(StepItem, "steps")
        self._lists = DynamoLists(database)
        self._passing = DynamoPassing(database, enrolments)
        self._clock = clock

    def enrolled(self, workspace: str, name: str, query: Mapping[str, str], limit: int) -> dict[str, Any]:
        """Everybody who entered, the latest first; `state` and `version` ask for some. Raises InvalidInput.

        With `at` those who had entered by then, as they stood: a query for each who went on since.
        """
        self._automations.require(workspace, name)
        version, state, then = version_in(query), _state_in(query), self._then(query)
        told = [to_text(then.at)] if then else []
        scope = (workspace, name, "enrolments", state or "", str(version), *told)
        place = cursors.read(scope, query.get("cursor", ""), str)
        wanted: dict[str, dict[str, str]] = {} if state is None or then else {"state": {"S": state.value}}
        wanted |= {} if version is None else {"version": {"N": str(version)}}
        index = ("enrolments", "entered", "automation_shard", "entered")
        asked = Asked(*index, f"{workspace}#{name}", wanted=wanted)
        first = f"{told[0]}{_LAST}" if told else ""
        listed, after = self._lists.page(asked, limit, place[0] if place else first)
        found = self._enrolments.listed([(one.pk, one.sk) for one in listed])
        if then is not None:
            found = [then.seen(self._enrolments, one)[0] for one in found if then.had_begun(one)]
        return {
            "enrolments": [{**one.as_dict(), "path_at": _path(one)} for one in found if state in (None, one.state)],
            "cursor": cursors.write(scope, [after]) if after else "",
        }

    def at_component(
        self, workspace: str, name: str, component: str, query: Mapping[str, str], limit: int
    ) -> dict[str, Any]:
        """Who acted at a component, the latest first, or is `waiting` there, who goes on first first.

        `outcome` tells those of one outcome; without it those of one stand together. Who passed a wait, or came to an
        end, stand together by where they came from. Raises InvalidInput, NotFound.
        """
        version, outcome, who = version_in(query), query.get("outcome", ""), query.get("who", ACTED)
        if who not in (ACTED, WAITING):
            raise InvalidInput("invalid_who", f"who is {ACTED} or {WAITING}.", "who")
        versions = self._versions(workspace, name, component, version)
        scope = (workspace, name, component, who, outcome, str(version))
        cursor = query.get("cursor", "")
        if who == WAITING:
            return self._waiting(workspace, name, component, versions, limit, scope, cursor)
        kind = type(versions[0].definition.components[component])  # as it is by now, where it was another once
        if kind in _WITHOUT_STEPS:
            alike = [one for one in versions if isinstance(one.definition.components[component], kind)]
            came = alike if outcome in ("", _WITHOUT_STEPS[kind]) else []
            return self._came(workspace, name, component, came, limit, scope, cursor)
        place = cursors.read(scope, cursor, str)
        wanted = {} if version is None else {"version": {"N": str(version)}}
        begins = f"{outcome}\t" if outcome else ""
        asked = Asked("steps", "taken", "acted", "taken", f"{workspace}#{name}#{component}", begins, wanted=wanted)
        listed, after = self._lists.page(asked, limit, place[0] if place else "")
        keys = [Key(self._steps, one.pk, one.sk) for one in listed]
        found = self._database.batch_get(keys)
        pairs = [(one, found[key]) for one, key in zip(listed, keys, strict=True) if key in found]
        room = Room()
        people = [room.shown(_acted(one, self._enrolments.step(item))) for one, item in pairs]
        return {"people": people, "cursor": cursors.write(scope, [after]) if after else ""}

    def one(
        self, workspace: str, name: str, contact: str, entry: str, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """An enrolment with its steps, each with why, and where it sent the message and what was decided about it.

        With `at` as it stood then. Three batched reads and one query. Raises NotFound, InvalidInput.
        """
        then = self._then(query or {})
        enrolment = self._enrolments.get(workspace, contact, name, entry)
        if enrolment is None:
            raise NotFound("unknown_enrolment", "There is no such enrolment in this automation.", "enrolment")
        version = self._automations.version(workspace, name, enrolment.version)
        steps = self._enrolments.steps_of(enrolment)
        if then is not None:
            if not then.had_begun(enrolment):
                raise NotFound("not_yet", "They had not entered the automation at that time.", "at")
            enrolment, steps = as_of(enrolment, steps, then)
        decided = self._decisions(enrolment, steps, None if version is None else version.definition, then)
        path = Room().path([{**step.as_dict(), "message": decided.get(step.n)} for step in steps])
        return {**enrolment.as_dict(), "path_at": _path(enrolment), "path": path}

    def _then(self, query: Mapping[str, str]) -> Then | None:
        at = decisions.read_at(query)
        return None if at is None else Then(at, self._automations.begins)

    def _decisions(
        self, enrolment: Enrolment, steps: Iterable[StepTaken], definition: Definition | None, then: Then | None
    ) -> dict[int, dict[str, Any]]:
        components = definition.components if definition else {}
        keys = {}
        for step in steps:
            if isinstance(components.get(step.component), Sends):
                message = message_of(enrolment, step.component, step.n)
                keys[self._messages.key(enrolment.workspace, enrolment.contact, message)] = step.n
        items = self._database.batch_get(keys) if keys else {}
        messages = {keys[key]: self._messages.entity(item) for key, item in items.items()}
        stood = {n: one if then is None else decisions.as_of(one, then.at) for n, one in messages.items()}
        return {
            n: {
                "message": one.id,
                "state": one.state.value,
                "decision": dict(one.decision),
                "earlier": [dict(earlier) for earlier in one.earlier],
            }
            for n, one in stood.items()
            if one is not None
        }

    def _waiting(
        self,
        workspace: str,
        name: str,
        component: str,
        versions: Iterable[Automation],
        limit: int,
        scope: tuple[str, ...],
        cursor: str,
    ) -> dict[str, Any]:
        definitions = {one.version: one.definition for one in versions}
        heads = sorted({head for definition in definitions.values() for head in heads_of(definition, component)})
        now = self._clock.now()
        border = f"{to_text(now)}{_LAST}"

        def page(head: str, after: str, room: int) -> Page:
            listed, after = self._lists.page(standing_at(workspace, name, head, forward=True), room, after)
            here = [one for one in listed if one.version in definitions]
            here = [one for one in here if _is_at(definitions[one.version], component, head, one, now)]
            is_over = head != component and after > border
            return self._standing(head, component, here), "" if is_over else after

        return _over(heads, limit, scope, cursor, page)

    def _came(
        self,
        workspace: str,
        name: str,
        component: str,
        versions: Iterable[Automation],
        limit: int,
        scope: tuple[str, ...],
        cursor: str,
    ) -> dict[str, Any]:
        definitions = {one.version: one.definition for one in versions}
        from_where = sorted({source for one in definitions.values() for source in sources(one, component)})
        now = self._clock.now()

        def page(source: str, after: str, room: int) -> Page:
            came, after = self._passing.page((workspace, name), source, definitions, room, after)
            told = [(one, _shown(one, component, definitions[one.enrolment.version], now)) for one in came]
            return [{**shown, "path_at": _path(one.enrolment)} for one, shown in told if shown is not None], after

        return _over(from_where, limit, scope, cursor, page)

    def _standing(self, head: str, component: str, listed: Iterable[Listed]) -> list[dict[str, Any]]:
        """Those of whom it still holds, by the enrolments as they are: one batched read."""
        enrolments = self._enrolments.listed([(one.pk, one.sk) for one in listed])
        return [_waits(one, component) for one in enrolments if one.component == head]

    def _versions(self, workspace: str, name: str, component: str, version: int | None) -> list[Automation]:
        found = self._automations.versions(workspace, name)
        if not found:
            self._automations.require(workspace, name)
        asked = [one for one in found if version in (None, one.version)]
        if not asked and version is not None:
            raise no_such_version()
        here = [one for one in asked if component in one.definition.components]
        if not here:
            raise NotFound(
                "no_such_component", f"No published version of {name} has a component {component}.", "component"
            )
        return here


def _over(
    places: Sequence[str], limit: int, scope: tuple[str, ...], cursor: str, page: Callable[[str, str, int], Page]
) -> dict[str, Any]:
    """A page of people who stand by places: those of the first one first. `page` lists some of one place."""
    at, after = cursors.read(scope, cursor, int, str) or (0, "")
    people: list[dict[str, Any]] = []
    for _ in range(LOOKS):
        if at >= len(places) or len(people) >= limit:
            break
        found, after = page(places[at], after, limit - len(people))
        people += found
        at += not after
    return {"people": people, "cursor": cursors.write(scope, [at, after]) if at < len(places) else ""}


def _shown(came: Came, component: str, definition: Definition, now: datetime) -> dict[str, Any] | None:
    is_end = isinstance(definition.components[component], End)
    return (came.ended if is_end else came.passed)(component, definition, now)


def _acted(listed: Listed, step: StepTaken) -> dict[str, Any]:
    contact = listed.pk.partition("#")[2]
    automation, entry, _ = listed.sk.split("#")
    return {
        "contact": contact,
        "entry": entry,
        "version": listed.version,
        "n": step.n,
        "outcome": step.outcome,
        "at": step.at,
        "next": step.next,
        "why": dict(step.why),
        "path_at": _link(automation, contact, entry),
    }


def _waits(enrolment: Enrolment, component: str) -> dict[str, Any]:
    return {
        "contact": enrolment.contact,
        "entry": enrolment.entry,
        "version": enrolment.version,
        "state": enrolment.state.value,
        "started_at": enrolment.started_at,
        "until": enrolment.until.get(component),
        "path_at": _path(enrolment),
    }


def _path(enrolment: Enrolment) -> str:
    return _link(enrolment.automation, enrolment.contact, enrolment.entry)


def _link(automation: str, contact: str, entry: str) -> str:
    """Where an enrolment is shown with its path."""
    return f"/v1/automations/{automation}/enrolments/{contact}/{entry}"


def _state_in(query: Mapping[str, str]) -> EnrolmentState | None:
    text = query.get("state", "").strip()
    if not text:
        return None
    try:
        return EnrolmentState(text)
    except ValueError:
        states = ", ".join(EnrolmentState)
        raise InvalidInput("invalid_state", f"state is one of {states}.", "state") from None


def _is_at(definition: Definition, component: str, head: str, listed: Listed, now: datetime) -> bool:
    place = place_of(head, listed.until, now)
    there = definition.components.get(place.component)
    behind = state_of(definition, there.next or "") if place.is_past and isinstance(there, Wait) else place.component
    return behind == component
