"""Golden machines, and what their names, tags and resumed forms are. `UPDATE_GOLDEN=1 pytest` writes the files anew."""

from __future__ import annotations

import json
import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from statelint.linter import Linter

from tidings.automations.compile import StepFunctions, machine_name, machine_tags, resumed
from tidings.automations.compile import compile as compile_machine
from tidings.automations.model import Definition, definition_hash, parse_definition
from tidings.automations.rules import check
from tidings.core.errors import InvalidInput

GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = Path(__file__).parents[3] / "examples" / "automations"
FILES = sorted([*GOLDEN.glob("*.yaml"), *EXAMPLES.glob("*.yaml")])
ARN = "arn:aws:lambda:eu-west-1:111122223333:function:"
ARNS = StepFunctions(ARN + "send-email", ARN + "branch", ARN + "check-suppression", ARN + "wait-for", ARN + "send-sms")


def compiled(name: str) -> dict[str, Any]:
    file = next(file for file in FILES if file.stem == name)
    return compile_machine(parse_definition(file.read_text(encoding="utf-8")), 3, ARNS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_machine_is_the_golden_one(file: Path) -> None:
    definition, problems = check(file.read_text(encoding="utf-8"))
    assert definition is not None
    assert [problem for problem in problems if problem.level == "error"] == []
    text = json.dumps(compile_machine(definition, 3, ARNS), indent=2) + "\n"
    golden = GOLDEN / f"{file.stem}.asl.json"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.asl.json")), ids=lambda file: file.name)
def test_every_golden_machine_passes_statelint_and_has_its_source(file: Path) -> None:
    assert Linter.validate(json.loads(file.read_text(encoding="utf-8"))) == []
    assert file.name.removesuffix(".asl.json") in {source.stem for source in FILES}


def test_an_end_adds_no_state_and_nothing_stands_behind_the_last_task() -> None:
    states = compiled("one-mail")["States"]
    assert set(states) == {"mail"}
    assert states["mail"]["End"] is True


def test_a_choice_stands_only_where_outcomes_lead_apart() -> None:
    states = compiled("welcome")["States"]
    assert [name for name, state in states.items() if state["Type"] == "Choice"] == ["has_begun-route"]
    assert states["tips"]["End"] is True


def test_where_a_choice_must_end_there_is_one_succeed_for_all() -> None:
    states = compiled("guarded")["States"]
    assert [name for name, state in states.items() if state["Type"] == "Succeed"] == ["Ended"]


def test_a_faulty_answer_fails_and_is_not_taken_for_another() -> None:
    for state in compiled("guarded")["States"].values():
        assert "Default" not in state


def test_the_largest_automation_fits_into_a_machine() -> None:
    mails = {f"a{'b' * 59}{n:03}": {"type": "send_email", "template": "t"} for n in range(200)}
    names = list(mails)
    for name, following in pairwise(names):
        mails[name] |= {"next": following, "on_skipped": names[-1]}
    written = {"automation": "a", "trigger": {"event": "E"}, "start": names[0], "components": mails}
    asl = compile_machine(Definition.model_validate(written), 1, ARNS)
    assert len(json.dumps(asl)) < 1_000_000  # 1 MB: quota of Step Functions for a definition
    assert all(len(name) <= 80 for name in asl["States"])


def test_an_automation_that_ends_before_it_begins_has_no_machine() -> None:
    written = {"automation": "a", "trigger": {"event": "E"}, "start": "done", "components": {"done": {"type": "end"}}}
    with pytest.raises(InvalidInput, match="no_acting_component"):
        compile_machine(Definition.model_validate(written), 1, ARNS)


def test_a_machine_is_resumed_at_a_component_without_what_lies_behind_it() -> None:
    again = resumed(compiled("welcome"), "tips")
    assert again["StartAt"] == "tips"
    assert set(again["States"]) == {"tips"}
    assert set(resumed(compiled("reminders"), "again")["States"]) == set(compiled("reminders")["States"])


def test_a_machine_is_resumed_at_a_wait_for_an_event_for_as_long_as_is_left() -> None:
    machine, again = compiled("answers")["States"], resumed(compiled("answers"), "answer")
    left, waits_on = again["States"]["answer-left"], again["States"]["answer-resumed"]
    assert again["StartAt"] == "answer-left"
    assert (left["Resource"], left["ResultPath"]) == ("arn:aws:states:::lambda:invoke", "$.left")
    assert left["Parameters"]["Payload"]["ask"] == "left"
    assert waits_on["TimeoutSecondsPath"] == "$.left.seconds"
    assert {name: value for name, value in waits_on.items() if name != "TimeoutSecondsPath"} == {
        name: value for name, value in machine["answer"].items() if name != "TimeoutSeconds"
    }
    assert again["States"]["answer"] == machine["answer"]  # whoever comes back in a loop waits as long as all others
    assert "rated-left" not in again["States"]


def test_a_wait_for_an_event_that_has_timed_out_is_not_begun_anew() -> None:
    for name in ("answer", "rated"):
        state = compiled("answers")["States"][name]
        assert state["Resource"] == "arn:aws:states:::lambda:invoke.waitForTaskToken"
        assert state["Retry"][0] == {"ErrorEquals": ["EnrolmentOver", "States.Timeout"], "MaxAttempts": 0}
        assert state["Catch"] == [{"ErrorEquals": ["States.Timeout"], "ResultPath": None, "Next": f"{name}-timeout"}]
    assert compiled("answers")["States"]["answer"]["TimeoutSeconds"] == 2.5 * 86_400


@pytest.mark.parametrize("component", ["nowhere", "has_begun-route", "done"])
def test_a_machine_is_resumed_only_at_a_component_that_is_a_state(component: str) -> None:
    with pytest.raises(InvalidInput, match="unknown_component"):
        resumed(compiled("welcome"), component)


def test_a_machine_name_is_short_and_tells_every_part_apart() -> None:
    parts = ("tidings-", "ws_1", "welcome", 1, "abc")
    name = machine_name(*parts)
    assert re.fullmatch(r"tidings-[0-9a-f]{40}", name)
    assert machine_name(*parts) == name == "tidings-" + name[-40:]
    others = [
        ("other-", "ws_1", "welcome", 1, "abc"),
        ("tidings-", "ws_2", "welcome", 1, "abc"),
        ("tidings-", "ws_1", "welcome-", 1, "abc"),
        ("tidings-", "ws_1", "welcome", 2, "abc"),
        ("tidings-", "ws_1", "welcome", 1, "abd"),
    ]
    assert len({name, *(machine_name(*other) for other in others)}) == 6


def test_a_machine_name_never_passes_80_characters() -> None:
    assert len(machine_name("p" * 40, "w" * 500, "a" * 63, 10**9, "h" * 64)) == 80
    with pytest.raises(InvalidInput, match="machine_prefix_too_long"):
        machine_name("p" * 41, "w", "a", 1, "h")


def test_tags_are_readable() -> None:
    assert machine_tags("ws_1", "welcome", 3) == {
        "tidings:workspace": "ws_1",
        "tidings:automation": "welcome",
        "tidings:version": "3",
    }


def test_the_hash_of_a_definition_does_not_depend_on_how_it_was_written() -> None:
    file = (EXAMPLES / "welcome.yaml").read_text(encoding="utf-8")
    definition = parse_definition(file)
    shuffled = dict(reversed(definition.as_dict().items()))
    assert definition_hash(parse_definition(json.dumps(shuffled))) == definition_hash(definition)
    assert definition_hash(parse_definition(file.replace("1 day", "2 days"))) != definition_hash(definition)
