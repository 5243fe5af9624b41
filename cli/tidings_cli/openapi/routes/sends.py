"""Sending mails through the API: one, many, later and again."""

from __future__ import annotations

from tidings.email.requests import SendRequest
from tidings.email.resending import ResendRequest
from tidings_cli.openapi.answers import sends as shapes
from tidings_cli.openapi.answers.contacts import MessageShown
from tidings_cli.openapi.routes.route import PAGE, WRITES, Body, Route

_SEND = ("unknown_send",)
_FILES = ("invalid_attachment", "attachment_type_refused", "attachments_too_large")
_SENDING = (
    *WRITES, *_FILES, "unknown_contact", "invalid_request", "idempotency_conflict", "person_erased",
    "provider_throttled", "send_unsettled", "message_contended",
)  # fmt: skip
_QUEUES = ("queue_failed", "start_failed", "start_throttled")

SENDS = (
    Route(
        "POST", "/v1/emails", "sendEmail", "Send one mail, or many, now or at a date, each at most once",
        {"anyOf": [{"$ref": "#/components/schemas/MessageShown"}, {"$ref": "#/components/schemas/SendShown"}]},
        status=202,
        about="One recipient now is answered with the message; `recipients` or `at` with a send that is worked off"
        " later. The same idempotency key again is the same message or send, and nothing is sent again.",
        body=Body(SendRequest, "send_email.api"),
        refusals=(
            *_SENDING, *_QUEUES, "unknown_template", "invalid_email", "template_failed", "contact_contended",
            "variables_too_large", "invalid_at",
        ),
    ),
    Route(
        "POST", "/v1/messages/{message}/resend", "resendMessage", "Send a message again, as a new one", MessageShown,
        status=202, about="It is checked anew, and goes to the address that the contact has now.",
        body=Body(ResendRequest, "send_email.api.resend"),
        refusals=(
            *_SENDING, "unknown_message", "message_erased", "message_not_settled", "attachments_missing",
        ),
    ),
    Route("GET", "/v1/sends", "listSends", "List sends, latest first", shapes.Sends, query=PAGE, example="sends.api"),
    Route(
        "GET", "/v1/sends/{send}", "getSend", "Show a send and how far it is", shapes.SendCounted, refusals=_SEND,
    ),
    Route(
        "GET", "/v1/sends/{send}/problems", "listSendProblems", "List whom the mail of a send did not go to, and why",
        shapes.Problems, query=PAGE, refusals=_SEND,
    ),
    Route(
        "DELETE", "/v1/sends/{send}", "cancelSend", "Cancel a send", shapes.SendShown,
        about="One that waits sends nothing; of one that is under way the rest is not sent.",
        refusals=(*WRITES, *_SEND, "send_done"),
    ),
    Route(
        "POST", "/v1/sends/{send}/resume", "resumeSend", "Go on with a send that lost its execution or messages",
        shapes.SendShown, status=202, refusals=(*WRITES, *_SEND, *_QUEUES),
    ),
)  # fmt: skip
