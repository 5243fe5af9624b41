"""Webhooks on the way of an automation: what they tell whom, how often, and what is made of the answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from tests.support.faults import Fault
from tests.support.machine import Execution
from tests.support.recorder import Killed
from tests.support.servers import Server, answered, server
from tests.support.world import World

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.automations.enrolments.model import EnrolmentOver
from tidings.automations.webhooks.retry import RETRIES
from tidings.automations.webhooks.signing import renewed, secret_of, shown
from tidings.automations.webhooks.task import WebhookUnanswered

GOLD = answered(200, b'{"account": {"tier": "gold"}}', content_type="application/json")


@pytest.fixture
def there() -> Iterator[Server]:
    """A server of the workspace's."""
    with server(GOLD) as made:
        yield made


def asking(there: Server, **more: Any) -> dict[str, Any]:
    """An automation that asks the server who somebody is, and writes to those who are gold."""
    return {
        "automation": "tour",
        "trigger": {"event": "Signed Up"},
        "start": "ask",
        "components": {
            "ask": {"type": "webhook", "url": there.url, "next": "sort", "on_failed": "sorry", **more},
            "sort": {
                "type": "branch",
                "arms": [{"name": "gold", "when": {"answer": "ask.body.account.tier", "is": "gold"}, "next": "tips"}],
                "otherwise": "sorry",
            },
            "tips": {"type": "send_email", "template": "tips", "kind": "transactional"},
            "sorry": {"type": "send_email", "template": "sorry", "kind": "transactional"},
        },
    }


def begun(world: World, definition: dict[str, Any], **properties: Any) -> Execution:
    """Ada entered the automation, and stands before its first component."""
    world.template("tips")
    world.template("sorry")
    world.automation(definition)
    world.identify("ada", email="ada@people.example", first_name="Ada")
    world.track("ada", "Signed Up", plan="team", **properties)
    (execution,) = world.executions.values()
    return execution


def path(world: World) -> list[dict[str, Any]]:
    """The steps that Ada took."""
    (enrolment,) = world.of_contact(world.contact(user_id="ada")["contact"], "enrolments")
    steps: list[dict[str, Any]] = enrolment["path"]
    return steps


def outcomes(world: World) -> list[tuple[str, str]]:
    return [(step["component"], step["outcome"]) for step in path(world)]


def tried(world: World, execution: Execution) -> int:
    """Let the machine repeat the Task until it is over with it; how often it was not answered."""
    for number in range(RETRIES + 2):
        try:
            execution.step(world.task)
        except WebhookUnanswered:
            continue
        return number
    raise AssertionError("the Task never ends")


# --- what it tells ----------------------------------------------------------------------------------------------------


def test_what_a_server_answered_decides_where_somebody_goes_on(world: World, there: Server) -> None:
    begun(world, asking(there))
    world.run()
    assert outcomes(world) == [("ask", "answered"), ("sort", "gold"), ("tips", "accepted")]
    assert path(world)[0]["why"]["answer"] == {"status": 200, "body": {"account": {"tier": "gold"}}, "reason": ""}
    assert len(there.asked) == 1


@pytest.mark.parametrize(
    "answer", [answered(200, b"gold"), answered(204), answered(200, b"{}", content_type="application/json")]
)
def test_an_answer_that_says_something_else_leads_elsewhere(world: World, there: Server, answer: bytes) -> None:
    there.answers = [answer]
    begun(world, asking(there))
    world.run()
    assert outcomes(world) == [("ask", "answered"), ("sort", "otherwise"), ("sorry", "accepted")]


def test_without_a_body_it_tells_who_it_is_about_and_where_they_are(world: World, there: Server) -> None:
    begun(world, asking(there), seats=3)
    world.run()
    (asked,) = there.asked
    contact = world.contact(user_id="ada")["contact"]
    (enrolment,) = world.of_contact(contact, "enrolments")
    assert asked.line == "POST /hook HTTP/1.1"
    assert json.loads(asked.body) == {
        "contact": {
            "id": contact,
            "user_id": "ada",
            "traits": {"email": "ada@people.example", "first_name": "Ada"},
        },
        "event": {"plan": "team", "seats": 3},
        "automation": {"name": "tour", "version": 1, "entry": enrolment["entry"], "component": "ask"},
    }
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["user-agent"] == "Tidings"


