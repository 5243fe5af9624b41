"""A person is handed all that is known of them, and can be erased for good."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.support.recorder import Call
from tests.support.template import not_granted
from tests.support.world import THEIR_NUMBER, World, variables

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent.model import Channel, Reason
from tidings.consent.service import SuppressionService
from tidings.consent.store import DynamoConsentStore
from tidings.core.clock import SystemClock
from tidings.messages.reports import row_of

ADA, PHONE = "ada.lovelace@people.example", "+48600100200"
FORMER = "ada.byron@people.example"
# What only Ada's calls say: whatever of it is anywhere is hers.
PERSONAL = [
    *("user-of-ada", "device-of-ada", "second-device-of-ada", ADA, FORMER, PHONE, "Lovelace", "lovelace", "byron"),
    *("crm-of-ada", "message-of-ada", "secret-gift", "key-of-ada", "203.0.113.77", "ada-company", "analytical"),
]
AUTOMATION = {
    "automation": "welcome",
    "trigger": {"event": "Signed Up"},
    "start": "first",
    "components": {
        "first": {"type": "send_email", "template": "tips", "next": "pause"},
        "pause": {"type": "wait", "for": "1 day", "next": "second"},
        "second": {"type": "send_email", "template": "tips"},
    },
}


def tell(world: World, kind: str, **message: Any) -> None:
    """A tracking call that must succeed, and everything it sets off."""
    world.now += timedelta(seconds=1)
    body = {"messageId": f"message-of-ada-{world.fresh()}", **message}
    status, answer = world.ingest(kind, body)
    assert status == 200, answer
    world.pump()


@pytest.fixture
def ada(world: World) -> World:
    """Ada, who was anonymous first, has two addresses, is in an automation and got mails; and Bob, who is another."""
    world.template("tips", subject="For {{ contact.last_name }}")
    world.automation(AUTOMATION)
    context = {"ip": "203.0.113.77", "externalIds": [{"type": "crm", "id": "crm-of-ada"}]}
    tell(world, "track", anonymousId="device-of-ada", event="Viewed", properties={"of": "analytical engine"})
    tell(world, "identify", userId="user-of-ada", anonymousId="device-of-ada", traits={"email": FORMER})
    traits = {"email": ADA, "phone": PHONE, "lastName": "Lovelace", "nested": {"deep": ["secret-gift"]}}
    tell(world, "identify", userId="user-of-ada", traits=traits, context=context)
    tell(world, "track", anonymousId="second-device-of-ada", event="Viewed", properties={"big": "secret-gift " * 300})
    tell(world, "identify", userId="user-of-ada", anonymousId="second-device-of-ada")
    tell(world, "group", userId="user-of-ada", groupId="ada-company", traits={"size": 1})
    for user in ("user-of-ada", "bob"):
        email = {"bob": "bob@people.example"}.get(user, ADA)
        tell(world, "identify", userId=user, traits={"email": email}, messageId=f"hello-{user}")
        tell(world, "track", userId=user, event="Signed Up", messageId=f"signed-{user}", properties={"gift": user})
    world.run()
    order(world, {"user_id": "user-of-ada"}, variables={"word": "secret-gift"})
    for mail in list(world.ses.accepted):
        world.feedback(world.ses.event("Delivery", mail, smtpResponse="250 ok"))
    world.now += timedelta(seconds=1)
    return world


def order(world: World, to: dict[str, str], key: str = "key-of-ada", **more: Any) -> tuple[int, dict[str, Any]]:
    body = {"to": to, "template": "tips", "idempotency_key": key, **more}
    return world.call("send_email", "POST /v1/emails", body)


def id_of(world: World, user: str = "user-of-ada") -> str:
    return str(world.contact(user_id=user)["contact"])


def nobody(world: World, **query: str) -> bool:
    """Whether a question finds nobody."""
    status, answer = world.call("contacts", "GET /v1/contacts", query=query)
    assert status == 200, answer
    return not answer["contacts"]


def dump(world: World, *without: str) -> list[tuple[str, str]]:
    """Every item of every table as text, with what is packed in it; but the tables that no person stands in."""
    texts = []
    for name in variables():
        for item in [] if name in ("TABLE_API_KEYS", "TABLE_TEMPLATES", *without) else world.items(name):
            packed = [zlib.decompress(v["B"]).decode() for v in item.values() if "B" in v]
            texts.append((name, json.dumps(item, default=str, ensure_ascii=False) + "".join(packed)))
    return texts


def found(world: World, *values: str) -> list[tuple[str, str, str]]:
    """Where anything of a person stands: table, value, item."""
    return [(table, value, text) for table, text in dump(world) for value in values if value in text]


def exported(world: World, contact: str) -> Iterator[dict[str, Any]]:
    """The pages of an export."""
    cursor = ""
    while True:
        query = {"cursor": cursor} if cursor else {}
        route = "GET /v1/contacts/{contact}/export"
        status, page = world.call("export", route, path={"contact": contact}, query=query)
        assert status == 200, page
        yield page
        cursor = page["cursor"]
        if not cursor:
            return


def items(world: World, contact: str) -> list[dict[str, Any]]:
    return [item for page in exported(world, contact) for item in page["items"]]


def erase(world: World, contact: str, **body: Any) -> tuple[int, dict[str, Any]]:
    given = body or {"confirm": contact}
    return world.call("erase", "POST /v1/contacts/{contact}/erase", given, path={"contact": contact})


# --- export ----------------------------------------------------------------------------------------------------------


def test_an_export_has_everything_that_is_known_of_a_person(ada: World) -> None:
    text = json.dumps(items(ada, id_of(ada)), ensure_ascii=False)
    assert [value for value in PERSONAL if value not in text] == []
    assert "bob" not in text


# What says where an item stands or how it came there, and nothing of a person.
TECHNICAL = {
    *(
        "pk",
        "sk",
        "listed",
        "version",
        "attempt",
        "request",
        "machine",
        "automation_shard",
        "runs",
        "rank",
        "attention",
        "reported",
        "checks",  # of a decision: what is usual stands as words for it
    ),
    *("entered", "standing", "stands_until", "acted", "taken", "ended"),  # by which indexes list, and what was counted
    *("caused_by", "visit", "at", "since", "updated_at", "stamps", "lent", "kept"),
}


def leaves(value: Any) -> Iterator[str]:
    """Every text and number in a value of a table, JSON in texts too."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        value = json.loads(value)
    if isinstance(value, dict | list):
        inner = [v for k, v in value.items() if k not in TECHNICAL] if isinstance(value, dict) else value
        for one in inner:
            yield from leaves(one)
    elif value not in (None, "", True, False) and not isinstance(value, bool):
        yield str(value)


