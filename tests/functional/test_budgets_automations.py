"""The budgets of what automations do beside sending: AWS calls and DynamoDB units, exactly.

How they are counted, and what stands in the table: docs/benchmarks.md.
"""

from __future__ import annotations

import pytest
from benchmarks.operations import OPERATIONS, acting, dates, deciding, jobs, leaving, lifecycle, statistics, waiting
from benchmarks.operations.costs import GROUPS, Cost, Preparation, cost_of
from tests.support.world import World

READ, GET, QUERY = "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"
PUT, UPDATE, DELETE = "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"
TRANSACTION, WRITES, INSERTS = (
    "dynamodb:TransactWriteItems",
    "dynamodb:BatchWriteItem",
    "dynamodb:BatchExecuteStatement",
)
START, STOP, WAKE = "stepfunctions:StartExecution", "stepfunctions:StopExecution", "stepfunctions:SendTaskSuccess"
MADE, DELETED = "stepfunctions:CreateStateMachine", "stepfunctions:DeleteStateMachine"
QUEUE, QUEUED = "sqs:SendMessage", "sqs:SendMessageBatch"
# What every event of somebody costs whom something concerns: the batch, the contact, and that they were seen.
HEARD = {READ: 2, UPDATE: 1}
Row = tuple[Preparation, Cost]


def row(operation: Preparation, calls: dict[str, int], write: float, read: float) -> Row:
    return operation, Cost(calls, write_units=write, read_units=read)


