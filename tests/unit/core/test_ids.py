"""Ids come from what causes them: the same cause makes the same id, and nothing else does."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tidings.core.ids import contact_id, contact_of_message, digest, message_id, new_id, new_secret, shard

parts = st.lists(st.text(), min_size=1, max_size=4)


@given(parts, parts)
def test_the_same_parts_make_the_same_digest_and_others_another(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)


@given(parts, st.integers(1, 52))
def test_a_digest_passes_as_tag_name_and_key(given_parts: list[str], length: int) -> None:
    assert re.fullmatch(r"[a-z2-7]+", digest(*given_parts, length=length))
    assert len(digest(*given_parts, length=length)) == length


def test_parts_are_not_run_together() -> None:
    assert digest("ab", "c") != digest("a", "bc")


@given(st.text(), st.text(), st.text())
def test_a_message_id_contains_its_contact_and_passes_as_an_ses_tag(user: str, first: str, cause: str) -> None:
    contact = contact_id("acme", f"user#{user}", first)
    message = message_id(contact, "api", cause)
    assert contact_of_message(message) == contact
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,256}", message)


def test_what_is_no_message_id_of_ours_has_no_contact() -> None:
    for text in ("", "c", "c-", "-x", "x-y", "cabc", "010001-abc"):
        assert contact_of_message(text) == "", text


@given(st.text(), st.integers(1, 100))
def test_a_shard_is_stable_and_within_its_count(key: str, count: int) -> None:
    assert 0 <= shard(key, count) < count
    assert shard(key, count) == shard(key, count)


def test_what_is_random_is_new_each_time() -> None:
    assert new_id() != new_id()
    assert new_secret("sk") != new_secret("sk")
    assert re.fullmatch(r"sk_[A-Za-z0-9_-]{32}", new_secret("sk"))
