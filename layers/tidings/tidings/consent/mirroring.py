"""Mirroring the suppression list that SES keeps for the whole account, where a workspace's owner wants it.

SES takes a mail to an address on its list, and bounces it. Whoever mirrors the list does not send it at all, and the
decision record says why. How far a workspace has come is remembered; what was listed shortly before is looked at once
more, since SES lists late. What is suppressed already is skipped, so a run that had to stop is taken up by the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent.gateway import AccountGateway, Listed
from tidings.consent.mirror_store import DynamoMirrorStore
from tidings.consent.model import Channel
from tidings.consent.rules import normalise_address
from tidings.consent.service import SuppressionService
from tidings.consent.store import DynamoConsentStore
from tidings.core.clock import Clock
from tidings.core.errors import InvalidInput

SOURCE = "ses-account"
AGAIN = timedelta(hours=2)
AT_ONCE = 100
# What one run may take; the rest waits for the next.
RUN = timedelta(minutes=4)


class Mirroring:
    """Takes over what came to the account's list since the last time."""

    def __init__(
        self,
        workspaces: DynamoWorkspaceStore,
        marks: DynamoMirrorStore,
        account: AccountGateway,
        records: DynamoConsentStore,
        suppressions: SuppressionService,
        clock: Clock,
    ) -> None:
        self._workspaces = workspaces
        self._marks = marks
        self._account = account
        self._records = records
        self._suppressions = suppressions
        self._clock = clock

    def run(self) -> int:
        """Suppress what is new on the account's list in every workspace that mirrors it; how many entries were made."""
        began = self._clock.now()
        wanting = {one.id: one for one in self._workspaces.all() if one.mirrors_account_suppression}
        since = {workspace: self._marks.get(workspace) for workspace in wanting}
        if not wanting:
            return 0
        marks = list(since.values())
        earliest = None if None in marks else min(at for at in marks if at is not None) - AGAIN
        made = 0
        listed = self._account.since(earliest)
        for some in iter(lambda: list(islice(listed, AT_ONCE)), []):
            for workspace in wanting.values():
                mark = since[workspace.id]
                new = [one for one in some if mark is None or one.at >= mark - AGAIN]
                for address, one in self._missing(workspace, new):
                    self._suppressions.suppress(workspace, Channel.EMAIL, address, one.reason, SOURCE, actor="mirror")
                    made += 1
            if self._clock.now() - began > RUN:
                return made
        for name in wanting:
            self._marks.set(name, began)
        return made

    def _missing(self, workspace: Workspace, listed: list[Listed]) -> Iterator[tuple[str, Listed]]:
        """What is listed and not suppressed here: one batched read."""
        addresses: dict[str, Listed] = {}
        for one in listed:
            try:
                addresses[normalise_address(Channel.EMAIL, one.address)] = one
            except InvalidInput:
                continue  # nobody here can have an address that we take for none
        records = self._records.records(workspace, Channel.EMAIL, addresses)
        now = self._clock.now()
        for address, one in addresses.items():
            entry = records[address].suppression
            if entry is None or not entry.holds_at(now):
                yield address, one
