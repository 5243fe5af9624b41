"""Texts that people write to our numbers: taken in once, STOP obeyed first, answered once, told to AWS."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from tests.support.world import OUR_NUMBER, THEIR_NUMBER, World

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.sms.number_store import DynamoNumberStore

STOPPED = {"reason": "stop", "source": OUR_NUMBER}


def set_up(world: World, setup: dict[str, Any]) -> None:
    """Change what the workspace's texts leave from."""
    workspaces = DynamoWorkspaceStore(world.database)
    with world.recorder.unseen():
        before = workspaces.get("acme")
        assert before
        workspaces.change_sms(before, {**before.sms, **setup})


def suppression(world: World, number: str = THEIR_NUMBER) -> dict[str, Any] | None:
    """What the suppression list says of a number; None if nothing."""
    path = {"channel": "sms", "address": number}
    status, answer = world.call("suppressions", "GET /v1/suppressions/{channel}/{address}", path=path)
    return answer if status == 200 else None


def log(world: World, number: str = THEIR_NUMBER) -> list[dict[str, Any]]:
    """What the log tells of a number."""
    path = {"channel": "sms", "address": number}
    _, answer = world.call("consents", "GET /v1/consents/{channel}/{address}/log", path=path)
    return list(answer["log"])


def timeline(world: World, contact: str, name: str) -> list[dict[str, Any]]:
    """Events of a name on a contact's timeline."""
    return [event for event in world.of_contact(contact, "events") if event.get("event") == name]


def sent(world: World, number: str = THEIR_NUMBER) -> list[str]:
    """The texts that a number got."""
    return [text["MessageBody"] for text in world.sms.to(number)]


def test_what_somebody_writes_makes_them_a_contact_and_opens_a_conversation(world: World) -> None:
    assert world.receive(world.text("Is it open?", inbound="in-1")) == []
    contact = world.contact(phone=THEIR_NUMBER)["contact"]
    (received,) = timeline(world, contact, "SMS Received")
    told = received["properties"]
    assert (told["text"], told["to"], told["provider_id"]) == ("Is it open?", OUR_NUMBER, "in-1")
    assert (told["keyword"], told["meaning"]) == ("", "")
    assert sent(world) == []
    assert suppression(world) is None


def test_stop_suppresses_with_proof_is_confirmed_once_and_told_to_aws(world: World) -> None:
    world.now += timedelta(minutes=1)
    at = world.now
    record = world.text(" stop! ", inbound="in-1")
    assert world.receive(record) == []
    world.now += timedelta(minutes=1)
    assert world.receive(record, world.text("STOP", inbound="in-2")) == []
    assert (suppression(world) or {}).items() >= STOPPED.items()
    proof = log(world)[-1]
    assert proof["change"] == "stopped"
    assert (proof["source"], proof["wording"], proof["message"]) == (OUR_NUMBER, " stop! ", "in-1")
    assert proof["given_at"] == at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert sent(world) == ["Acme: nie wyslemy Ci wiecej SMS-ow. Odpisz START, aby znow je dostawac."]
    assert world.sms.opted_out == {"Default": {THEIR_NUMBER}}
    contact = world.contact(phone=THEIR_NUMBER)["contact"]
    assert len(timeline(world, contact, "Address Suppressed")) == 1


def test_only_the_confirmation_passes_a_stop(world: World) -> None:
    world.receive(world.text("STOP"))
    world.now += timedelta(minutes=1)
    world.receive(world.text("HELP"))
    assert len(sent(world)) == 1


def test_start_takes_a_stop_back_and_nothing_else(world: World) -> None:
    path = {"channel": "sms", "address": THEIR_NUMBER}
    world.receive(world.text("STOP"))
    world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)
    assert (suppression(world) or {})["reason"] == "stop"
    world.now += timedelta(minutes=1)
    world.receive(world.text("Start."))
    assert (suppression(world) or {})["reason"] == "manual"
    assert world.sms.opted_out == {"Default": set()}
    status, _ = world.call("suppressions", "DELETE /v1/suppressions/{channel}/{address}", path=path)
    assert status == 200
    assert suppression(world) is None


def test_a_number_for_marketing_confirms_a_stop_as_what_aws_has_it_for(world: World) -> None:
    own = {"country": "PL", "two_way": True, "self_managed": True, "kinds": ["marketing"]}
    set_up(world, {"numbers": {OUR_NUMBER: own}})
    assert world.receive(world.text("STOP")) == []
    (text,) = world.sms.to(THEIR_NUMBER)
    assert (text["OriginationIdentity"], text["MessageType"]) == (OUR_NUMBER, "PROMOTIONAL")


