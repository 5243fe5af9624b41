"""An open wait, as logs and tracebacks may show it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tidings.automations.enrolments.model import StepCall
from tidings.automations.waits.rules import OpenWait

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_what_a_machine_waits_with_is_not_shown() -> None:
    call = StepCall("acme", "c1", "booking", 1, "e1", 0, "answer")
    assert "AQCEAAAA" not in repr(OpenWait(call, "AQCEAAAA", NOW, NOW + timedelta(days=1)))
