"""What End User Messaging takes and refuses, what becomes of a text, and what it costs."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, HTTPClientError
from tests.functional.carriers.local import INBOUND_TOPIC, SMS_TOPIC, Local

from tidings_cli.carriers.sms.simulator import RANGES, STORIES, TURNS

PHONE = "+48600100200"
POLISH = "+48455500100"


def send(local: Local, body: str = "Hi", **more: Any) -> str:
    call = {"DestinationPhoneNumber": PHONE, "MessageBody": body, "ConfigurationSetName": "texts", **more}
    return str(local.sms.send_text_message(**call)["MessageId"])


def heard(local: Local, topic: str = SMS_TOPIC) -> list[dict[str, Any]]:
    assert local.carriers.drain()
    return [one.event for one in local.published if one.topic == topic]


def types(local: Local) -> list[str]:
    return [event["eventType"] for event in heard(local)]


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    """The code of an error, and its reason (or the type of what is missing)."""
    with pytest.raises(ClientError) as raised:
        call()
    response: dict[str, Any] = raised.value.response
    return response["Error"]["Code"], response.get("Reason") or response.get("ResourceType") or ""


def sent(local: Local) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = local.get("/outbox/api/sms").json
    return found


def order(local: Local, **fault: object) -> None:
    assert local.post("/outbox/api/faults", {"channel": "sms", **fault}).status == 201


# ---- what it leaves from ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "identity",
    [POLISH, "48455500100", "phone-poland", "arn:aws:sms-voice:eu-central-1:000000000000:phone-number/phone-poland"],
)
def test_a_number_is_named_by_itself_its_id_or_its_arn(local: Local, identity: str) -> None:
    send(local, OriginationIdentity=identity)
    assert sent(local)[0]["from"] == POLISH


def test_a_pool_lets_a_person_hear_from_the_same_number_always(local: Local) -> None:
    for _ in range(3):
        send(local, OriginationIdentity="pool-local")
    send(local, OriginationIdentity=local.sms.describe_pools()["Pools"][0]["PoolArn"])
    (number,) = {text["from"] for text in sent(local)}
    assert number in ("+48455500101", "+48455500102")


@pytest.mark.parametrize(
    ("identity", "person", "refused"),
    [
        ("NOBODYS", PHONE, ("ResourceNotFoundException", "sender-id")),
        ("TIDINGS", "+491701234567", ("ResourceNotFoundException", "sender-id")),
        ("TIDINGS", "+12065550142", ("ValidationException", "SENDER_ID_NOT_SUPPORTED")),
        ("+48455500999", PHONE, ("ResourceNotFoundException", "phone-number")),
        ("pool-other", PHONE, ("ResourceNotFoundException", "pool")),
    ],
)
def test_what_the_account_cannot_send_from_is_refused(
    local: Local, identity: str, person: str, refused: tuple[str, str]
) -> None:
    call = {"OriginationIdentity": identity, "DestinationPhoneNumber": person}
    assert refusal(lambda: send(local, **call)) == refused
    assert sent(local) == []


def test_a_name_that_was_asked_for_can_be_sent_from_until_it_is_given_up(local: Local) -> None:
    local.sms.request_sender_id(SenderId="ACME", IsoCountryCode="PL")
    send(local, OriginationIdentity="ACME")
    local.sms.release_sender_id(SenderId="ACME", IsoCountryCode="PL")
    assert refusal(lambda: send(local, OriginationIdentity="ACME"))[0] == "ResourceNotFoundException"


def test_the_same_token_asks_for_a_name_once(local: Local) -> None:
    asked = {"SenderId": "ACME", "IsoCountryCode": "PL", "ClientToken": "t-1"}
    assert local.sms.request_sender_id(**asked)["SenderIdArn"] == local.sms.request_sender_id(**asked)["SenderIdArn"]
    again = {"SenderId": "ACME", "IsoCountryCode": "PL"}
    other = asked | {"SenderId": "OTHER"}
    assert refusal(lambda: local.sms.request_sender_id(**again)) == ("ConflictException", "RESOURCE_ALREADY_EXISTS")
    assert refusal(lambda: local.sms.request_sender_id(**other)) == ("ValidationException", "INVALID_REQUEST")


def test_a_protected_name_is_not_given_up(local: Local) -> None:
    local.sms.request_sender_id(SenderId="ACME", IsoCountryCode="PL", DeletionProtectionEnabled=True)
    release = refusal(lambda: local.sms.release_sender_id(SenderId="ACME", IsoCountryCode="PL"))
    assert release == ("ConflictException", "DELETION_PROTECTION_ENABLED")


# ---- registrations ---------------------------------------------------------------------------------------------------


def test_a_country_that_wants_a_registration_gets_one_first(local: Local) -> None:
    request = refusal(lambda: local.sms.request_sender_id(SenderId="ACME", IsoCountryCode="SG"))
    assert request == ("ValidationException", "SENDER_ID_REQUIRES_REGISTRATION")
    call = {"OriginationIdentity": "ACME", "DestinationPhoneNumber": "+6581234567"}

    filed = local.post("/outbox/api/registrations", {"sender_id": "ACME", "country": "SG"}).json
    assert (filed["status"], filed["sender_ids"], filed["open"]) == ("submitted", ["ACME/SG"], True)
    named = {"SenderIds": [{"SenderId": "ACME", "IsoCountryCode": "SG"}]}
    (name,) = local.sms.describe_sender_ids(**named)["SenderIds"]
    assert (name["Registered"], name["RegistrationId"]) == (False, filed["id"])
    assert refusal(lambda: send(local, **call)) == ("ValidationException", "SENDER_ID_NOT_REGISTERED")

    local.post(f"/outbox/api/registrations/{filed['id']}", {"status": "complete"})
    (registration,) = local.sms.describe_registrations()["Registrations"]
    assert (registration["RegistrationStatus"], registration["ApprovedVersionNumber"]) == ("COMPLETE", 1)
    assert local.sms.describe_sender_ids(**named)["SenderIds"][0]["Registered"]
    assert send(local, **call)


def test_a_registration_that_was_denied_says_why_and_can_be_tried_again(local: Local) -> None:
    filed = local.post("/outbox/api/registrations", {"sender_id": "ACME", "country": "SG"}).json["id"]
    local.post(f"/outbox/api/registrations/{filed}", {"status": "denied", "reason": "No proof"})
    (version,) = local.sms.describe_registration_versions(RegistrationId=filed)["RegistrationVersions"]
    assert version["RegistrationVersionStatus"] == "DENIED"
    assert version["DeniedReasons"][0]["ShortDescription"] == "No proof"
    assert local.post(f"/outbox/api/registrations/{filed}", {"status": "complete"}).json["code"] == "not_submitted"
    local.sms.create_registration_version(RegistrationId=filed)
    local.sms.submit_registration_version(RegistrationId=filed)
    assert local.get("/outbox/api/registrations").json[0]["version"] == 2


def test_a_decision_is_one_of_two(local: Local) -> None:
    assert local.post("/outbox/api/registrations/x", {"status": "maybe"}).json["code"] == "invalid_status"
    assert local.post("/outbox/api/registrations/x", {"status": "denied"}).status == 404


# ---- prices ----------------------------------------------------------------------------------------------------------


def test_events_tell_parts_price_and_fee(local: Local) -> None:
    send(local, "a" * 161, DestinationPhoneNumber="+12065550142")
    told = heard(local)[-1]
    assert (told["totalMessageParts"], told["totalMessagePrice"], told["totalCarrierFee"]) == (2, 0.012, 0.006)
    assert (told["isoCountryCode"], told["isInternationalSend"]) == ("US", False)


@pytest.mark.parametrize(("most", "goes"), [("0.06", True), ("0.05999", False), (".1", True), ("00.01", False)])
def test_a_message_dearer_than_the_ceiling_is_refused(local: Local, most: str, goes: bool) -> None:
    """Two parts to Poland cost 0.06."""
    call = {"body": "a" * 161, "MaxPrice": most}
    if goes:
        assert send(local, **call)
    else:
        assert refusal(lambda: send(local, **call)) == ("ValidationException", "PRICE_OVER_THRESHOLD")


def test_a_ceiling_that_is_no_price_is_refused(local: Local) -> None:
    assert refusal(lambda: send(local, MaxPrice="cheap")) == ("ValidationException", "FIELD_VALIDATION_FAILED")


def test_a_dry_run_is_refused_as_the_message_would_be(local: Local) -> None:
    assert refusal(lambda: send(local, MaxPrice="0.001", DryRun=True))[1] == "PRICE_OVER_THRESHOLD"
    assert send(local, DryRun=True)
    assert sent(local) == []


# ---- what becomes of it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", STORIES)
@pytest.mark.parametrize("place", RANGES)
def test_a_number_that_stands_for_something_lets_it_happen(local: Local, place: str, ending: str) -> None:
    send(local, DestinationPhoneNumber=f"{place}{ending}")
    assert types(local) == list(STORIES[ending])
    assert [event["isFinal"] for event in heard(local)] == [TURNS[kind].final for kind in STORIES[ending]]


def test_every_failure_has_a_number() -> None:
    told = {kind for story in STORIES.values() for kind in story}
    failures = {kind for kind, turn in TURNS.items() if kind.startswith("TEXT_") and turn.final}
    assert failures - told == set()


def test_what_happens_later_is_told_by_hand(local: Local) -> None:
    text = send(local)
    assert local.post(f"/outbox/api/sms/{text}/events", {"type": "TEXT_UNREACHABLE", "twice": True}).status == 201
    assert types(local) == ["TEXT_PENDING", "TEXT_DELIVERED", "TEXT_UNREACHABLE", "TEXT_UNREACHABLE"]
    assert local.post(f"/outbox/api/sms/{text}/events", {"type": "TEXT_EATEN"}).json["code"] == "unknown_event"
    answer = local.post("/outbox/api/sms", {"from": PHONE, "to": POLISH, "body": "Hi"}).json["id"]
    assert local.post(f"/outbox/api/sms/{answer}/events", {"type": "TEXT_SPAM"}).json["code"] == "not_ours"


def test_what_is_final_stands_whatever_comes_late(local: Local) -> None:
    text = send(local)
    local.post(f"/outbox/api/sms/{text}/events", {"type": "TEXT_PENDING"})
    assert local.get(f"/outbox/api/sms/{text}").json["status"] == "DELIVERED"


# ---- trouble ---------------------------------------------------------------------------------------------------------


def test_a_throttled_call_sends_nothing(local: Local) -> None:
    order(local, send="throttle")
    assert refusal(lambda: send(local))[0] == "ThrottlingException"
    assert sent(local) == []
    assert send(local)


def test_a_refused_call_sends_nothing(local: Local) -> None:
    order(local, send="reject")
    assert refusal(lambda: send(local)) == ("ValidationException", "OTHER")
    assert sent(local) == []


@pytest.mark.parametrize(("fault", "messages"), [("timeout_before_accept", 0), ("timeout_after_accept", 1)])
def test_an_answer_can_be_lost_before_or_after_sending(local: Local, fault: str, messages: int) -> None:
    order(local, send=fault)
    with pytest.raises(HTTPClientError):
        send(local)
    assert len(sent(local)) == messages


def test_a_fault_of_texts_does_not_meet_mails(local: Local) -> None:
    order(local, send="throttle")
    local.send()
    assert local.post("/outbox/api/faults", {"send": "double_events"}).json["code"] == "invalid_channel"
    assert [fault["channel"] for fault in local.get("/outbox/api/faults").json] == ["sms"]
    assert local.call("DELETE", "/outbox/api/faults").json == []
    assert send(local)


def test_events_can_be_dropped_doubled_turned_round_and_late(local: Local) -> None:
    order(local, send="drop_events")
    send(local)
    assert types(local) == []
    order(local, send="double_events")
    send(local)
    assert types(local) == ["TEXT_PENDING", "TEXT_PENDING", "TEXT_DELIVERED", "TEXT_DELIVERED"]
    order(local, send="backward_events")
    send(local)
    assert types(local)[4:] == ["TEXT_DELIVERED", "TEXT_PENDING"]


def test_late_events_arrive_after_what_came_later(local: Local) -> None:
    order(local, send="late_events", seconds=0.3)
    late, later = send(local), send(local)
    assert [event["messageId"] for event in heard(local)] == [later, later]
    assert [event["published"] for event in local.get(f"/outbox/api/sms/{late}").json["events"]] == ["held", "held"]
    assert [event["messageId"] for event in local.wait_for(SMS_TOPIC, 4)] == [later, later, late, late]


# ---- people ----------------------------------------------------------------------------------------------------------


def test_a_person_can_write_first(local: Local) -> None:
    written = local.post("/outbox/api/sms", {"from": PHONE, "to": POLISH, "body": "Are you open?"})
    assert written.status == 201
    (event,) = heard(local, INBOUND_TOPIC)
    assert event == {
        "originationNumber": PHONE,
        "destinationNumber": POLISH,
        "messageKeyword": "KEYWORD_LOCAL",
        "messageBody": "Are you open?",
        "inboundMessageId": written.json["id"],
    }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"to": POLISH, "body": "Hi"}, "invalid_from"),
        ({"from": PHONE, "to": "+48455500999", "body": "Hi"}, "unknown_number"),
        ({"from": PHONE, "to": POLISH, "body": " "}, "empty_reply"),
        ({"from": PHONE, "to": POLISH, "body": "Hi", "copies": 6}, "invalid_copies"),
        ({"from": PHONE, "to": POLISH, "body": "Hi", "copies": "2"}, "invalid_copies"),
        ({"from": PHONE, "to": POLISH, "body": "Hi", "delay": 301}, "invalid_delay"),
    ],
)
def test_what_a_person_cannot_write_is_refused(local: Local, body: dict[str, Any], code: str) -> None:
    assert local.post("/outbox/api/sms", body).json["code"] == code
    assert sent(local) == []


def test_what_people_write_can_come_twice_and_late(local: Local) -> None:
    write = {"from": PHONE, "to": POLISH}
    first = local.post("/outbox/api/sms", {**write, "body": "first", "delay": 0.3}).json["id"]
    second = local.post("/outbox/api/sms", {**write, "body": "second", "copies": 2}).json["id"]
    told = local.wait_for(INBOUND_TOPIC, 3)
    assert [event["inboundMessageId"] for event in told] == [second, second, first]


def test_an_answer_to_anything_names_our_last_message(local: Local) -> None:
    send(local, OriginationIdentity=POLISH)
    last = send(local, "Still there?", OriginationIdentity=POLISH)
    answer = local.post(f"/outbox/api/sms/{last}/reply", {"body": "Yes"}).json["id"]
    local.post(f"/outbox/api/sms/{answer}/reply", {"body": "and one more thing"})
    assert {event["previousPublishedMessageId"] for event in heard(local, INBOUND_TOPIC)} == {last}


# ---- stopping --------------------------------------------------------------------------------------------------------


def test_whoever_is_on_the_list_gets_nothing_from_a_number(local: Local) -> None:
    local.sms.put_opted_out_number(OptOutListName="Default", OptedOutNumber=PHONE)
    told = ("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT")
    assert refusal(lambda: send(local, OriginationIdentity=POLISH)) == told
    assert refusal(lambda: send(local, OriginationIdentity="pool-local", DryRun=True)) == told
    local.sms.delete_opted_out_number(OptOutListName="Default", OptedOutNumber=PHONE)
    assert send(local, OriginationIdentity=POLISH)


def test_a_number_is_taken_off_the_list_once_in_thirty_days(local: Local) -> None:
    listed = {"OptOutListName": "Default", "OptedOutNumber": PHONE}
    local.sms.put_opted_out_number(**listed)
    local.sms.delete_opted_out_number(**listed)
    local.sms.put_opted_out_number(**listed)
    again = refusal(lambda: local.sms.delete_opted_out_number(**listed))
    assert again == ("ValidationException", "PHONE_NUMBER_CANNOT_BE_OPTED_IN")


def test_a_number_that_is_on_no_list_cannot_be_taken_off(local: Local) -> None:
    listed = {"OptOutListName": "Default", "OptedOutNumber": PHONE}
    assert refusal(lambda: local.sms.delete_opted_out_number(**listed))[0] == "ResourceNotFoundException"
    other = listed | {"OptOutListName": "Other"}
    assert refusal(lambda: local.sms.put_opted_out_number(**other)) == ("ResourceNotFoundException", "opt-out-list")


def test_aws_stays_silent_where_opt_outs_are_self_managed(local: Local) -> None:
    local.post("/outbox/api/sms", {"from": PHONE, "to": POLISH, "body": "STOP"})
    assert [text["direction"] for text in sent(local)] == ["in"]
    assert local.sms.describe_opted_out_numbers(OptOutListName="Default")["OptedOutNumbers"] == []


def test_else_aws_lists_whoever_stops_and_answers_by_itself(local: Local) -> None:
    local.call("PUT", "/outbox/api/numbers/phone-poland", {"self_managed": False})
    write = {"from": PHONE, "to": POLISH}
    for word in ("help", "Stop", "START"):
        local.post("/outbox/api/sms", {**write, "body": word})
        if word == "Stop":
            (listed,) = local.sms.describe_opted_out_numbers(OptOutListName="Default")["OptedOutNumbers"]
            assert (listed["OptedOutNumber"], listed["EndUserOptedOut"]) == (PHONE, True)
            assert local.get("/outbox/api/numbers").json[1]["opted_out"] == [PHONE]
    assert [(text["direction"], text["automatic"]) for text in sent(local)] == [("in", False), ("out", True)] * 3
    # The topic hears the words all the same.
    assert [event["messageBody"] for event in heard(local, INBOUND_TOPIC)] == ["help", "Stop", "START"]
    assert send(local, OriginationIdentity=POLISH)


# ---- numbers ---------------------------------------------------------------------------------------------------------


def test_a_number_can_be_changed_as_at_aws(local: Local) -> None:
    changed = local.sms.update_phone_number(PhoneNumberId="phone-poland", TwoWayEnabled=False)
    assert not changed["TwoWayEnabled"]
    assert "TwoWayChannelArn" not in changed
    local.post("/outbox/api/sms", {"from": PHONE, "to": POLISH, "body": "Hi"})
    assert heard(local, INBOUND_TOPIC) == []
    elsewhere = "arn:aws:sns:eu-central-1:111122223333:elsewhere"
    local.sms.update_phone_number(PhoneNumberId="phone-poland", TwoWayEnabled=True, TwoWayChannelArn=elsewhere)
    local.post("/outbox/api/sms", {"from": PHONE, "to": POLISH, "body": "Hi"})
    assert [event["messageBody"] for event in heard(local, elsewhere)] == ["Hi"]


def test_a_number_of_a_pool_is_not_changed_by_itself(local: Local) -> None:
    call = {"PhoneNumberId": "phone-pool-1", "TwoWayEnabled": False}
    told = ("ConflictException", "PHONE_NUMBER_ASSOCIATED_TO_POOL")
    assert refusal(lambda: local.sms.update_phone_number(**call)) == told


def test_what_is_described_can_be_filtered(local: Local) -> None:
    polish = [{"Name": "iso-country-code", "Values": ["PL"]}]
    assert len(local.sms.describe_phone_numbers(Filters=polish)["PhoneNumbers"]) == 4
    assert [one["IsoCountryCode"] for one in local.sms.describe_sender_ids(Filters=polish)["SenderIds"]] == ["PL"]
    (known,) = local.sms.describe_configuration_sets()["ConfigurationSets"]
    assert known["EventDestinations"][0]["SnsDestination"]["TopicArn"] == SMS_TOPIC


def test_a_switch_needs_a_value(local: Local) -> None:
    assert local.call("PUT", "/outbox/api/numbers/phone-poland", {}).json["code"] == "invalid_switch"
    assert local.call("PUT", "/outbox/api/numbers/nobody", {"two_way": True}).status == 400
