"""What the browser SDK asks before it starts."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.support.calls import request
from tests.support.world import World


def ask(world: World, key: str, **headers: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    event = request(f"/v1/projects/{key}/settings", headers=headers, method="GET")
    answer = world.invoke("settings", {**event, "pathParameters": {"writeKey": key}})
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


@pytest.mark.parametrize("kind", ["publishable", "write"])
def test_the_sdk_is_told_its_key_and_to_report_to_the_host_it_asked(world: World, kind: str) -> None:
    key = world.keys[kind]
    status, answer, headers = ask(world, key, **{"x-forwarded-proto": "https"})
    assert status == 200
    assert answer["integrations"] == {
        "Segment.io": {
            "apiKey": key,
            "apiHost": "api.acme.example/v1",
            "protocol": "https",
            "unbundledIntegrations": [],
            "addBundledMetadata": True,
        }
    }
    assert headers["cache-control"] == "public, max-age=60"


def test_a_local_system_is_asked_without_tls_at_a_port(world: World) -> None:
    _, answer, _ = ask(world, world.keys["publishable"], host="127.0.0.1:4100", **{"x-forwarded-proto": "http"})
    told = answer["integrations"]["Segment.io"]
    assert (told["protocol"], told["apiHost"]) == ("http", "127.0.0.1:4100/v1")


def test_without_a_host_header_the_domain_counts(world: World) -> None:
    event = request("/v1/projects/x/settings", method="GET")
    event["pathParameters"] = {"writeKey": world.keys["publishable"]}
    event["requestContext"]["domainName"] = "a1.execute-api.us-east-1.amazonaws.com"
    del event["headers"]["host"]
    told = json.loads(world.invoke("settings", event)["body"])["integrations"]["Segment.io"]
    assert (told["protocol"], told["apiHost"]) == ("https", "a1.execute-api.us-east-1.amazonaws.com/v1")


def test_an_unknown_key_is_not_found(world: World) -> None:
    status, answer, headers = ask(world, "pk_nobodys")
    assert (status, answer["code"], answer["field"]) == (404, "unknown_key", "writeKey")
    assert "cache-control" not in headers


def test_a_revoked_key_is_not_found_after_at_most_60_seconds(world: World) -> None:
    assert ask(world, world.keys["publishable"])[0] == 200
    world.accounts.revoke_key(world.keys["publishable"])
    world.now += timedelta(seconds=60)
    assert ask(world, world.keys["publishable"])[0] == 404


def test_a_secret_key_is_told_that_it_does_not_belong_into_a_browser(world: World) -> None:
    status, answer, _ = ask(world, world.keys["secret"])
    assert (status, answer["code"]) == (403, "secret_key_in_browser")
    assert "does not belong into a browser" in answer["message"]
    assert world.keys["secret"] not in json.dumps(answer)


def test_settings_cost_one_read_of_the_key_a_minute(world: World) -> None:
    ask(world, world.keys["publishable"])
    world.recorder.clear()
    ask(world, world.keys["publishable"])
    assert world.recorder.calls == []
