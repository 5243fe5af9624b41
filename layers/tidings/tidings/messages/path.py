"""The one path of a message, whatever its channel: decided, claimed, handed to the provider, settled. At most once.

The order of writes is the guarantee. A transaction claims the message and checks, in the same stroke, that nothing
about the address changed since it was asked and that whoever ordered the message still wants it. Only the claim's
holder calls the provider, once. A definite answer settles the claim. Without one, the provider's own first event does;
and if that never comes either, the message ends as `unknown` and is not sent again, unless it was ordered with
`on_unknown: resend`. Every state, and who leads to it: docs/guarantees.md and `messages.rules.MOVES`.

What differs between channels stands in a `Transport`: what an address is, what is checked beside consent, what is made
of the rendered template, and the provider.

What reports count of a message changes in the transaction that makes it so, in the row of the message as it stands: one
that was `unknown` leaves that count where it is claimed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from tidings.accounts.model import Workspace
from tidings.activity.model import Event
from tidings.activity.timeline import EventReader, TimelineService
from tidings.consent.gate import Gate
from tidings.consent.model import AddressRecord, Channel, Check, Kind
from tidings.consent.screening import Screen
from tidings.consent.service import SuppressionService
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.core.clock import Clock, to_text
from tidings.core.errors import Conflict, InvalidInput, Throttled, Unavailable
from tidings.core.ids import digest, new_id
from tidings.core.store import ConditionFailed, Database, Part
from tidings.messages.model import Decision, Message, OnUnknown, State
from tidings.messages.orders import Accepted, Alone, Answer, Company, NoAnswer, Order, Refused, data_of, topic_of
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.rules import SETTLE_AFTER
from tidings.messages.settling import give_up, write_with
from tidings.messages.store import DynamoMessageStore
from tidings.messages.unsubscribe import Ticket, link_of

if TYPE_CHECKING:
    from tidings.messages.render import Rendered

TRIES = 3
EARLIER_KEPT = 10
PROVIDER_THROTTLED = "provider_throttled"
# Where one of these moved on between decision and write, it is decided anew; any other refusal is the caller's.
DECIDED_BY = frozenset({"message", "consent"})
# What reports count a settled message as.
_COUNTED = {State.ACCEPTED: "sent", State.REFUSED: "refused", State.UNKNOWN: "unknown"}

O = TypeVar("O", bound=Order)  # noqa: E741 - an order of the channel
C = TypeVar("C")  # what the channel makes of it
In = TypeVar("In", bound=Order, contravariant=True)


class Transport(Protocol[In, C]):
    """What a channel adds to the path. Nothing here writes or calls anybody, but for `send`."""

    channel: Channel
    # The timeline's event of a message that did not go, such as `Email Skipped`.
    skipped: str

    def address_of(self, contact: Contact) -> str:
        """The contact's address on the channel, as it is written to; empty if there is none."""

    def address_check(self, contact: Contact) -> Check:
        """Whether that is an address that can be written to."""

    def checks(self) -> Sequence[Callable[[Any], Check]]:
        """What is asked after consent, in this order, of what was read already."""

    def compose(self, order: In, rendered: Rendered, link: str) -> tuple[C | None, Check | None]:
        """What goes to the provider, and the check that it may; no check where there is nothing to refuse."""

    def kept(self, order: In, content: C | None) -> Mapping[str, Any]:
        """Fields of the message that only this channel has, such as `subject` or `transport`."""

    def parts(self, order: In, message: Message, content: C) -> list[Part]:
        """Writes that go with the claim, such as the links that stand in a text."""

    def settled(self, message: Message) -> list[Part]:
        """Writes that go with the provider's acceptance."""

    def send(self, order: In, message: Message, content: C, link: str) -> Answer:
        """Hand the message to the provider: one attempt."""


class Unsettled(Unavailable):
    """Nobody can tell yet whether the message was sent; ask again later."""


