"""What an owner says of a workspace's text messages: the plan, what is known better of countries, price and lifetime.

It stands in the workspace's `sms`, beside its numbers and its sender IDs, which come there by themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from tidings.accounts.model import ApiKey, Workspace
from tidings.accounts.rules import require_settings
from tidings.conditions.durations import format_duration, parse_duration
from tidings.consent.model import Kind
from tidings.contacts.countries import continent_of
from tidings.core.clock import Clock
from tidings.core.errors import InvalidInput, NotFound, Unavailable
from tidings.core.store import ConditionFailed
from tidings.sms.countries import Names, all_rules
from tidings.sms.model import ANYWHERE, Setup
from tidings.sms.origination import is_known
from tidings.sms.sender_id_rules import EXPIRE, REMIND
from tidings.sms.setup_store import DynamoSetupStore

TRIES = 5
SOURCE_CHARACTERS = 200
# MaxPrice and TimeToLive of SendTextMessage.
_PRICE = re.compile(r"[0-9]{0,2}\.[0-9]{1,5}")
_OF_COUNTRY = ("sender_id", "two_way", "price", "parameters", "source", "date")
_PARAMETERS = ("IN_ENTITY_ID", "IN_TEMPLATE_ID")
_PARAMETER = re.compile(r"\S{1,64}")
LIFETIME = range(5, 259_201)
# A machine waits no longer for a decision, and reminds no more often.
EXPIRE_MOST_DAYS = 90
REMINDERS_MOST = 100
# The longest value, as JSON, that the log keeps whole. Only `plan` and `countries` can be longer: with both of them,
# before and after, an entry stays below 100 KB.
LOGGED_BYTES = 20_000


class SetupDesk:
    """Shows and changes what an owner says of text messages, and tells who changed what."""

    def __init__(self, setups: DynamoSetupStore, clock: Clock) -> None:
        self._setups = setups
        self._clock = clock

    def show(self, workspace: str) -> dict[str, Any]:
        """What is said, with what the numbers and the sender IDs are."""
        return _shown(self._workspace(workspace).sms)

    def countries(self, workspace: str) -> list[dict[str, Any]]:
        """What holds in every country, with source and date."""
        return [rule.as_dict() for rule in all_rules(self._workspace(workspace).sms.get("countries"))]

    def log(self, workspace: str, limit: int, cursor: str) -> dict[str, Any]:
        """What was changed by whom, the latest first. Raises InvalidInput for a bad cursor."""
        entries, following = self._setups.log(workspace, limit, cursor)
        return {"log": entries, "cursor": following}

    def change(self, key: ApiKey, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace what the body names; null takes it away, and what is left out stays. Raises InvalidInput.

        What changes nothing writes nothing: the same call again adds nothing to the log.
        """
        for name in body:
            if name not in _READ:
                raise InvalidInput("unknown_setting", f"There is no such setting: {', '.join(sorted(_READ))}.", name)
        for _ in range(TRIES):
            before = self._workspace(key.workspace)
            after = _changed(before, body)
            changes = _changes(before.sms, after)
            if not changes:
                return _shown(before.sms)
            try:
                self._setups.change(before, after, changes, key.who, self._clock.now())
            except ConditionFailed:
                continue  # a sender ID became active, perhaps: look again
            return _shown(after)
        raise Unavailable("setup_contended", "The setup kept changing.")

    def _workspace(self, workspace: str) -> Workspace:
        found = self._setups.get(workspace)
        if found is None:
            raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
        return found


