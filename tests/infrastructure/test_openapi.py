"""The description of the API is valid, says the same as the template, and names codes that there are."""

import ast
import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.support.template import ROOT, routes

from tidings.core import errors
from tidings_cli.openapi import document as described
from tidings_cli.openapi.codes import codes, lint_codes
from tidings_cli.openapi.routes import SUBJECTS
from tidings_cli.openapi.routes.route import PLACES, Key, Route

ROUTES = [route for _, of_subject in SUBJECTS.values() for route in of_subject]
SOURCES = [*(ROOT / "layers" / "tidings").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
SERVED: dict[str, Any] = json.loads(described.FILE.read_text(encoding="utf-8"))

every_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = SERVED["paths"][route.path][route.method.lower()]
    return found


def test_the_file_that_is_served_is_what_the_routes_make() -> None:
    assert described.FILE.read_text(encoding="utf-8") == described.text(), "write it anew: make openapi"


def test_it_is_valid() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(SERVED).iter_errors()] == []


def test_it_describes_exactly_the_routes_of_the_template() -> None:
    told = {f"{method.upper()} {path}" for path, item in SERVED["paths"].items() for method in item}
    assert told == set(routes())


def test_no_route_is_described_twice() -> None:
    assert len({route.name for route in ROUTES}) == len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_every_schema_is_used() -> None:
    text = json.dumps(SERVED)
    assert [name for name in SERVED["components"]["schemas"] if f'"#/components/schemas/{name}"' not in text] == []


def test_every_place_is_in_a_path() -> None:
    assert {name for name in PLACES if not any(f"{{{name}}}" in route.path for route in ROUTES)} == set()


def raised() -> dict[str, set[int]]:
    """The statuses of each code that the code raises as a constant."""
    kinds = {name: value.status for name, value in vars(errors).items() if hasattr(value, "status")}
    found: dict[str, set[int]] = {}
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in kinds:
                continue
            if node.args and isinstance(node.args[0], ast.Constant):
                found.setdefault(str(node.args[0].value), set()).add(kinds[node.func.id])
    return found


RAISED = raised()


@pytest.mark.parametrize("code", codes())
def test_a_code_comes_with_the_status_that_the_documentation_says(code: str) -> None:
    assert RAISED.get(code, {codes()[code].status}) == {codes()[code].status}


@every_route
def test_every_code_of_a_route_exists(route: Route) -> None:
    if route.is_page:  # people are told in words
        assert set(operation(route)["responses"]) >= {str(codes()[code].status) for code in route.codes}
        return
    told = {
        code
        for response in operation(route)["responses"].values()
        for kind, content in response["content"].items()
        if kind == "application/json"  # drawings are none
        for part in content["schema"].get("allOf", [])
        for code in part.get("properties", {}).get("code", {}).get("enum", [])
    }
    assert told <= set(codes()) | set(lint_codes())
    assert told >= route.codes


def test_every_code_that_the_api_can_answer_is_told_by_a_route() -> None:
    told = {code for route in ROUTES for code in route.codes} | set(lint_codes())
    # Of what happens after a call; they stand in logs. And of single rows, which an import tells beside the others.
    elsewhere = {"identity_contended", "invalid_reply", "invalid_row", "text_too_long"}
    assert set(codes()) - told == elsewhere


@every_route
def test_a_route_says_which_keys_open_it(route: Route) -> None:
    told = operation(route)["security"]
    assert bool(told) == (route.key is not Key.NONE)
    assert ({} in told) == (route.key is Key.REPORTING)  # where the key may stand in the body instead


def test_functions_do_not_import_the_description() -> None:
    assert [path for path in SOURCES if "tidings_cli" in path.read_text(encoding="utf-8")] == []
