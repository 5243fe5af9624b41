"""The ready automations of examples/ on the local engine, each driven as an app, a phone and a mailbox drive it.

Waits are scaled by the engine; the time of waits for an event is not, so it is written shorter here.
"""

from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import quote

import pytest
from benchmarks.operations.preparing import example
from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.round_mail import done
from tests.e2e.test_main_job import mails
from tests.e2e.test_sms import Phone
from tests.e2e.workspaces import open_sender
from tests.support.patience import SECONDS

from tidings_cli.client import Client
from tidings_cli.ready import campaign

NUMBER = "+48455500103"
LONG, SHORT = "1 hour", "4 seconds"
# Of automations that wait in vain, for a moment only.
IN_VAIN = frozenset({"has_begun", "somebody_answers", "quiet", "comes_back", "answer"})


@pytest.fixture(scope="module")
def shop(local: LocalSystem) -> LocalSystem:
    """A workspace of its own, with a number, a word that confirms, and every ready automation."""
    own = open_sender(local, "ready")
    asked = {"two_way": True, "kinds": ["marketing", "transactional"], "language": "pl"}
    done(own.call("PUT", f"/v1/numbers/{quote(NUMBER)}", asked))
    done(own.call("PUT", "/v1/sms/setup", {"plan": {"*": {"*": NUMBER}}}))
    done(own.call("PUT", "/v1/keywords/yes", {"words": ["TAK"], "meaning": "confirm"}))
    for name in ("welcome-series", "abandoned-cart", "booking-confirmation"):
        publish(own, name)
    return own


def publish(own: LocalSystem, name: str, timeout: str = LONG) -> None:
    """Publish a ready automation with its templates; what it waits for in vain takes `timeout`."""
    automation = example(f"automations/{name}")
    for component_id, component in automation["components"].items():
        if "template" in component:
            template = example(f"templates/{component['template']}")
            done(own.call("PUT", f"/v1/templates/{component['template']}", template))
        if "timeout" in component and component_id in IN_VAIN:
            component["timeout"] = timeout
    done(own.call("PUT", f"/v1/automations/{name}", automation))
    done(own.call("POST", f"/v1/automations/{name}/publish"))


def person(own: LocalSystem, user: str, **traits: Any) -> str:
    """Make somebody known; their address."""
    address = f"{user}@ready.example"
    done(own.call("POST", "/v1/identify", {"userId": user, "traits": {"email": address, **traits}}, key="write"))
    return address


def tracked(own: LocalSystem, user: str, event: str, **properties: Any) -> None:
    body = {"userId": user, "event": event, "properties": properties}
    done(own.call("POST", "/v1/track", body, key="write"))


def arrived(own: LocalSystem, address: str, count: int, within: float = SECONDS) -> list[str]:
    """The subjects of so many mails, oldest first, once they are there."""
    found: list[dict[str, Any]] = eventually(
        lambda: got if len(got := mails(own, address)) >= count else None, within=within
    )
    assert len(found) == count
    return [mail["subject"] for mail in sorted(found, key=lambda mail: str(mail["at"]))]


def ended(own: LocalSystem, automation: str, **query: str) -> dict[str, Any]:
    """The one way of somebody through an automation, once it is over."""

    def over() -> dict[str, Any] | None:
        (name, value) = next(iter(query.items()))
        contacts = own.call("GET", f"/v1/contacts?{name}={quote(value)}").json["contacts"]
        if not contacts:
            return None
        enrolments = own.call("GET", f"/v1/contacts/{contacts[0]['contact']}/enrolments").json["enrolments"]
        ways = [one for one in enrolments if one["automation"] == automation and one["state"] != "live"]
        return ways[0] if ways else None

    found: dict[str, Any] = eventually(over)
    return found


