"""What a browser says of itself and of the device that it runs on: the user agent, and the client hints beside it.

Browsers freeze parts of their user agents, so that these say something untrue: every Windows since 10 is "NT 10.0",
every macOS since 11 is "10_15_7", a reduced Android is "10; K" (https://www.chromium.org/updates/ua-reduction). What is
frozen is not kept; client hints (https://wicg.github.io/ua-client-hints) tell it where an app asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ua_parser import OS, Device, PartialResult, Resolver, UserAgent

# Longer ones are no browser's; the patterns are tried one after the other, which takes the longer the longer the text.
LONGEST_CHARACTERS = 512

# Every browser begins so, and no library that merely speaks HTTP does.
_BROWSER = re.compile(r"^(?:Mozilla|Opera)/\d")
_MACHINES = frozenset({"Spider"})  # the parser's family for crawlers and checkers
# The parser's brands for what it does not know begin so; only for Android's is the model the device's own word.
_UNKNOWN_BRAND = "Generic"
_UNKNOWN_ANDROID = "Generic_Android"
_REDUCED = "K"  # the model that reduced user agents name
_DESKTOPS = frozenset({"Windows", "macOS", "Linux", "Ubuntu", "Fedora", "Debian", "ChromeOS", "FreeBSD", "OpenBSD"})
_TELEVISION = re.compile(r"\b(?:smart-?tv|web0s|hbbtv|crkey|appletv|apple tv|bravia|aft\w+|googletv|roku)", re.I)
# Brands that are there so that nobody relies on the list, such as "Not/A)Brand", and the engine that most share.
_NO_BRAND = re.compile(r"^\W*not\b.*brand|^Chromium$", re.I)
# The first version of macOS and Windows whose user agent is another's.
_OLDEST_FROZEN = {"Mac OS X": (10, 15), "Windows": (10,)}
_OS_NAMES = {"Mac OS X": "macOS", "Chrome OS": "ChromeOS", "Chromium OS": "ChromeOS"}


class Parsed(NamedTuple):
    """What a user agent and its hints tell; empty where they tell nothing."""

    browser: str = ""
    os: str = ""
    device: Mapping[str, str] = {}


NOTHING = Parsed()


def parse(user_agent: Any, hints: Any = None) -> Parsed:
    """What `context.userAgent` and `context.userAgentData` tell: "Chrome 142", "iOS 17.5", and a device with its type
    (desktop, mobile, tablet or tv), manufacturer and model.

    A library of a server, or a crawler, tells nothing. Accepts any JSON. Versions are kept as far as they change what a
    browser can do: a browser's first number, a system's first two.
    """
    text = user_agent.strip() if isinstance(user_agent, str) else ""
    told = _parsed(text) if 0 < len(text) <= LONGEST_CHARACTERS else NOTHING
    hinted = _hinted(hints) if isinstance(hints, Mapping) else NOTHING
    # A frozen user agent keeps a system's name and loses its version: a hint without one adds nothing to it.
    system = hinted.os if not told.os.startswith(hinted.os) else told.os
    return Parsed(hinted.browser or told.browser, system, {**told.device, **hinted.device})


@lru_cache(maxsize=2048)
def _parsed(text: str) -> Parsed:
    result = _resolve(text)
    if result.device is not None and result.device.family in _MACHINES:
        return NOTHING
    system = _system(result.os, text)
    browser = _browser(result.user_agent) if _BROWSER.match(text) else ""
    return Parsed(browser, system, _device(result.device, system, text))


@lru_cache(maxsize=1)
def _resolver() -> Resolver:
    # Imported here, since calls from servers never need it. Lazy: the first user agent compiles the patterns it is
    # tried on and no others.
    from ua_parser import BasicResolver, load_lazy_builtins

    return BasicResolver(load_lazy_builtins())


def _resolve(text: str) -> PartialResult:
    from ua_parser import Domain, PartialResult

    resolver = _resolver()

    def told(domain: Domain) -> PartialResult | None:
        try:
            return resolver(text, domain)
        except ValueError:  # a name of nothing but spaces, which the parser expects of nobody
            return None

    browser, system, device = told(Domain.USER_AGENT), told(Domain.OS), told(Domain.DEVICE)
    return PartialResult(
        Domain.ALL,
        browser.user_agent if browser else None,
        system.os if system else None,
        device.device if device else None,
        text,
    )


def _browser(found: UserAgent | None) -> str:
    return "" if found is None else _joined(found.family, found.major)


def _system(found: OS | None, text: str) -> str:
    """A system's name, with its version where that is no frozen one."""
    if found is None:
        return ""
    version = tuple(int(part) for part in (found.major, found.minor) if part and part.isdecimal())
    frozen = _OLDEST_FROZEN.get(found.family)
    reduced = found.family == "Android" and f"; {_REDUCED})" in text
    name = _OS_NAMES.get(found.family, found.family)
    if reduced or (frozen is not None and version >= frozen) or name == "ChromeOS":
        return name
    return _joined(name, ".".join(part for part in (found.major, found.minor) if part))


