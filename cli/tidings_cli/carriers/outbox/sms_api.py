"""The part of the outbox's JSON API that is about text messages, and about what the account sends them from."""

from __future__ import annotations

from typing import Any

from tidings.core.errors import InvalidInput
from tidings_cli.carriers.outbox import sms_views
from tidings_cli.carriers.outbox.desk import Desk
from tidings_cli.carriers.sms.messages import Sms
from tidings_cli.carriers.sms.numbers import Phone
from tidings_cli.carriers.web import Handler, Request, Response, json_response

_DECISIONS = {"complete": True, "denied": False}
_SWITCHES = ("self_managed", "two_way")


class OutboxSmsApi:
    """The handlers of these calls."""

    def __init__(self, desk: Desk) -> None:
        self._texts = desk.texts.messages
        self._numbers = desk.texts.numbers
        self._senders = desk.texts.senders
        self._registrations = desk.texts.registrations
        self._opt_outs = desk.texts.opt_outs
        self._log = desk.log

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of every call."""
        return [
            ("GET", "/api/sms", self._list),
            ("POST", "/api/sms", self._write),
            ("DELETE", "/api/sms", self._empty),
            ("GET", "/api/sms/{sms}", self._get),
            ("POST", "/api/sms/{sms}/reply", self._reply),
            ("POST", "/api/sms/{sms}/events", self._tell),
            ("GET", "/api/numbers", self._list_numbers),
            ("PUT", "/api/numbers/{number}", self._switch_number),
            ("GET", "/api/sender-ids", self._list_senders),
            ("GET", "/api/registrations", self._list_registrations),
            ("POST", "/api/registrations", self._file),
            ("POST", "/api/registrations/{registration}", self._decide),
        ]

    def _list(self, request: Request) -> Response:
        """Text messages, oldest first; `person` is the phone's number, `ours` the other side's."""
        found = self._texts.find(request.one("person"), request.one("ours"))
        entries = self._log.of([sms.id for sms in found])
        return json_response([sms_views.sms_json(sms, entries[sms.id]) for sms in found])

    def _write(self, request: Request) -> Response:
        """Let the person at `from` write `body` to our number `to`, first and not in answer to anything.

        SNS hears it `copies` times (1), after `delay` seconds (0): so messages can come twice, late and out of order.
        """
        body = request.json()
        person = str(body.get("from") or "").strip()
        if not person.startswith("+"):
            raise InvalidInput("invalid_from", "from must be the number of a phone, such as +48600100200", "from")
        copies, delay = telling(body)
        written = self._texts.receive(person, str(body.get("to") or ""), str(body.get("body") or ""), copies, delay)
        return self._shown(written, 201)

    def _empty(self, request: Request) -> Response:
        return json_response({"deleted": self._texts.empty()})

    def _get(self, request: Request, sms: str) -> Response:
        return self._shown(self._texts.need(sms))

    def _reply(self, request: Request, sms: str) -> Response:
        """Answer in the person's place with `body`; `copies` and `delay` as when somebody writes first."""
        body = request.json()
        return self._shown(self._texts.reply(sms, str(body.get("body") or ""), *telling(body)), 201)

    def _tell(self, request: Request, sms: str) -> Response:
        """Let an event of `type` follow, such as TEXT_UNREACHABLE; with `twice`, twice."""
        body = request.json()
        return self._shown(self._texts.tell(sms, str(body.get("type") or ""), bool(body.get("twice"))), 201)

    def _list_numbers(self, request: Request) -> Response:
        return json_response([self._number(phone) for phone in self._numbers.all()])

    def _switch_number(self, request: Request, number: str) -> Response:
        """Set `self_managed` (Tidings answers STOP and HELP, else AWS does) or `two_way` of a number."""
        body = request.json()
        changes = {name: body[name] for name in _SWITCHES if name in body}
        if not changes or not all(isinstance(value, bool) for value in changes.values()):
            raise InvalidInput("invalid_switch", f"Set {' or '.join(_SWITCHES)} to true or false", _SWITCHES[0])
        return json_response(self._number(self._numbers.change(self._numbers.need(number), **changes)))

    def _list_senders(self, request: Request) -> Response:
        return json_response([sms_views.sender_json(one) for one in self._senders.all()])

    def _list_registrations(self, request: Request) -> Response:
        return json_response([sms_views.registration_json(one) for one in self._registrations.all()])

    def _file(self, request: Request) -> Response:
        """Ask for `sender_id` in a `country` that wants a registration, as one does by hand in AWS's console."""
        body = request.json()
        filed = self._registrations.file(str(body.get("sender_id") or ""), str(body.get("country") or ""))
        return json_response(sms_views.registration_json(filed), 201)

    def _decide(self, request: Request, registration: str) -> Response:
        """Complete or deny a registration that was submitted: `status` says which, `reason` why not."""
        body = request.json()
        if body.get("status") not in _DECISIONS:
            raise InvalidInput("invalid_status", f"status must be one of {', '.join(_DECISIONS)}", "status")
        decision = _DECISIONS[body["status"]]
        decided = self._registrations.decide(registration, decision, str(body.get("reason") or ""))
        return json_response(sms_views.registration_json(decided))

    def _number(self, phone: Phone) -> dict[str, Any]:
        stopped = [one["OptedOutNumber"] for one in self._opt_outs.all(phone.opt_outs)]
        return sms_views.number_json(phone, self._numbers.channel(phone), stopped)

    def _shown(self, sms: Sms, status: int = 200) -> Response:
        return json_response(sms_views.sms_json(sms, self._log.of([sms.id])[sms.id]), status)


def telling(body: dict[str, Any]) -> tuple[int, float]:
    """How often SNS hears it, and how many seconds later. Raises InvalidInput."""
    copies, delay = body.get("copies", 1), body.get("delay", 0)
    for name, value, kind in (("copies", copies, int), ("delay", delay, int | float)):
        if not isinstance(value, kind) or isinstance(value, bool):
            raise InvalidInput(f"invalid_{name}", f"{name} must be a number", name)
    return copies, float(delay)
