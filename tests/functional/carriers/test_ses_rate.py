"""The local SES takes as many mails a second as it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tidings.core.clock import FixedClock
from tidings_cli.carriers.database import Database
from tidings_cli.carriers.faults import Rate


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 21, 9, tzinfo=UTC))


@pytest.fixture
def rate(tmp_path: Path, clock: FixedClock) -> Rate:
    return Rate(Database(tmp_path / "outbox.sqlite"), clock)


def test_without_a_limit_every_mail_is_taken(rate: Rate) -> None:
    assert all(rate.take() for _ in range(1000))
    assert rate.limit() is None


def test_beyond_the_limit_mails_are_refused_until_a_second_has_passed(rate: Rate, clock: FixedClock) -> None:
    rate.set_limit(2)
    assert [rate.take() for _ in range(3)] == [True, True, False]
    clock.advance(timedelta(milliseconds=999))
    assert not rate.take()
    clock.advance(timedelta(milliseconds=1))
    assert [rate.take() for _ in range(3)] == [True, True, False]


def test_a_limit_can_be_lifted(rate: Rate) -> None:
    rate.set_limit(1)
    rate.take()
    rate.set_limit(None)
    assert rate.take()
