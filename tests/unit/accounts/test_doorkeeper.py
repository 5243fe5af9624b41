"""Who is let in, and for how long an answer is remembered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tidings.accounts.model import ApiKey, KeyKind
from tidings.accounts.rules import require_workspace_id
from tidings.accounts.service import KEY_CACHE_SIZE, Doorkeeper
from tidings.core.clock import FixedClock
from tidings.core.errors import Forbidden, InvalidInput, TidingsError, Unauthorized
from tidings.core.http import Request
from tidings.core.keys import fingerprint

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


class Keys:
    """Keys in memory, and how often each was looked up."""

    def __init__(self, *keys: ApiKey) -> None:
        self.keys = {key.fingerprint: key for key in keys}
        self.asked: list[str] = []

    def find(self, hashed: str) -> ApiKey | None:
        self.asked.append(hashed)
        return self.keys.get(hashed)

    def add(self, key: ApiKey) -> None:
        self.keys[key.fingerprint] = key

    def revoke(self, hashed: str, at: datetime) -> None:
        self.keys[hashed] = replace(self.keys[hashed], revoked_at=at)

    def of_workspace(self, workspace: str) -> list[ApiKey]:
        return [key for key in self.keys.values() if key.workspace == workspace]


def key(text: str, kind: KeyKind = KeyKind.WRITE) -> ApiKey:
    return ApiKey(fingerprint(text), "acme", kind, "a key", NOW)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def keys() -> Keys:
    return Keys(key("wk_1"), key("sk_1", KeyKind.SECRET), key("pk_1", KeyKind.PUBLISHABLE))


@pytest.fixture
def door(keys: Keys, clock: FixedClock) -> Doorkeeper:
    return Doorkeeper(keys, clock)


def test_a_known_key_is_looked_up_once_a_minute(door: Doorkeeper, keys: Keys, clock: FixedClock) -> None:
    for _ in range(3):
        assert door.admit(["wk_1"]).workspace == "acme"
    assert len(keys.asked) == 1
    clock.advance(timedelta(seconds=60))
    door.admit(["wk_1"])
    assert len(keys.asked) == 2


def test_that_a_key_is_unknown_is_remembered_too(door: Doorkeeper, keys: Keys) -> None:
    for _ in range(3):
        with pytest.raises(Unauthorized) as caught:
            door.admit(["wk_9"])
        assert caught.value.code == "invalid_api_key"
    assert len(keys.asked) == 1


def test_a_revoked_key_is_refused_within_60_seconds(door: Doorkeeper, keys: Keys, clock: FixedClock) -> None:
    door.admit(["wk_1"])
    keys.revoke(fingerprint("wk_1"), NOW)
    clock.advance(timedelta(seconds=59))
    door.admit(["wk_1"])
    clock.advance(timedelta(seconds=1))
    with pytest.raises(Unauthorized):
        door.admit(["wk_1"])


def test_a_new_key_is_admitted_within_60_seconds_of_being_made(door: Doorkeeper, keys: Keys, clock: FixedClock) -> None:
    with pytest.raises(Unauthorized):
        door.admit(["wk_2"])
    keys.add(key("wk_2"))
    clock.advance(timedelta(seconds=60))
    assert door.admit(["wk_2"]).kind is KeyKind.WRITE


@pytest.mark.parametrize("offered", [[], [None], [""], [7], [None, "", {"key": 1}, ["wk_1"], True]])
def test_without_a_key_nobody_is_admitted(door: Doorkeeper, keys: Keys, offered: list[object]) -> None:
    with pytest.raises(Unauthorized) as caught:
        door.admit(offered)
    assert caught.value.code == "missing_api_key"
    assert keys.asked == []


@pytest.mark.parametrize("offered", [["wk_1", "token"], ["token", "wk_1"], [None, "wk_1"], ["wk_1", "wk_1"]])
def test_of_several_keys_one_that_is_known_is_enough(door: Doorkeeper, offered: list[object]) -> None:
    # Segment's third way: a Bearer token that is not ours in the header, and the write key in the body.
    assert door.admit(offered).fingerprint == fingerprint("wk_1")


def test_the_first_of_two_known_keys_counts(door: Doorkeeper) -> None:
    assert door.admit(["pk_1", "wk_1"]).kind is KeyKind.PUBLISHABLE


def test_somebody_who_tries_keys_does_not_fill_the_memory(door: Doorkeeper, keys: Keys) -> None:
    for number in range(KEY_CACHE_SIZE + 10):
        with pytest.raises(Unauthorized):
            door.admit([f"wk_guess_{number}"])
    assert len(door._known) <= KEY_CACHE_SIZE


@pytest.mark.parametrize(("given", "refusal"), [("sk_1", None), ("wk_1", Forbidden), ("pk_1", Forbidden)])
def test_only_a_secret_key_opens_what_needs_one(
    door: Doorkeeper, given: str, refusal: type[TidingsError] | None
) -> None:
    request = Request.of({"headers": {"authorization": f"Bearer {given}"}})
    if refusal is None:
        assert door.admit_secret(request).kind is KeyKind.SECRET
        return
    with pytest.raises(refusal) as caught:
        door.admit_secret(request)
    assert caught.value.code == "secret_key_required"


@pytest.mark.parametrize("kind", KeyKind)
def test_each_kind_of_key_has_a_prefix_of_its_own(kind: KeyKind) -> None:
    assert kind.prefix == {"publishable": "pk", "write": "wk", "secret": "sk"}[kind]


@pytest.mark.parametrize("text", ["a", "acme", "acme-2", "a" * 40])
def test_a_workspace_id_is_short_and_plain(text: str) -> None:
    assert require_workspace_id(text) == text


@pytest.mark.parametrize("text", ["", "Acme", "2acme", "-acme", "a" * 41, "a#b", "a b", "acme\n", "ä"])
def test_any_other_workspace_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        require_workspace_id(text)
    assert caught.value.code == "invalid_workspace"
