"""Going over everybody who entered an automation, in turns."""

from __future__ import annotations

from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from tidings.automations.enrolments.inside_store import DynamoInsideStore, Walk
from tidings.automations.enrolments.items import ENROLMENT_SHARDS


class Entered:
    """Numbers instead of enrolments, by their shards; a page says where the next one begins, as DynamoDB does.

    Those below zero are over: they are looked at and left out.
    """

    def __init__(self, shards: list[list[int]]) -> None:
        self.shards = shards

    def page(
        self, workspace: str, automation: str, shard: int, after: dict[str, Any] | None, limit: int
    ) -> tuple[list[int], int, dict[str, Any] | None]:
        assert (workspace, automation) == ("acme", "welcome")
        begin = after["at"] if after else 0
        page = self.shards[shard][begin : begin + limit]
        inside = [number for number in page if number >= 0]
        return inside, len(page), {"at": begin + limit} if len(page) == limit else None


shards = st.lists(st.lists(st.integers(-2, 9), max_size=9), min_size=ENROLMENT_SHARDS, max_size=ENROLMENT_SHARDS)


@given(shards, st.integers(1, 5), st.integers(1, 12))
def test_every_turn_goes_on_where_the_last_one_ended_and_comes_by_everybody_inside_once(
    shards: list[list[int]], size: int, most: int
) -> None:
    inside, met = cast(DynamoInsideStore, Entered(shards)), list[Any]()
    shard, after = 0, None
    while True:
        walk = Walk(inside, "acme", "welcome", shard, after)
        pages = list(walk.pages(size, most))
        assert all(len(page) <= size for page in pages)
        assert sum(len(page) for page in pages) <= most
        met += [one for page in pages for one in page]
        if walk.is_over:
            break
        shard, after = walk.shard, walk.after
    assert met == [one for of_shard in shards for one in of_shard if one >= 0]


def test_a_turn_looks_at_no_more_than_it_may_though_most_of_them_are_over() -> None:
    walk = Walk(cast(DynamoInsideStore, Entered([[-1, -1, -1, 4, 5], [], [], []])), "acme", "welcome", 0, None)
    assert [one for page in walk.pages(2, 4) for one in page] == [4]


def test_who_has_seen_enough_goes_on_behind_the_page_that_was_enough() -> None:
    walk = Walk(cast(DynamoInsideStore, Entered([[1, 2, 3, 4, 5], [], [], []])), "acme", "welcome", 0, None)
    assert next(walk.pages(2, 100)) == [1, 2]
    assert [one for page in walk.pages(2, 100) for one in page] == [3, 4, 5]
