"""The published JSON Schema says what the models say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from tests.unit.automations.strategies import definitions
from tests.unit.automations.test_rules import FORMS, GOOD
from tests.unit.conditions.strategies import conditions

from tidings.automations.definition.model import Definition
from tidings.automations.definition.schema import definition_schema, schema_text

PUBLISHED = Path(__file__).parents[3] / "docs" / "automation.schema.json"
VALIDATOR = Draft202012Validator(definition_schema())


def test_the_published_file_is_up_to_date() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        PUBLISHED.write_text(schema_text(), encoding="utf-8")
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text(), "UPDATE_GOLDEN=1 pytest writes it anew"


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(definition_schema())


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(definitions())
def test_what_the_models_accept_the_schema_accepts(definition: Definition) -> None:
    assert list(VALIDATOR.iter_errors(definition.as_dict())) == []


@settings(max_examples=100, deadline=None)
@given(conditions())
def test_what_is_accepted_as_a_condition_the_schema_accepts(written: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid({**GOOD, "trigger": {"event": "E", "where": written}})


# Said in code only: an offset or a date that reads well but is none, names that a pattern cannot tell.
BEYOND_A_SCHEMA = {
    *("components.pause.until.date", "components.ask.arms[0].name"),
    *("components.wait.arms[0].name", "components.wait.timeout"),
    *("reentry.interval", "components.one.arms[0].name", "components.one.headers", "components.one"),
}


@pytest.mark.parametrize(("written", "place"), [(written, place) for written, _, _, place in FORMS])
def test_what_the_models_refuse_the_schema_refuses(written: Any, place: str) -> None:
    if place in BEYOND_A_SCHEMA and VALIDATOR.is_valid(written):
        return
    assert not VALIDATOR.is_valid(written)


def test_a_good_automation_is_valid() -> None:
    assert VALIDATOR.is_valid(GOOD)
