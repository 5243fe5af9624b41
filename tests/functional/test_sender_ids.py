"""The life of a sender ID: requested, verified, accepted and active, or rejected, expired or retired."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from tests.support.sender_ids import ASKED, NAME, FakeSenderIds, People
from tests.support.texts import fail
from tests.support.world import WORKSPACE, World

from tidings.core.errors import TidingsError
from tidings.sms import sender_id_rules, sender_ids


@pytest.fixture
def people(world: World) -> People:
    return People(world)


@pytest.fixture
def aws(world: World) -> FakeSenderIds:
    return FakeSenderIds.of(world)


def running(world: World) -> list[str]:
    """The states that machines stand in."""
    return sorted(execution.state for execution in world.executions.values() if not execution.is_over)


def counted(capsys: pytest.CaptureFixture[str], metric: str) -> int:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return sum(line.get(metric, 0) for line in lines)


# --- asking ----------------------------------------------------------------------------------------------------------


def test_a_request_is_kept_and_a_machine_waits_for_staff(people: People, aws: FakeSenderIds) -> None:
    status, answer = people.request()
    people.run()
    assert status == 200
    assert (answer["name"], answer["state"], answer["waits_for"]) == (NAME, "requested", "verify")
    assert answer["countries"] == {"PL": {"state": "wanted", "told": "", "registration": "", "look_at": None}}
    assert (answer["requested_by"], answer["expires_at"]) == ("secret", "2026-12-05T09:00:00.000000Z")
    assert people.show() == answer
    assert running(people.world) == ["clock", "wait"]
    assert people.told() == {}
    assert aws.held == {}


@pytest.mark.parametrize(
    "name", ["AB", "ABCDEFGHIJKL", "123456", "-ACME", "ACME-", "AC ME", "ĄCME", "AC.ME", "", "A#log#", "12-34_"]
)
def test_a_name_that_carriers_would_not_show_is_refused(people: People, name: str) -> None:
    status, answer = people.request(name=name)
    assert (status, answer["code"], answer["field"]) == (400, "invalid_sender_id", "name")


@pytest.mark.parametrize("name", ["ABC", "Tidings24", "a-b_c", "_ab", "1234567890A"])
def test_names_of_3_to_11_allowed_characters_are_taken(people: People, aws: FakeSenderIds, name: str) -> None:
    assert people.request(name=name)[0] == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"countries": []}, "invalid_countries"),
        ({"countries": [f"A{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]}, "invalid_countries"),
        ({"countries": "PL"}, "invalid_type"),
        ({"countries": [1]}, "invalid_type"),
        ({"countries": ["pl"]}, "invalid_country"),
        ({"purpose": " "}, "invalid_text"),
        ({"purpose": "x" * 501}, "invalid_text"),
        ({"sample": None}, "missing_field"),
        ({"sample": 7}, "invalid_type"),
        ({"more": 1}, "unknown_field"),
    ],
)
def test_a_request_says_what_it_is_for(people: People, changes: dict[str, Any], code: str) -> None:
    status, answer = people.request(**changes)
    assert (status, answer["code"]) == (400, code)


def test_a_country_without_names_is_refused_with_what_works_there(people: People) -> None:
    status, answer = people.request(countries=["PL", "US"])
    assert (status, answer["code"], answer["field"]) == (400, "country_without_names", "countries")
    assert "US takes no names" in answer["message"]
    assert "+48732100200" in answer["message"]  # the number that the workspace has
    assert people.world.items("TABLE_SENDER_IDS") == []


def test_the_owner_may_know_a_country_better(people: People, aws: FakeSenderIds) -> None:
    said = {"US": {"sender_id": "free", "source": "our carrier", "date": "2026-11-20"}}
    assert people.world.call("sender_ids", "PUT /v1/sms/setup", {"countries": said})[0] == 200
    assert people.request(countries=["US"])[0] == 200


def test_the_same_request_again_changes_nothing_and_another_one_has_to_wait(people: People) -> None:
    _, first = people.request()
    assert people.request() == (200, first)
    assert len(people.world.executions) == 2
    status, answer = people.request(countries=["DE"])
    assert (status, answer["code"]) == (409, "sender_id_requested")


def test_a_name_belongs_to_one_workspace_of_the_account_whatever_the_case_of_its_letters(people: People) -> None:
    people.request()
    for name in (NAME, NAME.lower()):
        status, answer = people.world.call("sender_ids", "POST /v1/sender-ids", {**ASKED, "name": name}, "other")
        assert (status, answer["code"]) == (401, "invalid_api_key")
        status, answer = people.request(key=people.world.other_secret, name=name)
        assert (status, answer["code"]) == (409, "sender_id_taken")
    assert people.request(name=NAME.lower())[1]["code"] == "sender_id_taken"
    people.decide("reject", "staff", reason="No.")
    assert people.request(key=people.world.other_secret)[0] == 200


def test_a_workspace_has_so_many_names_at_most(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_ids, "NAMES_MOST", 1)
    people.request()
    status, answer = people.request(name="OTHER")
    assert (status, answer["code"]) == (409, "too_many_sender_ids")


def test_names_that_came_to_nothing_take_no_room(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_ids, "NAMES_MOST", 1)
    people.request()
    people.decide("reject", "staff", reason="No.")
    assert people.request(name="OTHER")[0] == 200
    assert people.request(name="THIRD")[1]["code"] == "too_many_sender_ids"


def test_another_workspace_sees_nothing_of_it(people: People) -> None:
    people.request()
    key = people.world.other_secret
    assert people.world.call("sender_ids", "GET /v1/sender-ids", key=key) == (200, {"sender_ids": []})
    for route in ("GET /v1/sender-ids/{sender_id}", "GET /v1/sender-ids/{sender_id}/log"):
        status, answer = people.world.call("sender_ids", route, key=key, path={"sender_id": NAME})
        assert (status, answer["code"]) == (404, "unknown_sender_id")


def test_an_item_of_the_log_is_no_sender_id(people: People) -> None:
    people.request()
    sk = next(item["sk"]["S"] for item in people.world.items("TABLE_SENDER_IDS") if "#log#" in item["sk"]["S"])
    status, answer = people.world.call("sender_ids", "GET /v1/sender-ids/{sender_id}", path={"sender_id": sk})
    assert (status, answer["code"]) == (404, "unknown_sender_id")


# --- deciding --------------------------------------------------------------------------------------------------------


def test_verified_by_staff_and_accepted_by_the_administrator_it_becomes_active(
    people: People, aws: FakeSenderIds
) -> None:
    people.request()
    people.run()
    status, verified = people.verify()
    people.run()
    assert (status, verified["state"], verified["waits_for"]) == (200, "verified", "accept")
    assert (people.told(), aws.held) == ({}, {})
    status, accepted = people.accept()
    assert (status, accepted["state"]) == (200, "accepted")
    people.run()
    shown = people.show()
    assert (shown["state"], shown["countries"]["PL"]["state"]) == ("active", "active")
    assert {step: one["by"] for step, one in shown["approvals"].items()} == {
        "verify": "staff@acme.example",
        "accept": "admin@acme.example",
    }
    assert people.told() == {NAME: {"PL": "active"}}
    (asked,) = people.world.sms.of("RequestSenderId")
    assert (asked["SenderId"], asked["IsoCountryCode"]) == (NAME, "PL")
    assert asked["Tags"] == [{"Key": "tidings_workspace", "Value": WORKSPACE}]
    assert running(people.world) == ["clock"]  # which finds out that it is over when its instant comes
    people.world.run(timedelta(days=20))
    assert running(people.world) == []


def test_every_change_is_logged_with_who_made_it(people: People, aws: FakeSenderIds) -> None:
    people.activate()
    people.retire()
    people.run()
    assert people.log() == [
        ("requested", "secret"),
        ("verified", "staff@acme.example"),
        ("accepted", "admin@acme.example"),
        ("active", "tidings"),
        ("retired", "admin@acme.example"),
        ("released", "tidings"),
    ]


def test_the_log_comes_in_pages_the_latest_first(people: People, aws: FakeSenderIds) -> None:
    people.activate()
    path, seen, cursor = {"sender_id": NAME}, [], ""
    for _ in range(5):
        _, page = people.world.call(
            "sender_ids", "GET /v1/sender-ids/{sender_id}/log", path=path, query={"limit": "1", "cursor": cursor}
        )
        seen += [entry["what"] for entry in page["log"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert seen == ["active", "accepted", "verified", "requested"]
    bad = people.world.call("sender_ids", "GET /v1/sender-ids/{sender_id}/log", path=path, query={"cursor": "bad"})
    assert (bad[0], bad[1]["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("key", ["secret", "admin", "agent", "write", "publishable"])
def test_only_staff_verifies_and_rejects_what_is_requested(people: People, key: str) -> None:
    people.request()
    for decision in ("verify", "reject"):
        status, answer = people.decide(decision, key, reason="Because.")
        assert (status, answer["code"]) in ((403, "role_required"), (403, "secret_key_required"))
    assert people.show()["state"] == "requested"


@pytest.mark.parametrize("key", ["secret", "staff", "agent", "write", "publishable"])
def test_only_the_administrator_accepts_and_rejects_what_is_verified(people: People, key: str) -> None:
    people.request()
    people.verify()
    for decision in ("accept", "reject"):
        status, answer = people.decide(decision, key, reason="Because.")
        assert (status, answer["code"]) in ((403, "role_required"), (403, "secret_key_required"))
    assert people.show()["state"] == "verified"


def test_nobody_accepts_what_staff_has_not_verified(people: People) -> None:
    people.request()
    status, answer = people.accept()
    assert (status, answer["code"]) == (409, "sender_id_decided")


@pytest.mark.parametrize("key", ["secret", "agent"])
def test_only_staff_and_administrators_retire(people: People, key: str) -> None:
    people.request()
    status, answer = people.retire(key)
    assert (status, answer["code"]) == (403, "role_required")


@pytest.mark.parametrize("key", ["agent", "write", "publishable"])
def test_agents_and_apps_ask_for_no_names(people: People, key: str) -> None:
    assert people.request(key=key)[0] == 403


def test_a_rejection_has_a_reason(people: People) -> None:
    people.request()
    assert people.decide("reject", "staff")[1]["code"] == "missing_field"
    assert people.decide("reject", "staff", reason=" ")[1]["code"] == "invalid_text"
    assert people.decide("verify", "staff", why="x")[1]["code"] == "unknown_field"
    status, answer = people.decide("dismiss", "staff")
    assert (status, answer["code"]) == (404, "not_found")


@pytest.mark.parametrize(("verified", "key"), [(False, "staff"), (True, "admin")])
def test_a_rejected_name_is_free_again_and_its_machine_ends(people: People, verified: bool, key: str) -> None:
    people.request()
    people.run()
    if verified:
        people.verify()
        people.run()
    status, answer = people.decide("reject", key, reason="It is not your name.")
    assert (status, answer["state"], answer["reason"]) == (200, "rejected", "It is not your name.")
    people.world.run(timedelta(days=20))
    assert running(people.world) == []
    assert people.told() == {}
    assert people.world.sms.calls == []
    status, again = people.request()
    assert (status, again["state"], again["reason"], again["approvals"]) == (200, "requested", "", {})
    people.run()
    assert running(people.world) == ["clock", "wait"]


def test_the_same_key_may_repeat_its_decision_and_no_other_may_decide_again(people: People, aws: FakeSenderIds) -> None:
    people.request()
    people.run()
    _, first = people.verify()
    assert people.verify() == (200, first)
    people.run()
    assert people.verify()[1]["state"] == "verified"
    people.run()
    second = people.world.accounts.create_key(WORKSPACE, *_staff("second@acme.example"))
    status, answer = people.verify(second)
    assert (status, answer["code"]) == (409, "sender_id_decided")
    assert people.log() == [("requested", "secret"), ("verified", "staff@acme.example")]


def _staff(actor: str) -> tuple[Any, ...]:
    from tidings.accounts.model import KeyKind, Role

    return KeyKind.SECRET, "staff", Role.STAFF, actor


# --- reminders and expiry --------------------------------------------------------------------------------------------


def test_an_operator_is_reminded_every_three_days_until_it_expires_after_fourteen(
    people: People, capsys: pytest.CaptureFixture[str]
) -> None:
    people.request()
    for day, reminded in ((2, 0), (3, 1), (5, 1), (6, 2), (9, 3), (12, 4)):
        people.world.run(_until(people.world, day))
        assert people.show()["reminded"] == reminded
    assert counted(capsys, "SenderIdsWaiting") == 4
    people.world.run(_until(people.world, 14))
    shown = people.show()
    assert (shown["state"], shown["reason"]) == ("expired", "nobody decided within 14 days")
    assert counted(capsys, "SenderIdsExpired") == 1
    assert running(people.world) == []
    assert people.log()[-1] == ("expired", "tidings")
    status, answer = people.verify()
    assert (status, answer["code"]) == (409, "sender_id_decided")
    assert people.request(key=people.world.other_secret)[0] == 200  # the name is free


def _until(world: World, day: int) -> timedelta:
    from tests.support.world import START

    return START + timedelta(days=day) - world.now


def test_each_step_has_its_own_time(people: People, aws: FakeSenderIds) -> None:
    people.request()
    people.world.run(timedelta(days=13))
    people.verify()
    people.world.run(timedelta(days=13))
    shown = people.show()
    assert (shown["state"], shown["reminded"]) == ("verified", 4)
    people.accept()
    people.run()
    assert people.show()["state"] == "active"


def test_the_accepting_step_expires_too(people: People) -> None:
    people.request()
    people.world.run(timedelta(days=1))
    people.verify()
    people.world.run(timedelta(days=14))
    assert people.show()["state"] == "expired"
    assert running(people.world) == []


def test_nobody_decides_when_the_time_is_over_though_the_clock_has_not_written_it_down(people: People) -> None:
    people.request()
    people.world.now += timedelta(days=14) - timedelta(seconds=1)
    assert people.verify()[0] == 200  # a second before it
    people.world.now += timedelta(days=14)
    for decision in ("accept", "reject"):
        words = {"reason": "No."} if decision == "reject" else {}
        status, answer = people.decide(decision, "admin", **words)
        assert (status, answer["code"]) == (409, "sender_id_decided"), decision
    people.run()
    assert people.show()["state"] == "expired"


def test_the_owner_says_how_long_requests_wait(people: People) -> None:
    said = {"remind_every": "1 hour", "expires_after": "3 hours"}
    assert people.world.call("sender_ids", "PUT /v1/sms/setup", {"review": said})[0] == 200
    people.request()
    people.world.run(timedelta(hours=2))
    assert people.show()["reminded"] == 2
    people.world.run(timedelta(hours=1))
    assert people.show()["state"] == "expired"


def test_a_decision_and_the_expiry_at_one_time_end_in_one_of_them(people: People, aws: FakeSenderIds) -> None:
    """The decision comes between what the clock reads and what it writes, and the other way round."""
    people.request()
    people.world.run(timedelta(days=14) - timedelta(seconds=1))
    world = people.world

    def decide_first(call: Any) -> None:
        if world.running == "review_sender_ids" and call.operation == "TransactWriteItems":
            world.recorder.before = None
            world.now -= timedelta(seconds=1)  # by the clock of who decides it is not over yet
            with world.recorder.unseen():
                assert people.verify()[0] == 200
            world.now += timedelta(seconds=1)

    world.recorder.before = decide_first
    world.run(timedelta(seconds=1))
    assert people.show()["state"] == "verified"
    people.accept()
    people.run()
    assert people.show()["state"] == "active"
    assert ("expired", "tidings") not in people.log()


def test_the_expiry_that_comes_before_the_decision_stands(people: People) -> None:
    people.request()
    world = people.world
    world.run(timedelta(days=14) - timedelta(seconds=1))

    def expire_first(call: Any) -> None:
        if world.running == "sender_ids" and call.operation == "TransactWriteItems":
            world.recorder.before = None
            with world.recorder.unseen():
                world.run(timedelta(seconds=1))

    world.recorder.before = expire_first
    status, answer = people.verify()
    assert (status, answer["code"]) == (409, "sender_id_decided")
    assert people.show()["state"] == "expired"


def test_of_two_decisions_at_once_one_stands(people: People) -> None:
    people.request()
    people.run()
    world = people.world

    def reject_first(call: Any) -> None:
        if call.operation == "TransactWriteItems":
            world.recorder.before = None
            with world.recorder.unseen():
                assert people.decide("reject", "staff", reason="No.")[0] == 200

    world.recorder.before = reject_first
    status, answer = people.verify()
    assert (status, answer["code"]) == (409, "sender_id_decided")
    people.run()
    assert people.show()["state"] == "rejected"
    assert people.log() == [("requested", "secret"), ("rejected", "staff@acme.example")]


def test_a_decision_before_the_machine_waits_is_found_by_the_machine(people: People, aws: FakeSenderIds) -> None:
    people.request()
    people.verify()  # nothing has run yet
    people.accept()
    people.run()
    assert people.show()["state"] == "active"


def test_a_decision_while_the_machine_registers_its_wait_is_found(people: People, aws: FakeSenderIds) -> None:
    people.request()
    world = people.world

    def decide_first(call: Any) -> None:
        if world.running == "review_sender_ids" and call.operation == "TransactWriteItems":
            world.recorder.before = None
            with world.recorder.unseen():
                people.verify()
                people.accept()

    world.recorder.before = decide_first
    people.run()
    assert people.show()["state"] == "active"


def test_a_machine_that_was_lost_is_started_anew_by_the_next_decision(people: People, aws: FakeSenderIds) -> None:
    people.request()
    people.run()
    for arn in list(people.world.executions):
        people.world.lose(arn)
    assert people.verify()[0] == 200
    people.run()
    assert running(people.world) == ["clock", "wait"]
    people.accept()
    people.run()
    assert people.show()["state"] == "active"


def test_asking_again_starts_a_lost_machine_too(people: People) -> None:
    people.request()
    people.run()
    for arn in list(people.world.executions):
        people.world.lose(arn)
    assert people.request()[0] == 200
    people.run()
    assert running(people.world) == ["clock", "wait"]


def _lose_clocks(world: World) -> None:
    for arn in [arn for arn, one in world.executions.items() if one.state == "clock"]:
        world.lose(arn)


@pytest.mark.parametrize("mended", ["request", "verify"])
def test_a_clock_that_was_lost_is_started_anew_though_the_other_machine_waits(people: People, mended: str) -> None:
    people.request()
    people.run()
    _lose_clocks(people.world)
    assert running(people.world) == ["wait"]
    assert (people.request() if mended == "request" else people.verify())[0] == 200
    people.run()
    assert running(people.world) == ["clock", "wait"]
    people.world.run(timedelta(days=14))
    assert (people.show()["state"], people.log().count(("reminded", "tidings"))) == ("expired", 4)
    assert running(people.world) == []


def test_a_clock_that_could_not_be_started_is_started_by_the_repeat(people: People) -> None:
    world, starts = people.world, []

    def fail_second(call: Any) -> None:
        if call.operation == "StartExecution":
            starts.append(call)
            if len(starts) == 2:
                raise ReadTimeoutError(endpoint_url="https://states")

    world.recorder.before = fail_second
    assert people.request()[0] == 503
    world.recorder.before = None
    world.run()
    assert people.request()[0] == 200
    world.run()
    assert running(world) == ["clock", "wait"]


# --- AWS, country by country -----------------------------------------------------------------------------------------


def test_a_name_that_the_account_has_already_is_not_asked_for(people: People, aws: FakeSenderIds) -> None:
    aws.request({"SenderId": NAME, "IsoCountryCode": "PL", "MessageTypes": [], "ClientToken": "somebody"})
    people.activate()
    assert people.show()["state"] == "active"
    assert people.world.sms.of("RequestSenderId") == []
    people.retire()
    people.run()
    assert (NAME, "PL") in aws.held  # it was not ours to give back


def test_where_names_are_registered_it_says_what_to_do_and_looks_again_ever_later(
    people: People, aws: FakeSenderIds
) -> None:
    people.activate(countries=["PL", "TR"])
    shown = people.show()
    assert shown["state"] == "active"  # in Poland
    assert shown["countries"]["TR"]["state"] == "registering"
    assert "AWS's console" in shown["countries"]["TR"]["told"]
    assert shown["countries"]["TR"]["look_at"] == "2026-11-21T10:00:00.000000Z"
    assert people.told() == {NAME: {"PL": "active", "TR": "registering"}}
    aws.register(NAME, "TR", "registration-1", "REVIEWING")
    people.world.run(timedelta(hours=1))
    there = people.show()["countries"]["TR"]
    assert (there["registration"], there["told"]) == (
        "registration-1",
        "nothing: the country's carriers review the registration",
    )
    assert there["look_at"] == "2026-11-21T12:00:00.000000Z"
    aws.registrations["registration-1"] = "REQUIRES_UPDATES"
    people.world.run(timedelta(hours=2))
    assert "wants the registration changed" in people.show()["countries"]["TR"]["told"]
    aws.registrations["registration-1"] = "COMPLETE"
    people.world.run(timedelta(hours=4))
    assert people.told() == {NAME: {"PL": "active", "TR": "active"}}
    assert [what for what, _ in people.log()][-3:] == ["registering", "registering", "active"]
    assert len(people.world.sms.of("RequestSenderId")) == 2


def test_a_sender_id_that_aws_calls_registered_is_active(people: People, aws: FakeSenderIds) -> None:
    people.activate(countries=["TR"])
    assert people.show()["state"] == "accepted"
    aws.held[NAME, "TR"]["Registered"] = True
    people.world.run(timedelta(hours=1))
    assert people.show()["state"] == "active"


def test_a_name_that_comes_by_a_registration_of_somebodys_own_is_active_and_not_given_back(
    people: People, aws: FakeSenderIds
) -> None:
    aws.refused["TR"] = "ValidationException"
    people.activate(countries=["TR"])
    assert people.show()["countries"]["TR"]["state"] == "registering"
    aws.request({"SenderId": NAME, "IsoCountryCode": "GB", "MessageTypes": [], "ClientToken": "console"})
    aws.held[NAME, "TR"] = {**aws.held.pop((NAME, "GB")), "IsoCountryCode": "TR", "Registered": True}
    people.world.run(timedelta(hours=1))
    assert people.told() == {NAME: {"TR": "active"}}
    people.retire()
    people.run()
    assert people.told() == {}
    assert (NAME, "TR") in aws.held


def test_looking_has_an_end(people: People, aws: FakeSenderIds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_id_rules, "LOOKS_MOST", 3)
    people.activate(countries=["TR"])
    people.world.run(timedelta(days=3))
    shown = people.show()
    assert (shown["state"], shown["countries"]["TR"]["state"]) == ("rejected", "refused")
    assert "has not registered it after 3 looks" in shown["countries"]["TR"]["told"]
    assert aws.held == {}  # what we asked for is given back
    assert running(people.world) == []
    assert people.told() == {}


def test_where_aws_refuses_a_name_its_words_are_kept_and_the_others_go_on(people: People, aws: FakeSenderIds) -> None:
    aws.refused["DE"] = "ValidationException"
    people.activate(countries=["DE", "PL"])
    shown = people.show()
    assert shown["state"] == "active"
    assert shown["countries"]["DE"]["state"] == "refused"
    assert "ValidationException" in shown["countries"]["DE"]["told"]
    assert people.told() == {NAME: {"PL": "active"}}


def test_a_name_that_is_refused_everywhere_is_rejected_and_free(people: People, aws: FakeSenderIds) -> None:
    aws.refused["PL"] = "ConflictException"
    people.activate()
    shown = people.show()
    assert (shown["state"], shown["reason"]) == ("rejected", "AWS refused it in every country")
    people.run()
    assert people.request(key=people.world.other_secret)[0] == 200


def test_a_used_up_quota_is_told_and_waited_for(people: People, aws: FakeSenderIds) -> None:
    aws.refused["PL"] = "ServiceQuotaExceededException"
    people.activate()
    assert "higher quota" in people.show()["countries"]["PL"]["told"]
    del aws.refused["PL"]
    people.world.run(timedelta(hours=1))
    assert people.show()["state"] == "active"


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerException", "AccessDeniedException"])
def test_a_fault_of_aws_is_raised_for_the_machine_to_repeat(people: People, aws: FakeSenderIds, code: str) -> None:
    people.request()
    people.verify()
    people.accept()
    aws.refused["PL"] = code
    with pytest.raises(TidingsError, match=r"sms_(throttled|failed)"):
        people.run()
    del aws.refused["PL"]
    people.run()
    assert people.show()["state"] == "active"


def test_a_country_that_took_names_and_no_longer_does_is_refused(people: People, aws: FakeSenderIds) -> None:
    people.request()
    people.verify()
    said = {"PL": {"sender_id": "not_supported", "source": "UKE", "date": "2026-11-21"}}
    people.world.call("sender_ids", "PUT /v1/sms/setup", {"countries": said})
    people.accept()
    people.run()
    assert people.show()["countries"]["PL"]["state"] == "refused"
    assert people.world.sms.calls == []


def test_more_countries_are_asked_for_while_the_others_stay_active(people: People, aws: FakeSenderIds) -> None:
    people.activate()
    status, answer = people.request(countries=["PL", "DE"])
    assert (status, answer["state"]) == (200, "requested")
    assert people.told() == {NAME: {"PL": "active"}}
    people.run()
    people.verify()
    people.run()
    people.accept()
    people.run()
    assert people.told() == {NAME: {"PL": "active", "DE": "active"}}
    assert [one["IsoCountryCode"] for one in people.world.sms.of("RequestSenderId")] == ["PL", "DE"]


def test_more_countries_that_are_rejected_leave_the_others_active(people: People, aws: FakeSenderIds) -> None:
    people.activate()
    people.request(countries=["DE"])
    people.run()
    _, answer = people.decide("reject", "staff", reason="Not there.")
    assert (answer["state"], list(answer["countries"])) == ("active", ["PL"])
    assert people.told() == {NAME: {"PL": "active"}}
    people.run()
    assert running(people.world).count("wait") == 0


@pytest.mark.parametrize("more", ["accepted", "rejected", "asked for again", "asked for again and rejected"])
def test_what_aws_has_of_a_country_where_it_came_to_nothing_is_given_back_at_the_end(
    people: People, aws: FakeSenderIds, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    monkeypatch.setattr(sender_id_rules, "LOOKS_MOST", 1)
    people.activate(countries=["PL", "TR"])
    people.world.run(timedelta(days=1))
    assert people.show()["countries"]["TR"]["state"] == "refused"
    people.request(countries=["TR" if "again" in more else "DE"])
    assert people.show()["state"] == "requested"
    people.run()
    if "rejected" in more:
        people.decide("reject", "staff", reason="Not there.")
    else:
        people.verify()
        people.run()
        people.accept()
    people.world.run(timedelta(days=1))
    assert people.show()["state"] == "active"
    people.retire()
    people.run()
    assert aws.held == {}


def test_no_more_countries_are_asked_for_before_aws_has_heard_of_the_others(people: People, aws: FakeSenderIds) -> None:
    people.request(countries=["DE", "PL"])
    people.verify()
    people.accept()
    world, told = people.world, []

    def ask_first(call: Any) -> None:
        if call.operation == "RequestSenderId" and call.arguments["IsoCountryCode"] == "PL":
            world.recorder.before = None
            with world.recorder.unseen():
                told.append(people.request(countries=["DE", "PL"])[1]["state"])
                told.append(people.request(countries=["FR"])[1]["code"])

    world.recorder.before = ask_first
    people.run()
    assert told == ["active", "sender_id_requested"]
    assert people.told() == {NAME: {"DE": "active", "PL": "active"}}


# --- giving up -------------------------------------------------------------------------------------------------------


def test_nothing_leaves_from_a_retired_name_and_aws_gets_it_back(people: People, aws: FakeSenderIds) -> None:
    people.activate(countries=["PL", "DE"])
    status, answer = people.retire()
    assert (status, answer["state"]) == (200, "retired")
    assert people.told() == {}  # at once, before AWS is told
    assert people.request(key=people.world.other_secret)[1]["code"] == "sender_id_taken"
    assert people.request()[1]["code"] == "sender_id_leaving"
    people.run()
    assert aws.held == {}
    assert people.request(key=people.world.other_secret)[0] == 200
    assert people.retire()[1]["state"] == "retired"


def refuse_release(people: People, aws: FakeSenderIds, country: str, code: str = "ConflictException") -> None:
    """Let AWS keep a name in one country: it is in a pool there."""

    def release(arguments: Any) -> Any:
        if arguments["IsoCountryCode"] == country:
            fail(code, "ReleaseSenderId")
        return aws.release(arguments)

    people.world.sms.answers["ReleaseSenderId"] = release


def test_a_country_that_aws_keeps_holds_no_other_up_and_is_asked_again_later(
    people: People, aws: FakeSenderIds
) -> None:
    people.activate(countries=["DE", "PL"])
    refuse_release(people, aws, "DE")
    people.retire()
    people.run()
    assert set(aws.held) == {(NAME, "DE")}
    assert "End User Messaging refuses this" in people.show()["countries"]["DE"]["told"]
    assert people.log()[-2:] == [("not_released", "tidings"), ("released", "tidings")]
    people.world.sms.answers["ReleaseSenderId"] = aws.release
    people.world.run(timedelta(hours=2))
    assert aws.held == {}
    assert running(people.world) == ["clock"], "which finds nothing to remind of when its time comes"
    assert people.request()[0] == 200


def test_to_retire_again_starts_a_machine_anew_where_the_one_that_gave_it_back_failed(
    people: People, aws: FakeSenderIds
) -> None:
    people.activate(countries=["PL"])
    refuse_release(people, aws, "PL", "InternalServerException")
    people.retire()
    with pytest.raises(TidingsError):
        people.run()
    for execution in people.world.executions.values():
        execution.state = execution.token = ""  # its tries are used up
    people.world.sms.answers["ReleaseSenderId"] = aws.release
    before = len(people.world.executions)
    assert people.retire()[1]["state"] == "retired"
    assert people.retire()[1]["state"] == "retired"
    assert len(people.world.executions) == before + 1, "one that runs is not started twice"
    people.run()
    assert aws.held == {}


def test_a_country_that_may_not_be_looked_at_holds_no_other_up(people: People, aws: FakeSenderIds) -> None:
    def describe(arguments: Any) -> Any:
        if arguments["SenderIds"][0]["IsoCountryCode"] == "DE":
            fail("ValidationException", "DescribeSenderIds")
        return aws.describe(arguments)

    people.world.sms.answers["DescribeSenderIds"] = describe
    people.activate(countries=["DE", "PL"])
    shown = people.show()["countries"]
    assert (shown["PL"]["state"], shown["DE"]["state"]) == ("active", "registering")
    people.world.sms.answers["DescribeSenderIds"] = aws.describe
    people.world.run(timedelta(hours=2))
    assert people.show()["countries"]["DE"]["state"] == "active"


def test_a_request_can_be_withdrawn_while_it_waits(people: People) -> None:
    people.request()
    people.run()
    assert people.retire()[1]["state"] == "retired"
    people.world.run(timedelta(days=20))
    assert running(people.world) == []
    assert people.world.sms.calls == []


def test_a_name_that_is_given_up_right_before_aws_is_asked_is_not_asked_for(people: People, aws: FakeSenderIds) -> None:
    people.request()
    people.verify()
    people.accept()
    world, looked = people.world, []

    def retire_first(call: Any) -> None:
        looked.append(call.operation)
        if call.operation == "TransactWriteItems" and "DescribeSenderIds" in looked:
            world.recorder.before = None
            with world.recorder.unseen():
                assert people.retire()[0] == 200

    world.recorder.before = retire_first
    people.run()
    assert (people.show()["state"], world.sms.of("RequestSenderId"), aws.held) == ("retired", [], {})


def test_a_name_that_is_given_up_while_aws_is_asked_is_given_back(people: People, aws: FakeSenderIds) -> None:
    people.request()
    people.verify()
    people.accept()
    world = people.world

    def retire_first(call: Any) -> None:
        if call.operation == "RequestSenderId":
            world.recorder.before = None
            with world.recorder.unseen():
                people.retire()
                for execution in list(world.executions.values()):
                    if execution.state == "next" and execution.data["next"]["do"] == "work":
                        execution.step(world.task, world.now)
                        execution.step(world.task, world.now)

    world.recorder.before = retire_first
    people.run()
    assert people.show()["state"] == "retired"
    assert aws.held == {}
    assert people.told() == {}


def test_retiring_while_a_registration_is_awaited_ends_it(people: People, aws: FakeSenderIds) -> None:
    people.activate(countries=["TR"])
    people.retire()
    people.run()
    assert (aws.held, people.told()) == ({}, {})
    people.world.run(timedelta(days=20))
    assert running(people.world) == []


def test_the_list_shows_every_name(people: People, aws: FakeSenderIds) -> None:
    people.request(name="BETA")
    people.activate()
    _, answer = people.world.call("sender_ids", "GET /v1/sender-ids")
    assert [(one["name"], one["state"]) for one in answer["sender_ids"]] == [("BETA", "requested"), (NAME, "active")]
