"""The ready automations of examples/, each from its trigger to every end, on a virtual clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from benchmarks.operations.preparing import example
from tests.functional.test_received_mails import ADA, US, mail
from tests.support.world import World

from tidings.accounts.model import KeyKind, Role

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def ready(world: World, name: str) -> None:
    """Publish a ready automation with its templates."""
    automation = example(f"automations/{name}")
    for component in automation["components"].values():
        if "template" in component:
            world.template(component["template"], **{"subject": "", **example(f"templates/{component['template']}")})
    world.automation(automation)


def customer(world: World, **traits: Any) -> None:
    """Ada, who may be written to."""
    world.identify("ada", email=ADA, **traits)
    world.pump()


def subjects(world: World) -> list[str]:
    return [sent["Content"]["Simple"]["Subject"]["Data"] for sent in world.ses.accepted]


def way(world: World, number: int = -1) -> dict[str, Any]:
    contact = world.contact(user_id="ada")["contact"]
    return sorted(world.of_contact(contact, "enrolments"), key=lambda one: one["started_at"])[number]


def path(world: World) -> list[tuple[str, str]]:
    return [(step["component"], step["outcome"]) for step in way(world)["path"]]


# --- welcome series ---------------------------------------------------------------------------------------------------


HELLO, GUIDE, HELP = (
    "Welcome to Birchlane",
    "Three things to do with your first project",
    "Shall we set up your first project together?",
)


@pytest.fixture
def newcomer(world: World) -> World:
    """Ada, in Warsaw, who has just signed up at ten in the morning."""
    ready(world, "welcome-series")
    customer(world, timezone="Europe/Warsaw")
    world.track("ada", "Signed Up")
    world.run()
    assert subjects(world) == [HELLO]
    return world


def test_whoever_creates_a_project_gets_the_guide_at_nine_the_next_morning_of_theirs(newcomer: World) -> None:
    newcomer.now += 5 * HOUR
    newcomer.track("ada", "Project Created")
    newcomer.run(5 * DAY)
    assert subjects(newcomer) == [HELLO, GUIDE]
    assert path(newcomer) == [("hello", "accepted"), ("has_begun", "Created a project"), ("guide", "accepted")]
    guided = datetime.fromisoformat(way(newcomer)["path"][-1]["at"])
    assert guided.astimezone(UTC).hour == 8  # nine in Warsaw, in winter


def test_whoever_does_not_begin_is_offered_help_after_three_days(newcomer: World) -> None:
    newcomer.run(3 * DAY)
    assert subjects(newcomer) == [HELLO, HELP]


def test_whoever_closes_their_account_hears_no_more(newcomer: World) -> None:
    newcomer.now += DAY
    newcomer.track("ada", "Account Closed")
    newcomer.run(10 * DAY)
    assert (subjects(newcomer), way(newcomer)["left"]["exit"]) == ([HELLO], "Account closed")


def test_nobody_is_welcomed_twice(newcomer: World) -> None:
    newcomer.run(4 * DAY)
    newcomer.track("ada", "Signed Up")
    newcomer.run(4 * DAY)
    assert subjects(newcomer) == [HELLO, HELP]


# --- abandoned cart ---------------------------------------------------------------------------------------------------


REMINDER, OFFER = "You left something in your cart", "Delivery of your cart is on us"


@pytest.fixture
def shopper(world: World) -> World:
    """Ada, who has begun to order what is in her cart."""
    ready(world, "abandoned-cart")
    customer(world)
    world.track("ada", "Checkout Started", cart="c1")
    return world


def test_whoever_orders_within_the_hour_is_left_alone(shopper: World) -> None:
    shopper.now += 59 * MINUTE
    shopper.track("ada", "Order Completed", cart="c1")
    shopper.run(5 * DAY)
    assert (subjects(shopper), way(shopper)["left"]["exit"]) == ([], "Ordered")


def test_whoever_does_not_is_reminded_and_most_of_them_get_an_offer(shopper: World) -> None:
    shopper.run(3 * DAY)
    assert subjects(shopper)[0] == REMINDER
    outcome = dict(path(shopper))["offer_or_not"]
    assert subjects(shopper)[1:] == ([OFFER] if outcome == "Offer" else [])


def test_another_cart_goes_its_own_way_and_the_same_one_is_taken_once(shopper: World) -> None:
    shopper.now += MINUTE
    shopper.track("ada", "Checkout Started", cart="c2")
    shopper.track("ada", "Checkout Started", cart="c1")
    shopper.now += MINUTE
    shopper.track("ada", "Order Completed", cart="c1")
    contact = shopper.contact(user_id="ada")["contact"]
    states = [one["state"] for one in sorted(shopper.of_contact(contact, "enrolments"), key=lambda o: o["started_at"])]
    assert states == ["exited", "live"]
    shopper.run(HOUR)
    assert subjects(shopper) == [REMINDER]


# --- auto-reply -------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(world: World) -> World:
    """A workspace at which mail comes in, and Eve who answers it; Ada has written."""
    with world.recorder.unseen():
        world.accounts.configure("acme", {"inbound_address": US})
        world.keys["eve"] = world.accounts.create_key("acme", KeyKind.SECRET, "eve", Role.AGENT, "Eve")
    ready(world, "auto-reply")
    customer(world)
    assert world.receive_mail(world.mail_in(mail(), US)) == []
    world.run()
    return world


def test_whoever_nobody_answers_is_told_that_somebody_will(desk: World) -> None:
    desk.run(14 * MINUTE)
    assert subjects(desk) == []
    desk.run(MINUTE)
    assert subjects(desk) == ["We have your message"]


def test_whoever_is_answered_in_time_is_told_nothing(desk: World) -> None:
    status, answer = desk.call("conversations", "GET /v1/conversations", key="eve")
    assert status == 200
    where = {"conversation": answer["conversations"][0]["conversation"]}
    desk.now += MINUTE
    body = {"text": "Yes, until five.", "idempotency_key": "k-1"}
    assert (
        desk.call("conversations", "POST /v1/conversations/{conversation}/replies", body, "eve", path=where)[0] == 202
    )
    desk.pump()
    desk.run(DAY)
    assert "We have your message" not in subjects(desk)


def test_it_answers_once_a_day_at_most(desk: World) -> None:
    desk.run(HOUR)
    for number in range(3):
        assert desk.receive_mail(desk.mail_in(mail(**{"Message-ID": f"<{number}@later>"}), US)) == []
        desk.run(HOUR)
    assert subjects(desk) == ["We have your message"]
    desk.run(DAY)
    assert desk.receive_mail(desk.mail_in(mail(**{"Message-ID": "<9@later>"}), US)) == []
    desk.run(HOUR)
    assert len(subjects(desk)) == 2


# --- win-back ---------------------------------------------------------------------------------------------------------


MISSED, TEN_PERCENT = "It has been a while", "Ten percent off, if you like to come back"


@pytest.fixture
def regular(world: World) -> World:
    """Ada, who has ordered."""
    ready(world, "win-back")
    customer(world)
    world.track("ada", "Order Completed")
    world.run()
    return world


def test_whoever_orders_no_more_is_written_to_twice(regular: World) -> None:
    regular.run(60 * DAY - MINUTE)
    assert subjects(regular) == []
    regular.run(MINUTE)
    assert subjects(regular) == [MISSED]
    regular.run(14 * DAY)
    assert subjects(regular) == [MISSED, TEN_PERCENT]


def test_whoever_goes_on_ordering_is_never_written_to_and_is_inside_once(regular: World) -> None:
    for _ in range(5):
        regular.run(50 * DAY)
        regular.track("ada", "Order Completed")
    assert subjects(regular) == []
    assert len(regular.of_contact(regular.contact(user_id="ada")["contact"], "enrolments")) == 1
    regular.run(60 * DAY)
    assert subjects(regular) == [MISSED]


def test_whoever_comes_back_after_the_first_mail_begins_anew(regular: World) -> None:
    regular.run(61 * DAY)
    regular.track("ada", "Order Completed")
    regular.run(59 * DAY)
    assert subjects(regular) == [MISSED]
    regular.run(2 * DAY)
    assert subjects(regular) == [MISSED, MISSED]


# --- birthday ---------------------------------------------------------------------------------------------------------


def test_everybody_is_congratulated_at_nine_of_their_own_morning_every_year(world: World) -> None:
    ready(world, "birthday")
    customer(world, birthday="1990-11-24", timezone="America/New_York", firstName="Ada")
    begun = world.now
    assert subjects(world) == []
    world.run(datetime(2026, 11, 24, 13, 59, tzinfo=UTC) - begun)
    assert subjects(world) == []
    world.run(2 * MINUTE)
    assert subjects(world) == ["Happy birthday, Ada"]
    world.run(365 * DAY)
    assert subjects(world) == ["Happy birthday, Ada"] * 2