def test_the_lists_of_all_numbers_of_the_workspace_follow_the_persons_last_word(world: World) -> None:
    own = {"country": "PL", "two_way": True, "self_managed": True}
    second = "+48732100300"
    numbers = {OUR_NUMBER: {**own, "opt_outs": "First"}, second: {**own, "opt_outs": "Second"}}
    set_up(world, {"numbers": numbers})
    with world.recorder.unseen():
        workspace = DynamoWorkspaceStore(world.database).get("acme")
        assert workspace
        DynamoNumberStore(world.database).claim(workspace, second, numbers[second])
    assert world.receive(world.text("STOP")) == []
    assert world.sms.opted_out == {"First": {THEIR_NUMBER}, "Second": {THEIR_NUMBER}}
    world.now += timedelta(minutes=1)
    assert world.receive(world.text("START", to=second)) == []
    assert world.sms.opted_out == {"First": set(), "Second": set()}


def test_nobody_else_takes_a_stop_back(world: World) -> None:
    world.receive(world.text("STOP"))
    path = {"channel": "sms", "address": THEIR_NUMBER}
    status, answer = world.call("suppressions", "DELETE /v1/suppressions/{channel}/{address}", path=path)
    assert (status, answer["code"]) == (409, "stopped_by_person")
    said = {"reply": "subscribed", "by": "person"}
    world.call("consents", "PUT /v1/consents/{channel}/{address}/{topic}", said, path={**path, "topic": "marketing"})
    row = {"address": THEIR_NUMBER, "topic": "marketing", "reply": "subscribed"}
    world.call("consents", "POST /v1/consents/import", {"channel": "sms", "rows": [row]})
    assert (suppression(world) or {})["reason"] == "stop"


def test_a_stop_that_comes_after_a_newer_start_changes_nothing(world: World) -> None:
    stop = world.text("STOP", inbound="in-1")
    world.now += timedelta(minutes=1)
    start = world.text("START", inbound="in-2")
    assert world.receive(start) == []
    assert world.receive(stop) == []
    assert suppression(world) is None
    assert [entry["message"] for entry in log(world)] == ["in-2", "in-1"]  # both were said
    assert sent(world) == ["Acme: znow bedziesz dostawac nasze SMS-y. Odpisz STOP, aby je zakonczyc."]


def test_where_aws_answers_stop_tidings_obeys_and_is_silent(world: World) -> None:
    set_up(world, {"numbers": {OUR_NUMBER: {"country": "PL", "two_way": True}}})
    for word in ("STOP", "HELP", "START"):
        assert world.receive(world.text(word)) == []
        world.now += timedelta(seconds=1)
    assert sent(world) == []
    assert [entry["change"] for entry in log(world)] == ["started", "stopped"]
    assert [name for name, _ in world.sms.calls] == ["PutOptedOutNumber", "DeleteOptedOutNumber"]


@pytest.mark.parametrize("wrong", ["{}", "no json", '{"Message": "{}", "Timestamp": "2026-11-21T09:00:00Z"}', "[]"])
def test_what_nobody_can_read_is_set_aside_and_keeps_no_other_back(world: World, wrong: str) -> None:
    record = {"messageId": "bad", "body": wrong}
    assert world.receive(record, world.text("hello")) == ["bad"]
    assert world.contact(phone=THEIR_NUMBER)


def test_half_a_character_is_no_reason_to_lose_a_text(world: World) -> None:
    file = {"bucket": "b", "key": "k\ud83d"}
    assert world.receive(world.text("see you \ud83d", media=[file])) == []
    (received,) = timeline(world, world.contact(phone=THEIR_NUMBER)["contact"], "SMS Received")
    assert received["properties"]["text"] == "see you \ufffd"


def test_a_text_to_nobodys_number_is_set_aside(world: World) -> None:
    record = world.text("hello", to="+48799999999")
    assert world.receive(record) == [record["messageId"]]


