"""Who may do what: kinds of keys, the walls between workspaces, and what is never written to a log."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from tests.support.template import root_stack, table_variables
from tests.support.world import World

from tidings.core.logs import logger

ADA = "ada@people.example"
INGEST = {"POST /v1/identify", "POST /v1/track", "POST /v1/batch"}


@dataclass
class Call:
    """A call of a route with what it needs; `{...}` stands for ids of what Acme has."""

    function: str
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None


CONTACT, MESSAGE, TIPS, TOUR = {"contact": "{contact}"}, {"message": "{message}"}, {"name": "tips"}, {"name": "tour"}
ADDRESS = {"channel": "email", "address": ADA}
ORDER = {"to": {"contact": "{contact}"}, "template": "tips", "idempotency_key": "k-9"}
AUTOMATION = {
    "description": "canary",
    "trigger": {"event": "Signed Up"},
    "start": "tips",
    "components": {"tips": {"type": "send_email", "template": "tips"}},
}
CALLS = {
    "GET /v1/contacts": Call("contacts", query={"email": ADA}),
    "GET /v1/contacts/{contact}": Call("contacts", CONTACT),
    "GET /v1/contacts/{contact}/timeline": Call("contacts", CONTACT),
    "GET /v1/contacts/{contact}/messages": Call("contacts", CONTACT),
    "GET /v1/contacts/{contact}/enrolments": Call("contacts", CONTACT),
    "GET /v1/templates": Call("templates"),
    "GET /v1/templates/{name}": Call("templates", TIPS),
    "PUT /v1/templates/{name}": Call("templates", TIPS, body={"subject": "Theirs", "text": "Theirs"}),
    "GET /v1/templates/{name}/versions": Call("templates", TIPS),
    "GET /v1/automations": Call("automations"),
    "GET /v1/automations/{name}": Call("automations", TOUR),
    "PUT /v1/automations/{name}": Call("automations", TOUR, body={**AUTOMATION, "description": "Theirs"}),
    "POST /v1/automations/{name}/publish": Call("automations", TOUR),
    "GET /v1/automations/{name}/versions": Call("automations", TOUR),
    "GET /v1/automations/{name}/enrolments": Call("automations", TOUR),
    "POST /v1/automations/{name}/resume": Call("automations", TOUR),
    "GET /v1/suppressions/{channel}/{address}": Call("suppressions", ADDRESS),
    "PUT /v1/suppressions/{channel}/{address}": Call("suppressions", ADDRESS),
    "DELETE /v1/suppressions/{channel}/{address}": Call("suppressions", ADDRESS),
    "POST /v1/suppressions/check": Call("check_suppression", body={"address": ADA}),
    "POST /v1/emails": Call("send_email", body=ORDER),
    "GET /v1/messages": Call("messages", query={"state": "unknown"}),
    "GET /v1/messages/{message}": Call("messages", MESSAGE),
}
# What another workspace's key answers where it is not "not found".
THEIRS = {
    "GET /v1/templates": 200,
    "PUT /v1/templates/{name}": 200,
    "GET /v1/automations": 200,
    "PUT /v1/automations/{name}": 400,  # the template is not theirs
    "PUT /v1/suppressions/{channel}/{address}": 200,
    "POST /v1/suppressions/check": 200,
    "GET /v1/messages": 200,
}
# Calls after which the other workspace has something of its own; they come last.
LATE = {"PUT /v1/templates/{name}", "PUT /v1/suppressions/{channel}/{address}"}


@pytest.fixture
def acme(world: World) -> World:
    """Acme has one of everything, and each says `canary`."""
    world.template("tips", text="canary", subject="canary")
    world.automation({"automation": "tour", **AUTOMATION})
    world.identify("ada", email=ADA, secret="canary")
    world.track("ada", "Signed Up", secret="canary")
    world.ses.failing = ["timeout"]
    with pytest.raises(Exception, match="no answer"):
        world.run()
    world.now += timedelta(minutes=5)
    world.invoke("settle_messages", {})
    world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=ADDRESS)
    return world


def ids(world: World) -> dict[str, str]:
    contact = world.contact(user_id="ada")["contact"]
    (message,) = world.of_contact(contact, "messages")
    return {"{contact}": contact, "{message}": message["message"]}


def call(world: World, route: str, known: dict[str, str], key: str | None = "secret") -> tuple[int, dict[str, Any]]:
    given = CALLS[route]
    path = {name: known.get(value, value) for name, value in given.path.items()}
    body = given.body and json.loads(json.dumps(given.body).replace("{contact}", known.get("{contact}", "")))
    return world.call(given.function, route, body, key, path=path, query=given.query)


def routes() -> set[str]:
    """Every route of the template."""
    events = [
        trigger["Properties"]
        for resource in root_stack().resources.values()
        if resource["Type"] == "AWS::Serverless::Function"
        for trigger in resource["Properties"].get("Events", {}).values()
        if trigger["Type"] == "HttpApi"
    ]
    return {f"{event['Method']} {event['Path']}" for event in events}


def items_of(world: World, workspace: str) -> dict[str, list[str]]:
    """Everything that is stored of a workspace."""
    return {
        table: sorted(json.dumps(item) for item in world.items(table) if _workspace(item) == workspace)
        for table in table_variables()
        if table != "TABLE_API_KEYS"
    }


def _workspace(item: dict[str, Any]) -> str:
    return str(item["pk"]["S"].partition("#")[0])


def test_every_route_of_the_template_is_in_these_tests() -> None:
    assert routes() == set(CALLS) | INGEST


def test_the_secret_key_of_the_workspace_opens_every_route(acme: World) -> None:
    known = ids(acme)
    for route in CALLS:
        status, answer = call(acme, route, known)
        assert 200 <= status < 300, (route, answer)


def test_a_key_of_another_workspace_sees_and_changes_nothing(acme: World) -> None:
    known, before = ids(acme), items_of(acme, "acme")
    for route in sorted(CALLS, key=lambda route: route in LATE):
        status, answer = call(acme, route, known, acme.other_secret)
        assert status == THEIRS.get(route, 404), (route, answer)
        assert "canary" not in json.dumps(answer), route
        assert items_of(acme, "acme") == before, route
        assert route != "POST /v1/suppressions/check" or answer["suppressed"] is False
    assert len(acme.ses.accepted) == 1


def test_only_a_secret_key_opens_a_route(acme: World) -> None:
    before = items_of(acme, "acme")
    for route in CALLS:
        for key, status, code in (
            ("publishable", 403, "secret_key_required"),
            ("write", 403, "secret_key_required"),
            (None, 401, "missing_api_key"),
            ("sk_nobodys", 401, "invalid_api_key"),
        ):
            answered, answer = call(acme, route, {}, key)
            assert (answered, answer["code"]) == (status, code), route
    assert items_of(acme, "acme") == before


def test_a_revoked_secret_key_opens_nothing_after_60_seconds(acme: World) -> None:
    known = ids(acme)
    acme.accounts.revoke_key(acme.keys["secret"])
    acme.now += timedelta(seconds=60)
    for route in CALLS:
        status, answer = call(acme, route, known)
        assert (status, answer["code"]) == (401, "invalid_api_key")


def test_a_key_in_the_body_opens_no_route_of_the_api(acme: World) -> None:
    body = {"address": ADA, "writeKey": acme.keys["secret"]}
    status, answer = acme.call("check_suppression", "POST /v1/suppressions/check", body, None)
    assert (status, answer["code"]) == (401, "missing_api_key")


def test_keys_are_stored_by_their_fingerprint_only(world: World) -> None:
    stored = json.dumps(world.items("TABLE_API_KEYS"))
    for key in [*world.keys.values(), world.other_secret]:
        assert key not in stored
        assert key.partition("_")[2] not in stored


# --- logs ------------------------------------------------------------------------------------------------------------


@contextmanager
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """The lines that functions write to their log, formatted as they are."""
    lines: list[str] = []
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logger.registered_formatter)
    logger.addHandler(handler)
    capsys.readouterr()
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        printed = capsys.readouterr()
        lines += (stream.getvalue() + printed.out + printed.err).splitlines()


PRIVATE = [ADA, "people.example", "Lovelace", "secret-plan", "203.0.113.9", "Private words", "+48600100200"]


def test_no_log_line_of_a_main_job_with_all_its_mishaps_holds_personal_data(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged(capsys) as lines:
        _mishaps(world)
    text = "\n".join(lines)
    for code in ("invalid_type", "unknown_contact", "invalid_api_key", "set aside", "feedback failed", "not started"):
        assert code in text  # the mishaps did happen, and were logged
    assert [word for word in [*PRIVATE, *world.keys.values()] if word in text] == []


def _mishaps(world: World) -> None:
    """The main job, and everything that can go wrong around it."""
    world.template("tips", subject="Private words for {{ contact.last_name }}", text="Private words")
    world.automation({"automation": "tour", **AUTOMATION})
    world.identify("ada", email=ADA, lastName="Lovelace", phone="+48600100200")
    world.start_failures = ["ThrottlingException"]
    world.track("ada", "Signed Up", plan="secret-plan")
    waiting = [{"messageId": "q-1", "body": json.dumps(body)} for body in world.messages_in("starts")]
    world.invoke("start_enrolments", {"Records": [*waiting, {"messageId": "q-2", "body": f'"{ADA}"'}]})
    world.run()
    (mail,) = world.ses.accepted
    recipient = {"emailAddress": ADA, "diagnosticCode": f"550 {ADA} is unknown"}
    world.feedback(world.ses.event("Bounce", mail, bounceType="Permanent", bouncedRecipients=[recipient]))
    world.feedback({"eventType": "Send", "recipient": ADA})
    for failure in ("MessageRejected", "TooManyRequestsException", "timeout"):
        world.ses.failing = [failure]
        order = {"to": {"email": f"{failure}@people.example"}, "template": "tips", "idempotency_key": failure}
        world.call("send_email", "POST /v1/emails", order)
    for wrong in (
        {"to": {"email": ADA}, ADA: "Lovelace"},
        {"to": {"user_id": ADA}, "template": "tips", "idempotency_key": "k"},
        {"to": {ADA: ADA}, "template": "tips", "idempotency_key": "k"},
    ):
        world.call("send_email", "POST /v1/emails", wrong)
    world.ingest("track", {"userId": ADA, "event": "Signed Up", "properties": ["secret-plan"]})
    world.ingest("identify", {"userId": "ada", "traits": {"email": ADA}}, "wk_nobodys")
    world.ingest("batch", {"batch": [{"userId": ADA, "type": ADA}]})
    world.call("contacts", "GET /v1/contacts", query={"email": "nobody@people.example"})
    world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path={"channel": ADA, "address": ADA})
    world.call("templates", "PUT /v1/templates/{name}", {"subject": "Private words {{ x }}"}, path={"name": ADA})
    world.call("automations", "PUT /v1/automations/{name}", {ADA: "Private words"}, path={"name": "tour"})
    world.invoke("react", {"Records": [world.record({"pk": {"S": f"acme#email#{ADA}"}, "sk": {"S": ADA}})]})
    world.now += timedelta(hours=1)
    world.invoke("settle_messages", {})
