"""Stories of docs/writing-automations.md: who does what, what comes of it, one sentence a line, on a virtual clock.

A story runs the automations that stand before it, in a world in which nothing happened yet. Its clock begins on
Saturday, 21 November 2026, at 09:00 UTC. Whatever automations send has to be told: a message that the story does not
speak of fails it. What stands behind a `#` is for readers.

| sentence | what it does |
|---|---|
| `ada is known {plan: team}` | an app tells who she is, with an e-mail address, a phone number and these traits |
| `ada does Order Placed {order: o1}` | an app reports an event, with these properties |
| `ada texts: TAK`, `ada writes: Hello` | a text, or a mail, comes in from her |
| `ada opens tips`, `ada clicks in tips` | what she does with the last mail of that template |
| `ada is answered: Yes` | an agent answers in the conversation that is open |
| `ada is suppressed` | her e-mail address comes to stand on the suppression list |
| `welcome is started for ada {by: hand}` | a call of the API starts an automation |
| `welcome is paused`, `welcome is paused wholly`, `welcome goes on` | nobody enters; nothing happens; that is over |
| `crm.example answers 200 {tier: gold}` | what the servers of webhooks answer from now on |
| `TAK means confirm` | a keyword |
| `2 days later` | time passes |

| sentence | what has to be so |
|---|---|
| `ada enters`, `ada does not enter` | since the story spoke of it last |
| `ada waits at pause` | she is inside, and there |
| `ada takes passed at only_teams` | an outcome of her way, the latest at that component |
| `ada gets tips`, `ada gets nothing` | what was sent to her and not yet told |
| `ada leaves by Account closed`, `ada is done` | how her way ended |
| `ada reaches the goal`, `ada does not reach the goal` | by her latest way |
| `ada has {plan: team}` | traits |
| `crm.example is called` | since it was told of last |
| `why ada? SENTENCE` | what `tidings why` says of her and the automation |
| `why ada at who? SENTENCE` | what her latest step there kept of it |
| `why ada left? SENTENCE` | what her way kept of the exit |

Where there are several automations, ` in NAME` behind a sentence says which is meant; else it is the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from tests.support import lifecycle
from tests.support.world import WORKSPACE, World
from tidings.accounts.model import KeyKind, Role
from tidings.automations.definition.source import read
from tidings.automations.webhooks import gateway as webhook_gateway
from tidings.automations.webhooks.gateway import Heard
from tidings.conditions.durations import parse_duration

US = "hello@in.acme.example"
SECOND = timedelta(seconds=1)
OPEN = {"ipAddress": "203.0.113.4", "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
CLICK = {**OPEN, "link": "https://acme.example/tips", "linkTags": {}}
SENT = ("accepted", "delivered")
_DETAILS = r"(?: (?P<details>\{.*\}))?"
_IN = r"(?: in (?P<automation>[a-z][a-z0-9-]*))?"

Sentence = Callable[["Story", Mapping[str, str]], None]
_SENTENCES: list[tuple[re.Pattern[str], Sentence]] = []


class WrongStory(AssertionError):
    """What a story tells did not happen so."""


def sentence(pattern: str) -> Callable[[Sentence], Sentence]:
    """A sentence of this form does what the function does."""

    def keep(told: Sentence) -> Sentence:
        _SENTENCES.append((re.compile(pattern), told))
        return told

    return keep


@dataclass
class Story:
    """A world, the automations in it, and what was told so far."""

    world: World
    automations: list[str]
    people: list[str] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)
    entered: dict[tuple[str, str], int] = field(default_factory=dict)
    calls: list[bytes] = field(default_factory=list)
    answer: Heard = field(default_factory=lambda: Heard(200))

    @classmethod
    def of(cls, world: World, automations: Iterable[Mapping[str, Any]], monkeypatch: Any) -> Story:
        """A world with these automations published, and a template for each that they name."""
        written = list(automations)
        with world.recorder.unseen():
            world.accounts.configure(WORKSPACE, {"inbound_address": US})
            world.keys["eve"] = world.accounts.create_key(WORKSPACE, KeyKind.SECRET, "eve", Role.AGENT, "Eve")
        for automation in written:
            for component in automation["components"].values():
                if "template" in component:
                    sms = {"channel": "sms"} if component["type"] == "send_sms" else {}
                    world.template(component["template"], **sms)
            world.automation(dict(automation))
        story = cls(world, [automation["automation"] for automation in written])
        monkeypatch.setattr(webhook_gateway.WebhookGateway, "call", story._called)
        return story

    def tell(self, text: str) -> None:
        """Play a story to its end. Raises WrongStory with the line that is not so."""
        for line in text.splitlines():
            written = line.partition("  #")[0].strip()
            if written and not written.startswith("#"):
                self._line(written)
        for person in self.people:
            if left := self.sent(person)[self.told.get(person, 0) :]:
                raise WrongStory(f"{person} also got {', '.join(left)}, of which the story does not tell")

    def _line(self, line: str) -> None:
        for pattern, told in _SENTENCES:
            if found := pattern.fullmatch(line):
                try:
                    told(self, found.groupdict())
                except AssertionError as error:
                    raise WrongStory(f"{line}: {error}") from error
                return
        raise WrongStory(f"nobody understands the sentence: {line}")

    def passes(self, length: timedelta = SECOND) -> None:
        """Let time pass; a moment, if nothing else is said."""
        self.world.pump()
        lifecycle.go(self.world, seconds=length.total_seconds())

    def _called(self, method: str, url: str, headers: Any, body: bytes) -> Heard:
        self.calls.append(body)
        return self.answer

    # --- people -------------------------------------------------------------------------------------------------------

    def number(self, person: str) -> str:
        """Somebody's phone number."""
        if person not in self.people:
            self.people.append(person)
        return f"+486001002{self.people.index(person):02}"

    def contact(self, person: str) -> dict[str, Any] | None:
        """The contact of a person, by what an app called them, by their number or their address; None for nobody."""
        asked = ({"user_id": person}, {"phone": self.number(person)}, {"email": f"{person}@people.example"})
        for query in asked:
            status, answer = self.world.call("contacts", "GET /v1/contacts", query=query)
            assert status == 200, answer
            if answer["contacts"]:
                return dict(answer["contacts"][0])
        return None

    def sent(self, person: str) -> list[str]:
        """The templates of all messages that automations sent somebody, in their order."""
        contact = self.contact(person)
        if contact is None:
            return []
        messages = self.world.of_contact(contact["contact"], "messages")
        went = [one for one in messages if one["state"] in SENT and one["cause"].get("automation")]
        return [one["template"] for one in sorted(went, key=lambda one: one["history"]["claimed"])]

    def ways(self, person: str, automation: str) -> list[dict[str, Any]]:
        """Somebody's ways through an automation, the first first."""
        contact = self.contact(person)
        found = [] if contact is None else self.world.of_contact(contact["contact"], "enrolments")
        return sorted((one for one in found if one["automation"] == automation), key=lambda one: one["started_at"])

    def way(self, person: str, found: Mapping[str, str]) -> dict[str, Any]:
        """Their latest way."""
        ways = self.ways(person, found.get("automation") or self.automations[0])
        assert ways, f"{person} never entered"
        return ways[-1]


