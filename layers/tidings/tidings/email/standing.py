"""When bounces or complaints show spam, marketing stops by itself, after a warning.

What was sent in the last seven days is looked at, of marketing only: receipts and passwords go on, and do not hide the
rate either. A warning goes with its reason; a stop stays until a person lets sending go on, and from then on only what
came after counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from tidings.accounts.model import STOPPED, Workspace
from tidings.accounts.sending import Rates
from tidings.consent.model import Channel, Kind
from tidings.core.clock import Clock, to_text
from tidings.core.errors import NotFound
from tidings.core.logs import count, logger
from tidings.core.store import ConditionFailed
from tidings.messages.reports import Row, total

DAYS = 7
EVERY = timedelta(seconds=10)
TRIES = 5
WARNED = "warned"
METRICS = {WARNED: "SendingWarned", STOPPED: "SendingStopped"}
COUNTED = ("sent", "bounced", "complained")


class Reports(Protocol):
    """Where sums of messages are kept."""

    def rows(self, workspace: str, first: str, last: str) -> Iterator[Row]: ...


class Workspaces(Protocol):
    """Where workspaces are kept."""

    def get(self, workspace: str, consistent: bool = False) -> Workspace | None: ...
    def change_standing(self, before: Workspace, standing: dict[str, Any]) -> Workspace: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What the counts of some days come to: `state` is empty where nothing is wrong, else `why` says which rate."""

    state: str
    why: str
    counts: Mapping[str, int]

    @property
    def rates(self) -> dict[str, float]:
        """Shares of what was sent."""
        sent = max(self.counts["sent"], 1)
        return {name: round(self.counts[name] / sent, 5) for name in ("bounced", "complained")}


def find(counts: Mapping[str, int], rates: Rates) -> Finding:
    """What the counts of marketing mails (`sent`, `bounced`, `complained`) mean."""
    sent, bounced, complained = (counts[name] for name in COUNTED)
    found = []
    if sent >= rates.bounces_from_sent and bounced >= rates.bounces_from:
        found += _over("bounces", bounced, sent, rates.bounces_warn, rates.bounces_stop)
    if sent >= rates.complaints_from_sent and complained >= rates.complaints_from:
        found += _over("complaints", complained, sent, rates.complaints_warn, rates.complaints_stop)
    state = STOPPED if any(state == STOPPED for state, _ in found) else WARNED if found else ""
    return Finding(state, "; ".join(why for reached, why in found if reached == state), dict(counts))


def _over(what: str, number: int, sent: int, warn: float, stop: float) -> list[tuple[str, str]]:
    share = number / sent
    if share < warn:
        return []
    state, limit = (STOPPED, stop) if share >= stop else (WARNED, warn)
    return [(state, f"{what} are {share:.2%} of {sent} mails sent in {DAYS} days, the limit is {limit:.2%}")]


def counts_of(rows: Iterable[Row], baseline: Mapping[str, int] | None = None) -> dict[str, int]:
    """What rows counted of marketing, less what was there when a person let it go on.

    A mail counts as bounced where the address does not exist, or where it was refused as spam.
    """
    told = total(row for row in rows if row.kind == Kind.MARKETING and row.channel == Channel.EMAIL)
    counts = {
        "sent": told["sent"],
        "bounced": told["hard_bounced"] + told["spam_bounced"],
        "complained": told["complained"],
    }
    return {name: max(number - (baseline or {}).get(name, 0), 0) for name, number in counts.items()}


