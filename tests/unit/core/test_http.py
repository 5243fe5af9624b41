"""HTTP API events in, answers out."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tidings.core.documents import parse_object
from tidings.core.errors import InvalidInput, NotFound, TidingsError, Unauthorized
from tidings.core.http import Request, api_keys_in, named, ok, text

BODY = {"userId": "ü-7"}
PLAIN = json.dumps(BODY)


def request(body: Any = None, encoded: bool = False, query: Any = None, **headers: str) -> Request:
    return Request.of(
        {
            "routeKey": "PUT /v1/suppressions/{channel}/{address}",
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "pathParameters": {"address": "ada+news@people.example"},
            "queryStringParameters": query,
            "requestContext": {"http": {"method": "PUT", "sourceIp": "203.0.113.4"}},
            "body": body,
            "isBase64Encoded": encoded,
        }
    )


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


def code_of(call: Any, *arguments: Any) -> str:
    with pytest.raises(TidingsError) as caught:
        call(*arguments)
    return caught.value.code


def test_a_request_is_read_with_decoded_path_and_lower_case_headers() -> None:
    read = request(Content_Type="text/plain")
    assert read.method == "PUT"
    assert read.path == {"address": "ada+news@people.example"}
    assert read.headers == {"content-type": "text/plain"}
    assert read.source_ip == "203.0.113.4"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("ada+news@people.example", "ada+news@people.example"),
        ("50%25 off", "50% off"),
        ("%252B", "%2B"),  # sent as %252B, which is how %2B is escaped
        ("%2B", "%2B"),
        ("ą%", "ą%"),
    ],
)
def test_a_path_is_decoded_only_as_far_as_api_gateway_has_not(given: str, meant: str) -> None:
    assert Request.of({"pathParameters": {"address": given}}).path == {"address": meant}


@pytest.mark.parametrize("value", ["", "x" * 513, "ą" * 257])
def test_nothing_has_a_name_that_no_key_could_hold(value: str) -> None:
    with pytest.raises(NotFound) as caught:
        Request.of({"pathParameters": {"contact": value}})
    assert (caught.value.code, caught.value.field) == ("not_found", "contact")


def test_a_request_does_not_show_its_body_when_it_is_printed() -> None:
    assert "secret" not in repr(request("secret"))


@pytest.mark.parametrize(
    ("body", "encoded", "headers"),
    [
        (PLAIN, False, {}),
        (PLAIN, False, {"content_type": "text/plain"}),
        (packed(PLAIN.encode()), True, {}),
        (packed(gzip.compress(PLAIN.encode(), mtime=0)), True, {"content_encoding": "gzip"}),
        (packed(gzip.compress(PLAIN.encode(), mtime=0)), True, {"Content_Encoding": "GZIP"}),
        (packed(gzip.compress(PLAIN.encode(), mtime=0)), True, {}),
    ],
)
def test_a_json_body_is_read_whatever_its_content_type_and_packing(
    body: str, encoded: bool, headers: dict[str, str]
) -> None:
    assert request(body, encoded, **headers).json() == BODY


@pytest.mark.parametrize(
    ("body", "encoded", "code"),
    [
        (None, False, "invalid_json"),
        ("", False, "invalid_json"),
        ("{", False, "invalid_json"),
        ("{'a': 1}", False, "invalid_json"),
        ('{"a": NaN}', False, "invalid_json"),
        ('{"a": -Infinity}', False, "invalid_json"),
        ('{"a": 1e999}', False, "invalid_json"),
        ('{"a": ' + "9" * 5000 + "}", False, "invalid_json"),
        ("[" * 20_000, False, "invalid_json"),
        (packed(b'{"a": "\xff"}'), True, "invalid_json"),
        ("\ud800", False, "invalid_body"),
        ("[]", False, "invalid_type"),
        ('"text"', False, "invalid_type"),
        ("null", False, "invalid_type"),
        ("not base64", True, "invalid_body"),
        (packed(b"\x1f\x8b broken"), True, "invalid_body"),
        (packed(gzip.compress(PLAIN.encode(), mtime=0)[:-9]), True, "invalid_body"),
        (packed(gzip.compress(PLAIN.encode(), mtime=0) + b"more"), True, "invalid_body"),
    ],
)
def test_a_body_that_cannot_be_read_has_a_code_that_says_why(body: str, encoded: bool, code: str) -> None:
    assert code_of(request(body, encoded).json) == code


def test_a_body_that_says_it_is_gzip_and_is_not_is_refused() -> None:
    assert code_of(request(PLAIN, content_encoding="gzip").json) == "invalid_body"


@pytest.mark.parametrize("size", [100, 101])
def test_the_limit_counts_bytes_and_is_inclusive(size: int) -> None:
    data = b" " * size
    for body in (data.decode(), packed(gzip.compress(data))):
        read = request(body, encoded=body != data.decode())
        if size > 100:
            assert code_of(read.body, 100) == "body_too_large"
        else:
            assert read.body(100) == data


def test_a_gzip_bomb_is_unpacked_only_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    read = gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda file, size=-1: asked.append(size) or read(file, size))
    bomb = packed(gzip.compress(b"0" * 50_000_000))
    assert code_of(request(bomb, encoded=True).body, 1000) == "body_too_large"
    assert asked == [1001]


def test_who_reads_a_body_may_name_the_refusal_of_its_size() -> None:
    assert code_of(request("{" * 200).json, 100, "batch_too_large") == "batch_too_large"


def test_a_document_is_text_throughout() -> None:
    for body in ('{"a": "\\ud800"}', '{"\\udfff": 1}', '{"a": ["x", {"b": "\\ud83d"}]}'):
        assert code_of(request(body).document) == "invalid_text"
    assert request('{"a": "\\ud83d\\ude00"}').document() == {"a": "😀"}


def test_a_document_is_nested_at_most_a_hundred_deep() -> None:
    def nested(levels: int) -> str:
        return '{"a":' * levels + "1" + "}" * levels

    request(nested(100)).document()
    assert code_of(request(nested(101)).document) == "nested_too_deep"


@pytest.mark.parametrize(
    ("header", "keys"),
    [
        ("", []),
        ("Basic " + packed(b"wk_1:"), ["wk_1"]),
        ("basic " + packed(b"wk_1"), ["wk_1"]),
        ("Basic  " + packed(b"wk_1:password"), ["wk_1"]),
        ("Basic " + packed(b":password"), []),
        ("Bearer sk_1", ["sk_1"]),
        ("bearer  sk_1 ", ["sk_1"]),
        ("Bearer", []),
        ("Digest sk_1", []),
    ],
)
def test_the_key_is_the_basic_user_or_the_bearer_token(header: str, keys: list[str]) -> None:
    assert api_keys_in(request(Authorization=header)) == keys


@pytest.mark.parametrize("header", ["Basic %%%", "Basic a", "Basic " + packed(b"\xff\xfe:")])
def test_a_malformed_authorization_header_says_so(header: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        api_keys_in(request(Authorization=header))
    assert caught.value.code == "invalid_authorization"


def test_an_answer_is_json_with_times_in_iso_8601() -> None:
    answer = ok({"at": datetime(2026, 11, 21, 9, tzinfo=UTC), "name": "Łukasz"}, 202)
    assert answer["statusCode"] == 202
    assert answer["headers"] == {"content-type": "application/json"}
    assert json.loads(answer["body"]) == {"at": "2026-11-21T09:00:00.000000Z", "name": "Łukasz"}


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", "", "1.5", "²"])
def test_a_page_has_from_1_to_200_entries(limit: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        request(query={"limit": limit}).page_size()
    assert (caught.value.code, caught.value.field) == ("invalid_limit", "limit")


def test_a_page_has_50_entries_if_nobody_says_otherwise() -> None:
    assert request().page_size() == 50
    assert request(query={"limit": "200"}).page_size() == 200


def test_the_name_in_the_path_and_in_the_body_must_agree() -> None:
    assert named({"a": 1}, "template", "tips") == {"a": 1, "template": "tips"}
    assert named({"template": "tips"}, "template", "tips") == {"template": "tips"}
    assert code_of(named, {"template": "nudge"}, "template", "tips") == "name_mismatch"


def test_a_text_field_is_there_and_text() -> None:
    assert text({"address": "a"}, "address") == "a"
    assert text({}, "channel", "email") == "email"
    assert code_of(text, {}, "address") == "missing_field"
    assert code_of(text, {"address": None}, "address") == "missing_field"
    assert code_of(text, {"address": 1}, "address") == "invalid_type"


def test_numbers_that_json_has_not_are_refused_wherever_they_stand() -> None:
    for number in ("NaN", "Infinity", "-Infinity", "1e309", "-1e309"):
        assert code_of(parse_object, f'{{"a": [{{"b": {number}}}]}}'.encode()) == "invalid_json"
    assert parse_object(b'{"a": 1e308}') == {"a": 1e308}


@pytest.mark.parametrize(
    ("arrived", "seconds"),
    [
        (1_795_251_600_000, 2.5), (1_795_251_602_500, 0), (1_795_251_602_501, 0), (1_795_251_572_500, 30),
        (1_795_251_572_499, 0), (0, 0), (-1, 0), (10**30, 0), (None, 0), ("1795251600000", 0), (True, 0),
    ],
)  # fmt: skip
def test_how_long_a_request_waited_is_what_the_gateway_says_if_it_can_be(arrived: Any, seconds: float) -> None:
    request = Request.of({"requestContext": {"timeEpoch": arrived}})
    now = datetime(2026, 11, 21, 9, tzinfo=UTC).replace(second=2, microsecond=500_000)
    assert int((now - timedelta(seconds=2.5)).timestamp() * 1000) == 1_795_251_600_000
    assert request.waited(now) == timedelta(seconds=seconds)
