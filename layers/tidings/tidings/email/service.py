"""Sending a mail at most once, and taking in what SES reports about it.

The order of writes is the guarantee. A transaction claims the message and checks, in the same stroke, that the address
is not suppressed and that whoever ordered it still wants it. Only the claim's holder calls SES, once. A definite answer
settles the claim. Without one, SES's own Send event does; and if that never comes either, the message ends as `unknown`
and is not sent again, unless it was ordered with `on_unknown: resend`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.model import Workspace
from tidings.activity.model import Event
from tidings.consent.model import Channel, Check
from tidings.consent.service import SuppressionService
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.core.clock import Clock, to_text
from tidings.core.errors import Conflict, InvalidInput, Throttled, Unavailable
from tidings.core.ids import digest, new_id
from tidings.core.store import ConditionFailed, Database, Part
from tidings.email.model import Accepted, Answer, Company, Feedback, Mail, MailGateway, NoAnswer, Order, Refused
from tidings.email.rules import (
    MEANINGS,
    TAG_MESSAGE,
    TAG_WORKSPACE,
    error_of,
    read_feedback,
    suppression_reason,
    to_event,
)
from tidings.messages.model import Decision, Message, OnUnknown, State
from tidings.messages.rules import SETTLE_AFTER, outcome_of
from tidings.messages.store import DynamoMessageStore

if TYPE_CHECKING:
    from tidings.messages.render import Rendered

TRIES = 3


class Unsettled(Unavailable):
    """Nobody can tell yet whether the message was sent; ask again later."""


class EventParts(Protocol):
    """Where events go as part of a transaction."""

    def part(self, event: Event) -> Part: ...


class EmailService:
    """Sends mails."""

    def __init__(
        self,
        database: Database,
        messages: DynamoMessageStore,
        consents: DynamoConsentStore,
        events: EventParts,
        gateway: MailGateway,
        clock: Clock,
    ) -> None:
        from tidings.messages.render import Renderer  # late: branches and feedback come by here and render nothing

        self._database = database
        self._messages = messages
        self._consents = consents
        self._suppressions = SuppressionService(consents, clock)
        self._events = events
        self._gateway = gateway
        self._clock = clock
        self._renderer = Renderer()

    def send(self, order: Order, known: Message | None, company: Company) -> Message:
        """Send a mail unless it was sent, must not be, or cannot be; the message as it then stands.

        `known` is the message as it was just read, if it exists. Raises Unsettled while another attempt's outcome is
        open, Throttled where the provider asks to slow down, Conflict if the same id was ordered with another request,
        and ConditionFailed where a guard of `company` refuses.
        """
        for _ in range(TRIES):
            if known is not None and order.request and known.request != order.request:
                raise Conflict("idempotency_conflict", "This idempotency key was used with another body.")
            known = self._aged(known)
            if known is not None and not _is_open(order, known):
                self._record(company, known)
                return known
            try:
                return self._attempt(order, known, company)
            except ConditionFailed as error:
                if not error.labels <= {"message", "suppression"}:
                    raise
                known = self._messages.get(order.workspace.id, order.message_id)
        raise Unavailable("message_contended", "The message kept changing.")

    def require_not_erased(self, workspace: Workspace, address: str) -> None:
        """Refuse to begin anything with the address of an erased person. Raises Conflict, or InvalidInput."""
        self._suppressions.require_not_erased(workspace, Channel.EMAIL, address)

    def _aged(self, known: Message | None) -> Message | None:
        """The message, given up as unknown if it was claimed long ago and nothing was heard of it since."""
        if known is None or known.state is not State.CLAIMED or known.claimed_at is None:
            return known
        now = self._clock.now()
        if now - known.claimed_at < SETTLE_AFTER:
            raise Unsettled("send_unsettled", "An earlier attempt to send this message has not settled yet.")
        self._messages.give_up(known, now)
        return self._messages.get(known.workspace, known.id)

    def _record(self, company: Company, known: Message) -> None:
        self._write(company.records(outcome_of(known.state)))

    def _write(self, parts: list[Part]) -> None:
        if len(parts) == 1:
            self._messages.write(parts[0])  # half the write units of a transaction
        elif parts:
            self._database.transact(parts)

    def _attempt(self, order: Order, over: Message | None, company: Company) -> Message:
        rendered, decision = self._decide(order)
        message = self._message(order, decision, over, rendered)
        if rendered is None or not decision.sent:
            return self._skip(message, over, company)
        self._claim(order, message, over, company)
        answer = self._gateway.send(self._mail(order, message, rendered))
        return self._settle(message, answer, company)

    def _claim(self, order: Order, message: Message, over: Message | None, company: Company) -> None:
        """Take the right to send, in one stroke with every check that must still hold.

        Where the answer was lost, or a repeat of the request met its own first try, one's own claim is success.
        """
        claim = self._messages.claim(message, over)
        free = self._consents.not_suppressed(order.workspace, Channel.EMAIL, message.address, self._clock.now())
        try:
            self._database.transact([claim, free, *company.guards()])
        except (ConditionFailed, Unavailable):
            stored = self._messages.get(message.workspace, message.id)
            if stored is None or stored.attempt != message.attempt:
                raise

    def _decide(self, order: Order) -> tuple[Rendered | None, Decision]:
        """Every check in its order; later ones are not asked once one says no."""
        checks = [_has_address(order.contact)]
        if checks[-1].passed:
            checks.append(self._suppressions.check(order.workspace, Channel.EMAIL, order.contact.email))
        if checks[-1].passed:
            checks.append(_has_sender(order))
        rendered = None
        if checks[-1].passed:
            rendered, check = self._render(order)
            checks.append(check)
        return rendered, Decision(tuple(checks), self._clock.now())

    def _render(self, order: Order) -> tuple[Rendered | None, Check]:
        if order.template is None:
            return None, Check("template", False, f"there is no template named {order.template_name}")
        data = {
            "contact": {**order.contact.values, "id": order.contact.id},
            "event": dict(order.event),
            "variables": dict(order.variables),
            "message": {"id": order.message_id},
        }
        try:
            rendered = self._renderer.render(order.template, data)
        except InvalidInput as error:
            return None, Check("template", False, error.message)
        return rendered, Check("template", True, f"{order.template.name} version {order.template.version}")

    def _message(self, order: Order, decision: Decision, over: Message | None, rendered: Rendered | None) -> Message:
        now = self._clock.now()
        state = State.CLAIMED if decision.sent else State.SKIPPED
        history = {**(over.history if over else {}), state.value: to_text(now)}
        return Message(
            workspace=order.workspace.id,
            contact=order.owner,
            id=order.message_id,
            channel=Channel.EMAIL.value,
            state=state,
            kind=order.kind,
            template=order.template_name,
            template_version=order.template.version if order.template else 0,
            address=order.contact.email,
            subject=rendered.subject if rendered else "",
            attempt=new_id(),
            claimed_at=now,
            request=order.request,
            cause=order.cause,
            root=order.root,
            decision=decision.as_dict(),
            history=history,
        )

    def _skip(self, message: Message, over: Message | None, company: Company) -> Message:
        outcome = outcome_of(message.state)
        told = self._events.part(_skipped_event(message, self._clock))
        self._database.transact([self._messages.skip(message, over), told, *company.records(outcome)])
        return message

    def _mail(self, order: Order, message: Message, rendered: Rendered) -> Mail:
        from tidings.messages import links  # late, as the renderer

        return Mail(
            sender=_sender(order),
            recipient=message.address,
            subject=rendered.subject,
            text=links.in_text(rendered.text, message.id),
            html=links.in_html(rendered.html, message.id),
            tags={TAG_MESSAGE: message.id, TAG_WORKSPACE: message.workspace},
        )

    def _settle(self, message: Message, answer: Answer, company: Company) -> Message:
        now = self._clock.now()
        if isinstance(answer, NoAnswer):
            raise Unsettled("send_unsettled", f"The provider gave no answer: {answer.reason}.")
        if isinstance(answer, Refused) and answer.again:
            self._messages.write(self._messages.settle(message, State.RELEASED, now, error=answer.reason))
            raise Throttled("provider_throttled", f"The provider asks to try later: {answer.reason}.")
        state = State.ACCEPTED if isinstance(answer, Accepted) else State.REFUSED
        settled = replace(
            message,
            state=state,
            provider_id=answer.provider_id if isinstance(answer, Accepted) else "",
            error=answer.reason if isinstance(answer, Refused) else "",
            history={**message.history, state.value: to_text(now)},
        )
        part = self._messages.settle(message, state, now, settled.provider_id, settled.error)
        records = company.records(outcome_of(state))
        try:
            self._write([part, *records])
        except ConditionFailed as error:
            if "message" not in error.labels:
                raise
            # The Send event was faster than the answer: what it says stands.
            self._write(records)
        return settled


class FeedbackService:
    """Takes SES events in. Every step may be repeated and may come in any order."""

    def __init__(
        self,
        messages: DynamoMessageStore,
        suppressions: SuppressionService,
        workspaces: WorkspaceCache,
        events: Any,
        clock: Clock,
    ) -> None:
        self._messages = messages
        self._suppressions = suppressions
        self._workspaces = workspaces
        self._events = events
        self._clock = clock

    def take(self, notification: Mapping[str, Any]) -> bool:
        """Put an event on the timeline, move its message, and suppress where it says so; False if it is not ours.

        The suppression comes first: should the rest fail, the repeat finds it done, and nobody was written to between.
        """
        feedback = read_feedback(notification)
        if feedback is None:
            return False
        self._suppress(feedback)
        message = self._advance(feedback)
        if message is not None and message.erased_at is not None:
            return True  # what the mail did to a person who was erased since is nobody's business any more
        self._events.add(to_event(feedback, message.began_by if message else None, self._clock))
        return True

    def _advance(self, feedback: Feedback) -> Message | None:
        """The message, moved if this kind of event moves it; the answer to the write says what began its chain."""
        workspace, message, state = feedback.workspace, feedback.message_id, MEANINGS[feedback.kind].state
        if state is None:
            # What began a chain never changes: the cheapest read is as good as any.
            return self._messages.get(workspace, message, consistent=False)
        error = error_of(feedback)
        return self._messages.advance(workspace, message, state, feedback.at, feedback.provider_id, error)

    def _suppress(self, feedback: Feedback) -> None:
        reason = suppression_reason(feedback)
        if reason is None:
            return
        workspace = self._workspaces.get(feedback.workspace)
        for address in feedback.recipients:
            self._suppressions.suppress(workspace, Channel.EMAIL, address, reason, f"message {feedback.message_id}")


def _is_open(order: Order, known: Message) -> bool:
    """Whether the message may be claimed over its earlier state, instead of having its outcome."""
    resend = known.state is State.UNKNOWN and order.on_unknown is OnUnknown.RESEND
    return known.state is State.RELEASED or resend


def _has_address(contact: Contact) -> Check:
    identities = [identity for identity in contact.identities if identity.kind is IdentityKind.EMAIL]
    if contact.email and identities:
        return Check("address", True, "the contact has an e-mail address")
    found = "the contact's e-mail trait is no address" if contact.email else "the contact has no e-mail address"
    return Check("address", False, found)


def _has_sender(order: Order) -> Check:
    if _sender(order):
        return Check("sender", True, "a sender is set")
    return Check("sender", False, "neither the template nor the workspace names a sender")


def _sender(order: Order) -> str:
    own = order.template.content.from_address if order.template else ""
    return own or order.workspace.default_from


def _skipped_event(message: Message, clock: Clock) -> Event:
    return Event(
        workspace=message.workspace,
        identity=Identity(IdentityKind.CONTACT, message.contact),
        message_id=digest(message.id, "skipped"),
        type="system",
        name="Email Skipped",
        received_at=clock.now(),
        timestamp=clock.now(),
        properties={"message": message.id, "decided_by": message.decision["decided_by"]},
        cause=message.node,
        root=message.began_by,
    )
