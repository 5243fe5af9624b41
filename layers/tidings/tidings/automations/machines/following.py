"""What follows a step, and the execution it is taken in: plain values, for whoever reads enrolments and walks none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

# The states of machines that go on in a new execution (`lasting`). No component is called so.
BEGIN, REST, RENEW = "Begin", "Rest", "Renew"


@dataclass(frozen=True)
class Run:
    """The execution that somebody is in: when it began (aware, UTC), and how many steps had been taken by then."""

    began: datetime
    steps: int = 0


@dataclass(frozen=True)
class Following:
    """What follows: the id of the next state ("" where the way ends) and the end of each wait that comes at once.

    `missed` is the wait that the way ends at, because its date is past. `until` holds under `Rest` when the execution
    is to be continued by a new one, where it is (`lasting`).
    """

    next: str
    until: dict[str, datetime] = field(default_factory=dict)
    missed: str = ""
