"""Names that text messages leave from, and what an owner says of text messages."""

from __future__ import annotations

from tidings_cli.openapi.answers import sender_ids as shapes
from tidings_cli.openapi.routes.route import PAGE, WRITES, Body, Route

_KNOWN = ("unknown_sender_id",)
_MACHINE = ("start_failed", "describe_failed", "answer_failed")
_CHANGES = (*WRITES, *_MACHINE, "sender_id_contended")

SENDER_IDS = (
    Route(
        "GET", "/v1/sender-ids", "listSenderIds", "List the names that texts may leave from", shapes.SenderIds,
    ),
    Route(
        "POST", "/v1/sender-ids", "requestSenderId", "Ask for a name in some countries", shapes.SenderIdShown,
        about="It waits for staff to verify it, then for the workspace's administrator to accept it; then AWS is "
        "asked. The same again changes nothing. For a name that is active it asks for more countries.",
        body=Body(shapes.SenderIdOrder, "sender_ids.api"),
        refusals=(
            *_CHANGES, "unknown_field", "missing_field", "invalid_sender_id", "invalid_countries", "invalid_country",
            "country_without_names", "sender_id_requested", "sender_id_leaving", "sender_id_taken",
            "too_many_sender_ids", "unknown_workspace",
        ),
    ),
    Route(
        "GET", "/v1/sender-ids/{sender_id}", "getSenderId", "Show a name, and what became of it in each country",
        shapes.SenderIdShown, refusals=_KNOWN,
    ),
    Route(
        "GET", "/v1/sender-ids/{sender_id}/log", "listSenderIdLog", "List what changed in a name, latest first",
        shapes.SenderIdLog, query=PAGE, refusals=_KNOWN,
    ),
    Route(
        "POST", "/v1/sender-ids/{sender_id}/{decision}", "decideSenderId", "Verify, accept or reject a name",
        shapes.SenderIdShown,
        about="Staff verifies or rejects what is requested, the administrator accepts or rejects what is verified: "
        "the key's role says who calls. A repeat by the same key changes nothing.",
        body=Body(shapes.Decision, "sender_ids.api.reject", required=False),
        refusals=(*_CHANGES, *_KNOWN, "unknown_field", "missing_field", "sender_id_decided"),
    ),
    Route(
        "DELETE", "/v1/sender-ids/{sender_id}", "retireSenderId", "Send nothing more from a name",
        shapes.SenderIdShown, about="For keys of staff and administrators. AWS is told where it was asked for here.",
        refusals=(*_CHANGES, *_KNOWN, "unknown_workspace"),
    ),
)  # fmt: skip

SETUP = (
    Route(
        "GET", "/v1/sms/setup", "getSmsSetup", "Show what texts may leave from, and where", shapes.SmsSetup,
        refusals=("unknown_workspace",),
    ),
    Route(
        "PUT", "/v1/sms/setup", "putSmsSetup", "Change the plan, countries, price, lifetime or addresses of texts",
        shapes.SmsSetup, about="Null takes a setting away; what is left out stays.",
        body=Body(shapes.SmsSetupOrder, "sender_ids.api.setup"),
        refusals=(
            *WRITES, "unknown_workspace", "unknown_setting", "unknown_field", "invalid_plan", "invalid_country",
            "invalid_country_rule", "invalid_price", "invalid_lifetime", "invalid_short_url", "invalid_review",
            "setup_contended",
        ),
    ),
    Route(
        "GET", "/v1/sms/setup/log", "listSmsSetupLog", "List who changed what in the setup, latest first",
        shapes.SmsSetupLog, query=PAGE,
    ),
    Route(
        "GET", "/v1/sms/countries", "listSmsCountries", "List what texts may do in each country",
        shapes.CountriesShown, refusals=("unknown_workspace",),
    ),
)  # fmt: skip
