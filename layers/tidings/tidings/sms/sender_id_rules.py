"""Pure decisions about sender IDs: what a name may be, who decides when, and what its machine does next.

A name has 3 to 11 letters, digits, `_` and `-`, at least one letter, and no hyphen at an edge: the operators' rule
within that of AWS (SenderId of RequestSenderId).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tidings.accounts.model import ApiKey, Role
from tidings.consent.model import Kind
from tidings.core.clock import to_text
from tidings.core.errors import Conflict, Forbidden, InvalidInput
from tidings.core.http import text
from tidings.core.ids import digest
from tidings.sms.countries import Names, Rule, rule_of
from tidings.sms.model import Setup
from tidings.sms.origination import ways
from tidings.sms.sender_id_model import (
    ACTIVE_THERE,
    CLOSED,
    REFUSED,
    REGISTERING,
    WAITING,
    WANTED,
    Approval,
    Next,
    Place,
    SenderId,
    State,
)

PURPOSE_CHARACTERS = 500
SAMPLE_CHARACTERS = 1600  # as much as one text message holds
REASON_CHARACTERS = 500
COUNTRIES_MOST = 25  # of one request: a machine has 25,000 events in its history, and a look takes nine
NAMES_MOST = 50  # of one workspace

REMIND = timedelta(days=3)
EXPIRE = timedelta(days=14)

# AWS is asked how a registration stands an hour after the last time, then two, then four, at most a day; 60 times are
# about 56 days. Registrations take days to weeks.
FIRST_PAUSE = timedelta(hours=1)
LONGEST_PAUSE = timedelta(days=1)
LOOKS_MOST = 60

DECISIONS = ("verify", "accept", "reject")
# Who decides about what waits, and what it comes to.
_DECIDES = {State.REQUESTED: Role.STAFF, State.VERIFIED: Role.ADMINISTRATOR}
_COMES_TO = {
    (State.REQUESTED, "verify"): State.VERIFIED,
    (State.VERIFIED, "accept"): State.ACCEPTED,
    (State.REQUESTED, "reject"): State.REJECTED,
    (State.VERIFIED, "reject"): State.REJECTED,
}
_DECIDED = {"verify": State.REQUESTED, "accept": State.VERIFIED}

_NAME = re.compile(r"[A-Za-z0-9_-]{3,11}")
_TODO = {
    "CREATED": "fill in the registration's form in AWS's console, and submit it",
    "SUBMITTED": "nothing: AWS has the registration",
    "AWS_REVIEWING": "nothing: AWS reviews the registration",
    "REVIEWING": "nothing: the country's carriers review the registration",
    "REQUIRES_AUTHENTICATION": "prove in AWS's console that the registration is yours",
    "PROVISIONING": "nothing: AWS sets the name up",
    "REQUIRES_UPDATES": "AWS wants the registration changed: mend its form in AWS's console, and submit it again",
    "CLOSED": "the registration was closed: open another one in AWS's console",
    "DELETED": "the registration was deleted: open another one in AWS's console",
}
NO_REGISTRATION = "open a registration for this name in AWS's console, fill in its form, and submit it"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for: a name, the countries that it is for, why, and a text as it will be sent."""

    name: str
    countries: tuple[str, ...]
    purpose: str
    sample: str


def read_name(given: str) -> str:
    """A name as senders may be called. Raises InvalidInput."""
    wrong = not _NAME.fullmatch(given) or not any(letter.isalpha() for letter in given)
    if wrong or given.startswith("-") or given.endswith("-"):
        told = "A sender ID has 3 to 11 letters, digits, _ and -, at least one letter, and no hyphen at an edge."
        raise InvalidInput("invalid_sender_id", told, "name")
    return given


def read_request(body: Mapping[str, Any], setup: Setup) -> Asked:
    """What a request asks for. Raises InvalidInput, `country_without_names` with what would work there instead."""
    for field in body:
        if field not in ("name", "countries", "purpose", "sample"):
            raise InvalidInput("unknown_field", "A request says name, countries, purpose and sample.", field)
    countries = body.get("countries")
    if not isinstance(countries, list) or not all(isinstance(one, str) for one in countries):
        raise InvalidInput("invalid_type", "countries is a list of countries, two letters each.", "countries")
    if not 1 <= len(set(countries)) <= COUNTRIES_MOST:
        raise InvalidInput("invalid_countries", f"A request is for 1 to {COUNTRIES_MOST} countries.", "countries")
    return Asked(
        name=read_name(text(body, "name")),
        countries=tuple(_country(country, setup) for country in sorted(set(countries))),
        purpose=_words(body, "purpose", PURPOSE_CHARACTERS),
        sample=_words(body, "sample", SAMPLE_CHARACTERS),
    )


def read_reason(body: Mapping[str, Any], decision: str) -> str:
    """Why something was decided; a rejection says so, an approval may. Raises InvalidInput."""
    for field in body:
        if field != "reason":
            raise InvalidInput("unknown_field", "Of a decision only its reason is said.", field)
    if decision != "reject" and "reason" not in body:
        return ""
    return _words(body, "reason", REASON_CHARACTERS)


