"""The suppression list: kept by API and by feedback, and asked at the last moment before a mail goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from tests.support.recorder import Call
from tests.support.world import World

ADA = "ada@people.example"


def entry(world: World, method: str, address: str = ADA, body: Any = None, channel: str = "email") -> tuple[int, Any]:
    route = f"{method} /v1/suppressions/{{channel}}/{{address}}"
    return world.call("suppressions", route, body, path={"channel": channel, "address": address})


def check(world: World, address: Any = ADA, **more: Any) -> tuple[int, dict[str, Any]]:
    return world.call("check_suppression", "POST /v1/suppressions/check", {"address": address, **more})


def suppressed(world: World, address: str = ADA) -> bool:
    status, answer = check(world, address)
    assert status == 200
    return bool(answer["suppressed"])


def timeline(world: World) -> list[str]:
    contact = world.contact(user_id="ada")["contact"]
    return [one["event"] for one in world.of_contact(contact, "events") if one["event"]][::-1]


@pytest.fixture
def ada(world: World) -> World:
    """A workspace in which Ada has an address, and a template."""
    world.template("tips")
    world.identify("ada", email=ADA, firstName="Ada")
    world.now += timedelta(seconds=1)
    return world


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_an_entry_is_made_shown_and_taken_away(world: World) -> None:
    assert entry(world, "GET")[0] == 404
    status, made = entry(world, "PUT")
    assert (status, made) == (
        200,
        {
            "channel": "email",
            "address": ADA,
            "reason": "manual",
            "source": "api",
            "created_at": "2026-11-21T09:00:00.000000Z",
            "expires_at": None,
        },
    )
    assert entry(world, "GET") == (200, made)
    assert suppressed(world)
    assert entry(world, "DELETE") == (200, {"released": True})
    assert entry(world, "GET")[0] == 404
    assert not suppressed(world)
    status, answer = entry(world, "DELETE")
    assert (status, answer["code"]) == (404, "not_suppressed")


def test_making_an_entry_again_changes_nothing(world: World) -> None:
    made = entry(world, "PUT")
    world.now += timedelta(days=1)
    assert entry(world, "PUT") == made


@pytest.mark.parametrize("spelling", ["Ada@People.Example", " ada@people.example ", "ADA@PEOPLE.EXAMPLE"])
def test_an_address_is_the_same_in_every_spelling(world: World, spelling: str) -> None:
    entry(world, "PUT", spelling)
    assert entry(world, "GET")[1]["address"] == ADA
    assert suppressed(world, " ADA@people.example ")


def test_a_phone_number_has_a_list_of_its_own(world: World) -> None:
    assert entry(world, "PUT", "+48600100200", channel="sms")[0] == 200
    assert check(world, "+48600100200", channel="sms")[1]["suppressed"] is True
    assert check(world, "+48600100201", channel="sms")[1]["suppressed"] is False


NO_ADDRESS = [
    ("pigeon", ADA, "unknown_channel"),
    ("email", "ada", "invalid_address"),
    ("email", "+48600100200", "invalid_address"),
    ("sms", ADA, "invalid_address"),
    ("sms", "600100200", "invalid_address"),
]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_is_no_address_is_refused(world: World, method: str) -> None:
    for channel, address, code in NO_ADDRESS:
        status, answer = entry(world, method, address, channel=channel)
        assert (status, answer["code"]) == (400, code), (channel, address)
    assert world.items("TABLE_CONSENTS") == []


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"expires_at": "soon"}, "invalid_timestamp", "expires_at"),
        ({"expires_at": 7}, "invalid_timestamp", "expires_at"),
        ({"expires_at": "2026-11-21T09:00:00Z"}, "expiry_in_past", "expires_at"),
        ("{", "invalid_json", None),
        ([], "invalid_type", None),
    ],
)
def test_an_entry_that_is_wrong_is_not_made(world: World, body: Any, code: str, field: str | None) -> None:
    status, answer = entry(world, "PUT", body=body)
    assert (status, answer["code"], answer.get("field")) == (400, code, field)
    assert world.items("TABLE_CONSENTS") == []


def test_an_entry_ends_by_itself_even_if_it_is_deleted_late(world: World) -> None:
    status, made = entry(world, "PUT", body={"expires_at": "2026-11-22T10:00:00+01:00"})
    assert (status, made["expires_at"]) == (200, "2026-11-22T09:00:00.000000Z")
    world.now += timedelta(days=1, seconds=-1)
    assert suppressed(world)
    world.now += timedelta(seconds=1)
    assert not suppressed(world)
    assert check(world)[1]["found"] == "the manual suppression has expired"
    assert entry(world, "GET")[0] == entry(world, "DELETE")[0] == 404
    assert entry(world, "PUT")[1]["created_at"] == "2026-11-22T09:00:00.000000Z"
    assert suppressed(world)


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        (None, "2026-12-01T00:00:00Z", None),
        ("2026-12-01T00:00:00Z", None, None),
        ("2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z", "2026-12-02T00:00:00.000000Z"),
        ("2026-12-02T00:00:00Z", "2026-12-01T00:00:00Z", "2026-12-02T00:00:00.000000Z"),
    ],
)
def test_of_two_entries_the_one_that_lasts_longer_stays(
    world: World, first: str | None, second: str | None, left: str | None
) -> None:
    for expires_at in (first, second):
        assert entry(world, "PUT", body={"expires_at": expires_at})[0] == 200
    assert entry(world, "GET")[1]["expires_at"] == left


def test_changes_by_hand_stand_on_the_timeline_of_whoever_has_the_address(ada: World) -> None:
    for method in ("PUT", "PUT", "DELETE"):
        entry(ada, method)
        ada.now += timedelta(seconds=1)
    ada.pump()
    assert timeline(ada) == ["Address Suppressed", "Address Released"]
    entry(ada, "PUT", "nobody@people.example")
    assert len(ada.new_records()) == 0


def test_changes_by_hand_reach_everybody_who_has_the_address(ada: World) -> None:
    ada.identify("also-ada", email=ADA)
    entry(ada, "PUT")
    ada.pump()
    for user in ("ada", "also-ada"):
        contact = ada.contact(user_id=user)["contact"]
        assert "Address Suppressed" in [one["event"] for one in ada.of_contact(contact, "events")]


def listing(world: World, **query: str) -> tuple[list[str], str]:
    status, answer = world.call("suppressions", "GET /v1/suppressions", query=query)
    assert status == 200, answer
    return [one["address"] for one in answer["suppressions"]], answer["cursor"]


def logged(world: World, address: str = ADA) -> list[dict[str, Any]]:
    path = {"channel": "email", "address": address}
    status, answer = world.call("consents", "GET /v1/consents/{channel}/{address}/log", path=path)
    assert status == 200, answer
    log: list[dict[str, Any]] = answer["log"]
    return log


def test_the_list_is_shown_latest_first_page_by_page(world: World) -> None:
    for name in "abc":
        entry(world, "PUT", f"{name}@people.example")
        world.now += timedelta(seconds=1)
    entry(world, "PUT", "gone@people.example", {"expires_at": "2026-11-21T09:00:30Z"})
    entry(world, "DELETE", "b@people.example")
    entry(world, "PUT", "+48600100200", channel="sms")
    world.now += timedelta(minutes=1)
    assert listing(world)[0] == ["c@people.example", "a@people.example"]
    first, cursor = listing(world, limit="2")
    assert first == ["c@people.example"]  # what expired is on the page, and is not shown
    assert listing(world, limit="2", cursor=cursor) == (["a@people.example"], "")
    assert listing(world, channel="sms")[0] == ["+48600100200"]


def test_every_change_is_in_the_log_of_its_address(ada: World) -> None:
    entry(ada, "PUT", body={"expires_at": "2026-12-01T00:00:00Z"})
    entry(ada, "PUT", body={"expires_at": "2026-12-01T00:00:00Z"})
    ada.now += timedelta(hours=1)
    entry(ada, "DELETE")
    ada.now += timedelta(seconds=1)
    ada.feedback(ada.ses.event("Complaint", mail(ada), **complaint("abuse")))
    told = [(one["change"], one["reason"], one.get("actor"), one["at"]) for one in logged(ada)[::-1]]
    assert [one[:3] for one in told] == [
        ("suppressed", "manual", "secret key"),
        ("released", "manual", "secret key"),
        ("suppressed", "complaint", None),
    ]
    assert logged(ada)[-1]["expires_at"] == "2026-12-01T00:00:00.000000Z"
    assert told[0][3] == "2026-11-21T09:00:01.000000Z"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("lost", [False, True], ids=["not-sent", "answer-lost"])
def test_a_change_its_log_and_its_event_come_together(ada: World, method: str, lost: bool) -> None:
    if method == "DELETE":
        entry(ada, "PUT")
    before = len(logged(ada))

    def fails(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            ada.recorder.before = ada.recorder.after = None
            raise ConnectTimeoutError(endpoint_url="https://dynamodb")

    setattr(ada.recorder, "after" if lost else "before", fails)
    assert entry(ada, method)[0] == 503
    entry(ada, method)
    ada.pump()
    name = {"PUT": "Address Suppressed", "DELETE": "Address Released"}[method]
    assert timeline(ada).count(name) == 1
    assert len(logged(ada)) == before + 1


# --- asking ----------------------------------------------------------------------------------------------------------


def test_the_answer_names_what_decided(world: World) -> None:
    listed = {"check": "suppression", "passed": True, "found": "the address is not on the suppression list"}
    ruled = {"check": "suppression_rules", "passed": True, "found": "no suppression rule holds"}
    assert check(world)[1] == {"suppressed": False, **listed, "checks": [listed, ruled]}
    entry(world, "PUT")
    found = "suppressed since 2026-11-21 09:00:00 UTC: manual"
    held = {"check": "suppression", "passed": False, "found": found}
    assert check(world)[1] == {"suppressed": True, **held, "checks": [held]}


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "missing_field", "address"),
        ({"address": 7}, "invalid_type", "address"),
        ({"address": "ada"}, "invalid_address", "address"),
        ({"address": ADA, "channel": "pigeon"}, "unknown_channel", "channel"),
        ({"address": ADA, "channel": 7}, "invalid_type", "channel"),
        ({"address": "\ud800@b.c"}, "invalid_text", None),
        ("", "invalid_json", None),
    ],
)
def test_a_question_that_is_wrong_says_so(world: World, body: Any, code: str, field: str | None) -> None:
    status, answer = world.call("check_suppression", "POST /v1/suppressions/check", body)
    assert (status, answer["code"], answer.get("field")) == (400, code, field)


def test_a_question_costs_one_read_beside_that_of_the_key(world: World) -> None:
    suppressed(world)
    world.recorder.clear()
    suppressed(world)
    assert world.recorder.names() == ["dynamodb:GetItem"]


# --- by feedback -----------------------------------------------------------------------------------------------------


def mail(world: World, key: str = "k-1") -> dict[str, Any]:
    """A mail to Ada that SES accepted."""
    body = {"to": {"email": ADA}, "template": "tips", "idempotency_key": key}
    status, answer = world.call("send_email", "POST /v1/emails", body)
    assert (status, answer["state"]) == (202, "accepted"), answer
    return world.ses.accepted[-1]


def bounce(kind: str, sub: str, *addresses: str) -> dict[str, Any]:
    recipients = [{"emailAddress": address, "status": "5.1.1"} for address in addresses or (ADA,)]
    return {"bounceType": kind, "bounceSubType": sub, "bouncedRecipients": recipients, "feedbackId": "f-1"}


def complaint(kind: str | None, *addresses: str) -> dict[str, Any]:
    recipients = [{"emailAddress": address} for address in addresses or (ADA,)]
    return {"complaintFeedbackType": kind, "complainedRecipients": recipients, "feedbackId": "f-1"}


@pytest.mark.parametrize(
    ("kind", "details", "reason"),
    [
        ("Bounce", bounce("Permanent", "NoEmail"), "bounce"),
        ("Bounce", bounce("Permanent", "Suppressed", "ADA@people.example"), "bounce"),
        ("Bounce", bounce("Transient", "MailboxFull"), None),
        ("Bounce", bounce("Transient", "MessageTooLarge"), None),
        ("Bounce", bounce("Transient", "ContentRejected"), None),
        ("Bounce", bounce("Undetermined", "Undetermined"), None),
        ("Complaint", complaint("abuse"), "complaint"),
        ("Complaint", complaint(None), "complaint"),
        ("Complaint", complaint("not-spam"), None),
        ("Reject", {"reason": "Bad content"}, None),
        ("DeliveryDelay", {"delayType": "MailboxFull"}, None),
        ("Delivery", {}, None),
    ],
)
def test_a_permanent_bounce_and_a_complaint_suppress_at_once(
    ada: World, kind: str, details: dict[str, Any], reason: str | None
) -> None:
    sent = mail(ada)
    ada.feedback(ada.ses.event(kind, sent, **details))
    status, found = entry(ada, "GET")
    assert (status, found.get("reason")) == ((200, reason) if reason else (404, None))
    assert not reason or found["source"] == f"message {ada.ses.messages()[0]}"


def test_a_complaint_that_lists_strangers_suppresses_only_whom_we_wrote_to(ada: World) -> None:
    listed = complaint("abuse", "eve@people.example", ADA, "bob@people.example")
    ada.feedback(ada.ses.event("Complaint", mail(ada), **listed))
    assert suppressed(ada)
    assert len({item["pk"]["S"] for item in ada.items("TABLE_CONSENTS")}) == 1


def test_who_complained_first_is_not_made_to_have_bounced(ada: World) -> None:
    sent = mail(ada)
    for kind, details in (("Complaint", complaint("abuse")), ("Bounce", bounce("Permanent", "General"))):
        ada.feedback(ada.ses.event(kind, sent, **details))
    assert entry(ada, "GET")[1]["reason"] == "complaint"


def test_a_bounce_during_a_suppression_that_ends_makes_it_last(ada: World) -> None:
    sent = mail(ada)
    entry(ada, "PUT", body={"expires_at": "2026-11-22T00:00:00Z"})
    ada.feedback(ada.ses.event("Bounce", sent, **bounce("Permanent", "NoEmail")))
    ada.now += timedelta(days=30)
    assert suppressed(ada)


def test_a_suppression_of_one_workspace_is_none_of_another(ada: World) -> None:
    ada.feedback(ada.ses.event("Bounce", mail(ada), **bounce("Permanent", "NoEmail")))
    body = {"address": ADA}
    answer = ada.call("check_suppression", "POST /v1/suppressions/check", body, ada.other_secret)
    assert (answer[0], answer[1]["suppressed"]) == (200, False)


# --- at the moment of sending ----------------------------------------------------------------------------------------


def between(world: World, operation: str, meanwhile: Callable[[], Any]) -> None:
    """Let something happen right before send_email's next call of an operation."""

    def before(call: Call) -> None:
        if world.running == "send_email" and call.operation == operation:
            world.recorder.before = None
            meanwhile()

    world.recorder.before = before


