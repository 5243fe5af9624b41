"""Reports: what became of mails in numbers and one by one, exact however often and in whatever order it is told."""

from __future__ import annotations

import csv
import io
import json
import random
from datetime import timedelta
from typing import Any

import pytest
from tests.support.front import Front
from tests.support.recorder import Call
from tests.support.world import World
from werkzeug.test import Client

from tidings.messages import listing
from tidings.messages.reports import COUNTED_OF

WELCOME = {
    "automation": "welcome",
    "trigger": {"event": "Signed Up"},
    "start": "tips",
    "components": {"tips": {"type": "send_email", "template": "tips"}},
}
PEOPLE = ("ada", "bob", "cleo", "dan")


@pytest.fixture
def sent(world: World) -> World:
    """Four people got the tips, and Ada a receipt by the API."""
    world.template("tips")
    world.template("receipt")
    world.automation(WELCOME)
    for user in PEOPLE:
        world.identify(user, email=f"{user}@people.example", first_name=user.title())
        world.track(user, "Signed Up")
    world.run()
    order = {"to": {"user_id": "ada"}, "template": "receipt", "kind": "transactional", "idempotency_key": "k-1"}
    assert world.call("send_email", "POST /v1/emails", order)[0] == 202
    return world


def report(world: World, **query: str) -> dict[str, Any]:
    status, answer = world.call("reports", "GET /v1/reports/email", query=query)
    assert status == 200, answer
    return answer


def listed(world: World, **query: str) -> list[dict[str, Any]]:
    """All that is listed, page after page."""
    found, cursor = [], ""
    while True:
        asked = {**query, **({"cursor": cursor} if cursor else {})}
        status, answer = world.call("reports", "GET /v1/reports/email/messages", query=asked)
        assert status == 200, answer
        found += answer["messages"]
        cursor = answer["cursor"]
        if not cursor:
            return found


def refused(world: World, route: str = "", **query: str) -> tuple[int, str]:
    status, answer = world.call("reports", f"GET /v1/reports/email{route}", query=query)
    return status, answer["code"]


def counts(world: World, **query: str) -> dict[str, int]:
    """What all mails together came to, without what did not happen."""
    return {name: number for name, number in report(world, **query)["totals"]["counts"].items() if number}


