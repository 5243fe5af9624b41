"""Where a short link's code leads on: at the host that stood in the text, and at nobody else's domain."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.support.recorder import Recorder
from tests.support.world import THEIR_NUMBER, World, variables

SHOP = "https://shop.example/cart"
API = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"  # the API's own address, which every stack has
OUR_HOST, THEIR_HOST, SHORT_HOST = "mail.acme.example", "go.other.example", "go.acme.example"
NO_CODE = "a" * 24
_LINK = re.compile(r"/l/([a-z2-7]{24})")


@pytest.fixture
def texting(world: World) -> World:
    world.identify("ola", phone=THEIR_NUMBER)
    return world


def texted(world: World, key: str = "k-1", **more: Any) -> str:
    """Send a text with a link to the shop; the link's code."""
    order = {"to": {"user_id": "ola"}, "text": SHOP, "idempotency_key": key, "kind": "transactional", **more}
    status, answer = world.call("send_sms", "POST /v1/sms", order)
    assert status == 202, answer
    [code] = _LINK.findall(world.sms.accepted[-1]["MessageBody"])
    return str(code)


def lead_to(world: World, short_url: str | None, key: str = "secret") -> None:
    """Let the short links of texts from now on begin with an address."""
    status, answer = world.call("sender_ids", "PUT /v1/sms/setup", {"short_url": short_url}, key)
    assert status == 200, answer