def _device(found: Device | None, system: str, text: str) -> dict[str, str]:
    device = {"type": _type(found, system, text)}
    brand, model = (found.brand or "", found.model or "") if found is not None else ("", "")
    if not brand.startswith(_UNKNOWN_BRAND):
        device |= {"manufacturer": brand, "model": model}
    elif brand.startswith(_UNKNOWN_ANDROID) and model != _REDUCED:
        device["model"] = model
    return {name: value for name, value in device.items() if value}


def _type(found: Device | None, system: str, text: str) -> str:
    name = system.partition(" ")[0]
    model = (found.model or "") if found is not None else ""
    if _TELEVISION.search(text):
        return "tv"
    if "iPad" in model or "Tablet" in text or (name == "Android" and "Mozilla" in text and "Mobile" not in text):
        return "tablet"
    if name in ("iOS", "Android") or "Mobile" in text:
        return "mobile"
    return "desktop" if name in _DESKTOPS else ""


def _hinted(hints: Mapping[str, Any]) -> Parsed:
    device = {"type": "mobile"} if hints.get("mobile") is True else {}
    model = hints.get("model")
    if isinstance(model, str) and model.strip():
        device["model"] = model.strip()
    return Parsed(_branded(hints.get("fullVersionList") or hints.get("brands")), _platform(hints), device)


def _branded(brands: Any) -> str:
    """The browser among the brands, such as "Edge 126"; empty where only the engine is named."""
    for entry in brands if isinstance(brands, list) else ():
        brand = entry.get("brand") if isinstance(entry, Mapping) else None
        if isinstance(brand, str) and brand.strip() and not _NO_BRAND.search(brand):
            version = entry.get("version")
            name = brand.strip().removeprefix("Google ").removeprefix("Microsoft ")
            return _joined(name, version.partition(".")[0] if isinstance(version, str) else "")
    return ""


def _platform(hints: Mapping[str, Any]) -> str:
    platform, version = hints.get("platform"), hints.get("platformVersion")
    if not isinstance(platform, str) or not platform.strip() or platform == "Unknown":
        return ""
    name = _OS_NAMES.get(platform.strip(), platform.strip())
    numbers = re.findall(r"\d{1,4}", version)[:2] if isinstance(version, str) else []
    if not numbers or name == "Linux":
        return name
    if name == "Windows":  # its number is that of an interface: 13 and more are Windows 11, 1 to 12 are Windows 10
        major = int(numbers[0])
        return "Windows 11" if major >= 13 else "Windows 10" if major >= 1 else name
    return _joined(name, ".".join(numbers[: 1 if numbers[1:] == ["0"] else 2]))


def _joined(name: str, version: str | None) -> str:
    return f"{name} {version}" if version else name
