"""From the text of a definition, YAML or JSON, to plain data that is safe to look at.

Refused with a code of its own: text over 256 KB (`definition_too_large`), text that is neither YAML nor JSON
(`invalid_syntax`), a key that stands twice (`duplicate_key`), YAML anchors and aliases (`alias_refused`: a short file
could name itself a billion times). YAML is read by the rules of YAML 1.2: `no` and `on` are text, dates are text, so
that a file says the same in YAML and in JSON. A text that begins with `{` is JSON.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from tidings.core.errors import InvalidInput

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 256 * 1024


def read(text: str) -> dict[str, Any]:
    """The mapping that the text says; raises InvalidInput with one of the codes above."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise InvalidInput("definition_too_large", f"the text has more than {MAX_BYTES // 1024} KB")
    try:
        data = _read_json(text) if text.lstrip("\ufeff \t\r\n").startswith("{") else _read_yaml(text)
    except RecursionError:
        raise InvalidInput("invalid_syntax", "the text is nested too deep") from None
    if not isinstance(data, dict):
        raise InvalidInput("invalid_syntax", "the text must be a mapping of keys to values")
    return data


def _read_json(text: str) -> object:
    try:
        return json.loads(text.lstrip("\ufeff"), object_pairs_hook=_once_each, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise InvalidInput("invalid_syntax", message) from None
    except ValueError:  # a number of thousands of digits
        raise InvalidInput("invalid_syntax", "not JSON: a number is too long") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        if key in mapping:
            raise InvalidInput("duplicate_key", f'the key "{key[:80]}" stands twice in one mapping')
        mapping[key] = value
    return mapping


def _no_constant(name: str) -> NoReturn:
    raise InvalidInput("invalid_syntax", f"not JSON: {name} is no number")


def _read_yaml(text: str) -> object:
    import yaml  # late: functions are given JSON and need not carry a YAML parser

    try:
        return yaml.load(text, Loader=_loader())  # noqa: S506 a safe loader, made stricter
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "the text cannot be read"
        raise InvalidInput("invalid_syntax", f"not YAML: {problem}{place}") from None
    except ValueError:
        raise InvalidInput("invalid_syntax", "not YAML: a number cannot be read") from None


@lru_cache(maxsize=1)
def _loader() -> type[yaml.SafeLoader]:
    import re

    import yaml

    class Loader(yaml.SafeLoader):
        """Safe, without aliases, every key once, and with the scalars of the YAML 1.2 core schema."""

        yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 as in PyYAML

        def compose_node(self, parent: Any, index: Any) -> Any:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            line = event.start_mark.line + 1
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise InvalidInput("alias_refused", f"anchors and aliases are not allowed (line {line}): write it out")
            if getattr(event, "tag", None):
                raise InvalidInput("invalid_syntax", f"not YAML: tags are not allowed (line {line})")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            _refuse_keys_written_twice(node)
            return dict(super().construct_mapping(node, deep=deep))

    for tag, pattern, first in _SCALARS:
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)
    return Loader


def _refuse_keys_written_twice(mapping: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in mapping.value:
        line = key.start_mark.line + 1
        if not isinstance(key.value, str):
            raise InvalidInput("invalid_syntax", f"not YAML: a key must be plain text (line {line})")
        if key.value in seen:
            message = f'the key "{key.value[:80]}" stands twice in one mapping (line {line})'
            raise InvalidInput("duplicate_key", message)
        seen.add(key.value)


# Numbers that begin with a needless zero are text: they are codes, and YAML 1.1 would read them as octal.
_SCALARS: tuple[tuple[str, str, list[str]], ...] = (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
)
