"""A round of all that the functions do with people, for the test of permissions."""

from __future__ import annotations

import json
import uuid
from typing import Any

import urllib3
from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.test_main_job import apply, contact_of, mails, message_of

TOUR = {
    "automation": "tour",
    "trigger": {"event": "Tour Began"},
    "start": "check",
    "components": {
        "check": {"type": "check_suppression", "channel": "email", "clear": "look", "suppressed": "mail"},
        "look": {
            "type": "branch",
            "arms": [
                {"name": "yes", "when": {"did": "Never", "since": {"step": "check"}}, "next": "mail"},
                # What brought the person here came under both ids: whether it is there twice has to be looked up.
                {"name": "often", "when": {"did": "Tour Began", "at_least": 2, "within": "1 day"}, "next": "mail"},
            ],
            "otherwise": "mail",
        },
        "mail": {"type": "send_email", "template": "e2e-tips", "next": "read"},
        "read": {"type": "branch", "arms": [{"name": "wrote", "when": {"engaged": "mail"}}]},
    },
}


def track(local: LocalSystem, body: dict[str, Any]) -> None:
    assert local.call("POST", "/v1/track", {"messageId": str(uuid.uuid4()), **body}, key="write").status == 200


def identify(local: LocalSystem, body: dict[str, Any]) -> None:
    assert local.call("POST", "/v1/identify", {"messageId": str(uuid.uuid4()), **body}, key="write").status == 200


# A machine that is not there.
GONE = "arn:aws:states:us-east-1:000000000000:stateMachine:tidings_gone"

# Asks for events that came under both ids of a person: each of them is looked up under the other.
OFTEN = {"did": "Round Seen", "at_least": 9, "within": "1 day"}


def meet(local: LocalSystem, user: str, traits: dict[str, Any]) -> None:
    """Let somebody be known, by a device too, and seen."""
    identify(local, {"userId": user, "traits": traits})
    track(local, {"userId": user, "anonymousId": f"{user}-device", "event": "Round Seen"})


def invoke(local: LocalSystem, function: str, payload: Any) -> Any:
    """Invoke a function by its logical id without the suffix; the answer."""
    name = local.outputs["ReactFunctionName"].removesuffix("React") + function
    answer = local.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload).encode())
    body = json.loads(answer["Payload"].read() or b"null")
    assert "FunctionError" not in answer, body
    return body


def walk(local: LocalSystem) -> None:
    """All of it, in the order in which each part finds what it needs."""
    apply(local, TOUR)
    for part in (
        _calls,
        _people,
        _visits,
        _reads,
        _suppressions,
        _senders,
        _api_mails,
        _merged_contact,
        _merges,
        _merged_by_a_call,
        _companies,
        _edits,
        _forms,
        _left_overs,
        _lost_execution,
        _erased,
    ):
        part(local)


def _calls(local: LocalSystem) -> None:
    for path, message in (
        ("/v1/page", {"name": "Pricing"}),
        ("/v1/s", {"name": "Home"}),
        ("/v1/group", {"groupId": "g-1", "traits": {"name": "Acme"}}),
        ("/v1/ungroup", {"groupId": "g-1"}),
        ("/v1/alias", {"previousId": "tour-0"}),
    ):
        body = {"userId": "tour-1", "messageId": str(uuid.uuid4()), **message}
        assert local.call("POST", path, body, key="write").status == 200
    assert local.call("GET", f"/v1/projects/{local.keys['write']}/settings", key="").status == 200


def _people(local: LocalSystem) -> None:
    identify(local, {"userId": "tour-1", "traits": {"email": "one@tour.example"}})
    track(local, {"userId": "tour-1", "anonymousId": "tour-a", "event": "Tour Began"})
    message_of(local, "tour-1", "delivered")
    # An address that moves, a repeat of an enrolment, a batch.
    identify(local, {"userId": "tour-1", "traits": {"email": "first@tour.example"}})
    batch = [{"type": "track", "userId": "tour-1", "event": "Other", "messageId": str(uuid.uuid4())}]
    assert local.call("POST", "/v1/batch", {"batch": batch}, key="write").status == 200
    invoke(local, "React", {"Records": [_record(local, "user#tour-1", "Tour Began")]})
    # Two events of somebody new in one batch: the second looks up what the first linked.
    fresh = [_made_up(local, "user#tour-new", number) for number in ("1", "2")]
    invoke(local, "React", {"Records": fresh})


