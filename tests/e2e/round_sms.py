"""A round of all that a workspace does with text messages and conversations, for the test of permissions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import urllib3
from tests.e2e import round_acts
from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.round_mail import done
from tests.e2e.round_people import OFTEN, claim_of_old, identify, invoke, meet, track
from tests.e2e.test_main_job import apply, contact_of, mails
from tests.e2e.test_sender_ids import waits_for
from tests.e2e.test_sms import Phone, next_second, of_contact, send, shown
from tests.e2e.workspaces import open_sender

# Two of the local End User Messaging that are no other workspace's: one in no pool, and one in a pool.
NUMBER, POOLED = "+12065550100", "+48455500102"
POOL = "pool:pool-local"
PHONES = [f"+1206555015{digit}" for digit in range(10)]
SILENT = "+12065550112"  # cannot be reached
WRONG = "+12065550110"  # is nobody's
POLISH, BRITISH = "+48600300490", "+447400123456"  # the second is an example of libphonenumber
RULE = {"channel": "sms", "when": OFTEN}
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
    for part in (
        _numbers,
        _setup,
        _names,
        _texts,
        _old_link,
        _out_of_reach,
        _unheard,
        _automation,
        _talk,
        _merges,
        _mails,
        round_acts.walk,
        _stop,
        _erased,
        _give_up,
    ):
        part(own)


def _number(number: str = NUMBER) -> str:
    return f"/v1/numbers/{quote(number)}"


def _numbers(own: LocalSystem) -> None:
    done(own.call("PUT", _number(), {"two_way": True, "self_managed": False, "kinds": ["marketing", "transactional"]}))
    done(own.call("PUT", _number(), {"self_managed": True}))
    done(own.call("PUT", _number(POOLED), {"two_way": True, "kinds": ["marketing", "transactional"]}))
    for path in ("/v1/numbers", _number()):
        done(own.call("GET", path))
    done(own.call("PUT", "/v1/keywords/yes", {"words": ["YES"], "meaning": "confirm", "answer": "Thank you."}))
    done(own.call("PUT", "/v1/keywords/no", {"words": ["NO"], "meaning": "refuse"}))
    for path in ("/v1/keywords", "/v1/keywords/yes"):
        done(own.call("GET", path))
    done(own.call("DELETE", "/v1/keywords/no"))


def _setup(own: LocalSystem) -> None:
    done(own.call("PUT", "/v1/sms/setup", {"plan": {"US": {"*": NUMBER}, "PL": {"*": POOL}}}))
    for path in ("/v1/sms/setup", "/v1/sms/setup/log", "/v1/sms/countries"):
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
    eventually(lambda: waits_for(own, "ROUND"))  # from then on a decision ends the wait
    for decision, key in (("verify", "staff"), ("accept", "administrator")):
        done(own.call("POST", f"/v1/sender-ids/ROUND/{decision}", {}, key=key))
    eventually(lambda: _state_in(own, "SG") == "registering" and _state_in(own, "GB") == "active")
    _outbox(own, "POST", f"/registrations/{filed['id']}", {"status": "complete"})
    eventually(lambda: _state_in(own, "SG") == "active")
    for path in ("/v1/sender-ids", "/v1/sender-ids/ROUND", "/v1/sender-ids/ROUND/log"):
        done(own.call("GET", path))
    assert send(own, _phone(own, BRITISH), "Booked", "named", sender="ROUND")["state"] == "accepted"
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
    eventually(lambda: shown(own, message)["state"] == "delivered")
    eventually(lambda: done(own.call("GET", f"/v1/messages/{message}/clicks"))["clicks"])
    lost = send(own, _phone(own, SILENT), "Hello", "lost")["message"]
    eventually(lambda: shown(own, lost)["state"] == "undelivered")
    nobody = send(own, _phone(own, WRONG), "Hello", "wrong")["message"]
    eventually(lambda: shown(own, nobody)["state"] == "undelivered")
    meet(own, "round-n", {"phone": PHONES[5]})
    contact = contact_of(own, "round-n")
    for number, to in enumerate(({"contact": contact}, {"user_id": "round-n"})):
        done(own.call("POST", "/v1/sms", {**body, "to": to, "idempotency_key": f"to-{number}"}), 202)
    assert send(own, _phone(own, POLISH), "Booked", "pooled")["state"] == "accepted"
    for path in ("/v1/reports/sms", "/v1/reports/sms/messages"):
        done(own.call("GET", path))


def _old_link(own: LocalSystem) -> None:
    """A link that is followed after a year leads to a page of the workspace's."""
    (link,) = _phone(own, PHONES[0]).texts()[0]["links"]
    own.client("dynamodb").update_item(
        TableName=own.outputs["TableShortLinks"],
        Key={"pk": {"S": link.rpartition("/")[2]}},
        UpdateExpression="SET expires_at = :then",
        ExpressionAttributeValues={":then": {"N": "1000000000"}},
    )
    assert urllib3.request("GET", link, headers={"user-agent": PERSON}, redirect=False, timeout=30).status == 404


