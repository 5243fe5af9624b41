"""What SES reports: every kind of event, in any order and as often as it likes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from tests.support.examples import few
from tests.support.recorder import Call
from tests.support.world import World, variables

ADA = "ada@people.example"
BOUNCE = {
    "bounceType": "Permanent",
    "bounceSubType": "NoEmail",
    "feedbackId": "f-1",
    "bouncedRecipients": [{"emailAddress": ADA, "status": "5.1.1", "diagnosticCode": f"550 {ADA} unknown"}],
}
SOFT = {**BOUNCE, "bounceType": "Transient", "bounceSubType": "MailboxFull"}
COMPLAINT = {"complaintFeedbackType": "abuse", "feedbackId": "f-2", "complainedRecipients": [{"emailAddress": ADA}]}
DELIVERY = {"processingTimeMillis": 900, "recipients": [ADA], "smtpResponse": "250 ok", "reportingMTA": "a.example"}
OPEN = {"ipAddress": "203.0.113.4", "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
CLICK = {**OPEN, "link": "https://acme.example/tips", "linkTags": {"place": ["footer"]}}
DELAY = {"delayType": "MailboxFull", "expirationTime": "2026-11-22T09:00:00.000Z", "delayedRecipients": []}
FAILURE = {"templateName": "tips", "errorMessage": "Attribute 'x' is not present"}

# Each kind of event, what it says, where it moves the message, and its name on the timeline.
KINDS: list[tuple[str, dict[str, Any], str, str]] = [
    ("Send", {}, "accepted", "Email Sent"),
    ("DeliveryDelay", DELAY, "delayed", "Email Delayed"),
    ("Delivery", DELIVERY, "delivered", "Email Delivered"),
    ("Bounce", BOUNCE, "bounced", "Email Bounced"),
    ("Bounce", SOFT, "bounced", "Email Bounced"),
    ("Reject", {"reason": "Bad content"}, "rejected", "Email Rejected"),
    ("Rendering Failure", FAILURE, "rejected", "Email Rendering Failed"),
    ("Complaint", COMPLAINT, "complained", "Email Marked as Spam"),
    ("Open", OPEN, "accepted", "Email Opened"),
    ("Click", CLICK, "accepted", "Email Link Clicked"),
]


@pytest.fixture
def ada(world: World) -> World:
    """A workspace from which Ada got a mail."""
    world.template("tips")
    world.identify("ada", email=ADA)
    mail(world)
    return world


def mail(world: World, user: str = "ada", key: str = "k-1") -> dict[str, Any]:
    """Send somebody a mail; the mail as SES took it."""
    body = {"to": {"user_id": user}, "template": "tips", "idempotency_key": key}
    status, answer = world.call("send_email", "POST /v1/emails", body)
    assert (status, answer["state"]) == (202, "accepted")
    return world.ses.accepted[-1]


def messages(world: World) -> list[dict[str, Any]]:
    return world.of_contact(world.contact(user_id="ada")["contact"], "messages")


def timeline(world: World) -> list[dict[str, Any]]:
    events = world.of_contact(world.contact(user_id="ada")["contact"], "events")
    return [one for one in events if one["type"] == "system"]


def counted(world: World) -> dict[str, int]:
    """What reports count, over all rows."""
    found: dict[str, int] = {}
    for item in world.items("TABLE_REPORTS"):
        for name, value in item.items():
            if "N" in value and not name.startswith("why "):
                found[name] = found.get(name, 0) + int(value["N"])
    return {name: number for name, number in found.items() if number}


def queued(*bodies: Any) -> dict[str, Any]:
    """SQS messages, each with an SNS envelope around what SES published; text stands as it is."""
    records = []
    for number, body in enumerate(bodies):
        envelope = {"Type": "Notification", "MessageId": f"n-{number}", "Message": json.dumps(body)}
        text = body if isinstance(body, str) else json.dumps(envelope)
        records.append({"messageId": f"q-{number}", "body": text, "eventSource": "aws:sqs"})
    return {"Records": records}


def back(world: World, *bodies: Any) -> list[str]:
    """Which of the messages go back to the queue."""
    return [one["itemIdentifier"] for one in world.invoke("ses_events", queued(*bodies))["batchItemFailures"]]


# --- each kind -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "details", "state", "name"), KINDS)
def test_each_kind_moves_the_message_and_stands_on_the_timeline(
    ada: World, kind: str, details: dict[str, Any], state: str, name: str
) -> None:
    (sent,) = ada.ses.accepted
    assert ada.feedback(ada.ses.event(kind, sent, **details)) == {"batchItemFailures": []}
    (message,) = messages(ada)
    assert (message["state"], message["provider_id"]) == (state, "ses-1")
    (event,) = timeline(ada)
    assert event["event"] == name
    assert event["properties"]["message"] == message["message"]
    assert (event["cause"], event["root"]) == (f"message:{message['message']}", "call:k-1")
    happened = "09:00:00" if kind == "Send" else "09:00:05"
    assert event["timestamp"] == f"2026-11-21T{happened}.000000Z"


@pytest.mark.parametrize(
    ("kind", "details", "calls"),
    [
        ("Delivery", DELIVERY, ["dynamodb:GetItem", "dynamodb:TransactWriteItems"]),
        ("DeliveryDelay", DELAY, ["dynamodb:GetItem", "dynamodb:TransactWriteItems"]),
        ("Send", {}, ["dynamodb:GetItem", "dynamodb:PutItem"]),  # SES's answer told that already
    ],
)
def test_each_event_is_one_read_and_one_stroke(
    ada: World, kind: str, details: dict[str, Any], calls: list[str]
) -> None:
    ada.recorder.clear()
    ada.feedback(ada.ses.event(kind, ada.ses.accepted[0], **details), pump=False)
    assert [call.name for call in ada.recorder.calls] == calls
    assert ada.recorder.calls[0].arguments.get("ConsistentRead", False) is False
    assert timeline(ada)[0]["root"] == "call:k-1"


def test_another_open_changes_the_report_and_not_the_message(ada: World) -> None:
    for second in (5, 6):
        notification = ada.ses.event("Open", ada.ses.accepted[0], **OPEN)
        notification["open"]["timestamp"] = f"2026-11-21T09:00:0{second}.000Z"
        ada.recorder.clear()
        ada.feedback(notification, pump=False)
    transaction = ada.recorder.calls[-1].arguments["TransactItems"]
    tables = [one[next(iter(one))]["TableName"] for one in transaction]
    assert sorted(tables) == ["Events", "Reports"]
    assert counted(ada) == {"sent": 1, "opened": 1, "opens": 2}


def test_what_is_told_of_a_message_that_is_no_more_says_which_it_was(ada: World) -> None:
    (item,) = ada.items("TABLE_MESSAGES")
    ada.dynamodb.delete_item(TableName=variables()["TABLE_MESSAGES"], Key={key: item[key] for key in ("pk", "sk")})
    for kind in ("Delivery", "Open"):
        ada.feedback(ada.ses.event(kind, ada.ses.accepted[0]))
    node = f"message:{item['sk']['S']}"
    assert [(event["cause"], event["root"]) for event in timeline(ada)] == [(node, node), (node, node)]


def test_the_message_keeps_what_went_wrong(ada: World) -> None:
    ada.feedback(ada.ses.event("Bounce", ada.ses.accepted[0], **BOUNCE))
    assert messages(ada)[0]["error"] == "Permanent/NoEmail"


def test_the_timeline_keeps_what_helps_and_no_address(ada: World) -> None:
    for kind, details in (("Bounce", BOUNCE), ("Click", CLICK)):
        ada.feedback(ada.ses.event(kind, ada.ses.accepted[0], **details))
    told = {one["event"]: one["properties"] for one in timeline(ada)}
    assert told["Email Bounced"]["bounceSubType"] == "NoEmail"
    assert told["Email Link Clicked"]["link"] == "https://acme.example/tips"
    assert told["Email Link Clicked"]["linkTags"] == {"place": ["footer"]}
    assert ADA not in json.dumps(told)


@pytest.mark.parametrize("kind", ["Open", "Rendering Failure", "DeliveryDelay"])
def test_what_ses_leaves_out_at_times_is_not_missed(ada: World, kind: str) -> None:
    for missing in ("headers", "commonHeaders", "sourceArn", "headersTruncated", "destination"):
        notification = ada.ses.event(kind, ada.ses.accepted[0])
        notification["mail"].pop(missing, None)
        assert back(ada, notification) == [], missing
    ada.pump()
    assert len(timeline(ada)) == 1


def test_a_rendering_failure_has_no_time_of_its_own(ada: World) -> None:
    notification = ada.ses.event("Rendering Failure", ada.ses.accepted[0], **FAILURE)
    del notification["failure"]["timestamp"]
    ada.feedback(notification)
    assert timeline(ada)[0]["timestamp"] == "2026-11-21T09:00:00.000000Z"


def test_every_open_and_click_is_an_event_of_its_own(ada: World) -> None:
    for second in range(3):
        for kind, details in (("Open", OPEN), ("Click", CLICK)):
            notification = ada.ses.event(kind, ada.ses.accepted[0], **details)
            notification[kind.lower()]["timestamp"] = f"2026-11-21T09:00:0{second}.000Z"
            ada.feedback(notification)
    assert len(timeline(ada)) == 6
    assert messages(ada)[0]["state"] == "accepted"


# --- whose -----------------------------------------------------------------------------------------------------------


def foreign(world: World, **tags: list[str]) -> dict[str, Any]:
    notification = world.ses.event("Bounce", world.ses.accepted[0], **BOUNCE)
    notification["mail"]["tags"] = tags
    return notification


def test_what_is_about_no_mail_of_ours_is_let_be(ada: World) -> None:
    identity_feedback = {"notificationType": "Bounce", "bounce": BOUNCE, "mail": {"messageId": "x", "destination": []}}
    others = [
        foreign(ada),
        foreign(ada, campaign=["spring"]),
        foreign(ada, tidings_workspace=["acme"]),
        foreign(ada, tidings_message=["order-7"], tidings_workspace=["acme"]),
        identity_feedback,
        ada.ses.event("Renamed Lately", ada.ses.accepted[0]),
        {"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have subscribed"},
    ]
    assert back(ada, *others) == []
    ada.pump()
    assert timeline(ada) == []
    assert messages(ada)[0]["state"] == "accepted"
    assert ada.items("TABLE_CONSENTS") == []


def test_the_message_by_which_ses_tries_a_new_destination_is_let_be(ada: World) -> None:
    text = "Successfully validated SNS topic for Amazon SES event publishing."
    assert back(ada, json.dumps({"Type": "Notification", "MessageId": "n-1", "Message": text})) == []


def test_a_message_of_another_workspace_is_not_moved(ada: World) -> None:
    notification = ada.ses.event("Bounce", ada.ses.accepted[0], **BOUNCE)
    notification["mail"]["tags"]["tidings_workspace"] = ["other"]
    assert back(ada, notification) == []
    assert messages(ada)[0]["state"] == "accepted"
    assert timeline(ada) == []


# --- poison ----------------------------------------------------------------------------------------------------------


POISON = [
    "no JSON",
    "[]",
    "null",
    "{}",
    '{"Message": "no JSON"}',
    '{"Message": "[]"}',
    '{"Message": "null"}',
    '{"Message": 7}',
    '{"Message": "{}"}',
    '{"Message": "{\\"eventType\\": \\"Send\\"}"}',
    '{"Message": "{\\"eventType\\": \\"Send\\", \\"mail\\": []}"}',
    json.dumps({"Message": "[" * 50_000}),
]


def test_what_nobody_understands_goes_back_to_the_queue_alone(ada: World) -> None:
    (sent,) = ada.ses.accepted
    delivered, opened = ada.ses.event("Delivery", sent, **DELIVERY), ada.ses.event("Open", sent, **OPEN)
    assert back(ada, delivered, *POISON, opened) == [f"q-{number}" for number in range(1, len(POISON) + 1)]
    ada.pump()
    assert sorted(one["event"] for one in timeline(ada)) == ["Email Delivered", "Email Opened"]


@pytest.mark.parametrize("change", [{"timestamp": "soon"}, {"messageId": None}])
def test_an_event_that_lacks_what_every_event_has_goes_back(ada: World, change: dict[str, Any]) -> None:
    notification = ada.ses.event("Send", ada.ses.accepted[0])
    notification["mail"] |= change
    if change.get("messageId", "") is None:
        del notification["mail"]["messageId"]
    assert back(ada, notification) == ["q-0"]


@pytest.mark.parametrize("operation", ["UpdateItem", "TransactWriteItems"])
def test_when_the_database_is_busy_the_notification_comes_again_and_is_taken_once(ada: World, operation: str) -> None:
    notification = ada.ses.event("Complaint", ada.ses.accepted[0], **COMPLAINT)
    struck = []

    def before(call: Call) -> None:
        if not struck and operation in (call.operation, "UpdateItem") and call.operation != "GetItem":
            struck.append(call.operation)
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "x"}}, operation)

    ada.recorder.before = before
    assert back(ada, notification) == ["q-0"]
    assert back(ada, notification) == []
    ada.pump()
    assert len(timeline(ada)) == 1
    assert messages(ada)[0]["state"] == "complained"
    assert counted(ada) == {"sent": 1, "complained": 1}


def test_the_suppression_comes_first_so_that_nobody_is_written_to_between(ada: World) -> None:
    ada.recorder.clear()
    back(ada, ada.ses.event("Bounce", ada.ses.accepted[0], **BOUNCE))
    writes = [call for call in ada.recorder.calls if call.operation not in ("GetItem", "Query", "BatchGetItem")]
    assert "Consents" in str(writes[0].arguments)
    assert "Reports" in str(writes[-1].arguments)


# --- any order, any number of times ----------------------------------------------------------------------------------

WEIGHTS = {
    "accepted": 1, "delayed": 2, "soft": 3, "delivered": 4, "bounced": 5, "rejected": 6, "complained": 7,
}  # fmt: skip
CASES = st.lists(st.sampled_from(KINDS), unique_by=str, min_size=1, max_size=6)
MILESTONES = {
    "Send": "sent", "DeliveryDelay": "delayed", "Delivery": "delivered", "Reject": "rejected",
    "Rendering Failure": "rejected", "Complaint": "complained", "Open": "opened", "Click": "clicked",
}  # fmt: skip


def reached_by(case: tuple[str, dict[str, Any], str, str]) -> str:
    return "soft" if case[1] is SOFT else case[2]


def counts_of(happened: list[tuple[str, dict[str, Any], str, str]]) -> dict[str, int]:
    """What a report must say of one message to which all that happened once."""
    found = {"sent": 1}
    for kind, details, _, _ in happened:
        soft = "soft_bounced" if details is SOFT else "hard_bounced"
        found[MILESTONES.get(kind, soft)] = 1
        if kind in ("Open", "Click"):
            found[f"{kind.lower()}s"] = 1
    return found


@few(25)
@given(data=st.data(), happened=CASES)
def test_in_any_order_and_however_often_repeated_the_message_its_counts_and_its_events_are_the_same(
    world: World, data: st.DataObject, happened: list[tuple[str, dict[str, Any], str, str]]
) -> None:
    user = world.fresh()
    if not world.ses.accepted:
        world.template("tips")
    world.identify(user, email=f"{user}@people.example")
    before = counted(world)
    sent = mail(world, user, user)
    notifications = [world.ses.event(kind, sent, **details) for kind, details, _, _ in happened]
    again = data.draw(st.lists(st.sampled_from(notifications), max_size=3))
    order = data.draw(st.permutations(notifications + again))
    half = data.draw(st.integers(0, len(order)))
    assert back(world, *order[:half]) == back(world, *order[half:]) == []
    world.take_put_off()
    contact = world.contact(user_id=user)["contact"]
    (message,) = world.of_contact(contact, "messages")
    reached = max(("accepted", *map(reached_by, happened)), key=WEIGHTS.__getitem__)
    assert message["state"] == ("bounced" if reached == "soft" else reached)
    told = [one["event"] for one in world.of_contact(contact, "events") if one["type"] == "system"]
    assert sorted(told) == sorted(name for _, _, _, name in happened)
    after = counted(world)
    assert {name: n - before.get(name, 0) for name, n in after.items() if n != before.get(name, 0)} == counts_of(
        happened
    )


@pytest.mark.parametrize("source", ["Acme <hello@acme.example>", "news@mail.acme.example"])
def test_what_is_told_of_an_identity_alone_suppresses_where_that_sends(ada: World, source: str) -> None:
    status, _ = ada.call("senders", "PUT /v1/senders/{identity}", path={"identity": "acme.example"})
    assert status in (200, 201)
    told = {
        "notificationType": "Bounce",
        "bounce": {**BOUNCE, "timestamp": "2026-11-21T09:00:05.000Z"},
        "mail": {
            "timestamp": "2026-11-21T09:00:00.000Z",
            "messageId": "ses-of-another-system",
            "source": source,
            "destination": ["ada@people.example"],
        },
    }
    nobodys = {**told, "mail": {**told["mail"], "source": "hello@nobody.example"}}
    assert back(ada, nobodys, told, told) == []
    for key, suppressed in (("secret", True), (ada.other_secret, False)):
        body = {"address": "ada@people.example"}
        _, answer = ada.call("check_suppression", "POST /v1/suppressions/check", body, key=key)
        assert answer["suppressed"] is suppressed
    assert messages(ada)[0]["state"] == "accepted"


def test_a_mail_that_is_reported_in_both_flavours_is_one(ada: World) -> None:
    (sent,) = ada.ses.accepted
    ours = ada.ses.event("Bounce", sent, **BOUNCE)
    (message,) = messages(ada)
    theirs = ada.ses.event("Bounce", sent, **BOUNCE, remoteMtaIp="127.0.2.0")
    theirs["notificationType"] = theirs.pop("eventType")
    del theirs["mail"]["tags"]
    theirs["mail"]["headers"] = [
        {"name": one["Name"], "value": one["Value"]} for one in sent["Content"]["Simple"]["Headers"]
    ]
    assert back(ada, theirs, ours, theirs) == []
    ada.pump()
    assert [one["event"] for one in timeline(ada)] == ["Email Bounced"]
    assert counted(ada) == {"sent": 1, "hard_bounced": 1}
    assert messages(ada)[0]["message"] == message["message"]


def test_a_message_that_ended_as_unknown_and_is_heard_of_later_is_counted_as_sent(ada: World) -> None:
    ada.identify("bob", email="bob@people.example")
    ada.ses.failing = ["timeout"]
    body = {"to": {"user_id": "bob"}, "template": "tips", "kind": "transactional", "idempotency_key": "k-2"}
    ada.call("send_email", "POST /v1/emails", body)
    ada.now += timedelta(minutes=5)
    ada.invoke("settle_messages", {})
    assert counted(ada) == {"sent": 1, "unknown": 1}
    ada.feedback(ada.ses.event("Delivery", ada.ses.accepted[-1], **DELIVERY))
    assert counted(ada) == {"sent": 2, "delivered": 1}
    (message,) = ada.of_contact(ada.contact(user_id="bob")["contact"], "messages")
    assert message["state"] == "delivered"


def test_what_happens_to_an_erased_person_s_mail_is_told_and_counted_nowhere(ada: World) -> None:
    (sent,) = ada.ses.accepted
    ada.erase(ada.contact(user_id="ada")["contact"])
    before = counted(ada)
    for kind, details in (("Delivery", DELIVERY), ("Open", OPEN), ("Click", CLICK)):
        ada.feedback(ada.ses.event(kind, sent, **details))
    assert counted(ada) == before
    assert "203.0.113.4" not in str([ada.items(table) for table in ("TABLE_EVENTS", "TABLE_MESSAGES")])
