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

from tidings.automations.components import COMPONENT_TYPES, Wait
from tidings.automations.definition.model import Definition, definition_hash, parse_definition
from tidings.automations.definition.rules import check
from tidings.automations.machines.compile import MAX_MACHINE_BYTES, StepFunctions, machine_name, machine_tags, resumed
from tidings.automations.machines.compile import compile as compile_machine
from tidings.core.errors import InvalidInput

GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = Path(__file__).parents[3] / "examples" / "automations"
FILES = sorted([*GOLDEN.glob("*.yaml"), *EXAMPLES.glob("*.yaml")])
ARN = "arn:aws:lambda:eu-west-1:111122223333:function:"
ARNS = StepFunctions(
    ARN + "send-email",
    ARN + "branch",
    ARN + "check-suppression",
    ARN + "wait-for",
    ARN + "send-sms",
    ARN + "call-webhook",
    ARN + "act",
)


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


def test_every_component_and_every_way_out_of_it_has_a_golden_machine() -> None:
    parsed = [parse_definition(file.read_text(encoding="utf-8")) for file in FILES]
    components = [component for one in parsed for component in one.components.values()]
    assert {component.type for component in components} == set(COMPONENT_TYPES)
    led = {type(one).__name__: {link.key for link in one.links() if link.target} for one in components}
    for one in components:
        led[type(one).__name__] |= {re.sub("[0-9]", "0", link.key) for link in one.links() if link.target}
    for kind in COMPONENT_TYPES.values():
        ways = {name for name in kind.model_fields if name in ("next", "otherwise", "clear", "suppressed")}
        ways |= {name for name in kind.model_fields if name.startswith("on_") and name != "on_unknown"}
        assert ways <= led[kind.__name__], kind
    waits = [component for component in components if isinstance(component, Wait)]
    assert {wait.if_past for wait in waits if "if_past" in wait.model_fields_set} == {"go_on", "leave"}


def test_a_choice_stands_only_where_outcomes_lead_apart() -> None:
    states = compiled("welcome")["States"]
    assert [name for name, state in states.items() if state["Type"] == "Choice"] == ["has_begun-route"]
    assert states["tips"]["End"] is True


def test_where_a_choice_must_end_there_is_one_succeed_for_all() -> None:
    states = compiled("guarded")["States"]
    assert [name for name, state in states.items() if state["Type"] == "Succeed"] == ["Ended"]


def test_a_faulty_answer_fails_and_is_not_taken_for_another() -> None:
    for name in ("guarded", "answers", "split", "wait-of-years"):
        for state in compiled(name)["States"].values():
            assert "Default" not in state


def test_a_wait_whose_date_may_be_past_is_not_entered_without_one() -> None:
    states = compiled("wait-if-past-leave")["States"]
    assert states["doors"]["Next"] == "eve-due"
    is_there = {"Variable": "$.at.until.eve", "IsPresent": True, "Next": "eve"}
    assert states["eve-due"] == {"Type": "Choice", "Choices": [is_there], "Default": "Ended"}
    assert states["eve"]["Next"] == "remind"
    begin = {choice["StringEquals"]: choice["Next"] for choice in states["Begin"]["Choices"]}
    assert begin[""] == "Ended"  # the very first may be past


def test_a_machine_that_may_outlast_an_execution_can_be_continued() -> None:
    states = compiled("reminders")["States"]
    assert compiled("reminders")["StartAt"] == "Begin"
    assert states["Rest"] == {"Type": "Wait", "TimestampPath": "$.at.until.Rest", "Next": "Renew"}
    assert states["Renew"]["End"] is True
    asked = states["Renew"]["Parameters"]
    assert asked["FunctionName"] == ARNS.act
    assert asked["Payload"] == {
        **{f"{name}.$": f"$.{name}" for name in ("workspace", "contact", "automation", "version", "entry")},
        "n.$": "$.at.n",
        "ask": "renew",
        "execution.$": "$$.Execution.Name",
    }
    for name in ("again", "paid"):
        ways = {choice["StringEquals"]: choice["Next"] for choice in states[f"{name}-route"]["Choices"]}
        assert ways["Rest"] == "Rest"


def test_a_wait_for_an_event_of_years_asks_in_between() -> None:
    states = compiled("wait-of-years")["States"]
    assert states["back"]["TimeoutSeconds"] == 300 * 86_400
    assert {choice["StringEquals"] for choice in states["back-route"]["Choices"]} == {"", "Rest"}
    first, again = (choice for choice in states["Begin"]["Choices"] if choice["Next"].startswith("back"))
    assert first == {
        "And": [{"Variable": "$.at.next", "StringEquals": "back"}, {"Variable": "$.run", "IsPresent": True}],
        "Next": "back-left",
    }
    assert again == {"Variable": "$.at.next", "StringEquals": "back", "Next": "back"}


