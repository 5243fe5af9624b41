"""What a suppression rule may ask: of the contact and its events, since it stands in no enrolment."""

from __future__ import annotations

from typing import Any

import pytest

from tidings.consent.screening import read_rule
from tidings.core.errors import InvalidInput


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({"property": "total", "is": 1}, "no event here whose properties"),
        ({"did": "Paid", "since": {"step": "pause"}}, "no enrolment here since which to count"),
        ({"engaged": "tips"}, "no enrolment here in which a message was sent"),
        ({"any": [{"trait": "a", "is": 1}, {"answer": "ask.status", "is": 200}]}, "in which a server answered"),
    ],
)
def test_a_rule_that_asks_for_what_only_an_enrolment_has_is_refused(when: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refused:
        read_rule({"when": when})
    assert (refused.value.code, refused.value.field) == ("invalid_condition", "when")


def test_a_rule_may_count_events_in_their_own_time() -> None:
    when = {"all": [{"trait": "plan", "is": "free"}, {"did": "Paid", "within": "2 days"}]}
    assert read_rule({"when": when})["when"] == when
