"""Puts routes and shapes together into one OpenAPI 3.1 document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openapi_pydantic import Info, OpenAPI, Tag
from openapi_pydantic.util import construct_open_api_with_schema_class
from pydantic import BaseModel

from tidings.automations.definition.schema import definition_schema
from tidings_cli.openapi.answers.base import NAMED
from tidings_cli.openapi.codes import Code, by_status, codes, lint_codes
from tidings_cli.openapi.routes import SUBJECTS
from tidings_cli.openapi.routes.automations import LINTED
from tidings_cli.openapi.routes.route import HTML, PLACES, Body, Key, Query, Route

ROOT = Path(__file__).parents[3]
FILE = ROOT / "functions" / "openapi" / "openapi.json"
VERSION = "1"
SCHEMAS = "#/components/schemas/"

Json = dict[str, Any]

_ABOUT = (
    "Customer engagement in your own AWS account: apps report who a person is and what they do, automations decide who "
    "hears what. Every answer is JSON. An error has a `code`, which is stable and for programs, a `message` for "
    "people, and, where one thing is to blame, its name as `field`. With a status of 429 or 503 the call may "
    "be repeated, as SDKs do; 429 says in `Retry-After` when."
)

_SECURITY_SCHEMES = {
    "basic": {"type": "http", "scheme": "basic", "description": "The key is the user name, the password is empty."},
    "bearer": {"type": "http", "scheme": "bearer", "description": "The key."},
}
_SECURITY: Mapping[Key, list[Json]] = {
    Key.OF_SERVERS: [{"bearer": []}, {"basic": []}],
    Key.OF_AGENTS: [{"bearer": []}, {"basic": []}],
    # The last stands for the field writeKey of the body, which OpenAPI has no word for.
    Key.REPORTING: [{"basic": []}, {"bearer": []}, {}],
    Key.NONE: [],
}
_WAIT = {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer", "minimum": 1}}
_STATUSES = {
    400: "The call cannot work as it is.",
    401: "No key, or one that nobody knows.",
    403: "The key may not do this.",
    404: "It is not there.",
    409: "Somebody changed it at the same time, or the id was used with another body.",
    429: "Too much at once: wait, and repeat.",
    503: "A fault on our side: repeat.",
}


def document() -> Json:
    """The document as plain data; the same routes and models make the same document."""
    paths: dict[str, Json] = {}
    models: set[type[BaseModel]] = set()
    for subject, (_, routes) in SUBJECTS.items():
        for route in routes:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, subject)
            models |= _models(route)
    described = OpenAPI.model_validate(
        {
            "openapi": "3.1.1",
            "info": Info(title="Tidings", version=VERSION, description=_ABOUT),
            "servers": [{"url": "/"}],
            "tags": [Tag(name=name, description=about) for name, (about, _) in SUBJECTS.items()],
            "paths": paths,
            "components": {"securitySchemes": _SECURITY_SCHEMES, "schemas": _own_schemas()},
        }
    )
    whole = construct_open_api_with_schema_class(described, sorted(models, key=lambda model: model.__name__))
    made: Json = json.loads(whole.model_dump_json(by_alias=True, exclude_unset=True))
    made["components"]["schemas"] = dict(sorted(_tidied(made["components"]["schemas"]).items()))
    made["components"]["schemas"]["Error"]["properties"]["code"]["description"] = _meanings()
    return made


def text() -> str:
    """The document as the text of the file that is served: compact, but an operation or a schema a line.

    So two changes of the API seldom touch the same line.
    """
    return f"{_written(document(), 3)}\n"


def _written(value: Any, levels: int) -> str:
    if not isinstance(value, dict) or not levels:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    entries = (f"{json.dumps(key)}:{_written(entry, levels - 1)}" for key, entry in value.items())
    return "{\n" + ",\n".join(entries) + "\n}"


def _operation(route: Route, subject: str) -> Json:
    made: Json = {"operationId": route.name, "summary": route.summary, "tags": [subject]}
    if route.about:
        made["description"] = route.about
    made["security"] = _SECURITY[route.key]
    if parameters := [*_places(route), *(_query(query) for query in route.query)]:
        made["parameters"] = parameters
    if route.body is not None:
        made["requestBody"] = _body(route.body)
    if route.form:
        made["requestBody"] = _form(route.form)
    made["responses"] = _responses(route)
    return made


def _places(route: Route) -> list[Json]:
    names = [part.strip("{}") for part in route.path.split("/") if part.startswith("{")]
    given = _event(route.example or (route.body.example if route.body else "")).get("pathParameters", {})
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PLACES[name][0],
            "schema": PLACES[name][1],
            **({"example": given[name]} if name in given else {}),
        }
        for name in names
    ]


def _query(query: Query) -> Json:
    return {
        "name": query.name,
        "in": "query",
        "required": query.required,
        "description": query.about,
        "schema": query.schema,
    }


def _body(body: Body) -> Json:
    content: Json = {"schema": {"$ref": SCHEMAS + _name(body)}}
    if given := _event(body.example).get("body"):
        content["example"] = json.loads(given)
    return {"required": body.required, "content": {"application/json": content}}


def _form(fields: Mapping[str, list[str]]) -> Json:
    given = {name: {"type": "string", **({"enum": said} if said else {})} for name, said in fields.items()}
    schema = {"schema": {"type": "object", "properties": given}}
    kinds = ("application/x-www-form-urlencoded", "multipart/form-data")
    return {"required": False, "content": dict.fromkeys(kinds, schema)}


def _pages(route: Route) -> Json:
    """The answers of a route that are pages; HEAD and what has no content answer with headers alone."""
    content: Json = {} if route.method == "HEAD" else {"content": {"text/html": {"schema": HTML}}}
    media = ("text/html", *(["text/plain"] if "List-Unsubscribe" in route.form else []))
    text: Json = {"content": {kind: {"schema": {"type": "string"}} for kind in media}} if route.answer else {}
    made: Json = {str(route.status): {"description": "What was asked for.", **text}}
    for status in by_status(route.codes):
        made[str(status)] = {"description": _STATUSES[status], **content}
        if status == 429:
            made[str(status)]["headers"] = {"Retry-After": _WAIT}
    return made


def _responses(route: Route) -> Json:
    if route.is_page:
        return _pages(route)
    answer = route.answer if isinstance(route.answer, Mapping) else {"$ref": SCHEMAS + route.answer.__name__}
    made = {str(route.status): _response("What was asked for.", answer)}
    if route.media:
        made[str(route.status)]["content"] = {kind: {"schema": answer} for kind in route.media}
    if route.sheet:
        made[str(route.status)] = _with_sheet(made[str(route.status)])
    refusals = by_status(route.codes)
    if route.name in LINTED:
        refusals[400] = [*refusals.get(400, []), *(Code(name, 400, "") for name in lint_codes())]
    for status, listed in sorted(refusals.items()):
        made[str(status)] = _refusal(route, status, listed)
        if status == 429:
            made[str(status)]["headers"] = dict.fromkeys(("Retry-After", "X-RateLimit-Reset"), _WAIT)
    return made


def _refusal(route: Route, status: int, listed: list[Code]) -> Json:
    names = sorted({code.name for code in listed})
    schema = {"allOf": [{"$ref": SCHEMAS + route.error.__name__}, {"properties": {"code": {"enum": names}}}]}
    return _response(_STATUSES[status], schema)


def _with_sheet(response: Json) -> Json:
    """The same answer as comma-separated values, which carry the next page's cursor in a header."""
    cursor = {"description": "Of CSV: asks for the next page; missing at the end.", "schema": {"type": "string"}}
    content = {**response["content"], "text/csv": {"schema": {"type": "string"}}}
    return {**response, "headers": {"X-Next-Cursor": cursor}, "content": content}


