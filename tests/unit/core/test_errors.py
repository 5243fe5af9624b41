"""Errors on the wire: JSON with code and message, the field where one is wrong, and the status of their kind."""

from __future__ import annotations

import json

import pytest

from tidings.core import http
from tidings.core.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Throttled,
    TidingsError,
    Unauthorized,
    Unavailable,
)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (TidingsError, 500),
        (InvalidInput, 400),
        (Unauthorized, 401),
        (Forbidden, 403),
        (NotFound, 404),
        (Conflict, 409),
        (Throttled, 429),
        (Unavailable, 503),
    ],
)
def test_each_kind_of_error_has_its_status_and_a_json_body(kind: type[TidingsError], status: int) -> None:
    answer = http.failed(kind("some_code", "What is wrong."))
    assert answer["statusCode"] == status
    assert json.loads(answer["body"]) == {"code": "some_code", "message": "What is wrong."}
    assert answer["headers"]["content-type"] == "application/json"


def test_an_error_names_its_field() -> None:
    answer = http.failed(InvalidInput("missing_event", "A track call needs an event.", "event"))
    assert json.loads(answer["body"])["field"] == "event"


def test_throttling_says_how_many_seconds_to_wait() -> None:
    headers = http.failed(Throttled("write_throttled", "Busy.", retry_after=7))["headers"]
    assert headers["retry-after"] == "7"
    assert headers["x-ratelimit-reset"] == "7"


def test_our_errors_become_answers_and_faults_stay_exceptions() -> None:
    @http.answers
    def handler(event: dict[str, object], context: object) -> http.Answer:
        raise NotFound("unknown_contact", "None.") if event["ours"] else ZeroDivisionError

    assert handler({"ours": True}, None)["statusCode"] == 404
    with pytest.raises(ZeroDivisionError):
        handler({"ours": False}, None)
