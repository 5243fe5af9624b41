"""Woken by POST /v1/webhooks/ses: feedback from SNS topics that are subscribed by HTTPS. It asks for no key."""

from __future__ import annotations

from typing import Any

from tidings.automations.machines.gateway import QueueGateway
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.sns import Certificates, Verifier
from tidings.email.webhook import FeedbackWebhook, HttpsFetcher, topics_of

BODY_BYTES = 300 * 1024  # SNS publishes at most 256 KB

settings = Settings.read()
fetcher = HttpsFetcher()
webhook = FeedbackWebhook(
    Verifier(Certificates(fetcher), topics_of(settings.require("FEEDBACK_TOPIC_ARNS")), SystemClock()),
    fetcher,
    QueueGateway(settings.require("QUEUE_FEEDBACK_URL")),
)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Take a notification that SNS signed; what is refused changes nothing."""
    request = http.Request.of(event)
    done = webhook.take(request.json(BODY_BYTES), request.headers.get("x-amz-sns-message-type", ""))
    return http.ok({"result": done})
