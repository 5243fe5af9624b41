"""Templates by API: each change is a version, mistakes have codes, and what people get is rendered from their data."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.recorder import Call
from tests.support.world import PUBLIC_URL, World, variables

TIPS = {"subject": "Tips", "text": "Hello {{ contact.first_name }}", "kind": "transactional"}


def put(world: World, body: Any, name: str = "tips", key: str = "secret") -> tuple[int, dict[str, Any]]:
    return world.call("templates", "PUT /v1/templates/{name}", body, key, path={"name": name})


def get(world: World, name: str = "", route: str = "") -> tuple[int, dict[str, Any]]:
    if not name:
        return world.call("templates", "GET /v1/templates")
    if route.startswith("/versions/"):
        path = {"name": name, "version": route.rpartition("/")[2]}
        return world.call("templates", "GET /v1/templates/{name}/versions/{version}", path=path)
    return world.call("templates", f"GET /v1/templates/{{name}}{route}", path={"name": name})


def test_a_template_is_applied_shown_and_listed(world: World) -> None:
    status, made = put(world, {**TIPS, "from": "Acme <hi@acme.example>", "variables": {"colour": "red"}})
    assert status == 200
    assert made == {
        "template": "tips",
        "channel": "email",
        "subject": "Tips",
        "text": "Hello {{ contact.first_name }}",
        "html": "",
        "preheader": "",
        "from": "Acme <hi@acme.example>",
        "reply_to": "",
        "kind": "transactional",
        "topic": "",
        "tags": {},
        "variables": {"colour": "red"},
        "gsm7": False,
        "version": 1,
        "created_at": "2026-11-21T09:00:00.000000Z",
        "changed": True,
        "warnings": [],
    }
    shown = {name: value for name, value in made.items() if name not in ("changed", "warnings")}
    assert get(world, "tips") == (200, shown)
    assert get(world, "tips", "/versions/1") == (200, shown)
    assert get(world) == (200, {"templates": [shown], "cursor": ""})


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
    ({**TIPS, "html": '<a href="htp://acme.example">x</a>'}, "broken_link", "html"),
    ({**TIPS, "preheader": "{{ name }}"}, "unknown_variable", "preheader"),
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


# --- pages, versions -------------------------------------------------------------------------------------------------


def pages(world: World, route: str, what: str, limit: int, path: dict[str, str]) -> list[list[Any]]:
    found, cursor = [], ""
    while True:
        query = {"limit": str(limit), "cursor": cursor}
        status, page = world.call("templates", f"GET {route}", path=path, query=query)
        assert status == 200, page
        found.append(page[what])
        cursor = page["cursor"]
        if not cursor:
            return found


def test_templates_come_in_pages_by_name(world: World) -> None:
    for name in ("b", "a", "a-1", "ab", "c"):
        put(world, TIPS, name)
    names = [[one["template"] for one in page] for page in pages(world, "/v1/templates", "templates", 2, {})]
    assert names == [["a", "a-1"], ["ab", "b"], ["c"]]


def test_versions_come_in_pages_the_latest_first(world: World) -> None:
    for number in range(1, 6):
        put(world, {**TIPS, "text": f"number {number}"})
    put(world, TIPS, "tips-2")
    found = pages(world, "/v1/templates/{name}/versions", "versions", 2, {"name": "tips"})
    assert [[one["version"] for one in page] for page in found] == [[5, 4], [3, 2], [1]]


def test_a_page_of_large_templates_is_cut_before_it_is_too_large_to_answer(world: World) -> None:
    for number in range(1, 16):
        assert put(world, {**TIPS, "text": f"{number}" + "x" * 250_000, "html": "y" * 80_000})[0] == 200
    found = pages(world, "/v1/templates/{name}/versions", "versions", 200, {"name": "tips"})
    assert [one["version"] for page in found for one in page] == list(range(15, 0, -1))
    assert [len(page) for page in found] == [12, 3]


def test_a_cursor_serves_only_the_question_it_was_made_for(world: World) -> None:
    for text in ("one", "two"):
        put(world, {**TIPS, "text": text})
    query = {"limit": "1"}
    route = "GET /v1/templates/{name}/versions"
    _, page = world.call("templates", route, path={"name": "tips"}, query=query)
    for path, other in (({"name": "other"}, route), ({}, "GET /v1/templates")):
        status, answer = world.call("templates", other, path=path, query={"cursor": page["cursor"]})
        assert (status, answer["code"]) == (400, "invalid_cursor")


def test_an_earlier_version_can_be_read(world: World) -> None:
    for text in ("one", "two"):
        put(world, {**TIPS, "text": text})
    assert [get(world, "tips", f"/versions/{number}")[1]["text"] for number in (1, 2)] == ["one", "two"]


@pytest.mark.parametrize("version", ["3", "0", "-1", "one", "1.0", "٣", "1000000", "9" * 100, "%20"])
def test_a_version_that_is_not_there_is_not_found(world: World, version: str) -> None:
    for text in ("one", "two"):
        put(world, {**TIPS, "text": text})
    status, answer = get(world, "tips", f"/versions/{version}")
    assert (status, answer["code"], answer["field"]) == (404, "unknown_template", "version")


# --- what is made of a template --------------------------------------------------------------------------------------

STYLED = {
    "subject": "Tips",
    "kind": "transactional",
    "html": "<style>p { color: #123456 } @media (max-width: 600px) { p { color: red } }</style>"
    '<p>Hello {{ contact.first_name }}</p><a href="https://acme.example/{{ contact.id }}">Look</a>',
}


def test_text_is_made_of_html_and_styles_go_into_elements_when_a_template_is_applied(world: World) -> None:
    world.identify("ada", email="ada@people.example", firstName="Ada & co")
    contact = world.contact(user_id="ada")["contact"]
    assert put(world, STYLED)[1]["warnings"] == []
    mail = mail_of(world, lambda: order(world, "k-1"))["Body"]
    assert '<p style="color: #123456;">Hello Ada &amp; co</p>' in mail["Html"]["Data"]
    assert "p { color: red !important }" in mail["Html"]["Data"]
    assert mail["Text"]["Data"].startswith("Hello Ada & co\n\nLook (https://acme.example/")
    assert contact in mail["Text"]["Data"]


def test_what_was_written_is_shown_and_the_same_again_changes_nothing(world: World) -> None:
    put(world, STYLED)
    shown = get(world, "tips")[1]
    assert (shown["html"], shown["text"]) == (STYLED["html"], "")
    given = {name: value for name, value in shown.items() if name not in ("version", "created_at")}
    assert put(world, given)[1]["changed"] is False


def test_a_template_from_before_anything_was_made_of_it_is_sent_as_it_was_written(world: World) -> None:
    world.identify("ada", email="ada@people.example", firstName="Ada")
    put(world, STYLED)
    for place in ("live#tips", "version#tips#000001"):
        with world.recorder.unseen():
            world.dynamodb.update_item(
                TableName=variables()["TABLE_TEMPLATES"],
                Key={"pk": {"S": "acme"}, "sk": {"S": place}},
                UpdateExpression="REMOVE made",
            )
    mail = mail_of(world, lambda: order(world, "k-1"))["Body"]
    assert "<p>Hello Ada</p>" in mail["Html"]["Data"]
    assert put(world, STYLED)[1]["changed"] is False


def test_what_does_not_fit_beside_what_is_made_of_it_is_refused(world: World) -> None:
    noise = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=250_000))  # noqa: S311
    status, answer = put(world, {"subject": "Tips", "html": f"<p>{noise}</p>"})
    assert (status, answer["code"]) == (400, "template_too_large")


# --- lint ------------------------------------------------------------------------------------------------------------


def lint(world: World, body: Any, key: str = "secret") -> tuple[int, dict[str, Any]]:
    return world.call("templates", "POST /v1/templates/lint", body, key)


def test_lint_lists_everything_that_is_wrong_and_keeps_nothing(world: World) -> None:
    status, answer = lint(world, {"subject": "{{ nobody }}", "html": "{% if %}", "text": "{{ x | y }}"})
    assert status == 200
    assert [(one["code"], one["severity"], one["field"]) for one in answer["findings"]] == [
        ("unknown_variable", "error", "subject"),
        ("unknown_variable", "error", "text"),
        ("invalid_template", "error", "html"),
    ]
    assert lint(world, TIPS) == (200, {"findings": []})
    assert world.items("TABLE_TEMPLATES") == []


def test_lint_names_what_somebody_does_not_have(world: World) -> None:
    body = {**TIPS, "data": {"contact": {"first_name": ""}}}
    assert [one["code"] for one in lint(world, body)[1]["findings"]] == ["empty_variable"]
    assert lint(world, {**TIPS, "data": {"contact": {"first_name": "Ada"}}})[1]["findings"] == []


@pytest.mark.parametrize("data", [[], "x", {"contact": 1}, {"nobody": {}}])
def test_lint_tries_with_objects_only(world: World, data: Any) -> None:
    status, answer = lint(world, {**TIPS, "data": data})
    assert (status, answer["code"], answer["field"]) == (400, "invalid_type", "data")


def test_whoever_applies_a_template_is_told_what_may_be_wrong(world: World) -> None:
    status, answer = put(world, {"subject": "x" * 51, "text": "{{ variables.colour }}"})
    assert status == 200
    codes = {one["code"]: one["severity"] for one in answer["warnings"]}
    assert codes == {"long_subject": "warning", "missing_variable": "warning", "no_unsubscribe_link": "warning"}


# --- preview ---------------------------------------------------------------------------------------------------------


def preview(world: World, body: Any, name: str = "tips") -> tuple[int, dict[str, Any]]:
    return world.call("templates", "POST /v1/templates/{name}/preview", body, path={"name": name})


def test_a_preview_is_what_somebody_would_get_and_sends_nothing(world: World) -> None:
    world.identify("ada", email="ada@people.example", firstName="Ada & co")
    put(
        world,
        {**STYLED, "preheader": "For {{ contact.first_name }}", "subject": "{{ contact.last_name }} {{ event.x }}"},
    )
    before = {table: world.items(table) for table in ("TABLE_MESSAGES", "TABLE_EVENTS", "TABLE_CONTACTS")}
    contact = world.contact(user_id="ada")["contact"]
    for who in ({"user_id": "ada"}, {"email": "ada@people.example"}, {"contact": contact}):
        status, shown = preview(world, {**who, "event": {"x": "Y"}})
        assert status == 200, shown
        assert (shown["subject"], shown["preheader"], shown["contact"]) == ("Y", "For Ada & co", contact)
        assert (shown["missing"], shown["version"]) == (["contact.last_name"], 1)
        assert "Hello Ada & co" in shown["text"]
        assert "Hello Ada &amp; co" in shown["html"]
        assert shown["bytes"] == len(shown["html"].encode()) + len(shown["text"].encode())
    assert {table: world.items(table) for table in before} == before
    assert world.ses.accepted == []


def test_a_preview_for_nobody_shows_what_is_missing(world: World) -> None:
    put(world, {**TIPS, "text": "{{ contact.first_name }} {{ variables.code }} {{ contact.plan | default: 'free' }}"})
    status, shown = preview(world, {"variables": {"code": "SAVE10"}})
    assert (status, shown["contact"], shown["missing"]) == (200, None, ["contact.first_name"])
    assert shown["text"] == " SAVE10 free"


def test_the_link_for_unsubscribing_in_a_preview_leads_nowhere(world: World) -> None:
    world.identify("ada", email="ada@people.example")
    put(world, {"subject": "x", "text": "x", "html": '<a href="{{ unsubscribe_url }}">x</a>'})
    _, shown = preview(world, {"user_id": "ada"})
    assert "https://unsubscribe.example/preview" in shown["text"]
    assert "https://unsubscribe.example/preview" in shown["html"]
    assert PUBLIC_URL not in shown["html"] + shown["text"]


def test_a_preview_shows_an_earlier_version_too(world: World) -> None:
    for text in ("one", "two"):
        put(world, {**TIPS, "text": text})
    assert [preview(world, {"version": number})[1]["text"] for number in (1, 2)] == ["one", "two"]
    assert preview(world, {"version": 3})[1]["code"] == "unknown_template"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"user_id": "nobody"}, 404, "unknown_contact"),
        ({"email": "nobody@people.example"}, 404, "unknown_contact"),
        ({"contact": "nobody"}, 404, "unknown_contact"),
        ({"email": "no address"}, 400, "invalid_email"),
        ({"user_id": "ada", "email": "ada@people.example"}, 400, "invalid_request"),
        ({"variables": []}, 400, "invalid_request"),
        ({"version": 0}, 400, "invalid_request"),
        ({"version": "1"}, 400, "invalid_request"),
        ({"to": "ada"}, 400, "invalid_request"),
        ({"variables": {"seats": 0}}, 400, "template_failed"),
    ],
)
def test_a_preview_that_cannot_be_is_refused(world: World, body: Any, status: int, code: str) -> None:
    put(world, {**TIPS, "text": "{{ 1 | divided_by: variables.seats }}", "variables": {"seats": 1}})
    given, answer = preview(world, body)
    assert (given, answer["code"]) == (status, code)
    assert preview(world, {}, "nobodys")[1]["code"] == "unknown_template"


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
            "kind": "transactional",
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
