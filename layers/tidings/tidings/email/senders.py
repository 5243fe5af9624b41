"""The domains and addresses that a workspace sends from, and whether SES lets it.

A claim comes first: it belongs to one workspace, and stands in the workspace as not verified, so that nothing leaves
from it. Then SES is told, then asked; what it says is written to the claim and to the workspace in one stroke. Whatever
of this is cut short, the same call again finds the claim its own and does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core.clock import Clock
from tidings.core.errors import Conflict, NotFound, TidingsError, Unavailable
from tidings.core.logs import logger
from tidings.core.store import ConditionFailed
from tidings.email.sender_model import MISSING, Identities, Sender, SenderState, Texts
from tidings.email.sender_rules import (
    default_mail_from,
    dmarc_of,
    overlap,
    read_identity,
    read_mail_from,
    shown,
    spf_of,
)
from tidings.email.sender_store import DynamoSenderStore

# SES is asked of one sender at most so often; it looks at DNS itself more seldom.
ASK_EVERY = timedelta(seconds=30)
# A workspace with its senders is read at every send: a read unit holds about fifty of them.
SENDERS_MOST = 50
TRIES = 5


class SenderService:
    """Adds, shows and takes away the senders of a workspace."""

    def __init__(
        self,
        senders: DynamoSenderStore,
        workspaces: DynamoWorkspaceStore,
        identities: Identities,
        dns: Texts,
        clock: Clock,
    ) -> None:
        self._senders = senders
        self._workspaces = workspaces
        self._identities = identities
        self._dns = dns
        self._clock = clock

    def add(self, workspace_id: str, text: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Claim a domain or address, ask SES to verify it, and show what is to be done for that.

        The same again mends what is missing, and changes MAIL FROM if the body names another. Raises InvalidInput, and
        Conflict if it is, or overlaps with, another workspace's.
        """
        identity = read_identity(text)
        mail_from = read_mail_from(body, identity)
        sender = self._claim(workspace_id, identity)
        self._identities.create(identity)
        sender = replace(sender, checked_at=self._clock.now())
        state = self._identities.show(identity) or SenderState(status=MISSING)
        wanted = mail_from or state.mail_from.domain or default_mail_from(identity)
        if sender.is_domain and wanted and wanted != state.mail_from.domain:
            self._identities.set_mail_from(identity, wanted)
            state = self._identities.show(identity) or SenderState(status=MISSING)
        return self._keep(replace(sender, state=self._looked_up(sender, state)))

    def show(self, workspace_id: str, text: str) -> dict[str, Any]:
        """A sender as SES and DNS say it is, asked at most every 30 seconds. Raises NotFound."""
        sender = self._own(workspace_id, text)
        if sender.leaving:
            raise _unknown()
        now = self._clock.now()
        if not self._senders.take_turn(sender, now, ASK_EVERY):
            return self._shown(sender, self._workspace(workspace_id))
        state = self._identities.show(sender.identity) or SenderState(status=MISSING)
        return self._keep(replace(sender, checked_at=now, state=self._looked_up(sender, state)))

    def all(self, workspace_id: str) -> list[dict[str, Any]]:
        """The workspace's senders by name, as they were when last asked about."""
        workspace = self._workspace(workspace_id)
        return [self._shown(sender, workspace) for sender in self._senders.of(workspace_id, workspace.senders)]

    def remove(self, workspace_id: str, text: str, from_ses: bool) -> None:
        """Take a sender away: nothing leaves from it any more. Raises NotFound.

        `from_ses` deletes SES's identity as well; until that is done the claim stays, so that a repeat can do it and
        nobody else's new identity is deleted.
        """
        sender = self._own(workspace_id, text)
        if not sender.leaving:
            change = self._senders.set_aside if from_ses else self._senders.drop
            if self._tell(sender, change) is None:
                raise _unknown()  # given up meanwhile: SES's identity may be somebody else's by now
            if not from_ses:
                return
        if from_ses:
            self._identities.delete(sender.identity)
        self._senders.forget(sender)

    def _claim(self, workspace_id: str, identity: str) -> Sender:
        for _ in range(TRIES):
            workspace = self._workspace(workspace_id)
            near, revision = self._senders.around(identity)
            own = next((one for one in near if one.identity == identity and one.workspace == workspace_id), None)
            if own is not None and not own.leaving:
                return own
            if any(overlap(one.identity, identity) and one.workspace != workspace_id for one in near):
                raise Conflict("sender_taken", "Another workspace sends from this, or from above or below it.")
            if len(workspace.senders) >= SENDERS_MOST:
                raise Conflict("too_many_senders", f"A workspace has {SENDERS_MOST} senders at most.")
            sender = Sender(workspace_id, identity, self._clock.now())
            try:
                self._senders.claim(sender, revision, workspace)
            except ConditionFailed:
                continue  # somebody claimed something near it, or the workspace changed: look again
            return sender
        raise Unavailable("sender_contended", "The workspace's senders kept changing.")

    def _keep(self, sender: Sender) -> dict[str, Any]:
        """Keep what was found, and show it; where somebody found something newer, that."""
        workspace = self._tell(sender, self._senders.record)
        if workspace is not None:
            return self._shown(sender, workspace)
        newer = self._senders.get(sender.workspace, sender.identity)
        if newer is None or newer.leaving:
            raise _unknown()
        return self._shown(newer, self._workspace(sender.workspace))

    def _tell(self, sender: Sender, change: Callable[[Sender, Workspace], None]) -> Workspace | None:
        return tell(self._workspaces, sender, change)

    def _looked_up(self, sender: Sender, state: SenderState) -> SenderState:
        """The state with what DNS says of it."""
        spf = spf_of(state.mail_from.domain, self._dns) if state.mail_from.domain else None
        return replace(state, mail_from=replace(state.mail_from, spf=spf), dmarc=dmarc_of(sender.domain, self._dns))

    def _own(self, workspace_id: str, text: str) -> Sender:
        sender = self._senders.get(workspace_id, read_identity(text))
        if sender is None:
            raise _unknown()
        return sender

    def _workspace(self, workspace_id: str) -> Workspace:
        return workspace_of(self._workspaces, workspace_id)

    def _shown(self, sender: Sender, workspace: Workspace) -> dict[str, Any]:
        return shown(sender, self._identities.region, workspace.public_url)


