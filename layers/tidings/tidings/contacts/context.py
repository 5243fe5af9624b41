"""The context of a contact (product rule 1.8): what events tell of language, device and place, each with its source.

An event is read once (`fields_of`), the findings are kept with their time (`stamped`, `merged`), and what is believed
is chosen when it is shown (`view`): what a person declared before what an SDK told, that before what a user agent
tells, and last what an IP address tells, which may be a server's.

What is kept is `{source: {field: [value, milliseconds since 1970]}}` with sources and fields by their codes, since it
is written with every contact. A value is text, for device and campaign an object of texts, and null where the person
took back what they had declared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from tidings.contacts import reading
from tidings.contacts.countries import continent_of
from tidings.core.clock import to_text

Fields = dict[str, Any]
Stored = Mapping[str, Mapping[str, Any]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class Source(StrEnum):
    """Where a value comes from, the most trusted first."""

    DECLARED = "declared"
    SDK = "sdk"
    USER_AGENT = "user_agent"
    IP = "ip"


SOURCE_CODES = {Source.DECLARED: "d", Source.SDK: "s", Source.USER_AGENT: "u", Source.IP: "i"}
FIELD_CODES = {
    "language": "la",
    "device": "de",
    "os": "os",
    "browser": "br",
    "app": "ap",
    "campaign": "ca",
    "page": "pa",
    "ip": "ip",
    "time_zone": "tz",
    "city": "ci",
    "country": "co",
    "continent": "ct",
}
_FIELDS = {code: name for name, code in FIELD_CODES.items()}

# Traits that declare a field. The later names are other spellings.
_DECLARING = {
    "language": ("language", "locale"),
    "time_zone": ("time_zone", "timezone", "timeZone"),
    "city": ("city",),
    "country": ("country",),
}
_IN_ADDRESS = frozenset({"city", "country"})
# Names of libraries that run on servers: analytics-python, @segment/analytics-node, Analytics.NET, rudder-sdk-go …
_SERVER = re.compile(r"(?:^|[-_./@ ])(?:python|node|ruby|go|golang|java|php|net|rust|elixir|perl|scala)(?:$|[-_./ ])")


class Places(Protocol):
    """Leads from an IP address to a place."""

    def find(self, ip: str) -> Mapping[str, str]:
        """City, country, continent and time zone, empty where unknown; no keys at all if nothing is looked up."""


class Nowhere:
    """Finds nothing: the owner supplied no data."""

    def find(self, ip: str) -> Mapping[str, str]:
        """No place."""
        return {}


NOWHERE = Nowhere()


def fields_of(context: Any, traits: Any, places: Places = NOWHERE) -> dict[Source, Fields]:
    """What one event tells: `{source: {field: value}}`, with those sources only that tell something.

    `context` is the event's (Segment, common fields), `traits` are what it says of the person. Any JSON is accepted,
    what has another shape than expected is ignored, and each value is at most about 256 characters.
    """
    readings = {
        Source.DECLARED: _declared(traits),
        Source.SDK: _told(context),
        Source.USER_AGENT: _from_user_agent(context),
        Source.IP: _from_ip(context, places),
    }
    return {source: fields for source, fields in readings.items() if fields}


def is_server(context: Any) -> bool:
    """Whether the call comes from a server: its device, and the address it called from, are not the person's."""
    if reading.text(reading.part(context, "channel")).lower() == "server":
        return True
    library = reading.text(reading.part(reading.part(context, "library"), "name")).lower()
    return _SERVER.search(library) is not None


def stamped(fields: Mapping[Source, Mapping[str, Any]], at: datetime) -> dict[str, dict[str, Any]]:
    """What an event told, as it is kept; `at` is when the event was received."""
    millis = (at - EPOCH) // MILLISECOND
    return {
        SOURCE_CODES[source]: {FIELD_CODES[name]: [value, millis] for name, value in told.items()}
        for source, told in fields.items()
    }


def merged(one: Stored, other: Stored) -> dict[str, dict[str, Any]]:
    """Both together: of each source and field what came later; whatever the order and however often."""
    result: dict[str, dict[str, Any]] = {}
    for stored in (one, other):
        for source, field, leaf in _leaves(stored):
            known = result.setdefault(source, {})
            known[field] = max(known.get(field, leaf), leaf, key=_age)
    return result