def _record(local: LocalSystem, identity: str, event: str) -> dict[str, Any]:
    """The stream record of a stored event, to be delivered once more."""
    items = local.client("dynamodb").query(
        TableName=local.outputs["TableEvents"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"{local.workspace}#{identity}"}},
    )["Items"]
    image = next(item for item in items if item.get("name", {}).get("S") == event)
    return {"eventName": "INSERT", "dynamodb": {"NewImage": image, "SequenceNumber": "1"}}


def _made_up(local: LocalSystem, identity: str, number: str) -> dict[str, Any]:
    """The stream record of an event as ingest would have stored it."""
    image = {
        "pk": f"{local.workspace}#{identity}",
        "sk": f"m-{number}",
        "received_at": "2026-11-21T09:00:00.000000Z",
        "type": "track",
        "name": "Other",
        "body": json.dumps({"at": "2026-11-21T09:00:00.000000Z", "user": identity.partition("#")[2]}),
    }
    attributes = {name: {"S": value} for name, value in image.items()}
    return {"eventName": "INSERT", "dynamodb": {"NewImage": attributes, "SequenceNumber": number}}


def _visits(local: LocalSystem) -> None:
    """A mail is opened, its link leads to a page, and something is done there."""
    message = message_of(local, "tour-1", "delivered")["message"]
    (mail, *_) = mails(local, "one@tour.example")
    assert urllib3.request("POST", f"{local.outbox}/api/mails/{mail['id']}/open", retries=False).status < 300
    page = {"page": {"url": f"https://acme.example/tutorial?tid={message}"}}
    for event, context in (("Tour Visited", page), ("Tour Followed", {})):
        track(local, {"userId": "tour-1", "event": event, "context": context})
    contact = contact_of(local, "tour-1")

    def told() -> bool:
        events = local.call("GET", f"/v1/contacts/{contact}/timeline").json["events"]
        causes = {event["event"]: event["cause"] for event in events if event["root"] != event["cause"]}
        names = ("Tour Visited", "Tour Followed", "Email Opened")
        return all(causes.get(name) == f"message:{message}" for name in names)

    eventually(told)


def _reads(local: LocalSystem) -> None:
    never = {"event": "Tour Began", "where": {"property": "x", "is": 1}}
    apply(local, {**TOUR, "automation": "unentered", "trigger": never})
    contact = contact_of(local, "tour-1")
    message = message_of(local, "tour-1", "delivered")["message"]
    began = local.call("GET", f"/v1/contacts/{contact}/enrolments").json["enrolments"][0]["started_at"]
    for path in (
        f"/v1/contacts/{contact}",
        f"/v1/contacts/{contact}/timeline",
        f"/v1/contacts/{contact}/enrolments",
        f"/v1/contacts/{contact}/enrolments?at={began}",
        f"/v1/contacts/{contact}/messages",
        f"/v1/contacts?message={message}",
        "/v1/contacts?phone=%2B48600100200",
        "/v1/contacts?kind=identified&limit=2",
        "/v1/contacts/counts",
        "/v1/templates",
        "/v1/templates/e2e-tips",
        "/v1/templates/e2e-tips/versions",
        "/v1/templates/e2e-tips/versions/1",
        "/v1/automations",
        "/v1/automations/tour",
        "/v1/automations/tour/versions",
        "/v1/automations/tour/enrolments",
        f"/v1/messages/{message}",
        "/v1/messages?state=unknown",
        f"/v1/chain?node=message:{message}",
        "/v1/reports/email",
        "/v1/reports/email/messages?automation=tour",
        "/v1/reports/email/messages?address=first@tour.example",
        f"/v1/contacts/{contact}/decisions",
        "/v1/why?email=first@tour.example&template=e2e-tips",
        "/v1/why?user_id=tour-1&template=nothing",
        f"/v1/why?contact={contact}&automation=unentered",
    ):
        answer = local.call("GET", path)
        assert answer.status == 200, (path, answer.data)
    eventually(lambda: local.call("GET", "/v1/contacts?email=first@tour.example").json["contacts"])
    for who in ({"contact": contact}, {"user_id": "tour-1"}, {"email": "first@tour.example"}):
        shown = local.call("POST", "/v1/templates/e2e-tips/preview", who)
        assert shown.json["contact"] == contact, shown.data


