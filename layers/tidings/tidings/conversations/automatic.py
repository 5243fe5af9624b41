"""What Tidings answers by itself, in the conversation whose message it answers.

The entry is written in the transaction that claims the message, as a reply's is: it stands there once, and only if the
message may have gone. Nobody of ours wrote it, so it has nobody's name, and the conversation stays where it is: one
that is new still waits for an agent.
"""

from __future__ import annotations

from datetime import timedelta

from tidings.consent.model import Channel
from tidings.conversations.model import Direction, Entry
from tidings.conversations.rules import with_message
from tidings.conversations.store import DynamoConversationStore
from tidings.core.clock import Clock
from tidings.core.ids import contact_of_message, digest
from tidings.core.store import Database, Part
from tidings.messages.model import State
from tidings.messages.store import DynamoMessageStore

INSTANT = timedelta(microseconds=1)


class AutomaticEntries:
    """Makes what is written of an automatic answer."""

    def __init__(
        self, database: Database, conversations: DynamoConversationStore, messages: DynamoMessageStore, clock: Clock
    ) -> None:
        self._database = database
        self._conversations = conversations
        self._messages = messages
        self._clock = clock

    def parts(self, workspace: str, conversation: str, message: str, text: str) -> list[Part]:
        """The entry of a text that is about to be claimed, and its conversation: one batched read.

        Refused with it, under the label `conversation`, if somebody changed that since. None for a message that was
        claimed before, and in a conversation that was erased.
        """
        key = self._conversations.key(workspace, conversation)
        claimed = self._messages.key(workspace, contact_of_message(message), message)
        found = self._database.batch_get([key, claimed])
        if key not in found:
            return []
        if claimed in found and State.CLAIMED.value in self._messages.entity(found[claimed]).history:
            return []
        before = self._conversations.entity(found[key])
        entry = Entry(
            id=digest("answer", message),
            # What came in is dated by its provider's clock, which may be ahead of ours.
            at=max(self._clock.now(), before.last_at + INSTANT),
            direction=Direction.OUT,
            text=text,
            channel=Channel.SMS.value,
            message=message,
        )
        after = with_message(before, Channel.SMS, entry)
        return [
            *self._conversations.changing(before, after),
            self._conversations.entry_part(workspace, conversation, entry),
        ]
