"""ses_events is killed at each of its AWS calls, and the queue delivers the event again: the end is the same.

Three faults for every call, as in test_faults: the process dies before the call, after it, or goes on without its
answer. The calls are listed below; a test compares the lists with what the recorder sees, so that a new call without a
case fails the suite.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from tests.support.recorder import Call, Killed
from tests.support.world import World

MODES = ("before", "after", "lost")
ADA = "ada@people.example"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


def mail(world: World, key: str, user: str = "ada") -> dict[str, Any]:
    body = {"to": {"user_id": user}, "template": "tips", "kind": "marketing", "idempotency_key": key}
    status, answer = world.call("send_email", "POST /v1/emails", body)
    assert (status, answer["state"]) == (202, "accepted"), answer
    return world.ses.accepted[-1]


def bounce(world: World, sent: dict[str, Any], kind: str, sub: str) -> dict[str, Any]:
    recipients = [{"emailAddress": address} for address in sent["Destination"]["ToAddresses"]]
    return world.ses.event("Bounce", sent, bounceType=kind, bounceSubType=sub, bouncedRecipients=recipients)


def delivery(world: World) -> dict[str, Any]:
    return world.ses.event("Delivery", mail(world, "k-0"), smtpResponse="250 ok")


def hard_bounce_that_stops(world: World) -> dict[str, Any]:
    world.accounts.configure("acme", {"rates": {"bounces_from_sent": 1, "bounces_from": 1}})
    return bounce(world, mail(world, "k-0"), "Permanent", "NoEmail")


def fifth_soft_bounce(world: World) -> dict[str, Any]:
    for number in range(4):
        world.feedback(bounce(world, mail(world, f"k-{number}"), "Transient", "MailboxFull"))
    return bounce(world, mail(world, "k-4"), "Transient", "MailboxFull")


def complaint(world: World) -> dict[str, Any]:
    return world.ses.event("Complaint", mail(world, "k-0"), complainedRecipients=[{"emailAddress": ADA}])


def early_click(world: World) -> dict[str, Any]:
    sent = mail(world, "k-0")
    return world.ses.event("Click", sent, ipAddress="203.0.113.4", userAgent=CHROME, link="https://acme.example")


def no_to_everything(world: World) -> dict[str, Any]:
    return world.ses.event("Subscription", mail(world, "k-0"), newTopicPreferences={"unsubscribeAll": True})


def late_news_of_an_unknown_mail(world: World) -> dict[str, Any]:
    world.ses.failing = ["timeout"]
    body = {"to": {"user_id": "ada"}, "template": "tips", "kind": "marketing", "idempotency_key": "k-0"}
    world.call("send_email", "POST /v1/emails", body)
    world.now += timedelta(minutes=5)
    world.invoke("settle_messages", {})
    return world.ses.event("Delivery", world.ses.accepted[-1], smtpResponse="250 ok")


READ, STROKE, UPDATE, QUERY = (
    "dynamodb:GetItem", "dynamodb:TransactWriteItems", "dynamodb:UpdateItem", "dynamodb:Query",
)  # fmt: skip
Made = Callable[[World], dict[str, Any]]


@dataclass(frozen=True)
class Scene:
    """What ses_events calls for an event, in this order, and what there is to see in the end."""

    made: Made
    calls: list[str]
    state: str
    events: list[str]
    counts: dict[str, int]
    reason: str = ""
    standing: str = "good"


SCENES = {
    scene.made.__name__: scene
    for scene in (
        Scene(delivery, [READ, STROKE], "delivered", ["Email Delivered"], {"sent": 1, "delivered": 1}),
        Scene(
            hard_bounce_that_stops,
            # the message, the workspace, the suppression, the event; then the workspace and its counts, and twice the
            # standing
            [READ, READ, STROKE, STROKE, READ, *[QUERY] * 16, UPDATE, READ, UPDATE],
            "bounced",
            ["Email Bounced"],
            {"sent": 1, "hard_bounced": 1},
            "bounce",
            "stopped",
        ),
        Scene(
            fifth_soft_bounce,
            # the message, the address, who has it and their messages, the suppression; the row ends, and the event
            [READ, READ, QUERY, QUERY, STROKE, READ, UPDATE, STROKE],
            "bounced",
            ["Email Bounced"] * 5,
            {"sent": 5, "soft_bounced": 5},
            "bounce",
        ),
        Scene(
            complaint,
            [READ, READ, STROKE, STROKE, READ, *[QUERY] * 16],
            "complained",
            ["Email Marked as Spam"],
            {"sent": 1, "complained": 1},
            "complaint",
        ),
        Scene(
            early_click,
            # the message, the workspace, the note, the queue; later the message and the event
            [READ, READ, UPDATE, "sqs:SendMessage", READ, STROKE],
            "accepted",
            ["Email Link Clicked"],
            {"sent": 1, "clicked": 1, "clicks": 1},
        ),
        Scene(
            no_to_everything,
            [READ, READ, READ, QUERY, STROKE, STROKE],
            "accepted",
            ["Consent Withdrawn", "Email Subscription Changed"],
            {"sent": 1, "unsubscribed": 1},
        ),
        Scene(
            late_news_of_an_unknown_mail, [READ, STROKE], "delivered", ["Email Delivered"], {"sent": 1, "delivered": 1}
        ),
    )
}


def cases() -> Iterator[Any]:
    """Every call but the fifteen queries that are like the one before them."""
    for name, scene in SCENES.items():
        for number, call in enumerate(scene.calls):
            if scene.calls[max(number - 2, 0) : number + 1] == [QUERY] * 3:
                continue
            for mode in MODES:
                yield pytest.param(name, number, mode, id=f"{name}-{number}-{call.partition(':')[2]}-{mode}")


def prepared(world: World, scene: Scene) -> dict[str, Any]:
    world.template("tips")
    world.identify("ada", email=ADA)
    notification = scene.made(world)
    world.pump()
    return {"messageId": "q-1", "body": json.dumps({"Type": "Notification", "Message": json.dumps(notification)})}


def taken(world: World, record: dict[str, Any]) -> None:
    """Deliver a record until it is taken, in a new process after each death, and what was put off as well."""
    queue = [record]
    for _ in range(12):
        if not queue:
            break
        try:
            answer = world.invoke("ses_events", {"Records": [queue[0]]})
        except Killed:
            world.cold("ses_events")
            continue
        if answer == {"batchItemFailures": []}:
            queue.pop(0)
            queue += [{"messageId": "q-2", "body": json.dumps(body)} for body in world.messages_in("feedback")]
        world.now += timedelta(seconds=11)
    else:
        pytest.fail("the event was never taken")
    world.pump()


def require_end(world: World, scene: Scene) -> None:
    """What there is to see of it: messages, timeline, counts, addresses and the standing of the workspace."""
    contact = world.contact(user_id="ada")["contact"]
    assert {one["state"] for one in world.of_contact(contact, "messages")} == {scene.state}
    assert sorted(one["event"] for one in world.of_contact(contact, "events") if one["event"]) == scene.events
    counts: dict[str, int] = {}
    for item in world.items("TABLE_REPORTS"):
        for name, value in item.items():
            if "N" in value and not name.startswith("why "):
                counts[name] = counts.get(name, 0) + int(value["N"])
    assert {name: number for name, number in counts.items() if number} == scene.counts
    reasons = [item["reason"]["S"] for item in world.items("TABLE_CONSENTS") if "reason" in item]
    assert reasons == ([scene.reason] if scene.reason else [])
    assert not [item for item in world.items("TABLE_CONSENTS") if scene.reason and "soft_bounces" in item]
    assert world.call("sending", "GET /v1/sending")[1]["state"] == scene.standing


@pytest.mark.parametrize("name", SCENES)
def test_every_call_has_its_cases(world: World, name: str) -> None:
    scene = SCENES[name]
    record = prepared(world, scene)
    calls: list[Call] = []
    world.recorder.before = lambda call: calls.append(call) if world.running == "ses_events" else None
    taken(world, record)
    world.recorder.before = None
    assert [call.name for call in calls] == scene.calls
    require_end(world, scene)


@pytest.mark.parametrize(("name", "number", "mode"), list(cases()))
def test_a_fault_at_any_call_changes_nothing_of_the_end(world: World, name: str, number: int, mode: str) -> None:
    record = prepared(world, SCENES[name])
    made = count()
    struck: list[str] = []

    def strike(call: Call) -> None:
        if world.running != "ses_events" or struck or next(made) != number:
            return
        struck.append(call.name)
        if mode == "lost":
            raise ReadTimeoutError(endpoint_url="https://aws")
        raise Killed(call.name)

    if mode == "before":
        world.recorder.before = strike
    else:
        world.recorder.after = strike
    taken(world, record)
    world.recorder.before = world.recorder.after = None
    assert struck == [SCENES[name].calls[number]]
    require_end(world, SCENES[name])
