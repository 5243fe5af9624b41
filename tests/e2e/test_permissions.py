"""Least privilege, seen at work: every call that a function makes is granted by the template, and every grant is used.

The engine lets everything pass, so the launcher's recorder says what was called. A tour makes each function do all that
it can; what no local engine can bring about stands in a list, with where it is shown instead.
"""

from __future__ import annotations

import uuid

import pytest
from tests.e2e import (
    round_dates,
    round_lifecycle,
    round_mail,
    round_people,
    round_sms,
    round_starts,
    round_waits,
    round_webhooks,
)
from tests.e2e.local_system import LocalSystem
from tests.support.template import names_of, not_granted, not_used

NOT_HERE = {
    ("ReactFunction", "sqs:SendMessage", "StartsQueue"): "the engine never throttles: tests/functional on react",
    ("AgendaFunction", "sqs:SendMessage", "StartsQueue"): "the engine never throttles: tests/functional on dates",
    ("RunJobsFunction", "sqs:SendMessage", "StartsQueue"): "the engine never throttles: tests/functional on dates",
    ("AgendaFunction", "dynamodb:GetItem", "Contacts"): "of those who were merged: tests/functional on dates",
    ("AgendaFunction", "dynamodb:BatchGetItem", "Events"): "of those who were merged: tests/functional on dates",
    ("ReactFunction", "dynamodb:GetItem", "Identities"): "who lost a race looks again: tests/functional",
    ("ErasuresFunction", "dynamodb:BatchGetItem", "Enrolments"): "who lost a race looks again: tests/functional",
    ("SesWebhookFunction", "sqs:SendMessage", "FeedbackQueue"): "SNS alone can sign what it takes: tests/functional",
    **{
        ("ErasuresFunction", f"dynamodb:{action}", "Identities"): "takes 90 devices: tests/functional on privacy"
        for action in ("BatchWriteItem", "DeleteItem")
    },
}


@pytest.fixture(scope="module")
def toured(local: LocalSystem) -> LocalSystem:
    """Everything that can be brought about was."""
    round_mail.walk(local)
    round_people.walk(local)
    round_waits.walk(local)
    round_dates.walk(local)
    round_webhooks.walk(local)
    round_sms.walk(local)
    round_starts.walk(local)
    round_lifecycle.walk(local)
    return local


def test_every_call_is_granted(toured: LocalSystem) -> None:
    assert not_granted(toured.recorded(), names=names_of(toured.outputs)) == []


def test_every_grant_is_used(toured: LocalSystem) -> None:
    unused = not_used(toured.recorded(), names=names_of(toured.outputs))
    expected = [place for place in unused if any(_is(place, known) for known in NOT_HERE)]
    assert [place for place in unused if place not in expected] == []


def _is(place: tuple[str, str, str], known: tuple[str, str, str]) -> bool:
    return place[:2] == known[:2] and known[2] in place[2]


def test_a_table_takes_batches_of_inserts_and_tells_new_from_known(local: LocalSystem) -> None:
    """The engine's own PartiQL, past the launcher's translation: the statement that `batch` sends is right."""
    client, table = local.client("dynamodb"), local.outputs["TableEvents"]
    statement = {
        "Statement": f"INSERT INTO \"{table}\" VALUE {{'pk': ?, 'sk': ?, 'received_at': ?, 'type': ?, 'body': ?}}",
        "Parameters": [{"S": "elsewhere#user#x"}, {"S": str(uuid.uuid4())}, {"S": "2026"}, {"S": "t"}, {"S": "{}"}],
    }
    answers = [client.batch_execute_statement(Statements=[statement])["Responses"][0] for _ in range(2)]
    assert "Error" not in answers[0]
    assert answers[1]["Error"]["Code"] == "DuplicateItem"