def order(world: World, **more: Any) -> tuple[int, dict[str, Any]]:
    body = {"to": {"user_id": "ada"}, "template": "tips", "idempotency_key": "k-1", **more}
    return world.call("send_email", "POST /v1/emails", body)


def test_a_suppressed_address_gets_nothing_and_the_decision_is_on_record(ada: World) -> None:
    entry(ada, "PUT")
    status, message = order(ada)
    assert (status, message["state"]) == (202, "skipped")
    assert message["decision"]["send"] is False
    assert message["decision"]["decided_by"] == "suppression"
    asked = [one["check"] for one in message["decision"]["checks"] if one["passed"] is not None]
    assert asked == ["address", "suppression"]
    assert "manual" in message["decision"]["checks"][1]["found"]
    assert ada.ses.accepted == []
    contact = ada.contact(user_id="ada")["contact"]
    assert ada.of_contact(contact, "messages") == [message]
    ada.pump()
    assert timeline(ada) == ["Address Suppressed", "Email Skipped"]


def test_a_transactional_mail_is_not_sent_to_a_suppressed_address_either(ada: World) -> None:
    entry(ada, "PUT")
    assert order(ada, kind="transactional")[1]["state"] == "skipped"


def test_a_suppression_between_decision_and_claim_still_blocks(ada: World) -> None:
    between(ada, "TransactWriteItems", lambda: entry(ada, "PUT"))
    status, message = order(ada)
    assert (status, message["state"]) == (202, "skipped")
    assert message["decision"]["decided_by"] == "suppression"
    assert ada.ses.accepted == []