def told(leaf: str, text: str) -> bool:
    """Whether a value is told, or both parts of one that is written `kind#value` or `time#message`."""
    return all(json.dumps(part, ensure_ascii=False)[1:-1] in text for part in leaf.split("#", 1))


def test_an_export_has_every_value_that_the_tables_have_of_a_person(ada: World) -> None:
    contact = id_of(ada)
    text = json.dumps(items(ada, contact), ensure_ascii=False)
    own = {contact, *ada.contact(user_id="user-of-ada")["absorbed"]}
    own |= {f"{kind}#{value}" for kind, value in IDS} | {f"contact#{one}" for one in own}
    looked_at, missing = 0, []
    for table in ("CONTACTS", "EVENTS", "MESSAGES", "ENROLMENTS", "STEPS", "MERGES"):
        for item in ada.items(f"TABLE_{table}"):
            if item["pk"]["S"].partition("#")[2] not in own:
                continue
            looked_at += 1
            for name, typed in item.items():
                (kind, raw), *_ = typed.items()
                raw = zlib.decompress(raw).decode() if kind == "B" else raw
                inner = [] if name in TECHNICAL or kind not in "SB" else leaves(raw)
                missing += [(table, name, leaf) for leaf in inner if not told(leaf, text)]
    assert missing == []
    assert looked_at > 15