def view(stored: Stored) -> dict[str, dict[str, Any]]:
    """What is believed: `{field: {"value", "source", "at"}}`, with `at` in ISO 8601.

    Each field comes from the most trusted source that tells it. City and continent, and a time zone guessed from an IP
    address, are not taken from a source that places the person in another country than the one that is believed.
    """
    kept = {(source, field): leaf for source, field, leaf in _leaves(stored) if leaf[0] is not None}
    believed: dict[str, dict[str, Any]] = {}
    for field in ("country", *(name for name in FIELD_CODES if name != "country")):
        for source in Source:
            leaf = kept.get((SOURCE_CODES[source], FIELD_CODES[field]))
            if leaf is not None and _fits(source, field, kept, believed):
                at = to_text(EPOCH + leaf[1] * MILLISECOND)
                believed[field] = {"value": leaf[0], "source": source.value, "at": at}
                break
    return {field: believed[field] for field in FIELD_CODES if field in believed}


def _fits(source: Source, field: str, kept: Mapping[tuple[str, str], Any], believed: Mapping[str, Any]) -> bool:
    placing = field in ("city", "continent") or (field == "time_zone" and source is Source.IP)
    own = kept.get((SOURCE_CODES[source], FIELD_CODES["country"]))
    return not placing or own is None or own[0] == believed["country"]["value"]


def _leaves(stored: Stored) -> Iterator[tuple[str, str, list[Any]]]:
    """What is kept; a source or field of a later release is let be."""
    for source in SOURCE_CODES.values():
        for field, leaf in stored.get(source, {}).items():
            if field in _FIELDS:
                # A number that was in a table comes back as a decimal.
                yield source, field, [leaf[0], int(leaf[1])]


def _age(leaf: list[Any]) -> tuple[int, str]:
    """Of two at the same time the greater text stays, so that the order of arrival does not matter."""
    return leaf[1], json.dumps(leaf[0], sort_keys=True, ensure_ascii=False)


def _declared(traits: Any) -> Fields:
    read = {
        "language": reading.language,
        "time_zone": reading.time_zone,
        "city": lambda value: reading.text(value, reading.CITY_CHARACTERS),
        "country": reading.country,
    }
    fields: Fields = {}
    for field, names in _DECLARING.items():
        given = _given(traits, field, names)
        values = [value for value in map(read[field], given) if value]
        if values:
            fields[field] = values[0]
        elif None in given:
            fields[field] = None
    return _with_continent(fields)


def _given(traits: Any, field: str, names: tuple[str, ...]) -> list[Any]:
    """What the traits say of a field, null where they say that there is none."""
    given = [traits[name] for name in names if isinstance(traits, Mapping) and name in traits]
    address = reading.part(traits, "address")
    if field in _IN_ADDRESS and isinstance(address, Mapping) and field in address:
        given.append(address[field])
    return given


def _told(context: Any) -> Fields:
    location = reading.part(context, "location")
    fields: Fields = {
        "language": reading.language(reading.part(context, "locale")),
        "time_zone": reading.time_zone(reading.part(context, "timezone")),
        "page": reading.page(reading.part(context, "page")),
        "campaign": reading.campaign(context),
        "city": reading.text(reading.part(location, "city"), reading.CITY_CHARACTERS),
        "country": reading.country(reading.part(location, "country")),
    }
    if not is_server(context):
        fields["device"] = reading.device(context)
        fields["os"] = reading.named(reading.part(context, "os"))
        fields["app"] = reading.named(reading.part(context, "app"))
    return _with_continent({name: value for name, value in fields.items() if value})


def _from_user_agent(context: Any) -> Fields:
    agent, hints = reading.part(context, "userAgent"), reading.part(context, "userAgentData")
    if not agent and not hints:
        return {}
    # Imported here: servers' calls carry neither.
    from tidings.contacts.user_agents import parse

    found = parse(agent, hints)
    device = {name: value[: reading.PART_CHARACTERS] for name, value in found.device.items()}
    fields = {"browser": reading.text(found.browser), "os": reading.text(found.os), "device": device}
    return {name: value for name, value in fields.items() if value}


def _from_ip(context: Any, places: Places) -> Fields:
    address = reading.ip(reading.part(context, "ip"))
    if not address:
        return {}
    # A place that is looked up replaces the last one whole: no city of the last journey stays in the next country.
    return {"ip": address, **{field: value or None for field, value in places.find(address).items()}}


def _with_continent(fields: Fields) -> Fields:
    """A country decides its continent; an unknown one takes the last one's away."""
    if "country" in fields:
        fields["continent"] = continent_of(fields["country"] or "") or None
    return fields
