"""Trouble that a test orders, as a sender meets it."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, HTTPClientError
from tests.functional.carriers.local import Local


def order(local: Local, **fault: object) -> None:
    assert local.post("/outbox/api/faults", fault).status == 201


def code_of(call: Callable[[], object]) -> tuple[str, int]:
    with pytest.raises(ClientError) as raised:
        call()
    return raised.value.response["Error"]["Code"], raised.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_throttled_call_sends_nothing(local: Local) -> None:
    order(local, send="throttle", count=2)
    assert code_of(local.send) == ("TooManyRequestsException", 429)
    assert code_of(local.send) == ("TooManyRequestsException", 429)
    assert local.types(local.send()) == ["Send", "Delivery"]
    assert len(local.get("/outbox/api/mails").json) == 1


def test_a_rejected_call_sends_nothing(local: Local) -> None:
    order(local, send="reject")
    assert code_of(local.send) == ("MessageRejected", 400)
    assert local.events() == []


def test_a_lost_answer_is_a_mail_sent(local: Local) -> None:
    order(local, send="timeout_after_accept", count=1)
    with pytest.raises(HTTPClientError):
        local.send()
    (mail,) = local.get("/outbox/api/mails").json
    assert local.types(mail["id"]) == ["Send", "Delivery"]


def test_dropped_events_are_seen_only_here(local: Local) -> None:
    order(local, send="drop_events")
    sent = local.send()
    assert local.events(sent) == []
    mail = local.mail(sent)
    assert [(one["type"], one["published"]) for one in mail["events"]] == [("Send", "dropped"), ("Delivery", "dropped")]
    assert mail["states"] == ["sent", "delivered"]
    local.post(f"/outbox/api/mails/{sent}/open")
    assert local.types(sent) == ["Open"]


def test_answer_and_events_can_be_lost_together(local: Local) -> None:
    order(local, send="timeout_after_accept")
    order(local, send="drop_events")
    with pytest.raises(HTTPClientError):
        local.send()
    assert len(local.get("/outbox/api/mails").json) == 1
    assert local.events() == []
    assert local.get("/outbox/api/faults").json == []


def test_a_fault_can_wait_for_one_address(local: Local) -> None:
    order(local, send="throttle", to="Bob@Example.com")
    local.send("ada@example.com")
    assert code_of(lambda: local.send("bob@example.com"))[0] == "TooManyRequestsException"
    local.send("bob@example.com")


def test_a_refused_call_uses_up_nothing_else(local: Local) -> None:
    order(local, send="drop_events")
    order(local, send="throttle")
    code_of(local.send)
    assert [fault["send"] for fault in local.get("/outbox/api/faults").json] == ["drop_events"]


def test_a_call_that_is_wrong_by_itself_meets_no_fault(local: Local) -> None:
    order(local, send="throttle")
    assert code_of(lambda: local.send("nobody")) == ("BadRequestException", 400)
    assert len(local.get("/outbox/api/faults").json) == 1


def test_faults_can_be_cleared(local: Local) -> None:
    order(local, send="throttle", count=9)
    local.call("DELETE", "/outbox/api/faults")
    assert local.types(local.send()) == ["Send", "Delivery"]


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"send": "explode"}, "send"),
        ({}, "send"),
        ({"send": "throttle", "count": 0}, "count"),
        ({"send": "throttle", "count": "x"}, "count"),
        ({"send": "throttle", "seconds": 900}, "seconds"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(local: Local, fault: dict[str, object], field: str) -> None:
    answer = local.post("/outbox/api/faults", fault)
    assert (answer.status, answer.json["field"]) == (400, field)
