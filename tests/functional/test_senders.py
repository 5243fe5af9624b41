"""Senders through the API, the schedule and the moment of sending, with SES's identities in the test's hands."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.support.world import WORKSPACE, World, variables

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core.errors import Unavailable
from tidings.email import senders as sender_service
from tidings.sms.number_store import NUMBER

ADA = "ada@people.example"
EACH = "/v1/senders/{identity}"


def put(world: World, identity: str, body: Any = None, key: str = "secret") -> tuple[int, dict[str, Any]]:
    return world.call("senders", f"PUT {EACH}", body, key, path={"identity": identity})


def get(world: World, identity: str, key: str = "secret") -> tuple[int, dict[str, Any]]:
    return world.call("senders", f"GET {EACH}", key=key, path={"identity": identity})


def delete(
    world: World, identity: str, fate: dict[str, str] | None = None, key: str = "secret"
) -> tuple[int, dict[str, Any]]:
    return world.call("senders", f"DELETE {EACH}", key=key, path={"identity": identity}, query=fate)


def listed(world: World, key: str = "secret") -> list[str]:
    _, answer = world.call("senders", "GET /v1/senders", key=key)
    return [one["identity"] for one in answer["senders"]]


def told(world: World, workspace: str = WORKSPACE) -> dict[str, Any]:
    """What sends of the workspace read of its senders, without the one that the world begins with."""
    with world.recorder.unseen():
        found = DynamoWorkspaceStore(world.database).get(workspace, consistent=True)
    assert found
    return {name: entry["verified"] for name, entry in found.senders.items() if name != "acme.example"}


def kept(world: World) -> dict[str, str]:
    """The claims, by identity: whose they are. A number of texts stands in the same table, and is none."""
    items = [item for item in world.items("TABLE_SENDERS") if item["sk"]["S"] not in (".", NUMBER)]
    return {item["sk"]["S"]: item["workspace"]["S"] for item in items}


def send(world: World, sender: str) -> dict[str, Any]:
    """Order a mail from a sender."""
    world.template("tips", **{"from": sender})
    order = {"to": {"email": ADA}, "template": "tips", "idempotency_key": world.fresh()}
    status, answer = world.call("send_email", "POST /v1/emails", {**order, "kind": "transactional"})
    assert status == 202, answer
    return answer


def reason(message: dict[str, Any]) -> str:
    (check,) = [one for one in message["decision"]["checks"] if one["check"] == message["decision"]["decided_by"]]
    return str(check["found"])


# --- adding ----------------------------------------------------------------------------------------------------------


def test_a_new_domain_is_claimed_told_to_ses_and_shown_with_what_to_set(world: World) -> None:
    status, answer = put(world, "New.example")
    assert status == 200, answer
    assert (answer["identity"], answer["verified"], answer["status"]) == ("new.example", False, "pending")
    assert answer["dkim"] == {"status": "pending", "tokens": ["t1", "t2", "t3"]}
    assert answer["mail_from"] == {"domain": "mail.new.example", "status": "pending"}
    assert [one["purpose"] for one in answer["records"]] == ["dkim", "dkim", "dkim", "mail_from", "spf", "dmarc"]
    assert [one["code"] for one in answer["warnings"]] == ["not_verified", "dkim_pending", "mail_from_not_aligned"]
    assert (kept(world), told(world)) == ({"new.example": "acme"}, {"new.example": False})
    assert world.identities.known["new.example"].mail_from == "mail.new.example"
    assert listed(world) == ["new.example"]


def test_a_domain_that_ses_has_already_is_verified_at_once(world: World) -> None:
    world.identities.status = "SUCCESS"
    put(world, "new.example", {"mail_from": "bounce.new.example"})
    delete(world, "new.example")
    status, answer = put(world, "new.example")
    assert (status, answer["verified"], answer["warnings"]) == (200, True, [])
    assert answer["mail_from"]["domain"] == "bounce.new.example"  # which somebody chose
    assert told(world) == {"new.example": True}


def test_mail_from_is_what_the_body_says_and_stays_so(world: World) -> None:
    _, answer = put(world, "new.example", {"mail_from": "bounce.new.example"})
    assert answer["mail_from"]["domain"] == "bounce.new.example"
    assert put(world, "new.example")[1]["mail_from"]["domain"] == "bounce.new.example"
    assert put(world, "new.example", {"mail_from": "b.new.example"})[1]["mail_from"]["domain"] == "b.new.example"


def test_one_address_is_a_sender_without_records(world: World) -> None:
    status, answer = put(world, "Hello@New.example")
    assert (status, answer["identity"], answer["kind"]) == (200, "hello@new.example", "address")
    assert (answer["records"], answer["mail_from"]) == ([], None)
    assert "sesv2:PutEmailIdentityMailFromAttributes" not in world.recorder.names()


def test_the_same_again_changes_nothing(world: World) -> None:
    first = put(world, "new.example")
    world.recorder.clear()
    assert put(world, "new.example") == first
    assert "sesv2:PutEmailIdentityMailFromAttributes" not in world.recorder.names()
    assert len(kept(world)) == 1


def test_what_was_taken_out_of_ses_behind_our_back_is_mended_by_adding_it_again(world: World) -> None:
    world.identities.status = "SUCCESS"
    put(world, "new.example")
    world.identities.known.clear()
    world.now += timedelta(minutes=1)
    _, gone = get(world, "new.example")
    assert (gone["verified"], gone["status"], gone["warnings"][0]["code"]) == (False, "missing", "identity_missing")
    assert told(world) == {"new.example": False}
    assert put(world, "new.example")[1]["verified"] is True


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("new.example", "new.example"),
        ("new.example", "NEW.example."),
        ("new.example", "news.new.example"),
        ("news.new.example", "new.example"),
        ("new.example", "hello@new.example"),
        ("new.example", "hello@news.new.example"),
        ("hello@news.new.example", "new.example"),
        ("hello@new.example", "hello@new.example"),
    ],
)
def test_no_second_workspace_takes_what_overlaps(world: World, first: str, second: str) -> None:
    assert put(world, first)[0] == 200
    before = world.items("TABLE_SENDERS")
    world.recorder.clear()
    status, answer = put(world, second, key=world.other_secret)
    assert (status, answer["code"]) == (409, "sender_taken")
    assert world.items("TABLE_SENDERS") == before
    assert not [name for name in world.recorder.names() if name.startswith("sesv2:")]
    assert told(world, "other") == {}


@pytest.mark.parametrize(("first", "second"), [
    ("a.new.example", "b.new.example"),
    ("hello@new.example", "other@new.example"),
    ("new.example", "newer.example"),
])  # fmt: skip
def test_what_does_not_overlap_is_anybodys(world: World, first: str, second: str) -> None:
    assert [put(world, first)[0], put(world, second, key=world.other_secret)[0]] == [200, 200]


def test_one_workspace_has_as_many_beneath_each_other_as_it_likes(world: World) -> None:
    for identity in ("new.example", "news.new.example", "hello@new.example"):
        assert put(world, identity)[0] == 200


@pytest.mark.parametrize("number", range(4))
def test_of_two_claims_that_overlap_and_come_at_once_one_is_refused(world: World, number: int) -> None:
    """The other workspace's claim is made right before one of the calls of ours."""
    made, other = 0, 0

    def meanwhile(call: Any) -> None:
        nonlocal made, other
        made += 1
        if made == number + 1:
            world.recorder.before = None
            other = put(world, "news.new.example", key=world.other_secret)[0]

    world.function("senders")
    world.recorder.before = meanwhile
    status, _ = put(world, "new.example")
    world.recorder.before = None
    assert (status, other) == (409, 200)
    assert (kept(world), told(world), told(world, "other")) == (
        {"news.new.example": "other"}, {}, {"news.new.example": False}
    )  # fmt: skip