def _suppressions(local: LocalSystem) -> None:
    path = "/v1/suppressions/email/first@tour.example"
    assert local.call("PUT", path, {}).status == 200
    assert local.call("GET", path).status == 200
    checked = local.call("POST", "/v1/suppressions/check", {"address": "first@tour.example"})
    assert checked.json["suppressed"] is True
    body = {"to": {"user_id": "tour-1"}, "template": "e2e-tips", "idempotency_key": "suppressed"}
    assert local.call("POST", "/v1/emails", body).json["state"] == "skipped"
    assert local.call("DELETE", path).status == 200


def _senders(local: LocalSystem) -> None:
    path = "/v1/senders/tour.example"
    assert local.call("PUT", path, {"mail_from": "bounce.tour.example"}).json["verified"] is True
    assert local.call("GET", path).status == 200
    assert local.call("GET", "/v1/senders").status == 200
    invoke(local, "CheckSenders", {})
    assert local.call("DELETE", f"{path}?identity=delete").status == 200
    assert local.call("PUT", path, {}).status == 200
    assert local.call("DELETE", path).status == 200


def _api_mails(local: LocalSystem) -> None:
    for address in ("new@tour.example", "bounce+tour@simulator.amazonses.com"):
        body = {"to": {"email": address}, "template": "e2e-tips", "idempotency_key": address}
        sent = local.call("POST", "/v1/emails", body)
        assert sent.status == 202, sent.data
    answer = local.call("POST", "/v1/emails", body)
    assert answer.status == 202
    eventually(lambda: local.call("GET", f"/v1/suppressions/email/{address}").status == 200)
    (mail,) = mails(local, address)
    urllib3.request("POST", f"{local.outbox}/api/mails/{mail['id']}/complain", retries=False)
    body = {"to": {"contact": contact_of(local, "tour-1")}, "template": "e2e-tips", "idempotency_key": "by id"}
    assert local.call("POST", "/v1/emails", body).status == 202
    # Claimed long ago and never heard of: settled by the next call, which then reads what became of it.
    claim_of_old(local, answer.json["message"])
    assert (
        local.call("POST", "/v1/emails", {**body, "to": {"email": address}, "idempotency_key": address}).status == 202
    )


def claim_of_old(local: LocalSystem, message: str) -> None:
    local.client("dynamodb").update_item(
        TableName=local.outputs["TableMessages"],
        Key={"pk": {"S": f"{local.workspace}#{message.partition('-')[0]}"}, "sk": {"S": message}},
        UpdateExpression="SET #state = :claimed, claimed_at = :then, attention = :shard, #rank = :zero",
        ExpressionAttributeNames={"#state": "state", "#rank": "rank"},
        ExpressionAttributeValues={
            ":claimed": {"S": "claimed"},
            ":then": {"S": "2026-01-01T00:00:00.000000Z"},
            ":shard": {"S": "claimed#0"},
            ":zero": {"N": "0"},
        },
    )


def _merged_contact(local: LocalSystem) -> None:
    """Somebody anonymous turns out to be a known person: Tasks that were under way find the survivor."""
    slow = {**TOUR, "automation": "slow-tour", "trigger": {"event": "Slow Tour Began"}, "start": "rest"}
    rest = {"type": "wait", "for": "14 days", "next": "check"}
    apply(local, {**slow, "components": {**TOUR["components"], "rest": rest}})  # type: ignore[dict-item]
    identify(local, {"anonymousId": "tour-b", "traits": {"email": "merged@tour.example"}})
    track(local, {"anonymousId": "tour-b", "event": "Slow Tour Began"})
    identify(local, {"userId": "tour-2", "traits": {"name": "Two"}})
    contact = contact_of(local, "tour-2")
    (found,) = eventually(lambda: local.call("GET", "/v1/contacts?anonymous_id=tour-b").json["contacts"])
    anonymous = found["contact"]
    identify(local, {"userId": "tour-2", "anonymousId": "tour-b", "traits": {"name": "Two"}})
    eventually(lambda: anonymous in local.call("GET", f"/v1/contacts/{contact}").json["absorbed"])
    message_of(local, "tour-2", "accepted", "delivered")


