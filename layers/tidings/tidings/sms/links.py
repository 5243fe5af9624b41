"""Short links in text messages: a code for each recipient and link, and the address that it stands for.

A code is 120 bits of a keyed hash: nobody can guess one, and whoever makes the same text again makes the same codes.
Only what stood in a message as an address of the web ever gets a code, and only at a host that whoever wrote the
message named: what a person says of themselves, or an app of them, never makes our own domain lead where they choose.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from tidings.accounts.model import Workspace
from tidings.core.keys import keyed_hash
from tidings.messages.links import addresses_in, marked
from tidings.messages.unsubscribe import CONFIRM, PLACES, PURPOSE

PLACE = "l"
# As long as what became of a text message is kept.
KEPT = timedelta(days=365)
# 5 bits a letter. Letters of one case and digits: a link survives being typed, and being put into capitals.
CODE_LETTERS = 24

_CODE = re.compile(rf"[a-z2-7]{{{CODE_LETTERS}}}")


def shortened(
    text: str, message: str, workspace: Workspace, base: str, hosts: Collection[str]
) -> tuple[str, dict[str, str]]:
    """A text with its links made short, and the addresses that they stand for by their codes.

    An address gets the message's id as a parameter, as links in mails do, but for the way out of marketing. `base` is
    where short links lead, such as `https://acme.example`; without one the text stays as it is. What is short already,
    what is at none of the `hosts` nor at the workspace's own, and what nobody can tell the end of, stays too. The same
    for a repeat.
    """
    parts, links, done = [], {}, 0
    known = {*hosts, *hosts_in([base, workspace.public_url])}
    for start, address in addresses_in(text) if base else ():
        if address.startswith(f"{base}/{PLACE}/") or host_of(address) not in known:
            continue
        leads_to = address if is_way_out(workspace, address) else marked(address, message)
        code = keyed_hash(workspace.secret, "link", workspace.id, message, leads_to)[:CODE_LETTERS]
        links[code] = leads_to
        parts += [text[done:start], f"{base}/{PLACE}/{code}"]
        done = start + len(address)
    return "".join([*parts, text[done:]]), links


def hosts_in(value: Any) -> frozenset[str]:
    """The hosts of the addresses that stand in a text, or in any text of a structure of JSON."""
    if isinstance(value, str):
        return frozenset(host_of(address) for _, address in addresses_in(value))
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return frozenset().union(*(hosts_in(one) for one in inside))


def host_of(address: str) -> str:
    """The host of an address of the web in lower case, without its port; empty if it has none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # brackets that hold no address of IPv6
        return ""


def is_way_out(workspace: Workspace, address: str) -> bool:
    """Whether an address is a page of ours where people say what they want: following it is no interest in anything."""
    places = (PLACES[PURPOSE], PLACES[CONFIRM])
    return bool(workspace.public_url) and address.startswith(tuple(f"{workspace.public_url}/{one}/" for one in places))


def read_code(text: str) -> str:
    """The code that a text is, whatever its case; empty if it can be none."""
    code = text.lower()
    return code if _CODE.fullmatch(code) else ""
