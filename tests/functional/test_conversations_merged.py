"""Conversations follow their person: into a merge and out of it, into an export, and away in an erasure."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from tests.support.inbound import PERSON, conversation, counts, later, mail, recounted, sms, take, texts
from tests.support.world import World

from tidings.conversations import merging
from tidings.conversations.clearing import ConversationClearing
from tidings.conversations.model import Taken

US = "hello@in.acme.example"


@pytest.fixture
def two(world: World) -> tuple[Taken, Taken]:
    """A conversation by text message with somebody, and one by mail with somebody else, who turn out to be one."""
    by_text = take(world, sms(world, "in-1", "By text"))
    by_mail = take(world, mail(world, "m-1", "By mail", later(5)))
    world.pump()
    assert by_text.contact != by_mail.contact
    return by_text, by_mail


def merge(world: World, absorbed: str, survivor: str) -> str:
    body = {"contact": absorbed, "into": survivor, "idempotency_key": "k"}
    status, answer = world.call("merges", "POST /v1/merges", body)
    assert status == 200, answer
    world.pump()
    return str(answer["merge"])


def of(world: World, contact: str) -> set[str]:
    path = {"contact": contact}
    status, answer = world.call("contacts", "GET /v1/contacts/{contact}/conversations", path=path)
    assert status == 200, answer
    return {one["conversation"] for one in answer["conversations"]}


def test_who_survives_has_both_and_what_comes_in_goes_on_in_the_latest(world: World, two: tuple[Taken, Taken]) -> None:
    by_text, by_mail = two
    merge(world, by_mail.contact, by_text.contact)
    assert of(world, by_text.contact) == {by_text.conversation, by_mail.conversation}
    world.recorder.clear()
    again = take(world, sms(world, "in-2", "Still me", later(10)))
    assert len(world.recorder.calls) == 3
    assert (again.contact, again.conversation) == (by_text.contact, by_mail.conversation)
    found = conversation(world, by_mail)
    assert (found.person, found.channel) == (by_text.contact, "sms")
    assert texts(world, by_mail.conversation) == ["By mail", "Still me"]
    world.pump()
    assert "SMS Received" in {one["event"] for one in world.of_contact(by_text.contact, "events")}
    assert counts(world) == recounted(world) == {("default", "new"): 2}


def test_who_absorbs_somebody_without_a_conversation_keeps_theirs(world: World, two: tuple[Taken, Taken]) -> None:
    world.identify("bob", email="bob@people.example")
    merge(world, two[0].contact, world.contact(user_id="bob")["contact"])
    again = take(world, sms(world, "in-2", "Still me", later(10)))
    assert again.conversation == two[0].conversation
    assert again.contact == world.contact(user_id="bob")["contact"]


def test_of_very_many_the_latest_go_over_and_the_others_stay_open_where_they_were(
    world: World, two: tuple[Taken, Taken], monkeypatch: pytest.MonkeyPatch
) -> None:
    by_text, by_mail = two
    merge(world, by_mail.contact, by_text.contact)
    monkeypatch.setattr(merging, "MOVED_MOST", 1)
    world.identify("bob", email="bob@people.example")
    bob = world.contact(user_id="bob")["contact"]
    status, answer = world.call(
        "merges", "POST /v1/merges", {"contact": by_text.contact, "into": bob, "idempotency_key": "k-2"}
    )
    assert status == 200, answer
    world.pump()
    assert of(world, bob) == {by_text.conversation, by_mail.conversation}
    assert conversation(world, by_mail).person == bob
    assert take(world, sms(world, "in-2", "Me", later(20))).conversation == by_mail.conversation
    resolve = {"type": "task", "category": "general", "key_message": "done"}
    for one in (by_text, by_mail):
        route, path = "POST /v1/conversations/{conversation}/resolve", {"conversation": one.conversation}
        assert world.call("conversations", route, resolve, path=path)[0] == 200
    assert counts(world) == recounted(world) == {("default", "resolved"): 2}


def test_an_undone_merge_gives_back_what_was_open(world: World, two: tuple[Taken, Taken]) -> None:
    by_text, by_mail = two
    name = merge(world, by_mail.contact, by_text.contact)
    status, answer = world.call("merges", "POST /v1/merges/{merge}/undo", {}, path={"merge": name})
    assert status == 200, answer
    world.pump()
    assert (of(world, by_text.contact), of(world, by_mail.contact)) == (
        {by_text.conversation},
        {by_mail.conversation},
    )
    assert take(world, mail(world, "m-2", "Me", later(20))).conversation == by_mail.conversation
    assert take(world, sms(world, "in-2", "Me", later(20))).conversation == by_text.conversation
    assert conversation(world, by_mail).person == by_mail.contact
    assert counts(world) == recounted(world) == {("default", "new"): 2}


@pytest.mark.parametrize("place", range(3))
def test_a_message_that_comes_in_while_its_person_is_merged_is_in_a_conversation_of_who_survives(
    world: World, place: int
) -> None:
    """The merge happens before each call of the message that opens the first conversation."""
    world.identify("ada", email="ada@people.example")
    assert world.call("forms", "POST /v1/forms", {"form": "news", "traits": {"phone": PERSON}})[0] == 200
    world.pump()
    ada, bob = world.contact(user_id="ada")["contact"], world.contact(phone=PERSON)["contact"]
    left = [place]

    def strike(_: Any) -> None:
        if left and left[0] == 0:
            left.clear()
            merge(world, bob, ada)
        elif left:
            left[0] -= 1

    message = sms(world, "in-1")
    world.recorder.before = strike
    taken = take(world, message)
    world.recorder.before = None
    assert taken.contact in (ada, bob)
    again = take(world, mail(world, "m-1", "And by mail", later(5)))
    assert again.conversation == taken.conversation
    assert of(world, ada) == {taken.conversation}


def exported(world: World, contact: str) -> list[dict[str, Any]]:
    """What an export has of conversations; no page of it is more than a function may answer."""
    items: list[dict[str, Any]] = []
    cursor, route = "", "GET /v1/contacts/{contact}/export"
    while True:
        status, page = world.call("export", route, path={"contact": contact}, query={"cursor": cursor})
        assert status == 200, page
        assert len(json.dumps({"statusCode": 200, "body": json.dumps(page)})) < 6_000_000
        items += page["items"]
        cursor = page["cursor"]
        if not cursor:
            return [one for one in items if one["section"] == "conversations"]


def test_an_export_has_the_conversations_and_what_stands_in_them(world: World, two: tuple[Taken, Taken]) -> None:
    merge(world, two[1].contact, two[0].contact)
    told = exported(world, two[0].contact)
    assert {one["text"] for one in told if "entry" in one} == {"By text", "By mail"}
    assert {one["conversation"] for one in told if "state" in one} == {one.conversation for one in two}


def as_it_came(told: dict[str, Any]) -> bytes:
    kept = told["mail"]
    raw = base64.b64decode(kept["content"]) if kept["encoding"] == "base64" else str(kept["content"]).encode()
    assert (kept["type"], kept["size"]) == ("message/rfc822", len(raw))
    return raw


def letter(text: bytes = b"Is it open?\r\n\r\n> We are Acme.\r\n", sender: bytes = b"ada@people.example") -> bytes:
    return b"From: %s\r\nSubject: Hours\r\nX-Mailer: Own\r\nMessage-ID: <1@people>\r\n\r\n%s" % (sender, text)


def written(world: World, *mails: bytes) -> None:
    """Mails that come in, one a minute."""
    with world.recorder.unseen():
        world.accounts.configure("acme", {"inbound_address": US})
    for one in mails:
        assert world.receive_mail(world.mail_in(one, US)) == []
        world.now += timedelta(minutes=1)


def test_an_export_has_mails_as_they_came_also_those_of_who_was_absorbed(world: World) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["Subject"], message["X-Mailer"] = "ada@people.example", "Plan", "Own"
    message.set_content("See the plan.\n\n> Which plan?")
    message.add_attachment(b"\x00%PDF\xff", maintype="application", subtype="pdf", filename="plan.pdf")
    latin = letter("Schön".encode("latin-1"), b"byron@people.example")
    mails = [message.as_bytes(), letter(), latin]
    written(world, *mails, letter(b"Of somebody else", b"bob@people.example"))
    ada, absorbed = (world.contact(email=f"{name}@people.example")["contact"] for name in ("ada", "byron"))
    merge(world, absorbed, ada)
    told = exported(world, ada)
    whole = [one for one in told if "mail" in one]
    assert sorted(as_it_came(one) for one in whole) == sorted(mails)
    assert sorted(one["mail"]["encoding"] for one in whole) == ["base64", "utf-8", "utf-8"]
    entries = {(one["conversation"], one["entry"]) for one in told if one.get("direction") == "in"}
    assert {(one["conversation"], one["entry"]) for one in whole} == entries


def test_pages_of_an_export_hold_the_largest_mails_in_the_worst_spelling(world: World) -> None:
    mails = [letter(f"{number}".encode() + b"\x01" * 149_000) for number in range(6)]
    written(world, *mails)
    whole = [one for one in exported(world, world.contact(email="ada@people.example")["contact"]) if "mail" in one]
    assert sorted(as_it_came(one) for one in whole) == mails


def test_a_page_of_an_export_that_ends_at_a_mail_is_followed_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(world, letter(), letter(b"Still?"))
    monkeypatch.setitem(world.function("export").exports.page.__globals__, "PAGE_BYTES", 1)
    told = exported(world, world.contact(email="ada@people.example")["contact"])
    assert sorted(as_it_came(one) for one in told if "mail" in one) == [letter(), letter(b"Still?")]


def test_an_erasure_leaves_nothing_of_what_was_written_and_no_count(world: World, two: tuple[Taken, Taken]) -> None:
    by_text, by_mail = two
    merge(world, by_mail.contact, by_text.contact)
    world.erase(by_text.contact)
    left = world.items("TABLE_CONVERSATIONS")
    assert {one["pk"]["S"].split("#")[1] for one in left} == {"seen"}
    assert counts(world) == recounted(world) == {}


def test_what_an_erased_person_wrote_before_does_not_bring_them_back_but_what_they_write_later_does(
    world: World, two: tuple[Taken, Taken]
) -> None:
    world.now = later(60)
    world.erase(two[0].contact)
    late = take(world, sms(world, "in-2", "Late", later(30)))
    assert (late.contact, late.conversation) == ("", "")
    assert take(world, sms(world, "in-1", "By text")).repeated
    back = take(world, sms(world, "in-3", "Hello again", later(90)))
    assert back.created
    assert back.contact != two[0].contact


def test_a_mail_goes_whole_with_the_person_who_wrote_it(world: World) -> None:
    written(world, letter())
    contact = world.contact(email="ada@people.example")["contact"]
    assert stored(world, contact)
    world.erase(contact)
    assert stored(world, contact) == []


def test_a_mail_that_is_told_again_after_its_person_was_erased_is_not_kept(world: World) -> None:
    with world.recorder.unseen():
        world.accounts.configure("acme", {"inbound_address": US})
    told = world.mail_in(letter(), US)
    assert world.receive_mail(told) == []
    assert stored(world, world.contact(email="ada@people.example")["contact"])
    contact = world.contact(email="ada@people.example")["contact"]
    world.now += timedelta(minutes=1)
    world.erase(contact)
    assert world.receive_mail(told) == []
    assert stored(world, contact) == []


def test_one_look_takes_what_the_head_has_copies_of_too(world: World, two: tuple[Taken, Taken]) -> None:
    contact = two[0].contact
    assert ConversationClearing(world.database).clear("acme", contact, 25) > 0
    assert stored(world, contact) == []


def stored(world: World, contact: str) -> list[str]:
    """What stands in the table of conversations under a contact's id, by its sort key."""
    return [item["sk"]["S"] for item in world.items("TABLE_CONVERSATIONS") if item["pk"]["S"] == f"acme#{contact}"]
