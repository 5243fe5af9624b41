"""When bounces and complaints warn a workspace and stop its marketing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.accounts.model import Workspace
from tidings.accounts.rules import require_settings
from tidings.accounts.sending import Rates
from tidings.core.clock import FixedClock
from tidings.core.errors import InvalidInput, NotFound
from tidings.core.store import ConditionFailed
from tidings.email.standing import Standing, counts_of, find
from tidings.messages.reports import Row

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


class Workspaces:
    """One workspace, kept as the table keeps it; `busy` refuses that many changes."""

    def __init__(self) -> None:
        self.one = Workspace("acme", "Acme", NOW)
        self.history: list[str] = []
        self.busy = 0

    def get(self, workspace: str, consistent: bool = False) -> Workspace | None:
        return self.one if workspace == "acme" else None

    def change_standing(self, before: Workspace, standing: dict[str, Any]) -> Workspace:
        if self.busy:
            self.busy -= 1
            raise ConditionFailed()
        assert before.standing == self.one.standing
        self.one = replace(self.one, standing=standing)
        self.history.append(standing.get("state", ""))
        return self.one


class Reports:
    """Rows, by day."""

    def __init__(self) -> None:
        self.kept: list[Row] = []
        self.asked = 0

    def add(self, day: str, kind: str = "marketing", **counts: int) -> None:
        self.kept.append(Row(day, kind, "api", "", "", "tips", 1, counts))

    def rows(self, workspace: str, first: str, last: str) -> Iterator[Row]:
        self.asked += 1
        return iter([row for row in self.kept if first <= row.day <= last])


@pytest.fixture
def workspaces() -> Workspaces:
    return Workspaces()


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def standing(workspaces: Workspaces, reports: Reports, clock: FixedClock) -> Standing:
    return Standing(workspaces, reports, clock)


@pytest.mark.parametrize(
    ("sent", "bounced", "complained", "state"),
    [
        (0, 0, 0, ""),
        (99, 50, 0, ""),
        (100, 9, 0, ""),
        (100, 10, 0, "stopped"),
        (1000, 39, 0, ""),
        (1000, 40, 0, "warned"),
        (1000, 79, 0, "warned"),
        (1000, 80, 0, "stopped"),
        (499, 0, 10, ""),
        (500, 0, 2, ""),
        (1500, 0, 3, "warned"),
        (1000, 0, 3, "stopped"),
        (10_000, 0, 9, ""),
        (10_000, 0, 10, "warned"),
        (10_000, 0, 30, "stopped"),
        (1000, 40, 3, "stopped"),
    ],
)
def test_the_table_of_limits(sent: int, bounced: int, complained: int, state: str) -> None:
    found = find({"sent": sent, "bounced": bounced, "complained": complained}, Rates())
    assert found.state == state
    assert bool(found.why) is bool(state)


def test_why_names_the_rate_that_stops() -> None:
    found = find({"sent": 1000, "bounced": 50, "complained": 3}, Rates())
    assert found.why == "complaints are 0.30% of 1000 mails sent in 7 days, the limit is 0.30%"


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 10_000))
def test_more_bounces_never_make_it_better(sent: int, bounced: int, complained: int) -> None:
    order = ["", "warned", "stopped"]
    less = find({"sent": sent, "bounced": bounced, "complained": complained}, Rates())
    more = find({"sent": sent, "bounced": bounced + 1, "complained": complained + 1}, Rates())
    assert order.index(more.state) >= order.index(less.state)


def test_only_marketing_counts_and_spam_refusals_are_bounces(reports: Reports) -> None:
    reports.add("2026-11-21", sent=100, hard_bounced=2, spam_bounced=3, soft_bounced=50, complained=1)
    reports.add("2026-11-21", "transactional", sent=900, hard_bounced=90)
    assert counts_of(reports.kept) == {"sent": 100, "bounced": 5, "complained": 1}


def test_seven_days_count(standing: Standing, workspaces: Workspaces, reports: Reports) -> None:
    reports.add("2026-11-14", sent=1000, hard_bounced=500)
    reports.add("2026-11-15", sent=1000, hard_bounced=10)
    standing.look("acme")
    assert workspaces.one.standing == {}


def test_a_warning_comes_first_also_where_the_rate_jumps(
    standing: Standing, workspaces: Workspaces, reports: Reports, capsys: pytest.CaptureFixture[str]
) -> None:
    reports.add("2026-11-21", sent=1000, hard_bounced=200)
    standing.look("acme")
    assert workspaces.history == ["warned", "stopped"]
    told = workspaces.one.standing
    assert (told["state"], told["rates"]["bounced"]) == ("stopped", 0.2)
    assert told["warned_at"] == told["since"] == "2026-11-21T09:00:00.000000Z"
    printed = capsys.readouterr().out
    assert '"SendingWarned": 1}' in printed
    assert '"SendingStopped": 1}' in printed


def test_a_warning_goes_with_its_reason_and_comes_again(
    standing: Standing, workspaces: Workspaces, reports: Reports, clock: FixedClock
) -> None:
    for sent, bounced in ((1000, 40), (9000, 0), (0, 400)):
        reports.add("2026-11-21", sent=sent, hard_bounced=bounced)
        standing.look("acme")
        clock.advance(timedelta(seconds=10))
    assert workspaces.history == ["warned", "", "warned"]


def test_a_stop_stays_though_the_rates_come_down(
    standing: Standing, workspaces: Workspaces, reports: Reports, clock: FixedClock
) -> None:
    reports.add("2026-11-21", sent=1000, hard_bounced=200)
    standing.look("acme")
    clock.advance(timedelta(days=30))
    standing.look("acme")
    assert workspaces.one.standing["state"] == "stopped"


def test_it_is_looked_at_most_every_ten_seconds(standing: Standing, reports: Reports, clock: FixedClock) -> None:
    for _ in range(3):
        standing.look("acme")
    clock.advance(timedelta(seconds=9))
    standing.look("acme")
    assert reports.asked == 1
    clock.advance(timedelta(seconds=1))
    standing.look("acme")
    assert reports.asked == 2


def test_what_comes_within_ten_seconds_is_owed_one_look_when_they_are_over(
    standing: Standing, workspaces: Workspaces, reports: Reports, clock: FixedClock
) -> None:
    assert standing.look("acme") is False
    clock.advance(timedelta(seconds=1))
    reports.add("2026-11-21", sent=1000, hard_bounced=200)
    assert [standing.look("acme") for _ in range(3)] == [True, False, False]
    assert workspaces.history == []
    clock.advance(timedelta(seconds=11))
    assert standing.look("acme") is False
    assert workspaces.history == ["warned", "stopped"]
    assert standing.look("acme") is True  # each ten seconds anew


def test_another_process_may_be_faster(standing: Standing, workspaces: Workspaces, reports: Reports) -> None:
    workspaces.busy = 2
    reports.add("2026-11-21", sent=1000, hard_bounced=200)
    standing.look("acme")
    assert workspaces.history == ["warned", "stopped"]


def test_a_person_lets_it_go_on_and_old_counts_do_not_stop_it_again(
    standing: Standing, workspaces: Workspaces, reports: Reports, clock: FixedClock
) -> None:
    reports.add("2026-11-20", sent=600, hard_bounced=100)
    reports.add("2026-11-21", sent=400, hard_bounced=100)
    standing.look("acme")
    told = standing.resume("acme")
    assert (told["state"], told["counts"]) == ("good", {"sent": 0, "bounced": 0, "complained": 0})
    assert told["resumed_at"] == "2026-11-21T09:00:00.000000Z"
    clock.advance(timedelta(seconds=10))
    standing.look("acme")
    assert workspaces.one.standing.get("state") is None
    reports.add("2026-11-21", sent=200, hard_bounced=30)
    clock.advance(timedelta(days=2))
    standing.look("acme")
    assert workspaces.one.standing["state"] == "stopped"


def test_days_that_no_longer_count_are_taken_off_the_baseline_too(
    standing: Standing, workspaces: Workspaces, reports: Reports, clock: FixedClock
) -> None:
    reports.add("2026-11-15", sent=1000, hard_bounced=900)
    standing.look("acme")
    standing.resume("acme")
    clock.advance(timedelta(days=1))
    reports.add("2026-11-22", sent=100, hard_bounced=10)
    standing.look("acme")
    assert workspaces.one.standing["state"] == "stopped"


def test_what_was_not_stopped_needs_no_resuming(standing: Standing, workspaces: Workspaces) -> None:
    assert standing.resume("acme")["state"] == "good"
    assert workspaces.history == []


def test_nobody_knows_another_workspace(standing: Standing) -> None:
    with pytest.raises(NotFound):
        standing.status("nobody")
    standing.look("nobody")


# --- settings --------------------------------------------------------------------------------------------------------


def test_a_workspace_may_set_limits_of_its_own_within_bounds() -> None:
    settings = require_settings({"rates": {"bounces_warn": 0.01, "bounces_stop": 0.02, "bounces_from": 1}})
    assert find({"sent": 100, "bounced": 2, "complained": 0}, Rates.of(settings)).state == "stopped"


@pytest.mark.parametrize(
    ("rates", "code"),
    [
        ([], "invalid_type"),
        ({"bounces_stop": 0.5}, "invalid_rate"),
        ({"complaints_stop": 0.01}, "invalid_rate"),
        ({"bounces_warn": 0.09}, "invalid_rate"),
        ({"bounces_from": 0}, "invalid_rate"),
        ({"bounces_from": 1.5}, "invalid_rate"),
        ({"bounces_from": True}, "invalid_rate"),
        ({"bounces_stop": "8 %"}, "invalid_rate"),
        ({"opens": 1}, "unknown_setting"),
    ],
)
def test_limits_out_of_bounds_are_refused(rates: Any, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_settings({"rates": rates})
    assert refused.value.code == code


def test_ranges_of_machines_are_kept_as_networks() -> None:
    told = require_settings({"machine_ranges": ["203.0.113.7", "198.51.100.9/24", "2001:db8::/32"]})
    assert told["machine_ranges"] == ["203.0.113.7/32", "198.51.100.0/24", "2001:db8::/32"]


@pytest.mark.parametrize("ranges", ["203.0.113.0/24", ["acme.example"], [7], ["203.0.113.0/24"] * 101])
def test_what_is_no_range_is_refused(ranges: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_settings({"machine_ranges": ranges})
    assert refused.value.code == "invalid_range"
