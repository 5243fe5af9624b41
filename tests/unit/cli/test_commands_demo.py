"""The demo's verdict, which must not be kinder than the facts, and its table on a terminal."""

from __future__ import annotations

import copy
import io
import signal
import time
from typing import Any, cast

import pytest
from rich.console import Console

from tidings_cli.client import ApiError, Client
from tidings_cli.demo.board import Board, LiveBoard, board
from tidings_cli.demo.people import ADA, ANSWER, BEN, CLEO, DEV, ENROLLED, EVE, FAY, PEOPLE
from tidings_cli.demo.phone import PhoneWatcher
from tidings_cli.demo.run import stoppable
from tidings_cli.demo.verdict import findings
from tidings_cli.demo.watch import Outbox


class Facts:
    """What the API and the outbox say after a demo that came out right; tests change it."""

    def __init__(self) -> None:
        self.texts = [{"body": text} for text in FAY.texts]
        self.path = [("ask", "accepted"), ("answer", "Confirmed"), ("confirmed", "accepted")]
        self.meaning = "confirm"
        self.mails = [{"subject": one.subject, "recipients": [one.address]} for one in (ADA, BEN, DEV)]
        decided = {"decided_by": "suppression"}
        self.messages: dict[str, list[dict[str, Any]]] = {
            one.id: [{"state": one.fate, "decision": decided if one.suppressed else {}}] for one in ENROLLED
        }
        self.reason = "bounce"
        self.enrolments: list[dict[str, str]] = []

    def get(self, *path: str, **query: str) -> dict[str, Any]:
        if path == ("contacts",):
            return {"contacts": [{"contact": query.get("user_id") or query["anonymous_id"]}], "cursor": ""}
        if path[-1] == "messages":
            return {"messages": self.messages[path[1]]}
        if path == ("contacts", FAY.id, "timeline"):
            return {"events": [{"event": "SMS Received", "properties": {"meaning": self.meaning}}]}
        if path == ("contacts", FAY.id, "enrolments"):
            return {"enrolments": [{"path": [{"component": at, "outcome": outcome} for at, outcome in self.path]}]}
        if path[-1] == "enrolments":
            return {"enrolments": self.enrolments}
        if not self.reason:
            raise ApiError(404, {"code": "not_suppressed", "message": "no"})
        return {"reason": self.reason}

    def wrong(self, seconds: float = 12.0) -> list[str]:
        """What the verdict finds wrong."""
        found = findings(cast(Client, self), self.mails, self.texts, seconds, 60)
        return [finding.text for finding in found if not finding.good]


@pytest.fixture
def facts() -> Facts:
    return Facts()


def test_a_demo_that_came_out_right_is_found_right(facts: Facts) -> None:
    assert facts.wrong() == []


def test_a_mail_that_is_missing_is_found(facts: Facts) -> None:
    del facts.mails[0]
    assert facts.wrong() == [f"Ada gets one mail: “{ADA.subject}”"]


def test_a_mail_that_came_twice_is_found(facts: Facts) -> None:
    facts.mails.append(copy.deepcopy(facts.mails[1]))
    assert facts.wrong() == [f"Ben gets one mail: “{BEN.subject}”"]


def test_the_wrong_mail_is_found(facts: Facts) -> None:
    facts.mails[1]["subject"] = ADA.subject
    assert facts.wrong() == [f"Ben gets one mail: “{BEN.subject}”"]


@pytest.mark.parametrize("address", [CLEO.address, "somebody@example.com"])
def test_a_mail_to_anybody_else_is_found(facts: Facts, address: str) -> None:
    facts.mails.append({"subject": "x", "recipients": [address]})
    assert facts.wrong() == ["Cleo gets no mail" if address == CLEO.address else "nobody else gets any"]


def test_a_skipped_mail_that_something_else_decided_is_found(facts: Facts) -> None:
    facts.messages["cleo"][0]["decision"] = {"decided_by": "sender"}
    assert facts.wrong() == ["Cleo's record says that suppression decided"]


def test_a_bounce_that_was_not_noticed_is_found(facts: Facts) -> None:
    facts.messages["dev"][0]["state"] = "accepted"
    facts.reason = ""
    assert facts.wrong() == ["Dev's message is bounced", "Dev's address is suppressed because of the bounce"]


