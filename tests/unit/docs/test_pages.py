"""What pages say about the code, and where their links lead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.docs.blocks import ANYTHING, PAGES, ROOT, codes, tables

from tidings.automations.components import COMPONENT_TYPES
from tidings.automations.machines.graph import links
from tidings.conditions.facts import ENGAGEMENTS
from tidings.conditions.model import OPERATORS
from tidings.core import errors
from tidings.messages.model import State
from tidings.messages.rules import MOVES

SOURCES = [*(ROOT / "layers" / "tidings").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
PROBLEMS = {"Problem", "in_component", "warning", "_too_much"}
CALLS = ERRORS | PROBLEMS | {"Unsettled", "WebhookUnanswered", "ConversationChanged"}
LINK = re.compile(r"\[[^\]]*\]\((?P<to>[^)\s]+)\)")
DOCS = ROOT / "docs"


def raised() -> Iterator[str]:
    """The code of every error that the code makes: a constant, or what is given for the parameter that holds it."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = set()
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id in CALLS and call.args:
            first = call.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value)
            elif isinstance(first, ast.Name):
                names.add(first.id)
    for tree in trees:
        yield from defaults(tree, names)


def defaults(tree: ast.AST, names: set[str]) -> Iterator[str]:
    """What parameters of these names are when nothing is given for them, and what is given.

    A `Choice` of a sender has a code too, but is no error: the check of a decision tells why there is none.
    """
    choices = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Choice"
    ]
    passed_over = {keyword for call in choices for keyword in call.keywords}
    for node in ast.walk(tree):
        if node in passed_over:
            continue
        if isinstance(node, ast.FunctionDef):
            arguments = node.args.args[len(node.args.args) - len(node.args.defaults) :]
            pairs = zip(arguments, node.args.defaults, strict=True)
            yield from (str(v.value) for a, v in pairs if a.arg in names and isinstance(v, ast.Constant))
        elif isinstance(node, ast.keyword) and node.arg in names and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def listed(page: str) -> list[str]:
    """The codes in the tables of codes on a page."""
    return [
        code for table in tables(DOCS / page) if table[0][0] == "code" for row in table[1:] for code in codes(row[0])
    ]


def test_every_code_is_listed_and_every_listed_code_exists() -> None:
    # Codes that no call names as a constant: the base's subclass in core/store, kinds that pydantic hands on,
    # and what functions/batch asks for.
    # What names a component that is not of the kind that it has to be tells `_named` its code.
    # `broken_link` is found by lint, whose errors applying a template refuses.
    elsewhere = {"batch_too_large", "broken_link", "condition_failed", "invalid_definition", "unknown_component_type"}
    elsewhere |= {"unknown_trigger", "unknown_exit", "not_a_message", "not_a_webhook"}
    told = [*listed("developers.md"), *listed("writing-automations.md")]
    assert set(told) == set(raised()) | elsewhere


def test_everything_that_lint_finds_in_a_template_is_explained() -> None:
    (table,) = [table for table in tables(DOCS / "marketers.md") if table[0][0] == "finding"]
    source = (ROOT / "layers/tidings/tidings/messages/lint.py").read_text(encoding="utf-8")
    own = set(re.findall(r'Finding\(\s*"(\w+)"', source))
    # And what parsing and filling a template refuse.
    found = own | {"unknown_variable", "unknown_filter", "template_failed"}
    assert {code for row in table[1:] for code in codes(row[0])} == found


def test_no_page_lists_a_code_twice() -> None:
    for page in ("developers.md", "writing-automations.md"):
        assert len(listed(page)) == len(set(listed(page)))


def test_every_state_of_a_message_is_explained() -> None:
    (table,) = [table for table in tables(DOCS / "guarantees.md") if table[0][0] == "state"]
    assert {code for row in table[1:] for code in codes(row[0])} == set(State)


def test_after_which_states_a_message_comes_to_one_is_told_as_the_code_has_it() -> None:
    (table,) = [table for table in tables(DOCS / "guarantees.md") if table[0][0] == "state"]
    told = {row[0].strip("` "): set(codes(row[2])) | ({None} if "nothing" in row[2] else set()) for row in table[1:]}
    assert told == {state.value: {before and before.value for before in MOVES[state]} for state in State}


