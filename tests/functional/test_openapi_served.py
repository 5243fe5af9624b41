"""GET /openapi.json: the description of the API, for anybody."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from tests.support.world import ROOT, World

FILE = ROOT / "functions" / "openapi" / "openapi.json"


def served(world: World, accepted: str | None = None) -> dict[str, Any]:
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    event = {"routeKey": "GET /openapi.json", "headers": headers, "requestContext": {"http": {"method": "GET"}}}
    answer: dict[str, Any] = world.invoke("openapi", event)
    return answer


def test_anybody_reads_the_description_without_a_key_and_without_a_call_of_aws(world: World) -> None:
    world.recorder.clear()
    answer = served(world)
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "application/json"
    assert answer["body"] == FILE.read_text(encoding="utf-8")
    assert world.recorder.calls == []


@pytest.mark.parametrize("accepted", ["gzip", "deflate, GZIP;q=0.5, br", "gzip; q=1.0"])
def test_whoever_takes_gzip_is_served_a_tenth(world: World, accepted: str) -> None:
    answer = served(world, accepted)
    packed = base64.b64decode(answer["body"])
    assert answer["isBase64Encoded"] is True
    assert answer["headers"]["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == FILE.read_bytes()
    assert len(packed) * 8 < FILE.stat().st_size


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "gzip; q=0.000", "gzipped", "br"])
def test_whoever_does_not_take_gzip_is_served_plain_text(world: World, accepted: str) -> None:
    answer = served(world, accepted)
    assert "content-encoding" not in answer["headers"]
    assert json.loads(answer["body"])["openapi"].startswith("3.1")


def test_caches_keep_both_apart(world: World) -> None:
    assert served(world)["headers"]["vary"] == served(world, "gzip")["headers"]["vary"] == "accept-encoding"
