"""Whose a message that came in is where addresses change hands, and whom a reply then reaches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.support.inbound import PERSON, mail, sms, take
from tests.support.world import OUR_NUMBER, World

from tidings.accounts.model import KeyKind, Role
from tidings.contacts import making
from tidings.conversations.model import Taken

ADA, OTHER = "ada@people.example", "+48600100999"


@pytest.fixture
def eve(world: World) -> World:
    """The workspace with an agent, Eve."""
    with world.recorder.unseen():
        world.keys["eve"] = world.accounts.create_key("acme", KeyKind.SECRET, "eve", Role.AGENT, "Eve")
    return world


def texted(world: World, sender: str = PERSON) -> Taken:
    """A minute later somebody writes a text."""
    world.now += timedelta(minutes=1)
    taken = take(world, sms(world, world.fresh(), "Hello", world.now, to=OUR_NUMBER, sender=sender))
    world.pump()
    return taken


def mailed(world: World, sender: str = ADA) -> Taken:
    """A minute later somebody writes a mail."""
    world.now += timedelta(minutes=1)
    taken = take(world, mail(world, world.fresh(), "Hello", world.now, sender=sender))
    world.pump()
    return taken


def call(world: World, route: str, body: dict[str, Any], key: str = "secret", **path: str) -> dict[str, Any]:
    """A minute later a call that must succeed; what it led to is done."""
    world.now += timedelta(minutes=1)
    status, answer = world.call(route.split("/")[2], route, body, key, path=path)
    assert status < 300, answer
    world.pump()
    return answer


def merge(world: World, absorbed: str, survivor: str) -> str:
    body = {"contact": absorbed, "into": survivor, "idempotency_key": world.fresh()}
    return str(call(world, "POST /v1/merges", body)["merge"])


def rename(world: World, contact: str, **traits: str) -> None:
    """Somebody corrects a contact's address."""
    world.now += timedelta(minutes=1)
    route = "PATCH /v1/contacts/{contact}"
    status, answer = world.call("change_contacts", route, {"traits": traits}, path={"contact": contact})
    assert status == 200, answer
    world.pump()


def resolve(world: World, taken: Taken) -> None:
    body = {"type": "task", "category": "general", "key_message": "Done."}
    call(world, "POST /v1/conversations/{conversation}/resolve", body, "eve", conversation=taken.conversation)


def reply(world: World, taken: Taken, **more: Any) -> tuple[int, dict[str, Any]]:
    world.now += timedelta(minutes=1)
    body = {"text": "Dear A, it is positive.", "idempotency_key": world.fresh(), **more}
    route = "POST /v1/conversations/{conversation}/replies"
    return world.call("conversations", route, body, "eve", path={"conversation": taken.conversation})


def reached(world: World) -> list[str]:
    """The numbers that got a text."""
    return [one["DestinationPhoneNumber"] for one in world.sms.accepted]


# --- addresses whose contacts went other ways -------------------------------------------------------------------------


@pytest.mark.parametrize("write", [texted, mailed])
def test_an_address_whose_contacts_get_others_each_time_never_runs_out_of_contacts(
    eve: World, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "AT_ONCE", 2)
    made = []
    for number in range(6):
        made.append(write(eve))
        assert made[-1].created
        resolve(eve, made[-1])
        rename(eve, made[-1].contact, email=f"p{number}@people.example", phone=f"+4860010030{number}")
    assert len({one.contact for one in made}) == 6


def test_a_person_who_is_erased_again_and_again_may_always_write_anew(world: World) -> None:
    made = set()
    for _ in range(5):
        taken = texted(world)
        assert taken.created
        made.add(taken.contact)
        world.now += timedelta(hours=1)
        world.erase(taken.contact)
    assert len(made) == 5


def test_two_first_messages_at_once_make_one_contact_also_where_the_first_ids_are_taken(eve: World) -> None:
    for number in range(3):
        taken = texted(eve)
        resolve(eve, taken)
        rename(eve, taken.contact, phone=f"+4860010030{number}")
    eve.now += timedelta(minutes=1)
    told = [sms(eve, f"in-{one}", "Hello", eve.now, to=OUR_NUMBER) for one in "ab"]
    takes: list[Taken] = []

    def between(call: Any) -> None:
        if call.operation == "TransactWriteItems":
            eve.recorder.before = None
            takes.append(take(eve, told[1]))

    eve.recorder.before = between
    takes.append(take(eve, told[0]))
    assert (len(takes), len({one.contact for one in takes})) == (2, 1)


