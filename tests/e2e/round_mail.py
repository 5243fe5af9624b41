"""A round of all that a workspace does with mail, for the test of permissions: in a workspace of its own."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import urllib3
from tests.e2e.local_system import Answer, LocalSystem, eventually
from tests.e2e.round_people import OFTEN, claim_of_old, identify, invoke, meet
from tests.e2e.test_main_job import contact_of, mails
from tests.e2e.workspaces import open_sender

FORM = {"content-type": "application/x-www-form-urlencoded"}
TEMPLATES = {
    "round-news": {"subject": "News", "html": '<p>Hello <a href="https://round.example/new">New</a></p>'},
    "round-receipt": {"subject": "Receipt", "text": "Thank you.", "kind": "transactional"},
    "round-confirm": {"subject": "Really?", "text": "{{ confirm_url }}", "kind": "transactional"},
}
FILE = {"name": "note.txt", "type": "text/plain", "content": base64.b64encode(b"A note.").decode()}
# One rule asks for events: with it every check reads the timeline.
RULE = {"when": OFTEN}
# A person's program, at which a look is one of the reader's.
MAIL_PROGRAM = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0"
# One bounce in ten mails stops a workspace's marketing.
BRITTLE = {"bounces_from_sent": 1, "bounces_from": 1}


def walk(local: LocalSystem) -> None:
    """All of it. The policy first: functions believe what they read of it for a minute."""
    own = open_sender(local, "round", mirror_account_suppression=True, rates=BRITTLE)
    for name, template in TEMPLATES.items():
        done(own.call("PUT", f"/v1/templates/{name}", template))
    for part in (_policy, _brand, _checks, _consents, _sends, _wishes, _ways_out, _looks, _unnamed, _mirror, _stop):
        part(own)


def done(answer: Answer, status: int = 200) -> Any:
    """The body of an answer that has to be this one."""
    assert answer.status == status, answer.data
    return answer.json


def _policy(own: LocalSystem) -> None:
    topic = {"title": "The club", "confirmation": "round-confirm"}
    for path, body in (("/v1/topics", topic), ("/v1/suppression-rules", RULE)):
        done(own.call("PUT", f"{path}/one", body))
        done(own.call("PUT", f"{path}/other", body))
        done(own.call("GET", path))
        done(own.call("GET", f"{path}/one"))
        done(own.call("DELETE", f"{path}/other"))


def _brand(own: LocalSystem) -> None:
    done(own.call("PUT", "/v1/brand", {"name": "Round"}))
    assert done(own.call("GET", "/v1/brand"))["name"] == "Round"


def _checks(own: LocalSystem) -> None:
    """Checks of an address and of a person, with a rule that asks for events."""
    meet(own, "round-1", {"email": "one@round-people.example"})
    contact_of(own, "round-1")
    for asked in ({"address": "one@round-people.example"}, {"user_id": "round-1"}):
        body = {**asked, "kind": "marketing"}
        assert done(own.call("POST", "/v1/suppressions/check", body))["suppressed"] is False
    done(own.call("PUT", "/v1/suppressions/email/listed@round-people.example"))
    assert len(done(own.call("GET", "/v1/suppressions"))["suppressions"]) == 1


def _consents(own: LocalSystem) -> None:
    address = "/v1/consents/email/one@round-people.example"
    reply = {"reply": "subscribed", "by": "person", "source": "the shop", "wording": "Yes"}
    done(own.call("PUT", f"{address}/marketing", reply))
    done(own.call("GET", address))
    assert done(own.call("GET", f"{address}/log"))["log"]
    rows = [{"address": f"{name}@round-people.example", "topic": "one", "reply": "subscribed"} for name in "ab"]
    done(own.call("POST", "/v1/consents/import", {"rows": rows}))


def _sends(own: LocalSystem) -> None:
    """To many at once with a file, to many later, one that is cancelled, and mails that are sent again."""
    identify(own, {"userId": "round-gone", "traits": {"email": "gone@round-people.example"}})
    assert own.call("DELETE", f"/v1/contacts/{contact_of(own, 'round-gone')}").status == 202
    recipients = [
        {"user_id": "round-1"},
        {"email": "one@round-people.example"},
        {"email": "new@round-people.example"},
        {"email": "gone@round-people.example"},
    ]
    many = {"recipients": recipients, "template": "round-news", "attachments": [FILE], "idempotency_key": "many"}
    send = done(own.call("POST", "/v1/emails", many), 202)["send"]
    receipts = {"recipients": recipients, "template": "round-receipt", "idempotency_key": "receipts"}
    later = done(own.call("POST", "/v1/emails", {**receipts, "at": _in(minutes=1)}), 202)["send"]
    far = done(own.call("POST", "/v1/emails", {**many, "at": _in(days=300), "idempotency_key": "far"}), 202)["send"]
    done(own.call("POST", f"/v1/sends/{far}/resume"), 202)
    assert done(own.call("DELETE", f"/v1/sends/{far}"))["state"] == "cancelled"
    assert len(done(own.call("GET", "/v1/sends"))["sends"]) == 3
    _slow(own)
    for one in (send, later):
        eventually(lambda one=one: done(own.call("GET", f"/v1/sends/{one}"))["state"] == "done")  # type: ignore[misc]
        done(own.call("GET", f"/v1/sends/{one}/problems"))
    _again(own)
    invoke(own, "Deliver", {})


def _slow(own: LocalSystem) -> None:
    """A send that SES lets wait is resumed on its way, and cancelled."""
    address = "slow@round-people.example"
    fault = {"send": "throttle", "count": 20, "to": address}
    assert urllib3.request("POST", f"{own.outbox}/api/faults", json=fault, retries=False).status == 201
    body = {"recipients": [{"email": address}], "template": "round-receipt", "idempotency_key": "slow"}
    send = done(own.call("POST", "/v1/emails", body), 202)["send"]
    assert done(own.call("POST", f"/v1/sends/{send}/resume"), 202)["state"] == "sending"
    done(own.call("DELETE", f"/v1/sends/{send}"))
    assert urllib3.request("DELETE", f"{own.outbox}/api/faults", timeout=30).status == 200


def _again(own: LocalSystem) -> None:
    """A receipt to one, and once more."""
    body = {"to": {"user_id": "round-1"}, "template": "round-receipt", "idempotency_key": "one"}
    message = done(own.call("POST", "/v1/emails", body), 202)["message"]
    done(own.call("POST", f"/v1/messages/{message}/resend", {"idempotency_key": "again"}), 202)


def _wishes(own: LocalSystem) -> None:
    """Somebody new and somebody known ask for mail about a topic, and one of them confirms it."""
    _wish(own, "wish")
    _wish(own, "one")
    (mail,) = mails(own, "wish@round-people.example")
    # Claimed long ago and never heard of: settled by whoever asks again.
    claim_of_old(own, mail["tags"]["tidings_message"])
    _wish(own, "wish")
    url = mail["text"].split()[0]
    for method in ("GET", "HEAD", "POST"):
        assert urllib3.request(method, url, timeout=30).status == 200


def _wish(own: LocalSystem, name: str) -> None:
    wish = {"email": f"{name}@round-people.example", "topic": "one", "wording": "Yes"}
    assert done(own.call("POST", "/v1/subscriptions", wish, key="publishable"), 202) == {"state": "pending"}


def _ways_out(own: LocalSystem) -> None:
    """The page of a mail is looked at and used, and a mailbox provider unsubscribes somebody."""
    (mail,) = [one for one in mails(own, "new@round-people.example") if one["subject"] == "News"]
    url = mail["headers"]["List-Unsubscribe"].strip("<>")
    for method, body in (("GET", ""), ("HEAD", ""), ("POST", "action=leave"), ("POST", "action=back")):
        assert urllib3.request(method, url, body=body, headers=FORM, timeout=30).status == 200
    one_click = urllib3.request("POST", url, body="List-Unsubscribe=One-Click", headers=FORM, timeout=30)
    assert one_click.data == b"You are unsubscribed.\n"


def _looks(own: LocalSystem) -> None:
    """A person follows a link soon after a mail came, which is looked at again later."""
    (mail,) = [one for one in mails(own, "gone@round-people.example") if one["subject"] == "News"]
    eventually(lambda: _delivered(own, mail["id"]))
    path = f"{own.outbox}/api/mails/{mail['id']}/click"
    clicked = urllib3.request("POST", path, json={}, headers={"user-agent": MAIL_PROGRAM}, timeout=30)
    assert clicked.status == 200, clicked.data
    # SNS alone can sign what the webhook takes.
    forged = {"Type": "Notification", "TopicArn": own.outputs["FeedbackTopicArn"], "Message": "{}"}
    assert own.call("POST", "/v1/webhooks/ses", forged, key="").status in (400, 403)


def _unnamed(own: LocalSystem) -> None:
    """A complaint that names no message: only the sender tells whose it is."""
    now, address = datetime.now(UTC).isoformat(), "unnamed@round-people.example"
    told = {
        "notificationType": "Complaint",
        "complaint": {"complainedRecipients": [{"emailAddress": address}], "timestamp": now},
        "mail": {"timestamp": now, "messageId": "unnamed", "source": "hello@round.example", "destination": [address]},
    }
    own.client("sns").publish(TopicArn=own.outputs["FeedbackTopicArn"], Message=json.dumps(told))
    eventually(lambda: own.call("GET", f"/v1/suppressions/email/{address}").status == 200)


def _delivered(own: LocalSystem, mail: str) -> bool:
    events = urllib3.request("GET", f"{own.outbox}/api/mails/{mail}", retries=False).json()["events"]
    return any(event["type"] == "Delivery" for event in events)


def _mirror(own: LocalSystem) -> None:
    """An address that bounced in another workspace is not written to here, until it is taken off the list."""
    other = open_sender(own, "round-other")
    done(other.call("PUT", "/v1/templates/round-receipt", TEMPLATES["round-receipt"]))
    address = "mirrored@round-people.example"
    body = {"to": {"email": address}, "template": "round-receipt", "idempotency_key": "mirrored"}
    done(other.call("POST", "/v1/emails", body), 202)
    bounce(own, mails(own, address)[0])
    path = f"/v1/suppressions/email/{quote(address)}"
    invoke(own, "MirrorSuppressions", {})
    assert done(own.call("GET", path))["source"] == "ses-account"
    invoke(own, "MirrorSuppressions", {})
    done(own.call("DELETE", path))


def _stop(own: LocalSystem) -> None:
    """Five soft bounces in a row suppress an address; one hard one stops the marketing, which a person lets go on."""
    address = "soft@round-people.example"
    for number in range(5):
        body = {"to": {"email": address}, "template": "round-receipt", "idempotency_key": f"soft {number}"}
        done(own.call("POST", "/v1/emails", body), 202)
    for mail in mails(own, address):
        bounce(own, mail, "Transient")
    path = f"/v1/suppressions/email/{quote(address)}"
    eventually(lambda: own.call("GET", path).status == 200)
    body = {"to": {"email": "hard@round-people.example"}, "template": "round-news", "idempotency_key": "hard"}
    done(own.call("POST", "/v1/emails", body), 202)
    bounce(own, mails(own, "hard@round-people.example")[0])
    eventually(lambda: done(own.call("GET", "/v1/sending"))["state"] == "stopped")
    assert done(own.call("POST", "/v1/sending/resume"))["state"] == "good"


def bounce(own: LocalSystem, mail: dict[str, Any], kind: str = "Permanent") -> None:
    """Let a mail bounce at the outbox."""
    path = f"{own.outbox}/api/mails/{mail['id']}/bounce"
    answer = urllib3.request("POST", path, json={"type": kind, "subType": "General"}, timeout=30)
    assert answer.status == 200, answer.data


def _in(**later: float) -> str:
    return (datetime.now(UTC) + timedelta(**later)).isoformat()
