"""Which conversation the messages of an enrolment are a part of, and what it shows of them.

The closest one before a component on somebody's way is the one that a step of theirs had to do with last: a message
that was sent as `new` or `follow_up`, or one that the person wrote. It stands with the enrolment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tidings.automations.components import Sends
from tidings.automations.components.waits import RECEIVED
from tidings.automations.steps.runner import Situation
from tidings.consent.model import Channel
from tidings.conversations.model import Conversation, Direction, Entry
from tidings.conversations.plans import planned_id
from tidings.conversations.rules import with_message
from tidings.conversations.store import DynamoConversationStore
from tidings.core.clock import Clock
from tidings.core.ids import contact_of_message, digest
from tidings.core.store import Part

FOLLOW_UP = "follow_up"
# What of a message stands in the conversation, whose items have 400 KB.
SHOWN_CHARACTERS = 50_000
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Thread:
    """The conversation of a message by its id, empty for none; `open` is it as it was read, if it is open by now.

    `is_awaited` is one before on the way that nobody had begun when it was looked for: who answers may do so any time.
    """

    id: str = ""
    open: Conversation | None = None
    is_awaited: bool = False


def upstream(situation: Situation) -> str:
    """The closest conversation before a component on the person's way; empty if there is none.

    Only one of the contact's own: an app may write anything into an event.
    """
    found = situation.enrolment.conversation or _of_trigger(situation)
    return found if contact_of_message(found) in situation.contact.every_id else ""


def _of_trigger(situation: Situation) -> str:
    """The conversation of the message that the enrolment began with."""
    enrolment = situation.enrolment
    if not enrolment.is_of_own_event or enrolment.event.get("event") not in RECEIVED.values():
        return ""
    return str(situation.properties.get("conversation") or "")


def acting_as(situation: Situation) -> str:
    """Who changed a conversation, where an automation did."""
    return f"automation {situation.call.automation}"


class Threads:
    """Finds the conversations of messages, and shows the messages there."""

    def __init__(self, conversations: DynamoConversationStore, clock: Clock) -> None:
        self._conversations = conversations
        self._clock = clock

    def of(self, situation: Situation, component: Sends, message: str) -> Thread:
        """The conversation that a message is to be a part of: one read where it follows another one.

        What follows one that is over begins a new one.
        """
        if component.conversation is None:
            return Thread()
        closest = upstream(situation) if component.conversation == FOLLOW_UP else ""
        if closest:
            found = self._conversations.get(situation.call.workspace, closest)
            if found is None or found.is_open:
                return Thread(closest, found, is_awaited=found is None)
        return Thread(planned_id(situation.call.contact, message))

    def unbegun(self, thread: Thread, situation: Situation) -> list[Part]:
        """What goes with the claim of a message that no conversation shows: still nobody began the awaited one."""
        return [self._conversations.absent(situation.call.workspace, thread.id)] if thread.is_awaited else []

    def shown(self, thread: Thread, situation: Situation, channel: Channel, message: str, content: Any) -> list[Part]:
        """What goes with the claim of a message: it stands in its conversation, if that was begun.

        Nobody answered the person by it: neither the state changes nor who has it.
        """
        before = thread.open
        if before is None:
            return []
        entry = Entry(
            id=digest("automation", message),
            at=max(self._clock.now(), before.last_at + INSTANT),
            direction=Direction.OUT,
            text=str(getattr(content, "text", "") or getattr(content, "body", ""))[:SHOWN_CHARACTERS],
            channel=channel.value,
            subject=str(getattr(content, "subject", "")),
            who=acting_as(situation),
            message=message,
        )
        after = with_message(before, channel, entry)
        parts = self._conversations.changing(before, after)
        return [*parts, self._conversations.entry_part(before.workspace, before.id, entry)]