def details(found: Mapping[str, str]) -> dict[str, Any]:
    """What stands in braces."""
    written = found.get("details")
    return dict(read(f"told: {written}")["told"]) if written else {}


# --- what happens -----------------------------------------------------------------------------------------------------


@sentence(rf"(?P<who>\w+) is known{_DETAILS}")
def is_known(story: Story, found: Mapping[str, str]) -> None:
    who = found["who"]
    story.world.identify(who, email=f"{who}@people.example", phone=story.number(who), **details(found))
    story.passes()


@sentence(r"(?P<who>\w+) texts: (?P<text>.+)")
def texts(story: Story, found: Mapping[str, str]) -> None:
    assert story.world.receive(story.world.text(found["text"], sender=story.number(found["who"]))) == []
    story.passes()


@sentence(r"(?P<who>\w+) writes: (?P<text>.+)")
def writes(story: Story, found: Mapping[str, str]) -> None:
    sender, message = f"{found['who']}@people.example", EmailMessage(policy=SMTP)
    story.number(found["who"])
    headers = {"From": sender, "To": US, "Subject": "Hello", "Message-ID": f"<{story.world.fresh()}@people>"}
    for name, value in headers.items():
        message[name] = value
    message.set_content(found["text"])
    assert story.world.receive_mail(story.world.mail_in(message.as_bytes(), US, source=sender)) == []
    story.passes()