def test_a_body_of_ones_own_is_filled_and_ones_own_headers_are_sent(world: World, there: Server) -> None:
    body = {"who": "{{ contact.user_id }}", "plan": "{{ event.plan }}", "from": "{{ automation.name }}", "n": 1}
    headers = {"Authorization": "Bearer s3cret", "content-type": "application/vnd.acme+json"}
    begun(world, asking(there, method="PUT", body=body, headers=headers))
    world.run()
    (asked,) = there.asked
    assert asked.line == "PUT /hook HTTP/1.1"
    assert json.loads(asked.body) == {"who": "ada", "plan": "team", "from": "tour", "n": 1}
    assert asked.headers["authorization"] == "Bearer s3cret"
    assert asked.headers["content-type"] == "application/vnd.acme+json"


def test_what_somebody_calls_themselves_changes_no_form(world: World, there: Server) -> None:
    execution = begun(world, asking(there, body={"name": "{{ contact.first_name }}"}))
    world.identify("ada", first_name='", "host": "http://169.254.169.254/')
    execution.step(world.task)
    assert json.loads(there.asked[0].body) == {"name": '", "host": "http://169.254.169.254/'}


def secret(world: World, key: str = "secret") -> tuple[int, dict[str, Any]]:
    return world.call("call_webhook", "GET /v1/webhooks/secret", key=key)


def test_a_server_knows_by_the_secret_that_a_call_is_ours(world: World, there: Server) -> None:
    begun(world, asking(there))
    world.run()
    (asked,) = there.asked
    status, told = secret(world)
    assert status == 200
    (whsec,) = told["secrets"]
    signature = Webhook(whsec).sign(asked.headers["webhook-id"], world.now, asked.body.decode())
    assert asked.headers["webhook-signature"] == signature
    assert asked.headers["webhook-timestamp"] == str(int(world.now.timestamp()))


def test_a_secret_is_shown_to_secret_keys_of_its_workspace_only(world: World) -> None:
    _, told = secret(world)
    _, theirs = secret(world, world.other_secret)
    assert told["secrets"] != theirs["secrets"]
    for key in ("publishable", "write"):
        assert secret(world, key)[0] == 403
    assert secret(world, "sk_nobodys")[0] == 401


def test_after_a_change_both_secrets_are_valid_for_a_day(world: World, there: Server) -> None:
    store = DynamoWorkspaceStore(world.database)
    before = store.get("acme")
    assert before is not None
    old, new = shown(secret_of(before.secret)), shown(secret_of(before.secret, 1))
    with world.recorder.unseen():
        store.change_settings("acme", renewed(before, world.now))
    begun(world, asking(there))
    world.run()
    (asked,) = there.asked
    signatures = [Webhook(one).sign(asked.headers["webhook-id"], world.now, asked.body.decode()) for one in (new, old)]
    assert asked.headers["webhook-signature"].split(" ") == signatures
    assert secret(world)[1] == {"secrets": [new, old]}
    world.now += timedelta(days=1)
    assert secret(world)[1] == {"secrets": [new]}


# --- how often it asks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_server_that_may_take_it_later_is_asked_again_with_the_same_id(
    world: World, there: Server, status: int
) -> None:
    there.answers = [answered(status), answered(status), GOLD]
    execution = begun(world, asking(there))
    assert tried(world, execution) == 2
    assert outcomes(world) == [("ask", "answered")]
    assert len({asked.headers["webhook-id"] for asked in there.asked}) == 1
    assert len(there.asked) == 3


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 410, 422])
def test_a_server_that_will_not_take_it_is_asked_once(world: World, there: Server, status: int) -> None:
    there.answers = [answered(status, b"no", location="http://169.254.169.254/")]
    execution = begun(world, asking(there))
    assert tried(world, execution) == 0
    assert outcomes(world) == [("ask", "failed")]
    answer = path(world)[0]["why"]["answer"]
    assert answer["status"] == status
    assert str(status) in answer["reason"]
    assert len(there.asked) == 1
    world.run()
    assert outcomes(world) == [("ask", "failed"), ("sorry", "accepted")]