def test_two_senders_added_at_once_are_both_there(world: World) -> None:
    done = False

    def meanwhile(call: Any) -> None:
        nonlocal done
        if call.name == "dynamodb:TransactWriteItems" and not done:
            done = True
            put(world, "second.example")

    world.recorder.before = meanwhile
    put(world, "first.example")
    assert listed(world) == ["first.example", "second.example"]


def test_a_workspace_has_only_so_many_senders(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_service, "SENDERS_MOST", 2)  # the world's own is one
    assert put(world, "first.example")[0] == 200
    status, answer = put(world, "second.example")
    assert (status, answer["code"]) == (409, "too_many_senders")
    assert put(world, "first.example")[0] == 200


@pytest.mark.parametrize(
    ("code", "status", "ours"),
    [
        ("TooManyRequestsException", 429, "ses_throttled"),
        ("BadRequestException", 400, "ses_refused"),
        ("LimitExceededException", 409, "ses_identities_full"),
        ("ConcurrentModificationException", 503, "ses_failed"),
        ("AccessDeniedException", 503, "ses_failed"),
    ],
)
def test_what_ses_refuses_is_told_and_nothing_leaves_from_it(world: World, code: str, status: int, ours: str) -> None:
    world.identities.failing["new.example"] = code
    answered, answer = put(world, "new.example")
    assert (answered, answer["code"]) == (status, ours)
    assert told(world) == {"new.example": False}
    world.identities.failing.clear()
    assert put(world, "new.example")[0] == 200


# --- asking ----------------------------------------------------------------------------------------------------------


