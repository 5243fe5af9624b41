"""Splits: everybody has one place, the places are even, and publishing again moves nobody."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import pairwise
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.automations.components import Split
from tidings.automations.steps.splitting import BUCKETS, Share, bucket_of, share_with, shares_of

PEOPLE = 100_000
SPLIT = Split.model_validate(
    {
        "type": "split",
        "arms": [{"name": "A", "percent": 33.33}, {"name": "B", "percent": 33.33}, {"name": "C", "percent": 23.34}],
        "holdout": 10,
    }
)


def test_shares_take_the_buckets_in_the_order_of_the_file_and_the_holdout_the_last() -> None:
    assert shares_of(SPLIT.shares) == [
        Share("A", 0, 3333), Share("B", 3333, 6666), Share("C", 6666, 9000), Share("holdout", 9000, 10_000),
    ]  # fmt: skip


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=20))
def test_every_bucket_is_somebodys_whatever_the_percentages(hundredths: list[int]) -> None:
    rest = BUCKETS - sum(hundredths)
    parts = [*hundredths, rest] if rest > 0 else [BUCKETS]
    percentages = [(str(number), Decimal(part) / 100) for number, part in enumerate(parts)]
    shares = shares_of(percentages)
    assert [share.end - share.first for share in shares] == parts
    assert (shares[0].first, shares[-1].end) == (0, BUCKETS)
    for one, after in pairwise(shares):
        assert one.end == after.first
        assert share_with(shares, one.end - 1) == one
        assert share_with(shares, one.end) == after


def test_a_hundred_thousand_people_are_spread_as_the_percentages_say() -> None:
    shares = shares_of(SPLIT.shares)
    went = Counter(share_with(shares, bucket_of("welcome", "fate", f"c{number}")).outcome for number in range(PEOPLE))
    for name, percent in SPLIT.shares:
        chance = float(percent) / 100
        expected, deviation = PEOPLE * chance, sqrt(PEOPLE * chance * (1 - chance))
        assert abs(went[name] - expected) < 4 * deviation, (name, went[name], expected)


def test_two_splits_are_independent_of_each_other() -> None:
    both = Counter(
        (bucket_of("welcome", "one", f"c{n}") < BUCKETS // 2, bucket_of("welcome", "two", f"c{n}") < BUCKETS // 2)
        for n in range(PEOPLE)
    )
    deviation = sqrt(PEOPLE * 0.25 * 0.75)
    assert all(abs(count - PEOPLE / 4) < 4 * deviation for count in both.values())
    assert len(both) == 4


@pytest.mark.parametrize(
    "other", [("other", "fate", "cada"), ("welcome", "other", "cada"), ("welcome", "fate", "cbob")]
)
def test_where_somebody_stands_follows_from_automation_component_and_contact(other: tuple[str, str, str]) -> None:
    assert bucket_of("welcome", "fate", "cada") == 2132
    assert bucket_of(*other) != 2132


def test_whoever_is_in_a_share_stays_when_another_one_is_divided() -> None:
    before = shares_of([("A", Decimal(50)), ("B", Decimal(50))])
    after = shares_of([("A", Decimal(50)), ("B", Decimal(25)), ("C", Decimal(25))])
    for number in range(1000):
        bucket = bucket_of("welcome", "fate", f"c{number}")
        if share_with(before, bucket).outcome == "A":
            assert share_with(after, bucket).outcome == "A"
