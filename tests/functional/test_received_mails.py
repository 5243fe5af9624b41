"""Mails that come in: whose they are, which conversation they continue, and what no person wrote."""

from __future__ import annotations

import json
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from tests.functional.test_faults import MODES, Fault
from tests.support.inbound import counts, entries, recounted, workspace
from tests.support.recorder import Killed
from tests.support.world import World

from tidings.accounts.model import KeyKind, Role
from tidings.conversations.mail_store import DynamoMailStore
from tidings.email.answering import signed_address

ADA, US = "ada@people.example", "hello@in.acme.example"
QUERY, READ, GET = "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:GetItem"
TRANSACTION = "dynamodb:TransactWriteItems"


@pytest.fixture
def acme(world: World) -> World:
    """A workspace at which mail comes in, and an agent, Eve."""
    with world.recorder.unseen():
        world.accounts.configure("acme", {"inbound_address": US})
        world.keys["eve"] = world.accounts.create_key("acme", KeyKind.SECRET, "eve", Role.AGENT, "Eve")
    return world


def mail(text: str = "Is it open?", sender: str = ADA, **headers: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    for name, value in {"From": sender, "Subject": "Hours", "Message-ID": "<1@people>", **headers}.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def conversations(world: World) -> list[dict[str, Any]]:
    status, answer = world.call("conversations", "GET /v1/conversations", key="eve")
    assert status == 200, answer
    return list(answer["conversations"])


def texts(world: World, number: int = 0) -> list[str]:
    return [one.text for one in entries(world, conversations(world)[number]["conversation"])]


def events(world: World, contact: str, name: str = "Email Received") -> list[dict[str, Any]]:
    return [one for one in world.of_contact(contact, "events") if one["event"] == name]


def reply(world: World, text: str = "Yes.", key: str = "k-1") -> str:
    """Eve answers the first conversation; where answers to that go."""
    path = {"conversation": conversations(world)[0]["conversation"]}
    route = "POST /v1/conversations/{conversation}/replies"
    status, answer = world.call("conversations", route, {"text": text, "idempotency_key": key}, "eve", path=path)
    assert (status, answer["message"]["state"]) == (202, "accepted"), answer
    (address,) = world.ses.accepted[-1]["ReplyToAddresses"]
    world.now += timedelta(minutes=1)
    return str(address)


# --- whose it is ------------------------------------------------------------------------------------------------------


def test_what_an_agent_of_another_workspace_wrote_is_a_person_s_and_what_ours_sent_is_not(acme: World) -> None:
    theirs = mail("We would like twenty.", "eve@other.example", **{"X-Tidings-Message": "other/c1-m1"})
    ours = mail("Yes.", "bob@people.example", **{"X-Tidings-Message": "acme/c1-m1"})
    assert acme.receive_mail(acme.mail_in(theirs, US), acme.mail_in(ours, US)) == []
    assert [one["reply"]["address"] for one in conversations(acme)] == ["eve@other.example"]


def test_a_mail_to_a_workspace_s_address_opens_a_conversation_with_whoever_wrote(acme: World) -> None:
    assert acme.receive_mail(acme.mail_in(mail(), US, mail="in-1")) == []
    (shown,) = conversations(acme)
    assert (shown["state"], shown["channel"], shown["reply"]["address"], shown["reply"]["from"]) == (
        "new", "email", ADA, US,
    )  # fmt: skip
    assert texts(acme) == ["Is it open?"]
    (event,) = events(acme, shown["contact"])
    told = event["properties"]
    assert (told["subject"], told["from"], told["to"], told["channel"]) == ("Hours", ADA, US, "email")
    assert told["verdicts"] == {"spam": "PASS", "virus": "PASS", "spf": "PASS", "dkim": "PASS", "dmarc": "PASS"}
    assert acme.contact(email=ADA)["contact"] == shown["contact"]


def test_what_stands_behind_a_plus_sign_and_capitals_make_no_difference(acme: World) -> None:
    acme.receive_mail(acme.mail_in(mail(), "Hello+sales@IN.acme.example"))
    assert len(conversations(acme)) == 1


@pytest.mark.parametrize(
    "to", ["other@in.acme.example", "reply@in.acme.example", f"reply+nobody.{'a' * 17}@in.acme.example"]
)
def test_a_mail_to_nobody_is_let_go(acme: World, to: str) -> None:
    assert acme.receive_mail(acme.mail_in(mail(), to)) == []
    assert conversations(acme) == []


def test_an_address_is_one_workspace_s(acme: World) -> None:
    from tidings.core.errors import Conflict

    with pytest.raises(Conflict) as refused:
        acme.accounts.configure("other", {"inbound_address": US})
    assert refused.value.code == "inbound_address_taken"
    acme.accounts.configure("acme", {"inbound_address": "new@in.acme.example"})
    acme.accounts.configure("other", {"inbound_address": US})
    acme.cold("email_inbound")
    acme.receive_mail(acme.mail_in(mail(), US))
    assert conversations(acme) == []


def test_a_mail_to_two_of_our_addresses_is_taken_once(acme: World) -> None:
    acme.receive_mail(acme.mail_in(mail(), US))
    address = reply(acme)
    acme.receive_mail(acme.mail_in(mail("Thanks."), US, address))
    assert texts(acme) == ["Is it open?", "Yes.", "Thanks."]


def test_a_mail_delivered_again_changes_nothing(acme: World) -> None:
    record = acme.mail_in(mail(), US, mail="in-1")
    acme.receive_mail(record)
    acme.receive_mail(record, record)
    assert texts(acme) == ["Is it open?"]
    assert counts(acme) == recounted(acme)


def test_who_opens_a_conversation_by_mail_consents_to_nothing(acme: World) -> None:
    acme.receive_mail(acme.mail_in(mail(), US))
    assert acme.items("TABLE_CONSENTS") == []


# --- what it answers --------------------------------------------------------------------------------------------------


def test_an_answer_to_a_signed_address_continues_its_conversation_whoever_writes(acme: World) -> None:
    acme.receive_mail(acme.mail_in(mail(), US))
    address = reply(acme)
    text = f"Thanks.\n\nOn Friday, Acme <{address}> wrote:\n\nYes."
    acme.receive_mail(acme.mail_in(mail(text, "Ada at work <ada@work.example>"), address.upper()))
    (shown,) = conversations(acme)
    assert texts(acme) == ["Is it open?", "Yes.", "Thanks."]
    message = acme.ses.messages()[0]
    assert entries(acme, shown["conversation"])[-1].message == message
    assert entries(acme, shown["conversation"])[-1].who == "ada@work.example"
    (latest, _) = events(acme, shown["contact"])
    assert (latest["cause"], latest["properties"]["answers"]) == (f"message:{message}", message)


def test_an_answer_to_a_mail_of_an_automation_or_the_api_is_caused_by_it(acme: World) -> None:
    acme.accounts.configure("acme", {"signed_replies": True})
    acme.cold("send_email")
    acme.template("tips")
    body = {"to": {"email": ADA}, "template": "tips", "idempotency_key": "k", "kind": "transactional"}
    assert acme.call("send_email", "POST /v1/emails", body)[0] == 202
    (address,) = acme.ses.accepted[0]["ReplyToAddresses"]
    acme.receive_mail(acme.mail_in(mail(), address))
    assert events(acme, conversations(acme)[0]["contact"])[0]["cause"] == f"message:{acme.ses.messages()[0]}"


def test_what_an_automation_answers_says_that_no_person_wrote_it(acme: World) -> None:
    acme.template("thanks", kind="transactional")
    trigger, hello = {"event": "Email Received"}, {"type": "send_email", "template": "thanks"}
    acme.automation({"automation": "thanks", "trigger": trigger, "start": "hello", "components": {"hello": hello}})
    acme.receive_mail(acme.mail_in(mail(), US))
    acme.run()
    headers = {one["Name"]: one["Value"] for one in acme.ses.accepted[0]["Content"]["Simple"]["Headers"]}
    assert headers["Auto-Submitted"] == "auto-generated"


def test_an_answer_to_the_plain_address_is_matched_by_what_it_refers_to(acme: World) -> None:
    acme.accounts.configure("acme", {"reply_to": f"Acme <{US}>"})
    acme.template("tips")
    body = {"to": {"email": ADA}, "template": "tips", "idempotency_key": "k", "kind": "transactional"}
    assert acme.call("send_email", "POST /v1/emails", body)[0] == 202
    raw = mail(In_Reply_To="<ses-1@email.amazonses.com>", References="<0@else.example> <ses-1@email.amazonses.com>")
    acme.receive_mail(acme.mail_in(raw, US))
    assert events(acme, conversations(acme)[0]["contact"])[0]["cause"] == f"message:{acme.ses.messages()[0]}"


@pytest.mark.parametrize("kind", ["Send", "Delivery"])
def test_what_it_refers_to_is_found_also_where_ses_told_of_the_mail_before_it_answered(acme: World, kind: str) -> None:
    acme.accounts.configure("acme", {"reply_to": f"Acme <{US}>"})
    acme.template("tips")
    body = {"to": {"email": ADA}, "template": "tips", "idempotency_key": "k", "kind": "transactional"}
    acme.ses.failing = ["timeout"]
    assert acme.call("send_email", "POST /v1/emails", body)[1]["state"] == "claimed"
    acme.feedback(acme.ses.event(kind, acme.ses.accepted[0]))
    acme.receive_mail(acme.mail_in(mail(In_Reply_To="<ses-1@email.amazonses.com>"), US))
    assert events(acme, conversations(acme)[0]["contact"])[0]["cause"] == f"message:{acme.ses.messages()[0]}"


def test_a_workspace_at_which_no_mail_comes_in_keeps_no_pointers(world: World) -> None:
    world.template("tips")
    body = {"to": {"email": ADA}, "template": "tips", "idempotency_key": "k", "kind": "transactional"}
    assert world.call("send_email", "POST /v1/emails", body)[0] == 202
    assert [item for item in world.items("TABLE_MESSAGES") if item["sk"]["S"] == "answered"] == []


@pytest.mark.parametrize("forged", ["code", "workspace", "message"])
def test_a_forged_address_leads_into_nobody_s_conversation(acme: World, forged: str) -> None:
    acme.receive_mail(acme.mail_in(mail(), US))
    address = reply(acme)
    local, _, domain = address.partition("@")
    forgeries = {
        "code": f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{domain}",
        "workspace": address.replace("+acme.", "+other."),
        "message": signed_address(workspace(acme), "c1-unknown"),
    }
    acme.receive_mail(acme.mail_in(mail("Let me in.", "mallory@people.example"), forgeries[forged]))
    assert [one for one in conversations(acme) if one["contact"] != acme.contact(email=ADA)["contact"]] == (
        conversations(acme)[:1] if forged != "workspace" else []
    )
    mine = next(one for one in conversations(acme) if one["reply"]["address"] == ADA)
    assert [one.text for one in entries(acme, mine["conversation"])] == ["Is it open?", "Yes."]


@pytest.mark.parametrize("to", ["reply+acme.aaaaaaaaaaaaaaaaa@in.other.example", "reply+acme.aaaaaaaaaaaaaaaaa@"])
def test_a_forged_address_of_another_domain_is_nobody_s(acme: World, to: str) -> None:
    assert acme.receive_mail(acme.mail_in(mail(), to)) == []
    assert conversations(acme) == []


def test_a_signed_address_counts_also_after_mail_comes_in_at_another_domain(acme: World) -> None:
    acme.receive_mail(acme.mail_in(mail(), US))
    address = reply(acme)
    with acme.recorder.unseen():
        acme.accounts.configure("acme", {"inbound_address": "hello@in.new.example"})
    acme.now += timedelta(minutes=2)
    acme.receive_mail(acme.mail_in(mail("Thanks."), address))
    assert texts(acme) == ["Is it open?", "Yes.", "Thanks."]


def test_a_reply_to_a_resolved_conversation_opens_a_new_one(acme: World) -> None:
    acme.receive_mail(acme.mail_in(mail(), US))
    address = reply(acme)
    path = {"conversation": conversations(acme)[0]["conversation"]}
    about = {"type": "question", "category": "general", "key_message": "Hours."}
    acme.call("conversations", "POST /v1/conversations/{conversation}/resolve", about, "eve", path=path)
    acme.receive_mail(acme.mail_in(mail("One more thing."), address))
    assert sorted(one["state"] for one in conversations(acme)) == ["new", "resolved"]


# --- what machines write ----------------------------------------------------------------------------------------------

HEARD = {
    "automation": "hears",
    "trigger": {"event": "Email Received"},
    "start": "answer",
    "components": {"answer": {"type": "send_email", "template": "tips", "kind": "transactional"}},
}


@pytest.mark.parametrize(
    ("headers", "source"),
    [({"Auto-Submitted": "auto-replied"}, ADA), ({"Precedence": "bulk"}, ADA), ({"List-Id": "<x.y>"}, ADA), ({}, "")],
)
def test_what_a_machine_wrote_stands_on_the_timeline_and_starts_nothing(
    acme: World, headers: dict[str, str], source: str
) -> None:
    acme.template("tips")
    acme.automation(HEARD)
    acme.receive_mail(acme.mail_in(mail(), US))
    assert len(acme.executions) == 1
    address = reply(acme)
    contact = conversations(acme)[0]["contact"]
    acme.receive_mail(acme.mail_in(mail("I am away.", **headers), address, source=source))
    assert len(acme.executions) == 1
    assert texts(acme) == ["Is it open?", "Yes."]
    (event,) = events(acme, contact, "Email Received Automatically")
    assert (event["properties"]["auto"], event["properties"]["text"]) == (True, "I am away.")
    assert event["cause"] == f"message:{acme.ses.messages()[-1]}"


def test_what_a_machine_wrote_makes_nobody(acme: World) -> None:
    assert acme.receive_mail(acme.mail_in(mail(Auto_Submitted="auto-generated"), US)) == []
    assert acme.call("contacts", "GET /v1/contacts")[1]["contacts"] == []


def test_an_erasure_leaves_no_whole_mail(acme: World) -> None:
    acme.receive_mail(acme.mail_in(mail(), US), acme.mail_in(mail("And on Sunday?"), US))
    acme.erase(acme.contact(email=ADA)["contact"])
    assert {one["pk"]["S"].split("#")[1] for one in acme.items("TABLE_CONVERSATIONS")} == {"seen"}


def test_a_virus_is_refused_and_other_verdicts_are_kept(acme: World) -> None:
    assert acme.receive_mail(acme.mail_in(mail(), US, virus="FAIL")) == []
    assert conversations(acme) == []
    acme.receive_mail(acme.mail_in(mail(), US, spam="FAIL", dmarc="FAIL"))
    (event,) = events(acme, conversations(acme)[0]["contact"])
    assert (event["properties"]["verdicts"]["spam"], event["properties"]["verdicts"]["dmarc"]) == ("FAIL", "FAIL")


# --- the whole of it --------------------------------------------------------------------------------------------------


def test_the_whole_mail_is_kept_and_shown_with_its_files(acme: World) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["Subject"] = ADA, "Plan"
    message.set_content("See the plan.\n\n> Which plan?")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="plan.pdf")
    acme.receive_mail(acme.mail_in(message.as_bytes(), US))
    (shown,) = conversations(acme)
    (entry,) = entries(acme, shown["conversation"])
    assert entry.text == "See the plan."
    assert [(one.name, one.type, one.size) for one in entry.attachments] == [("plan.pdf", "application/pdf", 4)]
    with acme.recorder.unseen():
        assert DynamoMailStore(acme.database).get("acme", shown["conversation"], entry.id) == message.as_bytes()
    path = {"conversation": shown["conversation"], "entry": entry.id}
    status, answer = acme.call(
        "conversations", "GET /v1/conversations/{conversation}/mails/{entry}", key="eve", path=path
    )
    assert (status, answer["text"].split()[-1], answer["from"]) == (200, "plan?", ADA)
    assert answer["attachments"] == [{"name": "plan.pdf", "type": "application/pdf", "size": 4, "content": "JVBERg=="}]
    status, answer = acme.call(
        "conversations", "GET /v1/conversations/{conversation}/mails/{entry}", key="eve", path={**path, "entry": "x"}
    )
    assert (status, answer["code"]) == (404, "unknown_entry")