def test_ses_is_asked_anew_at_most_every_30_seconds(world: World) -> None:
    put(world, "new.example")
    get(world, "new.example")
    world.identities.say("new.example", "SUCCESS")
    world.recorder.clear()
    world.now += timedelta(seconds=29)
    assert get(world, "new.example")[1]["verified"] is False
    assert "sesv2:GetEmailIdentity" not in world.recorder.names()
    world.now += timedelta(seconds=1)
    assert get(world, "new.example")[1]["verified"] is True
    assert told(world) == {"new.example": True}


def test_an_older_answer_of_ses_does_not_undo_a_newer_one(world: World) -> None:
    """SES says yes; before that is written, somebody else is told no, later, and has written it."""
    world.identities.status = "SUCCESS"
    put(world, "new.example")
    done = False

    def meanwhile(call: Any) -> None:
        nonlocal done
        if call.name == "dynamodb:TransactWriteItems" and not done:
            done = True
            world.now += timedelta(minutes=1)
            world.identities.say("new.example", "FAILED")
            world.invoke("check_senders", {})

    world.now += timedelta(minutes=1)
    world.recorder.before = meanwhile
    status, answer = get(world, "new.example")
    assert (status, answer["verified"], told(world)) == (200, False, {"new.example": False})


def test_another_workspaces_sender_is_neither_shown_nor_taken_away(world: World) -> None:
    put(world, "new.example")
    for answer in (
        get(world, "new.example", world.other_secret),
        delete(world, "new.example", key=world.other_secret),
        delete(world, "new.example", {"identity": "delete"}, world.other_secret),
    ):
        assert (answer[0], answer[1]["code"]) == (404, "unknown_sender")
    assert listed(world, world.other_secret) == []
    assert "new.example" in world.identities.known
    assert kept(world) == {"new.example": "acme"}


# --- taking away -----------------------------------------------------------------------------------------------------


def test_a_sender_that_was_taken_away_sends_nothing_and_is_anybodys(world: World) -> None:
    world.identities.status = "SUCCESS"
    put(world, "new.example")
    assert send(world, "hello@new.example")["state"] == "accepted"
    assert delete(world, "new.example") == (200, {"removed": True})
    assert reason(send(world, "hello@new.example")) == "the sender new.example is not verified"
    assert "new.example" in world.identities.known
    assert delete(world, "new.example")[0] == 404
    assert put(world, "new.example", key=world.other_secret)[0] == 200


def test_ses_forgets_it_only_when_asked(world: World) -> None:
    put(world, "new.example")
    assert delete(world, "new.example", {"identity": "forget"})[1]["code"] == "invalid_identity_fate"
    assert delete(world, "new.example", {"identity": "delete"})[0] == 200
    assert (world.identities.known, kept(world), told(world)) == ({}, {}, {})


def test_one_that_ses_would_not_forget_stays_claimed_and_is_forgotten_by_the_repeat(world: World) -> None:
    world.identities.status = "SUCCESS"
    put(world, "new.example")
    world.identities.failing["new.example"] = "TooManyRequestsException"
    assert delete(world, "new.example", {"identity": "delete"})[0] == 429
    assert (told(world), listed(world), get(world, "new.example")[0]) == ({}, [], 404)
    assert put(world, "new.example", key=world.other_secret)[1]["code"] == "sender_taken"
    world.invoke("check_senders", {})
    assert told(world) == {}
    world.identities.failing.clear()
    assert delete(world, "new.example", {"identity": "delete"})[0] == 200
    assert (world.identities.known, kept(world)) == ({}, {})


def test_one_that_is_leaving_comes_back_when_it_is_added_again(world: World) -> None:
    put(world, "new.example")
    world.identities.failing["new.example"] = "TooManyRequestsException"
    delete(world, "new.example", {"identity": "delete"})
    world.identities.failing.clear()
    assert put(world, "new.example")[0] == 200
    assert (told(world), listed(world)) == ({"new.example": False}, ["new.example"])


# --- the moment of sending -------------------------------------------------------------------------------------------


def test_nothing_leaves_from_a_sender_that_is_not_verified(world: World) -> None:
    put(world, "new.example")
    message = send(world, "New <hello@new.example>")
    assert (message["state"], reason(message)) == ("skipped", "the sender new.example is not verified")
    assert world.ses.accepted == []
    world.identities.say("new.example", "SUCCESS")
    get(world, "new.example")
    assert send(world, "New <hello@news.new.example>")["state"] == "accepted"


def test_two_senders_in_one_are_none(world: World) -> None:
    message = send(world, "hello@acme.example, evil@other.example")
    assert (message["state"], "not one address" in reason(message)) == ("skipped", True)


