"""What led to what: causes and roots of everything, visits from links in mails, and the tree from any node."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import permutations
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.support.world import START, World, variables

from tidings.activity.chain import Node
from tidings.activity.model import Event
from tidings.activity.store import DynamoEventStore, from_stream
from tidings.contacts.model import Identity, IdentityKind

ADA, BEN = "ada@people.example", "ben@people.example"
PAGE = "https://acme.example/tutorial"
LINK = f'<p>Hello <a href="{PAGE}?from=mail#start">begin</a></p>'


def automation(name: str, event: str, template: str) -> dict[str, Any]:
    return {
        "automation": name,
        "trigger": {"event": event},
        "start": "mail",
        "components": {"mail": {"type": "send_email", "template": template}},
    }


@pytest.fixture
def told(world: World) -> World:
    """Two automations, each with a mail that links to the tutorial."""
    for template in ("welcome", "advanced"):
        world.template(template, html=LINK, text=f"Begin: {PAGE}")
    world.automation(automation("welcome", "Signed Up", "welcome"))
    world.automation(automation("next", "Tutorial Finished", "advanced"))
    world.identify("ada", email=ADA)
    return world


def mailed(world: World, number: int = -1) -> str:
    """The id of a mail that was sent."""
    return world.ses.messages()[number]


def link_of(world: World, number: int = -1) -> str:
    """The address that a mail's link leads to."""
    html = world.ses.accepted[number]["Content"]["Simple"]["Body"]["Html"]["Data"]
    found = re.search(r'href="([^"]*)"', html)
    assert found
    return found[1].replace("&amp;", "&")


def say(world: World, kind: str, pump: bool = True, **message: Any) -> str:
    """A call that must succeed; its message id."""
    message.setdefault("messageId", world.fresh())
    status, body = world.ingest(kind, {"timestamp": world.now.isoformat(), **message})
    assert status == 200, body
    if pump:
        world.pump()
    return str(message["messageId"])


def visit(world: World, url: str, **who: Any) -> str:
    """A page that somebody opened, as a browser tells it."""
    who = who or {"userId": "ada"}
    context = {"page": {"url": url, "search": f"?{url.partition('?')[2].partition('#')[0]}"}}
    return say(world, "track", event="Tutorial Opened", context=context, **who)


def timeline(world: World, **query: str) -> dict[str, dict[str, Any]]:
    """A contact's events by message id."""
    contact = world.contact(**(query or {"user_id": "ada"}))["contact"]
    return {event["message_id"]: event for event in world.of_contact(contact, "events")}


def named(world: World, **query: str) -> dict[str, dict[str, Any]]:
    """A contact's events by name."""
    return {event["event"]: event for event in timeline(world, **query).values()}


def story(world: World) -> dict[str, str]:
    """Ada signs up, gets a mail, opens it, follows its link, finishes the tutorial and gets the next mail."""
    signed_up = say(world, "track", userId="ada", event="Signed Up")
    world.run(timedelta(minutes=1))
    first = world.ses.accepted[0]
    for kind in ("Send", "Delivery", "Open", "Click"):
        world.feedback(world.ses.event(kind, first, link=PAGE) if kind == "Click" else world.ses.event(kind, first))
    opened = visit(world, link_of(world))
    world.now += timedelta(minutes=20)
    finished = say(world, "track", userId="ada", event="Tutorial Finished")
    world.run(timedelta(minutes=1))
    world.feedback(world.ses.event("Delivery", world.ses.accepted[1]))
    return {"signed_up": signed_up, "opened": opened, "finished": finished}


