"""The outbox's JSON API: what was sent, for tests and the demo."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.functional.carriers.local import Local

from tidings.core.clock import FixedClock


def test_a_mail_is_shown_with_all_its_sides(local: Local) -> None:
    sent = local.send(
        "Ada <ada@example.com>",
        EmailTags=[{"Name": "tidings_message", "Value": "m-1"}],
        simple={"Headers": [{"Name": "X-Trace", "Value": "7"}]},
    )
    assert local.carriers.drain()
    (mail,) = local.get("/outbox/api/mails").json
    assert mail == local.mail(sent)
    assert mail["id"] == sent
    assert (mail["from"], mail["to"], mail["subject"]) == ("Acme <hello@example.org>", ["ada@example.com"], "Hello")
    assert (mail["text"], mail["source_html"]) == ("Hi", "<p>Hi</p>")
    assert mail["headers"]["X-Trace"] == "7"
    assert mail["tags"] == {"tidings_message": "m-1"}
    assert mail["states"] == ["sent", "delivered"]
    assert [(one["type"], one["published"]) for one in mail["events"]] == [
        ("Send", "published"),
        ("Delivery", "published"),
    ]
    assert mail["events"][0]["event"]["mail"]["messageId"] == sent
    assert mail["configuration_set"] == "tidings"


def test_mails_are_listed_oldest_first_and_by_address(local: Local) -> None:
    sent = [local.send(to) for to in ("ada@example.com", "bob@example.com", "Ada@Example.com")]
    assert [mail["id"] for mail in local.get("/outbox/api/mails").json] == sent
    assert [mail["id"] for mail in local.get("/outbox/api/mails?to=ADA@example.com").json] == [sent[0], sent[2]]
    assert local.get("/outbox/api/mails?to=a@example.com").json == []
    assert [mail["id"] for mail in local.get("/outbox/api/mails?limit=1").json] == [sent[2]]


def test_mails_are_found_by_copy_and_blind_copy(local: Local) -> None:
    to = {"ToAddresses": ["a@example.com"], "CcAddresses": ["c@example.com"], "BccAddresses": ["b@example.com"]}
    sent = local.send(Destination=to)
    for address in ("a", "b", "c"):
        assert [mail["id"] for mail in local.get(f"/outbox/api/mails?to={address}@example.com").json] == [sent]


def test_mails_are_found_by_words_and_by_what_happened(local: Local) -> None:
    sent = local.send("ada@example.com", simple={"Subject": {"Data": "Your invoice 2026/11"}})
    bounced = local.send("bounce@simulator.amazonses.com")
    assert [mail["id"] for mail in local.get("/outbox/api/mails?q=INVOICE+ada").json] == [sent]
    assert [mail["id"] for mail in local.get("/outbox/api/mails?event=Bounce").json] == [bounced]


def test_mails_are_found_by_time(tmp_path: Path) -> None:
    clock = FixedClock(datetime(2026, 11, 21, 9, tzinfo=UTC))
    local = Local(tmp_path, clock)
    local.send("early@example.com")
    clock.advance(timedelta(minutes=5))
    late = local.send("late@example.com")
    for since in ("2026-11-21T09:05:00Z", "2026-11-21T10:05:00%2B01:00", "2026-11-21T09:04:59.999"):
        assert [mail["id"] for mail in local.get(f"/outbox/api/mails?since={since}").json] == [late]
    assert local.mail(late)["at"] == "2026-11-21T09:05:00.000Z"
    local.close()


def test_emptying_leaves_nothing_behind(local: Local) -> None:
    sent = local.send(html='<a href="https://a.example/">x</a>')
    assert local.carriers.drain()
    assert local.call("DELETE", "/outbox/api/mails").json == {"deleted": 1}
    assert local.get("/outbox/api/mails").json == []
    for path in (f"/outbox/api/mails/{sent}", f"/outbox/mails/{sent}", f"/outbox/t/{sent}/0"):
        assert local.get(path).status == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/outbox/api/mails/nobody", 404, "unknown_mail"),
        ("POST", "/outbox/api/mails/nobody/open", 404, "unknown_mail"),
        ("POST", "/outbox/api/mails/nobody/click", 404, "unknown_mail"),
        ("POST", "/outbox/api/mails/nobody/complain", 404, "unknown_mail"),
        ("GET", "/outbox/api/mails?since=yesterday", 400, "invalid_since"),
        ("GET", "/outbox/api/mails?limit=many", 400, "invalid_limit"),
        ("GET", "/outbox/api/sms/nobody", 404, "unknown_sms"),
        ("PATCH", "/outbox/api/mails", 404, "unknown_path"),
        ("GET", "/outbox/api/nothing", 404, "unknown_path"),
    ],
)
def test_errors_are_json_with_a_code(local: Local, method: str, path: str, status: int, code: str) -> None:
    answer = local.call(method, path)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.json["message"]


def test_a_body_that_is_no_object_is_refused(local: Local) -> None:
    assert local.call("POST", "/outbox/api/faults", b"{").json["code"] == "invalid_json"
    assert local.call("POST", "/outbox/api/faults", b"[]").json["code"] == "invalid_json"


def test_suppressions_can_be_seen_and_lifted(local: Local) -> None:
    local.ses.put_suppressed_destination(EmailAddress="ada@example.com", Reason="BOUNCE")
    (entry,) = local.get("/outbox/api/suppressions").json
    assert (entry["address"], entry["reason"]) == ("ada@example.com", "BOUNCE")
    assert local.call("DELETE", "/outbox/api/suppressions/ada@example.com").json == []
    assert local.call("DELETE", "/outbox/api/suppressions/ada@example.com").status == 404
