"""Feedback that SNS delivers by HTTPS: what is genuine is taken as all other feedback, all else changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.sns import SUBSCRIBE_URL, TOPIC, URL, Web, certificate, message, signed, strangers_key
from tests.support.world import World

ROUTE = "POST /v1/webhooks/ses"


@pytest.fixture
def web(world: World, monkeypatch: pytest.MonkeyPatch) -> Web:
    """The certificate and the confirming address of SNS, and nothing else."""
    found = Web({URL: certificate(), SUBSCRIBE_URL: b"<ConfirmSubscriptionResponse/>"})
    monkeypatch.setattr("tidings.email.webhook.HttpsFetcher.get", lambda _, url: found.get(url))
    return found


def post(world: World, told: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    status, answer = world.call("ses_webhook", ROUTE, told, None, headers=headers)
    return status, answer


def told_of(world: World, kind: str, version: str = "2", **details: Any) -> dict[str, Any]:
    event = world.ses.event(kind, world.ses.accepted[0], **details)
    return signed(message(version=version, Message=json.dumps(event)))


@pytest.fixture
def ada(world: World) -> World:
    world.template("tips")
    world.identify("ada", email="ada@people.example")
    body = {"to": {"user_id": "ada"}, "template": "tips", "kind": "transactional", "idempotency_key": "k-1"}
    assert world.call("send_email", "POST /v1/emails", body)[0] == 202
    return world


@pytest.mark.parametrize("version", ["1", "2"])
def test_what_is_genuine_goes_the_way_of_all_feedback(ada: World, web: Web, version: str) -> None:
    told = told_of(ada, "Delivery", version)
    assert post(ada, told, **{"x-amz-sns-message-type": "Notification"}) == (200, {"result": "taken"})
    ada.take_put_off()
    (mail,) = ada.of_contact(ada.contact(user_id="ada")["contact"], "messages")
    assert mail["state"] == "delivered"


def test_a_message_that_comes_again_has_no_further_effect(ada: World, web: Web) -> None:
    told = told_of(ada, "Open", ipAddress="203.0.113.4", userAgent="Mail (phone)")
    for _ in range(3):
        assert post(ada, told)[0] == 200
    ada.take_put_off()
    ada.pump()
    events = ada.of_contact(ada.contact(user_id="ada")["contact"], "events")
    assert [one["event"] for one in events if one["type"] == "system"] == ["Email Opened"]


def test_nothing_but_the_message_goes_on(ada: World, web: Web) -> None:
    told = told_of(ada, "Click", link="https://acme.example")
    assert post(ada, {**told, "PutOff": True, "more": "x"})[0] == 200
    (body,) = ada.messages_in("feedback")
    assert set(body) == {"Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp"}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"Message": "forged"}, 403, "invalid_signature"),
        ({"Signature": signed(message(), strangers_key())["Signature"]}, 403, "invalid_signature"),
        ({"TopicArn": f"{TOPIC}-of-others"}, 403, "topic_not_allowed"),
        ({"SigningCertURL": "https://evil.example/a.pem"}, 403, "untrusted_certificate_url"),
        ({"Timestamp": "2026-11-19T09:00:00.000Z"}, 403, "stale_notification"),
        ({"Timestamp": "soon"}, 400, "invalid_timestamp"),
        ({"SignatureVersion": "3"}, 400, "unknown_signature_version"),
        ({"Type": "Order"}, 400, "unknown_notification_type"),
        ({"MessageId": None}, 400, "missing_field"),
        ({"MessageId": 7}, 400, "invalid_type"),
        ({"Message": "\ud800"}, 400, "invalid_text"),
    ],
)
def test_what_is_not_genuine_is_refused_and_changes_nothing(
    world: World, web: Web, change: dict[str, Any], status: int, code: str
) -> None:
    answered, body = post(world, {**signed(message()), **change})
    assert (answered, body["code"]) == (status, code)
    assert world.messages_in("feedback") == []


@pytest.mark.parametrize("body", ["", "no JSON", "[]", "null", '"text"'])
def test_what_is_no_json_object_is_refused(world: World, web: Web, body: str) -> None:
    assert post(world, body)[0] == 400
    assert web.asked == []


def test_the_header_has_to_agree(world: World, web: Web) -> None:
    status, body = post(world, signed(message()), **{"x-amz-sns-message-type": "SubscriptionConfirmation"})
    assert (status, body["code"]) == (400, "unknown_notification_type")
    assert world.messages_in("feedback") == []


def test_a_subscription_of_an_allowed_topic_is_confirmed(world: World, web: Web) -> None:
    assert post(world, signed(message("SubscriptionConfirmation"))) == (200, {"result": "confirmed"})
    assert web.asked == [URL, SUBSCRIBE_URL]
    assert world.messages_in("feedback") == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"TopicArn": f"{TOPIC}-of-others"}, "topic_not_allowed"),
        ({"SubscribeURL": "https://evil.example/?Action=ConfirmSubscription"}, "untrusted_subscribe_url"),
        ({"SubscribeURL": SUBSCRIBE_URL.replace("ConfirmSubscription", "Publish")}, "untrusted_subscribe_url"),
    ],
)
def test_no_other_is_confirmed_though_it_be_signed(world: World, web: Web, change: dict[str, str], code: str) -> None:
    status, body = post(world, signed(message("SubscriptionConfirmation", **change)))
    assert (status, body["code"]) == (403, code)
    assert [url for url in web.asked if url != URL] == []


def test_the_end_of_a_subscription_is_noted(world: World, web: Web) -> None:
    assert post(world, signed(message("UnsubscribeConfirmation"))) == (200, {"result": "noted"})
    assert web.asked == [URL]  # its SubscribeURL would subscribe again


def test_where_sns_cannot_be_reached_it_is_to_deliver_again(world: World, web: Web) -> None:
    web.pages.clear()
    status, body = post(world, signed(message()))
    assert (status, body["code"]) == (503, "sns_unreachable")


def test_where_the_queue_takes_nothing_sns_is_to_deliver_again(world: World, web: Web) -> None:
    def busy(arguments: dict[str, Any]) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "x"}}, "SendMessage")

    world.recorder.doubles["sqs:SendMessage"] = busy
    status, body = post(world, signed(message()))
    assert (status, body["code"]) == (503, "queue_failed")