def _out_of_reach(own: LocalSystem) -> None:
    """With the fifth text in a row that does not arrive a number is on the list; the first was sent before."""
    phone = _phone(own, SILENT)
    for number in range(4):
        message = send(own, phone, "Hello", f"silent-{number}")["message"]
        eventually(lambda message=message: shown(own, message)["state"] == "undelivered")  # type: ignore[misc]
    eventually(lambda: own.call("GET", f"/v1/suppressions/sms/{quote(SILENT)}").status == 200)


def _unheard(own: LocalSystem) -> None:
    """A text of which neither an answer nor an event came back is settled by the next event."""
    order = {"channel": "sms", "send": "late_events", "seconds": 1.0, "to": PHONES[1]}
    _outbox(own, "POST", "/faults", order)
    _outbox(own, "POST", "/faults", {"channel": "sms", "send": "timeout_after_accept", "to": PHONES[1]})
    message = send(own, _phone(own, PHONES[1]), "Hello", "unheard")["message"]
    claim_of_old(own, message)
    eventually(lambda: shown(own, message)["state"] == "delivered")


def _automation(own: LocalSystem) -> None:
    """An automation asks, waits for an answer, and thanks."""
    apply(own, WAITING)
    meet(own, "round-t", {"phone": PHONES[2]})
    contact_of(own, "round-t")
    track(own, {"userId": "round-t", "event": "Round Booked"})
    phone = _phone(own, PHONES[2])
    phone.answer(phone.arrives(1), "YES")
    eventually(lambda: len(phone.texts()) >= 3)


def _talk(own: LocalSystem) -> None:
    """Somebody writes first; agents take, pass on, hold, resume, note, answer and resolve."""
    done(own.call("PUT", "/v1/inboxes/desk", {"title": "Desk"}))
    done(own.call("PUT", "/v1/categories/table", {"title": "Table"}))
    meet(own, "round-k", {"phone": PHONES[3]})
    contact_of(own, "round-k")
    phone = _phone(own, PHONES[3])
    phone.write("Are you open?")
    contact = eventually(lambda: _whose(own, PHONES[3]))
    address = f"/v1/conversations/{of_contact(own, contact)['conversation']}"
    for act, body in (
        ("take", {"agent": "Ola"}),
        ("transfer", {"inbox": "desk", "note": "Yours"}),
        ("hold", {"until": (datetime.now(UTC) + timedelta(days=1)).isoformat()}),
        ("notes", {"text": "Regular guest"}),
    ):
        done(own.call("POST", f"{address}/{act}", body))
    eventually(lambda: of_contact(own, contact)["state"] != "on_hold")
    done(own.call("POST", f"{address}/hold", {}))
    done(own.call("POST", f"{address}/resume", {}))
    replies: list[dict[str, Any]] = [{"text": "We are."}, {"template": "round-text"}]
    for number, reply in enumerate(replies):
        done(own.call("POST", f"{address}/replies", {**reply, "idempotency_key": f"reply-{number}"}), 202)
    phone.arrives(2)
    # Nobody can tell yet whether this one went: the answer shows it as it stands.
    _outbox(own, "POST", "/faults", {"channel": "sms", "send": "timeout_after_accept", "to": PHONES[3]})
    done(own.call("POST", f"{address}/replies", {"text": "Come in.", "idempotency_key": "unheard"}), 202)
    resolved = {"type": "question", "category": "table", "key_message": "Told when we are open"}
    done(own.call("POST", f"{address}/resolve", resolved))
    looks = ("/v1/conversations", "/v1/conversations/counts", address, "/v1/inboxes", "/v1/categories")
    for path in (*looks, f"/v1/contacts/{contact}/conversations"):
        done(own.call("GET", path))


