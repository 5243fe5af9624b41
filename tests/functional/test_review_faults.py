"""Faults of the database beyond the main path: timeouts of batched reads, and writers who meet at one item."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from tests.support.recorder import Call
from tests.support.world import World

from tidings.core import store


def _sign_up(world: World) -> None:
    world.template("tips")
    components = {"tips": {"type": "send_email", "template": "tips"}}
    automation = {"automation": "welcome", "trigger": {"event": "Signed Up"}, "start": "tips"}
    world.automation({**automation, "components": components})
    world.identify("ada", email="ada@people.example")


class FirstTime:
    """Makes the first call of a name fail, in a function."""

    def __init__(self, world: World, function: str, name: str, error: Exception, times: int = 1) -> None:
        self.world, self.function, self.name, self.error, self.times = world, function, name, error, times
        world.recorder.before = self

    def __call__(self, call: Call) -> None:
        """Called before each call is made."""
        if self.times and (self.world.running, call.name) == (self.function, self.name):
            self.times -= 1
            raise self.error


def test_a_batched_read_that_times_out_is_a_fault_of_the_database_on_the_wire(world: World) -> None:
    FirstTime(world, "templates", "dynamodb:BatchGetItem", ReadTimeoutError(endpoint_url="https://dynamodb"))
    status, answer = world.call("templates", "GET /v1/templates/{name}", path={"name": "tips"})
    assert (status, answer["code"]) == (503, "database_failed")


def test_a_record_whose_reads_time_out_is_repeated_and_not_set_aside(world: World) -> None:
    _sign_up(world)
    world.track("ada", "Signed Up", plan="team")
    (event,) = [item for item in world.items("TABLE_EVENTS") if item.get("name", {}).get("S") == "Signed Up"]
    reads = 0

    def second_read_fails(call: Call) -> None:
        # The first reads what the batch is about, the second the contact, the third the earlier enrolment.
        nonlocal reads
        reads += (world.running, call.name) == ("react", "dynamodb:BatchGetItem")
        if reads == 3:
            reads += 1
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

    world.recorder.before = second_read_fails
    record = world.record(event)
    answer = world.invoke("react", {"Records": [record]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    assert world.messages_in("aside") == []


def _canceled(*reasons: str) -> ClientError:
    error: Any = {"Error": {"Code": "TransactionCanceledException", "Message": "canceled"}}
    error["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(error, "TransactWriteItems")


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(store.time, "sleep", slept.append)
    return slept


def test_an_answer_that_meets_the_send_event_at_the_message_is_recorded_at_once(
    world: World, naps: list[float]
) -> None:
    _sign_up(world)
    body = {"to": {"user_id": "ada"}, "template": "tips", "idempotency_key": "k"}
    made: list[str] = []

    def conflict_at_the_second_transaction(call: Call) -> None:
        if world.running == "send_email" and call.name == "dynamodb:TransactWriteItems":
            made.append(call.name)
            if len(made) == 2:
                raise _canceled("TransactionConflict", "None")

    world.recorder.before = conflict_at_the_second_transaction
    status, message = world.call("send_email", "POST /v1/emails", body)
    assert (status, message["state"]) == (202, "accepted")
    assert len(world.ses.accepted) == 1
    assert len(naps) == 1


def test_a_send_event_that_meets_the_answer_at_the_message_moves_it_at_once(world: World, naps: list[float]) -> None:
    _sign_up(world)
    world.call("send_email", "POST /v1/emails", {"to": {"user_id": "ada"}, "template": "tips", "idempotency_key": "k"})
    FirstTime(world, "ses_events", "dynamodb:TransactWriteItems", _canceled("TransactionConflict", "None"), times=2)
    (mail,) = world.ses.accepted
    assert world.feedback(world.ses.event("Delivery", mail)) == {"batchItemFailures": []}
    assert len(naps) == 2


def test_a_step_that_meets_another_writer_is_taken_at_once(world: World, naps: list[float]) -> None:
    _sign_up(world)
    world.track("ada", "Signed Up")
    FirstTime(world, "send_email", "dynamodb:TransactWriteItems", _canceled("TransactionConflict", "None"))
    world.run()
    (enrolment,) = world.of_contact(world.contact(user_id="ada")["contact"], "enrolments")
    assert [step["outcome"] for step in enrolment["path"]] == ["accepted"]
    assert len(naps) == 1


def test_writers_that_keep_meeting_leave_it_to_the_queue(world: World, naps: list[float]) -> None:
    _sign_up(world)
    world.call("send_email", "POST /v1/emails", {"to": {"user_id": "ada"}, "template": "tips", "idempotency_key": "k"})
    FirstTime(world, "ses_events", "dynamodb:TransactWriteItems", _canceled("TransactionConflict", "None"), times=30)
    (mail,) = world.ses.accepted
    assert world.feedback(world.ses.event("Delivery", mail)) != {"batchItemFailures": []}
    assert len(naps) == store.RETRIES


def test_a_refused_condition_beside_a_conflict_is_not_tried_again(world: World, naps: list[float]) -> None:
    _sign_up(world)
    refused = _canceled("ConditionalCheckFailed", "TransactionConflict")
    FirstTime(world, "templates", "dynamodb:TransactWriteItems", refused)
    body = {"template": "new", "subject": "New", "text": "New"}
    status, answer = world.call("templates", "PUT /v1/templates/{name}", body, path={"name": "new"})
    assert (status, answer["code"]) == (409, "template_changed")
    assert naps == []