def test_everything_carries_what_led_to_it_and_what_began_it(told: World) -> None:
    said = story(told)
    root = f"event:user/ada/{said['signed_up']}"
    events, contact = timeline(told), told.contact(user_id="ada")["contact"]
    by_automation = {one["automation"]: one for one in told.of_contact(contact, "enrolments")}
    by_template = {one["template"]: one for one in told.of_contact(contact, "messages")}
    welcome, advanced = by_template["welcome"]["node"], by_template["advanced"]["node"]
    finished = events[said["finished"]]["node"]
    assert (events[said["signed_up"]]["cause"], events[said["signed_up"]]["root"]) == (None, root)
    chain = {
        by_automation["welcome"]["node"]: root,
        welcome: by_automation["welcome"]["node"],
        events[said["opened"]]["node"]: welcome,
        finished: welcome,
        by_automation["next"]["node"]: finished,
        advanced: by_automation["next"]["node"],
    }
    things = [*events.values(), *by_automation.values(), *by_template.values()]
    causes = {one["node"]: one.get("caused_by", one["cause"]) for one in things}
    assert {node: causes[node] for node in chain} == chain
    of_mails = [one for one in events.values() if one["type"] == "system"]
    assert len(of_mails) == 5
    assert {one["cause"] for one in of_mails} == {welcome, advanced}
    before = {one["node"] for one in events.values() if one["type"] == "identify"}
    assert {one["root"] for one in things if one["node"] not in before} == {root}


def test_which_of_two_mails_led_to_the_tutorial(told: World) -> None:
    say(told, "track", userId="ada", event="Signed Up")
    told.run(timedelta(minutes=1))
    say(told, "track", userId="ada", event="Tutorial Finished")
    told.run(timedelta(minutes=1))
    visit(told, link_of(told, 1))
    told.now += timedelta(minutes=5)
    done = say(told, "track", userId="ada", event="Project Created")
    assert timeline(told)[done]["cause"] == f"message:{mailed(told, 1)}"
    visit(told, link_of(told, 0))
    done = say(told, "track", userId="ada", event="Project Created")
    assert timeline(told)[done]["cause"] == f"message:{mailed(told, 0)}"


@pytest.mark.parametrize(("minutes", "follows"), [(0, True), (60, True), (60.1, False)])
def test_what_is_done_within_an_hour_of_a_visit_followed_it(told: World, minutes: float, follows: bool) -> None:
    say(told, "track", userId="ada", event="Signed Up")
    told.run(timedelta(minutes=1))
    visit(told, link_of(told))
    told.now += timedelta(minutes=minutes)
    done = say(told, "track", userId="ada", event="Project Created")
    told.now += timedelta(days=1)
    later = say(told, "track", userId="ada", event="Project Created")
    assert (timeline(told)[done]["cause"] == f"message:{mailed(told)}") is follows
    assert timeline(told)[later]["cause"] is None


def test_what_we_do_ourselves_follows_no_visit(told: World) -> None:
    say(told, "track", userId="ada", event="Signed Up")
    told.run(timedelta(minutes=1))
    visit(told, link_of(told))
    path = {"channel": "email", "address": ADA}
    told.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)
    told.pump()
    (suppressed,) = [event for event in timeline(told).values() if "Suppress" in event["event"]]
    assert suppressed["cause"] is None


def test_a_forwarded_mail_names_its_message_on_the_friends_timeline_and_merges_nobody(told: World) -> None:
    told.identify("ben", email=BEN)
    say(told, "track", userId="ada", event="Signed Up")
    told.run(timedelta(minutes=1))
    opened = visit(told, link_of(told), anonymousId="bens-phone")
    done = say(told, "track", anonymousId="bens-phone", event="Tutorial Finished")
    events = timeline(told, anonymous_id="bens-phone")
    assert {events[one]["cause"] for one in (opened, done)} == {f"message:{mailed(told)}"}
    contacts = {told.contact(**who)["contact"] for who in (
        {"user_id": "ada"}, {"user_id": "ben"}, {"anonymous_id": "bens-phone"})}  # fmt: skip
    assert len(contacts) == 3


def test_what_a_device_did_follows_its_visit_also_when_its_person_is_known_by_then(told: World) -> None:
    say(told, "track", userId="ada", event="Signed Up")
    told.run(timedelta(minutes=1))
    visit(told, link_of(told), anonymousId="a-1")
    say(told, "identify", userId="ada", anonymousId="a-1")
    done = say(told, "track", userId="ada", event="Project Created")
    assert timeline(told)[done]["cause"] == f"message:{mailed(told)}"


def api_mail(world: World, key: str = "secret", user: str = "ada") -> str:
    """A mail sent by API; its id."""
    body = {"to": {"user_id": user}, "template": "welcome", "idempotency_key": "k/1"}
    status, answer = world.call("send_email", "POST /v1/emails", body, key=key)
    assert status == 202, answer
    world.now += timedelta(minutes=1)
    return str(answer["message"])


