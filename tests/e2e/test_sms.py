"""From a text message sent by API to the agent's answer on the person's phone, and the STOP that ends it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
import urllib3
from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.round_mail import done
from tests.e2e.workspaces import open_sender

# One of the pool of the local End User Messaging: the others are other workspaces'.
NUMBER = "+48455500101"
LINK = "https://table.example/booking"
BOOKED = f"Your table is booked for Friday. Reply TAK to confirm. {LINK}"
PERSON = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"


@dataclass(frozen=True)
class Phone:
    """A person's phone, on which the local End User Messaging shows what arrives."""

    system: LocalSystem
    number: str
    ours: str = NUMBER

    def texts(self, direction: str = "out") -> list[dict[str, Any]]:
        """What the phone shows that we sent, oldest first, or what the person did (`in`)."""
        found = self._ask("GET", f"?person={quote(self.number)}&ours={quote(self.ours)}")
        return [text for text in found if text["direction"] == direction]

    def arrives(self, count: int) -> dict[str, Any]:
        """The newest of so many texts, once they are there."""
        texts: list[dict[str, Any]] = eventually(lambda: found if len(found := self.texts()) >= count else [])
        assert len(texts) == count
        return texts[-1]

    def answer(self, text: Mapping[str, Any], body: str) -> str:
        """Answer a text; its id."""
        return str(self._ask("POST", f"/{text['id']}/reply", {"body": body})["id"])

    def write(self, body: str, **how: Any) -> str:
        """Write first; its id."""
        return str(self._ask("POST", "", {"from": self.number, "to": self.ours, "body": body, **how})["id"])

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self.system.outbox}/api/sms{path}"
        answer = urllib3.request(method, url, json=body, timeout=30, retries=False)
        assert answer.status < 300, answer.data
        return answer.json()


@pytest.fixture(scope="module")
def table(local: LocalSystem) -> LocalSystem:
    """A restaurant with a number of its own, answered in Polish."""
    own = open_sender(local, "texts")
    asked = {"two_way": True, "kinds": ["marketing", "transactional"], "language": "pl"}
    assert done(own.call("PUT", f"/v1/numbers/{quote(NUMBER)}", asked))["two_way"]
    done(own.call("PUT", "/v1/keywords/yes", {"words": ["TAK"], "meaning": "confirm"}))
    return own


def send(own: LocalSystem, phone: Phone, text: str, key: str, **more: Any) -> dict[str, Any]:
    """Send a text, and what is answered."""
    body = {"to": {"phone": phone.number}, "text": text, "kind": "transactional", "idempotency_key": key, **more}
    sent: dict[str, Any] = done(own.call("POST", "/v1/sms", body), 202)
    return sent


def shown(own: LocalSystem, message: str) -> dict[str, Any]:
    """A message as the API shows it."""
    found: dict[str, Any] = done(own.call("GET", f"/v1/messages/{message}"))
    return found


def conversations(own: LocalSystem, **asked: str) -> list[dict[str, Any]]:
    """The workspace's conversations, listed."""
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    found: list[dict[str, Any]] = done(own.call("GET", f"/v1/conversations?{query}"))["conversations"]
    return found


def of_contact(own: LocalSystem, contact: str) -> dict[str, Any]:
    """The one conversation of a contact, once there is one."""

    def found() -> list[dict[str, Any]]:
        return [one for one in conversations(own) if one["contact"] == contact]

    (conversation,) = eventually(found)
    return dict(conversation)


def timeline(own: LocalSystem, contact: str) -> list[str]:
    """The names of what stands on a contact's timeline."""
    events = done(own.call("GET", f"/v1/contacts/{contact}/timeline?limit=100"))["events"]
    return [str(event.get("event") or event.get("name")) for event in events]


def test_a_text_arrives_with_its_parts_and_its_price(table: LocalSystem) -> None:
    phone = Phone(table, "+48600300401")
    sent = send(table, phone, BOOKED, "arrives")
    text = phone.arrives(1)
    assert (text["from"], text["parts"], text["encoding"], text["price"]) == (NUMBER, 1, "GSM", 0.03)
    assert LINK not in text["body"]
    message = eventually(lambda: one if (one := shown(table, sent["message"]))["state"] == "delivered" else None)
    assert (message["transport"]["parts"], float(message["transport"]["price"])) == (1, 0.03)

    report = done(table.call("GET", "/v1/reports/sms"))
    assert report["totals"]["counts"]["delivered"] >= 1
    send(table, phone, BOOKED, "arrives")
    assert len(phone.texts()) == 1


