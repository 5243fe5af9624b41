"""Phone numbers that texts leave from and are answered on, and the words that people answer."""

from __future__ import annotations

from tidings_cli.openapi.answers import numbers as shapes
from tidings_cli.openapi.routes.route import WRITES, Body, Route

_AWS = ("sms_refused", "sms_throttled", "sms_failed")

NUMBERS = (
    Route(
        "GET", "/v1/numbers", "listNumbers", "List the workspace's phone numbers", shapes.Numbers,
        about="As they were when each was added last; AWS is not asked.", refusals=("unknown_workspace",),
    ),
    Route(
        "GET", "/v1/numbers/{number}", "getNumber", "Show a phone number, and what is to be done about it",
        shapes.NumberLooked, about="AWS is asked; what it says is told, and not kept.",
        refusals=(*_AWS, "invalid_number", "unknown_number", "unknown_workspace"),
    ),
    Route(
        "PUT", "/v1/numbers/{number}", "addNumber", "Take a phone number of the account for the workspace",
        shapes.NumberLooked, about="What AWS says of it is kept. The same again reads it anew.",
        body=Body(shapes.NumberOrder, "numbers.api", required=False),
        refusals=(
            *WRITES, *_AWS, "invalid_number", "invalid_number_setup", "unknown_number", "number_taken",
            "too_many_numbers", "unknown_workspace", "sms_contended",
        ),
    ),
    Route(
        "DELETE", "/v1/numbers/{number}", "removeNumber", "Send nothing more from a number, and take no answer to it",
        shapes.Removed, about="AWS keeps it as it is.",
        refusals=(*WRITES, "invalid_number", "unknown_number", "unknown_workspace", "sms_contended"),
    ),
)  # fmt: skip

KEYWORDS = (
    Route(
        "GET", "/v1/keywords", "listKeywords", "List the words that people may answer", shapes.Keywords,
        refusals=("unknown_workspace",),
    ),
    Route(
        "GET", "/v1/keywords/{keyword}", "getKeyword", "Show a keyword", shapes.KeywordShown,
        refusals=("unknown_keyword", "unknown_workspace"),
    ),
    Route(
        "PUT", "/v1/keywords/{keyword}", "defineKeyword", "Define words that people answer, and what is sent back",
        shapes.KeywordShown, about="What comes in is held against it within a minute.",
        body=Body(shapes.KeywordOrder, "numbers.api.keyword"),
        refusals=(
            *WRITES, "invalid_keyword", "keyword_taken", "too_many_keywords", "invalid_number", "unknown_number",
            "unknown_workspace", "sms_contended",
        ),
    ),
    Route(
        "DELETE", "/v1/keywords/{keyword}", "forgetKeyword", "Take a keyword away", shapes.Removed,
        refusals=(*WRITES, "unknown_keyword", "unknown_workspace", "sms_contended"),
    ),
)  # fmt: skip
