"""The way out of marketing mail: a link that nobody can guess, its headers, and a footer in the mail where none stands.

RFC 8058 asks for an https address that names recipient and list by itself, since it is called without cookies. There is
no `mailto:` beside it: Tidings receives no mail. The RFC (section 4) also wants both headers inside a DKIM signature;
SES writes the message and signs it where the domain has DKIM, and AWS tells senders to hand it just these two.
https://aws.amazon.com/blogs/messaging-and-targeting/using-one-click-unsubscribe-with-amazon-ses/

A token carries all that is needed to act on it, so that the link in an old mail works for as long as the workspace is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from tidings.accounts.model import Workspace
from tidings.core.keys import keyed_hash, same

PURPOSE = "unsubscribe"
CONFIRM = "confirm"  # of double opt-in
HIDDEN = "hidden"

# Where each kind of token is taken.
PLACES = {PURPOSE: "u", CONFIRM: "confirm", HIDDEN: "h"}

_BODY_END = re.compile("</body>", re.IGNORECASE | re.ASCII)
_FOOTER = "font:12px/18px Helvetica,Arial,sans-serif;color:#757575;text-align:center;padding:24px 12px;margin:0"
# What a person never sees nor reaches with the keyboard, and a machine that follows every link does.
_UNSEEN = "display:none;max-height:0;overflow:hidden;mso-hide:all"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link in a mail stands for. `key` is the keyed hash of the address, `topic` empty for all marketing."""

    workspace: str
    message: str
    key: str
    topic: str


def token_of(workspace: Workspace, ticket: Ticket, purpose: str = PURPOSE) -> str:
    """The text that stands for a ticket: `[a-z0-9.-]`, so that no mail program breaks it; at most 220 characters."""
    parts = (ticket.workspace, ticket.message, ticket.key, ticket.topic)
    return ".".join((*parts, keyed_hash(workspace.secret, purpose, *parts)))


def read_token(token: str) -> tuple[Ticket, str] | None:
    """The ticket that a token claims to be, and its signature, unchecked; None for no token."""
    parts = token.split(".")
    return (Ticket(*parts[:4]), parts[4]) if len(parts) == 5 and all((*parts[:3], parts[4])) else None


def is_genuine(workspace: Workspace, ticket: Ticket, signature: str, purpose: str = PURPOSE) -> bool:
    """Whether a ticket was signed by this workspace, for this purpose."""
    parts = (ticket.workspace, ticket.message, ticket.key, ticket.topic)
    if not workspace.secret or ticket.workspace != workspace.id:
        return False
    return same(keyed_hash(workspace.secret, purpose, *parts), signature)


def link_of(workspace: Workspace, ticket: Ticket, purpose: str = PURPOSE) -> str:
    """The address of the page at which a person says what they still want; with another purpose that one's page."""
    return f"{workspace.public_url}/{PLACES[purpose]}/{token_of(workspace, ticket, purpose)}"


def headers_of(link: str) -> dict[str, str]:
    """The two headers by which mail programs show a button of their own (RFC 2369, RFC 8058).

    SES takes 995 printable ASCII characters as a header's value; a workspace's public address has to leave room.
    """
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def with_link(html: str, text: str, link: str, workspace: Workspace) -> tuple[str, str]:
    """A mail with a visible way out: where no link to it stands in a part yet, a footer at its end has one.

    The HTML also gets a link that no person sees: whoever follows it is a machine.
    """
    from tidings.messages.links import leads_to  # late: the pages that links lead to read no mails

    brand = Brand.of(workspace)
    if html:
        footer = "" if leads_to(html, link) else _footer(brand, link)
        html = _before_end(html, footer + _hidden(workspace, link))
    if text and link not in text:
        lines = [line for line in (brand.line, brand.footer) if line]
        text = "\n".join([text.rstrip(), "", "-- ", *lines, f"Unsubscribe: {link}", ""])
    return html, text


@dataclass(frozen=True, slots=True)
class Brand:
    """How a workspace looks to the people it writes to, set once for all its pages and footers.

    `colour` is `#rrggbb`; `logo_url` begins with https.
    """

    name: str
    postal_address: str = ""
    colour: str = ""
    logo_url: str = ""
    footer: str = ""

    @classmethod
    def of(cls, workspace: Workspace) -> Brand:
        """The workspace's brand; its name where nobody set one."""
        told = workspace.policy.get("brand") or {}
        given = {name: str(told.get(name) or "") for name in cls.__slots__}
        return cls(**{**given, "name": given["name"] or workspace.name or workspace.id})

    @property
    def line(self) -> str:
        """Who writes, and where they are."""
        return ", ".join(part for part in (self.name, " ".join(self.postal_address.split())) if part)


def _footer(brand: Brand, link: str) -> str:
    lines = [escape(line) for line in (brand.line, brand.footer) if line]
    # A click on it is nobody's interest in anything: SES leaves it alone.
    way = f'<a ses:no-track href="{escape(link)}" style="color:#757575;text-decoration:underline">Unsubscribe</a>'
    return f'<p style="{_FOOTER}">{"<br>".join([*lines, way])}</p>'


def _hidden(workspace: Workspace, link: str) -> str:
    read = read_token(link.rpartition("/")[2])
    if read is None or not workspace.hidden_link:
        return ""
    address = escape(link_of(workspace, read[0], HIDDEN))
    return f'<a href="{address}" style="{_UNSEEN}" aria-hidden="true" tabindex="-1" rel="nofollow"></a>'


def _before_end(html: str, more: str) -> str:
    end = max((found.start() for found in _BODY_END.finditer(html)), default=len(html))
    return html[:end] + more + html[end:]
