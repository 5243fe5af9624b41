"""Why did this person get this, or not? What was decided, and where nothing was, what is known instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

from tidings.activity.model import SYSTEM, Event
from tidings.activity.own_events import is_pretended
from tidings.activity.timeline import Asked, TimelineService
from tidings.automations.definition.model import Definition
from tidings.automations.enrolments.model import Enrolment
from tidings.automations.entering.refusals import KEPT_FOR, Refusals, asked_in_vain, in_vain, not_again
from tidings.automations.entering.refusals_store import DynamoRefusalStore
from tidings.automations.entering.requests import AUTOMATION
from tidings.automations.store import Automation, DynamoAutomationStore, DynamoEnrolmentStore
from tidings.automations.telling.explaining import Standing, Way, explain_way, senders
from tidings.contacts.model import Contact
from tidings.contacts.search import ContactSearch, Question, read_question
from tidings.contacts.service import ContactDirectory
from tidings.core.clock import Clock
from tidings.core.errors import InvalidInput, NotFound
from tidings.messages.decisions import decision_dict, sentence
from tidings.messages.history import MessageHistory, Wanted
from tidings.messages.model import Message
from tidings.messages.template_store import DynamoTemplateStore

WHO = ("contact", "user_id", "email", "anonymous_id")
DECISIONS = 20
REFUSALS = 20
LOOKED_AT = 200
# How many of the latest events of a name are looked at for one that was meant for the automation.
LAST = 20
CAME_BY_MERGE = "; it came to them by a merge, and the automation does not ask for such events (merged: true)"
AUTOMATIONS = 20
ENTRIES = 10


@dataclass(frozen=True, slots=True)
class Account:
    """The answer: one sentence, a code for programs, and what it rests on. `others` share the address asked for.

    `refused` says event by event why automations in question did not take the person in, latest first.
    """

    code: str
    answer: str
    contact: str | None = None
    others: Sequence[str] = ()
    decisions: Sequence[Message] = ()
    ways: Sequence[Way] = ()
    notes: Sequence[str] = field(default_factory=tuple)
    refused: Sequence[Refusals] = ()

    def as_dict(self, at: datetime | None) -> dict[str, Any]:
        """The account as the API shows it."""
        return {
            "contact": self.contact,
            "others": list(self.others),
            "at": at,
            "code": self.code,
            "answer": self.answer,
            "notes": list(self.notes),
            "decisions": [decision_dict(one) for one in self.decisions],
            "ways": [one.as_dict() for one in self.ways],
            "refused": [one.as_dict() for one in self.refused],
        }


class WhyService:
    """Explains why somebody got a mail, or did not."""

    def __init__(
        self,
        search: ContactSearch,
        directory: ContactDirectory,
        history: MessageHistory,
        templates: DynamoTemplateStore,
        automations: DynamoAutomationStore,
        enrolments: DynamoEnrolmentStore,
        refusals: DynamoRefusalStore,
        timeline: TimelineService,
        clock: Clock,
    ) -> None:
        self._search = search
        self._directory = directory
        self._history = history
        self._templates = templates
        self._automations = automations
        self._enrolments = enrolments
        self._refusals = refusals
        self._timeline = timeline
        self._clock = clock

    def explain(self, workspace: str, query: Mapping[str, str], wanted: Wanted) -> Account:
        """The account of what a query asks. Raises InvalidInput where it names nobody, or more than one."""
        person, others = self._person(workspace, query)
        at = wanted.at or self._clock.now()
        if person is None:
            return Account("no_such_person", "Nobody like this is known.")
        shared = [one.id for one in others]
        if wanted.at is not None and person.created_at > wanted.at:
            return Account("not_known_then", "At that time nobody knew this person.", person.id, shared)
        decisions, _ = self._history.page(person, DECISIONS, "", person.id, wanted)
        ways, notes, refused = self._ways(person, wanted, at)
        if decisions:
            return Account("decided", sentence(decisions[0]), person.id, shared, decisions, ways, notes, refused)
        code, answer = self._nothing(workspace, wanted, ways, notes)
        return Account(code, answer, person.id, shared, (), ways, notes, refused)

    def _person(self, workspace: str, query: Mapping[str, str]) -> tuple[Contact | None, list[Contact]]:
        given = [name for name in WHO if query.get(name, "").strip()]
        if len(given) != 1:
            raise InvalidInput("invalid_identity", f"Name exactly one of {', '.join(WHO)}.", "contact")
        name, value = given[0], query[given[0]].strip()
        if name == "contact":
            try:
                return self._directory.get(workspace, value), []
            except NotFound:
                return None, []
        found = self._search.page(self._asked(workspace, name, value), 10).contacts
        return (found[0], found[1:]) if found else (None, [])

    def _asked(self, workspace: str, name: str, value: str) -> Question:
        def never() -> Any:
            raise AssertionError("only phone numbers ask for the workspace's identifiers")

        return read_question(workspace, {name: value}, never)

    def _ways(self, person: Contact, wanted: Wanted, at: datetime) -> tuple[list[Way], list[str], Sequence[Refusals]]:
        """Each way through the automations in question as it stood, latest first, and why others were not entered."""
        if wanted.send or wanted.message:
            return [], [], ()
        live = self._in_question(person.workspace, wanted)
        names = {one.name for one in live} | ({wanted.automation} if wanted.automation else set())
        entered = [
            one
            for one in self._enrolments.of_contact(person.workspace, person.shown_ids)
            if one.automation in names and one.started_at <= at and person.shows(one.contact, one.started_at)
        ]
        entered.sort(key=lambda one: one.started_at, reverse=True)
        ways = []
        for one in entered[:ENTRIES]:
            version = self._automations.version(person.workspace, one.automation, one.version)
            if version is not None:
                steps = self._enrolments.steps_of(one)
                ways.append(explain_way(one, steps, version.definition, wanted.template, at))
        refused = self._refused(person, names, entered, at) if names else []
        never = [one for one in live if one.name not in {way.automation for way in entered}]
        notes = [self._not_entered(person, one, refused, at) for one in never]
        unknown = names - {one.name for one in live} - {way.automation for way in entered}
        notes += [asked_in_vain(kept, name) for name in sorted(unknown) if (kept := in_vain(refused, name))]
        latest = {one.automation: one.started_at for one in reversed(entered)}
        return ways, notes + not_again(refused, latest), refused

    def _refused(self, person: Contact, names: set[str], entered: Sequence[Enrolment], at: datetime) -> list[Refusals]:
        """Why the automations in question did not take them in, latest first, but for events that they did enter by."""
        had = {(one.automation, one.event.get("message_id")) for one in entered}
        now, found = self._clock.now(), []
        for source in person.shown_ids:
            kept = self._refusals.latest(person.workspace, source, at, now)
            for one in islice(kept, LOOKED_AT):
                asked = [
                    refused
                    for refused in one.refused
                    if refused.automation in names and (refused.automation, one.event["message_id"]) not in had
                ]
                if asked and person.shows(source, one.at):
                    found.append(replace(one, refused=asked))
        return sorted(found, key=lambda one: one.at, reverse=True)[:REFUSALS]

    def _in_question(self, workspace: str, wanted: Wanted) -> list[Automation]:
        if wanted.automation:
            found = self._automations.live(workspace, wanted.automation)
            return [found] if found else []
        if not wanted.template:
            return []
        live = self._automations.all_live(workspace)
        return [one for one in live if senders(one.definition, wanted.template)][:AUTOMATIONS]

    def _not_entered(self, person: Contact, automation: Automation, refused: Sequence[Refusals], at: datetime) -> str:
        """Why somebody never entered an automation: what begins it, when they did that last, and what was kept."""
        trigger = automation.definition.trigger
        begins = " or ".join(f'the event "{name}"' for name in trigger.events)
        told = f"They never entered {automation.name}, which begins with {begins}"
        until = None if at >= self._clock.now() else at
        found = self._last(person, automation, until)
        asked = in_vain(refused, automation.name)
        if asked is not None and (found is None or asked.at > found.received_at):
            return asked_in_vain(asked, automation.name)
        if found is None:
            return f"{told}: they never did that."
        told += f": they did that last on {found.received_at:%Y-%m-%d %H:%M:%S} UTC"
        kept = next((one for one in refused if one.is_of(found)), None)
        by = None if kept is None else kept.of(automation.name)
        if kept is not None and by is not None:
            came = "" if trigger.takes_merged or kept.contact == person.id else CAME_BY_MERGE
            return f"{told}, and did not enter because {by.sentence}{came}."
        if found.received_at < self._automations.first_published(automation):
            return f"{told}, before the automation was published."
        if found.received_at + KEPT_FOR <= self._clock.now():
            return f"{told}; why they did not enter is kept for {KEPT_FOR.days} days."
        if trigger.where is not None:
            return f"{told}, and the condition of the trigger did not hold."
        return f"{told}."

    def _last(self, person: Contact, automation: Automation, until: datetime | None) -> Event | None:
        """The latest event of theirs by which the automation begins."""
        trigger = automation.definition.trigger
        asked = [Asked(name=name, until=until) for name in trigger.events]
        found = [event for one in asked for event in self._timeline.page(person, LAST, asked=one).events]
        ours = [one for one in found if not is_pretended(one) and (not trigger.own or one.type == SYSTEM)]
        meant = [one for one in ours if not trigger.addressed or one.properties.get(AUTOMATION) == automation.name]
        return max(meant, key=lambda event: event.received_at, default=None)

    def _nothing(self, workspace: str, wanted: Wanted, ways: Sequence[Way], notes: Sequence[str]) -> tuple[str, str]:
        """Why nothing was decided."""
        if wanted.message:
            return "no_such_message", "This person has no such message."
        if wanted.send:
            return "not_in_send", "Nothing of this send was ever meant for this person."
        if wanted.template and self._templates.live(workspace, wanted.template) is None:
            return "no_such_template", f"There is no template named {wanted.template}."
        if notes and not ways and not wanted.template:  # it need not send anything
            return "never_entered", notes[0]
        missing = self._missing(workspace, wanted)
        if missing is not None:
            return missing
        for standing in (Standing.WAITING, Standing.TURNED, Standing.ENDED, Standing.PASSED, Standing.NOT_IN_VERSION):
            found = next((way for way in ways if way.standing is standing), None)
            if found is not None:
                return standing.value, found.sentence
        if notes:
            return "never_entered", notes[0]
        if wanted.template:
            told = f"No automation sends the template {wanted.template}, and nobody ordered it for this person."
            return "never_ordered", told
        return "never_ordered", "No mail was ever meant for this person."

    def _missing(self, workspace: str, wanted: Wanted) -> tuple[str, str] | None:
        """What the automation that is named lacks."""
        if not wanted.automation:
            return None
        live = self._automations.live(workspace, wanted.automation)
        if live is None:
            return "no_such_automation", f"There is no published automation named {wanted.automation}."
        if not senders(live.definition, wanted.template) and not self._sent_once(live, wanted.template):
            what = f"the template {wanted.template}" if wanted.template else "any mail"
            return "not_in_automation", f"The automation {wanted.automation} does not send {what}."
        return None

    def _sent_once(self, live: Automation, template: str) -> bool:
        """Whether an earlier version sent the template: people may be on it still."""
        earlier: Sequence[Definition] = [
            one.definition
            for one in self._automations.versions(live.workspace, live.name)
            if one.version < live.version
        ]
        return any(senders(one, template) for one in earlier)
