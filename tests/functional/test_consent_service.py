"""What people said about being written to: one record, a log and an event for every change, whatever comes between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from tests.support.recorder import Call
from tests.support.world import World

from tidings.accounts.model import Workspace
from tidings.activity.store import DynamoEventStore
from tidings.consent.model import AddressRecord, By, Channel, Proof, Reason, Reply, Suppression
from tidings.consent.service import ConsentService, Result
from tidings.consent.store import DynamoConsentStore, address_key
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import SystemClock
from tidings.core.errors import Conflict, NotFound

ADA = "ada@people.example"
EMAIL = Channel.EMAIL


class Desk:
    """The service over a world's tables."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = DynamoConsentStore(world.database)
        self.service = ConsentService(
            self.store, DynamoEventStore(world.database), SystemClock(), DynamoContactStore(world.database)
        )
        self.workspace: Workspace = world.accounts.workspace("acme")
        self.key = address_key(self.workspace, ADA)

    def proof(self, by: By = By.PERSON, **more: Any) -> Proof:
        """A proof of now."""
        return Proof(by, "form", self.world.now, **more)

    def say(self, topic: str, reply: Reply, by: By = By.PERSON, **more: Any) -> Result:
        """Say something about a topic, now."""
        return self.service.change(self.workspace, EMAIL, ADA, topic, reply, self.proof(by, **more)).result

    def press(self, **replies: Reply) -> list[Reply]:
        """Say something on the page of a link."""
        said = self.service.change_under(self.workspace, EMAIL, self.key, replies, self.proof())
        return [one.reply for one in said]

    @property
    def record(self) -> AddressRecord:
        """All that is known of Ada's address."""
        return self.store.record(self.workspace, EMAIL, ADA)

    def logged(self) -> list[dict[str, Any]]:
        """The log's items."""
        return [one for one in self.world.items("TABLE_CONSENTS") if one["sk"]["S"].startswith("log#")]


@pytest.fixture
def desk(world: World) -> Desk:
    """A desk in a workspace in which Ada has her address."""
    world.identify("ada", email=ADA)
    world.now += timedelta(seconds=1)
    return Desk(world)


def later(desk: Desk, **by: float) -> None:
    desk.world.now += timedelta(**(by or {"hours": 2}))


def test_a_reply_is_kept_with_its_proof_and_told_in_the_log_and_on_the_timeline(desk: Desk) -> None:
    assert desk.say("tips", Reply.SUBSCRIBED, wording="Yes, tips please", ip="203.0.113.9") is Result.SET
    kept = desk.record.consents["tips"]
    assert (kept.reply, kept.proof) == (
        Reply.SUBSCRIBED,
        Proof(By.PERSON, "form", desk.world.now, "203.0.113.9", "Yes, tips please"),
    )
    assert len(desk.logged()) == 1
    contact = desk.world.contact(user_id="ada")["contact"]
    told = desk.world.of_contact(contact, "events")[0]
    assert (told["event"], told["properties"]["topic"]) == ("Consent Given", "tips")


def test_a_repeat_writes_nothing(desk: Desk) -> None:
    desk.press(tips=Reply.UNSUBSCRIBED)
    revision = desk.record.revision
    later(desk, seconds=5)
    assert desk.press(tips=Reply.UNSUBSCRIBED) == [Reply.UNSUBSCRIBED]
    assert (desk.record.revision, len(desk.logged())) == (revision, 1)


def test_a_page_changes_several_topics_in_one_stroke(desk: Desk) -> None:
    desk.world.recorder.clear()
    assert desk.press(tips=Reply.SUBSCRIBED, news=Reply.UNSUBSCRIBED) == [Reply.SUBSCRIBED, Reply.UNSUBSCRIBED]
    assert desk.world.recorder.names() == ["dynamodb:GetItem", "dynamodb:TransactWriteItems"]
    assert {name: one.confirmed for name, one in desk.record.consents.items()} == {"tips": True, "news": False}


def test_nobody_else_undoes_a_persons_own_no(desk: Desk) -> None:
    desk.press(**{"*": Reply.UNSUBSCRIBED})
    later(desk)
    for by in (By.OPERATOR, By.IMPORT):
        for topic in ("*", "tips"):
            assert desk.say(topic, Reply.SUBSCRIBED, by) is Result.KEPT
    assert desk.say("tips", Reply.SUBSCRIBED) is Result.SET
    assert desk.record.consents["*"].is_own_no