def test_the_welcome_series_greets_and_guides_whoever_begins(shop: LocalSystem) -> None:
    address = person(shop, "ready-new", firstName="Ada")
    tracked(shop, "ready-new", "Signed Up")
    assert arrived(shop, address, 1) == ["Welcome to Birchlane"]
    tracked(shop, "ready-new", "Project Created")
    assert arrived(shop, address, 2)[1] == "Three things to do with your first project"
    assert ended(shop, "welcome-series", user_id="ready-new")["state"] == "completed"


def test_an_abandoned_cart_is_reminded_of_and_an_ordered_one_is_not(shop: LocalSystem) -> None:
    left, bought = person(shop, "ready-left"), person(shop, "ready-bought")
    for user in ("ready-bought", "ready-left"):
        tracked(shop, user, "Checkout Started", cart=f"{user}-1")
    tracked(shop, "ready-bought", "Order Completed", cart="ready-bought-1")
    way = ended(shop, "abandoned-cart", user_id="ready-bought")
    assert (way["state"], way["left"]["exit"]) == ("exited", "Ordered")
    assert ended(shop, "abandoned-cart", user_id="ready-left")["state"] == "completed"
    assert "You left something in your cart" in [mail["subject"] for mail in mails(shop, left)]
    assert "You left something in your cart" not in [mail["subject"] for mail in mails(shop, bought)]


def test_a_booking_is_confirmed_by_a_text(shop: LocalSystem) -> None:
    phone = Phone(shop, "+48600300510", NUMBER)
    person(shop, "ready-guest", phone=phone.number, firstName="Ada")
    tracked(shop, "ready-guest", "Booking Requested", when="w piątek o 17:00")
    phone.answer(phone.arrives(1), "TAK")
    assert "potwierdzona" in phone.arrives(2)["body"]


def test_whoever_writes_is_told_that_somebody_will_answer(shop: LocalSystem) -> None:
    publish(shop, "auto-reply", SHORT)
    phone = Phone(shop, "+48600300511", NUMBER)
    person(shop, "ready-asks", phone=phone.number)
    phone.write("Czy jest otwarte?")
    assert phone.arrives(1)["body"].startswith("Thank you for writing.")
    way = ended(shop, "auto-reply", phone=phone.number)
    assert [step["outcome"] for step in way["path"]] == ["timeout", "Wrote a text", "accepted"]


def test_whoever_orders_no_more_is_won_back(shop: LocalSystem) -> None:
    publish(shop, "win-back", SHORT)
    address = person(shop, "ready-regular")
    tracked(shop, "ready-regular", "Order Completed")
    assert arrived(shop, address, 2) == ["It has been a while", "Ten percent off, if you like to come back"]


def test_whoever_writes_and_is_not_known_is_asked_for_name_and_address(shop: LocalSystem) -> None:
    assert campaign.begin(Client(shop.url, shop.keys["secret"]))
    phone = Phone(shop, "+48600300512", NUMBER)
    phone.write("Hello, do you deliver?")
    question = eventually(lambda: next((t for t in phone.texts() if "What is your name" in t["body"]), None))
    phone.answer(question, "Ada, ada@ready.example")
    way = ended(shop, campaign.NAME, phone=phone.number)
    assert [step["component"] for step in way["path"]] == ["channel", "ask_by_text", "answer", "hand_over"]


def test_a_birthday_is_congratulated_on_the_day(shop: LocalSystem) -> None:
    """What comes this soon is looked up in the first full minute after a margin: within three minutes."""
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=2)
    automation = example("automations/birthday")
    automation["trigger"]["date"]["at"] = f"{soon:%H:%M}"
    done(shop.call("PUT", "/v1/templates/birthday", example("templates/birthday")))
    done(shop.call("PUT", "/v1/automations/birthday", automation))
    done(shop.call("POST", "/v1/automations/birthday/publish"))
    address = person(shop, "ready-born", birthday=f"1990-{soon:%m-%d}", firstName="Ada", timezone="UTC")
    assert arrived(shop, address, 1, 180 + SECONDS) == ["Happy birthday, Ada"]