def test_whom_a_text_is_sent_to_becomes_a_contact_however_often_the_number_s_contacts_got_others(world: World) -> None:
    made = set()
    for number in range(7):
        world.now += timedelta(minutes=1)
        order = {"to": {"phone": PERSON}, "text": "Hello", "idempotency_key": world.fresh(), "kind": "transactional"}
        status, answer = world.call("send_sms", "POST /v1/sms", order)
        assert (status, answer["state"]) == (202, "accepted"), answer
        world.pump()
        made.add(answer["contact"])
        rename(world, answer["contact"], phone=f"+4860010030{number}")
    assert len(made) == 7


# --- who goes on ------------------------------------------------------------------------------------------------------


def test_whoever_talks_from_a_number_goes_on_though_an_older_contact_gets_it_too(world: World) -> None:
    world.identify("bob", email="bob@people.example")
    first = texted(world)
    world.now += timedelta(minutes=1)
    world.identify("bob", phone=PERSON)
    again = texted(world)
    assert (again.contact, again.conversation) == (first.contact, first.conversation)


def test_of_an_open_conversation_from_another_number_nothing_is_said(world: World) -> None:
    world.identify("bob", phone=PERSON)
    world.now += timedelta(minutes=1)
    world.identify("ann", phone=OTHER)
    assert texted(world, OTHER).contact == world.contact(user_id="ann")["contact"]
    world.now += timedelta(minutes=1)
    world.identify("ann", phone=PERSON)
    assert texted(world).contact == world.contact(user_id="bob")["contact"], "the oldest who has the number"


@pytest.mark.parametrize(("days", "goes_on"), [(29, True), (31, False)])
def test_whoever_was_merged_goes_on_from_an_address_that_is_not_theirs_any_more_for_a_while(
    eve: World, days: int, goes_on: bool
) -> None:
    first = mailed(eve)
    eve.now += timedelta(minutes=1)
    eve.identify("bob", email="bob@people.example")
    merge(eve, first.contact, eve.contact(user_id="bob")["contact"])
    assert eve.contact(user_id="bob")["traits"]["email"] == "bob@people.example"
    eve.now += timedelta(days=days) - timedelta(minutes=5)
    again = mailed(eve)
    assert (again.conversation == first.conversation) is goes_on
    assert again.created is not goes_on


def test_who_was_merged_does_not_go_on_once_the_conversation_is_resolved_or_the_address_is_somebody_s(
    eve: World,
) -> None:
    first = mailed(eve)
    eve.now += timedelta(minutes=1)
    eve.identify("bob", email="bob@people.example")
    merge(eve, first.contact, eve.contact(user_id="bob")["contact"])
    eve.identify("ada", email=ADA)
    assert mailed(eve).contact == eve.contact(user_id="ada")["contact"]
    resolve(eve, first)
    assert mailed(eve, "nobody@people.example").created


# --- whom a reply reaches ---------------------------------------------------------------------------------------------


@pytest.fixture
def asked(eve: World) -> tuple[Taken, str]:
    """Ada asks something while she is part of Bob by mistake: the conversation, and the merge."""
    bob, ada = texted(eve, OTHER), texted(eve)
    for one in (bob, ada):
        resolve(eve, one)
    record = merge(eve, ada.contact, bob.contact)
    taken = texted(eve)
    assert taken.contact == bob.contact
    return taken, record


def undo(world: World, merge: str) -> None:
    call(world, "POST /v1/merges/{merge}/undo", {"idempotency_key": "u"}, merge=merge)


def test_a_reply_does_not_go_to_somebody_else_after_a_merge_was_undone(eve: World, asked: tuple[Taken, str]) -> None:
    taken, record = asked
    undo(eve, record)
    status, answer = reply(eve, taken)
    assert (status, answer["code"], answer["field"]) == (409, "address_not_theirs", "channel")
    assert reached(eve) == []
    status, answer = reply(eve, taken, channel="sms")
    assert (status, reached(eve)) == (202, [OTHER]), "who is asked for by name is the contact"


def test_a_repeat_of_a_reply_is_answered_though_the_address_is_not_theirs_by_now(
    eve: World, asked: tuple[Taken, str]
) -> None:
    taken, record = asked
    status, first = reply(eve, taken, idempotency_key="k")
    assert (status, reached(eve)) == (202, [PERSON])
    undo(eve, record)
    assert reply(eve, taken, idempotency_key="k")[1]["message"] == first["message"]
    assert reached(eve) == [PERSON]
