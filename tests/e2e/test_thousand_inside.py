"""A thousand people inside an automation when the local system is stopped: started again, all go on, none twice.

A third of them waits for time to pass, a third for an event, and a third comes in while the system stops.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.e2e.local_system import LocalSystem, eventually, start
from tests.e2e.round_mail import done

PEOPLE = 1000
# Twenty a second is what a machine does that is busy with other things.
PATIENCE = 600.0
NAME = "thousand"
AUTOMATION: dict[str, Any] = {
    "automation": NAME,
    "trigger": {"event": "Thousand Began"},
    "reentry": "once",
    "start": "which",
    "components": {
        "which": {
            "type": "branch",
            "arms": [{"name": "Waits", "when": {"property": "waits", "is": True}, "next": "pause"}],
            "otherwise": "question",
        },
        "pause": {"type": "wait", "for": "1 day", "next": "late"},
        "late": {"type": "send_email", "template": "thousand-late"},
        "question": {"type": "send_email", "template": "thousand-question", "next": "answer"},
        "answer": {
            "type": "wait_for",
            "arms": [{"name": "Answered", "event": "Thousand Answered", "next": "thanks"}],
            "timeout": "1 day",
        },
        "thanks": {"type": "send_email", "template": "thousand-thanks"},
    },
}


def users(kind: int) -> list[str]:
    return [f"t{number}" for number in range(PEOPLE) if number % 3 == kind]


def tell(system: LocalSystem, messages: list[dict[str, Any]]) -> None:
    for begin in range(0, len(messages), 100):
        done(system.call("POST", "/v1/batch", {"batch": messages[begin : begin + 100]}, key="write"))


def begins(user: str) -> list[dict[str, Any]]:
    traits = {"email": f"{user}@thousand.example"}
    waits = int(user[1:]) % 3 == 0
    return [
        {"type": "identify", "userId": user, "traits": traits, "messageId": f"{user}-i"},
        {"type": "track", "userId": user, "event": "Thousand Began", "properties": {"waits": waits},
         "messageId": f"{user}-b"},
    ]  # fmt: skip


def standing(system: LocalSystem) -> tuple[int, int, int]:
    """How many came in, how many are inside, and how many came to the end."""
    found = done(system.call("GET", f"/v1/automations/{NAME}/statistics"))
    return found["started"], found["inside"], found["finished"]


def sent(system: LocalSystem) -> Counter[tuple[str, str]]:
    """Mails by address and subject."""
    found = system.call("GET", "/outbox/api/mails", key="").json
    return Counter((mail["to"][0].partition("@")[0], mail["subject"]) for mail in found)


def arrive(system: LocalSystem, count: int) -> None:
    """Until so many mails have arrived; asked now and then, since the answer is long."""

    def arrived() -> bool:
        time.sleep(2)
        return sum(sent(system).values()) >= count

    eventually(arrived, within=PATIENCE)


def test_a_thousand_inside_all_go_on_and_each_gets_each_message_once(tmp_path: Path) -> None:
    first = start(tmp_path, records=False)
    try:
        for template in ("late", "question", "thanks"):
            body = {"subject": template, "text": "Hello", "html": "<p>Hello</p>", "kind": "transactional"}
            done(first.call("PUT", f"/v1/templates/thousand-{template}", body))
        done(first.call("PUT", f"/v1/automations/{NAME}", AUTOMATION))
        done(first.call("POST", f"/v1/automations/{NAME}/publish"))
        tell(first, [message for kind in (0, 1) for user in users(kind) for message in begins(user)])
        questions = len(users(1))
        arrive(first, questions)
        tell(first, [message for user in users(2) for message in begins(user)])
    finally:
        assert first.stop() == 0
    second = start(tmp_path, "--wait-scale", "0", records=False, within=PATIENCE)
    try:
        arrive(second, PEOPLE)
        answers = [
            {"type": "track", "userId": user, "event": "Thousand Answered", "messageId": f"{user}-a"}
            for kind in (1, 2) for user in users(kind)
        ]  # fmt: skip
        tell(second, answers)
        expected = {(user, "late") for user in users(0)}
        expected |= {(user, subject) for kind in (1, 2) for user in users(kind) for subject in ("question", "thanks")}
        arrive(second, len(expected))
        assert sent(second) == Counter(dict.fromkeys(expected, 1))
        eventually(lambda: standing(second) == (PEOPLE, 0, PEOPLE), within=PATIENCE)
    finally:
        assert second.stop() == 0