def test_a_check_of_the_sender_reads_nothing_more(world: World) -> None:
    send(world, "hello@acme.example")
    world.recorder.clear()
    send(world, "hello@acme.example")
    tables = json.dumps([call.arguments for call in world.recorder.calls], default=str)
    assert variables()["TABLE_WORKSPACES"] in tables
    assert variables()["TABLE_SENDERS"] not in tables


def test_what_ses_does_not_know_as_ours_ends_as_refused(world: World) -> None:
    world.ses.failing = ["MessageRejected"]
    message = send(world, "hello@acme.example")
    assert message["state"] == "refused"


# --- the schedule ----------------------------------------------------------------------------------------------------


def counted(text: str) -> int:
    """What the metric SenderUnverified was given."""
    return sum(json.loads(line)["SenderUnverified"] for line in text.splitlines() if '"SenderUnverified":' in line)


def test_a_sender_that_ses_no_longer_verifies_stops_sending(
    world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    world.identities.status = "SUCCESS"
    put(world, "new.example")
    put(world, "other.example", key=world.other_secret)
    world.now += timedelta(minutes=15)
    world.invoke("check_senders", {})
    assert counted(capsys.readouterr().out) == 0
    world.identities.say("new.example", "TEMPORARY_FAILURE")
    world.now += timedelta(minutes=15)
    world.invoke("check_senders", {})
    assert counted(capsys.readouterr().out) == 1
    assert [one.message for one in caplog.records if "sender" in one.message] == ["sender changed"]
    assert (told(world), told(world, "other")) == ({"new.example": False}, {"other.example": True})
    assert send(world, "hello@new.example")["state"] == "skipped"
    world.invoke("check_senders", {})
    assert counted(capsys.readouterr().out) == 0  # it is told once


def test_a_sender_becomes_verified_without_anybody_looking(world: World) -> None:
    put(world, "new.example")
    world.identities.say("new.example", "SUCCESS")
    world.invoke("check_senders", {})
    assert told(world) == {"new.example": True}


def test_one_that_cannot_be_asked_about_keeps_no_other_from_its_turn(
    world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    world.identities.status = "SUCCESS"
    for name in ("a.example", "b.example", "c.example"):
        put(world, name)
        world.identities.say(name, "FAILED")
        world.now += timedelta(seconds=1)
    world.identities.failing["b.example"] = "TooManyRequestsException"
    with pytest.raises(Unavailable, match="1 of 3 senders"):
        world.invoke("check_senders", {})
    assert told(world) == {"a.example": False, "b.example": True, "c.example": False}
    assert counted(capsys.readouterr().out) == 2
    (failed,) = [vars(one) for one in caplog.records if one.message == "sender not checked"]
    assert (failed["workspace"], failed["code"]) == ("acme", "ses_throttled")
    assert "b.example" not in json.dumps(failed, default=str)  # an address may stand there


def test_all_pages_of_the_table_are_gone_through(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        put(world, f"n{number}.example")
        world.identities.say(f"n{number}.example", "SUCCESS")
    from tidings.email.sender_store import SenderItem

    original = SenderItem.scan
    monkeypatch.setattr(
        SenderItem, "scan", classmethod(lambda cls, *a, **k: original.__func__(cls, *a, page_size=2, **k))
    )
    world.recorder.clear()
    world.invoke("check_senders", {})
    assert len(world.recorder.of("dynamodb:Scan")) > 2
    assert set(told(world).values()) == {True}


def test_those_asked_longest_ago_come_first_and_the_rest_waits_for_the_next_round(world: World) -> None:
    for name in ("c.example", "a.example", "b.example"):
        put(world, name)
        world.now += timedelta(seconds=1)
    asked: list[str] = []

    def slow(call: Any) -> None:
        if call.name == "sesv2:GetEmailIdentity":
            asked.append(call.arguments["EmailIdentity"])
            world.now += timedelta(minutes=3)

    world.recorder.before = slow
    world.invoke("check_senders", {})
    assert asked == ["c.example", "a.example"]
    world.invoke("check_senders", {})
    assert asked[2] == "b.example"


@pytest.mark.parametrize("fate", ["keep", "delete"])
def test_one_that_was_taken_away_while_ses_was_asked_does_not_come_back(world: World, fate: str) -> None:
    world.identities.status = "SUCCESS"
    put(world, "new.example")
    world.now += timedelta(minutes=1)

    def meanwhile(call: Any) -> None:
        if call.name == "dynamodb:TransactWriteItems":
            world.recorder.before = None
            world.identities.failing["new.example"] = "TooManyRequestsException"  # so that it is still leaving
            delete(world, "new.example", {"identity": fate})

    world.recorder.before = meanwhile
    assert get(world, "new.example")[0] == 404
    assert (told(world), listed(world)) == ({}, [])
