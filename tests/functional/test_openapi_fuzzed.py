"""Schemathesis asks the whole API what its description allows, and what it does not: no fault, no answer untold.

The requests go through the front that makes API Gateway's events of them to the real handlers. The workspace has one of
everything, and is as it was before each route's turn; of two requests about something one is about what is there.
"""

from __future__ import annotations

import copy
import json
import os
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from hypothesis import Phase, settings
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.support.front import OWN_ANSWER, Front
from tests.support.recorder import Recorder
from tests.support.tour import ALL, filled, one_of_each
from tests.support.world import ACCOUNT, REGION, ROOT, World

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
DOCUMENT = json.loads((ROOT / "functions" / "openapi" / "openapi.json").read_text(encoding="utf-8"))
# Every limit of every kind of component makes thousands of cases: definitions have property tests of their own.
BOUNDED = {
    **({"seed": 1} if "CI" in os.environ else {}),  # as in tests/conftest.py
    "operations": [{"include-operation-id": "applyAutomation", "phases": {"coverage": {"enabled": False}}}],
}
schema = schemathesis.openapi.from_dict(DOCUMENT, config=SchemathesisConfig.from_dict(BOUNDED))

# Fields of bodies that name what has to be there.
NAMING = {"to", "template", "contact", "into", "confirm", "contacts", "address", "components", "start", "trigger"}


@dataclass
class Api:
    """A front over a world that can be put back to how it was."""

    front: Front
    known: dict[str, str]
    keys: dict[str, str]
    asked: str = ""
    answered: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def __post_init__(self) -> None:
        self._tables = dynamodb_backends[ACCOUNT][REGION].tables
        self._before = {name: copy.deepcopy(table.items) for name, table in self._tables.items()}

    def turn_of(self, operation: str) -> None:
        """Put everything back when another route's turn comes."""
        if operation != self.asked:
            self.asked = operation
            for name, items in self._before.items():
                self._tables[name].items = copy.deepcopy(items)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
            patch.setenv(name, REGION)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        recorder = Recorder()
        with recorder.listening():
            world = World(recorder, patch)
            yield Api(Front(world), one_of_each(world), world.keys)


def aimed(case: Any, known: dict[str, str]) -> None:
    """Let every second request be about what is there, and some of those just what the tour asks."""
    drawn = repr((case.path_parameters, case.query, case.body)).encode("utf-8", "replace")
    if zlib.crc32(drawn) % 2:
        return
    there = ALL[case.operation.label]
    case.path_parameters = {**(case.path_parameters or {}), **filled(there.path, known)}
    if there.query and zlib.crc32(drawn) % 4:
        case.query = filled(there.query, known)
    if isinstance(there.body, dict) and zlib.crc32(drawn) % 16 == 8:
        case.body = filled(there.body, known)
    elif isinstance(case.body, dict) and isinstance(there.body, dict):
        case.body = {**case.body, **filled({name: there.body[name] for name in NAMING & there.body.keys()}, known)}


@schema.parametrize()
@settings(max_examples=25, phases=[Phase.explicit, Phase.generate])
def test_every_route_answers_whatever_it_is_asked_as_it_is_described(case: Any, api: Api) -> None:
    api.turn_of(case.operation.label)
    aimed(case, api.known)
    key = api.keys[ALL[case.operation.label].key]
    response = case.call(app=api.front, headers={"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"})
    if OWN_ANSWER not in response.headers:  # what API Gateway answers itself is not ours to describe
        case.validate_response(response, checks=CHECKS)
        api.answered[api.asked][response.status_code] += 1


def test_of_every_route_that_was_asked_something_was_served_and_something_refused(api: Api) -> None:
    for route, statuses in api.answered.items():
        assert min(statuses) < 400, (route, statuses)
        assert ALL[route].path == {} or max(statuses) >= 400, (route, statuses)
