"""Taking calls in: what SDKs send is taken, what is wrong is refused with a code, and nothing of that is stored."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.calls import KINDS, NEEDED, basic, message, stored
from tests.support.recorder import Call
from tests.support.template import table_variables
from tests.support.world import World

from tidings.activity.model import Event
from tidings.core.http import ok


def post(world: World, kind: str, body: Any, key: str | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
    return world.call(kind, f"POST /v1/{kind}", body, key, headers=headers)


def place(event: Event) -> str:
    return f"{event.workspace} {event.identity}"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-21T{text}+00:00")


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key_is_taken_in_every_way(world: World, kind: str) -> None:
    for number, given in enumerate(["publishable", "write", "secret"]):
        key = world.keys[given]
        ways: list[tuple[dict[str, str], dict[str, str]]] = [
            (basic(key), {}),
            (basic(key, colon=False), {}),
            ({"authorization": f"Bearer {key}"}, {}),
            ({}, {"writeKey": key}),
            ({"authorization": "Bearer eyJhbGciOi.oauth.token"}, {"writeKey": key}),
        ]
        for way, (headers, more) in enumerate(ways):
            body = {**message(kind, userId=f"u{number}{way}"), **more}
            assert post(world, kind, body, **headers) == (200, {"success": True}), (given, headers)
        assert key not in json.dumps(world.items("TABLE_EVENTS"))
    assert len(stored(world)) == 15


NO_KEY: list[tuple[dict[str, str], Any, str]] = [
    ({}, None, "missing_api_key"),
    ({}, "", "missing_api_key"),
    ({}, 7, "missing_api_key"),
    ({}, ["wk_1"], "missing_api_key"),
    (basic(""), None, "missing_api_key"),
    ({"authorization": "Digest x"}, None, "missing_api_key"),
    (basic("wk_nobodys"), None, "invalid_api_key"),
    ({"authorization": "Bearer sk_nobodys"}, None, "invalid_api_key"),
    ({}, "wk_nobodys", "invalid_api_key"),
    ({}, "\ud800", "invalid_api_key"),
    ({"authorization": "Basic !!"}, None, "invalid_authorization"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_key_of_ours_nothing_is_stored(world: World, kind: str) -> None:
    for headers, key_in_body, code in NO_KEY:
        status, answer = post(world, kind, {**message(kind), "writeKey": key_in_body}, **headers)
        assert (status, answer["code"]) == (401, code), (headers, key_in_body)
        assert answer["message"]
    assert stored(world) == []


def test_a_revoked_key_is_refused_after_at_most_60_seconds(world: World) -> None:
    assert world.ingest("track", message("track"))[0] == 200
    world.accounts.revoke_key(world.keys["write"])
    world.now += timedelta(seconds=60)
    status, answer = world.ingest("track", message("track", messageId="m-2"))
    assert (status, answer["code"]) == (401, "invalid_api_key")
    assert len(stored(world)) == 1


def test_a_key_is_looked_up_once_a_minute_whether_it_is_known_or_not(world: World) -> None:
    for key in ("write", "wk_nobodys"):
        world.recorder.clear()
        for _ in range(3):
            world.ingest("track", message("track"), key)
        world.now += timedelta(seconds=59)
        world.ingest("track", message("track"), key)
        assert reads(world, "TABLE_API_KEYS") == 1
        world.now += timedelta(seconds=1)
        world.ingest("track", message("track"), key)
        assert reads(world, "TABLE_API_KEYS") == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_workspace_s_rules_are_read_once_a_minute_whatever_the_key(world: World, kind: str) -> None:
    for seconds, read in ((0, 1), (59, 1), (1, 2)):
        world.now += timedelta(seconds=seconds)
        for key in ("write", "publishable", "secret"):
            world.ingest(kind, message(kind), key)
        assert reads(world, "TABLE_WORKSPACES") == read


def reads(world: World, table: str) -> int:
    """How often an item of a table was read."""
    read = [call.arguments["TableName"] for call in world.recorder.of("dynamodb:GetItem")]
    return read.count(table_variables()[table])


def test_the_key_says_the_workspace(world: World) -> None:
    world.ingest("track", message("track"), world.other_secret)
    assert [place(event) for event in stored(world)] == ["other user#u-7"]


# --- what SDKs send --------------------------------------------------------------------------------------------------


def test_a_browsers_call_is_plain_text_with_both_ids(world: World) -> None:
    body = message("track", anonymousId="a-9", writeKey=world.keys["publishable"], integrations={}, _metadata={})
    assert post(world, "track", body, content_type="text/plain", **basic(world.keys["publishable"]))[0] == 200
    (event,) = stored(world)
    assert (place(event), event.user_id, event.anonymous_id) == ("acme user#u-7", "u-7", "a-9")


def test_the_python_sdks_batch_has_null_ids_and_offsets(world: World) -> None:
    item = {
        "type": "track", "userId": "u-7", "anonymousId": None, "event": "Signed Up", "properties": {},
        "integrations": {}, "timestamp": "2026-11-21T08:59:00.123456+00:00", "messageId": "m-1",
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
    }  # fmt: skip
    body = {"batch": [item], "sentAt": "2026-11-21T08:59:30+00:00", "writeKey": world.keys["write"]}
    assert post(world, "batch", body, **basic(world.keys["write"]))[0] == 200
    (event,) = stored(world)
    assert event.original_timestamp == at("08:59:00.123456")
    assert event.timestamp == at("08:59:30.123456")
    assert event.anonymous is None


@pytest.mark.parametrize("named", [True, False])
def test_rudders_batch_is_gzipped_and_has_traits_in_the_context(world: World, named: bool) -> None:
    item = {
        "type": "identify", "userId": "u-7", "channel": "server", "integrations": {"All": True}, "messageId": "m-1",
        "timestamp": "2026-11-21T08:59:00.123456+00:00", "context": {"traits": {"email": "ada@people.example"}},
    }  # fmt: skip
    packed = base64.b64encode(gzip.compress(json.dumps({"batch": [item]}).encode())).decode()
    headers = {**basic(world.keys["write"]), **({"content-encoding": "gzip"} if named else {})}
    event = {
        "routeKey": "POST /v1/batch",
        "headers": headers,
        "requestContext": {"http": {"method": "POST", "sourceIp": "203.0.113.9"}},
        "body": packed,
        "isBase64Encoded": True,
    }
    assert world.invoke("batch", event)["statusCode"] == 200
    assert stored(world)[0].traits == {"email": "ada@people.example"}


def test_ids_that_are_numbers_become_text(world: World) -> None:
    world.ingest("track", message("track", userId=7, anonymousId=9, messageId=3))
    (event,) = stored(world)
    assert (place(event), event.message_id, event.anonymous_id) == ("acme user#7", "3", "9")


def test_a_batchs_context_and_sending_time_hold_for_each_item_unless_it_has_its_own(world: World) -> None:
    batch = [
        {"type": "track", "userId": "u-7", "event": "One", "timestamp": "2026-11-21T07:00:00Z"},
        {
            "type": "track", "userId": "u-7", "event": "Two", "timestamp": "2026-11-21T07:00:00Z",
            "context": {"ip": "198.51.100.1"}, "sentAt": "2026-11-21T07:30:00Z",
        },
    ]  # fmt: skip
    context = {"ip": "203.0.113.4", "locale": "pl-PL"}
    world.ingest("batch", {"batch": batch, "context": context, "integrations": {}, "sentAt": "2026-11-21T07:10:00Z"})
    one, two = stored(world)
    assert one.context == {"ip": "203.0.113.4", "locale": "pl-PL"}
    assert two.context == {"ip": "198.51.100.1", "locale": "pl-PL"}
    assert (one.timestamp, two.timestamp) == (at("08:50:00"), at("08:30:00.000001"))


def test_items_of_a_batch_are_received_in_their_order(world: World) -> None:
    world.ingest("batch", {"batch": [{"type": "track", "userId": "u", "event": name} for name in "abc"]})
    assert [event.name for event in stored(world)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("original", "sent", "happened", "clamped"),
    [
        (None, "2026-11-21T07:00:00Z", "2026-11-21T09:00:00.000000Z", False),
        ("2026-11-21T06:50:00Z", "2026-11-21T07:00:00Z", "2026-11-21T08:50:00.000000Z", False),
        ("2026-11-21T08:00:00Z", None, "2026-11-21T08:00:00.000000Z", False),
        ("2031-01-01T00:00:00Z", None, "2026-11-21T09:00:00.000000Z", True),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-21T09:00:00.000000Z", False),
        ("0001-01-01T00:00:00Z", None, "0001-01-01T00:00:00.000000Z", False),
    ],
)
def test_the_clients_clock_is_corrected_and_every_time_is_kept(
    world: World, original: str | None, sent: str | None, happened: str, clamped: bool
) -> None:
    world.ingest("track", message("track", timestamp=original, sentAt=sent))
    (event,) = stored(world)
    told = json.loads(ok(event.as_dict())["body"])
    assert told["timestamp"] == happened
    assert told["received_at"] == "2026-11-21T09:00:00.000000Z"
    assert told["clamped"] is clamped
    for field, given in (("original_timestamp", original), ("sent_at", sent)):
        assert (told[field] and datetime.fromisoformat(told[field])) == (given and datetime.fromisoformat(given))


# --- what is wrong ---------------------------------------------------------------------------------------------------

Case = tuple[dict[str, Any], str, str | None]
WRONG: list[Case] = [
    ({"userId": None}, "no_user_anon_id", "userId"),
    ({"userId": "", "anonymousId": ""}, "no_user_anon_id", "userId"),
    ({"userId": "null", "anonymousId": "-1"}, "no_user_anon_id", "userId"),
    ({"userId": {"id": 7}}, "invalid_type", "userId"),
    ({"anonymousId": False}, "invalid_type", "anonymousId"),
    ({"userId": "u" * 1025}, "id_too_long", "userId"),
    ({"messageId": "m" * 101}, "message_id_too_long", "messageId"),
    ({"messageId": {}}, "invalid_type", "messageId"),
    ({"context": []}, "invalid_type", "context"),
    ({"timestamp": "soon"}, "invalid_timestamp", "timestamp"),
    ({"timestamp": 1795276695}, "invalid_timestamp", "timestamp"),
    ({"timestamp": "9999-12-31T23:59:59-01:00"}, "invalid_timestamp", "timestamp"),
    ({"sentAt": "soon"}, "invalid_timestamp", "sentAt"),
    ({"x": "ż" * 17_000}, "message_too_large", None),
    ({"x": "\ud800"}, "invalid_text", None),
    ({"x": json.loads("[" * 101 + "]" * 101)}, "nested_too_deep", None),
]
OF_TRACK: list[Case] = [
    ({"event": None}, "missing_event", "event"),
    ({"event": "  "}, "missing_event", "event"),
    ({"event": 7}, "invalid_type", "event"),
    ({"properties": "plan"}, "invalid_type", "properties"),
]
OF_IDENTIFY: list[Case] = [
    ({"traits": "plan"}, "invalid_type", "traits"),
    ({"context": {"traits": "plan"}}, "invalid_type", "context.traits"),
]
OF_VIEWS: list[Case] = [
    ({"name": 7}, "invalid_type", "name"),
    ({"category": {}}, "invalid_type", "category"),
    ({"properties": []}, "invalid_type", "properties"),
]
OF_COMPANIES: list[Case] = [
    ({"groupId": None}, "missing_group_id", "groupId"),
    ({"groupId": "0"}, "missing_group_id", "groupId"),
    ({"groupId": []}, "invalid_type", "groupId"),
    ({"groupId": "g" * 1025}, "id_too_long", "groupId"),
    ({"traits": "plan"}, "invalid_type", "traits"),
]
OF_ALIAS: list[Case] = [
    ({"previousId": None}, "missing_previous_id", "previousId"),
    ({"previousId": "anonymous"}, "missing_previous_id", "previousId"),
    ({"previousId": {}}, "invalid_type", "previousId"),
    ({"userId": None, "anonymousId": "a-9"}, "missing_user_id", "userId"),
]
OF: dict[str, list[Case]] = {
    "track": OF_TRACK,
    "identify": OF_IDENTIFY,
    "page": OF_VIEWS,
    "screen": OF_VIEWS,
    "group": OF_COMPANIES,
    "ungroup": OF_COMPANIES,
    "alias": OF_ALIAS,
}
OF_BATCH: list[Case] = [
    ({"type": "purchase"}, "unknown_type", "type"),
    ({"type": None}, "unknown_type", "type"),
]


@pytest.mark.parametrize("kind", OF)
def test_a_wrong_call_is_refused_with_its_code_and_field_and_stores_nothing(world: World, kind: str) -> None:
    for wrong, code, field in WRONG + OF[kind]:
        status, answer = world.ingest(kind, message(kind, **wrong))
        assert (status, answer["code"], answer.get("field")) == (400, code, field), str(wrong)[:200]
        assert answer["message"]
    assert stored(world) == []


def test_of_a_batch_the_good_items_are_kept_and_the_answer_names_those_refused(world: World) -> None:
    of_each: list[Case] = [
        ({**NEEDED[kind], **wrong, "type": kind}, code, field)
        for kind, cases in OF.items()
        for wrong, code, field in cases
    ]
    for number, (wrong, code, field) in enumerate(WRONG + OF_BATCH + of_each):
        good = [message("track", messageId=f"good-{number}-1"), message("identify", messageId=f"good-{number}-2")]
        bad = message("track", messageId="bad") | wrong
        status, answer = world.ingest("batch", {"batch": [good[0], bad, good[1], "no object"]})
        assert (status, answer["success"]) == (200, True)
        assert [(one["index"], one["code"], one.get("field")) for one in answer["refused"]] == [
            (1, code, field),
            (3, "invalid_type", "batch"),
        ], str(wrong)[:200]
        assert all(one["message"] for one in answer["refused"])
        kept = {event.message_id for event in stored(world)}
        assert {f"good-{number}-1", f"good-{number}-2"} <= kept
    assert len(kept) == 2 * (number + 1)


NO_OBJECT = [
    ("", "invalid_json"),
    (None, "invalid_json"),
    ("{", "invalid_json"),
    ("userId=u-7", "invalid_json"),
    ('{"userId": NaN}', "invalid_json"),
    ('{"userId": "u-7", "event": "E", "properties": {"price": 1e999}}', "invalid_json"),
    ("[" * 5000 + "]" * 5000, "invalid_json"),
    ("[]", "invalid_type"),
    ('"u-7"', "invalid_type"),
    ("null", "invalid_type"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_is_no_json_object_is_refused(world: World, kind: str) -> None:
    for body, code in NO_OBJECT:
        status, answer = world.ingest(kind, body)
        assert (status, answer["code"]) == (400, code), body
    assert stored(world) == []


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "invalid_type", "batch"),
        ({"batch": None}, "invalid_type", "batch"),
        ({"batch": {}}, "invalid_type", "batch"),
        ({"batch": [], "context": "x"}, "invalid_type", "context"),
        ({"batch": [], "context": []}, "invalid_type", "context"),
        ({"batch": [], "context": {"x": "\ud800"}}, "invalid_text", "context"),
        ({"batch": [], "context": {"x": json.loads("[" * 101 + "]" * 101)}}, "nested_too_deep", "context"),
        ({"batch": [], "context": {"x": "y" * 33_000}}, "context_too_large", "context"),
        ({"batch": [{}] * 2501}, "batch_too_long", "batch"),
        ({"batch": [{"x": "y" * 30_000}] * 18}, "batch_too_large", None),
    ],
)
def test_a_batch_that_is_wrong_as_a_whole_is_refused_as_a_whole(
    world: World, body: dict[str, Any], code: str, field: str | None
) -> None:
    status, answer = world.ingest("batch", body)
    assert (status, answer["code"], answer.get("field")) == (400, code, field)
    assert stored(world) == []


@pytest.mark.parametrize("kind", OF)
def test_a_call_of_megabytes_is_too_large_whether_gzipped_or_not(world: World, kind: str) -> None:
    huge = json.dumps(message(kind, x="y" * 5_000_000))
    packed = base64.b64encode(gzip.compress(huge.encode())).decode()
    for body, encoded in ((huge, False), (packed, True)):
        event = {
            "headers": basic(world.keys["write"]),
            "requestContext": {"http": {"method": "POST"}},
            "body": body,
            "isBase64Encoded": encoded,
        }
        answer = world.invoke(kind, event)
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "message_too_large")
    assert stored(world) == []


def test_a_batch_of_2500_items_is_taken_in_25_a_call(world: World) -> None:
    batch = [
        {"type": "track", "userId": f"u{number % 9}", "event": "E", "messageId": str(number)} for number in range(2500)
    ]
    taken: list[int] = []
    world.recorder.doubles["dynamodb:BatchExecuteStatement"] = lambda arguments: (
        taken.append(len(arguments["Statements"])) or {"Responses": [{} for _ in arguments["Statements"]]}  # type: ignore[func-returns-value]
    )
    assert world.ingest("batch", {"batch": batch}) == (200, {"success": True})
    assert taken == [25] * 100


def test_an_empty_batch_is_a_success(world: World) -> None:
    world.ingest("batch", {"batch": []})
    world.recorder.clear()
    assert world.ingest("batch", {"batch": []}) == (200, {"success": True})
    assert world.recorder.calls == []


# --- duplicates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_message_id_again_is_a_success_and_changes_nothing(world: World, kind: str) -> None:
    assert world.ingest(kind, message(kind, x=1)) == (200, {"success": True})
    before = stored(world)
    world.now += timedelta(hours=23)
    assert world.ingest(kind, message(kind, x=2)) == (200, {"success": True})
    assert stored(world) == before


def test_the_same_message_twice_in_a_batch_is_stored_once_as_it_first_stands(world: World) -> None:
    items = [message("track", event=name) for name in ("First", "Second")]
    assert world.ingest("batch", {"batch": items}) == (200, {"success": True})
    assert [event.name for event in stored(world)] == ["First"]


def test_messages_without_an_id_are_all_kept(world: World) -> None:
    item = {"type": "track", "userId": "u-7", "event": "E"}
    world.ingest("batch", {"batch": [item, item]})
    world.ingest("track", item)
    assert len(stored(world)) == 3


def test_message_ids_of_different_people_and_workspaces_do_not_meet(world: World) -> None:
    world.ingest("track", message("track"))
    world.ingest("track", message("track", userId="u-8"))
    world.ingest("track", message("track"), world.other_secret)
    assert sorted(map(place, stored(world))) == ["acme user#u-7", "acme user#u-8", "other user#u-7"]


# --- when the database is busy ---------------------------------------------------------------------------------------


def failing(code: str) -> Any:
    def fail(call: Call) -> None:
        if call.operation in ("PutItem", "BatchExecuteStatement"):
            raise ClientError({"Error": {"Code": code, "Message": code}}, call.operation)

    return fail


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("ProvisionedThroughputExceededException", 429, "write_throttled"),
        ("ThrottlingException", 429, "write_throttled"),
        ("RequestLimitExceeded", 429, "write_throttled"),
        ("ItemCollectionSizeLimitExceededException", 429, "write_throttled"),
        ("InternalServerError", 503, "database_failed"),
    ],
)
def test_throttling_says_when_to_come_back_and_a_fault_that_it_may_be_tried_again(
    world: World, kind: str, fault: str, status: int, code: str
) -> None:
    world.recorder.before = failing(fault)
    token = basic(world.keys["write"])
    event = {
        "headers": token,
        "requestContext": {"http": {"method": "POST"}},
        "body": json.dumps(message(kind)),
    }
    answer = world.invoke(kind, event)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (status, code)
    assert ("retry-after" in answer["headers"]) == (status == 429)
    assert ("x-ratelimit-reset" in answer["headers"]) == (status == 429)
    world.recorder.before = None
    assert world.invoke(kind, event)["statusCode"] == 200
    assert len(stored(world)) == 1


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingError", 429),
        ("ProvisionedThroughputExceeded", 429),
        ("ItemCollectionSizeLimitExceeded", 429),
        ("InternalServerError", 503),
    ],
)
def test_a_batch_of_which_an_item_could_not_be_stored_is_to_be_sent_again(world: World, code: str, status: int) -> None:
    world.recorder.doubles["dynamodb:BatchExecuteStatement"] = lambda _: {
        "Responses": [{}, {"Error": {"Code": code, "Message": code}}]
    }
    items = [message("track", messageId=name) for name in ("m-1", "m-2")]
    assert world.ingest("batch", {"batch": items})[0] == status
