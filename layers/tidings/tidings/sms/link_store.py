"""The table of short links: what each code stands for, and for whom it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from tidings.accounts.model import Workspace
from tidings.core.store import Database, Key, Part, SingleItem, faults, update
from tidings.messages.model import Message
from tidings.sms.links import KEPT, host_of, is_way_out


@dataclass(frozen=True, slots=True)
class ShortLink:
    """What a code stands for. `way_out` says that it leads to our own page, of which no click is counted.

    `hosts` are those at which it was handed out: one, or several where a message was sent again from another setup;
    none is known of links from before that was kept. One that is `expired` leads nowhere: DynamoDB may take days to
    delete it.
    """

    code: str
    workspace: str
    message: str
    address: str
    way_out: bool = False
    expired: bool = False
    hosts: frozenset[str] = frozenset()


class ShortLinkItem(SingleItem):
    workspace = UnicodeAttribute()
    message = UnicodeAttribute()
    address = UnicodeAttribute()
    way_out = BooleanAttribute(null=True)
    expires_at = NumberAttribute()
    hosts = UnicodeSetAttribute(null=True)


class DynamoShortLinkStore:
    """Short links in DynamoDB, by their codes."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(ShortLinkItem, "short_links")

    def parts(self, workspace: Workspace, message: Message, links: Mapping[str, str], now: datetime) -> list[Part]:
        """Writes that go with the claim of a message: its links by their codes. Written again they are the same.

        Hosts come to those of an attempt before, of which nobody knows whether its text arrived.
        """
        from tidings.sms.model import Setup  # late: whoever follows a link makes none

        # Without the final dot of a name that is written in full: nobody who follows the link says it.
        host, until = host_of(Setup.of(workspace).short_url).rstrip("."), int((now + KEPT).timestamp())
        kept = self._items
        own = [
            kept.workspace.set(workspace.id),
            kept.message.set(message.id),
            kept.expires_at.set(until),
            *([kept.hosts.add({host})] if host else []),
        ]
        return [
            update(
                "link",
                kept(code),
                [
                    *own,
                    kept.address.set(address),
                    kept.way_out.set(True) if is_way_out(workspace, address) else kept.way_out.remove(),
                ],
            )
            for code, address in links.items()
        ]

    def key(self, code: str) -> Key:
        """Where a link stands, for a batched write."""
        return Key(self._items, code)

    def get(self, code: str, now: datetime) -> ShortLink | None:
        """What a code stands for, as of an instant: one read. None for a code that there is not."""
        with faults():
            try:
                item = self._items.get(code)
            except self._items.DoesNotExist:
                return None
        expired = item.expires_at <= now.timestamp()
        hosts = frozenset(item.hosts or ())
        return ShortLink(code, item.workspace, item.message, item.address, bool(item.way_out), expired, hosts)
