"""What agents answer: a message like any other, on the channel last written on, and once in its conversation."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_faults import MODES, Fault
from tests.support.inbound import conversation, counts, entries, mail, recounted, sms, take
from tests.support.recorder import Killed
from tests.support.world import OUR_NUMBER, THEIR_NUMBER, World

from tidings.accounts.model import KeyKind, Role
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.contacts.model import Identity, IdentityKind
from tidings.conversations.model import State, Taken
from tidings.email.answering import read_signed

ROUTE = "POST /v1/conversations/{conversation}/replies"
TRIES = 6


@pytest.fixture
def eve(world: World) -> World:
    """The workspace with an agent, Eve, and an address at which mail comes in."""
    with world.recorder.unseen():
        world.keys["eve"] = world.accounts.create_key("acme", KeyKind.SECRET, "eve", Role.AGENT, "Eve")
        world.accounts.configure("acme", {"inbound_address": "hello@in.acme.example"})
    return world


@pytest.fixture
def texted(eve: World) -> Taken:
    """A conversation that a text message opened."""
    taken = take(eve, sms(eve, "in-1", "Is it open?", to=OUR_NUMBER))
    eve.now += timedelta(minutes=5)
    return taken


@pytest.fixture
def mailed(eve: World) -> Taken:
    """A conversation that a mail opened."""
    told = mail(eve, "in-1", "Is it open?", subject="Opening\n hours", reference="<0@people> <1@people>")
    taken = take(eve, told)
    eve.now += timedelta(minutes=5)
    return taken


def reply(world: World, taken: Taken, text: str = "Yes.", **more: Any) -> tuple[int, dict[str, Any]]:
    body = {**({"text": text} if text else {}), "idempotency_key": "k-1", **more}
    return world.call("conversations", ROUTE, body, more.pop("key", "eve"), path={"conversation": taken.conversation})


def sent(world: World, taken: Taken, text: str = "Yes.", **more: Any) -> dict[str, Any]:
    status, answer = reply(world, taken, text, **more)
    assert (status, answer["message"]["state"]) == (202, "accepted"), answer
    assert counts(world) == recounted(world)
    world.pump()
    return answer


def told(world: World, taken: Taken, name: str = "Conversation Replied") -> list[dict[str, Any]]:
    """The properties of the events of a name."""
    world.pump()
    return [one["properties"] for one in world.of_contact(taken.contact, "events") if one["event"] == name]


# --- the channel ------------------------------------------------------------------------------------------------------


def test_a_text_is_answered_by_a_text_from_the_number_that_it_came_to(eve: World, texted: Taken) -> None:
    answer = sent(eve, texted)
    (text,) = eve.sms.accepted
    assert (text["DestinationPhoneNumber"], text["OriginationIdentity"]) == (THEIR_NUMBER, OUR_NUMBER)
    assert (text["MessageBody"], text["MessageType"]) == ("Yes.", "TRANSACTIONAL")
    assert answer["message"]["conversation"] == texted.conversation


def test_a_mail_is_answered_by_a_mail_below_it(eve: World, mailed: Taken) -> None:
    sent(eve, mailed)
    (mail,) = eve.ses.accepted
    simple = mail["Content"]["Simple"]
    headers = {one["Name"]: one["Value"] for one in simple["Headers"]}
    assert mail["Destination"]["ToAddresses"] == ["ada@people.example"]
    assert simple["Subject"]["Data"] == "Re: Opening hours"
    assert headers["In-Reply-To"] == "<1@people>"
    assert headers["References"] == "<0@people> <1@people>"
    assert mail["FromEmailAddress"] == "reply@acme.example"  # where it came to, which is verified
    (answers,) = mail["ReplyToAddresses"]
    signed = read_signed(answers)
    assert signed is not None
    assert (signed.workspace, answers.partition("@")[2]) == ("acme", "in.acme.example")


def test_a_mail_that_came_to_an_address_we_cannot_send_from_is_answered_from_our_own(eve: World) -> None:
    taken = take(eve, mail(eve, "in-1", to="hello@in.elsewhere.example"))
    sent(eve, taken)
    assert eve.ses.accepted[0]["FromEmailAddress"] == "Acme <hello@acme.example>"


def test_what_somebody_wrote_as_a_subject_is_no_liquid(eve: World) -> None:
    subject = "{{ contact.email }} {% if"
    sent(eve, take(eve, mail(eve, "in-1", subject=subject)))
    assert eve.ses.accepted[0]["Content"]["Simple"]["Subject"]["Data"] == f"Re: {subject}"


@pytest.mark.parametrize("subject", ["Re: Prices", "RE: Prices", "re:Prices"])
def test_a_subject_is_answered_with_one_re(eve: World, subject: str) -> None:
    sent(eve, take(eve, mail(eve, "in-1", subject=subject)))
    assert eve.ses.accepted[0]["Content"]["Simple"]["Subject"]["Data"] == subject


def test_the_channel_is_that_of_the_last_message_that_came_in(eve: World, texted: Taken) -> None:
    eve.call("change_contacts", "PATCH /v1/contacts/{contact}", {"traits": {"email": "ada@people.example"}},
             path={"contact": texted.contact})  # fmt: skip
    later = take(eve, mail(eve, "in-2", "And on Sunday?", at=eve.now))
    assert later.conversation == texted.conversation
    sent(eve, texted)
    assert (len(eve.ses.accepted), len(eve.sms.accepted)) == (1, 0)
    sent(eve, texted, channel="sms", idempotency_key="k-2")
    assert len(eve.sms.accepted) == 1
    assert conversation(eve, texted).channel == "sms"
    sent(eve, texted, idempotency_key="k-3")  # what we wrote ourselves does not change it
    assert len(eve.ses.accepted) == 2


def test_somebody_who_wrote_from_an_earlier_address_is_answered_there(eve: World) -> None:
    first = take(eve, mail(eve, "in-1", sender="old@people.example"))
    eve.now += timedelta(minutes=1)
    eve.call("change_contacts", "PATCH /v1/contacts/{contact}", {"traits": {"email": "new@people.example"}},
             path={"contact": first.contact})  # fmt: skip
    sent(eve, first)
    assert eve.ses.accepted[0]["Destination"]["ToAddresses"] == ["old@people.example"]


def numbers(world: World, told: dict[str, Any]) -> None:
    """Change which numbers the workspace has."""
    with world.recorder.unseen():
        workspaces = DynamoWorkspaceStore(world.database)
        before = workspaces.get("acme")
        assert before
        workspaces.change_sms(before, {**before.sms, "numbers": told})


def test_a_text_is_answered_from_its_number_whatever_that_is_for(eve: World, texted: Taken) -> None:
    numbers(eve, {OUR_NUMBER: {"country": "PL", "two_way": True, "kinds": ["marketing"]}})
    sent(eve, texted)
    (text,) = eve.sms.accepted
    assert (text["OriginationIdentity"], text["MessageType"]) == (OUR_NUMBER, "PROMOTIONAL")  # AWS has it for these


def test_a_text_to_a_number_that_was_given_up_is_answered_from_another(eve: World, texted: Taken) -> None:
    numbers(eve, {"+48732100300": {"country": "PL", "two_way": True}})
    sent(eve, texted)
    assert eve.sms.accepted[0]["OriginationIdentity"] == "+48732100300"


# --- what it says -----------------------------------------------------------------------------------------------------


def test_a_reply_is_liquid_with_the_contact_and_variables(eve: World, mailed: Taken) -> None:
    sent(eve, mailed, "Until {{ variables.hour }}, {{ contact.email }}.", variables={"hour": 8})
    body = eve.ses.accepted[0]["Content"]["Simple"]["Body"]["Text"]["Data"]
    assert "Until 8, ada@people.example." in body
    assert entries(eve, mailed.conversation)[-1].text == "Until 8, ada@people.example."


def test_a_long_reply_is_sent_whole_and_stands_in_the_conversation_as_far_as_there_is_room(
    eve: World, mailed: Taken
) -> None:
    part = "\N{GRINNING FACE}" * 1000
    sent(eve, mailed, "{{ variables.part }}" * 120, variables={"part": part})
    assert len(eve.ses.accepted[0]["Content"]["Simple"]["Body"]["Text"]["Data"].strip()) == 120_000
    assert entries(eve, mailed.conversation)[-1].text == part * 50


def test_a_reply_may_be_a_template(eve: World, mailed: Taken) -> None:
    eve.template("hours", subject="Our hours", text="From {{ variables.from }}.")
    answer = sent(eve, mailed, "", template="hours", variables={"from": 9})
    assert (answer["message"]["template"], answer["message"]["template_version"]) == ("hours", 1)
    assert eve.ses.accepted[0]["Content"]["Simple"]["Subject"]["Data"] == "Our hours"
    assert entries(eve, mailed.conversation)[-1].text == "From 9."


def test_files_go_with_a_mail_and_stand_in_the_conversation(eve: World, mailed: Taken) -> None:
    file = {"name": "plan.pdf", "type": "application/pdf", "content": base64.b64encode(b"%PDF").decode()}
    sent(eve, mailed, attachments=[file])
    (shown,) = entries(eve, mailed.conversation)[-1].attachments
    assert (shown.name, shown.type, shown.size) == ("plan.pdf", "application/pdf", 4)
    assert eve.ses.accepted[0]["Content"]["Simple"]["Attachments"][0]["RawContent"] == b"%PDF"


FILE = {"name": "a.txt", "type": "text/plain", "content": "YQ=="}


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"attachments": [FILE]}, 400, "no_attachments_by_sms", "attachments"),
        ({"text": " "}, 400, "invalid_request", "text"),
        ({"template": "hours"}, 400, "invalid_request", "text"),  # and a text
        ({"text": "", "template": "hours"}, 404, "unknown_template", "template"),
        ({"text": "", "template": "mails"}, 400, "wrong_channel", "template"),
        ({"subject": "Hours"}, 400, "invalid_request", "subject"),
        ({"channel": "fax"}, 400, "invalid_request", "channel"),
        ({"idempotency_key": ""}, 400, "invalid_request", "idempotency_key"),
    ],
)
def test_what_cannot_be_a_reply_is_refused_and_changes_nothing(
    eve: World, texted: Taken, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    eve.template("mails")
    before = conversation(eve, texted)
    answered, answer = reply(eve, texted, **body)
    assert (answered, answer["code"], answer["field"]) == (status, code, field)
    assert conversation(eve, texted) == before
    assert not eve.sms.accepted


def test_a_reply_in_no_conversation_is_refused(eve: World, texted: Taken) -> None:
    path = {"conversation": f"{texted.conversation}x"}
    status, answer = eve.call("conversations", ROUTE, {"text": "Yes.", "idempotency_key": "k"}, "eve", path=path)
    assert (status, answer["code"]) == (404, "unknown_conversation")


# --- the conversation -------------------------------------------------------------------------------------------------


def test_a_reply_takes_the_conversation_and_stands_in_it(eve: World, texted: Taken) -> None:
    answer = sent(eve, texted)
    shown = answer["conversation"]
    assert (shown["state"], shown["agent"], counts(eve)) == ("ongoing", "Eve", {("default", "ongoing"): 1})
    question, written = entries(eve, texted.conversation)
    assert (question.text, written.text, written.who, written.direction) == ("Is it open?", "Yes.", "Eve", "out")
    assert written.message == answer["message"]["message"]
    (event,) = told(eve, texted)
    expected = {"conversation": texted.conversation, "channel": "sms", "agent": "Eve", "message": written.message}
    assert {name: event[name] for name in expected} == expected


def test_whoever_has_it_keeps_it_when_another_answers(eve: World, texted: Taken) -> None:
    path = {"conversation": texted.conversation}
    eve.call("conversations", "POST /v1/conversations/{conversation}/take", {"agent": "Mallory"}, "eve", path=path)
    assert sent(eve, texted)["conversation"]["agent"] == "Mallory"
    assert told(eve, texted)[0]["agent"] == "Eve"


def test_an_answer_gives_the_contact_its_stars(eve: World, texted: Taken) -> None:
    sent(eve, texted)
    status, answer = eve.call("contacts", "GET /v1/contacts/{contact}", path={"contact": texted.contact})
    assert (status, answer["rating"]["why"]) == (200, "1 of 1 reply within 30 minutes")


def test_the_same_key_again_is_the_same_reply_and_with_another_text_refused(eve: World, texted: Taken) -> None:
    first = sent(eve, texted)
    assert sent(eve, texted) == first
    assert len(eve.sms.accepted) == 1
    assert reply(eve, texted, "No.")[1]["code"] == "idempotency_conflict"
    assert len(entries(eve, texted.conversation)) == 2


def test_a_resolved_conversation_is_not_answered(eve: World, texted: Taken) -> None:
    path = {"conversation": texted.conversation}
    about = {"type": "question", "category": "general", "key_message": "Hours."}
    assert eve.call("conversations", "POST /v1/conversations/{conversation}/resolve", about, "eve", path=path)[0] == 200
    status, answer = reply(eve, texted)
    assert (status, answer["code"]) == (409, "conversation_resolved")
    assert not eve.sms.accepted


def test_a_message_that_comes_in_meanwhile_keeps_no_reply_out(eve: World, texted: Taken) -> None:
    def meanwhile(call: Any) -> None:
        if call.name == "dynamodb:TransactWriteItems" and eve.running == "conversations":
            eve.recorder.before = None
            with eve.recorder.unseen():
                take(eve, sms(eve, "in-2", "Hello?", to=OUR_NUMBER, at=eve.now))

    eve.recorder.before = meanwhile
    sent(eve, texted)
    assert [one.text for one in entries(eve, texted.conversation)] == ["Is it open?", "Hello?", "Yes."]
    assert len(eve.sms.accepted) == 1


# --- whether it may go ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["manual", "complaint"])
def test_who_must_not_be_written_to_is_not_and_the_conversation_stays_as_it_was(
    eve: World, texted: Taken, reason: str
) -> None:
    path = {"channel": "sms", "address": THEIR_NUMBER}
    status, _ = eve.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", {"reason": reason}, path=path)
    assert status == 200
    before = conversation(eve, texted)
    status, answer = reply(eve, texted)
    assert (status, answer["message"]["state"]) == (202, "skipped")
    assert answer["message"]["decision"]["decided_by"] == "suppression"
    assert conversation(eve, texted) == before
    assert answer["conversation"]["state"] == State.NEW
    assert (len(entries(eve, texted.conversation)), told(eve, texted)) == (1, [])
    assert not eve.sms.accepted


def test_one_s_stop_is_obeyed_by_agents_too(eve: World, texted: Taken) -> None:
    eve.receive(eve.text("STOP"))
    before, sent_before = conversation(eve, texted), len(eve.sms.accepted)
    status, answer = reply(eve, texted)
    assert (status, answer["message"]["state"]) == (202, "skipped"), answer
    assert (conversation(eve, texted), len(eve.sms.accepted)) == (before, sent_before)


def test_a_text_goes_from_no_name_where_an_answer_is_wanted(eve: World) -> None:
    taken = take(eve, sms(eve, "in-1", to="ACME"))
    status, answer = reply(eve, taken)
    assert (status, answer["message"]["decision"]["decided_by"]) == (202, "sender")
    assert not eve.sms.accepted


# --- once, whatever breaks --------------------------------------------------------------------------------------------


def tried(world: World, taken: Taken) -> dict[str, Any] | None:
    """Ask for the reply as a client does: again after a fault, of a new process if the old one died."""
    for _ in range(TRIES):
        try:
            status, answer = reply(world, taken)
        except Killed:
            world.cold("conversations")
            continue
        except Exception:  # noqa: BLE001, S112 - whatever a handler raises, the client is answered 500 and asks again
            continue
        if status == 202:
            return answer
        assert status in (429, 503), answer
    return None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_fault_at_any_call_leaves_one_message_one_entry_and_one_event(eve: World, channel: str, mode: str) -> None:
    number = 0
    while True:
        name, who = f"in-{number}", f"+486001002{number:02d}" if channel == "sms" else f"p{number}@people.example"
        inbound = sms(eve, name, sender=who, to=OUR_NUMBER) if channel == "sms" else mail(eve, name, sender=who)
        taken = take(eve, inbound)
        fault = Fault(eve, "conversations", number, mode)
        eve.recorder.before, eve.recorder.after = fault.before, fault.after
        answer = tried(eve, taken)
        eve.recorder.before = eve.recorder.after = None
        assert answer is not None
        claimed = answer["message"]["state"] in ("accepted", "claimed")
        texts = [one.text for one in entries(eve, taken.conversation)]
        assert (claimed, texts) == (True, ["Hello", "Yes."]), (number, answer["message"]["state"], texts)
        assert len(told(eve, taken)) == 1
        assert conversation(eve, taken).state is State.ONGOING
        accepted = eve.sms.to(who) if channel == "sms" else eve.ses.to(who)
        assert len(accepted) <= 1
        assert counts(eve) == recounted(eve)
        number += 1
        if not fault.struck:
            break
    assert number > 6


@pytest.mark.parametrize("failure", ["TooManyRequestsException", "MessageRejected", "timeout"])
def test_what_the_provider_says_never_doubles_an_entry(eve: World, mailed: Taken, failure: str) -> None:
    eve.ses.failing.append(failure)
    first = reply(eve, mailed)
    eve.now += timedelta(minutes=1)
    again = reply(eve, mailed)
    expected = {
        "TooManyRequestsException": (429, "accepted"),
        "MessageRejected": (202, "refused"),
        "timeout": (202, "claimed"),
    }[failure]
    assert (first[0], again[1]["message"]["state"]) == expected
    assert [one.text for one in entries(eve, mailed.conversation)] == ["Is it open?", "Yes."]
    assert len(told(eve, mailed)) == 1
    assert json.dumps(again[1])  # what is answered can be told again


def test_the_address_of_a_reply_finds_its_message(eve: World, mailed: Taken) -> None:
    answer = sent(eve, mailed)
    (address,) = eve.ses.accepted[0]["ReplyToAddresses"]
    signed = read_signed(address)
    assert signed is not None
    pointers = [item for item in eve.items("TABLE_MESSAGES") if item["sk"]["S"] == "answered"]
    found = {item["pk"]["S"]: item["message"]["S"] for item in pointers}
    assert found[f"acme#email#{signed.pointer}"] == answer["message"]["message"]
    assert found["acme#email#ses-1"] == answer["message"]["message"]
    assert Identity(IdentityKind.CONTACT, mailed.contact).value == answer["message"]["contact"]
