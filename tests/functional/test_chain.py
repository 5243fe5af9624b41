"""What led to what: causes and roots of everything, visits from links in mails, and the tree from any node."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import permutations
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.support.world import World, variables

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
    told.new_records()
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
