"""Examples in the documentation that need no running system."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.docs.blocks import ROOT, Block, blocks, matches

from tidings.activity.model import Event
from tidings.automations.definition.model import Definition
from tidings.automations.definition.rules import check
from tidings.automations.definition.source import read
from tidings.automations.enrolments.model import Enrolment, StepCall, StepTaken
from tidings.automations.entering.enrol import Asking, new_enrolment
from tidings.automations.machines.compile import StepFunctions
from tidings.automations.machines.compile import compile as compile_machine
from tidings.automations.machines.following import BEGIN, RENEW, REST
from tidings.automations.machines.lasting import renews
from tidings.automations.pictures.drawing import mermaid
from tidings.automations.store import Automation
from tidings.conditions.model import parse_condition
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.messages.render import Filling, compile_template
from tidings.messages.templates import read_template
from tidings_cli.main import parser_of

KINDS = {
    *("yaml automation", "yaml condition", "yaml template", "python run", "sh run", "sh stack", "sh aws", "sh once"),
    *("js node", "js browser", "html page", "kotlin app", "swift app", "js app"),
    *("python webhook", "json webhook"),
    *("json answer", "json machine", "json renewing", "mermaid", "json input", "json call", "json step", "text"),
    *("json start", "json started", "text answer"),
}
ARNS = StepFunctions(
    send_email="arn:send", branch="arn:branch", check_suppression="arn:check", wait_for="arn:wait", send_sms="arn:sms",
    call_webhook="arn:webhook", act="arn:act",
)  # fmt: skip
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def each(*kinds: str) -> Any:
    """One test for each block of these kinds."""
    found = blocks(*kinds)
    assert found, f"no page has a block of the kind {kinds}"
    return pytest.mark.parametrize("block", found, ids=str)


def only(kind: str) -> Any:
    """The JSON of the one block of a kind."""
    (block,) = blocks(kind)
    return json.loads(block.text)


def small() -> Definition:
    """The automation whose machine docs/automations.md shows."""
    return automation_of_docs("small")


def automation_of_docs(name: str) -> Definition:
    """An automation that the documentation shows."""
    (block,) = [block for block in blocks("yaml automation") if f"automation: {name}\n" in block.text]
    definition, _ = check(block.text)
    assert definition is not None
    return definition


def test_every_block_says_what_it_is() -> None:
    assert [str(block) for block in blocks() if block.kind not in KINDS and block.info[:1] != ("story",)] == []


@each("yaml automation")
def test_automations_have_no_problems_and_compile(block: Block) -> None:
    definition, problems = check(block.text)
    assert problems == []
    assert definition is not None
    assert compile_machine(definition, 1, ARNS)["StartAt"] == (BEGIN if renews(definition) else definition.start)


@each("yaml condition")
def test_conditions_can_be_read(block: Block) -> None:
    parse_condition(read(block.text))


@each("yaml template")
def test_templates_can_be_filled(block: Block) -> None:
    content = read_template(read(block.text))
    data = {"contact": {}, "event": {}, "variables": content.variables, "message": {"id": "m"}}
    assert compile_template(content).render(Filling(data, NOW)).text


def test_the_machine_is_what_the_compiler_makes() -> None:
    assert matches(only("json machine"), compile_machine(small(), 1, ARNS))


def test_the_states_that_continue_an_execution_are_what_the_compiler_makes() -> None:
    states = compile_machine(automation_of_docs("monthly"), 1, ARNS)["States"]
    assert matches(only("json renewing"), {name: states[name] for name in (BEGIN, REST, RENEW)})


@each("mermaid")
def test_a_drawing_is_what_is_drawn_of_the_automation_that_it_names(block: Block) -> None:
    (name,) = re.findall(r"accTitle: Automation (\S+)", block.text)
    assert block.text == mermaid(automation_of_docs(name))


def test_the_input_is_what_an_execution_is_started_with() -> None:
    automation = Automation("acme", small(), 1, "arn:machine", NOW)
    event = Event("acme", Identity(IdentityKind.USER, "u"), "m-1", "track", "Signed Up", NOW, NOW, user_id="u")
    enrolment = new_enrolment(Asking(automation, Contact("acme", "cabc", NOW), event), "")
    assert isinstance(enrolment, Enrolment)
    assert matches(only("json input"), json.loads(enrolment.input))


def test_the_call_is_what_the_machine_sends() -> None:
    call, payload = only("json call"), compile_machine(small(), 1, ARNS)["States"]["has_begun"]["Parameters"]["Payload"]
    assert {name.removesuffix(".$") for name in payload} == call.keys()
    assert StepCall.of(call).component == payload["component"]


def test_the_step_is_what_a_task_answers() -> None:
    step = StepTaken(n=1, component="has_begun", outcome="otherwise", next="nudge", until={}, at=NOW)
    assert step.answer == only("json step")


@each("sh run", "sh stack", "sh aws")
def test_commands_of_ours_exist_with_these_options(block: Block) -> None:
    for line in block.text.splitlines():
        if found := re.search(r"\btidings ((?:[^|$()\"]|\"[^\"]*\")+)", line):
            words = [word.strip('"') for word in re.findall(r"\"[^\"]*\"|\S+", found[1])]
            parser_of(words).parse_args(words)


@each("sh once", "sh aws")
def test_make_targets_exist(block: Block) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\S+)", block.text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
