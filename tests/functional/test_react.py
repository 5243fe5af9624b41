"""What events set off: enrolments, once each, whatever the stream repeats, and nothing that one record can block."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from tests.support.examples import few
from tests.support.recorder import Call
from tests.support.world import World

MAIL = {"type": "send_email", "template": "tips"}


def definition(**fields: Any) -> dict[str, Any]:
    return {
        "automation": "welcome",
        "trigger": {"event": "Signed Up"},
        "start": "pause",
        "components": {"pause": {"type": "wait", "for": "1 day", "next": "tips"}, "tips": MAIL},
        **fields,
    }


@pytest.fixture
def acme(world: World) -> World:
    """A workspace with an automation that waits a day and sends a mail."""
    world.template("tips")
    world.automation(definition())
    return world


def say(world: World, event: str, kind: str = "track", **fields: Any) -> None:
    """Somebody makes a call a second later; react does not see it yet."""
    world.now += timedelta(seconds=1)
    named = {"event": event} if event else {}
    status, answer = world.ingest(kind, {"messageId": world.fresh(), **named, **fields})
    assert status == 200, answer


def react(world: World, records: list[dict[str, Any]]) -> list[str]:
    """React to a batch; the sequence numbers that it asks to repeat from."""
    return [one["itemIdentifier"] for one in world.invoke("react", {"Records": records})["batchItemFailures"]]


def sequence(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def enrolments(world: World, **query: str) -> list[dict[str, Any]]:
    return world.of_contact(world.contact(**query)["contact"], "enrolments")


def failing(world: World, name: str, code: str, times: int = 1) -> None:
    """Make the next calls of a name fail."""
    left = [code] * times

    def before(call: Call) -> None:
        if call.name == name and left:
            raise ClientError({"Error": {"Code": left.pop(), "Message": code}}, call.operation)

    world.recorder.before = before


# --- enrolling -------------------------------------------------------------------------------------------------------


def test_the_trigger_event_enrols_and_starts_an_execution_that_knows_no_names(acme: World) -> None:
    acme.identify("ada", email="ada@people.example", firstName="Ada")
    acme.track("ada", "Signed Up", plan="team")
    (enrolment,) = enrolments(acme, user_id="ada")
    assert enrolment["state"] == "live"
    assert enrolment["cause"]["event"] == "Signed Up"
    assert enrolment["until"] == {"pause": "2026-11-22T09:00:00.000000Z"}
    ((_, given),) = acme.started.items()
    assert json.loads(given) == {
        "workspace": "acme",
        "contact": acme.contact(user_id="ada")["contact"],
        "automation": "welcome",
        "version": 1,
        "entry": enrolment["entry"],
        "at": {"n": 0, "next": "pause", "until": enrolment["until"]},
    }


def test_every_trigger_event_enrols_again(acme: World) -> None:
    for _ in range(2):
        acme.now += timedelta(seconds=1)
        acme.track("ada", "Signed Up")
    assert len(enrolments(acme, user_id="ada")) == len(acme.executions) == 2


def test_reentry_once_enrols_a_person_once(acme: World) -> None:
    acme.automation(definition(reentry="once"))
    for user in ("ada", "ada", "bob"):
        acme.now += timedelta(seconds=1)
        acme.track(user, "Signed Up")
    assert len(enrolments(acme, user_id="ada")) == len(enrolments(acme, user_id="bob")) == 1
    assert len(acme.executions) == 2


def test_reentry_once_holds_for_whoever_a_person_was_before(acme: World) -> None:
    acme.automation(definition(reentry="once"))
    acme.identify("ada")
    for event, ids in (
        ("Signed Up", {"anonymousId": "a-9"}),
        ("Signed In", {"userId": "ada", "anonymousId": "a-9"}),
        ("Signed Up", {"userId": "ada"}),
    ):
        say(acme, event, **ids)
        acme.pump()
    assert len(enrolments(acme, user_id="ada")) == len(acme.executions) == 1


WHERE: list[tuple[Any, dict[str, Any], dict[str, Any], bool]] = [
    ({"property": "plan", "is": "team"}, {}, {"plan": "team"}, True),
    ({"property": "plan", "is": "team"}, {}, {"plan": "solo"}, False),
    ({"property": "plan", "is": "team"}, {}, {}, False),
    ({"property": "price.amount", "at_least": 10}, {}, {"price": {"amount": 12}}, True),
    ({"trait": "country", "in": ["PL", "DE"]}, {"country": "PL"}, {}, True),
    ({"trait": "country", "in": ["PL", "DE"]}, {"country": "FR"}, {}, False),
    ({"all": [{"trait": "age", "at_least": 18}, {"property": "a", "exists": True}]}, {"age": 18}, {"a": 1}, True),
    ({"trait": "age", "greater_than": 17}, {"age": "eighteen"}, {}, False),
    ({"trait": "age", "greater_than": 17}, {"age": [18]}, {}, False),
    ({"none": [{"trait": "country", "is": "PL"}]}, {}, {}, True),
]


def test_where_decides_by_the_events_properties_and_the_contacts_traits(acme: World) -> None:
    for number, (where, traits, properties, enrols) in enumerate(WHERE):
        trigger = {"event": f"Event {number}", "where": where}
        acme.automation(definition(automation=f"where-{number}", trigger=trigger))
        acme.identify(f"user-{number}", **traits)
        acme.track(f"user-{number}", f"Event {number}", **properties)
        assert len(enrolments(acme, user_id=f"user-{number}")) == enrols, where
    assert acme.messages_in("aside") == []


def test_a_trait_that_was_set_before_in_the_same_batch_counts_and_one_set_after_does_not(acme: World) -> None:
    acme.automation(definition(trigger={"event": "Signed Up", "where": {"trait": "plan", "is": "team"}}))
    say(acme, "Signed Up", userId="before")
    for user in ("before", "after"):
        say(acme, "", "identify", userId=user, traits={"plan": "team"})
    say(acme, "Signed Up", userId="after")
    assert react(acme, acme.new_records()) == []
    assert len(enrolments(acme, user_id="before")) == 0
    assert len(enrolments(acme, user_id="after")) == 1


def test_one_event_enrols_in_every_automation_that_listens_to_it(acme: World) -> None:
    acme.automation(definition(automation="tour"))
    acme.automation(definition(automation="other", trigger={"event": "Paid"}))
    acme.track("ada", "Signed Up")
    assert sorted(one["automation"] for one in enrolments(acme, user_id="ada")) == ["tour", "welcome"]


def test_only_the_live_version_enrols_and_whoever_is_inside_stays_in_theirs(acme: World) -> None:
    acme.track("ada", "Signed Up")
    acme.automation(definition(trigger={"event": "Joined"}))
    acme.track("bob", "Signed Up")
    acme.track("bob", "Joined")
    assert [one["version"] for one in enrolments(acme, user_id="ada")] == [1]
    assert [one["version"] for one in enrolments(acme, user_id="bob")] == [2]


def test_a_draft_enrols_nobody(acme: World) -> None:
    path = {"name": "welcome"}
    draft = definition(trigger={"event": "Joined"})
    assert acme.call("automations", "PUT /v1/automations/{name}", draft, path=path)[0] == 200
    acme.track("ada", "Joined")
    assert enrolments(acme, user_id="ada") == []


def test_a_listener_that_is_published_later_is_seen_at_the_next_batch_by_a_warm_process(world: World) -> None:
    world.template("tips")
    world.track("ada", "Signed Up")
    world.automation(definition())
    world.track("bob", "Signed Up")
    world.automation(definition(automation="tour"))
    world.track("cyd", "Signed Up")
    assert [len(enrolments(world, user_id=user)) for user in ("ada", "bob", "cyd")] == [0, 1, 2]


def test_the_automations_of_another_workspace_do_not_listen(acme: World) -> None:
    acme.ingest("track", {"userId": "eve", "event": "Signed Up"}, acme.other_secret)
    acme.pump()
    assert acme.executions == {}


def test_events_of_ours_start_automations_too(acme: World) -> None:
    acme.automation(definition(automation="sorry", trigger={"event": "Address Suppressed"}))
    acme.identify("ada", email="ada@people.example")
    path = {"channel": "email", "address": "ada@people.example"}
    acme.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)
    acme.pump()
    assert [one["automation"] for one in enrolments(acme, user_id="ada")] == ["sorry"]


def test_an_event_that_nobody_listens_to_costs_one_read_and_one_write(acme: World) -> None:
    acme.track("ada", "Signed Up")
    for number in range(5):
        say(acme, f"Viewed {number}", userId="ada")
    records = acme.new_records()
    acme.recorder.clear()
    react(acme, records)
    assert acme.recorder.names() == ["dynamodb:BatchGetItem", "dynamodb:UpdateItem"]


# --- repeated --------------------------------------------------------------------------------------------------------


def test_the_same_record_delivered_three_times_enrols_once(acme: World) -> None:
    say(acme, "Signed Up", userId="ada")
    records = acme.new_records()
    for _ in range(3):
        assert react(acme, records) == []
        acme.cold("react")
    assert len(enrolments(acme, user_id="ada")) == len(acme.executions) == 1


def test_a_record_that_is_repeated_when_the_enrolment_is_over_changes_nothing(acme: World) -> None:
    acme.identify("ada", email="ada@people.example")
    say(acme, "Signed Up", userId="ada")
    records = acme.new_records()
    react(acme, records)
    acme.run(timedelta(days=2))
    assert react(acme, records) == []
    assert len(acme.ses.accepted) == len(enrolments(acme, user_id="ada")) == len(acme.executions) == 1


def test_a_record_that_is_repeated_after_its_contact_was_absorbed_enrols_once(acme: World) -> None:
    acme.identify("ada", email="ada@people.example")
    say(acme, "Signed Up", anonymousId="a-9")
    signed_up = acme.new_records()
    react(acme, signed_up)
    say(acme, "Signed In", userId="ada", anonymousId="a-9")
    acme.pump()
    assert react(acme, signed_up) == []
    acme.run(timedelta(days=2))
    assert len(enrolments(acme, user_id="ada")) == len(acme.executions) == len(acme.ses.accepted) == 1


@pytest.mark.parametrize("together", [True, False])
def test_a_message_stamped_with_the_user_id_when_it_was_sent_again_starts_one_enrolment(
    acme: World, together: bool
) -> None:
    for ids in ({"anonymousId": "a-9"}, {"userId": "ada", "anonymousId": "a-9"}):
        acme.ingest("track", {"messageId": "m-same", "event": "Signed Up", **ids})
        if not together:
            acme.pump()
    acme.pump()
    assert len(acme.executions) == 1
    assert acme.contact(user_id="ada") == acme.contact(anonymous_id="a-9")
    assert len(enrolments(acme, user_id="ada")) == 1


def test_whoever_is_enrolled_when_a_new_version_is_published_is_not_enrolled_again_by_a_repeat(acme: World) -> None:
    say(acme, "Signed Up", userId="ada")
    records = acme.new_records()
    react(acme, records)
    acme.automation(definition(description="second version"))
    assert react(acme, records) == []
    assert [one["version"] for one in enrolments(acme, user_id="ada")] == [1]
    assert len(acme.executions) == 1


def test_two_processes_that_react_to_the_same_record_at_once_enrol_once(acme: World) -> None:
    say(acme, "Signed Up", userId="ada", properties={"plan": "team"})
    records = acme.new_records()

    def before(call: Call) -> None:
        if call.name == "stepfunctions:StartExecution":
            acme.recorder.before = None
            mine = acme._modules.pop("react")
            assert react(acme, records) == []
            acme._modules["react"] = mine

    acme.recorder.before = before
    assert react(acme, records) == []
    assert len(enrolments(acme, user_id="ada")) == len(acme.executions) == 1


happened = st.tuples(
    st.sampled_from([("u", ""), ("u", "a"), ("u", "b"), ("", "a"), ("", "b"), ("v", "a")]),
    st.sampled_from(["Signed Up", "Viewed"]),
)


@few(12)
@given(data=st.data(), history=st.lists(happened, min_size=1, max_size=5))
def test_each_trigger_event_enrols_once_whatever_is_merged_repeated_or_reordered(
    acme: World, data: st.DataObject, history: list[tuple[tuple[str, str], str]]
) -> None:
    acme.new_records()  # what merges of the example before told
    name, before = acme.fresh(), len(acme.executions)
    for (user, anonymous), event in history:
        ids = {
            "userId": f"{name}-{user}" if user else None,
            "anonymousId": f"{name}-{anonymous}" if anonymous else None,
        }
        say(acme, event, **ids)
    order = data.draw(st.permutations(acme.new_records()))
    while order:
        size = data.draw(st.integers(1, len(order)))
        for _ in range(data.draw(st.integers(1, 2))):
            assert react(acme, order[:size]) == []
        again = data.draw(st.booleans())
        order = order[size - 1 if again and size > 1 else size :]
    assert len(acme.executions) - before == sum(event == "Signed Up" for _, event in history)


# --- what fails ------------------------------------------------------------------------------------------------------


def unknown_records(world: World) -> list[dict[str, Any]]:
    """Records that no code of ours wrote, or that break whoever reads them."""
    say(world, "Signed Up", userId="broken")
    (record,) = world.new_records()
    image = record["dynamodb"]["NewImage"]
    changed: list[dict[str, Any]] = [
        {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1"}},
        world.record({"pk": {"S": "acme#user#x"}}),
        world.record({**image, "pk": {"S": "acme#planet#mars"}}),
        world.record({**image, "pk": {"N": "7"}}),
        world.record({**image, "received_at": {"S": "soon"}}),
        world.record({**image, "body": {"S": "no JSON"}}),
        world.record({**image, "body": {"S": "[]"}}),
        world.record({**image, "body": {"S": "[" * 50_000}}),
        world.record({**image, "pk": {"S": "acme#contact#cnobody"}}),
    ]
    return changed


def test_a_record_that_cannot_be_served_is_set_aside_whole_and_those_around_it_are_served(acme: World) -> None:
    for number, broken in enumerate(unknown_records(acme)):
        say(acme, "Signed Up", userId=f"before-{number}")
        say(acme, "Signed Up", userId=f"after-{number}")
        one, other = acme.new_records()
        assert react(acme, [one, broken, other]) == [], broken
        assert acme.messages_in("aside") == [broken]
        for user in (f"before-{number}", f"after-{number}"):
            assert len(enrolments(acme, user_id=user)) == 1


@pytest.mark.parametrize("at_once", [True, False])
def test_a_contact_that_has_no_more_room_is_told_so_and_blocks_nobody(acme: World, at_once: bool) -> None:
    for letter in "abcdefgh":  # each within the limits of a message, all together over those of a contact
        say(acme, "", "identify", userId="hoarder", traits={letter: "x" * 31_000, "last": letter})
    say(acme, "Signed Up", userId="ada")
    records = acme.new_records()
    for batch in [records] if at_once else [[record] for record in records]:
        assert react(acme, batch) == []
    hoarder = acme.contact(user_id="hoarder")
    assert set(hoarder["traits"]) == {"a", "b", "c", "d", "last"}
    assert hoarder["traits"]["last"] == "h"
    told = [one for one in acme.of_contact(hoarder["contact"], "events") if one["event"] == "Change Refused"]
    assert {one["properties"]["field"]: one["properties"]["code"] for one in told} == {
        f"traits.{letter}": "traits_too_large" for letter in "efgh"
    }
    assert len(enrolments(acme, user_id="ada")) == 1


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("dynamodb:TransactWriteItems", "ThrottlingException"),
        ("dynamodb:TransactWriteItems", "InternalServerError"),
        ("dynamodb:TransactWriteItems", "TransactionInProgressException"),
        ("stepfunctions:StartExecution", "InternalFailure"),
    ],
)
def test_what_aws_could_not_do_now_is_repeated_from_there_and_then_done_once(acme: World, name: str, code: str) -> None:
    say(acme, "Viewed", userId="calm")
    acme.pump()
    say(acme, "Viewed", userId="calm")
    say(acme, "Signed Up", userId="ada")
    _, ada = records = acme.new_records()
    failing(acme, name, code)
    assert react(acme, records) == [sequence(ada)]
    assert react(acme, [ada]) == []
    assert len(enrolments(acme, user_id="ada")) == len(acme.executions) == 1
    assert acme.messages_in("aside") == []


@pytest.mark.parametrize("number", [0, 1])
def test_a_batch_that_could_not_be_read_is_repeated_as_a_whole(acme: World, number: int) -> None:
    say(acme, "Signed In", userId="ada")
    acme.pump()
    say(acme, "Signed Up", userId="ada")
    records = acme.new_records()
    seen: list[str] = []

    def before(call: Call) -> None:
        if call.operation == "BatchGetItem":
            seen.append(call.name)
            if len(seen) == number + 1:
                raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "x"}}, call.operation)

    acme.recorder.before = before
    with pytest.raises(Exception, match="throttled"):
        acme.invoke("react", {"Records": records})
    assert react(acme, records) == []
    assert len(acme.executions) == 1


def test_a_record_that_cannot_even_be_set_aside_is_repeated(acme: World) -> None:
    failing(acme, "sqs:SendMessage", "InternalError")
    broken = acme.record({"pk": {"S": "acme#user#x"}})
    with pytest.raises(Exception, match="queue"):
        acme.invoke("react", {"Records": [broken]})
    assert react(acme, [broken]) == []
    assert acme.messages_in("aside") == [broken]


# --- starting executions ---------------------------------------------------------------------------------------------


def queued(world: World) -> dict[str, Any]:
    """The starts queue's messages, as Lambda gives them to start_enrolments."""
    bodies = [json.dumps(body) for body in world.messages_in("starts")]
    return {"Records": [{"messageId": f"q-{number}", "body": body} for number, body in enumerate(bodies)]}


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException", "ExecutionLimitExceeded"])
def test_a_start_that_is_throttled_waits_in_a_queue_and_happens_once(acme: World, code: str) -> None:
    acme.start_failures = [code]
    acme.track("ada", "Signed Up")
    assert acme.executions == {}
    assert [one["state"] for one in enrolments(acme, user_id="ada")] == ["live"]
    waiting = queued(acme)
    assert len(waiting["Records"]) == 1
    acme.start_failures = [code]
    assert acme.invoke("start_enrolments", waiting) == {"batchItemFailures": [{"itemIdentifier": "q-0"}]}
    for _ in range(2):
        assert acme.invoke("start_enrolments", waiting) == {"batchItemFailures": []}
    assert len(acme.executions) == 1