@dataclass(frozen=True, slots=True)
class View(Generic[C]):
    """What was decided about an order, and by which record of its address. `link` is the way out."""

    content: C | None
    decision: Decision
    record: AddressRecord | None
    link: str


class EventParts(EventReader, Protocol):
    """Where events go as part of a transaction, and are read where a suppression rule asks for them."""

    def part(self, event: Event) -> Part: ...


class MessagePath(Generic[O, C]):
    """Sends the messages of one channel."""

    def __init__(
        self,
        database: Database,
        messages: DynamoMessageStore,
        consents: DynamoConsentStore,
        events: EventParts,
        reports: DynamoReportStore,
        transport: Transport[O, C],
        clock: Clock,
    ) -> None:
        from tidings.messages.render import Renderer  # late: branches and feedback come by here and render nothing

        self._database = database
        self._messages = messages
        self._consents = consents
        self._gate = Gate(consents, Screen(TimelineService(events)), clock)
        self._reports = reports
        self._suppressions = SuppressionService(consents, clock)
        self._events = events
        self._transport = transport
        self._clock = clock
        self._renderer = Renderer(clock)

    def send(self, order: O, known: Message | None, company: Company) -> Message:
        """Send a message unless it was sent, must not be, or cannot be; the message as it then stands.

        `known` is the message as it was just read, if it exists. Raises Unsettled while another attempt's outcome is
        open, Throttled where the provider asks to slow down, Conflict if the same id was ordered with another request,
        and ConditionFailed where a guard of `company` refuses.
        """
        for _ in range(TRIES):
            if known is not None and order.request and known.request != order.request:
                raise Conflict("idempotency_conflict", "This idempotency key was used with another body.")
            known = self._aged(known)
            if known is not None and not _is_open(order, known):
                write_with(self._write, company, known, [])
                return known
            try:
                return self._attempt(order, known, company)
            except ConditionFailed as error:
                if not error.labels <= DECIDED_BY:
                    raise
                known = self._messages.get(order.workspace.id, order.message_id)
        raise Unavailable("message_contended", "The message kept changing.")

    def require_not_erased(self, workspace: Workspace, address: str) -> None:
        """Refuse to begin anything with the address of an erased person. Raises Conflict, or InvalidInput."""
        self._suppressions.require_not_erased(workspace, self._transport.channel, address)

    def _aged(self, known: Message | None) -> Message | None:
        """The message, given up as unknown if it was claimed long ago and nothing was heard of it since."""
        if known is None or known.state is not State.CLAIMED or known.claimed_at is None:
            return known
        now = self._clock.now()
        if now - known.claimed_at < SETTLE_AFTER:
            raise Unsettled("send_unsettled", "An earlier attempt to send this message has not settled yet.")
        give_up(self._database, self._messages, self._reports, known, now)
        return self._messages.get(known.workspace, known.id)

    def _write(self, parts: list[Part]) -> None:
        if len(parts) == 1:
            self._messages.write(parts[0])  # half the write units of a transaction
        elif parts:
            self._database.transact(parts)

    def _attempt(self, order: O, over: Message | None, company: Company) -> Message:
        view = self.decide(order)
        message = self._message(order, view, over)
        if view.content is None or not view.decision.sent:
            if over is not None and over.state is State.UNKNOWN:
                # The first message may have gone: that the second must not does not make it `skipped`.
                write_with(self._write, company, over, [])
                return over
            return self._skip(message, over, company)
        self._claim(order, view, view.content, message, over, company)
        answer = self._transport.send(order, message, view.content, view.link)
        return self._settle(message, answer, company)

    def _claim(
        self, order: O, view: View[C], content: C, message: Message, over: Message | None, company: Company
    ) -> None:
        """Take the right to send, in one stroke with every check that must still hold.

        Where the answer was lost, or a repeat of the request met its own first try, one's own claim is success.
        """
        parts = [self._messages.claim(message, over), *company.guards()]
        parts += self._transport.parts(order, message, content)
        if view.record is not None:
            parts.append(self._consents.unchanged(view.record))
        if over is not None and over.state is State.UNKNOWN:
            parts.append(self._reports.part(over, unknown=-1))
        try:
            self._database.transact(parts)
        except (ConditionFailed, Throttled, Unavailable):
            stored = self._messages.get(message.workspace, message.id)
            if stored is None or stored.attempt != message.attempt or stored.state is not State.CLAIMED:
                raise

    def decide(self, order: O) -> View[C]:
        """Every check in its order; later ones are not asked once one says no. Nothing is written, and nothing sent.

        What will put a message off instead of refusing it (quiet hours, caps, rates of sending) belongs right behind
        consent: of somebody who must not be written to nobody asks when, and what is put off is not rendered yet. Its
        outcome is `held`, with the instant until which; nothing is claimed for it.
        """
        checks = [self._transport.address_check(order.contact)]
        record = None
        if checks[-1].passed:
            channel, address = self._transport.channel, self._address(order)
            asked = order.kind, topic_of(order), order.confirms
            verdict = self._gate.ask(order.workspace, order.contact, channel, address, *asked)
            record = verdict.record
            checks += verdict.checks
        for ask in self._transport.checks():
            if checks[-1].passed:
                checks.append(ask(order))
        content, link = None, ""
        if checks[-1].passed:
            if order.kind is Kind.MARKETING and record is not None and order.workspace.public_url:
                ticket = Ticket(order.workspace.id, order.message_id, record.key, topic_of(order))
                link = link_of(order.workspace, ticket)
            content, more = self._made(order, link)
            checks += more
        decision = Decision(tuple(checks), self._clock.now(), _versions(order), self._transport.channel)
        return View(content, decision, record, link)

    def _address(self, order: O) -> str:
        return self._transport.address_of(order.contact)

    def _made(self, order: O, link: str) -> tuple[C | None, list[Check]]:
        """What the channel makes of the order's template, and the checks of both."""
        if order.template is None:
            return None, [Check("template", False, f"there is no template named {order.template_name}")]
        if order.template.content.channel is not self._transport.channel:
            told = f"the template {order.template_name} is of the channel {order.template.content.channel.value}"
            return None, [Check("template", False, told)]
        data = {
            "contact": {**order.contact.values, "id": order.contact.id},
            "event": dict(order.event),
            "variables": dict(order.variables),
            "message": {"id": order.message_id},
            "unsubscribe_url": link,
            "confirm_url": order.variables.get("confirm_url", ""),
        }
        try:
            rendered = self._renderer.render(order.template, data)
        except InvalidInput as error:
            return None, [Check("template", False, error.message)]
        content, check = self._transport.compose(order, rendered, link)
        return content, [Check("template", True, "the template renders"), *([check] if check else [])]

    def _message(self, order: O, view: View[C], over: Message | None) -> Message:
        now = self._clock.now()
        decision = view.decision
        state = State.CLAIMED if decision.sent else State.SKIPPED
        # The first claim's instant stays: an attempt after midnight does not move the day that reports count by.
        history = {state.value: to_text(now), **(over.history if over else {})}
        message = Message(
            workspace=order.workspace.id,
            contact=order.owner,
            id=order.message_id,
            channel=self._transport.channel.value,
            state=state,
            kind=order.kind,
            template=order.template_name,
            template_version=order.template.version if order.template else 0,
            address=self._address(order),
            attempt=new_id(),
            claimed_at=now,
            request=order.request,
            cause=order.cause,
            root=order.root,
            decision=decision.as_dict(),
            history=history,
            topic=topic_of(order),
            send=order.send,
            resends=order.resends,
            conversation=order.conversation,
            data=data_of(order),
            earlier=_earlier(over) if over else (),
        )
        return replace(message, **self._transport.kept(order, view.content))

    def _skip(self, message: Message, over: Message | None, company: Company) -> Message:
        told = self._events.part(_skipped_event(message, self._transport.skipped, self._clock))
        counted = self._reports.part(message, skipped=1)
        self._database.transact([self._messages.skip(message, over), told, counted, *company.records(message)])
        return message

    def _settle(self, message: Message, answer: Answer, company: Company) -> Message:
        now = self._clock.now()
        if isinstance(answer, NoAnswer):
            raise Unsettled("send_unsettled", f"The provider gave no answer: {answer.reason}.")
        settled = _settled(message, answer, now)
        with_whom = Alone() if _may_repeat(answer) else company
        write_with(self._write, with_whom, settled, self._settlement(settled, now))
        if _may_repeat(answer):
            raise Throttled(PROVIDER_THROTTLED, f"The provider asks to try later: {settled.error}.")
        return settled

    def _settlement(self, settled: Message, at: datetime) -> list[Part]:
        """What an answer changes: the message, and the count of it unless it is still to be sent."""
        parts = [self._messages.settle(settled, settled.state, at, settled.provider_id, settled.error)]
        counted = _COUNTED.get(settled.state)
        if counted:
            parts.append(self._reports.part(settled, "", **{counted: 1}))
        if settled.state is State.ACCEPTED:
            parts += self._transport.settled(settled)
        return parts