def test_a_word_of_the_owners_means_something_and_is_answered_once(world: World) -> None:
    words = {
        "name": "confirm",
        "words": ["Tak", "Yes"],
        "meaning": "confirm",
        "answer": "See you, {{ contact.phone }}.",
    }
    set_up(world, {"keywords": [words]})
    record = world.text("  TAK!! ", inbound="in-1")
    assert world.receive(record) == []
    assert world.receive(record) == []
    (contact,) = [world.contact(phone=THEIR_NUMBER)["contact"]]
    (received,) = timeline(world, contact, "SMS Received")
    assert (received["properties"]["keyword"], received["properties"]["meaning"]) == ("Tak", "confirm")
    assert sent(world) == [f"See you, {THEIR_NUMBER}."]
    (message,) = world.of_contact(contact, "messages")
    assert (message["kind"], message["transport"]["sender"]) == ("transactional", OUR_NUMBER)


def test_a_words_answer_asks_suppression_like_any_message(world: World) -> None:
    set_up(world, {"keywords": [{"name": "yes", "words": ["tak"], "meaning": "confirm", "answer": "Good."}]})
    path = {"channel": "sms", "address": THEIR_NUMBER}
    world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)
    assert world.receive(world.text("tak")) == []
    assert sent(world) == []
    (message,) = world.of_contact(world.contact(phone=THEIR_NUMBER)["contact"], "messages")
    assert (message["state"], message["decision"]["decided_by"]) == ("skipped", "suppression")


def test_who_complained_gets_no_confirmation_of_their_stop(world: World) -> None:
    path = {"channel": "sms", "address": THEIR_NUMBER}
    world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)
    assert world.receive(world.text("STOP")) == []
    assert sent(world) == []
    assert (suppression(world) or {})["reason"] == "stop"


def test_who_was_erased_stays_suppressed_whatever_they_write(world: World) -> None:
    world.receive(world.text("STOP"))
    contact = world.contact(phone=THEIR_NUMBER)["contact"]
    early = world.text("START")
    world.now += timedelta(minutes=1)
    world.erase(contact)
    world.clear_erased()
    assert world.receive(early) == []
    world.now += timedelta(minutes=1)
    before = len(world.sms.accepted)
    assert world.receive(world.text("START"), world.text("HELP")) == []
    assert len(world.sms.accepted) == before
    assert (suppression(world) or {})["reason"] == "erased"
    assert log(world) == []
    assert world.contact(phone=THEIR_NUMBER)["contact"] != contact  # they wrote to us, which grants nothing


def test_a_text_takes_three_calls_in_a_warm_process(world: World) -> None:
    world.receive(world.text("hello"))
    for number, answers in enumerate(["", "sms-9"]):
        calls: list[str] = []
        world.recorder.before = lambda call, calls=calls: calls.append(call.name)  # type: ignore[misc]
        assert world.receive(world.text(f"again {number}", answers=answers), pump=False) == []
        world.recorder.before = None
        assert calls == ["dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:TransactWriteItems"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_one_persons_texts_the_later_is_the_later_in_the_conversation(world: World, order: tuple[int, ...]) -> None:
    records = []
    for number in range(3):
        records.append(world.text(f"text {number}"))
        world.now += timedelta(seconds=1)
    for number in order:
        assert world.receive(records[number]) == []
    contact = world.contact(phone=THEIR_NUMBER)["contact"]
    _, answer = world.call("contacts", "GET /v1/contacts/{contact}/conversations", path={"contact": contact})
    (conversation,) = answer["conversations"]
    path = {"conversation": conversation["conversation"]}
    _, shown = world.call("conversations", "GET /v1/conversations/{conversation}", path=path)
    assert [entry["text"] for entry in shown["entries"]] == ["text 0", "text 1", "text 2"]
    assert conversation["last_at"] == shown["entries"][-1]["at"]


def test_a_text_is_joined_to_the_message_it_answers(world: World) -> None:
    set_up(world, {"keywords": [{"name": "yes", "words": ["tak"], "meaning": "confirm", "answer": "Good."}]})
    world.receive(world.text("tak"))
    contact = world.contact(phone=THEIR_NUMBER)["contact"]
    (message,) = world.of_contact(contact, "messages")
    world.now += timedelta(minutes=1)
    world.receive(world.text("thanks", answers=message["provider_id"]))
    received = timeline(world, contact, "SMS Received")
    assert message["message"] in [event["properties"]["answers"] for event in received]


def test_an_answer_names_the_text_that_led_to_it(world: World) -> None:
    world.receive(world.text("STOP"))
    contact = world.contact(phone=THEIR_NUMBER)["contact"]
    (received,) = timeline(world, contact, "SMS Received")
    (message,) = world.of_contact(contact, "messages")
    assert message["cause"]["event"].endswith(received["message_id"])
