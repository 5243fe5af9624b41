"""What a workspace may be told, and what it costs to hold a pattern against a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tidings.accounts.model import LIMITS, Identifiers, Workspace
from tidings.accounts.patterns import WAYS, ways
from tidings.accounts.rules import require_settings
from tidings.accounts.service import AccountService
from tidings.core.clock import FixedClock
from tidings.core.errors import InvalidInput, NotFound

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def of(kind: str, **rules: Any) -> dict[str, Any]:
    return {"identifiers": {kind: rules}}


@pytest.mark.parametrize(("told", "kept"), [
    ({}, {}),
    ({"default_from": ""}, {"default_from": ""}),
    ({"default_from": "Acme <hello@acme.example>"}, {"default_from": "Acme <hello@acme.example>"}),
    ({"default_country": " pl "}, {"default_country": "PL"}),
    ({"default_country": ""}, {"default_country": ""}),
    ({"time_zone": "Europe/Warsaw"}, {"time_zone": "Europe/Warsaw"}),
    ({"time_zone": ""}, {"time_zone": ""}),
    ({"inbound_address": " Hello@in.acme.example "}, {"inbound_address": "hello@in.acme.example"}),
    ({"inbound_address": ""}, {"inbound_address": ""}),
    ({"signed_replies": True}, {"signed_replies": True}),
    ({"publishable_keys_may_change_addresses": True}, {"publishable_keys_may_change_addresses": True}),
    (of("email", limit=1), of("email", limit=1)),
    (of("phone", limit=100), of("phone", limit=100)),
    (of("user", limit=1), of("user", limit=1)),
    (of("anon", limit=None), of("anon", limit=None)),
    (of("phone", priority=0), of("phone", priority=0)),
    (of("user", blocked=["test-.*", "0+"]), of("user", blocked=["test-.*", "0+"])),
    (of("user", blocked=[]), of("user", blocked=[])),
    (of("user"), {"identifiers": {}}),
])  # fmt: skip
def test_good_settings_are_kept(told: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    assert require_settings(told) == kept


@pytest.mark.parametrize(("told", "code", "field"), [
    ({"default_from": "nobody"}, "invalid_sender", "from"),
    ({"default_country": "Poland"}, "invalid_country", "default_country"),
    ({"default_country": "XX"}, "invalid_country", "default_country"),
    ({"default_country": 48}, "invalid_country", "default_country"),
    ({"time_zone": "Warsaw"}, "invalid_time_zone", "time_zone"),
    ({"time_zone": 1}, "invalid_time_zone", "time_zone"),
    ({"inbound_address": "hello"}, "invalid_inbound_address", "inbound_address"),
    ({"inbound_address": "hello+x@in.acme.example"}, "invalid_inbound_address", "inbound_address"),
    ({"inbound_address": "reply@in.acme.example"}, "invalid_inbound_address", "inbound_address"),
    ({"inbound_address": "Hello <hello@in.acme.example>"}, "invalid_inbound_address", "inbound_address"),
    ({"inbound_address": 1}, "invalid_inbound_address", "inbound_address"),
    ({"signed_replies": "yes"}, "invalid_type", "signed_replies"),
    ({"publishable_keys_may_change_addresses": "yes"}, "invalid_type", "publishable_keys_may_change_addresses"),
    ({"colour": "red"}, "unknown_setting", "colour"),
    (of("fax", limit=1), "unknown_identifier", "fax"),
    (of("email", colour=1), "unknown_setting", "colour"),
    (of("user", limit=2), "fixed_limit", "limit"),
    (of("user", limit=None), "fixed_limit", "limit"),
    (of("email", limit=0), "invalid_identifier_limit", "limit"),
    (of("email", limit=101), "invalid_identifier_limit", "limit"),
    (of("email", limit=None), "invalid_identifier_limit", "limit"),
    (of("email", limit=True), "invalid_identifier_limit", "limit"),
    (of("email", priority=-1), "invalid_priority", "priority"),
    (of("email", priority=1001), "invalid_priority", "priority"),
    (of("email", priority=None), "invalid_priority", "priority"),
    (of("user", blocked=["("]), "invalid_pattern", "blocked"),
    (of("user", blocked=["a" * 201]), "pattern_too_long", "blocked"),
    (of("user", blocked=["(a+)+b"]), "pattern_too_costly", "blocked"),
    (of("user", blocked=["a"] * 21), "too_many_patterns", "blocked"),
])  # fmt: skip
def test_each_mistake_has_a_code_of_its_own(told: Mapping[str, Any], code: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        require_settings(told)
    assert (caught.value.code, caught.value.field) == (code, field)


@pytest.mark.parametrize(("pattern", "count"), [
    ("", 1),
    ("test-[0-9]{8}", 1),
    ("(?:abc){3}", 1),
    ("a?", 2),
    ("a{2,5}", 4),
    ("a?b?c?", 8),
    ("ab|cd|ef", 3),
    ("(?:ab|cd){3}", 8),
    ("(?=a?)(?!b?)(?<!cd)e", 4),
    ("test-.*", 256),
    (r"(a*)\1", 256),
    ("a{1000}", 1),
    ("a{1000,}", 256),
    ("a{3,4000}", 256),
    (".*test.*", WAYS),
    (r"(a)?(?(1)b?|c{0,2})", 2 * (2 + 3)),
])  # fmt: skip
def test_the_ways_of_a_pattern_are_counted(pattern: str, count: int) -> None:
    assert ways(pattern) == count


@pytest.mark.parametrize("pattern", [
    "(a+)+b",
    "(a*)*",
    "(a|ab)*c",
    "(?:a?){60}a{60}",
    "a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?b",
    "(.*)(.*)(.*)",
    "([a-z]+[0-9]*)+",
    "(?>(a+)+)",
    "(a+)++",
    "(?=(a+)+b)",
    "(?:(?:a{0,1000}){0,1000}){0,1000}",
])  # fmt: skip
def test_a_pattern_that_could_run_for_ever_has_too_many(pattern: str) -> None:
    assert ways(pattern) > WAYS


@pytest.mark.parametrize(
    "pattern", [".*@test.example", ".*test.*", "test-.*", "(?i)qa[0-9]+", "[0-9]{3}-[0-9]{3}", "a|b|none"]
)
def test_what_operators_write_has_few_enough(pattern: str) -> None:
    assert ways(pattern) <= WAYS


# --- changing them ----------------------------------------------------------------------------------------------------


class Workspaces:
    """Workspaces in memory."""

    def __init__(self, *workspaces: Workspace) -> None:
        self.kept = {workspace.id: workspace for workspace in workspaces}

    def add(self, workspace: Workspace) -> None:
        self.kept[workspace.id] = workspace

    def change_settings(self, workspace: str, settings: dict[str, Any]) -> None:
        self.kept[workspace] = replace(self.kept[workspace], settings=settings)

    def get(self, workspace: str, consistent: bool = False) -> Workspace | None:
        return self.kept.get(workspace)


@pytest.fixture
def workspaces() -> Workspaces:
    settings = {"default_from": "hello@acme.example", "identifiers": {"email": {"limit": 3, "blocked": ["a"]}}}
    return Workspaces(Workspace("acme", "Acme", NOW, settings=settings))


@pytest.fixture
def service(workspaces: Workspaces) -> AccountService:
    return AccountService(workspaces, None, FixedClock(NOW))  # type: ignore[arg-type]  # no key is asked for


def test_what_is_not_named_stays_as_it_is(service: AccountService, workspaces: Workspaces) -> None:
    service.configure("acme", {"default_country": "PL", **of("email", priority=7)})
    assert workspaces.kept["acme"].settings == {
        "default_from": "hello@acme.example",
        "default_country": "PL",
        "identifiers": {"email": {"limit": 3, "blocked": ["a"], "priority": 7}},
    }


def test_patterns_of_a_kind_are_replaced_as_a_whole(service: AccountService, workspaces: Workspaces) -> None:
    service.configure("acme", {"identifiers": {"email": {"blocked": []}, "user": {"blocked": ["b"]}}})
    assert workspaces.kept["acme"].settings["identifiers"] == {
        "email": {"limit": 3, "blocked": []},
        "user": {"blocked": ["b"]},
    }


def test_a_mistake_changes_nothing(service: AccountService, workspaces: Workspaces) -> None:
    before = workspaces.kept["acme"]
    with pytest.raises(InvalidInput):
        service.configure("acme", {"default_country": "PL", **of("email", limit=0)})
    assert workspaces.kept["acme"] == before


def test_an_unknown_workspace_cannot_be_configured(service: AccountService) -> None:
    with pytest.raises(NotFound) as caught:
        service.configure("nobody", {"default_country": "PL"})
    assert caught.value.code == "unknown_workspace"


def test_settings_decide_how_people_are_told_apart(service: AccountService) -> None:
    identifiers = service.configure("acme", {
        "default_country": "PL",
        "publishable_keys_may_change_addresses": True,
        "identifiers": {"phone": {"priority": 15}, "user": {"blocked": ["test-.*"]}},
    }).identifiers  # fmt: skip
    assert identifiers == Identifiers(
        limits={**LIMITS, "email": 3},
        priority=("user", "anon", "phone", "email", "ext"),
        blocked=identifiers.blocked,
        default_country="PL",
        addresses_open=True,
    )
    assert identifiers.blocks("user", "test-7")
    assert not identifiers.blocks("user", "my-test-7")