def _meanings() -> str:
    """What each code means, told in one place."""
    listed = "\n".join(f"- `{code.name}`: {code.meaning}" for code in codes().values())
    return f"{listed}\n- others: mistakes in an automation, which the message tells"


def _response(about: str, schema: Mapping[str, Any]) -> Json:
    return {"description": about, "content": {"application/json": {"schema": schema}}}


def _models(route: Route) -> set[type[BaseModel]]:
    given = (
        route.answer,
        *route.also,
        route.error,
        route.body.schema if route.body and not route.body.without else None,
    )
    return {model for model in given if isinstance(model, type)}


def _event(name: str) -> Json:
    path = ROOT / "events" / f"{name}.json"
    read: Json = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return read


def _name(body: Body) -> str:
    """The schema of a body; one of its own where the path gives what the model requires."""
    name = body.schema if isinstance(body.schema, str) else body.schema.__name__
    return f"{name}Body" if body.without else name


def _own_schemas() -> Json:
    """The schemas that are not made of models here: that of automations, and bodies that leave out a name."""
    automation = definition_schema()
    made = {name: _moved(schema) for name, schema in automation.pop("$defs").items()}
    made["Automation"] = _moved({key: value for key, value in automation.items() if key != "$schema"})
    for _, routes in SUBJECTS.values():
        for body in (route.body for route in routes if route.body is not None and route.body.without):
            whole = made[body.schema] if isinstance(body.schema, str) else _moved(body.schema.model_json_schema())
            required = [name for name in whole["required"] if name != body.without]
            made |= whole.get("$defs", {})
            made[_name(body)] = {**{key: one for key, one in whole.items() if key != "$defs"}, "required": required}
    return made


def _moved(value: Any) -> Any:
    """A schema whose references lead to the document's components."""
    if isinstance(value, list):
        return [_moved(one) for one in value]
    if isinstance(value, dict):
        moved = {key: _moved(one) for key, one in value.items()}
        # The library takes a reference with nothing beside it.
        alone = "default" not in moved or not isinstance(moved.get("$ref"), str)
        return moved if alone else {"allOf": [{"$ref": moved.pop("$ref")}], **moved}
    return value.replace("#/$defs/", SCHEMAS) if isinstance(value, str) else value


def _is_noise(key: str, value: Any) -> bool:
    """A title repeats the field's name, and null only stands for a field that is not there."""
    return (key == "title" and isinstance(value, str)) or (key == "default" and value is None)


def _tidied(schema: Any) -> Any:
    """Without what says nothing, descriptions on one line, marks as references."""
    if isinstance(schema, list):
        return [_tidied(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if NAMED in schema:
        return {"$ref": SCHEMAS + schema[NAMED]}
    tidy = {key: _tidied(value) for key, value in schema.items() if not _is_noise(key, value)}
    if isinstance(tidy.get("description"), str):
        tidy["description"] = " ".join(tidy["description"].split())
    return tidy