# A step is a batched read and a transaction of nine units: the step twice, the enrolment twice, their count twice, and
# once each of three indexes. What more it costs is what it does.
STEP = {READ: 1, TRANSACTION: 1}
DECIDING = [
    row(deciding.branch_on_three_traits, STEP, 9, 5),
    row(deciding.branch_on_one_event, {**STEP, QUERY: 2}, 9, 7),
    row(deciding.branch_on_three_events, {**STEP, QUERY: 6}, 9, 11),
    row(deciding.branch_on_mails, {**STEP, READ: 2, QUERY: 3}, 9, 10),
    row(deciding.filter_on_traits, STEP, 9, 5),
    row(deciding.split, STEP, 9, 5),
    row(deciding.goal_reached, {READ: 1, QUERY: 1, TRANSACTION: 2}, 15, 6),
]
ACTING = [
    row(acting.update_contact, STEP, 15, 5),
    row(acting.update_nothing, STEP, 9, 5),
    row(acting.start_automation, STEP, 13, 6),
    row(acting.assign_conversation, {**STEP, READ: 2}, 21, 6),
    row(acting.assign_planned, {**STEP, READ: 2}, 13, 6),
    row(acting.webhook_answered, STEP, 9, 5),
    row(acting.webhook_refused, STEP, 9, 5),
    row(acting.renewed, {READ: 1, TRANSACTION: 1, START: 1}, 3, 1),
]
WAITING = [
    row(waiting.wait_begins_first, {READ: 2, QUERY: 2, PUT: 1}, 1, 9),
    row(waiting.wait_begins_for_answer, {READ: 3, QUERY: 3, PUT: 1}, 1, 11),
    row(waiting.wait_begins_late, {READ: 3, QUERY: 3, PUT: 1, TRANSACTION: 1, WAKE: 1}, 12, 11),
    row(waiting.not_waking, {**HEARD, QUERY: 1}, 1, 4),
]
LEAVING = [
    row(leaving.step_with_exits, {**STEP, QUERY: 2}, 9, 7),
    row(leaving.let_out, {**HEARD, QUERY: 3, TRANSACTION: 1, STOP: 1}, 7, 6),
    row(leaving.not_let_out, {**HEARD, QUERY: 1}, 1, 4),
    row(leaving.let_out_nobody, {**HEARD, QUERY: 1}, 1, 4),
    row(leaving.changed, {**HEARD, QUERY: 3}, 1, 6),
    row(leaving.converted, {**HEARD, QUERY: 2, TRANSACTION: 1}, 5, 5),
    row(leaving.converted_again, {**HEARD, QUERY: 1}, 1, 4),
]
DATES = [
    row(dates.date_set_first, {**HEARD, WRITES: 1, START: 1}, 3, 3),
    row(dates.date_set, {**HEARD, WRITES: 1}, 3, 3),
    row(dates.server_event, {READ: 1, UPDATE: 1}, 1, 2),
    row(dates.browser_event, HEARD, 1, 5),
    row(dates.minute_of_one, {GET: 1, QUERY: 2, READ: 1, WRITES: 2, START: 1, INSERTS: 1}, 6, 4),
    row(dates.minute_of_many, {GET: 1, QUERY: 2, READ: 1, WRITES: 16, START: 1, INSERTS: 4}, 600, 106),
    row(dates.date_reached, {READ: 2, TRANSACTION: 1, START: 1}, 8, 2),
]
# 13 of the read units are the places in which the piece of the index may stand that an automation belongs to.
CHANGE = {READ: 2, TRANSACTION: 1}
LIFECYCLE = [
    row(lifecycle.apply_draft, {READ: 2, TRANSACTION: 1}, 4, 5),
    row(lifecycle.publish_first, {**CHANGE, READ: 3, PUT: 1, MADE: 1}, 11, 19),
    row(lifecycle.publish_next, {**CHANGE, READ: 3, PUT: 1, MADE: 1, QUEUE: 1}, 11, 19),
    row(lifecycle.publish_dated, {**CHANGE, READ: 3, PUT: 1, MADE: 1, QUEUE: 1}, 11, 19),
    row(lifecycle.publish_same, {READ: 1}, 0, 2),
    row(lifecycle.preview, {READ: 2, QUERY: 16}, 0, 22),
    row(lifecycle.pause, CHANGE, 8, 14),
    row(lifecycle.pause_all, CHANGE, 8, 14),
    row(lifecycle.resume, CHANGE, 8, 14),
    row(lifecycle.resume_all, {**CHANGE, QUEUE: 1}, 8, 14),
    row(lifecycle.archive, {**CHANGE, QUEUE: 2}, 8, 14),
    row(lifecycle.end, {READ: 1, TRANSACTION: 1, QUEUE: 1}, 2, 1),
    row(lifecycle.show, {READ: 1, QUERY: 2}, 0, 4),
    row(lifecycle.show_all, {QUERY: 1, READ: 1}, 0, 2),
    row(lifecycle.show_lost, {READ: 1, QUERY: 4}, 0, 3),
    row(lifecycle.start, {READ: 1, GET: 1, PUT: 1}, 3, 2),
]
STATISTICS = [
    row(statistics.numbers, {READ: 2, QUERY: 24}, 0, 24),
    row(statistics.numbers_of_version, {READ: 2, QUERY: 24}, 0, 23),
    row(statistics.numbers_of_waits, {READ: 2, QUERY: 24}, 0, 24),
    row(statistics.acted, {READ: 1, QUERY: 5}, 0, 5),
    row(statistics.waiting, {READ: 1, QUERY: 5}, 0, 4),
    row(statistics.enrolled, {READ: 2, QUERY: 4}, 0, 5),
    row(statistics.one, {READ: 3, QUERY: 1}, 0, 4),
]
JOBS = [
    row(jobs.page, {GET: 1, PUT: 1, QUERY: 4, READ: 4, QUEUED: 2, UPDATE: 1, QUEUE: 1}, 2, 15),
    row(jobs.ended, {READ: 1, TRANSACTION: 1, STOP: 1}, 8, 1),
    row(jobs.resumed, {READ: 1, GET: 1, PUT: 1, TRANSACTION: 2, START: 1}, 8, 2),
    row(jobs.sweep_begins, {READ: 1, QUERY: 1, UPDATE: 1, QUEUE: 1}, 1, 2),
    row(jobs.sweep_ends, {QUERY: 5, READ: 1, UPDATE: 1, DELETED: 1, DELETE: 1}, 2, 4),
    row(jobs.armed, {GET: 1, QUERY: 9, READ: 8, WRITES: 8, START: 1, QUEUE: 1}, 100, 57),
]
ROWS = [*DECIDING, *ACTING, *WAITING, *LEAVING, *DATES, *LIFECYCLE, *STATISTICS, *JOBS]
NAMES = {operation.prepare: f"{operation.group}: {operation.name}" for operation in OPERATIONS}


@pytest.mark.parametrize(("operation", "cost"), ROWS, ids=[NAMES[operation] for operation, _ in ROWS])
def test_an_operation_of_automations_costs_what_its_row_says(world: World, operation: Preparation, cost: Cost) -> None:
    assert cost_of(world, operation) == cost


def test_every_group_has_operations_and_no_two_have_the_same_name() -> None:
    assert {operation.group for operation in OPERATIONS} == set(GROUPS)
    names = [(operation.group, operation.name) for operation in OPERATIONS]
    assert len(names) == len(set(names))
