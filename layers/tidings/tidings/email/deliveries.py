"""Working off sends, a part of them at a time.

What is done stands in the part's progress, so that a repeat skips it quickly. That nobody gets a mail twice does not
rest on it: every message's id comes from its contact and its send, and its claim holds against any number of repeats.

A provider that asks to slow down is waited for, here for a while and then in the queue, where a message that was put
anew has not been received before: slowness never ends among the dead letters, faults do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.contacts.model import Contact
from tidings.core.clock import Waiting
from tidings.core.errors import Throttled, TidingsError, Unavailable
from tidings.core.ids import digest, message_id
from tidings.core.logs import logger
from tidings.core.store import ConditionFailed, Database
from tidings.email.model import Attachment, MailOrder
from tidings.email.requests import OneOfMany
from tidings.email.send_model import FAILED, OVER, DeliveryQueue, Outcome, Progress, Send, SendState
from tidings.email.send_store import OPEN_SHARDS, DynamoSendStore
from tidings.email.service import EmailService
from tidings.messages.model import Message, Template
from tidings.messages.orders import Alone, kind_of
from tidings.messages.path import PROVIDER_THROTTLED, Unsettled
from tidings.messages.recipients import Recipients
from tidings.messages.rules import outcome_of
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore

WORKING = timedelta(seconds=15)  # of the 30 that the function has: what is begun by then comes to its end
SLOW = 1.0  # seconds; SES counts by the second
LONGEST_DELAY = 900  # seconds; what SQS grants
UNSETTLED_DELAY = 60  # seconds; an attempt is open for at most four minutes


class Overdue(Exception):
    """There is no time left for another recipient; the rest is for a repeat."""


@dataclass
class _Work:
    """A part that is being worked off. `unsettled` says that an earlier attempt at somebody is still open."""

    send: Send
    workspace: Workspace
    template: Template | None
    files: tuple[Attachment, ...]
    deadline: datetime
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    unsettled: bool = False


class Deliveries:
    """Sends the mails of sends."""

    def __init__(
        self,
        database: Database,
        sends: DynamoSendStore,
        emails: EmailService,
        recipients: Recipients,
        workspaces: DynamoWorkspaceStore,
        templates: DynamoTemplateStore,
        messages: DynamoMessageStore,
        queue: DeliveryQueue,
        clock: Waiting,
    ) -> None:
        self._database = database
        self._sends = sends
        self._emails = emails
        self._recipients = recipients
        self._workspaces = workspaces
        self._templates = templates
        self._messages = messages
        self._queue = queue
        self._clock = clock
        self._files: dict[str, tuple[Attachment, ...]] = {}  # of the last send: its parts come one after the other

    def take(self, told: Mapping[str, Any]) -> None:
        """Work off what a message of the queue names: a part, or a send whose parts are to be put into the queue.

        Raises Throttled and Unavailable, upon which the message comes again.
        """
        send = self._sends.get(told["workspace"], told["send"])
        if send is None or send.state in OVER:
            return
        if "part" in told:
            self._deliver(send, int(told["part"]), int(told.get("tries", 0)))
        else:
            self._spread(send)

    def begin(self, workspace: str, send: str) -> None:
        """Let a send begin whose instant has come; a repeat puts into the queue what is not worked off."""
        found = self._sends.get(workspace, send)
        if found is not None and found.state is SendState.SCHEDULED:
            template = self._templates.live(workspace, found.template)
            # Either this or a cancellation goes through: a send leaves the state `scheduled` once.
            if not self._sends.begin(found, template.version if template else 0, self._clock.now()):
                found = self._sends.get(workspace, send)
        if found is not None and found.state not in OVER:
            self._spread(found)

    def revive(self) -> int:
        """Go on with sends that lost their execution or their messages; how many.

        One that fails keeps no other from it: its fault is raised at the end, for the alarm.
        """
        now, revived = self._clock.now(), 0
        faults: list[TidingsError] = []
        for number in range(OPEN_SHARDS):
            for workspace, send in self._sends.stalled(number, now - timedelta(minutes=1)):
                try:
                    self.begin(workspace, send)
                    revived += 1
                except TidingsError as error:
                    logger.error("send not revived", extra={"workspace": workspace, "send": send, "code": error.code})
                    faults.append(error)
        if faults:
            raise faults[0]
        return revived

    def _spread(self, send: Send) -> None:
        done = {progress.number for progress in self._sends.all_progress(send) if progress.complete}
        left = [number for number in range(send.parts) if number not in done]
        self._sends.forget_recipients(send, done)  # which a second call of the same order may have written again
        self._sends.touch(send, self._clock.now())
        self._queue.put_all([{"workspace": send.workspace, "send": send.id, "part": number} for number in left])
        if not left:
            self._close(send)

    def _deliver(self, send: Send, number: int, tries: int) -> None:
        part_key, progress_key = self._sends.part_key(send, number), self._sends.progress_key(send, number)
        workspace_key = self._workspaces.key(send.workspace)
        template_key = self._templates.version_key(send.workspace, send.template, send.version)
        found = self._database.batch_get([part_key, progress_key, workspace_key, template_key])
        known = self._sends.progress(found[progress_key]) if progress_key in found else Progress(number)
        if known.complete or part_key not in found:
            self._close(send)
            return
        first, recipients = self._sends.recipients(found[part_key])
        work = _Work(
            send=send,
            workspace=self._workspaces.entity(found[workspace_key]),
            template=self._templates.entity(found[template_key]) if template_key in found else None,
            files=self._files_of(send),
            deadline=self._clock.now() + WORKING,
            outcomes=dict(known.outcomes),
        )
        try:
            self._work_off(work, first, recipients)
        finally:
            complete = len(work.outcomes) == len(recipients)
            if len(work.outcomes) > len(known.outcomes):
                self._save(send, Progress(number, work.outcomes, complete))
        if complete:
            self._close(send)
            return
        again = 0 if len(work.outcomes) > len(known.outcomes) else tries + 1
        delay = UNSETTLED_DELAY if work.unsettled else min(2**again, LONGEST_DELAY)
        told = {"workspace": send.workspace, "send": send.id, "part": number, "tries": again}
        self._queue.put(told, delay)
        # It has its message: without this `revive` would put another beside it every half an hour that SES is slow.
        self._sends.touch(send, self._clock.now())

    def _work_off(self, work: _Work, first: int, recipients: list[dict[str, Any]]) -> None:
        """Send to whom nothing was sent yet, until the time is over, or the send is.

        What fails with one keeps nobody behind them waiting: it is raised once the others had their turn.
        """
        faults: list[Exception] = []
        for place, told in enumerate(recipients, first):
            if place in work.outcomes:
                continue
            try:
                work.outcomes[place] = self._one(work, OneOfMany(**told["to"], variables=told["variables"]))
            except Unsettled:
                work.unsettled = True
            except Overdue:
                break
            except Throttled:
                continue  # what is theirs is busy, such as one item: they come again with the rest
            except Exception as error:  # noqa: BLE001 - also what nobody thought of is one recipient's alone
                faults.append(error)
        if faults:
            raise faults[0]

    def _one(self, work: _Work, to: OneOfMany) -> Outcome:
        """What became of the mail to one recipient. Raises Unsettled, Overdue, a Throttled of ours, and faults."""
        while self._clock.now() < work.deadline:
            try:
                return _outcome(self._send(work, to))
            except Throttled as error:
                if error.code != PROVIDER_THROTTLED:
                    raise
                self._clock.sleep(SLOW)
            except (Unavailable, ConditionFailed):
                raise
            except TidingsError as error:
                # Nobody, erased, or no address: it stays so, and is no reason to keep others waiting.
                return Outcome(FAILED, code=error.code)
        raise Overdue

    def _send(self, work: _Work, to: OneOfMany) -> Message:
        send = work.send
        contact = self._recipients.find(send.workspace, to)
        owners = self._recipients.owners(send.workspace, to, contact)
        keys = [self._messages.key(send.workspace, owner, _message_id(owner, send)) for owner in owners]
        send_key, workspace_key = self._sends.key(send.workspace, send.id), self._workspaces.key(send.workspace)
        found = self._database.batch_get([*keys, send_key, workspace_key])
        if send_key not in found or self._sends.entity(found[send_key]).state is not SendState.SENDING:
            raise Overdue  # it was cancelled meanwhile
        work.workspace = self._workspaces.entity(found[workspace_key])
        known = next((self._messages.entity(found[key]) for key in keys if key in found), None)
        if contact is None:
            contact = self._contact(work, to, known)
        order = _order(work, to, contact, known.contact if known else contact.id)
        return self._emails.send(order, known, Alone())

    def _contact(self, work: _Work, to: OneOfMany, known: Message | None) -> Contact:
        send, address = work.send, str(to.email)
        if known is not None:
            return self._recipients.of_message(send.workspace, known.contact)
        if erased := self._recipients.require_address_of_nobody(work.workspace, address):
            self._recipients.require_unsent(send.workspace, _message_id(erased, send))
        return self._recipients.add(work.workspace, address, send.key)

    def _files_of(self, send: Send) -> tuple[Attachment, ...]:
        if send.id not in self._files:
            files = [Attachment(file.name, file.type, self._sends.file(send, n)) for n, file in enumerate(send.files)]
            self._files = {send.id: tuple(files)}
        return self._files[send.id]

    def _save(self, send: Send, progress: Progress) -> None:
        try:
            self._sends.save_progress(send, progress, self._clock.now())
        except ConditionFailed:
            return  # another repeat was faster, or the send was cancelled: what went stands in its message

    def _close(self, send: Send) -> None:
        now = self._clock.now()
        if self._sends.close(send, now):
            self._sends.forget_files(send)


def _message_id(owner: str, send: Send) -> str:
    return message_id(owner, "send", send.id)


def _order(work: _Work, to: OneOfMany, contact: Contact, owner: str) -> MailOrder:
    send, variables = work.send, {**work.send.variables, **to.variables}
    return MailOrder(
        workspace=work.workspace,
        contact=contact,
        owner=owner,
        message_id=_message_id(owner, send),
        template_name=send.template,
        template=work.template,
        kind=kind_of(send.kind, work.template),
        on_unknown=send.on_unknown,
        variables=variables,
        cause={"api": send.key},
        request=digest("request", send.request, json.dumps(variables, sort_keys=True)),
        topic=send.topic,
        reply_to=send.reply_to,
        send=send.id,
        tags=send.tags,
        attachments=work.files,
    )


def _outcome(message: Message) -> Outcome:
    code = str(message.decision.get("decided_by", "")) or message.error
    return Outcome(outcome_of(message.state), message.contact, message.id, code)
