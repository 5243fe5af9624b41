"""A person answers a mail at the outbox, and SNS hears what SES tells of received mail."""

import base64
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from tests.functional.carriers.local import Local

RECEIVED = "arn:aws:sns:eu-central-1:111122223333:received"
FILE = {"name": "Zażółć.txt", "type": "application/pdf", "content": base64.b64encode("gęś".encode()).decode()}


def answer(local: Local, mail: str, **body: Any) -> Any:
    return local.post(f"/outbox/api/mails/{mail}/answer", {"text": "Thanks", **body})


def heard(local: Local) -> list[dict[str, Any]]:
    assert local.carriers.drain()
    return [one.event for one in local.published if one.topic == RECEIVED]


def raw(event: dict[str, Any]) -> EmailMessage:
    message: EmailMessage = message_from_bytes(base64.b64decode(event["content"]), policy=policy.default)  # type: ignore[assignment]
    return message


@pytest.fixture
def listening(local: Local) -> Local:
    local.carriers.receive_mails(RECEIVED)
    return local


def test_the_notification_is_that_of_a_receipt_rule(listening: Local) -> None:
    sent = listening.send("ada@example.com", ReplyToAddresses=["reply+local.x@example.org"])
    assert answer(listening, sent).status == 201
    (event,) = heard(listening)
    assert event["notificationType"] == "Received"
    assert set(event["mail"]) == {
        "timestamp", "source", "messageId", "destination", "headersTruncated", "headers", "commonHeaders",
    }  # fmt: skip
    assert (event["mail"]["source"], event["mail"]["destination"]) == ("ada@example.com", ["reply+local.x@example.org"])
    assert event["receipt"]["recipients"] == ["reply+local.x@example.org"]
    assert event["receipt"]["action"] == {"type": "SNS", "topicArn": RECEIVED, "encoding": "BASE64"}
    assert {event["receipt"][f"{what}Verdict"]["status"] for what in ("spam", "virus", "spf", "dkim", "dmarc")} == {
        "PASS"
    }
    assert listening.published[-1].subject == "Amazon SES Email Receipt Notification"


def test_the_mail_itself_comes_along_in_the_thread_of_what_it_answers(listening: Local) -> None:
    sent = listening.send()
    answer(listening, sent, text="Zażółć gęślą", html="<b>Zażółć</b>", attachments=[FILE])
    mail = raw(heard(listening)[0])
    assert mail["Subject"] == "Re: Hello"
    assert mail["In-Reply-To"] == mail["References"] == listening.mail(sent)["headers"]["Message-ID"]
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Zażółć gęślą"
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("Zażółć.txt", "gęś".encode())


def test_it_is_answered_to_where_the_mail_came_from_unless_it_says_otherwise(listening: Local) -> None:
    answer(listening, listening.send())
    assert heard(listening)[0]["mail"]["destination"] == ["hello@example.org"]


def test_somebody_else_may_answer_twice_and_late(listening: Local) -> None:
    sent = listening.send()
    answer(listening, sent, **{"from": "grace@example.com", "subject": "Out", "copies": 2, "delay": 0.05})
    first, second = listening.wait_for(RECEIVED, 2)
    assert first == second
    assert (first["mail"]["source"], first["mail"]["commonHeaders"]["subject"]) == ("grace@example.com", "Out")


def test_an_answer_is_seen_at_the_outbox_and_is_no_event_of_ses(listening: Local) -> None:
    sent = listening.send()
    answer(listening, sent)
    assert listening.carriers.drain()
    shown = listening.mail(sent)
    assert [event["type"] for event in shown["events"]] == ["Send", "Delivery"]
    assert [event["published"] for event in shown["answers"]] == ["published"]
    assert "Re: Hello — from ada@example.com" in listening.get(f"/outbox/mails/{sent}").text


def test_without_a_topic_nobody_hears_it(local: Local) -> None:
    assert [event["published"] for event in answer(local, local.send()).json["answers"]] == ["unsent"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": " "}, "empty_answer"),
        ({"copies": 0}, "invalid_copies"),
        ({"delay": -1}, "invalid_delay"),
        ({"attachments": [{"name": "x"}]}, "invalid_attachments"),
        ({"attachments": [{"name": "x", "content": "%"}]}, "invalid_attachments"),
        ({"attachments": [FILE | {"content": base64.b64encode(bytes(160_000)).decode()}]}, "too_large"),
    ],
)
def test_what_is_no_answer_is_refused(listening: Local, body: dict[str, Any], code: str) -> None:
    assert answer(listening, listening.send(), **body).json["code"] == code
    assert heard(listening) == []


def test_nobody_answers_a_mail_that_is_not_there(local: Local) -> None:
    assert answer(local, "nobody").status == 404


def test_the_page_takes_files_too(listening: Local) -> None:
    sent = listening.send()
    parts = [
        '--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nDziękuję',
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nhello',
        "--x--\r\n",
    ]
    headers = {"content_type": "multipart/form-data; boundary=x"}
    done = listening.call("POST", f"/outbox/mails/{sent}/answer", "\r\n".join(parts).encode(), headers)
    assert (done.status, done.headers["location"]) == (303, f"/outbox/mails/{sent}")
    mail = raw(heard(listening)[0])
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Dziękuję"
    assert [(file.get_filename(), file.get_content()) for file in mail.iter_attachments()] == [("a.txt", "hello")]
