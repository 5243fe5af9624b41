"""Reading the parts of a context: what one value from outside means, or nothing. None of it ever raises."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from tidings.contacts.countries import country_code

LONGEST_CHARACTERS = 256
PART_CHARACTERS = 50  # a part of a device or campaign; with five of them still about as long as the longest text
CITY_CHARACTERS = 100
QUERY_CHARACTERS = 4096  # more of a query string is not searched for a campaign

CAMPAIGN = ("name", "source", "medium", "term", "content")
_UTM = {"utm_campaign": "name", **{f"utm_{part}": part for part in CAMPAIGN[1:]}}

# Language, script and region (BCP 47, 2.1). Variants and extensions after them say nothing about what to write.
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?(?=$|[-_.@,;])")
# A name of the IANA database, such as America/Argentina/Ushuaia; whether there is one is for those who reckon with it.
_TIME_ZONE = re.compile(r"UTC|GMT|[A-Z]\w{1,30}(?:/[A-Za-z0-9][\w+-]{1,30}){1,2}", re.ASCII)


def text(value: Any, most: int = LONGEST_CHARACTERS) -> str:
    """Text, or a whole number as text, without white space around it and cut to `most` characters; else empty."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**18 else ""
    # Twice, since what is cut may end in a space.
    return value.strip()[:most].strip()


def part(value: Any, key: str) -> Any:
    """What stands under a key, if this is an object."""
    return value.get(key) if isinstance(value, Mapping) else None


def language(value: Any) -> str:
    """A language tag such as `pl`, `en-GB` or `zh-Hant-TW` from a locale in any common spelling."""
    found = _LANGUAGE.match(value.strip()) if isinstance(value, str) else None
    if found is None:
        return ""
    spoken, script, region = (group or "" for group in found.groups())
    return "-".join(tag for tag in (spoken.lower(), script.title(), region.upper()) if tag)


def time_zone(value: Any) -> str:
    """The name of a time zone as the IANA database writes it."""
    name = value.strip() if isinstance(value, str) else ""
    return name if _TIME_ZONE.fullmatch(name) else ""


def country(value: Any) -> str:
    """A country's two letters (ISO 3166), or the text itself where it names no country that is known."""
    name = text(value, CITY_CHARACTERS)
    return country_code(name) or name


def ip(value: Any) -> str:
    """An IP address that a person may have in public; empty for private, local and reserved ones."""
    if not isinstance(value, str):
        return ""
    try:
        address = ipaddress.ip_address(value.strip())
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address) if address.is_global and not address.is_multicast else ""


def page(value: Any) -> str:
    """The address of a page without its query and fragment, which may hold what is nobody's business."""
    address = text(part(value, "url"), QUERY_CHARACTERS) or text(part(value, "path"), QUERY_CHARACTERS)
    return text(re.split(r"[?#]", address, maxsplit=1)[0])


def campaign(context: Any) -> dict[str, str]:
    """The campaign that led here: as the SDK tells it, else by the UTM parameters of the page's address."""
    told = _parts({name: part(part(context, "campaign"), name) for name in CAMPAIGN})
    if told:
        return told
    shown = part(context, "page")
    search = text(part(shown, "search"), QUERY_CHARACTERS)
    address = text(part(shown, "url"), QUERY_CHARACTERS)
    query = search.removeprefix("?") or address.partition("#")[0].partition("?")[2]
    if "utm_" not in query:
        return {}
    # The first of several wins, as it does in analytics.js.
    return _parts({_UTM[name]: value for name, value in reversed(parse_qsl(query)) if name in _UTM})


def named(value: Any) -> str:
    """The name and the version of something."""
    name, version = text(part(value, "name"), PART_CHARACTERS), text(part(value, "version"), PART_CHARACTERS)
    return f"{name} {version}" if name and version else name


def device(context: Any) -> dict[str, str]:
    """What an SDK that runs on the device tells of it: type, manufacturer and model."""
    told = part(context, "device")
    kind, model = text(part(told, "type")).lower(), text(part(told, "model"), PART_CHARACTERS)
    if kind in ("ios", "android"):  # so call mobile SDKs the platform
        kind = "tablet" if "ipad" in model.lower() or _is_wide(context) else "mobile"
    elif kind not in ("desktop", "mobile", "tablet", "tv"):
        kind = ""
    return _parts({"type": kind, "manufacturer": part(told, "manufacturer"), "model": model})


def _is_wide(context: Any) -> bool:
    """Whether the screen is 600 density-independent pixels wide, from where on Android counts a device as a tablet."""
    screen = part(context, "screen")
    numbers = [part(screen, name) for name in ("width", "height", "density")]
    if not all(isinstance(n, int | float) and not isinstance(n, bool) and 0 < n < 100_000 for n in numbers):
        return False
    return bool(min(numbers[:2]) / numbers[2] >= 600)


def _parts(values: Mapping[str, Any]) -> dict[str, str]:
    cut = {name: text(value, PART_CHARACTERS) for name, value in values.items()}
    return {name: value for name, value in cut.items() if value}