def test_a_token_of_nobody_or_of_another_workspace_is_ignored(told: World) -> None:
    message = api_mail(told)
    foreign = "c" + message[1:][::-1].replace("-", "a", 1)[:26] + "-" + "b" * 26
    for token in (foreign, "x", "c1-m1", f"{message}x", message.upper(), "c-" + "a" * 800, "é", ""):
        told.now += timedelta(seconds=1)
        opened = visit(told, f"{PAGE}?{urlencode({'tid': token})}")
        event = timeline(told)[opened]
        assert (event["cause"], event["root"]) == (None, event["node"]), token
    done = say(told, "track", userId="ada", event="Project Created")
    assert timeline(told)[done]["cause"] is None
    assert told.messages_in("aside") == []


def test_a_message_of_another_workspace_leads_nobody_here(told: World) -> None:
    message = api_mail(told)
    (item,) = told.items("TABLE_MESSAGES")
    told.dynamodb.delete_item(TableName=variables()["TABLE_MESSAGES"], Key={k: item[k] for k in ("pk", "sk")})
    item["pk"] = {"S": item["pk"]["S"].replace("acme#", "other#")}
    told.dynamodb.put_item(TableName=variables()["TABLE_MESSAGES"], Item=item)
    opened = visit(told, f"{PAGE}?tid={message}")
    assert timeline(told)[opened]["cause"] is None


def test_an_event_of_a_foreign_token_may_follow_a_visit_like_any_other(told: World) -> None:
    message = api_mail(told)
    visit(told, f"{PAGE}?tid={message}")
    told.now += timedelta(minutes=1)
    opened = visit(told, f"{PAGE}?tid=c{'a' * 26}-{'b' * 26}")
    event = timeline(told)[opened]
    assert (event["cause"], event["root"]) == (f"message:{message}", "call:k%2F1")


# --- in any order -----------------------------------------------------------------------------------------------------


def test_in_whatever_order_they_come_the_later_of_two_visits_before_an_event_led_to_it(told: World) -> None:
    """Two visits and three events, under two identities of one contact: a shard each, so any order may come."""
    say(told, "identify", userId="ada", anonymousId="a-1")
    first = api_mail(told)
    say(told, "track", userId="ada", event="Signed Up")
    told.run(timedelta(minutes=1))
    second = mailed(told)
    told.now += timedelta(hours=3)
    base = told.now
    for number, order in enumerate(permutations(range(4))):
        told.now = base + number * timedelta(hours=6)
        start = told.now
        deeds = [
            (0, {"anonymousId": "a-1", "context": {"page": {"url": f"{PAGE}?tid={first}"}}}),
            (10, {"userId": "ada"}),
            (20, {"anonymousId": "a-1", "context": {"page": {"url": f"{PAGE}?tid={second}"}}}),
            (30, {"userId": "ada"}),
        ]
        ids = {}
        for place in order:
            minutes, message = deeds[place]
            at = start + timedelta(minutes=minutes)
            told.now = max(told.now, at)
            ids[place] = say(told, "track", event="Viewed", **message, timestamp=at.isoformat())
        events = timeline(told)
        found = [events[ids[place]]["cause"] for place in range(4)]
        assert found == [f"message:{m}" for m in (first, first, second, second)], order


def test_repeats_change_nothing(told: World) -> None:
    message = api_mail(told)
    visit_id = say(told, "track", False, userId="ada", event="A", context={"page": {"url": f"{PAGE}?tid={message}"}})
    done = say(told, "track", False, userId="ada", event="B")
    records = told.new_records()
    told.invoke("react", {"Records": records})
    before = told.items("TABLE_EVENTS")
    assert timeline(told)[done]["cause"] == timeline(told)[visit_id]["cause"] == f"message:{message}"
    for _ in range(2):
        told.invoke("react", {"Records": records})
        told.invoke("react", {"Records": records[::-1]})
    assert told.items("TABLE_EVENTS") == before


# --- what it costs ----------------------------------------------------------------------------------------------------