def _words(body: Mapping[str, Any], field: str, most: int) -> str:
    words = text(body, field).strip()
    if not 1 <= len(words) <= most:
        raise InvalidInput("invalid_text", f"{field} has 1 to {most} characters.", field)
    return words


def _country(country: str, setup: Setup) -> str:
    if not re.fullmatch(r"[A-Z]{2}", country):
        raise InvalidInput("invalid_country", "A country is two capital letters of ISO 3166, such as PL.", "countries")
    rule = rule_of(country, setup.countries)
    if rule.sender_id is Names.NOT_SUPPORTED:
        works = sorted({way for kind in Kind for way in ways(setup, country, kind)})
        instead = f"Messages there can leave from {', '.join(works)}." if works else "A phone number is needed there."
        told = f"{country} takes no names as senders ({rule.source}, {rule.date}). {instead}"
        raise InvalidInput("country_without_names", told, "countries")
    return country


def requested(
    asked: Asked, before: SenderId | None, key: ApiKey, now: datetime, remind: timedelta, expire: timedelta
) -> SenderId:
    """A new request for a name; what is active already stays so. Raises Conflict where another one is under way."""
    known = before is not None and before.state not in CLOSED
    under_way = known and before is not None and WANTED in {place.state for place in before.places.values()}
    if before is not None and (before.state in WAITING or before.state is State.ACCEPTED or under_way):
        raise Conflict("sender_id_requested", "This name is requested already: wait for what becomes of it.", "name")
    if before is not None and before.state in CLOSED and before.unreleased:
        raise Conflict("sender_id_leaving", "AWS is still giving this name up: ask again a little later.", "name")
    kept = _kept(before) if known and before else {}
    number = before.round + 1 if before else 1
    return SenderId(
        workspace=key.workspace,
        name=asked.name,
        state=State.REQUESTED,
        request=digest("sender_id", key.workspace, asked.name, str(number)),
        round=number,
        purpose=asked.purpose,
        sample=asked.sample,
        requested_at=now,
        requested_by=key.who,
        step_at=now,
        remind=remind,
        expire=expire,
        places={**kept, **{country: _asked_for(kept.get(country)) for country in asked.countries}},
        revision=before.revision if before else 0,
    )


def is_same(asked: Asked, before: SenderId) -> bool:
    """Whether a request asks for what is there or under way already: then it is a repeat."""
    if before.state in CLOSED:
        return False
    if before.state is State.ACTIVE:  # where it came to nothing, it can be asked for again
        return all(country in before.places and before.places[country].state != REFUSED for country in asked.countries)
    there = all(country in before.places for country in asked.countries)
    return there and (asked.purpose, asked.sample) == (before.purpose, before.sample)


def decided(before: SenderId, decision: str, reason: str, key: ApiKey, now: datetime) -> SenderId | None:
    """What a decision makes of it; None for a repeat by the same key.

    Raises Forbidden for who has not the role that this step takes, Conflict where something else was decided or the
    time for it is over: the machine's clock, which writes that down, may be some seconds behind.
    """
    approval = before.approvals.get(decision)
    if approval is not None and approval.mark == mark_of(key):
        return None
    if decision in _DECIDED:  # whoever could never decide this is told so, whatever the state
        _require_role(_DECIDES[_DECIDED[decision]], key)
    comes_to = _COMES_TO.get((before.state, decision))
    if comes_to is None:
        told = f"It is {before.state.value}, so that nobody can {decision} it."
        raise Conflict("sender_id_decided", told)
    _require_role(_DECIDES[before.state], key)
    if now >= instants(before)[-1]:
        raise Conflict("sender_id_decided", "Nobody decided about it in time: it expires. Ask for the name again.")
    approvals = {**before.approvals, decision: Approval(key.who, to_text(now), mark_of(key))}
    after = replace(before, approvals=approvals, reason=reason, step_at=now, reminded=0)
    return closed(after, comes_to) if comes_to is State.REJECTED else replace(after, state=comes_to)


def _require_role(role: Role, key: ApiKey) -> None:
    if key.role is not role:
        told = f"A key of the role {key.role.value} cannot decide this; it takes {role.value}."
        raise Forbidden("role_required", told)


def closed(before: SenderId, state: State) -> SenderId:
    """A request that came to nothing: where the name is active already it stays so, only the new countries go."""
    if state is not State.RETIRED and any(map(_stays, before.places.values())):
        return settled(replace(before, state=State.ACCEPTED, places=_kept(before)))
    places = {
        country: replace(place, state=place.state if place.state == REFUSED else state.value, looks=0, look_at="")
        for country, place in before.places.items()
    }
    return replace(before, state=state, places=places)


def settled(before: SenderId) -> SenderId:
    """What AWS's answers make of the whole: active somewhere, still under way, or refused everywhere."""
    states = {place.state for place in before.places.values()}
    if ACTIVE_THERE in states:
        return replace(before, state=State.ACTIVE)
    if states & {WANTED, REGISTERING}:
        return before
    return replace(before, state=State.REJECTED, reason="AWS refused it in every country")


def mark_of(key: ApiKey) -> str:
    """What tells a key in the record without showing its fingerprint."""
    return digest("approval", key.fingerprint, length=12)


