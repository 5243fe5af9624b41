"""Settings name what is missing, at start."""

from __future__ import annotations

import pytest

from tidings.core.settings import MissingSetting, Settings


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(MissingSetting, match="SES_CONFIGURATION_SET"):
        Settings({}).require("SES_CONFIGURATION_SET")


def test_an_empty_setting_is_missing() -> None:
    with pytest.raises(MissingSetting, match="MACHINE_PREFIX"):
        Settings({"MACHINE_PREFIX": ""}).require("MACHINE_PREFIX")


def test_a_missing_table_is_named_by_its_variable() -> None:
    with pytest.raises(MissingSetting, match="TABLE_API_KEYS"):
        Settings({}).table("api_keys")
    assert Settings({"TABLE_API_KEYS": "keys-1"}).table("api_keys") == "keys-1"


def test_settings_are_those_of_the_process_when_they_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_STARTS_URL", "before")
    settings = Settings.read()
    monkeypatch.setenv("QUEUE_STARTS_URL", "after")
    assert settings.require("QUEUE_STARTS_URL") == "before"
