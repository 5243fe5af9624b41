"""Follows what happens to whom, through the API and the outbox alone, and tells the board as it happens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import urllib3

from tidings_cli.client import ApiError, Client
from tidings_cli.demo.board import BAD, GOOD, Board
from tidings_cli.demo.people import ADA, AUTOMATION, ENROLLED, Person
from tidings_cli.errors import CommandFailed

Json = dict[str, Any]

FINAL = frozenset({"delivered", "bounced", "complained", "rejected", "refused", "skipped", "unknown"})
_PERIOD = re.compile(r" \([^)]* or later\)")
_SECONDS = 20


class Outbox:
    """The mails and texts that were sent, as the carriers that stand in for SES and End User Messaging kept them."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/mails"
        self._phone = f"{url}/api/sms"
        self._pool = urllib3.PoolManager(timeout=_SECONDS, retries=False)

    def mails(self) -> list[Json]:
        """All mails, oldest first."""
        found: list[Json] = self._ask("GET", self._url)
        return found

    def open(self, mail: str) -> None:
        """Open a mail in the recipient's place."""
        self._ask("POST", f"{self._url}/{mail}/open")

    def texts(self, person: str) -> list[Json]:
        """The texts that a phone got, oldest first."""
        found = self._ask("GET", f"{self._phone}?person={quote(person)}")
        return [text for text in found if text["direction"] == "out"]

    def reply(self, text: str, body: str) -> None:
        """Answer a text in the person's place."""
        self._ask("POST", f"{self._phone}/{text}/reply", {"body": body})

    def _ask(self, method: str, url: str, body: Json | None = None) -> Any:
        try:
            answer = self._pool.request(method, url, **({} if body is None else {"json": body}))
        except urllib3.exceptions.HTTPError as error:
            raise CommandFailed(f"The outbox does not answer: {error}") from error
        if answer.status >= 400:
            raise CommandFailed(f"The outbox answered {answer.status} to {method} {url}.")
        return answer.json()


@dataclass
class Followed:
    """What is known of one person's way."""

    contact: str = ""
    steps: int = 0
    entered: bool = False
    over: bool = False
    message: Json = field(default_factory=dict)
    mails: int = 0
    suppressed: bool = False

    @property
    def state(self) -> str:
        """The state of the person's message; empty before there is one."""
        return str(self.message.get("state", ""))


