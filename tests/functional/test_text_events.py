"""What became of text messages: every event of End User Messaging, in any order, as often as it comes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.recorder import Recorder
from tests.support.world import THEIR_NUMBER, World, variables

from tidings.core.clock import to_text
from tidings.core.http import EPOCH

FAILURES = ("TEXT_INVALID", "TEXT_INVALID_MESSAGE", "TEXT_UNREACHABLE", "TEXT_BLOCKED", "TEXT_CARRIER_BLOCKED",
            "TEXT_SPAM", "TEXT_UNKNOWN", "TEXT_TTL_EXPIRED", "TEXT_PROTECT_BLOCKED", "RCS_FAILED", "RCS_TTL_EXPIRED",
            "RCS_PROTECT_BLOCKED")  # fmt: skip


@pytest.fixture
def texting(world: World) -> World:
    world.identify("ola", first_name="Ola", phone=THEIR_NUMBER)
    return world


def text(world: World, key: str = "k-1", body: str = "Your order is on its way.", **more: Any) -> dict[str, Any]:
    """A text that was sent, as the provider took it."""
    order = {"to": {"user_id": "ola"}, "text": body, "idempotency_key": key, **more}
    status, answer = world.call("send_sms", "POST /v1/sms", order)
    assert (status, answer["state"]) == (202, "accepted"), answer
    return world.sms.accepted[-1]


def message(world: World, sent: dict[str, Any]) -> dict[str, Any]:
    path = {"message": sent["Context"]["tidings_message"]}
    status, answer = world.call("messages", "GET /v1/messages/{message}", path=path)
    assert status == 200, answer
    return answer


def told(world: World, kind: str, sent: dict[str, Any], **details: Any) -> None:
    assert world.told_of_text(world.sms.event(kind, sent, **details))


def report(world: World, **query: str) -> dict[str, int]:
    status, answer = world.call("reports", "GET /v1/reports/sms", query=query)
    assert status == 200, answer
    counts: dict[str, int] = answer["totals"]["counts"]
    return counts


def timeline(world: World) -> list[str]:
    events = world.of_contact(world.contact(user_id="ola")["contact"], "events")
    return [event["event"] for event in reversed(events) if event["type"] == "system" and event["event"][:3] == "SMS"]


def suppression(world: World) -> dict[str, Any]:
    path = {"channel": "sms", "address": THEIR_NUMBER}
    status, answer = world.call("suppressions", "GET /v1/suppressions/{channel}/{address}", path=path)
    return answer if status == 200 else {}


def pointers(world: World) -> list[dict[str, Any]]:
    """What answers find their messages by."""
    return [one for one in world.items("TABLE_MESSAGES") if one["sk"]["S"] == "answered"]


def forget_messages(world: World) -> None:
    for one in world.items("TABLE_MESSAGES"):
        key = {name: one[name] for name in ("pk", "sk")}
        world.dynamodb.delete_item(TableName=variables()["TABLE_MESSAGES"], Key=key)


def instant(milliseconds: int) -> str:
    return to_text(EPOCH + timedelta(milliseconds=milliseconds))


@pytest.mark.parametrize("kind", ["TEXT_SUCCESSFUL", "TEXT_DELIVERED", "RCS_DELIVERED"])
def test_that_the_carrier_took_it_and_that_the_phone_did_both_are_delivered(texting: World, kind: str) -> None:
    sent = text(texting)
    told(texting, kind, sent, isFinal=True)
    stands = message(texting, sent)
    assert (stands["state"], stands["error"]) == ("delivered", "")
    assert timeline(texting) == ["SMS Sent", "SMS Delivered"]
    assert (report(texting)["sent"], report(texting)["delivered"]) == (1, 1)


@pytest.mark.parametrize("kind", ["TEXT_PENDING", "TEXT_QUEUED", "TEXT_SENT", "RCS_QUEUED", "RCS_SENT"])
def test_what_is_on_its_way_is_sent_and_told_once(texting: World, kind: str) -> None:
    sent = text(texting)
    told(texting, kind, sent)
    assert message(texting, sent)["state"] == "accepted"
    assert timeline(texting) == ["SMS Sent"]
    assert report(texting)["sent"] == 1


@pytest.mark.parametrize("kind", FAILURES)
def test_what_did_not_arrive_is_undelivered_with_the_event_as_the_reason(texting: World, kind: str) -> None:
    sent = text(texting)
    told(texting, kind, sent)
    stands = message(texting, sent)
    assert (stands["state"], stands["error"]) == ("undelivered", kind)
    status, answer = texting.call("reports", "GET /v1/reports/sms")
    assert status == 200
    assert answer["totals"]["errors"] == [{"problem": "undelivered", "reason": kind, "messages": 1}]
    [event] = [one for one in texting.of_contact(stands["contact"], "events") if one["event"] == "SMS Undelivered"]
    assert event["properties"]["reason"] == kind
    assert event["cause"] == stands["node"]


def test_a_carrier_that_cannot_be_reached_just_now_delays(texting: World) -> None:
    sent = text(texting)
    told(texting, "TEXT_CARRIER_UNREACHABLE", sent, isFinal=False)
    assert message(texting, sent)["state"] == "delayed"
    told(texting, "TEXT_DELIVERED", sent)
    assert message(texting, sent)["state"] == "delivered"
    assert timeline(texting) == ["SMS Sent", "SMS Delayed", "SMS Delivered"]


def test_a_failure_is_the_end_only_where_the_event_says_so(texting: World) -> None:
    sent = text(texting)
    told(texting, "TEXT_UNREACHABLE", sent, isFinal=False)
    assert message(texting, sent)["state"] == "delayed"
    assert suppression(texting) == {}
    other = text(texting, "k-2")
    told(texting, "TEXT_CARRIER_UNREACHABLE", other, isFinal=True)
    assert message(texting, other)["state"] == "undelivered"


def test_what_arrives_after_72_hours_of_silence_or_as_sms_in_place_of_rcs_is_delivered(texting: World) -> None:
    for number, doubtful in enumerate(("TEXT_UNKNOWN", "RCS_FAILED")):
        sent = text(texting, f"k-{number}")
        told(texting, doubtful, sent)
        told(texting, "RCS_FALLEN_BACK_TO_SMS", sent)
        told(texting, "TEXT_DELIVERED", sent)
        assert message(texting, sent)["state"] == "delivered"


def test_a_read_receipt_is_an_opening(texting: World) -> None:
    sent = text(texting)
    told(texting, "RCS_DELIVERED", sent)
    for _ in range(2):
        told(texting, "RCS_READ", sent, eventTimestamp=1795251606000)
    assert (report(texting)["opened"], report(texting)["opens"]) == (1, 1)
    assert sorted(timeline(texting)) == ["SMS Delivered", "SMS Read", "SMS Sent"]


def test_a_kind_that_nobody_knows_yet_stays_in_the_queue_and_changes_nothing(texting: World) -> None:
    sent = text(texting)
    before = message(texting, sent)
    assert not texting.told_of_text(texting.sms.event("TEXT_TELEPORTED", sent))
    assert message(texting, sent) == before


def test_what_is_no_event_stays_in_the_queue_and_one_of_somebody_else_goes(texting: World) -> None:
    sent = text(texting)
    assert not texting.told_of_text({"hello": "world"})
    assert not texting.told_of_text({**texting.sms.event("TEXT_DELIVERED", sent), "eventTimestamp": "soon"})
    assert texting.told_of_text({**texting.sms.event("TEXT_DELIVERED", sent), "context": {"theirs": "1"}})
    assert texting.told_of_text({**texting.sms.event("TEXT_DELIVERED", sent), "context": {}})
    assert message(texting, sent)["state"] == "accepted"


@pytest.mark.parametrize("other", [{"destinationPhoneNumber": "+48600999888"}, {"messageId": "sms-theirs"}])
def test_an_event_of_another_number_or_sending_moves_no_message(texting: World, other: dict[str, str]) -> None:
    sent = text(texting)
    assert not texting.told_of_text(texting.sms.event("TEXT_INVALID", sent, **other))
    assert message(texting, sent)["state"] == "accepted"
    assert suppression(texting) == {}


def test_an_event_counts_once_however_often_it_comes(texting: World) -> None:
    sent = text(texting)
    for _ in range(3):
        told(texting, "TEXT_DELIVERED", sent, totalMessagePrice=0.02975, totalMessageParts=1)
    counts = report(texting)
    assert (counts["sent"], counts["delivered"], counts["cost_micro_usd"], counts["parts"]) == (1, 1, 29_750, 1)
    assert timeline(texting) == ["SMS Sent", "SMS Delivered"]


def test_of_two_prices_the_later_stands_and_none_is_added(texting: World) -> None:
    sent = text(texting)
    told(texting, "TEXT_QUEUED", sent, eventTimestamp=1795251601000, totalMessagePrice=0.1, totalCarrierFee=0.003)
    told(texting, "TEXT_DELIVERED", sent, eventTimestamp=1795251602000, totalMessagePrice=0.02975, totalMessageParts=2)
    told(texting, "TEXT_PENDING", sent, eventTimestamp=1795251600500, totalMessagePrice=0.5)
    transport = message(texting, sent)["transport"]
    assert (transport["price"], transport["fee"], transport["parts"]) == ("0.02975", "0", 2)
    assert (transport["mcc"], transport["mnc"], transport["country"]) == ("260", "01", "PL")
    counts = report(texting)
    assert (counts["cost_micro_usd"], counts["carrier_fee_micro_usd"], counts["parts"]) == (29_750, 0, 2)


def test_a_number_that_does_not_exist_is_suppressed_at_once(texting: World) -> None:
    told(texting, "TEXT_INVALID", text(texting))
    assert suppression(texting)["reason"] == "bounce"
    order = {"to": {"user_id": "ola"}, "text": "Hello", "idempotency_key": "k-2"}
    _, answer = texting.call("send_sms", "POST /v1/sms", order)
    assert (answer["state"], answer["decision"]["decided_by"]) == ("skipped", "suppression")


def test_five_texts_in_a_row_that_reach_no_phone_suppress_and_a_delivery_between_lets_go(texting: World) -> None:
    at = 1795251605000
    for number in range(4):
        told(texting, "TEXT_UNREACHABLE", text(texting, f"k-{number}"), eventTimestamp=at + number)
    told(texting, "TEXT_DELIVERED", text(texting, "k-4"), eventTimestamp=at + 4)
    for number in range(5, 9):
        sent = text(texting, f"k-{number}")
        told(texting, "TEXT_UNREACHABLE", sent, eventTimestamp=at + number)
        told(texting, "TEXT_UNREACHABLE", sent, eventTimestamp=at + number)
        assert suppression(texting) == {}
    told(texting, "TEXT_BLOCKED", text(texting, "k-9"), eventTimestamp=at + 9)
    assert suppression(texting)["reason"] == "bounce"


def test_a_failure_that_comes_again_is_none_of_a_new_row(texting: World) -> None:
    sent = [text(texting, f"k-{number}") for number in range(5)]
    failures = [
        texting.sms.event("TEXT_UNREACHABLE", one, eventTimestamp=1795251605000 + number)
        for number, one in enumerate(sent)
    ]
    assert all(texting.told_of_text(failure) for failure in failures)
    assert suppression(texting)["reason"] == "bounce"
    path = {"channel": "sms", "address": THEIR_NUMBER}
    assert texting.call("suppressions", "DELETE /v1/suppressions/{channel}/{address}", path=path)[0] == 200
    assert all(texting.told_of_text(failure) for failure in failures)
    assert suppression(texting) == {}


@pytest.mark.parametrize("kind", ["TEXT_INVALID", "TEXT_UNREACHABLE"])
def test_an_event_that_says_no_number_suppresses_none(texting: World, kind: str) -> None:
    sent = text(texting)
    texting.erase(texting.contact(user_id="ola")["contact"])
    before = texting.items("TABLE_CONSENTS")
    told(texting, kind, sent, destinationPhoneNumber="")
    assert texting.items("TABLE_CONSENTS") == before


@pytest.mark.parametrize("kind", sorted({*FAILURES} - {"TEXT_INVALID", "TEXT_UNREACHABLE", "TEXT_BLOCKED"}))
def test_what_the_carrier_the_text_or_our_limits_stopped_suppresses_nobody(texting: World, kind: str) -> None:
    for number in range(6):
        told(texting, kind, text(texting, f"k-{number}"), eventTimestamp=1795251605000 + number)
    assert suppression(texting) == {}


def test_a_person_who_opted_out_with_aws_has_said_stop(texting: World) -> None:
    told(texting, "TEXT_BLOCKED", text(texting), messageStatusDescription="Destination number has opted out")
    assert suppression(texting)["reason"] == "stop"


OPTED_OUT = {"messageStatusDescription": "Destination number has opted out"}


def say(world: World, word: str) -> None:
    """A minute later the person says a word to a number of ours."""
    world.now += timedelta(minutes=1)
    assert world.receive(world.text(word)) == []


def test_a_stop_that_aws_heard_is_told_and_logged_and_ends_with_a_start(texting: World) -> None:
    sent = text(texting)
    for _ in range(2):
        told(texting, "TEXT_BLOCKED", sent, **OPTED_OUT)
    contact = texting.contact(user_id="ola")["contact"]
    events = [one["event"] for one in texting.of_contact(contact, "events") if one["event"][:7] == "Address"]
    assert events == ["Address Suppressed"]
    path = {"channel": "sms", "address": THEIR_NUMBER}
    _, answer = texting.call("consents", "GET /v1/consents/{channel}/{address}/log", path=path)
    assert {(one["change"], one["wording"]) for one in answer["log"]} == {
        ("stopped", f"AWS: {OPTED_OUT['messageStatusDescription']}")
    }
    say(texting, "START")
    assert suppression(texting) == {}
    assert text(texting, "k-2")


def test_a_start_after_the_text_that_aws_blocked_outlasts_what_is_told_of_it_late(texting: World) -> None:
    sent = text(texting)
    say(texting, "STOP")
    say(texting, "START")
    told(texting, "TEXT_BLOCKED", sent, **OPTED_OUT)
    assert suppression(texting) == {}


def test_a_stop_that_aws_heard_suppresses_nobody_who_was_erased_and_counts_as_no_failure(texting: World) -> None:
    for number in range(6):
        at = 1795251605000 + number
        told(texting, "TEXT_BLOCKED", text(texting, f"k-{number}"), eventTimestamp=at, **OPTED_OUT)
        say(texting, "START")
    assert suppression(texting) == {}


@pytest.mark.parametrize("field", ["totalMessageParts", "totalMessagePrice", "totalCarrierFee", "eventTimestamp"])
@pytest.mark.parametrize("value", ["Infinity", "NaN", "1e999999999", "-1e400", "1e-999999999"])
def test_a_number_that_is_none_keeps_no_other_event_of_its_batch_back(texting: World, field: str, value: str) -> None:
    sent = text(texting)
    events = [texting.sms.event("TEXT_DELIVERED", sent, **{field: "@"}), texting.sms.event("TEXT_DELIVERED", sent)]
    bodies = [json.dumps({"Message": json.dumps(one).replace('"@"', value)}) for one in events]
    records = [{"messageId": f"q-{number}", "body": body} for number, body in enumerate(bodies)]
    answer = texting.invoke("sms_events", {"Records": records})
    assert "q-1" not in {one["itemIdentifier"] for one in answer["batchItemFailures"]}
    assert message(texting, sent)["state"] == "delivered"


def test_a_claim_whose_answer_was_lost_is_settled_by_the_first_event(texting: World) -> None:
    texting.sms.failing = ["timeout"]
    order = {"to": {"user_id": "ola"}, "text": "Hello", "idempotency_key": "k-1"}
    status, answer = texting.call("send_sms", "POST /v1/sms", order)
    assert (status, answer["state"]) == (202, "claimed")
    [sent] = texting.sms.accepted
    told(texting, "TEXT_DELIVERED", sent)
    stands = message(texting, sent)
    assert (stands["state"], stands["provider_id"]) == ("delivered", "sms-1")
    assert sorted(timeline(texting)) == ["SMS Delivered", "SMS Sent"]
    assert (report(texting)["sent"], report(texting)["parts"]) == (1, 1)
    assert [one["message"]["S"] for one in pointers(texting)] == [stands["message"]]
    assert pointers(texting)[0]["pk"]["S"] == "acme#sms#sms-1"
    [told_of] = [one for one in texting.of_contact(stands["contact"], "events") if one["event"] == "SMS Sent"]
    assert told_of["timestamp"] == instant(1795251600000)  # when the provider took it, not when the phone had it
    status, again = texting.call("send_sms", "POST /v1/sms", order)
    assert (status, again["state"], len(texting.sms.accepted)) == (202, "delivered", 1)


def test_what_we_never_sent_was_not_sent_whatever_is_told_of_it(texting: World) -> None:
    texting.sms.failing = ["ValidationException"]
    order = {"to": {"user_id": "ola"}, "text": "Hello", "idempotency_key": "k-1"}
    assert texting.call("send_sms", "POST /v1/sms", order)[1]["state"] == "refused"
    refused = texting.sms.of("SendTextMessage")[-1]
    texting.sms.accepted.append(refused)
    told(texting, "TEXT_DELIVERED", refused)
    assert message(texting, refused)["state"] == "refused"
    assert "SMS Sent" not in timeline(texting)
    assert (report(texting)["sent"], pointers(texting)) == (0, [])


def test_a_number_is_suppressed_also_where_its_message_is_no_more(texting: World) -> None:
    gone = [text(texting, f"k-{number}") for number in range(5)]
    forget_messages(texting)
    for number, sent in enumerate(gone):
        assert suppression(texting) == {}
        told(texting, "TEXT_UNREACHABLE", sent, eventTimestamp=1795251605000 + number)
    assert suppression(texting)["reason"] == "bounce"
    events = texting.of_contact(texting.contact(user_id="ola")["contact"], "events")
    undelivered = [(one["cause"], one["root"]) for one in events if one["event"] == "SMS Undelivered"]
    nodes = [f"message:{sent['Context']['tidings_message']}" for sent in gone]
    assert sorted(undelivered) == sorted((node, node) for node in nodes)


def test_of_a_message_that_is_no_more_only_its_own_events_are_told(texting: World) -> None:
    sent = text(texting)
    forget_messages(texting)
    told(texting, "TEXT_DELIVERED", sent)
    assert timeline(texting) == ["SMS Sent", "SMS Delivered"]
    assert pointers(texting) == []


def test_of_an_erased_person_only_the_state_is_told(texting: World) -> None:
    sent = text(texting)
    contact = texting.contact(user_id="ola")["contact"]
    texting.erase(contact)
    told(texting, "TEXT_DELIVERED", sent)
    [kept] = [one for one in texting.items("TABLE_MESSAGES") if one["sk"]["S"] == sent["Context"]["tidings_message"]]
    assert kept["state"]["S"] == "delivered"
    assert "transport" not in kept
    assert not [one for one in texting.items("TABLE_EVENTS") if "SMS Delivered" in json.dumps(one, default=str)]


def test_a_price_that_is_told_again_costs_a_read_and_writes_nothing(texting: World, recorder: Recorder) -> None:
    sent = text(texting)
    queued = texting.sms.event("TEXT_QUEUED", sent)
    texting.told_of_text(queued, pump=False)
    assert recorder.names()[-2:] == ["dynamodb:GetItem", "dynamodb:TransactWriteItems"]
    recorder.calls.clear()
    texting.told_of_text(queued, pump=False)
    texting.told_of_text({**queued, "eventTimestamp": queued["eventTimestamp"] - 1}, pump=False)
    assert recorder.names() == ["dynamodb:GetItem"] * 2


def test_an_event_costs_a_read_and_one_transaction(texting: World, recorder: Recorder) -> None:
    sent = text(texting)
    recorder.calls.clear()
    texting.told_of_text(texting.sms.event("TEXT_DELIVERED", sent), pump=False)
    assert recorder.names() == ["dynamodb:GetItem", "dynamodb:TransactWriteItems"]
    [write] = recorder.of("dynamodb:TransactWriteItems")
    assert len(write.arguments["TransactItems"]) == 3  # the message, the report, the timeline


def test_logs_name_nobody(texting: World, capsys: pytest.CaptureFixture[str]) -> None:
    sent = text(texting)
    texting.told_of_text(texting.sms.event("TEXT_TELEPORTED", sent))
    texting.told_of_text(texting.sms.event("TEXT_INVALID", sent, messageId="other"))
    out = capsys.readouterr()
    assert "600100200" not in out.out + out.err


ALL = (
    "TEXT_QUEUED",
    "TEXT_CARRIER_UNREACHABLE",
    "TEXT_SUCCESSFUL",
    "TEXT_DELIVERED",
    "TEXT_UNKNOWN",
    "TEXT_TTL_EXPIRED",
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(len(ALL))), doubled=st.sets(st.integers(0, len(ALL) - 1)))
def test_the_end_is_the_same_whatever_order_events_come_in(texting: World, order: list[int], doubled: set[int]) -> None:
    before = report(texting)
    sent = text(texting, f"k-{texting.fresh()}")
    for number in [*order, *doubled]:
        final = ALL[number] not in ("TEXT_QUEUED", "TEXT_CARRIER_UNREACHABLE")
        told(
            texting, ALL[number], sent, isFinal=final, eventTimestamp=1795251605000 + number,
            totalMessagePrice=number / 1000,
        )  # fmt: skip
    stands, after = message(texting, sent), report(texting)
    assert (stands["state"], stands["error"], stands["transport"]["price"]) == (
        "undelivered",
        "TEXT_TTL_EXPIRED",
        "0.005",
    )
    counted = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert counted == {
        "sent": 1,
        "delivered": 1,
        "delayed": 1,
        "undelivered": 1,
        "parts": 1,
        "cost_micro_usd": 5000,
    }
