"""The Task of components that change something in Tidings itself: each component has its own way to act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tidings.automations.components import Component
from tidings.automations.enrolments.model import StepCall, StepTaken
from tidings.automations.steps.runner import Situation, StepRunner, wrong_component
from tidings.core.store import Key


class Acting:
    """Carries out components of one type."""

    def reads(self, call: StepCall, component: Any) -> Sequence[Key]:
        """What is read in one batch with what stands around the step."""
        return ()

    def act(self, situation: Situation, component: Any) -> dict[str, Any]:
        """Take the step; the machine's answer."""
        raise NotImplementedError


class ActTask:
    """Carries out a component by whoever carries out its type."""

    def __init__(self, runner: StepRunner, acting: Mapping[type[Component], Acting]) -> None:
        self._runner = runner
        self._acting = acting

    def run(self, call: StepCall) -> dict[str, Any]:
        """Take the step; the machine's answer. May be repeated."""
        component = self._runner.definition(call).components.get(call.component)
        acting = self._acting.get(type(component)) if component is not None else None
        if acting is None:
            raise wrong_component(call)
        situation = self._runner.begin(call, *acting.reads(call, component))
        return situation.answer if isinstance(situation, StepTaken) else acting.act(situation, component)