def test_an_sms_that_is_missing_or_came_twice_is_found(facts: Facts) -> None:
    facts.texts[1] = facts.texts[0]
    wanted = [f"Fay gets one SMS: “{text}”" for text in FAY.texts]
    assert facts.wrong() == wanted
    facts.texts += [{"body": text} for text in FAY.texts[1:]]
    assert facts.wrong() == [wanted[0], "Fay gets no other SMS"]


def test_an_answer_that_led_nowhere_is_found(facts: Facts) -> None:
    facts.meaning = ""
    facts.path[1:] = [("answer", "timeout"), ("remind", "accepted")]
    assert facts.wrong() == ["Fay's TAK is on the timeline and confirms", "Fay's answer let the automation go on"]


def test_a_visitor_who_was_enrolled_is_found(facts: Facts) -> None:
    facts.enrolments = [{"automation": "welcome"}]
    assert facts.wrong() == ["Eve is known as a visitor and entered nothing"]


class Phone:
    """Fay's phone and the record of her booking, each as far as a test lets it come."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.path: list[dict[str, str]] = []
        self.replies: list[tuple[str, str]] = []

    def texts(self, person: str) -> list[dict[str, Any]]:
        return [{"id": f"text-{at}", "body": body, "parts": 1} for at, body in enumerate(self.bodies)]

    def reply(self, text: str, body: str) -> None:
        self.replies.append((text, body))

    def get(self, *path: str, **query: str) -> dict[str, Any]:
        return {"enrolments": [{"contact": "c", "steps": len(self.path), "path": self.path}]}

    def come_to_the_end(self) -> None:
        steps = (("ask", "answer"), ("answer", "confirmed"), ("confirmed", ""))
        self.path = [{"component": at, "outcome": "accepted", "next": to} for at, to in steps]


@pytest.mark.parametrize("first", ["text", "record"])
def test_a_booking_is_over_once_text_and_record_came_whichever_was_seen_first(first: str) -> None:
    phone = Phone()
    shown = Board(Console(file=io.StringIO()), 0.0, 1.0)
    watcher = PhoneWatcher(cast(Client, phone), cast(Outbox, phone), shown)
    phone.bodies.append(FAY.texts[0])
    assert watcher.look()
    assert phone.replies == [("text-0", ANSWER)]
    arrivals = [lambda: phone.bodies.append(FAY.texts[1]), phone.come_to_the_end]
    for arrive in arrivals if first == "text" else reversed(arrivals):
        assert watcher.missing == [f"Fay's booking is not confirmed: {len(phone.bodies)} SMS so far"]
        arrive()
        watcher.look()
    assert watcher.missing == []
    assert phone.replies == [("text-0", ANSWER)]


def test_a_demo_that_took_too_long_is_found(facts: Facts) -> None:
    assert facts.wrong(seconds=61) == ["the last message came within 60 s"]


def terminal(width: int = 80) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=40, color_system=None, highlight=False)


def output(console: Console) -> str:
    return cast(io.StringIO, console.file).getvalue()


def test_a_pipe_gets_a_line_for_each_thing_that_happens() -> None:
    console = Console(file=io.StringIO(), width=40, highlight=False)
    shown = board(console, time.monotonic(), 2.5)
    assert type(shown) is Board
    with shown:
        shown.add(ADA, "mail “[a very long subject] that is longer than the line of a terminal”")
    line = output(console).splitlines()
    assert line == ["  0.0 s  Ada   mail “[a very long subject] that is longer than the line of a terminal”"]


def test_a_terminal_gets_a_table_that_stays() -> None:
    console = terminal()
    shown = board(console, time.monotonic(), 2.5)
    assert isinstance(shown, LiveBoard)
    with shown:
        shown.step("something goes on")
        shown.add(EVE, "looks at the prices")
        shown.wait(BEN)
        for person in PEOPLE:
            shown.finish(person)
    final = output(console).rpartition("A day after signing up")[2]
    assert "looks at the prices" in final
    assert "waits 1 day (0 of 24 hours)" in final
    assert final.count("✓") == len(PEOPLE)
    assert "something goes on" not in final


def test_a_dumb_terminal_gets_lines() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    assert type(board(console, time.monotonic(), 2.5)) is Board


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_can_be_stopped_even_where_the_parent_had_the_signal_ignored(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), stoppable():
            signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)
