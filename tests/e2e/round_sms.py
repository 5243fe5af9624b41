"""A round of all that a workspace does with text messages and conversations, for the test of permissions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import urllib3
from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.round_mail import done
from tests.e2e.round_people import claim_of_old, identify, track
from tests.e2e.test_main_job import apply, contact_of, mails
from tests.e2e.test_sms import Phone, of_contact, send, shown
from tests.e2e.workspaces import open_sender

# The one of the local End User Messaging that stands in no pool, and is no other workspace's.
NUMBER = "+12065550100"
PHONES = [f"+1206555015{digit}" for digit in range(10)]
SILENT = "+12065550112"  # cannot be reached
WRONG = "+12065550110"  # is nobody's
RULE = {"channel": "sms", "when": {"did": "Round Annoyed"}}
FILE = {"name": "menu.txt", "type": "text/plain", "content": "U291cA=="}
NAME = {"name": "ROUND", "countries": ["GB", "SG"], "purpose": "Bookings.", "sample": "Your table is booked."}
WAITING = {
    "automation": "round-texts",
    "trigger": {"event": "Round Booked"},
    "start": "ask",
    "components": {
        "ask": {"type": "send_sms", "template": "round-text", "next": "answer"},
        "answer": {
            "type": "wait_for",
            "arms": [{"name": "yes", "event": "SMS Received", "next": "thank"}],
            "timeout": "300 days",
            "on_timeout": "thank",
        },
        "thank": {"type": "send_sms", "template": "round-text"},
    },
}
PERSON = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"


def walk(local: LocalSystem) -> None:
    """All of it, in a workspace of its own."""
    own = open_sender(local, "roundtexts", inbound_address="desk@in.roundtexts.example", signed_replies=True)
    for part in (_numbers, _setup, _names, _texts, _unheard, _automation, _talk, _mails, _stop, _give_up):
        part(own)


def _number(number: str = NUMBER) -> str:
    return f"/v1/numbers/{quote(number)}"


def _numbers(own: LocalSystem) -> None:
    done(own.call("PUT", _number(), {"two_way": True, "self_managed": False, "kinds": ["marketing", "transactional"]}))
    done(own.call("PUT", _number(), {"self_managed": True}))
    for path in ("/v1/numbers", _number()):
        done(own.call("GET", path))
    done(own.call("PUT", "/v1/keywords/yes", {"words": ["YES"], "meaning": "confirm", "answer": "Thank you."}))
    done(own.call("PUT", "/v1/keywords/no", {"words": ["NO"], "meaning": "refuse"}))
    for path in ("/v1/keywords", "/v1/keywords/yes"):
        done(own.call("GET", path))
    done(own.call("DELETE", "/v1/keywords/no"))


def _setup(own: LocalSystem) -> None:
    done(own.call("PUT", "/v1/sms/setup", {"plan": {"US": {"*": NUMBER}}}))
    for path in ("/v1/sms/setup", "/v1/sms/countries"):
        done(own.call("GET", path))
    text = {"channel": "sms", "text": "Booked: https://round.example/table", "kind": "transactional"}
    done(own.call("PUT", "/v1/templates/round-text", text))
    # One rule asks for events: with it every check reads the timeline.
    done(own.call("PUT", "/v1/suppression-rules/round", RULE))
    done(own.call("PUT", "/v1/keywords/link", {"words": ["LINK"], "meaning": "link", "template": "round-text"}))


def _names(own: LocalSystem) -> None:
    """A name is asked for, verified, accepted, registered where a country wants that, and given up; another is not."""
    done(own.call("POST", "/v1/sender-ids", NAME))
    done(own.call("POST", "/v1/sender-ids", {**NAME, "name": "ROUNDTWO"}))
    done(own.call("POST", "/v1/sender-ids/ROUNDTWO/reject", {"reason": "Twice."}, key="staff"))
    filed = _outbox(own, "POST", "/registrations", {"sender_id": "ROUND", "country": "SG"})
    for decision, key in (("verify", "staff"), ("accept", "administrator")):
        done(own.call("POST", f"/v1/sender-ids/ROUND/{decision}", {}, key=key))
    eventually(lambda: _state_in(own, "SG") == "registering" and _state_in(own, "GB") == "active", 60)
    _outbox(own, "POST", f"/registrations/{filed['id']}", {"status": "complete"})
    eventually(lambda: _state_in(own, "SG") == "active", 60)
    for path in ("/v1/sender-ids", "/v1/sender-ids/ROUND", "/v1/sender-ids/ROUND/log"):
        done(own.call("GET", path))
    done(own.call("DELETE", "/v1/sender-ids/ROUND", key="administrator"))


def _state_in(own: LocalSystem, country: str) -> str:
    countries = done(own.call("GET", "/v1/sender-ids/ROUND"))["countries"]
    found = countries if isinstance(countries, dict) else {one["country"]: one for one in countries}
    one = found[country]
    return str(one["state"] if isinstance(one, dict) else one)


def _texts(own: LocalSystem) -> None:
    """Texts are shown, sent, looked at; their links are followed; one arrives nowhere."""
    body = {"to": {"phone": PHONES[0]}, "template": "round-text"}
    done(own.call("POST", "/v1/sms/preview", {"template": "round-text"}))
    assert own.call("POST", "/v1/sms", {**body, "dry_run": True, "idempotency_key": "try"}).json["dry_run"]
    message = done(own.call("POST", "/v1/sms", {**body, "idempotency_key": "one"}), 202)["message"]
    (link,) = _phone(own, PHONES[0]).arrives(1)["links"]
    for method in ("HEAD", "GET"):
        urllib3.request(method, link, headers={"user-agent": PERSON}, redirect=False, timeout=30)
    eventually(lambda: shown(own, message)["state"] == "delivered", 30)
    lost = send(own, _phone(own, SILENT), "Hello", "lost")["message"]
    eventually(lambda: shown(own, lost)["state"] == "undelivered", 30)
    nobody = send(own, _phone(own, WRONG), "Hello", "wrong")["message"]
    eventually(lambda: shown(own, nobody)["state"] == "undelivered", 30)
    identify(own, {"userId": "round-n", "traits": {"phone": PHONES[5]}})
    contact = contact_of(own, "round-n")
    for number, to in enumerate(({"contact": contact}, {"user_id": "round-n"})):
        done(own.call("POST", "/v1/sms", {**body, "to": to, "idempotency_key": f"to-{number}"}), 202)
    for path in ("/v1/reports/sms", "/v1/reports/sms/messages"):
        done(own.call("GET", path))


def _unheard(own: LocalSystem) -> None:
    """A text of which neither an answer nor an event came back is settled by the next event."""
    order = {"channel": "sms", "send": "late_events", "seconds": 1.0, "to": PHONES[1]}
    _outbox(own, "POST", "/faults", order)
    _outbox(own, "POST", "/faults", {"channel": "sms", "send": "timeout_after_accept", "to": PHONES[1]})
    message = send(own, _phone(own, PHONES[1]), "Hello", "unheard")["message"]
    claim_of_old(own, message)
    eventually(lambda: shown(own, message)["state"] == "delivered", 30)


def _automation(own: LocalSystem) -> None:
    """An automation asks, waits for an answer, and thanks."""
    apply(own, WAITING)
    identify(own, {"userId": "round-t", "traits": {"phone": PHONES[2]}})
    contact_of(own, "round-t")
    track(own, {"userId": "round-t", "event": "Round Booked"})
    phone = _phone(own, PHONES[2])
    phone.answer(phone.arrives(1), "YES")
    eventually(lambda: len(phone.texts()) >= 3, 60)


def _talk(own: LocalSystem) -> None:
    """Somebody writes first; agents take, pass on, hold, resume, note, answer and resolve."""
    done(own.call("PUT", "/v1/inboxes/desk", {"title": "Desk"}))
    done(own.call("PUT", "/v1/categories/table", {"title": "Table"}))
    phone = _phone(own, PHONES[3])
    phone.write("Are you open?")
    contact = eventually(lambda: _whose(own, PHONES[3]), 30)
    address = f"/v1/conversations/{of_contact(own, contact)['conversation']}"
    for act, body in (
        ("take", {"agent": "Ola"}),
        ("transfer", {"inbox": "desk", "note": "Yours"}),
        ("hold", {"until": (datetime.now(UTC) + timedelta(days=1)).isoformat()}),
        ("notes", {"text": "Regular guest"}),
    ):
        done(own.call("POST", f"{address}/{act}", body))
    eventually(lambda: of_contact(own, contact)["state"] != "on_hold", 60)
    done(own.call("POST", f"{address}/hold", {}))
    done(own.call("POST", f"{address}/resume", {}))
    replies: list[dict[str, Any]] = [{"text": "We are."}, {"template": "round-text"}]
    for number, reply in enumerate(replies):
        done(own.call("POST", f"{address}/replies", {**reply, "idempotency_key": f"reply-{number}"}), 202)
    phone.arrives(2)
    resolved = {"type": "question", "category": "table", "key_message": "Told when we are open"}
    done(own.call("POST", f"{address}/resolve", resolved))
    for path in ("/v1/conversations", "/v1/conversations/counts", address, "/v1/inboxes", "/v1/categories"):
        done(own.call("GET", path))


def _whose(own: LocalSystem, number: str) -> str:
    found = done(own.call("GET", "/v1/conversations"))["conversations"]
    return next((str(one["contact"]) for one in found if one["reply"]["address"] == number), "")


def _mails(own: LocalSystem) -> None:
    """A mail is answered with a file, somebody new writes one, and an agent answers both."""
    done(own.call("PUT", "/v1/templates/round-mail", {"subject": "Hi", "text": "Hello.", "kind": "transactional"}))
    to = {"email": "guest@round-people.example"}
    body = {"to": to, "template": "round-mail", "idempotency_key": "mail"}
    done(own.call("POST", "/v1/emails", body), 202)
    (mail,) = mails(own, to["email"])
    answered = mail["id"]
    _outbox(own, "POST", f"/mails/{answered}/answer", {"text": "Thank you!", "attachments": [FILE]})
    other = {**body, "reply_to": "desk@in.roundtexts.example", "to": {"email": "host@round-people.example"}}
    done(own.call("POST", "/v1/emails", {**other, "idempotency_key": "desk"}), 202)
    (mail,) = mails(own, "host@round-people.example")
    _outbox(own, "POST", f"/mails/{mail['id']}/answer", {"text": "Hello?", "from": "new@round-people.example"})
    eventually(lambda: _whose(own, "new@round-people.example"), 60)
    contact = eventually(lambda: _whose(own, to["email"]), 60)
    address = f"/v1/conversations/{of_contact(own, contact)['conversation']}"
    _outbox(own, "POST", f"/mails/{answered}/answer", {"text": "Are you there?"})
    reply = {"text": "You are welcome.", "attachments": [FILE], "idempotency_key": "welcome"}
    done(own.call("POST", f"{address}/replies", reply), 202)
    done(own.call("POST", f"{address}/replies", reply), 202)


def _stop(own: LocalSystem) -> None:
    """A word that is answered by a template, HELP, STOP and START, the last two told to AWS's list."""
    phone = _phone(own, PHONES[4])
    send(own, phone, "Hello", "stop")
    for number, word in enumerate(("LINK", "HELP", "STOP", "START"), start=1):
        phone.answer(phone.arrives(number), word)
    phone.arrives(5)


def _give_up(own: LocalSystem) -> None:
    done(own.call("PUT", "/v1/sms/setup", {"plan": None}))
    done(own.call("DELETE", _number()))


def _phone(own: LocalSystem, number: str) -> Phone:
    return Phone(own, number, NUMBER)


def _outbox(own: LocalSystem, method: str, path: str, body: Any) -> Any:
    answer = urllib3.request(method, f"{own.outbox}/api{path}", json=body, timeout=30, retries=False)
    assert answer.status < 300, answer.data
    return answer.json()
