"""Mails for many, or for a later day: taken in whole, worked off in parts, each person written to at most once."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from tests.support.world import LATER, World

from tidings.core.clock import to_text
from tidings.email.send_store import PART_RECIPIENTS, parts_of

ADA, BOB = "ada@people.example", "bob@people.example"
TOMORROW = timedelta(days=1)
LARGE = {"x": "x" * 100_000}


def people(count: int) -> list[dict[str, Any]]:
    """Recipients by addresses that nobody has yet, each with a name."""
    return [{"email": f"p{n}@people.example", "variables": {"name": f"P{n}"}} for n in range(count)]


def post(world: World, **fields: Any) -> tuple[int, dict[str, Any]]:
    body = {"template": "tips", "idempotency_key": "k-1", "kind": "transactional", **fields}
    return world.call("send_email", "POST /v1/emails", body)


def ordered(world: World, **fields: Any) -> dict[str, Any]:
    status, answer = post(world, **fields)
    assert status == 202, answer
    return answer


def get(world: World, send: str, key: str = "secret") -> dict[str, Any]:
    status, answer = world.call("sends", "GET /v1/sends/{send}", path={"send": send}, key=key)
    assert status == 200, answer
    return answer


def problems(world: World, send: str, **query: str) -> tuple[list[dict[str, Any]], str]:
    status, answer = world.call("sends", "GET /v1/sends/{send}/problems", path={"send": send}, query=query)
    assert status == 200, answer
    return answer["problems"], answer["cursor"]


def cancel(world: World, send: str) -> tuple[int, dict[str, Any]]:
    return world.call("sends", "DELETE /v1/sends/{send}", path={"send": send})


def addressed(world: World) -> list[str]:
    return sorted(mail["Destination"]["ToAddresses"][0] for mail in world.ses.accepted)


def at(world: World, after: timedelta = TOMORROW) -> str:
    return to_text(world.now + after)


@pytest.fixture
def tips(world: World) -> World:
    world.template("tips", subject="Tips for {{ variables.name }}", variables={"name": "you"})
    return world


# --- many ------------------------------------------------------------------------------------------------------------


def test_everybody_gets_one_mail_with_their_own_variables(tips: World) -> None:
    send = ordered(tips, recipients=[*people(29), {"email": ADA}], variables={"name": "all"})
    assert (send["state"], send["recipients"], send["at"]) == ("sending", 30, None)
    assert tips.ses.accepted == []
    tips.deliver()
    assert addressed(tips) == sorted([*(one["email"] for one in people(29)), ADA])
    assert {mail["Content"]["Simple"]["Subject"]["Data"] for mail in tips.ses.to("p7@people.example")} == {
        "Tips for P7"
    }
    assert tips.ses.to(ADA)[0]["Content"]["Simple"]["Subject"]["Data"] == "Tips for all"
    done = get(tips, send["send"])
    assert (done["state"], done["counts"]) == ("done", {"accepted": 30})
    assert done["ended_at"] is not None


def test_recipients_are_named_in_each_of_the_ways(tips: World) -> None:
    tips.identify("ada", email=ADA)
    tips.identify("bob", email=BOB)
    tips.ingest("identify", {"anonymousId": "a-9", "traits": {"email": "eve@people.example"}})
    tips.pump()
    bob = tips.contact(user_id="bob")["contact"]
    recipients = [{"user_id": "ada"}, {"contact": bob}, {"anonymous_id": "a-9"}, {"email": "new@people.example"}]
    ordered(tips, recipients=recipients)
    tips.deliver()
    assert addressed(tips) == [ADA, BOB, "eve@people.example", "new@people.example"]


def test_a_message_names_its_send(tips: World) -> None:
    send = ordered(tips, recipients=[{"email": ADA}])
    tips.deliver()
    (message,) = tips.of_contact(tips.contact(email=ADA)["contact"], "messages")
    assert (message["send"], message["cause"], message["kind"]) == (send["send"], {"api": "k-1"}, "transactional")


def test_who_cannot_be_written_to_keeps_nobody_waiting_and_is_told_with_the_reason(tips: World) -> None:
    tips.identify("mute")
    tips.identify("gone", email="gone@people.example")
    tips.identify("stopped", email="stopped@people.example")
    tips.erase(tips.contact(user_id="gone")["contact"])
    path = {"channel": "email", "address": "stopped@people.example"}
    assert tips.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)[0] == 200
    recipients = [
        *({"user_id": who} for who in ("nobody", "mute", "stopped")),
        {"email": "gone@people.example"},
        {"email": "no address"},
        {"email": ADA},
    ]
    send = ordered(tips, recipients=recipients)["send"]
    tips.deliver()
    assert addressed(tips) == [ADA]
    found, cursor = problems(tips, send)
    assert cursor == ""
    assert [(one["recipient"], one["state"], one["code"]) for one in found] == [
        (0, "failed", "unknown_contact"),
        (1, "skipped", "address"),
        (2, "skipped", "suppression"),
        (3, "failed", "person_erased"),
        (4, "failed", "invalid_email"),
    ]
    assert found[2]["contact"] == tips.contact(user_id="stopped")["contact"]
    assert get(tips, send)["counts"] == {"failed": 3, "skipped": 2, "accepted": 1}


def test_problems_come_in_pages(tips: World) -> None:
    send = ordered(tips, recipients=[{"user_id": f"nobody-{n}"} for n in range(60)])["send"]
    tips.deliver()
    seen: list[int] = []
    cursor = ""
    for _ in range(4):
        page, cursor = problems(tips, send, limit="25", **({"cursor": cursor} if cursor else {}))
        seen += [one["recipient"] for one in page]
        if not cursor:
            break
    assert seen == list(range(60))


def test_who_is_named_twice_gets_one_mail(tips: World) -> None:
    tips.identify("ada", email=ADA)
    send = ordered(tips, recipients=[{"user_id": "ada"}, {"email": ADA}, {"email": ADA, "variables": {"name": "x"}}])
    tips.deliver()
    assert addressed(tips) == [ADA]
    assert [(one["recipient"], one["code"]) for one in problems(tips, send["send"])[0]] == [(2, "idempotency_conflict")]


def test_all_of_a_send_get_the_version_of_the_template_that_was_live_when_it_began(tips: World) -> None:
    ordered(tips, recipients=people(30))
    tips.template("tips", subject="Later")
    tips.deliver()
    assert {mail["Content"]["Simple"]["Subject"]["Data"] for mail in tips.ses.accepted} == {
        f"Tips for P{n}" for n in range(30)
    }


def test_what_was_asked_for_holds_for_each(tips: World) -> None:
    fields = {
        "reply_to": "Help <help@acme.example>",
        "tags": {"season": "winter"},
        "kind": "marketing",
        "topic": "news",
    }
    ordered(tips, recipients=[{"email": ADA}], **{**fields, "kind": "transactional"})
    tips.deliver()
    (mail,) = tips.ses.accepted
    assert mail["ReplyToAddresses"] == ["Help <help@acme.example>"]
    tags = {tag["Name"]: tag["Value"] for tag in mail["EmailTags"]}
    assert (tags["season"], tags["tidings_kind"], tags["tidings_template"]) == ("winter", "transactional", "tips")


def test_addresses_are_not_kept_when_a_send_is_done(tips: World) -> None:
    file = {"name": "a.txt", "type": "text/plain", "content": base64.b64encode(b"x" * 800_000).decode()}
    ordered(tips, recipients=[{"email": ADA}], attachments=[file])
    assert ADA in str(tips.items("TABLE_SENDS"))
    tips.deliver()
    assert tips.ses.accepted[0]["Content"]["Simple"]["Attachments"][0]["RawContent"] == b"x" * 800_000
    left = tips.items("TABLE_SENDS")
    assert ADA not in str(left)
    assert {item["sk"]["S"] for item in left} == {"call", "send", "done#00000"}


def test_parts_have_at_most_25_recipients_and_what_an_item_can_hold() -> None:
    assert [len(part) for _, part in parts_of([{"n": n} for n in range(60)])] == [PART_RECIPIENTS, PART_RECIPIENTS, 10]
    large = parts_of([{"x": "x" * 100_000} for _ in range(7)])
    assert [(first, len(part)) for first, part in large] == [(0, 3), (3, 3), (6, 1)]


# --- again -----------------------------------------------------------------------------------------------------------


def test_the_same_request_again_is_the_same_send(tips: World) -> None:
    first = ordered(tips, recipients=people(3))
    tips.deliver()
    again = ordered(tips, recipients=people(3))
    assert (again["send"], again["state"]) == (first["send"], "done")
    tips.deliver()
    assert len(tips.ses.accepted) == 3


@pytest.mark.parametrize(
    "other",
    [
        {"recipients": people(2)},
        {"recipients": people(3), "variables": {"x": 1}},
        {"recipients": people(3), "at": "2026-12-01T09:00:00Z"},
        {"to": {"email": ADA}},
    ],
)
def test_the_same_key_with_another_body_is_a_conflict(tips: World, other: dict[str, Any]) -> None:
    ordered(tips, recipients=people(3))
    status, answer = post(tips, **other)
    assert (status, answer["code"]) == (409, "idempotency_conflict")
    tips.deliver()
    assert len(tips.ses.accepted) == 3


def test_the_key_of_one_mail_is_no_key_of_a_send(tips: World) -> None:
    ordered(tips, to={"email": ADA})
    status, answer = post(tips, recipients=[{"email": ADA}])
    assert (status, answer["code"]) == (409, "idempotency_conflict")


# --- slow ------------------------------------------------------------------------------------------------------------


def test_ses_that_asks_to_slow_down_is_waited_for(tips: World) -> None:
    tips.ses.failing = ["", "TooManyRequestsException", "TooManyRequestsException", "", "TooManyRequestsException"]
    began = tips.now
    send = ordered(tips, recipients=people(5))["send"]
    tips.deliver()
    assert addressed(tips) == sorted(one["email"] for one in people(5))
    assert tips.now - began == timedelta(seconds=3)  # one for each refusal
    assert get(tips, send)["state"] == "done"


def test_ses_that_is_slow_for_long_puts_the_rest_back_and_never_fails_the_message(tips: World) -> None:
    tips.ses.failing = ["", *(["SendingPausedException"] * 40)]
    send = ordered(tips, recipients=people(3))["send"]
    (spread,) = tips.messages_in("deliveries")
    record = {"messageId": "q-1", "body": json.dumps(spread)}
    assert tips.invoke("deliver", {"Records": [record]}) == {"batchItemFailures": []}
    (part,) = tips.messages_in("deliveries")
    tries = []
    while tips.ses.failing:
        tries.append(part.get("tries", 0))
        record = {"messageId": "q-1", "body": json.dumps(part)}
        assert tips.invoke("deliver", {"Records": [record]}) == {"batchItemFailures": []}
        found = tips.messages_in("deliveries")
        if found:
            (part,) = found
    assert tries == [0, 0, 1]  # the first had success with one
    assert get(tips, send)["counts"] == {"accepted": 3}


def test_a_fault_leaves_the_message_in_the_queue_and_what_was_done_is_kept(tips: World) -> None:
    send = ordered(tips, recipients=people(4))["send"]
    tips.ses.failing = ["", "", "InternalFailure"]
    tips.deliver()  # the third is open, and is tried again later
    assert len(tips.ses.accepted) == 3
    assert get(tips, send)["counts"] == {"accepted": 3, "unknown": 1}


# --- later -----------------------------------------------------------------------------------------------------------


def test_a_send_waits_for_its_instant(tips: World) -> None:
    send = ordered(tips, to={"email": ADA}, at=at(tips))
    assert (send["state"], send["recipients"], send["at"]) == ("scheduled", 1, at(tips))
    tips.run(TOMORROW - timedelta(minutes=1))
    tips.deliver()
    assert tips.ses.accepted == []
    tips.run(timedelta(minutes=1))
    tips.deliver()
    assert addressed(tips) == [ADA]
    assert get(tips, send["send"])["state"] == "done"


def test_a_send_for_later_has_the_template_of_its_day(tips: World) -> None:
    send = ordered(tips, recipients=[{"email": ADA}], at=at(tips))["send"]
    assert get(tips, send)["template_version"] == 0
    tips.template("tips", subject="Mended")
    tips.run(TOMORROW)
    tips.deliver()
    assert tips.ses.accepted[0]["Content"]["Simple"]["Subject"]["Data"] == "Mended"
    assert get(tips, send)["template_version"] == 2


def test_an_execution_is_told_ids_and_the_instant_only(tips: World) -> None:
    send = ordered(tips, recipients=[{"email": ADA}], at=at(tips))["send"]
    ((arn, told),) = tips.started.items()
    assert arn == f"{LATER.replace(':stateMachine:', ':execution:')}:{send}"
    assert json.loads(told) == {"workspace": "acme", "send": send, "at": at(tips)}


def test_a_send_that_was_cancelled_sends_nothing(tips: World) -> None:
    send = ordered(tips, recipients=people(3), at=at(tips))["send"]
    status, answer = cancel(tips, send)
    assert (status, answer["state"]) == (200, "cancelled")
    assert cancel(tips, send)[0] == 200
    assert "@people.example" not in str(tips.items("TABLE_SENDS"))
    tips.run(TOMORROW)
    tips.deliver()
    tips.now += TOMORROW
    tips.invoke("deliver", {"source": "aws.events"})
    tips.deliver()
    assert tips.ses.accepted == []
    assert post(tips, recipients=people(3), at=to_text(tips.now - TOMORROW))[0] in (202, 409)
    tips.deliver()
    assert tips.ses.accepted == []


def test_a_send_that_is_done_cannot_be_cancelled(tips: World) -> None:
    send = ordered(tips, recipients=people(2))["send"]
    tips.deliver()
    status, answer = cancel(tips, send)
    assert (status, answer["code"]) == (409, "send_done")


def test_of_a_send_that_is_cancelled_under_way_the_rest_is_not_sent(tips: World) -> None:
    send = ordered(tips, recipients=people(30))["send"]

    def once(arguments: dict[str, Any]) -> dict[str, Any]:
        answer = tips.ses.send_email(arguments)
        if len(tips.ses.accepted) == 3:
            assert cancel(tips, send)[0] == 200
        return answer

    tips.recorder.doubles["sesv2:SendEmail"] = once
    tips.deliver()
    assert len(tips.ses.accepted) == 3
    found = get(tips, send)
    assert (found["state"], found["counts"]) == ("cancelled", {"accepted": 3, "waiting": 27})


@pytest.mark.parametrize("before", ["begin", "spread"])
def test_a_cancellation_that_meets_the_beginning_stops_all_or_comes_too_late_for_nothing(
    tips: World, before: str
) -> None:
    """Either the cancellation or the beginning goes through: never is a mail sent of what was cancelled before."""
    send = ordered(tips, recipients=people(3), at=at(tips))["send"]
    wanted = {"begin": "dynamodb:UpdateItem", "spread": "sqs:SendMessageBatch"}[before]
    done: list[int] = []

    def strike(call: Any) -> None:
        if tips.running == "deliver" and call.name == wanted and not done:
            done.append(cancel(tips, send)[0])

    tips.recorder.before = strike
    tips.run(TOMORROW)
    tips.deliver()
    assert done == [200]
    assert get(tips, send)["state"] == "cancelled"
    assert tips.ses.accepted == []


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ("yesterday", "invalid_at"),
        ("2026-11-21T08:59:59Z", "invalid_at"),
        ("2026-11-21T09:00:00Z", "invalid_at"),
        ("2028-01-01T00:00:00Z", "invalid_at"),
        ("0001-01-01T00:00:00+23:00", "invalid_at"),
    ],
)
def test_an_instant_that_no_send_can_have_is_refused(tips: World, when: str, code: str) -> None:
    status, answer = post(tips, to={"email": ADA}, at=when)
    assert (status, answer["code"], answer["field"]) == (400, code, "at")
    assert tips.items("TABLE_SENDS") == []


def test_a_repeat_after_the_instant_is_the_same_send(tips: World) -> None:
    when = at(tips)
    first = ordered(tips, to={"email": ADA}, at=when)
    tips.run(TOMORROW)
    tips.deliver()
    tips.now += TOMORROW
    assert ordered(tips, to={"email": ADA}, at=when)["send"] == first["send"]
    tips.deliver()
    assert len(tips.ses.accepted) == 1


# --- lost ------------------------------------------------------------------------------------------------------------


def test_an_execution_that_was_lost_is_found_by_the_schedule(tips: World) -> None:
    ordered(tips, to={"email": ADA}, at=at(tips))
    tips.lose(next(iter(tips.executions)))
    tips.invoke("deliver", {"source": "aws.events"})
    tips.deliver()
    assert tips.ses.accepted == []
    tips.now += TOMORROW + timedelta(minutes=2)
    tips.invoke("deliver", {"source": "aws.events"})
    tips.deliver()
    assert addressed(tips) == [ADA]


def test_an_execution_that_was_lost_is_started_again_when_asked(tips: World) -> None:
    send = ordered(tips, to={"email": ADA}, at=at(tips))["send"]
    tips.lose(next(iter(tips.executions)))
    path = {"send": send}
    assert tips.call("sends", "POST /v1/sends/{send}/resume", path=path)[0] == 202
    assert tips.call("sends", "POST /v1/sends/{send}/resume", path=path)[0] == 202
    tips.run(TOMORROW)
    tips.deliver()
    assert addressed(tips) == [ADA]


def test_messages_that_were_lost_are_put_back_by_the_schedule_half_an_hour_later(tips: World) -> None:
    send = ordered(tips, recipients=people(30))["send"]
    tips.messages_in("deliveries")
    tips.now += timedelta(minutes=20)
    tips.invoke("deliver", {"source": "aws.events"})
    assert tips.messages_in("deliveries") == []
    tips.now += timedelta(minutes=12)
    tips.invoke("deliver", {"source": "aws.events"})
    tips.deliver()
    assert get(tips, send)["counts"] == {"accepted": 30}


# --- listing and refusals --------------------------------------------------------------------------------------------


def test_sends_are_listed_latest_first_in_pages(tips: World) -> None:
    made = []
    for number in range(5):
        made.append(ordered(tips, recipients=people(1), idempotency_key=f"k-{number}")["send"])
        tips.now += timedelta(seconds=1)
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    for _ in range(3):
        status, answer = tips.call("sends", "GET /v1/sends", query=query)
        assert status == 200
        seen += [send["send"] for send in answer["sends"]]
        query = {"limit": "2", "cursor": answer["cursor"]}
    assert (seen, answer["cursor"]) == (made[::-1], "")


def test_another_workspace_sees_no_send(tips: World) -> None:
    send = ordered(tips, recipients=people(1))["send"]
    for route in ("GET /v1/sends/{send}", "DELETE /v1/sends/{send}", "POST /v1/sends/{send}/resume"):
        status, answer = tips.call("sends", route, path={"send": send}, key=tips.other_secret)
        assert (status, answer["code"]) == (404, "unknown_send")
    assert tips.call("sends", "GET /v1/sends", key=tips.other_secret)[1] == {"sends": [], "cursor": ""}


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"recipients": []}, "invalid_request", "recipients"),
        ({"recipients": [{}]}, "invalid_request", "recipients.0"),
        ({"recipients": [{"email": ADA, "user_id": "ada"}]}, "invalid_request", "recipients.0"),
        ({"recipients": [{"email": ADA}], "to": {"email": ADA}}, "invalid_request", "to"),
        ({}, "invalid_request", "to"),
        ({"recipients": [{"email": ADA}] * 5001}, "invalid_request", "recipients"),
        ({"recipients": [{"email": ADA, "variables": LARGE}]}, "variables_too_large", "recipients.0.variables"),
        ({"to": {"email": ADA}, "variables": {"x": "x" * 100_000}}, "variables_too_large", "variables"),
        ({"to": {"email": ADA}, "reply_to": "nobody"}, "invalid_request", "reply_to"),
        ({"to": {"email": ADA}, "reply_to": "a@b.example\r\nBcc: c@d.example"}, "invalid_request", "reply_to"),
        ({"to": {"email": ADA}, "tags": {"a b": "c"}}, "invalid_request", "tags.a b.[key]"),
        ({"to": {"email": ADA}, "tags": {"tidings_message": "c"}}, "invalid_request", "tags"),
        ({"to": {"email": ADA}, "tags": {f"t{n}": "x" for n in range(11)}}, "invalid_request", "tags"),
        ({"to": {"email": ADA}, "topic": "No topic"}, "invalid_request", "topic"),
    ],
)  # fmt: skip
def test_an_order_that_is_wrong_keeps_nothing(tips: World, fields: dict[str, Any], code: str, field: str) -> None:
    status, answer = post(tips, **fields)
    assert (status, answer["code"], answer["field"]) == (400, code, field)
    assert tips.items("TABLE_SENDS") == tips.items("TABLE_MESSAGES") == []


def test_a_template_that_is_not_there_is_said_at_once(tips: World) -> None:
    status, answer = post(tips, recipients=people(2), template="nobodys")
    assert (status, answer["code"]) == (404, "unknown_template")
    assert tips.items("TABLE_SENDS") == []
