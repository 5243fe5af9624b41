"""What the command says about decisions, steps and versions, in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from tidings.messages.model import State
from tidings_cli import words
from tidings_cli.contacts import message_lines
from tidings_cli.printing import escape, when

WELCOME: dict[str, Any] = {
    "automation": "welcome",
    "trigger": {"event": "Signed Up"},
    "start": "pause",
    "components": {
        "pause": {"type": "wait", "for": "1 day", "next": "tips"},
        "tips": {"type": "send_email", "template": "tips"},
    },
}


def message(state: str, **more: Any) -> dict[str, Any]:
    checks = [
        {"check": "address", "passed": True, "found": "the contact has an e-mail address"},
        {"check": "suppression", "passed": False, "found": "suppressed since yesterday: manual"},
    ]
    return {
        "message": "c1-m",
        "state": state,
        "error": "",
        "subject": "",
        "template": "tips",
        "template_version": 2,
        "kind": "marketing",
        "address": "a@example.com",
        "cause": {"automation": "welcome", "version": "1", "component": "tips"},
        "history": {"skipped": "2026-11-21T09:00:00.000001Z"},
        "decision": {"send": False, "decided_by": "suppression", "checks": checks},
        **more,
    }


def test_a_message_that_was_not_sent_says_which_check_decided() -> None:
    assert words.decision(message("skipped")) == [
        "not sent, because of the suppression check",
        "  yes  address: the contact has an e-mail address",
        "  no   suppression: suppressed since yesterday: manual",
    ]


def test_a_message_that_bounced_says_how() -> None:
    decided = {"send": True, "decided_by": "", "checks": []}
    told = words.decision(message("bounced", error="Permanent/General", decision=decided))
    assert told == ["bounced (Permanent/General)"]


def test_every_state_of_a_message_has_words() -> None:
    assert set(words.STATES) == set(State)


def test_a_message_is_shown_with_its_cause_and_history() -> None:
    lines = "\n".join(message_lines(message("skipped")))
    assert "(template tips)" in lines
    assert "automation welcome version 1, component tips" in lines
    assert "skipped 2026-11-21 09:00:00 UTC" in lines


def test_what_was_stored_is_never_read_as_markup() -> None:
    assert r"\[red]" in message_lines(message("skipped", subject="[red]x"))[0]


@pytest.mark.parametrize(
    ("cause", "told"),
    [({"api": "receipt-1"}, "API call receipt-1"), ({"other": "x"}, '{"other": "x"}'), ({}, "")],
)
def test_other_causes_are_told_as_they_are(cause: dict[str, str], told: str) -> None:
    assert words.cause({"cause": cause}) == told


def test_a_branch_says_what_each_arm_found() -> None:
    parts = [{"result": True, "sentence": "Trait plan is team."}]
    taken = {
        "n": 1,
        "component": "has_begun",
        "outcome": "otherwise",
        "next": "nudge",
        "why": {"Began": {"result": False, "sentence": "1 of 2 rules holds, and all must.", "parts": parts}},
    }
    assert words.step(taken) == [
        "1. has_begun: otherwise → nudge",
        "     Began:",
        "       no   1 of 2 rules holds, and all must.",
        "         yes  Trait plan is team.",
    ]


def test_a_check_says_what_it_found_and_the_last_step_where_it_leads() -> None:
    why = {"check": "suppression", "passed": False, "found": "suppressed: manual"}
    taken = {"n": 2, "component": "guard", "outcome": "suppressed", "next": "", "why": why}
    assert words.step(taken) == ["2. guard: suppressed → the end", "     suppressed: manual"]


def test_the_end_of_a_wait_says_what_came_and_what_was_asked_of_it() -> None:
    asked = {"result": True, "sentence": "Property meaning is confirm.", "parts": []}
    why = {"check": "event", "found": "SMS Received came at 2026-11-22T09:00:00Z", "arms": {"Confirmed": asked}}
    taken = {"n": 2, "component": "answer", "outcome": "Confirmed", "next": "thanks", "why": why}
    assert words.step(taken) == [
        "2. answer: Confirmed → thanks",
        "     SMS Received came at 2026-11-22T09:00:00Z",
        "     Confirmed:",
        "       yes  Property meaning is confirm.",
    ]


@pytest.mark.parametrize(
    ("enrolment", "told"),
    [
        ({"state": "live", "component": "pause", "until": {"pause": "2026-11-22T09:00:00.000000Z"}},
         "live, at pause until 2026-11-22 09:00:00 UTC"),
        ({"state": "live", "component": "tips", "until": {}}, "live, at tips"),
        ({"state": "failed", "component": "tips", "error": "Runtime.Error"}, "failed (Runtime.Error)"),
        ({"state": "completed", "component": ""}, "completed"),
    ],
)  # fmt: skip
def test_an_enrolment_says_where_it_stands(enrolment: dict[str, Any], told: str) -> None:
    assert words.standing(enrolment) == told


def test_versions_say_what_they_changed() -> None:
    after = {
        **WELCOME,
        "start": "tips",
        "trigger": {"event": "Joined"},
        "components": {
            "tips": {"type": "send_email", "template": "more-tips", "on_unknown": "resend"},
            "done": {"type": "end"},
        },
    }
    assert words.changes(WELCOME, after) == [
        'trigger: {"event": "Signed Up"} → {"event": "Joined"}',
        'start: "pause" → "tips"',
        "added done (end)",
        "removed pause (wait)",
        'tips.template: "tips" → "more-tips"',
        'tips.on_unknown: nothing → "resend"',
    ]
    assert words.changes(None, WELCOME) == ["first version"]
    assert words.changes(WELCOME, WELCOME) == ["nothing"]


@pytest.mark.parametrize(
    ("text", "told"),
    [("2026-11-21T10:00:00.5+01:00", "2026-11-21 09:00:00 UTC"), (None, ""), ("", ""), ("soon", "soon")],
)
def test_instants_are_told_to_the_second_in_utc(text: str | None, told: str) -> None:
    assert when(text) == told


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("\x1b[31mred\x1b]0;title\x07", "\\u001b[31mred\\u001b]0;title\\u0007"),
        ("\x9b2J", "\\u009b2J"),
        ("\u202eevil", "\\u202eevil"),
        ("[red]markup[/]", "\\[red]markup\\[/]"),
        ("two\nlines\tand שלום 🎉", "two\nlines\tand שלום 🎉"),
    ],
)
def test_what_was_stored_cannot_steer_the_terminal(stored: str, shown: str) -> None:
    assert escape(stored) == shown
