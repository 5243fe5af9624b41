"""Replies of agents: messages like any other, checked and sent on the one path, with the conversation in their claim.

The entry, the conversation's new state and the event `Conversation Replied` are written in the transaction that claims
the message: whatever breaks, they stand exactly once, and only if the message may have gone. What is not sent (the
address is suppressed, the person said STOP) leaves the conversation as it was, and the decision says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.chain import Node
from tidings.activity.store import DynamoEventStore
from tidings.consent.model import Channel, Kind
from tidings.contacts.model import Contact
from tidings.contacts.service import ContactDirectory
from tidings.conversations import replying
from tidings.conversations.model import Attachment, Conversation, ConversationChanged, Direction, Entry
from tidings.conversations.replying import ConversationReply
from tidings.conversations.rules import replied
from tidings.conversations.store import DynamoConversationStore
from tidings.conversations.telling import REPLIED, changed
from tidings.core.clock import Clock
from tidings.core.errors import NotFound, Unavailable
from tidings.core.ids import digest, message_id
from tidings.core.store import ConditionFailed, Database, Part
from tidings.email.attachments import read_attachments
from tidings.email.model import MailOrder
from tidings.email.service import EmailService
from tidings.messages.model import Message, State, Template
from tidings.messages.orders import WithClaim
from tidings.messages.path import MessagePath, Unsettled
from tidings.messages.requests import fingerprint_of, require_small
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore
from tidings.sms.model import Setup, SmsOrder
from tidings.sms.ordering import answering
from tidings.sms.service import SmsService

TRIES = 5
# Among how many of the latest entries the mail is looked for that a reply answers.
RECENT = 25
# What of a reply stands in the conversation, whose items have 400 KB: the mail itself is sent whole.
SHOWN_CHARACTERS = 50_000
INSTANT = timedelta(microseconds=1)

Ordered = MailOrder | SmsOrder


@dataclass(frozen=True, slots=True)
class Replied:
    """A reply as it stands, and its conversation after it."""

    message: Message
    conversation: Conversation

    def as_dict(self) -> dict[str, Any]:
        """As the API shows it."""
        return {"message": self.message.as_dict(), "conversation": self.conversation.as_dict()}


@dataclass(frozen=True, slots=True)
class _Draft:
    """Everything that was read for a reply."""

    conversation: Conversation
    order: Ordered
    known: Message | None
    who: str


class Replies:
    """Sends what agents answer."""

    def __init__(
        self,
        database: Database,
        conversations: DynamoConversationStore,
        events: DynamoEventStore,
        directory: ContactDirectory,
        messages: DynamoMessageStore,
        emails: EmailService,
        texts: SmsService,
        clock: Clock,
    ) -> None:
        self._database = database
        self._conversations = conversations
        self._events = events
        self._directory = directory
        self._messages = messages
        self._emails = emails
        self._texts = texts
        self._workspaces = DynamoWorkspaceStore(database)
        self._templates = DynamoTemplateStore(database)
        self._clock = clock

    def reply(self, workspace: str, conversation: str, who: str, asked: ConversationReply) -> Replied:
        """Answer in a conversation; the message as it stands, `skipped` with its decision where it must not go.

        The same idempotency key again is the same reply. Raises NotFound, InvalidInput, ConversationChanged for one
        that is resolved, Conflict for a key that was used otherwise, Throttled, Unavailable.
        """
        require_small(asked.variables, "variables")
        for _ in range(TRIES):
            draft = self._draft(workspace, conversation, who, asked)
            try:
                message = self._send(draft)
            except Unsettled:
                stored = self._messages.get(workspace, draft.order.message_id)
                if stored is None:
                    raise
                message = stored
            except ConditionFailed:
                continue  # somebody else changed the conversation, or tries the same reply
            return Replied(message, self._get(workspace, conversation))
        raise Unavailable("conversation_contended", "The conversation kept changing.")

    def _get(self, workspace: str, conversation: str) -> Conversation:
        found = self._conversations.get(workspace, conversation)
        if found is None:
            raise NotFound("unknown_conversation", "There is no such conversation.", "conversation")
        return found

    def _draft(self, workspace: str, conversation: str, who: str, asked: ConversationReply) -> _Draft:
        """Read what a reply needs: the conversation, its contact, and what else in one batched read."""
        found = self._get(workspace, conversation)
        channel = replying.channel_of(asked, found)
        contact = self._directory.get(workspace, found.person)
        name = message_id(found.contact, "reply", conversation, asked.idempotency_key)
        message_key = self._messages.key(workspace, found.contact, name)
        workspace_key = self._workspaces.key(workspace)
        template_key = self._templates.live_key(workspace, asked.template or replying.AD_HOC)
        read = self._database.batch_get([message_key, workspace_key, *([template_key] if asked.template else [])])
        known = self._messages.entity(read[message_key]) if message_key in read else None
        if known is None and not found.is_open:
            raise ConversationChanged("conversation_resolved", "The conversation is resolved.", found)
        if known is None:
            replying.require_theirs(asked, contact, found, channel)
        place = self._workspaces.entity(read[workspace_key])
        if asked.template is None:
            template = replying.ad_hoc(asked, channel, place, found, self._clock.now())
        elif template_key in read:
            template = self._templates.entity(read[template_key])
            replying.require_channel(template, channel)
        else:
            raise NotFound("unknown_template", f"There is no template named {asked.template}.", "template")
        return _Draft(found, self._order(place, contact, found, name, template, channel, asked), known, who)

    def _order(
        self,
        workspace: Workspace,
        contact: Contact,
        conversation: Conversation,
        name: str,
        template: Template,
        channel: Channel,
        asked: ConversationReply,
    ) -> Ordered:
        common: dict[str, Any] = {
            "workspace": workspace,
            "contact": replying.as_written_from(contact, conversation, channel),
            "message_id": name,
            "owner": conversation.contact,
            "template_name": template.name,
            "template": template,
            "kind": Kind.TRANSACTIONAL,
            "cause": {"api": asked.idempotency_key},
            "request": fingerprint_of(asked),
            "conversation": conversation.id,
        }
        if channel is Channel.SMS:
            sender = conversation.to if conversation.reply_channel is channel else ""
            if sender.startswith("+") and sender not in Setup.of(workspace).numbers:
                sender = ""  # the workspace gave the number up
            common["workspace"], sent_as = answering(workspace, sender)
            return SmsOrder(
                **common, variables=asked.variables, sender=sender, sent_as=sent_as, two_way=True, given=True
            )
        answered = self._answered(conversation)
        subject = {} if asked.template else {"reply_subject": replying.subject_of(asked, answered)}
        return MailOrder(
            **common,
            variables={**asked.variables, **subject},
            attachments=read_attachments(asked.attachments),
            headers=replying.headers_of(answered),
        )

    def _answered(self, conversation: Conversation) -> Entry | None:
        """The latest mail that came in: one query."""
        entries = self._conversations.entries(conversation.workspace, conversation.id, "", RECENT, latest=True)
        mails = (one for one in entries if one.direction is Direction.IN and one.channel == Channel.EMAIL.value)
        return next(mails, None)

    def _send(self, draft: _Draft) -> Message:
        if isinstance(draft.order, MailOrder):
            return self._emails.send(
                draft.order, draft.known, WithClaim(lambda: self._parts(draft, self._emails, "text"))
            )
        return self._texts.send(draft.order, draft.known, WithClaim(lambda: self._parts(draft, self._texts, "body")))

    def _parts(self, draft: _Draft, path: MessagePath[Any, Any], of: str) -> list[Part]:
        """What goes with the claim: of a reply that was claimed before, nothing more. Raises ConversationChanged.

        What the person will read is asked of the path once more, which reads what is known of the address again.
        """
        order, before = draft.order, draft.conversation
        if draft.known is not None and State.CLAIMED.value in draft.known.history:
            return []
        entry = self._entry(draft, str(getattr(path.decide(order).content, of, "")))
        after = replied(before, Channel(entry.channel), entry, draft.who)
        told = {"channel": entry.channel, "agent": draft.who, "message": order.message_id, "entry": entry.id}
        told |= {"from_state": before.state.value, "state": after.state.value}
        event = changed(after, REPLIED, told, entry.at, Node.message(order.message_id), of=entry.id)
        parts = self._conversations.changing(before, after)
        parts.append(self._conversations.entry_part(before.workspace, before.id, entry))
        return [*parts, self._events.part(event)]

    def _entry(self, draft: _Draft, text: str) -> Entry:
        order = draft.order
        mail = isinstance(order, MailOrder)
        files = order.attachments if isinstance(order, MailOrder) else ()
        return Entry(
            id=digest("reply", order.message_id),
            at=self._after(draft.conversation),
            direction=Direction.OUT,
            text=text[:SHOWN_CHARACTERS],
            channel=(Channel.EMAIL if mail else Channel.SMS).value,
            subject=str(order.variables.get("reply_subject", "")) if mail else "",
            who=draft.who,
            message=order.message_id,
            attachments=tuple(Attachment(one.name, one.type, len(one.content)) for one in files),
        )

    def _after(self, conversation: Conversation) -> datetime:
        """Now, and certainly after what was written before: of what came in the provider's clock told the time."""
        return max(self._clock.now(), conversation.last_at + INSTANT)
