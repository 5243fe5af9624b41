"""The example of a booking that is confirmed by SMS, and automations that begin with what somebody writes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from benchmarks.operations.preparing import example
from tests.support.world import THEIR_NUMBER, World

DAY = timedelta(days=1)
QUESTION = "Ada, czy potwierdzasz wizytę w piątek o 17:00? Odpisz TAK. Birchlane"
THANKS = "Dziękujemy, wizyta w piątek o 17:00 jest potwierdzona. Do zobaczenia! Birchlane"
REMINDER = "Przypominamy o wizycie w piątek o 17:00. Odpisz TAK, a zatrzymamy ja dla Ciebie. Birchlane"
TAK = {"words": ["TAK"], "meaning": "confirm"}


@pytest.fixture
def ada(world: World) -> World:
    """The example published, TAK a word that confirms, and Ada asked whether she comes."""
    for name in ("booking-question", "booking-confirmed", "booking-reminder"):
        world.template(name, **{"subject": "", **example(f"templates/{name}")})
    status, answer = world.call("numbers", "PUT /v1/keywords/{keyword}", TAK, path={"keyword": "confirm"})
    assert status == 200, answer
    world.automation(example("automations/booking-confirmation"))
    world.identify("ada", phone=THEIR_NUMBER, firstName="Ada")
    world.track("ada", "Booking Requested", when="w piątek o 17:00")
    world.run()
    world.now += timedelta(minutes=1)
    return world


def sent(world: World) -> list[str]:
    return [text["MessageBody"] for text in world.sms.to(THEIR_NUMBER)]


def path(world: World) -> list[tuple[str, str]]:
    (enrolment,) = world.of_contact(world.contact(user_id="ada")["contact"], "enrolments")
    return [(taken["component"], taken["outcome"]) for taken in enrolment["path"]]


def writes(world: World, text: str, **more: Any) -> None:
    assert world.receive(world.text(text, **more)) == []
    world.pump()
    world.run()
    world.now += timedelta(minutes=1)


@pytest.mark.parametrize("word", ["TAK", " tak! ", "Tak."])
def test_a_word_that_confirms_is_answered_at_once(ada: World, word: str) -> None:
    writes(ada, word)
    assert sent(ada) == [QUESTION, THANKS]
    assert path(ada) == [("ask", "accepted"), ("answer", "Confirmed"), ("confirmed", "accepted")]


def test_another_word_does_not_and_a_second_tak_says_nothing_more(ada: World) -> None:
    writes(ada, "o ktorej?")
    assert sent(ada) == [QUESTION]
    writes(ada, "TAK")
    writes(ada, "TAK")
    assert sent(ada) == [QUESTION, THANKS]


def test_whoever_does_not_answer_is_asked_once_more_and_then_let_be(ada: World) -> None:
    ada.run(DAY)
    assert sent(ada) == [QUESTION, REMINDER]
    ada.run(3 * DAY)
    assert sent(ada) == [QUESTION, REMINDER]
    assert path(ada)[-1] == ("late_answer", "timeout")


def test_the_reminder_is_answered_too(ada: World) -> None:
    ada.run(DAY)
    writes(ada, "TAK")
    assert sent(ada) == [QUESTION, REMINDER, THANKS]


def test_stop_is_no_answer_and_ends_what_is_written(ada: World) -> None:
    writes(ada, "STOP")
    told = len(sent(ada))
    ada.run(3 * DAY)
    assert len(sent(ada)) == told
    assert path(ada) == [("ask", "accepted"), ("answer", "timeout"), ("remind", "skipped")]


def test_a_wait_for_any_text_hears_a_stop_and_no_text_follows(ada: World) -> None:
    ask, thanks = ({"type": "send_sms", "template": f"booking-{name}"} for name in ("question", "confirmed"))
    arms = [{"name": "Wrote", "event": "SMS Received", "next": "thanks"}]
    wait = {"type": "wait_for", "arms": arms, "timeout": "1 day", "on_timeout": "end"}
    components = {"ask": {**ask, "next": "wait"}, "wait": wait, "thanks": thanks, "end": {"type": "end"}}
    ada.automation({"automation": "any", "trigger": {"event": "Go"}, "start": "ask", "components": components})
    ada.track("ada", "Go")
    ada.run()
    ada.now += timedelta(minutes=1)
    writes(ada, "STOP")
    enrolments = ada.of_contact(ada.contact(user_id="ada")["contact"], "enrolments")
    (heard,) = [one for one in enrolments if one["automation"] == "any"]
    assert [(step["component"], step["outcome"]) for step in heard["path"]] == [
        ("ask", "accepted"),
        ("wait", "Wrote"),
        ("thanks", "skipped"),
    ]
    assert THANKS not in sent(ada)


def test_a_message_that_comes_twice_is_one_answer(ada: World) -> None:
    record = ada.text("TAK", inbound="in-1")
    for _ in range(2):
        assert ada.receive(record) == []
        ada.pump()
        ada.run()
    assert sent(ada) == [QUESTION, THANKS]


# --- what somebody writes begins an automation -----------------------------------------------------------------------


def test_a_message_of_somebody_nobody_knew_begins_an_automation(world: World) -> None:
    world.template("hello", channel="sms", subject="", text="Welcome")
    world.call("numbers", "PUT /v1/keywords/{keyword}", {"words": ["INFO"], "meaning": "info"}, path={"keyword": "i"})
    where = {"property": "meaning", "is": "info"}
    mail = {"type": "send_sms", "template": "hello", "kind": "transactional"}
    definition = {"trigger": {"event": "SMS Received", "where": where}, "start": "hello"}
    world.automation({"automation": "info", **definition, "components": {"hello": mail}})
    writes(world, "Hello?")
    assert sent(world) == []
    writes(world, "INFO")
    assert sent(world) == ["Welcome"]
    (entered,) = world.of_contact(world.contact(phone=THEIR_NUMBER)["contact"], "enrolments")
    assert entered["cause"]["event"] == "SMS Received"


def test_the_very_first_message_begins_it(world: World) -> None:
    world.template("hello", channel="sms", subject="", text="Welcome")
    mail = {"type": "send_sms", "template": "hello", "kind": "transactional"}
    trigger = {"trigger": {"event": "SMS Received"}, "start": "hello", "reentry": "once"}
    world.automation({"automation": "greet", **trigger, "components": {"hello": mail}})
    writes(world, "Hello?")
    writes(world, "Hello again")
    assert sent(world) == ["Welcome"]
