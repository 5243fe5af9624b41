"""What `tidings automation statistics` and `people` show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings_cli import statistics
from tidings_cli.main import main

Json = dict[str, Any]
TIPS = {
    "component": "tips",
    "type": "send_email",
    "entered": 5,
    "acted": 3,
    "skipped": 1,
    "left": 0,
    "waiting": 1,
    "waiting_is_exact": True,
    "outcomes": {"accepted": 3, "skipped": 1},
    "reasons": {"skipped": {"consent": 1}},
    "left_by": {},
    "exits": {},
}
NUMBERS: Json = {
    "automation": "tour",
    "version": None,
    "started": 5,
    "inside": 1,
    "finished": 3,
    "exited": 1,
    "exits": {"Closed": 1},
    "failed": 0,
    "stopped": 0,
    "converted": 2,
    "conversion_rate": 0.4,
    "versions": [],
    "components": [TIPS, {**TIPS, "component": "rest", "waiting_is_exact": False}],
    "arms": [{"component": "which", "arm": "Big", "took": 3, "converted": 2, "conversion_rate": 0.667}],
    "goals": [],
}
ACTED = {"contact": "c1", "entry": "once", "at": "2026-11-21T09:00:00.000000Z", "outcome": "skipped"}
WHY = {"check": "consent", "passed": False, "found": "said no"}


class Api:
    """Answers one page after another."""

    def __init__(self, *answers: Json) -> None:
        self.asked: list[Any] = []
        self.answers = list(answers)

    def get(self, *path: str, **query: str) -> Json:
        self.asked.append((path, query))
        return self.answers.pop(0)


def test_numbers_are_a_table_with_reasons_and_rates(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api(NUMBERS)
    assert statistics.show(api, "tour", 2, False) == 0  # type: ignore[arg-type]
    assert api.asked == [(("automations", "tour", "statistics"), {"version": "2"})]
    shown = capsys.readouterr().out
    assert "5 started, 1 inside, 3 finished, 1 left (Closed 1), 0 failed, 0 stopped" in shown
    assert "2 reached the goal, 40.0% of those who started" in shown
    assert "accepted 3, skipped 1 (consent 1)" in shown
    assert "about 1" in shown
    assert "66.7%" in shown


def test_numbers_can_be_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert statistics.show(Api(NUMBERS), "tour", None, True) == 0  # type: ignore[arg-type]
    assert json.loads(capsys.readouterr().out) == NUMBERS


def test_people_are_shown_with_why_over_pages_up_to_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    one = {**ACTED, "why": WHY}
    api = Api({"people": [one], "cursor": "more"}, {"people": [{**one, "contact": "c2"}, one], "cursor": "more"})
    assert statistics.people(api, "tour", "tips", {"outcome": "skipped"}, 2, False) == 0  # type: ignore[arg-type]
    assert [query for _, query in api.asked] == [{"outcome": "skipped"}, {"outcome": "skipped", "cursor": "more"}]
    shown = capsys.readouterr().out
    assert "consent: said no" in shown
    assert "c2" in shown


def test_who_waits_is_shown_with_until_when(capsys: pytest.CaptureFixture[str]) -> None:
    one = {"contact": "c1", "entry": "once", "started_at": ACTED["at"], "until": "2026-11-24T09:00:00.000000Z"}
    api = Api({"people": [one], "cursor": ""})
    assert statistics.people(api, "tour", "rest", {"who": "waiting"}, 50, False) == 0  # type: ignore[arg-type]
    assert "2026-11-24" in capsys.readouterr().out


def test_nobody_is_said_to_be_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert statistics.people(Api({"people": [], "cursor": ""}), "tour", "tips", {}, 50, False) == 0  # type: ignore[arg-type]
    assert "Nobody acted at tips." in capsys.readouterr().out


def test_the_commands_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    for action in ("statistics", "people"):
        with pytest.raises(SystemExit) as ended:
            main(["automation", action, "--help"])
        assert ended.value.code == 0
