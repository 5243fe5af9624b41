"""Whatever is sent, the answer is an answer: a success, or a refusal with a code; never a fault.

Bodies are JSON that is nearly right: the fields that there are, with values of any kind in them.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.calls import KINDS
from tests.support.examples import few
from tests.support.world import World

from tidings.contacts.search import PARAMETERS

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=12)  # half surrogates too
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), ANY_TEXT,
    st.sampled_from(["u-7", "", " ", "null", "x" * 2000, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026"]),
)  # fmt: skip
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3))


def body(right: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The right body with some of its fields missing or holding anything, and some fields that it has not."""
    wrong = st.dictionaries(st.sampled_from(sorted(right)) | ANY_TEXT, JSON, max_size=3)
    without = st.sets(st.sampled_from(sorted(right)), max_size=2)
    return st.builds(
        lambda more, less: {name: value for name, value in {**right, **more}.items() if name not in less},
        wrong,
        without,
    )


MESSAGE = {
    "type": "track", "userId": "u-7", "anonymousId": "a-9", "event": "Signed Up", "messageId": "m-1",
    "properties": {"plan": "team"}, "traits": {"email": "ada@people.example"}, "context": {"traits": {"a": 1}},
    "timestamp": "2026-11-21T08:00:00Z", "sentAt": "2026-11-21T08:00:00Z", "integrations": {"All": True},
    "groupId": "g-1", "previousId": "a-8", "name": "Pricing", "category": "Docs",
}  # fmt: skip
ORDER = {
    "to": {"user_id": "u-7"}, "template": "tips", "idempotency_key": "k-1", "kind": "marketing", "variables": {"x": 1},
}  # fmt: skip
TEMPLATE = {
    "subject": "Tips", "text": "Hello", "html": "<p>Hello</p>", "preheader": "x", "from": "a@b.c",
    "variables": {"x": 1}, "reply_to": "a@b.c", "kind": "marketing", "topic": "news", "tags": {"x": "1"},
}  # fmt: skip
PREVIEW = {"user_id": "u-7", "event": {"x": 1}, "variables": {"x": 1}, "version": 1}
CHECK = {"channel": "email", "address": "ada@people.example"}
EDIT = {"traits": {"email": "ada@people.example", "phone": "+48600100200", "plan": 1}, "user_id": "u-7"}
FILTERS = ("type", "event", "channel", "since", "until")
FORM = {
    "form": "news", "userId": "u-7", "anonymousId": "a-9", "messageId": "m-1", "timestamp": "2026-11-21T08:00:00Z",
    "traits": {"email": "ada@people.example", "phone": "+48600100200", "name": ""}, "context": {"traits": {"a": 1}},
}  # fmt: skip
AUTOMATION = {
    "description": "x", "trigger": {"event": "Signed Up"}, "reentry": "once", "start": "tips",
    "components": {"tips": {"type": "send_email", "template": "tips"}},
}  # fmt: skip


@pytest.fixture
def acme(world: World) -> World:
    """A workspace with a template and somebody who has an address, to whom an automation listens."""
    world.template("tips")
    world.automation({"automation": "tour", **AUTOMATION, "reentry": "every_time"})
    world.identify("u-7", email="ada@people.example")
    return world


def answered(answer: tuple[int, dict[str, Any]]) -> int:
    """The status of an answer that is one."""
    status, said = answer
    assert status in (200, 202, 400, 401, 404, 409), said
    assert status < 400 or (said["code"] and said["message"])
    json.dumps(said, allow_nan=False).encode()
    return status


