"""What a reply says, before anybody is asked whether it may go: its body, its channel, its subject, whom it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tidings.accounts.model import Workspace
from tidings.consent.model import Channel
from tidings.contacts.model import Contact, Identity, IdentityKind, Trait
from tidings.conversations.model import Conversation, Entry
from tidings.core.errors import Conflict, InvalidInput
from tidings.email.answering import read_signed
from tidings.email.attachments import FILES, AttachmentInput
from tidings.email.ordering import is_verified
from tidings.messages.model import SUBJECT_CHARACTERS, Name, Template, TemplateInput

TEXT_CHARACTERS = 100_000
AD_HOC = "reply"
RE = "Re: "
# What SES takes as a header's value; RFC 5322 lets a line have 998 characters.
HEADER_CHARACTERS = 995

_ADDRESS_OF = {Channel.EMAIL: (IdentityKind.EMAIL, "email"), Channel.SMS: (IdentityKind.PHONE, "phone")}


class ConversationReply(BaseModel):
    """The body of POST /v1/conversations/{conversation}/replies: `text`, or the name of a `template`.

    Both are Liquid with the contact and `variables`. `channel` is that of the last message that came in unless it is
    named; `subject` and `attachments` are for mails.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    text: Annotated[str, Field(max_length=TEXT_CHARACTERS)] = ""
    template: Name | None = None
    subject: Annotated[str, Field(max_length=SUBJECT_CHARACTERS)] = ""
    variables: dict[str, Any] = Field(default_factory=dict)
    attachments: Annotated[list[AttachmentInput], Field(max_length=FILES)] = Field(default_factory=list)
    channel: Annotated[Channel | None, Field(strict=False)] = None
    idempotency_key: Annotated[str, Field(min_length=1, max_length=256)]


def channel_of(asked: ConversationReply, conversation: Conversation) -> Channel:
    """How the reply goes: as asked, else as the last message came in. Raises InvalidInput for what cannot go so."""
    if bool(asked.text.strip()) == bool(asked.template):
        raise InvalidInput("invalid_request", "A reply has a text, or names a template.", "text")
    channel = asked.channel or conversation.reply_channel
    if channel is None:
        raise InvalidInput("channel_needed", "Nothing came in yet: name the channel of the reply.", "channel")
    if channel is Channel.SMS and asked.attachments:
        raise InvalidInput("no_attachments_by_sms", "A text message carries no files: send a link.", "attachments")
    if asked.subject and (channel is Channel.SMS or asked.template):
        raise InvalidInput("invalid_request", "Only a mail without a template is given a subject.", "subject")
    return channel


def require_channel(template: Template, channel: Channel) -> None:
    """Refuse a template of another channel. Raises InvalidInput."""
    if template.content.channel is not channel:
        told = f"The template {template.name} is of the channel {template.content.channel.value}."
        raise InvalidInput("wrong_channel", told, "template")


def ad_hoc(
    asked: ConversationReply, channel: Channel, workspace: Workspace, conversation: Conversation, now: datetime
) -> Template:
    """The text of a reply as a template of no version.

    What a person wrote is no Liquid: the subject of their mail stands in a variable.
    """
    if channel is Channel.SMS:
        content = TemplateInput(template=AD_HOC, channel=channel, text=asked.text)
    else:
        sender = conversation.to if conversation.reply_channel is channel and _sends(workspace, conversation.to) else ""
        content = TemplateInput(
            template=AD_HOC, subject="{{ variables.reply_subject }}", text=asked.text, from_address=sender
        )
    return Template(workspace.id, AD_HOC, 0, content, now)


def _sends(workspace: Workspace, address: str) -> bool:
    """Whether mail may leave from the address that a mail came to."""
    return "@" in address and read_signed(address) is None and is_verified(workspace, address)


def subject_of(asked: ConversationReply, answered: Entry | None) -> str:
    """The subject of a reply by mail: as asked, else that of the mail it answers, with one `Re:` before it."""
    if asked.subject:
        return asked.subject
    subject = " ".join(answered.subject.split()) if answered else ""
    return subject if subject[:3].lower() == "re:" else f"{RE}{subject}"[:SUBJECT_CHARACTERS].rstrip()


def headers_of(answered: Entry | None) -> Mapping[str, str]:
    """The headers by which mail programs put a reply below what it answers (RFC 5322, 3.6.4)."""
    ids = answered.reference.split() if answered else []
    if not ids:
        return {}
    while len(" ".join(ids)) > HEADER_CHARACTERS and len(ids) > 1:
        del ids[0]
    shown = " ".join(ids)
    return {"In-Reply-To": ids[-1], "References": shown} if len(shown) <= HEADER_CHARACTERS else {}


def require_theirs(asked: ConversationReply, contact: Contact, conversation: Conversation, channel: Channel) -> None:
    """Refuse to answer at an address that is not the contact's, or not any more, unless the channel is named.

    A colleague may answer a mail that was signed for somebody else, and a merge may be undone: whoever replies decides
    whether the contact is meant. Raises Conflict.
    """
    if asked.channel is not None or channel is not conversation.reply_channel:
        return
    if Identity(_ADDRESS_OF[channel][0], conversation.address) not in contact.identities:
        told = "What came in last is from an address that is not the contact's: name the channel to write to theirs."
        raise Conflict("address_not_theirs", told, "channel")


def as_written_from(contact: Contact, conversation: Conversation, channel: Channel) -> Contact:
    """The contact, to be written to at the address that it wrote from, if that is one of its own.

    Somebody may write from an earlier address, and then reads that one.
    """
    kind, trait = _ADDRESS_OF[channel]
    if channel is not conversation.reply_channel or conversation.address == contact.values.get(trait):
        return contact
    if Identity(kind, conversation.address) not in contact.identities:
        return contact
    known = contact.traits.get(trait)
    at, by = (known.at, known.by) if known else (contact.created_at, "reply")
    return replace(contact, traits={**contact.traits, trait: Trait(conversation.address, at, by)})
