"""Sending texts by API and in automations: one recipient, at most one text, its parts known before."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.world import OUR_NUMBER, PUBLIC_URL, SMS_SETUP, THEIR_NUMBER, World, variables

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.messages.model import CHECKS_OF
from tidings.sms.links import shortened

ADA = THEIR_NUMBER
# Marketing with a short link, the pointer for answers, and the event: 28. Of the step another four: two count it, one
# lists it by its component, and one says who stands where.
WRITE_UNITS = 32
WAY_OUT = f"\nSTOP: {PUBLIC_URL}/l/"


@pytest.fixture
def ada(world: World) -> World:
    """A workspace in which Ada has a number, and a template of texts."""
    world.template("pin", channel="sms", subject="", text="Hi {{ contact.first_name }}, {{ variables.code }}")
    world.identify("ada", phone=ADA, firstName="Ada")
    return world


def order(world: World, key: str = "secret", **fields: Any) -> tuple[int, dict[str, Any]]:
    body = {"to": {"user_id": "ada"}, "template": "pin", "kind": "transactional", "idempotency_key": "k-1", **fields}
    return world.call("send_sms", "POST /v1/sms", {k: v for k, v in body.items() if v is not None}, key)


def preview(world: World, **fields: Any) -> dict[str, Any]:
    status, answer = world.call("send_sms", "POST /v1/sms/preview", fields)
    assert status == 200, answer
    return answer


def setup(world: World, **changes: Any) -> None:
    """Change what texts may leave from."""
    with world.recorder.unseen():
        store = DynamoWorkspaceStore(world.database)
        before = store.get("acme", consistent=True)
        assert before
        store.change_sms(before, {**SMS_SETUP, **changes})


def suppress(world: World) -> None:
    path = {"channel": "sms", "address": ADA}
    status, answer = world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", {}, path=path)
    assert status == 200, answer


def found(answer: dict[str, Any], check: str) -> tuple[bool | None, str]:
    """What a check of a decision found."""
    return next((one["passed"], one["found"]) for one in answer["decision"]["checks"] if one["check"] == check)


# --- to whom ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["user_id", "phone", "phone in another spelling", "contact"])
def test_a_recipient_is_named_in_any_one_way(ada: World, way: str) -> None:
    contact = ada.contact(user_id="ada")["contact"]
    named = {
        "user_id": {"user_id": "ada"},
        "phone": {"phone": ADA},
        "phone in another spelling": {"phone": "0048 600-100-200"},
        "contact": {"contact": contact},
    }[way]
    status, answer = order(ada, to=named, variables={"code": 7})
    assert (status, answer["state"], answer["contact"], answer["address"]) == (202, "accepted", contact, ADA)
    assert [text["MessageBody"] for text in ada.sms.to(ADA)] == ["Hi Ada, 7"]


def test_a_number_that_nobody_has_makes_one_contact(ada: World) -> None:
    first = order(ada, to={"phone": "+48600100201"})[1]
    second = order(ada, to={"phone": "+48600100201"}, idempotency_key="k-2")[1]
    assert first["contact"] == second["contact"] == ada.contact(phone="+48600100201")["contact"]
    ada.pump()
    events = {event["event"] for event in ada.of_contact(first["contact"], "events")}
    assert events == {"Contact Created", "SMS Sent"}
    assert len(ada.sms.to("+48600100201")) == 2


@pytest.mark.parametrize(
    ("fields", "status", "code", "field"),
    [
        ({"to": {"phone": "600 100 200"}}, 400, "invalid_phone", "phone"),
        ({"to": {"phone": "+4860010"}}, 400, "invalid_phone", "phone"),
        ({"to": {"user_id": "nobody"}}, 404, "unknown_contact", "user_id"),
        ({"to": {"user_id": "ada", "phone": ADA}}, 400, "invalid_request", "to"),
        ({"template": "other"}, 404, "unknown_template", "template"),
        ({"template": "letter"}, 400, "wrong_channel", "template"),
        ({"text": "Hi"}, 400, "invalid_request", "template"),
        ({"template": None}, 400, "invalid_request", "template"),
        ({"template": None, "text": " "}, 400, "invalid_request", "template"),
        ({"idempotency_key": ""}, 400, "invalid_request", "idempotency_key"),
        ({"lifetime": 4}, 400, "invalid_request", "lifetime"),
        ({"lifetime": 259_201}, 400, "invalid_request", "lifetime"),
        ({"max_price": "1"}, 400, "invalid_request", "max_price"),
        ({"at": "2027-01-01T00:00:00Z"}, 400, "invalid_request", "at"),
    ],
)
def test_what_cannot_be_ordered_is_refused_with_its_field(
    ada: World, fields: dict[str, Any], status: int, code: str, field: str
) -> None:
    ada.template("letter")
    got, answer = order(ada, **fields)
    assert (got, answer["code"], answer.get("field")) == (status, code, field)
    assert ada.sms.calls == []


def test_a_refused_body_may_be_mended_under_its_key(ada: World) -> None:
    assert order(ada, template="other")[0] == 404
    assert order(ada)[1]["state"] == "accepted"


# --- once ------------------------------------------------------------------------------------------------------------


def test_the_same_key_again_is_the_same_text_and_with_another_body_a_conflict(ada: World) -> None:
    first, second = order(ada)[1], order(ada)[1]
    assert first == second
    assert len(ada.sms.accepted) == 1
    status, answer = order(ada, sender="ACME")
    assert (status, answer["code"]) == (409, "idempotency_conflict")


def test_a_mail_and_a_text_under_one_key_are_two_messages(ada: World) -> None:
    ada.template("letter")
    ada.identify("ada", email="ada@people.example")
    body = {"to": {"user_id": "ada"}, "template": "letter", "idempotency_key": "k-1"}
    assert ada.call("send_email", "POST /v1/emails", body)[0] == 202
    assert order(ada)[1]["state"] == "accepted"
    assert len({one["message"] for one in ada.of_contact(ada.contact(user_id="ada")["contact"], "messages")}) == 2


def test_a_throttled_text_is_released_and_sent_by_a_repeat(ada: World) -> None:
    ada.sms.failing = ["ThrottlingException"]
    assert order(ada)[0] == 429
    assert order(ada)[1]["state"] == "accepted"
    assert len(ada.sms.accepted) == 1


def test_what_the_provider_refuses_is_refused_with_its_word(ada: World) -> None:
    ada.sms.failing = ["ValidationException"]
    answer = order(ada)[1]
    assert (answer["state"], answer["error"]) == ("refused", "ValidationException")
    assert order(ada)[1]["state"] == "refused"
    assert ada.sms.accepted == []


@pytest.mark.parametrize("failure", ["timeout", "lost", "InternalServerException"])
def test_without_an_answer_nobody_sends_again(ada: World, failure: str) -> None:
    ada.sms.failing = [failure]
    assert order(ada)[1]["state"] == "claimed"
    assert order(ada)[1]["state"] == "claimed"
    assert len(ada.sms.of("SendTextMessage")) == 1


def test_the_provider_s_event_settles_a_text_whose_answer_was_lost(ada: World) -> None:
    ada.sms.failing = ["timeout"]
    order(ada)
    assert ada.told_of_text(ada.sms.event("TEXT_DELIVERED", ada.sms.accepted[0]))
    assert order(ada)[1]["state"] == "delivered"
    assert len(ada.sms.accepted) == 1


# --- what is checked -------------------------------------------------------------------------------------------------


def test_every_check_is_asked_in_its_order(ada: World) -> None:
    answer = order(ada)[1]
    names = tuple(check["check"] for check in answer["decision"]["checks"])
    assert names == tuple(name for name in CHECKS_OF["sms"])  # type: ignore[index]
    assert found(answer, "length") == (True, "GSM, 7 units, 1 part")
    assert answer["transport"] == {"sender": "ACME", "country": "PL", "encoding": "GSM", "units": 7, "parts": 1}


def test_a_suppressed_number_is_not_written_to(ada: World) -> None:
    suppress(ada)
    answer = order(ada)[1]
    assert (answer["state"], answer["decision"]["decided_by"]) == ("skipped", "suppression")
    ada.pump()
    names = [event["event"] for event in ada.of_contact(answer["contact"], "events")]
    assert "SMS Skipped" in names
    assert ada.sms.calls == []


def test_suppressing_an_address_of_mail_lets_texts_go(ada: World) -> None:
    ada.identify("ada", email="ada@people.example")
    path = {"channel": "email", "address": "ada@people.example"}
    ada.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", {}, path=path)
    assert order(ada)[1]["state"] == "accepted"


def test_without_a_number_nothing_else_is_asked(world: World) -> None:
    world.template("pin", channel="sms", subject="", text="Hi")
    world.identify("ada", phone="call me")
    answer = order(world)[1]
    assert (answer["state"], answer["decision"]["decided_by"]) == ("skipped", "address")
    assert found(answer, "consent") == (None, "not asked")


@pytest.mark.parametrize(
    ("fields", "changes", "told"),
    [
        ({"sender": "SHOP"}, {}, "the workspace has no such sender"),
        ({"sender": "ACME", "two_way": True}, {}, "a name receives no answers"),
        ({}, {"sender_ids": {}, "numbers": {}}, "there is no sender for transactional messages to PL"),
        ({"sender": "ACME"}, {"sender_ids": {"ACME": {"PL": "requested"}}}, "it is requested in PL"),
    ],
)
def test_a_sender_that_is_not_active_is_refused_before_anything_is_sent(
    ada: World, fields: dict[str, Any], changes: dict[str, Any], told: str
) -> None:
    setup(ada, **changes)
    answer = order(ada, **fields)[1]
    assert (answer["state"], answer["decision"]["decided_by"]) == ("skipped", "sender")
    assert told in found(answer, "sender")[1]
    if "numbers" not in changes:
        assert (
            f"these would work: {'' if fields.get('two_way') or changes else 'ACME, '}{OUR_NUMBER}"
            in found(answer, "sender")[1]
        )
    assert ada.sms.calls == []


def test_an_order_says_its_sender_its_price_and_its_time(ada: World) -> None:
    order(ada, sender=OUR_NUMBER, max_price="0.05", lifetime=600)
    (text,) = ada.sms.accepted
    assert (text["OriginationIdentity"], text["MaxPrice"], text["TimeToLive"]) == (OUR_NUMBER, "0.05", 600)


def test_the_setup_says_what_an_order_does_not(ada: World) -> None:
    setup(ada, plan={"PL": {"*": OUR_NUMBER}}, max_price="0.1", lifetime=3600)
    order(ada)
    (text,) = ada.sms.accepted
    assert (text["OriginationIdentity"], text["MaxPrice"], text["TimeToLive"]) == (OUR_NUMBER, "0.1", 3600)


def test_the_template_s_sender_stands_where_the_order_names_none(ada: World) -> None:
    ada.template("pin", channel="sms", subject="", text="Hi", **{"from": OUR_NUMBER})
    order(ada)
    assert ada.sms.accepted[0]["OriginationIdentity"] == OUR_NUMBER


def test_india_is_told_who_is_registered_as_what(ada: World) -> None:
    told = {"IN_ENTITY_ID": "11", "IN_TEMPLATE_ID": "22"}
    setup(ada, countries={"IN": {"parameters": told}})
    order(ada, to={"phone": "+919999999999"}, sender=OUR_NUMBER)
    assert ada.sms.accepted[0]["DestinationCountryParameters"] == told


# --- marketing -------------------------------------------------------------------------------------------------------


def test_marketing_from_a_name_gets_a_short_way_out_at_its_end(ada: World) -> None:
    order(ada, kind="marketing")
    (text,) = ada.sms.accepted
    assert text["MessageType"] == "PROMOTIONAL"
    assert text["MessageBody"].startswith(f"Hi Ada,{WAY_OUT}")
    assert len(ada.items("TABLE_SHORT_LINKS")) == 1


def test_marketing_that_has_its_way_out_gets_no_second_one(ada: World) -> None:
    ada.template("pin", channel="sms", subject="", text="Sale! No more: {{ unsubscribe_url }} Bye")
    order(ada, kind="marketing")
    body = ada.sms.accepted[0]["MessageBody"]
    assert body.startswith(f"Sale! No more: {PUBLIC_URL}/l/")
    assert (body.endswith(" Bye"), body.count("https://")) == (True, 1)


def test_marketing_from_a_number_that_receives_stop_needs_no_link(ada: World) -> None:
    answer = order(ada, kind="marketing", sender=OUR_NUMBER)[1]
    assert found(answer, "unsubscribe") == (True, "the sender receives STOP")
    assert ada.sms.accepted[0]["MessageBody"] == "Hi Ada,"


def test_without_an_address_for_a_link_marketing_leaves_only_from_what_receives_stop(ada: World) -> None:
    with ada.recorder.unseen():
        ada.dynamodb.update_item(
            TableName=variables()["TABLE_WORKSPACES"], Key={"pk": {"S": "acme"}}, UpdateExpression="REMOVE settings"
        )
    answer = order(ada, kind="marketing")[1]
    assert answer["decision"]["decided_by"] == "unsubscribe"
    assert order(ada, kind="marketing", sender=OUR_NUMBER, idempotency_key="k-2")[1]["state"] == "accepted"


# --- how long --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told", "sent"),
    [
        ("a" * 1600, "GSM, 1600 units, 11 parts", True),
        ("a" * 1601, "GSM, 1601 units, 11 parts: the provider takes 1600 units at most", False),
        ("ą" * 630, "Unicode, 630 units, 10 parts", True),
        ("ą" * 631, "Unicode, 631 units, 10 parts: the provider takes 630 units at most", False),
        ("{{ variables.nothing }}", "the text is empty", False),
    ],
)
def test_what_is_too_long_or_empty_is_refused_before_anything_is_sent(
    ada: World, text: str, told: str, sent: bool
) -> None:
    answer = order(ada, template=None, text=text)[1]
    assert found(answer, "length") == (sent, told)
    assert len(ada.sms.calls) == sent


@pytest.mark.parametrize(
    ("template", "said", "body"),
    [
        (False, None, "“Hi” – Ada…"),
        (True, None, '"Hi" - Ada...'),
        (False, True, '"Hi" - Ada...'),
        (True, False, "“Hi” – Ada…"),
    ],
)
def test_typographic_characters_are_replaced_where_the_order_or_else_the_template_says(
    ada: World, template: bool, said: bool | None, body: str
) -> None:
    ada.template("pin", channel="sms", subject="", text="“Hi” – {{ contact.first_name }}…", gsm7=template)
    answer = order(ada, gsm7=said)[1]
    assert ada.sms.accepted[0]["MessageBody"] == body
    assert answer["transport"]["encoding"] == ("GSM" if body.isascii() else "Unicode")


def test_links_are_short_and_the_same_for_a_repeat(ada: World) -> None:
    answer = order(ada, template=None, text="See https://shop.example/a")[1]
    workspace = DynamoWorkspaceStore(ada.database).get("acme")
    assert workspace
    expected = shortened("See https://shop.example/a", answer["message"], workspace, PUBLIC_URL, {"shop.example"})[0]
    assert ada.sms.accepted[0]["MessageBody"] == expected != "See https://shop.example/a"


def test_two_texts_of_their_own_are_not_mistaken_for_one(ada: World) -> None:
    order(ada, template=None, text="One {{ contact.first_name }}")
    order(ada, template=None, text="Two {{ contact.first_name }}", idempotency_key="k-2")
    assert [text["MessageBody"] for text in ada.sms.accepted] == ["One Ada", "Two Ada"]


# --- before sending --------------------------------------------------------------------------------------------------


def test_a_dry_run_says_everything_and_leaves_nothing_behind(ada: World) -> None:
    setup(ada, countries={"PL": {"price": "0.03"}})
    before = {
        table: ada.items(table) for table in ("TABLE_MESSAGES", "TABLE_SENDS", "TABLE_SHORT_LINKS", "TABLE_EVENTS")
    }
    status, answer = order(ada, dry_run=True, template=None, text="ą" * 71, idempotency_key="")
    assert (status, answer["decision"]["send"], answer["provider"]) == (202, True, {"takes": True, "error": ""})
    assert (answer["encoding"], answer["units"], answer["parts"], answer["price"]) == ("Unicode", 71, 2, "0.06")
    assert {table: ada.items(table) for table in before} == before
    assert (ada.sms.accepted, ada.sms.of("SendTextMessage")[0]["DryRun"]) == ([], True)


def test_a_dry_run_to_a_number_that_nobody_has_makes_nobody(ada: World) -> None:
    contacts = len(ada.items("TABLE_CONTACTS"))
    answer = order(ada, dry_run=True, to={"phone": "+48600100201"})[1]
    assert (answer["contact"], answer["decision"]["send"]) == (None, True)
    assert len(ada.items("TABLE_CONTACTS")) == contacts


def test_a_dry_run_of_what_may_not_go_asks_nobody(ada: World) -> None:
    suppress(ada)
    answer = order(ada, dry_run=True)[1]
    assert (answer["decision"]["decided_by"], answer["provider"], answer["text"]) == ("suppression", None, None)
    assert ada.sms.calls == []


def test_a_dry_run_tells_what_the_provider_would_refuse(ada: World) -> None:
    ada.sms.failing = ["ValidationException"]
    assert order(ada, dry_run=True)[1]["provider"] == {"takes": False, "error": "ValidationException"}


def test_a_preview_names_what_forces_unicode_and_what_gsm7_would_make_of_it(ada: World) -> None:
    shown = preview(
        ada, text="“Hi” {{ contact.first_name }}{{ variables.x }}", to={"user_id": "ada"}, kind="transactional"
    )
    assert (shown["text"], shown["encoding"], shown["units"], shown["parts"]) == ("“Hi” Ada", "Unicode", 8, 1)
    assert shown["forces_unicode"] == [{"character": "“", "at": 0, "by": '"'}, {"character": "”", "at": 3, "by": '"'}]
    assert shown["with_gsm7"] == {"text": '"Hi" Ada', "encoding": "GSM", "units": 8, "parts": 1}
    assert (shown["missing"], shown["price"], shown["sender"]) == (["variables.x"], None, "ACME")
    assert ada.sms.calls == []


def test_a_preview_takes_made_up_people(ada: World) -> None:
    data = {"contact": {"first_name": "Zoë"}, "variables": {"code": 5}}
    shown = preview(ada, template="pin", data=data, kind="transactional")
    assert (shown["text"], shown["template"], shown["version"]) == ("Hi Zoë, 5", "pin", 1)


def test_a_preview_counts_the_way_out_and_short_links_as_a_message_does(ada: World) -> None:
    text = "Sale https://shop.example/" + "a" * 200
    shown = preview(ada, text=text, to={"user_id": "ada"})
    answer = order(ada, template=None, text=text, kind="marketing")[1]
    assert (shown["units"], shown["parts"]) == (answer["transport"]["units"], answer["transport"]["parts"])


def test_a_preview_of_what_is_too_long_says_so(ada: World) -> None:
    shown = preview(ada, text="ą" * 631, kind="transactional")
    assert (shown["too_long"], len(shown["forces_unicode"])) == (True, 50)


@pytest.mark.parametrize("key", ["write", "publishable"])
def test_only_secret_keys_send_and_preview(ada: World, key: str) -> None:
    assert order(ada, key)[0] in (401, 403)
    assert ada.call("send_sms", "POST /v1/sms/preview", {"text": "Hi"}, key)[0] in (401, 403)


# --- automations -----------------------------------------------------------------------------------------------------

CONFIRM = {
    "automation": "confirm",
    "trigger": {"event": "Booked"},
    "start": "guard",
    "components": {
        "guard": {"type": "check_suppression", "channel": "sms", "clear": "ask", "suppressed": "over"},
        "ask": {"type": "send_sms", "template": "pin", "kind": "transactional", "two_way": True, "max_price": "0.2",
                "lifetime": 600, "next": "over"},
        "over": {"type": "end"},
    },
}  # fmt: skip


def test_an_automation_sends_a_text_once(ada: World) -> None:
    ada.automation(CONFIRM)
    ada.track("ada", "Booked")
    ada.run()
    (text,) = ada.sms.accepted
    assert (text["OriginationIdentity"], text["MaxPrice"], text["TimeToLive"]) == (OUR_NUMBER, "0.2", 600)
    contact = ada.contact(user_id="ada")["contact"]
    (message,) = ada.of_contact(contact, "messages")
    assert (message["channel"], message["state"], message["cause"]["component"]) == ("sms", "accepted", "ask")
    (enrolment,) = ada.of_contact(contact, "enrolments")
    assert [(step["component"], step["outcome"]) for step in enrolment["path"]] == [
        ("guard", "clear"),
        ("ask", "accepted"),
    ]


def test_a_suppressed_number_goes_the_other_way(ada: World) -> None:
    suppress(ada)
    ada.automation(CONFIRM)
    ada.track("ada", "Booked")
    ada.run()
    (enrolment,) = ada.of_contact(ada.contact(user_id="ada")["contact"], "enrolments")
    assert [(step["component"], step["outcome"]) for step in enrolment["path"]] == [("guard", "suppressed")]
    assert ada.sms.calls == []


def test_a_template_of_mails_sends_no_text(ada: World) -> None:
    """Its channel may be changed after the automation was published."""
    ada.template("pin2", channel="sms")
    ada.automation({**CONFIRM, "components": {"ask": {"type": "send_sms", "template": "pin2"}}, "start": "ask"})
    ada.template("pin2")
    ada.track("ada", "Booked")
    ada.run()
    (message,) = ada.of_contact(ada.contact(user_id="ada")["contact"], "messages")
    assert (message["state"], found(message, "template")[1]) == ("skipped", "the template pin2 is of the channel email")
    assert ada.sms.calls == []


# --- templates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({"text": "Hi {{ contact.first_name | default: 'Zażółć' }}"}, []),
        ({"text": "Your order “{{ variables.n }}” is on its way…", "variables": {"n": 1}}, ["unicode_text"]),
        ({"text": "Your order “5” is on its way…", "gsm7": True}, []),
        ({"text": "Zażółć"}, ["unicode_text"]),
        ({"text": "a" * 161}, ["several_parts"]),
        ({"text": "a" * 1601}, ["long_text"]),
        ({"text": "Hi", "html": "<p>Hi</p>"}, ["invalid_template"]),
        ({"text": "Hi", "subject": "Hi"}, ["invalid_template"]),
        ({"text": ""}, ["invalid_template"]),
    ],
)
def test_lint_says_what_makes_a_text_cost_more(world: World, fields: dict[str, Any], codes: list[str]) -> None:
    body = {"channel": "sms", "kind": "transactional", **fields}
    status, answer = world.call("templates", "POST /v1/templates/lint", body)
    assert (status, [finding["code"] for finding in answer["findings"]]) == (200, codes)


def test_marketing_texts_are_not_asked_for_a_link_out(world: World) -> None:
    answer = world.call("templates", "POST /v1/templates/lint", {"channel": "sms", "text": "Sale"})[1]
    assert answer["findings"] == []


def test_a_template_of_texts_is_previewed_with_its_parts(ada: World) -> None:
    path = {"name": "pin"}
    status, shown = ada.call("templates", "POST /v1/templates/{name}/preview", {"user_id": "ada"}, path=path)
    assert (status, shown["text"], shown["encoding"], shown["parts"]) == (200, "Hi Ada,", "GSM", 1)
    assert (shown["html"], shown["missing"]) == ("", ["variables.code"])


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_a_text_of_an_automation_takes_six_calls_and_no_more_units_than_it_did(ada: World) -> None:
    ada.automation({**CONFIRM, "start": "ask", "components": {"ask": {"type": "send_sms", "template": "pin"}}})
    ada.track("ada", "Booked")
    ada.recorder.clear()
    ada.recorder.priced = True
    (execution,) = ada.executions.values()
    execution.step(ada.task)
    assert len(ada.recorder.calls) == 6
    assert ada.recorder.write_units <= WRITE_UNITS