def test_a_link_leads_where_it_should_and_the_click_is_known(table: LocalSystem) -> None:
    phone = Phone(table, "+48600300402")
    sent = send(table, phone, BOOKED, "link")
    (link,) = phone.arrives(1)["links"]
    answer = urllib3.request("GET", link, headers={"user-agent": PERSON}, redirect=False, timeout=30)
    assert (answer.status, answer.headers["location"].split("?")[0]) == (302, LINK)
    eventually(lambda: "SMS Link Clicked" in timeline(table, sent["contact"]))


def test_a_text_that_cannot_arrive_says_so(table: LocalSystem) -> None:
    phone = Phone(table, "+48455500112")
    sent = send(table, phone, "Hello", "unreachable")
    message = eventually(lambda: one if (one := shown(table, sent["message"]))["state"] == "undelivered" else None)
    assert message["transport"]["price"]


def test_an_answer_opens_a_conversation_and_the_agent_answers_on_the_phone(table: LocalSystem) -> None:
    phone = Phone(table, "+48600300403")
    sent = send(table, phone, BOOKED, "talk")
    phone.answer(phone.arrives(1), "TAK, but can we be three?")
    conversation = of_contact(table, sent["contact"])
    assert (conversation["state"], conversation["channel"]) == ("new", "sms")

    address = f"/v1/conversations/{conversation['conversation']}"
    done(table.call("POST", f"{address}/take", {"agent": "Ola"}))
    done(table.call("POST", f"{address}/replies", {"text": "Of course.", "idempotency_key": "three"}), 202)
    assert phone.arrives(2)["body"] == "Of course."
    assert of_contact(table, sent["contact"])["state"] == "ongoing"
    names = timeline(table, sent["contact"])
    assert {"SMS Sent", "SMS Received", "Conversation Opened", "Conversation Replied"} <= set(names)


def test_what_comes_twice_is_taken_once(table: LocalSystem) -> None:
    phone = Phone(table, "+48600300404")
    phone.write("Are you open?", copies=3)
    (contact,) = eventually(lambda: {one["contact"] for one in conversations(table) if _with(one, phone)})
    entries = _entries(table, of_contact(table, contact))
    assert [entry["text"] for entry in entries] == ["Are you open?"]


def test_stop_stops_and_only_start_begins_again(table: LocalSystem) -> None:
    phone = Phone(table, "+48600300405")
    send(table, phone, "Hello", "before-stop")
    phone.answer(phone.arrives(1), "STOP")
    said = phone.arrives(2)["body"]
    assert said
    refused = send(table, phone, "Still there?", "after-stop")
    assert refused["state"] == "skipped"
    assert phone.number in _listed(table)

    next_second()
    phone.answer(phone.texts()[-1], "START")
    phone.arrives(3)
    eventually(lambda: phone.number not in _listed(table))
    assert send(table, phone, "Welcome back", "after-start")["state"] == "accepted"
    assert phone.arrives(4)["body"] == "Welcome back"


def test_nobody_is_asked_to_answer_a_name(table: LocalSystem) -> None:
    phone = Phone(table, "+48600300406")
    body = {"to": {"phone": phone.number}, "text": "Hi", "kind": "transactional", "sender": "NOBODY", "two_way": True}
    answer = table.call("POST", "/v1/sms", {**body, "idempotency_key": "name"})
    assert answer.json.get("state") != "accepted"
    assert phone.texts() == []


def next_second() -> None:
    """Wait until SNS tells another time: the local one tells whole seconds, and of one instant the STOP holds."""
    now = int(time.time())
    eventually(lambda: int(time.time()) > now)


def _with(conversation: Mapping[str, Any], phone: Phone) -> bool:
    return bool(conversation["reply"]["address"] == phone.number)


def _entries(own: LocalSystem, conversation: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = done(own.call("GET", f"/v1/conversations/{conversation['conversation']}"))["entries"]
    return [entry for entry in found if entry["direction"] == "in"]


def _listed(own: LocalSystem) -> list[str]:
    """Who is on AWS's opt-out list of our number."""
    numbers = urllib3.request("GET", f"{own.outbox}/api/numbers", timeout=30).json()
    return list(next(one["opted_out"] for one in numbers if one["number"] == NUMBER))
