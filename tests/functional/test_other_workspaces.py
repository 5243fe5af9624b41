"""The walls between workspaces: what anybody's key that is not the workspace's own is told, and what it changes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.template import routes, table_variables
from tests.support.tour import ADA, ALL, CANARY, CASES, COMPANY, INGEST, OPEN, WISHES, call, one_of_each
from tests.support.world import ROOT, World

from tidings.accounts.model import KeyKind

DOCUMENT = json.loads((ROOT / "functions" / "openapi" / "openapi.json").read_text(encoding="utf-8"))
PAGED = [
    f"{method.upper()} {path}"
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))
]
IN_ORDER = sorted(CASES, key=lambda route: CASES[route].late)


@pytest.fixture
def known(world: World) -> dict[str, str]:
    """The ids of what Acme has: one of everything."""
    return one_of_each(world)


@pytest.fixture
def others(world: World, known: dict[str, str]) -> dict[str, str]:
    """Keys of another workspace, by kind."""
    with world.recorder.unseen():
        return {kind.value: world.accounts.create_key("other", kind, kind.value) for kind in KeyKind}


def stored(world: World, workspace: str) -> dict[str, list[str]]:
    """Everything that is stored of a workspace."""
    return {
        table: sorted(json.dumps(item, default=str) for item in world.items(table) if _workspace(item) == workspace)
        for table in table_variables()
        if table != "TABLE_API_KEYS"
    }


def _workspace(item: dict[str, Any]) -> str:
    if "workspace" in item:  # where the key does not tell
        return str(item["workspace"]["S"])
    return str(item["pk"]["S"].partition("#")[0])


def test_every_route_of_the_template_is_walked() -> None:
    assert set(routes()) == set(ALL)


def test_the_secret_key_of_the_workspace_opens_every_route(world: World, known: dict[str, str]) -> None:
    for route in IN_ORDER:
        status, answer = call(world, route, known)
        assert 200 <= status < 300, (route, answer)


def test_a_secret_key_of_another_workspace_sees_and_changes_nothing(
    world: World, known: dict[str, str], others: dict[str, str]
) -> None:
    before = stored(world, "acme")
    for route in IN_ORDER:
        status, answer = call(world, route, known, others["secret"])
        assert status == CASES[route].theirs, (route, answer)
        assert CANARY not in json.dumps(answer), route
        assert stored(world, "acme") == before, route
        assert route != "POST /v1/suppressions/check" or answer["suppressed"] is False
    world.pump()
    assert stored(world, "acme") == before
    assert len(world.ses.accepted) == 1


def test_a_key_of_another_workspace_that_may_only_report_opens_nothing(
    world: World, known: dict[str, str], others: dict[str, str]
) -> None:
    before = stored(world, "acme")
    for kind in ("publishable", "write"):
        for route in CASES:
            status, answer = call(world, route, known, others[kind])
            assert (status, answer["code"]) == (403, "secret_key_required"), route
    assert stored(world, "acme") == before


def test_what_another_workspace_reports_of_the_same_ids_stays_its_own(
    world: World, known: dict[str, str], others: dict[str, str]
) -> None:
    before, events = stored(world, "acme"), 0
    for kind, key in others.items():
        for route, case in INGEST.items():
            body = json.loads(json.dumps(case.body).replace("canary-1", f"canary-{kind}-{route}"))
            status, answer = call(world, route, known, key, replace(case, body=body))
            world.pump()
            assert status == 200, (route, answer)
            assert CANARY not in json.dumps(answer), route
            assert stored(world, "acme") == before, route
            theirs = len(stored(world, "other")["TABLE_EVENTS"])
            assert theirs > events, (route, kind)
            events = theirs


def test_a_wish_with_another_workspaces_key_knows_none_of_its_topics(
    world: World, known: dict[str, str], others: dict[str, str]
) -> None:
    before = stored(world, "acme")
    for key in others.values():
        for route in WISHES:
            status, answer = call(world, route, known, key)
            assert (status, answer["code"]) == (404, "unknown_topic"), route
    assert stored(world, "acme") == before
    assert len(world.ses.accepted) == 1


def test_a_cursor_of_another_workspace_leads_to_nothing_of_it(
    world: World, known: dict[str, str], others: dict[str, str]
) -> None:
    theirs = {**known, "contact": _their_ada(world, others["secret"])}
    cursors = {known["cursor"]}
    for route in PAGED:
        _, answer = call(world, route, known, case=replace(CASES[route], query={**needed(route), "limit": "1"}))
        cursors |= {answer["cursor"]} - {""}
    assert len(cursors) >= 3
    for route in PAGED:
        for cursor in cursors:
            case = replace(CASES[route], query={**needed(route), "cursor": cursor})
            status, answer = call(world, route, theirs, others["secret"], case)
            assert status in (200, 400, 404), (route, answer)
            assert CANARY not in json.dumps(answer), route


def needed(route: str) -> dict[str, str]:
    """What a route cannot be asked without, beside what its path names."""
    method, path = route.split(" ")
    parameters = DOCUMENT["paths"][path][method.lower()].get("parameters", ())
    names = [one["name"] for one in parameters if one["in"] == "query" and one["required"]]
    return {name: CASES[route].query[name] for name in names}


def _their_ada(world: World, key: str) -> str:
    """Somebody of the same id in the other workspace, who belongs to a company of the same id."""
    world.ingest("identify", {"userId": "ada", "traits": {"email": ADA}}, key)
    world.ingest("group", {"userId": "ada", "groupId": COMPANY["company"]}, key)
    world.pump()
    _, found = world.call("contacts", "GET /v1/contacts", query={"user_id": "ada"}, key=key)
    return str(found["contacts"][0]["contact"])


def test_only_a_secret_key_opens_a_route(world: World, known: dict[str, str]) -> None:
    before = stored(world, "acme")
    for key, status, code in (
        ("publishable", 403, "secret_key_required"),
        ("write", 403, "secret_key_required"),
        (None, 401, "missing_api_key"),
        ("sk_nobodys", 401, "invalid_api_key"),
    ):
        for route in CASES:
            answered, answer = call(world, route, known, key)
            assert (answered, answer["code"]) == (status, code), route
    assert stored(world, "acme") == before


def test_what_anybody_may_read_tells_nothing_of_a_workspace(world: World, known: dict[str, str]) -> None:
    for route in OPEN:
        status, answer = call(world, route, known, None)
        assert status == 200, answer
        assert not any(told in json.dumps(answer) for told in (CANARY, known["contact"], known["message"])), route


def test_nobody_reports_without_a_key(world: World, known: dict[str, str]) -> None:
    before = stored(world, "acme")
    for key, code in ((None, "missing_api_key"), ("wk_nobodys", "invalid_api_key")):
        for route, case in {**INGEST, **WISHES}.items():
            answered, answer = call(world, route, known, key, case)
            assert (answered, answer["code"]) == (401, code), route
    assert stored(world, "acme") == before


def test_a_revoked_key_opens_nothing_after_60_seconds(world: World, known: dict[str, str]) -> None:
    for key in {case.key for case in CASES.values()}:
        world.accounts.revoke_key(world.keys[key])
    world.now += timedelta(seconds=60)
    before = stored(world, "acme")
    for route, case in {**CASES, **INGEST, **WISHES}.items():
        status, answer = call(world, route, known, case=case)
        assert (status, answer["code"]) == (401, "invalid_api_key"), route
    assert stored(world, "acme") == before


def test_a_key_in_the_body_opens_no_route_of_the_api(world: World) -> None:
    body = {"address": ADA, "writeKey": world.keys["secret"]}
    status, answer = world.call("check_suppression", "POST /v1/suppressions/check", body, None)
    assert (status, answer["code"]) == (401, "missing_api_key")