@sentence(r"(?P<who>\w+) (?P<does>opens|clicks in) (?P<template>[\w-]+)")
def engages(story: Story, found: Mapping[str, str]) -> None:
    kind, told = ("Open", OPEN) if found["does"] == "opens" else ("Click", CLICK)
    mails = story.world.ses.to(f"{found['who']}@people.example")
    of_template = [one for one in mails if one["Content"]["Simple"]["Subject"]["Data"].startswith(found["template"])]
    assert of_template, "there is no such mail"
    story.world.feedback(story.world.ses.event(kind, of_template[-1], **told))
    story.passes()


@sentence(r"(?P<who>\w+) is answered: (?P<text>.+)")
def is_answered(story: Story, found: Mapping[str, str]) -> None:
    world = story.world
    contact = story.contact(found["who"])
    assert contact, "nobody knows them"
    status, answer = world.call("conversations", "GET /v1/conversations", key="eve")
    assert status == 200, answer
    (one,) = [one for one in answer["conversations"] if one["contact"]["id"] == contact["contact"]]
    body = {"text": found["text"], "idempotency_key": world.fresh()}
    path = {"conversation": one["conversation"]}
    status, answer = world.call(
        "conversations", "POST /v1/conversations/{conversation}/replies", body, "eve", path=path
    )
    assert status == 202, answer
    story.passes()


@sentence(r"(?P<who>\w+) is suppressed")
def is_suppressed(story: Story, found: Mapping[str, str]) -> None:
    path = {"channel": "email", "address": f"{found['who']}@people.example"}
    status, answer = story.world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", {}, path=path)
    assert status == 200, answer


@sentence(rf"(?P<name>[a-z0-9-]+) is started for (?P<who>\w+){_DETAILS}")
def is_started(story: Story, found: Mapping[str, str]) -> None:
    body = {"user_id": found["who"], "properties": details(found)}
    route, path = "POST /v1/automations/{name}/start", {"name": found["name"]}
    status, answer = story.world.call("automations", route, body, path=path)
    assert status == 202, answer
    story.passes()


@sentence(r"(?P<name>[a-z0-9-]+) (?P<does>is paused|is paused wholly|goes on)")
def is_paused(story: Story, found: Mapping[str, str]) -> None:
    action = "resume" if found["does"] == "goes on" else "pause"
    order = {"what": "all" if found["does"].endswith("wholly") else "entries"} if action == "pause" else {}
    route, path = f"POST /v1/automations/{{name}}/{action}", {"name": found["name"]}
    status, answer = story.world.call("automations", route, order, path=path)
    assert status in (200, 202), answer
    story.world.work_jobs()
    story.passes()


@sentence(rf"(?P<host>\S+\.example) answers (?P<status>\d+){_DETAILS}")
def answers(story: Story, found: Mapping[str, str]) -> None:
    body, status = json.dumps(details(found)).encode(), int(found["status"])
    story.answer = Heard(status, body, "application/json", again=status >= 500)


@sentence(r"(?P<word>\w+) means (?P<meaning>\w+)")
def means(story: Story, found: Mapping[str, str]) -> None:
    body, path = {"words": [found["word"]], "meaning": found["meaning"]}, {"keyword": found["word"].lower()}
    status, answer = story.world.call("numbers", "PUT /v1/keywords/{keyword}", body, path=path)
    assert status == 200, answer


@sentence(r"(?P<length>\d+ .+) later")
def later(story: Story, found: Mapping[str, str]) -> None:
    story.passes(parse_duration(found["length"]))


# --- what has to be so ------------------------------------------------------------------------------------------------


@sentence(rf"(?P<who>\w+) (?P<does>enters|does not enter){_IN}")
def enters(story: Story, found: Mapping[str, str]) -> None:
    place = (found["who"], found["automation"] or story.automations[0])
    before, ways = story.entered.get(place, 0), len(story.ways(*place))
    story.entered[place] = ways
    assert ways - before == (1 if found["does"] == "enters" else 0), f"entered {ways - before} times"


@sentence(rf"(?P<who>\w+) waits at (?P<component>\w+){_IN}")
def waits(story: Story, found: Mapping[str, str]) -> None:
    way = story.way(found["who"], found)
    assert (way["state"], way["component"]) == ("live", found["component"]), (way["state"], way["component"])


