"""What docs/writing-automations.md says of components, triggers, entries, exits and mistakes, held against the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from tests.unit.docs.blocks import DOCS, blocks_of, codes, tables_in

from tidings.automations.components import COMPONENT_TYPES, Arm, Component, EventArm, UntilProperty, UntilTime
from tidings.automations.components.acts import Added, FromAnswer, FromProperty, FromTrait, Now
from tidings.automations.components.choices import SplitArm
from tidings.automations.definition import rules
from tidings.automations.definition.model import Definition
from tidings.automations.definition.rules import check
from tidings.automations.definition.source import read
from tidings.automations.definition.triggers import (
    ApiTrigger,
    DateTrigger,
    EventExit,
    EventTrigger,
    Goal,
    InboundTrigger,
    Reentry,
    StateExit,
    TraitDate,
)
from tidings.messages.model import State

GUIDE = DOCS / "writing-automations.md"
TEXT = GUIDE.read_text(encoding="utf-8")
# Arms have names of their own, which are outcomes too; each component with arms is asked for one of this name.
OUTCOME = "the arm's `name`"
# What comes of a message beside the outcomes that have links of their own.
OF_MESSAGES = {"send_email": {State.REFUSED.value}, "send_sms": {State.REFUSED.value}}
# Fields that `send_sms` has of `send_email`, which says them.
OTHERS: dict[str, Any] = {
    "mail": {"type": "send_email", "template": "hello"},
    "later": {"type": "end"},
}


def section(heading: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    level = heading.partition(" ")[0]
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{2,{len(level)}}} |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def under(kind: str) -> str:
    """What is said of a component."""
    return section(f"### {kind}")


def table(kind: str, head: str) -> list[list[str]]:
    """The rows of the table with this head, of what is said of a component; none where there is no such table."""
    found = [one for one in tables_in(under(kind)) if one[0][0] == head]
    assert len(found) <= 1
    return found[0][1:] if found else []


def written(model: type[BaseModel]) -> set[str]:
    """The keys of a model as they are written in a file, but for `type`, which all components have."""
    return {field.alias or name for name, field in model.model_fields.items()} - {"type"}


def outcomes(component: type[Component]) -> set[str]:
    """The outcomes of a component with one arm, whose name is told apart."""
    fields: dict[str, Any] = {}
    if "arms" in component.model_fields:
        fields = {"arms": [{"EventArm": EventArm, "Arm": Arm, "SplitArm": SplitArm}[of_arm(component)].model_construct(
            name=OUTCOME)]}  # fmt: skip
    if "holdout" in component.model_fields:
        fields["holdout"] = 10
    return {link.outcome for link in component.model_construct(**fields).links()}


def of_arm(component: type[Component]) -> str:
    """What an arm of a component is."""
    return str(re.findall(r"(\w*Arm)\b", str(component.model_fields["arms"].annotation))[-1])


kinds = pytest.mark.parametrize("kind", COMPONENT_TYPES)


def test_every_component_has_a_place_of_its_own() -> None:
    assert re.findall(r"^### (\w+)$", section("## Components"), re.MULTILINE) == list(COMPONENT_TYPES)


@kinds
def test_every_field_of_a_component_is_explained(kind: str) -> None:
    told = [code for row in table(kind, "field") for code in codes(row[0])]
    assert sorted(told) == sorted(written(COMPONENT_TYPES[kind]))


@kinds
def test_every_outcome_of_a_component_is_explained(kind: str) -> None:
    told = [OUTCOME if row[0] == OUTCOME else codes(row[0])[0] for row in table(kind, "outcome")]
    assert sorted(told) == sorted(outcomes(COMPONENT_TYPES[kind]) | OF_MESSAGES.get(kind, set()))


@kinds
def test_every_component_has_an_example_in_its_place(kind: str) -> None:
    shown = [
        read(text) for text in re.findall(r"^```yaml automation\n(.*?)^```", under(kind), re.MULTILINE | re.DOTALL)
    ]
    assert kind in {one["type"] for automation in shown for one in automation["components"].values()}


@pytest.mark.parametrize(
    ("heading", "models"),
    [
        ("## What a file says", [Definition]),
        ("## Triggers", [EventTrigger, InboundTrigger, ApiTrigger, DateTrigger, TraitDate]),
        ("## Entering again", [Reentry]),
        ("## Exits", [EventExit, StateExit]),
        ("## The goal", [Goal]),
        ("### wait", [UntilTime, UntilProperty]),
        ("### wait_for", [EventArm]),
        ("### branch", [Arm]),
        ("### split", [SplitArm]),
        ("### update_contact", [FromProperty, FromTrait, FromAnswer, Added, Now]),
    ],
)
def test_every_key_is_named_where_it_belongs(heading: str, models: list[type[BaseModel]]) -> None:
    text = section(heading)
    for key in set().union(*map(written, models)):
        assert re.search(rf"\b{key}\b", text), key


# --- mistakes ---------------------------------------------------------------------------------------------------------


def mistakes() -> Iterator[tuple[str, str, str, str]]:
    """Each mistake of a component: the kind, what was written, what lint says, and what should be written."""
    for kind in COMPONENT_TYPES:
        for wrong, said, right in table(kind, "mistake"):
            yield kind, codes(wrong)[0], said.replace("`", ""), codes(right)[0]


def problems(component: str) -> list[str]:
    """What lint says of an automation that begins with a component called `here`."""
    here = read(f"here: {component}")["here"]
    leads_to = {name: one for name, one in OTHERS.items() if re.search(rf"\b{name}\b", component)}
    components = {"here": here, **leads_to}
    definition = {"automation": "mine", "trigger": {"event": "Signed Up"}, "start": "here", "components": components}
    if not any(one["type"] in ("send_email", "send_sms") for one in components.values()):
        components["mail"] = OTHERS["mail"]
    return [one.message.replace("`", "") for one in check(definition)[1]]


@pytest.mark.parametrize(("kind", "wrong", "said", "right"), list(mistakes()))
def test_lint_says_so_of_a_mistake(kind: str, wrong: str, said: str, right: str) -> None:
    assert any(said in message for message in problems(wrong)), problems(wrong)


@pytest.mark.parametrize(("kind", "wrong", "said", "right"), list(mistakes()))
def test_what_stands_instead_is_right(kind: str, wrong: str, said: str, right: str) -> None:
    left = [message for message in problems(right) if "no way leads" not in message]
    assert left == []


def test_every_code_of_lint_is_explained_and_what_to_do() -> None:
    found = re.findall(r"^\| ([a-z_, ]+?)(?: \(`\w+`\))? \| ", str(rules.__doc__), re.MULTILINE)
    known = {code for row in found for code in row.split(", ")} - {"code"}
    (listed,) = [one for one in tables_in(section("## What lint finds")) if one[0][0] == "code"]
    told = {code for row in listed[1:] for code in codes(row[0])}
    assert known <= told
    assert all(len(row) == 3 and row[2] for row in listed[1:])


def test_every_ready_automation_is_told_of() -> None:
    there = {path.stem for path in (DOCS.parent / "examples" / "automations").glob("*.yaml")}
    (ready,) = [one for one in tables_in(section("## Ready automations")) if one[0][0] == "automation"]
    assert {codes(row[0])[0] for row in ready[1:]} == there


def test_nearly_every_automation_of_the_guide_has_a_story() -> None:
    shown = [block for block in blocks_of(GUIDE) if block.kind == "yaml automation"]
    told = [block for block in blocks_of(GUIDE) if block.info[:1] == ("story",)]
    assert len(told) >= len(shown) - 4
