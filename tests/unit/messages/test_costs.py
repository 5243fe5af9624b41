"""What a message cost: exact, once, and the same whatever order bills come in."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.messages.costs import Bill, charged, micros, money

bills = st.lists(
    st.builds(
        Bill,
        at=st.sampled_from([f"2026-11-21T09:00:0{second}.000000Z" for second in range(3)]),
        price=st.decimals(0, 2, places=5).map(money),
        fee=st.decimals(0, 1, places=5).map(money),
        parts=st.integers(0, 4),
        mnc=st.sampled_from(["", "01"]),
        carrier=st.sampled_from(["", "Play"]),
    ),
    max_size=4,
)


def told(all_bills: list[Bill]) -> tuple[dict[str, Any], Counter[str]]:
    transport: dict[str, Any] = {"sender": "ACME", "country": "PL", "parts": 1}
    counted: Counter[str] = Counter(parts=1)
    for bill in all_bills:
        made = charged(transport, bill)
        if made is not None:
            transport = made[0]
            counted.update(made[1])
    return transport, counted


@given(bills)
def test_what_is_counted_is_what_stands_and_a_repeat_changes_nothing(found: list[Bill]) -> None:
    transport, counted = told([*found, *found])
    assert counted["cost_micro_usd"] == micros(transport.get("price", "0"))
    assert counted["carrier_fee_micro_usd"] == micros(transport.get("fee", "0"))
    assert counted["parts"] == transport["parts"]
    assert (transport["sender"], transport["country"]) == ("ACME", "PL")


@given(bills)
def test_the_order_of_bills_does_not_matter_but_for_parts_that_nobody_tells(found: list[Bill]) -> None:
    told_parts = [bill for bill in found if bill.parts]
    ends = [told(list(order)) for order in permutations(told_parts)]
    assert all(end == ends[0] for end in ends)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.03, "0.03"), (Decimal("0.00581"), "0.00581"), (0, "0"), (0.0, "0"), (1, "1"), (10, "10"), ("0.10", "0.1"),
     (Decimal("1E-5"), "0.00001")],
)  # fmt: skip
def test_an_amount_keeps_its_digits(value: Any, text: str) -> None:
    assert money(value) == text


@pytest.mark.parametrize("value", ["", "free", float("nan"), float("inf"), -0.01, None, "1e16", "1e-16", "0e99"])
def test_what_is_no_amount_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="amount"):
        money(value)


def test_a_hundred_thousand_texts_add_up_to_the_last_digit() -> None:
    assert sum(micros("0.02975") for _ in range(100_000)) == 2_975_000_000
