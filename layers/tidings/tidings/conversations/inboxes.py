"""Which inbox a conversation goes to, and into which category one is resolved: what a workspace's policy says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from tidings.accounts.model import Workspace
from tidings.consent.definitions import Section
from tidings.consent.model import Channel
from tidings.consent.policy import Definition, read_definition
from tidings.conversations.model import INBOX
from tidings.core.errors import NotFound

INBOXES, CATEGORIES = "inboxes", "categories"
INBOXES_MOST, CATEGORIES_MOST = 50, 200
# What everybody has without having defined it.
CATEGORY = "general"

Address = Annotated[str, Field(min_length=1, max_length=254)]
Text = Annotated[str, Field(max_length=500)]


class InboxInput(Definition):
    """An inbox. What comes in at one of its `addresses` goes there, else what comes in by one of its `channels`."""

    title: Text = ""
    description: Text = ""
    addresses: Annotated[list[Address], Field(max_length=50, default_factory=list)]
    channels: Annotated[list[Literal["email", "sms"]], Field(max_length=2, default_factory=list)]


class CategoryInput(Definition):
    """A category of what conversations were about."""

    title: Text = ""
    description: Text = ""


def inbox_for(workspace: Workspace, channel: Channel, to: str) -> str:
    """The inbox of what comes in at an address of ours: one that names the address, else one that names the channel.

    Of several it is the first by name; `default` where there is none.
    """
    told = workspace.policy.get(INBOXES, {})
    address = to.strip().lower()
    named = [name for name in sorted(told) if address in map(str.lower, told[name].get("addresses", ()))]
    open_to = [name for name in sorted(told) if channel.value in told[name].get("channels", ())]
    return next(iter(named + open_to), INBOX)


def is_inbox(workspace: Workspace, name: str) -> bool:
    """Whether the workspace has an inbox of this name."""
    return name in (INBOX, *workspace.policy.get(INBOXES, {}))


def require_inbox(workspace: Workspace, name: str) -> None:
    """Raises NotFound for an inbox that the workspace does not have."""
    if not is_inbox(workspace, name):
        raise NotFound("unknown_inbox", f"There is no inbox named {name}.", "inbox")


def require_category(workspace: Workspace, name: str) -> None:
    """Raises NotFound for a category that the workspace does not have."""
    if name not in (CATEGORY, *workspace.policy.get(CATEGORIES, {})):
        raise NotFound("unknown_category", f"There is no category named {name}.", "category")


def inboxes_of(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """The inboxes of a workspace as the API shows them, by name; `default` is always there."""
    usual = {"title": "", "description": "", "addresses": [], "channels": []}
    return _shown(workspace, INBOXES, "inbox", INBOX, usual)


def _categories_of(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """The categories of a workspace as the API shows them, by name; `general` is always there."""
    return _shown(workspace, CATEGORIES, "category", CATEGORY, {"title": "", "description": ""})


def _read_inbox(told: Mapping[str, Any]) -> dict[str, Any]:
    return read_definition(InboxInput, told)


def _read_category(told: Mapping[str, Any]) -> dict[str, Any]:
    return read_definition(CategoryInput, told)


def _shown(
    workspace: Workspace, section: str, field: str, own: str, usual: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    told = {own: {}, **workspace.policy.get(section, {})}
    return {name: {field: name, **usual, **told[name]} for name in sorted(told)}


SECTIONS = (
    Section(INBOXES, "inbox", INBOXES_MOST, _read_inbox, inboxes_of, code="unknown_inbox"),
    Section(CATEGORIES, "category", CATEGORIES_MOST, _read_category, _categories_of, code="unknown_category"),
)
