"""Text to plain data: what is read, and what is refused before anybody looks at it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.automations.definition.source import MAX_BYTES, read
from tidings.core.errors import InvalidInput


def test_yaml_and_json_say_the_same() -> None:
    data: dict[str, Any] = {"a": [1, 2.5, True, None, "x"], "b": {"c": "yes"}}
    assert read(json.dumps(data)) == read("a: [1, 2.5, true, ~, x]\nb: {c: yes}") == data


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("no", "no"), ("NO", "NO"), ("on", "on"), ("yes", "yes"), ("y", "y"),
        ("true", True), ("False", False), ("null", None), ("", None),
        ("2026-12-24", "2026-12-24"), ("2026-12-24T09:00:00Z", "2026-12-24T09:00:00Z"),
        ("12:30", "12:30"), ("010", "010"), ("0x1F", "0x1F"), ("1_000", "1_000"), ("-2 days", "-2 days"),
        ("42", 42), ("-7", -7), ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), (".nan", ".nan"), (".inf", ".inf"),
        ("1.2.3", "1.2.3"), ("+", "+"), (".", "."), ("<<", "<<"),
    ],
)  # fmt: skip
def test_yaml_scalars_are_those_of_json_and_everything_else_is_text(scalar: str, value: object) -> None:
    found = read(f"a: {scalar}")["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", "invalid_syntax", "must be a mapping"),
        ("- a", "invalid_syntax", "must be a mapping"),
        ("[1, 2]", "invalid_syntax", "must be a mapping"),
        ("a: [1", "invalid_syntax", "line 1"),
        ("a: 1\n  b: 2", "invalid_syntax", "line 2"),
        ("a: 1\n---\nb: 2", "invalid_syntax", "another document"),
        ("{a: 1}", "invalid_syntax", "not JSON"),
        ('{"a": 1', "invalid_syntax", "line 1"),
        ('{"a": NaN}', "invalid_syntax", "NaN is no number"),
        ('{"a": ' + "9" * 5000 + "}", "invalid_syntax", "a number is too long"),
        ("a: " + "9" * 5000, "invalid_syntax", "a number cannot be read"),
        ("a: \x00", "invalid_syntax", "not YAML"),
        ("a: !!python/object/apply:os.getcwd []", "invalid_syntax", "tags are not allowed"),
        ("a: !!binary aGk=", "invalid_syntax", "tags are not allowed"),
        ("? [a]\n: 1", "invalid_syntax", "a key must be plain text"),
        ("a: " + "[" * 20_000, "invalid_syntax", "too deep"),
        ('{"a": ' + "[" * 100_000, "invalid_syntax", "too deep"),
        ("a: 1\nb: 2\na: 3", "duplicate_key", 'the key "a" stands twice in one mapping (line 3)'),
        ("a: {b: 1, 'b': 2}", "duplicate_key", 'the key "b"'),
        ('{"a": {"b": 1, "b": 2}}', "duplicate_key", 'the key "b"'),
        ("a: &x 1\nb: *x", "alias_refused", "line 1"),
        ("a: &x [x]\nb: [*x, *x]", "alias_refused", "write it out"),
        ("a: " + "x" * MAX_BYTES, "definition_too_large", "256 KB"),
        ("a: " + "é" * (MAX_BYTES // 2), "definition_too_large", "256 KB"),
    ],
)
def test_bad_text_is_refused_with_its_code(text: str, code: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(text)
    assert refused.value.code == code
    assert message in refused.value.message


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.text("{}[]:,&*!?-'\"#|> \nab1", max_size=40))
def test_any_text_is_either_a_mapping_or_refused(text: str) -> None:
    try:
        found = read(text)
    except InvalidInput:
        return
    assert isinstance(found, dict)


def test_json_is_read_without_a_yaml_parser_and_nothing_here_knows_aws() -> None:
    code = (
        "import sys, tidings.automations.definition.rules, tidings.automations.machines.compile;"
        "import tidings.conditions.explain;"
        "from tidings.automations.definition.source import read; read('{}');"
        "print([name for name in ('yaml', 'boto3', 'botocore', 'pynamodb', 'liquid') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
