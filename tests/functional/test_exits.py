"""Exits let people out at once: during a wait, before a step, and in the moment of a send.

What is stated of the races: an event that is stored before the step begins, or that was reacted to before the message
is claimed, lets the person out, and nothing is sent; else the message goes, and the person leaves after it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_executions import ended, resume
from tests.functional.test_merges import who
from tests.functional.test_react import failing
from tests.functional.test_waits import at_call, enrolment, machine, reported, subjects
from tests.support.world import World, variables

from tidings.automations.enrolments.model import EnrolmentOver

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CART: dict[str, Any] = {
    "automation": "cart",
    "trigger": {"event": "Cart Left"},
    "exits": [
        {"name": "Has bought", "event": "Order Placed", "where": {"property": "total", "at_least": 10}},
        {"name": "Is a partner", "when": {"trait": "plan", "is": "partner"}},
        {"name": "Complained", "when": {"did": "Complaint Filed", "at_least": 2, "since": "enrolment"}},
    ],
    "start": "pause",
    "components": {
        "pause": {"type": "wait", "for": "1 day", "next": "mail"},
        "mail": {"type": "send_email", "template": "tips", "next": "more"},
        "more": {"type": "wait", "for": "1 day", "next": "again"},
        "again": {"type": "send_email", "template": "more"},
    },
}


@pytest.fixture
def ada(world: World) -> World:
    """Ada has left a cart, and waits for a day."""
    world.template("tips")
    world.template("more")
    world.automation(CART)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Cart Left", cart="c1")
    assert machine(world).wait()
    return world


def left(world: World) -> str:
    """By which exit Ada left; empty while she is inside."""
    found = enrolment(world)
    assert (found["state"] == "exited") == (found["left"] is not None)
    return str(found["left"]["exit"]) if found["left"] else ""


def nothing_more(world: World, sent: int = 0) -> None:
    """Whatever time passes, no further message goes. An execution that is told that all is over fails."""
    try:
        world.run(30 * DAY)
    except EnrolmentOver:
        machine(world).state = machine(world).token = ""
    world.run(30 * DAY)
    assert len(world.ses.accepted) == sent


def step(world: World, times: int = 1) -> None:
    """Let the last execution take a step, which may be told that all is over."""
    for _ in range(times):
        try:
            machine(world).step(world.task, world.now)
        except EnrolmentOver:
            machine(world).state = ""


# --- by events -------------------------------------------------------------------------------------------------------


def test_an_event_ends_the_enrolment_and_stops_the_execution_at_once_also_during_a_wait(ada: World) -> None:
    ada.now += HOUR
    ada.track("ada", "Order Placed", total=12)
    assert left(ada) == "Has bought"
    assert machine(ada).is_over
    why = enrolment(ada)["left"]
    assert (why["check"], why["when"]["result"], why["when"]["found"]) == ("event", True, 12)
    nothing_more(ada)


def test_an_event_for_which_its_condition_does_not_hold_lets_nobody_out(ada: World) -> None:
    ada.track("ada", "Order Placed", total=9)
    ada.track("ada", "Order Looked At", total=12)
    assert left(ada) == ""
    ada.run(3 * DAY)
    assert subjects(ada) == ["tips", "more"]


def test_what_came_before_somebody_entered_lets_them_not_out(world: World) -> None:
    world.template("tips")
    world.template("more")
    world.automation(CART)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Order Placed", total=12)
    world.now += HOUR
    world.track("ada", "Cart Left")
    world.run(3 * DAY)
    assert (left(world), subjects(world)) == ("", ["tips", "more"])


def test_the_event_by_which_somebody_entered_is_no_exit_and_the_next_of_its_name_is(world: World) -> None:
    world.template("tips")
    mail = {"type": "send_email", "template": "tips"}
    pause = {"type": "wait", "for": "1 day", "next": "mail"}
    world.automation(
        {
            "automation": "cart",
            "trigger": {"event": "Cart Left"},
            "reentry": "once",
            "exits": [{"name": "Again", "event": "Cart Left"}],
            "start": "pause",
            "components": {"pause": pause, "mail": mail},
        }
    )
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Cart Left")
    assert left(world) == ""
    world.now += HOUR
    world.track("ada", "Cart Left")
    assert left(world) == "Again"


def test_an_exit_that_must_match_ends_only_the_way_that_began_with_the_same(world: World) -> None:
    world.template("tips")
    world.template("more")
    world.automation({**CART, "exits": [{"name": "Called off", "event": "Order Called Off", "match": "order"}]})
    world.identify("ada", email="ada@people.example")
    for order in ("o1", "o2"):
        world.track("ada", "Cart Left", order=order)
        world.now += HOUR
    world.track("ada", "Order Called Off", order="o2")
    world.track("ada", "Order Called Off")
    ada = world.contact(user_id="ada")["contact"]
    states = [one["state"] for one in sorted(world.of_contact(ada, "enrolments"), key=lambda one: one["started_at"])]
    assert states == ["live", "exited"]


# --- by conditions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["identify", "edit"])
def test_a_change_of_the_contact_lets_out_as_soon_as_the_condition_holds(ada: World, by: str) -> None:
    ada.identify("ada", city="Gdańsk")
    assert left(ada) == ""
    if by == "identify":
        ada.identify("ada", plan="partner")
    else:
        path = {"contact": ada.contact(user_id="ada")["contact"]}
        body = {"traits": {"plan": "partner"}}
        status, _ = ada.call("change_contacts", "PATCH /v1/contacts/{contact}", body, path=path)
        assert status == 200
        ada.pump()
    assert left(ada) == "Is a partner"
    assert enrolment(ada)["left"]["when"]["sentence"] == 'Trait plan is "partner".'
    nothing_more(ada)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("identify", {"anonymousId": "a-1", "traits": {"email": "ada@people.example"}}),
        ("identify", {"anonymousId": "a-1"}),
        ("alias", {"previousId": "a-1"}),
        ("track", {"anonymousId": "a-1", "event": "Looked"}),
        ("screen", {"anonymousId": "a-1", "name": "Home"}),
        ("page", {"anonymousId": "a-1"}),
    ],
)
def test_whoever_becomes_known_is_let_out_at_once_whatever_call_says_who_they_are(
    world: World, kind: str, more: dict[str, Any]
) -> None:
    world.template("tips")
    world.template("more")
    world.automation({**CART, "exits": [{"name": "Known", "when": {"known": True}}]})
    message = {"anonymousId": "a-1", "event": "Cart Left", "messageId": "m"}
    assert world.ingest("track", message)[0] == 200
    world.pump()
    assert left_by(world, anonymous_id="a-1") == ""
    world.now += HOUR
    assert world.ingest(kind, {"userId": "ada", "messageId": "n", **more})[0] == 200
    world.pump()
    assert left_by(world, user_id="ada") == "Known"


def left_by(world: World, **whose: str) -> str:
    """By which exit somebody left; empty while they are inside."""
    (found,) = world.of_contact(who(world, **whose), "enrolments")
    return str(found["left"]["exit"]) if found["left"] else ""


def test_a_condition_on_what_they_did_lets_out_by_the_event_that_makes_it_hold(ada: World) -> None:
    ada.track("ada", "Complaint Filed")
    assert left(ada) == ""
    ada.track("ada", "Complaint Filed")
    assert left(ada) == "Complained"
    nothing_more(ada)


@pytest.mark.parametrize("when", [{"did": "Complaint Filed"}, {"none": [{"did_not": "Complaint Filed"}]}])
def test_a_condition_counts_what_they_did_since_they_entered_and_nothing_before(
    world: World, when: dict[str, Any]
) -> None:
    world.template("tips")
    world.template("more")
    world.automation({**CART, "exits": [{"name": "Complained", "when": when}]})
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Complaint Filed")
    world.now += HOUR
    world.track("ada", "Cart Left")
    world.run(DAY + HOUR)
    assert (left(world), subjects(world)) == ("", ["tips"])
    world.track("ada", "Complaint Filed")
    assert left(world) == "Complained"


def test_the_event_by_which_they_entered_is_not_counted_by_the_condition_of_an_exit(world: World) -> None:
    world.template("tips")
    world.template("more")
    world.automation({**CART, "exits": [{"name": "Again", "when": {"did": "Cart Left"}}]})
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Cart Left")
    world.run(DAY + HOUR)
    assert (left(world), subjects(world)) == ("", ["tips"])


def test_a_condition_that_time_makes_hold_lets_out_before_the_next_step(world: World) -> None:
    world.template("tips")
    world.template("more")
    silent = {"name": "Silent", "when": {"did_not": "Logged In", "within": "12 hours"}}
    world.automation({**CART, "exits": [silent]})
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Logged In")
    world.track("ada", "Cart Left")
    assert left(world) == ""
    nothing_more(world)
    assert left(world) == "Silent"


@pytest.mark.parametrize("by", ["event", "change"])
@pytest.mark.parametrize("told", [True, False])
def test_whose_execution_failed_or_was_lost_leaves_too_and_does_not_go_on_when_resumed(
    ada: World, by: str, told: bool
) -> None:
    if told:
        ended(ada, "FAILED", error="States.TaskFailed")
        assert enrolment(ada)["state"] == "failed"
    ada.lose(next(iter(ada.executions)))
    ada.now += HOUR
    if by == "event":
        ada.track("ada", "Order Placed", total=12)
    else:
        ada.identify("ada", plan="partner")
    assert left(ada) == ("Has bought" if by == "event" else "Is a partner")
    assert counted(ada) == (1, 0, 0)
    assert resume(ada, "cart") == (200, {"resumed": 0})
    ada.run(30 * DAY)
    assert ada.ses.accepted == []


def counted(world: World) -> tuple[int, int, int]:
    """How many left, failed and are inside."""
    status, told = world.call("statistics", "GET /v1/automations/{name}/statistics", path={"name": "cart"})
    assert status == 200, told
    return told["exited"], told["failed"], told["inside"]


# --- races -----------------------------------------------------------------------------------------------------------


def test_an_event_that_nobody_has_reacted_to_lets_out_before_the_step(ada: World) -> None:
    ada.now += DAY
    reported(ada, "Order Placed", total=12)
    step(ada, 2)
    assert left(ada) == "Has bought"
    assert ada.ses.accepted == []


def test_an_exit_between_the_reading_and_the_claim_keeps_the_message_back(ada: World) -> None:
    ada.now += DAY
    at_call(ada, "send_email", "dynamodb:TransactWriteItems", lambda: ada.track("ada", "Order Placed", total=12))
    step(ada, 2)
    assert (left(ada), ada.ses.accepted) == ("Has bought", [])
    nothing_more(ada)


def test_an_exit_that_is_only_stored_before_the_claim_lets_the_message_go_and_nothing_after_it(ada: World) -> None:
    ada.now += DAY
    at_call(ada, "send_email", "dynamodb:TransactWriteItems", lambda: reported(ada, "Order Placed", total=12))
    step(ada, 2)
    ada.pump()
    assert left(ada) == "Has bought"
    nothing_more(ada, sent=1)


def test_an_exit_after_the_claim_lets_the_message_go_and_nothing_after_it(ada: World) -> None:
    ada.now += DAY
    at_call(ada, "send_email", "sesv2:SendEmail", lambda: ada.track("ada", "Order Placed", total=12))
    step(ada, 2)
    assert left(ada) == "Has bought"
    assert [step["outcome"] for step in enrolment(ada)["path"]] == ["accepted"]
    nothing_more(ada, sent=1)


def test_an_exit_and_the_event_that_enrols_in_one_batch_leave_nobody_inside(world: World) -> None:
    world.template("tips")
    world.template("more")
    world.automation(CART)
    world.identify("ada", email="ada@people.example")
    reported(world, "Cart Left")
    world.now += timedelta(seconds=1)
    reported(world, "Order Placed", total=12)
    world.pump()
    nothing_more(world)
    assert left(world) == "Has bought"


def test_a_batch_that_broke_off_after_the_contact_was_written_lets_out_by_its_repeat(ada: World) -> None:
    message = {"userId": "ada", "traits": {"plan": "partner"}, "messageId": ada.fresh()}
    assert ada.ingest("identify", message)[0] == 200
    records = ada.new_records()
    failing(ada, "dynamodb:Query", "ProvisionedThroughputExceededException", times=4)
    assert ada.invoke("react", {"Records": records}) != {"batchItemFailures": []}
    ada.recorder.before = None
    assert left(ada) == ""
    assert ada.invoke("react", {"Records": records}) == {"batchItemFailures": []}
    assert left(ada) == "Is a partner"


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
def test_an_execution_that_cannot_be_stopped_now_does_nothing_more(ada: World, code: str) -> None:
    failing(ada, "stepfunctions:StopExecution", code)
    ada.track("ada", "Order Placed", total=12)
    assert left(ada) == "Has bought"
    nothing_more(ada)


@pytest.mark.parametrize("reacted", [True, False])
def test_an_event_that_lets_out_and_ends_a_wait_lets_out(world: World, reacted: bool) -> None:
    """Whoever sees it first: `react`, or the Task when the time of the wait is over."""
    world.template("tips")
    wait = {
        "type": "wait_for",
        "arms": [{"name": "Bought", "event": "Order Placed", "next": "mail"}],
        "timeout": "1 day",
    }
    mail = {"type": "send_email", "template": "tips"}
    exits = [{"name": "Has bought", "event": "Order Placed"}]
    world.automation({**CART, "exits": exits, "start": "pause", "components": {"pause": wait, "mail": mail}})
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Cart Left", cart="c1")
    world.run()
    world.now += HOUR
    reported(world, "Order Placed", total=12)
    if reacted:
        world.pump()
    else:
        world.now += DAY
        step(world, 2)
    assert left(world) == "Has bought"
    assert enrolment(world)["path"] == []
    world.pump()
    nothing_more(world)


def test_who_leaves_by_two_events_leaves_once_by_the_first(ada: World) -> None:
    reported(ada, "Order Placed", total=12)
    ada.now += HOUR
    reported(ada, "Order Placed", total=99)
    records = ada.new_records()
    for batch in (records, records[::-1]):
        assert ada.invoke("react", {"Records": batch}) == {"batchItemFailures": []}
    assert enrolment(ada)["left"]["when"]["found"] == 12


# --- versions and merges ---------------------------------------------------------------------------------------------


def test_the_exits_of_the_version_that_somebody_is_inside_of_count(ada: World) -> None:
    ada.automation({name: value for name, value in CART.items() if name != "exits"})
    ada.track("ada", "Order Placed", total=12)
    assert left(ada) == "Has bought"
    ada.now += HOUR
    ada.track("ada", "Cart Left")
    ada.now += HOUR
    ada.track("ada", "Order Placed", total=12)
    states = sorted(one["state"] for one in ada.of_contact(ada.contact(user_id="ada")["contact"], "enrolments"))
    assert states == ["exited", "live"]


def test_what_somebody_did_under_another_contact_lets_out_with_the_merge(ada: World) -> None:
    ada.now += HOUR
    device = {"anonymousId": "device", "event": "Order Placed", "properties": {"total": 12}}
    assert ada.ingest("track", {**device, "messageId": ada.fresh()})[0] == 200
    ada.pump()
    assert left(ada) == ""
    ada.now += HOUR
    assert ada.ingest("identify", {"anonymousId": "device", "userId": "ada", "messageId": ada.fresh()})[0] == 200
    ada.pump()
    found = [one for one in ada.of_contact(who(ada, user_id="ada"), "enrolments") if one["automation"] == "cart"]
    assert [one["state"] for one in found] == ["exited"]


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_an_automation_without_exits_costs_no_read_more(world: World) -> None:
    world.template("tips")
    world.template("more")
    world.automation({name: value for name, value in CART.items() if name != "exits"})
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Cart Left")
    reported(world, "Order Placed", total=12)
    records = world.new_records()
    world.invoke("react", {"Records": records})
    before = len(world.recorder.calls)
    world.invoke("react", {"Records": records})
    names = [call.name for call in world.recorder.calls[before:]]
    assert "dynamodb:Query" not in names


def test_an_event_that_lets_out_costs_a_query_a_write_and_a_stop(ada: World) -> None:
    reported(ada, "Order Placed", total=12)
    records = ada.new_records()
    before = len(ada.recorder.calls)
    ada.invoke("react", {"Records": records})
    names = [call.name for call in ada.recorder.calls[before:]]
    assert names.count("stepfunctions:StopExecution") == 1
    assert names.count("dynamodb:Query") <= 2  # those under way, and what the conditions on events count


def queries(world: World) -> list[str]:
    """Which tables `react` asks about what is new."""
    records = world.new_records()
    before = len(world.recorder.calls)
    assert world.invoke("react", {"Records": records}) == {"batchItemFailures": []}
    calls = world.recorder.calls[before:]
    return [call.arguments["TableName"] for call in calls if call.name == "dynamodb:Query"]


def test_a_change_of_the_contact_is_asked_about_once(ada: World) -> None:
    reported(ada, "Complaint Filed")
    ada.pump()
    assert ada.ingest("identify", {"userId": "ada", "traits": {"plan": "pro"}, "messageId": ada.fresh()})[0] == 200
    # Those under way, and under both identities all that exits ask for since they entered.
    assert queries(ada) == [variables()["TABLE_ENROLMENTS"], *[variables()["TABLE_EVENTS"]] * 2]


@pytest.mark.parametrize("goal", [{}, {"goal": {"event": "Subscribed"}}])
def test_a_step_reads_once_what_exits_and_the_goal_ask_for(world: World, goal: dict[str, Any]) -> None:
    """A query for each of both identities: for the event, and for what is counted since they entered."""
    world.template("tips")
    world.template("more")
    world.automation({**CART, **goal})
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Cart Left", cart="c1")
    world.now += DAY
    step(world)
    world.recorder.clear()
    step(world)
    asked = [call.arguments["TableName"] for call in world.recorder.of("dynamodb:Query")]
    assert (asked, len(world.ses.accepted)) == ([variables()["TABLE_EVENTS"]] * 2, 1)


def test_where_no_exit_is_an_event_what_conditions_count_is_read_only_if_it_decides(world: World) -> None:
    world.template("tips")
    world.template("more")
    both = {"all": [{"trait": "plan", "is": "partner"}, {"did": "Complaint Filed", "since": "enrolment"}]}
    world.automation({**CART, "exits": [{"name": "Left", "when": both}]})
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Cart Left", cart="c1")
    world.now += DAY
    step(world)
    world.recorder.clear()
    step(world)
    assert (world.recorder.of("dynamodb:Query"), len(world.ses.accepted)) == ([], 1)


def test_a_call_that_has_no_name_and_changes_nobody_is_not_asked_about(ada: World) -> None:
    assert ada.ingest("group", {"userId": "ada", "groupId": "g-1", "messageId": ada.fresh()})[0] == 200
    assert queries(ada) == []


def test_an_event_that_no_condition_counts_has_none_asked(ada: World) -> None:
    reported(ada, "Order Placed", total=2)
    assert queries(ada) == [variables()["TABLE_ENROLMENTS"]]
    assert left(ada) == ""
