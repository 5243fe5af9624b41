"""The rules of the language that hold no other rules: about one value, and about what became of a message."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tidings.conditions.facts import CLICKED, ENGAGEMENTS, OPENED, REPLIED
from tidings.conditions.operands import (
    AnswerPath,
    DateText,
    EngagementKinds,
    ListOperand,
    NumberOperand,
    ScalarOperand,
    Text,
    WholeOperand,
)

Operator = Literal[
    "is", "is_not", "in", "not_in", "exists", "contains", "starts_with", "ends_with",
    "greater_than", "at_least", "less_than", "at_most", "before", "after",
]  # fmt: skip
OPERATORS: tuple[str, ...] = get_args(Operator)


class Model(BaseModel):
    """Base of every written thing: strict, frozen, no key that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, defer_build=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """What was written, without the defaults: a comparison would show fourteen operators."""
        return [(name, value) for name, value in super().__repr_args__() if name in self.model_fields_set]


_ONE_OPERATOR: dict[str, Any] = {"oneOf": [{"required": [operator]} for operator in OPERATORS]}


class Comparison(Model):
    """Base of `trait`, `property` and `answer`: one name, one operator, one value."""

    model_config = ConfigDict(json_schema_extra=_ONE_OPERATOR)
    kind: ClassVar[Literal["trait", "property", "answer"]]

    is_: WholeOperand = Field(default="", alias="is")
    is_not: WholeOperand = ""
    in_: ListOperand = Field(default=[], alias="in")
    not_in: ListOperand = []
    exists: bool = True
    contains: ScalarOperand = ""
    starts_with: Text = ""
    ends_with: Text = ""
    greater_than: NumberOperand = 0
    at_least: NumberOperand = 0
    less_than: NumberOperand = 0
    at_most: NumberOperand = 0
    before: DateText = ""
    after: DateText = ""

    @property
    def name(self) -> str:
        """The name of the trait or property, or the path of the answer."""
        return str(getattr(self, self.kind))

    @cached_property
    def operator(self) -> str:
        """The one operator that was written, as it is written."""
        return self._written()[0]

    @cached_property
    def value(self) -> Any:
        """What the operator compares with."""
        return getattr(self, self.operator + "_" if self.operator in {"is", "in"} else self.operator)

    def _written(self) -> list[str]:
        return sorted(name.removesuffix("_") for name in self.model_fields_set - {self.kind})

    @model_validator(mode="after")
    def _has_one_operator(self) -> Comparison:
        written = self._written()
        if not written:
            raise ValueError(f"needs an operator: one of {', '.join(OPERATORS)}")
        if len(written) > 1:
            raise ValueError(f"has several operators ({', '.join(written)}); combine rules with all: [...]")
        return self


class TraitRule(Comparison):
    """Compares a trait of the contact."""

    kind: ClassVar[Literal["trait"]] = "trait"
    trait: Text


class PropertyRule(Comparison):
    """Compares a property of the event in question: the trigger's, or inside `where` the counted one's."""

    kind: ClassVar[Literal["property"]] = "property"
    property: Text


class AnswerRule(Comparison):
    """Compares what a server answered last to a component of this enrolment: `COMPONENT.status` or `COMPONENT.body`.

    A dot reaches into the body: `COMPONENT.body.account.plan`.
    """

    kind: ClassVar[Literal["answer"]] = "answer"
    answer: AnswerPath

    @property
    def component(self) -> str:
        """The component that was answered."""
        return self.answer.partition(".")[0]


class Known(Model):
    """Holds for somebody who has said who they are, by a user id; `known: false` for whoever is anonymous."""

    kind: ClassVar[Literal["known"]] = "known"

    known: bool


class Engaged(Model):
    """Holds if a person engaged, in one of the ways of `by`, with what a component sent in this enrolment.

    Without `by` an open, a click or a reply is meant. What machines open and click does not count.
    """

    kind: ClassVar[Literal["engaged"]] = "engaged"

    engaged: Text
    by: EngagementKinds = Field(default=[OPENED, CLICKED, REPLIED])

    @property
    def component(self) -> str:
        """The component that sent."""
        return self.engaged

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is asked for, in the order in which things happen to a message."""
        written = {self.by} if isinstance(self.by, str) else set(self.by)
        return tuple(kind for kind in ENGAGEMENTS if kind in written)

    @property
    def in_turn(self) -> list[tuple[str, ...]]:
        """The same, what a message says itself before what takes a further read."""
        own, others = tuple(kind for kind in self.kinds if kind != REPLIED), (REPLIED,)
        return [kinds for kinds in (own, others) if kinds and set(kinds) <= set(self.kinds)]