@pytest.mark.parametrize("kind", KINDS)
@few(20)
@given(data=st.data())
def test_any_message_is_taken_or_refused_and_what_was_taken_is_served(
    acme: World, data: st.DataObject, kind: str
) -> None:
    drawn = body(MESSAGE) if kind != "batch" else body({"batch": [], "context": {}, "sentAt": "2026-11-21T08:00:00Z"})
    message = data.draw(drawn)
    if kind == "batch" and isinstance(message.get("batch"), list):
        message["batch"] += data.draw(st.lists(body(MESSAGE), max_size=3))
    answered(acme.ingest(kind, message))
    records = acme.new_records()
    for start in range(0, len(records), 25):
        assert acme.invoke("react", {"Records": records[start : start + 25]}) == {"batchItemFailures": []}
    assert acme.messages_in("aside") == []
    for query in ({"user_id": "u-7"}, {"anonymous_id": "a-9"}, {"email": "ada@people.example"}):
        answered(acme.call("contacts", "GET /v1/contacts", query=query))


@pytest.mark.parametrize(
    ("function", "route", "path", "right"),
    [
        ("send_email", "POST /v1/emails", {}, ORDER),
        ("forms", "POST /v1/forms", {}, FORM),
        ("templates", "PUT /v1/templates/{name}", {"name": "tips"}, TEMPLATE),
        ("templates", "POST /v1/templates/lint", {}, {**TEMPLATE, "data": {"contact": {"first_name": "Ada"}}}),
        ("templates", "POST /v1/templates/{name}/preview", {"name": "tips"}, PREVIEW),
        ("change_contacts", "PATCH /v1/contacts/{contact}", {"contact": "Ada's"}, EDIT),
        ("change_contacts", "POST /v1/contacts/delete", {}, {"contacts": ["cnobody"]}),
        ("check_suppression", "POST /v1/suppressions/check", {}, CHECK),
        ("automations", "PUT /v1/automations/{name}", {"name": "tour"}, AUTOMATION),
        (
            "suppressions",
            "PUT /v1/suppressions/{channel}/{address}",
            {"channel": "email", "address": "a@b.c"},
            {"expires_at": None},
        ),
    ],
)
@few(20)
@given(data=st.data())
def test_any_body_of_the_api_is_served_or_refused(
    acme: World, data: st.DataObject, function: str, route: str, path: dict[str, str], right: dict[str, Any]
) -> None:
    if "contact" in path:
        path = {"contact": acme.contact(user_id="u-7")["contact"]}
    answered(acme.call(function, route, data.draw(body(right)), path=path))


ODD_TEXT = st.text(max_size=20) | st.sampled_from(
    ["%00", "%FF", "%2F..%2F", "#", "live#tips", "c-", "x" * 3000, "%E2%82"]
)


@pytest.mark.parametrize(
    ("function", "route"),
    [
        ("contacts", "GET /v1/contacts/{contact}"),
        ("contacts", "GET /v1/contacts/{contact}/timeline"),
        ("messages", "GET /v1/messages/{message}"),
        ("templates", "GET /v1/templates/{name}"),
        ("templates", "GET /v1/templates/{name}/versions"),
        ("templates", "GET /v1/templates/{name}/versions/{version}"),
        ("automations", "GET /v1/automations/{name}"),
        ("automations", "POST /v1/automations/{name}/publish"),
        ("suppressions", "GET /v1/suppressions/{channel}/{address}"),
        ("suppressions", "DELETE /v1/suppressions/{channel}/{address}"),
    ],
)
@few(20)
@given(data=st.data())
def test_any_path_and_query_is_served_or_refused(acme: World, data: st.DataObject, function: str, route: str) -> None:
    names = [part.strip("{}") for part in route.split("/") if part.startswith("{")]
    path = {name: data.draw(ODD_TEXT) for name in names}
    if "channel" in path:
        path["channel"] = data.draw(st.sampled_from(["email", "sms", "x"]))
    query = data.draw(st.dictionaries(st.sampled_from(["limit", "cursor", "state", *FILTERS]), ODD_TEXT, max_size=3))
    answered(acme.call(function, route, path=path, query=query))


@few(40)
@given(query=st.dictionaries(st.sampled_from(sorted(PARAMETERS)), ODD_TEXT, max_size=3))
def test_any_identity_can_be_asked_for(acme: World, query: dict[str, str]) -> None:
    answered(acme.call("contacts", "GET /v1/contacts", query=query))