class Watcher:
    """Asks what is new at each `look`."""

    def __init__(self, api: Client, outbox: Outbox, board: Board) -> None:
        self._api = api
        self._outbox = outbox
        self._board = board
        self._people = {person.id: Followed() for person in ENROLLED}
        self._opening = ""
        self._opened = False

    def look(self) -> bool:
        """Find out what is new and tell it; whether a mail was among it. Raises CommandFailed."""
        came = self._mails()
        self._enrolments()
        for person in ENROLLED:
            self._message(person)
        self._open()
        return came

    @property
    def missing(self) -> list[str]:
        """What has not happened yet that will: empty once everything has come to its end."""
        waiting = [
            f"{person.name} is still {'in the automation' if one.entered else 'to enter the automation'}"
            for person in ENROLLED
            if not (one := self._people[person.id]).over
        ]
        waiting += [
            f"{person.name}'s message is {one.state or 'not there'} and should become {person.fate}"
            for person in ENROLLED
            if (one := self._people[person.id]).state not in FINAL
        ]
        waiting += [
            f"{person.name}'s address is not suppressed yet"
            for person in ENROLLED
            if person.fate == "bounced" and not self._people[person.id].suppressed
        ]
        return waiting + ([] if self._opened else [f"{ADA.name}'s opening is not on her timeline yet"])

    def _mails(self) -> bool:
        mails = self._outbox.mails()
        before = sum(followed.mails for followed in self._people.values())
        for person in ENROLLED:
            theirs = [mail for mail in mails if person.address in mail["recipients"]]
            followed = self._people[person.id]
            for mail in theirs[followed.mails :]:
                self._board.add(person, f"mail “{mail['subject']}”", "bold")
            followed.mails = len(theirs)
            if person is ADA and theirs and not self._opening:
                self._opening = str(theirs[0]["id"])
        return sum(followed.mails for followed in self._people.values()) > before

    def _enrolments(self) -> None:
        listed = self._api.get("automations", AUTOMATION, "enrolments")["enrolments"]
        by_contact = {enrolment["contact"]: enrolment for enrolment in listed}
        for person in ENROLLED:
            followed = self._people[person.id]
            enrolment = by_contact.get(followed.contact or self._find(person, len(listed)))
            if enrolment is not None:
                self._enrolment(person, followed, enrolment)

    def _enrolment(self, person: Person, followed: Followed, enrolment: Json) -> None:
        if not followed.entered:
            followed.entered = True
            self._board.wait(person)
        if enrolment["steps"] > followed.steps:
            path = self._api.get("contacts", followed.contact, "enrolments")["enrolments"][0]["path"]
            for step in path[followed.steps :]:
                self._step(person, step)
            followed.steps = len(path)
        followed.over = enrolment["state"] == "completed"

    def _step(self, person: Person, step: Json) -> None:
        tables = [one for one in step["why"].values() if isinstance(one, dict) and "sentence" in one]
        for explanation in tables:  # a mail that was skipped keeps the check that decided, which `why` tells
            sentence = _PERIOD.sub("", explanation["sentence"]).partition(";")[0]
            self._board.add(person, f"has begun? {'yes' if explanation['result'] else 'no'}: {sentence}")

    def _message(self, person: Person) -> None:
        followed = self._people[person.id]
        if not followed.contact or followed.steps < 2 or (followed.state in FINAL and self._settled(person)):
            return
        found = self._api.get("contacts", followed.contact, "messages")["messages"]
        before, followed.message = followed.state, found[0] if found else {}
        if followed.state != before and followed.state in FINAL:
            self._board.add(person, *_told(followed.message))
        if followed.state == "bounced" and not followed.suppressed:
            self._suppressed(person, followed)
        if self._settled(person) and person is not ADA:
            self._board.finish(person)

    def _settled(self, person: Person) -> bool:
        followed = self._people[person.id]
        return followed.state in FINAL and (followed.state != "bounced" or followed.suppressed)

    def _suppressed(self, person: Person, followed: Followed) -> None:
        entry = _there(self._api, "suppressions", "email", person.address)
        if entry is not None:
            followed.suppressed = True
            self._board.add(person, f"address suppressed ({entry['reason']}): no mail goes there again", BAD)

    def _open(self) -> None:
        """Ada opens her mail; the news of it comes back as the news of a delivery does."""
        followed = self._people[ADA.id]
        if self._opened or followed.state != "delivered" or not self._opening:
            return
        if self._opening != "told":
            self._outbox.open(self._opening)
            self._opening = "told"
        events = self._api.get("contacts", followed.contact, "timeline")["events"]
        if any(event["event"] == "Email Opened" for event in events):
            self._opened = True
            self._board.add(ADA, "opened", GOOD)
            self._board.finish(ADA)

    def _find(self, person: Person, enrolled: int) -> str:
        """The person's contact, looked for only while there is an enrolment that may be theirs."""
        if enrolled > sum(followed.entered for followed in self._people.values()):
            found = self._api.get("contacts", user_id=person.id, limit="1")["contacts"]
            self._people[person.id].contact = found[0]["contact"] if found else ""
        return self._people[person.id].contact


def _told(message: Json) -> tuple[str, str]:
    if message["state"] == "skipped":
        refused = next(check for check in message["decision"]["checks"] if check["passed"] is False)
        return f"no mail: {refused['found']}", BAD
    return message["state"], GOOD if message["state"] == "delivered" else BAD


def _there(api: Client, *path: str, **query: str) -> Mapping[str, Any] | None:
    """What the API has there; None where it has nothing."""
    try:
        return api.get(*path, **query)
    except ApiError as error:
        if error.status == 404:
            return None
        raise