def _merges(own: LocalSystem) -> None:
    """Two who wrote are merged with somebody known, one by hand and one by what their browser tells."""
    known = {}
    for user in ("round-m", "round-v"):
        identify(own, {"userId": user, "traits": {"name": user}})
        known[user] = contact_of(own, user)
    identify(own, {"anonymousId": "round-a", "traits": {"phone": PHONES[7]}})
    eventually(lambda: done(own.call("GET", "/v1/contacts?anonymous_id=round-a"))["contacts"])
    for number in (6, 7):
        _phone(own, PHONES[number]).write("Hello?")
    by_hand, by_browser = (eventually(lambda n=n: _whose(own, PHONES[n])) for n in (6, 7))
    pair = {"contact": by_hand, "into": known["round-m"], "idempotency_key": "merge"}
    assert done(own.call("POST", "/v1/merges", pair))["merge"]
    identify(own, {"userId": "round-v", "anonymousId": "round-a"})
    for writer, survivor in ((by_hand, known["round-m"]), (by_browser, known["round-v"])):
        eventually(lambda w=writer, s=survivor: w in done(own.call("GET", f"/v1/contacts/{s}"))["absorbed"])  # type: ignore[misc]
        assert of_contact(own, survivor)["state"] == "new"


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
    # SES tells of this one before it answers, and so it does not.
    _outbox(own, "POST", "/faults", {"send": "timeout_after_accept", "to": "late@round-people.example"})
    late = {**other, "to": {"email": "late@round-people.example"}, "idempotency_key": "late"}
    message = done(own.call("POST", "/v1/emails", late), 202)["message"]
    eventually(lambda: shown(own, message)["state"] == "delivered")
    (mail,) = mails(own, "host@round-people.example")
    _outbox(own, "POST", f"/mails/{mail['id']}/answer", {"text": "Hello?", "from": "new@round-people.example"})
    eventually(lambda: _whose(own, "new@round-people.example"))
    contact = eventually(lambda: _whose(own, to["email"]))
    address = f"/v1/conversations/{of_contact(own, contact)['conversation']}"
    _outbox(own, "POST", f"/mails/{answered}/answer", {"text": "Are you there?"})
    entry = next(one for one in done(own.call("GET", address))["entries"] if one["direction"] == "in")["entry"]
    assert done(own.call("GET", f"{address}/mails/{entry}"))["attachments"]
    reply = {"text": "You are welcome.", "attachments": [FILE], "idempotency_key": "welcome"}
    done(own.call("POST", f"{address}/replies", reply), 202)
    done(own.call("POST", f"{address}/replies", reply), 202)
    done(own.call("PATCH", f"/v1/contacts/{contact}", {"traits": {"phone": POLISH}}))
    by_text = {"text": "By text.", "channel": "sms", "idempotency_key": "by text"}
    assert done(own.call("POST", f"{address}/replies", by_text), 202)["message"]["state"] == "accepted"


def _stop(own: LocalSystem) -> None:
    """A word that is answered by a template, HELP, STOP and START, the last two told to AWS's list."""
    phone = _phone(own, PHONES[4])
    send(own, phone, "Hello", "stop")
    for number, word in enumerate(("LINK", "HELP", "STOP", "START"), start=1):
        phone.answer(phone.arrives(number), word)
        next_second()
    phone.arrives(5)


def _erased(own: LocalSystem) -> None:
    """Somebody who got a link and wrote, and somebody who wrote a mail, are exported and erased."""
    phone = _phone(own, PHONES[8])
    body = {"to": {"phone": phone.number}, "template": "round-text", "idempotency_key": "erased"}
    done(own.call("POST", "/v1/sms", body), 202)
    phone.answer(phone.arrives(1), "Thanks")
    for writer in (phone.number, "guest@round-people.example"):
        contact = eventually(lambda writer=writer: _whose(own, writer))
        told = done(own.call("GET", f"/v1/contacts/{contact}/export"))["items"]
        assert told
        assert any("mail" in one for one in told) is ("@" in writer)
        asked = (f"/v1/contacts/{contact}/erase", {"confirm": contact})
        assert own.call("POST", *asked).json["state"] == "erasing"
        # The last look, which a message brings five minutes later.
        last = {"workspace": own.workspace, "contact": contact, "last": True}
        invoke(own, "Erasures", {"Records": [{"messageId": "1", "body": json.dumps(last)}]})
        assert own.call("POST", *asked).json["state"] == "erased"
        eventually(lambda contact=contact: not _kept(own, contact))  # type: ignore[misc]


def _kept(own: LocalSystem, contact: str) -> list[Any]:
    """What stands in the table of conversations under somebody's id."""
    found = own.client("dynamodb").query(
        TableName=own.outputs["TableConversations"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"{own.workspace}#{contact}"}},
    )
    return list(found["Items"])


def _give_up(own: LocalSystem) -> None:
    done(own.call("PUT", "/v1/sms/setup", {"plan": None}))
    for number in (NUMBER, POOLED):
        done(own.call("DELETE", _number(number)))


def _phone(own: LocalSystem, number: str) -> Phone:
    return Phone(own, number, NUMBER)


def _outbox(own: LocalSystem, method: str, path: str, body: Any) -> Any:
    answer = urllib3.request(method, f"{own.outbox}/api{path}", json=body, timeout=30, retries=False)
    assert answer.status < 300, answer.data
    return answer.json()
