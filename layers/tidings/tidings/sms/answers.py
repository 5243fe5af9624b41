"""What Tidings answers by itself: to STOP, START and HELP where AWS does not, and to the owner's keywords. Once each.

An answer is a transactional message on the path that all messages take: consent and suppression are asked, and its
decision is kept. Its id comes from the message that it answers, so that a repeat is the same message. In the
transaction that claims it stands also what its conversation shows of it. The confirmation of a STOP is the one message
that passes that STOP: it names it, the gate lets only the STOP pass that it names, and nobody else names one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from tidings.accounts.model import Workspace
from tidings.activity.chain import Node
from tidings.consent.model import Channel, Kind
from tidings.contacts.model import Contact, Trait
from tidings.core.clock import Clock
from tidings.core.errors import Unavailable
from tidings.core.ids import message_id
from tidings.core.store import ConditionFailed, Part
from tidings.messages.model import Message, Template, TemplateInput
from tidings.messages.orders import WithClaim
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore
from tidings.sms.inbound import Text
from tidings.sms.model import Number, Setup, SmsOrder
from tidings.sms.ordering import answering
from tidings.sms.service import SmsService
from tidings.sms.wording import Wording, answer_to, brand_of
from tidings.sms.words import HELP, START, STOP, Match

ANSWER = "answer"
TRIES = 5
# What AWS answers where it manages opt-outs: there Tidings is silent.
ANSWERED_BY_AWS = frozenset({STOP, START, HELP})


@dataclass(frozen=True, slots=True)
class Asked:
    """What is answered: a text of a contact, what it means, and what its answer belongs to."""

    text: Text
    found: Match
    contact: Contact
    owner: str
    conversation: str
    cause: Node


class Beside(Protocol):
    """What is written of an answer in its conversation, unseen by this room."""

    def parts(self, workspace: str, conversation: str, message: str, text: str) -> list[Part]:
        """Writes that go with the claim of an answer; none where it was claimed before."""


class Answers:
    """Sends answers. `texts` makes what sends them when the first one is due: most of what comes in asks for none."""

    def __init__(
        self,
        texts: Callable[[], SmsService],
        messages: DynamoMessageStore,
        templates: DynamoTemplateStore,
        clock: Clock,
        beside: Beside,
    ) -> None:
        self._texts = texts
        self._messages = messages
        self._templates = templates
        self._clock = clock
        self._beside = beside

    def send(self, workspace: Workspace, number: Number, asked: Asked) -> Message | None:
        """Answer a text that means something, if there is an answer; the message as it then stands.

        A repeat sends nothing. Raises Unavailable while it is open whether an earlier attempt sent, and Throttled.
        """
        wording = answer_to(Setup.of(workspace), asked.found, number, asked.contact)
        if wording is None or not answers(number, asked.found):
            return None
        order = self._order(workspace, number, asked, wording)
        shown = WithClaim(lambda: self._shown(order))
        for _ in range(TRIES):
            known = self._messages.get(workspace.id, order.message_id)
            try:
                return self._texts().send(order, known, shown)
            except ConditionFailed:
                continue  # somebody else changed the conversation
        raise Unavailable("conversation_contended", "The conversation kept changing.")

    def _shown(self, order: SmsOrder) -> list[Part]:
        """What the person will read, asked of the path once more, goes into the conversation."""
        content = self._texts().decide(order).content
        text = content.body if content is not None else ""
        return self._beside.parts(order.workspace.id, order.conversation, order.message_id, text)

    def _order(self, workspace: Workspace, number: Number, asked: Asked, wording: Wording) -> SmsOrder:
        name = wording.template or ANSWER
        answering_from, sent_as = answering(workspace, number.number)
        return SmsOrder(
            workspace=answering_from,
            contact=_at(asked.contact, asked.text),
            message_id=message_id(asked.owner, ANSWER, asked.text.id),
            owner=asked.owner,
            template_name=name,
            template=self._template(workspace, wording),
            kind=Kind.TRANSACTIONAL,
            variables={"brand": brand_of(workspace), "keyword": asked.found.word, "text": asked.text.body},
            cause={"event": str(asked.cause)},
            root=asked.cause,
            conversation=asked.conversation,
            confirms=asked.text.id if asked.found.meaning == STOP else "",
            sender=number.number,
            sent_as=sent_as,
        )

    def _template(self, workspace: Workspace, wording: Wording) -> Template | None:
        if wording.template:
            found = self._templates.live(workspace.id, wording.template)
            return found if found is not None and found.content.channel is Channel.SMS else None
        content = TemplateInput(template=ANSWER, channel=Channel.SMS, text=wording.text, kind=Kind.TRANSACTIONAL)
        return Template(workspace.id, ANSWER, 0, content, self._clock.now())


def answers(number: Number, found: Match) -> bool:
    """Whether Tidings answers a text on a number: the owner's keywords always, the rest where AWS does not."""
    return found.meaning not in ANSWERED_BY_AWS or number.self_managed


def _at(contact: Contact, text: Text) -> Contact:
    """The contact at the number that they wrote from, which may be another than the one that messages go to."""
    phone: Mapping[str, Trait] = {"phone": Trait(text.sender, text.at, text.id)}
    return replace(contact, traits={**contact.traits, **phone})
