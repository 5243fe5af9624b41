"""The budgets that are counts: AWS calls, DynamoDB units, machine states.

How they are counted, and what stands in the table: docs/benchmarks.md.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Any

import pytest
from benchmarks.operations import acting, api, deciding, entering, feedback, forms, ingest, reacting, texts, waiting
from benchmarks.operations.costs import Cost, Preparation, cost_of
from benchmarks.operations.preparing import at, example, known, must, tell
from benchmarks.operations.reacting import events_of
from benchmarks.samples import COMPANY, PROPERTIES, TRAITS, from_browser, from_python, of_page
from tests.support.machine import Execution
from tests.support.units import item_bytes
from tests.support.world import ROOT, World

READ, GET, QUERY = "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"
PUT, UPDATE, TRANSACTION = "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:TransactWriteItems"
WAKE = "stepfunctions:SendTaskSuccess"
INSERTS, START, MAIL = "dynamodb:BatchExecuteStatement", "stepfunctions:StartExecution", "sesv2:SendEmail"
TEXT = "pinpoint-sms-voice-v2:SendTextMessage"


# --- ingest -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [ingest.track, ingest.identify])
def test_a_call_of_a_server_is_one_call_of_two_write_units_and_no_reads(world: World, operation: Preparation) -> None:
    assert cost_of(world, operation) == Cost({PUT: 1}, write_units=2, read_units=0)


@pytest.mark.parametrize("operation", [ingest.track_from_browser, ingest.identify_from_browser])
def test_a_call_of_a_browser_costs_no_more(world: World, operation: Preparation) -> None:
    assert cost_of(world, operation) == Cost({PUT: 1}, write_units=2, read_units=0)


@pytest.mark.parametrize("origin", ["server", "browser"])
@pytest.mark.parametrize("kind", ["page", "screen", "group", "ungroup", "alias"])
def test_every_other_call_costs_the_same(world: World, kind: str, origin: str) -> None:
    assert cost_of(world, ingest.other_call(kind, origin)) == Cost({PUT: 1}, write_units=2, read_units=0)


def test_the_sdk_s_settings_cost_nothing_while_the_key_is_known(world: World) -> None:
    assert cost_of(world, ingest.settings) == Cost({}, write_units=0, read_units=0)


def test_a_repeated_call_is_one_refused_write(world: World) -> None:
    assert cost_of(world, ingest.track_repeated) == Cost({PUT: 1}, write_units=1, read_units=0)


@pytest.mark.parametrize("message", [
    from_python("track", "u-7", event="Project Created", properties=PROPERTIES),
    from_python("identify", "u-7", traits=TRAITS),
    from_browser("track", "u-7", event="Project Created", properties=PROPERTIES),
    from_browser("identify", "u-7", traits=TRAITS),
    from_browser("track", "", event="Project Created", properties=PROPERTIES),
    of_page(from_browser("page", "u-7", name="New project", category="Projects")),
    from_browser("group", "u-7", groupId="g-1", traits=COMPANY),
    from_browser("alias", "u-7", previousId="u-7"),
])  # fmt: skip
def test_what_sdks_send_is_stored_in_less_than_a_kilobyte(world: World, message: dict[str, Any]) -> None:
    for key in ("write", "publishable"):
        must(world.ingest(message["type"], {**message, "messageId": key + message["messageId"]}, key))
    assert max(map(item_bytes, world.items("TABLE_EVENTS"))) <= 1024


@pytest.mark.parametrize("size", [1, 25, 26, 250])
def test_a_batch_is_one_call_for_every_25_and_no_reads(world: World, size: int) -> None:
    calls = -(-size // 25)
    assert cost_of(world, ingest.batch(size)) == Cost({INSERTS: calls}, write_units=2 * size, read_units=0)


# --- react ------------------------------------------------------------------------------------------------------------


def test_an_event_nobody_listens_to_is_one_batched_read_and_one_write(world: World) -> None:
    cost = cost_of(world, events_of("ada"))
    assert cost == Cost({READ: 1, UPDATE: 1}, write_units=1, read_units=2)


def test_an_event_with_both_ids_is_read_in_the_same_batch(world: World) -> None:
    cost = cost_of(world, events_of("ada", kind=from_browser))
    assert cost == Cost({READ: 1, UPDATE: 1}, write_units=1, read_units=4)


def test_the_events_of_a_contact_share_one_read_and_one_write(world: World) -> None:
    cost = cost_of(world, events_of("ada", each=25))
    assert cost == Cost({READ: 1, UPDATE: 1}, write_units=1, read_units=2)


def test_the_events_of_many_contacts_share_one_read(world: World) -> None:
    cost = cost_of(world, events_of(*reacting.CROWD))
    assert cost == Cost({READ: 1, UPDATE: 25}, write_units=25, read_units=26)


def test_an_identify_of_a_known_contact_is_one_read_more(world: World) -> None:
    assert cost_of(world, reacting.identify_known) == Cost({READ: 2, UPDATE: 1}, write_units=1, read_units=3)


@pytest.mark.parametrize(
    ("operation", "write_units"), [(entering.enrolment, 9), (entering.enrolment_without_properties, 7)]
)
def test_enrolling_is_two_calls_and_one_start_more(world: World, operation: Preparation, write_units: float) -> None:
    """Two of the write units are for what is counted, and two for the indexes that list who is inside."""
    expected = {READ: 2, UPDATE: 1, TRANSACTION: 1, START: 1}
    assert cost_of(world, operation) == Cost(expected, write_units=write_units, read_units=3)


@pytest.mark.parametrize(
    ("operation", "more", "write_units", "read_units"),
    [
        (entering.enrolment_counted, {READ: 3, TRANSACTION: 1, START: 1}, 11, 6),
        (entering.enrolment_counted_per_value, {READ: 3, TRANSACTION: 1, START: 1}, 13, 7),
        (entering.refused_by_condition, {READ: 2, PUT: 1}, 2, 3),
        (entering.refused_by_once, {READ: 3, PUT: 1}, 2, 4),
        (entering.refused_by_count, {READ: 3, PUT: 1}, 2, 6),
        (entering.refused_by_ways, {READ: 4, PUT: 1}, 2, 7),
    ],
)
def test_rules_of_entry_cost_a_read_and_what_is_refused_a_write(
    world: World, operation: Preparation, more: dict[str, int], write_units: float, read_units: float
) -> None:
    cost = cost_of(world, operation)
    assert cost == Cost({UPDATE: 1, **more}, write_units=write_units, read_units=read_units)


def test_an_event_that_wakes_somebody_is_four_calls_more(world: World) -> None:
    """The contact, their waits, the step, and the answer to their machine."""
    cost = cost_of(world, waiting.waking)
    expected = {READ: 2, UPDATE: 1, QUERY: 1, TRANSACTION: 1, WAKE: 1}
    assert cost == Cost(expected, write_units=12, read_units=4)


# --- forms ------------------------------------------------------------------------------------------------------------

GET = "dynamodb:GetItem"

FORMS = [
    (forms.form_nobody, Cost({}, write_units=0, read_units=0)),
    (forms.form_new, Cost({QUERY: 1, TRANSACTION: 1}, write_units=12, read_units=1)),
    (forms.form_new_both, Cost({QUERY: 2, TRANSACTION: 1}, write_units=14, read_units=2)),
    (forms.form_visitor, Cost({QUERY: 1, GET: 1, TRANSACTION: 1}, write_units=14, read_units=2)),
    (forms.form_known, Cost({QUERY: 1, READ: 1, TRANSACTION: 1}, write_units=5, read_units=2)),
    (forms.form_known_both, Cost({QUERY: 2, READ: 1, TRANSACTION: 1}, write_units=5, read_units=3)),
    (forms.form_conflict, Cost({QUERY: 2, READ: 1, TRANSACTION: 1}, write_units=7, read_units=4)),
    (forms.form_repeated, Cost({QUERY: 1, READ: 1, TRANSACTION: 1}, write_units=4, read_units=2)),
]


@pytest.mark.parametrize(("operation", "cost"), FORMS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_form_is_a_query_for_each_address_and_one_write(world: World, operation: Preparation, cost: Cost) -> None:
    assert cost_of(world, operation) == cost


def test_what_follows_a_visit_is_one_write_more(world: World) -> None:
    cost = cost_of(world, reacting.follower)
    assert cost == Cost({READ: 1, UPDATE: 2}, write_units=4, read_units=2)


def test_a_visit_is_a_read_and_a_write_more_and_a_query_for_each_identity(world: World) -> None:
    cost = cost_of(world, reacting.visit)
    assert cost.calls == {READ: 2, UPDATE: 2, QUERY: 2}
    assert (cost.write_units, cost.read_units) == (3, 6)


# --- machines ---------------------------------------------------------------------------------------------------------


def test_a_branch_on_traits_is_one_batched_read_and_one_write(world: World) -> None:
    """Two of the write units are for what is counted, and three for indexes that list steps and who stands where."""
    assert cost_of(world, deciding.branch_on_traits) == Cost({READ: 1, TRANSACTION: 1}, write_units=9, read_units=5)


def test_a_branch_on_events_is_one_query_more_for_each_identity(world: World) -> None:
    cost = cost_of(world, deciding.branch_on_events)
    assert cost == Cost({READ: 1, QUERY: 2, TRANSACTION: 1}, write_units=9, read_units=7)


def test_beginning_to_wait_is_one_write_and_a_query_for_each_identity(world: World) -> None:
    """Beside what stands around the step, the steps before are read, when the message before went, and who it is."""
    cost = cost_of(world, waiting.wait_begins)
    assert cost == Cost({READ: 3, QUERY: 3, PUT: 1}, write_units=1, read_units=11)


def test_waiting_in_vain_costs_nothing_while_it_lasts_and_a_step_when_it_is_over(world: World) -> None:
    cost = cost_of(world, waiting.wait_ends)
    assert cost == Cost({READ: 1, QUERY: 2, TRANSACTION: 1}, write_units=11, read_units=8)


def test_checking_suppression_in_a_machine_is_one_read_more(world: World) -> None:
    cost = cost_of(world, acting.check_task)
    assert cost == Cost({READ: 1, GET: 1, TRANSACTION: 1}, write_units=9, read_units=6)


def test_checking_suppression_by_api_is_one_read(world: World) -> None:
    assert cost_of(world, api.check_api) == Cost({GET: 1}, write_units=0, read_units=1)


def test_editing_a_contact_is_one_read_and_one_write(world: World) -> None:
    cost = cost_of(world, api.edit_api)
    assert cost == Cost({GET: 1, TRANSACTION: 1}, write_units=6, read_units=1)


def test_parking_somebody_is_one_read_and_one_write(world: World) -> None:
    """Two of the write units are for what is counted."""
    cost = cost_of(world, acting.parked)
    assert (cost.calls, cost.write_units) == ({READ: 1, TRANSACTION: 1}, 5)


@pytest.mark.parametrize("operation", [acting.send_sent, acting.send_last])
def test_a_mail_sent_is_two_reads_and_two_writes_beside_ses(world: World, operation: Preparation) -> None:
    cost = cost_of(world, operation)
    assert cost.calls == {READ: 1, GET: 1, TRANSACTION: 2, MAIL: 1}
    assert cost.write_units == 22  # two for what reports count, one for the index by what ordered it, nine for the step
    assert cost.read_units <= 10  # three of them for the template, which is as long as it is


def test_a_mail_skipped_is_two_reads_and_one_write(world: World) -> None:
    cost = cost_of(world, acting.send_skipped)
    assert cost.calls == {READ: 1, GET: 1, TRANSACTION: 1}
    assert cost.write_units == 18  # nine for the step; one of them for the index by what led to the event that says so


def test_a_mail_by_api_is_three_reads_and_three_writes_beside_ses(world: World) -> None:
    cost = cost_of(world, api.send_api)  # the third write binds the idempotency key
    assert cost == Cost({GET: 2, READ: 1, UPDATE: 1, TRANSACTION: 2, MAIL: 1}, write_units=12, read_units=7)


@pytest.mark.parametrize("operation", [acting.send_sent, acting.send_last])
def test_the_message_of_a_usual_mail_is_less_than_a_kilobyte(world: World, operation: Preparation) -> None:
    cost_of(world, operation)
    assert max(map(item_bytes, world.items("TABLE_MESSAGES"))) <= 1000


@pytest.mark.parametrize("operation", [deciding.branch_repeated, acting.send_repeated])
def test_a_repeated_task_is_one_read(world: World, operation: Preparation) -> None:
    cost = cost_of(world, operation)
    assert cost.calls == {READ: 1}
    assert cost.write_units == 0


def test_a_new_process_reads_an_automation_s_version_once(world: World) -> None:
    assert cost_of(world, acting.send_cold).calls == {READ: 2, GET: 1, TRANSACTION: 2, MAIL: 1}


# --- feedback ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "write_units"), [("Delivery", 8), ("DeliveryDelay", 8), ("Reject", 10)])
def test_what_moves_a_mail_is_half_a_read_and_one_write(world: World, kind: str, write_units: int) -> None:
    # Message, report and timeline change together; the reason of a rejection makes its message longer.
    cost = cost_of(world, feedback.feedback(kind))
    assert cost == Cost({GET: 1, TRANSACTION: 1}, write_units=write_units, read_units=0.5)


def test_news_that_the_answer_told_already_is_half_a_read_and_an_event(world: World) -> None:
    assert cost_of(world, feedback.feedback("Send")) == Cost({GET: 1, PUT: 1}, write_units=3, read_units=0.5)


def test_an_open_is_a_read_of_the_message_and_of_the_workspace_and_one_write(world: World) -> None:
    assert cost_of(world, feedback.feedback("Open")) == Cost({GET: 2, TRANSACTION: 1}, write_units=8, read_units=1)


def test_a_click_is_noted_first_and_judged_later(world: World) -> None:
    cost = cost_of(world, feedback.feedback("Click"))
    assert cost == Cost({GET: 2, UPDATE: 1, "sqs:SendMessage": 1}, write_units=2, read_units=1)


# --- text messages ----------------------------------------------------------------------------------------------------


def test_a_text_by_api_takes_the_calls_of_a_mail(world: World) -> None:
    # More is written than for a mail: what finds the message by the provider's id, and `SMS Sent` on the timeline.
    cost = cost_of(world, texts.send_text)
    assert cost == Cost({GET: 2, READ: 1, UPDATE: 1, TRANSACTION: 2, TEXT: 1}, write_units=18, read_units=5)


def test_what_became_of_a_text_is_half_a_read_and_one_write(world: World) -> None:
    assert cost_of(world, texts.text_delivered) == Cost({GET: 1, TRANSACTION: 1}, write_units=8, read_units=0.5)


def test_a_text_that_comes_in_is_two_reads_and_one_write(world: World) -> None:
    assert cost_of(world, texts.text_in) == Cost({QUERY: 1, READ: 1, TRANSACTION: 1}, write_units=15, read_units=6)


def test_a_text_that_comes_in_again_writes_nothing(world: World) -> None:
    assert cost_of(world, texts.text_in_again) == Cost({QUERY: 1, READ: 1}, write_units=0, read_units=6)


# --- states of machines -----------------------------------------------------------------------------------------------


def walk(world: World, automation: str, deeds: list[str], **traits: Any) -> Execution:
    """Somebody's way through an example automation, during which they do these things."""
    for path in sorted((ROOT / "examples" / "templates").glob("*.yaml")):
        world.template(path.stem, **example(f"templates/{path.stem}"))
    definition = example(f"automations/{automation}")
    world.automation(definition)
    known(world, "ada", **traits)
    tell(world, from_python("track", "ada", event=definition["trigger"]["event"], properties={"plan": "starter"}))
    world.now += timedelta(hours=1)
    for number, deed in enumerate(deeds, 1):
        tell(world, from_python("track", "ada", number, event=deed))
    world.run(timedelta(days=60))
    (execution,) = world.executions.values()
    assert execution.is_over
    return execution