def file(world: World, path: str, **headers: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The headers and the rows of a CSV answer."""
    given = {"authorization": f"Bearer {world.keys['secret']}", **headers}
    answer = Client(Front(world)).open(path, headers=given)
    assert answer.status_code == 200, answer.text
    return {k.lower(): v for k, v in answer.headers.items()}, list(csv.DictReader(io.StringIO(answer.text, newline="")))


def happened(world: World) -> list[dict[str, Any]]:
    """What SES tells: Ada and Bob got it, Ada opened and clicked, Cleo's bounced, Dan complained."""
    to = {user: world.ses.to(f"{user}@people.example")[0] for user in PEOPLE}
    bounce = {"bounceType": "Permanent", "bounceSubType": "NoEmail", "feedbackId": "f-1"}
    bounced = [{"emailAddress": "cleo@people.example", "status": "5.1.1", "diagnosticCode": "550 unknown"}]
    complained = [{"emailAddress": "dan@people.example"}]
    look = {"ipAddress": "203.0.113.4", "userAgent": "Mozilla/5.0 (Windows NT 10.0) Firefox/130.0"}
    events = [world.ses.event("Send", mail) for mail in to.values()]
    events += [world.ses.event("Delivery", to[user]) for user in ("ada", "bob", "dan")]
    events.append(world.ses.event("Bounce", to["cleo"], bouncedRecipients=bounced, **bounce))
    events.append(world.ses.event("Complaint", to["dan"], complainedRecipients=complained, feedbackId="f-2"))
    later = {**look, "timestamp": "2026-11-21T11:00:00.000Z"}
    events.append(world.ses.event("Open", to["ada"], **later))
    events.append(world.ses.event("Click", to["ada"], link="https://acme.example/tips", **later))
    return events


# --- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_exact_however_often_and_in_whatever_order_feedback_comes(sent: World, seed: int) -> None:
    told = happened(sent) * 3
    random.Random(seed).shuffle(told)  # noqa: S311 - an order, not a secret
    sent.now += timedelta(hours=3)
    for event in told:
        sent.feedback(event)
    for put_off in sent.messages_in("feedback"):  # clicks that were looked at again later
        sent.invoke(
            "ses_events", {"Records": [{"messageId": "q-2", "body": json.dumps(put_off), "eventSource": "aws:sqs"}]}
        )
    found = counts(sent, automation="welcome")
    once = {"sent": 4, "delivered": 3, "hard_bounced": 1, "complained": 1, "opened": 1, "clicked": 1}
    assert {name: found.get(name, 0) for name in once} == once
    assert not {"machine_opened", "machine_clicked", "unknown", "soft_bounced"} & found.keys()


def test_rates_compare_with_what_was_sent_and_what_was_delivered(sent: World) -> None:
    sent.now += timedelta(hours=3)
    for event in happened(sent):
        sent.feedback(event)
    (row,) = report(sent, automation="welcome")["rows"]
    assert (row["rates"]["delivered"], row["rates"]["hard_bounced"]) == (0.75, 0.25)
    assert (row["rates"]["complained"], row["rates"]["soft_bounced"]) == (round(1 / 3, 6), 0.0)
    (receipt,) = report(sent, template="receipt")["rows"]
    assert (receipt["rates"]["delivered"], receipt["rates"]["opened"]) == (0.0, None)


def test_a_template_s_row_tells_what_ordered_its_mails(sent: World) -> None:
    sent.automation({**WELCOME, "automation": "again", "trigger": {"event": "Came Back"}})
    sent.track("ada", "Came Back")
    sent.run()
    rows = {row["template"]: row for row in report(sent)["rows"]}
    assert rows["tips"]["counts"]["sent"] == 5
    assert [source["name"] for source in rows["tips"]["sources"]] == ["welcome", "again"]
    assert rows["receipt"]["sources"] == [{"source": "api", "name": ""}]


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("automation", [("",), ("welcome",)]),
        ("component", [("", ""), ("welcome", "tips")]),
        ("source", [("api",), ("automation",)]),
        ("kind", [("marketing",), ("transactional",)]),
        ("version", [("receipt", 1), ("tips", 1)]),
        ("day", [("2026-11-21",)]),
        ("day,template", [("2026-11-21", "receipt"), ("2026-11-21", "tips")]),
    ],
)
def test_rows_are_put_together_by_what_is_asked(sent: World, by: str, keys: list[tuple[Any, ...]]) -> None:
    parts = {"component": ["automation", "component"], "version": ["template", "version"]}.get(by, by.split(","))
    rows = report(sent, by=by)["rows"]
    assert [tuple(row[part] for part in parts) for row in rows] == keys
    assert sum(row["counts"]["sent"] for row in rows) == 5


def test_what_is_not_sent_and_what_the_provider_refuses_is_counted_with_its_reason(sent: World) -> None:
    sent.identify("eve", first_name="Eve")
    sent.ses.failing = ["MessageRejected"]
    for user in ("eve", "bob"):
        order = {
            "to": {"user_id": user},
            "template": "receipt",
            "kind": "transactional",
            "idempotency_key": f"k-{user}",
        }
        sent.call("send_email", "POST /v1/emails", order)
    sent.call(
        "suppressions",
        "PUT /v1/suppressions/{channel}/{address}",
        path={"channel": "email", "address": "dan@people.example"},
    )
    sent.track("dan", "Signed Up")
    sent.run()
    errors = report(sent)["totals"]["errors"]
    told = {(one["problem"], one["reason"].split(":")[0]): one["messages"] for one in errors}
    assert told == {("skipped", "address"): 1, ("skipped", "suppression"): 1, ("refused", "MessageRejected"): 1}