def test_a_server_that_never_takes_it_is_asked_eight_times_and_then_let_go(world: World, there: Server) -> None:
    there.answers = [answered(503, b"busy")]
    execution = begun(world, asking(there))
    assert tried(world, execution) == RETRIES
    assert len(there.asked) == RETRIES + 1 == 8
    assert outcomes(world) == [("ask", "failed")]
    assert path(world)[0]["why"]["answer"] == {"status": 503, "body": "busy", "reason": "HTTP 503"}


def test_a_server_that_is_not_there_is_asked_again_too(world: World) -> None:
    with server() as gone:
        pass
    execution = begun(world, asking(gone))
    assert tried(world, execution) == RETRIES
    assert path(world)[0]["why"]["answer"]["reason"] == "no answer: ConnectionRefusedError"


def test_a_name_that_leads_into_the_house_is_not_called_and_not_asked_again(world: World) -> None:
    world.names["hooks.example.com"] = ["169.254.169.254"]
    definition = asking(Server(1))
    definition["components"]["ask"]["url"] = "https://hooks.example.com/latest/meta-data"
    execution = begun(world, definition)
    assert tried(world, execution) == 0
    answer = path(world)[0]["why"]["answer"]
    assert answer == {"status": 0, "body": None, "reason": "not called: hooks.example.com is not a public address"}


def test_what_the_task_raises_names_neither_the_person_nor_the_address(world: World, there: Server) -> None:
    there.answers = [answered(503, b"busy")]
    definition = asking(there, headers={"X-Key": "s3cret"})
    definition["components"]["ask"]["url"] += "?token=s3cret"
    execution = begun(world, definition)
    with pytest.raises(WebhookUnanswered) as raised:
        execution.step(world.task)
    assert str(raised.value) == "webhook_unanswered: HTTP 503 (attempt 1 of 8)"


def test_the_log_names_neither_the_person_nor_the_address(
    world: World, there: Server, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    there.answers = [answered(404, b"no ada here")]
    definition = asking(there, headers={"X-Key": "s3cret"})
    definition["components"]["ask"]["url"] += "?token=s3cret"
    execution = begun(world, definition)
    with caplog.at_level(logging.DEBUG):
        execution.step(world.task)
    printed = capsys.readouterr()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("tidings")]
    told = " ".join([printed.out, printed.err, *ours])
    assert "webhook failed" in told
    for word in ("s3cret", "ada", "/hook", "127.0.0.1"):
        assert word not in told
    assert outcomes(world) == [("ask", "failed")]


# --- repeats and faults -----------------------------------------------------------------------------------------------


def payload(execution: Execution, **more: Any) -> dict[str, Any]:
    told = {name: execution.data[name] for name in ("workspace", "contact", "automation", "version", "entry")}
    return {**told, "n": 0, "component": "ask", "retry": 0, **more}


def test_a_repeat_of_a_step_that_was_recorded_calls_nobody(world: World, there: Server) -> None:
    execution = begun(world, asking(there))
    answers = [world.invoke("call_webhook", payload(execution, retry=retry)) for retry in (0, 1, RETRIES, 100)]
    assert answers == [answers[0]] * 4
    assert answers[0]["outcome"] == "answered"
    assert len(there.asked) == 1


