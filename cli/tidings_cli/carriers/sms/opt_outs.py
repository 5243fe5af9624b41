"""AWS's opt-out lists, and the words by which people put themselves on them."""

from __future__ import annotations

from tidings.core.clock import Clock
from tidings_cli.carriers.database import Database
from tidings_cli.carriers.sms.errors import invalid, missing
from tidings_cli.carriers.sms.numbers import OPT_OUTS
from tidings_cli.carriers.sms.shelf import Record, Shelf

# "Opt-out list keywords" of the service's user guide; a number takes START back that was stopped.
STOP = frozenset({"ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD", "UNSUBSCRIBE"})
START = frozenset({"START", "UNSTOP"})
HELP = frozenset({"HELP"})

STOPPED = "You are opted out and get no more messages from this number. Reply START to get them again."
STARTED = "You get messages from this number again. Reply STOP to opt out."
HELPED = "Reply STOP to get no more messages from this number. Your carrier may charge for messages."

_AGAIN = 30 * 24 * 3600  # seconds between two times that somebody is taken off a list by a call


class OptOuts:
    """Who does not want to hear from whom."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._shelf = Shelf(database, "opt-out")
        self._taken_off = Shelf(database, "opted-in")
        self._clock = clock

    def lists(self) -> list[str]:
        """The names of all lists: the one that every account has."""
        return [OPT_OUTS]

    def need(self, name: str) -> str:
        """The bare name of a list. Raises ResourceNotFoundException."""
        bare = name.rpartition(":opt-out-list/")[2]
        if bare not in self.lists():
            raise missing("opt-out-list", name)
        return bare

    def has(self, name: str, number: str) -> bool:
        """Whether a number is on a list."""
        return self._shelf.get(f"{name}/{number}") is not None

    def all(self, name: str) -> list[Record]:
        """Who is on a list, oldest first."""
        return [one for key, one in self._shelf.all().items() if key.startswith(f"{name}/")]

    def put(self, name: str, number: str, by_person: bool = False) -> Record:
        """Put a number on a list; who is there stays as they are."""
        known = self._shelf.get(f"{name}/{number}")
        record = known or {"OptedOutNumber": number, "OptedOutTimestamp": self._now(), "EndUserOptedOut": by_person}
        self._shelf.put(f"{name}/{number}", record)
        return record

    def delete(self, name: str, number: str) -> Record:
        """DeleteOptedOutNumber: of one number once in 30 days."""
        record = self._shelf.get(f"{name}/{number}")
        if record is None:
            raise missing("opted-out-number", number)
        last = self._taken_off.get(f"{name}/{number}")
        if last and self._now() - last["at"] < _AGAIN:
            told = f"{number} was opted in less than 30 days ago"
            raise invalid(told, "PHONE_NUMBER_CANNOT_BE_OPTED_IN", ["OptedOutNumber"])
        self._taken_off.put(f"{name}/{number}", {"at": self._now()})
        self._shelf.remove(f"{name}/{number}")
        return record

    def take_off(self, name: str, number: str) -> None:
        """The person's own START."""
        self._shelf.remove(f"{name}/{number}")

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def answer_to(text: str) -> tuple[str, str]:
    """What AWS makes of a word where opt-outs are not self-managed: `stop`, `start` or `help`, and what it answers."""
    word = text.strip().upper()
    for words, meaning, answer in ((STOP, "stop", STOPPED), (START, "start", STARTED), (HELP, "help", HELPED)):
        if word in words:
            return meaning, answer
    return "", ""
