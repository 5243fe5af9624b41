"""Automations by API: apply, publish, list and look at; each mistake has its code, and is not kept."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.recorder import Call
from tests.support.world import AGENDA, LATER, SENDER_IDS, World

TOUR: dict[str, Any] = {
    "description": "Shows people around",
    "trigger": {"event": "Signed Up"},
    "start": "pause",
    "components": {
        "pause": {"type": "wait", "for": "2 days", "next": "active"},
        "active": {
            "type": "branch",
            "arms": [{"name": "yes", "when": {"did": "Project Created", "since": "enrolment"}, "next": "tips"}],
            "otherwise": "over",
        },
        "tips": {"type": "send_email", "template": "tips"},
        "over": {"type": "end"},
    },
}


@pytest.fixture
def acme(world: World) -> World:
    """A workspace with the template that the tour sends."""
    world.template("tips")
    return world


def machines(world: World) -> list[str]:
    """The machines that were made for automations: those of sends and sender IDs are there from the start."""
    return [arn for arn in world.machines if arn not in (LATER, SENDER_IDS, AGENDA)]


def changed(component: str = "", **fields: Any) -> dict[str, Any]:
    """The tour with other fields, of itself or of a component; None takes the component away."""
    tour = copy.deepcopy(TOUR)
    if component:
        tour["components"][component] = fields or None
        if not fields:
            del tour["components"][component]
        return tour
    return {**tour, **fields}


def put(world: World, body: Any, name: str = "tour") -> tuple[int, dict[str, Any]]:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii="\ud800" in body)
    return world.call("automations", "PUT /v1/automations/{name}", text, path={"name": name})


def publish(world: World, name: str = "tour") -> tuple[int, dict[str, Any]]:
    return world.call("automations", "POST /v1/automations/{name}/publish", path={"name": name})


def get(world: World, name: str = "", what: str = "") -> tuple[int, dict[str, Any]]:
    if not name:
        return world.call("automations", "GET /v1/automations")
    return world.call("automations", f"GET /v1/automations/{{name}}{what}", path={"name": name})


# --- applying and publishing -----------------------------------------------------------------------------------------


def test_what_was_applied_is_a_draft_until_it_is_published(acme: World) -> None:
    assert put(acme, TOUR) == (200, {"automation": "tour", "problems": []})
    status, shown = get(acme, "tour")
    assert (status, shown["live_version"], shown["published_at"], shown["unpublished_changes"]) == (
        200,
        None,
        None,
        True,
    )
    assert shown["draft"] == {"automation": "tour", **TOUR}
    assert get(acme, "tour", "/versions") == (200, {"versions": [], "cursor": ""})
    status, published = publish(acme)
    assert (status, published["version"], published["changed"]) == (200, 1, True)
    assert get(acme, "tour")[1]["unpublished_changes"] is False
    shown = get(acme, "tour")[1]
    listed = {name: value for name, value in shown.items() if name not in ("draft", "jobs", "log")}
    assert get(acme) == (200, {"automations": [listed], "cursor": ""})


@pytest.mark.parametrize("asked", ["", "/statistics", "publish"])
def test_what_was_applied_and_what_is_live_is_one_read(acme: World, asked: str) -> None:
    put(acme, TOUR)
    publish(acme)
    acme.recorder.clear()
    if asked == "publish":
        assert publish(acme)[1]["changed"] is False
    else:
        function = "statistics" if asked else "automations"
        route = f"GET /v1/automations/{{name}}{asked}"
        assert acme.call(function, route, path={"name": "tour"})[0] == 200
    reads = [call.arguments["RequestItems"] for call in acme.recorder.of("dynamodb:BatchGetItem")]
    asked_of = [[key["sk"]["S"] for one in tables.values() for key in one["Keys"]] for tables in reads]
    assert sorted(asked_of[0]) == ["draft#tour", "live#tour"]
    assert len(asked_of) == (2 if asked == "/statistics" else 1)  # what the versions say


def test_publishing_the_same_again_changes_nothing(acme: World) -> None:
    put(acme, TOUR)
    first = publish(acme)[1]
    again = publish(acme)[1]
    assert (again.pop("changed"), first.pop("changed")) == (False, True)
    assert again == first
    assert len(machines(acme)) == 1


def test_each_version_has_a_machine_of_its_own_that_can_be_found_by_its_tags(acme: World) -> None:
    for description in ("one", "two"):
        put(acme, changed(description=description))
        acme.recorder.clear()
        published = publish(acme)[1]
        (made,) = acme.recorder.of("stepfunctions:CreateStateMachine")
        assert {tag["key"]: tag["value"] for tag in made.arguments["tags"]} == {
            "tidings:workspace": "acme",
            "tidings:automation": "tour",
            "tidings:version": str(published["version"]),
        }
        assert made.arguments["type"] == "STANDARD"
        assert "Shows people" not in made.arguments["definition"]
    versions = get(acme, "tour", "/versions")[1]["versions"]
    assert [(one["version"], one["definition"]["description"]) for one in versions] == [(2, "two"), (1, "one")]
    assert len({one["machine"] for one in versions}) == 2


def test_a_new_draft_leaves_the_live_version_alone(acme: World) -> None:
    put(acme, TOUR)
    publish(acme)
    put(acme, changed(description="next"))
    shown = get(acme, "tour")[1]
    assert (shown["live_version"], shown["unpublished_changes"], shown["draft"]["description"]) == (1, True, "next")


def test_a_template_that_went_missing_after_applying_is_found_when_publishing(acme: World) -> None:
    put(acme, TOUR)
    with acme.recorder.unseen():
        for item in acme.items("TABLE_TEMPLATES"):
            acme.dynamodb.delete_item(TableName="Templates", Key={name: item[name] for name in ("pk", "sk")})
    status, answer = publish(acme)
    assert (status, answer["code"]) == (400, "unknown_template")
    assert machines(acme) == []


def test_two_who_publish_at_once_make_one_version(acme: World) -> None:
    put(acme, TOUR)
    answers: list[Any] = []

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            acme.recorder.before = None
            answers.append(publish(acme))

    acme.recorder.before = before
    status, answer = publish(acme)
    assert (answers[0][0], status, answer["code"]) == (200, 409, "automation_changed")
    assert len(get(acme, "tour", "/versions")[1]["versions"]) == len(machines(acme)) == 1


@pytest.mark.parametrize("call", ["stepfunctions:CreateStateMachine", "dynamodb:TransactWriteItems"])
def test_publishing_that_was_interrupted_is_done_by_its_repeat(acme: World, call: str) -> None:
    put(acme, TOUR)

    def before(made: Call) -> None:
        if made.name == call:
            acme.recorder.before = None
            raise ClientError({"Error": {"Code": "InternalFailure", "Message": "x"}}, made.operation)

    acme.recorder.before = before
    assert publish(acme)[0] == 503
    assert get(acme, "tour")[1]["live_version"] is None
    assert publish(acme)[1]["version"] == 1
    assert len(machines(acme)) == 1


# --- pages -----------------------------------------------------------------------------------------------------------


def pages(world: World, what: str, limit: int, **path: str) -> list[list[dict[str, Any]]]:
    """Every page of the automations, or of the versions of one."""
    route = "GET /v1/automations/{name}/versions" if path else "GET /v1/automations"
    found, cursor = [], ""
    while True:
        status, page = world.call("automations", route, path=path, query={"limit": str(limit), "cursor": cursor})
        assert status == 200, page
        found.append(page[what])
        cursor = page["cursor"]
        if not cursor:
            return found


def large(number: int) -> dict[str, Any]:
    """A definition about as large as one may be, as much larger on the wire as letters make it."""
    return changed(trigger={"event": "E", "where": {"trait": "x", "in": [str(number), *["ż" * 1000] * 127]}})


def test_automations_come_in_pages_by_name_each_with_where_it_stands(acme: World) -> None:
    for name in ("b", "a", "a-1", "ab", "c"):
        put(acme, TOUR, name)
    publish(acme, "a")
    publish(acme, "ab")
    put(acme, changed(description="next"), "ab")
    found = pages(acme, "automations", 2)
    assert [[one["automation"] for one in page] for page in found] == [["a", "a-1"], ["ab", "b"], ["c"]]
    told = {one["automation"]: (one["live_version"], one["unpublished_changes"]) for page in found for one in page}
    assert told == {"a": (1, False), "a-1": (None, True), "ab": (1, True), "b": (None, True), "c": (None, True)}
    assert {one["description"] for one in found[1]} == {"next", TOUR["description"]}


def test_versions_come_in_pages_the_latest_first(acme: World) -> None:
    for number in range(1, 6):
        put(acme, changed(description=f"number {number}"))
        publish(acme)
    put(acme, TOUR, "tour-2")
    publish(acme, "tour-2")
    found = pages(acme, "versions", 2, name="tour")
    assert [[one["version"] for one in page] for page in found] == [[5, 4], [3, 2], [1]]


def test_more_versions_than_one_answer_has_room_for_come_in_several(acme: World) -> None:
    for number in range(1, 8):
        assert put(acme, large(number))[0] == 200
        assert publish(acme)[1]["version"] == number
    found = pages(acme, "versions", 200, name="tour")
    assert [[one["version"] for one in page] for page in found] == [[7, 6, 5, 4, 3], [2, 1]]
    answers = [{"statusCode": 200, "body": json.dumps({"versions": page})} for page in found]
    assert max(len(json.dumps(answer)) for answer in answers) < 6 * 1024 * 1024


def test_a_page_reads_no_more_drafts_than_one_answer_would_hold(acme: World) -> None:
    for number in range(7):
        assert put(acme, large(number), f"tour-{number}")[0] == 200
    assert [len(page) for page in pages(acme, "automations", 200)] == [5, 2]


def test_a_whole_page_has_room_in_an_answer_however_long_the_descriptions(acme: World) -> None:
    put(acme, TOUR)
    with acme.recorder.unseen():
        (draft,) = [item for item in acme.items("TABLE_AUTOMATIONS") if item["sk"]["S"] == "draft#tour"]
        definition = {**json.loads(draft["definition"]["S"]), "description": "ż" * 2000}
        for number in range(200):
            name = f"tour-{number:03d}"
            text = json.dumps({**definition, "automation": name})
            item = {**draft, "sk": {"S": f"draft#{name}"}, "definition": {"S": text}}
            acme.dynamodb.put_item(TableName="Automations", Item=item)
    found = pages(acme, "automations", 200)
    assert [len(page) for page in found] == [200, 1]
    assert max(len(json.dumps(json.dumps({"automations": page}))) for page in found) < 6 * 1024 * 1024


@pytest.mark.parametrize("limit", ["0", "201", "ten", ""])
@pytest.mark.parametrize("what", ["", "/versions", "/lost"])
def test_a_page_has_one_to_two_hundred(acme: World, what: str, limit: str) -> None:
    put(acme, TOUR)
    route = f"GET /v1/automations/{{name}}{what}" if what else "GET /v1/automations"
    path = {"name": "tour"} if what else {}
    status, answer = acme.call("automations", route, path=path, query={"limit": limit})
    assert (status, answer["code"], answer["field"]) == (400, "invalid_limit", "limit")


def test_a_cursor_serves_only_the_question_it_was_made_for(acme: World) -> None:
    for name in ("tour", "other"):
        for description in ("one", "two"):
            put(acme, changed(description=description), name)
            publish(acme, name)
    versions, every = "GET /v1/automations/{name}/versions", "GET /v1/automations"
    questions: list[tuple[str, dict[str, str], str]] = [
        (versions, {"name": "tour"}, "secret"),
        (versions, {"name": "other"}, "secret"),
        (every, {}, "secret"),
    ]
    for route, path, key in questions:
        cursor = acme.call("automations", route, key=key, path=path, query={"limit": "1"})[1]["cursor"]
        assert cursor
        others = [one for one in questions if one != (route, path, key)]
        for other, there, whose in [*others, (every, {}, acme.other_secret)]:
            status, answer = acme.call("automations", other, key=whose, path=there, query={"cursor": cursor})
            assert (status, answer["code"]) == (400, "invalid_cursor")


# --- mistakes --------------------------------------------------------------------------------------------------------

LOOP = {
    **TOUR["components"],
    "pause": {"type": "send_email", "template": "tips", "next": "active"},
    "tips": {"type": "send_email", "template": "tips", "next": "pause"},
}
DID = {"did": "Paid"}


MISTAKES: list[tuple[Any, str, str | None]] = [
    (changed(components=LOOP), "loop_without_wait", None),
    (changed("extra", type="send_email", template="tips"), "unreachable_component", "extra"),
    (changed("pause", type="wait", **{"for": "1 day"}, next="nowhere"), "unknown_component", "pause"),
    (changed(start="nowhere"), "unknown_start", "start"),
    (changed("tips", type="send_email", template="nobodys"), "unknown_template", "tips"),
    (changed("tips", type="telegram", text="x"), "unknown_component_type", "tips"),
    (changed("pause", type="wait", **{"for": "3651 days"}, next="active"), "invalid_definition", "pause"),
    (changed(trigger={"event": "Signed Up", "where": DID}), "events_in_trigger", "trigger.where"),
    (changed(trigger={}), "unknown_trigger", "trigger"),
    (changed(reentry="sometimes"), "invalid_definition", "reentry"),
    (changed(colour="red"), "invalid_definition", "colour"),
    (changed(components={}), "invalid_definition", "components"),
    (changed(automation="other"), "name_mismatch", "automation"),
    ({}, "invalid_definition", "trigger"),
    ("{", "invalid_json", None),
    ([], "invalid_type", None),
    ({**TOUR, "\ud800": 1}, "invalid_text", None),
    (
        changed(trigger={"event": "E", "where": {"trait": "x", "in": ["ż" * 1000] * 150}}),
        "definition_too_large",
        None,
    ),
]


def test_each_mistake_has_a_code_names_its_place_and_is_not_kept(acme: World) -> None:
    for body, code, field in MISTAKES:
        status, answer = put(acme, body)
        assert (status, answer["code"]) == (400, code), answer
        assert field is None or answer["field"] == field
        assert answer["message"]
    assert acme.items("TABLE_AUTOMATIONS") == []
    assert get(acme, "tour")[0] == 404


def test_a_definition_as_large_as_it_may_be_is_kept_and_published_whatever_its_letters(acme: World) -> None:
    where = {"trait": "x", "in": ["ż" * 1000] * 128}
    assert put(acme, changed(trigger={"event": "E", "where": where}))[0] == 200
    assert publish(acme)[0] == 200
    assert get(acme, "tour")[1]["draft"]["trigger"]["where"] == where


def test_all_mistakes_are_listed_at_once_and_warnings_do_not_stop_anything(acme: World) -> None:
    components = {**TOUR["components"], "tips": {"type": "send_email", "template": "nobodys", "next": "nowhere"}}
    status, answer = put(acme, changed(components=components))
    assert status == 400
    assert {one["code"] for one in answer["problems"]} == {"unknown_component", "unknown_template"}
    status, answer = put(acme, changed("tips", type="wait", **{"for": "1 day"}))
    assert (status, [one["level"] for one in answer["problems"]]) == (200, ["warning"])


NAMES: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "send_email", "template": "nobodys"}, "unknown_template", "template"),
    ({"type": "send_sms", "template": "tips"}, "wrong_channel", "template"),
    ({"type": "send_email", "template": "text"}, "wrong_channel", "template"),
    ({"type": "send_email", "template": "tips", "topic": "nothing"}, "unknown_topic", "topic"),
    ({"type": "send_email", "template": "about-nothing"}, "unknown_topic", "template"),
    (
        {"type": "check_suppression", "channel": "email", "kind": "marketing", "topic": "nothing"},
        "unknown_topic",
        "topic",
    ),
    ({"type": "assign_conversation", "inbox": "nowhere"}, "unknown_inbox", "inbox"),
]


@pytest.mark.parametrize(("component", "code", "key"), NAMES)
def test_what_is_named_and_not_there_is_refused(acme: World, component: dict[str, Any], code: str, key: str) -> None:
    acme.template("text", channel="sms")
    acme.template("about-nothing", topic="nothing")
    status, answer = put(acme, changed("tips", **component))
    assert (status, answer["code"], answer["field"]) == (400, code, "tips"), answer
    (place,) = [one["place"] for one in answer["problems"] if one["level"] == "error"]
    assert place == f"components.tips.{key}"


@pytest.mark.parametrize(
    "component",
    [
        {"type": "send_sms", "template": "text"},
        {"type": "send_email", "template": "tips", "topic": "marketing"},
        {"type": "send_email", "template": "tips", "topic": "nothing", "kind": "transactional"},
        {"type": "send_email", "template": "about-nothing", "kind": "transactional"},
        {"type": "check_suppression", "channel": "email", "kind": "transactional", "topic": "nothing"},
        {"type": "check_suppression", "channel": "email", "kind": "marketing", "topic": "club"},
        {"type": "check_suppression", "channel": "email", "topic": "nothing"},
        {"type": "send_email", "template": "about-nothing", "topic": "club"},
    ],
)
def test_what_is_named_and_there_or_never_asked_for_is_taken(acme: World, component: dict[str, Any]) -> None:
    acme.template("text", channel="sms")
    acme.template("about-nothing", topic="nothing")
    club = {"title": "Club"}
    assert acme.call("policy", "PUT /v1/topics/{topic}", club, path={"topic": "club"})[0] == 200
    assert put(acme, changed("tips", **component)) == (200, {"automation": "tour", "problems": []})


def test_starting_an_automation_that_is_not_there_or_begins_otherwise_is_told_of_and_allowed(acme: World) -> None:
    start = changed("tips", type="start_automation", automation="other")

    def told() -> list[tuple[str, str, str]]:
        status, answer = put(acme, start)
        assert status == 200, answer
        return [(one["code"], one["level"], one["place"]) for one in answer["problems"]]

    place = "components.tips.automation"
    other = changed(trigger={"api": True})
    assert told() == [("unknown_automation", "warning", place)]
    put(acme, other, "other")
    assert told() == [("unknown_automation", "warning", place)]
    publish(acme, "other")
    assert told() == []
    put(acme, TOUR, "other")
    publish(acme, "other")
    assert told() == [("not_started_by_api", "warning", place)]
    put(acme, other, "other")
    publish(acme, "other")
    acme.call("automations", "POST /v1/automations/{name}/archive", path={"name": "other"})
    assert told() == [("unknown_automation", "warning", place)]
    assert publish(acme)[0] == 200


def test_an_automation_that_starts_itself_after_a_wait_names_what_is_there(acme: World) -> None:
    again = {**changed("tips", type="start_automation", automation="tour"), "trigger": {"api": True}}
    assert put(acme, again) == (200, {"automation": "tour", "problems": []})


@pytest.mark.parametrize("name", ["Tour", "2tour", "tour_2", "t" * 64])
def test_a_name_is_short_and_plain(acme: World, name: str) -> None:
    status, answer = put(acme, TOUR, name)
    assert (status, answer["code"], answer["field"]) == (400, "invalid_definition", "automation")


@pytest.mark.parametrize("what", ["", "/versions", "/enrolments"])
@pytest.mark.parametrize("name", ["nobodys", "tour#1", "%20", "t" * 600])
def test_an_automation_that_is_not_there_is_not_found(acme: World, what: str, name: str) -> None:
    put(acme, TOUR)
    assert get(acme, name, what)[0] == 404
    assert publish(acme, name)[0] == 404


# --- who is inside ---------------------------------------------------------------------------------------------------


def entered(acme: World) -> tuple[int, dict[str, Any]]:
    return acme.call("statistics", "GET /v1/automations/{name}/enrolments", path={"name": "tour"})


def test_everybody_who_ever_entered_is_listed_the_latest_first(acme: World) -> None:
    put(acme, TOUR)
    publish(acme)
    assert entered(acme) == (200, {"enrolments": [], "cursor": ""})
    for number in range(8):
        acme.track(f"user-{number}", "Signed Up")
    enrolments = entered(acme)[1]["enrolments"]
    assert len({one["contact"] for one in enrolments}) == 8
    began = [one["started_at"] for one in enrolments]
    assert began == sorted(began, reverse=True)
    assert {one["state"] for one in enrolments} == {"live"}


# --- pictures --------------------------------------------------------------------------------------------------------


def drawn(acme: World, name: str = "tour", **query: str) -> tuple[int, dict[str, Any]]:
    route = "GET /v1/automations/{name}/drawing"
    return acme.call("automations", route, path={"name": name}, query=query)


def test_an_automation_is_drawn_as_svg_or_mermaid_with_its_type_and_without_leave_to_run_anything(acme: World) -> None:
    put(acme, TOUR)
    for query, kind in (({}, "image/svg+xml"), ({"format": "mermaid"}, "text/vnd.mermaid")):
        event = {
            "routeKey": "GET /v1/automations/{name}/drawing",
            "headers": {"authorization": f"Bearer {acme.keys['secret']}"},
            "pathParameters": {"name": "tour"},
            "queryStringParameters": query,
            "requestContext": {"http": {"method": "GET"}},
        }
        answer = acme.invoke("automations", event)
        assert answer["headers"]["content-type"] == f"{kind}; charset=utf-8"
        assert answer["headers"]["x-content-type-options"] == "nosniff"
        assert answer["headers"]["content-security-policy"].startswith("default-src 'none'")
        assert "tips" in answer["body"]


def test_the_live_version_is_drawn_unless_another_is_named(acme: World) -> None:
    put(acme, TOUR)
    assert drawn(acme)[0] == 200  # nothing is published: the draft
    publish(acme)
    put(acme, {**TOUR, "start": "tips", "components": {"tips": TOUR["components"]["tips"]}})
    waits = {which: "waits" in drawn(acme, format="mermaid", **query)[1]["text"] for which, query in VERSIONS.items()}
    assert waits == {"live": True, "one": True, "draft": False}


VERSIONS: dict[str, dict[str, str]] = {"live": {}, "one": {"version": "1"}, "draft": {"version": "draft"}}


@pytest.mark.parametrize(
    ("name", "query", "status", "code"),
    [
        ("tour", {"format": "png"}, 400, "invalid_format"),
        ("tour", {"version": "two"}, 400, "invalid_version"),
        ("tour", {"version": "0"}, 400, "invalid_version"),
        ("tour", {"version": "²"}, 400, "invalid_version"),
        ("tour", {"version": "99999999999999999999"}, 400, "invalid_version"),
        ("tour", {"version": "2"}, 404, "unknown_version"),
        ("nowhere", {}, 404, "unknown_automation"),
    ],
)
def test_what_cannot_be_drawn_is_told(acme: World, name: str, query: dict[str, str], status: int, code: str) -> None:
    put(acme, TOUR)
    answer = drawn(acme, name, **query)
    assert (answer[0], answer[1]["code"]) == (status, code)
