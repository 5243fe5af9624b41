"""What SES events say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tidings.activity.chain import Node
from tidings.core.clock import FixedClock
from tidings.email.rules import MEANINGS, error_of, news_of, read_feedback, to_event, topics_left
from tidings.messages.machines import Verdict
from tidings.messages.model import State

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
OURS = {"tidings_message": ["c1-m1"], "tidings_workspace": ["acme"], "ses:configuration-set": ["tidings"]}


def notification(kind: str, details: Any = None, **mail: Any) -> dict[str, Any]:
    name = {"DeliveryDelay": "deliveryDelay", "Rendering Failure": "failure"}.get(kind, kind.lower())
    return {
        "eventType": kind,
        "mail": {
            "timestamp": "2026-11-21T09:00:00.000Z",
            "messageId": "0100-ours",
            "destination": ["Ada@people.example"],
            "tags": OURS,
            **mail,
        },
        name: details,
    }


@pytest.mark.parametrize(
    ("kind", "details", "state", "event", "error"),
    [
        ("Send", {}, State.ACCEPTED, "Email Sent", ""),
        ("Delivery", {"smtpResponse": "250 ok"}, State.DELIVERED, "Email Delivered", ""),
        (
            "Bounce",
            {"bounceType": "Permanent", "bounceSubType": "NoEmail"},
            State.BOUNCED,
            "Email Bounced",
            "Permanent/NoEmail",
        ),
        ("Complaint", {"complaintFeedbackType": "abuse"}, State.COMPLAINED, "Email Marked as Spam", ""),
        ("Reject", {"reason": "Bad content"}, State.REJECTED, "Email Rejected", "Bad content"),
        ("Rendering Failure", {"errorMessage": "No x"}, State.REJECTED, "Email Rendering Failed", "No x"),
        ("DeliveryDelay", {"delayType": "MailboxFull"}, State.DELAYED, "Email Delayed", ""),
        ("Open", {"ipAddress": "203.0.113.4"}, None, "Email Opened", ""),
        ("Click", {"link": "https://acme.example"}, None, "Email Link Clicked", ""),
        ("Subscription", {"contactList": "all"}, None, "Email Subscription Changed", ""),
    ],
)
def test_each_kind_of_event_has_its_meaning(
    kind: str, details: dict[str, Any], state: State | None, event: str, error: str
) -> None:
    feedback = read_feedback(notification(kind, details))
    assert feedback
    assert MEANINGS[kind].state is state
    assert error_of(feedback) == error
    told = to_event(feedback, Node.call("k-1"), FixedClock(NOW))
    assert (told.name, told.contact, told.workspace) == (event, "c1", "acme")
    assert told.properties["message"] == "c1-m1"
    assert (told.cause, told.root) == (Node.message("c1-m1"), Node.call("k-1"))


def test_every_kind_of_event_has_a_row_in_that_table() -> None:
    assert len(MEANINGS) == 10


@pytest.mark.parametrize("missing", ["headers", "commonHeaders", "sourceArn", "destination"])
def test_what_ses_leaves_out_at_times_is_not_needed(missing: str) -> None:
    given = notification("Open", {"timestamp": "2026-11-21T09:01:00.000Z"})
    given["mail"].pop(missing, None)
    assert read_feedback(given)


def test_an_event_happened_when_it_says_else_when_the_mail_was_taken() -> None:
    opened = read_feedback(notification("Open", {"timestamp": "2026-11-21T09:01:00.000Z"}))
    failed = read_feedback(notification("Rendering Failure", {"errorMessage": "No x"}))
    assert opened
    assert failed
    assert opened.at == datetime(2026, 11, 21, 9, 1, tzinfo=UTC)
    assert failed.at == datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "foreign",
    [
        notification("Delivery", {}, tags={}),
        notification("Delivery", {}, tags=None),
        notification("Delivery", {}, tags={"tidings_message": ["c1-m1"]}),
        notification("Delivery", {}, tags={"tidings_workspace": ["acme"]}),
        notification("Delivery", {}, tags={**OURS, "tidings_message": ["order-7"]}),
        notification("Delivery", {}, tags={**OURS, "tidings_message": []}),
        notification("Renamed Lately", {}),
        {"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have subscribed"},
        {"notificationType": "Bounce", "bounce": {"bounceType": "Permanent"}, "mail": {"messageId": "x"}},
    ],
)
def test_what_is_about_no_message_of_ours_is_let_be(foreign: dict[str, Any]) -> None:
    assert read_feedback(foreign) is None


@pytest.mark.parametrize(
    "broken", [{}, {"eventType": "Send"}, {"eventType": "Send", "mail": {"tags": OURS}}, [], "text"]
)
def test_what_is_no_ses_event_is_a_fault(broken: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        read_feedback(broken)


@pytest.mark.parametrize(
    ("kind", "details", "milestone", "state", "total"),
    [
        ("Send", {}, "sent", State.ACCEPTED, ""),
        ("Delivery", {}, "delivered", State.DELIVERED, ""),
        ("DeliveryDelay", {}, "delayed", State.DELAYED, ""),
        ("Bounce", {"bounceType": "Permanent", "bounceSubType": "General"}, "hard_bounced", State.BOUNCED, ""),
        ("Bounce", {"bounceType": "Transient", "bounceSubType": "MessageTooLarge"}, "soft_bounced", State.BOUNCED, ""),
        ("Bounce", {"bounceType": "Transient", "bounceSubType": "ContentRejected"}, "spam_bounced", State.BOUNCED, ""),
        ("Complaint", {"complaintFeedbackType": "abuse"}, "complained", State.COMPLAINED, ""),
        ("Complaint", {"complaintFeedbackType": "not-spam"}, "", None, ""),
        ("Reject", {"reason": "Bad content"}, "rejected", State.REJECTED, ""),
        ("Rendering Failure", {"errorMessage": "No x"}, "rejected", State.REJECTED, ""),
        ("Open", {}, "opened", None, "opens"),
        ("Click", {}, "clicked", None, "clicks"),
        ("Subscription", {"newTopicPreferences": {"unsubscribeAll": True}}, "unsubscribed", None, ""),
        ("Subscription", {"newTopicPreferences": {"unsubscribeAll": False}}, "", None, ""),
    ],
)
def test_what_each_kind_of_event_counts_as(
    kind: str, details: dict[str, Any], milestone: str, state: State | None, total: str
) -> None:
    feedback = read_feedback(notification(kind, details))
    assert feedback
    news = news_of(feedback, Verdict(0) if total else None)
    assert (news.milestone, news.state, news.total) == (milestone, state, total)


@pytest.mark.parametrize(("kind", "name"), [("Open", "opened"), ("Click", "clicked")])
def test_what_a_machine_does_counts_and_is_told_apart(kind: str, name: str) -> None:
    feedback = read_feedback(notification(kind, {"ipAddress": "203.0.113.4", "userAgent": "curl/8"}))
    assert feedback
    verdict = Verdict(140, ("library_agent", "very_fast"))
    news = news_of(feedback, verdict)
    assert (news.milestone, news.total) == (f"machine_{name}", f"machine_{MEANINGS[kind].total}")
    told = to_event(feedback, None, FixedClock(NOW), verdict)
    assert told.name == f"{MEANINGS[kind].event} by Machine"
    assert {name: told.properties[name] for name in ("machine", "score", "reasons", "userAgent", "ipAddress")} == {
        "machine": True,
        "score": 140,
        "reasons": ["library_agent", "very_fast"],
        "userAgent": "curl/8",
        "ipAddress": "203.0.113.4",
    }


@pytest.mark.parametrize(
    ("preferences", "left"),
    [
        (None, []),
        (
            {"unsubscribeAll": True, "topicSubscriptionStatus": [{"topicName": "a", "subscriptionStatus": "OptIn"}]},
            ["*"],
        ),
        (
            {
                "unsubscribeAll": False,
                "topicSubscriptionStatus": [
                    {"topicName": "a", "subscriptionStatus": "OptIn"},
                    {"topicName": "b", "subscriptionStatus": "OptOut"},
                ],
            },
            ["b"],
        ),
    ],
)
def test_only_a_no_to_a_topic_means_something(preferences: Any, left: list[str]) -> None:
    feedback = read_feedback(notification("Subscription", {"newTopicPreferences": preferences}))
    assert feedback
    assert topics_left(feedback) == left


# --- of identities ---------------------------------------------------------------------------------------------------

HEADERS = [{"name": "Subject", "value": "Hi"}, {"name": "x-tidings-message", "value": "acme/c1-m1"}]
BOUNCED = {"bounceType": "Permanent", "bounceSubType": "NoEmail", "timestamp": "2026-11-21T09:00:05.000Z"}


def of_identity(kind: str, details: Any, **mail: Any) -> dict[str, Any]:
    told = notification(kind, details, **{"tags": None, "source": "Acme <Hello@acme.example>", **mail})
    told["notificationType"] = told.pop("eventType")
    return told


def test_what_is_told_of_an_identity_names_the_message_in_a_header() -> None:
    feedback = read_feedback(of_identity("Bounce", BOUNCED, headers=HEADERS))
    assert feedback
    assert (feedback.workspace, feedback.message_id) == ("acme", "c1-m1")


def test_both_flavours_of_one_report_are_one_event() -> None:
    recipients = [{"emailAddress": "ada@people.example"}]
    ours = read_feedback(notification("Bounce", {**BOUNCED, "bouncedRecipients": recipients}))
    other = {**BOUNCED, "bouncedRecipients": recipients, "remoteMtaIp": "127.0.2.0", "feedbackId": "f-2"}
    theirs = read_feedback(of_identity("Bounce", other, headers=HEADERS))
    assert ours
    assert theirs
    ids = {to_event(one, None, FixedClock(NOW)).message_id for one in (ours, theirs)}
    assert len(ids) == 1


@pytest.mark.parametrize("headers", [None, "none", [], [7], [{"name": "X-Tidings-Message", "value": "no message"}]])
def test_without_the_header_only_the_sender_tells_whose_it_was(headers: Any) -> None:
    feedback = read_feedback(of_identity("Complaint", {}, headers=headers))
    assert feedback
    assert (feedback.message_id, feedback.source) == ("", "hello@acme.example")
    assert read_feedback(of_identity("Delivery", {}, headers=headers)) is None


def test_identities_are_told_of_in_three_kinds_only() -> None:
    assert read_feedback(of_identity("Open", {}, headers=HEADERS)) is None


def test_of_those_that_a_complaint_lists_only_the_one_we_wrote_to_is_meant() -> None:
    listed = [{"emailAddress": "ADA@people.example"}, {"emailAddress": "stranger@people.example"}]
    feedback = read_feedback(notification("Complaint", {"complainedRecipients": listed}))
    assert feedback
    assert feedback.recipients == ("ada@people.example",)


@pytest.mark.parametrize(
    ("kind", "listed"),
    [
        ("Bounce", {"bouncedRecipients": [{"emailAddress": "countess@forwarded.example"}]}),
        ("Bounce", {"bouncedRecipients": [{"emailAddress": "Ada <ada@people.example>"}]}),
        ("Complaint", {"complainedRecipients": [{"emailAddress": "redacted@feedback.example"}]}),
    ],
)
def test_a_mail_to_one_person_is_about_them_by_whatever_name(kind: str, listed: dict[str, Any]) -> None:
    feedback = read_feedback(notification(kind, listed))
    assert feedback
    assert feedback.recipients == ("ada@people.example",)


def test_the_timeline_shows_no_address_and_no_raw_diagnosis() -> None:
    listed = [{"emailAddress": "ada@people.example", "diagnosticCode": "550 ada@people.example unknown"}]
    details = {"bounceType": "Permanent", "bounceSubType": "NoEmail", "bouncedRecipients": listed}
    feedback = read_feedback(notification("Bounce", details))
    assert feedback
    assert "ada@" not in str(to_event(feedback, None, FixedClock(NOW)).properties)


def test_a_doubled_notification_is_one_event_and_another_open_is_another() -> None:
    def event_id(minute: int) -> str:
        feedback = read_feedback(notification("Open", {"timestamp": f"2026-11-21T09:0{minute}:00.000Z"}))
        assert feedback
        return to_event(feedback, None, FixedClock(NOW)).message_id

    assert event_id(1) == event_id(1)
    assert event_id(1) != event_id(2)
