"""The Tasks of components that decide where somebody goes on, and keep with the step why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tidings.activity.facts import ContactFacts
from tidings.automations.components import Branch, Filter, GoalReached, Split
from tidings.automations.components.choices import PASSED
from tidings.automations.definition.names import OTHERWISE
from tidings.automations.enrolments.model import StepCall, StepTaken
from tidings.automations.enrolments.past import Past
from tidings.automations.steps.runner import Situation, StepRunner, wrong_component
from tidings.automations.steps.splitting import BUCKETS, bucket_of, share_with, shares_of
from tidings.conditions.evaluate import evaluate
from tidings.conditions.explain import explain
from tidings.conditions.model import Condition
from tidings.core.clock import Clock
from tidings.core.store import Database

# Of how many rules a step keeps the explanation: an item holds 400 KB at most.
EXPLAINED_RULES = 200

Decided = tuple[str, dict[str, Any]]


class BranchTask:
    """Decides by conditions, by chance, or not at all."""

    def __init__(self, database: Database, runner: StepRunner, past: Past, clock: Clock) -> None:
        self._database = database
        self._runner = runner
        self._past = past
        self._clock = clock

    def run(self, call: StepCall) -> dict[str, Any]:
        """Take the step; the machine's answer."""
        situation = self._runner.begin(call)
        if isinstance(situation, StepTaken):
            return situation.answer
        outcome, why = self._decide(situation)
        return self._runner.take(situation, outcome, outcome, why)

    def _decide(self, situation: Situation) -> Decided:
        component = situation.component
        if isinstance(component, Branch):
            return self._branch(situation, component)
        if isinstance(component, Filter):
            return self._filter(situation, component)
        if isinstance(component, Split):
            return _split(situation.call, component)
        if isinstance(component, GoalReached):
            self._reach(situation)
            return "reached", {"check": "goal", "found": component.name or situation.call.component}
        raise wrong_component(situation.call)

    def _reach(self, situation: Situation) -> None:
        """Count whoever comes to a goal as converted, once: before the step, whose repeat finds it counted."""
        from tidings.automations.goals.reaching import ways_taken
        from tidings.automations.goals.store import DynamoGoalStore  # late: few automations have such a component

        store = DynamoGoalStore(self._database, self._runner.enrolments)
        steps = self._runner.enrolments.steps_of(situation.enrolment)
        store.convert(situation.enrolment, self._clock.now(), ways_taken(situation.definition, steps))

    def _branch(self, situation: Situation, branch: Branch) -> Decided:
        """The first arm whose condition holds, and the tables of those that were asked, by their names."""
        facts = self._facts(situation, [arm.when for arm in branch.arms])
        chosen, why = OTHERWISE, {}
        for arm in branch.arms:
            holds = evaluate(arm.when, facts)
            why[arm.name] = explain(arm.when, facts).as_dict(most=EXPLAINED_RULES // len(branch.arms))
            if holds:
                chosen = arm.name
                break
        return chosen, why

    def _filter(self, situation: Situation, component: Filter) -> Decided:
        """Whether the condition holds, and its table."""
        facts = self._facts(situation, [component.when])
        outcome = PASSED if evaluate(component.when, facts) else OTHERWISE
        return outcome, {PASSED: explain(component.when, facts).as_dict(most=EXPLAINED_RULES)}

    def _facts(self, situation: Situation, conditions: Sequence[Condition]) -> ContactFacts:
        return self._past.facts(
            contact=situation.contact,
            enrolment=situation.enrolment,
            properties=situation.properties,
            conditions=conditions,
            now=self._clock.now(),
        )


def _split(call: StepCall, component: Split) -> Decided:
    """The arm in whose share the person stands. After a merge the id counts that they entered by."""
    bucket, shares = bucket_of(call.automation, call.component, call.contact), shares_of(component.shares)
    chosen = share_with(shares, bucket)
    return chosen.outcome, {
        "check": "split",
        "found": f"bucket {bucket} of {BUCKETS}; {chosen.outcome} has those from {chosen.first} to {chosen.end - 1}",
        "bucket": bucket,
        "shares": {share.outcome: [share.first, share.end] for share in shares},
    }
