"""Reports of text messages: beside those of mails, one by one, as files and on the command line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from tests.functional.test_cli_people import Command, tidings
from tests.functional.test_text_events import text, texting, told
from tests.support.world import THEIR_NUMBER, World

__all__ = ["texting", "tidings"]


@pytest.fixture
def reported(texting: World) -> World:
    """Two texts of a template, one delivered and one not, and a third that was kept back."""
    for key, kind in (("k-1", "TEXT_DELIVERED"), ("k-2", "TEXT_INVALID")):
        sent = text(texting, key, kind="transactional")
        told(texting, kind, sent, totalMessagePrice=0.02975 if key == "k-1" else 0, totalCarrierFee=0.001)
    order = {"to": {"user_id": "ola"}, "text": "Hello", "idempotency_key": "k-3", "kind": "transactional"}
    assert texting.call("send_sms", "POST /v1/sms", order)[1]["state"] == "skipped"
    return texting


def test_texts_and_mails_are_counted_apart(reported: World) -> None:
    _, texts = reported.call("reports", "GET /v1/reports/sms")
    counts = texts["totals"]["counts"]
    assert (counts["sent"], counts["delivered"], counts["undelivered"], counts["skipped"]) == (2, 1, 1, 1)
    assert (counts["parts"], counts["cost_micro_usd"], counts["carrier_fee_micro_usd"]) == (2, 29_750, 2_000)
    assert texts["totals"]["rates"]["delivered"] == 0.5
    _, mails = reported.call("reports", "GET /v1/reports/email")
    assert mails["rows"] == []
    assert "parts" not in mails["totals"]["counts"]
    assert "hard_bounced" not in counts


def test_texts_are_listed_with_what_they_cost_and_mails_are_not(reported: World) -> None:
    _, found = reported.call("reports", "GET /v1/reports/sms/messages", query={"address": THEIR_NUMBER})
    assert {(one["state"], one["price"], one["fee"], one["parts"]) for one in found["messages"]} == {
        ("delivered", "0.02975", "0.001", 1), ("undelivered", "0", "0.001", 1), ("skipped", "", "", 0),
    }  # fmt: skip
    _, missed = reported.call("reports", "GET /v1/reports/sms/messages", query={"problem": "undelivered"})
    assert [(one["state"], one["reason"]) for one in missed["messages"]] == [("undelivered", "TEXT_INVALID")]
    assert reported.call("reports", "GET /v1/reports/email/messages")[1]["messages"] == []


def test_a_report_of_texts_is_a_file_where_csv_is_asked_for(reported: World) -> None:
    query = {"format": "csv", "by": "day"}
    _, answer = reported.call("reports", "GET /v1/reports/sms", query=query)
    [row] = csv.DictReader(io.StringIO(answer["text"]))
    assert (row["sent"], row["parts"], row["cost_micro_usd"], row["delivered_rate"]) == ("2", "2", "29750", "0.5")
    _, answer = reported.call("reports", "GET /v1/reports/sms/messages", query={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer["text"])))
    assert {row["price"] for row in rows} == {"0.02975", "0", ""}


def test_the_command_line_shows_texts_with_dollars(reported: World, tidings: Command, tmp_path: Path) -> None:
    code, said = tidings("report", "--channel", "sms", "--by", "day")
    assert code == 0
    assert "Texts decided from" in said
    assert "2 2 1 (50.0%) 1 (50.0%) 0 0 0 $0.02975 $0.002 0 1" in said
    assert "texts problem reason" in said
    assert "1 undelivered TEXT_INVALID" in said
    code, said = tidings("report", "messages", "--channel", "sms", "--problem", "undelivered")
    assert (code, THEIR_NUMBER in said) == (0, True)
    code, said = tidings("report", "--channel", "sms", "--csv", str(tmp_path / "texts.csv"))
    assert (code, "cost_micro_usd" in (tmp_path / "texts.csv").read_text(encoding="utf-8")) == (0, True)