def instants(sender: SenderId) -> list[datetime]:
    """When it is reminded of what waits, and last when it expires."""
    count = -(-sender.expire // sender.remind) - 1  # as many as come before the end
    return [
        *(sender.step_at + sender.remind * number for number in range(1, count + 1)),
        sender.step_at + sender.expire,
    ]


def clock_of(sender: SenderId) -> Next:
    """The next instant of a request that waits; the end for any other."""
    if sender.state not in WAITING:
        return Next("end")
    number = sender.reminded + 1
    return Next("clock", to_text(instants(sender)[number - 1]), sender.state.value, number)


def next_of(sender: SenderId) -> Next:
    """What is next for the machine that waits for decisions and works them off."""
    if sender.state in WAITING:
        return Next("wait")
    if sender.state in CLOSED:
        look_at = sender.places[sender.unreleased[0]].look_at if sender.unreleased else ""
        return Next("pause", look_at) if look_at else Next("work" if sender.unreleased else "end")
    turns = turns_of(sender)
    if not turns:
        return Next("end")
    place = sender.places[turns[0]]
    return Next("work") if place.state == WANTED else Next("pause", place.look_at)


def turns_of(sender: SenderId) -> Sequence[str]:
    """The countries of which AWS is to be asked next: all that are new, else those whose turn comes first."""
    wanted = sorted(country for country, place in sender.places.items() if place.state == WANTED)
    if wanted:
        return wanted
    looks = {country: place.look_at for country, place in sender.places.items() if place.state == REGISTERING}
    first = min(looks.values(), default="")
    return sorted(country for country, at in looks.items() if at == first)


def registering(place: Place, status: str, registration: str, now: datetime) -> Place:
    """A country whose registration AWS has not completed: what is to be done, and when to look again."""
    if place.looks >= LOOKS_MOST:
        told = f"AWS has not registered it after {LOOKS_MOST} looks; the last it said was {status or 'nothing'}"
        return replace(place, state=REFUSED, told=told, registration=registration)
    return waits(replace(place, registration=registration), _TODO.get(status, NO_REGISTRATION), now)


def waits(place: Place, told: str, now: datetime) -> Place:
    """A country that is to be looked at again, an hour later at first and at most a day."""
    return replace(put_off(place, told, now), state=REGISTERING)


def put_off(place: Place, told: str, now: datetime) -> Place:
    """A country whose turn comes again later, with the reason why."""
    pause = min(FIRST_PAUSE * 2 ** min(place.looks, 10), LONGEST_PAUSE)
    return replace(place, told=told, looks=place.looks + 1, look_at=to_text(now + pause))


def told_of(sender: SenderId) -> dict[str, str]:
    """What sends read of it: the countries where it is active, or will be once AWS has registered it."""
    return {country: place.state for country, place in sorted(sender.places.items()) if _stays(place)}


def setup_with(sms: Mapping[str, Any], sender: SenderId) -> dict[str, Any]:
    """The workspace's `sms` with what became of a sender ID."""
    names = {name: states for name, states in (sms.get("sender_ids") or {}).items() if name != sender.name}
    told = {} if sender.state in CLOSED else told_of(sender)
    return {**sms, "sender_ids": {**names, sender.name: told} if told else names}


def needs_registration(rule: Rule) -> bool:
    """Whether a country wants names registered before anybody sends from them."""
    return rule.sender_id is Names.REGISTRATION


def shown(sender: SenderId) -> dict[str, Any]:
    """A sender ID as answers show it."""
    approvals = {step: {"by": one.by, "at": one.at} for step, one in sorted(sender.approvals.items())}
    waits_for = {State.REQUESTED: "verify", State.VERIFIED: "accept"}.get(sender.state, "")
    return {
        "name": sender.name,
        "state": sender.state.value,
        "countries": {country: _shown_place(place) for country, place in sorted(sender.places.items())},
        "purpose": sender.purpose,
        "sample": sender.sample,
        "requested_at": sender.requested_at,
        "requested_by": sender.requested_by,
        "approvals": approvals,
        "reason": sender.reason,
        "waits_for": waits_for,
        "reminded": sender.reminded if waits_for else 0,
        "expires_at": sender.step_at + sender.expire if waits_for else None,
    }


def _shown_place(place: Place) -> dict[str, Any]:
    return {
        "state": place.state,
        "told": place.told,
        "registration": place.registration,
        "look_at": place.look_at if place.state == REGISTERING else None,
    }


def _kept(sender: SenderId) -> dict[str, Place]:
    """The countries that outlast a request: where it is active or will be, and where AWS has it from us for nothing."""
    return {
        country: place if _stays(place) else replace(place, state=REFUSED)
        for country, place in sender.places.items()
        if _stays(place) or (place.asked and not place.released)
    }


def _asked_for(kept: Place | None) -> Place:
    """A country that is asked for: as it stands if it is active or will be, else anew, with what AWS has from us."""
    return kept if kept is not None and _stays(kept) else Place(asked=kept is not None)


def _stays(place: Place) -> bool:
    return place.state in (ACTIVE_THERE, REGISTERING)
