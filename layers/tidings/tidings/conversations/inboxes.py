"""Which inbox a conversation goes to, and into which category one is resolved: what a workspace's policy says."""

from __future__ import annotations

from tidings.accounts.model import Workspace
from tidings.consent.model import Channel
from tidings.conversations.model import INBOX

INBOXES, CATEGORIES = "inboxes", "categories"


def inbox_for(workspace: Workspace, channel: Channel, to: str) -> str:
    """The inbox of what comes in at an address of ours: one that names the address, else one that names the channel.

    Of several it is the first by name; `default` where there is none.
    """
    told = workspace.policy.get(INBOXES, {})
    address = to.strip().lower()
    named = [name for name in sorted(told) if address in told[name].get("addresses", ())]
    open_to = [name for name in sorted(told) if channel.value in told[name].get("channels", ())]
    return next(iter(named + open_to), INBOX)