def test_every_operator_is_explained() -> None:
    (table,) = [table for table in tables(DOCS / "writing-automations.md") if table[0][0] == "operator"]
    assert {code for row in table[1:] for code in codes(row[0])} == set(OPERATORS)


def test_every_way_to_engage_with_a_message_is_explained() -> None:
    (table,) = [table for table in tables(DOCS / "writing-automations.md") if table[0][0] == "`by`"]
    assert [code for row in table[1:] for code in codes(row[0])] == list(ENGAGEMENTS)


def test_every_outcome_of_a_component_is_explained() -> None:
    (table,) = [table for table in tables(DOCS / "automations.md") if table[0] == ["component", "outcomes"]]
    told = {codes(row[0])[0]: set(codes(row[1])) for row in table[1:]}
    assert told["check_suppression"] == set(links(COMPONENT_TYPES["check_suppression"].model_construct()))
    assert told["send_email"] == {*links(COMPONENT_TYPES["send_email"].model_construct()), "refused"}


def test_every_alarm_is_explained_and_counted() -> None:
    template = (ROOT / "infra" / "observability.yaml").read_text(encoding="utf-8")
    alarms = set(re.findall(r"^  (\w+):\n    Type: AWS::CloudWatch::Alarm$", template, re.MULTILINE))
    (table,) = [table for table in tables(DOCS / "operators.md") if table[0][0] == "alarm"]
    assert {code for row in table[1:] for code in codes(row[0])} == alarms
    assert f"| {len(alarms)} alarms at " in (DOCS / "operators.md").read_text(encoding="utf-8")


def test_each_quota_of_automations_says_what_happens_and_which_alarm_tells() -> None:
    (table,) = [
        table for table in tables(DOCS / "operators.md") if table[0] == ["quota", "what happens there", "alarm"]
    ]
    told = {code for row in table[1:] for code in codes(row[2])} - {f"{ANYTHING}Errors"}
    template = (ROOT / "infra" / "observability.yaml").read_text(encoding="utf-8")
    assert told <= set(re.findall(r"^  (\w+):\n    Type: AWS::CloudWatch::Alarm$", template, re.MULTILINE))
    assert all(row[1] and row[2] for row in table[1:])
    named = " ".join(row[0] for row in table[1:])
    for quota in ("StartExecution", "StopExecution", "SendTaskSuccess", "CreateStateMachine", "10,000 machines",
                  "1,000,000 open", "a year", "25,000 events", "1 MB", "256 KB", "concurrent", "400 KB", "1,000 write",
                  "15 minutes of delay", "SES and End User Messaging"):  # fmt: skip
        assert quota in named, quota


def test_every_parameter_of_the_stack_is_explained() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    parameters = set(re.findall(r"^  (\w+):\n    Type: (?:String|Number)$", template, re.MULTILINE))
    (table,) = [table for table in tables(DOCS / "operators.md") if table[0][0] == "parameter"]
    assert {code for row in table[1:] for code in codes(row[0])} == parameters


def test_the_readme_tells_what_each_folder_is_for() -> None:
    (table,) = [table for table in tables(ROOT / "README.md") if table[0][0] == "folder"]
    told = {name.strip("/").split("/")[0] for row in table[1:] for name in codes(row[0])}
    there = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    ignored = {"tidings.egg-info", "build", "node_modules", "__pycache__"}
    assert there - ignored - {"events"} <= told
    assert all((ROOT / name).exists() for name in told)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for found in LINK.finditer(page.read_text(encoding="utf-8")):
        to, _, anchor = found["to"].partition("#")
        if to.startswith("https://"):
            continue
        target = page if not to else (page.parent / to).resolve()
        assert target.exists(), found["to"]
        if anchor:
            assert anchor in anchors(target), found["to"]


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings make on GitHub."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_sources_refer_to_no_page_that_their_readers_do_not_have() -> None:
    pages = {path.name for path in (*DOCS.rglob("*.md"), *ROOT.glob("*.md"))}
    for source in SOURCES:
        text = source.read_text(encoding="utf-8")
        named = {name.rpartition("/")[2] for name in re.findall(r"[\w./-]+\.md\b", text)}
        assert named <= pages, (source, named - pages)
        assert not re.search(r"\b[Rr]ows? \d+\.\d", text), source