def _merges(local: LocalSystem) -> None:
    """A merge by hand that carries a suppression, taken back; and a device that was somebody else's before."""
    identify(local, {"userId": "tour-m", "traits": {"email": "m@tour.example"}})
    identify(local, {"anonymousId": "tour-d", "traits": {"email": "d@tour.example"}})
    survivor = contact_of(local, "tour-m")
    (found,) = eventually(lambda: local.call("GET", "/v1/contacts?anonymous_id=tour-d").json["contacts"])
    assert local.call("PUT", "/v1/suppressions/email/d@tour.example", {}).status == 200
    pair = {"contact": found["contact"], "into": survivor}
    ids = {"anonymous_id": "tour-d", "user_id": "tour-m"}
    assert [local.call("POST", "/v1/merges/preview", asked).json["act"] for asked in (pair, ids)] == ["merge"] * 2
    merge = local.call("POST", "/v1/merges", {**pair, "idempotency_key": "tour-merge"}).json["merge"]
    assert local.call("POST", f"/v1/merges/{merge}/undo", {}).json["undone_at"]
    identify(local, {"userId": "tour-n", "anonymousId": "tour-e"})
    eventually(lambda: local.call("GET", "/v1/contacts?anonymous_id=tour-e").json["contacts"])
    track(local, {"userId": "tour-m", "anonymousId": "tour-e", "event": "Other", "timestamp": "2026-01-01T00:00:00Z"})
    moved = eventually(
        lambda: [
            one["merge"]
            for one in local.call("GET", f"/v1/contacts/{survivor}/merges").json["merges"]
            if one["rule"] == "moved"
        ]
    )
    assert local.call("POST", f"/v1/merges/{moved[0]}/undo", {}).json["undone_at"]


def _merged_by_a_call(local: LocalSystem) -> None:
    """A call that merges two carries the no of one to the other; then an older call tells that they were one before."""
    identify(local, {"anonymousId": "tour-p", "traits": {"email": "p@tour.example"}})
    identify(local, {"userId": "tour-q", "traits": {"email": "q@tour.example"}})
    contact_of(local, "tour-q")
    eventually(lambda: local.call("GET", "/v1/contacts?anonymous_id=tour-p").json["contacts"])
    assert local.call("PUT", "/v1/suppressions/email/p@tour.example", {}).status == 200
    identify(local, {"userId": "tour-q", "anonymousId": "tour-p"})
    eventually(lambda: local.call("GET", "/v1/suppressions/email/q@tour.example").status == 200)
    track(local, {"userId": "tour-q", "anonymousId": "tour-p", "event": "Other", "timestamp": "2026-01-01T00:00:00Z"})


def _companies(local: LocalSystem) -> None:
    member = f"/v1/companies/tour-company/contacts/{contact_of(local, 'tour-m')}"
    assert local.call("PUT", "/v1/companies/tour-company", {"traits": {"plan": "team"}}).status == 200
    for method, path in (
        ("PUT", member),
        ("GET", "/v1/companies"),
        ("GET", "/v1/companies/tour-company"),
        ("GET", "/v1/companies/tour-company/contacts"),
        ("DELETE", member),
    ):
        assert local.call(method, path).status == 200, path


def _edits(local: LocalSystem) -> None:
    """Somebody whose merge was taken back is edited and deleted, and somebody who is not there is not."""
    (found,) = local.call("GET", "/v1/contacts?anonymous_id=tour-d").json["contacts"]
    path = f"/v1/contacts/{found['contact']}"
    body = {"traits": {"name": "Tourist"}, "user_id": "tour-edited", "idempotency_key": "tour-edit"}
    edited = local.call("PATCH", path, body)
    assert (edited.status, edited.json["traits"]["name"]) == (200, "Tourist")
    assert local.call("PATCH", path, body).status == 200
    assert local.call("DELETE", path).status == 202
    deleted = local.call("POST", "/v1/contacts/delete", {"contacts": [found["contact"], "cnobody"]})
    assert [one["deleted"] for one in deleted.json["contacts"]] == [True, False]


def _forms(local: LocalSystem) -> None:
    """Forms of somebody new, of a visitor, of who is logged in and was merged, and one that two contacts match."""
    for form in (
        {"traits": {"email": "form@tour.example", "name": "Form"}},
        {"traits": {"phone": "+48600100200"}},
        {"anonymousId": "tour-c", "traits": {"email": "visitor@tour.example"}},
        {"userId": "tour-2", "traits": {"name": "Somebody Else"}},
        {"traits": {"email": "form@tour.example", "phone": "+48600100200"}},
    ):
        assert local.call("POST", "/v1/forms", form).json["outcome"] in ("created", "updated"), form
    (conflict,) = local.call("GET", "/v1/conflicts").json["conflicts"]
    assert local.call("DELETE", f"/v1/conflicts/{conflict['conflict']}").status == 200


