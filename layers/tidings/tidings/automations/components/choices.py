"""Components that decide where somebody goes on."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tidings.automations.components.base import Asks, Component, Link, to
from tidings.automations.definition.names import HOLDOUT, OTHERWISE, ArmName, ComponentId, Percent, SplitArmName
from tidings.conditions.model import Condition, Model

PASSED = "passed"


class Decides(Component):
    """Base of components that take no time and do nothing that anybody could answer."""

    function: ClassVar[str] = "branch"


class Arm(Model):
    """One way out of a branch; `name` is what reports show."""

    name: ArmName
    when: Condition
    next: ComponentId | None = None


class Branch(Decides):
    """Sends the person along the first arm whose condition holds, else along `otherwise`."""

    type: Literal["branch"]
    arms: Annotated[list[Arm], Field(min_length=1, max_length=50)]
    otherwise: ComponentId | None = None

    def links(self) -> list[Link]:
        arms = [to(arm.name, f"arms[{number}].next", arm.next) for number, arm in enumerate(self.arms)]
        return [*arms, to(OTHERWISE, "otherwise", self.otherwise)]

    def conditions(self) -> list[Asks]:
        return [Asks(f"arms[{number}].when", arm.when, False) for number, arm in enumerate(self.arms)]


class Filter(Decides):
    """Lets those go on for whom `when` holds; the others go along `otherwise`, or leave where that is not written."""

    type: Literal["filter"]
    when: Condition
    next: ComponentId | None = None
    otherwise: ComponentId | None = None

    def links(self) -> list[Link]:
        return [to(PASSED, "next", self.next), to(OTHERWISE, "otherwise", self.otherwise)]

    def conditions(self) -> list[Asks]:
        return [Asks("when", self.when, False)]


class SplitArm(Model):
    """One way out of a split, and how many of a hundred people go it: at most two decimals."""

    name: SplitArmName
    percent: Percent
    next: ComponentId | None = None


class Split(Decides):
    """Spreads people over its arms by chance. The same person always goes the same way.

    `holdout` is how many of a hundred go along `on_holdout`, or leave where that is not written; what the arms and it
    say must make a hundred.
    """

    type: Literal["split"]
    arms: Annotated[list[SplitArm], Field(min_length=1, max_length=50)]
    holdout: Percent | None = None
    on_holdout: ComponentId | None = None

    @property
    def shares(self) -> list[tuple[str, Decimal]]:
        """Each outcome and its percentage, in the order of the file."""
        held = [] if self.holdout is None else [(HOLDOUT, _exactly(self.holdout))]
        return [*((arm.name, _exactly(arm.percent)) for arm in self.arms), *held]

    def links(self) -> list[Link]:
        arms = [to(arm.name, f"arms[{number}].next", arm.next) for number, arm in enumerate(self.arms)]
        return [*arms, to(HOLDOUT, "on_holdout", self.on_holdout)] if self.holdout is not None else arms


def _exactly(percent: float) -> Decimal:
    return Decimal(str(percent))