def test_a_webhook_is_repeated_by_rules_of_its_own_and_knows_how_often() -> None:
    state = compiled("webhook")["States"]["score"]
    assert state["Parameters"]["Payload"]["retry.$"] == "$$.State.RetryCount"
    assert [rule["ErrorEquals"][0] for rule in state["Retry"]] == [
        *("EnrolmentOver", "WebhookUnanswered", "Throttled", "States.ALL"),
    ]
    others = [one for one in compiled("guarded")["States"].values() if one["Type"] == "Task"]
    assert all("retry.$" not in one["Parameters"]["Payload"] for one in others)
    assert {rule["ErrorEquals"][0] for one in others for rule in one["Retry"]} == {
        *("EnrolmentOver", "Throttled", "States.ALL"),
    }


def test_the_largest_automation_fits_into_a_machine() -> None:
    mails = {f"a{'b' * 59}{n:03}": {"type": "send_email", "template": "t"} for n in range(200)}
    names = list(mails)
    for name, following in pairwise(names):
        mails[name] |= {"next": following, "on_skipped": names[-1]}
    written = {"automation": "a", "trigger": {"event": "E"}, "start": names[0], "components": mails}
    asl = compile_machine(Definition.model_validate(written), 1, ARNS)
    assert len(json.dumps(asl)) < MAX_MACHINE_BYTES
    assert all(len(name) <= 80 for name in asl["States"])


def test_a_machine_that_step_functions_would_not_take_is_refused() -> None:
    names = [f"c{'b' * 58}{n:03}" for n in range(200)]
    splits = {
        name: {
            "type": "split",
            "arms": [{"name": f"{n}", "percent": 2, "next": names[(number + n) % 200]} for n in range(1, 51)],
        }
        for number, name in enumerate(names)
    }
    written = {"automation": "a", "trigger": {"event": "E"}, "start": names[0], "components": splits}
    with pytest.raises(InvalidInput, match=r"machine_too_large.*make two automations"):
        compile_machine(Definition.model_validate(written), 1, ARNS)


def test_an_automation_that_ends_before_it_begins_has_no_machine() -> None:
    written = {"automation": "a", "trigger": {"event": "E"}, "start": "done", "components": {"done": {"type": "end"}}}
    with pytest.raises(InvalidInput, match="no_acting_component"):
        compile_machine(Definition.model_validate(written), 1, ARNS)


def test_a_machine_is_resumed_at_a_component_without_what_lies_behind_it() -> None:
    again = resumed(compiled("welcome"), "tips")
    assert again["StartAt"] == "tips"
    assert set(again["States"]) == {"tips"}


@pytest.mark.parametrize("name", ["reminders", "answers", "wait-of-years", "wait-if-past-leave"])
def test_a_machine_that_begins_where_its_input_says_is_resumed_as_it_is(name: str) -> None:
    for component in parse_definition(next(f for f in FILES if f.stem == name).read_text(encoding="utf-8")).components:
        assert resumed(compiled(name), component) == compiled(name)


def test_a_machine_is_resumed_at_a_wait_for_an_event_for_as_long_as_is_left() -> None:
    machine, again = compiled("wait-for")["States"], resumed(compiled("wait-for"), "answer")
    left, waits_on = again["States"]["answer-left"], again["States"]["answer-resumed"]
    assert again["StartAt"] == "answer-left"
    assert (left["Resource"], left["ResultPath"]) == ("arn:aws:states:::lambda:invoke", "$.left")
    assert left["Parameters"]["Payload"]["ask"] == "left"
    assert "token.$" not in left["Parameters"]["Payload"]
    assert waits_on["TimeoutSecondsPath"] == "$.left.seconds"
    assert {name: value for name, value in waits_on.items() if name != "TimeoutSecondsPath"} == {
        name: value for name, value in machine["answer"].items() if name != "TimeoutSeconds"
    }
    assert "rated-left" not in again["States"]


def test_whoever_goes_on_in_a_loop_through_a_wait_waits_as_long_there_as_all_others() -> None:
    states = compiled("answers")["States"]
    assert states["answer-resumed"]["TimeoutSecondsPath"] == "$.left.seconds"
    assert states["answer"]["TimeoutSeconds"] == 2.5 * 86_400
    assert {choice["Next"] for choice in states["ask-route"]["Choices"]} == {"answer", "Rest"}


def test_a_wait_for_an_event_that_has_timed_out_is_not_begun_anew() -> None:
    for name in ("answer", "rated"):
        state = compiled("wait-for")["States"][name]
        assert state["Resource"] == "arn:aws:states:::lambda:invoke.waitForTaskToken"
        over = ["EnrolmentOver", "EnrolmentParked", "States.Timeout"]
        assert state["Retry"][0] == {"ErrorEquals": over, "MaxAttempts": 0}
        assert state["Catch"] == [{"ErrorEquals": ["States.Timeout"], "ResultPath": None, "Next": f"{name}-timeout"}]
    assert compiled("wait-for")["States"]["answer"]["TimeoutSeconds"] == 2.5 * 86_400


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