class Standing:
    """Warns and stops workspaces by what became of their mails, and lets them go on."""

    def __init__(self, workspaces: Workspaces, reports: Reports, clock: Clock) -> None:
        self._workspaces = workspaces
        self._reports = reports
        self._clock = clock
        self._looked: dict[str, datetime] = {}
        self._owed: set[str] = set()  # those that are to be looked at once their ten seconds are over

    def look(self, workspace_id: str) -> bool:
        """See whether a workspace has to be warned or stopped: at most every ten seconds, 16 queries each time.

        Whatever leads to a stop is recorded as a warning first, also where both come at once. True where it was too
        soon and nobody was told yet to look when the ten seconds are over: what came within may be the last for long.
        """
        now = self._clock.now()
        if now - self._looked.get(workspace_id, now - EVERY) < EVERY:
            new = workspace_id not in self._owed
            self._owed.add(workspace_id)
            return new
        rows: list[Row] | None = None
        for _ in range(TRIES):
            workspace = self._workspaces.get(workspace_id, consistent=True)
            if workspace is None or workspace.standing.get("state") == STOPPED:
                break
            rows = self._rows(workspace_id) if rows is None else rows
            found = find(self._counts(workspace, rows), Rates.of(workspace.settings))
            if not self._goes_up(workspace, found, now):
                break
        self._looked[workspace_id] = now
        self._owed.discard(workspace_id)
        return False

    def status(self, workspace_id: str) -> dict[str, Any]:
        """How a workspace stands, as the API shows it. Raises NotFound."""
        workspace = self._get(workspace_id)
        found = find(self._counts(workspace, self._rows(workspace_id)), Rates.of(workspace.settings))
        told = workspace.standing
        return {
            "state": told.get("state") or "good",
            "why": told.get("why", ""),
            "since": told.get("since"),
            "warned_at": told.get("warned_at"),
            "resumed_at": told.get("resumed_at"),
            "days": DAYS,
            "counts": dict(found.counts),
            "rates": found.rates,
            "limits": {name: getattr(Rates.of(workspace.settings), name) for name in Rates.__slots__},
        }

    def resume(self, workspace_id: str) -> dict[str, Any]:
        """Let marketing go on. What was counted until now is not held against it again; a repeat changes nothing.

        Raises NotFound.
        """
        for _ in range(TRIES):
            workspace = self._get(workspace_id)
            if not workspace.standing.get("state"):
                break
            days: dict[str, dict[str, int]] = {}
            for row in self._rows(workspace_id):
                known = days.setdefault(row.day, dict.fromkeys(COUNTED, 0))
                for name, number in counts_of([row]).items():
                    known[name] += number
            standing = {"resumed_at": to_text(self._clock.now()), "baseline": days}
            try:
                self._workspaces.change_standing(workspace, standing)
            except ConditionFailed:
                continue
            break
        return self.status(workspace_id)

    def _rows(self, workspace_id: str) -> list[Row]:
        """What was counted of mails of the last seven days, UTC."""
        return list(self._reports.rows(workspace_id, *_days(self._clock.now())))

    def _counts(self, workspace: Workspace, rows: Iterable[Row]) -> dict[str, int]:
        """What marketing mails came to since the workspace was last let go on."""
        return counts_of(rows, _baseline(workspace, _days(self._clock.now())[0]))

    def _goes_up(self, workspace: Workspace, found: Finding, now: datetime) -> bool:
        """Record what was found if it is worse than what stands; whether there may be more to record."""
        before = workspace.standing.get("state", "")
        if found.state == before:
            return False
        if not found.state:
            return self._forget_warning(workspace)
        state = found.state if before == WARNED else WARNED
        standing = {
            **workspace.standing,
            "state": state,
            "why": found.why,
            "rates": found.rates,
            "counts": dict(found.counts),
            "since": to_text(now),
            "warned_at": workspace.standing.get("warned_at") or to_text(now),
        }
        try:
            self._workspaces.change_standing(workspace, standing)
        except ConditionFailed:
            return True
        logger.warning("sending " + state, extra={"workspace": workspace.id, "rates": found.rates})
        count(METRICS[state], 1)
        return state != found.state

    def _forget_warning(self, workspace: Workspace) -> bool:
        """Take a warning back where the rates came down again, so that the next rise warns anew."""
        gone = ("state", "why", "rates", "counts", "since", "warned_at")
        standing = {name: value for name, value in workspace.standing.items() if name not in gone}
        try:
            self._workspaces.change_standing(workspace, standing)
        except ConditionFailed:
            return True
        return False

    def _get(self, workspace_id: str) -> Workspace:
        found = self._workspaces.get(workspace_id, consistent=True)
        if found is None:
            raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
        return found


def _days(now: datetime) -> tuple[str, str]:
    return f"{now - timedelta(days=DAYS - 1):%Y-%m-%d}", f"{now:%Y-%m-%d}"


def _baseline(workspace: Workspace, first: str) -> dict[str, int]:
    """What was counted, of the days that still count, when the workspace was let go on."""
    kept = workspace.standing.get("baseline") or {}
    days = [counts for day, counts in kept.items() if day >= first]
    return {name: sum(counts.get(name, 0) for counts in days) for name in COUNTED}
