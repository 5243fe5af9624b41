"""Ordering mails for many, or for a later day, and what stands of such an order.

A send is stored whole before anybody works on it: its parts first, then the send itself, then a message in the queue or
an execution of the machine that waits. Whoever dies on the way repeats the request and goes on where it broke off: all
ids come from the idempotency key. What was lost later, an execution or a message, `Deliveries.revive` finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tidings.core import cursors
from tidings.core.clock import Clock, to_text
from tidings.core.errors import Conflict, NotFound
from tidings.email.attachments import read_attachments
from tidings.email.model import Attachment
from tidings.email.requests import SendRequest, read_at
from tidings.email.send_model import OVER, DeliveryQueue, File, Later, Progress, Send, SendState, send_id
from tidings.email.send_store import DynamoSendStore, cancelled, parts_of, pieces_of
from tidings.messages.call_store import DynamoCallStore
from tidings.messages.model import State
from tidings.messages.requests import fingerprint_of
from tidings.messages.template_store import DynamoTemplateStore

# What a recipient of whom nothing became of the mail yet counts as.
WAITING = "waiting"


class SendDesk:
    """Takes sends in and tells of them."""

    def __init__(
        self,
        sends: DynamoSendStore,
        calls: DynamoCallStore,
        templates: DynamoTemplateStore,
        queue: DeliveryQueue,
        later: Later,
        clock: Clock,
    ) -> None:
        self._sends = sends
        self._calls = calls
        self._templates = templates
        self._queue = queue
        self._later = later
        self._clock = clock

    def order(self, workspace: str, request: SendRequest) -> Send:
        """Take a send; a repeat of the request finds it, and finishes what the first did not.

        At most 12 batched writes for 5,000 recipients with small variables. Raises InvalidInput, NotFound for an
        unknown template, Conflict for a key that stands for another request, Throttled and Unavailable.
        """
        fingerprint = fingerprint_of(request)
        known = self._sends.get(workspace, send_id(workspace, request.idempotency_key))
        if known is None:
            known = self._keep(workspace, request, fingerprint)
        elif known.request != fingerprint:
            raise Conflict("idempotency_conflict", "This idempotency key was used with another body.")
        self._launch(known)
        return known

    def get(self, workspace: str, send: str) -> Send:
        """A send. Raises NotFound."""
        found = self._sends.get(workspace, send)
        if found is None:
            raise NotFound("unknown_send", "There is no such send.", "send")
        return found

    def shown(self, send: Send) -> dict[str, Any]:
        """A send with how many of its recipients are in which state."""
        counts: dict[str, int] = {}
        for progress in self._sends.all_progress(send):
            for outcome in progress.outcomes.values():
                counts[outcome.state] = counts.get(outcome.state, 0) + 1
        waiting = send.recipients - sum(counts.values())
        return {**send.as_dict(), "counts": {**counts, **({WAITING: waiting} if waiting else {})}}

    def page(self, workspace: str, limit: int, cursor: str) -> tuple[list[Send], str]:
        """Sends, latest first, and the cursor of the next page."""
        return self._sends.page(workspace, limit, cursor)

    def problems(self, send: Send, limit: int, cursor: str) -> tuple[list[dict[str, Any]], str]:
        """Recipients whom the mail did not go to, in the order of the request, and the cursor of the next page."""
        scope = (send.workspace, "problems", send.id)
        place = cursors.read(scope, cursor, int)
        found = _problems(self._sends.all_progress(send), -1 if place is None else place[0])
        page = found[:limit]
        return page, cursors.write(scope, (page[-1]["recipient"],)) if len(found) > limit else ""

    def cancel(self, workspace: str, send: str) -> Send:
        """Stop a send: one that waits sends nothing any more, and of one that is under way the rest is not sent.

        It leaves the state `scheduled` once, for `cancelled` or for `sending`: two writes of one item, of which one is
        refused. Raises NotFound, and Conflict for one that is done.
        """
        found, now = self.get(workspace, send), self._clock.now()
        if found.state is not SendState.CANCELLED:
            mine = self._sends.cancel(found, now)
            found = cancelled(found, now) if mine else self.get(workspace, send)
        if found.state is not SendState.CANCELLED:
            raise Conflict("send_done", "Every mail of this send was worked off.")
        self._sends.forget_recipients(found)
        self._sends.forget_files(found)
        return found

    def resume(self, workspace: str, send: str) -> Send:
        """Go on with a send whose execution or message was lost. Where none was, it does no harm. Raises NotFound."""
        found = self.get(workspace, send)
        if found.state is SendState.SCHEDULED:
            self._wait(found, f"{found.id}-{self._sends.started(found)}")
        elif found.state not in OVER:
            self._queue.put({"workspace": workspace, "send": send})
        return found

    def _keep(self, workspace: str, request: SendRequest, fingerprint: str) -> Send:
        files = read_attachments(request.attachments)
        now = self._clock.now()
        template = self._templates.live(workspace, request.template)
        if template is None:
            raise NotFound("unknown_template", f"There is no template named {request.template}.", "template")
        at = None if request.at is None else read_at(request.at, now)
        everyone = [{"to": one.named(), "variables": one.variables} for one in request.everyone]
        parts = parts_of(everyone)
        send = Send(
            workspace=workspace,
            id=send_id(workspace, request.idempotency_key),
            state=SendState.SENDING if at is None else SendState.SCHEDULED,
            request=fingerprint,
            key=request.idempotency_key,
            template=request.template,
            version=template.version if at is None else 0,
            recipients=len(everyone),
            parts=len(parts),
            created_at=now,
            at=at,
            begun_at=now if at is None else None,
            kind=request.kind,
            topic=request.topic,
            reply_to=request.reply_to,
            tags=request.tags,
            variables=request.variables,
            files=_described(files),
            on_unknown=request.on_unknown,
        )
        self._calls.bind(workspace, request.idempotency_key, fingerprint)
        for number, file in enumerate(files):
            self._sends.write_file(send, number, pieces_of(file.content))
        self._sends.write_recipients(send, parts)
        kept = self._sends.add(send)
        if kept.state in OVER:  # a second call of the same order was faster, and all of it was worked off meanwhile
            self._sends.forget_recipients(kept)
            self._sends.forget_files(kept)
        return kept

    def _launch(self, send: Send) -> None:
        if send.state is SendState.SCHEDULED:
            self._wait(send, send.id)
        elif send.state is SendState.SENDING:
            self._queue.put({"workspace": send.workspace, "send": send.id})

    def _wait(self, send: Send, name: str) -> None:
        """Names and input are ids: an execution's history is read by whoever may look at machines."""
        self._later.start(
            name, {"workspace": send.workspace, "send": send.id, "at": to_text(send.at or send.created_at)}
        )


def _described(files: Sequence[Attachment]) -> tuple[File, ...]:
    return tuple(File(file.name, file.type, len(pieces_of(file.content))) for file in files)


def _problems(found: Sequence[Progress], after: int) -> list[dict[str, Any]]:
    return [
        {
            "recipient": place,
            "state": outcome.state,
            "code": outcome.code,
            "contact": outcome.contact or None,
            "message": outcome.message or None,
        }
        for progress in found
        for place, outcome in sorted(progress.outcomes.items())
        if place > after and outcome.state != State.ACCEPTED.value
    ]
