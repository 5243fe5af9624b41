"""Contacts and messages."""

from __future__ import annotations

from tidings.email.api import SendRequest
from tidings_cli.openapi.answers import contacts as shapes
from tidings_cli.openapi.routes.route import PAGE, WRITES, Body, Query, Route

_CONTACT = ("unknown_contact",)

ROUTES = (
    Route(
        "GET", "/v1/contacts", "findContact", "Find a contact by one of its ids", shapes.ContactShown,
        about="Exactly one of the ids is given. Of several contacts with one e-mail address the oldest answers.",
        query=(
            Query("user_id", "Your own id of the person."),
            Query("anonymous_id", "An id from before you knew them."),
            Query("email", "An e-mail address."),
        ),
        refusals=(*_CONTACT, "invalid_identity", "invalid_email", "id_too_long"), example="contacts.api",
    ),
    Route(
        "GET", "/v1/contacts/{contact}", "getContact", "Show a contact", shapes.ContactShown, refusals=_CONTACT,
    ),
    Route(
        "GET", "/v1/contacts/{contact}/timeline", "getTimeline", "Show what happened, latest first", shapes.Timeline,
        query=PAGE, refusals=_CONTACT,
    ),
    Route(
        "GET", "/v1/contacts/{contact}/messages", "listContactMessages",
        "List what was sent to a contact, and what was not, with the decision behind it", shapes.Messages,
        refusals=_CONTACT,
    ),
    Route(
        "GET", "/v1/contacts/{contact}/enrolments", "listContactEnrolments",
        "List the automations that a contact entered, with each step", shapes.ContactEnrolments, refusals=_CONTACT,
    ),
    Route(
        "GET", "/v1/conflicts", "listConflicts", "List forms that matched two contacts", shapes.Conflicts, query=PAGE,
    ),
    Route(
        "DELETE", "/v1/conflicts/{conflict}", "resolveConflict", "Take a form that matched two contacts off the list",
        shapes.Resolved, refusals=(*WRITES, "unknown_conflict"),
    ),
    Route(
        "POST", "/v1/emails", "sendEmail", "Send one mail, at most once", shapes.MessageShown, status=202,
        about="The same idempotency key again is the same message, which is not sent again.",
        body=Body(SendRequest, "send_email.api"),
        refusals=(
            *WRITES, *_CONTACT, "unknown_template", "invalid_request", "invalid_email",
            "template_failed", "idempotency_conflict", "provider_throttled", "send_unsettled", "message_contended",
            "contact_contended",
        ),
    ),
    Route(
        "GET", "/v1/messages", "listMessages", "List the messages of which nobody knows whether they were sent",
        shapes.Messages,
        query=(Query("state", "Only `unknown` can be listed.", {"type": "string", "enum": ["unknown"]}, True),),
        refusals=("invalid_state",),
    ),
    Route(
        "GET", "/v1/messages/{message}", "getMessage", "Show a message with the decision behind it",
        shapes.MessageShown, refusals=("unknown_message",), example="messages.api",
    ),
)  # fmt: skip
