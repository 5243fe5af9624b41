"""Sending by API: one recipient, one template, one idempotency key, and at most one mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.recorder import Call
from tests.support.world import PUBLIC_URL, World, variables

from tidings.messages.model import CHECKS

ADA = "ada@people.example"


@pytest.fixture
def ada(world: World) -> World:
    """A workspace in which Ada has an address, and a template."""
    world.template("tips")
    world.identify("ada", email=ADA, firstName="Ada")
    return world


def order(world: World, key: str = "secret", **fields: Any) -> tuple[int, dict[str, Any]]:
    body = {"to": {"user_id": "ada"}, "template": "tips", "idempotency_key": "k-1", **fields}
    return world.call("send_email", "POST /v1/emails", body, key)


def message(world: World, name: str) -> dict[str, Any]:
    status, answer = world.call("messages", "GET /v1/messages/{message}", path={"message": name})
    assert status == 200, answer
    return answer


def unknown(world: World) -> list[str]:
    """Our ids of the messages that are listed as unknown."""
    status, answer = world.call("messages", "GET /v1/messages", query={"state": "unknown"})
    assert status == 200, answer
    return [one["message"] for one in answer["messages"]]


def settle(world: World) -> None:
    world.invoke("settle_messages", {"detail-type": "Scheduled Event", "source": "aws.events"})


# --- to whom ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["user_id", "anonymous_id", "email", "email in another spelling", "contact"])
def test_a_recipient_is_named_in_any_one_way(world: World, way: str) -> None:
    world.template("tips")
    world.ingest("identify", {"userId": "ada", "anonymousId": "a-9", "traits": {"email": ADA}})
    world.pump()
    contact = world.contact(user_id="ada")["contact"]
    named = {
        "user_id": {"user_id": "ada"},
        "anonymous_id": {"anonymous_id": "a-9"},
        "email": {"email": ADA},
        "email in another spelling": {"email": " Ada@People.example "},
        "contact": {"contact": contact},
    }[way]
    status, answer = order(world, to=named)
    assert (status, answer["state"], answer["contact"], answer["address"]) == (202, "accepted", contact, ADA)
    assert len(world.ses.to(ADA)) == 1


def test_an_email_that_nobody_has_makes_a_contact_of_it(world: World) -> None:
    world.template("tips")
    status, answer = order(world, to={"email": "New@people.example"})
    assert (status, answer["state"]) == (202, "accepted")
    contact = world.contact(email="new@people.example")
    assert (contact["contact"], contact["known"]) == (answer["contact"], False)
    order(world, to={"email": "new@people.example"}, idempotency_key="k-2")
    assert len(world.items("TABLE_CONTACTS")) == 1
    assert len(world.ses.accepted) == 2


def test_two_first_mails_to_an_email_at_once_make_one_contact(world: World) -> None:
    world.template("tips")
    meanwhile(world, "TransactWriteItems", lambda: order(world, to={"email": ADA}, idempotency_key="k-2"))
    assert order(world, to={"email": ADA})[1]["state"] == "accepted"
    assert len(world.items("TABLE_CONTACTS")) == 1
    assert len(world.ses.to(ADA)) == 2


@pytest.mark.parametrize("made_by_mail", [True, False])
def test_a_mail_to_an_address_goes_there_also_when_who_had_it_has_moved(world: World, made_by_mail: bool) -> None:
    world.template("tips")
    if made_by_mail:
        before = order(world, to={"email": ADA})[1]["contact"]
        path, edit = {"contact": before}, {"traits": {"email": "moved@people.example"}}
        world.now += timedelta(seconds=1)
        assert world.call("change_contacts", "PATCH /v1/contacts/{contact}", edit, path=path)[0] == 200
    else:
        world.identify("ada", email=ADA)
        before = order(world, to={"email": ADA})[1]["contact"]
        world.now += timedelta(seconds=1)
        world.identify("ada", email="moved@people.example")
    again = order(world, to={"email": ADA})[1]
    assert (again["contact"], len(world.ses.accepted)) == (before, 1)  # the same order is the same message
    answer = order(world, to={"email": ADA}, idempotency_key="k-2")[1]
    assert answer["contact"] != before
    assert [len(world.ses.to(address)) for address in (ADA, "moved@people.example")] == [2, 0]


def test_the_oldest_contact_answers_for_an_email(ada: World) -> None:
    ada.now += timedelta(seconds=1)
    ada.identify("younger", email=ADA)
    assert order(ada, to={"email": ADA})[1]["contact"] == ada.contact(user_id="ada")["contact"]


# --- what is wrong ---------------------------------------------------------------------------------------------------


WRONG: list[tuple[dict[str, Any], int, str, str | None]] = [
    ({"to": {"user_id": "nobody"}}, 404, "unknown_contact", "user_id"),
    ({"to": {"anonymous_id": "nobody"}}, 404, "unknown_contact", "anonymous_id"),
    ({"to": {"contact": "cnobody"}}, 404, "unknown_contact", "contact"),
    ({"to": {"email": "nobody"}}, 400, "invalid_email", "email"),
    ({"to": {"user_id": "u" * 3000}}, 400, "invalid_request", "to.user_id"),
    ({"to": {"contact": "c" * 3000}}, 400, "invalid_request", "to.contact"),
    ({"to": {}}, 400, "invalid_request", "to"),
    ({"to": {"user_id": ""}}, 400, "invalid_request", "to"),
    ({"to": {"user_id": "ada", "email": ADA}}, 400, "invalid_request", "to"),
    ({"to": {"phone": "+48600100200"}}, 400, "invalid_request", "to.phone"),
    ({"to": ADA}, 400, "invalid_request", "to"),
    ({"to": None}, 400, "invalid_request", "to"),
    ({"to": {"user_id": 7}}, 400, "invalid_request", "to.user_id"),
    ({"template": "nobodys"}, 404, "unknown_template", "template"),
    ({"template": "nobodys", "to": {"email": "new@people.example"}}, 404, "unknown_template", "template"),
    ({"template": "Not a name"}, 400, "invalid_request", "template"),
    ({"template": None}, 400, "invalid_request", "template"),
    ({"idempotency_key": ""}, 400, "invalid_request", "idempotency_key"),
    ({"idempotency_key": "k" * 257}, 400, "invalid_request", "idempotency_key"),
    ({"idempotency_key": None}, 400, "invalid_request", "idempotency_key"),
    ({"kind": "spam"}, 400, "invalid_request", "kind"),
    ({"variables": []}, 400, "invalid_request", "variables"),
    ({"subject": "Hello"}, 400, "invalid_request", "subject"),
    ({"variables": {"x": "\ud800"}}, 400, "invalid_text", None),
    ({"idempotency_key": "\ud800"}, 400, "invalid_text", None),
]


def test_an_order_that_is_wrong_stores_and_sends_nothing(ada: World) -> None:
    contacts = ada.items("TABLE_CONTACTS")
    for wrong, status, code, field in WRONG:
        answered, answer = order(ada, **wrong)
        assert (answered, answer["code"], answer.get("field")) == (status, code, field), wrong
    assert ada.items("TABLE_MESSAGES") == ada.ses.accepted == []
    assert ada.items("TABLE_CONTACTS") == contacts


@pytest.mark.parametrize(
    ("traits", "found"),
    [
        ({}, "the contact has no e-mail address"),
        ({"email": "ada at home"}, "the contact's e-mail trait is no address"),
        ({"email": "ada@bücher.example"}, "SES takes letters of ASCII only: write the address's domain as xn--…"),
        ({"email": "adą@people.example"}, "SES takes letters of ASCII only: write the address's domain as xn--…"),
    ],
)
def test_whoever_has_no_address_gets_nothing_and_the_decision_says_so(
    world: World, traits: dict[str, Any], found: str
) -> None:
    world.template("tips")
    world.identify("ada", **traits)
    status, answer = order(world)
    assert (status, answer["state"], answer["decision"]["decided_by"]) == (202, "skipped", "address")
    first, *others = answer["decision"]["checks"]
    assert first == {"check": "address", "passed": False, "found": found}
    assert [(one["check"], one["passed"], one["found"]) for one in others] == [
        (name, None, "not asked") for name in CHECKS[1:]
    ]
    assert world.ses.accepted == []


def test_without_a_sender_nothing_is_sent_and_the_decision_says_so(ada: World) -> None:
    with ada.recorder.unseen():
        ada.accounts._workspaces.change_settings("acme", {"public_url": PUBLIC_URL})
    status, answer = order(ada)
    assert (status, answer["state"], answer["decision"]["decided_by"]) == (202, "skipped", "sender")
    ada.template("tips", **{"from": "Tips <tips@acme.example>"})
    assert order(ada, idempotency_key="k-2")[1]["state"] == "accepted"
    assert ada.ses.accepted[0]["FromEmailAddress"] == "Tips <tips@acme.example>"


def test_the_workspaces_sender_stands_in_where_the_template_names_none(ada: World) -> None:
    order(ada)
    assert ada.ses.accepted[0]["FromEmailAddress"] == "Acme <hello@acme.example>"


# --- once ------------------------------------------------------------------------------------------------------------


def test_the_answer_is_the_message_with_every_check(ada: World) -> None:
    status, answer = order(ada, kind="transactional")
    assert status == 202
    assert answer["decision"] == {
        "send": True,
        "decided_by": "",
        "at": "2026-11-21T09:00:00.000000Z",
        "checks": [
            {"check": "address", "passed": True, "found": "the contact has an e-mail address"},
            {"check": "suppression", "passed": True, "found": "the address is not on the suppression list"},
            {"check": "suppression_rules", "passed": True, "found": "no suppression rule holds"},
            {"check": "consent", "passed": True, "found": "transactional mail needs no consent"},
            {"check": "sending", "passed": True, "found": "the workspace may send"},
            {"check": "sender", "passed": True, "found": "the sender is verified"},
            {"check": "unsubscribe", "passed": True, "found": "transactional mail needs no way out"},
            {"check": "template", "passed": True, "found": "the template renders"},
        ],
        "versions": {"template": 1},
    }
    assert (answer["kind"], answer["provider_id"], answer["cause"]) == ("transactional", "ses-1", {"api": "k-1"})
    assert message(ada, answer["message"]) == answer
    assert ada.ses.accepted[0]["EmailTags"] == [
        {"Name": "tidings_kind", "Value": "transactional"},
        {"Name": "tidings_message", "Value": answer["message"]},
        {"Name": "tidings_template", "Value": "tips"},
        {"Name": "tidings_workspace", "Value": "acme"},
    ]


def test_the_same_order_again_is_the_same_message(ada: World) -> None:
    first = order(ada)
    ada.now += timedelta(days=1)
    ada.cold("send_email")
    assert order(ada) == first
    assert len(ada.ses.accepted) == 1


def test_the_same_key_with_another_body_is_a_conflict(ada: World) -> None:
    order(ada)
    for changed in ({"variables": {"x": 1}}, {"kind": "transactional"}, {"to": {"email": ADA}}):
        status, answer = order(ada, **changed)
        assert (status, answer["code"]) == (409, "idempotency_conflict")
    assert len(ada.ses.accepted) == 1


def test_the_same_key_with_another_body_is_a_conflict_while_the_first_is_not_settled_too(ada: World) -> None:
    ada.ses.failing = ["timeout"]
    order(ada)
    status, answer = order(ada, variables={"x": 1})
    assert (status, answer["code"]) == (409, "idempotency_conflict")


def test_the_same_key_for_somebody_else_is_a_conflict(ada: World) -> None:
    ada.identify("bob", email="bob@people.example")
    assert order(ada)[0] == 202
    status, answer = order(ada, to={"user_id": "bob"})
    assert (status, answer["code"]) == (409, "idempotency_conflict")
    assert len(ada.ses.accepted) == 1


def test_a_body_that_is_refused_may_be_mended_under_the_same_key(ada: World) -> None:
    assert order(ada, template="nobodys")[0] == 404
    assert order(ada, to={"user_id": "nobody"})[0] == 404
    assert order(ada)[0] == 202
    assert len(ada.ses.accepted) == 1


def test_the_same_order_again_after_the_person_was_recognised_is_the_same_message(world: World) -> None:
    world.template("tips")
    world.ingest("identify", {"anonymousId": "a-9", "traits": {"email": ADA}})
    world.identify("ada")
    first = order(world, to={"anonymous_id": "a-9"})
    world.ingest("track", {"userId": "ada", "anonymousId": "a-9", "event": "Signed In"})
    world.pump()
    assert world.contact(anonymous_id="a-9")["contact"] != first[1]["contact"]
    assert order(world, to={"anonymous_id": "a-9"}) == first
    assert len(world.ses.accepted) == 1


def meanwhile(world: World, operation: str, do: Callable[[], Any]) -> None:
    """Let something happen in another process right before the next call of an operation."""

    def before(call: Call) -> None:
        if call.operation == operation:
            world.recorder.before = None
            mine = world._modules.pop("send_email")
            do()
            world._modules["send_email"] = mine

    world.recorder.before = before


def test_two_processes_with_the_same_order_send_one_mail(ada: World) -> None:
    answers: list[Any] = []
    meanwhile(ada, "TransactWriteItems", lambda: answers.append(order(ada)))
    answers.append(order(ada))
    assert [(status, answer["state"]) for status, answer in answers] == [(202, "accepted")] * 2
    assert len(ada.ses.accepted) == 1


def test_an_order_that_meets_another_still_under_way_sends_nothing_and_says_claimed(ada: World) -> None:
    answers: list[Any] = []
    meanwhile(ada, "SendEmail", lambda: answers.append(order(ada)))
    answers.append(order(ada))
    assert [(status, answer["state"]) for status, answer in answers] == [(202, "claimed"), (202, "accepted")]
    assert len(ada.ses.accepted) == 1


# --- what SES says ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["MessageRejected", "MailFromDomainNotVerifiedException", "AccountSuspendedException"])
def test_a_mail_that_ses_refuses_is_refused_and_stays_so(ada: World, code: str) -> None:
    ada.ses.failing = [code]
    status, answer = order(ada)
    assert (status, answer["state"], answer["error"]) == (202, "refused", code)
    assert order(ada)[1]["state"] == "refused"
    assert message(ada, answer["message"])["history"].keys() == {"claimed", "refused"}
    assert ada.ses.accepted == []


@pytest.mark.parametrize("code", ["TooManyRequestsException", "LimitExceededException", "SendingPausedException"])
def test_when_ses_asks_to_slow_down_the_caller_is_told_and_the_repeat_sends_once(ada: World, code: str) -> None:
    ada.ses.failing = [code]
    event = {
        "headers": {"authorization": f"Bearer {ada.keys['secret']}"},
        "requestContext": {"http": {"method": "POST"}},
        "body": '{"to": {"user_id": "ada"}, "template": "tips", "idempotency_key": "k-1"}',
    }
    answer = ada.invoke("send_email", event)
    assert answer["statusCode"] == 429
    assert answer["headers"]["retry-after"] == "1"
    assert [order(ada)[1]["state"] for _ in range(2)] == ["accepted", "accepted"]
    assert len(ada.ses.accepted) == 1


@pytest.mark.parametrize("failure", ["timeout", "lost", "InternalFailure"])
def test_a_mail_of_which_nobody_can_tell_is_claimed_and_not_sent_again(ada: World, failure: str) -> None:
    ada.ses.failing = [failure]
    sent = failure == "timeout"
    for _ in range(3):
        status, answer = order(ada)
        assert (status, answer["state"]) == (202, "claimed")
        ada.now += timedelta(minutes=1)
    assert len(ada.ses.accepted) == sent


def test_the_send_event_settles_what_the_answer_did_not(ada: World) -> None:
    ada.ses.failing = ["timeout"]
    order(ada)
    (mail,) = ada.ses.accepted
    ada.feedback(ada.ses.event("Send", mail))
    assert order(ada)[1]["state"] == "accepted"
    ada.now += timedelta(hours=1)
    settle(ada)
    assert unknown(ada) == []
    assert len(ada.ses.accepted) == 1


def test_the_send_event_may_come_before_the_answer(ada: World) -> None:
    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems" and ada.ses.accepted:
            ada.recorder.before = None
            ada.feedback(ada.ses.event("Delivery", ada.ses.accepted[0]), pump=False)

    ada.recorder.before = before
    status, answer = order(ada)
    assert (status, answer["state"]) == (202, "accepted")
    assert message(ada, answer["message"])["state"] == "delivered"


def test_without_answer_and_event_a_mail_ends_as_unknown_is_listed_and_counted(
    ada: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ada.ses.failing = ["timeout"]
    name = order(ada)[1]["message"]
    ada.now += timedelta(minutes=4)
    settle(ada)
    assert unknown(ada) == []
    ada.now += timedelta(seconds=1)
    settle(ada)
    settle(ada)
    assert unknown(ada) == [name]
    assert message(ada, name)["state"] == "unknown"
    assert order(ada)[1]["state"] == "unknown"
    assert len(ada.ses.accepted) == 1
    counted = [line for line in capsys.readouterr().out.splitlines() if "UnknownMessages" in line]
    assert ['"UnknownMessages": 1}' in line for line in counted] == [False, True, False]


def test_a_late_event_settles_even_what_ended_as_unknown(ada: World) -> None:
    ada.ses.failing = ["timeout"]
    name = order(ada)[1]["message"]
    ada.now += timedelta(minutes=5)
    settle(ada)
    ada.feedback(ada.ses.event("Delivery", ada.ses.accepted[0]))
    assert (unknown(ada), message(ada, name)["state"]) == ([], "delivered")


def test_settling_ends_old_claims_of_every_shard_and_no_other(ada: World) -> None:
    for number in range(12):
        ada.ses.failing = ["timeout" if number < 10 else ""]
        order(ada, idempotency_key=f"old-{number}")
    ada.now += timedelta(minutes=4)
    ada.ses.failing = ["timeout"]
    order(ada, idempotency_key="young")
    ada.now += timedelta(seconds=30)
    settle(ada)
    assert len(unknown(ada)) == 10


def test_a_claim_that_settles_while_it_is_being_given_up_is_not_given_up(ada: World) -> None:
    ada.ses.failing = ["timeout"]
    name = order(ada)[1]["message"]
    ada.now += timedelta(minutes=5)

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            ada.recorder.before = None
            ada.feedback(ada.ses.event("Send", ada.ses.accepted[0]), pump=False)

    ada.recorder.before = before
    settle(ada)
    assert (unknown(ada), message(ada, name)["state"]) == ([], "accepted")


# --- looking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x", "c1", "c1-m1", "c1-", "c" * 3000, "010001-ses"])
def test_a_message_that_is_not_there_is_not_found(ada: World, name: str) -> None:
    status, answer = ada.call("messages", "GET /v1/messages/{message}", path={"message": name})
    assert (status, answer["code"]) == (404, "not_found" if len(name) > 512 else "unknown_message")


@pytest.mark.parametrize("query", [{}, {"state": "accepted"}, {"state": ""}])
def test_only_what_is_unknown_can_be_listed(ada: World, query: dict[str, str]) -> None:
    status, answer = ada.call("messages", "GET /v1/messages", query=query)
    assert (status, answer["code"], answer["field"]) == (400, "invalid_state", "state")


def test_when_the_database_is_busy_the_order_may_be_repeated(ada: World) -> None:
    failures = ["ThrottlingException"] * 3

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems" and failures:
            code = failures.pop()
            raise ClientError({"Error": {"Code": code, "Message": code}}, call.operation)

    ada.recorder.before = before
    assert [order(ada)[0] for _ in range(4)] == [429, 429, 429, 202]
    assert len(ada.ses.accepted) == 1


# --- in automations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_unknown", "mails", "outcome", "state"),
    [("hold", 1, "unknown", "unknown"), ("resend", 2, "accepted", "accepted")],
)
def test_an_automations_mail_that_stays_unknown_is_sent_again_only_if_it_says_resend(
    ada: World, on_unknown: str, mails: int, outcome: str, state: str
) -> None:
    tips = {"type": "send_email", "template": "tips", "on_unknown": on_unknown}
    ada.automation(
        {"automation": "welcome", "trigger": {"event": "Signed Up"}, "start": "tips", "components": {"tips": tips}}
    )
    ada.track("ada", "Signed Up")
    (execution,) = ada.executions.values()
    ada.ses.failing = ["timeout"]
    for minutes in (0, 1):
        ada.now += timedelta(minutes=minutes)
        with pytest.raises(Exception, match=r"not settled|no answer"):
            execution.step(ada.task)
    ada.now += timedelta(minutes=4)
    settle(ada)
    execution.step(ada.task)
    contact = ada.contact(user_id="ada")["contact"]
    (enrolment,) = ada.of_contact(contact, "enrolments")
    (sent,) = ada.of_contact(contact, "messages")
    assert (len(ada.ses.accepted), enrolment["path"][0]["outcome"], sent["state"]) == (mails, outcome, state)
    assert len(set(ada.ses.messages())) == 1


def test_an_automations_mail_that_ses_refuses_leaves_by_on_skipped(ada: World) -> None:
    components = {
        "tips": {"type": "send_email", "template": "tips", "next": "more", "on_skipped": "other"},
        "more": {"type": "send_email", "template": "tips"},
        "other": {"type": "send_email", "template": "tips"},
    }
    ada.automation(
        {"automation": "welcome", "trigger": {"event": "Signed Up"}, "start": "tips", "components": components}
    )
    ada.ses.failing = ["MessageRejected"]
    ada.track("ada", "Signed Up")
    ada.run()
    (enrolment,) = ada.of_contact(ada.contact(user_id="ada")["contact"], "enrolments")
    assert [(one["component"], one["outcome"]) for one in enrolment["path"]] == [
        ("tips", "refused"),
        ("other", "accepted"),
    ]


WITHOUT = [
    ({}, {}, "unsubscribe", "the workspace has no public address for unsubscribing"),
    ({"public_url": PUBLIC_URL}, {"template": "gone"}, "template", "there is no template named gone"),
]


@pytest.mark.parametrize(("settings", "component", "decided_by", "found"), WITHOUT)
def test_what_a_mail_lacks_leads_on_by_on_skipped_and_is_named(
    ada: World, settings: dict[str, str], component: dict[str, str], decided_by: str, found: str
) -> None:
    with ada.recorder.unseen():
        ada.accounts._workspaces.change_settings("acme", {"default_from": "Acme <hello@acme.example>", **settings})
    ada.template("gone")
    components = {
        "tips": {"type": "send_email", "template": "tips", "next": "more", "on_skipped": "other", **component},
        "more": {"type": "send_email", "template": "tips", "kind": "transactional"},
        "other": {"type": "send_email", "template": "tips", "kind": "transactional"},
    }
    ada.automation(
        {"automation": "welcome", "trigger": {"event": "Signed Up"}, "start": "tips", "components": components}
    )
    for item in [one for one in ada.items("TABLE_TEMPLATES") if one["sk"]["S"] == "live#gone"]:
        with ada.recorder.unseen():
            key = {name: item[name] for name in ("pk", "sk")}
            ada.dynamodb.delete_item(TableName=variables()["TABLE_TEMPLATES"], Key=key)
    ada.track("ada", "Signed Up")
    ada.run()
    contact = ada.contact(user_id="ada")["contact"]
    (enrolment,) = ada.of_contact(contact, "enrolments")
    assert [one["outcome"] for one in enrolment["path"]] == ["skipped", "accepted"]
    skipped = next(one for one in ada.of_contact(contact, "messages") if one["state"] == "skipped")
    assert skipped["decision"]["decided_by"] == decided_by
    assert found in [check["found"] for check in skipped["decision"]["checks"]]


def test_an_address_that_became_none_gets_nothing_and_the_decision_says_so(ada: World) -> None:
    ada.identify("ada", email="ada at home")
    status, answer = order(ada)
    assert (status, answer["state"], answer["decision"]["decided_by"]) == (202, "skipped", "address")


def test_a_topic_that_nobody_made_is_named(ada: World) -> None:
    status, answer = order(ada, topic="nobodys")
    assert (status, answer["state"], answer["decision"]["decided_by"]) == (202, "skipped", "consent")
    consent = next(one for one in answer["decision"]["checks"] if one["check"] == "consent")
    assert consent["found"] == "there is no topic named nobodys"