def test_a_change_that_comes_in_between_is_decided_about_anew(desk: Desk) -> None:
    def between(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            desk.world.recorder.before = None
            desk.press(tips=Reply.UNSUBSCRIBED)

    desk.world.recorder.before = between
    assert desk.say("tips", Reply.SUBSCRIBED, By.IMPORT) is Result.KEPT
    assert desk.record.consents["tips"].is_own_no


@pytest.mark.parametrize("lost", [False, True], ids=["not-sent", "answer-lost"])
def test_a_lost_answer_leaves_one_change_and_one_line_in_the_log(desk: Desk, lost: bool) -> None:
    error = ReadTimeoutError if lost else ConnectTimeoutError
    failed = []

    def fails(call: Call) -> None:
        if call.operation == "TransactWriteItems" and not failed:
            failed.append(call)
            raise error(endpoint_url="https://dynamodb")

    setattr(desk.world.recorder, "after" if lost else "before", fails)
    desk.say("tips", Reply.UNSUBSCRIBED)
    assert failed
    assert (desk.record.revision, len(desk.logged())) == (1, 1)


def test_a_persons_later_yes_lifts_their_unsubscribing_and_nothing_else(desk: Desk) -> None:
    for reason, lifted in ((Reason.UNSUBSCRIBE, True), (Reason.COMPLAINT, False), (Reason.MANUAL, False)):
        if (stands := desk.record.suppression) is not None:
            desk.store.release(desk.workspace, stands)
        entry = Suppression("acme", EMAIL, ADA, reason, desk.world.now)
        assert desk.store.suppress(desk.workspace, entry)
        later(desk)
        desk.press(tips=Reply.SUBSCRIBED)
        assert (desk.record.suppression is None) is lifted, reason


def test_an_erased_persons_no_is_no_news_and_their_yes_is_refused(desk: Desk) -> None:
    desk.world.erase(desk.world.contact(user_id="ada")["contact"])
    before = desk.world.items("TABLE_CONSENTS")
    assert desk.press(tips=Reply.UNSUBSCRIBED) == [Reply.UNSUBSCRIBED]
    with pytest.raises(Conflict, match="person_erased"):
        desk.press(tips=Reply.SUBSCRIBED)
    assert desk.world.items("TABLE_CONSENTS") == before


def test_only_a_confirmed_reply_ends_the_asking(desk: Desk) -> None:
    asked = desk.service.ask(desk.workspace, EMAIL, ADA, "tips", desk.proof(wording="Tips, weekly"))
    assert asked.reply is Reply.PENDING
    later(desk)
    given = desk.service.confirm(desk.workspace, EMAIL, desk.key, "tips", desk.proof(ip="203.0.113.9"))
    assert (given.reply, given.confirmed, given.proof.wording, given.proof.ip) == (
        Reply.SUBSCRIBED,
        True,
        "Tips, weekly",
        "203.0.113.9",
    )
    again = desk.service.confirm(desk.workspace, EMAIL, desk.key, "tips", desk.proof())
    assert again.proof == given.proof
    assert len(desk.logged()) == 2


def test_a_no_stays_in_force_until_it_is_confirmed_otherwise(desk: Desk) -> None:
    desk.press(tips=Reply.UNSUBSCRIBED)
    later(desk)
    asked = desk.service.ask(desk.workspace, EMAIL, ADA, "tips", desk.proof())
    assert (asked.reply, asked.pending) == (Reply.UNSUBSCRIBED, desk.proof())
    later(desk)
    desk.service.confirm(desk.workspace, EMAIL, desk.key, "tips", desk.proof())
    assert desk.record.consents["tips"].reply is Reply.SUBSCRIBED


def test_a_no_ends_the_asking(desk: Desk) -> None:
    for topic in ("tips", "*"):
        desk.service.ask(desk.workspace, EMAIL, ADA, "tips", desk.proof())
        later(desk)
        desk.press(**{topic: Reply.UNSUBSCRIBED})
        with pytest.raises(NotFound, match="nothing_to_confirm"):
            desk.service.confirm(desk.workspace, EMAIL, desk.key, "tips", desk.proof())
        later(desk, days=2)


def test_a_confirmation_is_awaited_for_30_days(desk: Desk) -> None:
    desk.service.ask(desk.workspace, EMAIL, ADA, "tips", desk.proof())
    later(desk, days=30, seconds=1)
    with pytest.raises(Conflict, match="confirmation_expired"):
        desk.service.confirm(desk.workspace, EMAIL, desk.key, "tips", desk.proof())


def test_what_is_dated_in_the_future_counts_as_now(desk: Desk) -> None:
    proof = Proof(By.PERSON, "form", desk.world.now + timedelta(days=900))
    desk.service.change(desk.workspace, EMAIL, ADA, "tips", Reply.SUBSCRIBED, proof)
    assert desk.record.consents["tips"].proof.at == desk.world.now
    later(desk)
    assert desk.say("tips", Reply.UNSUBSCRIBED) is Result.SET