@dataclass(frozen=True, slots=True)
class Round:
    """What a round over all senders found: how many were asked about, lost their verification, or failed."""

    asked: int = 0
    lost: int = 0
    failed: int = 0


class SenderRound:
    """Asks SES about all senders of all workspaces, those first that were not asked about for longest."""

    def __init__(
        self, senders: DynamoSenderStore, workspaces: DynamoWorkspaceStore, identities: Identities, clock: Clock
    ) -> None:
        self._senders = senders
        self._workspaces = workspaces
        self._identities = identities
        self._clock = clock

    def go(self, within: timedelta) -> Round:
        """One round; what it has no time for comes first in the next. One that fails keeps no other from its turn."""
        until = self._clock.now() + within
        asked = lost = failed = 0
        for sender in sorted(self._senders.all(), key=lambda one: one.checked_at or one.added_at):
            if sender.leaving:
                continue
            if self._clock.now() >= until:
                logger.warning("senders left for the next round")
                break
            asked += 1
            try:
                lost += self._ask(sender)
            except TidingsError as error:
                failed += 1
                logger.error("sender not checked", extra={"workspace": sender.workspace, "code": error.code})
        return Round(asked, lost, failed)

    def _ask(self, sender: Sender) -> bool:
        """Ask about one; whether it is no longer verified. What only DNS knows stays as it was."""
        now, before = self._clock.now(), sender.state
        found = self._identities.show(sender.identity) or SenderState(status=MISSING)
        mail_from = replace(found.mail_from, spf=before.mail_from.spf)
        state = replace(found, dmarc=before.dmarc, mail_from=mail_from)
        tell(self._workspaces, replace(sender, checked_at=now, state=state), self._senders.record)
        if state.verified != before.verified:
            # Not the identity, which may be somebody's address.
            about = {"workspace": sender.workspace, "verified": state.verified, "status": state.status}
            logger.info("sender changed", extra=about)
        return before.verified and not state.verified


def tell(
    workspaces: DynamoWorkspaceStore, sender: Sender, change: Callable[[Sender, Workspace], None]
) -> Workspace | None:
    """Change a sender and its workspace in one stroke; the workspace, or None where the sender is not as it was.

    Raises Unavailable where the workspace kept changing.
    """
    for _ in range(TRIES):
        workspace = workspace_of(workspaces, sender.workspace)
        try:
            change(sender, workspace)
        except ConditionFailed as error:
            if "sender" in error.labels:
                return None
            continue
        return workspace
    raise Unavailable("sender_contended", "The workspace's senders kept changing.")


def workspace_of(workspaces: DynamoWorkspaceStore, workspace_id: str) -> Workspace:
    """A workspace as it is now. Raises NotFound."""
    found = workspaces.get(workspace_id, consistent=True)
    if found is None:
        raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
    return found


def _unknown() -> NotFound:
    return NotFound("unknown_sender", "The workspace has no such sender.", "identity")