@pytest.mark.parametrize("mode", ["before", "after", "lost"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_call_whose_end_nobody_heard_is_made_again_under_the_same_id(
    world: World, there: Server, number: int, mode: str
) -> None:
    execution = begun(world, asking(there))
    fault = Fault(world, "call_webhook", number, mode)
    world.recorder.before, world.recorder.after = fault.before, fault.after
    with pytest.raises((Exception, Killed)):
        world.invoke("call_webhook", payload(execution))
    assert fault.struck
    world.recorder.before = world.recorder.after = None
    world.cold("call_webhook")
    assert world.invoke("call_webhook", payload(execution, retry=1))["outcome"] == "answered"
    assert outcomes(world) == [("ask", "answered")]
    # The third of its calls to AWS records the answer; the definition and the enrolment are read before.
    assert len(there.asked) == (2 if (number, mode) == (2, "before") else 1)
    assert len({asked.headers["webhook-id"] for asked in there.asked}) == 1


def test_each_visit_has_an_id_of_its_own(world: World, there: Server) -> None:
    definition = asking(there)
    definition["components"] = {
        "ask": {"type": "webhook", "url": there.url, "next": "pause"},
        "pause": {"type": "wait", "for": "1 day", "next": "again"},
        "again": {"type": "webhook", "url": there.url},
    }
    begun(world, definition)
    world.run(timedelta(days=1))
    world.track("ada", "Signed Up")
    world.run(timedelta(days=1))
    assert len(there.asked) == 4
    assert len({asked.headers["webhook-id"] for asked in there.asked}) == 4


def test_whoever_left_is_not_told_of(world: World, there: Server) -> None:
    execution = begun(world, asking(there))
    world.erase(world.contact(user_id="ada")["contact"])
    with pytest.raises(EnrolmentOver):
        world.invoke("call_webhook", payload(execution))
    assert there.asked == []


def test_who_is_being_erased_is_not_told_of_though_their_enrolment_has_not_been_ended_yet(
    world: World, there: Server
) -> None:
    execution = begun(world, asking(there))
    ada = world.contact(user_id="ada")["contact"]
    world.call("erase", "POST /v1/contacts/{contact}/erase", {"confirm": ada}, path={"contact": ada})
    with pytest.raises(EnrolmentOver):
        world.invoke("call_webhook", payload(execution))
    assert there.asked == []
    world.clear_erased()


def test_a_task_of_another_component_is_a_fault(world: World, there: Server) -> None:
    execution = begun(world, asking(there))
    for change in ({"component": "sort"}, {"component": "nobodys"}, {"version": 99}, {"workspace": "other"}):
        with pytest.raises((LookupError, Exception), match=r"unknown|nobodys|sort"):
            world.invoke("call_webhook", payload(execution, **change))
    assert there.asked == []


def test_two_at_once_record_one_answer(world: World, there: Server) -> None:
    execution = begun(world, asking(there))
    first: list[dict[str, Any]] = []

    def meanwhile(connection: Any) -> None:
        connection.sendall(answered(200, b"second"))

    def in_between(connection: Any) -> None:
        connection.sendall(answered(200, b"first"))

    there.answers = [in_between, meanwhile]
    gateway = world.function("call_webhook").task._caller
    inner = gateway.call

    def call(*arguments: Any) -> Any:
        heard = inner(*arguments)
        if not first:
            first.append({})
            first[0] = world.invoke("call_webhook", payload(execution))
        return heard

    gateway.call = call
    second = world.invoke("call_webhook", payload(execution))
    assert second == first[0]
    assert len(path(world)) == 1
    assert path(world)[0]["why"]["answer"]["body"] == "second"


def test_a_body_that_cannot_be_filled_fails_the_step_and_not_the_machine(world: World, there: Server) -> None:
    execution = begun(world, asking(there, body={"n": "{{ contact.seats | divided_by: 0 }}"}))
    assert tried(world, execution) == 0
    assert outcomes(world) == [("ask", "failed")]
    assert path(world)[0]["why"]["answer"]["reason"].startswith("not called: The template failed")
    assert there.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "\\u0000\x00"}',
        b'{"a": "\\u0000"}',
        b"\x00",
        b'{"a": NaN}',
        b"[" * 8000,
        b'{"a": "\\ud800"}',
        b"\xff",
        b"9" * 5000,
    ],
)
def test_whatever_a_server_answers_is_stored_and_shown(world: World, there: Server, body: bytes) -> None:
    there.answers = [answered(200, body, content_type="application/json")]
    begun(world, asking(there))
    world.run()
    assert outcomes(world)[:2] == [("ask", "answered"), ("sort", "otherwise")]


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_a_webhook_costs_one_batched_read_and_one_transaction(world: World, there: Server) -> None:
    execution = begun(world, asking(there))
    with pytest.raises(Exception, match="unknown_component"):
        world.invoke("call_webhook", payload(execution, component="sort"))
    world.recorder.clear()
    execution.step(world.task)
    assert [call.operation for call in world.recorder.calls] == ["BatchGetItem", "TransactWriteItems"]
