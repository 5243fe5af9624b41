"""Why somebody got a mail, or did not: what was decided, and where nothing was, what is known; now and back then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_executions import ended
from tests.support.lifecycle import act, done, go, state
from tests.support.world import START, World

from tidings.core.clock import to_text

TOUR = {
    "automation": "tour",
    "trigger": {"event": "Signed Up", "where": {"property": "plan", "is_not": "none"}},
    "start": "pause",
    "components": {
        "pause": {"type": "wait", "for": "1 day", "next": "who"},
        "who": {
            "type": "branch",
            "arms": [{"name": "Team", "when": {"trait": "plan", "is": "team"}, "next": "tips"}],
            "otherwise": "bye",
        },
        "tips": {"type": "send_email", "template": "tips"},
        "bye": {"type": "send_email", "template": "bye"},
    },
}
DAN = "dan@people.example"


@pytest.fixture
def tour(world: World) -> World:
    """An automation that greets teams with tips; Ada is of a team, Bob is not, Cleo never signed up."""
    for name in ("tips", "bye", "other"):
        world.template(name)
    world.automation(TOUR)
    for user in ("ada", "bob", "cleo"):
        plan = {"plan": "team"} if user == "ada" else {}
        world.identify(user, email=f"{user}@people.example", first_name=user.title(), **plan)
    for user in ("ada", "bob"):
        world.track(user, "Signed Up")
    return world


def why(world: World, **query: str) -> dict[str, Any]:
    status, answer = world.call("why", "GET /v1/why", query=query)
    assert status == 200, answer
    return answer


def answered(world: World, **query: str) -> tuple[str, str]:
    account = why(world, **query)
    return account["code"], account["answer"]


def decisions(world: World, user: str, **query: str) -> list[dict[str, Any]]:
    path = {"contact": world.contact(user_id=user)["contact"]}
    status, answer = world.call("why", "GET /v1/contacts/{contact}/decisions", path=path, query=query)
    assert status == 200, answer
    found: list[dict[str, Any]] = answer["decisions"]
    return found


def shown(world: World, message: str, **query: str) -> tuple[int, dict[str, Any]]:
    return world.call("messages", "GET /v1/messages/{message}", path={"message": message}, query=query)


def hours(number: float) -> str:
    return to_text(START + timedelta(hours=number))


# --- what was decided ------------------------------------------------------------------------------------------------


def test_a_mail_that_went_is_explained_by_its_decision(tour: World) -> None:
    tour.run(timedelta(days=2))
    account = why(tour, user_id="ada", template="tips")
    assert (account["code"], account["answer"]) == ("decided", "Sent: the provider accepted it.")
    (decision,) = account["decisions"]
    assert (decision["source"], decision["name"], decision["component"]) == ("automation", "tour", "tips")
    assert decision["decision"]["versions"]["automation"] == 1
    (way,) = account["ways"]
    assert (way["standing"], way["component"]) == ("passed", "tips")


def test_a_mail_that_was_not_sent_says_in_plain_english_why(tour: World) -> None:
    path = {"channel": "email", "address": "ada@people.example"}
    tour.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)
    tour.run(timedelta(days=2))
    code, answer = answered(tour, email="ada@people.example", template="tips")
    assert code == "decided"
    assert answer == (
        "Not sent: the address is suppressed since 2026-11-21 09:00:00 UTC because somebody put it on the list."
    )
    (one,) = decisions(tour, "ada")
    assert one["sentence"] == answer
    checks = {check["check"]: check["passed"] for check in one["decision"]["checks"]}
    assert (checks["address"], checks["suppression"], checks["template"]) == (True, False, None)


def test_decisions_are_listed_latest_first_and_narrowed_down(tour: World) -> None:
    tour.run(timedelta(days=2))
    order = {"to": {"user_id": "ada"}, "template": "other", "idempotency_key": "k-1"}
    tour.call("send_email", "POST /v1/emails", order)
    assert [one["template"] for one in decisions(tour, "ada")] == ["other", "tips"]
    assert [one["template"] for one in decisions(tour, "ada", automation="tour")] == ["tips"]
    assert [one["template"] for one in decisions(tour, "ada", template="other")] == ["other"]
    assert decisions(tour, "ada", template="bye") == []
    assert [one["template"] for one in decisions(tour, "ada", at=hours(25))] == ["tips"]
    assert decisions(tour, "ada", at=hours(23)) == []


def test_decisions_come_in_pages_that_take_only_their_own_cursors(tour: World) -> None:
    tour.run(timedelta(days=2))
    for number in range(3):
        tour.now += timedelta(minutes=1)
        order = {"to": {"user_id": "ada"}, "template": "other", "idempotency_key": f"k-{number}"}
        tour.call("send_email", "POST /v1/emails", order)
    path, found, cursor = {"contact": tour.contact(user_id="ada")["contact"]}, [], ""
    route = "GET /v1/contacts/{contact}/decisions"
    while True:
        _, page = tour.call("why", route, path=path, query={"limit": "3", **({"cursor": cursor} if cursor else {})})
        found += page["decisions"]
        if not page["cursor"]:
            break
        cursor = page["cursor"]
    assert [one["template"] for one in found] == ["other", "other", "other", "tips"]
    status, answer = tour.call("why", route, path=path, query={"cursor": cursor, "template": "tips"})
    assert (status, answer["code"]) == (400, "invalid_cursor")


# --- where nothing was decided ---------------------------------------------------------------------------------------


def test_somebody_who_waits_is_told_where_and_until_when(tour: World) -> None:
    account = why(tour, user_id="ada", template="tips")
    assert account["code"] == "waiting"
    assert 'at the component "pause" until 2026-11-22 09:00:00 UTC' in account["answer"]
    assert account["ways"][0]["until"] == hours(24)


def test_somebody_who_went_another_way_is_told_where_and_why(tour: World) -> None:
    tour.run(timedelta(days=2))
    account = why(tour, user_id="bob", template="tips")
    assert account["code"] == "went_another_way"
    assert account["answer"] == (
        'They went another way at the component "who" of tour on 2026-11-22 09:00:00 UTC: "otherwise"; '
        'to the template tips leads "Team".'
    )
    assert account["ways"][0]["turned_at"]["why"]["Team"]["result"] is False


def test_somebody_who_never_entered_is_told_what_begins_the_automation(tour: World) -> None:
    code, answer = answered(tour, user_id="cleo", template="tips")
    assert (code, answer) == (
        "never_entered",
        'They never entered tour, which begins with the event "Signed Up": they never did that.',
    )
    tour.track("cleo", "Signed Up", plan="none")
    code, answer = answered(tour, user_id="cleo", automation="tour")
    assert code == "never_entered"
    assert answer.endswith(
        'they did that last on 2026-11-21 09:00:00 UTC, and did not enter because the event\'s plan is "none", '
        "which it must not be."
    )
    tour.now += timedelta(days=30)
    answer = answered(tour, user_id="cleo", automation="tour")[1]
    assert answer.endswith("09:00:00 UTC; why they did not enter is kept for 30 days.")


def test_what_happened_before_an_automation_was_published_is_told_as_such(tour: World) -> None:
    tour.track("ada", "Came Back")
    tour.now += timedelta(hours=1)
    tour.automation({**TOUR, "automation": "again", "trigger": {"event": "Came Back"}})
    assert answered(tour, user_id="ada", automation="again")[1].endswith("before the automation was published.")


def test_a_way_that_failed_says_so(tour: World) -> None:
    ended(tour, "FAILED", error="Lost")
    code, answer = answered(tour, user_id="bob", template="tips")
    assert code == "ended"
    assert answer == 'Their way through tour failed at "pause" (Lost), before it came to the template tips.'


def test_who_rests_while_an_automation_is_paused_is_told_so(tour: World) -> None:
    done(act(tour, "pause", {"what": "all"}))
    go(tour, days=2)
    assert state(tour) == "parked"
    for asked in ({"template": "tips"}, {"automation": "tour"}):
        code, answer = answered(tour, user_id="ada", **asked)
        assert (code, "once tour is not paused any more" in answer) == ("waiting", True)


def test_what_cannot_be_is_told_as_such(tour: World) -> None:
    assert answered(tour, user_id="nobody", template="tips")[0] == "no_such_person"
    assert answered(tour, contact="c-nothing", template="tips")[0] == "no_such_person"
    assert answered(tour, user_id="ada", template="missing")[0] == "no_such_template"
    assert answered(tour, user_id="ada", automation="missing")[0] == "no_such_automation"
    assert answered(tour, user_id="ada", automation="tour", template="other")[0] == "not_in_automation"
    assert answered(tour, user_id="ada", template="other")[0] == "never_ordered"
    assert answered(tour, user_id="ada", send="s-1")[0] == "not_in_send"
    assert answered(tour, user_id="ada", message="m-1")[0] == "no_such_message"
    assert answered(tour, user_id="cleo")[0] == "never_ordered"


def test_one_of_an_address_that_several_share_is_meant_and_the_others_are_named(tour: World) -> None:
    tour.now += timedelta(seconds=1)
    tour.identify("dan", email=DAN)
    tour.now += timedelta(seconds=1)
    tour.identify("dora", email=DAN)
    account = why(tour, email=DAN, template="tips")
    assert account["contact"] == tour.contact(user_id="dan")["contact"]
    assert account["others"] == [tour.contact(user_id="dora")["contact"]]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "invalid_identity"),
        ({"user_id": "ada", "email": DAN}, "invalid_identity"),
        ({"email": "nowhere"}, "invalid_email"),
        ({"user_id": "ada", "at": "soon"}, "invalid_timestamp"),
    ],
)
def test_a_question_that_cannot_be_is_refused(world: World, query: dict[str, str], code: str) -> None:
    status, answer = world.call("why", "GET /v1/why", query=query)
    assert (status, answer["code"]) == (400, code)


# --- back then -------------------------------------------------------------------------------------------------------


def test_the_account_is_what_it_was_at_an_earlier_time(tour: World) -> None:
    tour.run(timedelta(days=2))
    assert answered(tour, user_id="ada", template="tips", at=hours(-1))[0] == "not_known_then"
    code, answer = answered(tour, user_id="ada", template="tips", at=hours(1))
    assert code == "waiting"
    assert '"pause"' in answer
    assert answered(tour, user_id="bob", template="tips", at=hours(1))[0] == "waiting"
    assert answered(tour, user_id="bob", template="tips", at=hours(25))[0] == "went_another_way"
    assert answered(tour, user_id="ada", template="tips", at=hours(25))[0] == "decided"


def test_a_message_is_shown_as_it_stood(tour: World) -> None:
    tour.run(timedelta(days=1))
    (mail,) = tour.ses.to("ada@people.example")
    told = tour.ses.event("Delivery", mail)
    told["delivery"]["timestamp"] = hours(26)
    told["mail"]["timestamp"] = hours(24)
    tour.now += timedelta(hours=3)
    tour.feedback(told)
    (one,) = decisions(tour, "ada")
    message = one["message"]
    assert shown(tour, message)[1]["state"] == "delivered"
    status, before = shown(tour, message, at=hours(25))
    assert (status, before["state"]) == (200, "accepted")
    assert "delivered" not in before["history"]
    assert shown(tour, message, at=hours(26))[1]["state"] == "delivered"
    status, answer = shown(tour, message, at=hours(23))
    assert (status, answer["code"]) == (404, "not_yet")
    assert shown(tour, message, at="soon")[1]["code"] == "invalid_timestamp"


def test_an_earlier_decision_is_the_one_that_stood(tour: World) -> None:
    tour.ses.failing = ["TooManyRequestsException"]
    order = {"to": {"user_id": "ada"}, "template": "other", "idempotency_key": "k-1"}
    assert tour.call("send_email", "POST /v1/emails", order)[0] == 429
    tour.now += timedelta(hours=1)
    path = {"channel": "email", "address": "ada@people.example"}
    tour.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)
    _, answer = tour.call("send_email", "POST /v1/emails", order)
    assert answer["state"] == "skipped"
    _, before = shown(tour, answer["message"], at=hours(0.5))
    assert (before["state"], before["decision"]["send"], before["earlier"]) == ("released", True, [])
    _, after = shown(tour, answer["message"], at=hours(1))
    assert (after["state"], after["decision"]["decided_by"]) == ("skipped", "suppression")
    assert [one["send"] for one in after["earlier"]] == [True]


# --- what nobody knows -----------------------------------------------------------------------------------------------


def test_messages_that_ended_as_unknown_come_in_pages(tour: World) -> None:
    for number in range(5):
        tour.ses.failing = ["lost"]
        order = {"to": {"user_id": "ada"}, "template": "other", "idempotency_key": f"k-{number}"}
        assert tour.call("send_email", "POST /v1/emails", order)[0] in (202, 503)
        tour.now += timedelta(seconds=number % 2)
    tour.now += timedelta(minutes=5)
    tour.invoke("settle_messages", {})
    found: list[str] = []
    cursor = ""
    while True:
        query = {"state": "unknown", "limit": "2", **({"cursor": cursor} if cursor else {})}
        status, page = tour.call("messages", "GET /v1/messages", query=query)
        assert (status, len(page["messages"]) <= 2) == (200, True)
        found += [one["message"] for one in page["messages"]]
        if not page["cursor"]:
            break
        cursor = page["cursor"]
    assert len(found) == len(set(found)) == 5
    assert tour.call("messages", "GET /v1/messages", query={"state": "unknown", "cursor": "x"})[0] == 400