IDS = [("user", "user-of-ada"), ("anon", "device-of-ada"), ("anon", "second-device-of-ada")]


def test_an_export_has_every_event_message_enrolment_and_step_once(ada: World) -> None:
    contact = id_of(ada)
    by_section: dict[str, list[dict[str, Any]]] = {}
    for item in items(ada, contact):
        by_section.setdefault(item["section"], []).append(item)
    assert list(by_section) == [
        *("contact", "identities", "companies", "merges", "events", "messages", "enrolments", "steps")
    ]
    events = {(e["identity"]["value"], e["message_id"]) for e in by_section["events"]}
    shown = {(e["identity"]["value"], e["message_id"]) for e in ada.of_contact(contact, "events")}
    assert events == shown
    assert len(by_section["events"]) == len(shown)
    messages = ada.of_contact(contact, "messages")
    assert sorted(m["message"] for m in by_section["messages"]) == sorted(m["message"] for m in messages)
    (enrolment,) = by_section["enrolments"]
    assert enrolment["properties"] == {"gift": "user-of-ada"}
    assert [step["component"] for step in by_section["steps"]] == ["first"]


def test_an_export_shows_a_suppression(ada: World) -> None:
    ada.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path={"channel": "email", "address": FORMER})
    (entry,) = [item for item in items(ada, id_of(ada)) if item["section"] == "suppressions"]
    assert (entry["address"], entry["reason"]) == (FORMER, "manual")