def test_a_mail_counts_on_the_day_that_it_was_decided(sent: World) -> None:
    sent.now += timedelta(days=2)
    for event in happened(sent):
        sent.feedback(event)
    assert counts(sent, **{"from": "2026-11-23"}) == {}
    assert counts(sent, **{"from": "2026-11-21", "to": "2026-11-21"})["delivered"] == 3


def test_a_long_report_comes_in_pages_with_the_same_totals(sent: World) -> None:
    first = report(sent, by="template", limit="1")
    second = report(sent, by="template", limit="1", cursor=first["cursor"])
    assert [row["template"] for row in (*first["rows"], *second["rows"])] == ["receipt", "tips"]
    assert first["totals"] == second["totals"]
    assert second["cursor"] == ""
    assert refused(sent, by="source", cursor=first["cursor"]) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"from": "2026-11-22", "to": "2026-11-21"}, "invalid_period"),
        ({"from": "2026-01-01", "to": "2026-04-03"}, "invalid_period"),
        ({"from": "yesterday"}, "invalid_period"),
        ({"to": "2026-W47-1"}, "invalid_period"),
        ({"by": "colour"}, "unknown_grouping"),
        ({"source": "pigeon"}, "unknown_source"),
        ({"kind": "junk"}, "unknown_message_kind"),
        ({"format": "xlsx"}, "unknown_format"),
        ({"limit": "201"}, "invalid_limit"),
    ],
)
def test_a_report_that_cannot_be_is_refused(world: World, query: dict[str, str], code: str) -> None:
    assert refused(world, **query) == (400, code)


def test_ninety_two_days_are_reported(world: World) -> None:
    assert report(world, **{"from": "2026-01-01", "to": "2026-04-02"})["rows"] == []


def test_a_report_is_read_in_sixteen_queries(sent: World) -> None:
    sent.recorder.clear()
    report(sent)
    assert [call.name for call in sent.recorder.calls if "Reports" in str(call.arguments)] == ["dynamodb:Query"] * 16


# --- one by one ------------------------------------------------------------------------------------------------------


def test_messages_are_listed_by_what_ordered_them_whatever_the_page(sent: World) -> None:
    wanted = {message["message"] for message in listed(sent, automation="welcome")}
    assert len(wanted) == 4
    for limit in ("1", "3"):
        pages = [one["message"] for one in listed(sent, automation="welcome", limit=limit)]
        assert len(pages) == len(set(pages))
        assert set(pages) == wanted
    (receipt,) = listed(sent, source="api")
    assert (receipt["template"], receipt["automation"], receipt["state"]) == ("receipt", "", "accepted")
    assert len(listed(sent)) == 5
    assert len(listed(sent, template="tips")) == 4


def test_messages_are_listed_latest_first(sent: World) -> None:
    for _ in range(3):
        sent.now += timedelta(minutes=1)
        sent.track("bob", "Signed Up")
        sent.run()
    tried = [one["last_tried_at"] for one in listed(sent, limit="2")]
    assert tried == sorted(tried, reverse=True)
    assert len(tried) == 8


def test_what_was_not_delivered_is_listed_with_the_reason_and_the_address(sent: World) -> None:
    for event in happened(sent):
        sent.feedback(event)
    (bounced,) = listed(sent, problem="undelivered")
    assert (bounced["address"], bounced["state"], bounced["error"]) == (
        "cleo@people.example",
        "bounced",
        "Permanent/NoEmail",
    )
    assert bounced["reason"]
    assert [one["address"] for one in listed(sent, state="complained")] == ["dan@people.example"]
    assert listed(sent, state="delivered", problem="undelivered") == []


