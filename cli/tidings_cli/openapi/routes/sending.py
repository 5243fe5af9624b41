"""Whether marketing may be sent, and what Amazon SNS tells."""

from __future__ import annotations

from tidings_cli.openapi.answers import sending as shapes
from tidings_cli.openapi.routes.route import Body, Key, Route

_SNS = (
    *("unknown_notification_type", "missing_field", "topic_not_allowed", "stale_notification", "invalid_timestamp"),
    *("untrusted_certificate_url", "untrusted_subscribe_url", "unknown_signature_version", "invalid_signature"),
    *("invalid_certificate", "sns_unreachable", "queue_failed"),
)

SENDING = (
    Route(
        "GET", "/v1/sending", "getSending", "Show whether marketing may be sent, and by which rates",
        shapes.Sending, refusals=("unknown_workspace",), example="sending.api",
    ),
    Route(
        "POST", "/v1/sending/resume", "resumeSending", "Let marketing go on that was stopped",
        shapes.Sending, about="What was counted until now is not held against it again. Takes no body.",
        refusals=("unknown_workspace", "write_conflict"),
    ),
)  # fmt: skip
WEBHOOKS = (
    Route(
        "POST", "/v1/webhooks/ses", "takeFeedback", "Take feedback of SES that Amazon SNS delivers",
        shapes.Taken, key=Key.NONE,
        about="The body is a message of Amazon SNS with its signature, version 1 or 2, of a topic that is allowed.",
        body=Body(shapes.SnsMessage, "ses_webhook.api"), refusals=_SNS,
    ),
)  # fmt: skip
