"""What Tidings answers by itself stands in the conversation, once, and changes nothing of where the conversation is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.functional.test_inbound_texts import sent, set_up
from tests.support.inbound import counts, entries, recounted
from tests.support.recorder import Call
from tests.support.world import OUR_NUMBER, THEIR_NUMBER, World

from tidings.conversations.model import Direction, Entry

KEYWORD = {"name": "yes", "words": ["TAK"], "meaning": "confirm", "answer": "Good."}


@pytest.fixture
def acme(world: World) -> World:
    set_up(world, {"keywords": [KEYWORD]})
    return world


def conversation(world: World) -> dict[str, object]:
    """The one that there is."""
    status, answer = world.call("conversations", "GET /v1/conversations")
    assert status == 200, answer
    (shown,) = answer["conversations"]
    return dict(shown)


def told(world: World) -> list[Entry]:
    """What stands in it."""
    return entries(world, str(conversation(world)["conversation"]))


def act(world: World, what: str, **body: str) -> None:
    route = f"POST /v1/conversations/{{conversation}}/{what}"
    path = {"conversation": str(conversation(world)["conversation"])}
    status, answer = world.call("conversations", route, body, path=path)
    assert status == 200, answer


@pytest.mark.parametrize("words", ["STOP", "HELP", "tak"])
def test_an_answer_stands_behind_what_it_answers_with_its_message(acme: World, words: str) -> None:
    record = acme.text(words, inbound="in-1")
    assert acme.receive(record) == []
    assert acme.receive(record) == []
    asked, answer = told(acme)
    assert (asked.direction, asked.text) == (Direction.IN, words)
    assert (answer.direction, answer.channel, answer.who) == (Direction.OUT, "sms", "")
    assert [answer.text] == sent(acme)
    status, message = acme.call("messages", "GET /v1/messages/{message}", path={"message": answer.message})
    assert (status, message["conversation"]) == (200, conversation(acme)["conversation"])


def test_an_answer_is_nobody_s_reply(acme: World) -> None:
    acme.receive(acme.text("HELP"))
    assert (conversation(acme)["state"], conversation(acme)["agent"]) == ("new", "")
    act(acme, "take", agent="Eve")
    act(acme, "hold")
    assert conversation(acme)["state"] == "on_hold"
    assert counts(acme) == recounted(acme) == {("default", "on_hold"): 1}


def test_what_is_not_sent_stands_nowhere(acme: World) -> None:
    acme.receive(acme.text("STOP"))
    acme.now += timedelta(minutes=1)
    acme.receive(acme.text("HELP"))
    assert [one.text for one in told(acme) if one.direction is Direction.IN] == ["STOP", "HELP"]
    assert len([one for one in told(acme) if one.direction is Direction.OUT]) == len(sent(acme)) == 1


def test_an_answer_that_is_put_off_by_the_provider_stands_once(acme: World) -> None:
    acme.sms.failing = ["ThrottlingException"]
    record = acme.text("HELP", inbound="in-1")
    assert acme.receive(record) == [record["messageId"]]
    acme.now += timedelta(minutes=1)
    assert acme.receive(record) == []
    assert [one.direction for one in told(acme)] == [Direction.IN, Direction.OUT]
    assert len(sent(acme)) == 1


@pytest.mark.parametrize("what", ["take", "resolve"])
def test_an_agent_who_is_faster_does_not_keep_an_answer_back(acme: World, what: str) -> None:
    """They act after the answer was decided, right before it is claimed."""
    bodies = {"take": {"agent": "Eve"}, "resolve": {"type": "question", "category": "general", "key_message": "Done"}}
    strokes = []

    def overtake(call: Call) -> None:
        if acme.running == "sms_inbound" and call.name == "dynamodb:TransactWriteItems":
            strokes.append(call)
            if len(strokes) == 2:
                acme.recorder.before = None
                act(acme, what, **bodies[what])

    acme.recorder.before = overtake
    assert acme.receive(acme.text("HELP")) == []
    assert [one.direction for one in told(acme)] == [Direction.IN, Direction.OUT]
    assert len(sent(acme)) == 1
    assert conversation(acme)["state"] == {"take": "ongoing", "resolve": "resolved"}[what]
    assert counts(acme) == recounted(acme)


def test_a_person_s_words_after_an_answer_continue_the_conversation(acme: World) -> None:
    acme.receive(acme.text("HELP"))
    acme.now += timedelta(seconds=5)
    acme.receive(acme.text("Thanks"))
    assert [one.direction.value for one in told(acme)] == ["in", "out", "in"]
    assert conversation(acme)["reply"] == {"channel": "sms", "address": THEIR_NUMBER, "from": OUR_NUMBER}
