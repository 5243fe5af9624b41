"""A workspace that has one of everything, and a call of every route with what it needs.

Tests walk these calls: with the workspace's own key each succeeds, with any other it must not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.support.inbound import sms, take
from tests.support.short_links import make_link
from tests.support.template import ROOT, routes
from tests.support.world import World
from tidings.accounts.model import KeyKind, Role
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.store import DynamoEventStore
from tidings.consent.model import By, Channel, Proof
from tidings.consent.service import ConsentService
from tidings.consent.store import DynamoConsentStore, address_key
from tidings.conversations.mail_store import DynamoMailStore
from tidings.core.clock import SystemClock, to_text
from tidings.messages.unsubscribe import CONFIRM, HIDDEN, PURPOSE, Ticket, token_of

ADA = "ada@people.example"
PHONE = "+48600100200"
CANARY = "canary"  # stands in everything of the workspace's that a person wrote

Known = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """A call with what it needs; `{...}` stands for what `one_of_each` made.

    `theirs` is what a secret key of another workspace is answered; `late` calls give that workspace things of its own,
    or leave the workspace without something that others need. `key` is the workspace's own that may make the call.
    """

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    theirs: int = 404
    late: bool = False
    key: str = "secret"

    def address(self, route: str, known: Known) -> str:
        """The path and query of the call, escaped."""
        path = route.partition(" ")[2]
        for name, value in self.path.items():
            path = path.replace(f"{{{name}}}", quote(filled(value, known), safe=""))
        query = urlencode(filled(self.query, known))
        return f"{path}?{query}" if query else path


CONTACT, MESSAGE, TIPS, TOUR = {"contact": "{contact}"}, {"message": "{message}"}, {"name": "tips"}, {"name": "tour"}
COMPANY, SEND = {"company": "globex"}, {"send": "{send}"}
ADDRESS = {"channel": "email", "address": ADA}
TOPIC, RULE = {"topic": "club"}, {"rule": "closed"}
CONVERSATION, INBOX, CATEGORY = {"conversation": "{conversation}"}, {"inbox": "sales"}, {"category": "hours"}
CLOSED = {"trait": "status", "is": "closed"}
SENDER = {"identity": f"{CANARY}.example"}
NUMBER, KEYWORD = {"number": "+48732100300"}, {"keyword": "yes"}
SENDER_ID = {"sender_id": "TIDINGS"}
AUTOMATION = {
    "description": CANARY,
    "trigger": {"event": "Signed Up"},
    "start": "tips",
    "components": {"tips": {"type": "send_email", "template": "tips"}},
}
CASES = {
    "GET /v1/contacts": Case(query={"email": ADA}, theirs=200),
    "GET /v1/contacts/counts": Case(theirs=200),
    "GET /v1/contacts/{contact}": Case(CONTACT),
    "PATCH /v1/contacts/{contact}": Case(CONTACT, body={"traits": {"of": "Theirs"}}),
    "DELETE /v1/contacts/{contact}": Case({"contact": "{deleted}"}, late=True),
    "POST /v1/contacts/delete": Case(body={"contacts": ["{deleted}"]}, theirs=202, late=True),
    "GET /v1/contacts/{contact}/timeline": Case(CONTACT, {"limit": "2"}),
    "GET /v1/contacts/{contact}/messages": Case(CONTACT),
    "GET /v1/contacts/{contact}/enrolments": Case(CONTACT),
    "GET /v1/contacts/{contact}/conversations": Case(CONTACT),
    "GET /v1/contacts/{contact}/export": Case(CONTACT),
    "GET /v1/contacts/{contact}/merges": Case(CONTACT),
    "POST /v1/merges/preview": Case(body={"contact": "{tablet}", "into": "{contact}"}),
    "POST /v1/merges": Case(body={"contact": "{tablet}", "into": "{contact}", "idempotency_key": "k-2"}),
    "POST /v1/merges/{merge}/undo": Case({"merge": "{merge}"}, body={}),
    "GET /v1/companies": Case(theirs=200),
    "GET /v1/companies/{company}": Case(COMPANY),
    "GET /v1/companies/{company}/contacts": Case(COMPANY),
    "PUT /v1/companies/{company}": Case(COMPANY, body={"traits": {"of": "Theirs"}}, theirs=200, late=True),
    "PUT /v1/companies/{company}/contacts/{contact}": Case(COMPANY | CONTACT),
    "DELETE /v1/companies/{company}/contacts/{contact}": Case(COMPANY | CONTACT, late=True),
    "GET /v1/templates": Case(theirs=200),
    "GET /v1/templates/{name}": Case(TIPS),
    "PUT /v1/templates/{name}": Case(TIPS, body={"subject": "Theirs", "text": "Theirs"}, theirs=200, late=True),
    "GET /v1/templates/{name}/versions": Case(TIPS),
    "GET /v1/templates/{name}/versions/{version}": Case({**TIPS, "version": "1"}),
    "POST /v1/templates/{name}/preview": Case(TIPS, body={"contact": "{contact}"}),
    "POST /v1/templates/lint": Case(body={"subject": "Theirs", "text": "Theirs"}, theirs=200),
    "GET /v1/brand": Case(theirs=200),
    "PUT /v1/brand": Case(body={"name": "Theirs"}, theirs=200, late=True),
    "GET /v1/automations": Case(theirs=200),
    "GET /v1/automations/{name}": Case(TOUR),
    # The template that it sends is not theirs.
    "PUT /v1/automations/{name}": Case(TOUR, body={**AUTOMATION, "description": "Theirs"}, theirs=400),
    "POST /v1/automations/{name}/publish": Case(TOUR),
    "POST /v1/automations/{name}/{action}": Case({**TOUR, "action": "pause"}, late=True),
    "GET /v1/automations/{name}/drawing": Case(TOUR, {"format": "mermaid"}),
    "GET /v1/automations/{name}/lost": Case(TOUR, {"limit": "1"}),
    "GET /v1/automations/{name}/versions": Case(TOUR),
    "GET /v1/automations/{name}/enrolments": Case(TOUR, {"state": "completed", "limit": "1"}),
    "GET /v1/automations/{name}/enrolments/{contact}/{enrolment}": Case(
        {**TOUR, **CONTACT, "enrolment": "{enrolment}"}
    ),
    "GET /v1/automations/{name}/statistics": Case(TOUR, {"version": "1"}),
    "GET /v1/automations/{name}/components/{component}/people": Case({**TOUR, "component": "tips"}, {"limit": "1"}),
    "POST /v1/automations/{name}/resume": Case(TOUR),
    "POST /v1/automations/{name}/start": Case({"name": "called"}, body={"contact": "{contact}"}),
    "GET /v1/webhooks/secret": Case(theirs=200),
    "GET /v1/sender-ids": Case(theirs=200),
    "POST /v1/sender-ids": Case(
        body={"name": "THEIRS", "countries": ["PL"], "purpose": "Theirs.", "sample": "Theirs."}, theirs=200, late=True
    ),
    "GET /v1/sender-ids/{sender_id}": Case(SENDER_ID),
    "GET /v1/sender-ids/{sender_id}/log": Case(SENDER_ID, {"limit": "1"}),
    "POST /v1/sender-ids/{sender_id}/{decision}": Case(
        {**SENDER_ID, "decision": "accept"}, body={"reason": "Theirs."}, key="administrator"
    ),
    "DELETE /v1/sender-ids/{sender_id}": Case(SENDER_ID, late=True, key="administrator"),
    "GET /v1/numbers": Case(theirs=200),
    "GET /v1/numbers/{number}": Case(NUMBER),
    "PUT /v1/numbers/{number}": Case(NUMBER, body={}, theirs=409),
    "DELETE /v1/numbers/{number}": Case(NUMBER, late=True),
    "GET /v1/keywords": Case(theirs=200),
    "GET /v1/keywords/{keyword}": Case(KEYWORD),
    "PUT /v1/keywords/{keyword}": Case(
        KEYWORD, body={"words": ["Theirs"], "meaning": "theirs", "answer": "Theirs"}, theirs=200, late=True
    ),
    "DELETE /v1/keywords/{keyword}": Case(KEYWORD, theirs=200, late=True),  # the one that they defined
    "GET /v1/sms/setup": Case(theirs=200),
    "PUT /v1/sms/setup": Case(body={"max_price": "0.05"}, theirs=200, late=True),
    "GET /v1/sms/setup/log": Case(query={"limit": "1"}, theirs=200),
    "GET /v1/sms/countries": Case(theirs=200),
    "GET /v1/senders": Case(theirs=200),
    "GET /v1/senders/{identity}": Case(SENDER),
    "PUT /v1/senders/{identity}": Case(SENDER, body={"mail_from": f"m.{CANARY}.example"}, theirs=409),
    "DELETE /v1/senders/{identity}": Case(SENDER, {"identity": "delete"}, late=True),
    "GET /v1/suppressions/{channel}/{address}": Case(ADDRESS),
    "PUT /v1/suppressions/{channel}/{address}": Case(ADDRESS, body={"expires_at": None}, theirs=200, late=True),
    "DELETE /v1/suppressions/{channel}/{address}": Case(ADDRESS, theirs=200, late=True),  # the one that they just made
    "GET /v1/suppressions": Case(query={"limit": "1"}, theirs=200),
    "POST /v1/suppressions/check": Case(body={"address": ADA, "kind": "marketing"}, theirs=200),
    "GET /v1/consents/{channel}/{address}": Case(ADDRESS, theirs=200),
    "PUT /v1/consents/{channel}/{address}/{topic}": Case(
        ADDRESS | {"topic": "marketing"}, body={"reply": "unsubscribed"}, theirs=200, late=True
    ),
    "GET /v1/consents/{channel}/{address}/log": Case(ADDRESS, theirs=200),
    "POST /v1/consents/import": Case(
        body={"rows": [{"address": ADA, "topic": "marketing", "reply": "unsubscribed"}]}, theirs=200, late=True
    ),
    "GET /v1/topics": Case(theirs=200),
    "GET /v1/topics/{topic}": Case(TOPIC),
    "PUT /v1/topics/{topic}": Case(TOPIC, body={"title": "Theirs"}, theirs=200, late=True),
    "DELETE /v1/topics/{topic}": Case(TOPIC, theirs=200, late=True),
    "GET /v1/suppression-rules": Case(theirs=200),
    "GET /v1/suppression-rules/{rule}": Case(RULE),
    "PUT /v1/suppression-rules/{rule}": Case(RULE, body={"when": CLOSED}, theirs=200, late=True),
    "DELETE /v1/suppression-rules/{rule}": Case(RULE, theirs=200, late=True),
    "GET /v1/conversations": Case(query={"inbox": "sales", "state": "open", "limit": "1"}, theirs=200),
    "GET /v1/conversations/counts": Case(theirs=200),
    "GET /v1/conversations/{conversation}": Case(CONVERSATION, {"limit": "1"}),
    "POST /v1/conversations/{conversation}/take": Case(CONVERSATION, body={"agent": "Eve"}),
    "POST /v1/conversations/{conversation}/transfer": Case(CONVERSATION, body={"inbox": "default", "note": "Theirs"}),
    "POST /v1/conversations/{conversation}/hold": Case(CONVERSATION, body={"until": "{tomorrow}"}),
    "POST /v1/conversations/{conversation}/resume": Case(CONVERSATION, body={}),
    "POST /v1/conversations/{conversation}/notes": Case(CONVERSATION, body={"text": "Theirs"}),
    "POST /v1/conversations/{conversation}/replies": Case(
        CONVERSATION, body={"text": "Theirs", "idempotency_key": "k"}
    ),
    "GET /v1/conversations/{conversation}/mails/{entry}": Case({**CONVERSATION, "entry": "{mail}"}),
    "POST /v1/conversations/{conversation}/resolve": Case(
        CONVERSATION, body={"type": "task", "category": "general", "key_message": "Theirs"}, late=True
    ),
    "GET /v1/inboxes": Case(theirs=200),
    "PUT /v1/inboxes/{inbox}": Case(INBOX, body={"title": "Theirs"}, theirs=200, late=True),
    "DELETE /v1/inboxes/{inbox}": Case(INBOX, theirs=200, late=True),
    "GET /v1/categories": Case(theirs=200),
    "PUT /v1/categories/{category}": Case(CATEGORY, body={"title": "Theirs"}, theirs=200, late=True),
    "DELETE /v1/categories/{category}": Case(CATEGORY, theirs=200, late=True),
    "POST /v1/emails": Case(body={"to": {"contact": "{contact}"}, "template": "tips", "idempotency_key": "k-1"}),
    "POST /v1/sms": Case(
        body={"to": {"contact": "{contact}"}, "template": "pin", "kind": "transactional", "idempotency_key": "k-1"}
    ),
    "POST /v1/sms/preview": Case(body={"text": "Hi {{ contact.first_name }}", "to": {"contact": "{contact}"}}),
    "POST /v1/messages/{message}/resend": Case(MESSAGE, body={"idempotency_key": "k-3"}),
    "GET /v1/sends": Case(theirs=200),
    "GET /v1/sends/{send}": Case(SEND),
    "GET /v1/sends/{send}/problems": Case(SEND, {"limit": "1"}),
    "POST /v1/sends/{send}/resume": Case(SEND),
    "DELETE /v1/sends/{send}": Case(SEND, late=True),
    "GET /v1/messages": Case(query={"state": "unknown"}, theirs=200),
    "GET /v1/messages/{message}": Case(MESSAGE),
    "GET /v1/messages/{message}/clicks": Case(MESSAGE),
    "GET /v1/reports/email": Case(query={"by": "template,automation", "limit": "1"}, theirs=200),
    "GET /v1/reports/email/messages": Case(query={"automation": "tour", "limit": "1"}, theirs=200),
    "GET /v1/reports/sms": Case(query={"by": "template,automation", "limit": "1"}, theirs=200),
    "GET /v1/reports/sms/messages": Case(query={"automation": "tour", "limit": "1"}, theirs=200),
    "GET /v1/contacts/{contact}/decisions": Case(CONTACT, {"limit": "1"}),
    "GET /v1/why": Case(query={"email": ADA, "template": "tips"}, theirs=200),
    "GET /v1/sending": Case(theirs=200),
    "POST /v1/sending/resume": Case(theirs=200),
    "GET /v1/chain": Case(query={"node": "message:{message}"}),
    "GET /v1/conflicts": Case(query={"limit": "1"}, theirs=200),
    "DELETE /v1/conflicts/{conflict}": Case({"conflict": "{conflict}"}, late=True),
    "POST /v1/contacts/{contact}/erase": Case({"contact": "{erased}"}, body={"confirm": "{erased}"}, late=True),
}
_ADA: dict[str, Any] = {"userId": "ada", "messageId": "canary-1"}
_CALLS: dict[str, dict[str, Any]] = {
    "identify": {**_ADA, "traits": {"email": ADA}},
    "track": {**_ADA, "event": "Signed Up", "properties": {"of": CANARY}},
    "page": {**_ADA, "name": "Pricing"},
    "screen": {**_ADA, "name": "Pricing"},
    "group": {**_ADA, "groupId": "initech", "traits": {"plan": CANARY}},
    "ungroup": {**_ADA, "groupId": "initech"},
    "alias": {**_ADA, "previousId": "ada-before"},
}
_BATCH = {"batch": [{"type": kind, **call, "messageId": f"canary-1-{kind}"} for kind, call in _CALLS.items()]}
# Calls that report: another workspace's write key is answered as its own.
INGEST = {
    **{f"POST /v1/{kind}": Case(body=call) for kind, call in _CALLS.items()},
    **{f"POST /v1/{kind[0]}": Case(body=call) for kind, call in _CALLS.items() if kind != "ungroup"},
    "POST /v1/batch": Case(body=_BATCH),
    "POST /v1/b": Case(body=_BATCH),
    "POST /v1/forms": Case(body={"messageId": "canary-1", "form": "news", "traits": {"email": ADA}}),
}
# Asked with any key, and no report.
WISHES = {"POST /v1/subscriptions": Case(body={"email": ADA, "topic": "club", "wording": "Yes"})}
# A message of SNS that the world's certificate says is genuine.
_SIGNED = ROOT / "events" / "ses_webhook.api.json"
# Read by whoever asks.
OPEN = {
    "GET /v1/projects/{writeKey}/settings": Case({"writeKey": "{publishable}"}),
    "GET /openapi.json": Case(),
    "POST /v1/webhooks/ses": Case(body=json.loads(json.loads(_SIGNED.read_text(encoding="utf-8"))["body"])),
}
# Where links in mails lead: no key opens them, but the token that their address ends with.
PAGES = {
    **{f"{method} /u/{{token}}": Case({"token": "{way_out}"}) for method in ("GET", "HEAD", "POST")},
    **{f"{method} /confirm/{{token}}": Case({"token": "{confirm}"}) for method in ("GET", "HEAD", "POST")},
    **{f"{method} /h/{{token}}": Case({"token": "{hidden}"}) for method in ("GET", "HEAD")},
    **{f"{method} /l/{{code}}": Case({"code": "{code}"}) for method in ("GET", "HEAD")},
}


ALL = {**CASES, **INGEST, **WISHES, **OPEN, **PAGES}


@cache
def _functions() -> dict[str, str]:
    return routes()


def function_behind(route: str) -> str:
    """The function that a route leads to."""
    return _functions()[route]


def one_of_each(world: World) -> dict[str, str]:
    """Make one of everything in the workspace `acme`; the ids that stand in the cases."""
    world.template("tips", text=CANARY, subject=CANARY)
    world.template("pin", channel="sms", subject="", text=CANARY)
    world.automation({"automation": "tour", **AUTOMATION})
    world.automation({"automation": "called", **AUTOMATION, "trigger": {"api": True}})
    world.identify("ada", email=ADA, secret=CANARY)
    world.track("ada", "Signed Up", secret=CANARY)
    world.ses.failing = ["timeout"]
    with pytest.raises(Exception, match="no answer"):
        world.run()
    world.now += timedelta(minutes=5)
    world.invoke("settle_messages", {})
    contact = world.contact(user_id="ada")["contact"]
    _, page = world.call(
        "contacts", "GET /v1/contacts/{contact}/timeline", path={"contact": contact}, query={"limit": "1"}
    )
    world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=ADDRESS)
    club = {"title": CANARY, "confirmation": "tips"}
    world.call("policy", "PUT /v1/topics/{topic}", club, path=TOPIC)
    rule = {"description": CANARY, "when": CLOSED}
    world.call("policy", "PUT /v1/suppression-rules/{rule}", rule, path=RULE)
    world.call("senders", "PUT /v1/senders/{identity}", path=SENDER)
    _sender_id(world)
    world.numbers.add(NUMBER["number"])
    world.call("numbers", "PUT /v1/numbers/{number}", path=NUMBER)
    keyword = {"words": ["TAK"], "meaning": "confirm", "answer": CANARY}
    world.call("numbers", "PUT /v1/keywords/{keyword}", keyword, path=KEYWORD)
    world.pump()
    (message,) = world.of_contact(contact, "messages")
    (enrolment,) = world.of_contact(contact, "enrolments")
    ids = {"contact": contact, "enrolment": enrolment["entry"], "message": message["message"], "cursor": page["cursor"]}
    ids |= _conversation(world)
    ids["conflict"] = _conflict(world)
    world.identify("dan", secret=CANARY)
    ids["erased"] = world.contact(user_id="bob")["contact"]
    ids["deleted"] = world.contact(user_id="dan")["contact"]
    ids["send"] = _send(world)
    ids |= _devices(world, contact) | _tokens(world, ids["message"])
    return {**ids, "publishable": world.keys["publishable"]}


def _sender_id(world: World) -> None:
    """A name that staff has verified, the keys of those who decide, and a setup that was changed twice."""
    with world.recorder.unseen():
        for role in (Role.STAFF, Role.ADMINISTRATOR):
            key = world.accounts.create_key("acme", KeyKind.SECRET, role.value, role, f"{role.value}@acme.example")
            world.keys[role.value] = key
    asked = {"name": SENDER_ID["sender_id"], "countries": ["PL"], "purpose": CANARY, "sample": CANARY}
    world.call("sender_ids", "POST /v1/sender-ids", asked)
    path = {**SENDER_ID, "decision": "verify"}
    world.call("sender_ids", "POST /v1/sender-ids/{sender_id}/{decision}", key="staff", path=path)
    for setting in ({"countries": {"AL": {"source": CANARY, "date": "2026-11-20"}}}, {"lifetime": 3600}):
        world.call("sender_ids", "PUT /v1/sms/setup", setting)


def _conflict(world: World) -> str:
    """A form whose e-mail is Ada's and whose phone is Bob's."""
    world.identify("bob", phone=PHONE, secret=CANARY)
    form = {"form": CANARY, "traits": {"email": ADA, "phone": PHONE}}
    _, answer = world.call("forms", "POST /v1/forms", form)
    world.pump()
    return str(answer["conflict"])


def _conversation(world: World) -> dict[str, str]:
    """An inbox, a category, and a conversation of somebody's that came into that inbox."""
    inbox = {"title": CANARY, "channels": ["sms"]}
    world.call("policy", "PUT /v1/inboxes/{inbox}", inbox, path=INBOX)
    world.call("policy", "PUT /v1/categories/{category}", {"title": CANARY}, path=CATEGORY)
    taken = take(world, sms(world, "canary-1", CANARY, world.now, sender="+48600100209"))
    DynamoMailStore(world.database).put(
        "acme", taken.conversation, taken.entry, f"Subject: {CANARY}\n\n{CANARY}".encode()
    )
    world.pump()
    return {"conversation": taken.conversation, "mail": taken.entry, "tomorrow": to_text(world.now + timedelta(days=1))}


