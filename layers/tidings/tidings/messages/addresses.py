"""What is wrong with an address that a mail links to, as far as it can be told without asking anybody."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

LINKED = frozenset({"http", "https", "mailto", "tel", "sms"})
SHOWN = frozenset({"http", "https", "cid", "data"})
_DANGEROUS = frozenset({"javascript", "vbscript", "data", "file", "blob"})
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_OWN = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test", ".invalid")
_RELATIVE = "it is relative, and a mail has no place that it could be relative to"
_SPACE = re.compile(r"[\s\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an address leads nowhere; `private` where it does for some, but not for whoever gets the mail."""

    reason: str
    private: bool = False


def fault_of(address: str, schemes: frozenset[str] = LINKED, whole: bool = True) -> Fault | None:
    """What is wrong with an address; of one that is not known to its end (`whole`), only with how it begins."""
    address = address.strip()
    if address in ("", "#"):
        return Fault("it is empty" if not address else "it leads nowhere") if whole else None
    if address.startswith("#"):
        return None  # a place in the mail itself
    scheme = _SCHEME.match(address)
    if scheme is None:
        # What a variable follows may be the beginning of its scheme, but no path.
        return Fault(_RELATIVE) if whole or "/" in address else None
    fault = _fault_of_scheme(scheme[1].lower(), schemes)
    if fault is not None or not whole:
        return fault
    if _SPACE.search(address):
        return Fault("a space stands in it")
    return _fault_of_rest(scheme[1].lower(), address)


def _fault_of_scheme(scheme: str, schemes: frozenset[str]) -> Fault | None:
    if scheme in schemes:
        return None
    if scheme in _DANGEROUS:
        return Fault(f"mail programs open no {scheme}: address")
    return Fault(f"there is no {scheme}: for mails")


def _fault_of_rest(scheme: str, address: str) -> Fault | None:
    rest = address[len(scheme) + 1 :]
    if scheme == "mailto" and "@" not in rest.partition("?")[0]:
        return Fault("it names no e-mail address")
    if scheme in ("tel", "sms") and not any(character.isdigit() for character in rest):
        return Fault("it names no number")
    if scheme not in ("http", "https"):
        return None
    try:
        host = urlsplit(address).hostname or ""
        _ = urlsplit(address).port
    except ValueError:
        return Fault("it cannot be read")
    if not host or not rest.startswith("//"):
        return Fault("it names no host")
    return _fault_of_host(host)


def _fault_of_host(host: str) -> Fault | None:
    if host == "localhost" or host.endswith(_OWN):
        return Fault(f"{host} is known to your own machines only", private=True)
    try:
        place = ipaddress.ip_address(host)
    except ValueError:
        if "." not in host.strip("."):
            return Fault(f"{host} is known to your own machines only", private=True)
        return None
    return None if place.is_global else Fault(f"{host} is known to your own machines only", private=True)
