"""The way out of marketing mail: a link that nobody can guess, its headers, and a line in the mail where none stands.

RFC 8058 asks for an https address that names recipient and list by itself, since it is called without cookies.
"""

from __future__ import annotations

from dataclasses import dataclass

from tidings.accounts.model import Workspace
from tidings.core.keys import keyed_hash, same

PURPOSE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link in a mail stands for. `key` is the keyed hash of the address, `topic` empty for all marketing."""

    workspace: str
    message: str
    key: str
    topic: str


def token_of(workspace: Workspace, ticket: Ticket, purpose: str = PURPOSE) -> str:
    """The text that stands for a ticket: `[a-z0-9.-]`, so that no mail program breaks it."""
    parts = (ticket.workspace, ticket.message, ticket.key, ticket.topic)
    return ".".join((*parts, keyed_hash(workspace.secret, purpose, *parts)))


def read_token(token: str) -> tuple[Ticket, str] | None:
    """The ticket that a token claims to be, and its signature, unchecked; None for no token."""
    parts = token.split(".")
    return (Ticket(*parts[:4]), parts[4]) if len(parts) == 5 and all((*parts[:3], parts[4])) else None


def is_genuine(workspace: Workspace, ticket: Ticket, signature: str, purpose: str = PURPOSE) -> bool:
    """Whether a ticket was signed by us, for this purpose."""
    parts = (ticket.workspace, ticket.message, ticket.key, ticket.topic)
    return same(keyed_hash(workspace.secret, purpose, *parts), signature)


def link_of(workspace: Workspace, ticket: Ticket) -> str:
    """The address of the page at which a person says what they still want."""
    return f"{workspace.public_url}/u/{token_of(workspace, ticket)}"


def headers_of(link: str) -> dict[str, str]:
    """The two headers by which mail programs show a button of their own (RFC 2369, RFC 8058)."""
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def with_link(html: str, text: str, link: str) -> tuple[str, str]:
    """A mail with a visible way out: where the link does not stand in a part yet, a line at its end has it."""
    if html and link not in html:
        style = "font:12px/18px sans-serif;color:#6b6b6b;text-align:center"
        line = f'<p style="{style}"><a href="{link}">Unsubscribe</a></p>'
        end = html.lower().rfind("</body>")
        html = html + line if end < 0 else html[:end] + line + html[end:]
    if text and link not in text:
        text = f"{text.rstrip()}\n\n--\nUnsubscribe: {link}\n"
    return html, text
