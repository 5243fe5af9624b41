"""Suppression rules: whoever meets all that one asks for gets no message on its channel (product rule 4.1).

A rule is a condition on traits and events of the contact. It is parsed once per version of the workspace's policy. One
that cannot be read any more holds for everybody: whom it kept from getting mail nobody knows, and a mail that is not
sent can be sent later. The answer names it, so that somebody mends it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from tidings.accounts.model import Workspace
from tidings.activity.facts import ContactFacts
from tidings.activity.timeline import TimelineService
from tidings.consent.model import Channel, Check, Kind
from tidings.consent.policy import Definition, read_definition
from tidings.contacts.model import Contact
from tidings.core.errors import InvalidInput

if TYPE_CHECKING:
    from tidings.conditions.model import Condition

SECTION = "suppression_rules"
RULES = 20
WORKSPACES_KEPT = 100


class RuleInput(Definition):
    """A suppression rule as it is defined; `kinds` are the messages that it holds for."""

    channel: Annotated[Channel, Field(strict=False)] = Channel.EMAIL
    description: Annotated[str, Field(max_length=1000)] = ""
    when: dict[str, Any]
    kinds: Literal["marketing", "all"] = "all"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, parsed; `when` is None where it cannot be."""

    name: str
    channel: Channel
    kinds: str
    when: Condition | None

    def concerns(self, channel: Channel, kind: Kind) -> bool:
        """Whether it is about messages of this kind on this channel."""
        return self.channel is channel and (self.kinds == "all" or kind is Kind.MARKETING)


def read_rule(body: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as it is kept. Raises InvalidInput for what it cannot ask: it knows a contact, and no event or step."""
    # late: most define nothing
    from tidings.conditions.model import AnswerRule, Count, Engaged, PropertyRule, dump, parse_condition, walk

    kept = read_definition(RuleInput, body)
    condition = parse_condition(kept["when"])
    for rule in walk(condition):
        if isinstance(rule, PropertyRule):
            raise InvalidInput("invalid_condition", "There is no event here whose properties could be asked.", "when")
        if isinstance(rule, Count) and rule.since_name is not None:
            raise InvalidInput("invalid_condition", "There is no enrolment here since which to count.", "when")
        if isinstance(rule, AnswerRule):
            raise InvalidInput("invalid_condition", "There is no enrolment here in which a server answered.", "when")
        if isinstance(rule, Engaged):
            raise InvalidInput("invalid_condition", "There is no enrolment here in which a message was sent.", "when")
    return {**kept, "when": dump(condition)}


class Screen:
    """Holds contacts against the suppression rules of their workspace."""

    def __init__(self, timeline: TimelineService) -> None:
        self._timeline = timeline
        self._parsed: OrderedDict[tuple[str, int], tuple[Rule, ...]] = OrderedDict()

    def check(
        self,
        workspace: Workspace,
        contact: Contact | Callable[[], Contact | None],
        channel: Channel,
        kind: Kind,
        now: datetime,
    ) -> Check:
        """Whether no rule holds; the answer names the first that does.

        Looks for the contact, where it is to be found, only where there are rules, and reads events only where one
        asks for them.
        """
        rules = [rule for rule in self._rules(workspace) if rule.concerns(channel, kind)]
        broken = next((rule.name for rule in rules if rule.when is None), "")
        if broken:
            told = f"the rule {broken} cannot be read any more, and so holds for everybody"
            return Check("suppression_rules", False, told)
        person = (contact if isinstance(contact, Contact) else contact()) if rules else None
        held = self._held(rules, person, now) if person is not None else ""
        return Check("suppression_rules", not held, held or "no suppression rule holds")

    def _held(self, rules: Sequence[Rule], contact: Contact, now: datetime) -> str:
        """What the first rule that holds says of a contact; empty if none does."""
        from tidings.conditions.evaluate import evaluate
        from tidings.conditions.explain import explain

        facts = ContactFacts(contact=contact, now=now, timeline=self._timeline)
        for rule in rules:
            if rule.when is not None and evaluate(rule.when, facts):
                return f"the rule {rule.name} holds: {explain(rule.when, facts).sentence}"
        return ""

    def _rules(self, workspace: Workspace) -> tuple[Rule, ...]:
        told: Mapping[str, Any] = workspace.policy.get(SECTION, {})
        if not told:
            return ()
        version = (workspace.id, workspace.policy_version)
        if version not in self._parsed:
            self._parsed[version] = tuple(_parsed(name, told[name]) for name in sorted(told))
            if len(self._parsed) > WORKSPACES_KEPT:
                self._parsed.popitem(last=False)
        return self._parsed[version]


def _parsed(name: str, told: Mapping[str, Any]) -> Rule:
    from tidings.conditions.model import parse_condition

    try:
        when = parse_condition(told.get("when"))
    except InvalidInput:
        when = None
    return Rule(name, Channel(told.get("channel", Channel.EMAIL)), str(told.get("kinds", "all")), when)