@sentence(rf"(?P<who>\w+) takes (?P<outcome>.+?) at (?P<component>\w+){_IN}")
def takes(story: Story, found: Mapping[str, str]) -> None:
    path = story.way(found["who"], found)["path"]
    outcomes = [step["outcome"] for step in path if step["component"] == found["component"]]
    assert outcomes[-1:] == [found["outcome"]], [(step["component"], step["outcome"]) for step in path]


@sentence(r"(?P<who>\w+) gets nothing")
def gets_nothing(story: Story, found: Mapping[str, str]) -> None:
    left = story.sent(found["who"])[story.told.get(found["who"], 0) :]
    assert not left, left


@sentence(r"(?P<who>\w+) gets (?P<template>[\w-]+)")
def gets(story: Story, found: Mapping[str, str]) -> None:
    who, number = found["who"], story.told.get(found["who"], 0)
    sent = story.sent(who)
    assert sent[number : number + 1] == [found["template"]], sent[number:]
    story.told[who] = number + 1


@sentence(rf"(?P<who>\w+) leaves by (?P<exit>.+?){_IN}")
def leaves(story: Story, found: Mapping[str, str]) -> None:
    way = story.way(found["who"], found)
    assert (way["state"], (way["left"] or {}).get("exit")) == ("exited", found["exit"]), way["state"]


@sentence(rf"(?P<who>\w+) is done{_IN}")
def is_done(story: Story, found: Mapping[str, str]) -> None:
    way = story.way(found["who"], found)
    assert way["state"] == "completed", way["state"]


@sentence(rf"(?P<who>\w+) (?P<does>reaches|does not reach) the goal{_IN}")
def reaches(story: Story, found: Mapping[str, str]) -> None:
    way = story.way(found["who"], found)
    assert bool(way["converted_at"]) is (found["does"] == "reaches"), way["converted_at"]


@sentence(rf"(?P<who>\w+) has{_DETAILS}")
def has(story: Story, found: Mapping[str, str]) -> None:
    contact = story.contact(found["who"])
    assert contact, "nobody knows them"
    expected = details(found)
    real = {name: contact["traits"].get(name) for name in expected}
    assert real == expected, real


@sentence(r"(?P<host>\S+\.example) is called")
def is_called(story: Story, found: Mapping[str, str]) -> None:
    assert story.calls, "nobody called"
    story.calls.clear()


@sentence(r"why (?P<who>\w+)\? (?P<answer>.+)")
def why(story: Story, found: Mapping[str, str]) -> None:
    contact = story.contact(found["who"])
    assert contact, "nobody knows them"
    asked = {"contact": contact["contact"], "automation": story.automations[0]}
    status, answer = story.world.call("why", "GET /v1/why", query=asked)
    assert status == 200, answer
    said = [answer["answer"], *answer["notes"], *(way["sentence"] for way in answer["ways"])]
    assert found["answer"] in said, said


@sentence(rf"why (?P<who>\w+) at (?P<component>\w+){_IN}\? (?P<answer>.+)")
def why_at(story: Story, found: Mapping[str, str]) -> None:
    path = story.way(found["who"], found)["path"]
    steps = [step for step in path if step["component"] == found["component"]]
    assert steps, "they never came there"
    said = list(_sentences(steps[-1]["why"]))
    assert found["answer"] in said, said


@sentence(rf"why (?P<who>\w+) left{_IN}\? (?P<answer>.+)")
def why_left(story: Story, found: Mapping[str, str]) -> None:
    said = list(_sentences(story.way(found["who"], found)["left"]))
    assert found["answer"] in said, said


def _sentences(kept: Any) -> Iterator[str]:
    """What is said in what a step keeps: of each rule, or of what it did."""
    for name, value in kept.items() if isinstance(kept, Mapping) else ():
        if name in ("sentence", "found") and isinstance(value, str):
            yield value
        for inner in value if isinstance(value, list) else [value]:
            yield from _sentences(inner)


# The least particular of all sentences comes last: an event may be called anything.
@sentence(rf"(?P<who>\w+) does (?P<event>[^{{]+?){_DETAILS}")
def does(story: Story, found: Mapping[str, str]) -> None:
    story.number(found["who"])
    story.world.track(found["who"], found["event"], **details(found))
    story.passes()
