"""Templates by API: each change is a version, mistakes have codes, and what people get is rendered from their data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support.recorder import Call
from tests.support.world import World

TIPS = {"subject": "Tips", "text": "Hello {{ contact.first_name }}"}


def put(world: World, body: Any, name: str = "tips", key: str = "secret") -> tuple[int, dict[str, Any]]:
    return world.call("templates", "PUT /v1/templates/{name}", body, key, path={"name": name})


def get(world: World, name: str = "", route: str = "") -> tuple[int, dict[str, Any]]:
    if not name:
        return world.call("templates", "GET /v1/templates")
    return world.call("templates", f"GET /v1/templates/{{name}}{route}", path={"name": name})


def test_a_template_is_applied_shown_and_listed(world: World) -> None:
    status, made = put(world, {**TIPS, "from": "Acme <hi@acme.example>", "variables": {"colour": "red"}})
    assert status == 200
    assert made == {
        "template": "tips",
        "subject": "Tips",
        "text": "Hello {{ contact.first_name }}",
        "html": "",
        "preheader": "",
        "from": "Acme <hi@acme.example>",
        "variables": {"colour": "red"},
        "version": 1,
        "created_at": "2026-11-21T09:00:00.000000Z",
        "changed": True,
    }
    shown = {name: value for name, value in made.items() if name != "changed"}
    assert get(world, "tips") == (200, shown)
    assert get(world) == (200, {"templates": [shown]})


def test_each_change_is_a_version_and_the_same_again_is_none(world: World) -> None:
    for text, version, changed in (("one", 1, True), ("one", 1, False), ("two", 2, True), ("one", 3, True)):
        status, answer = put(world, {**TIPS, "text": text})
        assert (status, answer["version"], answer["changed"]) == (200, version, changed)
    assert get(world, "tips")[1]["text"] == "one"
    versions = get(world, "tips", "/versions")[1]["versions"]
    assert [(one["version"], one["text"]) for one in versions] == [(3, "one"), (2, "two"), (1, "one")]


def test_names_that_begin_alike_are_kept_apart(world: World) -> None:
    for name in ("tips", "tips-2", "tip"):
        put(world, TIPS, name)
    assert len(get(world, "tips", "/versions")[1]["versions"]) == 1
    assert [one["template"] for one in get(world)[1]["templates"]] == ["tip", "tips", "tips-2"]


def test_a_template_that_is_not_there_is_not_found(world: World) -> None:
    put(world, TIPS)
    for route in ("", "/versions"):
        for name in ("nobodys", "tips#1", "live#tips", "%20"):
            status, answer = get(world, name, route)
            assert (status, answer["code"], answer["field"]) == (404, "unknown_template", "template"), name


WRONG: list[tuple[Any, str, str | None]] = [
    ({**TIPS, "text": "{{ user.name }}"}, "unknown_variable", "text"),
    ({**TIPS, "subject": "{{ name }}"}, "unknown_variable", "subject"),
    ({**TIPS, "html": "{{ contact.name | frobnicate }}"}, "unknown_filter", "html"),
    ({**TIPS, "text": "{% if %}"}, "invalid_template", "text"),
    ({**TIPS, "text": "{{ contact.name"}, "invalid_template", "text"),
    ({**TIPS, "subject": "x" * 999}, "invalid_template", "subject"),
    ({**TIPS, "text": "x" * 262_145}, "invalid_template", "text"),
    ({**TIPS, "text": "x" * 200_000, "html": "x" * 200_000}, "template_too_large", None),
    ({**TIPS, "colour": "red"}, "invalid_template", "colour"),
    ({"subject": "Tips"}, "invalid_template", "html"),
    ({"text": "Hello"}, "invalid_template", "subject"),
    ({**TIPS, "template": "other"}, "name_mismatch", "template"),
    ({**TIPS, "text": "\ud800"}, "invalid_text", None),
    ({**TIPS, "variables": {"x": "\ud800"}}, "invalid_text", None),
    ("{", "invalid_json", None),
    ("x" * 524_289, "body_too_large", None),
]


def test_a_template_that_is_wrong_is_not_kept(world: World) -> None:
    for body, code, field in WRONG:
        status, answer = put(world, body)
        assert (status, answer["code"], answer.get("field")) == (400, code, field), str(body)[:200]
    assert world.items("TABLE_TEMPLATES") == []


@pytest.mark.parametrize("name", ["Tips", "2tips", "tips_2", "t" * 64, "tips\n"])
def test_a_name_is_short_and_plain(world: World, name: str) -> None:
    status, answer = put(world, TIPS, name)
    assert (status, answer["code"], answer["field"]) == (400, "invalid_template", "template")


def test_two_who_change_a_template_at_once_do_not_overwrite_each_other(world: World) -> None:
    put(world, {**TIPS, "text": "one"})
    answers: list[tuple[int, dict[str, Any]]] = []

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            world.recorder.before = None
            answers.append(put(world, {**TIPS, "text": "theirs"}))

    world.recorder.before = before
    status, answer = put(world, {**TIPS, "text": "mine"})
    assert (status, answer["code"]) == (409, "template_changed")
    assert answers[0][0] == 200
    assert get(world, "tips")[1]["text"] == "theirs"


# --- what people get -------------------------------------------------------------------------------------------------


def mail_of(world: World, send: Callable[[], Any]) -> dict[str, Any]:
    send()
    simple: dict[str, Any] = world.ses.accepted[-1]["Content"]["Simple"]
    return simple


def order(world: World, key: str, **more: Any) -> tuple[int, dict[str, Any]]:
    body = {"to": {"user_id": "ada"}, "template": "tips", "idempotency_key": key, **more}
    return world.call("send_email", "POST /v1/emails", body)


def test_a_mail_is_rendered_from_the_contacts_traits_and_the_orders_variables(world: World) -> None:
    world.identify("ada", email="ada@people.example", firstName="Ada & co", company={"name": "<Acme>"})
    put(
        world,
        {
            "subject": "{{ variables.greeting }}, {{ contact.first_name }}",
            "text": "{{ contact.company.name }} {{ variables.colour }}",
            "html": "<p>{{ contact.company.name }} {{ message.id }}</p>",
            "preheader": "Only {{ variables.days }} days",
            "variables": {"greeting": "Hello", "days": 3, "colour": "red"},
        },
    )
    mail = mail_of(world, lambda: order(world, "k-1", variables={"colour": "blue"}))
    assert mail["Subject"] == {"Data": "Hello, Ada & co", "Charset": "UTF-8"}
    assert mail["Body"]["Text"]["Data"] == "<Acme> blue"
    html = mail["Body"]["Html"]["Data"]
    assert f"<p>&lt;Acme&gt; {world.ses.messages()[0]}</p>" in html
    assert "Only 3 days</div>" in html
    assert order(world, "k-1", variables={"colour": "blue"})[1]["subject"] == "Hello, Ada & co"


def test_a_warm_process_sends_the_new_version_at_once(world: World) -> None:
    world.identify("ada", email="ada@people.example")
    for number, text in enumerate(("one", "two")):
        put(world, {**TIPS, "text": text})
        assert mail_of(world, lambda key=str(number): order(world, key))["Body"]["Text"]["Data"] == text  # type: ignore[misc]
    contact = world.contact(user_id="ada")["contact"]
    assert sorted(one["template_version"] for one in world.of_contact(contact, "messages")) == [1, 2]


@pytest.mark.parametrize("name", ["Ada\r\nBcc: eve@people.example", "Ada\nBcc: eve@people.example"])
def test_a_trait_cannot_add_a_header(world: World, name: str) -> None:
    world.identify("ada", email="ada@people.example", firstName=name)
    put(world, {**TIPS, "subject": "Hello {{ contact.first_name }}"})
    assert mail_of(world, lambda: order(world, "k-1"))["Subject"]["Data"] == "Hello Ada Bcc: eve@people.example"


def test_a_template_that_fails_for_a_person_is_not_sent_to_them_and_the_decision_says_why(world: World) -> None:
    world.identify("ada", email="ada@people.example", seats="many")
    put(world, {**TIPS, "text": "{% for a in (1..20000) %}x{% endfor %}"})
    status, message = order(world, "k-1")
    assert (status, message["state"], message["decision"]["decided_by"]) == (202, "skipped", "template")
    assert message["decision"]["checks"][-1]["found"].startswith("The template failed")
    assert world.ses.accepted == []


def test_an_automations_mail_speaks_of_the_event_that_enrolled(world: World) -> None:
    world.identify("ada", email="ada@people.example")
    put(world, {**TIPS, "subject": "{{ event.plan }} for {{ event.seats }}"})
    world.automation(
        {
            "automation": "welcome",
            "trigger": {"event": "Signed Up"},
            "start": "tips",
            "components": {"tips": {"type": "send_email", "template": "tips"}},
        }
    )
    world.track("ada", "Signed Up", plan="team", seats=4)
    assert mail_of(world, world.run)["Subject"]["Data"] == "team for 4"
