"""Whether the demo came out right: exactly the right messages, and a record of everything that was not sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tidings_cli.client import ApiError, Client
from tidings_cli.contacts import first
from tidings_cli.demo.people import ANSWER, ENROLLED, FAY, MEANING, PEOPLE, Person

Json = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what it should be, whether it is, and what was found where it is not."""

    text: str
    good: bool
    found: str = ""


def findings(api: Client, mails: Sequence[Json], texts: Sequence[Json], seconds: float, limit: float) -> list[Finding]:
    """Everything that must be so. `mails` are all of the outbox, `texts` those of Fay's phone, `seconds` when the last
    message came.
    """
    return [
        *(_mails_of(person, mails) for person in PEOPLE if not person.texts),
        *(_texts_of(text, texts) for text in FAY.texts),
        Finding(f"{FAY.name} gets no other SMS", len(texts) == len(FAY.texts), f"{len(texts)} SMS"),
        *_booking_of(FAY, api),
        _nobody_else(mails),
        *(finding for person in ENROLLED for finding in _record_of(person, api)),
        *(_not_enrolled(person, api) for person in PEOPLE if person.is_visitor),
        Finding(f"the last message came within {limit:.0f} s", seconds <= limit, f"{seconds:.1f} s"),
    ]


def _mails_of(person: Person, mails: Sequence[Json]) -> Finding:
    subjects = [mail["subject"] for mail in mails if person.address and person.address in mail["recipients"]]
    if not person.subject:
        return Finding(f"{person.name} gets no mail", not subjects, ", ".join(subjects))
    wanted = f"{person.name} gets one mail: “{person.subject}”"
    return Finding(wanted, subjects == [person.subject], ", ".join(subjects) or "none")


def _texts_of(wanted: str, texts: Sequence[Json]) -> Finding:
    came = [text["body"] for text in texts]
    return Finding(f"{FAY.name} gets one SMS: “{wanted}”", came.count(wanted) == 1, ", ".join(came) or "none")


def _booking_of(person: Person, api: Client) -> list[Finding]:
    """What the answer of the phone became, and where it led the automation."""
    contact = first(api, user_id=person.id)["contact"]
    events = api.get("contacts", contact, "timeline")["events"]
    meanings = [event["properties"]["meaning"] for event in events if event["event"] == "SMS Received"]
    enrolments = api.get("contacts", contact, "enrolments")["enrolments"]
    path = [(step["component"], step["outcome"]) for enrolment in enrolments for step in enrolment["path"]]
    wanted = [("ask", "accepted"), ("answer", "Confirmed"), ("confirmed", "accepted")]
    return [
        Finding(f"{person.name}'s {ANSWER} is on the timeline and confirms", meanings == [MEANING], str(meanings)),
        Finding(f"{person.name}'s answer let the automation go on", path == wanted, str(path)),
    ]


def _nobody_else(mails: Sequence[Json]) -> Finding:
    known = {person.address for person in PEOPLE if person.address}
    others = sorted({address for mail in mails for address in mail["recipients"]} - known)
    return Finding("nobody else gets any", not others, ", ".join(others))


def _record_of(person: Person, api: Client) -> list[Finding]:
    contact = first(api, user_id=person.id)["contact"]
    messages = api.get("contacts", contact, "messages")["messages"]
    states = [message["state"] for message in messages]
    told = ", ".join(states) or "none"
    if person.suppressed:
        decided = [message["decision"]["decided_by"] for message in messages]
        good = states == ["skipped"] and decided == ["suppression"]
        return [Finding(f"{person.name}'s record says that suppression decided", good, f"{told}; {decided}")]
    record = Finding(f"{person.name}'s message is {person.fate}", states == [person.fate], told)
    return [record, _suppressed(person, api)] if person.fate == "bounced" else [record]


def _suppressed(person: Person, api: Client) -> Finding:
    text = f"{person.name}'s address is suppressed because of the bounce"
    try:
        reason = str(api.get("suppressions", "email", person.address)["reason"])
    except ApiError as error:
        reason = error.code
    return Finding(text, reason == "bounce", reason)


def _not_enrolled(person: Person, api: Client) -> Finding:
    contact = first(api, anonymous_id=person.id)["contact"]
    found = [enrolment["automation"] for enrolment in api.get("contacts", contact, "enrolments")["enrolments"]]
    return Finding(f"{person.name} is known as a visitor and entered nothing", not found, ", ".join(found))