def test_an_entry_that_ended_does_not_block(ada: World) -> None:
    entry(ada, "PUT", body={"expires_at": "2026-11-21T10:00:00Z"})
    ada.now += timedelta(hours=2)
    assert order(ada)[1]["state"] == "accepted"


def test_a_release_lets_the_next_mail_go(ada: World) -> None:
    entry(ada, "PUT")
    order(ada)
    entry(ada, "DELETE")
    assert order(ada)[1]["state"] == "skipped"  # the same order has its outcome
    assert order(ada, idempotency_key="k-2")[1]["state"] == "accepted"


# --- in automations --------------------------------------------------------------------------------------------------

COURSE = {
    "automation": "course",
    "trigger": {"event": "Signed Up"},
    "start": "first",
    "components": {
        "first": {"type": "send_email", "template": "tips", "next": "pause", "on_skipped": "over"},
        "pause": {"type": "wait", "for": "1 day", "next": "second"},
        "second": {"type": "send_email", "template": "tips"},
        "over": {"type": "end"},
    },
}


def course(world: World, **first: Any) -> list[dict[str, Any]]:
    """Let Ada take the course; the steps she took."""
    components = {**COURSE["components"], "first": {**COURSE["components"]["first"], **first}}  # type: ignore[dict-item,index]
    if first.get("on_skipped", "") is None:
        del components["first"]["on_skipped"], components["over"]
    world.automation({**COURSE, "components": components})
    world.track("ada", "Signed Up")
    world.run(timedelta(days=2))
    (enrolment,) = world.of_contact(world.contact(user_id="ada")["contact"], "enrolments")
    path: list[dict[str, Any]] = enrolment["path"]
    return path


