"""The commands that report and explain, with the real handlers behind them."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

from tests.functional.test_cli_people import Command, tidings
from tests.functional.test_reports import happened, sent
from tests.functional.test_why import tour
from tests.support.world import World

__all__ = ["sent", "tidings", "tour"]


def test_a_report_shows_counts_with_their_rates_and_the_reasons(sent: World, tidings: Command) -> None:
    for event in happened(sent):
        sent.feedback(event)
    code, said = tidings("report", "--by", "template")
    assert code == 0
    assert "Mails decided from 2026-10-23 to 2026-11-21 (UTC)" in said
    assert "tips 4 3 (75.0%)" in said
    assert "all together 5 3 (60.0%)" in said
    assert "mails problem reason" in said
    assert "1 hard bounced Permanent/NoEmail" in said


def test_a_report_is_narrowed_down_by_what_is_given(sent: World, tidings: Command) -> None:
    assert "all together" not in tidings("report", "--automation", "welcome", "--by", "component")[1]
    assert "No mail was decided on these days." in tidings("report", "--to", "2026-11-20")[1]
    code, said = tidings("report", "--by", "colour")
    assert (code, "(unknown_grouping)" in said) == (1, True)


def test_a_report_s_file_has_every_row(sent: World, tidings: Command, tmp_path: Path) -> None:
    code, said = tidings("report", "--by", "template", "--csv", str(tmp_path / "report.csv"))
    assert (code, "2 rows" in said) == (0, True)
    rows = list(csv.DictReader((tmp_path / "report.csv").open(newline="", encoding="utf-8")))
    assert [(row["template"], row["sent"]) for row in rows] == [("receipt", "1"), ("tips", "4")]


def test_messages_are_listed_and_written_whole(sent: World, tidings: Command, tmp_path: Path) -> None:
    for event in happened(sent):
        sent.feedback(event)
    code, said = tidings("report", "messages", "--problem", "undelivered")
    assert code == 0
    assert "cleo@people.example bounced tips welcome (tips) Permanent/NoEmail" in said
    assert "There is no such mail." in tidings("report", "messages", "--in-state", "refused")[1]
    tidings("report", "messages", "--automation", "welcome", "--csv", str(tmp_path / "mails.csv"))
    rows = list(csv.DictReader((tmp_path / "mails.csv").open(newline="", encoding="utf-8")))
    assert sorted(row["state"] for row in rows) == ["bounced", "complained", "delivered", "delivered"]


def test_a_sheet_goes_to_the_screen_where_that_is_asked_for(sent: World, tidings: Command) -> None:
    code, said = tidings("report", "--by", "template", "--csv", "-")
    assert (code, said.startswith("template,sent,delivered,")) == (0, True)


def test_a_file_that_cannot_be_written_is_told(sent: World, tidings: Command, tmp_path: Path) -> None:
    code, said = tidings("report", "--csv", str(tmp_path / "missing" / "report.csv"))
    assert (code, "could not be written" in said) == (1, True)


def test_why_tells_the_answer_and_what_it_rests_on(tour: World, tidings: Command) -> None:
    code, said = tidings("why", "ada", "--template", "tips")
    assert (code, 'at the component "pause" until' in said) == (0, True)
    tour.run(timedelta(days=2))
    code, said = tidings("why", "ada@people.example", "--template", "tips")
    assert said.startswith("Sent: the provider accepted it.")
    assert "yes suppression: the address is not on the suppression list" in said
    code, said = tidings("why", "bob", "--template", "tips")
    assert 'They went another way at the component "who"' in said
    assert "1. who: otherwise" in said
    assert "Nobody like this is known." in tidings("why", "nobody", "--template", "tips")[1]
    assert tidings("why", "nobody", "--template", "tips")[0] == 1


def test_why_tells_it_as_it_was(tour: World, tidings: Command) -> None:
    contact = tour.contact(user_id="ada")["contact"]
    tour.run(timedelta(days=2))
    said = tidings("why", contact, "--template", "tips", "--at", "2026-11-21T10:00:00Z")[1]
    assert 'at the component "pause"' in said
    assert "as of 2026-11-21 10:00:00 UTC" in said


def test_a_message_is_shown_as_it_was(tour: World, tidings: Command) -> None:
    tour.run(timedelta(days=2))
    message = tour.ses.messages()[0]
    assert "accepted" in tidings("message", "show", message)[1]
    code, said = tidings("message", "show", message, "--at", "2026-11-21T10:00:00Z")
    assert (code, "(not_yet)" in said) == (1, True)
    assert "of every message it is known whether it was sent" in tidings("message", "unknown")[1]
