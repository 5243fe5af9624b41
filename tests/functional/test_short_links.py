"""Short links in text messages: where they lead, who is counted, and who is not."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ReadTimeoutError
from tests.support.recorder import Recorder
from tests.support.world import PUBLIC_URL, THEIR_NUMBER, World

from tidings.core.clock import to_text

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
SHOP = "https://shop.example/cart?a=1&b=%C5%BC#pay"
_LINK = re.compile(rf"{PUBLIC_URL}/l/([a-z2-7]+)")


@pytest.fixture
def texting(world: World) -> World:
    world.identify("ola", first_name="Ola", phone=THEIR_NUMBER)
    return world


def text(world: World, body: str, key: str = "k-1", **more: Any) -> dict[str, Any]:
    order = {"to": {"user_id": "ola"}, "text": body, "idempotency_key": key, "kind": "transactional", **more}
    status, answer = world.call("send_sms", "POST /v1/sms", order)
    assert (status, answer["state"]) == (202, "accepted"), answer
    return answer


def codes(world: World) -> list[str]:
    return _LINK.findall(world.sms.accepted[-1]["MessageBody"])


def follow(
    world: World, code: str, method: str = "GET", agent: str = PHONE, ip: str = "203.0.113.9", **headers: str
) -> dict[str, Any]:
    event = {
        "version": "2.0",
        "routeKey": f"{method} /l/{{code}}",
        "headers": {"user-agent": agent, **headers},
        "pathParameters": {"code": code},
        "requestContext": {"http": {"method": method, "sourceIp": ip}, "requestId": world.fresh()},
        "isBase64Encoded": False,
    }
    answer: dict[str, Any] = world.invoke("links", event)
    return answer


def clicks(world: World, message: str) -> list[dict[str, Any]]:
    status, answer = world.call("messages", "GET /v1/messages/{message}/clicks", path={"message": message})
    assert status == 200, answer
    found: list[dict[str, Any]] = answer["clicks"]
    return found


def report(world: World) -> dict[str, int]:
    status, answer = world.call("reports", "GET /v1/reports/sms")
    assert status == 200, answer
    counts: dict[str, int] = answer["totals"]["counts"]
    return counts


def delivered(world: World) -> None:
    assert world.told_of_text(world.sms.event("TEXT_DELIVERED", world.sms.accepted[-1]))
    world.now += timedelta(minutes=10)


def test_a_link_is_short_and_leads_to_what_stood_in_the_text_with_the_message_in_it(texting: World) -> None:
    sent = text(texting, f"Pay at {SHOP}, please.")
    [code] = codes(texting)
    assert texting.sms.accepted[-1]["MessageBody"] == f"Pay at {PUBLIC_URL}/l/{code}, please."
    assert len(code) * 5 >= 120
    answer = follow(texting, code)
    base, _, fragment = SHOP.partition("#")
    assert (answer["statusCode"], answer["headers"]["location"]) == (302, f"{base}&tid={sent['message']}#{fragment}")
    assert answer["headers"]["cache-control"] == "no-store"


def test_the_same_link_for_another_person_or_message_has_another_code(texting: World) -> None:
    text(texting, f"{SHOP} {SHOP}", "k-1")
    first = codes(texting)
    text(texting, SHOP, "k-2")
    assert len(set(first)) == 1
    assert set(codes(texting)).isdisjoint(first)


def test_a_person_s_click_is_kept_with_time_ip_and_agent_and_caused_by_the_message(texting: World) -> None:
    sent = text(texting, SHOP)
    [code] = codes(texting)
    delivered(texting)
    at = texting.now
    follow(texting, code)
    texting.take_clicks()
    [click] = clicks(texting, sent["message"])
    assert (click["ip"], click["user_agent"], click["machine"]) == ("203.0.113.9", PHONE, False)
    assert click["at"] == at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert urlsplit(click["url"]).netloc == "shop.example"
    [event] = [one for one in texting.of_contact(sent["contact"], "events") if one["event"] == "SMS Link Clicked"]
    assert (event["cause"], event["root"]) == (sent["node"], sent["root"])
    assert (report(texting)["clicked"], report(texting)["clicks"]) == (1, 1)


def test_a_message_is_clicked_once_and_every_click_counts(texting: World) -> None:
    sent = text(texting, f"{SHOP} https://other.example")
    one, other = codes(texting)
    delivered(texting)
    for code in (one, one, other):
        follow(texting, code)
        texting.now += timedelta(minutes=1)
    texting.take_clicks()
    assert len(clicks(texting, sent["message"])) == 3
    assert (report(texting)["clicked"], report(texting)["clicks"]) == (1, 3)


def test_a_click_that_the_queue_delivers_twice_counts_once(texting: World) -> None:
    text(texting, SHOP)
    delivered(texting)
    follow(texting, codes(texting)[0])
    [body] = texting.messages_in("sms_events")
    texting.function("sms_events").feedback.click(body["Click"])
    texting.function("sms_events").feedback.click(body["Click"])
    assert report(texting)["clicks"] == 1


@pytest.mark.parametrize(
    "agent", ["WhatsApp/2.24", "TelegramBot (like TwitterBot)", "facebookexternalhit/1.1", "curl/8"]
)
def test_what_makes_a_preview_is_a_machine_and_stands_apart(texting: World, agent: str) -> None:
    sent = text(texting, SHOP)
    delivered(texting)
    assert follow(texting, codes(texting)[0], agent=agent)["statusCode"] == 302
    texting.take_clicks()
    assert [click["machine"] for click in clicks(texting, sent["message"])] == [True]
    counts = report(texting)
    assert (counts["clicked"], counts["clicks"], counts["machine_clicked"], counts["machine_clicks"]) == (0, 0, 1, 1)


def test_a_phone_that_follows_a_link_right_away_is_judged_when_its_companions_are_known(texting: World) -> None:
    sent = text(texting, " ".join(f"https://{name}.example" for name in "abc"))
    assert texting.told_of_text(texting.sms.event("TEXT_DELIVERED", texting.sms.accepted[-1]))
    texting.now += timedelta(seconds=20)
    for code in codes(texting):
        follow(texting, code)
    texting.take_clicks()
    assert [click["machine"] for click in clicks(texting, sent["message"])] == [True] * 3
    assert "all_links_at_once" in clicks(texting, sent["message"])[0]["reasons"]


@pytest.mark.parametrize(("seconds", "reasons"), [(1, ["very_fast"]), (5, ["fast"]), (11, [])])
def test_how_soon_after_the_phone_had_it_a_link_is_followed_counts(
    texting: World, seconds: int, reasons: list[str]
) -> None:
    sent = text(texting, SHOP)
    texting.now += timedelta(minutes=1)
    at = int(texting.now.timestamp() * 1000)
    told = texting.sms.event("TEXT_DELIVERED", texting.sms.accepted[-1], eventTimestamp=at)
    assert texting.told_of_text(told)
    texting.now += timedelta(seconds=seconds)
    follow(texting, codes(texting)[0])
    texting.take_clicks()
    assert [click["reasons"] for click in clicks(texting, sent["message"])] == [reasons]


def test_a_click_tells_that_a_text_whose_answer_was_lost_was_sent_and_when(texting: World) -> None:
    texting.sms.failing = ["timeout"]
    order = {"to": {"user_id": "ola"}, "text": SHOP, "idempotency_key": "k-1", "kind": "transactional"}
    status, answer = texting.call("send_sms", "POST /v1/sms", order)
    assert (status, answer["state"]) == (202, "claimed")
    tried = texting.now
    texting.now += timedelta(minutes=3)
    follow(texting, codes(texting)[0])
    texting.take_clicks()
    path = {"message": answer["message"]}
    status, stands = texting.call("messages", "GET /v1/messages/{message}", path=path)
    assert (status, stands["state"]) == (200, "accepted")
    assert stands["history"]["accepted"] == to_text(tried)
    assert (report(texting)["sent"], report(texting)["clicked"]) == (1, 1)


@pytest.mark.parametrize("how", [{"method": "HEAD"}, {"sec-purpose": "prefetch;prerender"}, {"x-purpose": "preview"}])
def test_who_only_looks_ahead_is_led_on_and_not_counted(texting: World, how: dict[str, str]) -> None:
    text(texting, SHOP)
    answer = follow(texting, codes(texting)[0], **how)
    assert (answer["statusCode"], answer["headers"]["location"][:20]) == (302, SHOP[:20])
    assert texting.messages_in("sms_events") == []


@pytest.mark.parametrize("code", ["a" * 24, "short", "https://evil.example", "%0d%0aX", "A" * 500, "ą" * 24])
def test_nothing_but_a_code_of_ours_leads_anywhere(texting: World, code: str) -> None:
    answer = follow(texting, code)
    assert answer["statusCode"] == 404
    assert "location" not in answer["headers"]
    assert "<html" in answer["body"]


def test_what_a_person_says_of_themselves_makes_no_short_link(texting: World) -> None:
    texting.identify("ola", website="https://evil.example/x")
    text(texting, "Yours: {{ contact.website }}, ours: https://shop.example/{{ contact.first_name }}")
    assert "Yours: https://evil.example/x, ours:" in texting.sms.accepted[-1]["MessageBody"]
    [code] = codes(texting)
    assert follow(texting, code)["headers"]["location"].startswith("https://shop.example/Ola?")


def test_an_address_in_the_variables_that_a_template_brings_is_short(texting: World) -> None:
    brings = {"shop": "https://shop.example"}
    texting.template("sale", channel="sms", subject="", text="{{ variables.shop }}/sale", variables=brings)
    text(texting, "", template="sale")
    assert follow(texting, codes(texting)[0])["headers"]["location"].startswith("https://shop.example/sale")


def test_an_address_in_the_variables_of_an_order_is_short(texting: World) -> None:
    text(texting, "Pay at {{ variables.pay.at }}.", variables={"pay": {"at": SHOP}})
    assert follow(texting, codes(texting)[0])["headers"]["location"].startswith("https://shop.example/cart")


def test_a_code_in_capitals_is_the_same_code(texting: World) -> None:
    text(texting, SHOP)
    assert follow(texting, codes(texting)[0].upper())["statusCode"] == 302


def test_a_year_later_a_link_leads_nowhere_and_says_so_in_the_name_of_who_wrote(texting: World) -> None:
    text(texting, SHOP)
    [code] = codes(texting)
    texting.now += timedelta(days=365) - timedelta(seconds=1)
    assert follow(texting, code)["statusCode"] == 302
    texting.now += timedelta(seconds=1)
    answer = follow(texting, code)
    assert (answer["statusCode"], "Acme" in answer["body"]) == (404, True)
    assert follow(texting, code, "HEAD")["body"] == ""


def test_the_way_out_of_marketing_is_short_changes_nothing_and_is_no_click(texting: World) -> None:
    text(texting, f"Sale at {SHOP}", kind="marketing", sender="ACME")
    _, out = codes(texting)
    answer = follow(texting, out)
    assert answer["headers"]["location"].startswith(f"{PUBLIC_URL}/u/")
    assert urlsplit(answer["headers"]["location"]).query == ""
    assert texting.messages_in("sms_events") == []
    text(texting, SHOP, "k-2", kind="marketing")


def test_a_redirect_is_one_read_and_one_message_to_a_queue(texting: World, recorder: Recorder) -> None:
    text(texting, SHOP)
    [code] = codes(texting)
    follow(texting, code)
    recorder.calls.clear()
    follow(texting, code)
    assert recorder.names() == ["dynamodb:GetItem", "sqs:SendMessage"]


def test_whoever_follows_a_link_is_led_on_though_nothing_can_be_counted(
    texting: World, recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    text(texting, SHOP)
    [code] = codes(texting)

    def fail(call: Any) -> None:
        if call.name == "sqs:SendMessage":
            raise ReadTimeoutError(endpoint_url="https://sqs")

    recorder.before = fail
    answer = follow(texting, code)
    recorder.before = None
    assert answer["statusCode"] == 302
    out = capsys.readouterr()
    assert '"ClicksNotKept": 1' in out.out
    assert "203.0.113.9" not in out.out + out.err


def test_a_link_of_one_workspace_counts_for_it_alone(texting: World) -> None:
    sent = text(texting, SHOP)
    delivered(texting)
    follow(texting, codes(texting)[0])
    texting.take_clicks()
    status, answer = texting.call(
        "messages", "GET /v1/messages/{message}/clicks", key=texting.other_secret, path={"message": sent["message"]}
    )
    assert (status, answer["code"]) == (404, "unknown_message")
    assert (
        texting.call("reports", "GET /v1/reports/sms", key=texting.other_secret)[1]["totals"]["counts"]["clicks"] == 0
    )


def test_what_a_person_clicked_who_was_erased_is_nobody_s_business(texting: World) -> None:
    sent = text(texting, SHOP)
    [code] = codes(texting)
    delivered(texting)
    follow(texting, code)
    texting.erase(sent["contact"])
    texting.take_clicks(pump=False)
    assert not [one for one in texting.items("TABLE_EVENTS") if "SMS Link" in str(one)]


def test_the_links_of_a_person_who_was_erased_are_gone(texting: World) -> None:
    sent = text(texting, f"{SHOP} https://other.example")
    texting.erase(sent["contact"])
    assert texting.items("TABLE_SHORT_LINKS") == []


def test_a_link_that_cannot_be_looked_up_asks_to_try_again(texting: World, recorder: Recorder) -> None:
    text(texting, SHOP)
    [code] = codes(texting)

    def fail(call: Any) -> None:
        if call.name == "dynamodb:GetItem":
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

    recorder.before = fail
    answer = follow(texting, code)
    recorder.before = None
    assert (answer["statusCode"], "Please try again" in answer["body"]) == (503, True)
    assert texting.messages_in("sms_events") == []
