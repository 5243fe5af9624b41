"""Functions start with exactly the settings that the template gives them, and name the one that is missing."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.template import root_stack
from tests.support.world import World

from tidings.core.settings import MissingSetting


def _settings() -> dict[str, list[str]]:
    """The variables that the template gives each function, by its folder."""
    found: dict[str, list[str]] = {}
    for resource in root_stack().resources.values():
        if resource["Type"] == "AWS::Serverless::Function":
            properties: dict[str, Any] = resource["Properties"]
            folder = properties["CodeUri"].strip("/").rpartition("/")[2]
            found[folder] = sorted(properties.get("Environment", {}).get("Variables", {}))
    return found


SETTINGS = _settings()
# The table of counts is looked for when somebody is first counted, and the file of places is there or not.
NOT_AT_THE_START = {"TABLE_COUNTERS", "GEO_DATABASE"}
# What sends is made when a reply or an answer is first sent: most calls are of who looks, and of what wants no answer.
# Definitions are looked for where an enrolment is shown as it stood at an earlier time.
WITH_THE_FIRST_ANSWER = {
    "contacts": {"TABLE_AUTOMATIONS"},
    "conversations": {
        "SES_CONFIGURATION_SET_MARKETING",
        "SES_CONFIGURATION_SET_TRANSACTIONAL",
        "SMS_CONFIGURATION_SET",
        "TABLE_CONSENTS",
        "TABLE_CONTACTS",
        "TABLE_IDENTITIES",
        "TABLE_MESSAGES",
        "TABLE_REPORTS",
        "TABLE_SHORT_LINKS",
        "TABLE_TEMPLATES",
    },
    "sms_inbound": {"TABLE_SHORT_LINKS"},
}


@pytest.mark.parametrize("function", sorted(SETTINGS))
def test_a_function_needs_each_setting_that_it_is_given_and_names_it_when_it_is_missing(
    world: World, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    world.function(function)
    for name in set(SETTINGS[function]) - NOT_AT_THE_START - WITH_THE_FIRST_ANSWER.get(function, set()):
        world.cold(function)
        with monkeypatch.context() as without:
            without.delenv(name)
            with pytest.raises(MissingSetting, match=name):
                world.function(function)


@pytest.mark.parametrize("function", WITH_THE_FIRST_ANSWER)
def test_a_function_starts_without_what_it_answers_with(
    world: World, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    assert WITH_THE_FIRST_ANSWER[function] <= set(SETTINGS[function])
    for name in WITH_THE_FIRST_ANSWER[function]:
        monkeypatch.delenv(name)
    assert callable(world.function(function).handler)


@pytest.mark.parametrize("function", sorted(SETTINGS))
def test_a_function_needs_no_other_setting(world: World, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    others = {name for names in SETTINGS.values() for name in names} - set(SETTINGS[function])
    for name in others:
        monkeypatch.delenv(name, raising=False)
    assert callable(world.function(function).handler)


@pytest.mark.parametrize("function", sorted(SETTINGS))
def test_a_cold_start_calls_nothing(world: World, function: str) -> None:
    world.recorder.clear()
    world.function(function)
    assert world.recorder.calls == []