def calls_of(world: World, event: dict[str, Any]) -> list[str]:
    """What react calls for one event."""
    say(world, "track", False, userId="ada", **event)
    records = world.new_records()
    world.recorder.clear()
    world.invoke("react", {"Records": records})
    return [call.operation for call in world.recorder.calls]


def test_who_visited_nothing_costs_nothing_and_what_follows_a_visit_one_write(told: World) -> None:
    message = api_mail(told)
    told.new_records()
    visited = {"event": "Viewed", "context": {"page": {"url": f"{PAGE}?tid={message}"}}}
    identities = len(told.contact(user_id="ada")["identities"])
    told.now += timedelta(seconds=1)
    assert identities == 2  # her user id and e-mail: events stand under the first, and under the contact
    assert calls_of(told, {"event": "Viewed"}) == ["BatchGetItem", "UpdateItem"]
    told.now += timedelta(seconds=1)
    looks = ["Query", "Query"]
    assert calls_of(told, visited) == ["BatchGetItem", "BatchGetItem", "UpdateItem", "UpdateItem", *looks]
    told.now += timedelta(seconds=1)
    assert calls_of(told, {"event": "Viewed"}) == ["BatchGetItem", "UpdateItem", "UpdateItem"]
    told.now += timedelta(hours=2)
    assert calls_of(told, {"event": "Viewed"}) == ["BatchGetItem", "UpdateItem"]


# --- the tree ---------------------------------------------------------------------------------------------------------


def asked(world: World, node: str, key: str = "secret") -> tuple[int, dict[str, Any]]:
    """The API's answer for a node."""
    return world.call("chain", "GET /v1/chain", query={"node": node}, key=key)


def tree(world: World, node: str) -> dict[str, Any]:
    """The tree of a node that must be there."""
    status, answer = asked(world, node)
    assert (status, answer["asked"]) == (200, node), answer
    return answer


def titles(branch: dict[str, Any]) -> Any:
    """A tree as nested titles."""
    below = [titles(child) for child in branch["children"]]
    return {branch["title"]: below} if below else branch["title"]


def nodes(branch: dict[str, Any]) -> list[str]:
    """Every node of a tree."""
    return [branch["node"], *(node for child in branch["children"] for node in nodes(child))]


def test_the_tree_is_the_same_from_every_node_of_it(told: World) -> None:
    said = story(told)
    root = f"event:user/ada/{said['signed_up']}"
    answer = tree(told, root)
    assert (answer["root"], answer["truncated"]) == (root, False)
    # What the provider tells stands at its own times, which are the test's: before the mail.
    assert titles(answer["tree"]) == {"Signed Up": [{"welcome": [{"welcome": [
        "Email Sent", "Email Delivered", "Email Opened", "Email Link Clicked",
        "Tutorial Opened", {"Tutorial Finished": [{"next": [{"advanced": ["Email Delivered"]}]}]},
    ]}]}]}  # fmt: skip
    everything = nodes(answer["tree"])
    assert len(everything) == len(set(everything)) == 12
    contact = told.contact(user_id="ada")["contact"]
    for node in everything:
        again = tree(told, node)
        assert (again["root"], again["tree"]) == (root, answer["tree"]), node
    assert {one["contact"] for one in [answer["tree"], *answer["tree"]["children"]]} == {contact}


def test_a_node_says_what_it_is(told: World) -> None:
    said = story(told)
    top = tree(told, f"event:user/ada/{said['signed_up']}")["tree"]
    (enrolment,) = top["children"]
    (mail,) = enrolment["children"]
    contact = told.contact(user_id="ada")["contact"]
    assert {name: top[name] for name in ("kind", "title", "contact", "detail")} == {
        "kind": "event", "title": "Signed Up", "contact": contact,
        "detail": {"type": "track", "identity": "user#ada"},
    }  # fmt: skip
    assert (enrolment["kind"], enrolment["detail"]) == ("enrolment", {"version": 1, "state": "completed", "steps": 1})
    subject = "welcome for "
    assert (mail["kind"], mail["detail"]) == (
        "message", {"channel": "email", "state": "delivered", "subject": subject.strip()})  # fmt: skip


