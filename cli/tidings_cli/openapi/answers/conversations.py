"""Conversations, and the inboxes and categories that a workspace has for them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from tidings_cli.openapi.answers.base import Cursor, Error, Instant, Shape
from tidings_cli.openapi.answers.contacts import MessageShown

Count = Annotated[int, Field(ge=0)]
Channel = Literal["email", "sms"]
State = Literal["new", "ongoing", "on_hold", "resolved"]


class ReplyWay(Shape):
    """How a reply goes unless it says otherwise: by the channel of the latest message that came in."""

    channel: Channel
    address: str
    """The person's address."""
    from_: Annotated[str, Field(alias="from")]
    """The address of yours that they wrote to."""


class Resolution(Shape):
    """What a conversation was about."""

    type: Literal["question", "incident", "problem", "task"]
    category: str
    key_message: str
    by: str
    at: Instant


class ConversationShown(Shape):
    """A conversation with one contact."""

    conversation: str
    contact: str
    state: State
    inbox: str
    agent: str
    """Who has it; empty for nobody."""
    channel: Channel
    """That of the latest message, either way."""
    reply: ReplyWay
    opened_at: Instant
    last_at: Instant
    """When the latest message was, by its provider's time."""
    wakes_at: Instant | None
    """When a hold ends by itself."""
    resolution: Resolution | None
    revision: Annotated[int, Field(ge=1)]


class Conversations(Shape):
    """A page of conversations, latest first."""

    conversations: list[ConversationShown]
    cursor: Cursor


class FileShown(Shape):
    """A file that came with a message."""

    name: str
    type: str
    size: Count


class EntryShown(Shape):
    """What stands in a conversation: a message that came in or went out, or a note."""

    entry: str
    at: Instant
    direction: Literal["in", "out", "note"]
    channel: Channel | None
    text: str
    subject: str
    who: str
    """The person's address, or the agent."""
    message: str
    """The id of a message that went out; of one that came in that of the message it answers, if it is known."""
    attachments: list[FileShown]


class ConversationRead(ConversationShown):
    """A conversation with a page of what stands in it, in the order of time."""

    revision: Annotated[int, Field(ge=1)] | None  # type: ignore[assignment]
    """None of a conversation as it stood at an earlier time, which nobody can change."""
    entries: list[EntryShown]
    cursor: Cursor


class ConversationReplied(Shape):
    """A reply, and the conversation after it."""

    message: MessageShown
    """As it stands: `skipped` with its decision where it must not go."""
    conversation: ConversationShown


class MailFile(FileShown):
    """A file of a mail."""

    content: str
    """In base64."""


class MailShown(Shape):
    """A mail that came in, the whole of it."""

    entry: str
    from_: Annotated[str, Field(alias="from")]
    subject: str
    text: str
    """With what it quotes."""
    attachments: list[MailFile]


class StateCounts(Shape):
    """How many conversations are in each state."""

    new: Count
    ongoing: Count
    on_hold: Count
    resolved: Count


class ConversationCounts(Shape):
    """How many conversations each inbox has in each state; an inbox that never had any is left out."""

    inboxes: dict[str, StateCounts]
    total: StateCounts


class ConversationError(Error):
    """Why a change was refused; where somebody else changed the conversation first, as it is now."""

    conversation: ConversationShown | SkipJsonSchema[None] = None


class InboxShown(Shape):
    """An inbox."""

    inbox: str
    title: str
    description: str
    addresses: list[str]
    """What comes in at one of these addresses goes there."""
    channels: list[Channel]
    """What comes in by one of these channels goes there, unless another inbox has the address."""


class Inboxes(Shape):
    """All inboxes, `default` among them."""

    inboxes: list[InboxShown]


class CategoryShown(Shape):
    """A category of what conversations were about."""

    category: str
    title: str
    description: str


class Categories(Shape):
    """All categories, `general` among them."""

    categories: list[CategoryShown]