def _tokens(world: World, message: str) -> dict[str, str]:
    """What the links in a mail to Ada would end with, who was asked to confirm a subscription."""
    store, clock = DynamoConsentStore(world.database), SystemClock()
    with world.recorder.unseen():
        workspace = DynamoWorkspaceStore(world.database).get("acme")
        assert workspace is not None
        asked = Proof(By.PERSON, "form", clock.now())
        consents = ConsentService(store, DynamoEventStore(world.database), clock)
        consents.ask(workspace, Channel.EMAIL, ADA, "beta", asked)
    key = address_key(workspace, ADA)
    code = make_link(world, message, "canary" * 4, "https://shop.example/" + CANARY)
    of = {"way_out": (PURPOSE, "marketing"), "confirm": (CONFIRM, "beta"), "hidden": (HIDDEN, "marketing")}
    return {
        name: token_of(workspace, Ticket("acme", message, key, topic), purpose) for name, (purpose, topic) in of.items()
    } | {"code": code}


def _send(world: World) -> str:
    """A send that waits for tomorrow."""
    body = {"recipients": [{"email": ADA}], "template": "tips", "variables": {"of": CANARY}, "idempotency_key": "k-4"}
    later = {**body, "at": to_text(world.now + timedelta(days=1))}
    _, answer = world.call("send_email", "POST /v1/emails", later)
    return str(answer["send"])