@pytest.mark.parametrize("raw", [b"", b"just words", b"From: x\r\nContent-Type: multipart/mixed\r\n\r\nhello \xff"])
def test_a_broken_mail_is_kept_as_text(acme: World, raw: bytes) -> None:
    assert acme.receive_mail(acme.mail_in(raw, US)) == []
    assert len(conversations(acme)) == 1


def test_a_mail_of_nobody_goes_back_to_the_queue(acme: World) -> None:
    record = acme.mail_in(mail(sender="no address"), US, source="also none")
    assert acme.receive_mail(record) == [record["messageId"]]


@pytest.mark.parametrize(
    "message", ['"Successfully validated SNS topic for Amazon SES event publishing."', '{"notificationType": "Bounce"}']
)
def test_what_is_no_received_mail_is_let_go(acme: World, message: str) -> None:
    told = json.loads(message) if message.startswith('"') else message
    assert acme.receive_mail({"messageId": "q", "body": json.dumps({"Message": told})}) == []


def test_what_cannot_be_read_goes_back_to_the_queue(acme: World) -> None:
    assert acme.receive_mail({"messageId": "q", "body": json.dumps({"Message": "{"})}) == ["q"]


def test_what_a_mail_costs(acme: World) -> None:
    acme.receive_mail(acme.mail_in(mail(), US))
    address = reply(acme)
    acme.receive_mail(acme.mail_in(mail("Hello?"), US))  # the workspace is remembered for a minute
    acme.recorder.clear()
    acme.invoke("email_inbound", {"Records": [acme.mail_in(mail("More."), US)]})
    assert acme.recorder.names() == [GET, QUERY, READ, TRANSACTION, TRANSACTION]
    acme.recorder.clear()
    acme.invoke("email_inbound", {"Records": [acme.mail_in(mail("Thanks."), address)]})
    assert acme.recorder.names() == [READ, GET, READ, TRANSACTION, TRANSACTION]


@pytest.mark.parametrize("mode", MODES)
def test_a_fault_at_any_call_loses_no_mail_and_doubles_none(acme: World, mode: str) -> None:
    number = 0
    while True:
        record = acme.mail_in(mail(sender=f"p{number}@people.example"), US, mail=f"in-{number}")
        fault = Fault(acme, "email_inbound", number, mode)
        acme.recorder.before, acme.recorder.after = fault.before, fault.after
        for _ in range(4):
            try:
                if acme.invoke("email_inbound", {"Records": [record]}) == {"batchItemFailures": []}:
                    break
            except Killed:
                acme.cold("email_inbound")
        acme.recorder.before = acme.recorder.after = None
        acme.pump()
        contact = str(acme.contact(email=f"p{number}@people.example")["contact"])
        assert len(events(acme, contact)) == 1
        assert counts(acme) == recounted(acme) == {("default", "new"): number + 1}
        assert (
            len([one for one in acme.items("TABLE_CONVERSATIONS") if one["sk"]["S"].startswith("mail#")]) == number + 1
        )
        number += 1
        if not fault.struck:
            break
    assert number > 4
