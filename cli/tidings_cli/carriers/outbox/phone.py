"""The phone: the pages of text messages, as the people who got them see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from tidings.core.errors import NotFound
from tidings_cli.carriers.outbox import sms_views
from tidings_cli.carriers.outbox.desk import Desk
from tidings_cli.carriers.outbox.frame import Frame, back
from tidings_cli.carriers.outbox.views import face
from tidings_cli.carriers.sms.messages import Sms
from tidings_cli.carriers.web import Handler, Request, Response

# What a person can let happen to a message by hand.
_EVENTS = (
    ("TEXT_DELIVERED", "Delivered"),
    ("TEXT_UNREACHABLE", "Phone unreachable"),
    ("TEXT_CARRIER_UNREACHABLE", "Carrier unreachable"),
    ("TEXT_BLOCKED", "Blocked by the phone"),
    ("TEXT_CARRIER_BLOCKED", "Blocked by the carrier"),
    ("TEXT_INVALID", "No such number"),
    ("TEXT_SPAM", "Taken for spam"),
    ("TEXT_TTL_EXPIRED", "Too late"),
    ("TEXT_UNKNOWN", "No word from the carrier"),
    ("RCS_DELIVERED", "Delivered over RCS"),
    ("RCS_READ", "Read over RCS"),
)


class Phone:
    """The handlers of these pages."""

    def __init__(self, desk: Desk, frame: Frame) -> None:
        self._texts = desk.texts.messages
        self._numbers = desk.texts.numbers
        self._log = desk.log
        self._frame = frame

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of every page."""
        return [
            ("GET", "/sms", self._threads),
            ("POST", "/sms", self._write),
            ("GET", "/sms/{person}/{ours}", self._thread),
            ("POST", "/sms/{sms}/reply", self._reply),
            ("POST", "/sms/{sms}/events", self._tell),
            ("POST", "/sms/{person}/{ours}", self._answer),
            ("POST", "/sms-empty", self._empty),
        ]

    def _threads(self, request: Request) -> Response:
        return self._frame.page(request, "sms", "sms", self._values)

    def _thread(self, request: Request, person: str, ours: str) -> Response:
        if not self._texts.find(person, ours):
            raise NotFound("unknown_thread", "This conversation is not in the outbox.")
        return self._frame.page(request, "sms", "sms", lambda: self._values(person, ours))

    def _values(self, person: str = "", ours: str = "") -> dict[str, Any]:
        everything = self._texts.find()
        threads: dict[tuple[str, str], Sms] = {}
        for sms in everything:
            threads.pop((sms.person, sms.ours), None)
            threads[sms.person, sms.ours] = sms
        shown = [sms for sms in everything if (sms.person, sms.ours) == (person, ours)]
        numbers = [phone for phone in self._numbers.all() if self._numbers.channel(phone) is not None]
        ours_is = self._numbers.find(ours) if ours.startswith("+") else None
        return {
            "threads": [_row(sms, person, ours) for sms in reversed(threads.values())],
            "total": len(everything),
            "person": person,
            "ours": ours,
            "face": face(ours),
            "bubbles": self._bubbles(shown),
            "last": shown[-1].id if shown else "",
            "can_be_answered": bool(shown) and shown[-1].can_be_answered,
            "heard": ours_is is not None and self._numbers.channel(ours_is) is not None,
            "numbers": [{"number": phone.number, "country": phone.country} for phone in numbers],
            "events": [{"type": kind, "label": label} for kind, label in _EVENTS],
        }

    def _bubbles(self, shown: Sequence[Sms]) -> list[dict[str, Any]]:
        entries = self._log.of([sms.id for sms in shown])
        return [sms_views.bubble(sms, entries[sms.id]) for sms in shown]

    def _write(self, request: Request) -> Response:
        """A person writes first."""
        form = request.form()
        person = form.get("from", "").replace(" ", "")
        person = person if person.startswith("+") else f"+{person}"
        written = self._texts.receive(person, form.get("to", ""), form.get("body", ""))
        return back(_address(written))

    def _reply(self, request: Request, sms: str) -> Response:
        return back(_address(self._texts.reply(sms, request.form().get("body", ""))))

    def _answer(self, request: Request, person: str, ours: str) -> Response:
        """Answer what came last; a person who was never written to writes first."""
        shown, body = self._texts.find(person, ours), request.form().get("body", "")
        answer = self._texts.reply(shown[-1].id, body) if shown else self._texts.receive(person, ours, body)
        # A browser focuses what the fragment names, so that one can go on typing.
        return back(f"{_address(answer)}#answer")

    def _tell(self, request: Request, sms: str) -> Response:
        return back(_address(self._texts.tell(sms, request.form().get("type", ""))))

    def _empty(self, request: Request) -> Response:
        self._texts.empty()
        return back("/outbox/sms")


def _address(sms: Sms) -> str:
    return f"/outbox/sms/{quote(sms.person)}/{quote(sms.ours)}"


def _row(sms: Sms, person: str, ours: str) -> dict[str, Any]:
    return {
        "person": sms.person,
        "ours": sms.ours,
        "at": sms.at,
        "snippet": sms.body[:100],
        "out": sms.direction == "out",
        "href": _address(sms),
        "current": (sms.person, sms.ours) == (person, ours),
        "hue": face(sms.person)["hue"],
    }