def _may_repeat(answer: Answer) -> bool:
    return isinstance(answer, Refused) and answer.again


def _settled(message: Message, answer: Accepted | Refused, now: datetime) -> Message:
    """The message after a definite answer.

    One that was unknown before and is refused now is unknown again: this attempt sent nothing, but the first may have.
    """
    if isinstance(answer, Accepted):
        state = State.ACCEPTED
    elif State.UNKNOWN.value in message.history:
        state = State.UNKNOWN
    else:
        state = State.RELEASED if answer.again else State.REFUSED
    return replace(
        message,
        state=state,
        provider_id=answer.provider_id if isinstance(answer, Accepted) else "",
        error=answer.reason if isinstance(answer, Refused) else "",
        history={**message.history, state.value: to_text(now)},
    )


def _is_open(order: Order, known: Message) -> bool:
    """Whether the message may be claimed over its earlier state, instead of having its outcome.

    What is not known to be sent but was seen at its recipient (`marks`) went: no second one does.
    """
    resend = known.state is State.UNKNOWN and order.on_unknown is OnUnknown.RESEND and not known.marks
    return known.erased_at is None and (known.state is State.RELEASED or resend)


def _earlier(over: Message) -> tuple[Mapping[str, Any], ...]:
    """The decisions before the one that is taken now: the first of all, the latest, and of like ones in a row one."""
    if not over.decision:
        return over.earlier
    if over.earlier and _findings(over.earlier[-1]) == _findings(over.decision):
        return over.earlier
    kept = (*over.earlier, over.decision)
    return kept if len(kept) <= EARLIER_KEPT else (kept[0], *kept[1 - EARLIER_KEPT :])


def _findings(decision: Mapping[str, Any]) -> tuple[Any, Any]:
    return decision["checks"], decision.get("versions")


def _versions(order: Order) -> dict[str, int]:
    template = {"template": order.template.version} if order.template and order.template.version else {}
    policy = {"policy": order.workspace.policy_version} if order.workspace.policy_version else {}
    return {**template, **policy, **order.versions}


def _skipped_event(message: Message, name: str, clock: Clock) -> Event:
    return Event(
        workspace=message.workspace,
        identity=Identity(IdentityKind.CONTACT, message.contact),
        message_id=digest(message.id, "skipped"),
        type="system",
        name=name,
        received_at=clock.now(),
        timestamp=clock.now(),
        properties={"message": message.id, "decided_by": message.decision["decided_by"]},
        cause=message.node,
        root=message.began_by,
    )
