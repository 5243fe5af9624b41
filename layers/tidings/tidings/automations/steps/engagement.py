"""What people did with the messages that a component sent in an enrolment: they got, opened, clicked or answered them.

A message says itself when it was delivered, and first opened and clicked by a person; machines stand there apart. What
answers it stands on the timeline of whoever wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from tidings.activity.model import SYSTEM
from tidings.activity.timeline import TimelineService
from tidings.automations.components.waits import RECEIVED
from tidings.automations.enrolments.model import Enrolment, StepTaken, message_of
from tidings.conditions.facts import REPLIED
from tidings.contacts.model import Contact
from tidings.core.clock import from_text
from tidings.core.store import Database
from tidings.messages.model import Message
from tidings.messages.store import DynamoMessageStore

Steps = Callable[[], Sequence[StepTaken]]

# A visit that ended so sent nothing that anybody could engage with.
_NOTHING_SENT = frozenset({"skipped", "refused"})


class EngagementReader:
    """Finds what came of an enrolment's messages."""

    def __init__(self, database: Database, messages: DynamoMessageStore, timeline: TimelineService) -> None:
        self._database = database
        self._messages = messages
        self._timeline = timeline

    def of(
        self, contact: Contact, enrolment: Enrolment, components: Collection[str], steps: Steps
    ) -> EnrolmentEngagement:
        """The engagement with what some components sent. `contact` is who the enrolment's contact is by now.

        Reads nothing yet; `steps` are the enrolment's, and are asked for only where they are needed.
        """
        return EnrolmentEngagement(self, contact, enrolment, components, steps)

    def messages_of(
        self, enrolment: Enrolment, components: Collection[str], steps: Iterable[StepTaken]
    ) -> dict[str, list[Message]]:
        """What components sent: one batched read for each 100 visits of them, none for no visits."""
        place = (enrolment.workspace, enrolment.contact)
        keys = {
            self._messages.key(*place, message_of(enrolment, step.component, step.n)): step.component
            for step in steps
            if step.component in components and step.outcome not in _NOTHING_SENT
        }
        found: dict[str, list[Message]] = {}
        for key, item in (self._database.batch_get(keys) if keys else {}).items():
            found.setdefault(keys[key], []).append(self._messages.entity(item))
        return found

    def replies_to(self, contact: Contact, messages: Collection[Message]) -> dict[str, datetime]:
        """When messages were first answered, by their ids: for each of their channels one query for each identity.

        Consistent, since the first of them was decided: nobody can have answered it before.
        """
        replies: dict[str, datetime] = {}
        for channel in sorted({message.channel for message in messages}):
            ids = {message.id for message in messages if message.channel == channel}
            since = min(message.decided_at for message in messages if message.channel == channel)
            for event in self._timeline.named_since(contact, from_text(since) if since else None, RECEIVED[channel]):
                answered = event.properties.get("answers")
                # What an app calls an answer is none.
                if event.type == SYSTEM and answered in ids:
                    replies[answered] = min(event.received_at, replies.get(answered, event.received_at))
        return replies


class EnrolmentEngagement:
    """When a person first did something with what components of an enrolment sent; what was read is kept."""

    def __init__(
        self,
        reader: EngagementReader,
        contact: Contact,
        enrolment: Enrolment,
        components: Collection[str],
        steps: Steps,
    ) -> None:
        self._reader = reader
        self._contact = contact
        self._enrolment = enrolment
        self._components = components
        self._steps = steps
        self._sent: dict[str, list[Message]] | None = None
        self._replies: dict[str, datetime] | None = None

    def __call__(self, component: str, kinds: Collection[str]) -> dict[str, datetime]:
        """Of the kinds that are asked for those that happened; empty where the component sent nothing.

        The first question reads the steps and the messages of all components, the first for replies the timeline.
        """
        messages = self._messages().get(component, [])
        found = {}
        for kind in kinds if messages else ():
            instants = self._replied(messages) if kind == REPLIED else _noted(messages, kind)
            if instants:
                found[kind] = min(instants)
        return found

    def has_sent(self, component: str) -> bool:
        """Whether the component sent anything; reads what the first question reads, if that was not asked yet."""
        return bool(self._messages().get(component))

    def _messages(self) -> Mapping[str, list[Message]]:
        if self._sent is None:
            self._sent = self._reader.messages_of(self._enrolment, self._components, self._steps())
        return self._sent

    def _replied(self, messages: Sequence[Message]) -> list[datetime]:
        if self._replies is None:
            every = [message for sent in self._messages().values() for message in sent]
            self._replies = self._reader.replies_to(self._contact, every)
        return [self._replies[message.id] for message in messages if message.id in self._replies]


def _noted(messages: Sequence[Message], kind: str) -> list[datetime]:
    """Milestones are noted by the names of the kinds, and those of machines by others."""
    return [from_text(message.history[kind]) for message in messages if kind in message.history]
