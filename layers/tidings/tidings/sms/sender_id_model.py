"""A sender ID: a name that a workspace's text messages leave from, from its request to its end (product rule 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from tidings.core.clock import from_text, to_text


class State(StrEnum):
    """Where a sender ID stands. Only what is `active` in a country is sent from there."""

    REQUESTED = "requested"  # waits for staff
    VERIFIED = "verified"  # waits for the workspace's administrator
    ACCEPTED = "accepted"  # AWS is being asked, country by country
    ACTIVE = "active"  # in at least one country
    REJECTED = "rejected"
    EXPIRED = "expired"
    RETIRED = "retired"


WAITING = (State.REQUESTED, State.VERIFIED)
CLOSED = (State.REJECTED, State.EXPIRED, State.RETIRED)

# What became of it in one country; `active` and `registering` stand in the workspace's setup too. Where a request was
# closed, its countries have that state.
WANTED, REGISTERING, ACTIVE_THERE, REFUSED = "wanted", "registering", "active", "refused"


@dataclass(frozen=True, slots=True)
class Place:
    """A sender ID in one country. `told` says what is to be done there, or why it was refused.

    `asked` is whether it was we who asked AWS for it, and `released` whether we have given it back. `looks` counts how
    often AWS was asked how its registration stands, `look_at` is when that comes next. `registration` is AWS's id.
    """

    state: str = WANTED
    told: str = ""
    asked: bool = False
    released: bool = False
    looks: int = 0
    look_at: str = ""
    registration: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who decided and when. `mark` tells the key, so that its repeat is known as one."""

    by: str
    at: str
    mark: str


@dataclass(frozen=True, slots=True)
class SenderId:
    """A workspace's claim to a name, which no second workspace of the account has.

    `request` names its latest request, of which the workspace made `round` by that name; `step_at` is when it began to
    wait for the decision that it waits for. Somebody is reminded every `remind`, `reminded` times so far, and after
    `expire` it expires. `token` is that of the waiting machine, registered while the state was `token_for`; `starts`
    counts the machines, `clocks` those beside them. `revision` grows with each change.
    """

    workspace: str
    name: str
    state: State
    request: str
    round: int
    purpose: str
    sample: str
    requested_at: datetime
    requested_by: str
    step_at: datetime
    remind: timedelta
    expire: timedelta
    places: Mapping[str, Place] = field(default_factory=dict)
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    reason: str = ""
    reminded: int = 0
    token: str = field(default="", repr=False)
    token_for: str = ""
    starts: int = 1
    clocks: int = 1
    revision: int = 0

    @property
    def unreleased(self) -> list[str]:
        """The countries in which AWS still has it for us, in the order of their turns."""
        held = ((place.look_at, country) for country, place in self.places.items() if place.asked)
        return [country for _, country in sorted(held) if not self.places[country].released]

    def at_place(self, country: str, **changes: Any) -> SenderId:
        """The same with a country's entry changed."""
        return replace(self, places={**self.places, country: replace(self.places[country], **changes)})

    def as_document(self) -> dict[str, Any]:
        """As it is kept."""
        kept = asdict(self)
        for name in ("workspace", "name", "revision", "token"):
            del kept[name]
        for name in ("requested_at", "step_at"):
            kept[name] = to_text(kept[name])
        for name in ("remind", "expire"):
            kept[name] = int(kept[name].total_seconds())
        return kept

    @classmethod
    def of(cls, workspace: str, name: str, kept: Mapping[str, Any], token: str, revision: int) -> SenderId:
        """The sender ID that was kept."""
        read = {
            **kept,
            "state": State(kept["state"]),
            "requested_at": from_text(kept["requested_at"]),
            "step_at": from_text(kept["step_at"]),
            "remind": timedelta(seconds=kept["remind"]),
            "expire": timedelta(seconds=kept["expire"]),
            "places": {country: Place(**place) for country, place in kept["places"].items()},
            "approvals": {step: Approval(**approval) for step, approval in kept["approvals"].items()},
        }
        return cls(workspace=workspace, name=name, token=token, revision=revision, **read)


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of a sender ID, as its log keeps it."""

    what: str
    who: str
    country: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Next:
    """What the machine of a request does next: `wait` for a decision, `clock` until an instant, `pause`, `work`, `end`.

    `step` and `number` say which reminder an instant is for.
    """

    do: str
    at: str = ""
    step: str = ""
    number: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As the machine carries it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Held:
    """A sender ID that AWS has: whether it is registered, and the id of its registration, if it needs one."""

    registered: bool
    registration: str = ""


class SenderIds(Protocol):
    """AWS's sender IDs. All raise Throttled, Unavailable, Conflict for a used-up quota, InvalidInput for a refusal."""

    def show(self, name: str, country: str) -> Held | None: ...
    def request(self, name: str, country: str, token: str, workspace: str) -> Held: ...
    def registration(self, registration: str) -> str: ...
    def release(self, name: str, country: str) -> None: ...


class Machine(Protocol):
    """The machines that wait. All raise Unavailable."""

    def start(self, name: str, told: Mapping[str, Any]) -> None: ...
    def runs(self, name: str) -> bool: ...
    def answer(self, token: str, told: Mapping[str, Any]) -> bool: ...
