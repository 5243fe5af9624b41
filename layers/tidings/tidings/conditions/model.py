"""What a condition is: the rule language that branches, triggers, segments and suppression rules share.

    {all: [...]}   {any: [...]}   {none: [...]}           groups, at least one rule each
    {trait: NAME, OP: VALUE}                              of the contact
    {property: NAME, OP: VALUE}                           of the event in question
    {known: true}                                         whether the contact has a user id
    {answer: COMPONENT.PATH, OP: VALUE}                   of what a server answered in this enrolment
    {engaged: COMPONENT, by: opened}                      with what the component sent in this enrolment
    {did: EVENT, at_least: 1, since: enrolment, within: 7 days, where: CONDITION}
    {did_not: EVENT, since: {step: COMPONENT}}            the opposite of `did` with `at_least: 1`

A model has the same form as what was written, so that `dump(parse_condition(x)) == x`. What the operators mean is in
`operators`. A condition has at most 200 rules and groups, nested at most 10 deep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, TypeAdapter, ValidationError, model_validator

from tidings.conditions.durations import parse_duration
from tidings.conditions.facts import EventQuery, Facts, Occurrence
from tidings.conditions.leaves import OPERATORS, AnswerRule, Comparison, Engaged, Known, Model, PropertyRule, TraitRule
from tidings.conditions.operands import DurationText, Text
from tidings.conditions.places import TAG, mistakes
from tidings.core.errors import InvalidInput

# What whoever writes, reads or asks conditions needs of the whole room.
__all__ = [
    "OPERATORS",
    "AllOf",
    "AnswerRule",
    "AnyOf",
    "Comparison",
    "Condition",
    "Count",
    "Did",
    "DidNot",
    "Engaged",
    "EventQuery",
    "Facts",
    "Group",
    "Known",
    "Model",
    "NoneOf",
    "Occurrence",
    "PropertyRule",
    "SinceStep",
    "TraitRule",
    "components_answering",
    "components_engaged",
    "components_named",
    "dump",
    "events_named",
    "needs_enrolment",
    "needs_events",
    "parse_condition",
    "since_enrolment",
    "steps_named",
    "walk",
]

MAX_DEPTH = 10
MAX_RULES = 200


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
        """The same rules, those last that take a read to be decided."""
        return sorted(self.rules, key=_cost)


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


_KINDS: tuple[type[Group | Comparison | Known | Count | Engaged], ...] = (
    *(AllOf, AnyOf, NoneOf),
    *(TraitRule, PropertyRule, Known, AnswerRule),
    *(Did, DidNot, Engaged),
)
_KEYS = tuple(model.kind for model in _KINDS)


def _kind_of(value: object) -> str | None:
    if isinstance(value, Group | Comparison | Known | Count | Engaged):
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
    | Annotated[Known, Tag(TAG + "known")]
    | Annotated[AnswerRule, Tag(TAG + "answer")]
    | Annotated[Did, Tag(TAG + "did")]
    | Annotated[DidNot, Tag(TAG + "did_not")]
    | Annotated[Engaged, Tag(TAG + "engaged")],
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


def since_enrolment(condition: Condition) -> Condition:
    """The same condition, which counts events from the enrolment on where it says no period itself."""
    if isinstance(condition, Group):
        return type(condition).model_validate({condition.kind: [since_enrolment(rule) for rule in condition.rules]})
    if isinstance(condition, Count) and condition.since is None and condition.within is None:
        return condition.model_copy(update={"since": "enrolment"})
    return condition


def _cost(condition: Condition) -> int:
    """How dear a rule or group is to decide: 0 for what is at hand, 1 for the steps taken, 2 for what takes more."""
    costs = {AnswerRule: 1, Did: 2, DidNot: 2, Engaged: 2}
    return max(costs.get(type(rule), 0) for rule in walk(condition))


def needs_events(condition: Condition) -> bool:
    """Whether the condition can ask for events at all."""
    return any(isinstance(rule, Count) for rule in walk(condition))


def needs_enrolment(condition: Condition) -> bool:
    """Whether the condition asks for what happened in an enrolment: makes no sense where there is none."""
    return any(
        isinstance(rule, Engaged | AnswerRule) or (isinstance(rule, Count) and rule.since is not None)
        for rule in walk(condition)
    )


def events_named(condition: Condition) -> set[str]:
    """Names of the events that the condition counts."""
    return {rule.event for rule in walk(condition) if isinstance(rule, Count)}


def steps_named(condition: Condition) -> set[str]:
    """Ids of the components that the condition names in `since`."""
    counts = (rule for rule in walk(condition) if isinstance(rule, Count))
    return {count.since.step for count in counts if isinstance(count.since, SinceStep)}


def components_engaged(condition: Condition) -> set[str]:
    """Ids of the components that the condition names in `engaged`: they have to send."""
    return {rule.component for rule in walk(condition) if isinstance(rule, Engaged)}


def components_answering(condition: Condition) -> set[str]:
    """Ids of the components that the condition names in `answer`: they have to ask a server."""
    return {rule.component for rule in walk(condition) if isinstance(rule, AnswerRule)}


def components_named(condition: Condition) -> set[str]:
    """Ids of all components that the condition names: somebody has to have come by them before it is asked."""
    return steps_named(condition) | components_engaged(condition) | components_answering(condition)
