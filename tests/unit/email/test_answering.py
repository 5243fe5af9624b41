"""Addresses at which answers come in, and which of them are signed by us."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.accounts.model import Workspace
from tidings.core.ids import digest
from tidings.email.answering import Signed, is_genuine, read_signed, signed_address

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MESSAGE = f"c{digest('contact')}-{digest('message')}"


def workspace(name: str = "acme", key: str = "s-1", address: str = "hello@in.acme.example") -> Workspace:
    return Workspace(name, "Acme", START, settings={"inbound_address": address}, secret=key)


def read(address: str) -> Signed:
    found = read_signed(address)
    assert found is not None
    return found


def test_a_signed_address_names_its_workspace_and_a_code() -> None:
    address = signed_address(workspace(), MESSAGE)
    assert address.startswith("reply+acme.")
    assert address.endswith("@in.acme.example")
    assert is_genuine(workspace(), read(address), MESSAGE)
    assert read(address.upper()) == read(address)


@given(st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True))
def test_its_local_part_has_64_characters_at_most_and_is_read_back(name: str) -> None:
    made = workspace(name)
    address = signed_address(made, MESSAGE)
    assert len(address.partition("@")[0]) <= 64
    assert read(address).workspace == name
    assert is_genuine(made, read(address), MESSAGE)


@pytest.mark.parametrize(
    "other",
    [workspace(key="s-2"), workspace("other"), workspace("acme-2")],
    ids=["another secret", "another workspace", "a workspace whose name begins alike"],
)
def test_nobody_signs_for_another_workspace(other: Workspace) -> None:
    assert not is_genuine(other, read(signed_address(workspace(), MESSAGE)), MESSAGE)
    assert not is_genuine(workspace(), read(signed_address(other, MESSAGE)), MESSAGE)


def test_an_address_is_signed_for_one_message() -> None:
    assert not is_genuine(workspace(), read(signed_address(workspace(), MESSAGE)), f"{MESSAGE}x")


@pytest.mark.parametrize(
    "address",
    ["", "@", "hello@in.acme.example", "reply@in.acme.example", "reply+acme@in.acme.example", "reply+.@in.a.example",
     "reply+acme.short@in.acme.example", f"reply+.{'a' * 17}@in.acme.example", f"other+acme.{'a' * 17}@in.a.example"],
)  # fmt: skip
def test_other_addresses_claim_nothing(address: str) -> None:
    assert read_signed(address) is None


@pytest.mark.parametrize("made", [workspace(address=""), workspace(key="")])
def test_a_workspace_at_which_nothing_comes_in_signs_none(made: Workspace) -> None:
    assert signed_address(made, MESSAGE) == ""
