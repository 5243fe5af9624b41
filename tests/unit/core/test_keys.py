"""API keys are known by a fingerprint, which every text has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tidings.core.keys import fingerprint, same

any_text = st.text(alphabet=st.characters(exclude_categories=()))  # half surrogates too


@given(any_text, any_text)
def test_different_keys_have_different_fingerprints(one: str, other: str) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (one == other)


def test_a_fingerprint_does_not_show_the_key() -> None:
    assert "sk_abc" not in fingerprint("sk_abc")
    assert len(fingerprint("sk_abc")) == 64


@given(st.text(), st.text())
def test_secrets_are_the_same_only_if_they_are_equal(one: str, other: str) -> None:
    assert same(one, other) == (one == other)