def follow(world: World, code: str, domain: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    told = {"http": {"method": method, "sourceIp": "203.0.113.9"}, "requestId": world.fresh(), "apiId": "a1b2c3d4e5"}
    event = {
        "version": "2.0",
        "routeKey": f"{method} /l/{{code}}",
        "headers": headers,
        "pathParameters": {"code": code},
        "requestContext": {**told, **({"domainName": domain} if domain else {})},
        "isBase64Encoded": False,
    }
    answer: dict[str, Any] = world.invoke("links", event)
    return answer


def leads(world: World, code: str, domain: str, **how: str) -> bool:
    """Whether a code leads to the shop; where it does not it is answered as a code that there is not."""
    answer = follow(world, code, domain, **how)
    if answer["statusCode"] == 302:
        assert answer["headers"]["location"].startswith(SHOP)
        return True
    assert answer["statusCode"] == 404
    assert answer == follow(world, NO_CODE, domain, **how)
    return False


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_code_leads_nowhere_at_the_domain_of_another_workspace(
    texting: World, recorder: Recorder, method: str
) -> None:
    lead_to(texting, f"https://{THEIR_HOST}", texting.other_secret)
    code = texted(texting)
    assert leads(texting, code, OUR_HOST, method=method)
    texting.messages_in("sms_events")  # that one was counted
    recorder.calls.clear()
    answer = follow(texting, code, THEIR_HOST, method)
    assert recorder.names() == ["dynamodb:GetItem"]
    assert answer == follow(texting, NO_CODE, THEIR_HOST, method)
    assert (answer["statusCode"], "location" in answer["headers"], "Acme" in answer["body"]) == (404, False, False)
    assert texting.messages_in("sms_events") == []


def test_not_even_that_a_link_expired_is_said_at_the_domain_of_another_workspace(texting: World) -> None:
    code = texted(texting)
    texting.now += timedelta(days=365)
    assert "Acme" in follow(texting, code, OUR_HOST)["body"]
    assert not leads(texting, code, THEIR_HOST)


@pytest.mark.parametrize(
    "domain", [OUR_HOST, OUR_HOST.upper(), f"{OUR_HOST}.", API, "a1b2c3d4e5.execute-api.localhost", ""]
)
def test_a_code_leads_on_at_its_own_domain_and_at_the_address_of_the_api(texting: World, domain: str) -> None:
    assert leads(texting, texted(texting), domain)


@pytest.mark.parametrize("domain", [API.replace("a1b2", "x1y2"), f"{OUR_HOST}.evil.example", "acme.example"])
def test_a_domain_that_only_looks_alike_is_another(texting: World, domain: str) -> None:
    assert not leads(texting, texted(texting), domain)


@pytest.mark.parametrize(
    ("short_url", "domain"),
    [
        (f"https://{SHORT_HOST}", SHORT_HOST),
        (f"https://{SHORT_HOST}/to/", SHORT_HOST),
        (f"https://{SHORT_HOST.title()}:8443", SHORT_HOST),
        (f"https://{SHORT_HOST}.", SHORT_HOST),
        ("http://127.0.0.1:4040", "a1b2c3d4e5.execute-api.localhost"),
        (f"https://{API}", API),
    ],
)
def test_short_links_with_an_address_of_their_own_lead_on_there_alone(
    texting: World, short_url: str, domain: str
) -> None:
    lead_to(texting, short_url)
    code = texted(texting)
    assert f"{short_url.rstrip('/')}/l/{code}" in texting.sms.accepted[-1]["MessageBody"]
    assert leads(texting, code, domain)
    assert not leads(texting, code, OUR_HOST)


def test_links_from_before_a_change_of_the_address_lead_on_where_they_did(texting: World) -> None:
    old = texted(texting, "k-1")
    lead_to(texting, f"https://{SHORT_HOST}")
    new = texted(texting, "k-2")
    lead_to(texting, None)
    assert [leads(texting, old, host) for host in (OUR_HOST, SHORT_HOST)] == [True, False]
    assert [leads(texting, new, host) for host in (OUR_HOST, SHORT_HOST)] == [False, True]


def test_a_text_that_is_sent_again_from_another_address_leads_on_at_both(texting: World) -> None:
    texting.sms.failing = ["timeout"]  # it arrives, and nobody knows
    first = texted(texting, on_unknown="resend")
    lead_to(texting, f"https://{SHORT_HOST}")
    texting.now += timedelta(minutes=5)
    assert texted(texting, on_unknown="resend") == first
    assert [SHORT_HOST in one["MessageBody"] for one in texting.sms.accepted] == [False, True]
    assert [leads(texting, first, host) for host in (OUR_HOST, SHORT_HOST, THEIR_HOST)] == [True, True, False]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("domain", "said", "home"),
    [
        (API, OUR_HOST, True),
        (API, f"{OUR_HOST.upper()}:443", True),
        (API, f"{OUR_HOST}, proxy.example", True),
        (API, THEIR_HOST, False),
        (API, f"{THEIR_HOST}, {OUR_HOST}", False),
        (API, f" ,{THEIR_HOST}", False),
        (API, f", {OUR_HOST}", True),
        (API, "[", True),  # nobody knows
        ("api.tidings.example", OUR_HOST, True),
        ("api.tidings.example", THEIR_HOST, False),
        (OUR_HOST, "inside.example", True),
    ],
)
def test_behind_a_proxy_the_host_is_what_the_proxy_says(
    texting: World, method: str, domain: str, said: str, home: bool
) -> None:
    assert leads(texting, texted(texting), domain, method=method, **{"x-forwarded-host": said}) is home


def test_no_host_that_a_request_names_is_ever_led_to(texting: World) -> None:
    code = texted(texting)
    for said in ("evil.example", OUR_HOST):
        answer = follow(texting, code, API, **{"host": "evil.example", "x-forwarded-host": said})
        assert "evil" not in str(answer)


def test_links_of_which_no_host_is_known_lead_on_everywhere(texting: World) -> None:
    code = texted(texting)
    with texting.recorder.unseen():
        texting.dynamodb.update_item(
            TableName=variables()["TABLE_SHORT_LINKS"], Key={"pk": {"S": code}}, UpdateExpression="REMOVE hosts"
        )
    assert leads(texting, code, OUR_HOST)
    assert leads(texting, code, THEIR_HOST)