def test_the_tree_of_a_mail_sent_by_api_begins_with_the_call(told: World) -> None:
    message = api_mail(told)
    opened = visit(told, f"{PAGE}?tid={message}")
    done = say(told, "track", userId="ada", event="Project Created")
    for node in (f"message:{message}", f"event:user/ada/{opened}", f"event:user/ada/{done}"):
        answer = tree(told, node)
        assert answer["root"] == "call:k%2F1"
        assert titles(answer["tree"]) == {"k/1": [{"welcome": ["Tutorial Opened", "Project Created"]}]}


def test_what_was_refused_of_an_event_stands_below_it(told: World) -> None:
    changed = say(told, "identify", userId="ada", traits={"email": "eve@people.example"})
    assert titles(tree(told, f"event:user/ada/{changed}")["tree"]) == "identify"
    message = {"userId": "ada", "traits": {"email": "mallory@people.example"}, "messageId": "m-refused"}
    assert told.ingest("identify", message, key="publishable")[0] == 200
    told.pump()
    assert titles(tree(told, "event:user/ada/m-refused")["tree"]) == {"identify": ["Change Refused"]}


def test_what_an_absorbed_contact_entered_and_was_sent_is_found(told: World) -> None:
    say(told, "identify", anonymousId="a-1", traits={"email": BEN})
    begun = say(told, "track", anonymousId="a-1", event="Signed Up")
    told.run(timedelta(minutes=1))
    before = tree(told, f"event:anon/a-1/{begun}")
    say(told, "identify", userId="ben", anonymousId="a-1")
    say(told, "identify", userId="ada", anonymousId="a-2")
    contact = told.contact(anonymous_id="a-1")["contact"]
    after = tree(told, f"event:anon/a-1/{begun}")
    assert titles(after["tree"]) == titles(before["tree"]) == {"Signed Up": [{"welcome": ["welcome"]}]}
    assert after["tree"]["contact"] == contact


def test_two_contacts_that_became_one_keep_their_trees(told: World) -> None:
    begun = say(told, "track", anonymousId="a-1", event="Signed Up")
    told.run(timedelta(minutes=1))
    before = tree(told, f"event:anon/a-1/{begun}")
    say(told, "identify", userId="ada", anonymousId="a-1")
    after = tree(told, f"event:anon/a-1/{begun}")
    assert nodes(after["tree"]) == nodes(before["tree"])
    assert len(nodes(after["tree"])) == 4  # the event, the enrolment, the mail that was skipped, and that it was
    ada = told.contact(user_id="ada")["contact"]
    assert after["tree"]["contact"] == ada != before["tree"]["contact"]
    for node in nodes(after["tree"]):
        assert tree(told, node)["tree"] == after["tree"], node


def test_a_message_that_came_under_two_ids_of_a_person_stands_there_once(told: World) -> None:
    message = api_mail(told)
    context = {"page": {"url": f"{PAGE}?tid={message}"}}
    say(told, "track", anonymousId="a-1", event="Viewed", messageId="twice", context=context)
    say(told, "track", userId="ada", anonymousId="a-1", event="Viewed", messageId="twice", context=context)
    assert titles(tree(told, f"message:{message}")["tree"]) == {"k/1": [{"welcome": ["Viewed"]}]}


def test_a_tree_that_is_too_large_is_cut_off_and_says_so(told: World) -> None:
    message = api_mail(told)
    for _ in range(5):
        visit(told, f"{PAGE}?tid={message}")
    service = told.function("chain").chain
    service._most = 3
    answer = tree(told, f"message:{message}")
    assert (answer["truncated"], len(nodes(answer["tree"]))) == (True, 4)  # and the call above them
    service._most = 6
    assert tree(told, f"message:{message}")["truncated"] is False


@pytest.mark.parametrize("node", [
    "event:user/ada/nothing", "event:user/nobody/m-1", "event:anon/a%2F1/m-1", "event:contact/c1/x",
    "message:c1-m1", f"message:c{'a' * 26}-{'b' * 26}", "enrolment:c1/welcome/once", "enrolment:c1/welcome/x%23trigger",
])  # fmt: skip
def test_a_node_that_is_not_there_is_unknown(told: World, node: str) -> None:
    status, answer = asked(told, node)
    assert (status, answer["code"], answer["field"]) == (404, "unknown_node", "node")


