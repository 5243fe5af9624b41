"""Which visit led to what somebody did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.contacts.model import Contact, Visit
from tidings.contacts.visits import followed, follows, with_visit

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def visit(minutes: float, message: str = "message:c1-m1") -> Visit:
    return Visit(message, "event:user/ada/m-1", AT + timedelta(minutes=minutes))


@pytest.mark.parametrize(("minutes", "expected"), [(-0.1, False), (0, True), (30, True), (60, True), (60.1, False)])
def test_a_visit_lasts_an_hour(minutes: float, expected: bool) -> None:
    assert follows(visit(0), AT + timedelta(minutes=minutes)) is expected


@pytest.mark.parametrize(
    ("minutes", "expected"), [(-1, None), (0, 0), (10, 0), (20, 20), (30, 20), (80, 20), (81, None)]
)
def test_the_latest_visit_before_it_led_to_it(minutes: float, expected: float | None) -> None:
    visits = [visit(0, "message:c1-a"), visit(20, "message:c1-b")]
    found = [followed(order, AT + timedelta(minutes=minutes)) for order in (visits, visits[::-1])]
    assert found == [None if expected is None else visit(expected, visits[expected > 0].message)] * 2


VISITS = st.lists(
    st.tuples(st.integers(0, 90), st.sampled_from(["message:c1-a", "message:c1-b"])).map(lambda of: visit(*of)),
    max_size=4,
)


@given(VISITS)
def test_a_contact_keeps_the_latest_visit_in_whatever_order_they_are_told(visits: list[Visit]) -> None:
    kept = set()
    for order in permutations(visits):
        contact = Contact("acme", "c1", AT)
        for one in (*order, *order):
            contact = with_visit(contact, one)
        kept.add(contact.visit)
    assert kept == {max(visits, key=lambda one: (one.at, one.message), default=None)}