def _devices(world: World, contact: str) -> dict[str, str]:
    """A company of Ada's, and two devices: the tablet's contact, and the merge of the phone's."""
    group = {"userId": "ada", "groupId": "globex", "messageId": "canary-2", "traits": {"of": CANARY}}
    assert world.ingest("group", group)[0] == 200
    found = []
    for device in ("tablet", "phone"):
        message = {"anonymousId": f"ada-{device}", "event": "Looked", "messageId": f"canary-{device}"}
        assert world.ingest("track", message)[0] == 200
        world.pump()
        found.append(world.contact(anonymous_id=f"ada-{device}")["contact"])
    body = {"contact": found[1], "into": contact, "idempotency_key": "k-0"}
    _, merge = world.call("merges", "POST /v1/merges", body)
    world.pump()
    return {"tablet": found[0], "merge": merge["merge"]}


def filled(value: Any, known: Known) -> Any:
    """A case's value with the ids in place."""
    text = json.dumps(value)
    for name, found in known.items():
        text = text.replace(f"{{{name}}}", found)
    return json.loads(text)


def call(
    world: World, route: str, known: Known, key: str | None = "secret", case: Case | None = None
) -> tuple[int, dict[str, Any]]:
    """Make the call of a route: status and body. The workspace's own key is the one that may."""
    made = case or ALL[route]
    key = made.key if key == "secret" else key
    path, query, body = filled(made.path, known), filled(made.query, known), filled(made.body, known)
    return world.call(function_behind(route), route, body, key, path=path, query=query)