@pytest.mark.parametrize("node", [
    "", "x", "event", "event:", "event:user/ada", "event:user/ada/m-1/more", "event:nothing/ada/m-1", "event:user//m-1",
    "message:", "message:m-1", "message:c1", "message:a/b", "call:k-1", "enrolment:c1/welcome", "visit:c1-m1",
    f"event:user/ada/{'x' * 1025}", "event:user/%FF/" + "%FF" * 400,
])  # fmt: skip
def test_what_names_no_node_is_refused(told: World, node: str) -> None:
    status, answer = asked(told, node)
    assert (status, answer["code"], answer["field"]) == (400, "invalid_node", "node")


def test_another_workspace_sees_none_of_it(told: World) -> None:
    said = story(told)
    for node in nodes(tree(told, f"event:user/ada/{said['signed_up']}")["tree"]):
        assert asked(told, node, key=told.other_secret)[0] == 404
    assert asked(told, f"message:{mailed(told)}", key="write")[0] == 403


def test_a_tree_costs_a_batched_read_a_level_and_a_query_for_each_event_and_message(told: World) -> None:
    said = story(told)
    everything = nodes(tree(told, f"event:user/ada/{said['signed_up']}")["tree"])
    told.recorder.clear()
    tree(told, f"event:user/ada/{said['signed_up']}")
    calls = [call.operation for call in told.recorder.calls]
    asking = [node for node in everything if not node.startswith("enrolment:")]
    of_contact = 2  # its enrolments and messages
    assert calls.count("Query") == len(asking) + of_contact
    assert calls.count("BatchGetItem") <= 10
    assert set(calls) == {"Query", "BatchGetItem"}


# --- how it is kept ---------------------------------------------------------------------------------------------------


def event(**more: Any) -> Event:
    return Event(
        "acme", Identity(IdentityKind.USER, "ada"), "e-1", "track", "Viewed", START, START, user_id="ada", **more
    )


def test_what_led_to_an_event_stands_once_in_its_item_and_finds_it(world: World) -> None:
    store = DynamoEventStore(world.database)
    told = event(cause=Node.message("c1-m1"), root=Node.call("k-1"))
    store.add(told)
    (item,) = world.items("TABLE_EVENTS")
    assert item["caused_by"]["S"] == "acme#message:c1-m1"
    assert "message:c1-m1" not in item["body"]["S"]
    (key,) = store.caused_by("acme", Node.message("c1-m1"), 10)
    assert (key.pk, key.sk) == (item["pk"]["S"], "e-1")
    assert store.caused_by("other", Node.message("c1-m1"), 10) == []
    assert from_stream(world.record(item)["dynamodb"]["NewImage"]) == told


def test_an_event_without_a_cause_stands_in_no_index_of_causes(world: World) -> None:
    DynamoEventStore(world.database).add(event())
    (item,) = world.items("TABLE_EVENTS")
    assert "caused_by" not in item


def test_a_cause_too_long_for_a_key_is_kept_all_the_same(world: World) -> None:
    store = DynamoEventStore(world.database)
    cause = Node.event(f"user#{'é' * 512}", "ü" * 100)
    told = event(cause=cause)
    store.add(told)
    (item,) = world.items("TABLE_EVENTS")
    assert "caused_by" not in item
    assert from_stream(world.record(item)["dynamodb"]["NewImage"]) == told
    assert store.caused_by("acme", cause, 10) == []


@pytest.mark.parametrize(("age", "queries"), [(timedelta(0), True), (timedelta(days=2), False)])
def test_a_visit_that_a_browser_dates_long_ago_has_no_history_read_again(
    told: World, age: timedelta, queries: bool
) -> None:
    message = api_mail(told)
    told.pump()
    context = {"page": {"url": f"{PAGE}?tid={message}"}}
    at = (told.now - age).isoformat()
    say(told, "track", False, event="Opened", userId="ada", context=context, timestamp=at)
    seen: list[str] = []
    told.recorder.before = lambda call: seen.append(call.name)
    told.pump()
    assert ("dynamodb:Query" in seen) is queries