def test_an_export_shows_what_stands_on_the_list_beneath_a_stop(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.receive(world.text("STOP"))
    found = DynamoWorkspaceStore(world.database).get("acme")
    assert found
    service = SuppressionService(DynamoConsentStore(world.database), SystemClock())
    service.suppress(found, Channel.SMS, THEIR_NUMBER, Reason.COMPLAINT, "api")
    contact = world.contact(phone=THEIR_NUMBER)["contact"]
    for _ in range(2):
        told = [item["reason"] for item in items(world, contact) if item["section"] == "suppressions"]
        assert told == ["stop", "complaint"]
        monkeypatch.setitem(world.function("export").exports.page.__globals__, "PAGE_BYTES", 1)


def test_an_export_in_small_pages_is_the_same(ada: World, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = id_of(ada)
    whole = items(ada, contact)
    module = ada.function("export")
    monkeypatch.setitem(module.exports.page.__globals__, "PAGE_BYTES", 1)
    pages = list(exported(ada, contact))
    assert [item for page in pages for item in page["items"]] == whole
    assert all(len(page["items"]) <= 1 for page in pages)
    monkeypatch.setitem(module.exports.page.__globals__, "PAGE_QUERIES", 1)
    assert items(ada, contact) == whole


def test_a_page_stays_below_what_a_function_may_answer(world: World) -> None:
    # 32 KB of what takes most room when text is put into JSON twice.
    for number in range(60):
        message = {"userId": "ada", "event": "Wrote", "messageId": f"m-{number}", "properties": {"text": '"' * 15_000}}
        assert world.ingest("track", message)[0] == 200
    world.pump()
    pages = list(exported(world, id_of(world, "ada")))
    assert len(pages) > 1
    sizes = [len(json.dumps({"statusCode": 200, "body": json.dumps(page)})) for page in pages]
    assert max(sizes) < 4_000_000
    assert len([i for page in pages for i in page["items"] if i["section"] == "events"]) == 60


@pytest.mark.parametrize("cursor", ["x", "W10=", "WyJldmVudHMiXQ==", "WyJub25lIiwgIiJd", "WyJldmVudHMiLCAxXQ=="])
def test_a_cursor_that_no_page_gave_is_refused(ada: World, cursor: str) -> None:
    route = "GET /v1/contacts/{contact}/export"
    status, answer = ada.call("export", route, path={"contact": id_of(ada)}, query={"cursor": cursor})
    assert (status, answer["code"], answer["field"]) == (400, "invalid_cursor", "cursor")


def test_only_a_secret_key_of_the_workspace_gets_an_export_or_erases(ada: World) -> None:
    contact = id_of(ada)
    before = dump(ada)
    for key, status in (("write", 403), ("publishable", 403), (ada.other_secret, 404)):
        for function, method in (("export", "GET"), ("erase", "POST")):
            route = f"{method} /v1/contacts/{{contact}}/{function}"
            assert ada.call(function, route, {"confirm": contact}, key, {"contact": contact})[0] == status
    assert dump(ada) == before


# --- erasing ---------------------------------------------------------------------------------------------------------


def test_nothing_of_an_erased_person_is_left(ada: World) -> None:
    contact = id_of(ada)
    assert {value for _, value, _ in found(ada, *PERSONAL)} == set(PERSONAL)
    ada.erase(contact)
    # The company has its own record, which says nothing of who belongs to it.
    assert [(table, value) for table, value, _ in found(ada, *PERSONAL) if table != "TABLE_COMPANIES"] == []
    assert ada.messages_in("aside") == []


def test_another_person_is_untouched(ada: World) -> None:
    bob = id_of(ada, "bob")
    before = {what: ada.of_contact(bob, what) for what in ("events", "messages", "enrolments")}
    profile = ada.contact(user_id="bob")
    ada.erase(id_of(ada))
    assert {what: ada.of_contact(bob, what) for what in before} == before
    assert ada.contact(email="bob@people.example") == profile
    ada.run(timedelta(days=2))
    assert len(ada.ses.to("bob@people.example")) == 2


def test_an_erased_person_is_nowhere_to_be_found(ada: World) -> None:
    contact = id_of(ada)
    ada.erase(contact)
    for query in ({"user_id": "user-of-ada"}, {"anonymous_id": "device-of-ada"}, {"email": ADA}, {"email": FORMER}):
        assert nobody(ada, **query)
    for query in ({"phone": PHONE}, {"name": "lovelace"}, {"external_type": "crm", "external_id": "crm-of-ada"}):
        assert nobody(ada, **query)
    listed = ada.call("contacts", "GET /v1/contacts")[1]["contacts"]
    assert [one["identities"][-1]["value"] for one in listed] == ["bob"]
    path = {"contact": contact}
    for route in ("", "/timeline", "/messages", "/enrolments"):
        assert ada.call("contacts", f"GET /v1/contacts/{{contact}}{route}", path=path)[0] == 404
    assert ada.call("export", "GET /v1/contacts/{contact}/export", path=path)[0] == 404


def test_an_erased_person_is_counted_no_more(ada: World) -> None:
    assert people(ada) == {"identified": 2, "anonymous": 0}
    contact = id_of(ada)
    ada.erase(contact)
    erase(ada, contact)
    ada.clear_erased()
    assert people(ada) == {"identified": 1, "anonymous": 0}


def people(world: World) -> dict[str, int]:
    counted = [item for item in world.items("TABLE_COUNTERS") if item["pk"]["S"].startswith("acme#people")]
    return {name: sum(int(item.get(name, {"N": "0"})["N"]) for item in counted) for name in ("identified", "anonymous")}


def test_an_erased_person_is_never_written_to_again(ada: World) -> None:
    contact = id_of(ada)
    ada.erase(contact)
    sent = len(ada.ses.accepted)
    assert order(ada, {"contact": contact})[0] == 404
    assert order(ada, {"user_id": "user-of-ada"})[0] == 404
    for address in (ADA, FORMER):
        for key in ("key-of-ada", "another"):
            assert order(ada, {"email": address}, key)[1]["code"] == "person_erased"
    assert [(table, value) for table, value, _ in found(ada, ADA, FORMER)] == []
    ada.run(timedelta(days=2))  # the automation that they were in
    # Whoever comes with the same address is somebody new, and still not written to.
    ada.identify("new-user", email=ADA)
    ada.track("new-user", "Signed Up")
    ada.run(timedelta(days=2))
    assert order(ada, {"email": ADA}, "third")[1]["decision"]["decided_by"] == "suppression"
    assert [
        mail for mail in ada.ses.accepted[sent:] if mail["Destination"]["ToAddresses"] != ["bob@people.example"]
    ] == []


def test_an_erased_address_is_not_released_by_hand(ada: World) -> None:
    ada.erase(id_of(ada))
    path = {"channel": "email", "address": ADA}
    route = "/v1/suppressions/{channel}/{address}"
    status, entry = ada.call("suppressions", f"GET {route}", path=path)
    assert (status, entry["reason"], entry["expires_at"]) == (200, "erased", None)
    status, answer = ada.call("suppressions", f"DELETE {route}", path=path)
    assert (status, answer["code"]) == (409, "person_erased")
    assert ada.call("suppressions", f"PUT {route}", path=path)[1]["reason"] == "erased"
    phone = ada.call("suppressions", f"GET {route}", path={"channel": "sms", "address": PHONE})
    assert phone[1]["reason"] == "erased"
    assert found(ada, ADA, PHONE) == []


def test_what_runs_for_an_erased_person_is_stopped(ada: World) -> None:
    contact = id_of(ada)
    running = [arn for arn, one in ada.executions.items() if not one.is_over and contact in ada.started[arn]]
    assert len(running) == 1
    ada.erase(contact)
    assert ada.executions[running[0]].is_over
    path = {"name": "welcome"}
    listed = ada.call("statistics", "GET /v1/automations/{name}/enrolments", path=path)[1]["enrolments"]
    assert sorted(one["state"] for one in listed) == ["exited", "live"]
    assert ada.call("automations", "POST /v1/automations/{name}/resume", path=path)[1]["resumed"] == 0


def test_who_is_told_to_have_stopped_while_they_are_erased_is_looked_at_again_and_leaves(ada: World) -> None:
    """Their execution is stopped first, of which EventBridge may tell before they are let out."""
    contact = id_of(ada)
    (arn,) = [arn for arn, said in ada.started.items() if contact in said]
    told, read = list[Call](), set[str]()

    def before(call: Call) -> None:
        if ada.running != "erasures":
            return
        if call.operation == "TransactWriteItems" and not told:
            told.append(call)
            detail = {"executionArn": arn, "status": "ABORTED", "input": ada.started[arn]}
            ada.invoke("settle_executions", {"source": "aws.states", "detail": detail})
        if call.operation == "BatchGetItem" and told:
            read.update(call.arguments["RequestItems"])

    ada.recorder.before = before
    ada.erase(contact)
    ada.recorder.before = None
    path = {"name": "welcome"}
    listed = ada.call("statistics", "GET /v1/automations/{name}/enrolments", path=path)[1]["enrolments"]
    assert sorted(one["state"] for one in listed) == ["exited", "live"]
    assert "Enrolments" in read
    table = "arn:aws:dynamodb:us-east-1:000000000000:table/Enrolments"
    call = {"function": "ErasuresFunction", "action": "dynamodb:BatchGetItem", "resource": table}
    assert not_granted([call]) == []


def test_what_became_of_an_erased_person_s_mails_stays_known(ada: World) -> None:
    contact = id_of(ada)
    before = ada.of_contact(contact, "messages")
    ada.erase(contact)
    for message in before:
        path = {"message": message["message"]}
        after = ada.call("messages", "GET /v1/messages/{message}", path=path)[1]
        kept = ("message", "state", "kind", "template", "template_version", "history", "provider_id")
        assert {name: after[name] for name in kept} == {name: message[name] for name in kept}
        names = {name: message["cause"][name] for name in ("automation", "component") if name in message["cause"]}
        assert (after["address"], after["subject"], after["cause"]) == ("", "", names)
        assert (after["caused_by"], after["root"]) == (None, after["node"])


def test_a_mail_of_an_erased_person_counts_in_the_row_that_it_counted_in(ada: World) -> None:
    contact = id_of(ada)
    store = ada.function("messages").store
    ids = [one["message"] for one in ada.of_contact(contact, "messages")]
    before = [row_of(store.get("acme", one)) for one in ids]
    assert {row.source for row in before} == {"automation", "api"}
    ada.erase(contact)
    assert [row_of(store.get("acme", one)) for one in ids] == before


def test_what_a_mail_was_filled_with_its_files_and_who_clicked_in_it_are_handed_out_and_erased(ada: World) -> None:
    contact = id_of(ada)
    ada.ses.failing = ["TooManyRequestsException"]
    file = {"name": "lovelace.txt", "type": "text/plain", "content": "aGk="}
    ada.template("gift", text="{{ variables.word }} https://acme.example/")
    body = {"template": "gift", "variables": {"word": "secret-gift"}, "attachments": [file], "topic": "news"}
    assert order(ada, {"contact": contact}, "key-of-ada-2", kind="transactional", **body)[0] == 429
    ada.template("gift", text="new {{ variables.word }} https://acme.example/")
    status, sent = order(ada, {"contact": contact}, "key-of-ada-2", kind="transactional", **body)
    assert (status, sent["state"], len(sent["earlier"])) == (202, "accepted", 1)
    mail = ada.ses.accepted[-1]
    ada.feedback(ada.ses.event("Delivery", mail))
    ada.feedback(ada.ses.event("Click", mail, link="https://acme.example/secret-gift", ipAddress="203.0.113.77"))
    handed = [item for item in items(ada, contact) if item.get("message") == sent["message"] and "data" in item]
    assert [(one["data"]["word"], one["attachments"], len(one["earlier"])) for one in handed] == [
        ("secret-gift", ["lovelace.txt"], 1)
    ]
    assert "203.0.113.77" in json.dumps(handed[0]["marks"])
    ada.erase(contact)
    assert found(ada, "secret-gift", "lovelace.txt", "203.0.113.77") == []
    (left,) = [item for item in ada.items("TABLE_MESSAGES") if item["sk"]["S"] == sent["message"]]
    assert not left.keys() & {"data", "attachments", "earlier", "marks", "decision", "address", "request"}
    assert left["reported"]["S"].startswith("acme#api#")


def test_news_of_a_mail_to_an_erased_person_is_not_kept(ada: World) -> None:
    contact = id_of(ada)
    mail = ada.ses.to(ADA)[-1]
    ada.erase(contact)
    before = len(ada.items("TABLE_EVENTS"))
    ada.feedback(ada.ses.event("Open", mail, ipAddress="203.0.113.77"))
    ada.feedback(ada.ses.event("Click", mail, link="https://acme.example/secret-gift"))
    ada.feedback(ada.ses.event("Complaint", mail, complainedRecipients=[{"emailAddress": ADA}]))
    assert len(ada.items("TABLE_EVENTS")) == before
    message = next(t["Value"] for t in mail["EmailTags"] if t["Name"] == "tidings_message")
    assert ada.call("messages", "GET /v1/messages/{message}", path={"message": message})[1]["state"] == "complained"
    assert found(ada, ADA, "203.0.113.77", "secret-gift") == []


def test_an_event_from_before_does_not_bring_an_erased_person_back(ada: World) -> None:
    late = []
    for ids in ({"userId": "user-of-ada"}, {"anonymousId": "device-of-ada"}):
        body = {**ids, "event": "Signed Up", "messageId": f"late-{len(late)}", "properties": {"of": "secret-gift"}}
        assert ada.ingest("track", body)[0] == 200
        late += ada.new_records()
    ada.now += timedelta(seconds=1)
    ada.erase(id_of(ada))
    assert ada.invoke("react", {"Records": late}) == {"batchItemFailures": []}
    assert ada.messages_in("aside") == []
    assert nobody(ada, user_id="user-of-ada")
    assert found(ada, "user-of-ada", "device-of-ada", "secret-gift") == []


def test_who_comes_back_is_somebody_new_even_with_an_old_message(ada: World) -> None:
    contact = id_of(ada)
    ada.erase(contact)
    ada.now += timedelta(seconds=1)
    message = {"userId": "user-of-ada", "event": "Came Back", "messageId": "signed-user-of-ada"}
    first = {"anonymousId": "device-of-ada", "event": "Viewed", "messageId": "message-of-ada-m-1"}
    # The stream tells of an event again that was deleted and stored anew.
    ada._seen = {place for place in ada._seen if "of-ada" not in place[0]}
    for body in (message, first):
        assert ada.ingest("track", body)[0] == 200
        ada.pump()
    new = id_of(ada)
    assert new != contact
    assert [event["event"] for event in ada.of_contact(new, "events")] == ["Came Back"]
    again = ada.contact(anonymous_id="device-of-ada")["contact"]
    assert again not in (contact, new)
    # What is left to clear of the old person is nothing of the new one's.
    erase(ada, contact)
    ada.clear_erased()
    assert len(ada.of_contact(new, "events")) == 1
    ada.erase(new)
    assert nobody(ada, user_id="user-of-ada")


def test_a_person_who_was_merged_is_erased_by_any_of_their_ids(ada: World) -> None:
    absorbed = ada.contact(user_id="user-of-ada")["absorbed"]
    assert absorbed
    status, answer = erase(ada, absorbed[0])
    assert (status, answer) == (202, {"contact": id_of_tombstone(ada), "state": "erasing"})
    ada.clear_erased()
    assert [(t, v) for t, v, _ in found(ada, *PERSONAL) if t != "TABLE_COMPANIES"] == []


def id_of_tombstone(world: World) -> str:
    (item,) = [i for i in world.items("TABLE_CONTACTS") if "erased_at" in i]
    return str(item["id"]["S"])


def test_erasing_asks_for_the_id_twice(ada: World) -> None:
    contact = id_of(ada)
    before = dump(ada)
    for body in ({"confirm": id_of(ada, "bob")}, {"confirm": ""}, {"confirm": 7}, {"other": contact}):
        status, answer = erase(ada, contact, **body)
        assert (status, answer["code"], answer["field"]) == (400, "confirm_mismatch", "confirm")
    assert erase(ada, "cnobody")[0] == 404
    assert dump(ada) == before


def test_erasing_again_says_how_far_it_is(ada: World) -> None:
    contact = id_of(ada)
    assert erase(ada, contact) == erase(ada, contact) == (202, {"contact": contact, "state": "erasing"})
    ada.clear_erased()
    assert erase(ada, contact) == (202, {"contact": contact, "state": "erased"})
    assert ada.messages_in("erasures") == []


def test_the_tombstone_says_nothing_but_when(ada: World) -> None:
    contact = id_of(ada)
    absorbed = ada.contact(user_id="user-of-ada")["absorbed"]
    ada.erase(contact)
    graves = {i["id"]["S"]: i for i in ada.items("TABLE_CONTACTS") if "erased_at" in i}
    assert set(graves) == {contact, *absorbed}
    own = {name for name, value in graves[contact].items() if value not in ({"S": "{}"}, {"S": "[]"})}
    assert own == {"pk", "id", "created_at", "erased_at", "version"}


def test_much_is_cleared_by_many_messages(ada: World, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = id_of(ada)
    module = ada.function("erasures")
    monkeypatch.setitem(module.clearing.work.__globals__, "AT_ONCE", 2)
    ada.recorder.clear()
    ada.erase(contact)
    assert len(ada.recorder.of("sqs:SendMessage")) > 5
    assert [(t, v) for t, v, _ in found(ada, *PERSONAL) if t != "TABLE_COMPANIES"] == []


def test_somebody_with_very_many_devices_is_erased_too(world: World) -> None:
    for number in range(130):
        body = {"userId": "user-of-ada", "anonymousId": f"device-of-ada-{number}", "messageId": f"m-{number}"}
        assert world.ingest("identify", body)[0] == 200
    world.pump()
    contact = id_of(world)
    world.now += timedelta(seconds=1)
    assert erase(world, contact)[0] == 202
    world.clear_erased()
    assert found(world, "user-of-ada", "device-of-ada") == []
    assert people(world) == {"identified": 0, "anonymous": 0}


# --- merges taken back -----------------------------------------------------------------------------------------------


def merged_and_undone(world: World) -> tuple[str, str]:
    """Ada and her tablet, which were merged by hand, got a mail meanwhile, and were taken apart; both contact ids."""
    world.template("tips")
    tell(world, "identify", userId="user-of-ada", traits={"email": ADA})
    tell(world, "identify", anonymousId="tablet-of-eve", traits={"email": "eve@people.example"})
    ada, eve = id_of(world), str(world.contact(anonymous_id="tablet-of-eve")["contact"])
    body = {"contact": eve, "into": ada, "idempotency_key": "k"}
    status, merge = world.call("merges", "POST /v1/merges", body)
    assert status in (200, 201), merge
    world.pump()
    world.now += timedelta(seconds=1)
    assert order(world, {"contact": eve}, "between")[0] == 202
    world.now += timedelta(seconds=1)
    path = {"merge": merge["merge"]}
    assert world.call("merges", "POST /v1/merges/{merge}/undo", {}, path=path)[0] == 200
    world.pump()
    world.now += timedelta(seconds=1)
    return ada, eve


def test_who_was_merged_by_mistake_is_erased_without_the_other(world: World) -> None:
    ada, eve = merged_and_undone(world)
    events, messages = (world.of_contact(ada, what) for what in ("events", "messages"))
    world.erase(eve)
    # What Ada is told stays hers; but of the merge nothing is left, since it tells who else there was.
    assert found(world, "tablet-of-eve") == []
    assert [event["event"] for event in events if "Merge" in event["event"]] == ["Merge Undone", "Contacts Merged"]
    assert world.of_contact(ada, "events") == [event for event in events if "Merge" not in event["event"]]
    assert messages == world.of_contact(ada, "messages") != []
    assert world.contact(user_id="user-of-ada")["contact"] == ada


def test_what_a_merge_left_with_somebody_is_erased_with_them(world: World) -> None:
    ada, eve = merged_and_undone(world)
    world.erase(ada)
    assert found(world, "user-of-ada", ADA) == []
    assert world.contact(anonymous_id="tablet-of-eve")["contact"] == eve
    assert world.contact(email="eve@people.example")["contact"] == eve


def said(world: World, topic: str = "marketing", address: str = FORMER) -> None:
    body = {"reply": "unsubscribed", "by": "person", "source": "phone", "wording": "No more", "ip": "198.51.100.9"}
    path = {"channel": "email", "address": address, "topic": topic}
    status, answer = world.call("consents", "PUT /v1/consents/{channel}/{address}/{topic}", body, path=path)
    assert status == 200, answer


def test_an_export_shows_what_every_address_said_with_its_proof_and_its_log(ada: World) -> None:
    said(ada)
    consent, entry = [item for item in items(ada, id_of(ada)) if item["section"] == "consents"]
    assert (consent["topic"], consent["reply"], consent["proof"]["wording"]) == ("marketing", "unsubscribed", "No more")
    assert (entry["what"], entry["ip"], entry["actor"]) == ("consent", "198.51.100.9", "secret key")


def test_what_an_erased_persons_addresses_said_is_forgotten_with_how_it_came_about(ada: World) -> None:
    said(ada)
    ada.erase(id_of(ada))
    left = json.dumps(ada.items("TABLE_CONSENTS"))
    assert "log#" not in left
    assert "No more" not in left


def test_a_deleted_contacts_no_stays_and_how_it_came_about_goes(ada: World) -> None:
    said(ada)
    contact = id_of(ada)
    assert ada.call("change_contacts", "DELETE /v1/contacts/{contact}", path={"contact": contact})[0] == 202
    ada.clear_erased()
    (record,) = ada.items("TABLE_CONSENTS")
    assert json.loads(record["topics"]["S"])["marketing"]["reply"] == "unsubscribed"
