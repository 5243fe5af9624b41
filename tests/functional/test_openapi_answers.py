"""What the API answers is what its description says: one call of every route, and the refusals that all of them have.

test_openapi_fuzzed.py asks for the rest.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError
from jsonschema import Draft202012Validator, FormatChecker
from tests.support.front import Front, ask
from tests.support.tour import ALL, CASES, INGEST, WISHES, Case, filled, one_of_each
from tests.support.world import ROOT, World

from tidings_cli.openapi.routes import SUBJECTS

DOCUMENT: dict[str, Any] = json.loads((ROOT / "functions" / "openapi" / "openapi.json").read_text(encoding="utf-8"))
# What each route answers when all is well: a short link leads on, all others answer themselves.
SUCCESS = {f"{route.method} {route.path}": route.status for _, routes in SUBJECTS.values() for route in routes}
IN_ORDER = sorted(ALL, key=lambda route: ALL[route].late)


def described(route: str, status: int) -> dict[str, Any]:
    """What an answer may contain, by its type. Raises KeyError for a status that the route does not tell of."""
    method, path = route.split(" ")
    content: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]["responses"][str(status)].get("content", {})
    return content


@cache
def validator(route: str, status: int) -> Draft202012Validator:
    """What an answer in JSON is checked by."""
    schema = {**described(route, status)["application/json"]["schema"], "components": DOCUMENT["components"]}
    return Draft202012Validator(schema, format_checker=FormatChecker())


def require_told(route: str, status: int, headers: dict[str, str], answer: Any) -> None:
    """Fail where an answer is not what the description says: empty, a page, a line of text, a sheet, or JSON."""
    told = described(route, status)
    if not told:
        assert answer == "", route
        return
    kind = headers["content-type"].partition(";")[0]
    assert kind in told, route
    if kind != "application/json":
        assert isinstance(answer, str), route
        return
    problems = [
        f"{list(error.absolute_path)}: {error.message}" for error in validator(route, status).iter_errors(answer)
    ]
    assert problems == [], (route, status, answer)


def made(
    front: Front, route: str, case: Case, known: dict[str, str], key: str | None
) -> tuple[int, dict[str, str], Any]:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return ask(front, route.split(" ")[0], case.address(route, known), filled(case.body, known), headers)


def test_every_route_answers_as_it_is_described(world: World) -> None:
    known, front = one_of_each(world), Front(world)
    for route in IN_ORDER:
        status, headers, answer = made(front, route, ALL[route], known, world.keys[ALL[route].key])
        assert 200 <= status < 300 or status == SUCCESS[route] == 302, (route, answer)
        require_told(route, status, headers, answer)


@pytest.mark.parametrize("key", [None, "sk_nobodys", "write"])
def test_a_key_that_does_not_open_a_route_is_refused_as_it_is_described(world: World, key: str | None) -> None:
    known, front = one_of_each(world), Front(world)
    for route, case in (CASES if key == "write" else {**CASES, **INGEST, **WISHES}).items():
        status, headers, answer = made(front, route, case, known, world.keys.get(key or "", key))
        assert status == (403 if key == "write" else 401), (route, answer)
        require_told(route, status, headers, answer)


NOTHING = dict.fromkeys(
    ("contact", "message", "name", "address", "writeKey", "merge", "company", "conflict", "visitor", "bob"), "c-nothing"
)


def test_what_is_not_there_is_answered_as_it_is_described(world: World) -> None:
    front = Front(world)
    for route, case in {
        **CASES,
        "GET /v1/projects/{writeKey}/settings": ALL["GET /v1/projects/{writeKey}/settings"],
    }.items():
        nothing = Case(
            {**case.path, **{name: NOTHING[name] for name in case.path if name in NOTHING}}, case.query, case.body
        )
        status, headers, answer = made(front, route, nothing, NOTHING, world.keys["secret"])
        require_told(route, status, headers, answer)


ASKING_NO_TABLE = {"POST /v1/templates/lint"}


def test_what_the_database_refuses_is_answered_as_it_is_described(world: World) -> None:
    known, front = one_of_each(world), Front(world)
    for code, expected in (("ThrottlingException", 429), ("InternalServerError", 503)):

        def fail(call: Any, code: str = code) -> None:
            if call.service == "dynamodb" and "ApiKeys" not in str(call.arguments):
                raise ClientError({"Error": {"Code": code, "Message": code}}, call.operation)

        world.recorder.before = fail
        for route in {*CASES, *INGEST, *WISHES} - ASKING_NO_TABLE:
            status, headers, answer = made(front, route, ALL[route], known, world.keys[ALL[route].key])
            assert status == expected, (route, answer)
            assert (status == 429) == ("retry-after" in headers)
            require_told(route, status, headers, answer)
        world.recorder.before = None
