"""A message that is sent again is a new one that names the old one, and is checked anew."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from tests.support.world import World

ADA = "ada@people.example"
FILE = {"name": "a.txt", "type": "text/plain", "content": base64.b64encode(b"hello").decode()}


def order(world: World, **fields: Any) -> dict[str, Any]:
    body = {"to": {"user_id": "ada"}, "template": "tips", "idempotency_key": "k-1", "kind": "transactional", **fields}
    status, answer = world.call("send_email", "POST /v1/emails", body)
    assert status == 202, answer
    return answer


def resend(world: World, message: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    body = {"idempotency_key": "again", **fields}
    return world.call("send_email", "POST /v1/messages/{message}/resend", body, path={"message": message})


def subjects(world: World) -> list[str]:
    return [mail["Content"]["Simple"]["Subject"]["Data"] for mail in world.ses.accepted]


@pytest.fixture
def ada(world: World) -> World:
    world.template("tips", subject="Tips {{ variables.n }}")
    world.identify("ada", email=ADA)
    return world


def test_it_is_a_new_message_with_the_same_variables_version_and_kind(ada: World) -> None:
    first = order(ada, variables={"n": 7})
    ada.template("tips", subject="Another")
    status, again = resend(ada, first["message"])
    assert status == 202
    assert again["message"] != first["message"]
    assert (again["resends"], again["kind"], again["template_version"]) == (first["message"], "transactional", 1)
    assert subjects(ada) == ["Tips 7", "Tips 7"]


def test_replies_go_where_the_old_one_asked_for_them_and_its_tags_come_back(ada: World) -> None:
    first = order(ada, reply_to="Help <help@acme.example>", tags={"team": "blue"})
    assert resend(ada, first["message"])[0] == 202
    for mail in ada.ses.accepted:
        assert mail["ReplyToAddresses"] == ["Help <help@acme.example>"]
        assert {"Name": "team", "Value": "blue"} in mail["EmailTags"]


def test_the_same_call_again_sends_nothing_more(ada: World) -> None:
    first = order(ada)
    assert resend(ada, first["message"]) == resend(ada, first["message"])
    assert len(ada.ses.accepted) == 2
    status, answer = resend(ada, first["message"], attachments=[FILE])
    assert (status, answer["code"]) == (409, "idempotency_conflict")


def test_it_goes_to_the_address_that_the_contact_has_now(ada: World) -> None:
    first = order(ada)
    ada.identify("ada", email="new@people.example")
    assert resend(ada, first["message"])[1]["address"] == "new@people.example"


def test_it_is_checked_anew(ada: World) -> None:
    first = order(ada)
    ada.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path={"channel": "email", "address": ADA})
    status, answer = resend(ada, first["message"])
    assert (status, answer["state"], answer["decision"]["decided_by"]) == (202, "skipped", "suppression")
    assert len(ada.ses.accepted) == 1


def test_what_was_skipped_may_be_sent_once_it_may(ada: World) -> None:
    path = {"channel": "email", "address": ADA}
    ada.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)
    first = order(ada)
    assert first["state"] == "skipped"
    ada.call("suppressions", "DELETE /v1/suppressions/{channel}/{address}", path=path)
    assert resend(ada, first["message"])[1]["state"] == "accepted"


def test_files_are_given_again(ada: World) -> None:
    first = order(ada, attachments=[FILE])
    status, answer = resend(ada, first["message"])
    assert (status, answer["code"], answer["field"]) == (400, "attachments_missing", "attachments")
    assert resend(ada, first["message"], attachments=[FILE])[1]["attachments"] == ["a.txt"]
    assert ada.ses.accepted[1]["Content"]["Simple"]["Attachments"][0]["RawContent"] == b"hello"


def test_a_message_of_an_automation_is_rendered_with_the_event_that_began_it(ada: World) -> None:
    ada.template("won", subject="You won {{ event.prize }}")
    components = {"mail": {"type": "send_email", "template": "won", "kind": "transactional"}}
    ada.automation({"automation": "won", "trigger": {"event": "Won"}, "start": "mail", "components": components})
    ada.track("ada", "Won", prize="a boat")
    ada.run()
    (message,) = ada.of_contact(ada.contact(user_id="ada")["contact"], "messages")
    status, again = resend(ada, message["message"])
    assert (status, again["cause"]) == (202, {"api": "again"})
    assert subjects(ada) == ["You won a boat", "You won a boat"]


def test_what_is_not_settled_is_not_sent_again(ada: World) -> None:
    ada.ses.failing = ["timeout"]
    first = order(ada)
    status, answer = resend(ada, first["message"])
    assert (status, answer["code"]) == (409, "message_not_settled")
    ada.now += timedelta(minutes=5)
    ada.invoke("settle_messages", {})
    assert resend(ada, first["message"])[0] == 202


def test_a_message_of_somebody_who_was_erased_is_not_sent_again(ada: World) -> None:
    first = order(ada)
    ada.erase(ada.contact(user_id="ada")["contact"])
    status, answer = resend(ada, first["message"])
    assert status in (404, 409), answer
    assert len(ada.ses.accepted) == 1


def test_a_message_that_is_not_there_is_not_found(ada: World) -> None:
    assert resend(ada, "c1-m1")[1]["code"] == "unknown_message"
    first = order(ada)
    answer = ada.call(
        "send_email",
        "POST /v1/messages/{message}/resend",
        {"idempotency_key": "x"},
        ada.other_secret,
        path={"message": first["message"]},
    )
    assert answer[1]["code"] == "unknown_message"


def test_files_of_one_mail_reach_ses_whole(ada: World) -> None:
    large = {**FILE, "content": base64.b64encode(b"x" * 3_000_000).decode()}
    assert order(ada, attachments=[large, FILE])["attachments"] == ["a.txt", "a.txt"]
    contents = [one["RawContent"] for one in ada.ses.accepted[0]["Content"]["Simple"]["Attachments"]]
    assert contents == [b"x" * 3_000_000, b"hello"]


@pytest.mark.parametrize(
    ("file", "code", "field"),
    [
        ({**FILE, "content": "%"}, "invalid_attachment", "attachments.0.content"),
        ({**FILE, "name": "a.exe"}, "attachment_type_refused", "attachments.0.name"),
        ({**FILE, "content": "A" * 5_400_000}, "attachments_too_large", "attachments"),
        ({**FILE, "content": "A" * 5_600_000}, "body_too_large", None),
    ],
)
def test_a_file_that_cannot_go_is_refused_before_anything_is_kept(
    ada: World, file: dict[str, Any], code: str, field: str | None
) -> None:
    body = {"to": {"user_id": "ada"}, "template": "tips", "idempotency_key": "k-1", "attachments": [file]}
    status, answer = ada.call("send_email", "POST /v1/emails", body)
    assert (status, answer["code"], answer.get("field")) == (400, code, field)
    assert ada.items("TABLE_SENDS") == ada.items("TABLE_MESSAGES") == []
