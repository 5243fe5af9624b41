"""Reports, and why somebody got something or not."""

from __future__ import annotations

from tidings.messages.listing import PROBLEMS
from tidings.messages.model import State
from tidings.messages.reporting import BY, DAYS, MOST_DAYS, SOURCES
from tidings_cli.openapi.answers import reports as shapes
from tidings_cli.openapi.routes.route import AT, PAGE, Query, Route

_DAY = {"type": "string", "format": "date"}
_ABOUT_MAILS = (
    Query("from", f"The first day (UTC); by default {DAYS} days up to the last. At most {MOST_DAYS} days.", _DAY),
    Query("to", "The last day (UTC), by default today.", _DAY),
    Query("template", "Only this template."),
    Query("automation", "Only what this automation sent."),
    Query("send", "Only this order to many."),
    Query("source", "Only what such a thing ordered.", {"type": "string", "enum": list(SOURCES)}),
    Query("kind", "Only such mails.", {"type": "string", "enum": ["marketing", "transactional"]}),
)
_FORMAT = Query(
    "format", "`csv` for a file, which `Accept: text/csv` asks for too.", {"type": "string", "enum": ["json", "csv"]}
)
_REFUSALS = ("invalid_period", "unknown_source", "unknown_message_kind", "unknown_format")
_WANTED = (
    Query("template", "Only this template."),
    Query("automation", "Only this automation."),
    Query("send", "Only this order to many."),
    Query("message", "Only this message."),
    AT,
)

_ONE_BY_ONE = (
    *_ABOUT_MAILS,
    Query("state", "Only in this state.", {"type": "string", "enum": list(State)}),
    Query("problem", "Only with this problem.", {"type": "string", "enum": list(PROBLEMS)}),
    Query("address", "Only what was meant for this address."),
    _FORMAT, *PAGE,
)  # fmt: skip
_NO_MESSAGES = ("invalid_state", "unknown_problem", "invalid_address", "too_many_sources")

REPORTS = (
    Route(
        "GET", "/v1/reports/email", "reportEmail", "Count mails and what became of them", shapes.Report,
        about="A mail counts on the day on which it was decided, and so does all that became of it later.",
        query=(
            *_ABOUT_MAILS,
            Query("by", f"Some of {', '.join(BY)}, with commas between; `template` if left out."),
            _FORMAT, *PAGE,
        ),
        refusals=(*_REFUSALS, "unknown_grouping"), example="reports.api", sheet=True,
    ),
    Route(
        "GET", "/v1/reports/email/messages", "listReportedMessages", "List mails with what became of each, and why",
        shapes.ReportedMessages,
        about="With filters a page may be short and still have a next one. A mail's day is that of the last attempt.",
        query=_ONE_BY_ONE, refusals=(*_REFUSALS, *_NO_MESSAGES), sheet=True,
    ),
    Route(
        "GET", "/v1/reports/sms", "reportSms", "Count text messages, what became of them and what they cost",
        shapes.TextReport,
        about="A message counts on the day on which it was decided, and so does all that became of it later. Money is "
        "in millionths of a US dollar.",
        query=(
            *_ABOUT_MAILS,
            Query("by", f"Some of {', '.join(BY)}, with commas between; `template` if left out."),
            _FORMAT, *PAGE,
        ),
        refusals=(*_REFUSALS, "unknown_grouping"), sheet=True,
    ),
    Route(
        "GET", "/v1/reports/sms/messages", "listReportedTexts", "List text messages with what became of each, and why",
        shapes.ReportedTexts,
        about="With filters a page may be short and still have a next one. A message's day is its last attempt's.",
        query=_ONE_BY_ONE, refusals=(*_REFUSALS, *_NO_MESSAGES), sheet=True,
    ),
)  # fmt: skip

WHY = (
    Route(
        "GET", "/v1/why", "explainWhy", "Explain why a person got a mail, or did not", shapes.Account,
        about="Exactly one of contact, user_id, anonymous_id and email is given. What was decided is told; where "
        "nothing was, what is known of the person's ways through automations is.",
        query=(
            Query("contact", "The contact's id."),
            Query("user_id", "Your own id of the person."),
            Query("anonymous_id", "An id from before you knew them."),
            Query("email", "An e-mail address; of several who share it, the oldest is meant."),
            *_WANTED,
        ),
        refusals=("invalid_identity", "invalid_email", "id_too_long", "invalid_timestamp"),
        example="why.api",
    ),
    Route(
        "GET", "/v1/contacts/{contact}/decisions", "listDecisions",
        "List what was decided about a contact's messages, sent or not", shapes.DecisionPage,
        query=(*_WANTED, *PAGE), refusals=("unknown_contact", "invalid_timestamp"),
    ),
)  # fmt: skip