def test_a_queued_start_names_ids_only(acme: World) -> None:
    acme.identify("ada", email="ada@people.example")
    acme.start_failures = ["ThrottlingException"]
    acme.track("ada", "Signed Up", card="4111")
    (body,) = acme.messages_in("starts")
    assert sorted(body) == ["automation", "contact", "entry", "workspace"]


def test_a_start_that_is_waiting_when_the_stream_repeats_the_record_happens_once(acme: World) -> None:
    say(acme, "Signed Up", userId="ada")
    records = acme.new_records()
    acme.start_failures = ["ThrottlingException"]
    react(acme, records)
    react(acme, records)
    assert acme.invoke("start_enrolments", queued(acme)) == {"batchItemFailures": []}
    assert len(acme.executions) == 1


def test_a_start_that_was_done_before_is_not_done_again_even_when_the_execution_is_over(acme: World) -> None:
    acme.identify("ada", email="ada@people.example")
    acme.track("ada", "Signed Up")
    (execution,) = acme.executions.values()
    (enrolment,) = enrolments(acme, user_id="ada")
    body = {name: enrolment[name] for name in ("contact", "automation", "entry")} | {"workspace": "acme"}
    waiting = {"Records": [{"messageId": "q-0", "body": json.dumps(body)}]}
    acme.run(timedelta(days=2))
    assert execution.is_over
    assert acme.invoke("start_enrolments", waiting) == {"batchItemFailures": []}
    assert len(acme.executions) == len(acme.ses.accepted) == 1


def test_queued_starts_that_nobody_understands_go_back_alone(acme: World) -> None:
    acme.start_failures = ["ThrottlingException"]
    acme.track("ada", "Signed Up")
    waiting = queued(acme)
    poison = ["no JSON", "{}", "[]", "null", '"x"', '{"workspace": "acme"}']
    waiting["Records"] = [{"messageId": body, "body": body} for body in poison] + waiting["Records"]
    answer = acme.invoke("start_enrolments", waiting)
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == poison
    assert len(acme.executions) == 1


def test_a_queued_start_of_an_enrolment_that_is_gone_or_over_is_let_be(acme: World) -> None:
    body = {"workspace": "acme", "contact": "cnobody", "automation": "welcome", "entry": "e"}
    waiting = {"Records": [{"messageId": "q-0", "body": json.dumps(body)}]}
    assert acme.invoke("start_enrolments", waiting) == {"batchItemFailures": []}
    assert acme.executions == {}
