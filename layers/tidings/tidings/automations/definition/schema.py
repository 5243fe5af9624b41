"""The published JSON Schema of a definition, made from the models: docs/automation.schema.json.

`python -m tidings.automations.definition.schema` writes it to standard output. It checks the form; what the graph says
is checked by `rules.lint`, and so is the rest of what a schema cannot say.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tidings.automations.definition.model import Definition

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def definition_schema() -> dict[str, Any]:
    """The schema as plain data; the same models make the same schema."""
    made = _tidied(Definition.model_json_schema(by_alias=True, mode="validation"))
    made["$defs"]["Condition"] = {"description": "A rule, or a group of rules.", **_CONDITION}
    about = {
        "$schema": DIALECT,
        "title": "Tidings automation",
        "description": "An automation: a trigger and a graph of named components. In YAML or JSON.",
    }
    definitions = {"$defs": dict(sorted(made.pop("$defs").items()))}
    return about | {key: value for key, value in made.items() if key not in about} | definitions


def schema_text() -> str:
    """The schema as the text of the published file."""
    return json.dumps(definition_schema(), indent=2, ensure_ascii=False) + "\n"


_CONDITION = {
    "oneOf": [
        {"$ref": f"#/$defs/{name}"}
        for name in (
            *("AllOf", "AnyOf", "NoneOf"),
            *("TraitRule", "PropertyRule", "Known", "AnswerRule"),
            *("Did", "DidNot", "Engaged"),
        )
    ]
}
_NULL = {"type": "null"}


def _tidied(schema: Any) -> Any:
    """Without titles, without null (a key without a value is left out), and the condition in one place only."""
    if isinstance(schema, list):
        return [_tidied(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("oneOf") == _CONDITION["oneOf"]:
        return {"$ref": "#/$defs/Condition"}
    tidy = {key: _tidied(value) for key, value in schema.items() if not _is_noise(key, value)}
    if isinstance(tidy.get("description"), str):
        tidy["description"] = " ".join(tidy["description"].split())
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    choices = [choice for choice in tidy.get("anyOf", ()) if choice != _NULL]
    if len(choices) == 1:
        del tidy["anyOf"]
        tidy |= choices[0]
    return tidy


def _is_noise(key: str, value: object) -> bool:
    """Titles repeat the keys, and empty defaults only stand for "not written"."""
    if key == "title":
        return isinstance(value, str)
    return key == "default" and (value is None or value is True or value in ("", [], 0))


if __name__ == "__main__":
    sys.stdout.write(schema_text())
