"""Sending text messages through the API, and seeing one before."""

from __future__ import annotations

from tidings.sms.requests import SmsPreviewRequest, SmsRequest
from tidings_cli.openapi.answers import texts as shapes
from tidings_cli.openapi.answers.contacts import MessageShown
from tidings_cli.openapi.routes.route import WRITES, Body, Route

_ASKING = (
    *WRITES, "invalid_request", "unknown_contact", "unknown_template", "wrong_channel", "invalid_template",
    "invalid_phone", "template_failed",
)  # fmt: skip

TEXTS = (
    Route(
        "POST", "/v1/sms", "sendSms", "Send one text message, at most once",
        {"anyOf": [{"$ref": "#/components/schemas/MessageShown"}, {"$ref": "#/components/schemas/SmsTried"}]},
        status=202,
        also=(MessageShown, shapes.SmsTried),
        about="A template or a text of its own, in Liquid. The same idempotency key again is the same message. A"
        " `dry_run` answers with what would become of it, and the text with its parts; nothing is sent.",
        body=Body(SmsRequest, "send_sms.api"),
        refusals=(
            *_ASKING, "person_erased", "idempotency_conflict", "provider_throttled", "send_unsettled",
            "message_contended", "contact_contended", "variables_too_large",
        ),
    ),
    Route(
        "POST", "/v1/sms/preview", "previewSms", "Show a text message as a phone would", shapes.SmsPreview,
        about="Its parts and encoding, what forces Unicode, and what `gsm7` would make of it, for nobody, a contact or"
        " made-up data.",
        body=Body(SmsPreviewRequest, "send_sms.api.preview"),
        refusals=(*_ASKING, "person_erased", "invalid_type"),
    ),
)  # fmt: skip
