"""Every call by every path, with a key in every way, in every packing: taken, and kept as what it is."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from tests.support.calls import KINDS, PATHS, basic, message, request, stored
from tests.support.template import root_stack
from tests.support.world import World

from tidings.activity.calls import CALL_TYPES

WAYS = ("basic", "basic without a colon", "bearer", "body", "basic and body", "oauth and body")
PACKINGS = ("application/json", "text/plain", "application/octet-stream", "", "gzip", "gzip unnamed")


def with_key(way: str, key: str, body: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """The headers and the body of a call that gives its key in one of the ways."""
    if way == "bearer":
        return {"authorization": f"Bearer {key}"}, body
    if way == "oauth and body":
        return {"authorization": "Bearer eyJhbGciOi.oauth.token"}, {**body, "writeKey": key}
    headers = basic(key, colon=way != "basic without a colon") if way.startswith("basic") else {}
    return headers, ({**body, "writeKey": key} if way.endswith("body") else body)


def told(kind: str, **fields: Any) -> dict[str, Any]:
    """What a call is stored as."""
    of = "track" if kind == "batch" else kind
    named = {"track": "Signed Up", "page": "Viewed Pricing Page", "screen": "Viewed Home Screen"}
    return {
        "type": of,
        "name": named.get(of, ""),
        "traits": {"identify": {"plan": "team"}, "group": {"name": "Acme"}}.get(of, {}),
        "properties": {"page": {"path": "/pricing", "name": "Pricing"}, "screen": {"name": "Home"}}.get(of, {}),
        "group_id": "g-1" if of in ("group", "ungroup") else "",
        "previous_id": "a-1" if of == "alias" else "",
        **fields,
    }


@pytest.mark.parametrize(("kind", "path"), [(kind, path) for kind in KINDS for path in PATHS[kind]])
def test_a_call_is_taken_by_every_path_in_every_way_and_packing(world: World, kind: str, path: str) -> None:
    for number, (way, packing) in enumerate(product(WAYS, PACKINGS)):
        key = world.keys["write"]
        headers, body = with_key(way, key, message(kind, messageId=f"m-{number}", anonymousId=None))
        headers |= {"content-encoding": "gzip"} if packing == "gzip" else {}
        headers |= {"content-type": packing} if "/" in packing else {}
        answer = world.invoke(kind, request(path, body, headers, packed=packing.startswith("gzip")))
        assert (answer["statusCode"], answer["body"]) == (200, '{"success":true}'), (way, packing)
    events = stored(world)
    assert len(events) == len(WAYS) * len(PACKINGS)
    for event in events:
        assert {name: getattr(event, name) for name in told(kind)} == told(kind)
        assert (event.workspace, str(event.identity), event.anonymous_id) == ("acme", "user#u-7", "")
    assert key not in json.dumps(world.items("TABLE_EVENTS"))


def test_the_paths_are_those_of_the_template() -> None:
    routed: dict[str, set[str]] = {}
    for resource in root_stack().resources.values():
        for trigger in resource.get("Properties", {}).get("Events", {}).values():
            if trigger["Type"] == "HttpApi" and trigger["Properties"]["Method"] == "POST":
                folder = resource["Properties"]["CodeUri"].strip("/").rpartition("/")[2]
                routed.setdefault(folder, set()).add(trigger["Properties"]["Path"])
    assert {kind: routed[kind] for kind in KINDS} == {kind: set(paths) for kind, paths in PATHS.items()}


@pytest.mark.parametrize("kind", CALL_TYPES)
def test_the_path_says_what_a_call_is_whatever_it_says_of_itself(world: World, kind: str) -> None:
    for number, said in enumerate([None, "track", "purchase", 7]):
        assert world.ingest(kind, message(kind, messageId=f"m-{number}") | {"type": said})[0] == 200
    assert {event.type for event in stored(world)} == {kind}


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_a_call_needs_has_to_be_there(world: World, kind: str) -> None:
    full = message(kind)
    needed = {name: full[name] for name in ("groupId", "previousId", "event") if name in full}
    bare = {"batch": [{"type": "identify", "anonymousId": "a-9"}]} if kind == "batch" else {"userId": "u-7", **needed}
    assert world.ingest(kind, bare)[0] == 200
    (event,) = stored(world)
    assert event.message_id
    assert (event.properties, event.traits, event.context) == ({}, {}, {})


@pytest.mark.parametrize("kind", KINDS)
def test_fields_that_are_null_are_missing(world: World, kind: str) -> None:
    names = (
        "anonymousId",
        "timestamp",
        "sentAt",
        "properties",
        "traits",
        "context",
        "integrations",
        "name",
        "category",
    )
    assert world.ingest(kind, message(kind, **dict.fromkeys(names)))[0] == 200
    (event,) = stored(world)
    assert (event.anonymous_id, event.original_timestamp, event.context) == ("", None, {})


def test_every_call_stands_in_a_batch_too(world: World) -> None:
    items = [message(kind, messageId=kind) for kind in CALL_TYPES]
    assert world.ingest("batch", {"batch": items}) == (200, {"success": True})
    events = {event.type: event for event in stored(world)}
    for kind in CALL_TYPES:
        assert {name: getattr(events[kind], name) for name in told(kind)} == told(kind)


def test_a_call_from_a_browser_s_batch_is_as_if_sent_alone(world: World) -> None:
    # analytics.js with deliveryStrategy batching: one sentAt for all; the key stands in each and beside them.
    key, at = world.keys["publishable"], "2026-11-21T08:59:00Z"
    items = [message(kind, messageId=kind, anonymousId="a-9", timestamp=at, writeKey=key) for kind in CALL_TYPES]
    body = {"writeKey": key, "batch": items, "sentAt": "2026-11-21T08:59:10Z"}
    headers = {"content-type": "text/plain", **basic(key)}
    assert world.invoke("batch", request("/v1/b", body, headers))["statusCode"] == 200
    events = stored(world)
    assert {event.type for event in events} == set(CALL_TYPES)
    assert {(event.anonymous_id, event.publishable) for event in events} == {("a-9", True)}
    assert all(event.sent_at and event.original_timestamp for event in events)
    assert key not in str(events)


def test_the_browser_s_alias_after_identify_is_to_oneself_and_kept(world: World) -> None:
    # What analytics.alias("u2") sent after identify("u1").
    assert world.ingest("alias", {"userId": "u1", "previousId": "u1", "anonymousId": "a-9"}, "publishable")[0] == 200
    (event,) = stored(world)
    assert (event.user_id, event.previous_id, event.anonymous_id) == ("u1", "u1", "a-9")
