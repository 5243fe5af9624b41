"""The API of sender IDs: asking for a name, deciding about it, giving it up.

A decision is written first and then the waiting machine is told. Whatever is cut short between the two, the same call
again finds its decision and tells the machine; a machine that asks again finds it by itself; and one that was lost is
started anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tidings.accounts.model import ApiKey, Role, Workspace
from tidings.accounts.rules import require_role
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.conditions.durations import parse_duration
from tidings.core.clock import Clock
from tidings.core.errors import Conflict, NotFound, Unavailable
from tidings.core.store import ConditionFailed
from tidings.sms.model import Setup
from tidings.sms.sender_id_model import CLOSED, WAITING, Entry, Machine, SenderId, State
from tidings.sms.sender_id_rules import (
    EXPIRE,
    NAMES_MOST,
    REMIND,
    clock_of,
    closed,
    decided,
    is_same,
    next_of,
    read_reason,
    read_request,
    requested,
    shown,
)
from tidings.sms.sender_id_store import DynamoSenderIdStore

# Whoever finds that a record changed since it was read looks again so often.
TRIES = 5
_SAID = {"verify": "verified", "accept": "accepted", "reject": "rejected"}


class SenderIdDesk:
    """Takes requests for names, and what people decide about them."""

    def __init__(
        self, senders: DynamoSenderIdStore, workspaces: DynamoWorkspaceStore, machine: Machine, clock: Clock
    ) -> None:
        self._senders = senders
        self._workspaces = workspaces
        self._machine = machine
        self._clock = clock

    def all(self, workspace: str) -> list[dict[str, Any]]:
        """The workspace's names, as they stand."""
        return [shown(sender) for sender in self._senders.all(workspace)]

    def show(self, workspace: str, name: str) -> dict[str, Any]:
        """A name as it stands. Raises NotFound."""
        return shown(self._own(workspace, name))

    def log(self, workspace: str, name: str, limit: int, cursor: str) -> dict[str, Any]:
        """What changed in a name, the latest first. Raises NotFound, InvalidInput for a bad cursor."""
        self._own(workspace, name)
        entries, following = self._senders.log(workspace, name, limit, cursor)
        return {"log": entries, "cursor": following}

    def request(self, key: ApiKey, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for a name in some countries. The same again mends what was cut short, and changes nothing else.

        Raises InvalidInput, and Conflict where another workspace has the name or another request of it is under way.
        """
        for _ in range(TRIES):
            workspace = self._workspace(key.workspace)
            asked = read_request(body, Setup.of(workspace))
            before = self._senders.get(workspace.id, asked.name)
            if before is not None and is_same(asked, before):
                return shown(self._go_on(before))
            if before is None and sum(one.state not in CLOSED for one in self._senders.all(workspace.id)) >= NAMES_MOST:
                raise Conflict("too_many_sender_ids", f"A workspace has {NAMES_MOST} sender IDs at most.")
            remind, expire = _review(workspace)
            after = requested(asked, before, key, self._clock.now(), remind, expire)
            entry = Entry("requested", key.who, ", ".join(asked.countries), asked.purpose)
            try:
                after = self._senders.change(after, self._clock.now(), entry)
            except ConditionFailed as error:
                if "claim" in error.labels:
                    told = "Another workspace has this name, or you have it in other letters."
                    raise Conflict("sender_id_taken", told, "name") from error
                continue  # somebody asked for it at the same time: look again
            self._begin(after)
            return shown(after)
        raise _contended()

    def decide(self, key: ApiKey, name: str, decision: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Verify, accept or reject what waits. Raises NotFound, InvalidInput, Forbidden, Conflict."""
        reason = read_reason(body, decision)
        for _ in range(TRIES):
            before, now = self._own(key.workspace, name), self._clock.now()
            after = decided(before, decision, reason, key, now)
            if after is None:
                return shown(self._go_on(before))
            try:
                after = self._senders.change(after, now, Entry(_SAID[decision], key.who, reason=reason))
            except ConditionFailed:
                continue  # it was reminded of, expired, or somebody else decided: look again
            return shown(self._go_on(after))
        raise _contended()

    def retire(self, key: ApiKey, name: str) -> dict[str, Any]:
        """Give a name up: nothing leaves from it from now on, and AWS is told where we asked for it.

        The same again does what is left of it. Raises NotFound, Forbidden for who neither runs Tidings nor answers for
        the workspace.
        """
        for _ in range(TRIES):
            before = self._own(key.workspace, name)
            require_role(key, Role.STAFF, Role.ADMINISTRATOR)
            if before.state in CLOSED:
                try:
                    return shown(self._go_on_releasing(before))
                except ConditionFailed:
                    continue
            workspace = self._workspace(key.workspace)
            after = closed(replace(before, reason=""), State.RETIRED)
            try:
                after = self._senders.change(after, self._clock.now(), Entry("retired", key.who), told=workspace)
            except ConditionFailed:
                continue
            if after.unreleased:
                self._begin_release(after)
            self._tell(after)
            return shown(after)
        raise _contended()

    def _begin(self, sender: SenderId) -> None:
        """Let a machine wait for what is decided, and another for the instants of reminders."""
        self._machine.start(execution_of(sender), {**_about(sender), "next": next_of(sender).as_dict()})
        self._begin_clock(sender)

    def _begin_clock(self, sender: SenderId) -> None:
        clock = clock_of(sender)
        if clock.do != "end":
            self._machine.start(clock_execution_of(sender), {**_about(sender), "next": clock.as_dict()})

    def _begin_release(self, sender: SenderId) -> None:
        self._machine.start(release_execution_of(sender), {**_about(sender), "next": next_of(sender).as_dict()})

    def _go_on_releasing(self, sender: SenderId) -> SenderId:
        """See to it that a machine gives back what AWS has still. Raises ConditionFailed if something else happens."""
        if sender.unreleased and not self._machine.runs(release_execution_of(sender)):
            sender = self._senders.change(replace(sender, starts=sender.starts + 1), self._clock.now(), None)
            self._begin_release(sender)
        return sender

    def _go_on(self, sender: SenderId) -> SenderId:
        """See to it that a machine works on what was decided: the waiting one, one that is on its way, or a new one.

        What still waits has its clock beside, or gets a new one: without it nobody would be reminded, and it would
        never expire.
        """
        told = self._tell(sender)
        if next_of(sender).do == "end":
            return sender
        works = told or self._machine.runs(execution_of(sender))
        ticks = sender.state not in WAITING or self._machine.runs(clock_execution_of(sender))
        if works and ticks:
            return sender
        counts = replace(sender, starts=sender.starts + (not works), clocks=sender.clocks + 1)
        try:
            sender = self._senders.change(counts, self._clock.now(), None)
        except ConditionFailed:
            return sender  # something happens to it
        if works:
            self._begin_clock(sender)
        else:
            self._begin(sender)
        return sender

    def _tell(self, sender: SenderId) -> bool:
        """Tell the waiting machine what was decided; whether it waited still."""
        if not sender.token or sender.token_for == sender.state.value:
            return False
        return self._machine.answer(sender.token, next_of(sender).as_dict())

    def _own(self, workspace: str, name: str) -> SenderId:
        # Log items share the partition: no name holds a #.
        sender = self._senders.get(workspace, name) if "#" not in name else None
        if sender is None:
            raise NotFound("unknown_sender_id", "The workspace has no such sender ID.", "sender_id")
        return sender

    def _workspace(self, workspace_id: str) -> Workspace:
        found = self._workspaces.get(workspace_id, consistent=True)
        if found is None:
            raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
        return found


def execution_of(sender: SenderId) -> str:
    """The name of the machine that waits for a request: another one each time that it had to be started."""
    return f"{sender.request}-{sender.starts}"


def clock_execution_of(sender: SenderId) -> str:
    """The name of the machine that waits for the instants of a request, counted in the same way."""
    return f"{execution_of(sender)}-clock-{sender.clocks}"


def release_execution_of(sender: SenderId) -> str:
    """The name of the machine that gives a name back, counted in the same way."""
    return f"{execution_of(sender)}-release"


def _about(sender: SenderId) -> dict[str, str]:
    return {"workspace": sender.workspace, "sender_id": sender.name, "request": sender.request}


def _review(workspace: Workspace) -> tuple[timedelta, timedelta]:
    told = workspace.sms.get("review") or {}
    remind, expire = told.get("remind_every"), told.get("expires_after")
    return parse_duration(remind) if remind else REMIND, parse_duration(expire) if expire else EXPIRE


def _contended() -> Unavailable:
    return Unavailable("sender_id_contended", "The sender ID kept changing.")
