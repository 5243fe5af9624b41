"""A way on which every kind of state of a machine is entered, and whoever goes it: the same for every interpreter."""

from __future__ import annotations

from typing import Any

# The date of the doors lies in so many days. Waits of 300 days and more need a second execution.
NEAR, FAR = 100, 350
SAMPLE: dict[str, Any] = {
    "automation": "plan",
    "trigger": {"event": "Began"},
    "start": "first",
    "components": {
        "first": {"type": "send_email", "template": "tips", "kind": "transactional", "next": "hold"},
        "hold": {
            "type": "wait_for",
            "arms": [{"name": "Go", "event": "Go", "next": "answer"}],
            "timeout": "1 hour",
        },
        "answer": {
            "type": "wait_for",
            "arms": [{"name": "Yes", "event": "Answered", "next": "pause"}],
            "timeout": "1 hour",
            "on_timeout": "reminder",
        },
        "pause": {"type": "wait", "for": "200 days", "next": "doors"},
        "doors": {"type": "wait", "until": {"property": "day"}, "if_past": "leave", "next": "there"},
        "there": {"type": "send_email", "template": "tips", "kind": "transactional"},
        "reminder": {"type": "send_email", "template": "tips", "kind": "transactional", "next": "end"},
        "end": {"type": "end"},
    },
}
Way = tuple[list[tuple[str, str]], list[list[str]]]
_BEGIN = ["Begin", "first", "first-route", "hold", "hold-route", "answer"]
_YES = [("first", "accepted"), ("hold", "Go"), ("answer", "Yes")]
# By user: the steps, and the states of each execution. Bob is too late for the doors, cleo answers nothing, and for ada
# everything is halted when she comes to the answer: she waits for it in a new execution.
WAYS: dict[str, Way] = {
    "bob": (_YES, [[*_BEGIN, "answer-route", "pause", "doors-due", "Ended"]]),
    "cleo": (
        [("first", "accepted"), ("hold", "Go"), ("answer", "timeout"), ("reminder", "accepted")],
        [[*_BEGIN, "answer-timeout", "answer-route", "reminder"]],
    ),
    "ada": (
        [*_YES, ("there", "accepted")],
        [
            _BEGIN,
            ["Begin", "answer-left", "answer-resumed", "answer-route", "Rest", "Renew"],
            ["Begin", "doors", "there"],
        ],
    ),
}
DAYS = {"bob": NEAR, "cleo": FAR, "ada": FAR}