def _changed(before: Workspace, body: Mapping[str, Any]) -> dict[str, Any]:
    """The workspace's `sms` with what a body says. Raises InvalidInput."""
    setup = Setup.of(before)
    said = {name: _READ[name](value, setup) for name, value in body.items() if value is not None}
    return {**{name: kept for name, kept in before.sms.items() if name not in body}, **said}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each setting that is another now was and is, null where nothing is said. {} says no more than null."""
    both = ((name, before.get(name) or None, after.get(name) or None) for name in _READ)
    return [_change(name, was, now) for name, was, now in both if was != now]


def _change(name: str, was: Any, now: Any) -> dict[str, Any]:
    """One change. `left_out` names what is too long to be kept, and null for that."""
    said = {"before": was, "after": now}
    long = [side for side, value in said.items() if len(json.dumps(value, ensure_ascii=False).encode()) > LOGGED_BYTES]
    return {"setting": name, **said, **dict.fromkeys(long), "left_out": long}


def _shown(sms: Mapping[str, Any]) -> dict[str, Any]:
    review = sms.get("review") or {}
    return {
        "plan": sms.get("plan") or {},
        "countries": sms.get("countries") or {},
        "max_price": sms.get("max_price"),
        "lifetime": sms.get("lifetime"),
        "short_url": sms.get("short_url"),
        "review": {
            "remind_every": review.get("remind_every") or format_duration(REMIND),
            "expires_after": review.get("expires_after") or format_duration(EXPIRE),
        },
        "sender_ids": sms.get("sender_ids") or {},
        "numbers": sorted(sms.get("numbers") or {}),
    }


def _plan(value: Any, setup: Setup) -> dict[str, dict[str, str]]:
    """By country or `*`, by kind or `*`: a sender that the workspace has."""
    for country, kinds in _object(value, "plan").items():
        _country(country, "plan", ANYWHERE)
        for kind, sender in _object(kinds, "plan").items():
            if kind not in (*Kind, ANYWHERE):
                raise InvalidInput("invalid_plan", "A plan says marketing, transactional or *.", "plan")
            if not isinstance(sender, str) or not is_known(setup, sender):
                told = f"The workspace has no such sender for {country}: a sender ID, a number, or pool:ID."
                raise InvalidInput("invalid_plan", told, "plan")
    return {country: dict(kinds) for country, kinds in value.items() if kinds}


def _countries(value: Any, setup: Setup) -> dict[str, dict[str, Any]]:
    """By country: whether it takes names, whether people there can answer, what a part costs there (`price`, in USD),
    what it wants to know of each message (`parameters`), and who says so since when."""
    for country, said in _object(value, "countries").items():
        _country(country, "countries")
        for name, word in _object(said, "countries").items():
            if name not in _OF_COUNTRY:
                raise InvalidInput("unknown_field", f"A country says {', '.join(_OF_COUNTRY)}.", "countries")
            if name == "sender_id" and word not in list(Names):
                told = f"sender_id is one of {', '.join(Names)}."
                raise InvalidInput("invalid_country_rule", told, "countries")
            if name == "two_way" and not isinstance(word, bool):
                raise InvalidInput("invalid_type", "two_way is true or false.", "countries")
            if name == "price" and not (isinstance(word, str) and _PRICE.fullmatch(word)):
                told = 'price is text in USD for a part, such as "0.05".'
                raise InvalidInput("invalid_country_rule", told, "countries")
            if name == "parameters":
                _parameters(word)
        _sourced(said)
    return {country: dict(said) for country, said in value.items()}


def _parameters(value: Any) -> None:
    """What a country wants to know with each message: India, who is registered as what."""
    for name, text in _object(value, "countries").items():
        if name not in _PARAMETERS or not isinstance(text, str) or not _PARAMETER.fullmatch(text):
            told = f"parameters are {' and '.join(_PARAMETERS)}, each 1 to 64 characters without spaces."
            raise InvalidInput("invalid_country_rule", told, "countries")


def _sourced(said: Mapping[str, Any]) -> None:
    source, day = said.get("source"), said.get("date")
    if not isinstance(source, str) or not 1 <= len(source.strip()) <= SOURCE_CHARACTERS:
        raise InvalidInput("invalid_country_rule", "A country says its source: who knows this.", "countries")
    try:
        date.fromisoformat(day if isinstance(day, str) else "")
    except ValueError as error:
        raise InvalidInput(
            "invalid_country_rule", "A country says its date, such as 2026-11-22.", "countries"
        ) from error


def _max_price(value: Any, setup: Setup) -> str:
    if not isinstance(value, str) or not _PRICE.fullmatch(value):
        raise InvalidInput("invalid_price", 'max_price is text in USD for a part, such as "0.05".', "max_price")
    return value


def _lifetime(value: Any, setup: Setup) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in LIFETIME:
        told = f"lifetime is {LIFETIME.start} to {LIFETIME.stop - 1} seconds."
        raise InvalidInput("invalid_lifetime", told, "lifetime")
    return value


def _short_url(value: Any, setup: Setup) -> str:
    try:
        return str(require_settings({"public_url": value})["public_url"])
    except InvalidInput as error:
        told = "Short links begin with https://, such as https://go.acme.example."
        raise InvalidInput("invalid_short_url", told, "short_url") from error


def _review(value: Any, setup: Setup) -> dict[str, str]:
    """How often somebody is reminded of a sender ID that waits for a decision, and when it expires."""
    told = {}
    for name, length in _object(value, "review").items():
        if name not in ("remind_every", "expires_after"):
            raise InvalidInput("unknown_field", "review says remind_every and expires_after.", "review")
        try:
            told[name] = format_duration(parse_duration(str(length)))
        except ValueError as error:
            raise InvalidInput("invalid_review", f"{name}: {error}.", "review") from error
    remind = parse_duration(told["remind_every"]) if "remind_every" in told else REMIND
    expire = parse_duration(told["expires_after"]) if "expires_after" in told else EXPIRE
    if expire.days > EXPIRE_MOST_DAYS or expire // remind > REMINDERS_MOST:
        most = f"A request waits {EXPIRE_MOST_DAYS} days at most, with {REMINDERS_MOST} reminders at most."
        raise InvalidInput("invalid_review", most, "review")
    return told


def _country(country: str, field: str, *others: str) -> None:
    if country not in others and not (len(country) == 2 and continent_of(country)):
        raise InvalidInput("invalid_country", "A country is two capital letters of ISO 3166, such as PL.", field)


def _object(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput("invalid_type", f"{field} is an object.", field)
    return value


_READ: Mapping[str, Callable[[Any, Setup], Any]] = {
    "plan": _plan,
    "countries": _countries,
    "max_price": _max_price,
    "lifetime": _lifetime,
    "short_url": _short_url,
    "review": _review,
}
