"""Every mistake in an automation is found, with its own code, and the component named."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tidings.automations.model import Definition, parse_definition
from tidings.automations.own_events import OF_SMS
from tidings.automations.rules import OF_SENDING, Problem, check, lint
from tidings.core.errors import InvalidInput
from tidings.email.rules import MEANINGS

MAIL = {"type": "send_email", "template": "tips"}
TEXT = {"type": "send_sms", "template": "pin"}
PAUSE = {"type": "wait", "for": "1 day"}
ASK = {"type": "branch", "arms": [{"name": "yes", "when": {"did": "X"}, "next": "mail"}], "otherwise": "done"}

GOOD: dict[str, Any] = {
    "automation": "welcome",
    "trigger": {"event": "Signed Up"},
    "start": "pause",
    "components": {
        "pause": {**PAUSE, "next": "ask"},
        "ask": ASK,
        "mail": {**MAIL, "next": "done"},
        "done": {"type": "end"},
    },
}


def automation(**components: dict[str, Any]) -> dict[str, Any]:
    return {**GOOD, "start": next(iter(components)), "components": components}


def with_(path: str, value: object) -> dict[str, Any]:
    """GOOD with one place changed: `components.pause.next`."""
    written = copy.deepcopy(GOOD)
    *way, last = path.split(".")
    inner = written
    for step in way:
        inner = inner[step]
    inner[last] = value
    return written


def codes(problems: list[Problem]) -> list[tuple[str, str, str]]:
    return [(problem.code, problem.component, problem.level) for problem in problems]


def test_a_good_automation_has_no_problems() -> None:
    definition, problems = check(json.dumps(GOOD), templates=["tips"])
    assert problems == []
    assert definition is not None
    assert definition.as_dict() == GOOD


def branch(when: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "branch", "arms": [{"name": "yes", "when": when, "next": "mail"}], **more}


def waits_for(event: str = "Paid", timeout: str = "1 day", on_timeout: str = "mail", **arm: Any) -> dict[str, Any]:
    arms = [{"name": "yes", "event": event, "next": "mail", **arm}]
    return {"type": "wait_for", "arms": arms, "timeout": timeout, "on_timeout": on_timeout}


TWICE = {**waits_for(), "arms": [{"name": "yes", "event": "Paid"}, {"name": "yes", "event": "Refunded"}]}

GRAPHS: list[tuple[dict[str, Any], list[tuple[str, str, str]]]] = [
    (with_("start", "nowhere"), [("unknown_start", "", "error")]),
    (with_("components.mail.next", "nowhere"), [("unknown_component", "mail", "error")]),
    (automation(wait=waits_for(next="nowhere"), mail=MAIL), [("unknown_component", "wait", "error")]),
    (automation(wait=waits_for(on_timeout="nowhere"), mail=MAIL), [("unknown_component", "wait", "error")]),
    (automation(wait=waits_for(timeout="366 days"), mail=MAIL), [("wait_too_long", "wait", "error")]),
    (automation(wait=TWICE, mail=MAIL), [("duplicate_arm", "wait", "error")]),
    (automation(wait=waits_for(where={"did": "X"}), mail=MAIL), [("events_in_arm", "wait", "error")]),
    (
        automation(wait=waits_for(next="done", on_timeout="done"), done={"type": "end"}),
        [("nothing_follows_wait", "wait", "warning")],
    ),
    (automation(wait=waits_for("Email recieved"), mail=MAIL), [("event_misspelled", "wait", "warning")]),
    (automation(wait=waits_for("Email Verified"), mail=MAIL), []),
    (with_("trigger.event", "SMS Recieved"), [("event_misspelled", "", "warning")]),
    # A wait for what somebody does, or for its timeout, takes time; what comes of itself when a mail went takes none.
    (automation(mail={**MAIL, "next": "wait"}, wait=waits_for(on_timeout="done"), done={"type": "end"}), []),
    (automation(mail={**MAIL, "next": "wait"}, wait=waits_for(next="done"), done={"type": "end"}), []),
    (
        automation(mail={**MAIL, "next": "wait"}, wait=waits_for("Email Sent", on_timeout="end"), end={"type": "end"}),
        [("loop_without_wait", "mail", "error")],
    ),
    (
        {**automation(wait=waits_for("Email Sent"), mail=MAIL), "trigger": {"event": "Email Delivered"}},
        [("loop_through_trigger", "mail", "error")],
    ),
    ({**automation(wait=waits_for(), mail=MAIL), "trigger": {"event": "Email Delivered"}}, []),
    (with_("components.mail.on_skipped", "nowhere"), [("unknown_component", "mail", "error")]),
    (with_("components.ask.otherwise", "nowhere"), [("unknown_component", "ask", "error")]),
    (
        automation(guard={"type": "check_suppression", "channel": "email", "clear": "x", "suppressed": "y"}),
        [("unknown_component", "guard", "error")] * 2,
    ),
    (with_("components.lost", MAIL), [("unreachable_component", "lost", "error")]),
    (
        automation(mail=MAIL, a={**PAUSE, "next": "b"}, b={**MAIL, "next": "a", "on_skipped": "mail"}),
        [("unreachable_component", "a", "error"), ("unreachable_component", "b", "error")],
    ),
    (automation(mail={**MAIL, "next": "mail"}), [("loop_without_wait", "mail", "error")]),
    (automation(a={**MAIL, "next": "b"}, b={**MAIL, "next": "a"}), [("loop_without_wait", "a", "error")]),
    (
        automation(a={**MAIL, "next": "b"}, b={"type": "wait", "until": "2030-01-01", "next": "a"}),
        [("loop_without_wait", "a", "error")],
    ),
    (
        automation(a={**MAIL, "on_skipped": "a", "next": "b"}, b={**PAUSE, "next": "a"}),
        [("loop_without_wait", "a", "error")],
    ),
    (
        automation(mail={**MAIL, "next": "a"}, a={**PAUSE, "next": "b"}, b={**PAUSE, "next": "a"}),
        [("loop_without_action", "a", "error")],
    ),
    (automation(mail={**MAIL, "next": "a", "on_skipped": "end"}, a={**PAUSE, "next": "mail"}, end={"type": "end"}), []),
    (automation(mail={**MAIL, "next": "a"}, a={**PAUSE, "next": "mail"}), [("loop_without_end", "mail", "error")]),
    (automation(a={**PAUSE, "next": "done"}, done={"type": "end"}),
     [("no_acting_component", "", "error"), ("nothing_follows_wait", "a", "warning")]),
    (automation(done={"type": "end"}), [("no_acting_component", "", "error")]),
    (automation(a={"type": "wait", "for": "366 days", "next": "mail"}, mail=MAIL), [("wait_too_long", "a", "error")]),
    (automation(a={"type": "wait", "for": "365 days", "next": "mail"}, mail=MAIL), []),
    (automation(mail={**MAIL, "next": "a"}, a=PAUSE), [("nothing_follows_wait", "a", "warning")]),
    (
        automation(
            ask={
                "type": "branch",
                "arms": [
                    {"name": "yes", "when": {"did": "X"}, "next": "mail"},
                    {"name": "yes", "when": {"did": "Y"}},
                ],
            },
            mail=MAIL,
        ),
        [("duplicate_arm", "ask", "error")],
    ),
    (automation(ask=branch({"did": "X"}, otherwise="mail"), mail=MAIL), [("branch_without_effect", "ask", "warning")]),
    (
        automation(ask=branch({"did": "X", "since": {"step": "mail"}}), mail=MAIL),
        [("step_not_upstream", "ask", "error")],
    ),
    (
        automation(ask=branch({"any": [{"did": "X", "since": {"step": "ask"}}]}), mail=MAIL),
        [("step_not_upstream", "ask", "error")],
    ),
    (
        automation(a={**PAUSE, "next": "ask"}, ask=branch({"did": "X", "since": {"step": "a"}}), mail=MAIL),
        [("step_not_recorded", "ask", "error")],
    ),
    (
        automation(ask=branch({"did": "X", "since": {"step": "nowhere"}}), mail=MAIL),
        [("unknown_component", "ask", "error")],
    ),
    (
        automation(
            ask=branch({"did": "X", "since": {"step": "mail"}}),
            mail={**MAIL, "next": "a"},
            a={**PAUSE, "next": "ask"},
        ),
        [],
    ),
    (with_("trigger.where", {"all": [{"did": "X"}]}), [("events_in_trigger", "", "error")]),
    *(
        (automation(m=MAIL) | {"trigger": {"event": event}}, [("loop_through_trigger", "m", "error")])
        for event in ("Email Sent", "Email Delivered", "Email Skipped", "Email Bounced")
    ),
    *(
        (automation(m=TEXT) | {"trigger": {"event": event}}, [("loop_through_trigger", "m", "error")])
        for event in ("SMS Sent", "SMS Delivered", "SMS Undelivered", "SMS Skipped")
    ),
    (automation(m=TEXT) | {"trigger": {"event": "SMS Received"}}, []),
    (automation(m=MAIL) | {"trigger": {"event": "Email Sent"}, "reentry": "once"}, []),
    (automation(m=MAIL) | {"trigger": {"event": "Email Opened"}}, []),
    (with_("trigger.where", {"all": [{"trait": "plan", "is": "x"}, {"property": "p", "exists": True}]}), []),
    (
        automation(**{f"m{number}": {**MAIL, "next": f"m{number + 1}"} for number in range(200)}, m200=MAIL),
        [("too_many_components", "", "error")],
    ),
]  # fmt: skip


def test_what_comes_of_a_mail_by_itself_is_all_that_is_reported_but_what_its_reader_does() -> None:
    by_readers = {"Email Opened", "Email Link Clicked", "Email Marked as Spam", "Email Subscription Changed"}
    told = {meaning.event for meaning in MEANINGS.values()} | {meaning.machine for meaning in MEANINGS.values()}
    of_mails = {name for name in OF_SENDING if name.startswith("Email ")}
    assert told - {""} | {"Email Skipped"} == of_mails | by_readers


def test_what_comes_of_a_text_by_itself_is_all_that_is_reported_but_what_its_reader_does() -> None:
    by_readers = {"Link Clicked", "Received", "Read"}
    of_texts = {name.removeprefix("SMS ") for name in OF_SENDING if name.startswith("SMS ")}
    assert of_texts == set(OF_SMS) - by_readers


@pytest.mark.parametrize(("written", "expected"), GRAPHS)
def test_what_is_wrong_with_the_graph_is_found(written: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert codes(lint(Definition.model_validate(written))) == expected


def test_templates_are_looked_for_only_if_they_are_known() -> None:
    definition = Definition.model_validate(GOOD)
    assert lint(definition) == []
    assert codes(lint(definition, ["other"])) == [("unknown_template", "mail", "error")]
    assert lint(definition, {"tips": 1}) == []


def test_a_loop_is_told_by_its_way() -> None:
    (problem,) = lint(Definition.model_validate(automation(a={**MAIL, "next": "b"}, b={**MAIL, "next": "a"})))
    assert "a → b → a" in problem.message


FORMS: list[tuple[object, str, str, str]] = [
    (with_("components.mail.type", "send_fax"), "unknown_component_type", "mail", "components.mail"),
    (with_("components.mail", {"template": "tips"}), "unknown_component_type", "mail", "components.mail"),
    (with_("components.mail", "send_email"), "unknown_component_type", "mail", "components.mail"),
    (with_("components.mail.type", ["wait"]), "unknown_component_type", "mail", "components.mail"),
    (automation(wait=waits_for(name="timeout")), "invalid_definition", "wait", "components.wait.arms[0].name"),
    (automation(wait=waits_for(timeout="0 days")), "invalid_definition", "wait", "components.wait.timeout"),
    (with_("components.mail.subject", "Hi"), "invalid_definition", "mail", "components.mail.subject"),
    (with_("components.mail.template", 5), "invalid_definition", "mail", "components.mail.template"),
    (with_("components.mail.template", "Big Tips"), "invalid_definition", "mail", "components.mail.template"),
    *(
        (automation(text=TEXT | {name: value}), "invalid_definition", "text", place)
        for name, value, place in (
            ("lifetime", 4, "components.text.lifetime"),
            ("lifetime", 259_201, "components.text.lifetime"),
            ("max_price", "cheap", "components.text.max_price"),
            ("max_price", "0,05", "components.text.max_price"),
            ("sender", "", "components.text.sender"),
            ("gsm7", "yes", "components.text.gsm7"),
            ("subject", "Hi", "components.text.subject"),
        )
    ),
    (automation(mail=MAIL | {"gsm7": True}), "invalid_definition", "mail", "components.mail.gsm7"),
    (with_("components.mail.kind", "spam"), "invalid_definition", "mail", "components.mail.kind"),
    (with_("components.mail.next", "Done\n"), "invalid_definition", "mail", "components.mail.next"),
    (with_("components.pause.for", "2 moons"), "invalid_definition", "pause", "components.pause.for"),
    (with_("components.pause.for", 2), "invalid_definition", "pause", "components.pause.for"),
    (with_("components.pause.until", "2026-01-01"), "invalid_definition", "pause", "components.pause"),
    (with_("components.pause", {"type": "wait"}), "invalid_definition", "pause", "components.pause"),
    (
        with_("components.pause", {"type": "wait", "until": "Christmas"}),
        "invalid_definition", "pause", "components.pause.until",
    ),
    (
        with_("components.pause", {"type": "wait", "until": {"trait": "x", "offset": "2"}}),
        "invalid_definition", "pause", "components.pause.until.offset",
    ),
    (with_("components.pause", {"type": "wait", "until": 5}), "invalid_definition", "pause", "components.pause.until"),
    (with_("components.ask.arms", []), "invalid_definition", "ask", "components.ask.arms"),
    (
        with_("components.ask.arms", [{"name": "otherwise", "when": {"did": "X"}}]),
        "invalid_definition", "ask", "components.ask.arms[0].name",
    ),
    (
        with_("components.ask.arms", [{"name": True, "when": {"did": "X"}}]),
        "invalid_definition", "ask", "components.ask.arms[0].name",
    ),
    (
        with_("components.ask.arms", [{"name": "a\nb", "when": {"did": "X"}}]),
        "invalid_definition", "ask", "components.ask.arms[0].name",
    ),
    (
        with_("components.ask.arms", [{"name": "a", "when": {"any": [{"trait": "x", "is": None}]}}]),
        "invalid_definition", "ask", "components.ask.arms[0].when.any[0].is",
    ),
    (with_("components.Bad Id", MAIL), "invalid_definition", "Bad Id", "components.Bad Id"),
    (with_("components.done.next", "mail"), "invalid_definition", "done", "components.done.next"),
    (with_("components", {}), "invalid_definition", "", "components"),
    (with_("components", [MAIL]), "invalid_definition", "", "components"),
    (with_("automation", "Welcome!"), "invalid_definition", "", "automation"),
    (with_("automation", "w" * 64), "invalid_definition", "", "automation"),
    (with_("trigger", {}), "invalid_definition", "", "trigger.event"),
    (with_("trigger", "Signed Up"), "invalid_definition", "", "trigger"),
    (with_("trigger.where", {"foo": 1}), "invalid_definition", "", "trigger.where"),
    (with_("reentry", "sometimes"), "invalid_definition", "", "reentry"),
    (with_("version", 3), "invalid_definition", "", "version"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "code", "component", "place"), FORMS)
def test_a_mistake_in_the_form_is_found_at_its_place(written: Any, code: str, component: str, place: str) -> None:
    definition, problems = check(json.dumps(written))
    assert definition is None
    assert [(found.code, found.component, found.place) for found in problems] == [(code, component, place)]
    with pytest.raises(InvalidInput) as refused:
        parse_definition(written)
    assert (refused.value.code, refused.value.field) == (code, place)


def test_all_mistakes_in_the_form_are_found_at_once() -> None:
    written = with_("components.mail.template", 5)
    written["components"]["pause"] = {"type": "nap"}
    del written["trigger"]
    _, problems = check(written)
    assert {(found.code, found.place) for found in problems} == {
        ("invalid_definition", "trigger"),
        ("unknown_component_type", "components.pause"),
        ("invalid_definition", "components.mail.template"),
    }


def test_a_mistake_in_the_text_is_a_problem_too() -> None:
    assert codes(check("a: 1\na: 2")[1]) == [("duplicate_key", "", "error")]
    with pytest.raises(InvalidInput, match="invalid_syntax"):
        parse_definition("{")


def test_a_problem_goes_on_the_wire_as_plain_data() -> None:
    (problem,) = lint(Definition.model_validate(with_("start", "nowhere")))
    assert problem.as_dict() == {
        "code": "unknown_start",
        "message": 'start: there is no component "nowhere"',
        "component": "",
        "level": "error",
        "place": "start",
    }


def test_every_code_of_the_table_is_tested() -> None:
    from tidings.automations import rules

    told = {
        code.strip()
        for line in (rules.__doc__ or "").splitlines()
        if line.startswith("| ") and not line.startswith("| code")
        for code in line.split("|")[1].split(",")
    }
    tested = {code for _, expected in GRAPHS for code, _, _ in expected} | {code for _, code, _, _ in FORMS}
    in_source_tests = {"invalid_syntax", "duplicate_key", "alias_refused", "definition_too_large"}
    assert told == tested | in_source_tests | {"unknown_template"}


def test_an_automation_that_was_checked_says_what_was_written() -> None:
    written = automation(wait=waits_for(where={"property": "sure", "is": True}), mail=MAIL)
    definition, problems = check(json.dumps(written))
    assert problems == []
    assert definition is not None
    assert json.dumps(definition.as_dict(), sort_keys=True) == json.dumps(written, sort_keys=True)
