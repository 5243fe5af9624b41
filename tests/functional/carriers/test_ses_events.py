"""The events that the SES carrier publishes, field by field those of AWS's guide."""

import re
from typing import Any

import pytest
from tests.functional.carriers.local import SENDER, SET, TOPIC, Local

MAIL_FIELDS = {
    "timestamp",
    "source",
    "sourceArn",
    "sendingAccountId",
    "messageId",
    "destination",
    "headersTruncated",
    "headers",
    "commonHeaders",
    "tags",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
AT = "@simulator.amazonses.com"
TAGS = [{"Name": "tidings_message", "Value": "m-1"}, {"Name": "tidings_workspace", "Value": "ws"}]


def only(events: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The one event of a type."""
    found = [event for event in events if event["eventType"] == kind]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("to", "types"),
    [
        ("ada@example.com", ["Send", "Delivery"]),
        (f"success{AT}", ["Send", "Delivery"]),
        (f"success+label{AT}", ["Send", "Delivery"]),
        (f"bounce{AT}", ["Send", "Bounce"]),
        (f"BOUNCE+Order-7{AT.upper()}", ["Send", "Bounce"]),
        (f"complaint{AT}", ["Send", "Delivery", "Complaint"]),
        (f"ooto{AT}", ["Send", "Delivery"]),
        (f"suppressionlist{AT}", ["Send", "Bounce"]),
    ],
)
def test_the_address_decides_what_follows(local: Local, to: str, types: list[str]) -> None:
    assert local.types(local.send(to)) == types


def test_events_go_to_the_topic_of_the_configuration_set(local: Local) -> None:
    sent = local.send()
    assert local.types(sent) == ["Send", "Delivery"]
    assert {one.topic for one in local.published} == {TOPIC}
    assert {one.subject for one in local.published} == {"Amazon SES Email Event Notification"}


def test_a_mail_without_configuration_set_has_no_listener(local: Local) -> None:
    sent = local.send(ConfigurationSetName=None)
    assert local.events(sent) == []
    assert [(one["type"], one["published"]) for one in local.mail(sent)["events"]] == [
        ("Send", "unsent"),
        ("Delivery", "unsent"),
    ]


def test_the_mail_object_is_complete(local: Local) -> None:
    headers = [{"Name": "List-Unsubscribe", "Value": "<https://u.example.org/>"}]
    sent = local.send(
        "Ada <ada@example.com>", EmailTags=TAGS, simple={"Headers": headers}, ReplyToAddresses=["r@example.org"]
    )
    event = only(local.events(sent), "Send")
    assert set(event) == {"eventType", "mail", "send"}
    assert event["send"] == {}
    mail = event["mail"]
    assert set(mail) == MAIL_FIELDS
    assert TIME.fullmatch(mail["timestamp"])
    assert mail["messageId"] == sent
    assert mail["source"] == SENDER
    assert mail["sourceArn"] == "arn:aws:ses:eu-central-1:111122223333:identity/example.org"
    assert mail["sendingAccountId"] == "111122223333"
    assert mail["destination"] == ["Ada <ada@example.com>"]
    assert mail["headersTruncated"] is False
    named = {header["name"]: header["value"] for header in mail["headers"]}
    assert named["List-Unsubscribe"] == "<https://u.example.org/>"
    assert {"From", "To", "Subject", "MIME-Version", "Content-Type"} <= set(named)
    assert "Message-ID" not in named
    assert mail["commonHeaders"] == {
        "from": [SENDER],
        "to": ["Ada <ada@example.com>"],
        "messageId": sent,
        "subject": "Hello",
        "replyTo": ["r@example.org"],
    }
    assert mail["tags"] == {
        "ses:operation": ["SendEmail"],
        "ses:configuration-set": [SET],
        "ses:source-ip": ["127.0.0.1"],
        "ses:from-domain": ["example.org"],
        "ses:caller-identity": ["send-email-role"],
        "tidings_message": ["m-1"],
        "tidings_workspace": ["ws"],
    }


def test_long_headers_are_cut_at_ten_kilobytes(local: Local) -> None:
    headers = [{"Name": f"X-{n}", "Value": "v" * 900} for n in range(15)]
    mail = only(local.events(local.send(simple={"Headers": headers})), "Send")["mail"]
    assert mail["headersTruncated"] is True
    assert sum(len(one["name"]) + len(one["value"]) for one in mail["headers"]) <= 10 * 1024


def test_a_delivery_says_who_took_it_and_when(local: Local) -> None:
    event = only(local.events(local.send()), "Delivery")
    assert set(event) == {"eventType", "mail", "delivery"}
    assert set(event["delivery"]) == {"timestamp", "processingTimeMillis", "recipients", "smtpResponse", "reportingMTA"}
    assert event["delivery"]["recipients"] == ["ada@example.com"]
    assert event["delivery"]["processingTimeMillis"] >= 0
    assert event["mail"]["tags"]["ses:outgoing-ip"] == ["127.0.0.1"]


def test_a_bounce_is_an_unknown_user(local: Local) -> None:
    event = only(local.events(local.send(f"bounce+kim{AT}")), "Bounce")
    bounce = event["bounce"]
    assert set(bounce) == {
        "feedbackId",
        "bounceType",
        "bounceSubType",
        "bouncedRecipients",
        "timestamp",
        "reportingMTA",
    }
    assert (bounce["bounceType"], bounce["bounceSubType"]) == ("Permanent", "General")
    assert bounce["bouncedRecipients"] == [
        {
            "emailAddress": f"bounce+kim{AT}",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        }
    ]
    assert set(event["mail"]) == MAIL_FIELDS


def test_the_global_suppression_list_bounces_as_suppressed(local: Local) -> None:
    bounce = only(local.events(local.send(f"suppressionlist{AT}")), "Bounce")["bounce"]
    assert (bounce["bounceType"], bounce["bounceSubType"]) == ("Permanent", "Suppressed")


def test_a_complaint_comes_after_the_delivery(local: Local) -> None:
    complaint = only(local.events(local.send(f"complaint{AT}")), "Complaint")["complaint"]
    assert set(complaint) == {
        "feedbackId",
        "complaintSubType",
        "complainedRecipients",
        "timestamp",
        "userAgent",
        "complaintFeedbackType",
        "arrivalDate",
    }
    assert complaint["complainedRecipients"] == [{"emailAddress": f"complaint{AT}"}]
    assert (complaint["complaintSubType"], complaint["complaintFeedbackType"]) == (None, "abuse")


def test_an_absent_person_answers_and_ses_says_nothing_about_it(local: Local) -> None:
    sent = local.send(f"ooto{AT}")
    assert local.types(sent) == ["Send", "Delivery"]
    (reply,) = local.mail(sent)["replies"]
    assert (reply["from"], reply["to"]) == (f"ooto{AT}", SENDER)
    assert reply["headers"]["Auto-Submitted"] == "auto-replied"


@pytest.mark.parametrize(("reason", "kind"), [("BOUNCE", "Bounce"), ("COMPLAINT", "Complaint")])
def test_who_is_on_the_account_suppression_list_gets_nothing(local: Local, reason: str, kind: str) -> None:
    local.ses.put_suppressed_destination(EmailAddress="ada@example.com", Reason=reason)
    sent = local.send("ADA@example.com")
    assert local.types(sent) == ["Send", kind]
    about = only(local.events(sent), kind)[kind.lower()]
    if kind == "Bounce":
        assert (about["bounceType"], about["bounceSubType"]) == ("Permanent", "OnAccountSuppressionList")
        assert "suppression list for your account" in about["bouncedRecipients"][0]["diagnosticCode"]
    else:
        assert about["complaintSubType"] == "OnAccountSuppressionList"
        assert "complaintFeedbackType" not in about
    local.ses.delete_suppressed_destination(EmailAddress="ada@example.com")
    assert local.types(local.send("ada@example.com")) == ["Send", "Delivery"]


def test_the_simulator_never_fills_the_suppression_list(local: Local) -> None:
    local.send(f"bounce{AT}")
    local.post(f"/outbox/api/mails/{local.send(f'complaint{AT}')}/complain")
    assert local.ses.list_suppressed_destinations()["SuppressedDestinationSummaries"] == []


def test_a_virus_is_rejected_after_it_was_accepted(local: Local) -> None:
    virus = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    sent = local.send(simple={"Attachments": [{"FileName": "sample.txt", "RawContent": virus}]})
    assert local.types(sent) == ["Send", "Reject"]
    assert only(local.events(sent), "Reject")["reject"] == {"reason": "Bad content"}


def test_several_recipients_share_a_send_and_part_by_fate(local: Local) -> None:
    to = {
        "ToAddresses": ["a@x.example", f"bounce+1{AT}"],
        "CcAddresses": ["b@x.example"],
        "BccAddresses": [f"bounce+2{AT}"],
    }
    events = local.events(local.send(Destination=to))
    assert [event["eventType"] for event in events] == ["Send", "Bounce", "Delivery"]
    assert events[0]["mail"]["destination"] == ["a@x.example", f"bounce+1{AT}", "b@x.example", f"bounce+2{AT}"]
    assert events[0]["mail"]["commonHeaders"]["cc"] == ["b@x.example"]
    bounced = [one["emailAddress"] for one in events[1]["bounce"]["bouncedRecipients"]]
    assert bounced == [f"bounce+1{AT}", f"bounce+2{AT}"]
    assert events[2]["delivery"]["recipients"] == ["a@x.example", "b@x.example"]


def test_mails_from_many_threads_keep_each_mails_order(local: Local) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda n: local.send(f"complaint+{n}{AT}"), range(40)))
    assert len(set(sent)) == 40
    for message_id in sent:
        assert local.types(message_id) == ["Send", "Delivery", "Complaint"]