def entered(execution: Execution) -> list[tuple[str, str]]:
    """The states that were entered: component and type."""
    states = execution.definition["States"]
    return [(name.removesuffix("-route"), states[name]["Type"]) for name in execution.states]


def test_both_arms_of_the_welcome_automation_enter_the_fewest_states(world: World) -> None:
    assert entered(walk(world, "welcome", ["Project Created"])) == [
        ("first_day", "Wait"),
        ("has_begun", "Task"),
        ("has_begun", "Choice"),
        ("tips", "Task"),
    ]


TRIAL = {"trial_ends": "2026-12-05T09:00:00Z", "plan": None}

WALKS = [
    ("welcome", ["Project Created"], {}),
    ("welcome", [], {}),
    ("trial-ending", ["Subscription Started"], TRIAL),
    ("trial-ending", ["Project Created", "Report Shared", "Report Shared"], TRIAL),
    ("trial-ending", [], TRIAL),
]


@pytest.mark.parametrize(("automation", "deeds", "traits"), WALKS)
def test_a_component_that_acts_is_a_task_and_at_most_a_choice_and_a_wait_is_one_state(
    world: World, automation: str, deeds: list[str], traits: dict[str, Any]
) -> None:
    way = entered(walk(world, automation, deeds, **traits))
    for component, states in groupby(way, key=lambda state: state[0]):
        kinds = [kind for _, kind in states]
        # Only a Choice cannot end a machine: where it leads to the end, that is a state of its own. And whose
        # automation may outlast an execution begins with the question where they are.
        others = (("Begin", ["Choice"]), ("Ended", ["Succeed"]))
        assert kinds in (["Wait"], ["Task"], ["Task", "Choice"]) or (component, kinds) in others
    assert (("Begin", "Choice") in way) == (way[0] == ("Begin", "Choice")) == (automation == "trial-ending")
    assert ("Ended", "Succeed") not in way[:-1]
    assert all(way[number - 1][1] == "Choice" for number, state in enumerate(way) if state[0] == "Ended")


def choices(execution: Execution) -> list[str]:
    return sorted(name for name, state in execution.definition["States"].items() if state["Type"] == "Choice")


def test_a_choice_stands_only_where_outcomes_lead_apart(world: World) -> None:
    assert choices(walk(world, "welcome", [])) == ["has_begun-route"]


def test_who_may_outlast_an_execution_has_a_choice_wherever_they_may_have_to_rest(world: World) -> None:
    """A trial may end in two years: behind each mail that something follows they go on, or rest for a new execution."""
    mails = ["help-route", "reminder-route"]
    assert choices(walk(world, "trial-ending", [], **TRIAL)) == [
        "Begin",
        *mails,
        "still_here-route",
        "what_to_say-route",
    ]


def test_a_task_that_is_repeated_takes_no_second_step(world: World) -> None:
    step = at(world, "tips")
    assert step() == step()
    assert len(world.ses.to("ada@people.example")) == 1
