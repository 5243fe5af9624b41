"""Every mistake in an automation is found, with its own code, and the component named."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from tidings.activity.own_events import OF_SMS
from tidings.automations.definition.elsewhere import Elsewhere, NamedTemplate
from tidings.automations.definition.model import Definition, parse_definition
from tidings.automations.definition.rules import OF_SENDING, Problem, check, lint
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
    definition, problems = check(json.dumps(GOOD), lambda _: Elsewhere({"tips": NamedTemplate()}))
    assert problems == []
    assert definition is not None
    assert definition.as_dict() == GOOD


def branch(when: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "branch", "arms": [{"name": "yes", "when": when, "next": "mail"}], **more}


def waits_for(event: str = "Paid", timeout: str = "1 day", on_timeout: str = "mail", **arm: Any) -> dict[str, Any]:
    arms = [{"name": "yes", "event": event, "next": "mail", **arm}]
    return {"type": "wait_for", "arms": arms, "timeout": timeout, "on_timeout": on_timeout}


def split(*percents: float, all_to: str = "", **more: Any) -> dict[str, Any]:
    """An arm for each percentage, of which only the first leads on unless all do."""
    ways = [all_to or ("mail" if not number else "") for number in range(len(percents))]
    arms = [
        {"name": f"arm {number}", "percent": percent, **({"next": ways[number]} if ways[number] else {})}
        for number, percent in enumerate(percents)
    ]
    return {"type": "split", "arms": arms, **more}


HOOK = {"type": "webhook", "url": "https://shop.example/hook"}
UPDATE = {"type": "update_contact", "set": {"plan": "team"}}
ASSIGN = {"type": "assign_conversation", "inbox": "sales"}
START = {"type": "start_automation", "automation": "other"}
INBOUND = {"type": "inbound_message", "timeout": "1 day", "on_timeout": "mail"}
END = {"type": "end"}
TWO_ARMS = {
    **waits_for(on_timeout="e"),
    "arms": [{"name": "m", "event": "Contact Updated", "next": "m"}, {"name": "a", "event": "X", "next": "a"}],
}
TWICE = {**waits_for(), "arms": [{"name": "yes", "event": "Paid"}, {"name": "yes", "event": "Refunded"}]}

GRAPHS: list[tuple[dict[str, Any], list[tuple[str, str, str]]]] = [
    (with_("start", "nowhere"), [("unknown_start", "", "error")]),
    (with_("components.mail.next", "nowhere"), [("unknown_component", "mail", "error")]),
    (automation(wait=waits_for(next="nowhere"), mail=MAIL), [("unknown_component", "wait", "error")]),
    (automation(wait=waits_for(on_timeout="nowhere"), mail=MAIL), [("unknown_component", "wait", "error")]),
    (automation(wait=waits_for(timeout="3650 days"), mail=MAIL), []),
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
    # What a loop does itself ends its own waits, of another of the person's ways through it.
    *(
        (
            automation(w=waits_for(event, next="act", on_timeout="e"), act=act | {"next": "w"}, e=END)
            | {"trigger": {"inbound": "any"}},
            [("loop_by_own_acts", "w", "error")],
        )
        for event, act in (
            ("Contact Updated", UPDATE),
            ("Conversation Transferred", ASSIGN),
            ("Automation Requested", START),
        )
    ),
    (automation(w=waits_for("Contact Updated", next="act", on_timeout="e"), act=MAIL | {"next": "w"}, e=END), []),
    (
        automation(w=waits_for("Contact Updated", next="a", on_timeout="e"), a={**PAUSE, "next": "u"}, e=END,
                   u=UPDATE | {"next": "w"}),
        [],
    ),
    (  # the update comes but once, or behind a wait: each turn needs another one
        automation(u=UPDATE | {"next": "w"}, w=waits_for("Contact Updated", next="m", on_timeout="e"),
                   m=MAIL | {"next": "w"}, e=END),
        [],
    ),
    (
        automation(w=TWO_ARMS, m=MAIL | {"next": "w"}, a={**PAUSE, "next": "u"}, e=END,
                   u=UPDATE | {"next": "w"}),
        [],
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
    (automation(a={"type": "wait", "for": "3650 days", "next": "mail"}, mail=MAIL), []),
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
    *(
        (automation(**components), [(code, next(iter(components)), level)])
        for code, level, components in (
            ("wrong_percentages", "error", {"s": split(50, 49.99), "mail": MAIL}),
            ("wrong_percentages", "error", {"s": split(33.333, 66.667), "mail": MAIL}),
            ("wrong_percentages", "error", {"s": split(100, holdout=1), "mail": MAIL}),
            ("branch_without_effect", "warning", {"s": split(50, 50, all_to="mail"), "mail": MAIL}),
            ("unknown_component", "error", {"s": split(50, holdout=50, on_holdout="nowhere"), "mail": MAIL}),
            ("unknown_component", "error", {"f": {"type": "filter", "when": {"did": "X"}, "otherwise": "nowhere"}}),
            ("unknown_component", "error", {"u": {**UPDATE, "on_refused": "nowhere"}}),
            ("unknown_component", "error", {"h": {**HOOK, "on_failed": "nowhere"}}),
            ("unknown_component", "error", {"f": {"type": "filter", "when": {"engaged": "nowhere"}}}),
            ("invalid_template", "error", {"h": {**HOOK, "body": {"to": "{{ contact.id"}}}),
            ("unknown_variable", "error", {"h": {**HOOK, "body": ["{{ user.id }}"]}}),
            ("unknown_filter", "error", {"h": {**HOOK, "body": "{{ contact.id | shout }}"}}),
            ("unknown_component", "error", {"f": {"type": "filter", "when": {"answer": "nowhere.status", "is": 200}}}),
            ("unknown_component", "error", {"u": {**UPDATE, "set": {"tier": {"answer": "nowhere.body.tier"}}}}),
        )
    ),
    (
        automation(a={**ASSIGN, "on_none": "nowhere"}),
        [("unknown_component", "a", "error"), ("no_conversation_before", "a", "warning")],
    ),
    (automation(s=split(33.33, 66.67), mail=MAIL), []),
    (automation(s=split(99.5, holdout=0.5), mail=MAIL), []),
    (automation(ask=branch({"engaged": "ask"}), mail=MAIL), [("not_a_message", "ask", "error")]),
    (automation(text=TEXT | {"next": "f"}, f={"type": "filter", "when": {"engaged": "text", "by": "clicked"}}), []),
    (
        automation(f={"type": "filter", "when": {"engaged": "text"}, "next": "text"}, text=TEXT),
        [("step_not_upstream", "f", "error")],
    ),
    (
        automation(mail=MAIL | {"next": "f"}, f={"type": "filter", "when": {"answer": "mail.status", "is": 200}}),
        [("not_a_webhook", "f", "error")],
    ),
    (automation(h=HOOK | {"next": "f"}, f={"type": "filter", "when": {"answer": "h.status", "is": 200}}), []),
    (
        automation(mail=MAIL | {"next": "u"}, u={**UPDATE, "set": {"tier": {"answer": "mail.body.tier"}}}),
        [("not_a_webhook", "u", "error")],
    ),
    (
        automation(mail=MAIL | {"next": "s"}, s={**START, "properties": {"tier": {"answer": "mail.body.tier"}}}),
        [("not_a_webhook", "s", "error")],
    ),
    (
        automation(ask=ASK | {"otherwise": "wait"}, wait=waits_for(of="ask"), mail=MAIL),
        [("not_a_message", "wait", "error")],
    ),
    (
        automation(ask=branch({"did": "X"}, otherwise="in"), mail=MAIL, **{"in": {**INBOUND, "of": "ask"}}),
        [("not_a_message", "in", "error")],
    ),
    (automation(mail=MAIL | {"next": "in"}, **{"in": {**INBOUND, "of": "mail", "next": "text"}}, text=TEXT), []),
    (automation(**{"in": {**INBOUND, "where": {"did": "X"}}}, mail=MAIL), [("events_in_arm", "in", "error")]),
    (automation(wait=waits_for(where={"engaged": "mail"}), mail=MAIL), [
        ("events_in_arm", "wait", "error"), ("step_not_upstream", "wait", "error")]),
    (with_("trigger.where", {"engaged": "mail"}), [("events_in_trigger", "", "error")]),
    (with_("exits", [{"name": "x", "event": "X"}, {"name": "x", "event": "Y"}]), [("duplicate_exit", "", "error")]),
    (with_("exits", [{"name": "gone", "event": "X", "where": {"did": "Y"}}]), [("events_in_exit", "", "error")]),
    (with_("exits", [{"name": "gone", "when": {"property": "p", "is": 1}}]), [("property_in_exit", "", "error")]),
    *(
        (with_("exits", [{"name": "gone", "when": when}]), [("component_in_exit", "", "error")])
        for when in ({"engaged": "mail"}, {"answer": "mail.status", "is": 1}, {"did": "X", "since": {"step": "mail"}})
    ),
    *(
        (with_("exits", [{"name": "gone", "when": when}]), [("nobody_enters", "", "error")])
        for when in (
            {"did_not": "Y"},
            {"did_not": "Y", "since": "enrolment"},
            {"did_not": "Y", "since": "enrolment", "within": "1 day"},
            {"none": [{"did": "Y", "at_least": 2}]},
            {"any": [{"did_not": "Y"}, {"trait": "a", "is": 1}]},
            {"all": [{"did_not": "Y"}, {"none": [{"did": "Z"}, {"did": "X"}]}]},
        )
    ),
    *(
        (with_("exits", [{"name": "gone", "when": when}]), [])
        for when in (
            {"did": "Y"},
            {"did_not": "Y", "within": "1 day"},
            {"all": [{"did_not": "Y"}, {"trait": "a", "is": 1}]},
            {"any": [{"did": "Y"}, {"trait": "a", "is": 1}]},
            {"none": [{"did_not": "Y"}, {"trait": "a", "is": 1}]},
            {"none": [{"did": "Y"}, {"trait": "a", "is": 1}]},
        )
    ),
    (with_("exits", [{"name": "gone", "when": {"did": "Y", "since": "enrolment"}}]), []),
    (with_("exits", [{"name": "gone", "event": "SMS Recieved"}]), [("event_misspelled", "", "warning")]),
    (with_("goal", {"event": "Bought", "where": {"did": "Y"}}), [("events_in_goal", "", "error")]),
    (with_("goal", {"event": "Email Openned"}), [("event_misspelled", "", "warning")]),
    (automation(a=ASSIGN), [("no_conversation_before", "a", "warning")]),
    (automation(m=MAIL | {"conversation": "follow_up"}), [("no_conversation_before", "m", "warning")]),
    (automation(m=MAIL | {"conversation": "new", "next": "a"}, a=ASSIGN), []),
    (automation(w={**INBOUND, "next": "a", "on_timeout": "a"}, a=ASSIGN), []),
    (automation(a=ASSIGN) | {"trigger": {"inbound": "any"}}, []),
    (automation(a=ASSIGN) | {"trigger": {"event": "SMS Received"}}, []),
    (
        automation(u=UPDATE) | {"trigger": {"event": "Contact Updated"}},
        [("loop_through_trigger", "u", "error")],
    ),
    (automation(s=START | {"automation": "welcome"}), [("loop_through_trigger", "s", "error")]),
    (automation(s=START), []),
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


def test_an_automation_whose_machine_is_too_large_is_refused_before_it_is_published() -> None:
    names = [f"c{'b' * 58}{number:03}" for number in range(200)]
    splits = {name: split(*[2] * 50) for name in names}
    for number, name in enumerate(names):
        for n, arm in enumerate(splits[name]["arms"]):
            arm["next"] = names[min(number + n + 1, 199)]
    splits[names[-1]] = MAIL
    (problem,) = [one for one in lint(Definition.model_validate(automation(**splits))) if one.level == "error"]
    assert (problem.code, problem.level, problem.place) == ("machine_too_large", "error", "components")


def test_templates_are_looked_for_only_if_they_are_known() -> None:
    definition = Definition.model_validate(GOOD)
    assert lint(definition) == []
    assert codes(lint(definition, Elsewhere({"other": NamedTemplate()}))) == [("unknown_template", "mail", "error")]
    assert lint(definition, Elsewhere({"tips": NamedTemplate()})) == []


OTHER = Definition.model_validate({**GOOD, "automation": "other"})
NOTHING = Elsewhere({"text": NamedTemplate("sms")}, (), (), {"other": OTHER})
NAMES: list[tuple[dict[str, Any], str]] = [
    (automation(mail=MAIL), "unknown_template"),
    (automation(mail={**MAIL, "template": "text"}), "wrong_channel"),
    (automation(text={"type": "send_sms", "template": "text", "topic": "club"}), "unknown_topic"),
    (automation(reply={"type": "assign_conversation", "inbox": "default"}), "unknown_inbox"),
    (automation(start={"type": "start_automation", "automation": "missing"}), "unknown_automation"),
    (automation(start={"type": "start_automation", "automation": "other"}), "not_started_by_api"),
]


@pytest.mark.parametrize(("written", "code"), NAMES)
def test_what_is_named_elsewhere_is_looked_for_only_if_it_is_known_what_is_there(
    written: dict[str, Any], code: str
) -> None:
    definition = Definition.model_validate(written)
    assert code in [problem.code for problem in lint(definition, NOTHING)]
    assert code not in [problem.code for problem in lint(definition)]


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
    (with_("trigger", {}), "unknown_trigger", "", "trigger"),
    (with_("trigger", "Signed Up"), "unknown_trigger", "", "trigger"),
    (with_("trigger", {"inbound": ["fax"]}), "invalid_definition", "", "trigger.inbound[0]"),
    (with_("trigger", {"inbound": []}), "invalid_definition", "", "trigger.inbound"),
    (with_("trigger", {"api": False}), "invalid_definition", "", "trigger.api"),
    (with_("trigger", {"date": {}}), "invalid_definition", "", "trigger.date.trait"),
    (with_("trigger", {"date": {"trait": "born", "at": 9}}), "invalid_definition", "", "trigger.date.at"),
    (with_("trigger", {"date": {"trait": "born", "every": "month"}}), "invalid_definition", "", "trigger.date.every"),
    (with_("trigger", {"event": "E", "api": True}), "invalid_definition", "", "trigger.api"),
    (with_("exits", [{"name": "gone"}]), "unknown_exit", "", "exits[0]"),
    (with_("exits", ["gone"]), "unknown_exit", "", "exits[0]"),
    (with_("exits", [{"event": "X"}]), "invalid_definition", "", "exits[0].name"),
    (with_("exits", [{"name": f"{n}", "event": "X"} for n in range(21)]), "invalid_definition", "", "exits"),
    (with_("goal", {"event": "X", "within": "soon"}), "invalid_definition", "", "goal.within"),
    (with_("reentry", {}), "invalid_definition", "", "reentry"),
    (with_("reentry", {"parallel": 0}), "invalid_definition", "", "reentry.parallel"),
    (with_("reentry", {"interval": "0 days"}), "invalid_definition", "", "reentry.interval"),
    *(
        (automation(one=written), "invalid_definition", "one", f"components.one{place}")
        for written, place in (
            (split(0, 100), ".arms[0].percent"),
            (split(101), ".arms[0].percent"),
            (split(50, holdout="half"), ".holdout"),
            ({"type": "split", "arms": [{"name": "holdout", "percent": 100}]}, ".arms[0].name"),
            ({"type": "split", "arms": []}, ".arms"),
            ({"type": "filter"}, ".when"),
            (HOOK | {"url": "shop.example/hook"}, ".url"),
            (HOOK | {"url": "https://ada:secret@shop.example/hook"}, ".url"),
            (HOOK | {"method": "GET"}, ".method"),
            (HOOK | {"headers": {"Host": "shop.example"}}, ".headers"),
            (HOOK | {"headers": {"X": 5}}, ".headers"),
            (UPDATE | {"set": {}}, ""),
            (UPDATE | {"unset": ["plan"]}, ""),
            (UPDATE | {"set": {"plan": {"from": "event"}}}, ".set.plan"),
            (UPDATE | {"set": {"plan": {"add": "1"}}}, ".set.plan.add"),
            (START | {"automation": "The Other"}, ".automation"),
            (ASSIGN | {"inbox": 5}, ".inbox"),
            (INBOUND | {"channels": ["fax"]}, ".channels[0]"),
            (INBOUND | {"channels": "sms"}, ".channels"),
            (INBOUND | {"of": "No Such"}, ".of"),
            ({"type": "inbound_message"}, ".timeout"),
            (MAIL | {"conversation": "old"}, ".conversation"),
            (PAUSE | {"if_past": "leave"}, ""),
            ({"type": "wait", "until": {"weekday": "someday"}}, ".until.weekday"),
            ({"type": "wait", "until": {"at": "9:00"}}, ".until.at"),
            ({"type": "wait", "until": "2030-01-01", "if_past": "stay"}, ".if_past"),
            ({"type": "goal", "name": ""}, ".name"),
        )
    ),
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
    from tidings.automations.definition import rules

    told = {
        code.strip()
        for line in (rules.__doc__ or "").splitlines()
        if line.startswith("| ") and not line.startswith("| code")
        for code in line.split("|")[1].split(",")
    }
    tested = {code for _, expected in GRAPHS for code, _, _ in expected} | {code for _, code, _, _ in FORMS}
    in_source_tests = {"invalid_syntax", "duplicate_key", "alias_refused", "definition_too_large"}
    of_names = {code for _, code in NAMES}
    assert told == tested | in_source_tests | of_names | {"machine_too_large"}


def test_an_automation_that_was_checked_says_what_was_written() -> None:
    written = automation(wait=waits_for(where={"property": "sure", "is": True}), mail=MAIL)
    definition, problems = check(json.dumps(written))
    assert problems == []
    assert definition is not None
    assert json.dumps(definition.as_dict(), sort_keys=True) == json.dumps(written, sort_keys=True)


@pytest.mark.parametrize(("named", "told"), [("mial", '; did you mean "mail"?'), ("nowhere", "")])
def test_who_mistypes_a_link_is_told_what_may_be_meant(named: str, told: str) -> None:
    (problem,) = lint(Definition.model_validate(with_("components.mail.next", named)))
    assert problem.message == f'components.mail.next: there is no component "{named}"{told}'


@pytest.mark.parametrize(("written", "place"), [(written, place) for written, _, _, place in FORMS])
def test_mistakes_are_told_in_words_of_ours(written: Any, place: str) -> None:
    (problem,) = check(json.dumps(written))[1]
    assert not re.search(r"\b(Input|String|should|pydantic|True|False|None)\b|literal\[|pattern", problem.message)
    assert problem.message.startswith(f"{place}: ")