def test_a_suppressed_person_leaves_by_on_skipped_with_a_decision_record(ada: World) -> None:
    entry(ada, "PUT")
    assert [(step["component"], step["outcome"], step["next"]) for step in course(ada)] == [("first", "skipped", "")]
    (message,) = ada.of_contact(ada.contact(user_id="ada")["contact"], "messages")
    assert (message["state"], message["decision"]["decided_by"]) == ("skipped", "suppression")
    assert message["cause"]["automation"] == "course"


def test_a_suppressed_person_goes_on_by_next_where_no_way_is_set(ada: World) -> None:
    entry(ada, "PUT", body={"expires_at": "2026-11-21T20:00:00Z"})
    steps = course(ada, on_skipped=None)
    assert [(step["component"], step["outcome"]) for step in steps] == [("first", "skipped"), ("second", "accepted")]
    assert len(ada.ses.accepted) == 1


def test_whoever_is_not_suppressed_goes_the_whole_way(ada: World) -> None:
    assert [step["outcome"] for step in course(ada)] == ["accepted", "accepted"]


GUARDED = {
    "automation": "guarded",
    "trigger": {"event": "Signed Up"},
    "start": "guard",
    "components": {
        "guard": {"type": "check_suppression", "channel": "email", "clear": "tips", "suppressed": "rest"},
        "rest": {"type": "wait", "for": "1 day", "next": "tips"},
        "tips": {"type": "send_email", "template": "tips"},
    },
}


