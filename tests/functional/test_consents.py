"""Consents through the API: what an address said about each topic, with proof, by hand and many at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from tests.support.recorder import Call
from tests.support.world import World

ADA = "ada@people.example"


def topic(world: World, name: str, method: str = "PUT", **body: Any) -> tuple[int, Any]:
    given = {"title": name.title(), **body} if method == "PUT" else None
    return world.call("policy", f"{method} /v1/topics/{{topic}}", given, path={"topic": name})


def rule(world: World, name: str, when: Any, method: str = "PUT", **body: Any) -> tuple[int, Any]:
    given = {"when": when, **body} if method == "PUT" else None
    return world.call("policy", f"{method} /v1/suppression-rules/{{rule}}", given, path={"rule": name})


def say(world: World, name: str, reply: str, address: str = ADA, **body: Any) -> tuple[int, Any]:
    path = {"channel": "email", "address": address, "topic": name}
    return world.call("consents", "PUT /v1/consents/{channel}/{address}/{topic}", {"reply": reply, **body}, path=path)


def shown(world: World, address: str = ADA) -> dict[str, Any]:
    path = {"channel": "email", "address": address}
    status, answer = world.call("consents", "GET /v1/consents/{channel}/{address}", path=path)
    assert status == 200, answer
    return answer


def of_topic(world: World, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in shown(world)["topics"] if one["topic"] == name)
    return found


def logged(world: World, **query: str) -> tuple[list[dict[str, Any]], str]:
    path = {"channel": "email", "address": ADA}
    status, answer = world.call("consents", "GET /v1/consents/{channel}/{address}/log", path=path, query=query)
    assert status == 200, answer
    return answer["log"], answer["cursor"]


def imported(world: World, *rows: Any, **more: Any) -> list[Any]:
    status, answer = world.call("consents", "POST /v1/consents/import", {"rows": list(rows), **more})
    assert status == 200, answer
    return [one.get("code", one["result"]) for one in answer["rows"]]


def row(name: str = "tips", reply: str = "subscribed", address: str = ADA, **more: Any) -> dict[str, Any]:
    return {"address": address, "topic": name, "reply": reply, "source": "old shop", **more}


PERSON = {"by": "person", "source": "checkout", "wording": "Send me tips"}


@pytest.fixture
def ada(world: World) -> World:
    """A workspace in which Ada has an address, with one topic of each kind."""
    world.identify("ada", email=ADA, firstName="Ada", plan="free")
    topic(world, "tips", consent="opt_in")
    topic(world, "club", consent="double_opt_in", confirmation="confirm")
    world.template("confirm", text="Confirm: {{ confirm_url }}", kind="transactional")
    world.now += timedelta(minutes=2)
    return world


# --- topics ----------------------------------------------------------------------------------------------------------


def test_a_workspace_has_a_topic_for_news_and_offers_until_it_says_otherwise(world: World) -> None:
    usual = {"topic": "marketing", "title": "News and offers", "description": "", "consent": "opt_out"}
    assert topic(world, "marketing", "GET") == (200, {**usual, "confirmation": ""})
    assert topic(world, "marketing", title="News", consent="opt_in")[1]["consent"] == "opt_in"
    assert topic(world, "marketing", "DELETE") == (200, {"deleted": True})
    assert topic(world, "marketing", "GET")[1]["title"] == "News and offers"
    assert topic(world, "marketing", "DELETE")[1]["code"] == "unknown_topic"


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("Tips", {}, "invalid_name"),
        ("*", {}, "invalid_name"),
        ("tips", {"title": ""}, "invalid_request"),
        ("tips", {"consent": "maybe"}, "invalid_request"),
        ("tips", {"colour": "red"}, "invalid_request"),
        ("tips", {"topic": "news"}, "name_mismatch"),
    ],
)
def test_a_topic_that_is_wrong_is_not_defined(world: World, name: str, body: dict[str, Any], code: str) -> None:
    status, answer = topic(world, name, **body)
    assert (status, answer["code"]) == (400, code)
    assert topic(world, "tips", "GET")[0] == 404


def test_there_are_at_most_50_topics(world: World) -> None:
    for number in range(50):
        assert topic(world, f"t{number}")[0] == 200
    assert topic(world, "t50")[1]["code"] == "too_many_definitions"
    assert topic(world, "t49", title="Again")[0] == 200


def test_of_two_who_change_the_policy_at_once_one_is_told(world: World) -> None:
    def meanwhile(call: Call) -> None:
        if call.operation == "UpdateItem":
            world.recorder.before = None
            assert topic(world, "news")[0] == 200

    world.recorder.before = meanwhile
    status, answer = topic(world, "tips")
    assert (status, answer["code"]) == (409, "policy_changed")
    assert topic(world, "news", "GET")[0] == 200


# --- one address -----------------------------------------------------------------------------------------------------


def test_an_address_shows_what_it_said_and_what_a_message_would_be_answered(ada: World) -> None:
    assert say(ada, "tips", "subscribed", **PERSON, ip="198.51.100.7")[1]["result"] == "set"
    tips = of_topic(ada, "tips")
    assert tips["said"]["proof"] == {
        "by": "person",
        "source": "checkout",
        "at": "2026-11-21T09:02:00.000000Z",
        "ip": "198.51.100.7",
        "wording": "Send me tips",
        "message": "",
    }
    assert tips["marketing"]["found"] == "subscribed to tips since 2026-11-21 09:02:00 UTC by the person (checkout)"
    assert of_topic(ada, "marketing")["marketing"]["passed"] is True
    assert of_topic(ada, "club")["marketing"]["found"] == "never asked; the topic club is double-opt-in"
    assert shown(ada)["transactional"]["passed"] is True


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("nothing", {"reply": "subscribed"}, "unknown_topic"),
        ("tips", {"reply": "perhaps"}, "invalid_request"),
        ("tips", {"reply": "subscribed", "by": "person"}, "missing_proof"),
        ("tips", {"reply": "subscribed", "by": "person", "source": "shop"}, "missing_proof"),
        ("tips", {"reply": "unsubscribed", "by": "person"}, "missing_proof"),
        ("tips", {"reply": "subscribed", "at": "soon"}, "invalid_timestamp"),
        ("tips", {"reply": 7}, "invalid_request"),
    ],
)
def test_a_reply_without_its_proof_is_not_taken(ada: World, name: str, body: dict[str, Any], code: str) -> None:
    path = {"channel": "email", "address": ADA, "topic": name}
    status, answer = ada.call("consents", "PUT /v1/consents/{channel}/{address}/{topic}", body, path=path)
    assert (status, answer["code"]) == ((404 if code == "unknown_topic" else 400), code)
    assert ada.items("TABLE_CONSENTS") == []


def test_an_operator_does_not_undo_a_persons_own_no(ada: World) -> None:
    say(ada, "*", "unsubscribed", by="person", source="phone")
    ada.now += timedelta(days=1)
    for name in ("tips", "*"):
        status, answer = say(ada, name, "subscribed")
        assert (status, answer["code"]) == (409, "own_no")
    assert say(ada, "tips", "subscribed", **PERSON)[0] == 200
    assert of_topic(ada, "tips")["marketing"]["passed"] is True
    assert of_topic(ada, "marketing")["marketing"]["passed"] is False


def test_the_log_tells_every_change_page_by_page(ada: World) -> None:
    for reply in ("subscribed", "unsubscribed", "subscribed"):
        say(ada, "tips", reply, **PERSON)
        say(ada, "tips", reply, **PERSON)
        ada.now += timedelta(hours=2)
    first, cursor = logged(ada, limit="2")
    rest, end = logged(ada, limit="2", cursor=cursor)
    assert [one["reply"] for one in first + rest] == ["subscribed", "unsubscribed", "subscribed"]
    assert (first[0]["before"], rest[0]["before"], end) == ("unsubscribed", "never_asked", "")
    assert {one["actor"] for one in first} == {"secret key"}


def test_a_suppressed_address_is_written_to_about_nothing(ada: World) -> None:
    ada.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path={"channel": "email", "address": ADA})
    answer = shown(ada)
    assert answer["suppression"]["reason"] == "manual"
    assert {one["marketing"]["check"] for one in answer["topics"]} == {"suppression"}
    assert answer["transactional"]["passed"] is False


# --- many addresses --------------------------------------------------------------------------------------------------


def test_an_import_says_what_became_of_each_row_and_repeats_change_nothing(ada: World) -> None:
    say(ada, "club", "unsubscribed", by="person", source="page")
    rows = [row(), row("club"), row(address="bob@people.example", at="2025-01-01T00:00:00Z"), row("tips", "maybe")]
    expected = ["set", "kept", "set", "invalid_reply"]
    assert imported(ada, *rows, dry_run=True) == expected
    assert of_topic(ada, "tips")["said"] is None
    assert imported(ada, *rows) == expected
    items = ada.items("TABLE_CONSENTS")
    ada.now += timedelta(days=3)
    assert imported(ada, *rows) == ["unchanged", "kept", "unchanged", "invalid_reply"]
    assert ada.items("TABLE_CONSENTS") == items
    assert of_topic(ada, "tips")["said"]["proof"]["source"] == "old shop"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (row(address="nobody"), "invalid_address"),
        (row("nothing"), "unknown_topic"),
        (row(at="soon"), "invalid_timestamp"),
        (row(wording="x" * 2001), "text_too_long"),
        (row(colour="red"), "invalid_row"),
        ({**row(), "address": 7}, "invalid_type"),
        ("ada", "invalid_row"),
    ],
)
def test_a_row_that_is_wrong_keeps_no_other_out(ada: World, wrong: Any, code: str) -> None:
    assert imported(ada, wrong, row()) == [code, "set"]


def test_rows_of_one_address_are_one_change_in_their_order(ada: World) -> None:
    assert imported(ada, row(), row("club", "unsubscribed"), row(reply="unsubscribed")) == ["set", "set", "set"]
    assert of_topic(ada, "tips")["said"]["reply"] == "unsubscribed"
    assert len(logged(ada)[0]) == 3


@pytest.mark.parametrize("rows", [[], "ada", [row()] * 1001])
def test_an_import_has_1_to_1000_rows(ada: World, rows: Any) -> None:
    status, answer = ada.call("consents", "POST /v1/consents/import", {"rows": rows})
    assert (status, answer["code"]) == (400, "invalid_rows")


def test_an_import_that_meets_a_persons_no_on_its_way_keeps_it(ada: World) -> None:
    def meanwhile(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            ada.recorder.before = None
            say(ada, "tips", "unsubscribed", by="person", source="page")

    ada.recorder.before = meanwhile
    assert imported(ada, row(address="bob@people.example"), row()) == ["set", "kept"]
    assert of_topic(ada, "tips")["said"]["reply"] == "unsubscribed"


@pytest.mark.parametrize("lost", [False, True], ids=["not-sent", "answer-lost"])
@pytest.mark.parametrize("operation", ["TransactWriteItems", "BatchGetItem", "Query"])
def test_an_import_that_was_interrupted_is_finished_by_its_repeat(ada: World, operation: str, lost: bool) -> None:
    rows = [row(address=f"{number}@people.example") for number in range(70)]

    def fails(call: Call) -> None:
        if call.operation == operation:
            ada.recorder.before = ada.recorder.after = None
            raise ConnectTimeoutError(endpoint_url="https://dynamodb")

    setattr(ada.recorder, "after" if lost else "before", fails)
    ada.call("consents", "POST /v1/consents/import", {"rows": rows})
    imported(ada, *rows)
    items = ada.items("TABLE_CONSENTS")
    assert len([one for one in items if one["sk"]["S"] == "email"]) == 70
    assert len([one for one in items if one["sk"]["S"].startswith("log#")]) == 70


def test_a_thousand_rows_are_imported_within_a_call(ada: World) -> None:
    rows = [row(address=f"{number}@people.example") for number in range(1000)]
    ada.recorder.clear()
    assert set(imported(ada, *rows)) == {"set"}
    assert len(ada.recorder.of("dynamodb:TransactWriteItems")) <= 40


# --- what is asked at the moment of sending ---------------------------------------------------------------------------


def order(world: World, key: str = "k-1", **more: Any) -> dict[str, Any]:
    body = {"to": {"user_id": "ada"}, "template": "confirm", "idempotency_key": key, "kind": "marketing", **more}
    status, answer = world.call("send_email", "POST /v1/emails", body)
    assert status == 202, answer
    return answer


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("tips", "never asked; the topic tips is opt-in"),
        ("nothing", "there is no topic named nothing"),
    ],
)
def test_a_marketing_mail_without_consent_does_not_go_and_says_why(ada: World, name: str, found: str) -> None:
    message = order(ada, topic=name)
    assert (message["state"], message["decision"]["decided_by"]) == ("skipped", "consent")
    assert found in [one["found"] for one in message["decision"]["checks"]]
    assert ada.ses.accepted == []


def test_a_transactional_mail_needs_no_consent(ada: World) -> None:
    say(ada, "*", "unsubscribed", by="person", source="page")
    assert order(ada, kind="transactional")["state"] == "accepted"


def test_a_no_between_the_decision_and_the_claim_is_honoured(ada: World) -> None:
    def meanwhile(call: Call) -> None:
        if call.operation == "TransactWriteItems" and ada.running == "send_email":
            ada.recorder.before = None
            say(ada, "marketing", "unsubscribed", by="person", source="page")

    ada.recorder.before = meanwhile
    message = order(ada)
    assert (message["state"], message["decision"]["decided_by"]) == ("skipped", "consent")
    assert ada.ses.accepted == []


def check(world: World, **body: Any) -> dict[str, Any]:
    status, answer = world.call("check_suppression", "POST /v1/suppressions/check", body)
    assert status == 200, answer
    return answer


FREE = {"trait": "plan", "is": "free"}
BOUGHT = {"did": "Order Completed", "within": "7 days"}


def test_whoever_meets_a_rule_gets_nothing_and_the_answer_names_it(ada: World) -> None:
    assert rule(ada, "free-plan", FREE)[0] == 200
    ada.now += timedelta(minutes=2)
    answer = check(ada, address=ADA)
    assert (answer["suppressed"], answer["check"]) == (True, "suppression_rules")
    assert answer["found"].startswith("the rule free-plan holds: ")
    assert check(ada, address="bob@people.example")["suppressed"] is False
    message = order(ada, kind="transactional")
    assert message["decision"]["decided_by"] == "suppression_rules"
    ada.identify("ada", plan="paid")
    assert check(ada, user_id="ada")["suppressed"] is False


def test_a_rule_for_marketing_lets_other_mail_go(ada: World) -> None:
    rule(ada, "free-plan", FREE, kinds="marketing")
    assert order(ada)["decision"]["decided_by"] == "suppression_rules"
    assert order(ada, "k-2", kind="transactional")["state"] == "accepted"


def test_a_rule_that_asks_for_events_reads_them_and_only_that(ada: World) -> None:
    check(ada, address=ADA, kind="marketing")
    ada.recorder.clear()
    check(ada, address=ADA, kind="marketing")
    assert ada.recorder.names() == ["dynamodb:GetItem"]
    rule(ada, "just-bought", BOUGHT)
    ada.now += timedelta(minutes=2)
    assert order(ada, kind="transactional")["state"] == "accepted"
    ada.track("ada", "Order Completed")
    assert check(ada, address=ADA)["suppressed"] is True
    assert order(ada, "k-2", kind="transactional")["decision"]["decided_by"] == "suppression_rules"


def test_a_rule_that_cannot_be_read_any_more_holds_for_everybody(ada: World) -> None:
    rule(ada, "broken", FREE)
    place = ada.accounts.workspace("acme")
    store: Any = ada.function("policy").book._desks["topics"]._workspaces
    policy = {**place.policy, "suppression_rules": {"broken": {"when": {"trait": "plan", "sounds_like": "free"}}}}
    store.change_policy(place, policy)
    ada.now += timedelta(minutes=2)
    answer = check(ada, address="bob@people.example")
    assert answer["found"] == "the rule broken cannot be read any more, and so holds for everybody"


@pytest.mark.parametrize(
    "when",
    [
        {"property": "total", "is": 1},
        {"did": "Order Completed", "since": "enrolment"},
        {"none": [{"engaged": "tips"}]},
        {"answer": "ask.status", "is": 200},
        {"trait": "plan"},
        "always",
    ],
)
def test_a_rule_asks_only_what_a_contact_can_answer(ada: World, when: Any) -> None:
    status, answer = rule(ada, "odd", when)
    assert status == 400, answer
    assert rule(ada, "odd", None, "GET")[0] == 404


def test_there_are_at_most_20_rules_and_one_that_goes_holds_for_nobody(ada: World) -> None:
    for number in range(20):
        assert rule(ada, f"r{number}", FREE)[0] == 200
    assert rule(ada, "r20", FREE)[1]["code"] == "too_many_definitions"
    assert rule(ada, "r0", None, "GET")[1]["kinds"] == "all"
    for number in range(20):
        assert rule(ada, f"r{number}", None, "DELETE")[0] == 200
    ada.now += timedelta(minutes=2)
    assert check(ada, address=ADA)["suppressed"] is False


def test_a_check_of_a_kind_and_a_topic_asks_for_consent_too(ada: World) -> None:
    assert check(ada, address=ADA, kind="marketing", topic="tips")["check"] == "consent"
    assert check(ada, address=ADA, kind="transactional", topic="tips")["suppressed"] is False
    assert check(ada, address=ADA)["suppressed"] is False


def test_a_component_asks_for_consent_where_it_names_a_kind(ada: World) -> None:
    guard = {"type": "check_suppression", "channel": "email", "kind": "marketing", "topic": "tips", "clear": "mail"}
    mail = {"type": "send_email", "template": "confirm", "kind": "transactional"}
    ada.automation(
        {"automation": "a", "trigger": {"event": "Go"}, "start": "guard", "components": {"guard": guard, "mail": mail}}
    )
    ada.track("ada", "Go")
    ada.run()
    assert ada.ses.accepted == []
    say(ada, "tips", "subscribed", **PERSON)
    ada.identify("eve", email="eve@people.example")
    say(ada, "tips", "subscribed", "eve@people.example", **PERSON)
    ada.track("eve", "Go")
    ada.run()
    assert len(ada.ses.accepted) == 1


# --- double opt-in ---------------------------------------------------------------------------------------------------


def subscribe(world: World, key: str = "publishable", **more: Any) -> tuple[int, Any]:
    body = {"email": ADA, "topic": "club", "wording": "Join the club", **more}
    return world.call("subscriptions", "POST /v1/subscriptions", body, key)


def links(world: World) -> list[str]:
    return [mail["Content"]["Simple"]["Body"]["Text"]["Data"].split()[1] for mail in world.ses.accepted]


def confirm(world: World, link: str) -> int:
    token = link.rpartition("/")[2].partition("?")[0]
    event = {
        "version": "2.0",
        "routeKey": "POST /confirm/{token}",
        "headers": {},
        "pathParameters": {"token": token},
        "queryStringParameters": {},
        "requestContext": {"http": {"method": "POST", "sourceIp": "203.0.113.50"}},
        "body": "",
        "isBase64Encoded": False,
    }
    return int(world.invoke("unsubscribe", event)["statusCode"])


def test_a_wish_from_a_browser_grants_nothing_until_its_mail_confirms_it(ada: World) -> None:
    assert subscribe(ada) == (202, {"state": "pending"})
    assert of_topic(ada, "club")["marketing"]["passed"] is False
    (link,) = links(ada)
    assert link.startswith("https://mail.acme.example/confirm/")
    ada.now += timedelta(hours=1)
    assert confirm(ada, link) == 200
    club = of_topic(ada, "club")
    assert club["marketing"]["passed"] is True
    assert (club["said"]["proof"]["wording"], club["said"]["proof"]["ip"]) == ("Join the club", "203.0.113.50")
    assert subscribe(ada) == (202, {"state": "pending"})
    assert subscribe(ada, "secret") == (202, {"state": "subscribed"})
    assert len(ada.ses.accepted) == 1


def test_one_mail_a_day_asks_however_often_somebody_wishes(ada: World) -> None:
    for _ in range(3):
        subscribe(ada)
        ada.now += timedelta(hours=7)
    assert len(ada.ses.accepted) == 1
    ada.now += timedelta(hours=4)
    subscribe(ada)
    assert len(ada.ses.accepted) == 2


@pytest.mark.parametrize("key", ["publishable", "write", "secret"])
def test_a_wish_for_an_address_that_nobody_has_makes_a_contact(ada: World, key: str) -> None:
    assert subscribe(ada, key, email="new@people.example") == (202, {"state": "pending"})
    ada.pump()
    assert ada.contact(email="new@people.example")


def test_the_answer_does_not_tell_who_is_known_suppressed_or_erased(ada: World) -> None:
    ada.identify("eve", email="eve@people.example")
    ada.erase(ada.contact(user_id="eve")["contact"])
    path = {"channel": "email", "address": "bob@people.example"}
    ada.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)
    answers = [subscribe(ada, email=f"{name}@people.example") for name in ("ada", "new", "eve", "bob")]
    assert answers == [(202, {"state": "pending"})] * 4
    assert len(ada.ses.accepted) == 2


def test_a_persons_no_stays_until_they_confirm(ada: World) -> None:
    say(ada, "club", "unsubscribed", by="person", source="page")
    ada.now += timedelta(hours=1)
    subscribe(ada)
    assert of_topic(ada, "club")["said"]["reply"] == "unsubscribed"
    assert of_topic(ada, "club")["said"]["asked_at"] == "2026-11-21T10:02:00.000000Z"
    ada.now += timedelta(hours=1)
    confirm(ada, links(ada)[0])
    assert of_topic(ada, "club")["marketing"]["passed"] is True


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"topic": "nothing"}, "unknown_topic"),
        ({"topic": "tips"}, "no_confirmation"),
        ({"email": "ada"}, "invalid_address"),
        ({"wording": ""}, "invalid_request"),
        ({"colour": "red"}, "invalid_request"),
        ({"email": 7}, "invalid_type"),
    ],
)
def test_a_wish_that_is_wrong_is_not_taken(ada: World, body: dict[str, Any], code: str) -> None:
    status, answer = subscribe(ada, **body)
    assert (status // 100, answer["code"]) == (4, code)
    assert ada.items("TABLE_CONSENTS") == []


def interrupted(world: World, number: int, lost: bool) -> Callable[[Call], None]:
    """Let the call of a number fail, once."""
    seen = []

    def fails(call: Call) -> None:
        if world.running == "subscriptions":
            seen.append(call)
            if len(seen) == number:
                raise ConnectTimeoutError(endpoint_url="https://aws")

    setattr(world.recorder, "after" if lost else "before", fails)
    return fails


@pytest.mark.parametrize("lost", [False, True], ids=["not-sent", "answer-lost"])
@pytest.mark.parametrize("number", range(1, 16))
def test_a_wish_that_was_interrupted_anywhere_is_one_mail_after_its_repeat(ada: World, number: int, lost: bool) -> None:
    interrupted(ada, number, lost)
    try:
        subscribe(ada, email="new@people.example")
    except ConnectTimeoutError:
        ada.recorder.clear()
    ada.recorder.before = ada.recorder.after = None
    subscribe(ada, email="new@people.example")
    assert len(ada.ses.accepted) <= 1
    records = [one for one in ada.items("TABLE_CONSENTS") if one["sk"]["S"] == "email"]
    assert len(records) == 1
    assert len(ada.items("TABLE_CONSENTS")) == 2


# --- the account's own list ------------------------------------------------------------------------------------------


def account(world: World, **listed: str) -> list[dict[str, Any]]:
    """Let SES have these addresses on its own list; what it was asked to take off."""
    released: list[dict[str, Any]] = []
    entries = [
        {"EmailAddress": f"{name}@people.example", "Reason": reason, "LastUpdateTime": world.now}
        for name, reason in listed.items()
    ]
    world.recorder.doubles["sesv2:ListSuppressedDestinations"] = lambda asked: {
        "SuppressedDestinationSummaries": [
            one for one in entries if "StartDate" not in asked or one["LastUpdateTime"] >= asked["StartDate"]
        ]
    }
    world.recorder.doubles["sesv2:DeleteSuppressedDestination"] = lambda asked: released.append(asked) or {}
    return released


def test_the_accounts_list_is_mirrored_where_the_owner_wants_it(ada: World) -> None:
    released = account(ada, ada="COMPLAINT", bob="BOUNCE")
    assert ada.invoke("mirror_suppressions", {}) == {"suppressed": 0}
    ada.accounts.configure("acme", {"mirror_account_suppression": True})
    assert ada.invoke("mirror_suppressions", {}) == {"suppressed": 2}
    assert ada.invoke("mirror_suppressions", {}) == {"suppressed": 0}
    assert shown(ada)["suppression"]["source"] == "ses-account"
    assert shown(ada, "bob@people.example")["suppression"]["reason"] == "bounce"
    path = {"channel": "email", "address": ADA}
    other = ada.call("suppressions", "GET /v1/suppressions/{channel}/{address}", None, ada.other_secret, path)
    assert other[0] == 404
    ada.now += timedelta(minutes=2)
    assert ada.call("suppressions", "DELETE /v1/suppressions/{channel}/{address}", path=path)[0] == 200
    assert released == [{"EmailAddress": ADA}]


def test_a_later_run_asks_only_for_what_is_new(ada: World) -> None:
    ada.accounts.configure("acme", {"mirror_account_suppression": True})
    account(ada, ada="BOUNCE")
    ada.invoke("mirror_suppressions", {})
    ada.now += timedelta(days=1)
    ada.recorder.clear()
    ada.invoke("mirror_suppressions", {})
    (call,) = ada.recorder.of("sesv2:ListSuppressedDestinations")
    assert call.arguments["StartDate"] == ada.now - timedelta(days=1, hours=2)