def _left_overs(local: LocalSystem) -> None:
    """A record that nobody can read, a pending start, an old claim."""
    invoke(local, "React", {"Records": [{"dynamodb": {"SequenceNumber": "1", "NewImage": {"pk": {"S": "x"}}}}]})
    enrolment = local.call("GET", f"/v1/contacts/{contact_of(local, 'tour-1')}/enrolments").json["enrolments"][0]
    named = {name: enrolment[name] for name in ("contact", "automation", "entry")} | {"workspace": local.workspace}
    _set_enrolment(local, named, "state", "live")
    local.client("sqs").send_message(QueueUrl=local.outputs["StartsQueueUrl"], MessageBody=json.dumps(named))
    eventually(lambda: _used(local, "StartEnrolmentsFunction", "states:StartExecution"))
    claim_of_old(local, message_of(local, "tour-2", "accepted", "delivered")["message"])
    invoke(local, "SettleMessages", {})
    assert local.call("GET", "/v1/messages?state=unknown").json["messages"]


def _lost_execution(local: LocalSystem) -> None:
    """One enrolment whose execution is gone is resumed, one whose execution succeeded is settled."""
    contact = contact_of(local, "tour-1")
    enrolment = local.call("GET", f"/v1/contacts/{contact}/enrolments").json["enrolments"][0]
    named = {name: enrolment[name] for name in ("contact", "automation", "entry")}
    _set_enrolment(local, named, "state", "live")
    assert local.call("POST", "/v1/automations/tour/resume").json["resumed"] == 0
    _set_enrolment(local, named, "state", "live")
    _set_enrolment(local, named, "component", "mail")
    _set_enrolment(local, named, "machine", GONE)
    assert local.call("POST", "/v1/automations/tour/resume").json["resumed"] == 1


def _erased(local: LocalSystem) -> None:
    """Somebody whose merges were done and undone, who is in an automation and got a mail, is exported and erased."""
    identify(local, {"anonymousId": "tour-x", "traits": {"email": "x@tour.example"}})
    eventually(lambda: local.call("GET", "/v1/contacts?anonymous_id=tour-x").json["contacts"])
    identify(local, {"userId": "tour-m", "anonymousId": "tour-x", "traits": {"email": "m@tour.example"}})
    contact = contact_of(local, "tour-m")
    eventually(lambda: local.call("GET", f"/v1/contacts/{contact}").json["absorbed"])
    track(local, {"userId": "tour-m", "event": "Tour Began", "properties": {"of": "tour-m"}})
    message_of(local, "tour-m", "accepted", "delivered")
    (enrolment,) = _completed(local, contact)
    named = {name: enrolment[name] for name in ("contact", "automation", "entry")}
    # In an execution of which nobody tells any more that it is over.
    _set_enrolment(local, named, "machine", GONE)
    _set_enrolment(local, named, "state", "live")
    assert local.call("GET", f"/v1/contacts/{contact}/export").json["items"]
    asked = (f"/v1/contacts/{contact}/erase", {"confirm": contact})
    assert local.call("POST", *asked).json["state"] == "erasing"
    # The last look, which a message brings five minutes later.
    last = {"workspace": local.workspace, "contact": contact, "last": True}
    invoke(local, "Erasures", {"Records": [{"messageId": "1", "body": json.dumps(last)}]})
    assert local.call("POST", *asked).json["state"] == "erased"
    assert local.call("GET", f"/v1/contacts/{contact}").status == 404


def _completed(local: LocalSystem, contact: str) -> list[dict[str, Any]]:
    """The enrolments of somebody, once there are some and all are over."""

    def over() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = local.call("GET", f"/v1/contacts/{contact}/enrolments").json["enrolments"]
        return found if all(one["state"] == "completed" for one in found) else []

    return list(eventually(over))


def _set_enrolment(local: LocalSystem, named: dict[str, str], attribute: str, value: str) -> None:
    local.client("dynamodb").update_item(
        TableName=local.outputs["TableEnrolments"],
        Key={
            "pk": {"S": f"{local.workspace}#{named['contact']}"},
            "sk": {"S": f"{named['automation']}#{named['entry']}"},
        },
        UpdateExpression="SET #attribute = :value",
        ExpressionAttributeNames={"#attribute": attribute},
        ExpressionAttributeValues={":value": {"S": value}},
    )


def _used(local: LocalSystem, function: str, action: str) -> bool:
    return any(call["function"] == function and call["action"] == action for call in local.recorded())