@pytest.mark.parametrize(
    ("address", "listed", "outcome"),
    [(ADA, False, "clear"), (ADA, True, "suppressed"), ("", False, "suppressed"), ("ada at home", False, "suppressed")],
)
def test_the_component_asks_without_sending(world: World, address: str, listed: bool, outcome: str) -> None:
    world.template("tips")
    world.automation(GUARDED)
    world.identify("ada", **({"email": address} if address else {}))
    if listed:
        entry(world, "PUT")
    world.track("ada", "Signed Up")
    (execution,) = world.executions.values()
    execution.step(world.task)
    (enrolment,) = world.of_contact(world.contact(user_id="ada")["contact"], "enrolments")
    assert [(step["component"], step["outcome"]) for step in enrolment["path"]] == [("guard", outcome)]
    assert world.ses.accepted == []


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError"])
def test_a_list_that_cannot_be_read_now_is_no_suppression_but_asked_again(ada: World, code: str) -> None:
    ada.automation(GUARDED)
    ada.track("ada", "Signed Up")
    (execution,) = ada.executions.values()

    def before(call: Call) -> None:
        if (
            call.operation == "GetItem"
            and call.arguments["TableName"] == "Consents"
            and ada.running == "check_suppression"
        ):
            ada.recorder.before = None
            raise ClientError({"Error": {"Code": code, "Message": code}}, call.operation)

    ada.recorder.before = before
    with pytest.raises(Exception, match=r"busy|answered"):
        execution.step(ada.task)
    execution.step(ada.task)
    (enrolment,) = ada.of_contact(ada.contact(user_id="ada")["contact"], "enrolments")
    assert [step["outcome"] for step in enrolment["path"]] == ["clear"]