def test_the_delivery_state_of_an_address_is_told_over_all_that_was_meant_for_it(sent: World) -> None:
    for event in happened(sent):
        sent.feedback(event)
    found = listed(sent, address="Ada@people.example")
    assert {(one["template"], one["state"]) for one in found} == {("tips", "delivered"), ("receipt", "accepted")}
    assert [one["template"] for one in listed(sent, address="ada@people.example", source="api")] == ["receipt"]
    sent.identify("ada", email="new@people.example")
    assert len(listed(sent, address="ada@people.example")) == 2
    assert listed(sent, address="new@people.example") == []


def test_of_an_erased_person_no_address_is_listed(sent: World) -> None:
    sent.erase(sent.contact(user_id="ada")["contact"])
    assert "ada@people.example" not in str(listed(sent))
    assert counts(sent)["sent"] == 5


def test_a_page_is_bounded_where_a_filter_lets_few_through(sent: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    monkeypatch.setattr(listing, "LOOKED_AT", 2)
    query = {"template": "receipt", "automation": "welcome"}
    status, answer = sent.call("reports", "GET /v1/reports/email/messages", query=query)
    assert (status, answer["messages"]) == (200, [])
    assert answer["cursor"]
    assert listed(sent, **query) == []


def test_more_sources_than_can_be_merged_are_refused(sent: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_SOURCES", 1)
    assert refused(sent, "/messages") == (400, "too_many_sources")
    assert len(listed(sent, automation="welcome")) == 4


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"state": "lost"}, "invalid_state"),
        ({"problem": "boredom"}, "unknown_problem"),
        ({"address": "nowhere"}, "invalid_address"),
        ({"cursor": "x"}, "invalid_cursor"),
        ({"from": "2026-11-22", "to": "2026-11-21"}, "invalid_period"),
    ],
)
def test_a_list_that_cannot_be_is_refused(world: World, query: dict[str, str], code: str) -> None:
    assert refused(world, "/messages", **query) == (400, code)


def test_a_page_of_messages_is_read_in_one_batch(sent: World) -> None:
    sent.recorder.clear()
    listed(sent, automation="welcome")
    calls = [call for call in sent.recorder.calls if "ApiKeys" not in str(call.arguments)]
    assert sorted(_short(call) for call in calls) == ["BatchGetItem", *["Query reported"] * 4]


def _short(call: Call) -> str:
    return f"{call.operation} {call.arguments['IndexName']}" if "IndexName" in call.arguments else call.operation


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_report_is_a_file_where_csv_is_asked_for(sent: World) -> None:
    headers, rows = file(sent, "/v1/reports/email?format=csv")
    assert headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert headers["content-disposition"] == 'attachment; filename="report-2026-10-23-2026-11-21.csv"'
    shown = report(sent)["rows"]
    assert [row["template"] for row in rows] == [row["template"] for row in shown]
    for row, line in zip(rows, shown, strict=True):
        assert {name: int(row[name]) for name in COUNTED_OF["email"]} == line["counts"]
        rates = {name: float(row[f"{name}_rate"]) if row[f"{name}_rate"] else None for name in line["rates"]}
        assert rates == line["rates"]


def test_messages_are_a_file_page_by_page(sent: World) -> None:
    headers, first = file(sent, "/v1/reports/email/messages?automation=welcome&limit=3", accept="text/csv")
    cursor = headers["x-next-cursor"]
    headers, rest = file(sent, f"/v1/reports/email/messages?automation=welcome&limit=3&format=csv&cursor={cursor}")
    assert (len(first), len(rest), headers.get("x-next-cursor")) == (3, 1, None)
    assert {row["address"] for row in (*first, *rest)} == {f"{user}@people.example" for user in PEOPLE}


def test_json_wins_where_it_is_asked_for_by_name(sent: World) -> None:
    answer = Client(Front(sent)).open(
        "/v1/reports/email?format=json",
        headers={"authorization": f"Bearer {sent.keys['secret']}", "accept": "text/csv"},
    )
    assert answer.get_json()["totals"]["counts"]["sent"] == 5
