"""AWS's opt-out list, kept as the person's last word has it: so that nothing else of the account writes to them either.

It follows what Tidings knows, and is never asked. Whoever changed the list looks once more at the last word: so that of
two who change it at once the later leaves it right, whichever came first.
"""

from __future__ import annotations

from typing import Protocol

from tidings.accounts.model import Workspace
from tidings.consent.model import Channel
from tidings.consent.stopping import StopService
from tidings.core.errors import InvalidInput, Unavailable
from tidings.core.logs import logger

TRIES = 5


class OptOuts(Protocol):
    """AWS's lists. Both calls raise Throttled, Unavailable, and InvalidInput for what AWS refuses for good."""

    def put(self, listed: str, number: str) -> None:
        """Put a person's number on a list."""

    def delete(self, listed: str, number: str) -> None:
        """Take a person's number off a list, if it is there."""


class OptOutMirror:
    """Brings a list up to date."""

    def __init__(self, stops: StopService, lists: OptOuts) -> None:
        self._stops = stops
        self._lists = lists

    def follow(self, workspace: Workspace, listed: str, person: str) -> None:
        """Let a list say of a person what their last word says. Raises Throttled, Unavailable; then it is repeated.

        What AWS refuses for good, such as to take a number off twice in 30 days, is logged and left.
        """
        for _ in range(TRIES):
            stopped = self._stops.is_stopped(workspace, Channel.SMS, person)
            try:
                (self._lists.put if stopped else self._lists.delete)(listed, person)
            except InvalidInput as error:
                # Not AWS's own words, which may hold the person's number.
                told = {"workspace": workspace.id, "opt_out_list": listed, "stopped": stopped, "code": error.code}
                logger.warning("opt-out list not changed", extra=told)
                return
            if self._stops.is_stopped(workspace, Channel.SMS, person) == stopped:
                return
        raise Unavailable("consent_contended", "What is known of this address kept changing.")
