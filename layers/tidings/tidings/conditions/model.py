"""What a condition is: the rule language that branches, triggers, segments and suppression rules share.

    {all: [...]}   {any: [...]}   {none: [...]}           groups, at least one rule each
    {trait: NAME, OP: VALUE}                              of the contact
    {property: NAME, OP: VALUE}                           of the event in question
    {did: EVENT, at_least: 1, since: enrolment, within: 7 days, where: CONDITION}
    {did_not: EVENT, since: {step: COMPONENT}}            the opposite of `did` with `at_least: 1`

A model has the same form as what was written, so that `dump(parse_condition(x)) == x`. What the operators mean is in
`operators`. A condition has at most 200 rules and groups, nested at most 10 deep.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Annotated, Any, ClassVar, Literal, Protocol, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from tidings.conditions.durations import parse_duration
from tidings.conditions.operands import (
    DateText,
    DurationText,
    ListOperand,
    NumberOperand,
    ScalarOperand,
    Text,
    WholeOperand,
)
from tidings.conditions.places import TAG, mistakes
from tidings.core.errors import InvalidInput

MAX_DEPTH = 10
MAX_RULES = 200

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


class Group(Model):
    """Base of `all`, `any` and `none`."""

    kind: ClassVar[Literal["all", "any", "none"]]

    @property
    def rules(self) -> list[Node]:
        """The rules of the group, in the order in which they were written."""
        rules: list[Node] = getattr(self, self.kind)
        return rules

    @cached_property
    def cheap_first(self) -> list[Node]:
        """The same rules, those that ask for events last."""
        return sorted(self.rules, key=needs_events)


class AllOf(Group):
    """Holds if every rule holds."""

    kind: ClassVar[Literal["all"]] = "all"
    all: Rules


class AnyOf(Group):
    """Holds if at least one rule holds."""

    kind: ClassVar[Literal["any"]] = "any"
    any: Rules


class NoneOf(Group):
    """Holds if no rule holds."""

    kind: ClassVar[Literal["none"]] = "none"
    none: Rules


_ONE_OPERATOR: dict[str, Any] = {"oneOf": [{"required": [operator]} for operator in OPERATORS]}


class Comparison(Model):
    """Base of `trait` and `property`: one name, one operator, one value."""

    model_config = ConfigDict(json_schema_extra=_ONE_OPERATOR)
    kind: ClassVar[Literal["trait", "property"]]

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
        """The name of the trait or property."""
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


class SinceStep(Model):
    """The moment at which a component was last passed."""

    step: Text


def _since_kind(value: object) -> str:
    return TAG + ("step" if isinstance(value, Mapping | SinceStep) else "word")


Since = Annotated[
    Annotated[Literal["enrolment"], Tag(TAG + "word")] | Annotated[SinceStep, Tag(TAG + "step")],
    Discriminator(_since_kind),
]


class Count(Model):
    """Base of `did` and `did_not`: how often an event came, in a period, and with which properties."""

    kind: ClassVar[Literal["did", "did_not"]]

    since: Since | None = None
    within: DurationText | None = None
    where: Condition | None = None

    @property
    def event(self) -> str:
        """The name of the event that is counted."""
        return str(getattr(self, self.kind))

    @property
    def enough(self) -> int:
        """How many occurrences decide the rule; no more need to be counted."""
        return 1

    @property
    def since_name(self) -> str | None:
        """What to ask `Facts.instant` for: `enrolment`, `step:COMPONENT`, or None for the beginning of time."""
        return f"step:{self.since.step}" if isinstance(self.since, SinceStep) else self.since

    @cached_property
    def within_length(self) -> timedelta | None:
        """`within` as a length of time."""
        return parse_duration(self.within) if self.within else None

    @model_validator(mode="after")
    def _where_looks_at_properties(self) -> Count:
        for rule in walk(self.where) if self.where else ():
            if not isinstance(rule, Group | PropertyRule):
                raise ValueError("where: looks at properties of the counted event only")
        return self


class Did(Count):
    """Holds if the event came at least `at_least` times."""

    kind: ClassVar[Literal["did"]] = "did"
    did: Text
    at_least: Annotated[int, Field(ge=1, le=1000)] = 1

    @property
    def enough(self) -> int:
        return self.at_least


class DidNot(Count):
    """Holds if the event did not come."""

    kind: ClassVar[Literal["did_not"]] = "did_not"
    did_not: Text


_KINDS: tuple[type[Group | Comparison | Count], ...] = (AllOf, AnyOf, NoneOf, TraitRule, PropertyRule, Did, DidNot)
_KEYS = tuple(model.kind for model in _KINDS)


def _kind_of(value: object) -> str | None:
    if isinstance(value, Group | Comparison | Count):
        return TAG + value.kind
    if not isinstance(value, Mapping):
        return None
    return next((TAG + key for key in _KEYS if key in value), None)


Node = Annotated[
    Annotated[AllOf, Tag(TAG + "all")]
    | Annotated[AnyOf, Tag(TAG + "any")]
    | Annotated[NoneOf, Tag(TAG + "none")]
    | Annotated[TraitRule, Tag(TAG + "trait")]
    | Annotated[PropertyRule, Tag(TAG + "property")]
    | Annotated[Did, Tag(TAG + "did")]
    | Annotated[DidNot, Tag(TAG + "did_not")],
    Discriminator(
        _kind_of,
        custom_error_type="unknown_rule",
        custom_error_message=f"is no rule; a rule has one of the keys {', '.join(_KEYS)}",
    ),
]
Rules = Annotated[list[Node], Field(min_length=1)]


def _bounded(value: object) -> object:
    """Refuses what is too deep or too large before anything recurses into it."""
    rules, level, depth = 0, [value], 0
    while level:
        depth += 1
        rules += len(level)
        if depth > MAX_DEPTH:
            raise ValueError(f"is nested more than {MAX_DEPTH} deep")
        if rules > MAX_RULES:
            raise ValueError(f"has more than {MAX_RULES} rules")
        level = [part for one in level for part in _parts_of(one)]
    return value


def _parts_of(value: object) -> list[object]:
    if not isinstance(value, Mapping):
        return []
    parts = [value["where"]] if "where" in value else []
    for kind in ("all", "any", "none"):
        rules = value.get(kind)
        parts.extend(rules if isinstance(rules, list) else ())
    return parts


Condition = Annotated[Node, BeforeValidator(_bounded)]


# --- what a condition asks about ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Occurrence:
    """One event that came, as far as rules look at it. `received_at` is aware, in UTC."""

    received_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EventQuery:
    """Asks for the events called `event` received at `since` or later; `since` None means all that are kept."""

    event: str
    since: datetime | None = None


class Facts(Protocol):
    """What a condition may ask. `occurrences` is asked only where a `did` or `did_not` rule is reached."""

    @property
    def traits(self) -> Mapping[str, Any]:
        """Traits of the contact."""

    @property
    def properties(self) -> Mapping[str, Any]:
        """Properties of the event in question; empty where there is none."""

    @property
    def now(self) -> datetime:
        """The present, aware, in UTC."""

    def instant(self, name: str) -> datetime | None:
        """When `enrolment` began or `step:COMPONENT` was last passed; None if that never was."""

    def occurrences(self, query: EventQuery) -> Iterable[Occurrence]:
        """The contact's events that the query asks for, in any order; read lazily, it may be left half read.

        The event that started the enrolment is not among those since the enrolment, even if the clock says so.
        """


# --- reading, writing, walking --------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Condition]:
    return TypeAdapter(Condition)


def parse_condition(written: object) -> Condition:
    """The condition that `written` (plain data) says.

    Raises InvalidInput with code `invalid_condition`, naming the place of the first mistake.
    """
    try:
        return _adapter().validate_python(written)
    except ValidationError as error:
        first = mistakes(error)[0]
        message = f"{first.place}: {first.message}" if first.place else first.message
        raise InvalidInput("invalid_condition", message, first.place or None) from None


def dump(condition: Condition) -> dict[str, Any]:
    """The condition as plain data, as it was written."""
    return condition.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


def walk(condition: Condition) -> Iterator[Node]:
    """The condition and every rule and group in it, those inside `where` not included."""
    ahead: list[Node] = [condition]
    while ahead:
        rule = ahead.pop()
        yield rule
        if isinstance(rule, Group):
            ahead.extend(reversed(rule.rules))


def needs_events(condition: Condition) -> bool:
    """Whether the condition can ask for events at all."""
    return any(isinstance(rule, Count) for rule in walk(condition))


def events_named(condition: Condition) -> set[str]:
    """Names of the events that the condition counts."""
    return {rule.event for rule in walk(condition) if isinstance(rule, Count)}


def steps_named(condition: Condition) -> set[str]:
    """Ids of the components that the condition names in `since`."""
    counts = (rule for rule in walk(condition) if isinstance(rule, Count))
    return {count.since.step for count in counts if isinstance(count.since, SinceStep)}
