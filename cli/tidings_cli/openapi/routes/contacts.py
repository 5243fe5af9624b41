"""Contacts and messages."""

from __future__ import annotations

from tidings.activity.asking import EVENT_TYPES
from tidings.contacts.search import PEOPLE
from tidings_cli.openapi.answers import contacts as shapes
from tidings_cli.openapi.answers import privacy
from tidings_cli.openapi.answers.conversations import Conversations
from tidings_cli.openapi.routes.route import AT, PAGE, WRITES, Body, Key, Query, Route

_CONTACT = ("unknown_contact",)

ROUTES = (
    Route(
        "GET", "/v1/contacts", "findContacts", "Find contacts, or list all", shapes.FoundContacts, key=Key.OF_AGENTS,
        about="At most one of the ids, the message or the name is given. Who had a shared address first comes first.",
        query=(
            Query("user_id", "Your own id of the person."),
            Query("anonymous_id", "An id from before you knew them."),
            Query("email", "An e-mail address."),
            Query("phone", "A phone number."),
            Query("external_id", "An id in another system, whose name is `external_type`."),
            Query("external_type", "The other system."),
            Query("message", "The id of a message that they were sent."),
            Query("name", "Words of a name, or how they begin: at least two letters."),
            Query("channel", "Only who can be reached on it.", {"type": "string", "enum": ["email", "sms"]}),
            Query(
                "kind", "Only those of whom more, or no more, is known than what browsers call them.",
                {"type": "string", "enum": list(PEOPLE)},
            ),
            *PAGE,
        ),
        refusals=(
            "unknown_parameter", "invalid_identity", "invalid_email", "invalid_phone", "id_too_long", "query_too_short",
            "unknown_channel", "unknown_kind", "unknown_workspace",
        ),
        example="contacts.api",
    ),
    Route("GET", "/v1/contacts/counts", "countPeople", "Count people", shapes.PeopleCounted, key=Key.OF_AGENTS),
    Route(
        "GET", "/v1/contacts/{contact}", "getContact", "Show a contact", shapes.ContactShown,
        key=Key.OF_AGENTS, refusals=_CONTACT,
    ),
    Route(
        "PATCH", "/v1/contacts/{contact}", "editContact", "Edit a contact", shapes.ContactShown,
        about="An event tells of it in the same write. The same idempotency key again changes nothing.",
        body=Body(shapes.EditOrder, "change_contacts.api"), example="change_contacts.api",
        refusals=(
            *WRITES, *_CONTACT, "invalid_request", "missing_field", "invalid_email", "invalid_phone", "id_too_long",
            "traits_too_large", "too_many_traits", "blocked_user_id", "user_id_fixed", "user_id_taken",
            "invalid_idempotency_key", "idempotency_conflict", "contact_contended", "unknown_workspace",
        ),
    ),
    Route(
        "DELETE", "/v1/contacts/{contact}", "deleteContact", "Delete a contact", shapes.Deleted, status=202,
        about="What they did and got is cleared within moments. Whoever comes back is somebody new.",
        refusals=(*WRITES, *_CONTACT, "contact_contended", "queue_failed", "unknown_workspace"),
    ),
    Route(
        "POST", "/v1/contacts/delete", "deleteContacts", "Delete contacts that were selected", shapes.DeletedSelection,
        status=202, body=Body(shapes.DeleteOrder),
        refusals=(*WRITES, "invalid_selection", "contact_contended", "queue_failed", "unknown_workspace"),
    ),
    Route(
        "GET", "/v1/contacts/{contact}/timeline", "getTimeline", "Show what happened, latest first", shapes.Timeline,
        key=Key.OF_AGENTS,
        about="With filters a page may be short and still have a next one.",
        query=(
            Query("type", f"Some of {', '.join(EVENT_TYPES)}, with commas between."),
            Query("event", "The name of events."),
            Query("channel", "Only what became of messages on it.", {"type": "string", "enum": ["email", "sms"]}),
            Query("since", "Received at this time (ISO 8601) or later."),
            Query("until", "Received before this time (ISO 8601)."),
            *PAGE,
        ),
        refusals=(*_CONTACT, "unknown_type", "unknown_channel", "invalid_timestamp"),
    ),
    Route(
        "GET", "/v1/contacts/{contact}/messages", "listContactMessages",
        "List what was sent to a contact, and what was not, with the decision behind it", shapes.MessagePage,
        key=Key.OF_AGENTS, query=PAGE, refusals=_CONTACT,
    ),
    Route(
        "GET", "/v1/contacts/{contact}/conversations", "listContactConversations",
        "List a contact's conversations, latest first", Conversations, key=Key.OF_AGENTS, query=PAGE, refusals=_CONTACT,
    ),
    Route(
        "GET", "/v1/contacts/{contact}/enrolments", "listContactEnrolments",
        "List the automations that a contact entered, with each step", shapes.ContactEnrolments, key=Key.OF_AGENTS,
        query=(AT, *PAGE), refusals=(*_CONTACT, "invalid_timestamp"),
    ),
    Route(
        "GET", "/v1/contacts/{contact}/export", "exportContact", "Export everything that is known of a person",
        privacy.Export, query=(Query("cursor", "The `cursor` of the page before."),),
        about="Of conversations there are whole mails among the items, as they came: `mail` has the `content` of a"
        " `message/rfc822`, and `encoding` says `utf-8`, or `base64` where it is no text.",
        refusals=(*_CONTACT, "unknown_workspace"), example="export.api",
    ),
    Route(
        "POST", "/v1/contacts/{contact}/erase", "eraseContact", "Erase a person, who is never written to again",
        privacy.Erasure, status=202, body=Body(privacy.EraseOrder, "erase.api"),
        about="What they did and got is cleared within moments. A repeat changes nothing.",
        refusals=(*WRITES, *_CONTACT, "confirm_mismatch", "contact_contended", "queue_failed", "unknown_workspace"),
    ),
    Route(
        "GET", "/v1/conflicts", "listConflicts", "List forms that matched two contacts", shapes.Conflicts, query=PAGE,
    ),
    Route(
        "DELETE", "/v1/conflicts/{conflict}", "resolveConflict", "Take a form that matched two contacts off the list",
        shapes.Resolved, refusals=(*WRITES, "unknown_conflict"),
    ),
    Route(
        "GET", "/v1/messages", "listMessages", "List the messages of which nobody knows whether they were sent",
        shapes.MessagePage, key=Key.OF_AGENTS,
        query=(Query("state", "Only `unknown` can be listed.", {"type": "string", "enum": ["unknown"]}, True), *PAGE),
        refusals=("invalid_state",),
    ),
    Route(
        "GET", "/v1/messages/{message}", "getMessage", "Show a message with the decision behind it",
        shapes.MessageShown, key=Key.OF_AGENTS, query=(AT,),
        refusals=("unknown_message", "invalid_timestamp", "not_yet"),
        example="messages.api",
    ),
    Route(
        "GET", "/v1/messages/{message}/clicks", "listClicks", "List who followed the links of a message",
        shapes.Clicks, key=Key.OF_AGENTS, refusals=("unknown_message",),
        about="Of the first 1,000 events that the message led to. A click of seconds ago may not be there yet.",
    ),
)  # fmt: skip
